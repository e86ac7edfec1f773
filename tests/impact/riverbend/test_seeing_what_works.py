"""Pages of what works: for whom they are there, and that page, file and API say the same numbers as the ledgers."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from staffroom.jobs.models import Job
from staffroom.knowing.impact import rules
from staffroom.knowing.impact.models import Estimate, Tally
from staffroom.knowing.impact.wording import dollars, signed
from staffroom.people.models import Membership, Organization, Role
from staffroom.records.actions import make_activity
from staffroom.records.models import Activity, Statement
from tests.impact.riverbend.conftest import Riverbend

pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("impact")]
SEES = ("denise", "omar", "grace", "researcher")
SEES_NOT = ("amara", "priya", "ruth", "student")
DOORS = ("activity", "activity_progress", "csv", "json", "entries", "ingredients")


def signed_in(riverbend: Riverbend, name: str) -> Client:
    client = Client()
    client.force_login(riverbend.someone(name), backend="staffroom.people.sessions.Accounts")
    return client


def text_of(response: Any) -> str:
    return b"".join(response.streaming_content if response.streaming else [response.content]).decode()


def doors(activity: Activity) -> list[str]:
    pages = [reverse(f"impact:{name}", args=[activity.slug]) for name in DOORS]
    return [*pages, f"/api/what-works/{activity.slug}"]


@pytest.mark.parametrize("name", SEES)
def test_leaders_administrators_and_researchers_see_it(riverbend: Riverbend, name: str) -> None:
    client = signed_in(riverbend, name)
    assert client.get(reverse("impact:activities")).status_code == 200
    for door in doors(riverbend.activities[0]):
        may = not door.endswith("ingredients/") or name in ("denise", "omar")
        assert client.get(door).status_code == (200 if may else 404), door


@pytest.mark.parametrize("name", SEES_NOT)
def test_for_everybody_else_it_is_not_there(riverbend: Riverbend, name: str) -> None:
    client = signed_in(riverbend, name)
    for door in (
        reverse("impact:activities"),
        reverse("impact:progress"),
        "/api/what-works/",
        *doors(riverbend.activities[0]),
    ):
        assert client.get(door).status_code == 404, door
    assert "What works" not in text_of(client.get("/"))


def test_another_district_sees_nothing_of_it(riverbend: Riverbend) -> None:
    client = signed_in(riverbend, "stranger")
    page = client.get(reverse("impact:activities"))
    assert page.status_code == 200
    assert "Number talks" not in text_of(page)
    assert client.get("/api/what-works/").json() == []
    for door in doors(riverbend.activities[0]):
        assert client.get(door).status_code == 404, door


def test_who_may_see_one_may_see_it_among_many(riverbend: Riverbend) -> None:
    """The two readings of the rule agree, for every role at every kind of place."""
    state = riverbend.district.organization.parent
    assert state is not None
    school, other = riverbend.district.schools[0], riverbend.district.schools[1]
    team = Organization.objects.create(kind="team", name="Grade 5", slug="grade-5", parent=school)
    places = [state, riverbend.district.organization, school, other, team]
    many = [make_activity(by=None, organization=place, name="Lesson study", kind="team") for place in places]
    person = riverbend.someone("student")
    for place in places:
        for role in Role:
            Membership.objects.filter(person=person).delete()
            Membership.objects.create(person=person, organization=place, role=role)
            seen = set(Activity.objects.filter(rules.what_works_seeable_by(person)))
            assert seen & set(many) == {each for each in many if rules.may_see_what_works(person, each)}
            assert rules.has_what_works(person) == bool(seen & set(many))


def test_the_page_says_what_was_computed(riverbend: Riverbend) -> None:
    activity = riverbend.activities[0]
    page = text_of(signed_in(riverbend, "denise").get(reverse("impact:activity", args=[activity.slug])))
    said, answer = Tally.objects.get(activity=activity).result, Estimate.objects.get(activity=activity).result["answer"]
    for figure in (
        f"{said['teachers']:,}", dollars(said["costs"]["net"]), dollars(said["costs"]["per_teacher"]),
        signed(answer["effect"]["sd"]), signed(answer["effect"]["low"]), signed(answer["effect"]["high"]),
        f"{answer['n']['results']:,} results",
    ):  # fmt: skip
        assert figure in page, figure


def test_file_and_api_say_the_same_as_the_page(riverbend: Riverbend) -> None:
    activity, client = riverbend.activities[2], signed_in(riverbend, "denise")
    kept = client.get(reverse("impact:json", args=[activity.slug])).json()
    assert client.get(f"/api/what-works/{activity.slug}").json() == kept
    rows = list(
        csv.DictReader(io.StringIO(text_of(client.get(reverse("impact:csv", args=[activity.slug]))).lstrip("\ufeff")))
    )
    by_name = {(row["part"], row["what"]): row for row in rows}
    effect = kept["answer"]["effect"]
    headline = by_name["effect", "effect"]
    assert [float(headline[name]) for name in ("value", "low", "high")] == [
        effect[name] for name in ("sd", "low", "high")
    ]
    assert int(by_name["cost", "net (US cents)"]["value"]) == kept["tally"]["costs"]["net"]
    assert int(by_name["participation", "teachers"]["value"]) == kept["tally"]["teachers"]
    page = text_of(client.get(reverse("impact:activity", args=[activity.slug])))
    assert by_name["effect", "headline"]["value"].split(":")[0] in page


def test_entries_show_dates_minutes_and_kinds_alone(riverbend: Riverbend) -> None:
    activity, teacher = riverbend.activities[0], Statement.objects.filter(role="teacher").latest("happened_at").actor
    address = reverse("impact:entries", args=[activity.slug])
    page = text_of(signed_in(riverbend, "denise").get(address))
    assert teacher is not None
    assert teacher.family_name not in page
    assert "90" in page
    lines = text_of(signed_in(riverbend, "denise").get(address, {"format": "csv"})).splitlines()
    assert len(lines) == Statement.objects.live().filter(activity=activity).count() + 1


def test_a_school_leader_sees_entries_of_her_school_alone(riverbend: Riverbend) -> None:
    activity, school = riverbend.activities[0], riverbend.district.schools[0]
    lines = text_of(
        signed_in(riverbend, "grace").get(reverse("impact:entries", args=[activity.slug]), {"format": "csv"})
    ).splitlines()
    assert len(lines) - 1 == Statement.objects.live().filter(activity=activity, organization=school).count()


def test_pages_of_rows_leave_nothing_out(riverbend: Riverbend) -> None:
    client, address, seen = (
        signed_in(riverbend, "denise"),
        reverse("impact:ingredients", args=[riverbend.activities[1].slug]),
        0,
    )
    while address:
        found = client.get(address)
        seen += len(found.context["rows"])
        address = found.context["older_url"]
    assert seen == riverbend.activities[1].costs.live().count()


def test_an_old_answer_is_shown_while_a_new_one_is_computed(riverbend: Riverbend) -> None:
    activity, client = riverbend.activities[0], signed_in(riverbend, "denise")
    long_ago = timezone.now() - timedelta(days=1)
    Tally.objects.filter(activity=activity).update(computed_at=long_ago)
    address = reverse("impact:activity", args=[activity.slug])
    for _again in range(2):
        page = text_of(client.get(address))
        assert "Being computed" in page
        assert signed(Estimate.objects.get(activity=activity).result["answer"]["effect"]["sd"]) in page
    assert Job.objects.filter(kind="knowing.impact.compute").count() == 1


def test_what_was_never_computed_is_begun_by_looking(riverbend: Riverbend) -> None:
    activity = make_activity(by=None, organization=riverbend.district.organization, name="Lesson study", kind="team")
    client = signed_in(riverbend, "denise")
    assert "Being computed" in text_of(client.get(reverse("impact:activities")))
    assert "Being computed" in text_of(client.get(reverse("impact:activity", args=[activity.slug])))


def test_two_activities_of_one_name_are_told_apart(riverbend: Riverbend) -> None:
    twin = riverbend.activities[0]
    school = riverbend.district.schools[0]
    other = make_activity(by=None, organization=school, name=twin.name, kind="course")
    assert other.slug == twin.slug
    client = signed_in(riverbend, "denise")
    named = client.get(reverse("impact:activity", args=[twin.slug]), {"at": school.slug})
    assert named.context["activity"] == other
    assert f"?at={school.slug}" in text_of(client.get(reverse("impact:activities")))


def test_an_instrument_that_is_not_there_is_not_found(riverbend: Riverbend) -> None:
    address = reverse("impact:activity", args=[riverbend.activities[0].slug])
    client = signed_in(riverbend, "denise")
    assert client.get(address, {"instrument": "no-such-test"}).status_code == 404
    assert client.get(address, {"instrument": riverbend.test.slug}).status_code == 200
    assert client.get(address, {"before": "x" * 50, "at": "nowhere"}).status_code == 404


def test_thirty_activities_cost_as_many_queries_as_three(riverbend: Riverbend) -> None:
    address = reverse("impact:activities")

    def queries() -> int:
        client = signed_in(riverbend, "denise")
        client.get(address)
        with CaptureQueriesContext(
            connection,
        ) as counted:
            assert client.get(address).status_code == 200
        return len(counted)

    few = queries()
    tally, estimate = Tally.objects.first(), Estimate.objects.first()
    assert tally is not None
    assert estimate is not None
    for number in range(27):
        activity = make_activity(
            by=None, organization=riverbend.district.organization, name=f"Study {number}", kind="team"
        )
        Tally.objects.create(activity=activity, input_sha256="", result=tally.result)
        Estimate.objects.create(organization=estimate.organization, activity=activity, instrument=riverbend.test,
                                input_sha256="", summary=estimate.summary, result=estimate.result)  # fmt: skip
    assert queries() == few <= 12
    client = signed_in(riverbend, "denise")
    client.get(reverse("impact:activity", args=[riverbend.activities[0].slug]))
    with CaptureQueriesContext(connection) as counted:
        client.get(reverse("impact:activity", args=[riverbend.activities[0].slug]))
    assert len(counted) <= 12, json.dumps([each["sql"][:90] for each in counted.captured_queries], indent=1)
