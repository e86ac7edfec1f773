"""A list of thirty costs as many queries as a list of one, and never more than twelve."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from staffroom.people.models import Membership, Person, Role
from staffroom.permissions import actions as permissions
from staffroom.records import actions as records
from staffroom.records.vocabulary import verbs
from staffroom.seeing.lessons import actions as lessons
from tests.promises.world import World, undone

pytestmark = pytest.mark.django_db
MOST = 12


def _lesson(world: World, number: int) -> None:
    lessons.begin_lesson(by=world.amara, title=f"Lesson {number}", section=world.section)


def _person(world: World, number: int) -> None:
    made = Person.objects.create_user(email=f"t{number}@riverbend.example", given_name=f"T{number}", family_name="Z")
    Membership.objects.create(person=made, organization=world.alder, role=Role.TEACHER)


def _activity(world: World, number: int) -> None:
    records.make_activity(by=world.denise, organization=world.district, name=f"Workshop {number}", kind="workshop")


def _entry(world: World, number: int) -> None:
    records.record(by=world.amara, verb=verbs.ATTENDED, object=world.activity, duration_s=60 + number)


def _circle(world: World, number: int) -> None:
    permissions.make_circle(by=world.amara, name=f"Circle {number}", members=[world.tom])


LISTS: dict[str, tuple[str, str, Callable[[World, int], None]]] = {
    "lessons": ("amara", "/lessons/", _lesson),
    "lessons over the API": ("amara", "/api/lessons/", _lesson),
    "people": ("denise", "/people/", _person),
    "people over the API": ("denise", "/api/people", _person),
    "activities": ("denise", "/records/activities/", _activity),
    "what works": ("denise", "/what-works/", _activity),
    "entries": ("amara", "/records/entries/", _entry),
    "entries over the API": ("amara", "/api/records/entries", _entry),
    "circles": ("amara", "/circles/", _circle),
}


def queries_of(world: World, name: str, url: str) -> int:
    client = world.client(name)
    client.get(url)
    with CaptureQueriesContext(connection) as captured, undone():
        assert client.get(url).status_code == 200
    return len([each for each in captured if "SAVEPOINT" not in each["sql"]])


@pytest.mark.parametrize("what", LISTS)
def test_thirty_rows_cost_what_one_costs(world: World, what: str) -> None:
    name, url, add = LISTS[what]
    with undone():
        add(world, 0)
        one = queries_of(world, name, url)
        for number in range(1, 30):
            add(world, number)
        thirty = queries_of(world, name, url)
    assert thirty <= one <= MOST, f"{url}: {one} queries for one more row, {thirty} for thirty"
