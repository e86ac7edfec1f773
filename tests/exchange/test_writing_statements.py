"""Writing statements (Communication 2.1.1, 2.1.2; Data 2.3): what the store adds, what it takes twice, what voiding does."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from django.conf import settings

from staffroom.records.actions import appending
from staffroom.records.finding import Awaiting
from tests.cast import Cast
from tests.exchange.knocking import COURSE, DID, ToolAtTheDoor, account, agent, reference, rows_held, statement, voiding

pytestmark = pytest.mark.django_db
ADDED = ("stored", "timestamp", "authority", "version")


def test_what_is_put_is_given_back_with_what_the_store_adds(either: ToolAtTheDoor) -> None:
    one = statement(result={"score": {"scaled": 0.5}, "extensions": {"https://v.example/e": [None, {"deep": 1.5}]}})
    answer = either.ask("PUT", "statements", one, query={"statementId": one["id"]})
    assert (answer.status_code, answer.content) == (204, b"")
    got = either.get(statementId=one["id"]).json()
    assert {name: value for name, value in got.items() if name not in ADDED} == one
    assert got["timestamp"] == got["stored"]
    assert got["version"] == ("1.0.0" if either.major == 1 else "2.0.0")
    assert got["authority"]["account"] == {"homePage": settings.SITE_URL, "name": f"tool:{either.tool.key}"}


def test_a_batch_answers_with_its_ids_in_order(either: ToolAtTheDoor) -> None:
    named, unnamed = statement(), statement(id=None)
    answer = either.ask("POST", "statements", [unnamed, named, unnamed])
    first, second, third = answer.json()
    assert second == named["id"]
    assert len({first, second, third}) == 3
    assert all(uuid.UUID(each).version == 4 for each in (first, third))
    assert either.found(verb=DID, ascending="true") == [first, second, third]


def test_an_empty_batch_changes_nothing(either: ToolAtTheDoor) -> None:
    before = rows_held()
    answer = either.ask("POST", "statements", [])
    assert answer.status_code == 200
    assert answer.json() == []
    assert rows_held() == before


def test_what_a_tool_says_of_stored_and_authority_does_not_count(either: ToolAtTheDoor) -> None:
    told = statement(stored="2001-01-01T00:00:00Z", authority=agent("somebody"), timestamp="2026-09-01T08:30:00Z")
    either.post(told)
    got = either.get(statementId=told["id"]).json()
    assert got["stored"] > "2026"
    assert got["stored"] != told["stored"]
    assert got["authority"] != told["authority"]
    assert got["timestamp"] == told["timestamp"]


def test_the_same_again_is_no_second_statement(either: ToolAtTheDoor) -> None:
    one = statement(timestamp="2026-09-01T08:30:00Z", result={"duration": "PT1.234S"})
    either.post(one)
    before = rows_held()
    same = {
        **one,
        "id": one["id"].upper(),
        "actor": {**one["actor"], "name": "Amara"},
        "result": {"duration": "PT1.239S"},
    }
    for again in (one, same, either.get(statementId=one["id"]).json()):
        assert either.ask("POST", "statements", again).status_code == 200
        assert either.ask("PUT", "statements", again, query={"statementId": again["id"]}).status_code == 204
    assert rows_held() == before


@pytest.mark.parametrize(
    "change",
    [
        {"actor": agent("tom")}, {"verb": {"id": f"{DID}/twice"}}, {"object": {"id": f"{COURSE}/other"}}, {"object": agent("tom")},
        {"result": {"success": True}}, {"context": {"language": "en"}}, {"timestamp": "2026-09-01T08:30:01Z"},
    ],
)  # fmt: skip
def test_another_statement_under_a_known_id_is_refused_with_its_batch(
    either: ToolAtTheDoor, change: dict[str, Any]
) -> None:
    one = statement(timestamp="2026-09-01T08:30:00Z")
    either.post(one)
    before, kept = rows_held(), either.get(statementId=one["id"]).content
    assert either.ask("POST", "statements", [statement(), {**one, **change}, statement()]).status_code == 409
    assert either.ask("PUT", "statements", {**one, **change}, query={"statementId": one["id"]}).status_code == 409
    assert rows_held() == before
    assert either.get(statementId=one["id"]).content == kept


def test_a_batch_may_hold_what_is_there_beside_what_is_new(either: ToolAtTheDoor) -> None:
    one, new = statement(), statement()
    either.post(one)
    assert either.post(one, new) == [one["id"], new["id"]]
    assert either.found(verb=DID) == [new["id"], one["id"]]


def test_statements_in_1_0_3_keep_their_offset_those_in_2_0_are_told_in_utc(tool: ToolAtTheDoor) -> None:
    """IEEE 9274.1.1, 4.2.4.1: a store answers in UTC. 1.0.3 (4.5) lets it, and we give back what we were given."""
    one = statement(timestamp="2026-09-01T08:30:00+02:00")
    tool.post(one)
    assert tool.get(statementId=one["id"]).json()["timestamp"] == "2026-09-01T08:30:00+02:00"
    two = statement(timestamp="2026-09-01T08:30:00+02:00")
    tool.speaking(2).post(two)
    assert tool.get(statementId=two["id"]).json()["timestamp"] == "2026-09-01T06:30:00.000Z"


def test_single_context_activities_become_lists(either: ToolAtTheDoor) -> None:
    """Data 2.4.6.2."""
    around = {"contextActivities": {"parent": {"id": f"{COURSE}/p"}, "other": [{"id": f"{COURSE}/o"}]}}
    sub = {
        "objectType": "SubStatement",
        "actor": agent(),
        "verb": {"id": DID},
        "object": {"id": COURSE},
        "context": around,
    }
    one = statement(context=around, object=sub)
    either.post(one)
    got = either.get(statementId=one["id"]).json()
    for context in (got["context"], got["object"]["context"]):
        assert context["contextActivities"] == {"parent": [{"id": f"{COURSE}/p"}], "other": [{"id": f"{COURSE}/o"}]}


def test_agents_and_groups_around_are_kept_in_2_0_alone(tool: ToolAtTheDoor) -> None:
    around = {
        "contextAgents": [
            {"objectType": "contextAgent", "agent": agent("priya"), "relevantTypes": ["https://v.example/coach"]}
        ],
        "contextGroups": [{"objectType": "contextGroup", "group": {"objectType": "Group", "member": [agent("ben")]}}],
    }
    one = statement(context=around)
    assert tool.ask("POST", "statements", one).status_code == 400
    two = tool.speaking(2)
    two.post(one)
    assert two.get(statementId=one["id"]).json()["context"] == around
    for name in ("priya", "ben"):
        assert two.found(agent=agent(name), related_agents="true") == [one["id"]]
        assert two.found(agent=agent(name)) == []


def test_addresses_of_activities_are_never_fetched(either: ToolAtTheDoor, monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    def refuse(*_more: Any) -> None:
        raise AssertionError("the store called somebody")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    either.post(
        statement(object={"id": "http://127.0.0.1:9/course", "definition": {"moreInfo": "http://127.0.0.1:9/more"}})
    )
    assert either.get("activities", activityId="http://127.0.0.1:9/course").status_code == 200


# --- Voiding (Data 2.3.2) ----------------------------------------------------------------------------------------------------------


def is_voided(tool: ToolAtTheDoor, told: str) -> bool:
    plain, voided = tool.get(statementId=told).status_code, tool.get(voidedStatementId=told).status_code
    assert {plain, voided} == {200, 404}
    return voided == 200


def test_a_voided_statement_is_asked_for_as_a_voided_one(either: ToolAtTheDoor) -> None:
    one, other = statement(), statement()
    either.post(one, other)
    (mark,) = either.post(voiding(one["id"]))
    assert is_voided(either, one["id"])
    assert not is_voided(either, other["id"])
    assert either.found(verb=DID) == [mark, other["id"]], "the voiding is found by what it voids"
    assert either.get(voidedStatementId=one["id"]).json()["id"] == one["id"]


@pytest.mark.parametrize("in_one_batch", [True, False])
def test_a_voiding_may_come_before_what_it_voids(either: ToolAtTheDoor, in_one_batch: bool) -> None:
    one = statement()
    mark = voiding(one["id"])
    if in_one_batch:
        either.post(mark, one)
    else:
        either.post(mark)
        either.post(one)
    assert is_voided(either, one["id"])
    assert either.found(verb=DID) == [mark["id"]]


def test_a_voiding_cannot_be_voided(either: ToolAtTheDoor) -> None:
    one = statement()
    mark = voiding(one["id"])
    either.post(one)
    either.post(mark)
    before = rows_held()
    answer = either.ask("POST", "statements", [statement(), voiding(mark["id"])])
    assert answer.status_code == 400
    assert "2.3.2" in answer.json()["detail"]
    assert rows_held() == before
    assert not is_voided(either, mark["id"])
    assert is_voided(either, one["id"])


def test_a_voiding_that_came_first_does_not_void_a_voiding(either: ToolAtTheDoor) -> None:
    one = statement()
    mark = voiding(one["id"])
    either.post(voiding(mark["id"]))
    either.post(one)
    either.post(mark)
    assert is_voided(either, one["id"])
    assert not is_voided(either, mark["id"])


def test_voiding_again_voids_no_more(either: ToolAtTheDoor) -> None:
    one = statement()
    either.post(one)
    either.post(voiding(one["id"]), voiding(one["id"]))
    assert is_voided(either, one["id"])


# --- Who may ----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scope", "may_not_write", "may_read"),
    [("statements/write", False, False), ("statements/read", True, True), ("statements/read/mine", True, True),
     ("state", True, False), ("all/read", True, True)],
)  # fmt: skip
def test_keys_do_what_their_scopes_say(tool: ToolAtTheDoor, scope: str, may_not_write: bool, may_read: bool) -> None:
    narrow = tool.with_scopes(scope)
    assert (narrow.ask("POST", "statements", statement()).status_code == 403) == may_not_write
    assert (narrow.get().status_code == 200) == may_read


def test_only_who_may_define_changes_what_an_activity_is_called(tool: ToolAtTheDoor) -> None:
    plain = tool.with_scopes("statements/write", "statements/read")
    iri = f"{COURSE}/defined"
    plain.post(statement(object={"id": iri, "definition": {"name": {"en": "Mine"}}}))
    assert "definition" not in tool.get("activities", activityId=iri).json()
    tool.post(statement(object={"id": iri, "definition": {"name": {"en": "Halves"}}}))
    tool.post(statement(object={"id": iri, "definition": {"name": {"es": "Mitades"}, "type": "https://v.example/t"}}))
    assert tool.get("activities", activityId=iri).json()["definition"] == {
        "name": {"en": "Halves", "es": "Mitades"}, "type": "https://v.example/t"
    }  # fmt: skip


def test_one_id_with_two_ifis_of_a_person_is_two_agents(either: ToolAtTheDoor) -> None:
    either.post(statement(actor=agent()), statement(actor=account()))
    assert len(either.found(agent=agent())) == 1
    assert len(either.found(agent=account())) == 1
    assert either.found(agent={"mbox": agent()["mbox"].upper().replace("MAILTO", "mailto")}) == either.found(
        agent=agent()
    )


def test_references_hold_any_id(either: ToolAtTheDoor) -> None:
    one = statement(object=reference(str(uuid.uuid4())), context={"statement": reference(str(uuid.uuid4()))})
    either.post(one)
    assert json.loads(either.get(statementId=one["id"]).content)["object"] == one["object"]


def test_a_voiding_that_came_first_voids_what_its_tool_may_void(tool: ToolAtTheDoor, cast: Cast) -> None:
    """By the same rule as for what is there already: another tool's statement takes the right to everything."""
    other = ToolAtTheDoor(cast.district)
    of_others, of_narrow, own = statement(), statement(), statement()
    narrow = tool.with_scopes("statements/write", "statements/read")
    tool.post(voiding(of_others["id"]))
    narrow.post(voiding(of_narrow["id"]), voiding(own["id"]))
    other.post(of_others, of_narrow)
    narrow.post(own)
    told = {each["id"]: tool.get(statementId=each["id"]).status_code for each in (of_others, of_narrow, own)}
    assert told == {of_others["id"]: 404, of_narrow["id"]: 200, own["id"]: 404}
    assert not Awaiting.objects.exists()


def test_what_was_sent_in_the_same_moment_is_joined_a_little_later(tool: ToolAtTheDoor) -> None:
    """Neither of two transactions sees the other; as if so, the one is put where it would wait if the other were not there."""
    one = statement()
    (mark,) = tool.post(voiding(one["id"]))
    row = Awaiting.objects.get()
    Awaiting.objects.all().delete()
    tool.post(one)
    assert tool.get(statementId=one["id"]).status_code == 200
    row.save(force_insert=True)
    assert appending.settle() == 1
    assert tool.get(statementId=one["id"]).status_code == 404
    assert tool.found(verb=DID) == [mark], "the voiding is found by what it voids"
    assert appending.settle() == 0
