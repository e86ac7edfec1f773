"""A teacher's own growth: goals, where she stands, what might help. Hers alone."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client

from staffroom.frameworks.actions import import_csv, publish
from staffroom.frameworks.models import Element
from staffroom.knowing.impact import rules
from staffroom.knowing.impact.actions import growth as deeds
from staffroom.knowing.impact.models import Estimate, Goal, Standing
from staffroom.knowing.impact.queries import growth as queries
from staffroom.people.models import Person, Term
from staffroom.permissions.actions import erase
from staffroom.records import actions as records
from staffroom.records.models import Activity, Instrument
from tests.cast import Cast

pytestmark = pytest.mark.django_db
ROWS = "identifier,parent,code,title,statement,kind\n" + "".join(
    f"{letter},,{letter},Practice {letter},Says {letter},practice\n" for letter in "abcdefg"
)


@pytest.fixture
def practices(cast: Cast) -> list[Element]:
    version = import_csv(by=cast.omar, organization=cast.district, text=ROWS, title="Riverbend basics")
    publish(by=cast.omar, version=version)
    return list(version.elements.order_by("ordinal", "pk"))


@pytest.fixture
def course(cast: Cast, practices: list[Element]) -> Activity:
    made = records.make_activity(by=cast.denise, organization=cast.district, name="Exit tickets", kind="course")
    deeds.set_aims(by=cast.denise, activity=made, elements=practices[:1])
    return made


def test_the_weakest_goal_is_the_one_she_stands_lowest_in(cast: Cast, practices: list[Element]) -> None:
    for element, levels in zip(practices, ((3, 4), (4, 2), (3,)), strict=False):
        deeds.declare_goal(by=cast.amara, element=element)
        for level in levels:
            deeds.note_standing(by=cast.amara, person=cast.amara, element=element, level=level)
    places = queries.standings_of(cast.amara)
    assert [each.element for each in places] == [practices[1], practices[2], practices[0]], "by the latest word"
    weakest = queries.weakest_goal(places)
    assert weakest is not None
    assert weakest.element == practices[1]


def test_a_coach_sees_only_goals_shown_to_him_and_nothing_of_her_own_word(
    cast: Cast, practices: list[Element], client: Client
) -> None:
    shown, hidden = (deeds.declare_goal(by=cast.amara, element=each, why="Secretwish") for each in practices[:2])
    deeds.note_standing(by=cast.amara, person=cast.amara, element=practices[0], level=1)
    deeds.let_coach_see(by=cast.amara, goal=shown, coach=cast.priya)
    client.force_login(cast.priya)
    page = client.get("/growth/coaching/").content.decode()
    assert "Practice a" in page
    assert "Practice b" not in page
    assert "Secretwish" not in page
    assert "You last said" not in page, "her own word is not shown to the coach"
    assert client.post(f"/growth/goals/{hidden.key}/standing/", {"level": 2}).status_code == 404
    assert client.post(f"/growth/goals/{shown.key}/standing/", {"level": 4}).status_code == 302
    said = Standing.objects.get(by=cast.priya)
    assert (said.person, said.level, said.is_own) == (cast.amara, 4, False)
    deeds.let_coach_see(by=cast.amara, goal=shown, coach=None)
    assert client.post(f"/growth/goals/{shown.key}/standing/", {"level": 1}).status_code == 404


def test_nobody_else_says_where_she_stands(cast: Cast, practices: list[Element]) -> None:
    goal = deeds.declare_goal(by=cast.amara, element=practices[0])
    for stranger in (cast.priya, cast.tom, cast.grace, cast.denise, cast.omar, cast.ruth, cast.vera):
        assert not rules.may_note_standing(stranger, cast.amara, practices[0])
        with pytest.raises(PermissionDenied):
            deeds.note_standing(by=stranger, person=cast.amara, element=practices[0], level=1)
    with pytest.raises(PermissionDenied):
        deeds.let_coach_see(by=cast.amara, goal=goal, coach=cast.grace)
    with pytest.raises(PermissionDenied):
        deeds.end_goal(by=cast.priya, goal=goal)


def test_five_goals_at_a_time_and_the_same_one_only_once(cast: Cast, practices: list[Element]) -> None:
    goals = [deeds.declare_goal(by=cast.amara, element=each) for each in practices[:5]]
    assert deeds.declare_goal(by=cast.amara, element=practices[0]) == goals[0]
    with pytest.raises(ValidationError, match="Five goals"):
        deeds.declare_goal(by=cast.amara, element=practices[5])
    deeds.end_goal(by=cast.amara, goal=goals[1])
    deeds.declare_goal(by=cast.amara, element=practices[5])
    assert Goal.objects.filter(person=cast.amara, ended_at=None).count() == 5


def line(school: str, sd: float) -> dict[str, Any]:
    shrunken = {"sd": sd, "low": sd - 0.05, "high": sd + 0.05}
    return {"group": school, "shrunken": shrunken, "n": {"teachers": 9}, "hidden": False}


ANSWER: dict[str, Any] = {
    "effect": {"sd": 0.2, "low": 0.1, "high": 0.3}, "n": {"treated_teachers": 120}, "tier": 3, "sentence": [],
    "replicability": {"known": True, "pooled": {"sd": 0.15}, "prediction_low": -0.1, "prediction_high": 0.4,
                      "by_site": [line("here", 0.31), {**line("there", 0.1), "hidden": True}]},
}  # fmt: skip


def test_what_she_may_expect_is_told_from_the_nearest_evidence() -> None:
    assert queries.benefit(ANSWER, "here") == ("school", {"sd": 0.31, "low": 0.26, "high": 0.36}, 9)
    basis, effect, teachers = queries.benefit(ANSWER, "there")
    assert (basis, teachers) == ("new_school", 120), "what is hidden of her school is not used for her either"
    assert effect == {"sd": 0.15, "low": -0.1, "high": 0.4}
    unknown = {**ANSWER, "replicability": {"known": False}}
    assert queries.benefit(unknown, "here")[0] == "all"
    assert queries.benefit({**unknown, "effect": {"sd": 0.2, "low": None, "high": None}}, "here") == ("", None, None)
    assert queries.benefit({}, "here") == ("", None, None)


def test_her_page_shows_activities_for_her_weakest_goal_with_interval_and_basis(
    cast: Cast, practices: list[Element], course: Activity, client: Client
) -> None:
    deeds.declare_goal(by=cast.amara, element=practices[0])
    test = records.make_instrument(by=cast.denise, organization=cast.district, name="Check", kind="test")
    answer = {**ANSWER, "replicability": {**ANSWER["replicability"], "by_site": [line(str(cast.alder.key), 0.31)]}}
    Estimate.objects.create(
        organization=cast.district, activity=course, instrument=test, input_sha256="x", result={"answer": answer}
    )
    client.force_login(cast.amara)
    page = client.get("/growth/").content.decode()
    assert "Exit tickets" in page
    assert "+0.31 SD" in page
    assert "9 teachers of your school" in page
    deeds.set_aims(by=cast.denise, activity=course, elements=practices[1:2])
    assert "Exit tickets" not in client.get("/growth/").content.decode()


def results(cast: Cast, test: Instrument, teacher: Any, term: Term, values: list[float]) -> None:
    students = [Person.objects.create(given_name="S", family_name=str(number)) for number in range(len(values))]
    found = [
        records.Result(subject="student", term_id=term.pk, value=value, person_id=each.pk, teacher_id=teacher.pk)
        for each, value in zip(students, values, strict=True)
    ]
    records.record_outcomes(by=None, instrument=test, results=found, are_new=True)


def test_her_students_stand_beside_the_district_only_where_ten_results_and_five_teachers_are(
    cast: Cast, practices: list[Element]
) -> None:
    test = records.make_instrument(by=cast.denise, organization=cast.district, name="Check", kind="test")
    term = Term.objects.create(
        organization=cast.district, name="Old", begins_on=date(2024, 8, 20), ends_on=date(2025, 1, 15), school_year=2025
    )
    results(cast, test, cast.amara, term, [60.0 + each for each in range(10)])
    for teacher in (cast.tom, cast.ben, cast.priya):
        results(cast, test, teacher, term, [50.0 + each for each in range(10)])
    assert queries.class_means_of(cast.amara) == [], "four teachers would tell too much of the other three"
    results(cast, test, cast.grace, term, [50.0 + each for each in range(10)])
    results(cast, test, cast.ben, cast.term, [50.0] * 9)
    cache.clear()
    ((instrument, (mean,)),) = queries.class_means_of(cast.amara)
    # Hers lie 8 above the mean of all 50 (64.5 against 56.5), whose SD is sqrt(8.25 + 16); nine of Ben's show nothing.
    assert (instrument, mean.results) == (test, 10)
    assert mean.sd == pytest.approx(8 / 24.25**0.5)
    assert mean.low < mean.sd < mean.high
    assert [each for _test, terms in queries.class_means_of(cast.ben) for each in terms if each.results < 10] == []


def test_erasing_her_takes_what_she_said_and_what_was_said_of_her(cast: Cast, practices: list[Element]) -> None:
    goal = deeds.declare_goal(by=cast.amara, element=practices[0])
    deeds.let_coach_see(by=cast.amara, goal=goal, coach=cast.priya)
    deeds.note_standing(by=cast.priya, person=cast.amara, element=practices[0], level=2)
    erase(by=cast.amara, person=cast.amara)
    assert not Goal.objects.filter(person=cast.amara).exists()
    assert not Standing.objects.filter(person=cast.amara).exists()


def test_when_the_coach_is_erased_what_he_said_stays_hers_without_his_name(
    cast: Cast, practices: list[Element]
) -> None:
    goal = deeds.declare_goal(by=cast.amara, element=practices[0])
    deeds.let_coach_see(by=cast.amara, goal=goal, coach=cast.priya)
    deeds.note_standing(by=cast.priya, person=cast.amara, element=practices[0], level=2)
    erase(by=cast.priya, person=cast.priya)
    said = Standing.objects.get(person=cast.amara)
    assert (said.by, said.level) == (None, 2)


def test_time_between_words_is_drawn_and_listed(cast: Cast, practices: list[Element], client: Client) -> None:
    deeds.declare_goal(by=cast.amara, element=practices[0])
    for level, days in ((1, 20), (3, 1)):
        said = deeds.note_standing(by=cast.amara, person=cast.amara, element=practices[0], level=level)
        Standing.objects.filter(pk=said.pk).update(noted_at=said.noted_at - timedelta(days=days))
    client.force_login(cast.amara)
    page = client.get("/growth/").content.decode()
    assert "<svg" in page
    rows = b"".join(client.get("/growth/?format=csv")).decode()
    assert rows.count("Practice a") == 2
