"""E1: who was drawn against who was not."""

from dataclasses import replace
from typing import Any

import numpy as np

from staffroom.measure import effects, gates
from staffroom.measure.answer import Effect, Size
from staffroom.measure.answering.estimate import Estimate, Places, Scale, Sides, size_of, spread_of
from staffroom.measure.answering.plain import description
from staffroom.measure.answering.spreading import of_sites
from staffroom.measure.arms import Balance
from staffroom.measure.cells import Cells, Ints
from staffroom.measure.deciding import first_terms
from staffroom.measure.gates import Gate
from staffroom.measure.question import NEVER, Attrition, Labels, Lottery, Question
from staffroom.measure.randomized import Complier, Randomized, randomized
from staffroom.measure.randomized import Estimate as Drawn
from staffroom.measure.sentence import Sentence, say
from staffroom.measure.sites import Sample, sample_by_teacher, site_differences
from staffroom.measure.staggered import distinct, event_times
from staffroom.measure.students import StudentLottery

SEED = 1
"""Lots are drawn anew from this seed where the caller gives no generator."""


def drawn(question: Question, estimator: str, generator: np.random.Generator | None) -> Estimate:
    """The effect of being drawn, adjusted for what was known before, with randomization inference where units are few."""
    students = question.students
    if students is not None:
        question = of_students(question, students)
    cells, lottery = question.cells, question.lottery
    assert cells is not None
    assert lottery is not None
    since, taken = window(question, lottery), None
    if question.first_treated is not None or question.treated is not None or question.dose is not None:
        taken = (event_times(cells, first_terms(question)) >= 0).astype(np.float64)
    found = randomized(
        cells,
        assigned=lottery.assigned,
        block=lottery.block,
        unit=unit_of(cells, lottery),
        taken=taken,
        generator=generator or np.random.default_rng(SEED),
        confidence=question.settled.confidence,
        since=since,
        until=lottery.until,
    )
    used = in_window(cells, lottery, since)
    sd = question.settled.reference_sd or spread_of(used.take(lottery.assigned[used.teacher] == 0))
    if found.effect is None or sd is None:
        return replace(
            description(question, "describe", generator), reasons=(say("drawn_" + (found.reason or "no_spread")),)
        )
    return Trial(question, lottery, found, used, sd, students).estimate()


def of_students(question: Question, students: StudentLottery) -> Question:
    """The question with students in the place of teachers: each is what was drawn."""
    cells = students.cells
    return replace(
        question,
        cells=cells,
        lottery=replace(students.lottery, unit=np.arange(len(cells.teachers))),
        students=None,
        treated=students.taken,
        first_treated=None,
        dose=None,
        site=cells.clusters[cells.cluster_of] if students.site is None else students.site,
        threshold=None,
        cohort=None,
        wave=None,
        hours=None,
        costs=None,
        series=None,
        earlier=None,
        subgroups=(),
    )


def unit_of(cells: Cells, lottery: Lottery) -> Labels | None:
    """What was drawn: as told; teachers, where blocks cut through schools; else None, which finds out by itself."""
    if lottery.unit is not None or lottery.block is None:
        return lottery.unit
    inside = lottery.assigned >= 0
    pairs = np.unique(
        np.unique(lottery.block, return_inverse=True)[1][inside] * len(cells.clusters) + cells.cluster_of[inside]
    )
    schools = np.unique(cells.cluster_of[inside])
    return None if pairs.size == schools.size else np.arange(len(cells.teachers))


def window(question: Question, lottery: Lottery) -> int | None:
    """First term whose outcomes count: as told, or the first in which someone drawn takes part."""
    if lottery.since is not None:
        return lottery.since
    first = first_terms(question)[lottery.assigned == 1]
    took = first[first != NEVER]
    return int(took.min()) if took.size else None


def in_window(cells: Cells, lottery: Lottery, since: int | None) -> Cells:
    """The cells of the lottery's teachers in the terms that count."""
    term = cells.terms[cells.term]
    inside = lottery.assigned[cells.teacher] >= 0
    if since is not None:
        inside &= term >= since
    return cells.take(inside & (term < lottery.until) if lottery.until is not None else inside)


class Trial:
    """The parts of one randomized estimate."""

    def __init__(
        self,
        question: Question,
        lottery: Lottery,
        found: Randomized,
        used: Cells,
        sd: float,
        students: StudentLottery | None = None,
    ) -> None:
        self.students = students
        self.question, self.lottery, self.found, self.used = question, lottery, found, used
        self.claims = question.settled
        self.units = found.units_treated + found.units_control
        sure = gates.allows_interval(self.units, min(found.units_treated, found.units_control))
        self.scale = Scale(sd, self.claims.confidence, sure)

    def estimate(self) -> Estimate:
        """All of it."""
        found, arm = self.found, self.lottery.assigned[self.used.teacher]
        effect = self._effect(found)
        sides = [self.used.take(arm == side) for side in (0, 1)]
        smaller = min(sides, key=lambda side: side.n.sum())
        return Estimate(
            estimator="randomized",
            n=self._size(arm),
            effect=effect,
            scale=self.scale,
            design_tier=gates.STRONG,
            treated_clusters=found.units_treated,
            smaller=Sides(int(smaller.n.sum()), min(self._teachers(side.teacher) for side in sides)),
            bootstrapped=found.method == "randomization",
            mde=self._detectable(effect),
            gates=(self._balance(),),
            beside=self._beside(),
            details=self._details(),
            warnings=self._warnings(),
            said=self._said(),
            attrition=self._attrition(),
            places=self._places(),
        )

    def _teachers(self, codes: Ints) -> int:
        """Different teachers behind cells with these codes (R,), which are students' where students were drawn."""
        return distinct(codes) if self.students is None else self.students.teachers(codes)

    def _said(self) -> tuple[Sentence, ...]:
        if self.found.complier is None:
            return ()
        return (say("effect_of_being_drawn" if self.students is None else "effect_of_students_drawn"),)

    def _attrition(self) -> Attrition:
        """Of those in the lottery, those with results that count."""
        found = self.found
        before = [found.units_control + found.units_lost_control, found.units_treated + found.units_lost_treated]
        if self.students is not None and self.students.entered is not None:
            before = [max(pair) for pair in zip(before, self.students.entered, strict=True)]
        return Attrition(before[1], found.units_treated, before[0], found.units_control)

    def _effect(self, one: Drawn) -> Effect:
        if one.effect is None:
            return Effect()
        if one.low is None or one.high is None or one.p is None:
            return self.scale.effect(one.effect, None, None, method=one.method)
        df = one.df if one.method == "CR2" else None
        sd = self.scale.sd
        return self.scale.with_interval(
            one.effect, one.standard_error, df, one.low / sd, one.high / sd, one.p, method=one.method
        )

    def _size(self, arm: Ints) -> Size:
        treated, others = (self._teachers(self.used.teacher[arm == side]) for side in (1, 0))
        students = self.claims.students if self.students is None else self.units
        size = size_of(self.used, students=students, treated=treated)
        size = replace(size, teachers=self._teachers(self.used.teacher), comparison_teachers=others)
        schools = self.question.site[self.used.teacher] if self.question.site is not None else self.used.cluster
        return replace(size, clusters=self.units, schools=len(np.unique(schools)))

    def _detectable(self, effect: Effect) -> float | None:
        if effect.se is None or self.found.df is None:
            return None
        return effects.minimum_detectable_effect(
            effect.se, self.found.df, confidence=self.claims.confidence, power=self.claims.power
        )

    def _beside(self) -> dict[str, Effect]:
        beside = {}
        if self.found.unadjusted is not None and self.found.unadjusted.effect is not None:
            beside["unadjusted"] = self._effect(self.found.unadjusted)
        if self.found.complier is not None and self.found.complier.effect is not None:
            beside["complier"] = self._complier(self.found.complier)
        return beside

    def _complier(self, one: Complier) -> Effect:
        assert one.effect is not None
        if one.low is None or one.high is None or one.shape != "bounded" or not self.scale.sure:
            return Effect(raw=one.effect, sd=one.effect / self.scale.sd, method="two-stage least squares")
        sd = self.scale.sd
        error = one.standard_error
        return Effect(
            raw=one.effect,
            sd=one.effect / sd,
            se=None if error is None else error / sd,
            low=one.low / sd,
            high=one.high / sd,
            p=self.found.p,
            df=one.df,
            raw_se=error,
            raw_low=one.low,
            raw_high=one.high,
            method="two-stage least squares, Anderson-Rubin set",
        )

    def _balance(self) -> Gate:
        """Chance makes groups alike on average; by how much they are not is shown."""
        known = [line.g for line in self.found.balance if line.g is not None]
        return gates.baseline_gate(max(map(abs, known)) if known else None, drawn=True)

    def _details(self) -> dict[str, Any]:
        found = self.found
        details: dict[str, Any] = {
            "balance": [self._line(line) for line in found.balance],
            "randomization": {"p": found.randomization_p, "draws": found.draws, "enumerated": found.enumerated},
            "units": {
                "treated": found.units_treated,
                "control": found.units_control,
                "lost_treated": found.units_lost_treated,
                "lost_control": found.units_lost_control,
                "blocks": found.blocks,
                "are_schools": found.unit_is_cluster,
            },
        }
        if found.complier is not None:
            one = found.complier
            details["take_up"] = {
                "difference": one.take_up,
                "drawn": one.take_up_treated,
                "others": one.take_up_control,
                "first_stage_f": one.first_stage_f,
                "shape": one.shape,
            }
        return details

    def _line(self, line: Balance) -> dict[str, Any]:
        name = "outcome before" if line.column == 0 else self.question.column(line.column)
        status = "" if line.g is None else gates.equivalence(line.g)
        return {
            "name": name,
            "treated_mean": line.treated_mean,
            "comparison_mean": line.control_mean,
            "sd": line.sd,
            "g_before": line.g,
            "g_after": None,
            "p": line.p,
            "status": status,
        }

    def _warnings(self) -> tuple[Sentence, ...]:
        found, said = self.found, []
        lost = found.units_lost_treated + found.units_lost_control
        if lost:
            said.append(say("drawn_lost", units=lost, drawn=found.units_lost_treated))
        if found.blocks_lost:
            said.append(say("drawn_blocks_lost", blocks=found.blocks_lost))
        said += [say("covariate_dropped", name=self.question.column(one)) for one in found.covariates_dropped]
        return tuple(said)

    def _places(self) -> tuple[Places, ...]:
        """Differences within sites, where teachers and not schools were drawn."""
        if self.found.unit_is_cluster or self.question.site is None or self.question.cells is None:
            return ()
        since = window(self.question, self.lottery)
        sample: Sample = sample_by_teacher(self.question.cells, self.lottery.assigned, since, self.lottery.until)
        found = of_sites(site_differences(sample, self.question.site))
        return (found if self.students is None else self._with_teachers(found, self.students),)

    def _with_teachers(self, found: Places, students: StudentLottery) -> Places:
        """The places with their teachers counted: what were taken for teachers are students."""
        site = np.asarray(self.question.site)
        here = [students.teachers(np.flatnonzero(site == label)) for label in found.labels]
        sizes = tuple(
            replace(size, students=size.treated_teachers, teachers=teachers, treated_teachers=0, comparison_teachers=0)
            for size, teachers in zip(found.sizes, here, strict=True)
        )
        return replace(found, sizes=sizes)
