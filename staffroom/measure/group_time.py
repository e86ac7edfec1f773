"""Group-time average effects of Callaway & Sant'Anna (2021, Journal of Econometrics 225).

Long differences of teachers seen in both terms, against those of teachers who never took part or have not yet; stands
beside the headline as a check that needs weaker parallel trends. With covariates, taken at the earlier of the two
terms, by outcome regression, weighting or both (`doubly_robust`). Teachers weigh by their (weighted) results in the
later term, or all alike. Errors are from influence functions summed by cluster, with the part from estimating the
weights of averages. As R's `did` does: groups that begin after the last term (and anticipation) count as never taking
part, and where nobody never takes part, not-yet-treated comparisons end when the last group begins.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from staffroom.measure.cells import Bools, Cells, Floats, Ints
from staffroom.measure.doubly_robust import METHODS, difference
from staffroom.measure.influence import multiplier_quantile, standard_error, weighted_mean
from staffroom.measure.staggered import NEVER

LAST = np.iinfo(np.int64).max
"""Stands for NEVER while groups are sorted by when they begin."""


@dataclass(frozen=True, slots=True)
class GroupTime:
    """Effect on the group that began in term `group`, in term `term` (before it: a placebo), in outcome units."""

    group: int
    term: int
    effect: float
    standard_error: float
    """NaN where fewer than two clusters of the group leave it undefined."""
    results: int
    """Results in `term` of the group's teachers who were seen in both terms."""
    teachers: int = 0
    """How many these are."""
    schools: int = 0
    """Clusters that they are in."""


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
    """Over all group-times from the first term of taking part on, by size."""
    dynamic: Aggregate
    """Plain mean of `by_event_time` from 0 on."""
    by_event_time: tuple[Aggregate, ...]
    by_group: tuple[Aggregate, ...]
    group: Aggregate
    """Mean of `by_group`, by the group's mean size over its terms."""
    by_calendar_time: tuple[Aggregate, ...]
    """Key is the term."""
    calendar: Aggregate
    """Plain mean of `by_calendar_time`."""
    scores: Floats
    """(G, P) cluster influence on each of P `group_times`."""
    sizes: Floats
    """(G, P) weight in averages of each group-time, by cluster."""
    event_time_scores: Floats
    """(G, E) cluster influence on each of E `by_event_time`."""
    clusters: int
    """Clusters with influence."""

    @property
    def event_time_covariance(self) -> Floats:
        """(E, E) of `by_event_time`, in outcome units squared."""
        return np.asarray(self.event_time_scores.T @ self.event_time_scores)

    def bands(
        self,
        generator: np.random.Generator,
        *,
        draws: int = 999,
        confidence: float = 0.95,
        over: str = "event_time",
        multipliers: str = "rademacher",
    ) -> float:
        """Standard errors about each estimate that cover all of them: 'event_time' or 'group_time' estimates."""
        if over not in ("event_time", "group_time"):
            raise ValueError(f"over must be 'event_time' or 'group_time', not {over!r}")
        scores = self.event_time_scores if over == "event_time" else self.scores
        return multiplier_quantile(scores, generator, draws=draws, confidence=confidence, multipliers=multipliers)

    def balanced(self, exposure: int) -> tuple[Aggregate, tuple[Aggregate, ...]]:
        """`dynamic` and `by_event_time` up to `exposure`, of only the groups seen that many terms after their first."""
        last = max(one.term for one in self.group_times)
        span = last - min(min(one.term for one in self.group_times), min(one.group for one in self.group_times) - 1)
        kept = [
            place
            for place, one in enumerate(self.group_times)
            if last - one.group >= exposure and exposure - span <= one.term - one.group <= exposure
        ]
        averages = _Averages([self.group_times[place] for place in kept], self.scores[:, kept], self.sizes[:, kept])
        lines = averages.by_event_time()
        return averages.plain([line for line in lines if line[0] >= 0]), averages.lines(
            lines, lambda one: one.term - one.group
        )

    def pre_test(self) -> tuple[float, float]:
        """Wald statistic and p (chi-squared) that all group-times before taking part are zero; NaN if there are none."""
        from scipy.special import chdtrc

        before = [place for place, one in enumerate(self.group_times) if one.term < one.group]
        effects, scores = np.array([self.group_times[place].effect for place in before]), self.scores[:, before]
        if not before or self.clusters <= len(before):
            return float("nan"), float("nan")
        wald = float(effects @ np.linalg.pinv(scores.T @ scores, hermitian=True) @ effects)
        return wald, float(chdtrc(len(before), wald))


def group_time_effects(
    cells: Cells,
    first_treated: Ints,
    *,
    controls: str = "never",
    base: str = "varying",
    method: str = "dr",
    anticipation: int = 0,
    covariates: Sequence[int] | None = None,
    weights: str = "results",
) -> CallawaySantAnna | None:
    """Estimate from cells (outcome first) and first treated term per teacher (I,), NEVER for none.

    `controls`: who is compared with, 'never' or 'notyet' treated. `base`: what terms before taking part are compared
    with, 'varying' (the term before each) or 'universal' (the last term before taking part). `anticipation`: terms
    before taking part that may already have an effect. `method`: 'dr', 'reg' or 'ipw', of use with covariates only.
    `covariates`: columns of the cells, by default all behind the outcome; () for none. `weights`: 'results' or
    'teachers' (all alike). None without anyone to compare with or without any effect from taking part on.
    """
    _known("controls", controls, ("never", "notyet"))
    _known("base", base, ("varying", "universal"))
    _known("method", method, METHODS)
    _known("weights", weights, ("results", "teachers"))
    if anticipation < 0:
        raise ValueError(f"anticipation must be 0 or more terms, not {anticipation}")
    columns = np.arange(1, cells.mean.shape[1]) if covariates is None else np.array(covariates, dtype=np.int64)
    begin, terms = beginnings(cells.terms, first_treated, controls, anticipation)
    if terms == 0:
        return None
    panel = _Panel(cells, begin, columns, controls, method, anticipation, weights)
    found = [
        pair
        for group in panel.starts
        for term, other in _comparisons(cells.terms[:terms], group, base, anticipation)
        if (pair := panel.effect(group, term, other)) is not None
    ]
    if not any(one.term >= one.group for one, _, _ in found):
        return None
    scores, sizes = np.stack([psi for _, psi, _ in found], axis=1), np.stack([size for _, _, size in found], axis=1)
    return _Averages([one for one, _, _ in found], scores, sizes).all()


def _known(name: str, value: str, choices: Sequence[str]) -> None:
    if value not in choices:
        raise ValueError(f"{name} must be one of {tuple(choices)}, not {value!r}")


def beginnings(terms: Ints, first_treated: Ints, controls: str, anticipation: int) -> tuple[Ints, int]:
    """First treated term (I,), LAST for never, and how many terms from the first can be compared: 0 for none."""
    never = (first_treated == NEVER) | (first_treated > terms[-1] + anticipation)
    begin = np.where(never, LAST, first_treated)
    if never.any():
        return begin, len(terms)
    if controls == "never" or not begin.size:
        return begin, 0
    latest = begin.max()
    return np.where(begin == latest, LAST, begin), int(np.searchsorted(terms, latest - anticipation))


def _comparisons(terms: Ints, group: int, base: str, anticipation: int) -> list[tuple[int, int]]:
    """(term, base term) codes for one group; empty if the group has no term before."""
    last = int(np.searchsorted(terms, group - anticipation)) - 1
    if last < 0:
        return []
    begin = int(np.searchsorted(terms, group))
    after = [(term, last) for term in range(begin, len(terms))]
    if base == "universal":
        return [(term, last) for term in range(begin) if term != last] + after
    return [(term, term - 1) for term in range(1, begin)] + after


type _Found = tuple[GroupTime, Floats, Floats]
type _Sums = tuple[Floats, Floats]


class _Panel:
    """Teacher x term grids of means and results, teachers sorted by when they begin, those who never do last."""

    def __init__(
        self, cells: Cells, begin: Ints, columns: Ints, controls: str, method: str, anticipation: int, weights: str
    ) -> None:
        self.terms, self.clusters = cells.terms, len(cells.clusters)
        self.controls, self.method, self.anticipation = controls, method, anticipation
        order = np.argsort(begin, kind="stable")
        place = np.empty_like(order)
        place[order] = np.arange(len(order))
        self.cluster, row = cells.cluster_of[order], place[cells.teacher]
        shape = len(order), len(self.terms)
        self.results, self.weight, self.mean = np.zeros(shape), np.zeros(shape), np.zeros(shape)
        self.results[row, cells.term], self.mean[row, cells.term] = cells.n, cells.mean[:, 0]
        self.weight[row, cells.term] = cells.mass if weights == "results" else 1.0
        self.x = np.zeros((*shape, len(columns)))
        self.x[row, cells.term] = cells.mean[:, columns]
        self.groups, first = np.unique(begin[order], return_index=True)
        self.slices = dict(zip(self.groups.tolist(), zip(first, [*first[1:], len(order)], strict=True), strict=True))
        self.starts = [group for group in self.groups.tolist() if group != LAST]
        self.sums: dict[tuple[int, int, int], _Sums] = {}

    def effect(self, group: int, term: int, base: int) -> _Found | None:
        """The effect, its cluster influence (G,) and the group's size by cluster (G,); None if a side is empty."""
        others = self._others(group, int(self.terms[max(term, base)]) + self.anticipation)
        size, _ = self._sums(group, term, base)
        if not others or not size.any():
            return None
        found = self._adjusted if self.x.shape[2] else self._plain
        estimate = found(group, others, term, base)
        if estimate is None:
            return None
        effect, influence = estimate
        seen = self._seen(group, term, base)
        results, teachers = int(self.results[seen, term].sum()), len(seen)
        schools, error = int(np.count_nonzero(size)), _error(influence, size)
        one = GroupTime(group, int(self.terms[term]), effect, error, results, teachers, schools)
        return one, influence, size

    def _others(self, group: int, last: int) -> list[int]:
        if self.controls == "never":
            return [LAST]
        return [other for other in self.groups.tolist() if other > last and other != group]

    def _seen(self, group: int, term: int, base: int) -> Ints:
        low, high = self.slices[group]
        seen = (self.weight[low:high, term] > 0) & (self.weight[low:high, base] > 0)
        return np.asarray(low + np.flatnonzero(seen))

    def _sums(self, group: int, term: int, base: int) -> _Sums:
        """By cluster (G,): weights, and weights times change, of a group's teachers seen in both terms."""
        key = (group, term, base)
        if key not in self.sums:
            low, high = self.slices[group]
            weight = np.where(self.weight[low:high, base] > 0, self.weight[low:high, term], 0.0)
            change = self.mean[low:high, term] - self.mean[low:high, base]
            cluster = self.cluster[low:high]
            self.sums[key] = (
                np.bincount(cluster, weight, minlength=self.clusters),
                np.bincount(cluster, weight * change, minlength=self.clusters),
            )
        return self.sums[key]

    def _plain(self, group: int, others: list[int], term: int, base: int) -> tuple[float, Floats] | None:
        """Without covariates: a difference of mean changes, from sums."""
        mine = self._sums(group, term, base)
        theirs = [self._sums(other, term, base) for other in others]
        against = sum(weight for weight, _ in theirs), sum(change for _, change in theirs)
        if not np.any(against[0]):
            return None
        (gain, influence), (other, other_influence) = _mean_change(*mine), _mean_change(*np.asarray(against))
        return gain - other, influence - other_influence

    def _adjusted(self, group: int, others: list[int], term: int, base: int) -> tuple[float, Floats] | None:
        rows = [self._seen(one, term, base) for one in (group, *others)]
        treated = np.repeat([True, False], [len(rows[0]), sum(map(len, rows[1:]))])
        row = np.concatenate(rows)
        change = self.mean[row, term] - self.mean[row, base]
        covariates = self.x[row, min(term, base)]
        found = difference(change, treated, self.weight[row, term], covariates, method=self.method)
        if found is None:
            return None
        return found.effect, np.bincount(self.cluster[row], found.influence, minlength=self.clusters)


def _mean_change(weight: Floats, change: Floats) -> tuple[float, Floats]:
    mean = change.sum() / weight.sum()
    return float(mean), (change - mean * weight) / weight.sum()


type _Line = tuple[int | None, float, Floats]


class _Averages:
    """Averages by size; the weights are estimated too, and their part of the influence is counted."""

    def __init__(self, found: list[GroupTime], scores: Floats, sizes: Floats) -> None:
        self.found, self.scores, self.sizes = found, scores, sizes
        self.effects = np.array([one.effect for one in found])

    def all(self) -> CallawaySantAnna:
        """Every average."""
        events, groups = self.by_event_time(), self._by([one.group for one in self.found])
        terms = self._by([one.term for one in self.found])
        after = [place for place, one in enumerate(self.found) if one.term >= one.group]
        return CallawaySantAnna(
            group_times=tuple(self.found),
            simple=self._aggregate(None, *self._mean(after)),
            dynamic=self.plain([line for line in events if line[0] >= 0]),
            by_event_time=self.lines(events, lambda one: one.term - one.group),
            by_group=self.lines(groups, lambda one: one.group),
            group=self._of_groups(groups),
            by_calendar_time=self.lines(terms, lambda one: one.term),
            calendar=self.plain(terms),
            scores=self.scores,
            sizes=self.sizes,
            event_time_scores=np.stack([scores for _, _, scores in events], axis=1),
            clusters=int(np.count_nonzero(self.scores.any(axis=1))),
        )

    def by_event_time(self) -> list[tuple[int, float, Floats]]:
        """Event time, effect and scores (G,), in order."""
        events = np.array([one.term - one.group for one in self.found])
        return [(int(event), *self._mean(np.flatnonzero(events == event).tolist())) for event in np.unique(events)]

    def _by(self, keys: list[int]) -> list[tuple[int, float, Floats]]:
        """The same by another key, from the first term of taking part on."""
        after = [(key, place) for place, key in enumerate(keys) if self.found[place].term >= self.found[place].group]
        return [
            (key, *self._mean([place for other, place in after if other == key]))
            for key in sorted({key for key, _ in after})
        ]

    def _mean(self, places: list[int]) -> tuple[float, Floats]:
        return weighted_mean(self.effects[places], self.scores[:, places], self.sizes[:, places])

    def lines(
        self, lines: list[tuple[int, float, Floats]], key_of: Callable[[GroupTime], int]
    ) -> tuple[Aggregate, ...]:
        """Effects and errors of averages by key."""
        keys = np.array([key_of(one) for one in self.found])
        return tuple(self._aggregate(key, effect, scores, keys == key) for key, effect, scores in lines)

    def _aggregate(
        self, key: int | None, effect: float, scores: Floats, inside: Bools | slice = slice(None)
    ) -> Aggregate:
        return Aggregate(key, effect, _error(scores, self.sizes[:, inside].sum(axis=1)))

    def plain(self, lines: list[tuple[int, float, Floats]]) -> Aggregate:
        """The mean of lines, all alike."""
        effect, scores = np.mean([effect for _, effect, _ in lines]), np.mean([psi for _, _, psi in lines], axis=0)
        return self._aggregate(None, float(effect), scores)

    def _of_groups(self, lines: list[tuple[int, float, Floats]]) -> Aggregate:
        sizes = [
            self.sizes[:, [i for i, one in enumerate(self.found) if one.group == key <= one.term]].mean(axis=1)
            for key, _, _ in lines
        ]
        scores = np.stack([psi for _, _, psi in lines], axis=1)
        mean = weighted_mean(np.array([effect for _, effect, _ in lines]), scores, np.stack(sizes, axis=1))
        return self._aggregate(None, *mean)


def _error(scores: Floats, sizes: Floats) -> float:
    """NaN where fewer than two clusters took part: one alone shows no variation."""
    return standard_error(scores) if np.count_nonzero(sizes) > 1 else float("nan")
