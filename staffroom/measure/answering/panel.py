"""E3: comparison over time. Imputation is the headline; group-time effects, ETWFE and TWFE stand beside it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from staffroom.measure import effects, gates
from staffroom.measure.answer import Effect, Line, Size
from staffroom.measure.answering.estimate import Estimate, Places, Sides, hide_small
from staffroom.measure.answering.examining import Described, Examined, examine
from staffroom.measure.answering.gating import composition, panel_attrition, strictly
from staffroom.measure.answering.sensitivity import Sensitivity, sensitivity
from staffroom.measure.answering.spreading import of_averages, of_sites
from staffroom.measure.cells import Cells, Floats, Ints
from staffroom.measure.deciding import first_terms
from staffroom.measure.etwfe import etwfe
from staffroom.measure.group_time import Aggregate, CallawaySantAnna, GroupTime, group_time_effects
from staffroom.measure.influence import multiplier_quantile
from staffroom.measure.pretrends import PreTrends, pre_trends
from staffroom.measure.projection import least_squares
from staffroom.measure.question import Question
from staffroom.measure.sentence import Sentence, say
from staffroom.measure.sites import site_effects
from staffroom.measure.staggered import NEVER, Average, distinct, event_times, impute

DRAWS = 999


def staggered(question: Question, estimator: str, generator: np.random.Generator | None) -> Estimate:
    """The estimate of a panel; `estimator` may put another one than imputation into the headline."""
    assert question.cells is not None
    first = first_terms(question)
    found = examine(
        unexpected(question.cells, first, question.overrides.anticipation or 0),
        first,
        names=tuple(question.column(k) for k in range(1, question.cells.mean.shape[1])),
        claims=question.settled,
        generator=generator,
    )
    if isinstance(found, Described):
        return described(found)
    return Panel(question, found, generator).estimate(estimator)


def unexpected(cells: Cells, first_treated: Ints, anticipation: int) -> Cells:
    """The cells without those of the last `anticipation` terms before taking part: these are on neither side."""
    if not anticipation:
        return cells
    event = event_times(cells, first_treated)
    return cells.take((event >= 0) | (event < -anticipation))


def described(found: Described, otherwise: Sentence | None = None) -> Estimate:
    """No estimate: the two sides as they are, and why; `otherwise` is the reason where nothing is in the way."""
    return Estimate(
        "describe",
        found.n,
        design_tier=gates.RATIONALE,
        details=sides_of(found),
        warnings=found.warnings,
        reasons=found.reasons or (() if otherwise is None else (otherwise,)),
    )


def sides_of(found: Described) -> dict[str, Any]:
    """Mean and SD of both sides in outcome units; None where too few stand behind them."""
    return {"sides": {"treated": found.treated.plain(), "untreated": found.untreated.plain()}}


class Panel:
    """The parts of one staggered estimate that share cells, scale and clusters."""

    def __init__(self, question: Question, found: Examined, generator: np.random.Generator | None) -> None:
        assert question.cells is not None
        self.question, self.found, self.generator = question, found, generator
        self.whole, self.cells, self.first = question.cells, found.cells, first_terms(question)
        self.claims = question.settled
        self.scale = found.scale
        self.strict = replace(found.scale, confidence=self.claims.strict)
        self.event = event_times(self.cells, self.first)
        self.controls = question.overrides.controls or ("never" if (self.first == NEVER).any() else "notyet")
        self.anticipation = question.overrides.anticipation or 0
        # With the covariates; without them where those leave nobody to compare with.
        self.group_times = self._group_times(None) or self._group_times(())
        self.etwfe = etwfe(
            self.whole, self.first, controls=question.overrides.controls or "notyet", anticipation=self.anticipation
        )
        self.critical = self._critical()

    def _group_times(self, covariates: tuple[()] | None) -> CallawaySantAnna | None:
        wanted = self.question.overrides
        return group_time_effects(
            self.whole,
            self.first,
            controls=self.controls,
            base=wanted.base or "varying",
            method=wanted.method or "dr",
            anticipation=self.anticipation,
            covariates=covariates,
        )

    def estimate(self, estimator: str) -> Estimate:
        """All of it, with `estimator` in the headline."""
        found, n = self.found, self.found.described.n
        effect, mde = found.effect, None
        test = pre_trends(
            self.cells, self.first, effect=found.overall.effect, smallest=self.claims.smallest_effect * found.scale.sd
        )
        if effect.se is not None:
            mde = effects.minimum_detectable_effect(
                effect.se, found.df, confidence=self.claims.confidence, power=self.claims.power
            )
        drift = self._drift(effect)
        other = found.described.untreated
        smaller = Sides(
            min(found.overall.size.results, other.results), min(found.overall.size.teachers, other.teachers)
        )
        estimate = Estimate(
            estimator="imputation",
            n=n,
            effect=effect,
            scale=self.scale,
            design_tier=gates.MODERATE,
            treated_clusters=found.described.treated_schools,
            smaller=smaller,
            bootstrapped=found.bootstrap is not None,
            mde=mde,
            gates=(
                gates.pre_trend_gate(test),
                drift.gate,
                self._composition(),
            ),
            by_event_time=self._event_study(test),
            by_group_time=self._by_group_time(),
            beside=self._beside(),
            details={**self._details(test), **({"honest": drift.details} if drift.details else {})},
            warnings=found.described.warnings + self._warnings(effect),
            said=drift.said,
            attrition=panel_attrition(self.whole, self.first),
            places=self._places(),
            waves=self._waves(),
            by_subgroup=self._subgroups(),
            scores=found.imputation.scores[:, 0] / found.scale.sd,
        )
        return estimate if estimator == "imputation" else self._instead(estimate, estimator)

    def _drift(self, effect: Effect) -> Sensitivity:
        separated = effect.low is not None and effect.low > 0 and strictly(effect, self.claims)
        return sensitivity(self.whole, self.first, self.strict, separated=separated, anticipation=self.anticipation)

    def _places(self) -> tuple[Places, ...]:
        """Effects by site, then by cohort: as labeled, or else by first term."""
        site, cohort = self.question.site, self.question.cohort
        assert site is not None
        sites = of_sites(site_effects(self.cells, self.first, site, self.found.imputation))
        if cohort is None:
            return sites, self._by_group("cohort")
        labels, codes = np.unique(cohort, return_inverse=True)
        return sites, self._by_label("cohort", labels.tolist(), codes)

    def _waves(self) -> Places:
        wave = self.question.wave
        if wave is None:
            return self._by_group("wave")
        labels = np.unique(wave[wave >= 0])
        codes = np.where(wave >= 0, np.searchsorted(labels, wave), NEVER)
        return self._by_label("wave", labels.tolist(), codes)

    def _by_group(self, by: str) -> Places:
        found = self.found.imputation
        before = 1 + len(found.by_event_time)
        scores = found.scores[:, before : before + len(found.by_group)]
        return of_averages(by, [one.key for one in found.by_group], found.by_group, scores, self.found.df)

    def _by_label(self, by: str, labels: list[Any], codes: Ints) -> Places:
        found, averages, scores = self._labeled(codes)
        return of_averages(by, [labels[one] for one in found], averages, scores, self.found.df)

    def _labeled(self, codes: Ints) -> tuple[list[int], tuple[Average, ...], Floats]:
        """Codes that occur, averages over their treated cells and scores (G, Q), for codes (I,) of teachers."""
        found = impute(self.cells, self.first, leave_out=True, by=codes)
        averages = found.by_label
        scores = found.scores[:, found.scores.shape[1] - len(averages) :]
        return [int(one.key or 0) for one in averages], averages, scores

    def _subgroups(self) -> tuple[Line, ...]:
        """Of declared subgroups only, one family after the other."""
        lines: list[Line] = []
        for subgroup in self.question.subgroups:
            if subgroup.declared:
                labels, codes = np.unique(subgroup.label.astype(str), return_inverse=True)
                codes = np.where(labels[codes] == "", NEVER, codes)
                keys, averages, _ = self._labeled(codes)
                named = [f"{subgroup.name}: {labels[key]}" for key in keys]
                family = [
                    replace(self._average(one), group=name, event_time=None)
                    for name, one in zip(named, averages, strict=True)
                ]
                lines += hide_small(family)
        return tuple(lines)

    def _composition(self) -> gates.Gate:
        """The placebo on scores from before: as cells of their own where those are told, else as a column."""
        earlier = self.question.earlier
        if earlier is None:
            return composition(self.cells, self.first, self.question.prior, self.strict)
        own = np.searchsorted(self.cells.teachers, earlier.teachers)
        return composition(earlier, self.first[own], 0, self.strict)

    def _event_study(self, test: PreTrends | None) -> tuple[Line, ...]:
        """Leads from the test of drift, then effects by terms since the first, each with its band."""
        found = self.found
        leads = [] if test is None else sorted(test.leads, key=lambda lead: lead.event_time)
        lines = [
            self._line(one.event_time, one.effect, one.standard_error, self._behind(one.event_time)) for one in leads
        ]
        of_leads = effects.t_quantile((1 + self.claims.confidence ** (1 / max(1, len(leads)))) / 2, max(found.df, 1))
        lines = [banded(line, of_leads) for line in lines]
        for one in found.imputation.by_event_time:
            line = self._average(one)
            each = replace(line.n, students=self._of_students(one.size.results))
            lines.append(banded(replace(line, n=each), self.critical))
        return hide_small(lines)

    def _critical(self) -> float | None:
        """Standard errors about each effect by event time that cover all of them; None where no interval is claimed."""
        after = len(self.found.imputation.by_event_time)
        if not self.scale.sure or self.generator is None:
            return None
        scores = self.found.imputation.scores[:, 1 : 1 + after]
        scores = scores[:, np.isfinite(scores).all(axis=0)]
        if not scores.shape[1]:
            return None
        found = multiplier_quantile(scores, self.generator, draws=DRAWS, confidence=self.claims.confidence)
        return found if np.isfinite(found) else None

    def _average(self, one: Average) -> Line:
        size = Size(one.size.students, one.size.teachers, one.size.clusters, one.size.clusters, one.size.results)
        return self._line(one.key, one.effect, one.standard_error, size)

    def _line(self, event_time: int | None, effect: float, error: float, size: Size) -> Line:
        return Line(self.scale.effect(effect, error, self.found.df, method="CR1"), size, event_time=event_time)

    def _of_students(self, results: int) -> int:
        """At one event time each teacher has one term: there are as many students as results, but never more than in all."""
        return min(results, self.claims.students or results)

    def _behind(self, event_time: int) -> Size:
        chosen = self.cells.take((self.event == event_time) & (self.first[self.cells.teacher] != NEVER))
        clusters = distinct(chosen.cluster)
        results = int(chosen.n.sum())
        return Size(self._of_students(results), distinct(chosen.teacher), clusters, clusters, results)

    def _by_group_time(self) -> tuple[Line, ...]:
        return self._grid(() if self.group_times is None else self.group_times.group_times, "influence")

    def _grid(self, found: Sequence[GroupTime], method: str) -> tuple[Line, ...]:
        return hide_small([
            Line(
                self.scale.effect(one.effect, one.standard_error, self.found.df, method=method),
                Size(self._of_students(one.results), one.teachers, one.schools, one.schools, one.results),
                event_time=one.term - one.group,
                group=one.group,
                term=one.term,
            )
            for one in found
        ])  # fmt: skip

    def _beside(self) -> dict[str, Effect]:
        """Other estimators' headlines; those that cannot be had are left out."""
        found: dict[str, Effect] = {}
        if self.group_times is not None:
            simple = self.group_times.simple
            found["callaway_santanna"] = self._other(simple.effect, simple.standard_error, "influence")
        if self.etwfe is not None:
            overall = self.etwfe.overall
            found["etwfe"] = self._other(overall.effect, overall.standard_error, "CR1")
        treated = (self.event >= 0).astype(np.float64)
        fit = least_squares(self.cells.with_columns(treated[:, None]))
        if fit.kept[0]:
            found["twfe"] = self._other(float(fit.coefficients[0]), float(fit.standard_errors[0]), "CR1")
        return found

    def _other(self, effect: float, error: float, method: str) -> Effect:
        return self.scale.effect(effect, error, self.found.df, method=method)

    def _details(self, test: PreTrends | None) -> dict[str, Any]:
        by_group = hide_small([replace(self._average(one), group=one.key, event_time=None) for one in self._groups()])
        found: dict[str, Any] = {
            **sides_of(self.found.described),
            "by_group": by_group,
            "controls": self.controls,
        }
        if self.critical is not None:
            found["bands"] = {"critical": self.critical}
        if test is not None:
            found["pre_trends"] = {"p": test.p, "df": test.df, "power": test.power, "leads": len(test.leads)}
        return found

    def _groups(self) -> Sequence[Average]:
        return self.found.imputation.by_group

    def _warnings(self, effect: Effect) -> tuple[Sentence, ...]:
        schools, found = self.found.described.treated_schools, []
        if self.scale.sure and effect.se is None:
            found.append(say("no_error"))
        if self.scale.sure and schools < gates.FEW_CLUSTERS:
            found.append(say("few_treated_schools", schools=schools))
        return tuple(found)

    def _instead(self, estimate: Estimate, estimator: str) -> Estimate:
        """The same with another estimator in the headline, imputation beside it."""
        effect = estimate.beside.get(estimator)
        if effect is None:
            refused = say("override_refused", name=estimator)
            return replace(estimate, warnings=(*estimate.warnings, refused))
        beside = {name: one for name, one in estimate.beside.items() if name != estimator}
        lines, grid = estimate.by_event_time, estimate.by_group_time
        if estimator == "callaway_santanna" and self.group_times is not None:
            lines = self._by_event_time(self.group_times.by_event_time, self.group_times.event_time_scores, "influence")
        if estimator == "etwfe" and self.etwfe is not None:
            lines = self._by_event_time(self.etwfe.by_event_time, None, "CR1")
            grid = self._grid(self.etwfe.group_times, "CR1")
        mde = None if effect.se is None else self._detectable(effect.se)
        return replace(
            estimate,
            estimator=estimator,
            effect=effect,
            beside={**({"imputation": estimate.effect} if estimate.effect else {}), **beside},
            by_event_time=lines,
            by_group_time=grid,
            scores=None,
            mde=mde,
            bootstrapped=False,
            design_tier=gates.PROMISING if estimator == "twfe" else estimate.design_tier,
        )

    def _detectable(self, error: float) -> float:
        return effects.minimum_detectable_effect(
            error, self.found.df, confidence=self.claims.confidence, power=self.claims.power
        )

    def _by_event_time(self, found: Sequence[Aggregate], scores: Floats | None, method: str) -> tuple[Line, ...]:
        """Another estimator's effects by event time, with a band where scores (G, E) are known."""
        kept = [place for place, one in enumerate(found) if one.key is not None and one.standard_error > 0]
        critical = None
        if scores is not None and kept and self.scale.sure and self.generator is not None:
            critical = multiplier_quantile(
                scores[:, kept], self.generator, draws=DRAWS, confidence=self.claims.confidence
            )
        lines = []
        for place in kept:
            one, key = found[place], found[place].key or 0
            effect = self.scale.effect(one.effect, one.standard_error, self.found.df, method=method)
            lines.append(banded(Line(effect, self._behind(key), event_time=key), critical))
        return hide_small(lines)


def banded(line: Line, critical: float | None) -> Line:
    """The line with a band of so many standard errors; never narrower than its own interval."""
    effect = line.effect
    if critical is None or effect.sd is None or effect.se is None or effect.low is None or not np.isfinite(critical):
        return line
    half = max(critical * effect.se, effect.sd - effect.low)
    return replace(line, band_low=effect.sd - half, band_high=effect.sd + half)
