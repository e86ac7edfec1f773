"""How often are random fake activities taken for real ones on these very data?

A fake activity is who took part, and when, dealt out anew: among schools where whole schools took part together, else
among all teachers. Whatever it then finds is chance, so that 5 in 100 should be found at 95 % confidence. What schools
or classes share, trends that differ, terms that are numbered wrongly: all that makes intervals too narrow shows here.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from staffroom.measure import effects, gates
from staffroom.measure.cells import Cells, Ints
from staffroom.measure.many import Grid
from staffroom.measure.projection import least_squares
from staffroom.measure.staggered import NEVER, effective_clusters, event_times
from staffroom.measure.wild import wild_bootstrap

DRAWS = 200
BOOTSTRAPS = 399
LARGEST = 20_000
"""Cells up to which all of them are used for each fake activity."""
SAMPLE, LEAST_SCHOOLS = 6_000, 50
"""Beyond, so many cells and schools at least, drawn anew for every ROUND of fake activities."""
ROUND = 50


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
    schools: int = 0
    """How many schools each was tried on, where a random part was taken; 0: on all."""


def rejection_rate(
    cells: Cells,
    first_treated: Ints | Sequence[Ints],
    generator: np.random.Generator,
    *,
    draws: int = DRAWS,
    confidence: float = 0.95,
) -> Calibration:
    """Estimate `draws` fake activities dealt from `first_treated` (I,), or from several in turn, as a panel's headline is.

    A true effect stays in the outcomes and only makes them noisier; covariates are taken out beforehand, with one slope
    for all. Of more than LARGEST cells random parts of whole schools are taken, so that what students of a school share
    stays as it is. Raises ValueError for fewer than one draw.
    """
    if draws < 1:
        raise ValueError("calibration needs at least one draw")
    patterns = [first_treated] if isinstance(first_treated, np.ndarray) else list(first_treated)
    plain, found, schools = net_of_covariates(cells), list[float | None](), 0
    whole = None if len(plain.n) > LARGEST else Grid(plain)
    for start in range(0, draws, ROUND):
        grid, teachers = (whole, np.arange(len(plain.teachers))) if whole else _part(plain, generator)
        schools = 0 if whole else len(grid.cells.clusters)
        for place in range(start, min(draws, start + ROUND)):
            dealt = deal(grid.cells, patterns[place % len(patterns)][teachers], generator)
            found.append(_p_value(grid, dealt, generator, confidence))
    known = [p for p in found if p is not None]
    if not known:
        return Calibration(None, 0, 0.0, 1.0)
    rate = sum(p < 1 - confidence for p in known) / len(known)
    return Calibration(rate, len(known), *wilson(rate, len(known)), schools)


def net_of_covariates(cells: Cells) -> Cells:
    """The outcome alone, less what covariates explain of it apart from teachers and terms."""
    columns = cells.mean.shape[1]
    slope = np.zeros(columns)
    if columns > 1:
        slope[1:] = np.nan_to_num(least_squares(cells).coefficients)
    away = np.r_[1.0, -slope[1:]]
    scatter = np.maximum(np.einsum("k,ckl,l->c", away, cells.scatter, away), 0.0)
    return replace(cells, mean=(cells.mean @ away)[:, None], scatter=scatter[:, None, None])


def _part(cells: Cells, generator: np.random.Generator) -> tuple[Grid, Ints]:
    """A random part of the schools with all of their teachers, and which teachers (codes) these are."""
    size = np.bincount(cells.cluster, minlength=len(cells.clusters))
    order = generator.permutation(len(size))
    enough = int(np.searchsorted(np.cumsum(size[order]), SAMPLE)) + 1
    chosen = np.zeros(len(size), dtype=np.bool_)
    chosen[order[: max(LEAST_SCHOOLS, enough)]] = True
    teachers = np.flatnonzero(chosen[cells.cluster_of])
    place = np.full(len(cells.teachers), -1)
    place[teachers] = np.arange(len(teachers))
    clusters, cluster_of = np.unique(cells.cluster_of[teachers], return_inverse=True)
    kept = cells.take(chosen[cells.cluster])
    part = replace(
        kept,
        teacher=place[kept.teacher],
        teachers=cells.teachers[teachers],
        cluster_of=cluster_of,
        clusters=cells.clusters[clusters],
    )
    return Grid(part), teachers


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
    """p-value of the panel's headline, without covariates; None if there is none.

    With few schools the more cautious of Student's t and the bootstrap, which is left out where t rejects nothing.
    """
    return _p_value(Grid(cells), first_treated, generator, confidence)


def _p_value(grid: Grid, first_treated: Ints, generator: np.random.Generator, confidence: float) -> float | None:
    event = event_times(grid.cells, first_treated)
    if not ((event >= 0).any() and (event < 0).any()) or (first_treated == NEVER).all():
        return None
    found = grid.headline(first_treated)
    if found is None or not found.standard_error > 0:
        return None
    if not gates.allows_interval(found.clusters, found.treated_clusters):
        return None
    p = effects.two_sided_p(found.effect, found.standard_error, found.clusters - 1)
    are_many = min(found.clusters, effective_clusters(grid.cells)) >= gates.MANY_CLUSTERS
    if are_many or p >= 1 - confidence:
        return p
    drawn = wild_bootstrap(grid.cells, first_treated, generator, draws=BOOTSTRAPS, confidence=confidence)
    return max(p, drawn.p)


def wilson(share: float, draws: int) -> tuple[float, float]:
    """Wilson's score interval of a share, 95 %."""
    z = effects.NORMAL.inv_cdf(0.975)
    center = (share + z * z / (2 * draws)) / (1 + z * z / draws)
    half = z / (1 + z * z / draws) * math.sqrt(share * (1 - share) / draws + z * z / (4 * draws**2))
    return max(0.0, center - half), min(1.0, center + half)
