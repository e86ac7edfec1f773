"""Did practice change? What the page says of ratings, for whom it is there, and that nobody learns one teacher's rating."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.urls import reverse

from staffroom.home.demo.world import NEVER
from staffroom.knowing.frames.ratings import ratings
from staffroom.knowing.impact import actions
from staffroom.knowing.impact.models import Estimate
from staffroom.knowing.impact.queries.practice import practice_instruments, practice_measures
from staffroom.people.models import Term
from staffroom.records import lake
from staffroom.records.actions.outcomes import Result, make_instrument, record_outcomes
from staffroom.records.models import Instrument, Outcome
from tests.impact.riverbend.conftest import Riverbend
from tests.impact.riverbend.test_seeing_what_works import signed_in, text_of

pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("impact")]
DOORS = ("activity", "csv", "json", "report", "more")


def page_of(riverbend: Riverbend, name: str, door: str = "activity") -> Any:
    return signed_in(riverbend, name).get(reverse(f"impact:{door}", args=[riverbend.activities[0].slug]))


def kept(riverbend: Riverbend, number: int = 0) -> dict[str, Any]:
    found = Estimate.objects.get(activity=riverbend.activities[number], instrument=riverbend.test)
    (measure,) = found.result["answer"]["mechanism"]
    return dict(measure)


def rubric_of(riverbend: Riverbend) -> Instrument:
    return Instrument.objects.get(organization=riverbend.district.organization, kind="rubric")


def test_a_leader_reads_the_sentence_first_then_figures_with_interval_number_and_tier(riverbend: Riverbend) -> None:
    text = text_of(page_of(riverbend, "denise"))
    section = text[text.index('id="practice"') : text.index('id="changes"')]
    assert "Did practice change?" in section
    assert section.index("Observers saw practice change") < section.index("SD of ratings")
    for words in ("likely", "rated teachers who took part", "evidence", "Classroom visits: questions and talk"):
        assert words in section, words
    assert "because" not in section


def test_the_engine_finds_what_the_generator_hid(riverbend: Riverbend) -> None:
    coaching, workshop = kept(riverbend, 0)["effect"], kept(riverbend, 1)["effect"]
    assert coaching["low"] > 0
    assert workshop["low"] < 0 < workshop["high"]


def test_file_api_report_and_page_say_the_same(riverbend: Riverbend) -> None:
    effect = kept(riverbend)["effect"]
    told = json.loads(text_of(page_of(riverbend, "denise", "json")))["answer"]["mechanism"][0]
    assert told["effect"] == effect
    api = signed_in(riverbend, "denise").get(f"/api/what-works/{riverbend.activities[0].slug}").json()
    assert api["answer"]["mechanism"][0]["effect"] == effect
    assert f",{effect['sd']},{effect['low']},{effect['high']}," in text_of(page_of(riverbend, "denise", "csv"))
    assert "Did practice change?" in text_of(page_of(riverbend, "denise", "report"))


@pytest.mark.parametrize("name", ["amara", "priya", "student", "stranger"])
def test_for_teachers_coaches_students_and_strangers_it_is_not_there(riverbend: Riverbend, name: str) -> None:
    assert [page_of(riverbend, name, door).status_code for door in DOORS] == [404] * len(DOORS)


def test_no_number_about_fewer_than_five_teachers_is_kept_or_told(riverbend: Riverbend) -> None:
    """60 teachers in 12 schools: no school has five on both sides, so none is told by itself."""
    for number in range(3):
        for site in kept(riverbend, number)["sites"]:
            assert site["hidden"]
            assert set(site["practice"].values()) == {None}
            assert set(site["outcome"].values()) == {None}
            assert site["n"] == {}


def test_what_is_kept_has_two_digits_so_that_one_teacher_drowns_in_the_rounding(riverbend: Riverbend) -> None:
    def numbers(value: Any) -> Any:
        if isinstance(value, dict):
            yield from (each for part in value.values() for each in numbers(part))
        elif isinstance(value, list):
            yield from (each for part in value for each in numbers(part))
        elif isinstance(value, float):
            yield value

    for number in range(3):
        assert all(each == round(each, 2) for each in numbers(kept(riverbend, number)))


def test_no_rating_leaves_with_the_study_as_files(riverbend: Riverbend) -> None:
    content = page_of(riverbend, "denise", "study_files").content
    assert b"rating" not in content.split(b"answer.json")[0].lower()
    assert b"ratings.csv" not in content


def test_an_evaluating_rubric_is_never_asked(riverbend: Riverbend) -> None:
    before = list(practice_instruments(riverbend.district.organization))
    assert [each.name for each in before] == ["Classroom visits: questions and talk"]
    Instrument.objects.filter(pk=before[0].pk).update(is_evaluation=True)
    assert list(practice_instruments(riverbend.district.organization)) == []
    assert list(practice_measures(riverbend.district.organization)) == []


@pytest.mark.parametrize("kind", ["survey", "test"])
def test_surveys_and_tests_of_teachers_are_no_observations(riverbend: Riverbend, kind: str) -> None:
    Instrument.objects.filter(pk=rubric_of(riverbend).pk).update(kind=kind)
    assert list(practice_instruments(riverbend.district.organization)) == []


def test_ratings_of_another_district_do_not_come_in(riverbend: Riverbend) -> None:
    elsewhere = riverbend.stranger.memberships.get().organization
    assert list(practice_instruments(elsewhere)) == []
    assert ratings(elsewhere.path, str(rubric_of(riverbend).key)).num_rows == 0
    here = ratings(riverbend.district.organization.path, str(rubric_of(riverbend).key))
    assert here.num_rows == Outcome.objects.live().filter(subject="teacher").count()


def few(riverbend: Riverbend, count: int) -> None:
    """A rubric with which only so many teachers who took part were ever rated, beside all who did not."""
    rubric = make_instrument(
        by=None, organization=riverbend.district.organization, name="A rubric for few", kind="rubric"
    )
    first = riverbend.world.first_term[0]
    chosen = [
        n for n in range(riverbend.world.teachers) if first[n] == NEVER or n in [*(first > 1).nonzero()[0][:count]]
    ]
    results = [
        Result(subject="teacher", term_id=term.pk, value=float(2 + (n + place) % 3), person_id=riverbend.district.teachers[n].pk)
        for place, term in enumerate(Term.objects.filter(organization=riverbend.district.organization).order_by("begins_on")[:8])
        for n in chosen
    ]  # fmt: skip
    record_outcomes(by=None, instrument=rubric, results=results)
    lake.refresh()


@pytest.mark.slow
def test_a_rubric_with_four_rated_who_took_part_tells_nothing_but_that(riverbend: Riverbend) -> None:
    few(riverbend, 4)
    actions.compute(activity=riverbend.activities[0], instrument=riverbend.test)
    found = Estimate.objects.get(activity=riverbend.activities[0], instrument=riverbend.test)
    told = next(each for each in found.result["answer"]["mechanism"] if each["name"] == "A rubric for few")
    assert [each["message"] for each in told["sentence"]] == ["practice_hidden"]
    assert (set(told["effect"].values()), told["sites"], told["n"].get("results")) == ({None}, [], None)
    assert "Too few teachers were rated with “A rubric for few”" in text_of(page_of(riverbend, "denise"))


def test_without_ratings_the_page_teaches_how_to_get_them(riverbend: Riverbend) -> None:
    found = Estimate.objects.get(activity=riverbend.activities[0], instrument=riverbend.test)
    found.result["answer"]["mechanism"] = []
    found.save()
    text = text_of(page_of(riverbend, "denise"))
    assert "the ledgers hold no observation ratings" in text
    assert "does not evaluate staff" in text


def test_a_picture_of_hidden_schools_is_not_there(riverbend: Riverbend) -> None:
    address = reverse("impact:picture", args=[riverbend.activities[0].slug, "mechanism", "svg"])
    assert signed_in(riverbend, "denise").get(address).status_code == 404
