"""One difference-in-differences with covariates: two groups, two terms.

Sant'Anna & Zhao (2020, Journal of Econometrics 219), panel data: outcome regression, inverse probability weighting
with normalized weights, and the doubly robust combination of both (their 'traditional' one: logit by maximum
likelihood, least squares on the comparison group), with influence functions that count the estimated nuisances.
"""

from dataclasses import dataclass

import numpy as np

from staffroom.measure.cells import Bools, Floats
from staffroom.measure.projection import independent

METHODS = ("dr", "reg", "ipw")
LARGEST_PROPENSITY = 0.999
"""A fitted probability above this says that the groups do not overlap."""
TRIMMED_PROPENSITY = 0.995
"""Comparison teachers more likely than this to take part are left out of the weighted comparison."""
NEWTON_STEPS = 30
CONVERGED = 1e-10


@dataclass(frozen=True, slots=True, eq=False)
class Difference:
    """Effect on the treated in outcome units."""

    effect: float
    influence: Floats
    """(R,) each teacher's part in the error of the effect; sums to zero."""


def difference(
    change: Floats, treated: Bools, weight: Floats, covariates: Floats, *, method: str = "dr"
) -> Difference | None:
    """Effect from changes (R,) of R teachers, their weights (R,) > 0 and covariates (R, P).

    Covariates that others explain are left out. None where no comparison is possible: a side is empty, the comparison
    group is too small or too uniform for the regression, or the groups do not overlap.
    """
    if method not in METHODS:
        raise ValueError(f"method must be one of {METHODS}, not {method!r}")
    if treated.all() or not treated.any():
        return None
    design = _design(covariates, weight)
    if method == "ipw":
        return _weighted(change, treated, weight, design, np.zeros(len(change)), None)
    outcome = _outcome(change, np.where(treated, 0.0, weight), design)
    if outcome is None:
        return None
    residual, representation = outcome
    if method == "reg":
        return _regressed(residual, treated, weight, design, representation)
    return _weighted(change, treated, weight, design, change - residual, representation)


def _design(covariates: Floats, weight: Floats) -> Floats:
    """(R, 1 + P') constant and standardized covariates without those that are explained by others."""
    centered = covariates - weight @ covariates / weight.sum()
    scale = np.sqrt(weight @ centered**2)
    moving = scale > 1e-12 * np.sqrt(weight @ covariates**2)
    standard = centered[:, moving] / scale[moving] * np.sqrt(weight.sum())
    gram = standard.T @ (weight[:, None] * standard)
    kept = independent(gram, np.diag(gram))
    return np.column_stack([np.ones(len(weight)), standard[:, kept]])


def _outcome(change: Floats, weight: Floats, design: Floats) -> tuple[Floats, Floats] | None:
    """Residuals (R,) of least squares on the comparison group and what each teacher adds to its error (R, P)."""
    gram = design.T @ (weight[:, None] * design)
    if not independent(gram, np.full(len(gram), weight.sum())).all():
        return None
    bread = np.linalg.inv(gram)
    middle = weight @ change / weight.sum()
    residual = change - middle
    residual = residual - design @ (bread @ (design.T @ (weight * residual)))
    return residual, (weight * residual)[:, None] * (design @ bread)


def _regressed(residual: Floats, treated: Bools, weight: Floats, design: Floats, representation: Floats) -> Difference:
    side = np.where(treated, weight, 0.0)
    effect = side @ residual / side.sum()
    influence = side * (residual - effect) - representation @ (side @ design)
    return Difference(float(effect), influence / side.sum())


def _weighted(
    change: Floats, treated: Bools, weight: Floats, design: Floats, predicted: Floats, representation: Floats | None
) -> Difference | None:
    """Weighting by propensity of what the outcome regression leaves, or of the plain changes."""
    propensity = fit_propensity(treated, weight, design)
    if propensity is None:
        return None
    residual = change - predicted
    side = np.where(treated, weight, 0.0)
    odds = np.where(treated | (propensity >= TRIMMED_PROPENSITY), 0.0, weight * propensity / (1 - propensity))
    means = [part @ residual / part.sum() for part in (side, odds)]
    of_treated, of_others = (part * (residual - mean) for part, mean in zip((side, odds), means, strict=True))
    hessian = design.T @ ((weight * propensity * (1 - propensity))[:, None] * design)
    pull = np.linalg.solve(hessian, design.T @ of_others)
    of_others = of_others + weight * (treated - propensity) * (design @ pull)
    if representation is not None:
        of_treated = of_treated - representation @ (side @ design)
        of_others = of_others - representation @ (odds @ design)
    return Difference(float(means[0] - means[1]), of_treated / side.sum() - of_others / odds.sum())


def fit_propensity(treated: Bools, weight: Floats, design: Floats) -> Floats | None:
    """(R,) probabilities of a weighted logit on design (R, P), constant first; None if the groups do not overlap."""
    share = weight @ treated / weight.sum()
    coefficients = np.zeros(design.shape[1])
    coefficients[0] = np.log(share / (1 - share))
    for _ in range(NEWTON_STEPS):
        fitted = 1 / (1 + np.exp(-np.clip(design @ coefficients, -500, 500)))
        if fitted.max() > LARGEST_PROPENSITY:
            return None
        hessian = design.T @ ((weight * fitted * (1 - fitted))[:, None] * design)
        step = np.linalg.solve(hessian, design.T @ (weight * (treated - fitted)))
        coefficients = coefficients + step
        if np.abs(step).max() < CONVERGED:
            return fitted
    return None
