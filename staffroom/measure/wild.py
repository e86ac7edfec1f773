"""Wild cluster bootstrap-t of the imputation estimator, for few clusters.

Cameron, Gelbach & Miller (2008, Review of Economics and Statistics 90(3)) with the six-point weights of Webb (2023),
unrestricted, on residuals as `impute(..., leave_out=True)` takes them. A draw flips and scales whole clusters of
residuals; since the fit is linear, every draw's estimate and standard error follow exactly from moments per cluster,
and the cells are visited once.
"""

from dataclasses import dataclass, replace

import numpy as np

from staffroom.measure.cells import Cells, Floats, Ints, sum_by
from staffroom.measure.projection import centered
from staffroom.measure.staggered import Recentering, Untreated, event_times, fit_untreated

WEBB = np.sqrt(np.array([0.5, 1.0, 1.5]))
"""Absolute values of the six equally likely weights."""
DRAWS = 1999


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """What the draws of |t| say of the overall effect."""

    p: float
    """Two-sided, of no effect."""
    quantile: float
    """The interval is the estimate plus and minus this many standard errors."""
    draws: int


def wild_bootstrap(
    cells: Cells,
    first_treated: Ints,
    generator: np.random.Generator,
    *,
    draws: int = DRAWS,
    confidence: float = 0.95,
) -> Bootstrap:
    """Bootstrap the overall effect of `impute(..., leave_out=True)`: cells, first treated term per teacher (I,).

    Raises ValueError if no treated cell can be imputed.
    """
    world = World(cells, first_treated)
    clusters = len(cells.clusters)
    weights = generator.choice(np.concatenate([-WEBB, WEBB]), size=(clusters, draws))
    t = abs(world.t_of(weights))
    observed = abs(world.effect / world.standard_error) if world.standard_error > 0 else np.inf
    p = (1 + np.count_nonzero(t >= observed)) / (1 + draws)
    return Bootstrap(float(p), float(np.quantile(t, confidence, method="higher")), draws)


class World:
    """The bootstrap's world: moments per cluster of the model for untreated results and of the treated cells.

    Columns Z are the T terms and the covariates net of teacher and term effects; z(i, t) less its mean over the
    teacher's untreated results is what a change of coefficients moves the counterfactual by.
    """

    def __init__(self, cells: Cells, first_treated: Ints) -> None:
        event = event_times(cells, first_treated)
        self.cells, self.untreated = cells, cells.take(event < 0)
        self.fit = fit_untreated(replace(cells, mean=centered(cells)), event < 0)
        used = (event >= 0) & self.fit.equations.joined(cells.teacher, cells.term)
        if not used.any():
            raise ValueError("no treated cell can be imputed")
        treated, effect = cells.take(used), self.fit.difference[used, 0]
        weight = treated.mass / treated.mass.sum()
        self.groups = Recentering(treated, event[used], first_treated[treated.teacher], leave_out=True)
        self.share, self.gain = self.groups.by_pair(weight), self.groups.by_pair(weight * effect)
        away = self._away(treated, self.fit.difference[used, 1:]) * weight[:, None]
        self.pull = sum_by(self.groups.pair, away, self.groups.label.size)
        self.inverse, self.normal = self._normal(self.fit, self.fit.difference[event < 0, 1:])
        self.untreated_scores = np.hstack([self.fit.term_scores, self.fit.covariate_scores])
        self.influence = self.inverse @ self.pull.sum(axis=0)
        self.effect = float(self.gain.sum())
        self.standard_error = float(
            np.sqrt((self._scores(self.gain[:, None], self.untreated_scores.T[:, :, None]) ** 2).sum())
        )

    def t_of(self, weights: Floats) -> Floats:
        """(B,) t of each draw about the truth of the bootstrap's world, for cluster weights (G, B)."""
        residual = self.groups.residuals(self.share, self.gain[:, None])
        scores = self.untreated_scores.T[:, :, None] * weights
        coefficients = self.inverse @ scores.sum(axis=1)
        moved = np.einsum("gkl,lb->kgb", self.normal, coefficients)
        gain = residual * weights[self.groups.cluster] - self.pull @ coefficients
        error = np.sqrt((self._scores(gain, scores - moved) ** 2).sum(axis=0))
        return np.asarray(np.divide(gain.sum(axis=0), error, out=np.zeros_like(error), where=error > 0))

    def _scores(self, gain: Floats, untreated: Floats) -> Floats:
        """(G, B) cluster scores from treated sums (pairs, B) and untreated scores (Z, G, B)."""
        residual = self.groups.residuals(self.share, gain)
        of_treated = sum_by(self.groups.cluster, residual, len(self.cells.clusters))
        return np.asarray(of_treated - np.einsum("k,kgb->gb", self.influence, untreated))

    def _away(self, places: Cells, covariates: Floats) -> Floats:
        """(U, Z) each place's columns less the mean over the teacher's untreated results."""
        equations = self.fit.equations
        terms = np.eye(len(places.terms))[places.term]
        mean = equations.weights[places.teacher] / equations.totals[places.teacher][:, None]
        return np.hstack([terms - mean, covariates])

    def _normal(self, fit: Untreated, covariates: Floats) -> tuple[Floats, Floats]:
        """Inverse (Z, Z) of the normal equations, and each cluster's part of them (G, Z, Z)."""
        cells, equations = self.untreated, fit.equations
        terms, size, clusters = len(cells.terms), covariates.shape[1], len(cells.clusters)
        normal = np.zeros((clusters, terms + size, terms + size))
        share = equations.weights / np.where(equations.totals > 0, equations.totals, 1.0)[:, None]
        by_term = sum_by(cells.cluster_of, equations.weights, clusters)
        outer = (equations.weights[:, :, None] * share[:, None, :]).reshape(len(share), -1)
        normal[:, :terms, :terms] = np.eye(terms) * by_term[:, None, :] - sum_by(
            cells.cluster_of, outer, clusters
        ).reshape(-1, terms, terms)
        cross = sum_by(cells.cluster * terms + cells.term, cells.mass[:, None] * covariates, clusters * terms)
        normal[:, :terms, terms:] = cross.reshape(clusters, terms, size)
        normal[:, terms:, :terms] = normal[:, :terms, terms:].transpose(0, 2, 1)
        normal[:, terms:, terms:] = fit.grams
        inverse = np.zeros((terms + size, terms + size))
        inverse[:terms, :terms], inverse[terms:, terms:] = equations.inverse, fit.bread
        return inverse, normal
