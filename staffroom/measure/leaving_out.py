"""The jump at a cutoff without each cluster in turn, bandwidths as they are: a jackknife from moments per cluster.

MacKinnon, Nielsen & Webb (2023, Journal of Applied Econometrics 38(5)): with few or unequal clusters the jackknife
variance (CV3) keeps its promises where the usual sum of squared cluster scores is too small.
"""

import numpy as np

from staffroom.measure.bandwidth import Bandwidths
from staffroom.measure.cells import Floats, sum_by
from staffroom.measure.local_polynomial import Side, fit


def levels_without(side: Side, chosen: Bandwidths, clusters: int) -> tuple[Floats, Floats]:
    """(clusters, D) levels at the cutoff without each cluster code 0..clusters-1, and the bias-corrected ones.

    NaN where a side cannot do without a cluster.
    """
    level, moved = _without(side, chosen.main, 1, clusters)
    curve, _ = _without(side, chosen.bias, 2, clusters)
    shift = moved[:, :1] * (chosen.main / chosen.bias) ** 2
    return level[:, 0], level[:, 0] - shift * curve[:, 2]


def _without(side: Side, bandwidth: float, order: int, clusters: int) -> tuple[Floats, Floats]:
    """Coefficients (clusters, order + 1, D) without each cluster, and what t**(order + 1) does to them (clusters, order + 1)."""
    found = fit(side, bandwidth, order)
    if found is None or side.cluster is None:
        raise ValueError("nothing to leave out")
    width = order + 1
    beyond = found.design[:, -1] * found.design[:, 1]
    right = np.column_stack([found.design, side.y[: found.rows], beyond])
    products = (found.kernel[:, None] * found.design)[:, :, None] * right[:, None, :]
    sums = sum_by(side.cluster[: found.rows], products.reshape(found.rows, -1), clusters)
    by_cluster = sums.reshape(clusters, width, -1)
    left = by_cluster.sum(axis=0) - by_cluster
    gram, answers = left[:, :, :width], left[:, :, width:]
    open_end = np.linalg.cond(gram) > 1e12
    solved = np.linalg.solve(np.where(open_end[:, None, None], np.eye(width), gram), answers)
    solved[open_end] = np.nan
    return solved[:, :, :-1], solved[:, :, -1]
