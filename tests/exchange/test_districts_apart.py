"""Two districts, each with its tools: whatever one of them does, the other neither sees nor can tell."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.conf import settings

from staffroom.exchange.models import Attachment
from tests.exchange.knocking import COURSE, DID, ToolAtTheDoor, account, agent, reference, statement, voiding

pytestmark = pytest.mark.django_db
ONE = {"mbox": "mailto:amara.okafor@riverbend.example"}
WHERE = {"activityId": COURSE, "agent": json.dumps(agent())}
NO_READERS = ("statements/read/mine", "state", "profile")  # but "agents" opens to them, too
SHA = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"  # of b"x"
ATTACHED = {
    "usageType": "https://vendor.example/u", "display": {"en": "x"}, "contentType": "text/plain", "length": 1, "sha2": SHA,
}  # fmt: skip


def answer_of(answer: Any) -> tuple[int, bytes]:
    return answer.status_code, answer.content


def with_bytes(tool: ToolAtTheDoor, body: dict[str, Any], content: bytes = b"x") -> Any:
    parts = b"".join([
        b"--xx\r\nContent-Type: application/json\r\n\r\n", json.dumps(body).encode(),
        b"\r\n--xx\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: binary\r\nX-Experience-API-Hash: ",
        SHA.encode(), b"\r\n\r\n", content, b"\r\n--xx--\r\n",
    ])  # fmt: skip
    return tool.ask("POST", "statements", parts, content_type="multipart/mixed; boundary=xx")


def test_statements_are_not_found_from_another_district(tool: ToolAtTheDoor, other_tool: ToolAtTheDoor) -> None:
    parent = {"contextActivities": {"parent": [{"id": f"{COURSE}/all"}]}}
    one = statement(
        context={"registration": "5f0c2a6e-3a4e-4c39-9f5e-2f5b8a1e7c11", "instructor": agent("tom"), **parent}
    )
    tool.post(one, statement())
    gone = statement()
    tool.post(gone)
    tool.post(voiding(gone["id"]))
    none = answer_of(other_tool.get(statementId=statement()["id"]))
    for name, of in (
        ("statementId", one),
        ("voidedStatementId", gone),
        ("statementId", gone),
        ("voidedStatementId", one),
    ):
        assert answer_of(other_tool.get(**{name: of["id"]})) == none
    for query in (
        {}, {"agent": agent()}, {"verb": DID}, {"activity": COURSE}, {"agent": agent(), "activity": COURSE}, {"ascending": "true"},
        {"registration": "5f0c2a6e-3a4e-4c39-9f5e-2f5b8a1e7c11"}, {"agent": agent("tom"), "related_agents": "true"},
        {"activity": f"{COURSE}/all", "related_activities": "true"}, {"attachments": "false", "since": "2020-01-01T00:00:00Z"},
    ):  # fmt: skip
        ours = tool.found(**query)
        assert one["id"] in ours
        assert not set(other_tool.found(**query)) & {*ours, gone["id"]}


def test_the_same_id_in_two_districts_is_two_statements(tool: ToolAtTheDoor, other_tool: ToolAtTheDoor) -> None:
    """A vendor may tell both its districts under one id; and who guesses an id learns nothing from 409 or 200."""
    ours = statement()
    theirs = {**ours, "actor": agent("vera"), "object": {"id": f"{COURSE}/other"}}
    tool.post(ours)
    assert other_tool.ask("PUT", "statements", theirs, query={"statementId": theirs["id"]}).status_code == 204
    assert tool.get(statementId=ours["id"]).json()["actor"] == ours["actor"]
    assert other_tool.get(statementId=ours["id"]).json()["actor"] == theirs["actor"]
    for each, body, changed in ((tool, ours, theirs), (other_tool, theirs, ours)):
        assert each.ask("POST", "statements", body).status_code == 200
        assert each.ask("POST", "statements", changed).status_code == 409
        assert each.found(verb=DID) == [ours["id"]]


def test_nothing_is_voided_or_referred_to_across_districts(tool: ToolAtTheDoor, other_tool: ToolAtTheDoor) -> None:
    one, awaited = statement(), statement()
    tool.post(one)
    other_tool.post(
        voiding(one["id"]), voiding(awaited["id"]), statement(verb={"id": f"{DID}/saw"}, object=reference(one["id"]))
    )
    tool.post(awaited)
    assert set(tool.found(verb=DID)) == {one["id"], awaited["id"]}
    assert tool.get(voidedStatementId=one["id"]).status_code == 404
    assert other_tool.found(activity=COURSE) == [], "a reference does not find what it refers to elsewhere"
    assert other_tool.found(agent=agent(), verb=DID) == []


def test_a_link_to_more_is_good_in_its_own_district_alone(tool: ToolAtTheDoor, other_tool: ToolAtTheDoor) -> None:
    tool.post(*(statement() for _each in range(3)))
    other_tool.post(*(statement() for _each in range(3)))
    more = tool.get(limit="1", verb=DID).json()["more"]
    assert tool.ask("GET", more).status_code == 200
    answer = other_tool.ask("GET", more)
    assert answer.status_code == 400
    assert "statements" not in answer.json()
    spoiled = more[:-1] + ("A" if more[-1] != "A" else "B")
    assert tool.ask("GET", spoiled).status_code == 400
    assert tool.ask("GET", f"{more}&limit=5").status_code == 400


def test_a_key_of_mine_alone_follows_no_link_to_others(tool: ToolAtTheDoor) -> None:
    sibling = ToolAtTheDoor(tool.organization, scopes=("statements/write", "statements/read/mine"))
    tool.post(*(statement() for _each in range(3)))
    (own,) = sibling.post(statement())
    more = tool.get(limit="1", verb=DID, ascending="true").json()["more"]
    found = [each["id"] for each in sibling.ask("GET", more).json()["statements"]]
    assert found == [own]
    for body in tool.get(verb=DID).json()["statements"]:
        assert sibling.get(statementId=body["id"]).status_code == (200 if body["id"] == own else 404)


@pytest.mark.parametrize(
    ("path", "name", "where"),
    [
        ("activities/state", "stateId", WHERE),
        ("activities/profile", "profileId", {"activityId": COURSE}),
        ("agents/profile", "profileId", {"agent": json.dumps(agent())}),
    ],
)
def test_documents_stay_in_their_district(
    tool: ToolAtTheDoor, other_tool: ToolAtTheDoor, path: str, name: str, where: dict[str, str]
) -> None:
    at = {**where, name: "place"}
    new = {"If-None-Match": "*"}
    before = answer_of(other_tool.ask("GET", path, query=at))
    assert tool.ask("PUT", path, {"page": 1}, query=at, headers=new).status_code == 204
    etag = tool.ask("GET", path, query=at)["ETag"]
    assert answer_of(other_tool.ask("GET", path, query=at)) == before
    assert other_tool.ask("GET", path, query=where).json() == []
    assert other_tool.ask("DELETE", path, query=at).status_code == 204
    assert other_tool.ask("PUT", path, {"page": 9}, query=at, headers={"If-Match": etag}).status_code == 412
    assert other_tool.ask("PUT", path, {"page": 2}, query=at, headers=new).status_code == 204, (
        "there is none in this district"
    )
    assert tool.ask("GET", path, query=at).json() == {"page": 1}
    assert other_tool.ask("POST", path, {"x": 1}, query=at).status_code == 204
    assert tool.ask("GET", path, query=at)["ETag"] == etag
    if path == "activities/state":
        assert other_tool.ask("DELETE", path, query=where).status_code == 204
        assert tool.ask("GET", path, query=where).json() == ["place"]


def test_what_is_known_of_agents_and_activities_stays(tool: ToolAtTheDoor, other_tool: ToolAtTheDoor) -> None:
    told = {"name": {"en": "Fractions"}, "description": {"en": "Halves"}}
    tool.post(statement(actor={**ONE, "name": "Amara"}, object={"id": COURSE, "definition": told}))
    tool.post(statement(actor={**account("7"), "name": "Amara O."}))
    assert tool.get("activities", activityId=COURSE).json()["definition"] == told
    answer = other_tool.get("activities", activityId=COURSE)
    assert answer.json() == {"objectType": "Activity", "id": COURSE}
    assert "Last-Modified" not in answer
    assert other_tool.get("agents", agent=ONE).json() == {"objectType": "Person", "mbox": [ONE["mbox"]]}
    assert "name" in tool.get("agents", agent=ONE).json()


def test_attachments_are_not_given_out_by_their_hash(tool: ToolAtTheDoor, other_tool: ToolAtTheDoor) -> None:
    assert with_bytes(tool, statement(attachments=[ATTACHED])).status_code == 200
    missing = other_tool.ask("POST", "statements", statement(attachments=[ATTACHED]))
    assert missing.status_code == 400, "the bytes must come, though another district has them"
    linked = statement(attachments=[{**ATTACHED, "fileUrl": "https://vendor.example/x"}])
    other_tool.post(linked)
    answer = other_tool.get(attachments="true", verb=DID)
    assert answer["Content-Type"].startswith("multipart/mixed")
    assert b"X-Experience-API-Hash" not in answer.content
    assert b"X-Experience-API-Hash" in tool.get(attachments="true", verb=DID).content
    assert with_bytes(other_tool, statement(attachments=[ATTACHED])).status_code == 200
    assert Attachment.objects.filter(sha2=SHA).count() == 2, "each district keeps its own"


def test_a_school_writes_into_its_district_and_reads_there(
    cast: Any, tool: ToolAtTheDoor, other_tool: ToolAtTheDoor
) -> None:
    school = ToolAtTheDoor(cast.alder)
    (told,) = school.post(statement())
    assert tool.found(verb=DID) == [told]
    assert other_tool.found(verb=DID) == []


def test_documents_of_a_school_s_tools_are_the_school_s(cast: Any, tool: ToolAtTheDoor) -> None:
    school, neighbor = ToolAtTheDoor(cast.alder), ToolAtTheDoor(cast.birch)
    where = {"activityId": COURSE, "agent": json.dumps(ONE), "stateId": "place"}
    for each, page in ((tool, 1), (school, 2), (neighbor, 3)):
        assert each.ask("PUT", "activities/state", {"page": page}, query=where).status_code == 204
    assert [each.get("activities/state", **where).json()["page"] for each in (tool, school, neighbor)] == [1, 2, 3]
    assert ToolAtTheDoor(cast.alder).get("activities/state", **where).json() == {"page": 2}
    assert school.ask("DELETE", "activities/state", query=where).status_code == 204
    assert [each.get("activities/state", **where).status_code for each in (tool, school)] == [200, 404]


def test_by_which_names_others_know_somebody_is_told_to_who_may_read_them(cast: Any, tool: ToolAtTheDoor) -> None:
    address, number = {"mbox": f"mailto:{cast.ben.email}"}, f"{cast.ben.key}"
    here = {"account": {"homePage": settings.SITE_URL, "name": number}}
    tool.post(statement(actor={**address, "name": "Ben R."}), statement(actor=here))
    alone = {"objectType": "Person", "mbox": [address["mbox"]]}
    readers = (tool, ToolAtTheDoor(cast.birch))
    others = (ToolAtTheDoor(cast.alder), *(ToolAtTheDoor(cast.district, scopes=(each,)) for each in NO_READERS))
    for each in readers:
        assert each.get("agents", agent=address).json()["account"] == [here["account"]]
    for each in others:
        assert each.get("agents", agent=address).json() == alone
