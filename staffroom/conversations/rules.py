"""Who may read and speak in a conversation, and who may read a notice: one object, and many."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from staffroom.conversations.hosts import host_of
from staffroom.conversations.models import Comment, Notice
from staffroom.people.models import Person


def may_read(person: Person, thing: models.Model | None) -> bool:
    """Whoever may read the thing may read what was said about it; the room of the thing decides."""
    found = host_of(thing)
    return found is not None and found.may_read(person, thing)


def may_say(person: Person, thing: models.Model | None) -> bool:
    found = host_of(thing)
    return found is not None and found.may_say(person, thing)


def may_change(person: Person, comment: Comment) -> bool:
    """Its author, while the comment stands and the thing can still be seen."""
    return comment.author_id == person.pk and comment.withdrawn_at is None and may_read(person, comment.thread.about)


def may_read_notice(person: Person, notice: Notice) -> bool:
    return notice.recipient_id == person.pk


def notices_readable_by(person: Person) -> Q:
    return Q(recipient=person)
