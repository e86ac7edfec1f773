"""Where values stand along a stretch of pixels."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scale:
    """Values from `low` to `high` along pixels from `start` to `end`; `is_log` for doublings."""

    low: float
    high: float
    start: float
    end: float
    is_log: bool = False

    def at(self, value: float) -> float:
        """Where a value stands; what lies outside stands at the edge."""
        low, high, found = (math.log(one) if self.is_log else one for one in (self.low, self.high, value))
        share = (found - low) / ((high - low) or 1.0)
        return round(self.start + min(1.0, max(0.0, share)) * (self.end - self.start), 1)

    def holds(self, value: float) -> bool:
        return self.low <= value <= self.high

    def ticks(self, about: int = 5) -> list[float]:
        """Round values inside the scale, about so many."""
        if self.is_log:
            return _doublings(self.low, self.high, about)
        step = nice_step((self.high - self.low) / about)
        first = math.ceil(self.low / step - 1e-9)
        return [round(number * step, 10) for number in range(first, math.floor(self.high / step + 1e-9) + 1)]


def nice_step(raw: float) -> float:
    """1, 2 or 5 times a power of ten, at least `raw`."""
    power = 10.0 ** math.floor(math.log10(raw)) if raw > 0 else 1.0
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw * (1 - 1e-9))


def _doublings(low: float, high: float, about: int) -> list[float]:
    """Round numbers of a scale of doublings."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    found = [factor * 10.0**power for power in powers for factor in (1, 2, 5)]
    inside = [one for one in found if low <= one <= high] or [low, high]
    return inside[:: max(1, math.ceil(len(inside) / about))]


def around_zero(values: Iterable[float], start: float, end: float, *, least: float = 0.1) -> Scale:
    """A scale that holds all values, zero, and a little room."""
    known = [*values, -least, least]
    low, high = min(known), max(known)
    room = 0.05 * (high - low)
    return Scale(low - room, high + room, start, end)


def from_zero(values: Iterable[float], start: float, end: float) -> Scale:
    high = max([*values, 0.0]) * 1.12 or 1.0
    return Scale(0.0, high, start, end)


def doubling(values: Iterable[float], start: float, end: float) -> Scale:
    """For numbers above zero that grow by shares."""
    known = [max(one, 1e-9) for one in values]
    low, high = min(known), max(known)
    return Scale(low * 0.85, max(high * 1.15, low * 1.5), start, end, is_log=True)
