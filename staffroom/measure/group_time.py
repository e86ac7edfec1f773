"""Group-time average effects of Callaway & Sant'Anna (2021, Journal of Econometrics 225), without covariates.

Long differences of teachers seen in both terms, against those of teachers who never took part; stands beside the
headline as a check that needs weaker parallel trends. Teachers weigh by their results in the later term. Errors are
from influence functions summed by cluster, with the part that comes from estimating the weights.
"""

from dataclasses import dataclass

import numpy as np

from staffroom.measure.cells import Cells, Floats, Ints
from staffroom.measure.projection import two_way
from staffroom.measure.staggered import NEVER


@dataclass(frozen=True, slots=True)
class GroupTime:
    """Effect on the group that began in term `group`, in term `term` (before it: a placebo), in outcome units."""

    group: int
    term: int
    effect: float
    standard_error: float
    results: int
    """Results of the group's teachers in `term`: the weight in averages."""


@dataclass(frozen=True, slots=True)
class Aggregate:
    """An average of group-time effects, in outcome units."""

    key: int | None
    effect: float
    standard_error: float


@dataclass(frozen=True, slots=True, eq=False)
class CallawaySantAnna:
    """All group-time effects and their usual averages."""

    group_times: tuple[GroupTime, ...]
    simple: Aggregate
    """Over all group-times from the first term of taking part on, by results."""
    dynamic: Aggregate
    """Plain mean of `by_event_time` from 0 on."""
    by_event_time: tuple[Aggregate, ...]
    by_group: tuple[Aggregate, ...]


def group_time_effects(cells: Cells, first_treated: Ints, *, base: str = "varying") -> CallawaySantAnna | None:
    """Estimate from cells (only the outcome is used) and first treated term per teacher (I,), NEVER for none.

    `base` is what terms before taking part are compared with: 'varying', the term before each; 'universal', the last
    term before taking part. None without never-treated teachers or without any effect from taking part on.
    """
    if base not in ("varying", "universal"):
        raise ValueError(f"base must be 'varying' or 'universal', not {base!r}")
    panel = _Panel(cells, first_treated)
    found = [
        pair
        for group in np.unique(first_treated[first_treated != NEVER]).tolist()
        for term, other in _comparisons(cells.terms, group, base)
        if (pair := panel.effect(group, term, other)) is not None
    ]
    if not any(one.term >= one.group for one, _, _ in found):
        return None
    return _Averages(found, len(cells.clusters)).all()


def _comparisons(terms: Ints, group: int, base: str) -> list[tuple[int, int]]:
    """(term, base term) codes for one group; empty if the group has no term before."""
    last = int(np.searchsorted(terms, group)) - 1
    if last < 0:
        return []
    after = [(term, last) for term in range(last + 1, len(terms))]
    if base == "universal":
        return [(term, last) for term in range(last)] + after
    return [(term, term - 1) for term in range(1, last + 1)] + after


type _Found = tuple[GroupTime, Floats, Floats]
type _Change = tuple[float, Floats, Floats]


class _Panel:
    """Teacher x term grids of means and results, a block of teachers per group."""

    def __init__(self, cells: Cells, first_treated: Ints) -> None:
        self.terms, self.clusters = cells.terms, len(cells.clusters)
        n = two_way(cells).weights
        mean = np.zeros_like(n)
        mean[cells.teacher, cells.term] = cells.mean[:, 0]
        rows = {group: np.flatnonzero(first_treated == group) for group in np.unique(first_treated).tolist()}
        self.blocks = {group: (n[who], mean[who], cells.cluster_of[who]) for group, who in rows.items()}
        self.changes: dict[tuple[int, int, int], _Change | None] = {}

    def effect(self, group: int, term: int, base: int) -> _Found | None:
        """The effect, its cluster influence (G,) and the group's results by cluster (G,); None if a side is empty."""
        taking_part, never = self._change(group, term, base), self._change(NEVER, term, base)
        if taking_part is None or never is None:
            return None
        (gain, influence, results), (other, against, _) = taking_part, never
        whole = influence - against
        error = float(np.sqrt(whole @ whole))
        return GroupTime(group, int(self.terms[term]), gain - other, error, int(results.sum())), whole, results

    def _change(self, group: int, term: int, base: int) -> _Change | None:
        """Mean change, its influence (G,) and results (G,) by cluster, for a group's teachers seen in both terms."""
        key = (group, term, base)
        if key not in self.changes:
            self.changes[key] = self._measured(group, term, base)
        return self.changes[key]

    def _measured(self, group: int, term: int, base: int) -> _Change | None:
        if group not in self.blocks:
            return None
        n, mean, cluster_of = self.blocks[group]
        weight = np.where(n[:, base] > 0, n[:, term], 0.0)
        total = weight.sum()
        if total == 0:
            return None
        change = mean[:, term] - mean[:, base]
        average = float(weight @ change / total)
        influence = np.bincount(cluster_of, weight * (change - average), minlength=self.clusters) / total
        return average, influence, np.bincount(cluster_of, weight, minlength=self.clusters)


class _Averages:
    """Averages by results; the weights are estimated too, and their part of the influence is counted."""

    def __init__(self, found: list[_Found], clusters: int) -> None:
        self.found, self.clusters = found, clusters

    def all(self) -> CallawaySantAnna:
        """Simple, by event time, by group, dynamic."""
        after = [item for item in self.found if item[0].term >= item[0].group]
        events = sorted({one.term - one.group for one, _, _ in self.found})
        groups = sorted({one.group for one, _, _ in after})
        by_event = [(e, self._mean([i for i in self.found if i[0].term - i[0].group == e])) for e in events]
        by_group = [(g, self._mean([i for i in after if i[0].group == g])) for g in groups]
        late = [value for e, value in by_event if e >= 0]
        dynamic = (float(np.mean([v for v, _ in late])), np.mean([i for _, i in late], axis=0))
        return CallawaySantAnna(
            tuple(one for one, _, _ in self.found),
            _aggregate(None, self._mean(after)),
            _aggregate(None, dynamic),
            tuple(_aggregate(key, value) for key, value in by_event),
            tuple(_aggregate(key, value) for key, value in by_group),
        )

    def _mean(self, items: list[_Found]) -> tuple[float, Floats]:
        effect = np.array([one.effect for one, _, _ in items])
        influence = np.stack([psi for _, psi, _ in items])
        results = np.stack([n for _, _, n in items])
        share = results.sum(axis=1) / results.sum()
        mean = float(share @ effect)
        return mean, share @ influence + (effect - mean) @ results / results.sum()


def _aggregate(key: int | None, value: tuple[float, Floats]) -> Aggregate:
    effect, influence = value
    return Aggregate(key, effect, float(np.sqrt(influence @ influence)))
