"""The ledgers over HTTP: the same eyes as the pages."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from staffroom.people.models import Person
from staffroom.records import actions
from staffroom.records.models import Activity
from staffroom.records.vocabulary import verbs
from tests.cast import Cast


@pytest.fixture
def workshop(cast: Cast) -> Activity:
    return actions.make_activity(by=cast.denise, organization=cast.district, name="Number talks", kind="workshop")


def ask(person: Person, url: str, status: int = 200) -> Any:
    client = Client()
    client.force_login(person)
    answer = client.get(f"/api/records/{url}")
    assert answer.status_code == status, answer.content
    return answer.json()


def test_entries_and_whole_statements_by_viewer(cast: Cast, workshop: Activity) -> None:
    entry = actions.record(
        by=cast.amara,
        verb=verbs.COMMENTED,
        object="https://x.example/secret",
        activity=workshop,
        duration_s=60,
        focus="talk",
    )
    seen = {name: ask(person, "entries")["items"] for name, person in cast.people.items() if person.email}
    assert {name for name, items in seen.items() if items} == {"amara", "grace", "denise", "omar", "ines"}
    (led,) = seen["grace"]
    assert (led["duration_s"], led["focus"], led["is_own"], led["actor_name"]) == (60, "talk", False, "Amara Okafor")
    assert "secret" not in str(seen)
    assert ask(cast.amara, f"statements/{entry.key}") == entry.body
    for person in (cast.grace, cast.denise, cast.omar, cast.tom, cast.vera):
        ask(person, f"statements/{entry.key}", 404)


def test_the_list_is_walked_to_its_end(cast: Cast, workshop: Activity) -> None:
    actions.record_statements(
        actions.Deed(by=cast.amara, verb=verbs.ATTENDED, object=workshop, duration_s=number) for number in range(1, 26)
    )
    seen, before = [], ""
    while True:
        page = ask(cast.amara, f"entries?limit=10&activity={workshop.key}&before={before.replace('+', '%2B')}")
        seen += [each["duration_s"] for each in page["items"]]
        before = page["before"]
        if not before:
            break
    assert seen == list(range(25, 0, -1))


@pytest.mark.parametrize("query", ["limit=0", "limit=1000", "month=2026-13", "activity=x", "month=9"])
def test_what_makes_no_sense_is_refused(cast: Cast, query: str) -> None:
    assert ask(cast.amara, f"entries?{query}", 422)["problems"]


def test_costs_are_for_those_who_lead_the_activity(cast: Cast, workshop: Activity) -> None:
    actions.record(by=cast.amara, verb=verbs.ATTENDED, object=workshop, duration_s=3600)
    actions.record_cost(
        by=cast.denise, activity=workshop, quantity=2, happened_on="2026-09-01", ingredient="Room", kind="room", unit="day",
        unit_price_usd_cents=10001, price_year=2026,
    )  # fmt: skip
    url = f"activities/{workshop.key}/costs"
    assert ask(cast.denise, url) == {
        "gross_usd_cents": 20002, "usual_usd_cents": 0, "net_usd_cents": 20002, "teachers": 1, "students": 4,
        "per_teacher_usd_cents": 20002, "per_student_usd_cents": 5001,
    }  # fmt: skip
    assert ask(cast.denise, url + "?first=2026-09-02")["gross_usd_cents"] == 0
    assert ask(cast.denise, url + "?first=0001-01-01&last=9999-12-31")["gross_usd_cents"] == 20002
    for person in (cast.amara, cast.grace, cast.priya, cast.ruth, cast.vera):
        ask(person, url, 404)
    assert [each["name"] for each in ask(cast.amara, "activities")] == ["Number talks"]
    assert ask(cast.vera, "activities") == []


def test_nobody_unknown_is_answered(client: Client, cast: Cast) -> None:
    for url in ("entries", "activities"):
        assert client.get(f"/api/records/{url}").status_code == 401
