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
from django.db import connection, transaction
from django.utils.translation import gettext as _

from staffroom.people.models import Organization
from staffroom.people.rows import Question, among_sql, insert_rows, read_rows, together
from staffroom.records import building, finding, ordering, validation
from staffroom.records.actions import costs
from staffroom.records.finding import Awaiting, Mention, StatementKey
from staffroom.records.models import Statement
from staffroom.records.retired import first_open_number

AT_ONCE = ordering.AT_ONCE
DEEPEST = 10
timestamp = building.timestamp


type Waiting = tuple[
    uuid.UUID, int, bool
]  # the hashed key, who speaks of it, and whether that may void what others wrote
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


def look_for(
    keys: Collection[uuid.UUID], tenant_id: int | None
) -> Question[tuple[dict[uuid.UUID, int], list[Waiting]]]:
    """Asks for the numbers of the entries of some keys in a district, those that there are; and who waits for the others."""
    is_native = connection.features.has_native_uuid_field
    told = {
        (hashed if is_native else hashed.hex): (key, hashed)
        for key in keys
        for hashed in (finding.key_in(tenant_id, key),)
    }
    among, values = among_sql("key", [*told])

    def read(rows: list[tuple[Any, ...]]) -> tuple[dict[uuid.UUID, int], list[Waiting]]:
        there: dict[uuid.UUID, int] = {}
        waiting: list[Waiting] = []
        for kind, found, number in rows:
            key, hashed = told[found]
            if kind == _IS_THERE:
                there[key] = number
            else:
                waiting.append((hashed, number, kind == _MAY_VOID))
        return there, waiting

    return Question(_LOOK.format(among=among), [*values, *values], read)


_IS_THERE, _MAY_VOID = 2, 1
_LOOK = """
SELECT 2, key, entry FROM records_statementkey WHERE {among}
UNION ALL SELECT CASE WHEN may_void_others THEN 1 ELSE 0 END, key, entry FROM records_awaiting WHERE {among}
"""


def append(entries: Sequence[Entry], *, waiting: Sequence[Waiting] = (), may_void_others: bool = True) -> None:
    """Append entries, with all that follows: voiding, and what they are found by.

    `waiting`: earlier entries that speak of some of them (`look_for`). `may_void_others`: whether a voiding among them reaches, when
    it comes, an entry that another tool wrote. Raises IntegrityError when a key is taken, CannotBeVoided when one would void an entry
    that itself voids.
    """
    if not entries:
        return
    targets = {each.id: finding.targets_of(each.body, each.tenant_id) for each in entries}
    bodies = {each.key: each for each in entries}
    referring = [each for each in entries if each.body["object"].get("objectType") == "StatementRef"]
    to_come = _follow(referring, bodies, targets) if referring else []
    hashed = {finding.key_in(each.tenant_id, each.key): each for each in entries}
    awaited = _awaited(hashed, waiting) if waiting else []
    # In one order for everybody: two batches that bring the same statements wait for each other, and not in a circle.
    keys = sorted(((key, each.id) for key, each in hashed.items()), key=lambda pair: pair[0].int)
    for referrer, entry in awaited:
        targets.setdefault(referrer, set()).update(targets[entry.id])
    with together():
        insert_rows(StatementKey, ("key", "entry"), keys)
        insert_rows(Awaiting, ("key", "entry"), to_come, ignore_known=True, may_void_others=may_void_others)
        Statement.objects.append_rows(COLUMNS, map(_row, entries))
        insert_rows(Mention, ("target", "entry"), finding.rows_of(targets.items()), ignore_known=bool(awaited))
    _void(entries)


def _follow(
    referring: Iterable[Entry], here: dict[uuid.UUID, Entry], targets: dict[int, set[int]]
) -> list[tuple[uuid.UUID, int]]:
    """Let entries about other entries be found by what those are found by; and see what the voiding ones void.

    Returns which entries (hashed keys) are not there yet, and who waits for them.
    """
    there: There = {}
    waiting: list[tuple[uuid.UUID, int]] = []
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
                waiting.append((finding.key_in(each.tenant_id, about), each.id))
                break
            number, body = found
            if not targets[each.id] or number != each.id:
                targets[each.id] |= finding.targets_of(body, each.tenant_id)
            if len(seen) == 1 and each.verb == validation.VOIDED:
                if body["verb"]["id"] == validation.VOIDED:
                    raise CannotBeVoided(_("An entry that voids another cannot be voided."))
                each.voids_id = number
            about = uuid.UUID(body["object"]["id"]) if body["object"].get("objectType") == "StatementRef" else None
    return waiting


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


def _awaited(fresh: dict[uuid.UUID, Entry], waiting: Iterable[Waiting]) -> list[tuple[int, Entry]]:
    """Earlier entries that speak of entries (by their hashed keys) which come only now; a voiding that waited for one voids it."""
    told = [each for each in waiting if each[0] in fresh]
    for key, referrer, may_void_others in told:
        found = fresh[key]
        if found.verb != validation.VOIDED and _voids(referrer, found, may_void_others=may_void_others):
            found.is_voided = True
    if told:
        Awaiting.objects.filter(key__in={key for key, *_rest in told}).delete()
    return [(referrer, fresh[key]) for key, referrer, _may in told]


def _voids(referrer: int, found: Entry | Statement, *, may_void_others: bool) -> bool:
    """Whether an earlier entry voids one that comes later: by the rules for those that are there already.

    Its own tool's entries; with the right to void others', those of tools of its place and below, and what belongs to an activity.
    """
    voiding = Statement.objects.filter(pk=referrer, verb=validation.VOIDED).select_related("tool__organization").first()
    if voiding is None:
        return False
    if voiding.tool is None or voiding.tool_id == found.tool_id:
        return True
    if not may_void_others or (found.tool_id is None and found.activity_id is None):
        return False
    place = voiding.tool.organization
    if place.pk == found.tenant_id:
        return True
    return Organization.objects.filter(pk=found.organization_id or 0, path__startswith=place.path).exists()


@transaction.atomic
def settle() -> int:
    """Join what waited with what came in the same moment, so that neither saw the other. Returns how many pairs; safe to run twice."""
    pairs = read_rows(
        "SELECT a.key, a.entry, a.may_void_others, k.entry FROM records_awaiting a JOIN records_statementkey k ON k.key = a.key",
        [],
    )
    for key, referrer, may_void_others, number in pairs:
        found = Statement.objects.filter(pk=number).first()
        if found is not None:
            targets = finding.targets_of(found.body, found.tenant_id)
            insert_rows(Mention, ("target", "entry"), finding.rows_of([(referrer, targets)]), ignore_known=True)
            if found.verb != validation.VOIDED and _voids(referrer, found, may_void_others=bool(may_void_others)):
                _strike([number])
        Awaiting.objects.filter(key=uuid.UUID(str(key)), entry=referrer).delete()
    return len(pairs)


def _void(entries: Sequence[Entry]) -> None:
    _strike([each.voids_id for each in entries if each.voids_id is not None])


def _strike(voided: Sequence[int]) -> None:
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
