"""E5: everyone took part, but not equally much. An association, never more than promising."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from staffroom.measure import effects, gates
from staffroom.measure.answering.estimate import Estimate, Scale, Sides, size_of, spread_of
from staffroom.measure.answering.plain import description
from staffroom.measure.deciding import first_terms
from staffroom.measure.dose import DoseAssociation, DoseGroup, dose_association
from staffroom.measure.gates import Gate
from staffroom.measure.question import NEVER, Question
from staffroom.measure.sentence import say


def associated(question: Question, estimator: str, generator: np.random.Generator | None) -> Estimate:
    """How the outcome goes with the dose within teachers, for a typical difference of doses."""
    cells, claims = question.cells, question.settled
    assert cells is not None
    assert question.dose is not None
    clusters = len(np.unique(cells.cluster))
    few = gates.FEW_CLUSTERS <= clusters < gates.MANY_CLUSTERS
    found = dose_association(cells, question.dose, confidence=claims.confidence, generator=generator if few else None)
    sd = claims.reference_sd or spread_of(cells)
    if found.slope is None or sd is None or not found.typical:
        reason = say("dose_" + (found.reason or "no_spread"))
        return replace(description(question, "describe", generator), reasons=(reason,))
    scale = Scale(sd, claims.confidence, gates.allows_interval(clusters, clusters))
    error, df = found.standard_error, found.df
    typical = found.typical
    effect = scale.effect(found.slope * typical, None if error is None else error * typical, df, method=found.method)
    wild = found.bootstrap
    if wild is not None and effect.low is not None and effect.high is not None and effect.p is not None:
        low, high = min(effect.low, wild.low * typical / sd), max(effect.high, wild.high * typical / sd)
        effect = scale.with_interval(
            found.slope * typical,
            (error or 0.0) * typical,
            df,
            low,
            high,
            max(effect.p, wild.p),
            method="wild bootstrap",
        )
    mde = None
    if effect.se is not None and df is not None:
        mde = effects.minimum_detectable_effect(effect.se, df, confidence=claims.confidence, power=claims.power)
    took = int((first_terms(question) != NEVER).sum())
    schools = len(np.unique(question.site)) if question.site is not None else clusters
    return Estimate(
        estimator="dose",
        n=size_of(cells, students=claims.students, treated=took, schools=schools),
        effect=effect,
        scale=scale,
        design_tier=gates.PROMISING,
        treated_clusters=clusters,
        smaller=Sides(found.results, found.teachers),
        bootstrapped=wild is not None,
        mde=mde,
        gates=(association_gate(),),
        details={"dose": _details(found, scale)},
        said=(say("association", typical=typical),),
    )


def association_gate() -> Gate:
    """What teachers do more of in a term may go with other things of that term."""
    return Gate("association", False, None, None, say("branch_dose"), gates.PROMISING)


def _details(found: DoseAssociation, scale: Scale) -> dict[str, Any]:
    return {
        "slope": scale.effect(found.slope or 0.0, found.standard_error, found.df, method=found.method),
        "typical": found.typical,
        "groups": _groups(found.groups),
    }


def _groups(groups: Sequence[DoseGroup]) -> list[dict[str, Any]]:
    from dataclasses import fields

    return [{one.name: getattr(group, one.name) for one in fields(group)} for group in groups]
