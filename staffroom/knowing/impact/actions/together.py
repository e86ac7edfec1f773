"""Answers seen together: who asks ten questions of the same results finds something by chance, so each is held against all the others."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from staffroom.knowing import pictures
from staffroom.knowing.impact import studying
from staffroom.knowing.impact.models import Estimate
from staffroom.people.models import Organization

CONFIDENCE = 0.95


@transaction.atomic
def see_together(organization: Organization) -> int:
    """Put the p-values of all activities on each instrument beside each other: their check of multiplicity and their tier.

    Nothing else of an answer depends on the others, so nothing is estimated again. Returns how many answers changed.
    """
    found = Estimate.objects.select_for_update().filter(organization=organization).order_by("instrument", "pk")
    by_instrument: dict[int, list[Estimate]] = {}
    for each in found:
        by_instrument.setdefault(each.instrument_id, []).append(each)
    return sum(_together(estimates) for estimates in by_instrument.values())


def _together(estimates: list[Estimate]) -> int:
    from staffroom.measure.multiplicity import benjamini_hochberg

    answers = [each.result["answer"] for each in estimates]
    p = [(answer["effect"] or {}).get("p") for answer in answers]
    known = [float("nan") if value is None else value for value in p]
    adjusted = benjamini_hochberg(known, others=sum(value is None for value in p)).tolist()
    changed = 0
    for estimate, value in zip(estimates, adjusted, strict=True):
        seen = seen_among(estimate.result["answer"], value, len(answers))
        if seen != estimate.result["answer"]:
            estimate.result = {**estimate.result, "answer": seen}
            estimate.summary = studying.summary_of(estimate.result)
            estimate.save(update_fields=["result", "summary"])
            changed += 1
    return changed


def seen_among(answer: dict[str, Any], adjusted: float, questions: int) -> dict[str, Any]:
    """An answer's JSON with the check of multiplicity for so many questions; the tier lowered by it, never above what it was alone."""
    from staffroom.measure.gates import multiplicity_gate

    alone = answer.get("tier_alone", answer["tier"])
    if answer["effect"] is None:
        return answer
    gate = multiplicity_gate(None if adjusted != adjusted else adjusted, questions, 1 - CONFIDENCE)
    kept = pictures.plain(gate)
    gates = [kept if each["name"] == gate.name else each for each in answer["gates"]]
    return {**answer, "gates": gates, "tier_alone": alone, "tier": max(alone, gate.ceiling)}
