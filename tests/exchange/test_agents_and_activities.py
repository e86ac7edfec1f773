"""What is known of agents and activities (Communication 2.4, 2.5)."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from tests.cast import Cast
from tests.exchange.knocking import COURSE, ToolAtTheDoor, account, agent, statement

pytestmark = pytest.mark.django_db


def test_an_agent_that_nobody_knows_is_only_itself(either: ToolAtTheDoor) -> None:
    assert either.get("agents", agent=agent()).json() == {"objectType": "Person", "mbox": [agent()["mbox"]]}
    assert either.get("agents", agent={**account(), "name": "A"}).json() == {
        "objectType": "Person", "name": ["A"], "account": [account()["account"]]
    }  # fmt: skip


def test_all_identifiers_of_a_person_are_told(either: ToolAtTheDoor, cast: Cast) -> None:
    address = {"objectType": "Agent", "mbox": f"mailto:{cast.amara.email}", "name": "Amara"}
    from django.conf import settings

    here = {"objectType": "Agent", "account": {"homePage": settings.SITE_URL, "name": str(cast.amara.key)}}
    either.post(statement(actor=address), statement(actor=here), statement(actor=agent("tom")))
    for asked in (address, here):
        told = either.get("agents", agent=asked).json()
        assert set(told) == {"objectType", "name", "mbox", "account"}
        assert (told["mbox"], told["account"]) == ([address["mbox"]], [here["account"]])
        assert "Amara" in told["name"]


@pytest.mark.parametrize("path", ["agents", "activities"])
def test_what_is_missing_or_unknown_is_refused(either: ToolAtTheDoor, path: str) -> None:
    assert either.get(path).status_code == 400
    name, good, bad = ("agent", agent(), {"mbox": "x"}) if path == "agents" else ("activityId", COURSE, "x")
    assert either.get(path, **{name: bad}).status_code == 400
    assert either.get(path, **{name: good, "x": "y"}).status_code == 400
    assert either.get(path, **{name: good}).status_code == 200


def test_definitions_are_merged_language_by_language(either: ToolAtTheDoor) -> None:
    first = {"name": {"en": "Fractions"}, "extensions": {"https://v.example/a": 1}, "type": "https://v.example/course"}
    then = {"name": {"en": "Halves", "es": "Mitades"}, "extensions": {"https://v.example/b": 2}}
    for definition in (first, then):
        either.post(statement(object={"id": COURSE, "definition": definition}))
    assert either.get("activities", activityId=COURSE).json() == {
        "objectType": "Activity", "id": COURSE,
        "definition": {
            "name": {"en": "Halves", "es": "Mitades"}, "type": "https://v.example/course",
            "extensions": {"https://v.example/a": 1, "https://v.example/b": 2},
        },
    }  # fmt: skip


@pytest.mark.parametrize("around", ["object", "sub", "context"])
def test_activities_are_known_from_wherever_they_stand(either: ToolAtTheDoor, around: str) -> None:
    told: dict[str, Any] = {"id": f"{COURSE}/{around}", "definition": {"name": {"en": "Here"}}}
    either.post({
        "object": statement(object=told),
        "sub": statement(object={"objectType": "SubStatement", "actor": agent(), "verb": {"id": COURSE}, "object": told}),
        "context": statement(context={"contextActivities": {"grouping": [told]}}),
    }[around])  # fmt: skip
    assert either.get("activities", activityId=told["id"]).json()["definition"] == told["definition"]


def test_a_hash_of_an_address_is_an_agent_of_its_own(either: ToolAtTheDoor) -> None:
    hashed = {"mbox_sha1sum": hashlib.sha1(agent()["mbox"].encode()).hexdigest()}
    either.post(statement(actor=hashed))
    assert len(either.found(agent=hashed)) == 1
    assert either.found(agent=agent()) == []
