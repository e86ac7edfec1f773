"""Many activities on the same cells: only the headline of each, at a small part of the price.

The numbers are those of `staggered.impute(..., leave_out=True)` without covariates, from a grid of teachers and terms
that is made once. What does not depend on the activity is not computed again.
"""

from dataclasses import dataclass

import numpy as np

from staffroom.measure.cells import Bools, Cells, Floats, Ints
from staffroom.measure.projection import generalized_inverse, parts
from staffroom.measure.staggered import NEVER, Recentering


@dataclass(frozen=True, slots=True)
class Headline:
    """One activity's overall effect, in outcome units, and what stands behind it."""

    effect: float
    standard_error: float
    """NaN where fewer than two treated clusters leave it undefined."""
    sd: float
    """Of untreated results within terms; NaN where there is none."""
    students: int
    """Results of the fullest term."""
    results: int
    teachers: int
    clusters: int
    treated_results: int
    treated_teachers: int
    treated_clusters: int
    untreated_results: int
    untreated_teachers: int
    """Teachers with untreated results."""
    never_or_later: int
    """Teachers without any treated term."""
    terms: int
    always_treated: int
    unmatched_cells: int


@dataclass(frozen=True, slots=True, eq=False)
class _Used:
    """The part of cells that `Recentering` looks at."""

    cluster: Ints
    clusters: Ints


class Grid:
    """Cells as arrays (T, I), so that what is summed over a teacher's few terms lies side by side; 0 where there is no cell."""

    def __init__(self, cells: Cells) -> None:
        self.cells, self.terms = cells, len(cells.terms)
        self.shape = self.terms, len(cells.teachers)
        self.key = cells.term * len(cells.teachers) + cells.teacher
        middle = float(cells.mass @ cells.mean[:, 0] / cells.mass.sum())
        self.n, self.mass = self._laid(cells.n), self._laid(cells.mass)
        self.outcome = self._laid(cells.mean[:, 0] - middle)
        self.scatter = self._laid(cells.scatter[:, 0, 0])
        self.there = self.n > 0
        self.clusters = np.arange(len(cells.clusters))

    def _laid(self, values: Floats) -> Floats:
        grid = np.zeros(self.shape[0] * self.shape[1])
        grid[self.key] = values
        return grid.reshape(self.shape)

    def headline(self, first_treated: Ints) -> Headline | None:
        """Of first terms (I,), NEVER for none; None if no treated cell can be imputed."""
        later = np.where(first_treated == NEVER, np.iinfo(np.int64).max, first_treated)
        treated = self.there & (self.cells.terms[:, None] >= later)
        known = np.where(treated, 0.0, self.mass)
        totals = known.sum(axis=0)
        safe = np.where(totals > 0, totals, 1.0)
        share = known / safe
        term_part = parts(known.T)
        inverse = generalized_inverse(np.diag(known.sum(axis=1)) - known @ share.T, term_part)
        level = np.einsum("ti,ti->i", share, self.outcome)
        gamma = inverse @ (np.einsum("ti,ti->t", known, self.outcome) - known @ level)
        gap = self.outcome - (level - gamma @ share) - gamma[:, None]
        own = np.where(totals > 0, term_part[np.argmax(known > 0, axis=0)], -1)
        used = treated & (own >= 0) & (own == term_part[:, None])
        if not used.any():
            return None
        weight = np.where(used, self.mass, 0.0)
        weight /= weight.sum()
        pull = inverse @ (weight.sum(axis=1) - known @ (weight.sum(axis=0) / safe))
        of_teacher = pull @ (known * gap)
        scores = self._treated_scores(used, weight, gap, first_treated)
        scores -= np.bincount(self.cells.cluster_of, of_teacher, minlength=self.clusters.size)
        error = float(np.sqrt(scores @ scores))
        return self._counted(float(np.vdot(weight, gap)), error, treated, used, totals)

    def _treated_scores(self, used: Bools, weight: Floats, gap: Floats, first_treated: Ints) -> Floats:
        term, teacher = np.nonzero(used)
        group = first_treated[teacher]
        places = _Used(self.cells.cluster_of[teacher], self.clusters)
        about = Recentering(places, self.cells.terms[term] - group, group, leave_out=True)
        return about.scores(weight[used], gap[used])

    def _counted(self, effect: float, error: float, treated: Bools, used: Bools, totals: Floats) -> Headline:
        free = self.there & ~treated
        inside = used | free
        n = self.n * inside
        treated_results, results = int(np.vdot(self.n, used)), int(n.sum())
        who, part, base = inside.any(axis=0), used.any(axis=0), free.any(axis=0)
        ever = treated.any(axis=0)
        always = ever & (totals == 0)
        return Headline(
            effect=effect,
            standard_error=error,
            sd=self._spread(free),
            students=int(n.sum(axis=1).max()),
            results=results,
            teachers=int(who.sum()),
            clusters=self._different(who),
            treated_results=treated_results,
            treated_teachers=int(part.sum()),
            treated_clusters=self._different(part),
            untreated_results=results - treated_results,
            untreated_teachers=int(base.sum()),
            never_or_later=int((self.there.any(axis=0) & ~ever).sum()),
            terms=int(self.there.any(axis=1).sum()),
            always_treated=int(always.sum()),
            unmatched_cells=int((treated & ~used & ~always).sum()),
        )

    def _different(self, teachers: Bools) -> int:
        return int(np.count_nonzero(np.bincount(self.cells.cluster_of[teachers])))

    def _spread(self, free: Bools) -> float:
        """As `study.comparison_sd`."""
        mass = self.mass * free
        total, results = mass.sum(axis=1), float(np.vdot(self.n, free))
        terms = int((total > 0).sum())
        if results - terms < 1:
            return float("nan")
        mean = (mass * self.outcome).sum(axis=1) / np.where(total > 0, total, 1.0)
        squares = float(np.vdot(self.scatter, free) + np.vdot(mass, (self.outcome - mean[:, None]) ** 2))
        return float(np.sqrt(squares / total.sum() * results / (results - terms)))
