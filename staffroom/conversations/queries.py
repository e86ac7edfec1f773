"""Reads of threads, notices and drafts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import Q, QuerySet
from django.utils import timezone

from staffroom.conversations import rules
from staffroom.conversations.models import Comment, Draft, MailWish, Notice
from staffroom.people.models import Person


def comments_of(thing: models.Model) -> QuerySet[Comment]:
    """What was said about a thing, oldest first. The caller has made sure that the viewer may see the thing."""
    kind = ContentType.objects.get_for_model(thing)
    return Comment.objects.filter(thread__content_type=kind, thread__object_id=thing.pk).select_related("author")


def comments_of_many(model: type[models.Model], pks: Iterable[int]) -> dict[int, list[Comment]]:
    """The comments of many things of one model, by primary key of the thing; one query."""
    kind = ContentType.objects.get_for_model(model)
    found = Comment.objects.filter(thread__content_type=kind, thread__object_id__in=list(pks))
    gathered: dict[int, list[Comment]] = {}
    for comment in found.select_related("author", "thread").order_by("created_at", "pk"):
        gathered.setdefault(comment.thread.object_id, []).append(comment)
    return gathered


def speakers_in(thing: models.Model) -> QuerySet[Person]:
    """Everybody who has said something about a thing."""
    return Person.objects.filter(pk__in=comments_of(thing).values("author"))


def comment_to_change(viewer: Person, key: Any) -> Comment | None:
    """The viewer's own comment, if it can still be changed."""
    found = Comment.objects.filter(key=key, author=viewer).select_related("thread").first()
    return found if found is not None and rules.may_change(viewer, found) else None


def notices_for(person: Person, *, unread_only: bool = False) -> QuerySet[Notice]:
    """A person's notices, newest first."""
    found = Notice.objects.filter(rules.notices_readable_by(person)).select_related("actor")
    return found.filter(read_at=None) if unread_only else found


def unread_by(person: Person) -> QuerySet[Notice]:
    """The notices that wait, for counting. Served by the index on recipient and read_at."""
    return Notice.objects.filter(rules.notices_readable_by(person), read_at=None)


def unread_count(person: Person) -> int:
    """How many notices wait."""
    return unread_by(person).count()


def draft_for(person: Person, place: str) -> dict[str, Any]:
    """What the person had typed in this place; empty when nothing waits."""
    found = Draft.objects.filter(owner=person, place=place, ends_on__gte=timezone.localdate()).first()
    return dict(found.body) if found else {}


def mail_rhythm(person: Person) -> str:
    wish = MailWish.objects.filter(person=person).first()
    return wish.rhythm if wish else MailWish.Rhythm.AT_ONCE


def notices_to_gather() -> QuerySet[Notice]:
    """Unread notices, not yet mailed, of people who want them once a day."""
    daily = MailWish.objects.filter(rhythm=MailWish.Rhythm.DAILY).values("person")
    return Notice.objects.filter(Q(recipient__in=daily), read_at=None, mailed_at=None).select_related(
        "actor", "recipient"
    )
