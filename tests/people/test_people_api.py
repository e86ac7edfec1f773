"""People, places and sections for programs."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from staffroom.people import queries
from staffroom.people.models import Membership, Person, Role
from tests.cast import Cast


def names(client: Client, query: str = "") -> set[str]:
    return {row["name"] for row in client.get(f"/api/people{query}").json()["people"]}


def test_strangers_are_refused(client: Client, db: None) -> None:
    for door in ("people", "organizations", "sections"):
        assert client.get(f"/api/{door}").status_code == 401


def test_everybody_gets_whom_they_may_see(client: Client, cast: Cast) -> None:
    client.force_login(cast.amara)
    assert {"Amara Okafor", "Tom Lindqvist", "Leo"} <= names(client)
    assert "Leo Brandt" not in names(client)
    client.force_login(cast.tom)
    assert "Leo" not in names(client)
    client.force_login(cast.grace)
    assert "Leo Brandt" in names(client)
    client.force_login(cast.vera)
    assert names(client) == {"Vera Kovac"}


def test_a_teacher_learns_first_names_of_students_and_nothing_more(client: Client, cast: Cast) -> None:
    Person.objects.filter(pk=cast.leo.pk).update(email="leo@families.example", source_id="s-leo")
    client.force_login(cast.amara)
    [leo] = client.get("/api/people?q=leo").json()["people"]
    assert (leo["name"], leo["email"]) == ("Leo", None)
    for guess in ("brandt", "brand", "families"):
        assert "Leo" not in names(client, f"?q={guess}"), "nor can the rest be guessed"
    assert names(client, "?q=lindqvist") == {"Tom Lindqvist"}
    listed = queries.people_for(cast.amara).get(pk=cast.leo.pk)
    assert {"password", "last_login", "source_id"} <= listed.get_deferred_fields()
    client.force_login(cast.grace)
    assert names(client, "?q=brandt") == {"Leo Brandt"}


def test_roles_and_narrowing(client: Client, cast: Cast) -> None:
    client.force_login(cast.omar)
    [priya] = client.get("/api/people?role=coach").json()["people"]
    assert (priya["name"], priya["roles"]) == ("Priya Nair", [{"role": "coach", "organization": "alder-elementary"}])
    assert names(client, "?q=okafor&at=alder-elementary") == {"Amara Okafor"}
    assert names(client, "?at=nowhere") == set()


def test_the_list_goes_on_after_thirty(client: Client, cast: Cast) -> None:
    for number in range(40):
        person = Person.objects.create(given_name=f"N{number}", family_name="Zed")
        Membership.objects.create(person=person, organization=cast.alder, role=Role.STUDENT)
    client.force_login(cast.omar)
    first = client.get("/api/people").json()
    rest = client.get(f"/api/people?after={first['after']}").json()
    keys = [row["key"] for row in first["people"] + rest["people"]]
    assert len(keys) == len(set(keys)) == 54
    assert rest["after"] is None


@pytest.mark.parametrize("query", ["?role=wizard", "?after=me", f"?q={'x' * 300}"])
def test_what_cannot_be_read_is_refused(client: Client, cast: Cast, query: str) -> None:
    client.force_login(cast.omar)
    assert client.get(f"/api/people{query}").status_code == 422


def test_a_nul_is_no_error(client: Client, cast: Cast) -> None:
    client.force_login(cast.omar)
    for door in ("people", "sections"):
        assert client.get(f"/api/{door}?q=%00&at=%00").status_code == 200


def test_one_row_and_thirty_take_as_many_queries(client: Client, cast: Cast) -> None:
    client.force_login(cast.omar)
    counts = []
    for query in ("?q=amara", ""):
        with CaptureQueriesContext(connection) as asked:
            client.get(f"/api/people{query}")
        counts.append(len(asked))
    assert counts[0] == counts[1] <= 5


def test_organizations_and_sections(client: Client, cast: Cast) -> None:
    client.force_login(cast.grace)
    assert client.get("/api/organizations").json() == [
        {"slug": "alder-elementary", "name": "Alder Elementary", "kind": "school", "parent": None}
    ]
    [section] = client.get("/api/sections").json()
    assert (section["title"], section["student_count"]) == ("5th-grade math, room 12", 4)
    client.force_login(cast.ben)
    assert client.get("/api/organizations").json() == client.get("/api/sections").json() == []
