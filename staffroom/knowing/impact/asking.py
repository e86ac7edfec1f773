"""From the ledgers to a question: what `measure` is asked about one study or one exploratory look, and what is kept of the answer.

Taking part begins in the first term that ends on or after a teacher's first day; it lasts. Of a study whose time is told, results
after it are left out, and so are those of teachers who took part already before it; earlier results of the others are the ground on
which it compares. Where a lottery decided, it is asked by who was drawn, not by who came (intention to treat).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from staffroom.knowing.impact import designs
from staffroom.knowing.impact.hiding import is_small
from staffroom.knowing.impact.studying import NEVER, first_term
from staffroom.knowing.impact.summing import Stretch

if TYPE_CHECKING:
    import pyarrow

    from staffroom.measure.cells import Cells
    from staffroom.measure.question import CostLine, Costs, Hours, Lottery, Question, Subgroup

NOT_DRAWN_HERE = -1
EARLIER = "by_earlier_results"
LOWER, UPPER = "lower half", "upper half"
BALANCED, PRIOR = "entropy_balanced", "score before"


@dataclass(frozen=True)
class Drawn:
    """What a lottery decided: per teacher whether she was drawn first, her block and what was drawn; and when the waves begin."""

    first: Mapping[str, bool]
    block: Mapping[str, str]
    unit: Mapping[str, str]
    since: date
    until: date | None


@dataclass(frozen=True)
class Material:
    """All that a question is made of, as the ledgers and the registration have it."""

    cells: pyarrow.Table
    first_on: Mapping[str, date]
    terms: Sequence[Stretch]
    """The terms that have outcomes, in order."""
    students: int
    is_higher_better: bool = True
    prior_cells: pyarrow.Table | None = None
    """The results whose students have an earlier one that nothing has touched (`frames.prior_cells`)."""
    seconds_by_term: Mapping[str, Mapping[date | None, int]] = field(default_factory=dict)
    """Per teacher by the first day of the term; what lies between terms stands under None and counts for no term."""
    seconds: Mapping[str, int] = field(default_factory=dict)
    planned_hours: float | None = None
    ingredients: Sequence[Mapping[str, Any]] = ()
    students_taught: int = 0
    is_registered: bool = False
    smallest_effect: float = 0.10
    estimator: str = ""
    controls: str = ""
    begins: date | None = None
    """From when on results count; None: all of them."""
    ends: date | None = None
    schools: frozenset[str] = frozenset()
    """Keys of the schools that are asked about; none: all."""
    subgroups: Mapping[str, Any] = field(default_factory=dict)
    families: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Groups of teachers that are always asked about: by name of the family, each teacher's label, '' or none where not known."""
    drawn: Drawn | None = None
    rule: designs.Rule | None = None
    placebo_rejections: float | None = None
    """Share of made-up activities on the same results that came out as if they worked."""
    placebo_draws: int = 0


def has_results(material: Material) -> bool:
    """Whether any result of the time that is asked about is there yet."""
    return any(_counts(term, material) for term in material.terms)


def _counts(term: Stretch, material: Material) -> bool:
    """Whether a term lies in the time that is asked about: it ends on or after its first day, and begins until its last."""
    after = material.begins is None or term.ends_on >= material.begins
    return after and (material.ends is None or term.begins_on <= material.ends)


def seed_of(material: Material) -> int:
    """What random numbers start from: the same results give the same."""
    return int(hashlib.sha256(repr(sorted(material.cells.to_pydict().items())).encode()).hexdigest()[:16], 16)


def question_of(material: Material) -> Question:
    """The question. Needs at least one cell; ValueError says what contradicts itself.

    Where teachers cannot be compared with themselves over time, only results count whose students have a score from before: if
    the tree takes that road. Otherwise all results do, for a score from before is missing in the first term of everybody.
    """
    from staffroom.measure.deciding import PANEL, decide

    found = _question(material, material.cells.to_pylist())
    linked = [] if material.prior_cells is None else material.prior_cells.to_pylist()
    if not linked:
        return found
    wanted, by_itself = material.estimator == BALANCED, decide(found).estimator
    if by_itself in PANEL and not wanted:
        return _with_placebo(found, material, linked)
    if not wanted and by_itself not in ("dose", "describe"):
        return found
    rows = [row for row in linked if _counts(_term_of(row, material), material)]
    if not any(_is_of(row, material) for row in rows):
        return found
    balanced = _question(material, rows, with_prior=True)
    return balanced if decide(balanced).estimator == BALANCED else found


def _with_placebo(found: Question, material: Material, linked: Sequence[Mapping[str, Any]]) -> Question:
    """The question of a panel, with scores from before as what taking part cannot have changed."""
    before = [{**row, "y_sum": row["p_sum"], "y_sumsq": row["p_sumsq"]} for row in linked]
    asked = _asked_rows(before, material)
    if not asked:
        return found
    return replace(found, earlier=designs.cells_of(asked, _ordinals(material), sign=_sign(material)))


def _question(material: Material, rows: Sequence[Mapping[str, Any]], *, with_prior: bool = False) -> Question:
    from staffroom.measure.question import Claims, Overrides, Question

    cells, first = _cells(material, rows, with_prior=with_prior)
    teachers = [str(key) for key in cells.teachers]
    return Question(
        cells=cells, names=("outcome", PRIOR) if with_prior else (), prior=1 if with_prior else None, first_treated=first,
        dose=designs.hours_by_cell(material.seconds_by_term, cells, material.terms), lottery=_lottery(material, teachers),
        threshold=designs.threshold_of(material.rule, cells, first_term(material.begins, material.terms)),
        site=cells.clusters[cells.cluster_of], subgroups=_subgroups(material, cells, first),
        hours=_hours(material, teachers), costs=_costs(material),
        overrides=Overrides(estimator=material.estimator or None, controls=material.controls or None),
        claims=Claims(
            registered=material.is_registered, smallest_effect=material.smallest_effect, students=material.students or None
        ),
        placebo_rejections=material.placebo_rejections, placebo_draws=material.placebo_draws,
    )  # fmt: skip


def _cells(material: Material, rows: Sequence[Mapping[str, Any]], *, with_prior: bool) -> tuple[Cells, Any]:
    """The cells that are asked about, and the first term of taking part of each of their teachers.

    Who begins after the last of these terms did not take part in what is asked about.
    """
    import numpy as np

    asked = _asked_rows(rows, material)
    if not asked:
        raise ValueError("no results are left")
    cells = designs.cells_of(asked, _ordinals(material), sign=_sign(material), with_prior=with_prior)
    starts = _starts(material)
    first = np.array([starts.get(str(key), NEVER) for key in cells.teachers])
    return cells, np.where(first > int(cells.terms[-1]), NEVER, first)


def _asked_rows(rows: Iterable[Mapping[str, Any]], material: Material) -> list[Mapping[str, Any]]:
    ordinal, starts = _ordinals(material), _starts(material)
    return [row for row in rows if _is_asked(row, material, ordinal, starts)]


def _ordinals(material: Material) -> dict[date, int]:
    return {term.begins_on: number for number, term in enumerate(material.terms)}


def _starts(material: Material) -> dict[str, int]:
    return {teacher: first_term(day, material.terms) for teacher, day in material.first_on.items()}


def _sign(material: Material) -> float:
    return 1.0 if material.is_higher_better else -1.0


def _term_of(row: Mapping[str, Any], material: Material) -> Stretch:
    return next(term for term in material.terms if term.begins_on == row["term_begins_on"])


def _is_of(row: Mapping[str, Any], material: Material) -> bool:
    """Whether a row is of a school that is asked about."""
    return not material.schools or row["school_key"] in material.schools


def _is_asked(
    row: Mapping[str, Any], material: Material, ordinal: Mapping[date, int], starts: Mapping[str, int]
) -> bool:
    if not _is_of(row, material):
        return False
    number = ordinal[row["term_begins_on"]]
    term = material.terms[number]
    if _counts(term, material):
        return True
    took_part = NEVER < starts.get(row["teacher_key"], NEVER) <= number
    return term.ends_on < (material.begins or date.min) and not took_part


def _lottery(material: Material, teachers: Sequence[str]) -> Lottery | None:
    import numpy as np

    from staffroom.measure.question import Lottery

    drawn = material.drawn
    if drawn is None:
        return None
    since = first_term(drawn.since, material.terms)
    until = first_term(drawn.until, material.terms)
    return Lottery(
        assigned=np.array([int(drawn.first[key]) if key in drawn.first else NOT_DRAWN_HERE for key in teachers]),
        block=np.array([drawn.block.get(key, "") for key in teachers]),
        unit=np.array([drawn.unit.get(key, key) for key in teachers]),
        since=None if since == NEVER else since, until=None if until == NEVER else until,
    )  # fmt: skip


def _subgroups(material: Material, cells: Cells, first: Any) -> tuple[Subgroup, ...]:
    """The groups that were named beforehand: of schools, and by how a teacher's students scored before anybody took part."""
    import numpy as np

    from staffroom.measure.question import Subgroup

    found = []
    group_of = {each["key"]: label for label, schools in _groups(material.subgroups).items() for each in schools}
    if group_of:
        own = [str(cells.clusters[each]) for each in _cluster_of_teacher(cells)]
        found.append(Subgroup("schools", np.array([group_of.get(key, "") for key in own]), declared=True))
    if material.subgroups.get(EARLIER):
        found.append(Subgroup("students scored before", _halves(cells, first), declared=True))
    for name, labels in material.families.items():
        found.append(Subgroup(name, np.array([labels.get(str(key), "") for key in cells.teachers]), declared=True))
    return tuple(found)


def _groups(subgroups: Mapping[str, Any]) -> Mapping[str, Any]:
    groups: Mapping[str, Any] = subgroups.get("schools") or {}
    return groups


def _cluster_of_teacher(cells: Cells) -> Any:
    return cells.cluster_of


def _halves(cells: Cells, first: Any) -> Any:
    """Lower or upper half by the mean of a teacher's students before she took part, within terms; '' if there is none."""
    import numpy as np

    before = (first[cells.teacher] < 0) | (cells.term < first[cells.teacher])
    before &= cells.term < (int(first[first >= 0].min()) if (first >= 0).any() else int(cells.term.max()) + 1)
    level = np.full(len(cells.teachers), np.nan)
    if not before.any():
        return np.full(len(cells.teachers), "", dtype="<U10")
    weight, mean = cells.n[before], cells.mean[before, 0]
    terms = cells.term[before]
    of_term = np.bincount(terms, weight * mean) / np.maximum(np.bincount(terms, weight), 1)
    teacher = cells.teacher[before]
    total = np.bincount(teacher, weight, minlength=len(level))
    sums = np.bincount(teacher, weight * (mean - of_term[terms]), minlength=len(level))
    level[total > 0] = sums[total > 0] / total[total > 0]
    middle = np.nanmedian(level)
    return np.where(np.isnan(level), "", np.where(level < middle, LOWER, UPPER))


def _hours(material: Material, teachers: Sequence[str]) -> Hours | None:
    """Hours of those who took part; nobody's where too few did."""
    import numpy as np

    from staffroom.measure.question import Hours

    if is_small(len(material.seconds)) or not material.seconds:
        return None
    given = [material.seconds[key] / 3600 if key in material.seconds else np.nan for key in teachers]
    return Hours(np.array(given, dtype=np.float64), material.planned_hours or None)


# --- Costs ---------------------------------------------------------------------------------------------------------------------


def _costs(material: Material) -> Costs | None:
    """The ingredients; people's time put together where few stand behind a line, and nothing where they are few even so."""
    from staffroom.measure.question import Costs

    rows = [row for row in material.ingredients if row["amount_usd_cents"] > 0]
    if any(is_small(row["persons"]) for row in rows):
        rows = _together(rows)
    if not rows or any(is_small(row["persons"]) for row in rows):
        return None
    years = [row["price_year"] for row in rows if row["price_year"]]
    return Costs(
        lines=tuple(_line(row) for row in rows), price_year=max(years, default=None),
        students=material.students_taught or None,
    )  # fmt: skip


def _together(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    kept: list[Mapping[str, Any]] = [row for row in rows if not row["persons"]]
    joined: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in rows:
        if row["persons"]:
            same = joined.setdefault(
                (row["is_business_as_usual"], row["scales_with"], row["is_opportunity"], row["price_year"]),
                {**row, "ingredient": "time of people", "role": "", "payer": "", "amount_usd_cents": 0, "persons": 0},
            )
            same["amount_usd_cents"] += row["amount_usd_cents"]
            same["persons"] = max(same["persons"], row["persons"])
    return [*kept, *joined.values()]


def _line(row: Mapping[str, Any]) -> CostLine:
    from staffroom.measure.question import CostLine, Ingredient

    return CostLine(
        Ingredient(row["ingredient"] or row["kind"], Decimal(1), int(row["amount_usd_cents"]), row["payer"] or ""),
        kind=row["kind"], scales_with=row["scales_with"] or "teacher", is_opportunity=bool(row["is_opportunity"]),
        instead=bool(row["is_business_as_usual"]),
    )  # fmt: skip
