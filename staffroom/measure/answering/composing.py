"""From a question to an answer: the tree decides, an adapter estimates, gates and the other measures are put beside it."""

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import replace

import numpy as np

from staffroom.measure import effects, gates
from staffroom.measure.answer import Answer
from staffroom.measure.answering.balanced import balanced
from staffroom.measure.answering.cases import single_cases
from staffroom.measure.answering.doses import associated
from staffroom.measure.answering.estimate import Estimate
from staffroom.measure.answering.finite import only_finite
from staffroom.measure.answering.gating import all_gates
from staffroom.measure.answering.money import cost_of, efficiency
from staffroom.measure.answering.panel import staggered
from staffroom.measure.answering.plain import description
from staffroom.measure.answering.saying import sentences
from staffroom.measure.answering.spreading import replicability, spread
from staffroom.measure.answering.threshold import at_cutoff
from staffroom.measure.answering.trial import drawn
from staffroom.measure.calibration import wilson
from staffroom.measure.deciding import PANEL, Decision, decide, stopped
from staffroom.measure.multiplicity import benjamini_hochberg
from staffroom.measure.question import Overrides, Question
from staffroom.measure.sentence import Sentence, say
from staffroom.measure.staggered import distinct

type Adapter = Callable[[Question, str, np.random.Generator | None], Estimate]


def answer(question: Question, generator: np.random.Generator | None = None) -> Answer:
    """Everything that may be said about the question.

    With a `generator`, intervals of few schools are bootstrapped, bands are drawn and lots are drawn anew; without one
    these are approximate or left out. It never raises because data are few. An override never makes the tier better
    than it would be without it.
    """
    if not question.overrides.any:
        return _finite(_answered(question, generator))
    # The same draws for both: where an interval is bootstrapped, other draws might make another tier.
    same = deepcopy(generator)
    found = _finite(_answered(question, generator))
    plain = _answered(replace(question, overrides=Overrides()), same, only_tier=True)
    return replace(found, tier=max(found.tier, plain.tier))


def _finite(found: Answer) -> Answer:
    """Without numbers that are not finite; lines of sites, which may be thousands, have none by the way they are made."""
    lines = found.replicability.by_site
    bare = replace(found, replicability=replace(found.replicability, by_site=()))
    clean: Answer = only_finite(bare)
    return replace(clean, replicability=replace(clean.replicability, by_site=lines))


def among(answers: Sequence[Answer], *, confidence: float = 0.95) -> tuple[Answer, ...]:
    """The same answers, each seen as one of all these questions: the multiplicity gate anew, the tier lowered by it.

    For answers whose own `Portfolio` was empty; nothing else of them depends on the others.
    """
    p = [one.effect.p if one.effect is not None else None for one in answers]
    whole = benjamini_hochberg([np.nan if value is None else value for value in p], others=sum(v is None for v in p))
    result = []
    for one, value in zip(answers, whole.tolist(), strict=True):
        gate = gates.multiplicity_gate(None if np.isnan(value) else value, len(answers), 1 - confidence)
        others = tuple(gate if each.name == gate.name else each for each in one.gates)
        result.append(one if one.effect is None else replace(one, gates=others, tier=max(one.tier, gate.ceiling)))
    return tuple(result)


def _answered(question: Question, generator: np.random.Generator | None, *, only_tier: bool = False) -> Answer:
    decision = decide(question)
    asked = clustered(question)
    estimate = ADAPTERS.get(decision.estimator, description)(asked, decision.estimator, generator)
    if asked.cells is not None and question.cells is not None and asked.cells is not question.cells:
        schools = min(estimate.n.schools, distinct(question.cells.cluster))
        estimate = replace(estimate, n=replace(estimate.n, schools=schools))
    checked = all_gates(asked, estimate)
    tier = gates.tier(estimate.design_tier, checked) if estimate.effect is not None else gates.RATIONALE
    found = Answer(estimate.estimator, estimate.effect, estimate.n, gates=checked, tier=tier)
    return found if only_tier else whole(asked, decision, estimate, found)


def clustered(question: Question) -> Question:
    """The question with cells clustered as asked; sites stay what they were."""
    cells, wanted = question.cells, question.overrides.cluster
    if cells is None:
        return question
    site = question.site if question.site is not None else cells.clusters[cells.cluster_of]
    if wanted in (None, "school"):
        return replace(question, site=site)
    labels = cells.teachers if wanted == "teacher" else site
    clusters, codes = np.unique(labels, return_inverse=True)
    return replace(question, site=site, cells=replace(cells, cluster_of=codes, clusters=clusters))


def whole(question: Question, decision: Decision, estimate: Estimate, found: Answer) -> Answer:
    """The answer with all that stands beside the effect."""
    sites = replicability(estimate.places, estimate.scale, clusters=estimate.n.clusters)
    return replace(
        found,
        by_event_time=estimate.by_event_time,
        by_group_time=estimate.by_group_time,
        replicability=sites,
        scalability=spread(question, estimate.waves, estimate.scale),
        by_subgroup=estimate.by_subgroup,
        efficiency=efficiency(question, estimate),
        cost=cost_of(question, estimate),
        sentence=sentences(question, estimate, sites),
        warnings=(*decision.warnings, *_warnings(question), *_idle(question, estimate.estimator), *estimate.warnings),
        reasons=estimate.reasons,
        decision=decision.sentences,
        comparison_sd=estimate.scale.sd if estimate.scale else None,
        improvement_index=_improvement(estimate),
        mde=estimate.mde,
        more_teachers=more_teachers(question, estimate),
        beside=estimate.beside,
        details=estimate.details,
    )


def _improvement(estimate: Estimate) -> float | None:
    if estimate.effect is None or estimate.effect.sd is None:
        return None
    return effects.improvement_index(estimate.effect.sd)


def more_teachers(question: Question, estimate: Estimate) -> int | None:
    """About how many more teachers taking part would make the smallest effect that matters detectable; 0 if none."""
    if estimate.mde is None or question.students is not None:
        return None
    teachers = estimate.n.treated_teachers
    return max(0, effects.teachers_needed(teachers, estimate.mde, question.settled.smallest_effect) - teachers)


def _warnings(question: Question) -> tuple[Sentence, ...]:
    found = []
    if question.cells is not None and (teachers := stopped(question)):
        found.append(say("stopped", teachers=teachers))
    if question.placebo_rejections is not None and question.placebo_draws:
        low, high = wilson(question.placebo_rejections, question.placebo_draws)
        told = "calibration_sampled" if question.placebo_schools else "calibration_error"
        more = {"schools": question.placebo_schools} if question.placebo_schools else {}
        found.append(say(told, draws=question.placebo_draws, low=100 * low, high=100 * high, **more))
    if question.overrides.cluster == "teacher":
        found.append(say("clustered_finer", name="teacher"))
    found += [say("undeclared", name=one.name) for one in question.subgroups if not one.declared]
    return tuple(found)


def _idle(question: Question, estimator: str) -> tuple[Sentence, ...]:
    """Choices for comparisons over time that nothing came of."""
    wanted = question.overrides
    is_plain = question.cells is None or question.cells.mean.shape[1] == 1
    idle = (
        [] if estimator in PANEL else [name for name in ("base", "anticipation") if getattr(wanted, name) is not None]
    )
    if wanted.method is not None and (estimator not in PANEL or is_plain):
        idle.append("method")
    return tuple(say("override_idle", name=name) for name in idle)


ADAPTERS: dict[str, Adapter] = {
    "randomized": drawn,
    "cutoff": at_cutoff,
    "entropy_balanced": balanced,
    "dose": associated,
    "single_case": single_cases,
    "imputation": staggered,
    "callaway_santanna": staggered,
    "etwfe": staggered,
    "twfe": staggered,
    "describe": description,
}
