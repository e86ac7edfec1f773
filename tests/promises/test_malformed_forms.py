"""Junk sent to every form by those who may use it is refused in words: nothing breaks."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache

from tests.promises.doors import ACCOUNTS, DOORS, Door
from tests.promises.world import World, undone

pytestmark = pytest.mark.django_db
FIELDS = (
    "title", "text", "name", "reason", "email", "role", "organization", "person", "people", "members", "kind", "start", "end",
    "section", "taught_on", "day", "hours", "quantity", "unit_price_usd_cents", "happened_on", "price", "price_year", "until",
    "audience", "seconds", "answer", "retention_days", "begins_on", "ends_on", "planned_hours", "scale_low", "scale_high",
    "instrument", "parent", "share", "element", "focus_element", "value", "term", "subject", "rhythm", "word",
    "invite-email", "invite-role", "add-name", "add-kind", "rename-name", "move-parent", "reflection", "target", "circle",
)  # fmt: skip
JUNK = {
    "NUL": "a\x00b", "long": "x" * 10_000, "huge": "9" * 30, "beyond": "9223372036854775808", "negative": "-1", "not a number": "NaN",
    "far date": "99999-12-31", "last date": "9999-12-31", "markup": "<script>'\"{{7*7}}", "list": "[1, 2",
}  # fmt: skip


def forms() -> list[Door]:
    return [door for door in DOORS if "POST" in door.methods.split() and door not in ACCOUNTS and not door.is_api]


@pytest.mark.parametrize("what", JUNK)
def test_junk_is_refused_in_words(world: World, what: str) -> None:
    broken: list[str] = []
    clients: dict[str, Any] = {}
    for door in forms():
        name = sorted(door.who("POST") - {"anonymous"})[0]
        client = clients.setdefault(name, world.client(name))
        with undone():
            cache.clear()
            answer = client.post(door.address(world), dict.fromkeys(FIELDS, JUNK[what]))
            if answer.status_code >= 500:
                broken.append(f"{door.name}: {answer.status_code}")
    assert broken == []


def test_bodies_that_are_no_forms_are_refused_in_words(world: World) -> None:
    broken: list[str] = []
    for door in forms():
        client = world.client(sorted(door.who("POST") - {"anonymous"})[0])
        for kind, body in (
            ("application/x-www-form-urlencoded", b"\xff\xfe%00%ff=%"),
            ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\n\xff"),
            ("multipart/form-data", b"no boundary"),
        ):  # fmt: skip
            with undone():
                cache.clear()
                answer = client.post(door.address(world), body, content_type=kind)
                if answer.status_code >= 500:
                    broken.append(f"{door.name}, {kind}: {answer.status_code}")
    assert broken == []
