"""How much true effects differ: restricted likelihood and Q of a random- or mixed-effects model.

The model is y ~ N(X b, V + tau2 I) for k estimates y with sampling covariance V. In the eigenvectors of V it has a
diagonal covariance, so that one set of formulas does for independent estimates and for estimates that are known to
covary. The likelihood is looked at over its whole range before a root of its score is refined, which cannot run off or
stop at a lesser maximum as scoring steps do (Viechtbauer 2005; Kontopantelis, Springate & Reeves 2013).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from staffroom.measure.cells import Floats, finite, refuse_rows

STEPS = 80
"""Places at which the likelihood is looked at."""
NARROW = 1e-10
"""Estimates of which one combination is known this much better than another are refused."""
TINY = 1e-60
FARTHEST = 1e12
"""Variances that differ by more than this are refused."""


@dataclass(frozen=True, slots=True, eq=False)
class Estimates:
    """k estimates in the eigenvectors of their sampling covariance, with an orthonormal basis of the design."""

    y: Floats
    """(k,)"""
    basis: Floats
    """(k, p) orthonormal columns that span the design's."""
    change: Floats
    """(p, p) upper triangle R of design = basis R."""
    variances: Floats
    """(k,) eigenvalues of the sampling covariance, above 0."""

    @property
    def free(self) -> int:
        """Degrees of freedom of the residuals, k - p."""
        return int(self.y.size - self.basis.shape[1])

    def fit(self, tau2: float) -> "Fit":
        """Weighted least squares with variances plus `tau2`."""
        weight = 1 / (self.variances + tau2)
        bread = np.linalg.inv(self.basis.T @ (weight[:, None] * self.basis))
        solved = bread @ (self.basis.T @ (weight * self.y))
        back = np.linalg.inv(self.change)
        return Fit(back @ solved, back @ bread @ back.T, weight, self.y - self.basis @ solved)


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """Coefficients for one amount of heterogeneity."""

    coefficients: Floats
    """(p,)"""
    covariance: Floats
    """(p, p) if the variances are right."""
    weights: Floats
    """(k,)"""
    residuals: Floats
    """(k,) in the eigenvectors of the sampling covariance."""

    @property
    def q(self) -> float:
        """Weighted sum of squared residuals."""
        return float(self.weights @ self.residuals**2)


def estimates_of(effects: ArrayLike, standard_errors: ArrayLike, design: ArrayLike | None = None) -> Estimates:
    """Independent `effects` (k,) with `standard_errors` (k,), `design` (k, p) or one column of ones.

    Raises ValueError that names the row for missing or infinite numbers and errors that are not above 0, for unequal
    lengths, a design whose columns depend on each other, and fewer than p + 1 estimates.
    """
    y, errors = finite("effect", effects, 1), finite("standard error", standard_errors, 1)
    refuse_rows(errors <= 0, "standard error is not above 0")
    if len(y) != len(errors):
        raise ValueError(f"{len(y)} effects but {len(errors)} standard errors")
    columns = np.ones((len(y), 1)) if design is None else _design(design, len(y))
    with np.errstate(over="ignore", under="ignore"):
        return _prepared(y, columns, errors**2)


def joint_estimates(effects: ArrayLike, covariance: ArrayLike, design: ArrayLike | None = None) -> Estimates:
    """As `estimates_of`, for effects whose estimates covary: `covariance` (k, k), symmetric and positive definite."""
    y, joint = finite("effect", effects, 1), finite("covariance", covariance, 2)
    if joint.shape != (len(y), len(y)):
        raise ValueError(f"covariance has shape {joint.shape}, expected {(len(y), len(y))}")
    if not np.allclose(joint, joint.T, rtol=1e-6, atol=1e-12 * float(np.abs(joint).max(initial=0.0))):
        raise ValueError("covariance is not symmetric")
    values, vectors = np.linalg.eigh((joint + joint.T) / 2)
    if not values.min(initial=1.0) > NARROW * values.max(initial=0.0):
        raise ValueError("covariance is not positive definite")
    columns = np.ones((len(y), 1)) if design is None else _design(design, len(y))
    return _prepared(vectors.T @ y, vectors.T @ columns, values)


def _design(design: ArrayLike, size: int) -> Floats:
    columns = finite("design", design, 2)
    if len(columns) != size:
        raise ValueError(f"design has {len(columns)} rows, expected {size}")
    return columns


def _prepared(y: Floats, columns: Floats, variances: Floats) -> Estimates:
    if y.size <= columns.shape[1]:
        raise ValueError(
            f"{columns.shape[1]} coefficients need at least {columns.shape[1] + 1} estimates, not {y.size}"
        )
    refuse_extremes(y, variances)
    basis, change = np.linalg.qr(columns)
    length = np.linalg.norm(columns, axis=0)
    if not (np.abs(np.diag(change)) > 1e-10 * np.where(length > 0, length, 1.0)).all():
        raise ValueError("a column of the design depends on the others")
    return Estimates(y, basis, change, variances)


def refuse_extremes(effects: Floats, variances: Floats) -> None:
    """ValueError where numbers are so far apart that their sums would lose the smaller ones."""
    if not (variances.min() > TINY and max(float(variances.max()), float(np.abs(effects).max())) < 1 / TINY):
        raise ValueError("an effect or a standard error is too small or too large")
    if variances.max() > FARTHEST * variances.min():
        raise ValueError("a standard error is more than a million times another")


def restricted_likelihood(estimates: Estimates, tau2: Floats) -> Floats:
    """Restricted log-likelihood up to a constant at each `tau2` (M,): (M,)."""
    weight = 1 / (estimates.variances + tau2[:, None])
    gram, solved = _normal(estimates, weight)
    residual = estimates.y - solved @ estimates.basis.T
    squares = (weight * residual**2).sum(axis=1)
    return np.asarray(0.5 * (np.log(weight).sum(axis=1) - np.linalg.slogdet(gram)[1] - squares))


def _normal(estimates: Estimates, weight: Floats) -> tuple[Floats, Floats]:
    """Gram matrices (M, p, p) and coefficients (M, p) in the basis for weights (M, k)."""
    basis = estimates.basis
    gram = np.einsum("mk,kp,kq->mpq", weight, basis, basis, optimize=True)
    right = (weight * estimates.y) @ basis
    return gram, np.linalg.solve(gram, right[:, :, None])[:, :, 0]


def restricted_tau2(estimates: Estimates) -> float:
    """Variance of true effects that maximizes the restricted likelihood, 0 if that lies at the boundary."""
    places = np.r_[0.0, np.geomspace(1e-8, 1.0, STEPS) * _reach(estimates)]
    best = int(np.argmax(restricted_likelihood(estimates, places)))
    low, high = places[max(best - 1, 0)], places[min(best + 1, len(places) - 1)]
    return _root(lambda tau2: _score(estimates, tau2), float(low), float(high))


def _reach(estimates: Estimates) -> float:
    """A variance above every stationary point: none lies beyond both twice the mean square and the largest variance."""
    plain = estimates.y - estimates.basis @ (estimates.basis.T @ estimates.y)
    return 1.01 * max(float(estimates.variances.max()), 2 * float(plain @ plain) / estimates.free)


def _score(estimates: Estimates, tau2: float) -> float:
    """Twice the derivative of the restricted log-likelihood: y'PPy - tr P."""
    fit = estimates.fit(tau2)
    return float((fit.weights * fit.residuals) @ (fit.weights * fit.residuals)) - trace_of_projection(estimates, tau2)


def trace_of_projection(estimates: Estimates, tau2: float) -> float:
    """tr P, P = W - W X (X'WX)^-1 X'W."""
    weight = 1 / (estimates.variances + tau2)
    weighted = weight[:, None] * estimates.basis
    return float(weight.sum() - np.trace(np.linalg.solve(estimates.basis.T @ weighted, weighted.T @ weighted)))


def tau2_error(estimates: Estimates, tau2: float) -> float:
    """Standard error of tau2 from its expected information, sqrt(2 / tr PP)."""
    weight = 1 / (estimates.variances + tau2)
    weighted = weight[:, None] * estimates.basis
    projection = np.diag(weight) - weighted @ np.linalg.solve(estimates.basis.T @ weighted, weighted.T)
    return float(np.sqrt(2 / np.sum(projection**2)))


def _root(function: Callable[[float], float], low: float, high: float) -> float:
    """Where `function` falls through zero between `low` and `high`; the end that it has not crossed otherwise."""
    from scipy.optimize import brentq

    if not function(low) > 0:
        return low
    if not function(high) < 0:
        return high
    return float(brentq(function, low, high, xtol=1e-14 * max(high, 1e-300), rtol=1e-13))


def q_profile(estimates: Estimates, confidence: float) -> tuple[float, float]:
    """Interval of tau2 (Viechtbauer 2007): the values at which Q is no unusual chi-square with k - p degrees.

    (0, 0) where even no heterogeneity makes Q unusually small.
    """
    from scipy.special import chdtri

    tail = (1 - confidence) / 2
    unusually_large, unusually_small = (float(chdtri(estimates.free, share)) for share in (tail, 1 - tail))
    return _q_root(estimates, unusually_large), _q_root(estimates, unusually_small)


def _q_root(estimates: Estimates, wanted: float) -> float:
    high = _reach(estimates)
    while estimates.fit(high).q > wanted:
        high *= 4
    return _root(lambda tau2: estimates.fit(tau2).q - wanted, 0.0, high)


def typical_variance(estimates: Estimates) -> float:
    """The sampling variance that I2 compares tau2 with: (k - p) / tr P at tau2 = 0 (Higgins & Thompson 2002)."""
    return estimates.free / trace_of_projection(estimates, 0.0)


def i2_of(estimates: Estimates, tau2: float) -> float:
    """Per cent of the variance of the estimates that is true differences (metafor's definition)."""
    return 100 * tau2 / (tau2 + typical_variance(estimates))


def q_p(q: float, df: int) -> float:
    """Probability under homogeneity of a larger Q."""
    from scipy.special import chdtrc

    return float(chdtrc(df, q))
