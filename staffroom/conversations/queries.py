"""Reads of threads, notices and drafts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import reduce
from operator import or_
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import Q, QuerySet
from django.utils import timezone

from staffroom.conversations import rules
from staffroom.conversations.models import Comment, Draft, MailWish, Notice
from staffroom.people.models import Person
from staffroom.people.prepared import prepared


def comments_of(thing: models.Model) -> QuerySet[Comment]:
    """What was said about a thing, oldest first. The caller has made sure that the viewer may see the thing."""
    kind = ContentType.objects.get_for_model(thing)
    return Comment.objects.filter(thread__content_type=kind, thread__object_id=thing.pk).select_related("author")


def comments_of_many(model: type[models.Model], pks: Iterable[int]) -> dict[int, list[Comment]]:
    """The comments of many things of one model, by primary key of the thing; one query."""
    return comments_of_each({model: pks})[model]


def comments_of_each(
    things: Mapping[type[models.Model], Iterable[int]],
) -> dict[type[models.Model], dict[int, list[Comment]]]:
    """The same for things of several models; one query, and none for nothing."""
    kinds = {ContentType.objects.get_for_model(model).pk: (model, list(pks)) for model, pks in things.items()}
    gathered: dict[type[models.Model], dict[int, list[Comment]]] = {model: {} for model in things}
    wanted = [Q(thread__content_type=kind, thread__object_id__in=pks) for kind, (_model, pks) in kinds.items() if pks]
    if not wanted:
        return gathered
    found = Comment.objects.filter(reduce(or_, wanted)).select_related("author", "thread")
    for comment in found.order_by("created_at", "pk"):
        model, _pks = kinds[comment.thread.content_type_id]
        gathered[model].setdefault(comment.thread.object_id, []).append(comment)
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


def unread_in_sql(person: Person) -> tuple[str, tuple[Any, ...]]:
    """The same as SQL, for the navigation: it is asked on every page."""
    return _unread_ready.as_sql(person.pk)


@prepared
def _unread_ready(person: int) -> QuerySet[Notice]:
    return Notice.objects.filter(recipient=person, read_at=None).order_by().only("pk")


def unread_count(person: Person) -> int:
    """How many notices wait."""
    return unread_by(person).count()


def draft_for(person: Person, place: str) -> dict[str, Any]:
    """What the person had typed in this place; empty when nothing waits."""
    return drafts_for(person, place)[place]


def drafts_for(person: Person, *places: str) -> dict[str, dict[str, Any]]:
    """The same for several places; one query."""
    found = Draft.objects.filter(owner=person, place__in=places, ends_on__gte=timezone.localdate()).order_by()
    bodies = dict(found.values_list("place", "body"))
    return {place: dict(bodies.get(place, {})) for place in places}


def mail_rhythm(person: Person) -> str:
    wish = MailWish.objects.filter(person=person).first()
    return wish.rhythm if wish else MailWish.Rhythm.AT_ONCE


def notices_to_gather() -> QuerySet[Notice]:
    """Unread notices, not yet mailed, of people who want them once a day."""
    daily = MailWish.objects.filter(rhythm=MailWish.Rhythm.DAILY).values("person")
    return Notice.objects.filter(Q(recipient__in=daily), read_at=None, mailed_at=None).select_related(
        "actor", "recipient"
    )
