"""Whether the running variable is denser on one side of the cutoff: a sign that people sorted around it.

Cattaneo, Jansson & Ma (2020, Journal of the American Statistical Association 115(531)): the slope of a polynomial through
the empirical distribution function, without bins, on each side; quadratic for the bandwidths, cubic for the test (robust
to bias), triangular kernel, jackknife variance, each side with the median of three bandwidths, as the package rddensity
does by default.

Where the running variable takes few, evenly spaced values, densities mean little; then the share of people on the value
at the cutoff is held against its two neighbors (Frandsen 2017, Advances in Econometrics 38). A heap on the cutoff itself, which
polynomials do not see, is looked for apart.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from staffroom.measure.cells import Bools, Floats, Ints, finite
from staffroom.measure.effects import NORMAL

ORDER = 2
LEAST = 20 + ORDER + 1
"""A bandwidth holds so many rows and so many different values on each side, if there are."""
REFERENCE = {ORDER: 548.57142857142857, ORDER + 2: 3430865.4551236178}
"""Constants of the normal reference rule: for the density with order 2, for its second derivative with order 4."""
CURVATURE = 0.02
"""How far, as a share, the frequency at the cutoff may lie off the mean of its neighbors without sorting."""


@dataclass(frozen=True, slots=True)
class Density:
    """The test; `t` and `p` are NaN where `reason` says that it cannot be made."""

    t: float
    p: float
    """Two-sided, of no jump in density; below 0.05 people seem to have sorted."""
    left: float
    """Density at the cutoff from below, per unit of the running variable."""
    right: float
    bandwidth_left: float
    bandwidth_right: float
    n_left: int
    n_right: int
    effective_left: int
    effective_right: int
    values_left: int
    values_right: int
    discrete: bool
    """Too few different values for a density: half of the rows or more repeat one, and a side has fewer than 23."""
    discrete_p: float
    """Frandsen's test; NaN where few rows repeat a value or values at the cutoff are unevenly spaced."""
    heap: int
    """Rows on the one value at the cutoff, the first at or above it."""
    heap_p: float
    """That so many would be, if values next to each other were as frequent (two on either side; binomial, one-sided).
    Polynomials do not see a heap on one value; 1 where at most one row stands there."""
    reason: str
    """'' or 'cutoff_outside', 'too_few_rows', 'too_few_values'."""

    @property
    def verdict(self) -> float:
        """The p to go by: Frandsen's where the running variable is discrete, else that of the densities and, where rows
        share the value at the cutoff, of the heap (the smaller, doubled); NaN for none."""
        if self.discrete:
            return self.discrete_p
        return self.p if self.heap < 2 else min(1.0, 2 * min(self.p, self.heap_p))


def density_test(running: ArrayLike, cutoff: float = 0.0, *, curvature: float = CURVATURE) -> Density:
    """Test `running` (R,), one row per person or teacher (not per result), at `cutoff`; at or above it is right.

    Raises ValueError that names the row for what is missing or not finite.
    """
    if not math.isfinite(cutoff):
        raise ValueError("the cutoff is not finite")
    x = np.sort(finite("running", running, 1) - cutoff)
    values, last = _different(x)
    reason = _refusal(x, values)
    if reason in ("cutoff_outside", "too_few_rows"):
        return _described(x, values, (np.nan, np.nan), None, reason, np.nan, curvature)
    discrete_p = _discrete(x, values, curvature) if _repeated(x, values) else np.nan
    if reason:
        return _described(x, values, (np.nan, np.nan), None, reason, discrete_p, curvature)
    height = last[np.searchsorted(values, x)] / (len(x) - 1)
    sides = [_Side(x, values, height, x < 0), _Side(x, values, height, x >= 0)]
    bandwidths = _bandwidths(sides[0], sides[1], x)
    slopes = [side.slope(bandwidth, ORDER + 1) for side, bandwidth in zip(sides, bandwidths, strict=True)]
    return _described(x, values, bandwidths, slopes, "", discrete_p, curvature)


def _different(x: Floats) -> tuple[Floats, Ints]:
    """Different values of sorted x and the place of the last row of each."""
    last = np.flatnonzero(np.r_[x[1:] != x[:-1], np.ones(min(len(x), 1), dtype=np.bool_)])
    return x[last], last


def _repeated(x: Floats, values: Floats) -> bool:
    return 2 * len(values) <= len(x)


def _refusal(x: Floats, values: Floats) -> str:
    if not len(x) or values[0] >= 0 or values[-1] <= 0:
        return "cutoff_outside"
    if min(np.count_nonzero(x < 0), np.count_nonzero(x >= 0)) < 10:
        return "too_few_rows"
    few = min(np.count_nonzero(values < 0), np.count_nonzero(values >= 0)) < ORDER + 4
    return "too_few_values" if few else ""


@dataclass(frozen=True, slots=True)
class _Slope:
    density: float
    variance: float
    rows: int


class _Side:
    """One side's rows, in order, with the height of the distribution function of all rows."""

    def __init__(self, x: Floats, values: Floats, height: Floats, here: Bools) -> None:
        self.x, self.height, self.total = x[here], height[here], len(x)
        self.values = values[(values < 0) == (self.x[0] < 0)]
        self.left = bool(self.x[0] < 0)

    @property
    def reach(self) -> float:
        return float(np.abs(self.values).max())

    def least(self, count: int) -> float:
        """Distance within which there are `count` rows and as many different values, if there are."""
        return max(float(np.sort(np.abs(part))[min(count, len(part)) - 1]) for part in (self.x, self.values))

    def fit(self, bandwidth: float, order: int) -> tuple[Floats, Floats, Floats, Floats]:
        """Rows within `bandwidth`: x, weighted powers of x / bandwidth, inverse of their products, coefficients."""
        near = np.abs(self.x) <= bandwidth
        x, height = self.x[near], self.height[near]
        t = x / bandwidth
        design = t[:, None] ** np.arange(order + 1)
        weighed = design * (1 - np.abs(t))[:, None]
        inverse = np.linalg.pinv(weighed.T @ design)
        return x, weighed, inverse, inverse @ (weighed.T @ height)

    def slope(self, bandwidth: float, order: int) -> _Slope:
        """The density at the cutoff, and its jackknife variance."""
        x, weighed, inverse, coefficients = self.fit(bandwidth, order)
        pull = weighed @ inverse[1] / (self.total - 1)
        beyond = pull[::-1].cumsum()[::-1] - pull
        first = np.r_[True, x[1:] != x[:-1]]
        beyond = beyond[np.maximum.accumulate(np.where(first, np.arange(len(x)), 0))]
        return _Slope(float(coefficients[1] / bandwidth), float(beyond @ beyond / bandwidth**2), len(x))

    def curve(self, bandwidth: float) -> float:
        """Coefficient of x**(ORDER + 1) in a polynomial of two orders more."""
        return float(self.fit(bandwidth, ORDER + 2)[3][ORDER + 1] / bandwidth ** (ORDER + 1))


def _bandwidths(left: _Side, right: _Side, x: Floats) -> tuple[float, float]:
    """For each side the median of its own bandwidth, that of the difference and that of the sum of both densities."""
    reach = max(left.reach, right.reach)
    center = float(x.mean() / x.std(ddof=1))
    ahead, pilot = (_pilot(x, center, order) for order in (ORDER + 2, ORDER))
    ahead = max(min(ahead, reach), left.least(LEAST + 2), right.least(LEAST + 2))
    pilot = max(min(pilot, reach), left.least(LEAST), right.least(LEAST))
    variance = [side.slope(pilot, ORDER).variance * pilot for side in (left, right)]
    bias = [_bias() * side.curve(ahead) * sign for side, sign in ((left, (-1) ** ORDER), (right, 1))]
    both = sum(variance)
    shared = [
        max(min(_optimal(both, bias[1] + sign * bias[0]), reach), left.least(LEAST), right.least(LEAST))
        for sign in (-1, 1)
    ]
    own = [
        max(min(_optimal(variance[place], bias[place]), side.reach), side.least(LEAST))
        for place, side in enumerate((left, right))
    ]
    return float(np.median([own[0], *shared])), float(np.median([own[1], *shared]))


def _pilot(x: Floats, center: float, order: int) -> float:
    """Bandwidth for `order` if the running variable were normal."""
    hermite = np.polynomial.hermite_e.hermeval(center, [0.0] * order + [1.0])
    with np.errstate(divide="ignore"):
        flat = 1 / np.float64(hermite**2 * NORMAL.pdf(center))
    if order == ORDER:
        size = flat * REFERENCE[order] / (2 * ORDER * len(x))
        return float(size ** (1 / (2 * ORDER + 1)) * x.std(ddof=1))
    size = (2 * ORDER + 1) / 4 * flat * REFERENCE[order] / len(x)
    return float(size ** (1 / (2 * ORDER + 5)) * x.std(ddof=1))


def _bias() -> float:
    """What a unit of x**(ORDER + 1) does to the slope at the end, per bandwidth**ORDER, with a triangular kernel."""
    power = np.arange(ORDER + 1)
    gram = power[:, None] + power
    beyond = power + ORDER + 1
    moments = [1 / ((m + 1) * (m + 2)) for m in (gram, beyond)]
    return float(np.linalg.solve(moments[0], moments[1])[1])


def _optimal(variance: float, bias: float) -> float:
    with np.errstate(divide="ignore"):
        return float((np.float64(variance) / bias**2 / (2 * ORDER)) ** (1 / (2 * ORDER + 1)))


def _discrete(x: Floats, values: Floats, curvature: float) -> float:
    """Frandsen's p: of the people on the value at the cutoff and its neighbors, a third, give or take, are on the middle.

    NaN if the three values are not evenly spaced.
    """
    here = int(np.searchsorted(values, 0))
    if here + 1 >= len(values):
        return np.nan
    steps = np.diff(values[here - 1 : here + 2])
    if abs(steps[0] - steps[1]) > 1e-6 * steps.max():
        return np.nan
    counts = [int(np.count_nonzero(x == value)) for value in values[here - 1 : here + 2]]
    low, high = ((1 - curvature) / (3 - curvature), (1 + curvature) / (3 + curvature))
    share = counts[1] / sum(counts)
    if low <= share <= high:
        return 1.0
    return binomial_p(counts[1], sum(counts), low if share < low else high)


def binomial_p(count: int, total: int, share: float) -> float:
    """Two-sided: the probability of all counts that are no likelier than `count` of `total`."""
    from scipy.special import gammaln

    k = np.arange(total + 1)
    likelihood = k * math.log(share) + (total - k) * math.log1p(-share) - gammaln(k + 1) - gammaln(total - k + 1)
    rare = likelihood <= likelihood[count] + 1e-7
    return float(min(1.0, np.exp(likelihood[rare] + gammaln(total + 1)).sum()))


def _heap(x: Floats, values: Floats, curvature: float) -> tuple[int, float]:
    """Rows on the first value at or above the cutoff, and how likely so many are beside the two values on either side."""
    here = int(np.searchsorted(values, 0))
    if here == len(values):
        return 0, np.nan
    beside = [place for place in range(here - 2, here + 3) if 0 <= place < len(values) and place != here]
    ends = [int(np.searchsorted(x, values[here], side)) for side in ("left", "right")]
    count = ends[1] - ends[0]
    others = sum(int(np.count_nonzero(x == values[place])) for place in beside)
    if count < 2:
        return count, 1.0
    from scipy.special import bdtrc

    share = (1 + curvature) / (len(beside) + 1 + curvature)
    return count, float(bdtrc(count - 1, count + others, share))


def _described(
    x: Floats,
    values: Floats,
    bandwidths: tuple[float, float],
    slopes: list[_Slope] | None,
    reason: str,
    discrete_p: float,
    curvature: float,
) -> Density:
    heap = _heap(x, values, curvature)
    left, right = slopes or [_Slope(np.nan, np.nan, 0)] * 2
    error = math.sqrt(left.variance + right.variance)
    t = (right.density - left.density) / error if error > 0 else np.nan
    return Density(
        t=t,
        p=2 * NORMAL.cdf(-abs(t)) if math.isfinite(t) else np.nan,
        left=left.density,
        right=right.density,
        bandwidth_left=bandwidths[0],
        bandwidth_right=bandwidths[1],
        n_left=int(np.count_nonzero(x < 0)),
        n_right=int(np.count_nonzero(x >= 0)),
        effective_left=left.rows,
        effective_right=right.rows,
        values_left=int(np.count_nonzero(values < 0)),
        values_right=int(np.count_nonzero(values >= 0)),
        discrete=_repeated(x, values) and bool(min(sum(values < 0), sum(values >= 0)) < LEAST),
        discrete_p=discrete_p,
        heap=heap[0],
        heap_p=heap[1],
        reason=reason,
    )
