"""Many activities on the same results: headlines with size, interval and main gates, at a small part of the price.

Numbers are those of the whole answer. What is left out (event study, other estimators, drift, sites, waves) is left
out of the tier too: a brief answer is promising at best, and says so.
"""

from collections.abc import Sequence

import numpy as np

from staffroom.measure import effects, gates
from staffroom.measure.answer import Answer, Size
from staffroom.measure.answering.composing import answer, whole
from staffroom.measure.answering.estimate import Estimate, Scale, Sides
from staffroom.measure.answering.gating import multiplicity, strictly
from staffroom.measure.cells import Cells
from staffroom.measure.deciding import LEAST_TERMS, LEAST_TREATED_TEACHERS, Branch, Decision, first_terms
from staffroom.measure.gates import Gate
from staffroom.measure.many import Grid, Headline
from staffroom.measure.question import Question
from staffroom.measure.sentence import Sentence, say
from staffroom.measure.staggered import effective_clusters


def brief(questions: Sequence[Question], generator: np.random.Generator | None = None) -> tuple[Answer, ...]:
    """One answer per question; whole ones where the short way does not apply.

    It applies to comparisons over time without covariates, overrides or other designs, with 20 schools or more of not too
    different size.
    """
    grids: dict[int, Grid] = {}
    return tuple(_one(question, grids, generator) for question in questions)


def _one(question: Question, grids: dict[int, Grid], generator: np.random.Generator | None) -> Answer:
    if not _is_plain(question) or question.cells is None:
        return answer(question, generator)
    key = id(question.cells)
    if key not in grids:
        grids[key] = Grid(question.cells)
    found = grids[key].headline(first_terms(question))
    if found is None or not _is_enough(found, question.cells):
        return answer(question, generator)
    return _answer(question, found)


def _is_plain(question: Question) -> bool:
    """Whether nothing but a comparison over time can be meant."""
    others = (question.lottery, question.threshold, question.series)
    columns = 1 if question.cells is None else question.cells.mean.shape[1]
    return all(one is None for one in others) and columns == 1 and not question.overrides.any


def _is_enough(found: Headline, cells: Cells) -> bool:
    scale = float(np.abs(cells.mean[:, 0]).max())
    return (
        found.terms >= LEAST_TERMS
        and found.treated_teachers >= LEAST_TREATED_TEACHERS
        and gates.enough_to_show(found.treated_results, found.treated_teachers)
        and gates.enough_to_show(found.untreated_results, found.untreated_teachers)
        and min(found.clusters, effective_clusters(cells)) >= gates.MANY_CLUSTERS
        and bool(np.isfinite(found.sd) and found.sd > 1e-9 * max(scale, 1e-300))
    )


def _answer(question: Question, found: Headline) -> Answer:
    claims, df = question.settled, found.clusters - 1
    sd = claims.reference_sd or found.sd
    scale = Scale(sd, claims.confidence, gates.allows_interval(found.clusters, found.treated_clusters))
    effect = scale.effect(found.effect, found.standard_error, df, method="CR1")
    mde = None
    if effect.se is not None:
        mde = effects.minimum_detectable_effect(effect.se, df, confidence=claims.confidence, power=claims.power)
    estimate = Estimate(
        estimator="imputation",
        n=_size(found, claims.students),
        effect=effect,
        scale=scale,
        design_tier=gates.PROMISING,
        treated_clusters=found.treated_clusters,
        smaller=Sides(
            min(found.treated_results, found.untreated_results), min(found.treated_teachers, found.untreated_teachers)
        ),
        mde=mde,
        warnings=_warnings(question, found),
    )
    checked = _gates(question, estimate)
    decision = Decision(
        "imputation", "imputation", (Branch("imputation", True, say("branch_staggered", terms=found.terms)),)
    )
    bare = Answer("imputation", effect, estimate.n, gates=checked, tier=gates.tier(estimate.design_tier, checked))
    return whole(question, decision, estimate, bare)


def _size(found: Headline, students: int | None) -> Size:
    return Size(
        students=students or found.students,
        teachers=found.teachers,
        schools=found.clusters,
        clusters=found.clusters,
        results=found.results,
        treated_teachers=found.treated_teachers,
        comparison_teachers=found.teachers - found.treated_teachers,
        terms=found.terms,
    )


def _warnings(question: Question, found: Headline) -> tuple[Sentence, ...]:
    said = []
    if found.always_treated:
        said.append(say("always_treated", teachers=found.always_treated))
    if found.unmatched_cells:
        said.append(say("unmatched", cells=found.unmatched_cells))
    if question.cells is not None and question.cells.moved:
        said.append(say("moved", teachers=question.cells.moved))
    return tuple(said)


def _gates(question: Question, estimate: Estimate) -> tuple[Gate, ...]:
    effect, claims = estimate.effect, question.settled
    assert effect is not None
    return (
        gates.registration_gate(claims.registered),
        gates.minimum_cell_gate(estimate.smaller.results, estimate.smaller.teachers),
        gates.cluster_gate(estimate.n.clusters, estimate.treated_clusters),
        Gate("brief", False, None, None, say("brief"), gates.PROMISING),
        gates.calibration_gate(question.placebo_rejections, question.placebo_draws),
        gates.sample_gate(estimate.n.students, estimate.n.schools),
        gates.significance_gate(effect.low, strictly=strictly(effect, claims)),
        multiplicity(question, effect.p),
        gates.power_gate(estimate.mde, claims.smallest_effect),
    )
