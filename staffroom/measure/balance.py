"""Entropy balancing, and the table that shows how alike both sides were before and after it.

Hainmueller (2012, Political Analysis 20(1)): of all weights for the comparison that give it exactly the means of those
who took part, the ones closest to equal weights in the sense of Kullback and Leibler. Taking part is constant within a
teacher's term, so weights that are constant within cells balance the students' means exactly, and second moments follow
from the cells' scatter. Thresholds of the table: What Works Clearinghouse, Procedures and Standards Handbook 5.0 (2022).
"""

from dataclasses import dataclass

import numpy as np

from staffroom.measure.cells import Bools, Cells, Floats, Ints, refuse_rows
from staffroom.measure.effects import hedges_factor

EXACT = 1e-9
"""Largest difference of means, in SD of a column, with which both sides count as balanced."""
STEPS = 200
ALIKE, ADJUSTABLE = 0.05, 0.25
"""Differences in SD up to which groups count as equivalent: as they are; if the analysis adjusts for the covariate."""
LOGITS_PER_SD = 1.65


@dataclass(frozen=True, slots=True, eq=False)
class Balanced:
    """Weights for the results of each cell, or why there are none."""

    weights: Floats
    """(C,) weight of each result: 1 where teachers took part, in the comparison so that both sides weigh the same;
    0 in terms that lack one side. Without balance everything used weighs 1."""
    used: Bools
    """(C,) cells of terms with both sides."""
    converged: bool
    reason: str
    """'' or 'nobody_treated', 'nobody_compared', 'no_common_term', 'outside' (a column's mean of those who took part is
    beyond every comparison teacher's), 'no_overlap' (beyond all mixtures of comparison teachers, for columns together)."""
    column: int | None
    """The column that 'outside' speaks of."""
    gap: float
    """Largest difference of means that is left, in SD."""
    effective_results: float
    """Results of the comparison that would be as precise with equal weights (Kish 1965)."""
    effective_teachers: float
    """The same, counted in teachers of the comparison."""
    largest_share: float
    """Of the comparison's weight, on a single teacher."""


@dataclass(frozen=True, slots=True)
class BalanceLine:
    """One covariate on both sides, over results."""

    column: int
    treated_mean: float
    comparison_mean: float
    weighted_mean: float
    """Of the comparison, with the weights of the analysis."""
    sd: float
    """Pooled over both sides, without weights."""
    g_before: float
    """Hedges' g, or Cox's index of a covariate that is 0 or 1; infinite where no spread is left to compare with."""
    g_after: float
    index: str
    """'hedges' or 'cox'."""
    status_before: str
    """'ok' (at most 0.05 SD), 'adjusted' (at most 0.25: only with the covariate in the analysis) or 'fails'."""
    status: str
    """The same of the weighted comparison, which is what an analysis with weights is judged by."""


def treated_cells(cells: Cells, treated: Ints) -> Bools:
    """(C,) whether a cell's teacher took part; ValueError unless `treated` (I,) is 0 or 1 for each teacher."""
    if np.shape(treated) != np.shape(cells.teachers):
        raise ValueError(f"treated has shape {np.shape(treated)}, expected {np.shape(cells.teachers)}")
    refuse_rows(~np.isin(treated, (0, 1)), "treated is neither 0 nor 1")
    return np.asarray(treated, dtype=np.bool_)[cells.teacher]


def entropy_balance(
    cells: Cells, treated: Ints, columns: Ints, *, variances: bool = False, terms: bool = True
) -> Balanced:
    """Weights that give comparison cells the means of `columns` (P,) of those with `treated` (I,) 1.

    `variances` balances the students' second moments too; `terms` the share of results of each term. Terms in which
    one side is missing are left out. Never raises because data are few; see `Balanced.reason`.
    """
    taking_part = treated_cells(cells, treated)
    used = _common_terms(cells, taking_part)
    missing = _missing_side(taking_part, used)
    if missing:
        return _without(cells, taking_part, used, missing)
    chosen = cells.take(used)
    side = taking_part[used]
    features, owner = _features(chosen, np.asarray(columns, dtype=np.int64), variances, terms)
    target = np.average(features[side], axis=0, weights=chosen.mass[side])
    scale = np.sqrt(np.average((features - target) ** 2, axis=0, weights=chosen.mass))
    away = (features[~side] - target) / np.where(scale > 0, scale, 1.0)
    share, gap = closest_weights(away, chosen.mass[~side])
    weights = np.zeros(len(cells.n))
    weights[used] = 1.0
    weights[used & ~taking_part] = share / chosen.mass[~side] * chosen.mass[side].sum()
    if gap <= EXACT:
        return _described(cells, taking_part, used, weights, "", None, gap)
    outside = (away.min(axis=0) > EXACT) | (away.max(axis=0) < -EXACT)
    reason = "outside" if (owner[outside] >= 0).any() else "no_overlap"
    column = int(owner[outside & (owner >= 0)][0]) if reason == "outside" else None
    return _described(cells, taking_part, used, used.astype(np.float64), reason, column, gap)


def closest_weights(away: Floats, mass: Floats) -> tuple[Floats, float]:
    """Shares (M,) that sum to 1, closest to `mass` (M,), under which `away` (M, P) has mean zero; and the gap left.

    Minimizes the dual log(sum(mass * exp(away @ l))) by Newton's method with step halving, in principal directions of
    `away`. A gap above EXACT says that no such weights exist: zero lies outside the convex hull of the rows.
    """
    log_mass = np.log(mass / mass.sum())
    size, rotation = np.linalg.eigh((away * mass[:, None]).T @ away / mass.sum())
    turned = away @ rotation[:, size > 1e-14 * max(size.max(initial=0.0), 1.0)]
    multipliers = np.zeros(turned.shape[1])
    value, share = _dual(turned, log_mass, multipliers)
    for _ in range(STEPS):
        slope = share @ turned
        if np.abs(share @ away).max(initial=0.0) <= EXACT / 100:
            break
        middle = turned - slope
        curvature = (middle * share[:, None]).T @ middle
        step = -np.linalg.lstsq(curvature, slope, rcond=1e-13)[0]
        moved = _descend(turned, log_mass, multipliers, step, value, float(slope @ step))
        if moved is None:
            break
        multipliers, value, share = moved
    return share, float(np.abs(share @ away).max(initial=0.0))


def _dual(away: Floats, log_mass: Floats, multipliers: Floats) -> tuple[float, Floats]:
    exponent = log_mass + away @ multipliers
    highest = exponent.max()
    weight = np.exp(exponent - highest)
    return float(highest + np.log(weight.sum())), weight / weight.sum()


def _descend(
    away: Floats, log_mass: Floats, start: Floats, step: Floats, value: float, slope: float
) -> tuple[Floats, float, Floats] | None:
    """The step, halved until the dual falls enough (Armijo); None where it falls no more."""
    length = 1.0
    for _ in range(60):
        there = start + length * step
        reached, share = _dual(away, log_mass, there)
        if reached <= value + 1e-4 * length * slope + 1e-15:
            return there, reached, share
        length /= 2
    return None


def _common_terms(cells: Cells, taking_part: Bools) -> Bools:
    both = [np.bincount(cells.term[side], minlength=len(cells.terms)) > 0 for side in (taking_part, ~taking_part)]
    return np.asarray((both[0] & both[1])[cells.term])


def _missing_side(taking_part: Bools, used: Bools) -> str:
    if not taking_part.any():
        return "nobody_treated"
    if taking_part.all():
        return "nobody_compared"
    return "" if used.any() else "no_common_term"


def _features(cells: Cells, columns: Ints, variances: bool, terms: bool) -> tuple[Floats, Ints]:
    """(C, F) cell means to be balanced, and (F,) the column that each belongs to, -1 for a term."""
    middle = np.average(cells.mean[:, columns], axis=0, weights=cells.mass)
    means = cells.mean[:, columns] - middle
    parts, owners = [means], [columns]
    if variances:
        spread = cells.scatter[:, columns, columns] / cells.mass[:, None] + means**2
        kept = ~binary_columns(cells, columns)
        parts, owners = [*parts, spread[:, kept]], [*owners, columns[kept]]
    seen = np.unique(cells.term)
    if terms:
        parts.append((cells.term[:, None] == seen[1:]).astype(np.float64))
        owners.append(np.full(len(seen) - 1, -1))
    return np.hstack(parts), np.concatenate(owners)


def binary_columns(cells: Cells, columns: Ints) -> Bools:
    """(P,) whether a column is 0 or 1 for every student: then its squares have the same sum as it has, in each cell."""
    mean, spread = cells.mean[:, columns], cells.scatter[:, columns, columns] / cells.mass[:, None]
    inside = (mean >= -1e-9) & (mean <= 1 + 1e-9)
    return np.asarray((inside & (np.abs(spread - mean * (1 - mean)) <= 1e-9)).all(axis=0))


def _without(cells: Cells, taking_part: Bools, used: Bools, reason: str) -> Balanced:
    return _described(cells, taking_part, used, used.astype(np.float64), reason, None, np.inf)


def _described(
    cells: Cells, taking_part: Bools, used: Bools, weights: Floats, reason: str, column: int | None, gap: float
) -> Balanced:
    compared = used & ~taking_part
    total = weights * cells.mass * compared
    by_teacher = np.bincount(cells.teacher, total, minlength=len(cells.teachers))
    return Balanced(
        weights=weights,
        used=used,
        converged=not reason,
        reason=reason,
        column=column,
        gap=gap,
        effective_results=_kish(total.sum(), (weights**2 * cells.n * compared).sum(), cells, compared),
        effective_teachers=float(by_teacher.sum() ** 2 / (by_teacher**2).sum()) if compared.any() else 0.0,
        largest_share=float(by_teacher.max() / by_teacher.sum()) if compared.any() else 0.0,
    )


def _kish(total: float, squares: float, cells: Cells, compared: Bools) -> float:
    if not compared.any():
        return 0.0
    per_result = cells.mass[compared].sum() / cells.n[compared].sum()
    return float((total / per_result) ** 2 / squares)


def balance_table(cells: Cells, treated: Ints, weights: Floats, columns: Ints) -> tuple[BalanceLine, ...]:
    """Baseline equivalence of each of `columns` (P,) over the cells with `weights` (C,) above 0 on either side.

    Empty where a side is missing.
    """
    taking_part = treated_cells(cells, treated)
    treated_side, compared = (cells.take(side & (weights > 0)) for side in (taking_part, ~taking_part))
    if not (len(treated_side.n) and len(compared.n)):
        return ()
    weighed = weights[~taking_part & (weights > 0)]
    binary = binary_columns(cells.take(weights > 0), np.asarray(columns, dtype=np.int64))
    return tuple(
        _line(int(column), treated_side, compared, weighed, bool(zero_one))
        for column, zero_one in zip(columns, binary, strict=True)
    )


def _line(column: int, treated: Cells, compared: Cells, weights: Floats, zero_one: bool) -> BalanceLine:
    (mean, spread), (other, other_spread) = _moments(treated, column), _moments(compared, column)
    weighted = float(np.average(compared.mean[:, column], weights=weights * compared.mass))
    n = float(treated.n.sum()), float(compared.n.sum())
    free = n[0] + n[1] - 2
    sd = float(np.sqrt((spread + other_spread) / free)) if free > 0 else 0.0
    factor = hedges_factor(int(n[0] + n[1])) if n[0] + n[1] >= 3 else 1.0
    size = _cox if zero_one else _difference
    before, after = factor * size(mean, other, sd), factor * size(mean, weighted, sd)
    return BalanceLine(
        column=column,
        treated_mean=mean,
        comparison_mean=other,
        weighted_mean=weighted,
        sd=sd,
        g_before=before,
        g_after=after,
        index="cox" if zero_one else "hedges",
        status_before=equivalence(before),
        status=equivalence(after),
    )


def _moments(cells: Cells, column: int) -> tuple[float, float]:
    """Mean over results and their sum of squares about it, per unit of average weight."""
    mean = float(np.average(cells.mean[:, column], weights=cells.mass))
    squares = cells.scatter[:, column, column].sum() + cells.mass @ (cells.mean[:, column] - mean) ** 2
    return mean, float(squares * cells.n.sum() / cells.mass.sum())


def _difference(mean: float, other: float, sd: float) -> float:
    gap = mean - other
    if sd > 0:
        return gap / sd
    return 0.0 if gap == 0 else float(np.copysign(np.inf, gap))


def _cox(share: float, other: float, _: float) -> float:
    if abs(share - other) <= EXACT:
        return 0.0
    with np.errstate(divide="ignore"):
        logits = [float(np.log(p) - np.log1p(-p)) for p in np.clip([share, other], 0.0, 1.0)]
    return (logits[0] - logits[1]) / LOGITS_PER_SD


def equivalence(g: float) -> str:
    """'ok', 'adjusted' or 'fails' of a difference in SD (WWC 5.0, baseline equivalence)."""
    if abs(g) <= ALIKE:
        return "ok"
    return "adjusted" if abs(g) <= ADJUSTABLE else "fails"
