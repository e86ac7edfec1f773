"""Imputation difference-in-differences for staggered adoption: the headline estimator.

Borusyak, Jaravel & Spiess (2024, Review of Economic Studies 91(6), "Revisiting Event-Study Designs"): fit teacher and
term effects (and covariates) on untreated results only, impute what treated results would have been, average the
differences. Without covariates it equals the saturated regression of Wooldridge (2021). Standard errors are those of
their section 4.3: influence weights times residuals, summed by cluster; treated residuals are taken about averages by
group and event time, which makes them conservative where effects vary within these.
"""

from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from staffroom.measure.cells import Bools, Cells, Floats, Ints, sum_by
from staffroom.measure.projection import (
    TwoWay,
    centered,
    cluster_moments,
    fitted,
    independent,
    spread,
    two_way,
)

NEVER = -1
"""First treated term of a teacher who never took part."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much data stands behind a number; never print the number without it."""

    results: int
    teachers: int
    clusters: int
    students: int = 0
    """Results of the fullest term: at least so many students."""


@dataclass(frozen=True, slots=True)
class Average:
    """Mean effect over some treated cells, weighted by results, in outcome units."""

    key: int | None
    """Event time, or the first treated term of a group; None for the average over all."""
    effect: float
    standard_error: float
    """NaN where fewer than two treated clusters leave it undefined."""
    size: Size


@dataclass(frozen=True, slots=True, eq=False)
class Imputation:
    """Averages over the treated cells whose counterfactual can be imputed, and the count of those where it cannot."""

    overall: Average | None
    """None if no treated cell can be imputed."""
    by_event_time: tuple[Average, ...]
    by_group: tuple[Average, ...]
    by_label: tuple[Average, ...]
    """By the label of the teacher that the caller gave."""
    always_treated: int
    """Teachers left out: no term before their first treated one."""
    unmatched_cells: int
    """Treated cells of other teachers left out: no untreated results connect their term with their teacher."""
    covariates: Floats
    """(P,) coefficients; NaN for a covariate that untreated results do not identify."""
    scores: Floats
    """(G, Q) cluster contributions to overall, then by_event_time, by_group, by_label; errors are root sums of squares."""
    used: Bools
    """(C,) treated cells in the averages."""
    effects: Floats
    """(C,) effect per cell, NaN outside `used`."""


def event_times(cells: Cells, first_treated: Ints) -> Ints:
    """(C,) terms since the teacher's first treated term (I,); a large negative number for those who never took part."""
    first = first_treated[cells.teacher]
    return np.where(first == NEVER, np.iinfo(np.int64).min, cells.terms[cells.term] - first)


def distinct(codes: Ints) -> int:
    """How many different codes (R,), which are small numbers from 0, occur."""
    return int(np.count_nonzero(np.bincount(codes)))


def effective_clusters(cells: Cells) -> float:
    """How many clusters of one size would tell as much as these: (Σ n)² / Σ n² over their results (Kish 1965, section 8.2).

    Errors clustered by few large schools among many small ones are too small, as with few schools (Carter, Schnepel &
    Steigerwald 2017, Review of Economics and Statistics 99(4)).
    """
    sizes = np.bincount(cells.cluster, cells.mass)
    return float(sizes.sum() ** 2 / (sizes**2).sum())


def impute(cells: Cells, first_treated: Ints, *, leave_out: bool = False, by: Ints | None = None) -> Imputation:
    """Estimate from cells (outcome first, then covariates) and first treated term per teacher (I,), NEVER for none.

    `by` (I,) are labels >= 0 of teachers, for averages over each label's treated cells; below 0 for none.

    `leave_out` takes the average in a treated residual over the other clusters (their appendix A.6): larger, and
    closer to the truth where few clusters share a group and event time. No small-sample factor is applied.
    """
    event = event_times(cells, first_treated)
    untreated, treated = cells.take(event < 0), event >= 0
    if not len(untreated.n) or not treated.any():
        return _nothing(cells, distinct(cells.teacher[treated]), int(treated.sum()))
    fit = fit_untreated(replace(cells, mean=centered(cells)), event < 0)
    can = fit.equations.joined(cells.teacher, cells.term)
    always = fit.equations.totals[cells.teacher] == 0
    used = treated & can
    if not used.any():
        return _nothing(cells, distinct(cells.teacher[treated & always]), int((treated & ~always).sum()))
    effects = np.where(used, fit.difference[:, 0], np.nan)
    splits = [event[used], first_treated[cells.teacher[used]], *([] if by is None else [by[cells.teacher[used]]])]
    keys, weights = _targets(cells.mass[used], splits)
    scores = _scores(fit, cells, used, weights, event, first_treated, leave_out)
    imputed = cells.take(used)
    averages = tuple(
        _average(key, weight, score, imputed, effects[used])
        for key, weight, score in zip(keys, weights, scores.T, strict=True)
    )
    ends = 1 + np.cumsum([np.unique(values[values >= 0]).size for values in splits])
    return Imputation(
        overall=averages[0],
        by_event_time=averages[1 : ends[0]],
        by_group=averages[ends[0] : ends[1]],
        by_label=averages[ends[1] :],
        always_treated=distinct(cells.teacher[treated & always]),
        unmatched_cells=int((treated & ~can & ~always).sum()),
        covariates=fit.coefficients,
        scores=scores,
        used=used,
        effects=effects,
    )


def imputed_mean(cells: Cells, first_treated: Ints) -> float:
    """Only the overall effect of `impute`, in outcome units; NaN if no treated cell can be imputed."""
    event = event_times(cells, first_treated)
    fit = fit_untreated(replace(cells, mean=centered(cells)), event < 0)
    used = (event >= 0) & fit.equations.joined(cells.teacher, cells.term)
    return float(np.average(fit.difference[used, 0], weights=cells.mass[used])) if used.any() else np.nan


def _nothing(cells: Cells, always: int, unmatched: int) -> Imputation:
    none = np.zeros(len(cells.n), dtype=np.bool_)
    covariates = np.full(cells.mean.shape[1] - 1, np.nan)
    scores = np.zeros((len(cells.clusters), 0))
    return Imputation(None, (), (), (), always, unmatched, covariates, scores, none, np.full(len(cells.n), np.nan))


@dataclass(frozen=True, slots=True, eq=False)
class Untreated:
    """The model of untreated results, carried to all cells."""

    equations: TwoWay
    difference: Floats  # (C, 1 + P) all cells: outcome less its counterfactual, then covariates less their effects
    coefficients: Floats  # (P,)
    kept: Bools  # (P,)
    bread: Floats  # (kept, kept)
    term_scores: Floats  # (G, T) sums of untreated residuals
    covariate_scores: Floats  # (G, kept)
    grams: Floats  # (G, kept, kept) moments of the covariates net of teacher and term effects


def fit_untreated(cells: Cells, is_untreated: Bools) -> Untreated:
    """Two-way effects and covariates fitted on the cells where `is_untreated` (C,), for centered cells."""
    untreated = cells.take(is_untreated)
    equations = two_way(untreated)
    away = cells.mean - fitted(untreated, equations, at=cells)
    moments = cluster_moments(untreated, away[is_untreated])
    kept = independent(moments.sum(axis=0)[1:, 1:], spread(untreated)[1:])
    chosen = 1 + np.flatnonzero(kept)
    gram, cross = moments[:, chosen][:, :, chosen], moments[:, chosen, 0]
    bread = np.linalg.inv(gram.sum(axis=0))
    slope = bread @ cross.sum(axis=0)
    difference = np.column_stack([away[:, 0] - away[:, chosen] @ slope, away[:, chosen]])
    residual = untreated.mass * difference[is_untreated, 0]
    terms, clusters = len(cells.terms), len(cells.clusters)
    by_term = np.bincount(untreated.cluster * terms + untreated.term, residual, minlength=clusters * terms)
    coefficients = np.full(kept.size, np.nan)
    coefficients[kept] = slope
    return Untreated(
        equations, difference, coefficients, kept, bread, by_term.reshape(clusters, terms), cross - gram @ slope, gram
    )


def _targets(mass: Floats, splits: list[Ints]) -> tuple[list[int | None], list[Floats]]:
    """Weights over the used cells, summing to one: all; each event time; each group; each label."""
    keys: list[int | None] = [None]
    weights = [mass / mass.sum()]
    for values in splits:
        for value in np.unique(values[values >= 0]):
            chosen = np.where(values == value, mass, 0.0)
            keys.append(int(value))
            weights.append(chosen / chosen.sum())
    return keys, weights


def _average(key: int | None, weight: Floats, score: Floats, used: Cells, effects: Floats) -> Average:
    inside = weight > 0
    teachers, clusters = distinct(used.teacher[inside]), distinct(used.cluster[inside])
    students = int(np.bincount(used.term[inside], used.n[inside]).max())
    size = Size(int(used.n[inside].sum()), teachers, clusters, students)
    return Average(key, float(weight @ effects), float(np.sqrt(score @ score)), size)


def _scores(
    fit: Untreated,
    cells: Cells,
    used: Bools,
    weights: list[Floats],
    event: Ints,
    first_treated: Ints,
    leave_out: bool,
) -> Floats:
    """(G, Q) influence weights times residuals, summed by cluster, for each of Q targets.

    A teacher's untreated residuals sum to zero, so that of the influence weights of untreated results only the term
    part (T,) and the covariate part (P,) are needed.
    """
    treated = cells.take(used)
    weight = np.stack(weights, axis=1)
    teacher_sums = sum_by(treated.teacher, weight, len(cells.teachers))
    term_sums = sum_by(treated.term, weight, len(cells.terms))
    term_part = fit.equations.solve_terms(teacher_sums, term_sums)
    covariate_part = fit.bread @ (fit.difference[used, 1:].T @ weight)
    groups = Recentering(treated, event[used], first_treated[treated.teacher], leave_out)
    of_treated = [groups.scores(column, fit.difference[used, 0]) for column in weight.T]
    return np.stack(of_treated, axis=1) - fit.term_scores @ term_part - fit.covariate_scores @ covariate_part


class Clustered(Protocol):
    """Places (U,) that know their cluster."""

    @property
    def cluster(self) -> Ints:
        """(U,) codes."""
        ...

    @property
    def clusters(self) -> NDArray[Any]:
        """(G,) labels of all clusters."""
        ...


class Recentering:
    """Treated residuals about averages by group and event time, summed by cluster.

    The average weighs clusters by their squared weight, which is the choice of Borusyak et al. (2024, equation 7) that
    makes the variance estimate smallest. A group and event time that only one cluster has would show no residual at
    all: such are pooled by event time, then with each other, and at last held against the target's own mean.
    """

    def __init__(self, treated: Clustered, event: Ints, group: Ints, leave_out: bool) -> None:
        self.leave_out = leave_out
        self.clusters = len(treated.clusters)
        place = _pool(_codes(group), _codes(event), treated.cluster) * self.clusters + treated.cluster
        pairs = np.flatnonzero(np.bincount(place))
        self.pair = np.searchsorted(pairs, place)
        self.label, self.cluster = pairs // self.clusters, pairs % self.clusters

    def scores(self, weight: Floats, effect: Floats) -> Floats:
        """(G,) sums of weight times (effect less its average) over used cells with weights and effects (U,)."""
        residual = self.residuals(self.by_pair(weight), self.by_pair(weight * effect)[:, None])[:, 0]
        if np.count_nonzero(np.bincount(self.cluster, self.by_pair(weight), minlength=self.clusters)) < 2:
            residual = np.full_like(residual, np.nan)
        return np.bincount(self.cluster, residual, minlength=self.clusters)

    def by_pair(self, values: Floats) -> Floats:
        """Sums over used cells (U,) by pair of pool and cluster."""
        return np.bincount(self.pair, values, minlength=self.label.size)

    def residuals(self, share: Floats, gain: Floats) -> Floats:
        """(pairs, B) sums of weight times residual, from sums of weights (pairs,) and of weight times effect (pairs, B)."""
        square = np.bincount(self.label, share**2)[self.label]
        leverage = np.divide(share**2, square, out=np.zeros_like(share), where=share > 0)
        weighed = sum_by(self.label, share[:, None] * gain, int(self.label.max()) + 1)[self.label]
        center = np.divide(weighed, square[:, None], out=np.zeros_like(gain), where=square[:, None] > 0)
        alone = leverage > 1 - 1e-12
        center[alone] = gain.sum(axis=0)
        residual = gain - share[:, None] * center
        return np.asarray(residual / np.where(alone, 1.0, 1.0 - leverage)[:, None] if self.leave_out else residual)


def _pool(group: Ints, event: Ints, cluster: Ints) -> Ints:
    """Labels (U,): group and event time; those with one cluster by event time; those still with one, together."""
    events, clusters = event.max() + 1, cluster.max() + 1
    label = event + events * group
    last = label.max() + 1 + events
    for coarser in (label.max() + 1 + event, np.full_like(label, last)):
        seen = np.bincount(label * clusters + cluster, minlength=(last + 1) * clusters).reshape(-1, clusters) > 0
        label = np.where(seen.sum(axis=1)[label] < 2, coarser, label)
    return label


def _codes(values: Ints) -> Ints:
    """Small integers (U,) in the order of `values`, from 0."""
    seen = np.flatnonzero(np.bincount(values - values.min()))
    return np.searchsorted(seen, values - values.min())
