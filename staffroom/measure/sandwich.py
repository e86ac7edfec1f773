"""Clustered inference for one coefficient of a weighted regression, from moments per cluster.

The weights say whom a result stands for, not how precise it is, so the working model behind CR2 and Satterthwaite's
degrees of freedom is equal variances, whatever the weights (Bell & McCaffrey 2002; Pustejovsky & Tipton 2018). With
regressors X and weights W, M = (X'WX)^-1 and H = X M X'W, the block of (I-H)(I-H)' of a cluster is I + Z C Z' with
Z = [X, WX]: its inverse square root differs from the identity only in the span of Z, whose Gram matrix holds the
moments weighted by 1, w and w^2. So students' rows are not needed.
"""

from dataclasses import dataclass

import numpy as np

from staffroom.measure.cells import Cells, Floats, Ints, sum_by

KINDS = ("CR1", "CR2")
FLAT = 1e-10


@dataclass(frozen=True, slots=True)
class Contrast:
    """One coefficient with its clustered error; NaN error with one cluster or none left for residuals."""

    effect: float
    standard_error: float
    df: float
    clusters: int


@dataclass(frozen=True, slots=True, eq=False)
class PowerMoments:
    """Sums per cluster of products of columns, the outcome first, weighted by 1, by w and by w squared."""

    by_power: Floats
    """(3, G, 1 + K, 1 + K)"""
    results: float
    even: bool = False
    """All weights are one: the three are the same."""


def power_moments(cells: Cells, weights: Floats, students: Ints, constants: Floats, stratum: Ints) -> PowerMoments:
    """Moments of columns `students` (S,) of the cells, then `constants` (C, Q) within each, with `weights` (C,) per result.

    `stratum` (C,) codes cells that share cluster and constants. Columns should be near their means: nothing is centered
    here. Column 0 of `students` is the outcome.
    """
    _, first, code = np.unique(stratum, return_index=True, return_inverse=True)
    even = bool((weights == 1).all())
    by_power = [
        _expanded(*_strata(cells, weights**power, students, code, len(first)), constants[first], cells.cluster[first])
        for power in range(1 if even else 3)
    ]
    sums = np.stack(by_power * 3 if even else by_power)
    whole = np.zeros((3, len(cells.clusters), *sums.shape[2:]))
    whole[:, : sums.shape[1]] = sums
    return PowerMoments(whole, float(cells.n.sum()), even)


def _strata(cells: Cells, weights: Floats, students: Ints, code: Ints, size: int) -> tuple[Floats, Floats, Floats]:
    """Per stratum: mass (M,), sums (M, S) and sums of products (M, S, S) of the students' columns."""
    mass = weights * cells.mass
    weighed = mass[:, None] * cells.mean[:, students]
    products = np.empty((size, len(students), len(students)))
    for k, one in enumerate(students):
        for m, other in enumerate(students[: k + 1]):
            whole = weights * cells.scatter[:, one, other] + weighed[:, k] * cells.mean[:, other]
            products[:, k, m] = products[:, m, k] = np.bincount(code, whole, minlength=size)
    return np.bincount(code, mass, minlength=size), sum_by(code, weighed, size), products


def _expanded(mass: Floats, sums: Floats, products: Floats, constants: Floats, cluster: Ints) -> Floats:
    """(G, S + Q, S + Q) with the constants beside the students' columns, summed by cluster."""
    cross = sums[:, :, None] * constants[:, None, :]
    corner = mass[:, None, None] * constants[:, :, None] * constants[:, None, :]
    top = np.concatenate([products, cross], axis=2)
    bottom = np.concatenate([cross.transpose(0, 2, 1), corner], axis=2)
    whole = np.concatenate([top, bottom], axis=1)
    return sum_by(cluster, whole.reshape(len(mass), -1), int(cluster.max()) + 1).reshape(-1, *whole.shape[1:])


def contrast(moments: PowerMoments, which: int, kind: str) -> Contrast:
    """The coefficient of regressor `which` (0..K-1) of the K in `moments`, which must be independent."""
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {KINDS}, not {kind!r}")
    present = np.diagonal(moments.by_power[0], axis1=1, axis2=2).sum(axis=1) > 0
    by_power = moments.by_power[:, present]
    total = by_power.sum(axis=1)
    inverse = np.linalg.inv(total[1, 1:, 1:])
    beta = inverse @ total[1, 1:, 0]
    clusters = int(np.count_nonzero(present))
    if clusters < 2:
        return Contrast(float(beta[which]), np.nan, np.nan, clusters)
    if kind == "CR1":
        variance, df = _cr1(by_power[1], inverse, beta, which, moments.results)
    else:
        variance, df = _cr2(by_power, total[2, 1:, 1:], inverse, beta, which, moments.even)
    return Contrast(float(beta[which]), float(np.sqrt(variance)), df, clusters)


def _cr1(by_cluster: Floats, inverse: Floats, beta: Floats, which: int, results: float) -> tuple[float, float]:
    scores = (by_cluster[:, 1:, 0] - by_cluster[:, 1:, 1:] @ beta) @ inverse[which]
    clusters = len(scores)
    if results <= len(beta):
        return np.nan, np.nan
    factor = (results - 1) / (results - len(beta)) * clusters / (clusters - 1)
    return float(factor * scores @ scores), clusters - 1.0


def _cr2(
    by_power: Floats, squared: Floats, inverse: Floats, beta: Floats, which: int, even: bool
) -> tuple[float, float]:
    left = by_power[:, :, 1:, 0] - by_power[:, :, 1:, 1:] @ beta
    if even:
        gram, left, off, aim = by_power[0, :, 1:, 1:], left[0], -inverse, inverse[which]
    else:
        plain, weighed, twice = by_power[:, :, 1:, 1:]
        gram = np.block([[plain, weighed], [weighed, twice]])
        left = np.concatenate([left[0], left[1]], axis=1)
        off = np.block([[inverse @ squared @ inverse, -inverse], [-inverse, np.zeros_like(inverse)]])
        aim = np.concatenate([np.zeros(len(beta)), inverse[which]])
    scores, norms, reach = _adjusted(gram, left, off, aim)
    pairs = reach.T @ reach
    own = norms + np.einsum("gk,kl,gl->g", reach, off, reach)
    inner = off @ pairs
    square = norms @ norms + 2 * norms @ (own - norms) + np.trace(inner @ inner)
    return float(scores @ scores), float(own.sum() ** 2 / square) if square > 0 else np.nan


def _adjusted(gram: Floats, left: Floats, off: Floats, aim: Floats) -> tuple[Floats, Floats, Floats]:
    """Per cluster: adjusted score (G,), squared length of its weights (G,), and Z' times these weights (G, 2K).

    `gram` (G, 2K, 2K) is Z'Z, `left` (G, 2K) Z' times residuals, `off` C and `aim` the coefficients in Z of the
    weights that residuals have in the estimate.
    """
    unit = np.sqrt(np.maximum(np.einsum("gkk->k", gram), FLAT))
    gram, left, off, aim = gram / np.outer(unit, unit), left / unit, off * np.outer(unit, unit), aim * unit
    size, basis = np.linalg.eigh(gram)
    kept = size > FLAT * np.maximum(size[:, -1:], FLAT)
    root = np.where(kept, np.sqrt(np.maximum(size, 0.0)), 0.0)
    inverse_root = np.divide(1.0, root, out=np.zeros_like(root), where=root > 0)
    turned = root[:, :, None] * basis.transpose(0, 2, 1)
    block = np.eye(len(aim)) + turned @ off @ turned.transpose(0, 2, 1)
    spread, axes = np.linalg.eigh((block + block.transpose(0, 2, 1)) / 2)
    shrink = np.where(spread > 1e-8, 1 / np.sqrt(np.maximum(spread, 1e-8)), 0.0)
    weights = np.einsum("gkl,gl->gk", axes, shrink * np.einsum("gml,gm->gl", axes, turned @ aim))
    residual = inverse_root * np.einsum("glk,gl->gk", basis, left)
    reach = np.einsum("glk,gk->gl", basis, root * weights) * unit
    return np.einsum("gk,gk->g", weights, residual), np.einsum("gk,gk->g", weights, weights), reach
