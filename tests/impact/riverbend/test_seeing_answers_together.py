"""Many questions of the same results: each is held against all others, and only its check and its tier may change."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from staffroom.knowing.impact.actions.together import see_together, seen_among
from staffroom.knowing.impact.models import Estimate
from tests.impact.riverbend.conftest import Riverbend


def answer(p: float | None, tier: int = 2) -> dict[str, Any]:
    return {"effect": {"sd": 0.1, "p": p}, "tier": tier, "gates": [{"name": "registered"}, {"name": "multiplicity"}]}


@given(st.floats(0, 1) | st.just(float("nan")), st.integers(1, 50), st.integers(1, 4))
def test_being_one_of_many_never_makes_an_answer_surer(adjusted: float, questions: int, tier: int) -> None:
    seen = seen_among(answer(0.01, tier), adjusted, questions)
    assert seen["tier"] >= tier
    assert seen["gates"][0] == {"name": "registered"}
    again = seen_among(seen, 0.0001, 1)
    assert again["tier"] == tier, "and when the others are gone it is as sure as it was alone"


@pytest.mark.django_db
@pytest.mark.xdist_group("impact")
def test_what_holds_alone_may_not_hold_among_many(riverbend: Riverbend) -> None:
    place, test = riverbend.district.organization, riverbend.test
    Estimate.objects.filter(organization=place).delete()
    for activity, p in zip(riverbend.activities, (0.03, 0.5, None), strict=True):
        result = {"answer": answer(p) | {"sentence": []}, "is_higher_better": True}
        Estimate.objects.create(organization=place, activity=activity, instrument=test, input_sha256="x", result=result)
    assert see_together(place) == 3
    first = Estimate.objects.get(activity=riverbend.activities[0])
    gate = first.result["answer"]["gates"][1]
    # 0.03 as the smallest of three questions is 0.09 (Benjamini and Hochberg): no longer below 0.05.
    assert (gate["passed"], round(gate["value"], 4)) == (False, 0.09)
    assert first.result["answer"]["tier"] == 4
    assert see_together(place) == 0, "a second look changes nothing"
