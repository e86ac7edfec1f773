"""A randomized trial as moments per unit of assignment, and least squares with block effects on them.

What was assigned is constant within a unit, units lie within blocks, and every regressor (assignment, covariates, their
products) is per unit a linear map of the same few columns; so all fits follow from one moment matrix per unit.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from staffroom.measure.cells import Cells, Floats, Ints, sum_by
from staffroom.measure.projection import independent
from staffroom.measure.robust import Coordinates, basis_of

ROUNDING = 1e-13
"""Share of a column's squared level below which its sum of squares may be nothing but rounding."""


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """U units in B blocks, each block with both arms, and the moments of K columns over the results that count."""

    moments: Floats
    """(U, 1+K, 1+K) weighted sums of products of (1, columns), each column less its shift."""
    shift: Floats
    """(K,) the columns' means over all results, taken off before anything is squared."""
    assigned: Floats
    """(U,) 1 or 0."""
    block: Ints
    """(U,) codes into `blocks`."""
    blocks: NDArray[Any]
    """(B,) labels."""
    results: float
    """How many results count."""

    @property
    def mass(self) -> Floats:
        """(U,) what a unit weighs."""
        return self.moments[:, 0, 0]

    @property
    def units(self) -> int:
        """Units with results."""
        return len(self.assigned)

    def by_block(self, values: Floats) -> Floats:
        """(B, Q) sums of `values` (U, Q)."""
        return sum_by(self.block, values, len(self.blocks))

    def column(self, place: int) -> Floats:
        """(U, 1+K) the map that picks one column."""
        pick = np.zeros(self.moments.shape[:2])
        pick[:, 1 + place] = 1.0
        return pick

    def constant(self, values: Floats) -> Floats:
        """(U, 1+K) the map of something constant within units, `values` (U,)."""
        pick = np.zeros(self.moments.shape[:2])
        pick[:, 0] = values
        return pick

    def demeaned(self, maps: Floats) -> Floats:
        """(U, 1+K, k) maps of k columns, less the columns' means over their block."""
        sums = np.einsum("ul,ulk->uk", self.moments[:, 0], maps)
        mean = self.by_block(sums) / self.by_block(self.mass[:, None])
        away = maps.copy()
        away[:, 0] -= mean[self.block]
        return away

    def scale(self, maps: Floats) -> Floats:
        """(k,) sums of squares of columns (U, 1+K, k), and not less than what rounding of a constant could look like."""
        whole = np.einsum("ulk,ulm,umk->k", maps, self.moments, maps, optimize=True)
        level = (np.abs(maps[:, 1:]) * np.abs(self.shift)[:, None]).sum(axis=1)
        return np.asarray(np.maximum(whole, ROUNDING * (self.mass @ level**2)))


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """Q outcomes on the same regressors with block effects."""

    coefficient: Floats
    """(Q,) of the first regressor."""
    covariance: Floats
    """(Q, Q) of these, CR2 by unit; NaN where nothing is left to judge by."""
    df: float
    """Satterthwaite's; NaN likewise."""
    residual_sums: Floats
    """(U, Q) of residuals, by unit."""
    kept: NDArray[np.bool_]
    """(k,) regressors that blocks and earlier ones do not explain."""


def fit(trial: Trial, regressors: list[Floats], outcomes: list[Floats]) -> Fit:
    """Least squares of `outcomes` on `regressors`, both maps (U, 1+K), within blocks.

    CR2 (Pustejovsky & Tipton 2018) of the regression with a dummy per block written out: a unit's hat matrix holds the
    regressors and its own block's dummy, which is kept as an own coordinate.
    """
    answers = trial.demeaned(np.stack(outcomes, axis=2))
    sums = np.einsum("ul,ulq->uq", trial.moments[:, 0], answers)
    if not regressors:
        nothing = np.full(len(outcomes), np.nan)
        return Fit(nothing, np.full((len(outcomes),) * 2, np.nan), np.nan, sums, np.zeros(0, dtype=np.bool_))
    maps = np.stack(regressors, axis=2)
    scale, maps = trial.scale(maps), trial.demeaned(maps)
    held = trial.moments @ maps
    grams = maps.transpose(0, 2, 1) @ held
    kept = independent(grams.sum(axis=0), scale)
    grams, cross = grams[:, kept][:, :, kept], held[:, :, kept].transpose(0, 2, 1) @ answers
    basis = basis_of(grams.sum(axis=0))
    solved = basis @ (basis.T @ cross.sum(axis=0))
    ones = held[:, 0, kept]
    residual_sums = sums - ones @ solved
    if not kept[0]:
        nothing = np.full(len(outcomes), np.nan)
        return Fit(nothing, np.full((len(outcomes),) * 2, np.nan), np.nan, residual_sums, kept)
    scores = basis.T @ (cross - grams @ solved)
    influence, df = _coordinates(trial, basis, grams, ones, scores, residual_sums).reduced()
    part = influence[:, 0]
    return Fit(solved[0], part.T @ part, float(df[0]), residual_sums, kept)


def _coordinates(
    trial: Trial, basis: Floats, grams: Floats, ones: Floats, scores: Floats, residual_sums: Floats
) -> Coordinates:
    """The units in orthonormal coordinates of the regressors, the block's dummy as the last."""
    size = len(basis)
    root = np.sqrt(trial.by_block(trial.mass[:, None])[trial.block])
    shares = np.empty((trial.units, size + 1, size + 1))
    shares[:, :size, :size] = basis.T @ grams @ basis
    shares[:, :size, size] = shares[:, size, :size] = (ones @ basis) / root
    shares[:, size, size] = trial.mass / root[:, 0] ** 2
    whole = np.concatenate([scores, (residual_sums / root)[:, None, :]], axis=1)
    direction = np.r_[basis[0], 0.0][:, None]
    return Coordinates(shares, whole, direction, trial.block)


def unit_moments(cells: Cells, unit: Ints, units: int, mean: Floats, scatter: Floats) -> Floats:
    """(U, 1+K, 1+K) from cells' means (C, K) and scatters (C, K, K), for the unit (C,) of each cell."""
    size, columns = mean.shape
    whole = np.empty((size, columns + 1, columns + 1))
    weighted = cells.mass[:, None] * mean
    whole[:, 0, 0] = cells.mass
    whole[:, 0, 1:] = whole[:, 1:, 0] = weighted
    whole[:, 1:, 1:] = scatter + weighted[:, :, None] * mean[:, None, :]
    return sum_by(unit, whole.reshape(size, -1), units).reshape(units, columns + 1, columns + 1)
