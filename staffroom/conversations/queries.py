"""Reads of threads, notices and drafts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from functools import reduce
from itertools import batched
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
    wanted = [part for kind, (_model, pks) in kinds.items() if pks for part in (kind, tuple(pks))]
    for comment in _comments(*wanted) if wanted else ():
        model, _pks = kinds[comment.thread.content_type_id]
        gathered[model].setdefault(comment.thread.object_id, []).append(comment)
    return gathered


@prepared
def _comments(*kinds_and_pks: Any) -> QuerySet[Comment]:
    wanted = (Q(thread__content_type=kind, thread__object_id__in=pks) for kind, pks in batched(kinds_and_pks, 2))
    found = Comment.objects.filter(reduce(or_, wanted)).select_related("author", "thread")
    return found.order_by("created_at", "pk")


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


def notices_listed(person: Person, before: str = "", *, unread_only: bool, most: int) -> list[Notice]:
    """A page of them, after one whose number is told."""
    after = [int(before)] if before.isdecimal() and len(before) < 19 else []
    return _listed(person.pk, *after, unread_only=unread_only, most=most)


@prepared
def _listed(person: int, *before: int, unread_only: bool, most: int) -> QuerySet[Notice]:
    found = Notice.objects.filter(recipient=person).select_related("actor").order_by("-pk")
    found = found.filter(read_at=None) if unread_only else found
    return (found.filter(pk__lt=before[0]) if before else found)[:most]


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
    bodies = dict(_drafts(person.pk, places, timezone.localdate()))
    return {place: dict(bodies.get(place, {})) for place in places}


@prepared
def _drafts(owner: int, places: tuple[str, ...], today: date) -> QuerySet[Draft, Any]:
    return (
        Draft.objects.filter(owner=owner, place__in=places, ends_on__gte=today).order_by().values_list("place", "body")
    )


def mail_rhythm(person: Person) -> str:
    wish = next(iter(_wishes(person.pk)), None)
    return wish.rhythm if wish else MailWish.Rhythm.AT_ONCE


@prepared
def _wishes(person: int) -> QuerySet[MailWish]:
    return MailWish.objects.filter(person=person)


def notices_to_gather() -> QuerySet[Notice]:
    """Unread notices, not yet mailed, of people who want them once a day."""
    daily = MailWish.objects.filter(rhythm=MailWish.Rhythm.DAILY).values("person")
    return Notice.objects.filter(Q(recipient__in=daily), read_at=None, mailed_at=None).select_related(
        "actor", "recipient"
    )
