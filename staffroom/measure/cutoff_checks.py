"""What must be so if a cutoff alone makes the jump: none in what was settled before, none elsewhere, none by sorting."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from staffroom.measure.cells import Bools, Floats, finite
from staffroom.measure.cutoff import Cutoff, cutoff

DONUTS = (0.05, 0.1)
"""Shares of the bandwidth around the cutoff that are left out."""
PLACEBOS = (0.25, 0.5, 0.75)
"""Quantiles of the running variable on each side at which no jump should be."""


@dataclass(frozen=True, slots=True)
class Check:
    """The jump under other circumstances; `key` is the covariate's place, the other cutoff or the donut's radius."""

    key: float
    found: Cutoff


@dataclass(frozen=True, slots=True)
class Checks:
    """Jumps in covariates, at placebo cutoffs, and without the rows nearest to the cutoff."""

    covariates: tuple[Check, ...]
    placebos: tuple[Check, ...]
    donuts: tuple[Check, ...]


def cutoff_checks(
    y: ArrayLike,
    running: ArrayLike,
    *,
    cutoff_at: float = 0.0,
    covariates: Sequence[ArrayLike] = (),
    bandwidth: float | None = None,
    placebos: Sequence[float] = PLACEBOS,
    donuts: Sequence[float] = DONUTS,
    **options: Any,
) -> Checks:
    """All checks of `cutoff(y, running, cutoff=cutoff_at, **options)`; `covariates` are columns (R,) from before.

    Covariates and placebo cutoffs are looked at as outcomes of a sharp design, each with its own bandwidth; placebo
    cutoffs within one side only, so that the true jump does not enter. `bandwidth` is what donuts are shares of.
    """
    x, outcome = finite("running", running, 1) - cutoff_at, finite("y", y, 1)
    sharp = {name: value for name, value in options.items() if name != "taken"}
    return Checks(
        tuple(Check(float(place), cutoff(column, x, **sharp)) for place, column in enumerate(covariates)),
        tuple(
            Check(point + cutoff_at, _at(point, outcome, x, x < 0 if point < 0 else x >= 0, sharp))
            for point in _points(x, placebos)
        ),
        tuple(
            Check(share * bandwidth, _at(0.0, outcome, x, np.abs(x) >= share * bandwidth, options))
            for share in (donuts if bandwidth is not None and bandwidth > 0 else ())
            if bandwidth is not None
        ),
    )


def _points(x: Floats, quantiles: Sequence[float]) -> list[float]:
    """Values of x at these quantiles of either side, the farthest below first."""
    sides = [side for side in (x[x < 0], x[x >= 0]) if side.size]
    found = [np.quantile(side, quantiles, method="inverted_cdf") for side in sides]
    return [float(point) for point in np.unique(np.concatenate([*found, np.zeros(1)])) if point != 0]


def _at(point: float, y: Floats, x: Floats, keep: Bools, options: Mapping[str, Any]) -> Cutoff:
    per_row = ("taken", "weight", "cluster")
    kept: dict[str, Any] = {
        name: np.asarray(value)[keep] if name in per_row and value is not None else value
        for name, value in options.items()
    }
    return cutoff(y[keep], x[keep], cutoff=point, **kept)
