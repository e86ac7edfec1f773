"""How entries get into the activity ledger: their number, their key, what they are found by, and what they do to earlier ones.

Both ways in end here: a deed of Staffroom's own (`record`), and what tools send through the xAPI door. All in the transaction of the
caller; an entry is in the ledger with everything that belongs to it, or not at all.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from operator import attrgetter
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection
from django.utils.translation import gettext as _

from staffroom.people.rows import among_sql, insert_rows, read_rows, together
from staffroom.records import building, finding, ordering, validation
from staffroom.records.actions import costs
from staffroom.records.finding import Mention, StatementKey
from staffroom.records.models import Statement
from staffroom.records.retired import first_open_number

AT_ONCE = ordering.AT_ONCE
DEEPEST = 10
timestamp = building.timestamp


type There = dict[tuple[int | None, uuid.UUID], tuple[int, dict[str, Any]]]


class CannotBeVoided(ValidationError):
    """Somebody tried to void an entry that itself voids another."""


@dataclass(slots=True, kw_only=True)
class Entry:
    """One entry to be appended; the fields are the columns of Statement."""

    id: int
    key: uuid.UUID
    body: dict[str, Any]
    verb: str
    object_iri: str
    happened_at: datetime
    stored_at: datetime
    tenant_id: int | None = None
    organization_id: int | None = None
    tool_id: int | None = None
    actor_id: int | None = None
    recorded_by_id: int | None = None
    role: str = ""
    activity_id: int | None = None
    duration_s: int | None = None
    voids_id: int | None = None
    is_voided: bool = False


COLUMNS = tuple(each.name for each in fields(Entry))
_row = attrgetter(*COLUMNS)


def take_numbers(count: int) -> tuple[range, datetime]:
    """Numbers for the next entries (at most `AT_ONCE`), and the moment at which they are stored."""
    numbers = ordering.take_numbers(Statement, count, "default")
    return numbers, ordering.stored_at(numbers[0])


def entries_of(keys: Collection[uuid.UUID], tenant_id: int | None) -> dict[uuid.UUID, int]:
    """The numbers of the entries of some keys in a district; those that there are."""
    is_native = connection.features.has_native_uuid_field
    told = {(hashed if is_native else hashed.hex): key for key in keys for hashed in (finding.key_in(tenant_id, key),)}
    among, values = among_sql("key", [*told])
    found = read_rows(f"SELECT key, entry FROM records_statementkey WHERE {among}", values)
    return {told[hashed]: entry for hashed, entry in found}


def append(entries: Sequence[Entry], *, may_be_awaited: Collection[uuid.UUID] = ()) -> None:
    """Append entries, with all that follows: voiding, and what they are found by.

    `may_be_awaited`: the keys that somebody else chose, so that earlier entries may speak of them already. Raises IntegrityError when
    a key is taken, CannotBeVoided when one would void an entry that itself voids.
    """
    if not entries:
        return
    targets = {each.id: finding.targets_of(each.body, each.tenant_id) for each in entries}
    bodies = {each.key: each for each in entries}
    referring = [each for each in entries if each.body["object"].get("objectType") == "StatementRef"]
    if referring:
        _follow(referring, bodies, targets)
    awaited = _awaited(may_be_awaited, entries) if may_be_awaited else []
    # In one order for everybody: two batches that bring the same statements wait for each other, and not in a circle.
    keys = sorted((finding.key_in(each.tenant_id, each.key), each.id) for each in entries)
    for referrer, entry in awaited:
        targets.setdefault(referrer, set()).update(targets[entry.id])
    with together():
        insert_rows(StatementKey, ("key", "entry"), keys)
        Statement.objects.append_rows(COLUMNS, map(_row, entries))
        insert_rows(Mention, ("target", "entry"), finding.rows_of(targets.items()), ignore_known=bool(awaited))
    _void(entries)


def _follow(referring: Iterable[Entry], here: dict[uuid.UUID, Entry], targets: dict[int, set[int]]) -> None:
    """Let entries about other entries be found by what those are found by; and see what the voiding ones void."""
    there: There = {}
    for tenant_id in {each.tenant_id for each in referring}:
        wanted = {uuid.UUID(each.body["object"]["id"]) for each in referring if each.tenant_id == tenant_id}
        there |= _bodies(wanted - here.keys(), tenant_id)
    for each in referring:
        seen: set[uuid.UUID] = set()
        about: uuid.UUID | None = uuid.UUID(each.body["object"]["id"])
        while about is not None and about not in seen and len(seen) < DEEPEST:
            seen.add(about)
            found = _of_tenant(about, each.tenant_id, here, there)
            if found is None:
                break
            number, body = found
            if not targets[each.id] or number != each.id:
                targets[each.id] |= finding.targets_of(body, each.tenant_id)
            if len(seen) == 1 and each.verb == validation.VOIDED:
                if body["verb"]["id"] == validation.VOIDED:
                    raise CannotBeVoided(_("An entry that voids another cannot be voided."))
                each.voids_id = number
            about = uuid.UUID(body["object"]["id"]) if body["object"].get("objectType") == "StatementRef" else None


def _of_tenant(
    key: uuid.UUID, tenant_id: int | None, here: dict[uuid.UUID, Entry], there: There
) -> tuple[int, dict[str, Any]] | None:
    if key in here and here[key].tenant_id == tenant_id:
        return here[key].id, here[key].body
    if (tenant_id, key) not in there:
        there |= _bodies({key}, tenant_id)
    return there.get((tenant_id, key))


def _bodies(keys: Collection[uuid.UUID], tenant_id: int | None) -> There:
    numbers = entries_of(keys, tenant_id) if keys else {}
    found = Statement.objects.filter(pk__in=numbers.values()).values_list("key", "pk", "body") if numbers else ()
    return {(tenant_id, key): (number, body) for key, number, body in found}


def _awaited(keys: Collection[uuid.UUID], entries: Sequence[Entry]) -> list[tuple[int, Entry]]:
    """Earlier entries that speak of entries which come only now; a voiding that waited for one voids it."""
    by_target = {
        finding.target(each.tenant_id, finding.STATEMENT, str(each.key)): each for each in entries if each.key in keys
    }
    among, values = among_sql("target", [*by_target])
    waiting = read_rows(f"SELECT target, entry FROM records_mention WHERE {among}", values)
    if not waiting:
        return []
    voiding = set(
        Statement.objects.filter(pk__in=[entry for _target, entry in waiting], verb=validation.VOIDED).values_list(
            "pk", flat=True
        )
    )
    for target, referrer in waiting:
        found = by_target[target]
        if referrer in voiding and found.verb != validation.VOIDED:
            found.is_voided = True
    return [(referrer, by_target[target]) for target, referrer in waiting]


def _void(entries: Sequence[Entry]) -> None:
    voided = [each.voids_id for each in entries if each.voids_id is not None]
    if not voided:
        return
    # What is about to leave the ledger stays as the lake has it.
    found = Statement.objects.filter(pk__in=voided, pk__gte=first_open_number())
    found.filter(is_voided=False).mark_voided()
    for statement in found.filter(costs__isnull=False).distinct():
        for cost in statement.costs.live():
            costs.append_voiding_cost(cost)


def price(entries: Sequence[Entry]) -> None:
    """Append what the time of new entries cost, where they belong to an activity."""
    timed = [each.id for each in entries if each.activity_id and each.duration_s and each.role and not each.is_voided]
    if timed:
        found = Statement.objects.filter(pk__in=timed).select_related("activity__organization", "actor")
        costs.price_statements(entries=list(found), are_new=True)
