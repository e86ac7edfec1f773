"""Single cases (E6): how far ratings while taking part stand above those before, for one teacher at a time.

Non-overlap measures (Parker & Vannest 2009; Parker, Vannest & Davis 2011; Parker et al. 2011; Tarlow 2017) and the log
response ratio (Pustejovsky 2018). They say nothing of the spread between teachers: that is `between_case`.
"""

import itertools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from staffroom.measure.cells import Floats, finite

PRETEST = 0.05
"""Level at which a trend before is taken off (Tarlow 2017)."""
SAME = 1e-10
"""Share of the spread below which two corrected ratings count as equal."""
MOST_ENUMERATED = 7
"""Ratings of which all orders are gone through where some are equal."""


@dataclass(frozen=True, slots=True)
class NonOverlap:
    """How ratings of two phases overlap; all measures are higher for the better, whichever direction that is."""

    before: int
    """Ratings in the phase before."""
    during: int
    nap: float
    """Share of all pairs in which the later rating is better, ties half."""
    nap_se: float
    """From the unbiased estimator of its variance (Sen 1967, Mee 1990); NaN with one rating in a phase."""
    nap_low: float
    nap_high: float
    """Newcombe (2006), method 5, as SingleCaseES; for independent ratings."""
    tau: float
    """2 NAP - 1."""
    tau_se: float
    tau_low: float
    tau_high: float
    pnd: float
    """Share of later ratings better than the best before."""
    pem: float
    """Share of later ratings better than the median before, ties half."""
    pand: float
    """Share of ratings left when the fewest are taken away that make the phases apart."""
    ird: float
    """Robust improvement rate difference."""
    tau_u: float
    """Kendall's S between the phases less S of the trend before, over the number of pairs (A vs. B - trend A)."""
    tau_bc: float
    """Tau of what is left after the trend before, if it was taken off."""
    tau_bc_low: float
    tau_bc_high: float
    trend_slope: float
    """Theil-Sen, per session, in the unit of ratings."""
    trend_p: float
    """Kendall's test of a trend before."""
    trend_corrected: bool


def non_overlap(
    before: ArrayLike,
    during: ArrayLike,
    *,
    improvement: str = "increase",
    confidence: float = 0.95,
    pretest: float | None = PRETEST,
) -> NonOverlap:
    """The measures for ratings `before` (m,) and `during` (n,), in order of time; `improvement` 'increase' or 'decrease'.

    A trend before is taken off for Tau-BC if Kendall's test finds it at `pretest`, or always if that is None.
    Raises ValueError that names the row of a missing rating, and for a phase without ratings.
    """
    a, b = _better_up(before, during, improvement)
    if not 0 < confidence < 1:
        raise ValueError("a probability must lie strictly between 0 and 1")
    nap, error = _nap(a, b)
    low, high = _newcombe(nap, a.size, b.size, confidence)
    pand = _pand(a, b)
    slope, p = theil_sen_slope(a), kendall_p(a)
    corrected = a.size > 1 and (pretest is None or p <= pretest)
    left = _nap(*_detrended(a, b, slope))[0] if corrected else nap
    left_low, left_high = _newcombe(left, a.size, b.size, confidence)
    return NonOverlap(
        before=a.size,
        during=b.size,
        nap=nap,
        nap_se=error,
        nap_low=low,
        nap_high=high,
        tau=2 * nap - 1,
        tau_se=2 * error,
        tau_low=2 * low - 1,
        tau_high=2 * high - 1,
        pnd=float(np.mean(b > a.max())),
        pem=float(np.mean(b > np.median(a)) + 0.5 * np.mean(b == np.median(a))),
        pand=pand,
        ird=1 - (a.size + b.size) ** 2 / (2 * a.size * b.size) * (1 - pand),
        tau_u=(2 * nap - 1) - kendall_s(a) / (a.size * b.size),
        tau_bc=2 * left - 1,
        tau_bc_low=2 * left_low - 1,
        tau_bc_high=2 * left_high - 1,
        trend_slope=slope if improvement == "increase" else -slope,
        trend_p=p,
        trend_corrected=corrected,
    )


def _better_up(before: ArrayLike, during: ArrayLike, improvement: str) -> tuple[Floats, Floats]:
    if improvement not in ("increase", "decrease"):
        raise ValueError("improvement must be 'increase' or 'decrease'")
    a, b = finite("rating before", before, 1), finite("rating during", during, 1)
    if not a.size or not b.size:
        raise ValueError("each phase needs at least one rating")
    return (a, b) if improvement == "increase" else (-a, -b)


def _nap(a: Floats, b: Floats) -> tuple[float, float]:
    """NAP and its standard error; the share is kept half a pair from 0 and 1 for the error, as SingleCaseES does."""
    m, n = a.size, b.size
    pairs = (b > a[:, None]) + 0.5 * (b == a[:, None])
    nap = float(pairs.mean())
    if min(m, n) < 2:
        return nap, math.nan
    away = pairs - nap
    first = float((away.sum(axis=1) ** 2).sum()) / (m * n**2)
    second = float((away.sum(axis=0) ** 2).sum()) / (m**2 * n)
    kept = min(max(nap, 0.5 / (m * n)), 1 - 0.5 / (m * n))
    variance = (kept * (1 - kept) + n * first + m * second - 2 * float((away**2).mean())) / ((m - 1) * (n - 1))
    return nap, math.sqrt(variance) if variance >= 0 else math.nan


def _newcombe(nap: float, m: int, n: int, confidence: float) -> tuple[float, float]:
    """Both ends; the upper one mirrors the lower one of 1 - nap."""
    return _newcombe_low(nap, m, n, confidence), 1 - _newcombe_low(1 - nap, m, n, confidence)


def _newcombe_low(nap: float, m: int, n: int, confidence: float) -> float:
    """The x below `nap` with (nap - x)^2 = z^2 v(x); where all pairs agree, 1 - x, which is zero there, is divided out."""
    from scipy.optimize import brentq
    from scipy.special import ndtri

    if nap <= 0:
        return 0.0
    z2, h = float(ndtri((1 + confidence) / 2)) ** 2, (m + n) / 2 - 1

    def away(x: float) -> float:
        distance, rest = ((1 - x), 1.0) if nap >= 1 else ((nap - x) ** 2, 1 - x)
        return float(m * n * distance * (2 - x) * (1 + x) - z2 * x * rest * (2 + h + (1 + 2 * h) * x * (1 - x)))

    return float(brentq(away, 0.0, min(nap, 1.0)))


def _pand(a: Floats, b: Floats) -> float:
    """Parker et al. (2011): the most of the lowest i before and the highest j during with all of these above those."""
    low, high = np.r_[-np.inf, np.sort(a)], np.r_[np.inf, np.sort(b)[::-1]]
    kept = np.add.outer(np.arange(low.size), np.arange(high.size))
    return float(kept[low[:, None] < high].max()) / (a.size + b.size)


def kendall_s(values: Floats) -> float:
    """Pairs in rising order less pairs in falling order, later against earlier."""
    return float(np.triu(np.sign(values[None, :] - values[:, None])).sum())


def kendall_p(values: ArrayLike) -> float:
    """Two-sided probability of Kendall's S against time if order were by chance; 1 with fewer than 3 values.

    Exact without ties; with ties all orders of up to 7 values are gone through, and beyond that the normal distribution
    with the variance for ties and continuity is used (Kendall 1970).
    """
    array = finite("value", values, 1)
    s = abs(kendall_s(array))
    if array.size < 3 or s == 0:
        return 1.0
    counts = np.unique(array, return_counts=True)[1]
    if counts.max() == 1:
        return _exact_p(array.size, s)
    if array.size <= MOST_ENUMERATED:
        orders = itertools.permutations(array)
        return float(np.mean([abs(kendall_s(np.array(order))) >= s for order in orders]))
    variance = (_ties(np.array([array.size])) - _ties(counts)) / 18
    return math.erfc(max(s - 1, 0.0) / math.sqrt(2 * variance))


def _ties(counts: "np.typing.NDArray[np.int64]") -> float:
    return float((counts * (counts - 1) * (2 * counts + 5)).sum())


def _exact_p(size: int, s: float) -> float:
    """Numbers of inversions are counted by adding one value after another (Kaarsemaker & van Wijngaarden 1953)."""
    ways = np.ones(1)
    for length in range(2, size + 1):
        ways = np.convolve(ways, np.ones(length)) / length
    inversions = np.arange(ways.size)
    return float(min(1.0, ways[np.abs(size * (size - 1) / 2 - 2 * inversions) >= s - 1e-9].sum()))


def theil_sen_slope(values: ArrayLike) -> float:
    """Median slope over all pairs, per session; NaN with one value."""
    array = finite("value", values, 1)
    if array.size < 2:
        return math.nan
    i, j = np.triu_indices(array.size, 1)
    return float(np.median((array[j] - array[i]) / (j - i)))


def _detrended(a: Floats, b: Floats, slope: float) -> tuple[Floats, Floats]:
    """Both phases less the line through the first, with differences that are only rounding taken away."""
    whole = np.r_[a, b] - slope * np.arange(1, a.size + b.size + 1)
    scale = float(np.abs(np.r_[a, b]).max(initial=0.0)) + abs(slope) * whole.size
    if scale > 0:
        whole = np.round(whole / (SAME * scale)) * (SAME * scale)
    return whole[: a.size], whole[a.size :]


@dataclass(frozen=True, slots=True)
class ResponseRatio:
    """Logarithm of the mean during over the mean before."""

    log_ratio: float
    """Above zero is the better."""
    standard_error: float
    low: float
    high: float
    percent_change: float
    """100 (exp(log of the means' ratio) - 1), in the direction of the ratings."""


def log_response_ratio(
    before: ArrayLike, during: ArrayLike, *, improvement: str = "increase", confidence: float = 0.95
) -> ResponseRatio:
    """Log response ratio with the correction for small samples (Pustejovsky 2018, eq. 3-5; SingleCaseES' LRRi and LRRd).

    For ratings on a ratio scale whose means are above zero, and independent. Raises ValueError where they are not, and
    with fewer than 2 ratings in a phase.
    """
    from scipy.special import ndtri

    _better_up(before, during, improvement)
    phases = [finite("rating", phase, 1) for phase in (before, during)]
    if min(phase.size for phase in phases) < 2:
        raise ValueError("each phase needs at least two ratings")
    if min(float(phase.mean()) for phase in phases) <= 0:
        raise ValueError("a ratio needs means above zero")
    unsure = [float((phase / phase.mean()).var(ddof=1)) / phase.size for phase in phases]
    logs = [math.log(phase.mean()) + part / 2 for phase, part in zip(phases, unsure, strict=True)]
    sign = 1 if improvement == "increase" else -1
    ratio, error = sign * (logs[1] - logs[0]), math.sqrt(sum(unsure))
    half = float(ndtri((1 + confidence) / 2)) * error
    return ResponseRatio(ratio, error, ratio - half, ratio + half, 100 * math.expm1(logs[1] - logs[0]))
