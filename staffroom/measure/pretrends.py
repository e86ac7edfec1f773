"""Were the groups already drifting apart before anyone took part? And could we have seen it?

The test of Borusyak, Jaravel & Spiess (2024, section 4.4): untreated results only, so that it is independent of the
estimate; coefficients on the last terms before taking part, against all earlier ones and the teachers who never took
part. A test without power says nothing (Roth 2022, AER: Insights), so its power stands beside it, against the steady
drift that by itself would have made the whole estimated effect, or the smallest effect that matters if that is larger:
against a drift as small as a null result makes, no test has power, and none needs it.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from staffroom.measure.cells import Cells, Floats, Ints
from staffroom.measure.projection import projected_moments
from staffroom.measure.staggered import NEVER, event_times, imputed_mean

MOST_LEADS = 4
"""More leads than this thin the test out without telling more of a drift."""


@dataclass(frozen=True, slots=True)
class Lead:
    """Difference this many terms before taking part, in outcome units."""

    event_time: int
    effect: float
    standard_error: float


@dataclass(frozen=True, slots=True)
class PreTrends:
    """The joint test that all leads are zero, and what it could have seen."""

    leads: tuple[Lead, ...]
    f: float
    """Wald statistic over the number of leads, compared with F(leads, df)."""
    df: int
    p: float
    power: float
    """Chance of p < 0.05 had a steady drift made an effect as large as `against`; NaN if the estimator sees no drift."""
    drift: float
    """That drift, in outcome units per term; NaN if the estimator sees none."""
    against: float = math.nan
    """The estimated effect or the smallest that matters with its sign, whichever is larger; in outcome units."""


def pre_trends(
    cells: Cells, first_treated: Ints, *, effect: float, smallest: float = 0.0, leads: int | None = None
) -> PreTrends | None:
    """Test on untreated cells; `effect` is the headline in outcome units, first_treated (I,) has NEVER for none.

    `smallest` is the smallest effect that matters, in outcome units, >= 0: the power is asked against the larger one.
    `leads` defaults to one fewer than the longest run-up, at most MOST_LEADS; they are the terms nearest to taking part
    of which there are cells. None if no lead can be told apart (no
    run-up of two terms, or fewer clusters than leads allow): then there is no test, which is not a passed one.
    """
    event = event_times(cells, first_treated)
    before = (event < 0) & (first_treated[cells.teacher] != NEVER)
    if not before.any():
        return None
    nearest, farthest = int(event[before].max()), int(event[before].min())
    untreated, event = cells.take(event < 0), event[event < 0]
    against = math.copysign(max(abs(effect), smallest), effect)
    distance = nearest - np.arange(min(leads or nearest - farthest, MOST_LEADS))
    return _test(cells, untreated, first_treated, event, distance, against) if distance.size else None


def _test(
    cells: Cells, untreated: Cells, first_treated: Ints, event: Ints, distance: Ints, against: float
) -> PreTrends | None:
    count = distance.size
    dummies = (event[:, None] == distance).astype(np.float64)
    drift = _drift(untreated, first_treated)
    moments = projected_moments(untreated.with_columns(np.column_stack([drift, dummies])))
    columns = np.arange(2, moments.scale.size)
    fit, hidden = moments.regress(0, columns), moments.regress(1, columns).coefficients[:count]
    kept, errors = fit.kept[:count], fit.standard_errors[:count]
    if not kept.any() or fit.clusters - 1 <= kept.sum() or not np.isfinite(errors[kept]).all():
        return None
    found, covariance = fit.coefficients[:count][kept], fit.covariance[:count, :count][np.ix_(kept, kept)]
    steep = against / _taken_for_effect(cells, first_treated)
    f, p, power = _wald(found, covariance, steep * hidden[kept], fit.clusters - 1)
    rows = zip(distance[kept].tolist(), found.tolist(), errors[kept].tolist(), strict=True)
    return PreTrends(tuple(Lead(*row) for row in rows), f, fit.clusters - 1, p, power, steep, against)


def _drift(cells: Cells, first_treated: Ints) -> Floats:
    """(C,) one unit per term for all who ever take part, none for the others."""
    first = first_treated[cells.teacher]
    return np.where(first == NEVER, 0.0, cells.terms[cells.term] - first)


def _taken_for_effect(cells: Cells, first_treated: Ints) -> float:
    """The effect that the estimator finds if there is nothing but a drift of one unit per term; NaN if it sees none."""
    mean, scatter = cells.mean.copy(), cells.scatter.copy()
    mean[:, 0], scatter[:, 0, :], scatter[:, :, 0] = _drift(cells, first_treated), 0.0, 0.0
    found = imputed_mean(replace(cells, mean=mean, scatter=scatter), first_treated)
    return found if abs(found) > 1e-9 else np.nan


def _wald(found: Floats, covariance: Floats, hidden: Floats, df: int) -> tuple[float, float, float]:
    """F, its p, and the power against coefficients `hidden` (P,)."""
    from scipy.special import fdtrc, fdtri, ncfdtr

    inverse, count = np.linalg.pinv(covariance, hermitian=True), found.size
    f = float(found @ inverse @ found) / count
    distance = float(hidden @ inverse @ hidden)
    power = 1 - float(ncfdtr(count, df, distance, fdtri(count, df, 0.95))) if np.isfinite(distance) else np.nan
    return f, float(fdtrc(count, df, f)), power
