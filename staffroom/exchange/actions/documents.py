"""Documents that tools keep: put, merged, removed, each guarded by what the tool last saw of it (Communication 2.2 and 3.1)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from staffroom.exchange import strict
from staffroom.exchange.models import Document
from staffroom.exchange.refusals import Refusal

JSON = "application/json"


@dataclass(frozen=True)
class Place:
    """Where a document stands: of which organization, of what kind, of whom and what, and its name if one is meant."""

    organization_id: int
    kind: str
    agent: int = 0
    activity: int = 0
    registration: str = ""
    name: str | None = None
    person_id: int | None = None

    def documents(self, *, in_any_registration: bool = False) -> QuerySet[Document]:
        found = Document.objects.filter(
            organization_id=self.organization_id, kind=self.kind, agent=self.agent, activity=self.activity
        )
        if not in_any_registration:
            found = found.filter(registration=self.registration)
        return found if self.name is None else found.filter(name=self.name)


@dataclass(frozen=True)
class Guard:
    """What the tool says of the document that it last saw: If-Match and If-None-Match."""

    if_match: str = ""
    if_none_match: str = ""
    is_needed: bool = False  # to replace a document
    is_needed_if_new: bool = False  # to make one

    def check(self, kept: Document | None) -> None:
        """Refuse (412) when the document is another one by now, (409) when the tool does not say what it saw but must."""
        if self.if_match and (kept is None or not _lists(self.if_match, kept.etag)):
            raise Refusal(412, "The document is not the one that If-Match tells.")
        if self.if_none_match and kept is not None and _lists(self.if_none_match, kept.etag):
            raise Refusal(412, "There is such a document already.")
        if self.if_match or self.if_none_match:
            return
        if self.is_needed_if_new and kept is None:
            raise Refusal(400, "Say with If-None-Match: * that there should be no such document yet.")
        if self.is_needed and kept is not None:
            raise Refusal(409, "There is a document already. Read it first, and say with If-Match that you know it.")


def _lists(header: str, etag: str) -> bool:
    return header.strip() == "*" or etag in (each.strip().removeprefix("W/").strip('"') for each in header.split(","))


def _once_more[**Asked, Made](deed: Callable[Asked, Made]) -> Callable[Asked, Made]:
    """A deed in one transaction; done again if another made the same document in between: now it is there to be seen."""

    @wraps(deed)
    def done(*args: Asked.args, **named: Asked.kwargs) -> Made:
        try:
            with transaction.atomic():
                return deed(*args, **named)
        except IntegrityError:
            with transaction.atomic():
                return deed(*args, **named)

    return done


@_once_more
def put_document(*, place: Place, content: bytes, content_type: str, guard: Guard) -> Document:
    """Keep a document, in the place of whatever was there."""
    kept = place.documents().select_for_update().first()
    guard.check(kept)
    return _keep(place, kept, content, content_type)


@_once_more
def merge_document(*, place: Place, content: bytes, content_type: str, guard: Guard) -> Document:
    """Keep a document; two of JSON are merged, name by name (Communication 2.2). Refuses (400) to merge anything else."""
    kept = place.documents().select_for_update().first()
    guard.check(kept)
    told = _object(content) if _is_json(content_type) else None
    if _is_json(content_type) and told is None:
        raise Refusal(400, "A document that is posted as JSON must be an object.")
    if kept is None:
        return _keep(place, None, content, content_type)
    before = _object(bytes(kept.content)) if _is_json(kept.content_type) else None
    if told is None or before is None:
        raise Refusal(400, "Only documents that are both JSON objects can be merged.")
    return _keep(place, kept, strict.write({**before, **told}), JSON)


@transaction.atomic
def remove_document(*, place: Place, guard: Guard) -> int:
    """Remove a document, or all of a place if no name is given. Returns how many there were."""
    if place.name is not None:
        guard.check(place.documents().select_for_update().first())
        return place.documents().delete()[0]
    found = place.documents(in_any_registration=not place.registration)
    return found.delete()[0]


def names_in(place: Place, since: datetime | None, *, in_any_registration: bool) -> tuple[list[str], datetime | None]:
    """The names of the documents of a place, those changed after a moment only, and when the newest was."""
    found = place.documents(in_any_registration=in_any_registration)
    if since is not None:
        found = found.filter(updated_at__gt=since)
    rows = list(found.order_by("updated_at", "pk").values_list("name", "updated_at"))
    return list(dict.fromkeys(name for name, _at in rows)), rows[-1][1] if rows else None


def _keep(place: Place, kept: Document | None, content: bytes, content_type: str) -> Document:
    document = kept or Document(
        organization_id=place.organization_id, kind=place.kind, agent=place.agent, activity=place.activity,
        registration=place.registration, name=place.name or "",
    )  # fmt: skip
    document.content, document.content_type = content, content_type[:255]
    document.etag = hashlib.sha1(content, usedforsecurity=False).hexdigest()
    document.person_id = place.person_id
    document.updated_at = timezone.now()
    document.save()
    return document


def _is_json(content_type: str) -> bool:
    return content_type.partition(";")[0].strip().lower() == JSON


def _object(content: bytes) -> dict[str, Any] | None:
    try:
        value = strict.read(content)
    except strict.NotJson:
        return None
    return value if isinstance(value, dict) else None
