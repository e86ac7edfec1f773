"""Whole numbers are grouped where people read them (9,000), and nowhere where a program does: addresses, ids, values, coordinates.

A world whose rows have numbers above a thousand, and a recording that is hours long, so that a grouping comma would show.
"""

from __future__ import annotations

import re

import pytest
from django.db import connection

from tests.promises import world as worlds
from tests.promises.doors import DOORS, Door
from tests.promises.world import World

GROUPED = re.compile(r'\s([\w:-]+)="([^"]*\b\d{1,3},\d{3}\b[^"]*)"')
IN_WORDS = {"aria-label", "title", "alt", "placeholder", "label", "content"}
PAGES = [door for door in DOORS if "GET" in door.methods and not door.is_api and door.guests]
ORDER = ("amara", "omar", "denise", "priya", "ines", "anonymous")


@pytest.fixture
def world(db: None) -> World:
    """The world of the promises; in SQLite the numbers of its rows begin above a thousand."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            for table in connection.introspection.table_names(cursor):
                cursor.execute("UPDATE sqlite_sequence SET seq = max(seq, 41234) WHERE name = %s", [table])
                cursor.execute(
                    "INSERT INTO sqlite_sequence (name, seq) SELECT %s, 41234 "
                    "WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = %s)",
                    [table, table],
                )
    return worlds.build()


def guest_of(door: Door) -> str:
    return next((name for name in ORDER if name in door.guests), min(door.guests))


def test_no_attribute_holds_a_grouped_number(world: World) -> None:
    found = {}
    for door in PAGES:
        answer = world.client(guest_of(door)).get(door.address(world))
        if "text/html" in answer.get("Content-Type", "") and not answer.streaming:
            held = [each for each in GROUPED.findall(answer.text) if each[0] not in IN_WORDS]
            if held:
                found[door.name] = held
    assert found == {}
