"""Whether two effects go together over sites when both are known with an error only: bivariate random effects.

Each site has a pair of estimates with known errors, (x, y) ~ N(mean, S + V), S the covariance of the true effects and V that of
the errors (van Houwelingen, Arends & Stijnen 2002, Statistics in Medicine 21(4); Riley 2009, JRSS A 172(4)). S is had by
restricted maximum likelihood. A plain correlation of estimates is too near zero, since errors water it down; this one is not.

Intervals are those of the restricted profile likelihood, which may reach from -1 to 1: where sites hardly differ in x, nothing
can be said, and then the interval says so. With few sites its usual bound (chi-squared) is too narrow; the quantile of F with
1 and k - 2 degrees of freedom stands in its place, as for an ordinary correlation. The slope is what y gains for one of x.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from staffroom.measure.cells import Bools, Floats, finite, positive

LEAST_SITES = 6
"""Fewer pairs than this do not tell whether two effects go together."""
ANGLES = 49
COARSE, FINE, ROUNDS = 10, 5, 5
CHUNK = 2_000_000
type Mesh = tuple[Floats, Floats, Floats]


@dataclass(frozen=True, slots=True)
class Association:
    """How the true effects of k sites go together."""

    sites: int
    correlation: float
    """Between true effects."""
    low: float
    high: float
    slope: float
    """Units of y for one unit of x; NaN where sites do not differ in x."""
    slope_low: float
    slope_high: float
    """Infinite where the set has no end there."""
    spread_x: float
    """SD of true effects between sites."""
    spread_y: float


def associate(
    x: ArrayLike,
    x_error: ArrayLike,
    y: ArrayLike,
    y_error: ArrayLike,
    *,
    shared: float = 0.0,
    confidence: float = 0.95,
) -> Association:
    """Associate effects `x` and `y` (k,) with standard errors (k,), k >= LEAST_SITES, each in any unit.

    `shared` is the correlation that the two errors of a site are taken to have: 0 where they have nothing in common.
    Raises ValueError that names the row for missing or infinite numbers and errors that are not above 0, for unequal
    lengths, for too few sites, and for a `shared` or `confidence` out of range.
    """
    ours, theirs = (finite("x", x, 1), positive("x_error", x_error)), (finite("y", y, 1), positive("y_error", y_error))
    if len({len(one) for one in (*ours, *theirs)}) > 1:
        raise ValueError("effects and errors differ in length")
    if len(ours[0]) < LEAST_SITES:
        raise ValueError(f"{len(ours[0])} sites; at least {LEAST_SITES} are needed")
    if not -1 < shared < 1 or not 0 < confidence < 1:
        raise ValueError("shared must lie between -1 and 1, confidence between 0 and 1")
    return _Pairs(*ours, *theirs, shared).associated(confidence)


class _Pairs:
    """The pairs in units of their own spread, so that one mesh serves all."""

    def __init__(self, x: Floats, x_error: Floats, y: Floats, y_error: Floats, shared: float) -> None:
        self.unit = np.array([_unit(x, x_error), _unit(y, y_error)])
        self.x, self.y = (x - x.mean()) / self.unit[0], (y - y.mean()) / self.unit[1]
        self.vx, self.vy = (x_error / self.unit[0]) ** 2, (y_error / self.unit[1]) ** 2
        self.vxy = shared * np.sqrt(self.vx * self.vy)
        self.most = 4.0

    def associated(self, confidence: float) -> Association:
        from scipy.special import fdtri

        bound = float(fdtri(1, len(self.x) - 2, confidence)) / 2
        correlations = np.sin(np.linspace(-math.pi / 2, math.pi / 2, ANGLES))
        profile, spread_x, spread_y = self._best(correlations, _by_correlation)
        best = int(np.argmax(profile))
        low, high = _ends(correlations, profile, bound)
        slope, slope_low, slope_high = self._slope(bound)
        return Association(
            sites=len(self.x), correlation=_peak(correlations, profile), low=low, high=high, slope=slope,
            slope_low=slope_low, slope_high=slope_high, spread_x=float(spread_x[best] * self.unit[0]),
            spread_y=float(spread_y[best] * self.unit[1]),
        )  # fmt: skip

    def _slope(self, bound: float) -> tuple[float, float, float]:
        """Along directions of (x, y): at a right angle to x sites differ in y alone and the slope has no end."""
        angles = np.linspace(-math.pi / 2, math.pi / 2, ANGLES)
        profile, along, _rest = self._best(angles, _by_angle)
        ratio = self.unit[1] / self.unit[0]
        if max(profile[0], profile[-1]) >= profile.max() - bound:
            low, high = -math.inf, math.inf
        else:
            low, high = (math.tan(end) * ratio for end in _ends(angles, profile, bound))
        best = _peak(angles, profile)
        vague = along[int(np.argmax(profile))] <= 1e-3 or abs(best) > math.pi / 2 - 1e-6
        return float(math.nan if vague else math.tan(best) * ratio), float(low), float(high)

    def _best(self, values: Floats, covariance: Callable[[Floats, Floats, Floats], Mesh]) -> Mesh:
        """(M,) the greatest likelihood for each of `values`, and the two spreads where it lies: a mesh made finer around its top."""
        step = np.linspace(0.0, 1.0, COARSE) ** 1.5 * self.most
        first, second = (one.ravel() for one in np.meshgrid(step, step, indexing="ij"))
        size = len(values)
        one, two = np.tile(first, (size, 1)), np.tile(second, (size, 1))
        reach = np.full((size, 1), self.most / (COARSE - 1) * 1.6)
        offset = np.linspace(-1.0, 1.0, FINE)
        around = tuple(each.ravel()[None, :] for each in np.meshgrid(offset, offset, indexing="ij"))
        for turn in range(ROUNDS + 1):
            found = self.likelihood(*covariance(values[:, None], one, two))
            top = np.argmax(found, axis=1)[:, None]
            best = [np.take_along_axis(each, top, axis=1) for each in (found, one, two)]
            if turn < ROUNDS:
                one, two = (np.clip(best[1 + k] + reach * around[k], 0.0, self.most) for k in (0, 1))
                reach = reach / 2.4
        return best[0][:, 0], best[1][:, 0], best[2][:, 0]

    def likelihood(self, a: Floats, c: Floats, d: Floats) -> Floats:
        """Restricted log-likelihood of covariances [[a, c], [c, d]], each of any one shape; without its constant."""
        flat = [np.ravel(one) for one in np.broadcast_arrays(a, c, d)]
        size = max(1, CHUNK // len(self.x))
        parts = [self._likelihood(*(one[at : at + size, None] for one in flat)) for at in range(0, flat[0].size, size)]
        return np.concatenate(parts).reshape(np.broadcast_shapes(a.shape, c.shape, d.shape))

    def _likelihood(self, a: Floats, c: Floats, d: Floats) -> Floats:
        xx, xy, yy = a + self.vx, c + self.vxy, d + self.vy
        det = xx * yy - xy * xy
        wx, wxy, wy = yy / det, -xy / det, xx / det
        x, y = self.x, self.y
        sx, sxy, sy = wx.sum(axis=1), wxy.sum(axis=1), wy.sum(axis=1)
        bx, by = wx @ x + wxy @ y, wxy @ x + wy @ y
        whole = sx * sy - sxy * sxy
        squares = wx @ (x * x) + 2 * (wxy @ (x * y)) + wy @ (y * y)
        explained = (sy * bx * bx - 2 * sxy * bx * by + sx * by * by) / whole
        found: Floats = -0.5 * (np.log(det).sum(axis=1) + np.log(whole) + squares - explained)
        return found


def _unit(values: Floats, errors: Floats) -> float:
    return float(max(values.std(ddof=1), np.sqrt(np.mean(errors**2))))


def _by_correlation(correlation: Floats, x: Floats, y: Floats) -> Mesh:
    return x * x, correlation * x * y, y * y


def _by_angle(angle: Floats, along: Floats, rest: Floats) -> Mesh:
    """True effects on a line through the mean in this direction, and what y differs beside it."""
    cosine, sine = np.cos(angle), np.sin(angle)
    return (along * cosine) ** 2, along**2 * cosine * sine, (along * sine) ** 2 + rest**2


def _ends(values: Floats, profile: Floats, bound: float) -> tuple[float, float]:
    """The outer ends of the set where the profile is within `bound` of its top, between the mesh by straight lines."""
    height = profile - (profile.max() - bound)
    inside: Bools = height >= 0
    first, last = int(np.argmax(inside)), len(values) - 1 - int(np.argmax(inside[::-1]))
    low = values[0] if first == 0 else _crossing(values, height, first - 1, first)
    high = values[-1] if last == len(values) - 1 else _crossing(values, height, last, last + 1)
    return float(low), float(high)


def _crossing(values: Floats, height: Floats, one: int, other: int) -> float:
    share = height[one] / (height[one] - height[other])
    return float(values[one] + share * (values[other] - values[one]))


def _peak(values: Floats, profile: Floats) -> float:
    """The top, between the mesh by a parabola."""
    best = int(np.argmax(profile))
    if not 0 < best < len(values) - 1:
        return float(values[best])
    three = slice(best - 1, best + 2)
    bend, rise, _level = np.polyfit(values[three] - values[best], profile[three], 2)
    moved = -rise / (2 * bend) if bend < 0 else 0.0
    return float(np.clip(values[best] + moved, values[best - 1], values[best + 1]))
