"""Which mapping an entry of a tool counts for, and how many hours a day of somebody has by it.

An entry counts for one mapping at most, so that no hour counts twice: for the one that names its very address before one that names
how the address begins, the longer beginning before the shorter, one tool before any tool, and the thing itself before what it is
part of.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from itertools import batched
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from staffroom.exchange import groups, sittings
from staffroom.exchange.models import Mapping
from staffroom.people.rows import Question
from staffroom.records import finding
from staffroom.records.models import Statement

LONGEST_S = 366 * 86_400
CLOCKS_DIFFER = timedelta(minutes=5)
COLUMNS = (
    "pk", "key", "actor_id", "role", "organization_id", "tool_id", "verb", "object_iri", "happened_at", "duration_s", "body",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Foreign:
    """What of an entry of a tool matters for hours."""

    pk: int
    key: Any
    actor_id: int | None
    role: str
    organization_id: int | None
    tool_id: int | None
    verb: str
    object_iri: str
    happened_at: datetime
    duration_s: int | None
    body: dict[str, Any]
    member: str = ""  # of the group that did it

    @property
    def who(self) -> str:
        """By which name the program knows whoever did it."""
        return self.member or finding.ifi(self.body["actor"])

    @property
    def unit(self) -> tuple[str, str]:
        """What was done in which taking of a course: done again, it is not done anew."""
        return self.object_iri, str(self.body.get("context", {}).get("registration", "")).lower()


def foreign(entries: QuerySet[Statement]) -> Iterator[Foreign]:
    """Entries of tools that count, out of some entries."""
    found = entries.filter(tool__isnull=False, is_voided=False, voids=None)
    return (Foreign(*row) for row in found.values_list(*COLUMNS).iterator(chunk_size=1000))


def by_member(tenant_id: int, entries: Iterable[Foreign]) -> Iterator[Foreign]:
    """The same entries, those of groups once for each member: as the member's own, as far as the district knows them."""
    for some in batched(entries, 1000):
        names = {each.pk: groups.members_of(each.body) for each in some if each.actor_id is None}
        known = groups.known(tenant_id, {name for each in names.values() for name in each})
        for each in some:
            if not names.get(each.pk):
                yield each
                continue
            met: set[int] = set()
            for name in names[each.pk]:
                who = known.get(name)
                if who is None:
                    yield replace(each, member=name)
                elif who.person_id not in met:
                    met.add(who.person_id)
                    yield replace(
                        each, member=name, actor_id=who.person_id, role=who.role, organization_id=who.organization_id
                    )


def day_of(moment: datetime) -> date:
    """The day of a moment by the clock of this site."""
    return timezone.localdate(moment, timezone.get_default_timezone())


def begin_of(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time()), timezone.get_default_timezone())


def of_day(tenant_id: int, person_id: int, day: date) -> QuerySet[Statement]:
    """What happened on a day of a person; what its program dates into the future has not happened."""
    until = min(begin_of(day + timedelta(days=1)), timezone.now() + CLOCKS_DIFFER)
    found = of_person(tenant_id, person_id).filter(happened_at__gte=begin_of(day), happened_at__lt=until)
    return found.order_by("happened_at", "pk")


def of_person(tenant_id: int, person_id: int) -> QuerySet[Statement]:
    """What a person did, alone or in a group."""
    numbers = groups.numbers_with(tenant_id, person_id)
    alone = Q(actor=person_id)
    return Statement.objects.filter(alone | Q(actor=None, pk__in=numbers) if numbers else alone, tenant=tenant_id)


def addresses_of(body: dict[str, Any]) -> Iterator[tuple[int, str]]:
    """The activities that an entry is about, and how far each is from it: the object, what it is part of, what it is grouped by."""
    thing = body["object"]
    if thing.get("objectType", "Activity") == "Activity":
        yield 0, thing["id"]
    around = (body.get("context") or {}).get("contextActivities") or {}
    for distance, name in ((1, "parent"), (2, "grouping")):
        found = around.get(name, [])
        for activity in found if isinstance(found, list) else [found]:
            yield distance, activity["id"]


class Chooser:
    """The mappings of a district, asked which one an entry counts for."""

    def __init__(self, mappings: Iterable[Mapping]) -> None:
        self.exact: dict[str, list[Mapping]] = {}
        self.beginnings: list[Mapping] = []
        for each in mappings:
            if each.is_prefix:
                self.beginnings.append(each)
            else:
                self.exact.setdefault(each.iri, []).append(each)

    def __bool__(self) -> bool:
        return bool(self.exact or self.beginnings)

    def choose(self, body: dict[str, Any], tool_id: int | None) -> Mapping | None:
        best: tuple[tuple[bool, int, bool, int], Mapping] | None = None
        for distance, iri in addresses_of(body):
            for mapping in self._fitting(iri):
                if mapping.tool_id is not None and mapping.tool_id != tool_id:
                    continue
                rank = (not mapping.is_prefix, len(mapping.iri), mapping.tool_id is not None, -distance)
                if best is None or rank > best[0]:
                    best = rank, mapping
        return best[1] if best else None

    def _fitting(self, iri: str) -> Iterator[Mapping]:
        yield from self.exact.get(iri, ())
        yield from (each for each in self.beginnings if iri.startswith(each.iri))


def has_mappings(tenant_id: int) -> Question[bool]:
    """Asked at every writing: most districts have none."""
    return Question(
        "SELECT 1 FROM exchange_mapping WHERE tenant_id = %s AND removed_at IS NULL LIMIT 1", [tenant_id], bool
    )


def chooser_of(tenant_id: int) -> Chooser:
    return Chooser(Mapping.objects.filter(tenant=tenant_id, removed_at=None))


@dataclass(slots=True)
class Hours:
    """What a day of somebody gave by one mapping."""

    mapping: Mapping
    entries: list[Foreign] = field(default_factory=list)
    seconds: int = 0

    @property
    def last(self) -> Foreign:
        return self.entries[-1]


def sum_day(mapping: Mapping, entries: list[Foreign], done_before: set[tuple[str, str]]) -> int:
    """The seconds of a day's entries by a mapping. `done_before`: what was completed on earlier days already (fixed minutes)."""
    match mapping.hours:
        case Mapping.Hours.TOLD:
            spans = ((each.happened_at, each.duration_s) for each in _of_verbs(mapping, entries) if each.duration_s)
            seconds = sittings.told_s(spans)
        case Mapping.Hours.SESSION:
            seconds = sittings.sitting_s(
                (each.happened_at for each in entries),
                pause_s=(mapping.pause_minutes or 0) * 60,
                least_s=(mapping.least_minutes or 0) * 60,
            )
        case _:
            done = {each.unit for each in _of_verbs(mapping, entries)}
            seconds = len(done - done_before) * (mapping.minutes or 0) * 60
    most = None if mapping.most_minutes is None else mapping.most_minutes * 60
    return min(sittings.capped(seconds, most), LONGEST_S)


def _of_verbs(mapping: Mapping, entries: Iterable[Foreign]) -> list[Foreign]:
    return [each for each in entries if not mapping.verbs or each.verb in mapping.verbs]


def hours_of_day(chooser: Chooser, tenant_id: int, person_id: int, day: date) -> dict[int, Hours]:
    """What a day of a person gives, by mapping."""
    found: dict[int, Hours] = {}
    for each in by_member(tenant_id, foreign(of_day(tenant_id, person_id, day))):
        is_theirs = each.actor_id == person_id and each.role
        mapping = chooser.choose(each.body, each.tool_id) if is_theirs else None
        if mapping is not None:
            found.setdefault(mapping.pk, Hours(mapping)).entries.append(each)
    for hours in found.values():
        before = _done_before(chooser, hours, tenant_id, person_id, day)
        hours.seconds = sum_day(hours.mapping, hours.entries, before)
    return {pk: hours for pk, hours in found.items() if hours.seconds}


def _done_before(chooser: Chooser, hours: Hours, tenant_id: int, person_id: int, day: date) -> set[tuple[str, str]]:
    if hours.mapping.hours != Mapping.Hours.FIXED:
        return set()
    earlier = completions(hours.mapping, tenant_id, person_id).filter(
        happened_at__lt=begin_of(day), object_iri__in={each.object_iri for each in hours.entries}
    )
    return {each.unit for each in foreign(earlier) if chooser.choose(each.body, each.tool_id) == hours.mapping}


def completions(mapping: Mapping, tenant_id: int, person_id: int) -> QuerySet[Statement]:
    """What a person completed, by the verbs of a mapping."""
    found = of_person(tenant_id, person_id).exclude(role="", actor__isnull=False)
    return found.filter(verb__in=mapping.verbs) if mapping.verbs else found
