"""Entropy-balanced analysis of covariance: who took part against comparison teachers made alike in prior score.

The comparison gets the weights of `balance.entropy_balance`; then outcomes are regressed on taking part, terms, prior
score and covariates with those weights. Since the weights balance every regressor exactly, the effect is the weighted
difference of means, and it is right if either the outcome is linear in the covariates or the log odds of taking part are
(Zhao & Percival 2017, Journal of Causal Inference 5(1)).

Errors are clustered (CR2 with Satterthwaite's degrees of freedom: Bell & McCaffrey 2002; Pustejovsky & Tipton 2018,
Journal of Business & Economic Statistics 36(4)), with equal variances of results as the working model. The weights depend
on covariates and taking part only, never on outcomes, so given these the effect is linear in the outcomes and the
residuals of the weighted regression carry all of its uncertainty: that the weights are estimated is accounted for.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from staffroom.measure.balance import Balanced, BalanceLine, balance_table, entropy_balance, treated_cells
from staffroom.measure.cells import Bools, Cells, Floats, Ints
from staffroom.measure.effects import t_quantile, two_sided_p
from staffroom.measure.projection import independent
from staffroom.measure.sandwich import Contrast, contrast, power_moments


@dataclass(frozen=True, slots=True)
class Difference:
    """An adjusted difference in outcome units; NaN where it or its error is not to be had."""

    effect: float
    standard_error: float
    df: float
    p: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, eq=False)
class Ancova:
    """The effect on those who took part, in outcome units, with all that must stand beside it.

    Without balance (`converged` false) the effect is NaN; `reason` and `column` say why, as in `balance.Balanced`, or
    'collinear' where covariates explain taking part.
    """

    effect: float
    standard_error: float
    df: float
    """Satterthwaite's for CR2, clusters less one for CR1."""
    p: float
    low: float
    high: float
    plain: Difference
    """The same regression without weights."""
    balance: tuple[BalanceLine, ...]
    """Prior score first, then the covariates."""
    weights: Floats
    """(C,) weight of each result of a cell."""
    converged: bool
    reason: str
    column: int | None
    gap: float
    """Largest difference of means left, in SD."""
    effective_n: float
    """Results of the comparison that would be as precise with equal weights."""
    effective_teachers: float
    largest_share: float
    """Of the comparison's weight, on one teacher."""
    comparison_sd: float
    """SD of the comparison's outcomes within terms, weighted, in outcome units."""
    results: tuple[int, int]
    """Used, of those who took part and of the comparison; as are teachers and clusters."""
    teachers: tuple[int, int]
    clusters: tuple[int, int]
    clusters_used: int
    left_out: int
    """Cells in terms that lack one side."""
    kind: str


def entropy_balanced(
    cells: Cells,
    treated: Ints,
    *,
    prior: int,
    covariates: Ints | None = None,
    kind: str = "CR2",
    confidence: float = 0.95,
    variances: bool = False,
    outcome: int = 0,
) -> Ancova:
    """Effect on column `outcome` of being `treated` (I,) 1, balanced on columns `prior` and `covariates`.

    `cells` hold the terms to be compared, those after taking part began; `variances` balances second moments too;
    `kind` is 'CR1' or 'CR2'. Raises ValueError for a column that is not there or a `treated` that is not 0 or 1; few data
    give a reason instead.
    """
    columns = _columns(cells, prior, covariates, outcome)
    return _analyzed(cells, treated, columns, kind=kind, confidence=confidence, variances=variances, outcome=outcome)


def placebo_prior(
    cells: Cells,
    treated: Ints,
    *,
    prior: int,
    covariates: Ints | None = None,
    kind: str = "CR2",
    confidence: float = 0.95,
) -> Ancova:
    """The effect on the prior score, which taking part cannot have changed, balanced on the covariates alone.

    An effect here says that the groups differ in who is in them (composition).
    """
    columns = _columns(cells, prior, covariates, 0)[1:]
    return _analyzed(cells, treated, columns, kind=kind, confidence=confidence, variances=False, outcome=prior)


def _columns(cells: Cells, prior: int, covariates: Ints | None, outcome: int) -> Ints:
    columns = np.r_[prior, np.asarray([] if covariates is None else covariates, dtype=np.int64)].astype(np.int64)
    width = cells.mean.shape[1]
    for column in (*columns.tolist(), outcome):
        if not 0 <= column < width:
            raise ValueError(f"there is no column {column}: the cells have {width}")
    if outcome in columns:
        raise ValueError(f"column {outcome} is both outcome and covariate")
    return np.asarray(columns[np.sort(np.unique(columns, return_index=True)[1])], dtype=np.int64)


def _analyzed(
    cells: Cells, treated: Ints, columns: Ints, *, kind: str, confidence: float, variances: bool, outcome: int
) -> Ancova:
    found = entropy_balance(cells, treated, columns, variances=variances)
    side = treated_cells(cells, treated)
    plain = _difference(cells, side, found.used.astype(np.float64), columns, outcome, kind, confidence)
    nothing = Difference(*(np.nan,) * 6)
    main = _difference(cells, side, found.weights, columns, outcome, kind, confidence) if found.converged else nothing
    counted = [cells.take(found.used & part) for part in (side, ~side)]
    return Ancova(
        main.effect,
        main.standard_error,
        main.df,
        main.p,
        main.low,
        main.high,
        plain=plain,
        balance=balance_table(cells, treated, found.weights, columns),
        weights=found.weights,
        converged=found.converged,
        reason="collinear" if found.converged and np.isnan(main.effect) else found.reason,
        column=found.column,
        gap=found.gap,
        effective_n=found.effective_results,
        effective_teachers=found.effective_teachers,
        largest_share=found.largest_share,
        comparison_sd=_spread(cells, side, found, outcome),
        results=_pair(int(part.n.sum()) for part in counted),
        teachers=_pair(len(np.unique(part.teacher)) for part in counted),
        clusters=_pair(len(np.unique(part.cluster)) for part in counted),
        clusters_used=len(np.unique(cells.take(found.used).cluster)),
        left_out=int(np.count_nonzero(~found.used)),
        kind=kind,
    )


def _pair(values: Iterable[int]) -> tuple[int, int]:
    first, second = values
    return first, second


def _difference(
    cells: Cells, side: Bools, weights: Floats, columns: Ints, outcome: int, kind: str, confidence: float
) -> Difference:
    """The coefficient of taking part (C,) in the regression with `weights` (C,), 0 for cells left out."""
    chosen = cells.take(weights > 0)
    if not (side[weights > 0].any() and (~side[weights > 0]).any()):
        return Difference(*(np.nan,) * 6)
    found = _contrast(chosen, side[weights > 0], weights[weights > 0], np.r_[outcome, columns], kind)
    if found is None:
        return Difference(*(np.nan,) * 6)
    error, df = found.standard_error, found.df
    if not (error > 0 and df > 0):
        return Difference(found.effect, error, df, np.nan, np.nan, np.nan)
    half = t_quantile((1 + confidence) / 2, df) * error
    p = two_sided_p(found.effect, error, df)
    return Difference(found.effect, error, df, p, found.effect - half, found.effect + half)


def _contrast(cells: Cells, side: Bools, weights: Floats, students: Ints, kind: str) -> Contrast | None:
    """Taking part last, so that what the other columns explain of it is theirs; None if they explain it all."""
    middle = np.average(cells.mean[:, students], axis=0, weights=weights * cells.mass)
    mean = cells.mean.copy()
    mean[:, students] -= middle
    terms = np.unique(cells.term)
    constants = np.column_stack([cells.term[:, None] == terms, side]).astype(np.float64)
    stratum = (cells.cluster * len(cells.terms) + cells.term) * 2 + side
    moments = power_moments(replace(cells, mean=mean), weights, students, constants, stratum)
    total = moments.by_power[1].sum(axis=0)
    order = np.r_[np.arange(len(students), len(total) - 1), np.arange(1, len(students)), len(total) - 1]
    kept = order[independent(total[np.ix_(order, order)], np.diag(total)[order])]
    if kept[-1] != len(total) - 1:
        return None
    chosen = np.r_[0, kept]
    cut = moments.by_power[:, :, chosen][:, :, :, chosen]
    return contrast(replace(moments, by_power=cut), len(kept) - 1, kind)


def _spread(cells: Cells, side: Bools, found: Balanced, outcome: int) -> float:
    """SD of the comparison's outcomes within terms, weighted; NaN with fewer than two results."""
    compared = cells.take(found.used & ~side)
    if not compared.n.sum() > 1:
        return np.nan
    weights = found.weights[found.used & ~side]
    mass, terms = weights * compared.mass, len(cells.terms)
    level = np.bincount(compared.term, mass * compared.mean[:, outcome], minlength=terms)
    total = np.bincount(compared.term, mass, minlength=terms)
    center = np.divide(level, total, out=np.zeros(terms), where=total > 0)[compared.term]
    squares = weights @ compared.scatter[:, outcome, outcome] + mass @ (compared.mean[:, outcome] - center) ** 2
    return float(np.sqrt(squares / mass.sum() * found.effective_results / max(found.effective_results - 1, 1.0)))
