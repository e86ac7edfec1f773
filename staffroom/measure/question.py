"""The question: all that an answer is computed from, as one frozen value.

Everything that concerns students is in the cells; all else is known per teacher (I,), in the order of `cells.teachers`,
or per cell (C,), in the order of the cells. What is not known stays None. A question that contradicts itself is a
ValueError when it is made; a question that is merely thin gets a thin answer.
"""

from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from staffroom.measure.cells import Cells, Floats, Ints, finite, refuse_rows, whole_numbers
from staffroom.measure.claims import Claims
from staffroom.measure.costs import Ingredient
from staffroom.measure.overrides import Overrides
from staffroom.measure.staggered import NEVER
from staffroom.measure.students import StudentLottery

__all__ = [
    "NEVER",
    "Attrition",
    "Claims",
    "CostLine",
    "Costs",
    "Hours",
    "Ingredient",
    "Lottery",
    "Overrides",
    "Portfolio",
    "Question",
    "Series",
    "StudentLottery",
    "Subgroup",
    "Threshold",
    "per_teacher",
]

WIDEST_GAP = 4
"""Terms are numbered consecutively in time: more numbers than this per term that occurs are a mistake."""
SCALES = ("teacher", "group", "fixed")

type Labels = NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Lottery:
    """Assignment by chance: who was drawn to take part first."""

    assigned: Ints
    """(I,) 1 drawn, 0 not drawn, -1 not in the lottery."""
    block: Labels | None = None
    """(I,) within which chance was at work; None if there was one draw for all."""
    unit: Labels | None = None
    """(I,) what was drawn: a school's label if whole schools were, else the teacher's; None finds out by itself."""
    since: int | None = None
    """First term whose outcomes count; None: the first term in which someone drawn takes part."""
    until: int | None = None
    """First term whose outcomes no longer count, since those not drawn were invited then; None: no such term is known."""


@dataclass(frozen=True, slots=True, eq=False)
class Threshold:
    """A rule that offers the activity to teachers on one side of a cutoff."""

    running: Floats
    """(I,) NaN where not known."""
    cutoff: float = 0.0
    above: bool = True
    """Whether those at or above the cutoff are offered it; False: those below."""
    since: int | None = None
    """First term whose outcomes count; None: the first term in which anyone takes part, or else all terms."""


@dataclass(frozen=True, slots=True, eq=False)
class Hours:
    """Time that teachers gave."""

    by_teacher: Floats
    """(I,) hours of each teacher in all; NaN where not known."""
    planned: float | None = None
    """Hours that a teacher was meant to have."""


@dataclass(frozen=True, slots=True)
class CostLine:
    """An ingredient and how it behaves."""

    ingredient: Ingredient
    kind: str = ""
    scales_with: str = "teacher"
    """'teacher': one more teacher needs more of it; 'group': one more group does; 'fixed': nobody does."""
    is_opportunity: bool = False
    """Time that could have been used otherwise: no money changes hands."""
    instead: bool = False
    """Business as usual: what would have been spent without the activity; taken off."""
    wave: int | None = None
    """Wave of adoption that it was spent on, if on one."""
    price_range: tuple[int, int] | None = None
    """Unit prices in cents between which the true one lies in 19 of 20 cases; None: the price is taken as known."""

    def __post_init__(self) -> None:
        if self.price_range is not None and not 0 <= self.price_range[0] <= self.price_range[1]:
            raise ValueError(f"{self.ingredient.name}: the low price is above the high one, or below 0")
        if self.scales_with not in SCALES:
            raise ValueError(f"{self.ingredient.name}: scales_with must be one of {', '.join(SCALES)}")


@dataclass(frozen=True, slots=True, eq=False)
class Costs:
    """Ingredients, or else totals; all in US cents of `price_year`."""

    lines: tuple[CostLine, ...] = ()
    total_usd_cents: int | None = None
    """Instead of lines."""
    business_as_usual_usd_cents: int = 0
    growing_usd_cents: int | None = None
    """Of the total (less business as usual), what grows with teachers; None: not known."""
    price_year: int | None = None
    students: int | None = None
    """Different students reached; None: those that teachers who took part teach at a time."""
    by_teacher_usd_cents: Floats | None = None
    """(I,) what each teacher's part came to, NaN where not known: makes the cost per teacher uncertain as it is."""

    def __post_init__(self) -> None:
        if self.lines and self.total_usd_cents is not None:
            raise ValueError("costs are given both as lines and as a total")
        for name in ("total_usd_cents", "business_as_usual_usd_cents", "growing_usd_cents"):
            value = getattr(self, name)
            if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 0):
                raise ValueError(f"{name} must be whole cents of at least 0, not {value!r}")
        if self.students is not None and self.students < 1:
            raise ValueError("the students reached must be at least 1")


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """Ratings of single cases over sessions, before (phase 0) and while taking part (phase 1)."""

    case: Labels
    """(R,) the teacher rated."""
    session: Ints
    """(R,) order in time."""
    value: Floats
    """(R,)"""
    phase: Ints
    """(R,) 0 or 1."""

    def __post_init__(self) -> None:
        lengths = {each.name: len(getattr(self, each.name)) for each in fields(self)}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"the series' columns differ in length: {lengths}")
        _put(self, "value", finite("value", self.value, 1))
        _put(self, "session", whole_numbers("session", self.session, least=0))
        _put(self, "phase", whole_numbers("phase", self.phase, least=0))
        _put(self, "case", np.asarray(self.case))
        refuse_rows(self.phase > 1, "phase is neither 0 nor 1")


@dataclass(frozen=True, slots=True, eq=False)
class Subgroup:
    """For whom the effect may differ; computed only if declared at registration."""

    name: str
    label: Labels
    """(I,) text or numbers; the empty text for teachers of none."""
    declared: bool = False


@dataclass(frozen=True, slots=True)
class Portfolio:
    """The other questions asked of the same data: for multiplicity."""

    p: tuple[float, ...] = ()
    """p-values of the others."""
    unknown: int = 0
    """How many more were asked whose p-values are not known."""

    def __post_init__(self) -> None:
        if self.unknown < 0:
            raise ValueError("the number of other questions must be at least 0")
        for place, p in enumerate(self.p):
            if not 0 <= p <= 1:
                raise ValueError(f"p-value {place} of the portfolio, {p}, does not lie between 0 and 1")


@dataclass(frozen=True, slots=True)
class Attrition:
    """How many were there at the start, and how many of them have outcomes; students or teachers."""

    treated_before: int
    treated_after: int
    comparison_before: int
    comparison_after: int

    def __post_init__(self) -> None:
        for side in ("treated", "comparison"):
            before, after = getattr(self, f"{side}_before"), getattr(self, f"{side}_after")
            if not 0 <= after <= before or before < 1:
                raise ValueError(f"attrition: of {before} {side} at the start {after} have outcomes")


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """One activity, one outcome, and what is known of who took part, when, how much, and at what cost."""

    cells: Cells | None = None
    """The outcome first, then prior score and covariates; None only where there are single cases alone."""
    names: tuple[str, ...] = ()
    """Of the K columns; () numbers them."""
    prior: int | None = None
    """Which column is the score before the activity; its effect is the placebo outcome too."""
    first_treated: Ints | None = None
    """(I,) first term of taking part, NEVER (-1) for none; taking part lasts."""
    treated: Floats | None = None
    """(C,) 1 where the teacher takes part, else 0."""
    dose: Floats | None = None
    """(C,) hours or sessions in the term, >= 0."""
    lottery: Lottery | None = None
    students: StudentLottery | None = None
    """Instead of `lottery`: students and not teachers were drawn."""
    threshold: Threshold | None = None
    site: Labels | None = None
    """(I,) None: the cells' clusters."""
    cohort: Labels | None = None
    """(I,)"""
    wave: Ints | None = None
    """(I,) from 1 in order of time, NEVER for none; None: the groups by first term."""
    subgroups: tuple[Subgroup, ...] = ()
    hours: Hours | None = None
    costs: Costs | None = None
    series: Series | None = None
    overrides: Overrides = field(default_factory=Overrides)
    claims: Claims = field(default_factory=Claims)
    portfolio: Portfolio = field(default_factory=Portfolio)
    attrition: Attrition | None = None
    earlier: Cells | None = None
    """Scores from before as the only column, of the same teachers' results that have one: for the composition placebo of a
    panel, where a `prior` column would leave out all results that have none."""
    placebo_rejections: float | None = None
    """Share of random fake activities on the organization's own data that were taken for real (`calibration`)."""
    placebo_draws: int = 0
    placebo_schools: int = 0
    """Each of them was tried on a random part of so many schools; 0: on all."""

    def __post_init__(self) -> None:
        if self.cells is None:
            if self.series is None:
                raise ValueError("there are neither cells nor single cases")
            return
        _check_cells(self.cells, self.names, self.prior)
        _check_by_teacher(self, len(self.cells.teachers))
        _check_by_cell(self, len(self.cells.n))
        if self.earlier is not None and not np.isin(self.earlier.teachers, self.cells.teachers).all():
            raise ValueError("scores from before name a teacher who has no outcomes")
        if self.placebo_rejections is not None and not 0 <= self.placebo_rejections <= 1:
            raise ValueError("the share of placebo rejections must lie between 0 and 1")

    @property
    def settled(self) -> Claims:
        """The claims with confidence and SD as overridden."""
        claims = self.claims
        if self.overrides.confidence is not None:
            claims = replace(claims, confidence=self.overrides.confidence)
        return claims if self.overrides.sd is None else replace(claims, reference_sd=self.overrides.sd)

    def column(self, number: int) -> str:
        """Name of a column of the cells."""
        return self.names[number] if self.names else ("outcome" if number == 0 else f"covariate {number}")


def per_teacher(cells: Cells, teacher: ArrayLike, values: ArrayLike, *, name: str) -> Labels:
    """(I,) values in the order of `cells.teachers`, from rows (R,) that name a teacher and repeat her value.

    Raises ValueError that names the row where a teacher's value differs from an earlier one or a teacher has no cell.
    """
    labels, rows = np.asarray(teacher), np.asarray(values)
    if labels.shape != rows.shape or labels.ndim != 1:
        raise ValueError(f"{name} has shape {rows.shape}, teacher has {labels.shape}")
    owner = np.minimum(np.searchsorted(cells.teachers, labels), len(cells.teachers) - 1)
    refuse_rows(cells.teachers[owner] != labels, f"{name}: the teacher has no outcomes")
    absent = np.setdiff1d(np.arange(len(cells.teachers)), owner)
    if absent.size:
        raise ValueError(f"{name} is missing for teacher {cells.teachers[absent[0]]!r}")
    found = np.empty(len(cells.teachers), dtype=rows.dtype)
    found[owner[::-1]] = rows[::-1]
    same = rows == found[owner]
    if rows.dtype.kind == "f":
        same |= np.isnan(rows) & np.isnan(found[owner])
    refuse_rows(~same, f"{name} differs from an earlier row of the same teacher")
    return found


def _put(owner: object, name: str, value: Any) -> None:
    object.__setattr__(owner, name, value)


def _check_cells(cells: Cells, names: tuple[str, ...], prior: int | None) -> None:
    columns = cells.mean.shape[1]
    if not len(cells.n):
        raise ValueError("there are no cells")
    if names and len(names) != columns:
        raise ValueError(f"{len(names)} names for {columns} columns")
    if prior is not None and not 1 <= prior < columns:
        raise ValueError(f"the prior score is column {prior}; columns 1 to {columns - 1} are not the outcome")
    first, last = cells.terms[0], cells.terms[-1]
    if last - first + 1 > WIDEST_GAP * len(cells.terms):
        raise ValueError(
            f"terms run from {first} to {last} but only {len(cells.terms)} occur: number them consecutively in time"
        )


def _check_by_teacher(question: Question, teachers: int) -> None:
    for name in ("first_treated", "wave"):
        value = getattr(question, name)
        if value is not None:
            _put(question, name, _of_length(name, whole_numbers(name, value, least=NEVER), teachers, "teachers"))
    for name in ("site", "cohort"):
        _labels(question, name, teachers)
    for subgroup in question.subgroups:
        _labels(subgroup, "label", teachers)
    if question.lottery is not None:
        _check_lottery(question.lottery, teachers)
    if question.students is not None:
        _check_students(question.students, question)
    if question.threshold is not None:
        _number_or_nan(question.threshold, "running", teachers)
        if not np.isfinite(question.threshold.cutoff):
            raise ValueError("the cutoff is not finite")
    if question.hours is not None:
        _number_or_nan(question.hours, "by_teacher", teachers, least=0.0)
        if question.hours.planned is not None and not 0 < question.hours.planned < np.inf:
            raise ValueError("the planned hours must be above 0 and finite")
    if question.costs is not None and question.costs.by_teacher_usd_cents is not None:
        _number_or_nan(question.costs, "by_teacher_usd_cents", teachers, least=0.0)


def _check_lottery(lottery: Lottery, teachers: int) -> None:
    assigned = _of_length("assigned", whole_numbers("assigned", lottery.assigned, least=-1), teachers, "teachers")
    refuse_rows(assigned > 1, "assigned is neither 0 nor 1")
    _put(lottery, "assigned", assigned)
    for name in ("block", "unit"):
        _labels(lottery, name, teachers)


def _check_students(students: StudentLottery, question: "Question") -> None:
    _check_lottery(students.lottery, len(students.cells.teachers))
    _check_cells(students.cells, question.names, question.prior)
    if question.lottery is not None:
        raise ValueError("a lottery of teachers and one of students cannot be asked about at once")


def _check_by_cell(question: Question, cells: int) -> None:
    for name in ("treated", "dose"):
        value = getattr(question, name)
        if value is not None:
            numbers = _of_length(name, finite(name, value, 1), cells, "cells")
            refuse_rows(numbers < 0, f"{name} is below 0")
            _put(question, name, numbers)
    if question.treated is not None:
        refuse_rows((question.treated != 0) & (question.treated != 1), "treated is neither 0 nor 1")


def _labels(owner: object, name: str, teachers: int) -> None:
    value = getattr(owner, name)
    if value is None:
        return
    labels = _of_length(name, np.asarray(value), teachers, "teachers")
    if labels.dtype.kind == "O":
        labels = labels.astype(str)
    if labels.dtype.kind == "f":
        refuse_rows(~np.isfinite(labels), f"{name} is missing or not finite")
    _put(owner, name, labels)


def _number_or_nan(owner: object, name: str, teachers: int, *, least: float = -np.inf) -> None:
    try:
        numbers = np.asarray(getattr(owner, name), dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} holds something that is not a number: {error}") from None
    _of_length(name, numbers, teachers, "teachers")
    refuse_rows(np.isinf(numbers), f"{name} is not finite")
    refuse_rows(numbers < least, f"{name} is below {least:g}")
    _put(owner, name, numbers)


def _of_length[Array: NDArray[Any]](name: str, values: Array, length: int, of: str) -> Array:
    if values.shape != (length,):
        raise ValueError(f"{name} has shape {values.shape}; there are {length} {of}")
    return values
