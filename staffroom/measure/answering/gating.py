"""All gates of an answer, in the order in which they are shown."""

from dataclasses import replace

import numpy as np

from staffroom.measure import gates
from staffroom.measure.answer import Effect
from staffroom.measure.answering.estimate import Estimate, Scale
from staffroom.measure.attrition import attrition
from staffroom.measure.cells import Cells, Ints
from staffroom.measure.claims import Claims
from staffroom.measure.gates import Gate
from staffroom.measure.multiplicity import benjamini_hochberg
from staffroom.measure.question import NEVER, Attrition, Question
from staffroom.measure.sides import comparison_sd
from staffroom.measure.staggered import distinct, event_times, impute


def all_gates(question: Question, estimate: Estimate) -> tuple[Gate, ...]:
    """What is checked of every estimate, with the estimator's own checks in between; a description has only the first."""
    claims, effect = question.settled, estimate.effect
    registered = gates.registration_gate(claims.registered)
    if effect is None:
        return (registered,)
    return (
        registered,
        gates.minimum_cell_gate(estimate.smaller.results, estimate.smaller.teachers),
        *cluster_gates(estimate),
        *estimate.gates,
        attrition_of(question, estimate),
        gates.calibration_gate(question.placebo_rejections, question.placebo_draws),
        gates.sample_gate(estimate.n.students, estimate.n.schools),
        gates.significance_gate(effect.low, strictly=strictly(effect, claims)),
        multiplicity(question, effect.p),
        gates.power_gate(estimate.mde, claims.smallest_effect),
    )


def cluster_gates(estimate: Estimate) -> tuple[Gate, ...]:
    """None where nothing is clustered: single cases."""
    if estimate.estimator == "single_case":
        return ()
    if estimate.estimator == "randomized":
        return (gates.units_gate(estimate.n.clusters, estimate.treated_clusters, redrawn=estimate.bootstrapped),)
    return (gates.cluster_gate(estimate.n.clusters, estimate.treated_clusters, bootstrapped=estimate.bootstrapped),)


def attrition_of(question: Question, estimate: Estimate) -> Gate:
    """As told; else of teachers, as far as the cells show who was there at the start."""
    told = question.attrition or estimate.attrition
    if told is None:
        return gates.attrition_gate(None, None)
    found = attrition(
        treated_before=told.treated_before,
        treated_after=told.treated_after,
        comparison_before=told.comparison_before,
        comparison_after=told.comparison_after,
    )
    return gates.attrition_gate(found.overall, found.differential)


def panel_attrition(cells: Cells, first_treated: Ints) -> Attrition | None:
    """Teachers seen before anyone took part, and those of them seen in the last term; by whether they ever took part."""
    took = first_treated != NEVER
    if not took.any():
        return None
    term = cells.terms[cells.term]
    seen = [
        np.bincount(cells.teacher[chosen], minlength=took.size) > 0
        for chosen in (term < first_treated[took].min(), term == term.max())
    ]
    before = [int((seen[0] & part).sum()) for part in (took, ~took)]
    after = [int((seen[0] & seen[1] & part).sum()) for part in (took, ~took)]
    return Attrition(before[0], after[0], before[1], after[1]) if min(before) > 0 else None


def strictly(effect: Effect, claims: Claims) -> bool:
    """Whether an interval that excludes zero would do so at 95 % as well."""
    return claims.confidence >= claims.strict or effect.p is None or effect.p <= 1 - claims.strict


def multiplicity(question: Question, p: float | None) -> Gate:
    """This p-value among those of the portfolio; those whose p-values are not known show nothing."""
    others, unknown = question.portfolio.p, question.portfolio.unknown
    questions = 1 + len(others) + unknown
    level = 1 - question.settled.strict
    if p is None:
        return gates.multiplicity_gate(None, questions, level)
    return gates.multiplicity_gate(float(benjamini_hochberg([p, *others], others=unknown)[0]), questions, level)


def composition(cells: Cells, first_treated: Ints, prior: int | None, scale: Scale) -> Gate:
    """The effect of a panel's estimator on the prior score, which the activity cannot have changed."""
    if prior is None:
        return gates.composition_gate(None, None, None)
    placebo = only(cells, prior)
    found = impute(placebo, first_treated, leave_out=True).overall
    sd = comparison_sd(placebo.take(event_times(placebo, first_treated) < 0))
    if found is None or not sd:
        return gates.composition_gate(None, None, None)
    df = distinct(placebo.cluster) - 1
    effect = Scale(sd, scale.confidence, scale.sure).effect(found.effect, found.standard_error, df)
    return gates.composition_gate(effect.sd, effect.low, effect.high)


def only(cells: Cells, column: int) -> Cells:
    """The cells with one column alone, as the outcome."""
    return replace(cells, mean=cells.mean[:, [column]], scatter=cells.scatter[:, [column]][:, :, [column]])
