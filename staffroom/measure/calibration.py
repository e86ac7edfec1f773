"""How often are random fake activities taken for real ones on these very data?

A fake activity is who took part, and when, dealt out anew: among schools where whole schools took part together, else
among all teachers. Whatever it then finds is chance, so that 5 in 100 should be found at 95 % confidence. What schools
or classes share, trends that differ, terms that are numbered wrongly: all that makes intervals too narrow shows here.
"""

import math
from dataclasses import dataclass

import numpy as np

from staffroom.measure import effects, gates
from staffroom.measure.cells import Cells, Ints
from staffroom.measure.staggered import NEVER, distinct, event_times, impute
from staffroom.measure.wild import wild_bootstrap

DRAWS = 200
BOOTSTRAPS = 399


@dataclass(frozen=True, slots=True)
class Calibration:
    """What became of the fake activities."""

    rate: float | None
    """Share taken for real ones; None if not one could be estimated."""
    draws: int
    """Fake activities that could be estimated."""
    low: float
    """Wilson's (1927) 95 % interval of the rate."""
    high: float


def rejection_rate(
    cells: Cells,
    first_treated: Ints,
    generator: np.random.Generator,
    *,
    draws: int = DRAWS,
    confidence: float = 0.95,
) -> Calibration:
    """Estimate `draws` fake activities dealt from `first_treated` (I,) as the headline of a panel would be.

    A true effect stays in the outcomes and only makes them noisier. Raises ValueError for fewer than one draw.
    """
    if draws < 1:
        raise ValueError("calibration needs at least one draw")
    found = [fake_p(cells, deal(cells, first_treated, generator), generator, confidence) for _ in range(draws)]
    known = [p for p in found if p is not None]
    if not known:
        return Calibration(None, 0, 0.0, 1.0)
    rate = sum(p < 1 - confidence for p in known) / len(known)
    return Calibration(rate, len(known), *wilson(rate, len(known)))


def deal(cells: Cells, first_treated: Ints, generator: np.random.Generator) -> Ints:
    """(I,) the first terms dealt out anew, among schools where teachers of a school began together."""
    lowest, highest = (
        np.full(len(cells.clusters), start, dtype=np.int64)
        for start in (np.iinfo(np.int64).max, np.iinfo(np.int64).min)
    )
    np.minimum.at(lowest, cells.cluster_of, first_treated)
    np.maximum.at(highest, cells.cluster_of, first_treated)
    seen = lowest <= highest
    together = bool((lowest[seen] == highest[seen]).all()) and seen.sum() > 1 and len(first_treated) > seen.sum()
    if not together:
        return generator.permutation(first_treated)
    shuffled = lowest.copy()
    shuffled[seen] = generator.permutation(lowest[seen])
    return shuffled[cells.cluster_of]


def fake_p(cells: Cells, first_treated: Ints, generator: np.random.Generator, confidence: float) -> float | None:
    """p-value of the panel's headline; None if there is none."""
    event = event_times(cells, first_treated)
    if not ((event >= 0).any() and (event < 0).any()) or (first_treated == NEVER).all():
        return None
    found = impute(cells, first_treated, leave_out=True)
    average = found.overall
    if average is None or not average.standard_error > 0:
        return None
    clusters = distinct(cells.cluster[found.used | (event < 0)])
    if not gates.allows_interval(clusters, average.size.clusters):
        return None
    p = effects.two_sided_p(average.effect, average.standard_error, clusters - 1)
    if clusters >= gates.MANY_CLUSTERS:
        return p
    drawn = wild_bootstrap(cells, first_treated, generator, draws=BOOTSTRAPS, confidence=confidence)
    return max(p, drawn.p)


def wilson(share: float, draws: int) -> tuple[float, float]:
    """Wilson's score interval of a share, 95 %."""
    z = effects.NORMAL.inv_cdf(0.975)
    center = (share + z * z / (2 * draws)) / (1 + z * z / draws)
    half = z / (1 + z * z / draws) * math.sqrt(share * (1 - share) / draws + z * z / (4 * draws**2))
    return max(0.0, center - half), min(1.0, center + half)
