"""Building xAPI 1.0.3 statements out of people, things and words. Knows the shape, decides nothing, stores nothing.

People appear as an account: the key of the person at this site, never a name or an e-mail address. Things appear by an address at
this site that names no content, and without their titles: what a lesson is called is its owner's business.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import models

from staffroom.people.models import Organization, Person
from staffroom.records import vocabulary
from staffroom.records.models import Activity, Statement

VERSION = "1.0.0"  # what the specification wants in statements of any 1.0.x
PLATFORM = "Staffroom"
LANGUAGE = "en"
SYSTEM = "staffroom"  # the account of deeds that no person did
ERASED = "erased"  # the account of everybody who was erased

ACTIVITY_TYPES: dict[str, vocabulary.types] = {
    Activity.Kind.COACHING: vocabulary.types.TUTOR_SESSION,
    Activity.Kind.WORKSHOP: vocabulary.types.MEETING,
    Activity.Kind.COURSE: vocabulary.types.COURSE,
    Activity.Kind.TEAM: vocabulary.types.COLLABORATION,
    Activity.Kind.VIDEO: vocabulary.types.VIDEO,
    Activity.Kind.OTHER: vocabulary.types.EVENT,
}


def account(name: str) -> dict[str, Any]:
    """An agent who is known to this site by an account name."""
    return {"objectType": "Agent", "account": {"homePage": settings.SITE_URL, "name": name}}


def agent(person: Person | None) -> dict[str, Any]:
    """A person as an agent; nobody is this site itself."""
    return account(SYSTEM if person is None else str(person.key))


def iri_of(thing: models.Model) -> str:
    """The address by which statements name a thing. It opens no page: it only has to stay the same."""
    if isinstance(thing, Activity):
        return thing.iri
    name = getattr(thing, "key", None) or thing.pk
    return f"{settings.SITE_URL}/things/{thing._meta.model_name}/{name}"


def activity_object(activity: Activity) -> dict[str, Any]:
    """A professional-learning activity as an xAPI activity: the one kind of thing whose name goes along."""
    return {
        "objectType": "Activity",
        "id": activity.iri,
        "definition": {"name": {LANGUAGE: activity.name}, "type": str(ACTIVITY_TYPES[activity.kind])},
    }


def object_of(thing: str | models.Model, kind: str = "") -> dict[str, Any]:
    """What a deed was done to: an address, a person (an agent), another statement (a reference) or any other thing."""
    if isinstance(thing, Person):
        return agent(thing)
    if isinstance(thing, Statement):
        return {"objectType": "StatementRef", "id": str(thing.key)}
    if isinstance(thing, Activity):
        return activity_object(thing)
    if isinstance(thing, str):
        return _plain(thing, kind)
    known = vocabulary.types.ORGANIZATION if isinstance(thing, Organization) else ""
    return _plain(iri_of(thing), kind or vocabulary.type_of(thing._meta.label) or known)


def _plain(iri: str, kind: str) -> dict[str, Any]:
    thing: dict[str, Any] = {"objectType": "Activity", "id": iri}
    return {**thing, "definition": {"type": str(kind)}} if kind else thing


def object_iri(built: dict[str, Any]) -> str:
    """The one text by which an object is found: an activity's address, an agent's account, a statement's id."""
    if "id" in built:
        return str(built["id"])
    found = built.get("account") or {}
    return f"{found.get('homePage', '')}#{found.get('name', '')}" if found else str(built.get("mbox", ""))


def timestamp(moment: datetime) -> str:
    """RFC 3339 in UTC, to the millisecond."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def duration(seconds: float) -> str:
    """Seconds as an ISO 8601 duration: 4,530 is PT1H15M30S."""
    whole = round(seconds)
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    parts = [f"{amount}{unit}" for amount, unit in ((hours, "H"), (minutes, "M"), (left, "S")) if amount]
    return "PT" + ("".join(parts) or "0S")


def context_of(
    is_activity: bool, activity: Activity | None, parent: str | models.Model | None, focus: str, extra: dict[str, Any]
) -> dict[str, Any]:
    """Where and as part of what a deed was done, with whatever else the room says about it."""
    built: dict[str, Any] = {"platform": PLATFORM} if is_activity else {}
    around: dict[str, Any] = {}
    if parent is not None:
        around["parent"] = [object_of(parent)]
    if activity is not None:
        around["grouping"] = [activity_object(activity)]
    if around or "contextActivities" in extra:
        built["contextActivities"] = {**around, **extra.get("contextActivities", {})}
    known = {vocabulary.extensions.FOCUS.value: focus} if focus else {}
    if known or "extensions" in extra:
        built["extensions"] = {**known, **extra.get("extensions", {})}
    return {**{key: value for key, value in extra.items() if key not in built}, **built}


def statement(
    *,
    key: UUID,
    actor: Person | None,
    verb: vocabulary.Verb,
    about: dict[str, Any],
    happened_at: datetime,
    stored_at: datetime,
    result: dict[str, Any] | None,
    context: dict[str, Any],
) -> dict[str, Any]:
    """The whole statement, as it is stored and given out."""
    built: dict[str, Any] = {
        "id": str(key),
        "actor": agent(actor),
        "verb": {"id": verb.iri, "display": {LANGUAGE: verb.english}},
        "object": about,
        "timestamp": timestamp(happened_at),
        "stored": timestamp(stored_at),
        "authority": account(SYSTEM),
        "version": VERSION,
    }
    if result:
        built["result"] = result
    if context:
        built["context"] = context
    return built
