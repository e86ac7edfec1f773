"""From a form to the page: studies on an organization's own ledgers take every road of the tree, and their files give the same figures."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from staffroom.jobs.actions import run_waiting
from staffroom.knowing.impact import actions
from staffroom.knowing.impact.models import Study, StudyAnswer
from staffroom.knowing.studies import running, telling
from staffroom.people.models import Membership, Organization, Person, Role, Term
from staffroom.records import lake
from staffroom.records.actions import Result, make_activity, make_instrument, record_outcomes
from staffroom.records.actions.statements import Deed, record_statements
from staffroom.records.models import Activity, Instrument
from staffroom.records.vocabulary import verbs
from tests.cast import Cast

pytestmark = pytest.mark.django_db
SCHOOLS, TEACHERS, STUDENTS = 24, 96, 4
CUTOFF = 200.0
MOST = 12
"""Queries of a page about a study."""


class District:
    """Teachers of many schools with students' results of two terms, and who took part in which of three activities."""

    def __init__(self, cast: Cast) -> None:
        self.cast, self.generator = cast, np.random.default_rng(21)
        self.terms = [
            Term.objects.create(organization=cast.district, name=name, begins_on=begins, ends_on=ends, school_year=2026)
            for name, begins, ends in (
                ("Fall 2025", date(2025, 8, 20), date(2025, 12, 20)), ("Spring 2026", date(2026, 1, 12), date(2026, 6, 12)),
            )
        ]  # fmt: skip
        self.schools = [
            Organization.objects.create(
                name=f"School {number}", kind="school", parent=cast.district, slug=f"school-{number}"
            )
            for number in range(SCHOOLS)
        ]
        self.teachers, self.students = _people("T", TEACHERS), _people("S", TEACHERS * STUDENTS)
        Membership.objects.bulk_create(
            Membership(person=each, organization=self.school_of(number), role=Role.TEACHER)
            for number, each in enumerate(self.teachers)
        )
        self.test = make_instrument(by=cast.denise, organization=cast.district, name="District math", kind="test")
        self.level = self.generator.normal(CUTOFF, 12, TEACHERS)
        self.means = np.zeros(TEACHERS)
        for number, term in enumerate(self.terms):
            record_outcomes(by=None, instrument=self.test, results=self._results(number, term), are_new=True)

    def school_of(self, teacher: int) -> Organization:
        return self.schools[teacher * SCHOOLS // TEACHERS]

    def _results(self, number: int, term: Term) -> Iterator[Result]:
        for who, teacher in enumerate(self.teachers):
            scores = self.generator.normal(self.level[who] + 4 * number, 10, STUDENTS).round(1)
            if not number:
                self.means[who] = scores.mean()
            for place, score in enumerate(scores.tolist()):
                yield Result(subject="student", term_id=term.pk, value=score, person_id=self.students[who * STUDENTS + place].pk,
                             teacher_id=teacher.pk, school_id=self.school_of(who).pk)  # fmt: skip

    def activity(self, name: str, hours: dict[int, tuple[int, int]]) -> Activity:
        """Taken part in by these teachers for so many hours in both terms."""
        made = make_activity(by=self.cast.denise, organization=self.cast.district, name=name, kind="coaching")
        days = (datetime(2025, 9, 10, 14, tzinfo=UTC), datetime(2026, 2, 10, 14, tzinfo=UTC))
        record_statements(
            Deed(by=self.teachers[who], verb=verbs.ATTENDED, object=made, activity=made, duration_s=3600 * given, happened_at=day,
                 role="teacher", organization=self.school_of(who))
            for who, two in hours.items() for day, given in zip(days, two, strict=True) if given
        )  # fmt: skip
        return made

    def study(self, activity: Activity, instrument: Instrument, **more: Any) -> Study:
        made = actions.start_study(
            by=self.cast.denise, organization=self.cast.district, activities=[activity], name=f"Does {activity.name} work?",
            decision="Go on or stop.", instrument=instrument, **{"outcomes_from": self.terms[1].begins_on,
            "outcomes_until": self.terms[1].ends_on, **more},
        )  # fmt: skip
        actions.register_study(by=self.cast.denise, study=made)
        return made


def _people(name: str, count: int) -> list[Person]:
    return Person.objects.bulk_create(Person(given_name=name, family_name=str(number)) for number in range(count))


@pytest.fixture
def district(cast: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> District:
    monkeypatch.setattr(lake, "folder", lambda: tmp_path / "lake")
    return District(cast)


def by_scores_before(district: District) -> Study:
    half = district.activity("Coaching", dict.fromkeys(range(0, TEACHERS, 2), (0, 6)))
    return district.study(half, district.test)


def by_cutoff(district: District) -> Study:
    below = district.activity("Tutoring", {who: (0, 5) for who in range(TEACHERS) if district.means[who] < CUTOFF})
    return district.study(
        below, district.test, rule="students", rule_instrument=district.test, cutoff=CUTOFF, offered="below"
    )


def by_hours(district: District) -> Study:
    everybody = district.activity("Course", {who: (2, 2 + who % 7) for who in range(TEACHERS)})
    return district.study(everybody, district.test, outcomes_from=district.terms[0].begins_on)


ROADS = {by_scores_before: "entropy_balanced", by_cutoff: "cutoff", by_hours: "dose"}


def test_every_road_of_the_tree_is_open_to_studies_and_the_command_gives_their_figures(
    district: District, tmp_path: Path
) -> None:
    made = {road: road(district) for road in ROADS}
    run_waiting()
    keeper = signed_in(district.cast.omar)
    for road, study in made.items():
        kept = StudyAnswer.objects.get(version__study=study).result["answer"]
        assert kept["estimator"] == ROADS[road], kept["decision"]
        assert kept["effect"]["low"] < kept["effect"]["sd"] < kept["effect"]["high"]
        page = keeper.get(reverse("studies:result", args=[study.slug])).content.decode()
        assert "The study as files" in page
        _same_from_files(keeper, study, kept, tmp_path / ROADS[road])
    page = keeper.get(reverse("studies:result", args=[made[by_cutoff].slug])).content.decode()
    assert "On both sides of the cutoff" in page
    assert "Everybody did as the rule says." in page
    picture = keeper.get(reverse("studies:picture", args=[made[by_cutoff].slug, "cutoff", "svg"]))
    assert picture.status_code == 200
    assert "Alike before" in keeper.get(reverse("studies:result", args=[made[by_scores_before].slug])).content.decode()
    assert (
        "More hours, fewer hours" in keeper.get(reverse("studies:result", args=[made[by_hours].slug])).content.decode()
    )
    _who_may_take_the_files(district, made[by_cutoff])
    _few_queries(district.cast, made[by_cutoff])


def _same_from_files(keeper: Client, study: Study, kept: dict[str, Any], folder: Path) -> None:
    content = keeper.get(reverse("studies:files", args=[study.slug]))
    with zipfile.ZipFile(io.BytesIO(content.content)) as archive:
        archive.extractall(folder)
    ran = telling.told(running.run(folder / "STUDY.toml"))
    assert ran["estimator"] == kept["estimator"]
    for name in ("raw", "sd", "se", "low", "high", "p"):
        assert ran["effect"][name] == pytest.approx(kept["effect"][name], rel=1e-6), name
    assert json.loads((folder / "answer.json").read_text())["effect"] == kept["effect"]
    assert json.loads((folder / "protocol.json").read_text())["question"] == study.name


def _who_may_take_the_files(district: District, study: Study) -> None:
    for name in ("grace", "rafael", "vera", "amara", "priya", "ruth"):
        assert (
            signed_in(getattr(district.cast, name)).get(reverse("studies:files", args=[study.slug])).status_code == 404
        ), name


def _few_queries(cast: Cast, study: Study) -> None:
    client = signed_in(cast.denise)
    for address in ("studies:study", "studies:result", "studies:change"):
        with CaptureQueriesContext(connection) as found:
            assert client.get(reverse(address, args=[study.slug])).status_code == 200
        assert len(found) <= MOST, (address, [each["sql"] for each in found.captured_queries])


def signed_in(person: Person) -> Client:
    client = Client()
    client.force_login(person)
    return client
