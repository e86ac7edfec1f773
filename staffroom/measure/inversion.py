"""Intervals from tests: the values that a resampling test does not reject.

Each draw of a studentized statistic is, as a function of the tested value b, (gain - b slope)/sqrt(q0 - 2 b q1 + b^2 q2):
residuals under the null are linear in b. So draws are made once, and p can be had for every b at the cost of a few
vector operations.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from staffroom.measure.cells import Bools, Floats

TIE = 1e-9
"""Draws whose squared statistic falls short of the observed one by less than this share count as equal to it."""
DOUBLINGS, HALVINGS = 24, 40


@dataclass(frozen=True, slots=True, eq=False)
class Statistic:
    """B draws of a studentized statistic as functions of the tested value."""

    gain: Floats
    """(B,)"""
    slope: Floats
    """(B,)"""
    squares: Floats
    """(3, B) q0, q1, q2"""

    def squared(self, value: float) -> Floats:
        """(B,) squared statistic of the hypothesis that the effect is `value`; 0 where there is no distance at all."""
        distance = (self.gain - value * self.slope) ** 2
        q0, q1, q2 = self.squares
        size = q0 + value**2 * q2
        variance = q0 - 2 * value * q1 + value**2 * q2
        flat = variance <= 1e-13 * size
        far = np.where(distance > 1e-20 * (self.gain**2 + (value * self.slope) ** 2), np.inf, 0.0)
        return np.where(flat, far, distance / np.where(flat, 1.0, variance))

    def chosen(self, draws: Bools | slice) -> "Statistic":
        """Only some of the draws."""
        return Statistic(self.gain[draws], self.slope[draws], self.squares[:, draws])


def joined(parts: list[Statistic]) -> Statistic:
    """The draws of all parts."""
    return Statistic(
        np.concatenate([part.gain for part in parts]),
        np.concatenate([part.slope for part in parts]),
        np.concatenate([part.squares for part in parts], axis=1),
    )


def p_value(observed: Statistic, draws: Statistic, value: float, *, enumerated: bool) -> float:
    """Two-sided share of draws at least as far out as the observed one (a Statistic of one draw).

    When all draws were enumerated the observed one is among them and counts, as in a permutation test (others count only
    draws beyond it, which is smaller by 2/B at most where signs are flipped); otherwise it is counted in: (1 + b)/(1 + B).
    """
    as_far = int(np.count_nonzero(draws.squared(value) >= observed.squared(value)[0] * (1 - TIE)))
    size = len(draws.gain)
    return as_far / size if enumerated else (1 + as_far) / (1 + size)


def interval(p_at: Callable[[float], float], estimate: float, step: float, *, confidence: float) -> tuple[float, float]:
    """Ends of the set around `estimate` where p is above 1 - confidence; infinite on a side where no value is rejected.

    Outwards from the estimate by doubling steps until a value is rejected, then by halving. Where p is not monotone on
    a side, the set may go on beyond the end that is given.
    """
    return _end(p_at, estimate, -step, 1 - confidence), _end(p_at, estimate, step, 1 - confidence)


def _end(p_at: Callable[[float], float], estimate: float, step: float, level: float) -> float:
    inside = estimate
    for doubling in range(DOUBLINGS):
        outside = estimate + step * 2.0**doubling
        if p_at(outside) <= level:
            return _between(p_at, inside, outside, level)
        inside = outside
    return float(np.copysign(np.inf, step))


def _between(p_at: Callable[[float], float], inside: float, outside: float, level: float) -> float:
    for _ in range(HALVINGS):
        middle = (inside + outside) / 2
        if p_at(middle) <= level:
            outside = middle
        else:
            inside = middle
    return float(outside)
