"""Versions, keys, headers, other methods (Communication 1.2, 1.3, 1.4, 3.3, 4), packed bodies, and forms in place of requests."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest

from tests.exchange.knocking import COURSE, DID, VERSIONS, ToolAtTheDoor, agent, statement

pytestmark = pytest.mark.django_db
RESOURCES = ("statements", "activities/state", "activities/profile", "agents/profile", "activities", "agents")
THROUGH = "X-Experience-API-Consistent-Through"
VERSION = "X-Experience-API-Version"


def test_about_needs_neither_key_nor_version(tool: ToolAtTheDoor) -> None:
    answer = tool.ask("GET", "about", without=("Authorization", VERSION))
    assert answer.json()["version"] == ["1.0.3", "2.0.0"]
    assert answer[VERSION] == "2.0.0"


@pytest.mark.parametrize("path", RESOURCES)
def test_every_resource_wants_a_key_and_a_version(tool: ToolAtTheDoor, path: str) -> None:
    nobody = tool.ask("GET", path, without=("Authorization",))
    assert nobody.status_code == 401
    assert nobody["WWW-Authenticate"].startswith("Basic")
    unsaid = tool.ask("GET", path, without=(VERSION,))
    assert unsaid.status_code == 400
    assert VERSION in unsaid.json()["detail"]
    for told in ("0.9", "0.95", "1.1", "2.1.0", "3.0.0", "x", ""):
        refused = tool.ask("GET", path, headers={VERSION: told})
        assert refused.status_code == 400
        assert refused[VERSION]


@pytest.mark.parametrize(
    ("told", "answered"),
    [("1.0", "1.0.3"), ("1.0.0", "1.0.3"), ("1.0.1", "1.0.3"), ("2.0", "2.0.0"), ("2.0.0", "2.0.0")],
)
def test_answers_name_the_version_they_speak(tool: ToolAtTheDoor, told: str, answered: str) -> None:
    assert tool.ask("GET", "statements", headers={VERSION: told})[VERSION] == answered
    assert tool.ask("POST", "statements", "{", headers={VERSION: told})[VERSION] == answered


def test_statements_cross_between_versions(tool: ToolAtTheDoor) -> None:
    one, two = statement(), statement()
    tool.post(one)
    tool.speaking(2).post(two)
    for major, told in ((1, two), (2, one)):
        assert tool.speaking(major).get(statementId=told["id"]).json()["id"] == told["id"]


def test_every_answer_of_the_ledger_tells_how_far_it_is_complete(either: ToolAtTheDoor) -> None:
    begun = datetime.now(UTC)
    one = statement()
    told = either.ask("POST", "statements", one)[THROUGH]
    assert datetime.fromisoformat(told) >= begun.replace(microsecond=begun.microsecond // 1000 * 1000)
    stored = datetime.fromisoformat(either.get(statementId=one["id"]).json()["stored"])
    for answer in (
        either.get(),
        either.get(statementId=one["id"]),
        either.ask("HEAD", "statements"),
        either.get(limit="x"),
    ):
        assert datetime.fromisoformat(answer[THROUGH]) >= stored


def test_head_tells_what_get_would(either: ToolAtTheDoor) -> None:
    one = statement()
    either.post(one)
    for query in ({"statementId": one["id"]}, {"verb": DID}):
        whole, head = (either.ask(method, "statements", query=query) for method in ("GET", "HEAD"))
        assert head.status_code == whole.status_code
        assert head.content == b""
        for name in ("Content-Type", "Content-Length", "Last-Modified", VERSION):
            assert head[name] == whole[name]
    assert either.ask("HEAD", "statements", query={"statementId": statement()["id"]}).status_code == 404


@pytest.mark.parametrize("path", ["about", *RESOURCES])
def test_pages_elsewhere_may_ask_first(tool: ToolAtTheDoor, path: str) -> None:
    """A browser's preflight brings no key."""
    wanted = {
        "Origin": "https://lms.example",
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "authorization",
    }
    answer = tool.ask("OPTIONS", path, headers=wanted, without=("Authorization", VERSION))
    assert answer.status_code == 204
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in answer, "a key is shown, never a cookie"
    allowed = {each.strip().lower() for each in answer["Access-Control-Allow-Headers"].split(",")}
    assert {"authorization", "content-type", "if-match", "if-none-match", VERSION.lower()} <= allowed
    offered = {each.strip() for each in answer["Access-Control-Allow-Methods"].split(",")}
    assert "GET" in offered
    for method in ("GET", "PUT", "POST", "DELETE"):
        assert (tool.ask(method, path).status_code == 405) == (method not in offered)


def test_answers_may_be_read_by_pages_elsewhere(either: ToolAtTheDoor) -> None:
    for answer in (either.get(), either.get(limit="x"), either.ask("GET", "statements", without=("Authorization",))):
        assert answer["Access-Control-Allow-Origin"] == "*"
        exposed = answer["Access-Control-Expose-Headers"]
        assert all(name in exposed for name in ("ETag", "Last-Modified", VERSION, THROUGH))
        assert "Set-Cookie" not in answer.headers


def test_methods_that_are_not_offered_are_named(tool: ToolAtTheDoor) -> None:
    answer = tool.ask("DELETE", "statements")
    assert answer.status_code == 405
    assert answer["Allow"] == "GET, PUT, POST"
    assert tool.ask("PATCH", "statements").status_code == 405
    assert tool.ask("GET", "nowhere").status_code == 404


def test_a_packed_body_is_unpacked(either: ToolAtTheDoor) -> None:
    bodies = [statement() for _each in range(50)]
    packed = gzip.compress(json.dumps(bodies).encode())
    answer = either.ask("POST", "statements", packed, headers={"Content-Encoding": "gzip"})
    assert answer.json() == [each["id"] for each in bodies]


# --- Alternate request syntax (1.3): in 1.0.3 alone -----------------------------------------------------------------------------------


def by_form(
    tool: ToolAtTheDoor, path: str, method: str, *, with_headers: bool = True, **fields: str
) -> tuple[int, bytes]:
    told = {**(tool.headers if with_headers else {}), **fields}
    answer = tool.client.generic(
        "POST", f"/xapi/{path}?method={method}", urlencode(told), content_type="application/x-www-form-urlencoded"
    )
    return answer.status_code, answer.content


def test_a_form_stands_for_a_request(tool: ToolAtTheDoor) -> None:
    one, two = statement(), statement()
    assert by_form(tool, "statements", "PUT", statementId=one["id"], content=json.dumps(one))[0] == 204
    assert by_form(tool, "statements", "POST", content=json.dumps(two))[0] == 200
    status, content = by_form(tool, "statements", "GET", statementId=one["id"])
    assert (status, json.loads(content)["id"]) == (200, one["id"])
    assert by_form(tool, "statements", "get", verb=DID, limit="1")[0] == 200
    where = {"activityId": COURSE, "agent": json.dumps(agent()), "stateId": "x"}
    assert (
        by_form(tool, "activities/state", "PUT", content="a=b&c ü", **{"Content-Type": "text/plain"}, **where)[0] == 204
    )
    assert by_form(tool, "activities/state", "GET", **where) == (200, "a=b&c ü".encode())
    assert by_form(tool, "activities/state", "DELETE", **where)[0] == 204
    assert by_form(tool, "activities/state", "GET", **where)[0] == 404


def test_a_form_is_held_to_the_same_rules(tool: ToolAtTheDoor) -> None:
    one = json.dumps(statement())
    assert by_form(tool, "statements", "POST", with_headers=False, content=one)[0] == 401
    assert by_form(tool.with_scopes("statements/read"), "statements", "POST", content=one)[0] == 403
    assert by_form(tool, "statements", "POST", content="{")[0] == 400
    assert by_form(tool, "statements", "DELETE")[0] == 405
    assert tool.found(verb=DID) == []


def test_2_0_has_no_forms(tool: ToolAtTheDoor) -> None:
    two = tool.speaking(2)
    assert two.headers[VERSION] == VERSIONS[2]
    assert by_form(two, "statements", "GET", limit="1")[0] == 400
    assert by_form(two, "statements", "POST", content=json.dumps(statement()))[0] == 400
