"""Two-way (teacher and term) effects without iteration, and least squares from cluster moments.

Teachers are many and terms are few: eliminating the teachers from the weighted normal equations leaves a T x T system
for the terms, the Schur complement S = diag(N_t) - sum_i n_i n_i' / N_i, which is solved once (Guimaraes & Portugal 2010
solve the same equations by iteration). All later quantities follow from moments per cluster.
"""

from dataclasses import dataclass, replace

import numpy as np

from staffroom.measure.cells import Bools, Cells, Floats, Ints, sum_by

NEGLIGIBLE = 1e-9
"""A column whose share of variance left after projection is below this is taken as explained by the effects."""


@dataclass(frozen=True, slots=True, eq=False)
class TwoWay:
    """Weighted two-way normal equations with the teachers eliminated."""

    weights: Floats
    """(I, T) results (or their weights) per teacher and term; 0 where there is no cell."""
    totals: Floats
    """(I,) results (or their weights) per teacher."""
    inverse: Floats
    """(T, T) generalized inverse of the Schur complement: the first term of each component is the zero point."""
    teacher_part: Ints
    """(I,) connected component that the teacher belongs to, -1 without any cell."""
    term_part: Ints
    """(T,) connected component that the term belongs to, -1 without any cell."""

    def solve(self, teacher_sums: Floats, term_sums: Floats) -> tuple[Floats, Floats]:
        """Effects (I, Q), (T, Q) that solve the normal equations for right-hand sides (I, Q), (T, Q)."""
        share = self._divide(teacher_sums)
        term = self.inverse @ (term_sums - self.weights.T @ share)
        return self._divide(teacher_sums - self.weights @ term), term

    def solve_terms(self, teacher_sums: Floats, term_sums: Floats) -> Floats:
        """Only the term effects (T, Q) of `solve`."""
        return self.inverse @ (term_sums - self.weights.T @ self._divide(teacher_sums))

    def _divide(self, sums: Floats) -> Floats:
        return sums / np.where(self.totals > 0, self.totals, 1.0)[:, None]

    def joined(self, teacher: Ints, term: Ints) -> Bools:
        """Whether teacher effect plus term effect can be told for each pair: both lie in one connected component."""
        part = self.teacher_part[teacher]
        return np.asarray((part >= 0) & (part == self.term_part[term]))


def two_way(cells: Cells) -> TwoWay:
    """The equations for `cells`; connectedness follows Abowd, Creecy & Kramarz (2002)."""
    size, terms = len(cells.teachers), len(cells.terms)
    weights = np.bincount(cells.teacher * terms + cells.term, cells.mass, minlength=size * terms).reshape(size, terms)
    totals = weights.sum(axis=1)
    schur = np.diag(weights.sum(axis=0)) - weights.T @ (weights / np.where(totals > 0, totals, 1.0)[:, None])
    term_part = parts(weights)
    teacher_part = np.where(totals > 0, term_part[np.argmax(weights > 0, axis=1)], -1)
    return TwoWay(weights, totals, generalized_inverse(schur, term_part), teacher_part, term_part)


def parts(weights: Floats) -> Ints:
    """Components of terms that share a teacher, numbered by their first term; -1 for terms without cells."""
    present = (weights > 0).astype(np.float64)
    reach = present.T @ present > 0
    for _ in range(max(1, len(reach).bit_length())):
        reach = (reach.astype(np.float64) @ reach) > 0
    return np.where(present.any(axis=0), np.argmax(reach, axis=1), -1)


def generalized_inverse(schur: Floats, part: Ints) -> Floats:
    """Inverse without the first term of each component: what cannot be told is counted, not guessed by a tolerance."""
    inverse = np.zeros_like(schur)
    for label in np.unique(part[part >= 0]):
        here = np.flatnonzero(part == label)
        kept = here[1:]
        if kept.size:
            inverse[np.ix_(kept, kept)] = np.linalg.inv(schur[np.ix_(kept, kept)])
    return inverse


def fitted(cells: Cells, equations: TwoWay, *, at: Cells | None = None) -> Floats:
    """Teacher plus term effects of each column fitted on `cells`, for the cells `at` (default the same): (C, K)."""
    sums = cells.sums
    alpha, gamma = equations.solve(
        sum_by(cells.teacher, sums, len(cells.teachers)),
        sum_by(cells.term, sums, len(cells.terms)),
    )
    places = cells if at is None else at
    return np.asarray(alpha[places.teacher] + gamma[places.term])


def centered(cells: Cells) -> Floats:
    """(C, K) means less the grand mean of each column: before anything is squared."""
    return np.asarray(cells.mean - (cells.mass @ cells.mean) / cells.mass.sum())


def cluster_moments(cells: Cells, residual: Floats) -> Floats:
    """(G, K, K) per cluster: sums over results of products of residual columns, from cell residuals (C, K)."""
    cluster, size, columns = cells.cluster, len(cells.clusters), residual.shape[1]
    moments = np.empty((size, columns, columns))
    for k in range(columns):
        weighted = cells.mass * residual[:, k]
        for m in range(k, columns):
            whole = cells.scatter[:, k, m] + weighted * residual[:, m]
            moments[:, k, m] = moments[:, m, k] = np.bincount(cluster, whole, minlength=size)
    return moments


@dataclass(frozen=True, slots=True, eq=False)
class LeastSquares:
    """Coefficients of P columns; dropped (collinear) ones are NaN."""

    coefficients: Floats
    """(P,) in outcome units per unit of the column."""
    covariance: Floats
    """(P, P) cluster-robust (CR1)."""
    kept: Bools
    """(P,) which columns were not explained by the effects or by earlier columns."""
    clusters: int
    """Clusters with results; degrees of freedom are one fewer."""

    @property
    def standard_errors(self) -> Floats:
        """(P,) square roots of the diagonal."""
        return np.sqrt(np.diag(self.covariance))


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """What remains of the columns net of teacher and term effects: enough for every regression among them.

    With `nuisance` (see `robust.teacher_moments`) they are net of teacher effects only, and the terms still stand there.
    """

    by_cluster: Floats
    """(G, K, K) sums over results of products of the projected columns, weighted where results are."""
    scale: Floats
    """(K,) sums of squares about the grand mean before projection."""
    results: float
    terms: int
    clusters: int
    """Clusters with results."""
    nuisance: int = 0
    """The last so many of the K columns are regressors of every regression: the terms' dummies."""

    def swept(self) -> "Moments":
        """The same moments with the nuisance columns partialled out of the others (Frisch & Waugh 1933)."""
        if not self.nuisance:
            return self
        split = len(self.scale) - self.nuisance
        total = self.by_cluster.sum(axis=0)
        kept = split + np.flatnonzero(independent(total[split:, split:], self.scale[split:]))
        sweep = np.zeros((len(self.scale), split))
        sweep[:split] = np.eye(split)
        sweep[kept] = -np.linalg.solve(total[np.ix_(kept, kept)], total[kept, :split])
        return replace(self, by_cluster=sweep.T @ self.by_cluster @ sweep, scale=self.scale[:split], nuisance=0)

    def regress(self, outcome: int, columns: Ints) -> LeastSquares:
        """Regress column `outcome` on `columns` (P,), clustered.

        CR1 (Liang & Zeger 1986) with the factor (N-1)/(N-k) * G/(G-1), k = columns + terms: teacher effects are nested
        in clusters and not counted, as pyfixest and fixest do. NaN errors with one cluster or N <= k. For other errors
        see `robust.regress`.
        """
        if self.nuisance:
            return self.swept().regress(outcome, columns)
        total = self.by_cluster.sum(axis=0)
        kept = independent(total[np.ix_(columns, columns)], self.scale[columns])
        chosen = columns[kept]
        gram, cross = self.by_cluster[:, chosen][:, :, chosen], self.by_cluster[:, chosen, outcome]
        bread = np.linalg.inv(total[np.ix_(chosen, chosen)])
        solved = bread @ total[chosen, outcome]
        scores = cross - gram @ solved
        coefficients, covariance = np.full(len(columns), np.nan), np.full((len(columns), len(columns)), np.nan)
        coefficients[kept] = solved
        factor = self._small_sample_factor(len(chosen) + self.terms)
        covariance[np.ix_(kept, kept)] = factor * bread @ (scores.T @ scores) @ bread
        return LeastSquares(coefficients, covariance, kept, self.clusters)

    def _small_sample_factor(self, parameters: int) -> float:
        if self.clusters < 2 or self.results <= parameters:
            return np.nan
        return (self.results - 1) / (self.results - parameters) * self.clusters / (self.clusters - 1)


def projected_moments(cells: Cells) -> Moments:
    """The moments of all columns net of the effects fitted on these cells, weighted by results."""
    middle = replace(cells, mean=centered(cells))
    residual = middle.mean - fitted(middle, two_way(middle))
    counts = [int(np.count_nonzero(np.bincount(codes))) for codes in (cells.term, cells.cluster)]
    return Moments(cluster_moments(middle, residual), spread(cells), float(cells.n.sum()), counts[0], counts[1])


def least_squares(cells: Cells) -> LeastSquares:
    """Regress the outcome on the other columns with teacher and term effects, over results, clustered by school.

    Equals a regression over student rows exactly; see `Moments.regress` for the errors.
    """
    return projected_moments(cells).regress(0, np.arange(1, cells.mean.shape[1]))


def spread(cells: Cells) -> Floats:
    """(K,) sum of squares of each column about its grand mean, over results."""
    return np.asarray(np.einsum("ckk->k", cells.scatter) + cells.mass @ centered(cells) ** 2)


def independent(gram: Floats, scale: Floats) -> Bools:
    """(P,) columns of a Gram matrix (P, P) that earlier columns and the effects leave more than a trace of `scale` (P,)."""
    kept = np.zeros(len(gram), dtype=np.bool_)
    for column in range(len(gram)):
        before = np.flatnonzero(kept)
        part = gram[before, column]
        left = gram[column, column] - part @ np.linalg.solve(gram[np.ix_(before, before)], part)
        kept[column] = left > NEGLIGIBLE * scale[column]
    return kept
