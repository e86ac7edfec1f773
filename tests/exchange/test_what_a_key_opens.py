"""What a key opens: each scope its doors and no other, by the key itself and by a token that stands for it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from staffroom.exchange import scopes
from staffroom.permissions.models import AccessToken
from staffroom.records import building
from staffroom.records.actions import make_activity, record
from staffroom.records.models import Statement
from staffroom.records.vocabulary import verbs
from tests.cast import Cast
from tests.exchange.knocking import COURSE, ToolAtTheDoor, agent, knock, statement, token_for, voiding

# --- What each scope opens -----------------------------------------------------------------------------------------------------------

ME = json.dumps(agent())
STATE = {"activityId": COURSE, "agent": ME, "stateId": "s"}
AGENT_PROFILE = {"agent": ME, "profileId": "p"}
ACTIVITY_PROFILE = {"activityId": COURSE, "profileId": "p"}
READERS = {"statements/read/mine", "statements/read", "all/read", "all"}
DOORS: tuple[tuple[str, str, dict[str, str], set[str]], ...] = (
    ("POST", "statements", {}, {"statements/write", "all"}),
    ("PUT", "statements", {"statementId": "8f3bd0a2-7f5e-4f9f-9d0b-0d5a0c0f4a11"}, {"statements/write", "all"}),
    ("GET", "statements", {}, READERS),
    ("GET", "statements", {"statementId": "8f3bd0a2-7f5e-4f9f-9d0b-0d5a0c0f4a12"}, READERS),
    ("GET", "agents", {"agent": ME}, READERS | {"state", "profile"}),
    ("GET", "activities", {"activityId": COURSE}, READERS | {"state", "profile"}),
    ("PUT", "activities/state", STATE, {"state", "all"}),
    ("POST", "activities/state", STATE, {"state", "all"}),
    ("GET", "activities/state", STATE, {"state", "all/read", "all"}),
    ("DELETE", "activities/state", STATE, {"state", "all"}),
    ("PUT", "agents/profile", AGENT_PROFILE, {"profile", "all"}),
    ("POST", "agents/profile", AGENT_PROFILE, {"profile", "all"}),
    ("GET", "agents/profile", AGENT_PROFILE, {"profile", "all/read", "all"}),
    ("DELETE", "agents/profile", AGENT_PROFILE, {"profile", "all"}),
    ("PUT", "activities/profile", ACTIVITY_PROFILE, {"profile", "all"}),
    ("POST", "activities/profile", ACTIVITY_PROFILE, {"profile", "all"}),
    ("GET", "activities/profile", ACTIVITY_PROFILE, {"profile", "all/read", "all"}),
    ("DELETE", "activities/profile", ACTIVITY_PROFILE, {"profile", "all"}),
)


@pytest.mark.parametrize("word", list(scopes.MEANINGS))
def test_each_scope_opens_its_doors_and_no_other(cast: Cast, word: str) -> None:
    """Shown as the key itself and as a token; what is opened answers anything but 401 and 403."""
    tool = ToolAtTheDoor(cast.district, scopes=(word,))
    bearer = {"Authorization": f"Bearer {token_for(tool.key.name, tool.secret).json()['access_token']}"}
    for method, path, query, openers in DOORS:
        body = statement(id=query.get("statementId")) if path == "statements" else {"at": 1}
        for headers in ({}, bearer):
            sent = json.dumps(body) if method in ("PUT", "POST") else b""
            answer = tool.ask(method, path, sent, query=query, headers={**headers, "If-None-Match": "*"})
            assert (answer.status_code not in (401, 403)) is (word in openers), (method, path, answer.content)
            assert answer.status_code < 500
            if word not in openers:
                assert answer.status_code == 403
                assert "lacks the scope" in answer.json()["detail"]


def test_a_key_without_define_teaches_no_names(cast: Cast) -> None:
    named = {"id": COURSE, "definition": {"name": {"en": "Fractions"}}}
    ToolAtTheDoor(cast.district, scopes=("statements/write",)).post(statement(object=named))
    reader = ToolAtTheDoor(cast.district, scopes=("statements/read",))
    assert "definition" not in reader.get("activities", activityId=COURSE).json()
    ToolAtTheDoor(cast.district, scopes=("statements/write", "define")).post(statement(object=named))
    assert reader.get("activities", activityId=COURSE).json()["definition"] == named["definition"]


def test_mine_means_what_the_tool_wrote(cast: Cast) -> None:
    writer = ToolAtTheDoor(cast.district, scopes=("statements/write", "statements/read/mine"))
    other = ToolAtTheDoor(cast.district, scopes=("statements/write", "statements/read/mine"))
    mine, theirs = writer.post(statement())[0], other.post(statement())[0]
    assert writer.found() == [mine]
    assert writer.found(agent=agent()) == [mine]
    assert writer.get(statementId=theirs).status_code == 404
    assert sorted(ToolAtTheDoor(cast.district, scopes=("statements/read",)).found()) == sorted([mine, theirs])


def test_a_school_s_tool_reads_of_its_school_alone(cast: Cast) -> None:
    """Whatever it asks for: by page, by question, by id. What it wrote itself it reads wherever its people are."""
    district, birch = ToolAtTheDoor(cast.district), ToolAtTheDoor(cast.birch)
    alder = ToolAtTheDoor(cast.alder)
    at_alder = district.post(statement(actor={"mbox": "mailto:amara@riverbend.example"}))[0]
    at_birch = district.post(statement(actor={"mbox": "mailto:ben@riverbend.example"}))[0]
    of_nobody = birch.post(statement())[0]
    own = alder.post(statement(actor={"mbox": "mailto:ben@riverbend.example"}))[0]
    assert sorted(alder.found()) == sorted([at_alder, own])
    assert sorted(alder.found(activity=COURSE)) == sorted([at_alder, own])
    assert alder.found(agent={"mbox": "mailto:ben@riverbend.example"}) == [own]
    assert [alder.get(statementId=each).status_code for each in (at_alder, at_birch, of_nobody)] == [200, 404, 404]
    assert sorted(district.found()) == sorted([at_alder, at_birch, of_nobody, own])


def test_a_tool_s_link_to_more_opens_no_more_to_another(cast: Cast) -> None:
    district, alder = ToolAtTheDoor(cast.district), ToolAtTheDoor(cast.alder)
    district.post(*(statement() for _each in range(3)))
    more = district.get(limit="1").json()["more"]
    assert len(district.ask("GET", more).json()["statements"]) == 1
    assert alder.ask("GET", more).json()["statements"] == []


def test_what_people_did_on_their_own_is_no_tool_s_to_read(cast: Cast) -> None:
    """Administrators make keys: a key reads nothing of people that an administrator may not (trust, rule 1)."""
    tool = ToolAtTheDoor(cast.district)
    alone = record(by=cast.amara, verb=verbs.WATCHED, object=cast.section, duration_s=60)
    talks = make_activity(by=cast.denise, organization=cast.district, name="Number talks", kind="coaching")
    together = record(by=cast.amara, verb=verbs.ATTENDED, object=talks, duration_s=3600)
    assert tool.found(verb=verbs.WATCHED.iri) == []
    assert tool.get(statementId=str(alone.key)).status_code == 404
    assert tool.found(verb=verbs.ATTENDED.iri) == [str(together.key)]
    amara = {"account": {"homePage": building.agent(cast.amara)["account"]["homePage"], "name": str(cast.amara.key)}}
    assert tool.found(agent=amara) == [str(together.key)]


def test_a_tool_voids_what_it_wrote_and_with_all_what_it_may_read(cast: Cast) -> None:
    district, alder = ToolAtTheDoor(cast.district), ToolAtTheDoor(cast.alder)
    writer = ToolAtTheDoor(cast.district, scopes=("statements/write", "statements/read"))
    at_alder = district.post(statement(actor={"mbox": "mailto:amara@riverbend.example"}))[0]
    at_birch = district.post(statement(actor={"mbox": "mailto:ben@riverbend.example"}))[0]
    alone = str(record(by=cast.amara, verb=verbs.WATCHED, object=cast.section).key)
    for tool, of in ((writer, at_alder), (alder, at_birch), (alder, alone), (district, alone)):
        refused = tool.ask("POST", "statements", voiding(of))
        assert (refused.status_code, "void" in refused.json()["detail"]) == (403, True)
    assert not Statement.objects.filter(is_voided=True).exists()
    own = writer.post(statement())[0]
    writer.post(voiding(own))
    alder.post(voiding(at_alder))
    assert {str(each.key) for each in Statement.objects.filter(is_voided=True)} == {own, at_alder}


# --- Tokens --------------------------------------------------------------------------------------------------------------------------


def test_a_token_lasts_an_hour(cast: Cast, tool: ToolAtTheDoor) -> None:
    answer = token_for(tool.key.name, tool.secret)
    assert answer.headers["Cache-Control"] == "no-store"
    given = answer.json()
    assert (given["token_type"], 3590 <= given["expires_in"] <= 3600, given["scope"]) == ("Bearer", True, "all")
    headers = {"Authorization": f"Bearer {given['access_token']}", "X-Experience-API-Version": "1.0.3"}
    assert knock(headers) == 200
    AccessToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert knock(headers) == 401
    assert given["access_token"] not in str(AccessToken.objects.values())


def test_a_token_may_reach_less_far_than_its_key_and_never_farther(cast: Cast) -> None:
    tool = ToolAtTheDoor(cast.district, scopes=("statements/write", "statements/read"))
    given = token_for(tool.key.name, tool.secret, scope="statements/read/mine").json()
    assert given["scope"] == "statements/read/mine"
    bearer = {"Authorization": f"Bearer {given['access_token']}"}
    assert tool.ask("POST", "statements", statement(), headers=bearer).status_code == 403
    refused = token_for(tool.key.name, tool.secret, scope="statements/write all")
    assert (refused.status_code, refused.json()) == (400, {"error": "invalid_scope"})


@pytest.mark.parametrize(
    ("fields", "status", "word"),
    [
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": "authorization_code", "code": "x"}, 400, "unsupported_grant_type"),
        ({}, 400, "invalid_request"),
        ({"grant_type": "client_credentials"}, 401, "invalid_client"),
        ({"grant_type": "client_credentials", "client_id": "sr_none", "client_secret": "x"}, 401, "invalid_client"),
        ({"grant_type": "client_credentials", "client_id": "sr\0", "client_secret": "x"}, 401, "invalid_client"),
        ({"grant_type": ["client_credentials", "client_credentials"]}, 400, "invalid_request"),
    ],
)  # fmt: skip
def test_errors_are_told_in_the_words_of_oauth(db: None, fields: dict[str, Any], status: int, word: str) -> None:
    answer = Client(raise_request_exception=False).post("/xapi/oauth/token", fields)
    assert (answer.status_code, answer.json()) == (status, {"error": word})
    assert answer.headers["Cache-Control"] == "no-store"
    assert ("WWW-Authenticate" in answer.headers) is (status == 401)


def test_the_key_may_stand_in_the_form_but_not_in_the_address_nor_twice(tool: ToolAtTheDoor) -> None:
    shown = {"client_id": tool.key.name, "client_secret": tool.secret}
    asked = {"grant_type": "client_credentials"}
    assert Client().post("/xapi/oauth/token", {**asked, **shown}).status_code == 200
    in_address = Client().post("/xapi/oauth/token", asked, query_params=shown)
    assert (in_address.status_code, in_address.json()) == (401, {"error": "invalid_client"})
    twice = token_for(tool.key.name, tool.secret, **shown)
    assert (twice.status_code, twice.json()) == (400, {"error": "invalid_request"})
    assert Client().get("/xapi/oauth/token", query_params={**asked, **shown}).status_code == 405
