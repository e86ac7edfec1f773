"""Randomization inference: what would have come out under other draws of the lottery.

Under the sharp hypothesis that taking part adds b to every result, all outcomes under every draw are known. Statistic:
the studentized difference within blocks (CR2 by unit), of residuals from covariates if there are any; studentized, the
test is also valid in large samples for the average effect (Wu & Ding 2021, Journal of the American Statistical
Association 116(536)). Residuals are linear in b, so that one set of draws serves every b.
"""

import itertools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from staffroom.measure.cells import Floats, Ints
from staffroom.measure.inversion import Statistic, interval, joined, p_value
from staffroom.measure.trial import Trial, fit

WORK, LEAST, BLOCK = 10_000_000, 199, 500_000
"""Draws times units at most, but so many draws at least; and how much of it at once."""
EXPLAINED = 1e-9
"""Share of the assignment that covariates must leave for a test."""


@dataclass(frozen=True, slots=True)
class Randomization:
    """The randomization test of no effect and the effects that it does not reject."""

    p: float
    low: float
    high: float
    draws: int
    enumerated: bool
    """Whether these are all assignments that the lottery could have drawn."""


@dataclass(frozen=True, slots=True, eq=False)
class Draws:
    """Assignments that the lottery could have drawn, of the units in the order of their blocks."""

    order: Ints
    """(U,) units, sorted by block."""
    assigned: NDArray[np.int8]
    """(B, U) as many per block as were drawn."""
    enumerated: bool
    """Whether these are all."""


def draws(trial: Trial, permutations: int, generator: np.random.Generator) -> Draws:
    """All assignments if they are no more than `permutations` + 1; otherwise that many, or fewer of very many units."""
    order = np.argsort(trial.block, kind="stable")
    groups = np.split(trial.assigned[order], np.flatnonzero(np.diff(trial.block[order])) + 1)
    possible = math.prod(math.comb(len(one), int(one.sum())) for one in groups)
    if possible <= permutations + 1:
        return Draws(order, _every(groups), True)
    count = min(permutations, max(LEAST, WORK // trial.units))
    parts = [generator.permuted(np.tile(one.astype(np.int8), (count, 1)), axis=1) for one in groups]
    return Draws(order, np.concatenate(parts, axis=1), False)


def randomization_test(trial: Trial, covariates: list[Floats], drawn: Draws, *, confidence: float) -> Randomization:
    """The test of no effect, with the covariates' maps (U, 1+K) partialled out, and its inversion."""
    order = drawn.order
    sums = fit(trial, covariates, [trial.column(0), trial.constant(trial.assigned)]).residual_sums[order]
    world = _World(trial.mass[order], trial.block[order], sums)
    block, size = max(1, BLOCK // trial.units), len(drawn.assigned)
    sample = joined([world.statistic(drawn.assigned[start : start + block]) for start in range(0, size, block)])
    observed = world.statistic(trial.assigned[order][None, :])

    if observed.slope[0] < EXPLAINED:
        return Randomization(1.0, -np.inf, np.inf, size, drawn.enumerated)

    def p_at(value: float) -> float:
        return p_value(observed, sample, value, enumerated=drawn.enumerated)

    middle, error = float(observed.gain[0] / observed.slope[0]), float(np.sqrt(observed.squares[0, 0]))
    low, high = interval(p_at, middle, error or 1.0, confidence=confidence)
    return Randomization(p_at(0.0), low, high, size, drawn.enumerated)


def _every(groups: list[Floats]) -> NDArray[np.int8]:
    whole = np.zeros((1, 0), dtype=np.int8)
    for one in groups:
        places = np.array(list(itertools.combinations(range(len(one)), int(one.sum()))), dtype=np.int64)
        choice = np.zeros((len(places), len(one)), dtype=np.int8)
        np.put_along_axis(choice, places, 1, axis=1)
        whole = np.concatenate([np.repeat(whole, len(choice), axis=0), np.tile(choice, (len(whole), 1))], axis=1)
    return whole


class _World:
    """Studentized differences within blocks, for any assignment of the units, which are sorted by block."""

    def __init__(self, mass: Floats, block: Ints, sums: Floats) -> None:
        self.mass, self.code = mass, np.unique(block, return_inverse=True)[1]
        self.start = np.flatnonzero(np.r_[True, np.diff(self.code) > 0])
        self.of_block = np.add.reduceat(mass, self.start)
        self.sums = sums

    def statistic(self, assigned: Floats | NDArray[np.int8]) -> Statistic:
        """For assignments (B, U): the coefficient and its squared error, of the outcome and of the assignment itself."""
        share = np.add.reduceat(assigned * self.mass, self.start, axis=1) / self.of_block
        away = assigned - share[:, self.code]
        total = (share * (1 - share)) @ self.of_block
        leverage = self.mass * (1 / self.of_block[self.code] + away**2 / total[:, None])
        rest = 1 - leverage
        root = np.where(rest > 1e-9, away / np.sqrt(np.where(rest > 1e-9, rest, 1.0)), 0.0) / total[:, None]
        gain, slope = (away @ self.sums / total[:, None]).T
        of_y = root * (self.sums[:, 0] - gain[:, None] * (self.mass * away))
        of_d = root * (self.sums[:, 1] - slope[:, None] * (self.mass * away))
        squares = np.stack([(of_y**2).sum(axis=1), (of_y * of_d).sum(axis=1), (of_d**2).sum(axis=1)])
        return Statistic(gain, slope, squares)
