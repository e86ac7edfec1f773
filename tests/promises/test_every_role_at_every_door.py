"""Everybody walks to every door: who is in its guard gets in, everybody else finds nothing, and nothing breaks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from tests.promises.doors import ACCOUNTS, DOORS, Door
from tests.promises.world import NAMES, World, undone

pytestmark = pytest.mark.django_db
NONCE = re.compile(rb'nonce="[^"]+"|"X-CSRFToken": ?"[^"]+"|value="[A-Za-z0-9]{64}"|[A-Za-z0-9]{64}')
METHODS = ("GET", "POST", "DELETE")
# Whose doors are not ours to guard are tried by two; methods that are not offered, by one: nobody's role matters there.
TRIED_BY = {"accounts": ("anonymous", "tom"), "not offered": ("anonymous", "amara")}


def attempts(name: str) -> Iterator[tuple[Door, str]]:
    """The doors and methods that this person tries."""
    for door in DOORS:
        if door in ACCOUNTS and name not in TRIED_BY["accounts"]:
            continue
        for method in METHODS:
            is_tried = method != "DELETE" and not door.is_api and name in TRIED_BY["not offered"]
            if is_offered(door, method) or is_tried:
                yield door, method


def is_offered(door: Door, method: str) -> bool:
    return method in door.methods.split() or (door.methods.startswith("HEAD") and method == "GET")


def expected(door: Door, name: str, method: str) -> set[int]:
    """What this person may be answered by this method."""
    if not is_offered(door, method):
        return {405, 404, 302, 401, 403} if name == "anonymous" else {405, 404}
    if name in door.who(method):
        return set(door.answers if method == "GET" else door.on_post)
    if name == "anonymous":
        return {401} if door.is_api or door.name.startswith("files:upload") or door.shuts == 401 else {302, 404}
    return {door.shuts}


def knock(client: Client, door: Door, address: str, method: str) -> Any:
    cache.clear()
    if door.name.startswith("files:upload"):
        return client.generic("HEAD" if method == "GET" else method, address, headers={"Tus-Resumable": "1.0.0"})
    if method == "GET" and door.methods == "HEAD":
        return client.head(address)
    if method == "GET":
        return client.get(address)
    if method == "DELETE":
        return client.delete(address)
    return (
        client.post(address, door.body or {}, content_type="application/json") if door.is_api else client.post(address)
    )


def is_sent_to_sign_in(answer: Any) -> bool:
    return answer.status_code != 302 or "/accounts/login/" in answer.headers["Location"]


@pytest.mark.parametrize("name", NAMES)
def test_who_gets_in(world: World, name: str) -> None:
    client, wrong = world.client(name), []
    for door, method in attempts(name):
        address = door.address(world)
        with undone():
            answer = knock(client, door, address, method)
            found, wanted = answer.status_code, expected(door, name, method)
            if found not in wanted:
                wrong.append(f"{method} {door.name} ({address[:70]}): {found}, not {sorted(wanted)}")
            elif name not in door.who(method) and name == "anonymous" and not is_sent_to_sign_in(answer):
                wrong.append(f"{method} {door.name}: sent to {answer.headers['Location']} instead of the sign-in")
    assert not wrong, f"{name}:\n" + "\n".join(wrong)


def test_what_is_not_there_looks_like_what_one_may_not_see(world: World) -> None:
    """A stranger cannot tell a lesson that exists from one that does not: the two answers are alike."""
    client = world.client("ben")
    answers = [client.get(f"/lessons/{slug}/") for slug in (world.lesson.slug, "no-such-lesson")]
    there, nowhere = (NONCE.sub(b"", answer.content.replace(b"no-such-lesson", b"")) for answer in answers)
    assert [answer.status_code for answer in answers] == [404, 404]
    assert there.replace(world.lesson.slug.encode(), b"") == nowhere
