"""A lottery as it is told, made into a trial: who was drawn, which results count, what was lost."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from staffroom.measure.cells import Bools, Cells, Floats, Ints, finite
from staffroom.measure.trial import Trial, unit_moments

OUTSIDE = -1
"""Assignment of a teacher who was not in the lottery."""


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """A trial and where its columns stand; the outcome is column 0."""

    trial: Trial
    taken: int | None
    """Share that took part."""
    covariates: dict[int, int]
    """Column of the cells (0: the teacher's prior mean) to its place."""
    plain: tuple[int, ...]
    """What is adjusted for but not interacted: a missing prior mean, terms."""


class TrialData:
    """Checks what is told, per teacher (I,), and keeps the blocks in which both arms have results that count."""

    def __init__(
        self,
        cells: Cells,
        assigned: ArrayLike,
        block: ArrayLike | None,
        unit: ArrayLike | None,
        taken: ArrayLike | None,
        since: int | None,
        until: int | None,
    ) -> None:
        teachers = len(cells.teachers)
        self.drawn = _assigned(assigned, teachers)
        self.inside = self.drawn != OUTSIDE
        self.unit_is_cluster = unit is None and _alike(cells.cluster_of[self.inside], self.drawn[self.inside])
        plain = cells.cluster_of if self.unit_is_cluster else np.arange(teachers)
        self.unit = plain if unit is None else _codes("unit", unit, teachers)[1]
        self.labels, self.block = _codes("block", np.zeros(teachers) if block is None else block, teachers)
        _same_within(self.unit, self.drawn, self.inside, "assigned differs within a unit")
        _same_within(self.unit, self.block, self.inside, "a unit lies in more than one block")
        time = cells.terms[cells.term]
        counts = self.inside[cells.teacher] & (time < (np.inf if until is None else until))
        before = np.zeros_like(counts) if since is None else time < since
        taken_up = None if taken is None else _taken(taken, cells)
        self.prior = _prior(cells, before)
        self._settle(cells, counts & ~before)
        self.taken = None if taken_up is None else taken_up[self.counts]

    def _settle(self, cells: Cells, counts: Bools) -> None:
        """Keep blocks with results in both arms; count what is lost."""
        seen = np.zeros(len(self.drawn), dtype=np.bool_)
        seen[cells.teacher[counts]] = True
        arms = np.zeros((len(self.labels), 2), dtype=np.bool_)
        arms[self.block[seen], self.drawn[seen]] = True
        both = arms.all(axis=1)
        self.kept = seen & both[self.block]
        self.counts = counts & self.kept[cells.teacher]
        self.cells = cells.take(self.counts)
        self.reason = "" if self.kept.any() else "one_arm" if seen.any() else "no_results"
        self.blocks_lost = int(np.count_nonzero(arms.any(axis=1) & ~both))
        self.units_lost = [self._units(self.inside, arm) - self._units(seen, arm) for arm in (0, 1)]

    def _units(self, who: Bools, arm: int) -> int:
        return len(np.unique(self.unit[who & (self.drawn == arm)]))

    def prior_missing(self) -> int:
        """Teachers who count and have no mean from before, while others have."""
        missing = np.isnan(self.prior[self.kept])
        return 0 if missing.all() else int(missing.sum())

    def perfect(self) -> bool:
        """Whether all drawn took part and nobody else did."""
        return self.taken is not None and bool(np.all(self.taken == self.drawn[self.cells.teacher]))

    def columns(self) -> Columns:
        """The trial over the results that count."""
        cells, size = self.cells, self.cells.mean.shape[1]
        extra, places = [], {column: column for column in range(1, size)}
        taken = None if self.taken is None else size
        if self.taken is not None:
            extra.append(self.taken)
        prior, missing = self.prior[cells.teacher], np.isnan(self.prior[cells.teacher])
        plain = []
        if not missing.all():
            places[0] = size + len(extra)
            extra.append(np.where(missing, np.average(prior[~missing], weights=cells.mass[~missing]), prior))
            plain += [missing.astype(np.float64)] if missing.any() else []
        plain += [(cells.term == term).astype(np.float64) for term in np.unique(cells.term)[1:]]
        first = size + len(extra)
        trial = self._trial([*extra, *plain])
        return Columns(trial, taken, places, tuple(range(first, first + len(plain))))

    def _trial(self, extra: list[Floats]) -> Trial:
        """Moments of the cells' columns and of `extra` ones (C,), constant within cells."""
        cells = self.cells
        unit, code = np.unique(self.unit[cells.teacher], return_inverse=True)
        owner = np.zeros(len(unit), dtype=np.int64)
        owner[code] = cells.teacher
        blocks, block = np.unique(self.block[owner], return_inverse=True)
        mean = np.column_stack([cells.mean, *extra])
        shift = np.average(mean, axis=0, weights=cells.mass)
        mean -= shift
        size = cells.mean.shape[1]
        scatter = np.zeros((len(mean), mean.shape[1], mean.shape[1]))
        scatter[:, :size, :size] = cells.scatter
        moments = unit_moments(cells, code, len(unit), mean, scatter)
        drawn = self.drawn[owner].astype(np.float64)
        return Trial(moments, shift, drawn, block, self.labels[blocks], float(cells.n.sum()))

    def has_spread(self) -> bool:
        """Whether the outcomes that count differ at all."""
        values, mass = self.cells.mean[:, 0], self.cells.mass
        off = values - np.average(values, weights=mass)
        squares = float(self.cells.scatter[:, 0, 0].sum() + mass @ off**2)
        return squares > (1e-9 * (float(np.abs(values).max()) or 1.0)) ** 2 * float(mass.sum())


def _assigned(values: ArrayLike, teachers: int) -> Ints:
    array = finite("assigned", values, 1)
    wrong = ~np.isin(array, (OUTSIDE, 0, 1))
    if wrong.any():
        raise ValueError(f"assigned is not -1, 0 or 1 in row {int(np.argmax(wrong))}")
    _length("assigned", array, teachers)
    return array.astype(np.int64)


def _codes(name: str, values: ArrayLike, teachers: int) -> tuple[NDArray[Any], Ints]:
    array = np.asarray(values)
    if array.dtype.kind == "f":
        finite(name, array, 1)
    if array.ndim != 1 or array.dtype.kind not in "iufUS":
        raise ValueError(f"{name} must be a list of numbers or text, one for each teacher")
    _length(name, array, teachers)
    labels, codes = np.unique(array, return_inverse=True)
    return labels, codes


def _taken(values: ArrayLike, cells: Cells) -> Floats:
    """(C,) from cells or teachers."""
    array = finite("taken", values, 1)
    if len(array) == len(cells.n):
        return array
    _length("taken", array, len(cells.teachers))
    return array[cells.teacher]


def _length(name: str, values: NDArray[Any], teachers: int) -> None:
    if len(values) != teachers:
        raise ValueError(f"{name} has {len(values)} rows, expected one for each of {teachers} teachers")


def _same_within(unit: Ints, values: Ints, inside: Bools, sentence: str) -> None:
    """ValueError where `values` (I,) of teachers `inside` (I,) differ within a unit."""
    where = np.flatnonzero(inside)
    first = np.full(int(unit.max(initial=-1)) + 1, OUTSIDE, dtype=np.int64)
    first[unit[where[::-1]]] = values[where[::-1]]
    wrong = first[unit[where]] != values[where]
    if wrong.any():
        raise ValueError(f"{sentence}: see row {int(where[np.argmax(wrong)])}")


def _alike(cluster: Ints, drawn: Ints) -> bool:
    """Whether all teachers of a school fared alike, and both arms have schools."""
    clusters = int(cluster.max(initial=-1)) + 1
    seen = np.bincount(cluster * 2 + drawn, minlength=2 * clusters).reshape(clusters, 2) > 0
    return not seen.all(axis=1).any() and bool(seen.any(axis=0).all())


def _prior(cells: Cells, before: Bools) -> Floats:
    """(I,) each teacher's mean outcome over the cells `before` (C,); NaN without any."""
    weight = np.where(before, cells.mass, 0.0)
    total = np.bincount(cells.teacher, weight, minlength=len(cells.teachers))
    sums = np.bincount(cells.teacher, weight * cells.mean[:, 0], minlength=len(cells.teachers))
    return np.asarray(np.divide(sums, total, out=np.full_like(sums, np.nan), where=total > 0))
