"""What "teachers like you" means on My growth, from whom it is known, and that nobody else ever sees that page or what is on it."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from staffroom.frameworks.actions import import_csv, publish
from staffroom.frameworks.models import Element
from staffroom.knowing.impact import actions, likeness
from staffroom.knowing.impact.actions import growth as deeds
from staffroom.knowing.impact.models import Estimate
from staffroom.knowing.impact.queries import growth as queries
from staffroom.knowing.impact.queries.likeness import grade_band, grade_bands_of, years_band
from staffroom.people.models import Course, Enrollment, Membership, Section
from staffroom.records.actions import make_activity, make_instrument
from staffroom.records.models import Activity
from tests.cast import Cast
from tests.impact.test_growing import ANSWER, ROWS

pytestmark = pytest.mark.django_db
MOST_QUESTIONS = 12


@pytest.fixture
def practices(cast: Cast) -> list[Element]:
    version = import_csv(by=cast.omar, organization=cast.district, text=ROWS, title="Riverbend basics")
    publish(by=cast.omar, version=version)
    return list(version.elements.order_by("ordinal", "pk"))


@pytest.fixture
def course(cast: Cast, practices: list[Element]) -> Activity:
    made = make_activity(by=cast.denise, organization=cast.district, name="Exit tickets", kind="course")
    deeds.set_aims(by=cast.denise, activity=made, elements=practices[:1])
    deeds.declare_goal(by=cast.amara, element=practices[0], why="Zebrawish")
    deeds.note_standing(by=cast.amara, person=cast.amara, element=practices[0], level=1)
    return made


@pytest.mark.parametrize(
    ("said", "band"),
    [("5", "3-5"), ("05", "3-5"), ("KG", "K-2"), ("03,04", "3-5"), ("2;3", "K-2"), ("8", "6-8"), ("12", "9-12"), ("", ""),
     ("Algebra", ""), ("²", ""), ("99", ""), ("PK", "K-2")],
)  # fmt: skip
def test_grades_are_read_as_rosters_write_them(said: str, band: str) -> None:
    assert grade_band(said) == band


def test_years_are_counted_from_the_first_day_here_and_not_guessed() -> None:
    day = date(2026, 9, 1)
    first = [date(2026, 9, 1), date(2023, 9, 1), date(2022, 9, 1), date(2010, 9, 1), None, date(2027, 1, 1)]
    assert [years_band(each, day) for each in first] == ["0-3", "0-3", "4-10", "11-", "", ""]


def teach(cast: Cast, name: str, *grades: str) -> None:
    person = getattr(cast, name)
    Enrollment.objects.filter(person=person, role="teacher").delete()
    for number, grade in enumerate(grades):
        made = Course.objects.create(organization=cast.district, title=f"Math {grade}", grade=grade)
        section = Section.objects.create(school=cast.alder, course=made, title=f"{name} {number}")
        Enrollment.objects.create(section=section, person=person, role="teacher")


def test_everybody_is_in_the_band_of_most_of_her_sections_and_as_long_here_as_when_she_began(cast: Cast) -> None:
    teach(cast, "amara", "5", "4", "6")
    teach(cast, "tom", "6", "5")
    Membership.objects.filter(person=cast.amara, role="teacher").update(begins_on=date(2012, 8, 20))
    pks = [cast.amara.pk, cast.tom.pk, cast.priya.pk]
    assert grade_bands_of(pks) == {cast.amara.pk: "3-5", cast.tom.pk: "3-5"}, "of two the lower"
    first_on = {str(cast.amara.key): date(2015, 9, 1), str(cast.tom.key): date(2015, 9, 1)}
    families = likeness.families_of(first_on)
    assert families["years here"][str(cast.amara.key)] == "0-3", "three years when she began, whatever it is today"
    assert families["grades taught"][str(cast.tom.key)] == "3-5"


def line(group: str, sd: float, half: float, teachers: int, *, hidden: bool = False) -> dict[str, Any]:
    effect = {"sd": sd, "se": half / 1.96, "low": sd - half, "high": sd + half}
    return {"group": group, "hidden": hidden, "effect": effect, "n": {"teachers": teachers}}


def test_groups_are_drawn_towards_the_whole_and_hidden_ones_are_left_out() -> None:
    lines = [
        line("grades taught: 3-5", 0.30, 0.08, 40), line("grades taught: 6-8", 0.00, 0.08, 35),
        line("grades taught: K-2", 0.90, 0.50, 3, hidden=True), line("years here: 0-3", 0.20, 0.06, 30),
        line("schools: Near", 0.5, 0.1, 30),
    ]  # fmt: skip
    found = likeness.by_group({"by_subgroup": lines})
    assert set(found["grades"]) == {"3-5", "6-8"}
    assert 0.15 < found["grades"]["3-5"]["sd"] < 0.30
    assert found["grades"]["3-5"]["teachers"] == 40
    assert found["years"]["0-3"]["sd"] == pytest.approx(0.20)
    assert set(found) == {"grades", "years"}


def test_what_she_may_expect_is_told_of_the_smaller_group_that_is_like_her() -> None:
    alike = [
        queries.Alike("grades", "3-5", {"sd": 0.2, "low": 0.1, "high": 0.3}, 40),
        queries.Alike("years", "0-3", {"sd": 0.1, "low": 0.0, "high": 0.2}, 12),
    ]
    assert queries.benefit(ANSWER, "here", alike)[0] == "school"
    assert queries.benefit(ANSWER, "nowhere", alike) == ("years", alike[1].effect, 12)
    assert queries.benefit(ANSWER, "nowhere", [])[0] == "new_school"


def test_her_page_says_in_words_what_like_her_means_and_how_sure_it_is(cast: Cast, course: Activity) -> None:
    teach(cast, "amara", "5")
    Membership.objects.filter(person=cast.amara, role="teacher").update(begins_on=None)
    test = make_instrument(by=cast.denise, organization=cast.district, name="Check", kind="test")
    kept = {"grades": {"3-5": {"sd": 0.12, "low": -0.02, "high": 0.26, "teachers": 21}}}
    made = Estimate.objects.create(
        organization=cast.district, activity=course, instrument=test, input_sha256="x",
        result={"answer": ANSWER, "likeness": kept},
    )  # fmt: skip
    page = read(cast.amara, "/growth/")
    assert "“Like you” means: Alder Elementary; grades 3 to 5." in page
    assert "does not tell since when you teach here" in page
    assert "+0.12 SD" in page
    assert "from 21 teachers of the grades that you teach" in page
    assert "It may also bring nothing to teachers like you" in page
    kept["grades"]["3-5"] |= {"low": 0.02}
    Estimate.objects.filter(pk=made.pk).update(result={"answer": ANSWER, "likeness": kept})
    assert "It most likely brings something to teachers like you." in read(cast.amara, "/growth/")


def test_an_activity_whose_seats_are_given_out_by_lot_can_be_asked_for_from_there(cast: Cast, course: Activity) -> None:
    today = timezone.localdate()
    wave = actions.Round(name="Now", seats=1, begins_on=today.replace(year=today.year + 1, day=1))
    lottery = actions.start_lottery(
        by=cast.denise, organization=cast.district, activity=course, name="Seats", waves=[wave]
    )
    assert lottery.get_absolute_url() not in read(cast.amara, "/growth/")
    actions.open_applications(by=cast.denise, lottery=lottery, until=today)
    assert lottery.get_absolute_url() in read(cast.amara, "/growth/")


def test_nobody_else_sees_her_goal_on_any_page_in_any_list_file_or_notice(cast: Cast, course: Activity) -> None:
    goal = cast.amara.goals.get()  # type: ignore[attr-defined]
    assert b"Zebrawish" in visitor(cast.amara).get("/growth/").content
    places = (
        "/", "/growth/", "/growth/?format=csv", "/growth/students/", "/growth/coaching/", f"/growth/goals/{goal.key}/", "/notices/",
        "/my-record/", f"/people/{cast.amara.key}/", "/records/", "/records/entries/", "/records/entries.csv", "/what-works/",
        "/what-works/?format=csv", "/what-works/exit-tickets/", f"/records/activities/{course.key}/", "/api/what-works/",
        "/api/records/entries", "/api/people/", "/search/?q=Zebrawish", "/search/?q=Practice",
    )  # fmt: skip
    for name, person in cast.people.items():
        client = visitor(person)
        for place in places if person != cast.amara else ():
            answer = client.get(place, follow=True)
            content = b"".join(answer) if answer.streaming else answer.content  # type: ignore[arg-type]
            assert b"Zebrawish" not in content, (name, place)
            if place != "/growth/" and not place.startswith("/what-works"):
                assert b"Practice a" not in content.replace(b"<option", b""), (name, place)
        if person != cast.amara:
            assert client.get(f"/growth/goals/{goal.key}/").status_code == 404, name


def test_her_page_asks_at_most_twelve_questions_however_many_activities_there_are(
    cast: Cast, course: Activity, practices: list[Element]
) -> None:
    test = make_instrument(by=cast.denise, organization=cast.district, name="Check", kind="test")

    def asked() -> int:
        client = visitor(cast.amara)
        client.get("/growth/")
        with CaptureQueriesContext(connection) as counted:
            client.get("/growth/")
        return len(counted)

    few = asked()
    for number in range(6):
        made = make_activity(by=cast.denise, organization=cast.district, name=f"Course {number}", kind="course")
        deeds.set_aims(by=cast.denise, activity=made, elements=practices[:1])
        Estimate.objects.create(
            organization=cast.district, activity=made, instrument=test, input_sha256="x", result={"answer": ANSWER}
        )
    assert asked() == few <= MOST_QUESTIONS


def read(person: Any, address: str) -> str:
    return visitor(person).get(address).content.decode()


def visitor(person: Any) -> Client:
    client = Client()
    client.force_login(person)
    return client
