"""Were the groups already drifting apart before anyone took part? And could we have seen it?

The test of Borusyak, Jaravel & Spiess (2024, section 4.4): untreated results only, so that it is independent of the
estimate; coefficients on the last terms before taking part, against all earlier ones and the teachers who never took
part. A test without power says nothing (Roth 2022, AER: Insights), so its power stands beside it, against the steady
drift that by itself would have made the whole estimated effect.
"""

from dataclasses import dataclass, replace

import numpy as np

from staffroom.measure.cells import Cells, Floats, Ints
from staffroom.measure.projection import LeastSquares, least_squares
from staffroom.measure.staggered import NEVER, event_times, impute

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
    """Chance of p < 0.05 had a steady drift made the whole estimated effect; NaN if there is no estimate."""
    drift: float
    """That drift, in outcome units per term; NaN if there is no estimate."""


def pre_trends(cells: Cells, first_treated: Ints, *, effect: float, leads: int | None = None) -> PreTrends | None:
    """Test on untreated cells; `effect` is the headline in outcome units, first_treated (I,) has NEVER for none.

    `leads` defaults to one fewer than the longest run-up, at most MOST_LEADS. None if no lead can be told apart (no
    run-up of two terms, or fewer clusters than leads allow): then there is no test, which is not a passed one.
    """
    event = event_times(cells, first_treated)
    before = (event < 0) & (first_treated[cells.teacher] != NEVER)
    longest = int(-event[before].min(initial=0))
    untreated, event = cells.take(event < 0), event[event < 0]
    return None if longest < 2 else _test(cells, untreated, first_treated, event, leads or longest - 1, effect)


def _test(
    cells: Cells, untreated: Cells, first_treated: Ints, event: Ints, leads: int, effect: float
) -> PreTrends | None:
    distance = -np.arange(1, min(leads, MOST_LEADS) + 1)
    dummies = (event[:, None] == distance).astype(np.float64)
    fit = least_squares(untreated.with_columns(dummies))
    kept = fit.kept[: distance.size]
    if (
        not kept.any()
        or fit.clusters - 1 <= kept.sum()
        or not np.isfinite(fit.standard_errors[: distance.size][kept]).all()
    ):
        return None
    found, covariance = fit.coefficients[: distance.size][kept], _block(fit, kept)
    drift = _drift(cells, first_treated, effect)
    hidden = least_squares(_steady(untreated, first_treated).with_columns(dummies)).coefficients[: distance.size][kept]
    f, p, power = _wald(found, covariance, drift * hidden, fit.clusters - 1)
    errors = np.sqrt(np.diag(covariance))
    rows = zip(distance[kept].tolist(), found.tolist(), errors.tolist(), strict=True)
    return PreTrends(tuple(Lead(*row) for row in rows), f, fit.clusters - 1, p, power, drift)


def _block(fit: LeastSquares, kept: np.ndarray) -> Floats:
    chosen = np.flatnonzero(kept)
    return np.asarray(fit.covariance[np.ix_(chosen, chosen)])


def _steady(cells: Cells, first_treated: Ints) -> Cells:
    """The outcome replaced by a drift of one unit per term for all who ever take part; no covariates' moments change."""
    first = first_treated[cells.teacher]
    drift = np.where(first == NEVER, 0, cells.terms[cells.term] - first)
    mean, scatter = cells.mean.copy(), cells.scatter.copy()
    mean[:, 0], scatter[:, 0, :], scatter[:, :, 0] = drift, 0.0, 0.0
    return replace(cells, mean=mean, scatter=scatter)


def _drift(cells: Cells, first_treated: Ints, effect: float) -> float:
    """Drift per term that the estimator would have taken for `effect`."""
    unit = impute(_steady(cells, first_treated), first_treated).overall
    return effect / unit.effect if unit is not None and abs(unit.effect) > 1e-9 else np.nan


def _wald(found: Floats, covariance: Floats, hidden: Floats, df: int) -> tuple[float, float, float]:
    """F, its p, and the power against coefficients `hidden` (P,)."""
    from scipy.special import fdtrc, fdtri, ncfdtr

    inverse, count = np.linalg.pinv(covariance, hermitian=True), found.size
    f = float(found @ inverse @ found) / count
    distance = float(hidden @ inverse @ hidden)
    power = 1 - float(ncfdtr(count, df, distance, fdtri(count, df, 0.95))) if np.isfinite(distance) else np.nan
    return f, float(fdtrc(count, df, f)), power
