"""What came lately from other programs: the activities that they wrote about, and what a mapping of one of them would give.

Read from the newest entries themselves, so that an activity whose program never said its name is seen as well.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import batched, islice
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from staffroom.exchange import counting
from staffroom.exchange.counting import Chooser, Foreign
from staffroom.exchange.models import KnownActivity, Mapping
from staffroom.records import finding
from staffroom.records.models import Statement
from staffroom.ui import numbers

NEWEST = 5000
MOST_FOR_PREVIEW = 20_000
LONGEST_LIST = 50


@dataclass(slots=True)
class Course:
    """An activity of another program, as far as the newest entries tell."""

    iri: str
    name: str = ""
    entries: int = 0
    people: set[int] = field(default_factory=set)
    unmatched: set[str] = field(default_factory=set)
    tools: set[int] = field(default_factory=set)
    verbs: set[str] = field(default_factory=set)
    timed: int = 0
    mapping: Mapping | None = None


def courses_in(tenant_id: int) -> list[Course]:
    """The activities of the newest entries of tools in a district: those that count for nothing yet first, then by how many entries."""
    chooser = counting.chooser_of(tenant_id)
    found: dict[str, Course] = {}
    newest = Statement.objects.filter(tenant=tenant_id, tool__isnull=False).order_by("-pk")[:NEWEST]
    entries = counting.foreign(Statement.objects.filter(pk__in=list(newest.values_list("pk", flat=True))))
    seen = 0
    for each in counting.by_member(tenant_id, entries):
        mapping = chooser.choose(each.body, each.tool_id)
        for iri in dict.fromkeys(iri for _distance, iri in counting.addresses_of(each.body)):
            _add(found.setdefault(iri, Course(iri)), each, mapping, is_counted=each.pk == seen)
        seen = each.pk
    courses = sorted(found.values(), key=lambda course: (course.mapping is not None, -course.entries, course.iri))
    return _named(tenant_id, courses[:LONGEST_LIST])


def _add(course: Course, entry: Foreign, mapping: Mapping | None, *, is_counted: bool) -> None:
    if not is_counted:  # another member of the same group
        course.entries += 1
        course.timed += entry.duration_s is not None
    course.verbs.add(entry.verb)
    course.mapping = course.mapping or mapping
    if entry.tool_id is not None:
        course.tools.add(entry.tool_id)
    if entry.actor_id is not None:
        course.people.add(entry.actor_id)
    else:
        course.unmatched.add(entry.who)


def _named(tenant_id: int, courses: list[Course]) -> list[Course]:
    targets = {finding.target(tenant_id, finding.ACTIVITY, course.iri): course for course in courses}
    for known in KnownActivity.objects.filter(tenant=tenant_id, target__in=targets):
        targets[known.target].name = plain_name(known.definition)
    return courses


def plain_name(definition: dict[str, Any]) -> str:
    """What an activity is called in the reader's language, else in any."""
    names = definition.get("name") or {}
    wanted = (get_language() or "en").partition("-")[0]
    fitting = (text for tag, text in names.items() if tag.partition("-")[0].lower() == wanted)
    return str(next(fitting, next(iter(names.values()), "")))


def name_of(tenant_id: int, iri: str) -> str:
    """What an activity was called by its program; empty if that never said."""
    target = finding.target(tenant_id, finding.ACTIVITY, iri)
    known = KnownActivity.objects.filter(tenant=tenant_id, target=target).first()
    return plain_name(known.definition) if known else ""


@dataclass(frozen=True)
class Preview:
    """What a mapping would give from what is there already."""

    people: int
    days: int
    seconds: int
    entries: int
    unmatched: int
    is_all: bool

    @property
    def sentence(self) -> str:
        if not self.entries:
            return _("No entry that is here already is about this address.")
        told = _("Hours: %(hours)s. Entries: %(entries)s, people: %(people)s, days: %(days)s.") % {
            "entries": numbers.count(self.entries), "hours": numbers.decimal(self.seconds / 3600),
            "people": numbers.count(self.people), "days": numbers.count(self.days),
        }  # fmt: skip
        return told if self.is_all else _("Of the newest entries alone: %(told)s") % {"told": told}


def preview(mapping: Mapping, numbers: Iterable[int]) -> Preview:
    """What a mapping, saved or not, would give from the entries of some numbers (see `actions.mappings.entries_of`)."""
    others = Mapping.objects.filter(tenant=mapping.tenant_id, removed_at=None).exclude(pk=mapping.pk)
    chooser = Chooser([mapping, *others])
    pks = list(islice(numbers, MOST_FOR_PREVIEW + 1))
    fitting: list[Foreign] = []
    for some in batched(pks[:MOST_FOR_PREVIEW], 500):
        found = counting.foreign(Statement.objects.filter(pk__in=some))
        fitting += counting.by_member(
            mapping.tenant_id, (each for each in found if chooser.choose(each.body, each.tool_id) is mapping)
        )
    matched = [each for each in fitting if each.actor_id is not None and each.role]
    unmatched = {each.who for each in fitting if each.actor_id is None}
    days = _days(mapping, matched)
    return Preview(
        people=len({person for person, _day in days}), days=len(days), seconds=sum(days.values()),
        entries=len({each.pk for each in fitting}), unmatched=len(unmatched), is_all=len(pks) <= MOST_FOR_PREVIEW,
    )  # fmt: skip


def _days(mapping: Mapping, entries: list[Foreign]) -> dict[tuple[int, Any], int]:
    """Seconds by person and day."""
    by_day: dict[tuple[int, Any], list[Foreign]] = {}
    for each in sorted(entries, key=lambda entry: (entry.happened_at, entry.pk)):
        assert each.actor_id is not None
        by_day.setdefault((each.actor_id, counting.day_of(each.happened_at)), []).append(each)
    done: dict[int, set[tuple[str, str]]] = {}
    found = {}
    for (person, day), chosen in by_day.items():
        before = done.setdefault(person, set())
        found[person, day] = counting.sum_day(mapping, chosen, before)
        before |= {each.unit for each in chosen if not mapping.verbs or each.verb in mapping.verbs}
    return {key: seconds for key, seconds in found.items() if seconds}
