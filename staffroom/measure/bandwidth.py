"""The bandwidth that makes a local-linear jump at a cutoff most precise: variance against bias, estimated in steps.

Calonico, Cattaneo & Titiunik (2014, Econometrica 82(6)) and Calonico, Cattaneo & Farrell (2020, Econometrics Journal
23(2)): the same bandwidth on both sides ("mserd"), regularized, triangular kernel. Three steps, each with the bandwidth
of the one before: for the third derivative, for the second (this is the one that the bias is corrected with), and for
the jump itself.
"""

from dataclasses import dataclass

import numpy as np

from staffroom.measure.cells import Floats
from staffroom.measure.local_polynomial import TIE, Side, fit, residuals, spread

PILOT = 2.576
"""Constant of the pilot bandwidth for a triangular kernel."""
MASSED = 0.2
"""Share of repeated values from which the running variable counts as one with mass points."""
LEAST_VALUES = 10
"""With mass points a bandwidth holds at least so many different values on each side."""


@dataclass(frozen=True, slots=True)
class Bandwidths:
    """In units of the running variable; NaN where the data do not tell them."""

    main: float
    bias: float


@dataclass(frozen=True, slots=True)
class _Parts:
    variance: float
    bias: float
    regularizer: float


def has_mass_points(left: Side, right: Side) -> bool:
    """Whether a fifth of the rows on a side repeat a value of the running variable."""
    return any(1 - side.values / len(side.x) >= MASSED for side in (left, right))


def mse_bandwidths(left: Side, right: Side, variance: str) -> Bandwidths:
    """Bandwidths of the jump and of its bias, for sides with outcome (and take-up) columns."""
    pilot = _pilot(left, right)
    least = max(side.distance(LEAST_VALUES) for side in (left, right)) * (1 + TIE)
    floor = least if has_mass_points(left, right) else 0.0
    most = max(left.reach, right.reach)
    pilot = max(min(pilot, most), floor)
    whole = [_parts(side, 3, 3, pilot, side.reach * (1 + TIE), variance) for side in (left, right)]
    third = max(min(_optimal(whole, 3, regularized=False), most), floor)
    second = [_parts(side, 2, 2, pilot, third, variance) for side in (left, right)]
    bias = min(_optimal(second, 2), most)
    jump = [_parts(side, 1, 0, pilot, bias, variance) for side in (left, right)]
    return Bandwidths(min(_optimal(jump, 1), most), bias)


def _pilot(left: Side, right: Side) -> float:
    x = np.sort(np.concatenate([left.x, right.x]))
    sd, middle = float(np.std(x, ddof=1)), (_quantile(x, 0.75) - _quantile(x, 0.25)) / 1.349
    scale = min(sd, middle) if middle > 0 else sd
    return float(PILOT * scale * (left.values + right.values) ** -0.2)


def _quantile(x: Floats, share: float) -> float:
    """Of sorted x, averaging where it jumps (Hyndman & Fan 1996, type 2)."""
    place = len(x) * share
    whole = int(place)
    return float((x[whole - 1] + x[whole]) / 2 if place == whole else x[whole])


def _optimal(sides: list[_Parts], order: int, *, regularized: bool = True) -> float:
    left, right = sides
    distance = (right.bias - left.bias) ** 2 + regularized * (left.regularizer + right.regularizer)
    with np.errstate(all="ignore"):
        return float((np.float64(left.variance + right.variance) / distance) ** (1 / (2 * order + 3)))


def _parts(side: Side, order: int, power: int, pilot: float, ahead: float, variance: str) -> _Parts:
    """Variance and bias of the coefficient of x**power in a fit of `order`; the bias from one order more within `ahead`."""
    here, beyond = fit(side, pilot, order), fit(side, ahead, order + 1)
    if here is None or beyond is None:
        return _Parts(np.nan, np.nan, np.nan)
    mix = _ratio(here.coefficients[power]) if side.y.shape[1] > 1 else np.ones(1)
    if not np.isfinite(mix).all():
        return _Parts(np.nan, np.nan, np.nan)
    scores = here.pulls(power) * (residuals(side, here.rows, here, variance) @ mix)
    own = spread(side, scores, order + 1) / pilot ** (2 * power)
    curve = float(mix @ beyond.coefficients[-1]) / ahead ** (order + 1)
    noise = beyond.pulls(order + 1) * (residuals(side, beyond.rows, beyond, variance) @ mix)
    doubt = spread(side, noise, order + 2) / ahead ** (2 * order + 2)
    moved, room = here.bias(power), 2 * (order + 1 - power)
    return _Parts(
        (2 * power + 1) * pilot ** (2 * power + 1) * own,
        np.sqrt(room) * moved * curve,
        room * 3 * moved**2 * doubt,
    )


def _ratio(jump: Floats) -> Floats:
    """Derivative of outcome over take-up by each; the factorials of derivatives cancel in both but scale the result."""
    outcome, taken = jump
    with np.errstate(all="ignore"):
        return np.array([1 / taken, -outcome / taken**2])
