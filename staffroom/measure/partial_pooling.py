"""Effects of a few groups drawn towards their whole, with what is not known of how much groups differ left in the intervals.

y_j ~ N(theta_j, s_j^2), theta_j ~ N(mu, tau^2), mu flat, tau half-normal (Gelman 2006, Bayesian Analysis 1(3), on scales for few
groups). With two or three groups an estimate of tau is often zero, which would say that groups do not differ and that this is sure;
here tau is averaged over instead. Estimates are taken as independent: where they share a comparison, differences between groups look
less sure than they are, so that groups are drawn together more, never less.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from staffroom.measure.cells import Floats, finite, refuse_rows

USUAL_SD = 0.10
"""How far true effects of groups usually lie apart, in SD of the outcome: the scale of the half-normal."""
STEPS = 60
FARTHEST = 5.0
"""In scales: beyond it no tau is looked at."""
HALVINGS = 40


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """Means (k,) of the groups' true effects and the ends of their intervals, in the unit of the estimates."""

    mean: Floats
    low: Floats
    high: Floats


def draw_together(
    effects: ArrayLike, standard_errors: ArrayLike, *, scale: float = USUAL_SD, confidence: float = 0.95
) -> Drawn:
    """The posterior of each group's effect, k >= 1. A single group is its own whole and stays as it is.

    Raises ValueError that names the row for missing or infinite numbers and errors that are not above 0, and for a scale that is not.
    """
    y, s = finite("effect", effects, 1), finite("standard error", standard_errors, 1)
    refuse_rows(s <= 0, "standard error is not above 0")
    if len(y) != len(s) or not len(y):
        raise ValueError(f"{len(y)} effects but {len(s)} standard errors")
    if not scale > 0 or not 0 < confidence < 1:
        raise ValueError("the scale must be above 0, and the confidence between 0 and 1")
    tau = scale * FARTHEST * (np.arange(STEPS) + 0.5) / STEPS
    spread = s**2 + tau[:, None] ** 2
    precision = (1 / spread).sum(axis=1)
    middle = (y / spread).sum(axis=1) / precision
    fit = np.log(spread).sum(axis=1) + np.log(precision) + ((y - middle[:, None]) ** 2 / spread).sum(axis=1)
    likely = -0.5 * (fit + (tau / scale) ** 2)
    weight = np.exp(likely - likely.max())
    weight /= weight.sum()
    share = s**2 / spread
    mean = (1 - share) * y + share * middle[:, None]
    sd = np.sqrt((1 - share) * s**2 + share**2 / precision[:, None])
    tail = (1 - confidence) / 2
    return Drawn(weight @ mean, _quantile(weight, mean, sd, tail), _quantile(weight, mean, sd, 1 - tail))


def _quantile(weight: Floats, mean: Floats, sd: Floats, p: float) -> Floats:
    """The quantile of each column's mixture of normals, by halving."""
    from scipy.special import ndtr

    far = 10 * sd.max()
    low, high = np.full(mean.shape[1], mean.min() - far), np.full(mean.shape[1], mean.max() + far)
    for _half in range(HALVINGS):
        middle = (low + high) / 2
        is_below = weight @ ndtr((middle - mean) / sd) < p
        low, high = np.where(is_below, middle, low), np.where(is_below, high, middle)
    return (low + high) / 2
