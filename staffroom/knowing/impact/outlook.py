"""Before anything is decided: how large an effect these teachers or schools could show, in words that a leader reads while choosing.

How results differ between teachers and schools is taken from the district's own results; where there are none, from what is usual
(Hedges & Hedberg 2007, Educational Evaluation and Policy Analysis 29(1)), and it says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core.cache import cache
from django.utils.translation import gettext as _

from staffroom.knowing import frames
from staffroom.knowing.impact import queries
from staffroom.measure import power
from staffroom.measure.variation import Variation
from staffroom.people.models import Organization
from staffroom.records.models import Instrument

USUAL = Variation(
    icc_school=0.10, icc_teacher=0.15, r2_school=0.50, r2_teacher=0.50, students=22.0, teachers=0, schools=0
)
"""Of one term's test, where a district has no results of its own yet."""
REMEMBERED_S = 3600


@dataclass(frozen=True)
class Plan:
    """What is to be compared: so many teachers of so many schools, a share of them first; drawn one by one or by school."""

    teachers: int
    schools: int
    first: int
    """Seats of the first wave: teachers, or schools where whole schools are drawn."""
    by_school: bool = False
    blocks: int = 1
    by_lot: bool = True
    """Whether seats are drawn; else some take part, however that came about."""

    @property
    def share(self) -> float:
        return self.first / (self.schools if self.by_school else self.teachers)


@dataclass(frozen=True)
class Outlook:
    """What could be seen. `detectable` None: nothing, the comparison is too small."""

    detectable: float | None
    sentence: str
    basis: str
    steps: tuple[tuple[int, float | None], ...] = ()
    """The same with fewer and more teachers."""
    takers: str = ""
    """How many take part, and where that number is from; nothing where seats are drawn."""


def outlook(plan: Plan, found: Variation | None, takers: str = "") -> Outlook:
    """In words and as a small table. `found`: how results differ here, if that is known."""
    known = found or USUAL
    seen = smallest_seen(plan, known)
    steps = tuple((round(plan.teachers * times), smallest_seen(_times(plan, times), known)) for times in (0.5, 1, 2, 4))
    return Outlook(seen, _sentence(plan, seen), _basis(found), steps if plan.teachers else (), takers)


def smallest_seen(plan: Plan, known: Variation) -> float | None:
    """The smallest effect in SD that would be seen four times out of five (PowerUp!); None where the comparison is too small."""
    try:
        return power.detectable(_design(plan, known))
    except (ValueError, ZeroDivisionError):
        return None


def _design(plan: Plan, known: Variation) -> power.Design:
    if plan.by_school:
        return power.schools(
            known.students, plan.teachers / plan.schools, plan.schools, icc_teacher=known.icc_teacher,
            icc_school=known.icc_school, share=plan.share, r2_teacher=known.r2_teacher, r2_school=known.r2_school, covariates=1,
        )  # fmt: skip
    inside = known.icc_teacher / (1 - known.icc_school)
    if plan.blocks > 1 and plan.teachers / plan.blocks > 2:
        return power.blocked_clusters(
            known.students, plan.teachers / plan.blocks, plan.blocks, icc_teacher=inside, share=plan.share,
            r2_teacher=known.r2_teacher, covariates=1,
        )  # fmt: skip
    between = known.icc_teacher + known.icc_school
    return power.clusters(
        known.students, plan.teachers, icc=between, share=plan.share, r2_cluster=known.r2_teacher, covariates=1
    )


def _times(plan: Plan, times: float) -> Plan:
    schools = max(round(plan.schools * times), 1) if plan.by_school else plan.schools
    return Plan(
        round(plan.teachers * times),
        schools,
        max(round(plan.first * times), 1),
        plan.by_school,
        plan.blocks,
        plan.by_lot,
    )


def _sentence(plan: Plan, seen: float | None) -> str:
    whole = plan.schools if plan.by_school else plan.teachers
    if plan.first >= whole and whole and not plan.by_lot:
        return _(
            "All of these teachers take part, or nearly all: there is nobody to compare with, except by how many hours they gave."
        )
    if plan.first >= whole and whole:
        return _("There are seats for all: nobody waits, so there is nothing to compare with.")
    if seen is None:
        return _("Too few to learn anything: at least five on each side are needed, and better twenty.")
    said = _("With %(teachers)d teachers, %(first)d of them first, you could see an effect of %(effect).2f SD or more.")
    if not plan.by_lot:
        said = _(
            "With %(teachers)d teachers, %(first)d of them taking part, you could see an effect of %(effect).2f SD or more."
        )
    if plan.by_school:
        said = _(
            "With %(teachers)d teachers in %(schools)d schools, %(first)d of these first, you could see an effect of %(effect).2f SD "
            "or more."
        )
    said %= {"teachers": plan.teachers, "schools": plan.schools, "first": plan.first, "effect": seen}
    return f"{said} {_judged(seen)}"


def _judged(seen: float) -> str:
    if seen > 0.25:
        return _("That is more than nearly any program brings: a null result would not mean that it does not work.")
    if seen > 0.10:
        return _("Good programs bring 0.05 to 0.20 in a year: you would see a large one, and may miss a small one.")
    return _("Good programs bring 0.05 to 0.20 in a year: you would see most of them.")


def _basis(found: Variation | None) -> str:
    """What the figure rests on."""
    if found is None:
        return (
            _(
                "Assumed, as there are no results here yet: 15 %% of differences lie between teachers, 10 %% between schools, earlier "
                "results explain half of each, 22 students a teacher. Four chances out of five, 95 %% confidence."
            )
            % {}
        )
    return _(
        "From this district's own results: %(teacher).0f %% of differences lie between teachers, %(school).0f %% between schools; "
        "the term before explains %(r2).0f %% of the first; %(students).0f students a teacher. Four chances out of five, 95 %% confidence."
    ) % {
        "teacher": 100 * found.icc_teacher, "school": 100 * found.icc_school, "r2": 100 * found.r2_teacher,
        "students": found.students,
    }  # fmt: skip


def variation_in(place: Organization, instrument: Instrument | None) -> Variation | None:
    """How results differ in the district around a place, from the lake; remembered for an hour. None where too few are known."""
    if instrument is None:
        return None
    scope = queries.district_around(place)
    key = f"impact-variation-{scope.pk}-{instrument.pk}"
    known = cache.get(key)
    if known is None:
        known = (_variation(scope, instrument),)
        cache.set(key, known, REMEMBERED_S)
    found: Variation | None = known[0]
    return found


def _variation(scope: Organization, instrument: Instrument) -> Variation | None:
    import numpy as np

    from staffroom.measure.moments import cells_from_sums
    from staffroom.measure.variation import variation

    rows: dict[str, list[Any]] = frames.outcome_cells(scope.path, str(instrument.key)).to_pydict()
    if not rows["n"]:
        return None
    days = sorted(set(rows["term_begins_on"]))
    cells = cells_from_sums(
        teacher=np.array(rows["teacher_key"]), school=np.array(rows["school_key"]),
        term=np.array([days.index(day) for day in rows["term_begins_on"]]), n=np.array(rows["n"]),
        y_sum=np.array(rows["y_sum"]), y_sumsq=np.array(rows["y_sumsq"]),
    )  # fmt: skip
    return variation(cells)
