"""What Amara has not shared is nobody's: not on a page, not over the API, in no export, notice, mail, or log."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from django.core import mail
from django.test import TestCase

from staffroom.jobs.actions import run_waiting
from tests.promises.doors import ACCOUNTS, DOORS
from tests.promises.test_every_role_at_every_door import is_offered, knock
from tests.promises.world import LENT, NAMES, PRIVATE, World, undone

pytestmark = pytest.mark.django_db
ADDRESSES = ("", "?q={mark}", "?format=csv", "?show=all")


def text_of(answer: Any) -> str:
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return content.decode("utf-8", "replace") + str(dict(answer.headers))


@pytest.mark.parametrize("name", [name for name in NAMES if name != "amara"])
def test_nobody_else_reads_what_is_hers(world: World, name: str) -> None:
    client, leaks = world.client(name), []
    marks = list(PRIVATE.values()) + ([] if name == "priya" else list(LENT.values()))
    for door in DOORS:
        if door in ACCOUNTS or name not in door.who("GET"):
            continue
        for query in ADDRESSES if not door.query else ("",):
            with undone():
                answer = client.get(door.address(world) + query.format(mark=PRIVATE["title"]))
                text = text_of(answer).replace(f"?q={PRIVATE['title']}", "").replace(f'value="{PRIVATE["title"]}"', "")
                leaks += [f"{door.name}{query}: {mark}" for mark in marks if mark in text]
    assert leaks == []


def test_refusals_tell_nothing(world: World) -> None:
    client, leaks = world.client("ben"), []
    for door in DOORS:
        for method in ("GET", "POST"):
            if "ben" in door.who(method) or not is_offered(door, method) or door in ACCOUNTS:
                continue
            with undone():
                text = text_of(knock(client, door, door.address(world), method))
                leaks += [
                    f"{method} {door.name}: {mark}" for mark in (*PRIVATE.values(), *LENT.values()) if mark in text
                ]
    assert leaks == []


def test_the_owner_herself_finds_it_all(world: World) -> None:
    """Else the walk above would prove nothing."""
    client, found = world.client("amara"), ""
    for address in (
        f"/lessons/{world.lesson.slug}/", f"/clips/{world.clip.key}/", f"/clips/{world.private_clip.key}/",
        "/my-record/conversations.draft/", "/my-record/files.file/", "/my-record/files.upload/",
    ):  # fmt: skip
        found += client.get(address).content.decode()
    lost = [mark for mark in (*PRIVATE.values(), *LENT.values()) if mark not in found]
    assert [mark for mark in lost if mark not in (PRIVATE["element"],)] == []


def test_notices_and_mails_tell_who_and_where_and_never_what(world: World) -> None:
    mail.outbox.clear()
    with undone(), TestCase.captureOnCommitCallbacks(execute=True):
        run_waiting()
        sent = [f"{each.subject}\n{each.body}" for each in mail.outbox]
        assert any("Priya" in text for text in sent), "Priya was told that a clip was lent to her"
    assert [mark for mark in (*PRIVATE.values(), *LENT.values()) for text in sent if mark in text] == []


def test_logs_hold_no_words_of_hers(
    world: World, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture
) -> None:  # type: ignore[type-arg]
    caplog.set_level(logging.DEBUG, logger="staffroom")
    client = world.client("amara")
    with undone():
        client.get(f"/clips/{world.clip.key}/")
        client.get(f"/lessons/shared/?q={PRIVATE['moment']}")
        client.post(f"/lessons/{world.lesson.slug}/reflect/", {"reflection": PRIVATE["reflection"]})
        client.post(f"/clips/{world.clip.key}/comment/", {"text": LENT["comment"]})
    out, err = capfd.readouterr()
    logged = out + err + caplog.text
    words = [mark for mark in (*PRIVATE.values(), *LENT.values()) if mark in logged]
    assert words == []
