"""The result page: one answer with names for those who may see them, pictures to take along, and a report on paper."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from staffroom.knowing import pictures
from staffroom.knowing.impact import rules, showing, wording
from staffroom.knowing.impact.models import Estimate
from staffroom.knowing.studies import running, telling
from staffroom.measure import gates
from staffroom.measure.answer import ESTIMATORS
from staffroom.measure.sentence import MESSAGES
from staffroom.people.models import Person
from tests.impact.riverbend.conftest import Riverbend
from tests.impact.riverbend.test_seeing_what_works import signed_in, text_of
from tests.pictures import answers

pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("impact")]


def page(riverbend: Riverbend, name: str, door: str = "activity", *args: str, **query: str) -> Any:
    address = reverse(f"impact:{door}", args=[riverbend.activities[2].slug, *args])
    return signed_in(riverbend, name).get(address, query)


def test_the_five_measures_stand_there_with_what_is_likely(riverbend: Riverbend) -> None:
    text = text_of(page(riverbend, "denise"))
    answer = Estimate.objects.get(activity=riverbend.activities[2]).result["answer"]
    for measure in pictures.five(answer):
        if measure.is_known:
            assert f">{measure.value}<" in text, measure
            assert measure.range.split(";")[0] in text
    assert "What would change the answer" in text
    assert "Why this comparison" in text


@pytest.fixture
def of_schools(riverbend: Riverbend) -> list[str]:
    """An answer whose sites are the first schools of the district, kept in the place of what was computed; their names."""
    answer, schools = pictures.plain(answers.full()), riverbend.district.schools
    sites = answer["replicability"]["by_site"]
    for site, school in zip(sites, schools, strict=False):
        site["group"] = str(school.key)
    kept = Estimate.objects.get(activity=riverbend.activities[2])
    Estimate.objects.filter(pk=kept.pk).update(result={**kept.result, "answer": answer})
    return [school.name for school in schools[: len(sites) - 1]]


def test_who_leads_the_district_reads_names_of_schools_and_others_numbers(
    riverbend: Riverbend, of_schools: list[str]
) -> None:
    text = text_of(page(riverbend, "denise"))
    assert all(f">{name}<" in text for name in of_schools)
    for name in ("researcher", "grace"):
        text = text_of(page(riverbend, name)).split("<main", 1)[1]
        assert not [school for school in of_schools if f">{school}<" in text], name
        assert ">School 1<" in text, name


def test_no_key_of_a_school_leaves_the_house(riverbend: Riverbend, of_schools: list[str]) -> None:
    keys = {str(school.key) for school in riverbend.district.schools}
    for door in ("activity", "csv", "json", "report", "more"):
        text = text_of(page(riverbend, "researcher", door))
        assert not [key for key in keys if key in text], door


def test_only_those_over_the_whole_of_what_is_compared_are_told_names(riverbend: Riverbend) -> None:
    district = riverbend.district.organization
    seen = {
        name: rules.may_see_sites(riverbend.someone(name), district)
        for name in ("denise", "omar", "grace", "researcher", "stranger", "amara")
    }
    assert seen == {
        "denise": True,
        "omar": True,
        "grace": False,
        "researcher": False,
        "stranger": False,
        "amara": False,
    }


@pytest.mark.parametrize("kind", ["svg", "png"])
def test_pictures_can_be_taken_along(riverbend: Riverbend, kind: str) -> None:
    found = page(riverbend, "denise", "picture", "event_study", kind)
    assert found.status_code == 200
    assert found["Content-Type"] == showing.KINDS[kind]
    assert found.content.startswith(b"<svg" if kind == "svg" else b"\x89PNG")
    assert "attachment" in found["Content-Disposition"]


def test_pictures_and_files_that_there_are_not_are_not_found(riverbend: Riverbend) -> None:
    assert page(riverbend, "denise", "picture", "no-such", "svg").status_code == 404
    assert page(riverbend, "denise", "picture", "event_study", "gif").status_code == 404
    assert page(riverbend, "stranger", "picture", "event_study", "svg").status_code == 404
    assert page(riverbend, "amara", "report").status_code == 404


def test_the_report_has_a_policy_of_its_own_that_runs_nothing(riverbend: Riverbend) -> None:
    found = page(riverbend, "denise", "report")
    assert found.status_code == 200
    policy = found["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    text = text_of(found)
    assert riverbend.activities[2].name in text
    assert "The five measures" in text


def test_pages_hold_no_style_of_their_own(riverbend: Riverbend) -> None:
    for door in ("activity", "more"):
        assert not re.search(r"<style|style=", text_of(page(riverbend, "denise", door)).split("<main", 1)[1])


def test_further_pictures_come_as_a_part_when_they_are_asked_for(riverbend: Riverbend) -> None:
    address = reverse("impact:more", args=[riverbend.activities[2].slug])
    client: Client = signed_in(riverbend, "denise")
    part = text_of(client.get(address, headers={"HX-Request": "true"}))
    assert "<html" not in part
    assert "Gain and time" in part
    assert riverbend.activities[0].name in part


@pytest.mark.parametrize(("name", "sees_costs"), [("denise", True), ("researcher", False)])
def test_each_picture_leads_to_the_entries_it_came_from(riverbend: Riverbend, name: str, *, sees_costs: bool) -> None:
    first, more = page(riverbend, name).content.decode(), page(riverbend, name, "more").content.decode()
    entries, ingredients = (
        reverse(f"impact:{door}", args=[riverbend.activities[2].slug]) for door in ("entries", "ingredients")
    )
    behind = "The records it came from"
    assert f'<a href="#outcomes">{behind}' in first
    assert 'id="outcomes"' in first
    assert f'<a href="{entries}">{behind}' in first + more
    assert (f'<a href="{ingredients}">{behind}' in more) == sees_costs
    for address in (entries, ingredients) if sees_costs else (entries,):
        assert signed_in(riverbend, name).get(address).status_code == 200


def test_the_portfolio_puts_activities_in_groups_and_says_why(riverbend: Riverbend) -> None:
    client = signed_in(riverbend, "denise")
    text = text_of(client.get(reverse("impact:activities")))
    for activity in riverbend.activities:
        assert activity.name in text
    suggested = {
        entry.suggestion.key
        for group in client.get(reverse("impact:activities")).context["groups"]
        for entry in group["entries"]
    }
    for key in suggested:
        only = client.get(reverse("impact:activities"), {"suggested": key})
        assert {entry.suggestion.key for group in only.context["groups"] for entry in group["entries"]} == {key}
    none = client.get(reverse("impact:activities"), {"kind": "no-such-kind"})
    assert none.status_code == 200
    assert "None like that" in text_of(none)


def test_the_file_of_the_portfolio_has_a_line_for_each(riverbend: Riverbend) -> None:
    lines = (
        text_of(signed_in(riverbend, "denise").get(reverse("impact:activities"), {"format": "csv"}))
        .strip()
        .splitlines()
    )
    assert len(lines) == 1 + len(riverbend.activities)
    assert "Suggestion" in lines[0]


def test_sites_of_few_teachers_are_hidden_once_more_before_they_are_shown() -> None:
    """The second lock: an answer that was kept with a small site shows neither it nor the one it would follow from."""
    whole = pictures.plain(answers.full())
    whole["replicability"]["by_site"][0]["n"]["teachers"] = 3
    shown = showing.without_small(whole)["replicability"]["by_site"]
    hidden = [line["group"] for line in shown if line["hidden"]]
    assert "Alder" in hidden
    assert len(hidden) >= 3
    assert all(
        line["effect"]["sd"] is None and not line["n"]
        for line in shown
        if line["group"] in hidden and line["group"] != "Hazel"
    )
    assert showing.without_small(pictures.plain(answers.full())) == pictures.plain(answers.full())


def test_every_check_and_every_estimator_has_a_name_for_readers() -> None:
    source = gates.__file__
    with open(source, encoding="utf-8") as file:
        named = set(re.findall(r'Gate\(\s*"([a-z_]+)"', file.read()))
    assert named
    assert named <= set(wording.GATES)
    assert set(ESTIMATORS) <= set(wording.ESTIMATORS)


def test_every_sentence_about_higher_scores_has_one_for_where_lower_is_better() -> None:
    speaks = {key for key, text in MESSAGES.items() if re.search(r"scored .*SD (higher|lower|%\(direction\)s)", text)}
    assert speaks
    assert speaks <= set(wording.LOWER_IS_BETTER)


def test_the_command_gives_the_same_figures_from_the_files(riverbend: Riverbend, tmp_path: Path) -> None:
    found = page(riverbend, "omar", "study_files")
    assert found.status_code == 200
    with zipfile.ZipFile(io.BytesIO(found.content)) as archive:
        archive.extractall(tmp_path)
    ran = telling.told(running.run(tmp_path / "STUDY.toml"))
    kept = Estimate.objects.get(activity=riverbend.activities[2]).result["answer"]
    for name in ("sd", "se", "low", "high", "p"):
        assert ran["effect"][name] == pytest.approx(kept["effect"][name], rel=1e-9), name
    for part in ("value", "low", "high"):
        assert ran["efficiency"]["sd_per_10_hours"][part] == pytest.approx(kept["efficiency"]["sd_per_10_hours"][part])
    assert kept["cost"]["known"]
    for name in (
        "total_usd_cents",
        "per_teacher_usd_cents",
        "per_student_usd_cents",
        "marginal_teacher_usd_cents",
        "price_year",
    ):
        assert ran["cost"][name] == kept["cost"][name], name
    assert ran["cost"]["by_payer"] == kept["cost"]["by_payer"]
    for part in ("value", "low", "high"):
        assert ran["cost"]["sd_per_1000_usd"][part] == pytest.approx(kept["cost"]["sd_per_1000_usd"][part])
    for name in ("prediction_low", "prediction_high", "probability_positive"):
        assert ran["replicability"][name] == pytest.approx(kept["replicability"][name], rel=1e-6), name
    assert ran["n"]["teachers"] == kept["n"]["teachers"]


def test_the_files_hold_no_result_of_a_student_and_no_key(riverbend: Riverbend) -> None:
    with zipfile.ZipFile(io.BytesIO(page(riverbend, "omar", "study_files").content)) as archive:
        rows = list(csv.DictReader(io.StringIO(archive.read("outcomes.csv").decode())))
        everything = b"".join(archive.read(name) for name in archive.namelist()).decode()
    assert len(rows) == riverbend.world.scores.size
    keys = [str(key) for key in Person.objects.values_list("key", flat=True)]
    keys += [str(school.key) for school in riverbend.district.schools]
    assert not [key for key in keys if key in everything]
    assert len({(row["teacher"], row["term"], row["score"]) for row in rows}) <= 3 * len(
        {(row["teacher"], row["term"]) for row in rows}
    )


@pytest.mark.parametrize("name", ["grace", "researcher", "stranger", "amara"])
def test_the_files_are_for_those_who_keep_the_records_of_all(riverbend: Riverbend, name: str) -> None:
    assert page(riverbend, name, "study_files").status_code == 404
