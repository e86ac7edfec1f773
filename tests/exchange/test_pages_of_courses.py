"""The pages of courses elsewhere and of who is who: what administrators do there, and what others see of it."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from staffroom.exchange.actions import mappings
from staffroom.exchange.models import Agent, Credit, Mapping
from staffroom.jobs.actions import run_waiting
from staffroom.people.models import Person
from staffroom.records import actions
from staffroom.records.models import Activity, Statement
from tests.cast import Cast
from tests.exchange.knocking import COURSE, ToolAtTheDoor, account, statement

pytestmark = pytest.mark.django_db
TYPED = {"iri": COURSE, "hours": "told", "new_name": "Fractions online", "pause_minutes": "30", "least_minutes": "5"}


def signed_in(person: Person) -> Client:
    client = Client()
    client.force_login(person)
    return client


def lasting(minutes: int, actor: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    who = actor or {"mbox": "mailto:amara@riverbend.example"}
    told = {"timestamp": "2026-09-07T13:00:00Z", "result": {"duration": f"PT{minutes}M"}, **more}
    return statement(actor=who, **told)


@pytest.fixture
def counted(cast: Cast, tool: ToolAtTheDoor) -> Credit:
    activity = actions.make_activity(by=cast.denise, organization=cast.district, name="Fractions online", kind="course")
    mappings.make_mapping(by=cast.omar, tenant=cast.district, iri=COURSE, activity=activity)
    tool.post(lasting(40))
    run_waiting()
    return Credit.objects.get()


def test_what_came_lately_stands_with_its_name(cast: Cast, tool: ToolAtTheDoor) -> None:
    named = {"id": COURSE, "definition": {"name": {"en": "Fractions & more"}}}
    tool.post(lasting(40, object=named), lasting(5, account("a.okafor"), object=named))
    page = signed_in(cast.omar).get(reverse("exchange:mappings"))
    (course,) = page.context["courses"]
    assert (course.name, course.entries, len(course.people), len(course.unmatched)) == ("Fractions & more", 2, 1, 1)
    assert "Fractions &amp; more" in page.text
    form = signed_in(cast.omar).get(reverse("exchange:new-mapping"), {"iri": COURSE})
    assert form.context["form"]["new_name"].value() == "Fractions & more"


def test_looking_first_writes_nothing(cast: Cast, tool: ToolAtTheDoor) -> None:
    tool.post(lasting(40), lasting(5, account("a.okafor")))
    before = Statement.objects.count()
    page = signed_in(cast.omar).post(reverse("exchange:new-mapping"), {**TYPED, "preview": "yes"})
    found = page.context["preview"]
    assert (found.people, found.seconds, found.entries, found.unmatched) == (1, 2400, 2, 1)
    assert "Hours: 0.7. Entries: 2, people: 1, days: 1." in page.text
    assert not Mapping.objects.exists()
    assert not Activity.objects.filter(name="Fractions online").exists()
    assert Statement.objects.count() == before


@pytest.mark.parametrize(
    ("rule", "seconds"),
    [
        ({"hours": "told"}, 2400),
        ({"hours": "session", "most_minutes": "60"}, 300),
        ({"hours": "fixed", "minutes": "25", "verbs": ["http://adlnet.gov/expapi/verbs/completed"]}, 1500),
    ],
)
def test_what_was_foretold_comes_true(cast: Cast, tool: ToolAtTheDoor, rule: dict[str, Any], seconds: int) -> None:
    completed = {"verb": {"id": "http://adlnet.gov/expapi/verbs/completed"}}
    tool.post(lasting(40, **completed), lasting(40, timestamp="2026-09-08T13:00:00Z", result=None, **completed))
    client = signed_in(cast.omar)
    typed = {**TYPED, **rule}
    foretold = client.post(reverse("exchange:new-mapping"), {**typed, "preview": "yes"}).context["preview"]
    answer = client.post(reverse("exchange:new-mapping"), typed)
    mapping = Mapping.objects.get()
    assert answer.url == reverse("exchange:mapping", args=[mapping.pk])
    run_waiting()
    days = list(Credit.objects.values_list("seconds", flat=True))
    assert sum(days) == foretold.seconds
    assert len(days) == foretold.days
    assert seconds in days
    assert mapping.activity.name == "Fractions online"
    assert client.get(answer.url).status_code == 200


def test_nothing_typed_is_lost_when_a_number_is_missing(cast: Cast) -> None:
    client = signed_in(cast.omar)
    answer = client.post(reverse("exchange:new-mapping"), {**TYPED, "hours": "fixed"})
    assert answer.status_code == 422
    assert "Say how many minutes" in answer.text
    assert "Fractions online" in answer.text
    assert client.post(reverse("exchange:new-mapping"), {}).status_code == 422
    assert not Mapping.objects.exists()


def test_an_address_that_is_mapped_already_makes_no_activity(cast: Cast, counted: Credit) -> None:
    before = Activity.objects.count()
    answer = signed_in(cast.omar).post(reverse("exchange:new-mapping"), TYPED)
    assert answer.status_code == 422
    assert Activity.objects.count() == before


def test_a_mapping_is_changed_and_removed(cast: Cast, counted: Credit) -> None:
    client, mapping = signed_in(cast.ines), counted.mapping
    assert client.get(reverse("exchange:change-mapping", args=[mapping.pk])).status_code == 200
    changed = {**TYPED, "activity": mapping.activity_id, "most_minutes": "10"}
    assert client.post(reverse("exchange:change-mapping", args=[mapping.pk]), changed).status_code == 302
    run_waiting()
    assert Credit.objects.get().seconds == 600
    client.post(reverse("exchange:remove-mapping", args=[mapping.pk]))
    run_waiting()
    assert not Credit.objects.exists()
    assert client.get(reverse("exchange:mapping", args=[mapping.pk])).status_code == 404
    assert not Statement.objects.live().filter(activity=mapping.activity).exists()


def test_from_the_activity_to_the_entries_behind_an_hour(cast: Cast, counted: Credit) -> None:
    leader = signed_in(cast.grace)
    page = leader.get(reverse("records:activity", args=[counted.activity.key]))
    assert reverse("exchange:hours", args=[counted.activity.key]) in page.text
    part = leader.get(reverse("exchange:hours", args=[counted.activity.key]), headers={"HX-Request": "true"})
    assert reverse("exchange:credit", args=[counted.pk]) in part.text
    behind = leader.get(reverse("exchange:credit", args=[counted.pk]))
    (entry,) = behind.context["entries"]
    assert entry["minutes"] == 40
    assert COURSE not in behind.text
    own = signed_in(cast.amara).get(reverse("exchange:credit", args=[counted.pk]))
    assert COURSE in own.text


@pytest.mark.parametrize("name", ["tom", "ben", "priya", "ruth", "rafael", "vera", "leo"])
def test_others_do_not_see_somebodys_hours(cast: Cast, counted: Credit, name: str) -> None:
    client = signed_in(cast.people[name])
    assert client.get(reverse("exchange:credit", args=[counted.pk])).status_code == 404
    answer = client.get(reverse("exchange:hours", args=[counted.activity.key]))
    assert answer.status_code == 404 or "Okafor" not in answer.text


def test_an_administrator_says_who_it_is_and_takes_it_back(cast: Cast, tool: ToolAtTheDoor) -> None:
    (key,) = tool.post(lasting(40, {**account("x17"), "name": "Amara O."}))
    client = signed_in(cast.omar)
    assert "Amara O." in client.get(reverse("exchange:people")).text
    agent = Agent.objects.get()
    here = reverse("exchange:agent", args=[agent.pk])
    assert "Okafor" not in client.get(here, {"q": "Tom"}).text
    assert "Okafor" in client.get(here, {"q": "okaf"}).text
    assert "Kovac" not in client.get(here, {"q": "kovac"}).text.partition("id_person")[2]
    assert client.post(f"{here}?q=okaf", {"person": cast.amara.key}).status_code == 302
    run_waiting()
    assert Statement.objects.get(key=key).actor == cast.amara
    record = signed_in(cast.amara).get(reverse("home:my_record_kind", args=["exchange.agent"]))
    assert "x17" in record.text
    assert client.post(reverse("exchange:set-apart", args=[agent.pk])).status_code == 302
    run_waiting()
    assert Statement.objects.get(key=key).actor is None
    assert "Amara O." in client.get(reverse("exchange:people"), {"state": "apart"}).text


def test_nobody_whom_the_search_did_not_find_can_be_claimed(cast: Cast, tool: ToolAtTheDoor) -> None:
    tool.post(lasting(40, account("x17")))
    here = reverse("exchange:agent", args=[Agent.objects.get().pk])
    client = signed_in(cast.omar)
    assert client.post(f"{here}?q=tom", {"person": cast.vera.key}).status_code == 422
    assert client.post(f"{here}?q=tom", {"person": "nobody"}).status_code == 422
    assert Agent.objects.get().person is None


def test_agents_of_another_district_are_not_there(cast: Cast, other_tool: ToolAtTheDoor) -> None:
    other_tool.post(lasting(40, account("x17")))
    client = signed_in(cast.omar)
    agent = Agent.objects.get()
    assert client.get(reverse("exchange:agent", args=[agent.pk])).status_code == 404
    assert client.post(reverse("exchange:set-apart", args=[agent.pk])).status_code == 404
    assert "x17" not in client.get(reverse("exchange:people")).text
    assert "x17" not in client.get(reverse("exchange:people-csv")).getvalue().decode()
