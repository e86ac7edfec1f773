"""Ratings of teaching as a question: the same teachers, the same taking part, the same tree; a rating in the place of a score.

Observers differ in how strict they are, and who observes whom changes when an activity begins. Raters are therefore a small
dimension beside teachers and terms (the two-way design of generalizability theory, Brennan 2001, chapter 2): what each rater is
more lenient by is fitted beside teachers and terms on ratings without the activity alone, so that the activity's effect is not
taken for leniency, and taken off. In comparisons over time this gives exactly the estimate with an indicator for each rater
among the covariates; the error of what raters differ by, small where each has rated many, is not in the interval.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from staffroom.measure.cells import Bools, Cells, Floats, Ints, cells_from_rows, finite, whole_numbers
from staffroom.measure.deciding import first_terms
from staffroom.measure.question import Lottery, Overrides, Question, Threshold
from staffroom.measure.staggered import NEVER

LEAST_UNTREATED = 10
"""Ratings without the activity that tell how strict a rater is; those of raters with fewer are left out."""


@dataclass(frozen=True, slots=True, eq=False)
class Ratings:
    """R ratings of one measure: of whom, in which term, how high, and by whom if that is known."""

    teacher: NDArray[Any]
    """(R,) labels as in the cells of the question."""
    term: Ints
    """(R,) numbers as in the cells of the question."""
    value: Floats
    """(R,) higher is better."""
    rater: NDArray[Any] | None = None
    """(R,) labels."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "teacher", np.asarray(self.teacher))
        object.__setattr__(self, "value", finite("value", self.value, 1))
        object.__setattr__(self, "term", whole_numbers("term", self.term, least=0))
        if self.rater is not None:
            object.__setattr__(self, "rater", np.asarray(self.rater))
        lengths = {len(one) for one in (self.teacher, self.term, self.value, self.rater) if one is not None}
        if len(lengths) > 1:
            raise ValueError("the columns of the ratings differ in length")

    def take(self, keep: Bools) -> "Ratings":
        return Ratings(
            self.teacher[keep], self.term[keep], self.value[keep], None if self.rater is None else self.rater[keep]
        )


@dataclass(frozen=True, slots=True, eq=False)
class Rated:
    """A question about ratings, and what could not be used."""

    question: Question | None
    """None if no rating is left."""
    raters: int = 0
    """Whose strictness was taken out; 0 where raters are not known."""
    left_out: Mapping[str, int] = field(default_factory=dict)
    """Ratings left out: 'unknown', of teachers or terms without outcomes; 'raters', by raters seen with the activity alone."""


def rated(question: Question, ratings: Ratings) -> Rated:
    """The same question of ratings: `question` says who took part when and what was drawn; it needs cells.

    Ratings of teachers that its cells do not have are left out, since of them nothing is known.
    """
    assert question.cells is not None
    cells, first = question.cells, first_terms(question)
    place = np.minimum(np.searchsorted(cells.teachers, ratings.teacher), len(cells.teachers) - 1)
    known = (cells.teachers[place] == ratings.teacher) & np.isin(ratings.term, cells.terms)
    kept, left = ratings.take(known), {"unknown": int(np.count_nonzero(~known))}
    teacher = place[known]
    untreated = (first[teacher] == NEVER) | (kept.term < first[teacher])
    raters = 0
    if kept.rater is not None:
        keep = _told(kept.rater, untreated)
        left["raters"] = int(np.count_nonzero(~keep))
        kept, teacher, untreated = kept.take(keep), teacher[keep], untreated[keep]
        raters = int(np.unique(kept.rater).size) if kept.rater is not None else 0
    if not kept.value.size:
        return Rated(None, left_out=left)
    return Rated(_asked(question, kept, teacher, untreated, first), raters if raters > 1 else 0, left)


def _told(rater: NDArray[Any], untreated: Bools) -> Bools:
    """(R,) ratings by raters of whom enough ratings without the activity are known."""
    code = np.unique(rater, return_inverse=True)[1]
    enough: Bools = np.bincount(code, untreated) >= LEAST_UNTREATED
    return enough[code]


def _asked(question: Question, ratings: Ratings, teacher: Ints, untreated: Bools, first: Ints) -> Question:
    value = ratings.value
    if ratings.rater is not None:
        code = np.unique(ratings.rater, return_inverse=True)[1]
        value = without_raters(teacher, ratings.term, code, value, untreated)
    return _question(question, _cells(question, ratings, teacher, value), first)


def _cells(question: Question, ratings: Ratings, teacher: Ints, value: Floats) -> Cells:
    cells = question.cells
    assert cells is not None
    return cells_from_rows(
        teacher=ratings.teacher, school=cells.clusters[cells.cluster_of[teacher]], term=ratings.term, columns=[value]
    )


def _question(question: Question, cells: Cells, first: Ints) -> Question:
    """The design of a question for the teachers of other cells."""
    known = question.cells
    assert known is not None
    owner = np.searchsorted(known.teachers, cells.teachers)
    site = question.site if question.site is not None else known.clusters[known.cluster_of]
    wanted = question.overrides
    return Question(
        cells=cells, first_treated=first[owner], dose=_dose(question, cells, owner), site=site[owner],
        cohort=None if question.cohort is None else question.cohort[owner],
        lottery=_lottery(question.lottery, owner), threshold=_threshold(question.threshold, owner),
        overrides=Overrides(cluster=wanted.cluster, confidence=wanted.confidence),
        claims=replace(question.claims, reference_sd=None, students=None),
    )  # fmt: skip


def _dose(question: Question, cells: Cells, owner: Ints) -> Floats | None:
    """(C,) doses of the same teachers and terms; None unless each of them has one."""
    known = question.cells
    if question.dose is None or known is None:
        return None
    terms = int(max(known.terms[-1], cells.terms[-1])) + 1
    there = known.teacher * terms + known.terms[known.term]
    wanted = owner[cells.teacher] * terms + cells.terms[cells.term]
    place = np.minimum(np.searchsorted(there, wanted), there.size - 1)
    return question.dose[place] if bool((there[place] == wanted).all()) else None


def _lottery(lottery: Lottery | None, owner: Ints) -> Lottery | None:
    if lottery is None:
        return None
    parts = {name: getattr(lottery, name) for name in ("block", "unit")}
    chosen = {name: None if value is None else value[owner] for name, value in parts.items()}
    return replace(lottery, assigned=lottery.assigned[owner], **chosen)


def _threshold(threshold: Threshold | None, owner: Ints) -> Threshold | None:
    return None if threshold is None else replace(threshold, running=threshold.running[owner])


def without_raters(teacher: Ints, term: Ints, rater: Ints, value: Floats, untreated: Bools) -> Floats:
    """(R,) ratings less what their raters are more lenient by, which is estimated beside teachers and terms where `untreated`.

    Teachers are eliminated; of raters that no teacher compares with each other, each group's effects sum to zero.
    """
    from scipy import sparse

    rows = np.flatnonzero(untreated)
    count = rows.size
    who, when = (np.unique(one[rows], return_inverse=True)[1] for one in (teacher, term))
    ones, line = np.ones(count), np.arange(count)
    owner = sparse.csr_array((ones, (line, who)))
    terms = int(when.max()) + 1
    both = sparse.hstack([
        sparse.csr_array((ones, (line, when))),
        sparse.csr_array((ones, (line, rater[rows])), shape=(count, int(rater.max()) + 1)),
    ]).tocsr()  # fmt: skip
    share = sparse.diags_array(1.0 / np.bincount(who))
    mean = share @ (owner.T @ both)
    centered = value[rows] - value[rows].mean()
    left = (both.T @ both - mean.T @ (owner.T @ both)).toarray()
    right = both.T @ centered - mean.T @ (owner.T @ centered)
    effects: Floats = np.linalg.lstsq(left, right, rcond=1e-10)[0][terms:]
    return value - effects[rater]
