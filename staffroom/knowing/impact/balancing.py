"""Whether those who were drawn first are like the others: counts by block, earlier results, years here. Small numbers are hidden."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean

from django.db.models import Avg, Min
from django.utils.translation import gettext as _

from staffroom.knowing.impact import queries
from staffroom.knowing.impact.hiding import hidden_lines, is_small
from staffroom.knowing.impact.models import Applicant, Lottery
from staffroom.measure.effects import hedges_g
from staffroom.people.models import Membership, Role
from staffroom.records.models import Instrument, Outcome

DAYS_OF_YEAR = 365.25


@dataclass(frozen=True)
class BalanceLine:
    """One thing on which both sides are compared, as text; empty where too few stand behind it."""

    name: str
    first: str
    others: str
    difference: str


@dataclass(frozen=True)
class Balance:
    """Both sides of a draw."""

    blocks: list[tuple[str, str, str]]
    """Block, how many first, how many others."""
    lines: list[BalanceLine]


def balance_of(lottery: Lottery) -> Balance:
    """Those drawn for the first wave beside all others. Differences are in SD; chance alone brings about 2/√n of them."""
    people = [each for each in queries.applicants_of(lottery) if each.person_id and each.lot]
    first = [each for each in people if each.lot and each.lot.allotment.wave == 1]
    others = [each for each in people if each.lot and each.lot.allotment.wave != 1]
    lines = [_line(_("Years here"), first, others, _years(people))]
    instrument = queries.instruments_for(queries.district_around(lottery.organization)).first()
    if instrument is not None:
        name = _("Their students on %(instrument)s before") % {"instrument": instrument.name}
        lines.append(_line(name, first, others, _earlier_results(lottery, instrument, people)))
    return Balance(_by_block(people), lines)


def _by_block(people: Sequence[Applicant]) -> list[tuple[str, str, str]]:
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for each in people:
        assert each.lot is not None
        counts[each.lot.block][each.lot.allotment.wave != 1] += 1
    names = sorted(counts)
    hidden = hidden_lines([sum(counts[name]) for name in names])
    return [
        (name, _("not shown"), _("not shown")) if hide else (name, str(counts[name][0]), str(counts[name][1]))
        for name, hide in zip(names, hidden, strict=True)
    ]


def _line(
    name: str, first: Sequence[Applicant], others: Sequence[Applicant], values: Mapping[int, float]
) -> BalanceLine:
    ours = [values[each.person_id] for each in first if each.person_id and each.person_id in values]
    theirs = [values[each.person_id] for each in others if each.person_id and each.person_id in values]
    if not ours or not theirs or is_small(len(ours)) or is_small(len(theirs)):
        return BalanceLine(name, _("not shown"), _("not shown"), "")
    return BalanceLine(
        name, f"{fmean(ours):.1f} ({len(ours)})", f"{fmean(theirs):.1f} ({len(theirs)})", _difference(ours, theirs)
    )


def _difference(ours: Sequence[float], theirs: Sequence[float]) -> str:
    try:
        g = hedges_g(fmean(ours), _sd(ours), len(ours), fmean(theirs), _sd(theirs), len(theirs))
    except ValueError:
        return ""
    return f"{g:+.2f}".replace("-", "−")


def _sd(values: Sequence[float]) -> float:
    middle = fmean(values)
    return sqrt(sum((value - middle) ** 2 for value in values) / (len(values) - 1))


def _years(people: Sequence[Applicant]) -> dict[int, float]:
    """Years since each one's first day as a teacher here, where that is known."""
    pks = [each.person_id for each in people]
    begun = Membership.objects.filter(person__in=pks, role=Role.TEACHER, begins_on__isnull=False).order_by()
    today = people[0].lottery.drawn_at.date() if people and people[0].lottery.drawn_at else None
    days = begun.values_list("person").annotate(day=Min("begins_on"))
    return {person: (today - day).days / DAYS_OF_YEAR for person, day in days} if today else {}


def _earlier_results(lottery: Lottery, instrument: Instrument, people: Sequence[Applicant]) -> dict[int, float]:
    """The mean of each one's students in the last term with results that was over before the first wave began."""
    wave = lottery.waves.first()
    pks = [each.person_id for each in people]
    before = Outcome.objects.live().filter(instrument=instrument, subject=Outcome.Subject.STUDENT, teacher__in=pks)
    before = before.filter(term__ends_on__lt=wave.begins_on) if wave else before
    last = before.order_by("-term__begins_on").values_list("term__begins_on", flat=True).first()
    if last is None:
        return {}
    return dict(before.filter(term__begins_on=last).order_by().values_list("teacher").annotate(mean=Avg("value")))
