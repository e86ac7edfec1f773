"""Studies are answered by themselves: once, anew when something changed, and not before there are results of their time."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from staffroom.jobs.actions import run_waiting
from staffroom.knowing.impact import actions, queries
from staffroom.knowing.impact.models import Study, StudyAnswer
from staffroom.people.models import Term
from staffroom.records import lake
from tests.impact.riverbend.conftest import Riverbend

pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("impact")]


@pytest.fixture
def past(riverbend: Riverbend) -> Study:
    """A study of a time whose results are there: so it can only be exploratory."""
    terms = list(Term.objects.filter(organization=riverbend.district.organization).order_by("begins_on"))
    made = actions.start_study(
        by=riverbend.denise, organization=riverbend.district.organization, activities=riverbend.activities[:1],
        name="Did it work?", decision="Go on or stop.", instrument=riverbend.test, outcomes_from=terms[3].begins_on,
        outcomes_until=terms[-1].ends_on, subgroups={"by_earlier_results": True},
    )  # fmt: skip
    actions.register_study(by=riverbend.denise, study=made)
    return made


def test_a_study_of_known_results_is_answered_and_called_exploratory(
    riverbend: Riverbend, past: Study, client: Any
) -> None:
    run_waiting()
    found = StudyAnswer.objects.get(version__study=past)
    assert not found.is_registered
    answer = found.result["answer"]
    assert answer["estimator"] == "imputation"
    assert answer["effect"]["low"] < answer["effect"]["sd"] < answer["effect"]["high"]
    assert not next(gate for gate in answer["gates"] if gate["name"] == "registered")["passed"]
    assert {line["group"] for line in answer["by_subgroup"]} == {
        f"students scored before: {half} half" for half in ("lower", "upper")
    }
    client.force_login(riverbend.denise)
    page = client.get(reverse("studies:result", args=[past.slug])).content.decode()
    assert "exploratory" in page
    told = client.get(reverse("studies:json", args=[past.slug])).json()["versions"][0]["result"]["answer"]
    # Programs are told what was kept, with names in the places of the schools' keys.
    by_school = ("replicability", "mechanism")
    assert {name: told[name] for name in told if name not in by_school} == {
        name: answer[name] for name in answer if name not in by_school
    }
    assert [each["effect"] for each in told["mechanism"]] == [each["effect"] for each in answer["mechanism"]]
    assert told["replicability"]["pooled"] == answer["replicability"]["pooled"]
    assert not {line["group"] for line in answer["replicability"]["by_site"]} & {
        line["group"] for line in told["replicability"]["by_site"]
    }


def test_it_is_answered_anew_only_when_something_changed(
    riverbend: Riverbend, past: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lake, "refresh", lambda: 0)
    assert actions.answer_studies(studies=[past]) == 1
    assert actions.answer_studies(studies=[past]) == 0


def test_before_there_are_results_of_its_time_there_is_no_answer(
    riverbend: Riverbend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lake, "refresh", lambda: 0)
    ahead = timezone.localdate() + timedelta(days=2000)
    made = actions.start_study(
        by=riverbend.denise, organization=riverbend.district.organization, activities=riverbend.activities[:1], name="Will it?",
        decision="Go on or stop.", instrument=riverbend.test, outcomes_from=ahead, outcomes_until=ahead + timedelta(days=100),
    )  # fmt: skip
    version = actions.register_study(by=riverbend.denise, study=made)
    assert actions.answer_studies(studies=[made]) == 0
    assert queries.is_registered(version)
    assert not StudyAnswer.objects.filter(version=version).exists()
