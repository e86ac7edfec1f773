"""Is it worth its cost? Cost-effectiveness with both sides uncertain.

An activity is cost-effective at a willingness to pay of L money per unit of effect where the net benefit L E - C is above
zero. The acceptability curve gives the probability of that over L (van Hout et al. 1994; Fenwick, O'Brien & Briggs
2004), from a joint normal distribution of effect and cost or from draws of both; probabilities are those of a flat prior.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from staffroom.measure.cells import Floats, finite, refuse_rows

LARGEST = 1e60
"""Beyond this, squares of products leave the range of floating point."""


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """Probability of being cost-effective at each willingness to pay."""

    willingness: Floats
    """(M,) money per unit of effect."""
    probability: Floats
    """(M,)"""
    net_benefit: Floats
    """(M,) expected."""
    break_even: float
    """Cost over effect: what a unit of effect costs; infinite where the effect is not above 0."""
    ceiling: float
    """What the curve tends to: the probability that there is an effect at all."""


def curve(
    effect: float,
    effect_se: float,
    cost: float,
    cost_se: float,
    willingness: ArrayLike,
    *,
    covariance: float = 0.0,
) -> Curve:
    """The curve of a joint normal effect and cost per the same unit (such as SD and cents per student).

    Raises ValueError for errors below 0, numbers that are not finite, a covariance beyond what the errors allow, and a
    willingness below 0 (names the row).
    """
    wanted = _willingness(willingness)
    for name, value in (("effect", effect), ("cost", cost), ("covariance", covariance)):
        if not abs(value) < LARGEST:
            raise ValueError(f"{name} is not finite, or too large")
    if not (0 <= effect_se < LARGEST and 0 <= cost_se < LARGEST):
        raise ValueError("a standard error must be a number of at least 0, and not too large")
    if abs(covariance) > effect_se * cost_se * (1 + 1e-9):
        raise ValueError("the covariance is larger than the standard errors allow")
    benefit = wanted * effect - cost
    spread = np.sqrt(np.maximum((wanted * effect_se) ** 2 + cost_se**2 - 2 * wanted * covariance, 0.0))
    return Curve(wanted, _above(benefit, spread), benefit, _break_even(effect, cost), float(_above(effect, effect_se)))


def curve_from_draws(effects: ArrayLike, costs: ArrayLike, willingness: ArrayLike) -> Curve:
    """The curve from joint draws (D,) of effect and cost, such as a bootstrap of clusters gives."""
    wanted, e, c = _willingness(willingness), finite("effect", effects, 1), finite("cost", costs, 1)
    if len(e) != len(c) or not len(e):
        raise ValueError(f"{len(e)} draws of effects but {len(c)} of costs")
    benefit = wanted[:, None] * e - c
    return Curve(
        wanted,
        (benefit > 0).mean(axis=1),
        benefit.mean(axis=1),
        _break_even(float(e.mean()), float(c.mean())),
        float((e > 0).mean()),
    )


def _willingness(values: ArrayLike) -> Floats:
    wanted = finite("willingness to pay", values, 1)
    refuse_rows(wanted < 0, "willingness to pay is below 0")
    refuse_rows(wanted > LARGEST, "willingness to pay is too large")
    return wanted


def _above(mean: Floats | float, spread: Floats | float) -> Floats:
    """Probability that a normal number lies above zero; 0, 1/2 or 1 where it does not vary."""
    from scipy.special import ndtr

    middle, width = np.asarray(mean, dtype=np.float64), np.asarray(spread, dtype=np.float64)
    sure = np.where(middle > 0, 1.0, np.where(middle < 0, 0.0, 0.5))
    return np.where(width > 0, ndtr(middle / np.where(width > 0, width, 1.0)), sure)


def _break_even(effect: float, cost: float) -> float:
    return cost / effect if effect > 0 else math.inf


@dataclass(frozen=True, slots=True)
class Increment:
    """One option on the way from the cheapest to the most effective."""

    option: int
    """Its place in what was given."""
    effect: float
    cost: float
    ratio: float
    """Additional cost per additional unit of effect over the option before; cost over effect for the first."""


@dataclass(frozen=True, slots=True)
class Frontier:
    """Options worth having at some willingness to pay, and why the others are not."""

    increments: tuple[Increment, ...]
    dominated: tuple[int, ...]
    """Another option costs no more and does no less."""
    extendedly_dominated: tuple[int, ...]
    """A mixture of two others costs less for the same effect."""


def frontier(effects: Sequence[float], costs: Sequence[float]) -> Frontier:
    """Incremental cost-effectiveness ratios along the efficient options, doing nothing (0, 0) being one that all are
    compared with (Drummond et al. 2015, ch. 4). Point estimates only: show with intervals, rank nothing by it alone.
    """
    e, c = finite("effect", list(effects), 1), finite("cost", list(costs), 1)
    if len(e) != len(c):
        raise ValueError(f"{len(e)} effects but {len(c)} costs")
    order = sorted(range(len(e)), key=lambda place: (c[place], -e[place]))
    kept: list[int] = []
    dominated: list[int] = []
    for place in order:
        best = max([0.0 if c[place] >= 0 else -math.inf, *(e[other] for other in kept)])
        (kept if e[place] > best else dominated).append(place)
    extended: list[int] = []
    while (loser := _not_convex(e, c, kept)) is not None:
        kept.remove(loser)
        extended.append(loser)
    return Frontier(_increments(e, c, kept), tuple(sorted(dominated)), tuple(sorted(extended)))


def _increments(e: Floats, c: Floats, kept: list[int]) -> tuple[Increment, ...]:
    before = [(0.0, 0.0), *((float(e[place]), float(c[place])) for place in kept)]
    return tuple(
        Increment(place, float(e[place]), float(c[place]), (float(c[place]) - cost) / (float(e[place]) - effect))
        for place, (effect, cost) in zip(kept, before, strict=False)
    )


def _not_convex(e: Floats, c: Floats, kept: list[int]) -> int | None:
    """The first option whose ratio is above that of the next."""
    ratios = [each.ratio for each in _increments(e, c, kept)]
    return next((kept[i] for i in range(len(kept) - 1) if ratios[i] > ratios[i + 1]), None)
