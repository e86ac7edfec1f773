"""How far parallel trends may fail before an effect is gone: honest intervals for an event study.

Rambachan & Roth (2023, Review of Economic Studies 90(5), "A More Credible Approach to Parallel Trends"). *Relative
magnitudes*: from one term to the next, trends after taking part differ by no more than `mbar` times the worst
difference before it; the interval is that of the conditional test of Andrews, Roth & Pakes (2023, Review of Economic
Studies 90(6)) with a least-favorable first stage (C-LF), as their R package HonestDiD does by default. *Smoothness*:
the slope of the difference changes by no more than `m` from one term to the next; the interval is the fixed-length
one that is shortest (`fixed_length`).

An event study here is `before` effects in order of time, the last one two terms before taking part (the term before
it is the reference and left out), then `after` effects from the first term of taking part on.

The linear programs of the conditional test need no solver: for relative magnitudes with the worst difference at a
given place and sign the dual has T + 2 vertices for T terms after, all in closed form (`_vertices`), so that the test
statistic is a maximum of T + 2 normals and its truncation a ratio of their covariances.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import ArrayLike

from staffroom.measure.cells import Bools, Floats, Ints
from staffroom.measure.fixed_length import FixedLength
from staffroom.measure.influence import is_singular

KAPPA = 0.1
"""Share of the error rate that the least-favorable first stage takes (their suggestion, alpha / 10)."""
DRAWS = 8192
GRID, REACH = 1000, 20.0
"""Points of the grid, and how many standard errors it reaches to either side of zero; as HonestDiD. It is extended
where the interval is not inside."""
FARTHEST = 64
LARGEST = 1e6
"""A breakdown value beyond this is infinite."""
TOLERANCE = 1e-4


@dataclass(frozen=True, slots=True)
class Bound:
    """The interval that holds if trends fail by no more than `m`, in outcome units."""

    m: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, eq=False)
class _Study:
    """A checked event study and the wanted average of its effects after."""

    effects: Floats
    covariance: Floats
    before: int
    after: int
    weights: Floats
    confidence: float

    @property
    def estimate(self) -> float:
        return float(self.weights @ self.effects[self.before :])

    @property
    def error(self) -> float:
        part = self.covariance[self.before :, self.before :]
        return float(np.sqrt(self.weights @ part @ self.weights))


def relative_magnitudes(
    effects: ArrayLike,
    covariance: ArrayLike,
    *,
    before: int,
    after: int,
    weights: ArrayLike | None = None,
    mbar: Sequence[float] = (0.5, 1.0, 1.5, 2.0),
    confidence: float = 0.95,
) -> tuple[Bound, ...]:
    """Intervals for sum of weights (after,) times effects after, by default the first, for each `mbar` >= 0.

    `effects` (P,) and `covariance` (P, P), P = before + after, in outcome units. Ends lie on a grid of a 1/25 standard
    error. Raises ValueError for what does not fit together or is not finite.
    """
    study = _checked(effects, covariance, before, after, weights, confidence)
    return tuple(_relative(study, _degree("mbar", m)) for m in mbar)


def smoothness(
    effects: ArrayLike,
    covariance: ArrayLike,
    *,
    before: int,
    after: int,
    weights: ArrayLike | None = None,
    m: Sequence[float] = (0.0,),
    confidence: float = 0.95,
) -> tuple[Bound, ...]:
    """Shortest fixed-length intervals as `relative_magnitudes`, for each `m` >= 0 in outcome units per term squared."""
    study = _checked(effects, covariance, before, after, weights, confidence)
    interval = _fixed_length(study)
    return tuple(Bound(each, *interval.bounds(study.effects, _degree("m", each))) for each in m)


def breakdown(
    effects: ArrayLike,
    covariance: ArrayLike,
    *,
    before: int,
    after: int,
    kind: str = "relative_magnitudes",
    weights: ArrayLike | None = None,
    confidence: float = 0.95,
) -> float:
    """The smallest `mbar` ('relative_magnitudes') or `m` ('smoothness') for which the interval includes zero.

    0 if it includes zero even without any failure of trends, infinity beyond LARGEST (in errors for smoothness).
    """
    study = _checked(effects, covariance, before, after, weights, confidence)
    if kind == "relative_magnitudes":
        zero = np.zeros(1)
        return _first(lambda m: bool(_accepted(study, m, zero)[0]), 1.0)
    if kind != "smoothness":
        raise ValueError(f"kind must be 'relative_magnitudes' or 'smoothness', not {kind!r}")
    interval = _fixed_length(study)

    def includes_zero(m: float) -> bool:
        low, high = interval.bounds(study.effects, m)
        return low <= 0 <= high

    return _first(includes_zero, study.error)


def _first(includes_zero: Callable[[float], bool], scale: float) -> float:
    """The smallest degree from which on zero is included, by doubling and halving."""
    if includes_zero(0.0):
        return 0.0
    low, high = 0.0, scale
    while not includes_zero(high):
        low, high = high, 2 * high
        if high > LARGEST * scale:
            return math.inf
    while high - low > TOLERANCE * high:
        middle = (low + high) / 2
        low, high = (low, middle) if includes_zero(middle) else (middle, high)
    return high


def _checked(
    effects: ArrayLike, covariance: ArrayLike, before: int, after: int, weights: ArrayLike | None, confidence: float
) -> _Study:
    found, spread = np.asarray(effects, dtype=np.float64), np.asarray(covariance, dtype=np.float64)
    if before < 1 or after < 1:
        raise ValueError(f"an event study needs effects before and after, not {before} and {after}")
    if found.shape != (before + after,) or spread.shape != (before + after, before + after):
        raise ValueError(f"{before} + {after} effects do not fit shapes {found.shape} and {spread.shape}")
    if not (np.isfinite(found).all() and np.isfinite(spread).all()):
        raise ValueError("an effect or a covariance is missing or not finite")
    if not np.allclose(spread, spread.T, rtol=1e-6, atol=1e-12 * np.abs(spread).max()):
        raise ValueError("the covariance is not symmetric")
    if (np.diag(spread) <= 0).any():
        raise ValueError(f"effect {int(np.argmax(np.diag(spread) <= 0))} has no variance")
    if is_singular(spread):
        raise ValueError("the covariance is singular: the effects do not vary apart from each other")
    if not 0.5 < confidence < 1:
        raise ValueError("confidence must lie between 0.5 and 1")
    wanted = np.eye(after)[0] if weights is None else np.asarray(weights, dtype=np.float64)
    if wanted.shape != (after,) or not np.isfinite(wanted).all() or not wanted.any():
        raise ValueError(f"weights must be {after} numbers, not all zero")
    return _Study(found, (spread + spread.T) / 2, before, after, wanted, confidence)


def _degree(name: str, value: float) -> float:
    if not (value >= 0 and math.isfinite(value)):
        raise ValueError(f"{name} must be 0 or more and finite, not {value}")
    return float(value)


def _fixed_length(study: _Study) -> FixedLength:
    return FixedLength(study.covariance, study.before, study.weights, study.confidence)


def _relative(study: _Study, mbar: float) -> Bound:
    """Ends of the accepted points of a grid, which grows until they are inside; infinite if they never are."""
    step, reach = 2 * REACH * study.error / (GRID - 1), GRID // 2
    while reach < abs(study.estimate) / step:
        reach *= 2
    for _ in range(int(math.log2(FARTHEST)) + 1):
        grid = step * (np.arange(-reach, reach, dtype=np.float64) + 0.5)
        inside = np.flatnonzero(_accepted(study, mbar, grid))
        if inside.size and inside[0] > 0 and inside[-1] < grid.size - 1:
            return Bound(mbar, float(grid[inside[0]]), float(grid[inside[-1]]))
        reach *= 2
    return Bound(mbar, -math.inf, math.inf)


def _accepted(study: _Study, mbar: float, grid: Floats) -> Bools:
    """Which values (N,) of the average some place and sign of the worst difference before does not reject."""
    accepted = np.zeros(grid.size, dtype=np.bool_)
    normals = _normals(study.after + 2)
    for place in range(study.before):
        for sign in (1.0, -1.0):
            accepted |= ~_rejected(study, *_vertices(study, mbar, place, sign), grid, normals)
    return accepted


def _vertices(study: _Study, mbar: float, place: int, sign: float) -> tuple[Floats, Floats]:
    """The dual's vertices as combinations (V, P) of effects, and their slopes (V,) in the value under test.

    Moments are +-(difference of trends in term t) - mbar * (worst difference before) <= 0. A dual vertex puts weights
    on moments so that the unknown effects cancel but for the wanted average: on one sign of every term, in proportion
    to what the term's difference adds to the average, or on both signs of a single term. Weights times the moments'
    errors sum to one.
    """
    before, after = study.before, study.after
    steps = np.diff(np.insert(np.eye(before + after), before, 0.0, axis=0), axis=0)
    worst = mbar * sign * steps[place]
    moments = np.stack([steps[before:] - worst, -steps[before:] - worst])
    errors = np.sqrt(np.einsum("stp,pq,stq->st", moments, study.covariance, moments))
    share = np.cumsum(study.weights[::-1])[::-1]
    combinations, slopes = [], []
    for direction in (1.0, -1.0):
        along = np.stack([np.maximum(direction * share, 0.0), np.maximum(-direction * share, 0.0)])
        scale = (along * errors).sum()
        combinations.append(np.einsum("st,stp->p", along, moments) / scale)
        slopes.append(-direction / scale)
    if after > 1:
        both = errors.sum(axis=0)
        combinations += list((moments.sum(axis=0) / np.where(both > 0, both, 1.0)[:, None])[both > 0])
    return np.stack(combinations), np.array([*slopes, *np.zeros(len(combinations) - 2)])


def _rejected(study: _Study, vertices: Floats, slopes: Floats, grid: Floats, normals: Floats) -> Bools:
    """Whether the conditional test with least-favorable first stage rejects each value (N,)."""
    from scipy.special import log_ndtr, ndtri_exp

    alpha = 1 - study.confidence
    covariance = vertices @ study.covariance @ vertices.T
    statistics = (vertices @ study.effects) + slopes * grid[:, None]
    worst = statistics.argmax(axis=1)
    eta = np.take_along_axis(statistics, worst[:, None], axis=1)[:, 0]
    first = _least_favorable(covariance, normals, 1 - KAPPA * alpha)
    size = (alpha - KAPPA * alpha) / (1 - KAPPA * alpha)
    error = np.sqrt(np.maximum(np.diag(covariance), 0.0))[worst]
    low, high = _truncation(statistics, covariance, worst, eta)
    if study.after > 1:
        high = np.minimum(high, first)
    sure = error <= 1e-10 * np.sqrt(np.diag(covariance).max())
    scale = np.where(sure, 1.0, error)
    low, high, z = low / scale, high / scale, eta / scale
    inside = (low <= z) & (z <= high)
    flip = low > 0
    start, end = np.where(flip, -high, low), np.where(flip, -low, high)
    below, above = np.where(flip, 1 - size, size), np.where(flip, size, 1 - size)
    quantile = ndtri_exp(np.minimum(np.logaddexp(log_ndtr(start) + np.log(below), log_ndtr(end) + np.log(above)), 0.0))
    critical = np.maximum(0.0, np.where(flip, -quantile, quantile))
    second = np.where(sure, eta > 0, inside & (z > critical))
    return np.asarray((eta > first) | second)


def _truncation(statistics: Floats, covariance: Floats, worst: Ints, eta: Floats) -> tuple[Floats, Floats]:
    """Between which values (N,) the largest statistic stays the largest, given all that is independent of it."""
    variance = np.diag(covariance)[worst]
    ratio = np.divide(covariance[worst], variance[:, None], out=np.ones_like(statistics), where=variance[:, None] > 0)
    rest = statistics - ratio * eta[:, None]
    apart = 1 - ratio
    bound = np.divide(rest, apart, out=np.zeros_like(rest), where=np.abs(apart) > 1e-10)
    low = np.where(apart > 1e-10, bound, -np.inf).max(axis=1)
    high = np.where(apart < -1e-10, bound, np.inf).min(axis=1)
    return low, high


def _least_favorable(covariance: Floats, normals: Floats, level: float) -> float:
    """Quantile of the largest of V normals with this covariance (V, V) and mean zero."""
    values, vectors = np.linalg.eigh(covariance)
    root = (vectors * np.sqrt(np.maximum(values, 0.0)))[:, ::-1]
    largest = (root @ normals[: len(values)]).max(axis=0)
    return float(np.quantile(largest, level))


@cache
def _normals(dimensions: int) -> Floats:
    """(dimensions, DRAWS) evenly spread standard normals: Richtmyer's rule with roots of primes, antithetic.

    Their quantiles stray by less than 1 %, those of the thousand random draws of HonestDiD by 5 %.
    """
    from scipy.special import ndtri

    candidates = range(2, 12 * (dimensions + 1))
    primes = [number for number in candidates if all(number % other for other in range(2, math.isqrt(number) + 1))]
    steps = np.sqrt(np.array(primes[:dimensions], dtype=np.float64))[:, None] * np.arange(1, DRAWS // 2 + 1)
    half = ndtri((0.5 + steps) % 1.0)
    return np.concatenate([half, -half], axis=1)
