"""Extended two-way fixed effects: one regression, saturated by group and term.

Wooldridge (2021, "Two-Way Fixed Effects, the Two-Way Mundlak Regression, and Difference-in-Differences Estimators";
2025, Empirical Economics): teacher and term effects, a dummy for each group in each of its treated terms, covariates
by group, by term and, centered, by those dummies, so that a dummy is the mean effect on that group in that term.
Compared with not-yet-treated teachers, or with never-treated ones: then terms before taking part have dummies too,
except the last one.

Every column is the product of one (constant or covariate) with a group-and-term cell, so that the normal equations
come from sums by group (`_Sums`) and errors from residual sums by cluster, group and term; no row is visited twice.
Errors are CR1 by cluster with the small-sample factor of R's `etwfe`; averages weigh by results taken as given (the
delta method, as it and `marginaleffects` have it).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from staffroom.measure.cells import Bools, Cells, Floats, Ints, sum_by
from staffroom.measure.group_time import LAST, Aggregate, GroupTime, beginnings
from staffroom.measure.influence import standard_error
from staffroom.measure.projection import independent


@dataclass(frozen=True, slots=True, eq=False)
class Etwfe:
    """Effects by group and term and their averages, in outcome units; degrees of freedom are clusters - 1."""

    overall: Aggregate
    """Over all treated results."""
    by_event_time: tuple[Aggregate, ...]
    by_group: tuple[Aggregate, ...]
    by_calendar_time: tuple[Aggregate, ...]
    """Key is the term."""
    group_times: tuple[GroupTime, ...]
    """Those that the data identify."""
    covariance: Floats
    """(P, P) of `group_times`."""
    event_time_covariance: Floats
    """(E, E) of `by_event_time`."""
    clusters: int
    left_out: int
    """Group-times with results whose effect nothing identifies."""


def etwfe(
    cells: Cells,
    first_treated: Ints,
    *,
    controls: str = "notyet",
    covariates: Sequence[int] | None = None,
    anticipation: int = 0,
) -> Etwfe | None:
    """Estimate from cells (outcome first) and first treated term per teacher (I,), NEVER for none.

    `controls`: 'notyet' or 'never'. `covariates`: columns of the cells, by default all behind the outcome; () for none.
    `anticipation`: terms before taking part that may already have an effect; they have dummies of their own (and lines in
    `by_event_time`), but stand in no other average.
    Groups without a term before taking part and terms without anyone to compare with are left out. None where then no
    effect is left.
    """
    if controls not in ("never", "notyet"):
        raise ValueError(f"controls must be 'never' or 'notyet', not {controls!r}")
    columns = np.arange(1, cells.mean.shape[1]) if covariates is None else np.array(covariates, dtype=np.int64)
    if anticipation < 0:
        raise ValueError(f"anticipation must be 0 or more terms, not {anticipation}")
    begin, terms = beginnings(cells.terms, first_treated, controls, anticipation)
    kept = _comparable(cells, begin, terms, controls, anticipation)
    if kept is None:
        return None
    sums = _Sums(kept, begin, columns)
    design = _Design(sums, controls, anticipation)
    return _Fit(sums, design).averages() if design.effects else None


def _comparable(cells: Cells, begin: Ints, terms: int, controls: str, anticipation: int) -> Cells | None:
    """Cells of terms with comparison results and of groups with a term before taking part; None if nothing is left."""
    group, when = begin[cells.teacher], cells.terms[cells.term]
    compared = (group == LAST) | ((when < group - anticipation) if controls == "notyet" else False)
    here = np.zeros(len(cells.terms), dtype=np.bool_)
    here[cells.term[compared]] = True
    here[terms:] = False
    keep = here[cells.term]
    with_past = np.unique(group[keep & (when < group - anticipation)])
    keep &= np.isin(group, with_past)
    return cells.take(keep) if keep.any() else None


class _Sums:
    """Grids of the cells by teacher and term, and what the normal equations need of each group.

    Atoms are (group, term, column), the column being the constant or one of P covariates: A of them.
    """

    def __init__(self, cells: Cells, begin: Ints, columns: Ints) -> None:
        chosen = np.r_[0, columns]
        mass, mean = cells.mass, cells.mean[:, chosen] - cells.mass @ cells.mean[:, chosen] / cells.mass.sum()
        scatter = cells.scatter[:, chosen][:, :, chosen]
        scale = np.sqrt((np.einsum("ckk->k", scatter) + mass @ mean**2) / mass.sum())
        scale[0] = 1.0
        scale = np.where(scale > 0, scale, 1.0)
        self.cells = replace(cells, mean=mean / scale, scatter=scatter / (scale[:, None] * scale))
        self.terms, self.size = len(cells.terms), len(columns) + 1
        self.groups = np.unique(begin[cells.teacher])
        self.group = np.searchsorted(self.groups, begin[cells.teacher])
        self.code = self.group * self.terms + cells.term
        self.values = np.column_stack([np.ones(len(mass)), self.cells.mean[:, 1:]])
        self.total = np.bincount(cells.teacher, mass, minlength=len(cells.teachers))
        self.total[self.total == 0] = 1.0
        self.pairs = len(self.groups) * self.terms
        self.sums = sum_by(self.code, mass[:, None] * self.values, self.pairs).reshape(-1, self.terms, self.size)
        self.normal, self.right = self._normal()

    def _normal(self) -> tuple[Floats, Floats]:
        """Normal matrices (groups, T * V, T * V) and right-hand sides (groups, T * V), net of teacher effects."""
        cells, mass, atoms = self.cells, self.cells.mass, self.terms * self.size
        whole = np.zeros((len(mass), self.size, self.size + 1))
        whole[:, 1:, 1:-1], whole[:, 1:, -1] = cells.scatter[:, 1:, 1:], cells.scatter[:, 1:, 0]
        with_y = np.column_stack([self.values, cells.mean[:, 0]])
        whole += mass[:, None, None] * self.values[:, :, None] * with_y[:, None, :]
        blocks = sum_by(self.code, whole.reshape(len(mass), -1), self.pairs)
        blocks = blocks.reshape(len(self.groups), self.terms, self.size, self.size + 1)
        spread = np.zeros((len(self.groups), self.terms, self.size, self.terms, self.size))
        each = np.arange(self.terms)
        spread[:, each, :, each] = blocks[..., :-1].swapaxes(0, 1)
        normal, right = spread.reshape(-1, atoms, atoms), blocks[..., -1].reshape(-1, atoms)
        grid = np.zeros((len(cells.teachers), self.terms, self.size))
        grid[cells.teacher, cells.term] = mass[:, None] * self.values
        level = np.bincount(cells.teacher, mass * cells.mean[:, 0], minlength=len(self.total)) / self.total
        owner = np.zeros(len(cells.teachers), dtype=np.int64)
        owner[cells.teacher] = self.group
        for place in range(len(self.groups)):
            who = owner == place
            rows = grid[who].reshape(-1, atoms)
            normal[place] -= (rows / self.total[who, None]).T @ rows
            right[place] -= level[who] @ rows
        return normal, right

    def residuals(self, atoms: Floats) -> Floats:
        """(C,) residuals of the cells' means for fitted values by atom (groups * T, V), net of teacher effects."""
        cells, mass = self.cells, self.cells.mass
        off = cells.mean[:, 0] - (self.values * atoms[self.code]).sum(axis=1)
        level = np.bincount(cells.teacher, mass * off, minlength=len(self.total)) / self.total
        return np.asarray(off - level[cells.teacher])

    def scores(self, atoms: Floats, design: Floats) -> Floats:
        """(G, K) sums over results of column times residual, by cluster, for a design (A, K)."""
        cells, off = self.cells, self.residuals(atoms)
        clusters, by_column = len(cells.clusters), design.reshape(self.pairs, self.size, -1)
        place, scores = cells.cluster * self.pairs + self.code, np.zeros((clusters, design.shape[1]))
        for column in range(self.size):
            whole = cells.mass * self.values[:, column] * off
            if column:
                slope = (cells.scatter[:, column, 1:] * atoms[self.code, 1:]).sum(axis=1)
                whole = whole + cells.scatter[:, column, 0] - slope
            scores += (
                np.bincount(place, whole, minlength=clusters * self.pairs).reshape(clusters, -1) @ by_column[:, column]
            )
        return scores


class _Design:
    """The regression's columns as combinations (A, K) of atoms: terms, covariates by group and term, effects."""

    def __init__(self, sums: _Sums, controls: str, anticipation: int) -> None:
        self.sums, self.controls, self.anticipation = sums, controls, anticipation
        shape = len(sums.groups), sums.terms, sums.size
        self.columns: list[Floats] = []
        for term in range(sums.terms):
            self._add(shape, np.s_[:, term, 0])
        self.nuisances = int(np.count_nonzero(np.bincount(sums.cells.term)))
        for covariate in range(1, sums.size):
            for place in range(len(sums.groups)):
                self._add(shape, np.s_[place, :, covariate])
            for term in range(1, sums.terms):
                self._add(shape, np.s_[:, term, covariate])
        self.effects = [
            (place, term)
            for place, group in enumerate(sums.groups.tolist())
            for term in self._affected(group)
            if sums.sums[place, term, 0] > 0
        ]
        self.first = len(self.columns)
        for place, term in self.effects:
            self._add(shape, np.s_[place, term, 0])
        for place, term in self.effects:
            for covariate in range(1, sums.size):
                self._add(shape, np.s_[place, term, covariate])
                mean = sums.sums[place, term, covariate] / sums.sums[place, term, 0]
                self.columns[-1].reshape(shape)[place, term, 0] = -mean
        self.matrix = np.stack(self.columns, axis=1)

    def _add(self, shape: tuple[int, int, int], where: tuple[slice | int, ...]) -> None:
        column = np.zeros(shape)
        column[where] = 1.0
        self.columns.append(column.ravel())

    def _affected(self, group: int) -> list[int]:
        """Terms (codes) whose dummy the group has."""
        if group == LAST:
            return []
        when = self.sums.cells.terms
        place = int(np.searchsorted(self.sums.groups, group))
        seen = np.flatnonzero(self.sums.sums[place, :, 0] > 0)
        begin = group - self.anticipation
        before = seen[when[seen] < begin]
        chosen = seen[when[seen] >= begin] if self.controls == "notyet" else np.setdiff1d(seen, before[-1:])
        return [int(term) for term in chosen]


class _Fit:
    """Least squares and its cluster-robust errors."""

    def __init__(self, sums: _Sums, design: _Design) -> None:
        self.sums, self.design = sums, design
        columns = design.matrix.reshape(len(sums.groups), -1, design.matrix.shape[1])
        gram = np.einsum("gak,gal->kl", columns, sums.normal @ columns, optimize=True)
        scale = self._scale(columns)
        kept = np.flatnonzero(independent(gram, scale))
        inverse = np.linalg.inv(gram[np.ix_(kept, kept)])
        right = np.einsum("gak,ga->k", columns, sums.right)
        coefficients = np.zeros(len(gram))
        coefficients[kept] = inverse @ right[kept]
        atoms = (design.matrix @ coefficients).reshape(sums.pairs, sums.size)
        scores = sums.scores(atoms, design.matrix[:, kept]) @ inverse
        self.clusters = int(np.count_nonzero(np.bincount(sums.cells.cluster)))
        scores *= np.sqrt(self._factor(int(np.count_nonzero(scale[design.nuisances :])) + design.nuisances))
        effects = design.first + np.arange(len(design.effects))
        place = {int(column): row for row, column in enumerate(kept)}
        self.identified = [k for k, column in enumerate(effects) if int(column) in place]
        self.effects = coefficients[effects[self.identified]]
        self.scores = scores[:, [place[int(effects[k])] for k in self.identified]]
        self.codes = [sums.terms * row + term for row, term in (design.effects[k] for k in self.identified)]
        teachers = np.bincount(sums.cells.cluster * sums.pairs + sums.code, minlength=len(scores) * sums.pairs)
        self.teachers = teachers.reshape(len(scores), sums.pairs)[:, self.codes]

    def _scale(self, columns: Floats) -> Floats:
        """(K,) sums of squares of the columns, before teacher effects are taken out."""
        sums, mass = self.sums, self.sums.cells.mass
        squares = sum_by(sums.code, mass[:, None] * sums.values**2, sums.pairs)
        squares[:, 1:] += sum_by(sums.code, np.einsum("ckk->ck", sums.cells.scatter)[:, 1:], sums.pairs)
        return np.asarray(np.einsum("gak,ga->k", columns**2, squares.reshape(len(sums.groups), -1)))

    def _factor(self, columns: int) -> float:
        """(N-1)/(N-k) * G/(G-1), k as in the same regression with group instead of teacher effects."""
        results, parameters = float(self.sums.cells.n.sum()), columns + len(self.sums.groups) - 1
        if self.clusters < 2 or results <= parameters:
            return float("nan")
        return (results - 1) / (results - parameters) * self.clusters / (self.clusters - 1)

    def averages(self) -> Etwfe | None:
        """All averages; None if no effect from taking part on is identified."""
        chosen = [self.design.effects[k] for k in self.identified]
        group = np.array([self.sums.groups[place] for place, _ in chosen], dtype=np.int64)
        code = np.array([term for _, term in chosen], dtype=np.int64)
        term = self.sums.cells.terms[code]
        after = term >= group
        if not after.any():
            return None
        weight = np.array([self.sums.sums[place, when, 0] for place, when in chosen])
        covariance = self.scores.T @ self.scores
        events, shares = self._by(term - group, weight, np.ones(len(term), dtype=np.bool_))
        return Etwfe(
            overall=self._aggregate(None, np.where(after, weight, 0.0)),
            by_event_time=events,
            by_group=self._by(group, weight, after)[0],
            by_calendar_time=self._by(term, weight, after)[0],
            group_times=self._lines(chosen, np.sqrt(np.diag(covariance))),
            covariance=covariance,
            event_time_covariance=shares @ covariance @ shares.T,
            clusters=self.clusters,
            left_out=len(self.design.effects) - len(chosen),
        )

    def _by(self, keys: Ints, weight: Floats, inside: Bools) -> tuple[tuple[Aggregate, ...], Floats]:
        """Averages by key, and their weights (keys, P)."""
        each = [(int(key), np.where(inside & (keys == key), weight, 0.0)) for key in np.unique(keys[inside])]
        shares = np.stack([weights / weights.sum() for _, weights in each])
        return tuple(self._aggregate(key, weights) for key, weights in each), shares

    def _aggregate(self, key: int | None, weight: Floats) -> Aggregate:
        share = weight / weight.sum()
        alone = np.count_nonzero(self.teachers[:, weight > 0].any(axis=1)) < 2
        error = float("nan") if alone else standard_error(self.scores @ share)
        return Aggregate(key, float(share @ self.effects), error)

    def _lines(self, chosen: list[tuple[int, int]], errors: Floats) -> tuple[GroupTime, ...]:
        sums, cells = self.sums, self.sums.cells
        results = np.bincount(sums.code, cells.n, minlength=sums.pairs)[self.codes]
        schools = np.count_nonzero(self.teachers, axis=0)
        return tuple(
            GroupTime(
                group=int(sums.groups[place]),
                term=int(cells.terms[term]),
                effect=float(self.effects[k]),
                standard_error=float(errors[k]) if schools[k] > 1 else float("nan"),
                results=int(results[k]),
                teachers=int(self.teachers[:, k].sum()),
                schools=int(schools[k]),
            )
            for k, (place, term) in enumerate(chosen)
        )
