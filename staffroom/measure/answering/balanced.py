"""E4: teachers who took part against others made alike in prior score."""

from dataclasses import replace
from typing import Any

import numpy as np

from staffroom.measure import effects, gates
from staffroom.measure.ancova import Ancova, Difference, entropy_balanced
from staffroom.measure.answer import Effect
from staffroom.measure.answering.estimate import Estimate, Scale, Sides, size_of
from staffroom.measure.answering.plain import description
from staffroom.measure.balance import BalanceLine
from staffroom.measure.cells import Cells
from staffroom.measure.deciding import first_terms
from staffroom.measure.question import NEVER, Question
from staffroom.measure.sentence import say
from staffroom.measure.staggered import distinct, event_times


def balanced(question: Question, estimator: str, generator: np.random.Generator | None) -> Estimate:
    """The weighted difference where both sides can be made alike; else the adjusted one, which fails a gate."""
    assert question.cells is not None
    assert question.prior is not None
    first = first_terms(question)
    used = compared(question.cells, first)
    treated = (first != NEVER).astype(np.int64)
    others = np.setdiff1d(np.arange(1, used.mean.shape[1]), [question.prior])
    found = entropy_balanced(
        used, treated, prior=question.prior, covariates=others, confidence=question.settled.confidence
    )
    main = found if found.converged else found.plain
    sd = question.settled.reference_sd or found.comparison_sd
    if not (np.isfinite(main.effect) and np.isfinite(sd) and sd > 0):
        reason = say("balance_" + (found.reason or "collinear"))
        return replace(description(question, "describe", generator), reasons=(reason,))
    return _estimate(question, used, found, main, sd)


def compared(cells: Cells, first: "np.typing.NDArray[np.int64]") -> Cells:
    """Treated cells, and those of teachers who never took part."""
    return cells.take((event_times(cells, first) >= 0) | (first[cells.teacher] == NEVER))


def _estimate(question: Question, used: Cells, found: Ancova, main: Ancova | Difference, sd: float) -> Estimate:
    claims, clusters = question.settled, found.clusters_used
    kept = used.take(found.weights > 0) if found.converged else used
    scale = Scale(sd, claims.confidence, gates.allows_interval(clusters, found.clusters[0]))
    effect = scale.effect(main.effect, main.standard_error, main.df, method=found.kind)
    mde = None
    if effect.se is not None and effect.df is not None:
        mde = effects.minimum_detectable_effect(effect.se, effect.df, confidence=claims.confidence, power=claims.power)
    schools = distinct(kept.cluster) if question.site is None else len(np.unique(question.site[kept.teacher]))
    return Estimate(
        estimator="entropy_balanced",
        n=size_of(kept, students=claims.students, treated=found.teachers[0], schools=schools),
        effect=effect,
        scale=scale,
        design_tier=gates.MODERATE,
        treated_clusters=found.clusters[0],
        smaller=Sides(min(found.results), min(found.teachers)),
        mde=mde,
        gates=(_baseline(found),),
        beside=_beside(found, scale),
        details=_details(question, found),
        warnings=() if found.converged else (say("not_balanced"), say("balance_" + found.reason)),
    )


def _baseline(found: Ancova) -> "gates.Gate":
    """By the comparison as it is used: weighted where weights were had."""
    gaps = [line.g_after if found.converged else line.g_before for line in found.balance]
    return gates.baseline_gate(max(map(abs, gaps)) if gaps and np.isfinite(gaps).all() else None)


def _beside(found: Ancova, scale: Scale) -> dict[str, Effect]:
    """The same regression without weights."""
    if not found.converged or not np.isfinite(found.plain.effect):
        return {}
    plain = found.plain
    return {"adjusted": scale.effect(plain.effect, plain.standard_error, plain.df, method=found.kind)}


def _details(question: Question, found: Ancova) -> dict[str, Any]:
    return {
        "balance": [_line(question, line) for line in found.balance],
        "weights": {
            "converged": found.converged,
            "effective_results": found.effective_n,
            "effective_teachers": found.effective_teachers,
            "largest_share": found.largest_share,
            "left_out_cells": found.left_out,
        },
    }


def _line(question: Question, line: BalanceLine) -> dict[str, Any]:
    return {
        "name": question.column(line.column),
        "treated_mean": line.treated_mean,
        "comparison_mean": line.comparison_mean,
        "weighted_mean": line.weighted_mean,
        "sd": line.sd,
        "g_before": line.g_before,
        "g_after": line.g_after,
        "status_before": line.status_before,
        "status": line.status,
    }
