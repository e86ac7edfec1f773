"""Nothing stands open that is not in the table of doors, and the table names nothing that is gone."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.promises import doors, exposed

pytestmark = pytest.mark.django_db
TABLE = {door.name for door in doors.DOORS}


def test_every_page_is_in_the_table() -> None:
    named = {name for name, _route, callback in exposed.routes() if name and not exposed.is_operation(callback)}
    in_table = {door.name for door in doors.DOORS if not door.is_api}
    assert sorted(named - in_table) == [], "name these in tests/promises/doors.py, with who may enter"
    assert sorted(in_table - named) == [], "the table names doors that are gone"


def test_every_operation_of_the_api_is_in_the_table() -> None:
    in_table = {door.name for door in doors.DOORS if door.is_api}
    assert sorted(set(exposed.operations()) - in_table) == [], "name these in tests/promises/doors.py"
    assert sorted(in_table - set(exposed.operations())) == [], "the table names operations that are gone"
    assert exposed.hidden_operations() == set()


def test_what_has_no_name_says_why() -> None:
    unnamed = {route for name, route, _callback in exposed.routes() if not name}
    assert unnamed == set(doors.UNNAMED)


def test_every_door_stands_in_the_table_once() -> None:
    assert [name for name, count in Counter(door.name for door in doors.DOORS).items() if count > 1] == []


def test_every_door_knows_who_enters() -> None:
    assert [door.name for door in doors.DOORS if not door.guests and not door.why] == []
