"""Appending to the activity ledger, and voiding. The only way in: nothing else makes a Statement."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import batched
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from staffroom.people.models import Organization, Person, Role
from staffroom.people.queries import district_around, memberships_of
from staffroom.records import building, rules, validation, vocabulary
from staffroom.records.actions import appending, costs
from staffroom.records.models import Activity, Statement
from staffroom.records.retired import first_open_number

CLOCKS_DIFFER = timedelta(minutes=5)
DAY_S = 24 * 3600
BATCH = 500
# Made of a key, a person and two moments by `building`, whose tests hold them against the specification.
OUR_OWN = ("id", "actor", "timestamp", "stored")


@dataclass(kw_only=True)
class Deed:
    """What somebody did, before it is a statement. The fields are those of `record`, which explains them."""

    by: Person | None
    verb: vocabulary.Verb
    object: str | models.Model
    activity: Activity | None = None
    duration_s: float | None = None
    happened_at: datetime | None = None
    organization: Organization | None = None
    result: dict[str, Any] | None = None
    context: dict[str, Any] | None = None
    kind: str = ""
    parent: str | models.Model | None = None
    focus: str = ""
    role: str = ""
    recorded_by: Person | None = None
    key: UUID = field(default_factory=uuid.uuid4)


@transaction.atomic
def record(
    *,
    by: Person | None,
    verb: vocabulary.Verb,
    object: str | models.Model,
    activity: Activity | None = None,
    duration_s: float | None = None,
    happened_at: datetime | None = None,
    organization: Organization | None = None,
    result: dict[str, Any] | None = None,
    context: dict[str, Any] | None = None,
    kind: str = "",
    parent: str | models.Model | None = None,
    focus: str = "",
    role: str = "",
    recorded_by: Person | None = None,
    key: UUID | None = None,
) -> Statement:
    """Append what somebody did to the activity ledger, in the transaction of the deed itself. Returns the statement.

    by: who did it; None for this site itself. verb: one of `vocabulary.verbs`. object: an address (IRI), a person, another
    statement, an activity or any other object. activity: as part of which professional learning; the time then also becomes a cost
    at the wage of the role. happened_at: now, unless told; the future is refused. organization: the first school that the person
    belongs to, unless told. result, context: further properties of xAPI. kind: the object's type, if its room has set none.
    parent: the thing that the object is part of. focus: what it was about, in a few words that leaders may read. role: what the
    person is there, unless told. recorded_by: who wrote it down for somebody else.

    Raises ValidationError, naming each path and rule, when the statement would not be valid xAPI 1.0.3.
    """
    deed = Deed(
        by=by, verb=verb, object=object, activity=activity, duration_s=duration_s, happened_at=happened_at,
        organization=organization, result=result, context=context, kind=kind, parent=parent, focus=focus, role=role,
        recorded_by=recorded_by, key=key or uuid.uuid4(),
    )  # fmt: skip
    numbers, stored_at = appending.take_numbers(1)
    entry = _entry(deed, stored_at)
    _append([entry], numbers)
    return entry


@transaction.atomic
def record_statements(deeds: Iterable[Deed]) -> int:
    """Append many deeds at once, all or none: for imports, attendance and the demo. Returns how many."""
    total = 0
    shapes: set[str] = set()
    for some in batched(deeds, BATCH):
        numbers, stored_at = appending.take_numbers(len(some))
        total += _append([_entry(deed, stored_at, shapes) for deed in some], numbers)
    return total


def _append(batch: list[Statement], numbers: range) -> int:
    for number, each in zip(numbers, batch, strict=True):
        each.pk = number
    appending.append([appending.Entry(**{name: getattr(each, name) for name in appending.COLUMNS}) for each in batch])
    for each in batch:
        each._state.adding = False
    costs.price_statements(entries=batch, are_new=True)
    return len(batch)


def _entry(deed: Deed, stored_at: datetime, shapes: set[str] | None = None) -> Statement:
    """The statement of a deed with its columns filled, not yet saved. `shapes`: see `_refuse_invalid`."""
    happened_at = deed.happened_at or stored_at
    _refuse_impossible(deed, happened_at, stored_at)
    about = building.object_of(deed.object, deed.kind)
    activity = deed.activity or (deed.object if isinstance(deed.object, Activity) else None)
    body = building.statement(
        key=deed.key, actor=deed.by, verb=deed.verb, about=about, happened_at=happened_at, stored_at=stored_at,
        result=_result(deed),
        context=building.context_of(
            about["objectType"] == "Activity", None if activity is deed.object else activity, deed.parent, deed.focus,
            deed.context or {},
        ),
    )  # fmt: skip
    _refuse_invalid(body, shapes)
    place = deed.organization or organization_of(deed.by)
    return Statement(
        key=deed.key, organization=place, tenant_id=tenant_of(place), actor=deed.by, verb=deed.verb.iri,
        recorded_by=deed.recorded_by if deed.recorded_by != deed.by else None, role=deed.role or role_of(deed.by),
        object_iri=building.object_iri(about), activity=activity, happened_at=happened_at, stored_at=stored_at,
        duration_s=None if deed.duration_s is None else round(deed.duration_s), body=body,
        voids=deed.object if deed.verb.iri == vocabulary.verbs.VOIDED.iri and isinstance(deed.object, Statement) else None,
    )  # fmt: skip


def _refuse_invalid(body: dict[str, Any], shapes: set[str] | None) -> None:
    """Hold a statement against the specification. Of many only those that differ in more than what `building` alone writes."""
    shape = "" if shapes is None else json.dumps({name: part for name, part in body.items() if name not in OUR_OWN})
    if shapes is not None and shape in shapes:
        return
    problems = validation.problems_in(body)
    if problems:
        raise ValidationError([str(problem) for problem in problems])
    if shapes is not None:
        shapes.add(shape)


def _refuse_impossible(deed: Deed, happened_at: datetime, stored_at: datetime) -> None:
    if timezone.is_naive(happened_at):
        raise ValidationError(_("The time of a deed needs its time zone."))
    if happened_at > stored_at + CLOCKS_DIFFER:
        raise ValidationError(_("What is still to come cannot be recorded."))
    if deed.duration_s is not None and not 0 <= deed.duration_s <= 366 * DAY_S:
        raise ValidationError(_("A duration is between nothing and a year."))


def _result(deed: Deed) -> dict[str, Any] | None:
    if deed.duration_s is None:
        return deed.result
    return {**(deed.result or {}), "duration": building.duration(deed.duration_s)}


def role_of(person: Person | None) -> str:
    """What somebody is first of all: the role of the oldest membership that still counts."""
    held = memberships_of(person) if person is not None else []
    return next((each.role for each in held if each.role != Role.STUDENT), held[0].role if held else "")


def organization_of(person: Person | None) -> Organization | None:
    """The first school that somebody belongs to; whoever is in none: their first organization."""
    places = [held.organization for held in memberships_of(person)] if person is not None else []
    schools = (place for place in places if place.kind == Organization.Kind.SCHOOL)
    return next(schools, places[0] if places else None)


def tenant_of(place: Organization | None) -> int | None:
    """The district whose ledger a deed at a place is in; a place in no district keeps its own."""
    return None if place is None else district_around(place.pk, place.path) or place.pk


@transaction.atomic
def void_statement(*, by: Person, statement: Statement) -> Statement:
    """Say that an entry is wrong: append a statement that voids it, and void the costs that came from it.

    Refuses (PermissionDenied) whom `rules.may_void` refuses, and (ValidationError) what is voided already or itself voids.
    """
    if not rules.may_void(by, statement):
        raise PermissionDenied
    locked = Statement.objects.select_for_update().get(pk=statement.pk)
    if locked.voids_id is not None:
        raise ValidationError(_("An entry that voids another cannot be voided."))
    if locked.is_voided:
        raise ValidationError(_("This entry is voided already."))
    if locked.pk < first_open_number():
        raise ValidationError(_("The ledger no longer changes entries of that time."))
    return record(by=by, verb=vocabulary.verbs.VOIDED, object=locked, organization=locked.organization)
