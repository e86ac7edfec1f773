"""Documents (Communication 2.2, 2.3, 2.6, 2.7) and the headers that guard them (3.1)."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from tests.exchange.knocking import COURSE, ToolAtTheDoor, account, agent

pytestmark = pytest.mark.django_db
WHO = json.dumps(agent())
PLACES: list[tuple[str, str, dict[str, str]]] = [
    ("activities/state", "stateId", {"activityId": COURSE, "agent": WHO}),
    ("activities/profile", "profileId", {"activityId": COURSE}),
    ("agents/profile", "profileId", {"agent": WHO}),
]
PROFILES = PLACES[1:]
NEW = {"If-None-Match": "*"}
each_place = pytest.mark.parametrize(("path", "name", "where"), PLACES, ids=["state", "activity", "agent"])
each_profile = pytest.mark.parametrize(("path", "name", "where"), PROFILES, ids=["activity", "agent"])


@each_place
def test_bytes_come_back_as_they_came(either: ToolAtTheDoor, path: str, name: str, where: dict[str, str]) -> None:
    at = {**where, name: "a/b ü?&"}
    content = bytes(range(256))
    answer = either.ask(
        "PUT", path, content.decode("latin-1").encode("latin-1"), query=at, content_type="image/x-any", headers=NEW
    )
    assert (answer.status_code, answer.content) == (204, b"")
    got = either.ask("GET", path, query=at)
    assert (got.content, got["Content-Type"]) == (content, "image/x-any")
    assert got["ETag"] == f'"{hashlib.sha1(content).hexdigest()}"'
    assert "Last-Modified" in got
    assert either.ask("GET", path, query=where).json() == ["a/b ü?&"]
    seen = either.ask("HEAD", path, query=at)
    assert (seen.content, seen["ETag"], seen["Content-Length"]) == (b"", got["ETag"], "256")


@each_place
def test_posted_json_is_merged_name_by_name(either: ToolAtTheDoor, path: str, name: str, where: dict[str, str]) -> None:
    at = {**where, name: "x"}
    for body in ({"a": 1, "b": {"c": 1}}, {"b": {"d": 2}}, {"e": None}):
        assert either.ask("POST", path, body, query=at).status_code == 204
    assert either.ask("GET", path, query=at).json() == {"a": 1, "b": {"d": 2}, "e": None}
    kept = either.ask("GET", path, query=at)["ETag"]
    for body, content_type in (
        ([1], "application/json"),
        ({"f": 1}, "text/plain"),
        ("1", "application/json"),
        ("{", "application/json"),
    ):
        assert either.ask("POST", path, body, query=at, content_type=content_type).status_code == 400
    assert either.ask("GET", path, query=at)["ETag"] == kept
    other = {**where, name: "text"}
    assert either.ask("POST", path, b"plain", query=other, content_type="text/plain").status_code == 204
    assert either.ask("POST", path, {"a": 1}, query=other).status_code == 400


@each_place
def test_put_replaces_the_whole(either: ToolAtTheDoor, path: str, name: str, where: dict[str, str]) -> None:
    at = {**where, name: "x"}
    either.ask("PUT", path, {"a": 1}, query=at, headers=NEW)
    etag = either.ask("GET", path, query=at)["ETag"]
    assert either.ask("PUT", path, {"b": 2}, query=at, headers={"If-Match": etag}).status_code == 204
    assert either.ask("GET", path, query=at).json() == {"b": 2}


@each_place
def test_who_saw_an_older_one_changes_nothing(
    either: ToolAtTheDoor, path: str, name: str, where: dict[str, str]
) -> None:
    at = {**where, name: "x"}
    assert either.ask("PUT", path, {"a": 1}, query=at, headers={"If-Match": '"0"'}).status_code == 412, "there is none"
    assert either.ask("PUT", path, {"a": 1}, query=at, headers=NEW).status_code == 204
    first = either.ask("GET", path, query=at)["ETag"]
    assert either.ask("PUT", path, {"a": 2}, query=at, headers={"If-Match": f'"0", {first}'}).status_code == 204
    for method in ("PUT", "POST", "DELETE"):
        assert either.ask(method, path, {"a": 3}, query=at, headers={"If-Match": first}).status_code == 412
        assert either.ask(method, path, {"a": 3}, query=at, headers=NEW).status_code == 412
    assert either.ask("GET", path, query=at).json() == {"a": 2}
    assert (
        either.ask(
            "DELETE", path, query=at, headers={"If-Match": either.ask("GET", path, query=at)["ETag"]}
        ).status_code
        == 204
    )
    assert either.ask("GET", path, query=at).status_code == 404


@each_profile
def test_profiles_are_never_replaced_unseen(either: ToolAtTheDoor, path: str, name: str, where: dict[str, str]) -> None:
    """Communication 3.1: PUT without a guard is refused, 409 where there is something, 400 where there is nothing."""
    at = {**where, name: "x"}
    assert either.ask("PUT", path, {"a": 1}, query=at).status_code == 400
    either.ask("PUT", path, {"a": 1}, query=at, headers=NEW)
    assert either.ask("PUT", path, {"a": 2}, query=at).status_code == 409
    assert either.ask("GET", path, query=at).json() == {"a": 1}


def test_states_are_replaced_unseen_in_1_0_3_alone(tool: ToolAtTheDoor) -> None:
    path, name, where = PLACES[0]
    at = {**where, name: "x"}
    for count in (1, 2):
        assert tool.ask("PUT", path, {"a": count}, query=at).status_code == 204
    two = tool.speaking(2)
    assert two.ask("PUT", path, {"a": 3}, query=at).status_code == 409
    etag = two.ask("GET", path, query=at)["ETag"]
    assert two.ask("PUT", path, {"a": 3}, query=at, headers={"If-Match": etag}).status_code == 204


@each_place
def test_what_is_missing_or_unknown_is_refused(
    either: ToolAtTheDoor, path: str, name: str, where: dict[str, str]
) -> None:
    at = {**where, name: "x"}
    for gone in where:
        fewer = {key: value for key, value in at.items() if key != gone}
        for method in ("GET", "PUT", "POST", "DELETE"):
            assert (
                either.ask(method, path, {"a": 1}, query=fewer, headers=NEW if method == "PUT" else None).status_code
                == 400
            )
    for method in ("PUT", "POST"):
        assert either.ask(method, path, {"a": 1}, query=where, headers=NEW).status_code == 400
    for query in (
        {**at, "x": "y"},
        {**at, "Agent": WHO},
        {**at, "activityId": "x"},
        {**at, "agent": "x"},
        {**where, "since": "x"},
    ):
        assert either.ask("GET", path, query=query).status_code == 400, query
    assert either.ask("PATCH", path, b"", query=at).status_code == 405
    assert either.ask("GET", path, query=at).status_code == 404


@each_place
def test_since_lists_what_changed_later(either: ToolAtTheDoor, path: str, name: str, where: dict[str, str]) -> None:
    either.ask("PUT", path, {"a": 1}, query={**where, name: "x"}, headers=NEW)
    assert either.ask("GET", path, query={**where, "since": "2020-01-01T00:00:00Z"}).json() == ["x"]
    assert either.ask("GET", path, query={**where, "since": "2190-01-01T00:00:00+02:00"}).json() == []


def test_states_of_other_people_courses_and_registrations_are_others(either: ToolAtTheDoor) -> None:
    path, where = "activities/state", PLACES[0][2]
    registration = "5f0c2a6e-3a4e-4c39-9f5e-2f5b8a1e7c11"
    variants: list[dict[str, Any]] = [
        where, {**where, "agent": json.dumps(account())}, {**where, "activityId": f"{COURSE}/2"}, {**where, "registration": registration},
    ]  # fmt: skip
    for count, each in enumerate(variants):
        assert either.ask("PUT", path, {"at": count}, query={**each, "stateId": "x"}, headers=NEW).status_code == 204
    for count, each in enumerate(variants):
        assert either.ask("GET", path, query={**each, "stateId": "x"}).json() == {"at": count}
    assert either.ask("DELETE", path, query={**where, "registration": registration}).status_code == 204
    assert either.ask("GET", path, query={**where, "stateId": "x"}).status_code == 200
    assert either.ask("DELETE", path, query=where).status_code == 204
    assert either.ask("GET", path, query=where).json() == []
    assert either.ask("GET", path, query=variants[1]).json() == ["x"]


@each_profile
def test_profiles_are_removed_one_by_one(either: ToolAtTheDoor, path: str, name: str, where: dict[str, str]) -> None:
    for each in ("x", "y"):
        either.ask("PUT", path, {"a": 1}, query={**where, name: each}, headers=NEW)
    assert either.ask("DELETE", path, query=where).status_code == 400
    assert either.ask("DELETE", path, query={**where, name: "x"}).status_code == 204
    assert either.ask("GET", path, query=where).json() == ["y"]


def test_keys_without_the_scope_keep_nothing(tool: ToolAtTheDoor) -> None:
    narrow = tool.with_scopes("statements/write", "statements/read")
    for path, name, where in PLACES:
        for method in ("GET", "PUT", "POST", "DELETE"):
            assert narrow.ask(method, path, {"a": 1}, query={**where, name: "x"}, headers=NEW).status_code == 403
    reader = tool.with_scopes("all/read")
    for path, name, where in PLACES:
        assert reader.ask("GET", path, query=where).status_code == 200
        assert reader.ask("PUT", path, {"a": 1}, query={**where, name: "x"}, headers=NEW).status_code == 403
