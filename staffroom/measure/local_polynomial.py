"""Local polynomials on one side of a cutoff, with a triangular kernel, and variances of what they say at the cutoff.

Rows are kept in order of their distance from the cutoff, so that the window of a bandwidth is a first part of them and
their nearest neighbors stand beside them.
"""

from dataclasses import dataclass

import numpy as np

from staffroom.measure.cells import Floats, Ints

VARIANCES = ("nn", "hc0", "hc1", "hc2", "hc3")
MATCHES = 3
"""Neighbors that a residual is taken against at least, as usual since Abadie & Imbens (2006)."""
TIE = float(np.sqrt(np.finfo(np.float64).eps))


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """N rows on one side of the cutoff, nearest first."""

    x: Floats
    """(N,) running variable less the cutoff; all of one sign."""
    y: Floats
    """(N, D) outcome, then take-up if it is fuzzy."""
    weight: Floats
    """(N,) above 0."""
    cluster: Ints | None
    """(N,) small codes; None: every row for itself."""
    value: Ints
    """(N,) which of the different values of x, counted from the cutoff."""
    first: Ints
    """(M + 1,) where the rows of each different value begin; last, N."""

    @property
    def values(self) -> int:
        """Different values of the running variable."""
        return len(self.first) - 1

    @property
    def reach(self) -> float:
        """Distance of the farthest row."""
        return float(abs(self.x[-1]))

    def distance(self, count: int) -> float:
        """Of the value that is the `count`-th (or the last) from the cutoff."""
        return float(abs(self.x[self.first[min(count, self.values) - 1]]))

    def within(self, bandwidth: float) -> int:
        """Rows nearer than `bandwidth`: those with a kernel weight above 0."""
        return int(np.searchsorted(np.abs(self.x), bandwidth, side="left"))


def make_side(x: Floats, y: Floats, weight: Floats, cluster: Ints | None) -> Side:
    """A side from rows in any order."""
    distance = np.abs(x)
    order = np.argsort(distance, kind="stable")
    far = distance[order]
    new = np.r_[True, far[1:] != far[:-1]] if far.size else np.zeros(0, dtype=np.bool_)
    first = np.r_[np.flatnonzero(new), far.size].astype(np.int64)
    codes = None if cluster is None else cluster[order]
    return Side(x[order], y[order], weight[order], codes, np.cumsum(new) - 1, first)


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """A polynomial in t = x / bandwidth over the first `rows` rows, weighted by kernel and weight."""

    bandwidth: float
    rows: int
    design: Floats
    """(rows, order + 1) powers of t."""
    kernel: Floats
    """(rows,)"""
    inverse: Floats
    coefficients: Floats
    """(order + 1, D) of powers of t; divide by powers of the bandwidth for those of x."""

    @property
    def order(self) -> int:
        """Degree of the polynomial."""
        return int(self.design.shape[1]) - 1

    def pulls(self, power: int) -> Floats:
        """(rows,) how each row's y enters the coefficient of t**power."""
        return np.asarray(self.kernel * (self.design @ self.inverse[power]))

    def bias(self, power: int) -> float:
        """By how much t**(order + 1) would move the coefficient of t**power."""
        beyond = self.design[:, -1] * self.design[:, 1] if self.order else self.design[:, 0]
        return float(self.inverse[power] @ (self.design.T @ (self.kernel * beyond)))


def fit(side: Side, bandwidth: float, order: int) -> Fit | None:
    """Fit within `bandwidth`; None if it holds too few different values or they leave the polynomial open."""
    if not (np.isfinite(bandwidth) and bandwidth > 0):
        return None
    rows = side.within(bandwidth)
    if rows == 0 or side.value[rows - 1] + 1 < order + 1:
        return None
    t = side.x[:rows] / bandwidth
    kernel = (1 - np.abs(t)) * side.weight[:rows]
    design = powers(t, order)
    weighed = design * kernel[:, None]
    try:
        inverse = np.linalg.inv(design.T @ weighed)
    except np.linalg.LinAlgError:
        return None
    return Fit(bandwidth, rows, design, kernel, inverse, inverse @ (weighed.T @ side.y[:rows]))


def powers(t: Floats, order: int) -> Floats:
    """(N, order + 1): 1, t, t**2, …"""
    design = np.empty((len(t), order + 1))
    design[:, 0] = 1.0
    for power in range(order):
        design[:, power + 1] = design[:, power] * t
    return design


def residuals(side: Side, rows: int, found: Fit, variance: str) -> Floats:
    """(rows, D) residuals of the first `rows` rows for a variance of this kind; clustered ones are plain.

    'nn' against the mean of the nearest neighbors; 'hc0' to 'hc3' from the polynomial.
    """
    if variance == "nn" and side.cluster is None:
        return neighbor_residuals(side, rows)
    design = powers(side.x[:rows] / found.bandwidth, found.order)
    left = np.asarray(side.y[:rows] - design @ found.coefficients)
    if side.cluster is not None or variance == "hc0":
        return left
    if variance == "hc1":
        return np.asarray(left * np.sqrt(rows / max(rows - found.order - 1, 1)))
    leverage = np.zeros(rows)
    leverage[: found.rows] = np.einsum("np,np->n", found.design @ found.inverse, found.design) * found.kernel
    slack = np.maximum(1 - leverage, 1e-8)[:, None]
    return np.asarray(left / (np.sqrt(slack) if variance == "hc2" else slack))


def neighbor_residuals(side: Side, rows: int) -> Floats:
    """(rows, D) each y less the mean of at least MATCHES nearest others, scaled to the variance (Abadie & Imbens 2006).

    Rows with the same x are neighbors together, as are values at the same distance to either side.
    """
    count = int(side.value[rows - 1]) + 1
    first = np.r_[side.first[:count], rows]
    place = np.abs(side.x[first[:-1]])
    low, high = np.arange(count), np.arange(count)
    wanted = min(MATCHES, rows - 1)
    while (short := np.flatnonzero(first[high + 1] - first[low] - 1 < wanted)).size:
        lower, upper = low[short], high[short]
        down = np.where(lower > 0, place[short] - place[np.maximum(lower - 1, 0)], np.inf)
        up = np.where(upper < count - 1, place[np.minimum(upper + 1, count - 1)] - place[short], np.inf)
        with np.errstate(invalid="ignore"):
            tie = np.maximum(down, up) * TIE
            low[short] = np.where((down - up <= tie) | np.isinf(up), lower - np.isfinite(down), lower)
            high[short] = np.where((up - down <= tie) | np.isinf(down), upper + np.isfinite(up), upper)
    others = (first[high + 1] - first[low] - 1).astype(np.float64)
    y = side.y[:rows] - side.y[:rows].mean(axis=0)
    sums = np.vstack([np.zeros(y.shape[1]), np.cumsum(y, axis=0)])
    around = (sums[first[high + 1]] - sums[first[low]])[side.value[:rows]] - y
    matched = np.maximum(others, 1.0)[side.value[:rows], None]
    return np.asarray(np.sqrt(matched / (matched + 1)) * (y - around / matched))


def spread(side: Side, scores: Floats, parameters: int) -> float:
    """Variance of a sum of `scores` (rows,) of the first rows: of squares, or of cluster sums with the factor of CR1."""
    if side.cluster is None:
        return float(scores @ scores)
    sums = np.bincount(side.cluster[: len(scores)], scores)
    clusters = len(np.unique(side.cluster[: len(scores)]))
    return float(sums @ sums) * cluster_factor(len(scores), clusters, parameters)


def cluster_factor(rows: int, clusters: int, parameters: int) -> float:
    """(n-1)/(n-k) * G/(G-1); NaN with one cluster or no row to spare."""
    if clusters < 2 or rows <= parameters:
        return np.nan
    return (rows - 1) / (rows - parameters) * clusters / (clusters - 1)
