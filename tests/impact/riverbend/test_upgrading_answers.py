"""Answers that an earlier version kept: pages show them at once, or say that they are computed again; and they are looked through."""

from __future__ import annotations

import json
import re
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.urls import reverse

from staffroom.knowing.impact.models import Estimate, Tally
from tests.impact.riverbend.conftest import Riverbend
from tests.impact.riverbend.test_seeing_what_works import signed_in, text_of

pytestmark = pytest.mark.django_db


def upgraded() -> None:
    import_module("staffroom.knowing.impact.migrations.0007_one_answer").keep_the_answer(apps, None)


def pages(riverbend: Riverbend, number: int) -> dict[str, Any]:
    client, slug = signed_in(riverbend, "denise"), riverbend.activities[number].slug
    found = {door: client.get(reverse(f"impact:{door}", args=[slug])) for door in ("activity", "csv", "json")}
    return {**found, "all": client.get(reverse("impact:activities"))}


def test_what_was_kept_beside_the_answer_is_dropped_and_the_answer_stays(riverbend: Riverbend) -> None:
    kept = Estimate.objects.get(activity=riverbend.activities[0])
    older = {**kept.result, "study": {"effect": None}, "leads": [], "efficiency": None}
    summary = {**kept.summary, "estimator": "imputation", "tier": 3}
    Estimate.objects.filter(pk=kept.pk).update(result=older, summary=summary)
    upgraded()
    after = Estimate.objects.get(pk=kept.pk)
    assert (after.result, after.summary) == (kept.result, kept.summary)
    assert Tally.objects.filter(activity=riverbend.activities[0]).exists()


@pytest.mark.parametrize("older", [{"study": {"effect": None}, "terms": []}, {"answer": None}, {}])
def test_what_has_no_answer_is_computed_again_when_somebody_looks(riverbend: Riverbend, older: dict[str, Any]) -> None:
    Estimate.objects.filter(activity=riverbend.activities[0]).update(result=older)
    upgraded()
    for door, found in pages(riverbend, 0).items():
        assert found.status_code == 200, door
    assert "Being computed" in text_of(pages(riverbend, 0)["activity"])


def test_an_answer_that_counts_three_teachers_is_told_to_nobody(riverbend: Riverbend) -> None:
    """In no page, file or address: neither the number, nor the mean of the three, nor words that hold it."""
    kept = Estimate.objects.get(activity=riverbend.activities[0])
    answer = kept.result["answer"]
    few = {"message": "too_few_treated", "values": {"teachers": 3, "limit": 10}, "text": "3 teachers who took part can"}
    answer |= {
        "reasons": [few],
        "warnings": [{**few, "message": "stopped"}],
        "n": {**answer["n"], "treated_teachers": 3},
    }
    answer["details"]["sides"]["treated"] = {"results": 61, "teachers": 3, "mean": 234.567, "sd": 1.0}
    answer["gates"][1]["sentence"] = {
        "message": "cells_few",
        "values": {"students": 61, "teachers": 3},
        "text": "Only 61 and 3",
    }
    answer["efficiency"] = {
        "known": True,
        "hours_per_teacher": 77.7,
        "teachers": 3,
        "sd_per_10_hours": {"value": 0.777},
    }
    Estimate.objects.filter(pk=kept.pk).update(result=kept.result)
    client, slug = signed_in(riverbend, "denise"), riverbend.activities[0].slug
    for door in ("activity", "csv", "json", "report", "more"):
        text = text_of(client.get(reverse(f"impact:{door}", args=[slug])))
        for told in ("234[.]567", "(?<![0-9])3 teachers", "61 and 3", "77[.]7", "0[.]777"):
            assert not re.search(told, text), (door, told)
    found = client.get(f"/api/what-works/{slug}").json()["answer"]
    assert found["n"]["treated_teachers"] is found["n"]["teachers"] is None
    assert found["reasons"][0]["values"]["teachers"] is None
    assert "fewer than 5 teachers" in found["reasons"][0]["text"]
    assert '"teachers": 3,' not in json.dumps(found)
