"""Scalability: does an activity hold as it spreads from wave to wave of adoption?

The effects of waves are regressed on the binary logarithm of the teachers reached by the end of each wave, so that the
slope is the change per doubling; heterogeneity of waves beyond that is estimated (`meta_regression`), and the factor of
Knapp & Hartung is never let below 1, since waves are few. The last wave's effect over the first's has Fieller's set.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from staffroom.measure.cells import Floats, finite, refuse_rows
from staffroom.measure.effects import RatioInterval, fieller, normal_interval
from staffroom.measure.heterogeneity import refuse_extremes
from staffroom.measure.meta_regression import MetaRegression, regress


@dataclass(frozen=True, slots=True, eq=False)
class Waves:
    """W waves in order of adoption; effects in their unit, money in the unit of the costs."""

    slope: float
    """Change of the effect when the number of teachers reached doubles."""
    slope_se: float
    slope_low: float
    slope_high: float
    slope_p: float
    slope_df: float
    """Infinite for the normal distribution, which two waves with known errors have."""
    tau2: float
    """Variance of the waves' effects about the line; 0 with two waves."""
    last_over_first: RatioInterval
    fitted: Floats
    """(W,) effects on the line."""
    teachers: Floats
    """(W,) new in each wave."""
    cumulative_teachers: Floats
    marginal_cost: Floats
    """(W,) cost of a wave per teacher that it added; NaN if costs are not known."""
    dose_delivered: Floats
    """(W,) share of the planned hours that was delivered, NaN if not known."""
    dose_overall: float
    """The same over all waves, weighed by teachers."""
    method: str
    line: MetaRegression | None = None
    """None with two waves."""


def scalability(
    effects: ArrayLike,
    standard_errors: ArrayLike,
    cumulative_teachers: ArrayLike,
    *,
    covariance: ArrayLike | None = None,
    costs: ArrayLike | None = None,
    hours_delivered: ArrayLike | None = None,
    hours_planned: ArrayLike | float | None = None,
    quantile: float | None = None,
    confidence: float = 0.95,
) -> Waves:
    """How effects (W,) of waves, W >= 2, go with the teachers reached by the end of each wave (W,), strictly growing.

    `covariance` (W, W) is the joint one of the effects if known (then the errors are its diagonal's); `costs` (W,) the
    additional cost of each wave; `hours_delivered` (W,) and `hours_planned` per teacher. `quantile` is that of the
    ratio's set, by default the normal one. Raises ValueError that names the wave for numbers that cannot be.
    """
    y, errors, reached = _checked(effects, standard_errors, cumulative_teachers)
    joint = np.diag(errors**2) if covariance is None else finite("covariance", covariance, 2)
    if joint.shape != (len(y), len(y)):
        raise ValueError(f"covariance has shape {joint.shape}, expected {(len(y), len(y))}")
    doublings = np.log2(reached)
    design = np.column_stack([np.ones(len(y)), doublings])
    line = regress(y, None, design, covariance=joint, confidence=confidence, floored=True) if len(y) > 2 else None
    slope = _slope_of_line(line) if line else _slope_of_two(y, joint, doublings, confidence)
    new = np.diff(reached, prepend=0.0)
    dose = _dose(hours_delivered, hours_planned, len(y))
    return Waves(
        *slope,
        tau2=line.tau2 if line else 0.0,
        last_over_first=_ratio(y, joint, quantile, confidence),
        fitted=design @ line.coefficients if line else y,
        teachers=new,
        cumulative_teachers=reached,
        marginal_cost=np.full(len(y), np.nan) if costs is None else _per_wave("cost", costs, len(y)) / new,
        dose_delivered=dose,
        dose_overall=float(dose @ new / new.sum()),
        method=line.inference.method if line else "difference of two waves, normal",
        line=line,
    )


def _checked(effects: ArrayLike, standard_errors: ArrayLike, reached: ArrayLike) -> tuple[Floats, Floats, Floats]:
    y, errors = finite("effect", effects, 1), finite("standard error", standard_errors, 1)
    teachers = finite("cumulative teachers", reached, 1)
    if not len(y) == len(errors) == len(teachers):
        raise ValueError(f"lengths differ: {len(y)} effects, {len(errors)} errors, {len(teachers)} teachers")
    if len(y) < 2:
        raise ValueError("how an activity spreads needs at least 2 waves")
    refuse_rows(errors <= 0, "standard error is not above 0")
    with np.errstate(over="ignore", under="ignore"):
        refuse_extremes(y, errors**2)
    refuse_rows(teachers <= 0, "cumulative teachers are not above 0")
    refuse_rows(np.diff(teachers, prepend=0.0) <= 0, "cumulative teachers do not grow")
    return y, errors, teachers


def _slope_of_line(line: MetaRegression) -> tuple[float, float, float, float, float, float]:
    error = float(line.standard_errors[1])
    ends = (float(line.low[1]), float(line.high[1]), float(line.p[1]))
    return (float(line.coefficients[1]), error, *ends, line.inference.df)


def _slope_of_two(
    y: Floats, joint: Floats, doublings: Floats, confidence: float
) -> tuple[float, float, float, float, float, float]:
    """Two waves lie on a line: their difference per doubling, with the error that their estimates give it."""
    from scipy.special import ndtr

    step = float(doublings[1] - doublings[0])
    slope = float(y[1] - y[0]) / step
    error = math.sqrt(max(float(joint[0, 0] + joint[1, 1] - 2 * joint[0, 1]), 0.0)) / step
    around = normal_interval(slope, error, confidence=confidence)
    p = 2 * float(ndtr(-abs(slope) / error)) if error > 0 else float(slope == 0)
    return slope, error, around.low, around.high, p, math.inf


def _ratio(y: Floats, joint: Floats, quantile: float | None, confidence: float) -> RatioInterval:
    from scipy.special import ndtri

    errors = np.sqrt(np.diag(joint))
    return fieller(
        float(y[-1]),
        float(y[0]),
        float(errors[-1]),
        float(errors[0]),
        covariance=float(joint[-1, 0]),
        quantile=float(ndtri((1 + confidence) / 2)) if quantile is None else quantile,
    )


def _dose(delivered: ArrayLike | None, planned: ArrayLike | float | None, waves: int) -> Floats:
    if delivered is None or planned is None:
        return np.full(waves, np.nan)
    hours = _per_wave("hours delivered", delivered, waves)
    plan = np.broadcast_to(np.asarray(planned, dtype=np.float64), (waves,))
    refuse_rows(~(plan > 0) | ~np.isfinite(plan), "planned hours are not above 0")
    return hours / plan


def _per_wave(name: str, values: ArrayLike, waves: int) -> Floats:
    array = finite(name, values, 1)
    if len(array) != waves:
        raise ValueError(f"{len(array)} values of {name} for {waves} waves")
    refuse_rows(array < 0, f"{name} is below 0")
    return array
