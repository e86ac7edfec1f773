"""What every adapter hands over: an estimate in the terms of an answer, before gates and measures are put beside it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from staffroom.measure import effects
from staffroom.measure.answer import Effect, Line, Size
from staffroom.measure.cells import Bools, Cells, Floats
from staffroom.measure.gates import PROMISING, Gate, enough_to_show
from staffroom.measure.question import Attrition
from staffroom.measure.sentence import Sentence
from staffroom.measure.sides import comparison_sd
from staffroom.measure.staggered import distinct
from staffroom.measure.suppression import complement

NO_ERROR = 1e-12
"""A standard error in SD below this is none: results without residual variation."""


@dataclass(frozen=True, slots=True)
class Scale:
    """What turns outcome units into SD of the comparison group, and whether an interval may be claimed at all."""

    sd: float
    confidence: float = 0.95
    sure: bool = True

    def effect(self, raw: float, raw_se: float | None, df: float | None, *, method: str = "") -> Effect:
        """With Student's t (the normal distribution where `df` is None); only the effect where no error can be had."""
        se = None if raw_se is None else raw_se / self.sd
        if not (self.sure and se is not None and math.isfinite(se) and se > NO_ERROR and (df is None or df > 0)):
            return Effect(raw=raw, sd=raw / self.sd, method=method)
        half = self.quantile(df) * se
        sd = raw / self.sd
        return self.with_interval(raw, raw_se, df, sd - half, sd + half, two_sided(sd, se, df), method=method)

    def with_interval(
        self, raw: float, raw_se: float | None, df: float | None, low: float, high: float, p: float, *, method: str
    ) -> Effect:
        """With an interval in SD and a p-value that are known."""
        sd = self.sd
        raw_se = raw_se if raw_se is not None and math.isfinite(raw_se) else None
        if not (self.sure and math.isfinite(low) and math.isfinite(high) and math.isfinite(p)):
            return Effect(raw=raw, sd=raw / sd, method=method)
        se = None if raw_se is None else raw_se / sd
        df = None if df is None or not math.isfinite(df) else df
        return Effect(raw, raw / sd, se, low, high, p, df, raw_se, low * sd, high * sd, method)

    def quantile(self, df: float | None) -> float:
        """Of Student's t or of the normal distribution, for an interval of this confidence."""
        share = (1 + self.confidence) / 2
        return effects.NORMAL.inv_cdf(share) if df is None else effects.t_quantile(share, df)


def two_sided(estimate: float, standard_error: float, df: float | None) -> float:
    """p-value by Student's t, or the normal distribution where `df` is None."""
    if df is None:
        return 2 * effects.NORMAL.cdf(-abs(estimate / standard_error))
    return effects.two_sided_p(estimate, standard_error, df)


@dataclass(frozen=True, slots=True)
class Sides:
    """The smaller of the two sides that are compared, for the minimum cell."""

    results: int
    teachers: int


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """Effects of sites, cohorts or waves in outcome units, those with an error only."""

    by: str
    """'site', 'cohort' or 'wave'."""
    labels: tuple[Any, ...]
    effect: Floats
    standard_error: Floats
    df: Floats
    sizes: tuple[Size, ...]
    covariance: Floats | None = None
    own: Bools | None = None
    """(S,) whether a site was compared within itself."""


@dataclass(frozen=True, slots=True, eq=False)
class Estimate:
    """What one estimator found; without an effect it says why in `reasons`."""

    estimator: str
    n: Size
    effect: Effect | None = None
    scale: Scale | None = None
    design_tier: int = PROMISING
    """The best tier that the design allows before any gate."""
    treated_clusters: int = 0
    smaller: Sides = Sides(0, 0)
    bootstrapped: bool = False
    """Whether p-value and interval rest on a bootstrap or on the draw itself, not on many clusters."""
    mde: float | None = None
    gates: tuple[Gate, ...] = ()
    by_event_time: tuple[Line, ...] = ()
    by_group_time: tuple[Line, ...] = ()
    beside: Mapping[str, Effect] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[Sentence, ...] = ()
    reasons: tuple[Sentence, ...] = ()
    said: tuple[Sentence, ...] = ()
    """Sentences of its own, behind the headline."""
    attrition: Attrition | None = None
    """As far as the cells show it; None where they do not."""
    places: tuple[Places, ...] = ()
    """Effects by site, then by cohort, for what the next site should expect."""
    waves: Places | None = None
    by_subgroup: tuple[Line, ...] = ()
    scores: Floats | None = None
    """(G,) contributions of the cells' clusters to the error of the effect, in SD; None where they are not had."""


def size_of(cells: Cells, *, students: int | None = None, treated: int = 0, schools: int | None = None) -> Size:
    """How much stands behind an estimate made of these cells, `treated` of its teachers taking part."""
    if not len(cells.n):
        return Size(0, 0, 0, 0)
    teachers, clusters = distinct(cells.teacher), distinct(cells.cluster)
    return Size(
        students=students or fullest(cells),
        teachers=teachers,
        schools=clusters if schools is None else schools,
        clusters=clusters,
        results=int(cells.n.sum()),
        treated_teachers=treated,
        comparison_teachers=teachers - treated,
        terms=distinct(cells.term),
    )


def fullest(cells: Cells) -> int:
    """Results of the fullest term: at least so many students."""
    return int(np.bincount(cells.term, cells.n).max()) if len(cells.n) else 0


def spread_of(cells: Cells) -> float | None:
    """SD of the outcome within terms, over results; None where there is none to speak of."""
    sd = comparison_sd(cells) if len(cells.n) else None
    return sd if sd is not None and sd > 1e-9 * max(float(np.abs(cells.mean[:, 0]).max()), 1e-300) else None


def hide_small(lines: list[Line]) -> tuple[Line, ...]:
    """The lines without those that too few stand behind, and without one more where a single one would follow."""
    small = np.array([not enough_to_show(line.n.results, line.n.teachers) for line in lines], dtype=bool)
    hidden = complement(small, np.array([line.n.results for line in lines], dtype=np.int64))
    return tuple(emptied(line) if hide else line for line, hide in zip(lines, hidden, strict=True))


def emptied(line: Line) -> Line:
    """A line that tells only that it is hidden."""
    return Line(Effect(), Size(0, 0, 0, 0), line.event_time, line.group, line.term, hidden=True)
