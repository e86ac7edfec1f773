"""Junk sent to every form by those who may use it is refused in words: nothing breaks, nothing is changed."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection

from tests.promises.doors import ACCOUNTS, DOORS, Door
from tests.promises.world import World, undone

pytestmark = pytest.mark.django_db
FIELDS = (
    "title", "text", "name", "reason", "email", "role", "organization", "person", "people", "members", "kind", "start", "end",
    "section", "taught_on", "day", "hours", "quantity", "unit_price_usd_cents", "happened_on", "price", "price_year", "until",
    "audience", "seconds", "answer", "retention_days", "begins_on", "ends_on", "planned_hours", "scale_low", "scale_high",
    "instrument", "parent", "share", "element", "focus_element", "value", "term", "subject", "rhythm", "word",
    "invite-email", "invite-role", "add-name", "add-kind", "rename-name", "move-parent", "reflection", "target", "circle",
    "note", "scopes", "one", "other", "year", "region", "scales_with", "source", "elements", "level",
    "coach", "why",
)  # fmt: skip
JUNK = {
    "NUL": "a\x00b", "long": "x" * 10_000, "huge": "9" * 30, "beyond": "9223372036854775808", "negative": "-1", "not a number": "NaN",
    "far date": "99999-12-31", "last date": "9999-12-31", "markup": "<script>'\"{{7*7}}", "list": "[1, 2",
}  # fmt: skip


# Who is signed in since when, and what is still being typed, is no news.
NOT_NEWS = {"django_session", "conversations_draft"}


def contents() -> dict[str, str]:
    """Every table by a sum of all its rows."""
    found = {}
    with connection.cursor() as cursor:
        for table in set(connection.introspection.table_names(cursor)) - NOT_NEWS:
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            found[table] = hashlib.sha256(repr(sorted(cursor.fetchall(), key=repr)).encode()).hexdigest()
    return found


def writes() -> int | None:
    """How many rows were ever written on this connection, where the database's driver counts them."""
    return getattr(connection.connection, "total_changes", None)


def changed(before: dict[str, str], written: int | None) -> list[str]:
    """Tables that differ; looked for only if anything was written at all."""
    if written is not None and written == writes():
        return []
    return [table for table, told in contents().items() if before[table] != told]


# Doors that need nothing but being asked: what is sent along is not read (or only says whether a box is ticked).
# A player's heartbeat whose seconds cannot be read counts as none.
NOTHING_TO_TYPE = frozenset((
    "health", "api:openapi-json", "home:export", "jobs:retry", "records:void-entry", "records:void-cost", "records:start-import",
    "records:end-price", "records:drop-index", "records:drop-import", "permissions:leave_circle", "permissions:answer_glass",
    "growth:end_goal", "lotteries:draw_anew", "lotteries:remove_person", "evidence:drop",
    "lotteries:ask", "lotteries:withdraw",
    "exchange:revoke-key", "exchange:retire-tool", "exchange:set-apart", "exchange:remove-mapping",
    "exchange:switch-destination", "exchange:remove-destination", "exchange:try-again",
    "people:withdraw-invitation", "people:end-role", "people:take-roster", "lessons:original", "lessons:delete",
    "lessons:finish_recording", "frameworks:publish", "conversations:withdraw_comment", "conversations:read_notices",
    "clips:remove_moment", "clips:download", "clips:delete", "clips:retract", "lessons:sit", "clips:sit",
))  # fmt: skip
# Doors at which any words are words.
WORDS = frozenset((
    "conversations:draft", "conversations:edit_comment", "lessons:reflect", "permissions:circles", "permissions:ask_glass",
    "people:rename-organization", "clips:reply", "clips:comment", "exchange:change-tool",
))  # fmt: skip


def forms() -> list[Door]:
    """Doors at which people post; those for tools alone have tests of their own in tests/exchange."""
    return [
        door
        for door in DOORS
        if "POST" in door.methods.split() and door not in ACCOUNTS and not door.is_api and door.guests
    ]


def guests(world: World) -> dict[str, Any]:
    """Whoever posts first at each door, signed in beforehand."""
    names = {sorted(door.who("POST") - {"anonymous"})[0] for door in forms()}
    return {name: world.client(name) for name in names}


def wrong(door: Door, what: str, status: int, before: dict[str, str], written: int | None) -> str:
    """What is wrong with an answer to junk, if anything is."""
    if status >= 500:
        return f"{door.name}, {what}: {status}"
    if status < 400:
        return "" if door.name in NOTHING_TO_TYPE | WORDS else f"{door.name}, {what}: taken"
    tables = changed(before, written)
    return f"{door.name}, {what}: {status}, and yet {tables} changed" if tables else ""


@pytest.mark.parametrize("what", JUNK)
def test_junk_is_refused_in_words_and_changes_nothing(world: World, what: str) -> None:
    clients, broken = guests(world), []
    before = contents()
    for door in forms():
        client = clients[sorted(door.who("POST") - {"anonymous"})[0]]
        with undone():
            cache.clear()
            written = writes()
            answer = client.post(door.address(world), dict.fromkeys(FIELDS, JUNK[what]))
            broken.append(wrong(door, what, answer.status_code, before, written))
    assert [each for each in broken if each] == []


BODIES = {
    "no text": ("application/x-www-form-urlencoded", b"\xff\xfe%00%ff=%"),
    "half a part": (
        "multipart/form-data; boundary=x",
        b'--x\r\nContent-Disposition: form-data; name="title"\r\n\r\n\xff',
    ),
    "no boundary": ("multipart/form-data", b"no boundary"),
}


@pytest.mark.parametrize("what", BODIES)
def test_bodies_that_are_no_forms_are_refused_in_words_and_change_nothing(world: World, what: str) -> None:
    clients, broken = guests(world), []
    before = contents()
    kind, body = BODIES[what]
    for door in forms():
        client = clients[sorted(door.who("POST") - {"anonymous"})[0]]
        with undone():
            cache.clear()
            written = writes()
            answer = client.post(door.address(world), body, content_type=kind)
            broken.append(wrong(door, what, answer.status_code, before, written))
    assert [each for each in broken if each] == []
