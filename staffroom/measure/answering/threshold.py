"""E2: both sides of a cutoff."""

import math
from dataclasses import replace
from typing import Any

import numpy as np

from staffroom.measure import binned, effects, gates
from staffroom.measure.answer import Effect
from staffroom.measure.answering.estimate import Estimate, Scale, Sides, size_of, spread_of
from staffroom.measure.answering.plain import description
from staffroom.measure.cells import Bools, Cells, Floats, Ints
from staffroom.measure.cutoff import Cutoff, cutoff
from staffroom.measure.cutoff_checks import cutoff_checks
from staffroom.measure.deciding import first_terms, side
from staffroom.measure.density import Density, density_test
from staffroom.measure.gates import Gate
from staffroom.measure.question import NEVER, Question, Threshold
from staffroom.measure.sentence import Sentence, say
from staffroom.measure.sites import Sample, sample_by_teacher
from staffroom.measure.staggered import distinct


def at_cutoff(question: Question, estimator: str, generator: np.random.Generator | None) -> Estimate:
    """The jump of teachers' mean outcomes where the rule begins to offer the activity."""
    assert question.cells is not None
    assert question.threshold is not None
    found = Jumping(question, question.cells, question.threshold)
    if found.jump.reason or found.sd is None or not math.isfinite(found.jump.effect):
        reason = say("cutoff_" + (found.jump.reason or "no_bandwidth"))
        return replace(description(question, "describe", generator), reasons=(reason,))
    return found.estimate(found.sd)


class Jumping:
    """One number per teacher, on both sides of the cutoff, with the offered side on the right."""

    def __init__(self, question: Question, cells: Cells, threshold: Threshold) -> None:
        self.question, self.cells, self.threshold = question, cells, threshold
        self.claims = question.settled
        first = first_terms(question)
        starts = first[first != NEVER]
        told = threshold.since if threshold.since is not None else (int(starts.min()) if starts.size else None)
        self.since = told
        arm = np.where(np.isfinite(threshold.running), side(threshold).astype(np.int64), -1)
        self.sample: Sample = sample_by_teacher(cells, arm, told, None)
        self.kept: Bools = np.isfinite(self.sample.value) & (self.sample.arm >= 0)
        sign = 1.0 if threshold.above else -1.0
        # Below the cutoff means strictly below: after turning round, the cutoff itself stays on the other side.
        self.at = threshold.cutoff if threshold.above else float(np.nextafter(-threshold.cutoff, np.inf))
        self.running = sign * threshold.running
        self.took = first != NEVER
        self.clusters = distinct(cells.cluster_of[self.kept]) if self.kept.any() else 0
        self.jump = self._cutoff(self.sample.value, self.kept)
        window = cells.take(self._window() & (self.sample.arm == 0)[cells.teacher])
        self.sd = self.claims.reference_sd or spread_of(window)

    def _window(self) -> Bools:
        term = self.cells.terms[self.cells.term]
        return np.asarray(term >= (term.min() if self.since is None else self.since))

    def _cutoff(self, value: Floats, kept: Bools) -> Cutoff:
        took, offered = self.took[kept], self.sample.arm[kept] == 1
        return cutoff(
            value[kept],
            self.running[kept],
            cutoff=self.at,
            taken=None if (took == offered).all() else took.astype(np.float64),
            weight=self.sample.mass[kept],
            cluster=self._clustered(kept),
            confidence=self.claims.confidence,
        )

    def _clustered(self, kept: Bools) -> Ints | None:
        """None where every teacher is a cluster of her own: then errors are from nearest neighbors, as rdrobust has them."""
        codes = self.cells.cluster_of[kept]
        return None if distinct(codes) == codes.size else codes

    def estimate(self, sd: float) -> Estimate:
        """All of it."""
        jump, kept = self.jump, self.kept
        treated = int((self.sample.arm == 1)[kept].sum())
        near = kept & (np.abs(self.running - self.at) <= max(jump.bandwidth, jump.bias_bandwidth))
        clusters = jump.clusters or distinct(self.cells.cluster_of[near])
        treated_clusters = distinct(self.cells.cluster_of[near & (self.sample.arm == 1)])
        scale = Scale(sd, self.claims.confidence, gates.allows_interval(clusters, treated_clusters))
        effect = scale.with_interval(
            jump.effect,
            jump.standard_error,
            jump.df,
            jump.low / sd,
            jump.high / sd,
            jump.p,
            method="robust bias-corrected",
        )
        mde = None
        if effect.se is not None:
            mde = effects.minimum_detectable_effect(
                effect.se, jump.df or math.inf, confidence=self.claims.confidence, power=self.claims.power
            )
        used = self.cells.take(self._window() & kept[self.cells.teacher])
        schools = used.cluster if self.question.site is None else self.question.site[used.teacher]
        size = size_of(used, students=self.claims.students, treated=treated, schools=len(np.unique(schools)))
        results = [self.sample.results[kept & (self.sample.arm == one)].sum() for one in (0, 1)]
        return Estimate(
            estimator="cutoff",
            n=replace(size, clusters=clusters),
            effect=effect,
            scale=scale,
            design_tier=gates.MODERATE,
            treated_clusters=treated_clusters,
            smaller=Sides(int(min(results)), min(treated, int(kept.sum()) - treated)),
            mde=mde,
            gates=(density_gate(self._density()), self._placebo(scale)),
            beside=self._beside(scale),
            details=self._details(),
            said=(say("effect_at_cutoff"),),
        )

    def _density(self) -> Density:
        return density_test(self.running[self.kept], self.at)

    def _placebo(self, scale: Scale) -> Gate:
        """The jump of what was settled before: the prior score, else outcomes before."""
        prior, term = self.question.prior, self.cells.terms[self.cells.term]
        before = term < self.since if self.since is not None else np.zeros(len(term), dtype=np.bool_)
        column = 0 if prior is None else prior
        chosen = self._window() if prior is not None else before
        mass = np.bincount(self.cells.teacher[chosen], self.cells.mass[chosen], minlength=len(self.kept))
        total = np.bincount(
            self.cells.teacher[chosen],
            (self.cells.mass * self.cells.mean[:, column])[chosen],
            minlength=len(self.kept),
        )
        kept = self.kept & (mass > 0)
        if kept.sum() < LEAST_ROWS:
            return gates.composition_gate(None, None, None)
        value = np.where(mass > 0, total / np.where(mass > 0, mass, 1.0), np.nan)
        placebo = cutoff(
            value[kept], self.running[kept], cutoff=self.at, weight=mass[kept], cluster=self._clustered(kept)
        )
        spread = spread_of(
            replace(
                self.cells, mean=self.cells.mean[:, [column]], scatter=self.cells.scatter[:, [column]][:, :, [column]]
            ).take(chosen & kept[self.cells.teacher])
        )
        if placebo.reason or not spread or not scale.sure or not math.isfinite(placebo.low):
            return gates.composition_gate(None, None, None)
        return gates.composition_gate(placebo.bias_corrected / spread, placebo.low / spread, placebo.high / spread)

    def _beside(self, scale: Scale) -> dict[str, Effect]:
        one = self.jump.conventional
        return {
            "conventional": scale.with_interval(
                one.effect,
                one.standard_error,
                self.jump.df,
                one.low / scale.sd,
                one.high / scale.sd,
                one.p,
                method="without regard to bias",
            )
        }

    def _details(self) -> dict[str, Any]:
        jump, kept = self.jump, self.kept
        checks = cutoff_checks(
            self.sample.value[kept],
            self.running[kept],
            cutoff_at=self.at,
            bandwidth=jump.bandwidth,
            weight=self.sample.mass[kept],
            cluster=self._clustered(kept),
        )
        density = self._density()
        lines = [
            {"kind": kind, "at": check.key, "effect": check.found.effect, "p": check.found.p}
            for kind, found in (("placebo", checks.placebos), ("donut", checks.donuts))
            for check in found
        ]
        return {
            "cutoff": {
                "bandwidth": jump.bandwidth,
                "bias_bandwidth": jump.bias_bandwidth,
                "teachers_left": jump.n_left,
                "teachers_right": jump.n_right,
                "effective_left": jump.effective_left,
                "effective_right": jump.effective_right,
                "fuzzy": jump.fuzzy,
                "first_stage": jump.first_stage.effect if jump.first_stage else None,
                "bias_corrected": jump.bias_corrected,
                "level_left": jump.level_left,
                "level_right": jump.level_right,
                "mass_points": jump.mass_points,
            },
            "density": {"t": density.t, "p": density.p, "verdict": density.verdict, "reason": density.reason},
            "jump": self._drawn(),
            "checks": lines,
        }

    def _drawn(self) -> dict[str, Any]:
        """Means in bins and the lines near the cutoff, in SD, by the running variable as it was told."""
        kept, sd, sign = self.kept, self.sd or 1.0, 1.0 if self.threshold.above else -1.0
        value, running, weight = self.sample.value[kept] / sd, self.running[kept], self.sample.mass[kept]
        told: dict[str, Any] = {"cutoff": self.at, "weight": weight}
        return {
            "cutoff": self.threshold.cutoff,
            "above": self.threshold.above,
            "bins": [
                {"running": sign * one.running, "sd": one.mean, "teachers": one.rows, "offered": one.is_right}
                for one in binned.bins(value, running, **told)
            ],
            "lines": [
                {"offered": one.is_right, "points": [[sign * x, y] for x, y in (one.start, one.end)]}
                for one in binned.lines(value, running, bandwidth=self.jump.bandwidth, **told)
            ],
        }


LEAST_ROWS = 20


def density_gate(found: Density) -> Gate:
    """Whether teachers seem to have sorted around the cutoff; an impossible test does not pass."""
    p = found.verdict
    if not math.isfinite(p):
        return Gate("density", False, None, 0.05, say("sorting_untested"), gates.PROMISING)
    passed = p >= 0.05
    said: Sentence = say("sorting_unseen" if passed else "sorting_seen", p=p)
    return Gate("density", passed, p, 0.05, said, gates.STRONG if passed else gates.PROMISING)
