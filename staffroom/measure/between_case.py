"""An effect of single cases in the metric of other studies: the SD between and within cases (BC-SMD).

`hps` is the moment estimator of Hedges, Pustejovsky & Shadish (2013) for multiple baselines across cases; `reml` the
restricted-likelihood one of Pustejovsky, Hedges & Shadish (2014, model MB1): a common change of level, a level for each
case, and errors that follow each other (AR(1)). Both have an approximate t with the degrees of freedom of the variance.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from staffroom.measure.cells import Floats, Ints, finite, refuse_rows, whole_numbers
from staffroom.measure.effects import t_interval, two_sided_p

MOST = 1500
"""Ratings; the matrices have their square of entries."""


@dataclass(frozen=True, slots=True)
class BetweenCase:
    """A design-comparable standardized mean difference."""

    effect: float
    """g, with the small-sample factor 1 - 3 / (4 df - 1)."""
    standard_error: float
    df: float
    low: float
    high: float
    p: float
    raw: float
    """Mean change of level, in the unit of ratings."""
    raw_se: float
    unadjusted: float
    """The change over the SD, without the factor."""
    sd: float
    """Between and within cases together, in the unit of ratings."""
    autocorrelation: float
    """Of ratings one session apart, within a case."""
    icc: float
    """Share of the variance that lies between cases."""
    cases: int
    ratings: int
    method: str


@dataclass(frozen=True, slots=True, eq=False)
class _Ratings:
    y: Floats
    treated: Floats
    """(R,) 1 while taking part."""
    case: Ints
    session: Ints

    @property
    def gap(self) -> Floats:
        """(R, R) sessions between two ratings of a case, infinite between cases."""
        apart = np.abs(self.session[:, None] - self.session).astype(np.float64)
        return np.where(self.case[:, None] == self.case, apart, np.inf)

    def correlation(self, phi: float, icc: float) -> Floats:
        """(R, R) icc + (1 - icc) phi^gap within a case, 0 between cases."""
        same = np.isfinite(self.gap)
        return np.where(same, icc + (1 - icc) * _power(phi, self.gap), 0.0)


def _power(phi: float, gap: Floats) -> Floats:
    """phi^gap, 1 where the gap is none and 0 where it is infinite."""
    whole = np.where(np.isfinite(gap), gap, 0.0)
    return np.where(np.isfinite(gap), np.sign(phi) ** np.mod(whole, 2) * np.abs(phi) ** whole, 0.0)


def between_case(
    value: ArrayLike,
    treated: ArrayLike,
    case: ArrayLike,
    session: ArrayLike,
    *,
    method: str = "reml",
    confidence: float = 0.95,
) -> BetweenCase:
    """BC-SMD of ratings `value` (R,) with `treated` (R,) 0 or 1, `case` (R,) labels and `session` (R,) whole numbers.

    Rows may stand in any order. Raises ValueError that names the row of numbers that cannot be or of a session that a
    case has twice; and for fewer than 3 cases with ratings in both phases, more than 1,500 ratings, or no variation.
    """
    if method not in ("reml", "hps"):
        raise ValueError("method must be 'reml' or 'hps'")
    ratings = _checked(value, treated, case, session)
    middle = float(np.median(ratings.y))
    unit = float(np.abs(ratings.y - middle).max())
    if not 0 < unit < math.inf:
        raise ValueError("ratings do not vary, or are too large")
    plain = replace(ratings, y=(ratings.y - middle) / unit)
    parts = _reml(plain) if method == "reml" else _hps(plain)
    return _standardized(plain, parts, unit, confidence, method)


@dataclass(frozen=True, slots=True)
class _Parts:
    raw: float
    variance: float
    """Of ratings, between and within cases."""
    kappa: float
    """Standard error of the change over that SD."""
    df: float
    phi: float
    icc: float


def _standardized(ratings: _Ratings, parts: _Parts, unit: float, confidence: float, method: str) -> BetweenCase:
    if not (parts.variance > 0 and parts.df > 0.76):
        raise ValueError("ratings vary too little between or within cases to be standardized")
    factor = 1 - 3 / (4 * parts.df - 1)
    raw = parts.raw / math.sqrt(parts.variance)
    g, df = factor * raw, max(parts.df, 2.001)
    # Where the degrees are few the factor of the truncated ones keeps the variance above zero.
    spread = factor**2 * (parts.kappa**2 * df / (df - 2) + g**2 * (df / (df - 2) - 1 / (1 - 3 / (4 * df - 1)) ** 2))
    error = math.sqrt(max(spread, 0.0))
    around = t_interval(g, error, parts.df, confidence=confidence)
    return BetweenCase(
        effect=g,
        standard_error=error,
        df=parts.df,
        low=around.low,
        high=around.high,
        p=two_sided_p(g, error, parts.df),
        raw=parts.raw * unit,
        raw_se=parts.kappa * math.sqrt(parts.variance) * unit,
        unadjusted=raw,
        sd=math.sqrt(parts.variance) * unit,
        autocorrelation=parts.phi,
        icc=parts.icc,
        cases=int(ratings.case.max()) + 1,
        ratings=ratings.y.size,
        method={"reml": "REML (Pustejovsky, Hedges & Shadish 2014)", "hps": "Hedges, Pustejovsky & Shadish 2013"}[
            method
        ],
    )


def _checked(value: ArrayLike, treated: ArrayLike, case: ArrayLike, session: ArrayLike) -> _Ratings:
    y, part = finite("rating", value, 1), finite("treated", treated, 1)
    refuse_rows((part != 0) & (part != 1), "treated is neither 0 nor 1")
    labels, when = np.asarray(case), whole_numbers("session", session, least=0)
    if not len(y) == len(part) == len(labels) == len(when):
        raise ValueError(
            f"lengths differ: {len(y)} ratings, {len(part)} phases, {len(labels)} cases, {len(when)} sessions"
        )
    if len(y) > MOST:
        raise ValueError(f"{len(y)} ratings are more than {MOST}")
    codes = np.unique(labels, return_inverse=True)[1]
    order = np.lexsort((when, codes))
    again = (np.diff(codes[order]) == 0) & (np.diff(when[order]) == 0)
    if again.any():
        raise ValueError(f"a case has the same session twice in row {int(order[1:][again].min())}")
    both = [np.unique(part[codes == code]).size == 2 for code in range(codes.max(initial=-1) + 1)]
    if sum(both) < 3:
        raise ValueError("at least 3 cases need ratings before and while taking part")
    return _Ratings(y[order], part[order], codes[order], when[order])


def _hps(ratings: _Ratings) -> _Parts:
    """Means per case and phase for the change, spread between cases at one session and phase for the variance."""
    both = np.flatnonzero(
        [np.unique(ratings.treated[ratings.case == c]).size == 2 for c in range(ratings.case.max() + 1)]
    )
    keep = np.isin(ratings.case, both)
    case = np.unique(ratings.case[keep], return_inverse=True)[1]
    ratings = _Ratings(ratings.y[keep], ratings.treated[keep], case, ratings.session[keep])
    own = _dummies(ratings.case * 2 + ratings.treated.astype(np.int64))
    apart = _dummies(ratings.session * 2 + ratings.treated.astype(np.int64))
    free = ratings.y.size - apart.shape[1]
    if free < 1:
        raise ValueError("no two cases were rated in the same session and phase")
    clean = np.eye(ratings.y.size) - apart @ (apart / apart.sum(axis=0)).T
    variance = float(ratings.y @ clean @ ratings.y) / free
    phi, within = _moments(ratings, own)
    icc = max(0.0, 1 - within / variance) if variance > 0 else 0.0
    joint = ratings.correlation(phi, icc)
    product = clean @ joint
    means = own / own.sum(axis=0)
    cases = int(ratings.case.max()) + 1
    changes = np.array([means[:, 2 * c + 1] - means[:, 2 * c] for c in range(cases)])
    kappa = math.sqrt(float(np.einsum("cr,rs,cs->", changes, joint, changes))) / cases
    df = free**2 / float(np.sum(product * product.T))
    return _Parts(float((changes @ ratings.y).mean()), variance, kappa, df, phi, icc)


def _moments(ratings: _Ratings, own: Floats) -> tuple[float, float]:
    """Autocorrelation and variance within cases, corrected for the means taken off (HPS 2013, appendix)."""
    counts = own.sum(axis=0)
    residual = ratings.y - own @ (own.T @ ratings.y / counts)
    squares = float(residual @ residual)
    if not squares > 1e-14 * ratings.y.size:
        raise ValueError("ratings do not vary within cases and phases")
    following = ratings.case[1:] == ratings.case[:-1]
    lagged = float(np.sum((residual[1:] * residual[:-1])[following]))
    phi = lagged / squares + float(np.sum((counts - 1) / counts)) / (ratings.y.size - counts.size)
    phi = min(max(phi, -0.99), 0.99)
    plain = ratings.correlation(phi, 0.0)
    lost = float(np.einsum("rk,rs,sk,k->", own, plain, own, 1 / counts, optimize=True))
    return phi, squares / (ratings.y.size - lost)


def _dummies(codes: Ints) -> Floats:
    """(R, K) of each different code, in order."""
    return np.asarray(codes[:, None] == np.unique(codes), dtype=np.float64)


def _reml(ratings: _Ratings) -> _Parts:
    phi, ratio = _most_likely(ratings)
    design = np.column_stack([np.ones(ratings.y.size), ratings.treated])
    shape = _shape(ratings, phi, ratio)
    solved, bread, squares = _generalized(ratings.y, design, shape)
    sigma2 = squares / (ratings.y.size - 2)
    if not sigma2 > 1e-14:
        raise ValueError("ratings do not vary within cases and phases")
    variance = sigma2 * (1 + ratio)
    inverse = np.linalg.inv(_information(ratings, design, sigma2, phi, ratio))
    spread = float(np.array([1.0, 0.0, 1.0]) @ inverse @ [1.0, 0.0, 1.0])
    kappa = math.sqrt(sigma2 * float(bread[1, 1]) / variance)
    return _Parts(float(solved[1]), variance, kappa, 2 * variance**2 / spread, phi, ratio / (1 + ratio))


def _shape(ratings: _Ratings, phi: float, ratio: float) -> Floats:
    """Covariance over the variance within cases; `ratio` is the variance between over that within."""
    return _power(phi, ratings.gap) + ratio * np.isfinite(ratings.gap)


def _generalized(y: Floats, design: Floats, shape: Floats) -> tuple[Floats, Floats, float]:
    weighted = np.linalg.solve(shape, np.column_stack([design, y]))
    bread = np.linalg.inv(design.T @ weighted[:, :2])
    solved = bread @ design.T @ weighted[:, 2]
    return solved, bread, float(y @ weighted[:, 2] - solved @ design.T @ weighted[:, 2])


def _most_likely(ratings: _Ratings) -> tuple[float, float]:
    """Autocorrelation and ratio that maximize the restricted likelihood: a coarse look, then Nelder-Mead."""
    from scipy.optimize import minimize

    design = np.column_stack([np.ones(ratings.y.size), ratings.treated])
    y = ratings.y - ratings.y.mean()
    blocks = [np.flatnonzero(ratings.case == c) for c in range(int(ratings.case.max()) + 1)]
    gaps = [ratings.gap[np.ix_(rows, rows)] for rows in blocks]

    def deviance(place: Floats) -> float:
        phi, ratio = float(np.tanh(place[0])), float(place[1] ** 2)
        logs, gram = 0.0, np.zeros((3, 3))
        for rows, gap in zip(blocks, gaps, strict=True):
            shape = _power(phi, gap) + ratio
            both = np.column_stack([design[rows], y[rows]])
            logs += float(np.linalg.slogdet(shape)[1])
            gram += both.T @ np.linalg.solve(shape, both)
        left = gram[2, 2] - gram[2, :2] @ np.linalg.solve(gram[:2, :2], gram[:2, 2])
        return logs + float(np.linalg.slogdet(gram[:2, :2])[1]) + (y.size - 2) * math.log(max(left, 1e-300))

    starts = [np.array([a, b]) for a in (-0.5, 0.0, 0.5, 1.0) for b in (0.0, 0.5, 1.0, 2.0)]
    start = min(starts, key=deviance)
    found = minimize(
        deviance, start, method="Nelder-Mead", bounds=[(-2.6, 2.6), (0, 1e3)], options={"xatol": 1e-8, "fatol": 1e-10}
    ).x
    edge = np.array([found[0], 0.0])
    best = edge if deviance(edge) <= deviance(found) else found
    return float(np.tanh(best[0])), float(best[1] ** 2)


def _information(ratings: _Ratings, design: Floats, sigma2: float, phi: float, ratio: float) -> Floats:
    """Expected information of variance within, autocorrelation and variance between: half of tr(Q dV Q dV)."""
    inverse = np.linalg.inv(sigma2 * _shape(ratings, phi, ratio))
    weighted = inverse @ design
    q = inverse - weighted @ np.linalg.solve(design.T @ weighted, weighted.T)
    gap = np.where(np.isfinite(ratings.gap), ratings.gap, 0.0)
    slope = np.where(gap > 0, sigma2 * gap * _power(phi, np.maximum(gap - 1, 0.0)), 0.0)
    changes = [q @ change for change in (_power(phi, ratings.gap), slope, np.isfinite(ratings.gap).astype(np.float64))]
    return np.array([[0.5 * np.sum(one * other.T) for other in changes] for one in changes])
