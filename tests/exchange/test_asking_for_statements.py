"""Asking for statements (Communication 2.1.3, 2.1.4): every filter, paging while others write, the three formats."""

from __future__ import annotations

import time
from typing import Any

import pytest

from staffroom.records import ordering
from tests.exchange.knocking import COURSE, DID, ToolAtTheDoor, account, agent, reference, statement, voiding

pytestmark = pytest.mark.django_db
REGISTRATION = "5f0c2a6e-3a4e-4c39-9f5e-2f5b8a1e7c11"
HERE = {"registration": REGISTRATION}
X = {"id": f"{COURSE}/x"}
ELSEWHERE = {"id": f"{COURSE}/elsewhere"}


def sub(**parts: Any) -> dict[str, Any]:
    return {
        "objectType": "SubStatement",
        "actor": agent("inner"),
        "verb": {"id": f"{DID}/inner"},
        "object": {"id": f"{COURSE}/inner"},
        **parts,
    }


def group(*members: Any, **more: Any) -> dict[str, Any]:
    return {"objectType": "Group", "member": list(members), **more}


# What is asked, and of which statements it finds which: (query, those found, those not found).
FOUND: list[tuple[dict[str, Any], list[dict[str, Any]], list[dict[str, Any]]]] = [
    ({"agent": agent("z")}, [statement(actor=agent("z")), statement(object=agent("z")), statement(actor=group(agent("z")))],
     [statement(), statement(context={"instructor": agent("z")}), statement(object=sub(actor=agent("z")))]),
    ({"agent": account("z")}, [statement(actor=account("z"))], [statement(actor=agent("z")), statement(actor=account("y"))]),
    ({"agent": group(mbox="mailto:team@v.example")}, [statement(actor=group(agent("y"), mbox="mailto:team@v.example"))], [statement()]),
    ({"agent": agent("z"), "related_agents": "true"},
     [statement(actor=agent("z")), statement(context={"instructor": agent("z")}), statement(context={"team": group(agent("z"))}),
      statement(object=sub(actor=agent("z"))), statement(object=sub(object=agent("z"))),
      statement(object=sub(context={"instructor": agent("z")}))], [statement()]),
    ({"verb": f"{DID}/x"}, [statement(verb={"id": f"{DID}/x"})], [statement(), statement(object=sub(verb={"id": f"{DID}/x"}))]),
    ({"activity": f"{COURSE}/x"}, [statement(object=X)],
     [statement(), statement(object=sub(object=X)), statement(context={"contextActivities": {"parent": [X]}})]),
    ({"activity": f"{COURSE}/x", "related_activities": "true"},
     [statement(object=X), statement(object=sub(object=X)),
      *(statement(context={"contextActivities": {name: [X]}}) for name in ("parent", "grouping", "category", "other")),
      statement(object=sub(context={"contextActivities": {"other": [X]}}))], [statement()]),
    (HERE, [statement(context=HERE), statement(context={"registration": REGISTRATION.upper()})],
     [statement(), statement(object=sub(context=HERE))]),
    ({"agent": agent("z"), "activity": f"{COURSE}/x", "verb": DID, "registration": REGISTRATION},
     [statement(actor=agent("z"), object=X, context=HERE)],
     [statement(actor=agent("z"), object=X), statement(object=X, context=HERE),
      statement(actor=agent("z"), object=X, context=HERE, verb={"id": f"{DID}/other"})]),
]  # fmt: skip


@pytest.mark.parametrize(("query", "found", "others"), FOUND)
def test_each_question_finds_what_it_should_and_nothing_else(
    either: ToolAtTheDoor, query: dict[str, Any], found: list[dict[str, Any]], others: list[dict[str, Any]]
) -> None:
    either.post(*found, *others)
    ids = [each["id"] for each in found]
    assert either.found(**query) == ids[::-1]
    assert either.found(**query, ascending="true") == ids
    assert either.all_found(**query, limit="1") == ids[::-1]


# --- Statements about statements (2.1.3: found by what they refer to) ---------------------------------------------------------------


@pytest.mark.parametrize("order", ["before", "after", "together"])
def test_a_reference_is_found_by_what_it_refers_to(either: ToolAtTheDoor, order: str) -> None:
    one = statement(actor=agent("z"), context={"registration": REGISTRATION, "instructor": agent("i")})
    about = statement(actor=agent("y"), verb={"id": f"{DID}/saw"}, object=reference(one["id"]))
    again = statement(actor=agent("x"), verb={"id": f"{DID}/saw"}, object=reference(about["id"]))
    if order == "together":
        either.post(about, one, again)
    else:
        for each in (one, about, again) if order == "after" else (about, one, again):
            either.post(each)
    for query in ({"agent": agent("z")}, {"verb": DID}, {"activity": COURSE}, HERE,
                  {"agent": agent("z"), "activity": COURSE}, {"agent": agent("i"), "related_agents": "true"}):  # fmt: skip
        assert set(either.found(**query)) == {one["id"], about["id"], again["id"]}, query
    assert set(either.found(agent=agent("y"))) == {about["id"], again["id"]}
    assert either.found(agent=agent("x")) == [again["id"]]


def test_references_in_a_circle_are_found_and_end(either: ToolAtTheDoor) -> None:
    one = statement(verb={"id": f"{DID}/a"})
    two = statement(verb={"id": f"{DID}/b"}, object=reference(one["id"]))
    one["object"] = reference(two["id"])
    either.post(one)
    either.post(two)
    assert set(either.found(verb=f"{DID}/a")) == {one["id"], two["id"]}
    assert two["id"] in either.found(verb=f"{DID}/b")


def test_a_voiding_is_found_by_what_it_voids_and_the_voided_is_not(either: ToolAtTheDoor) -> None:
    one = statement(actor=agent("z"))
    either.post(one)
    (mark,) = either.post(voiding(one["id"]))
    assert either.found(agent=agent("z")) == [mark]


# --- Time --------------------------------------------------------------------------------------------------------------------------------


def test_since_is_later_than_and_until_is_up_to(either: ToolAtTheDoor) -> None:
    ids, stored = [], []
    for _each in range(3):
        (told,) = either.post(statement())
        time.sleep(0.002)  # each in a millisecond of its own
        ids.append(told)
        stored.append(either.get(statementId=told).json()["stored"])
    assert stored == sorted(stored)
    assert either.found(since=stored[0], verb=DID) == [ids[2], ids[1]]
    assert either.found(until=stored[1], verb=DID) == [ids[1], ids[0]]
    assert either.found(since=stored[0], until=stored[1], verb=DID) == [ids[1]]
    assert either.found(since=stored[2], verb=DID) == []
    shifted = ordering.stored_at(0).isoformat().replace("+00:00", "-05:00")
    assert either.found(until=shifted, verb=DID) == []


def test_the_newest_of_a_page_is_told_as_last_modified(either: ToolAtTheDoor) -> None:
    assert "Last-Modified" not in either.get(verb=f"{DID}/none")
    (told,) = either.post(statement())
    assert either.get(verb=DID)["Last-Modified"] == either.get(statementId=told)["Last-Modified"]


# --- Paging while others write -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ascending", ["true", "false"])
@pytest.mark.parametrize("question", [{"verb": DID}, {"agent": agent("z"), "related_agents": "true"}])
def test_pages_hold_each_statement_once_while_others_write(
    tool: ToolAtTheDoor, ascending: str, question: dict[str, Any]
) -> None:
    def some(count: int) -> list[str]:
        """Each is found by two of its mentions where related agents are asked for."""
        made = [
            statement(actor=agent("z"), context={"instructor": agent("z"), "team": group(agent("z"))})
            for _each in range(count)
        ]
        return tool.post(*made)

    there = some(1050) + some(1000)
    answer = tool.get(**question, limit="400", ascending=ascending).json()
    found, pages = [each["id"] for each in answer["statements"]], 1
    while answer["more"]:
        newer = some(2)
        if pages == 2:
            tool.post(voiding(newer[0]))
        answer = tool.ask("GET", answer["more"]).json()
        found += [each["id"] for each in answer["statements"]]
        pages += 1
    assert pages >= 6
    assert len(found) == len(set(found)), "none twice"
    ours = [each for each in found if each in set(there)]
    assert ours == (there if ascending == "true" else there[::-1])
    if ascending == "false":
        assert found == ours, "what comes later is not in pages that go back"


def test_a_page_has_at_most_what_was_asked_for(either: ToolAtTheDoor) -> None:
    ids = either.post(*(statement() for _each in range(130)))
    for limit, count in (("1", 1), ("2", 2), ("0", 100), ("129", 129), ("130", 130), ("1000000", 130)):
        page = either.get(limit=limit, verb=DID).json()
        assert [each["id"] for each in page["statements"]] == ids[::-1][:count]
        assert bool(page["more"]) == (count < 130)
    last = either.ask("GET", either.get(limit="65", verb=DID).json()["more"]).json()
    assert [each["id"] for each in last["statements"]] == ids[:65][::-1]
    assert last["more"] == ""


# --- Formats -----------------------------------------------------------------------------------------------------------------------------

NAMES = {"en-US": "Fractions", "es": "Fracciones"}
PARENT = {**ELSEWHERE, "definition": {"name": NAMES}}
TOLD: dict[str, Any] = {
    "actor": {"objectType": "Group", "name": "Team", "member": [{**agent("z"), "name": "Zed"}]},
    "verb": {"id": DID, "display": {"en": "did", "es": "hizo"}},
    "object": {
        "objectType": "Activity",
        "id": COURSE,
        "definition": {"name": NAMES, "description": NAMES, "interactionType": "choice", "choices": [{"id": "a", "description": NAMES}]},
    },
    "context": {"instructor": {**agent("i"), "name": "Ida"}, "contextActivities": {"parent": [PARENT]}},
}  # fmt: skip


def test_exact_is_what_came(either: ToolAtTheDoor) -> None:
    one = statement(**TOLD)
    either.post(one)
    for query in ({}, {"format": "exact"}):
        got = either.get(statementId=one["id"], **query, headers={"Accept-Language": "es"}).json()
        assert {name: got[name] for name in one} == one


def test_ids_are_only_what_tells_things_apart(either: ToolAtTheDoor) -> None:
    one = statement(**TOLD)
    either.post(one)
    (got,) = either.get(format="ids", verb=DID).json()["statements"]
    assert got["actor"] == {"objectType": "Group", "member": [agent("z")]}
    assert got["verb"] == {"id": DID}
    assert got["object"] == {"id": COURSE}
    assert got["context"] == {"instructor": agent("i"), "contextActivities": {"parent": [ELSEWHERE]}}
    assert got["id"] == one["id"]
    named = statement(actor={**agent("z"), "name": "Zed"}, object={**sub(), "actor": {**account(), "name": "A"}})
    either.post(named)
    got = either.get(format="ids", statementId=named["id"]).json()
    assert got["actor"] == agent("z")
    assert got["object"]["actor"] == account()


@pytest.mark.parametrize(
    ("accepts", "tag"),
    [("es", "es"), ("en-US", "en-US"), ("en", "en-US"), ("en-GB;q=0.3, es;q=0.7", "es"), ("fr, es;q=0.1", "es"), ("fr", "en-US"),
     ("", "en-US"),
     ("es;q=0, en", "en-US"), ("*", "en-US"), (";;q=x,,", "en-US")],
)  # fmt: skip
def test_canonical_is_in_one_language(either: ToolAtTheDoor, accepts: str, tag: str) -> None:
    one = statement(**TOLD)
    either.post(one)
    got = either.get(statementId=one["id"], format="canonical", headers={"Accept-Language": accepts}).json()
    definition = got["object"]["definition"]
    for told in (definition["name"], definition["description"], definition["choices"][0]["description"],
                 got["context"]["contextActivities"]["parent"][0]["definition"]["name"]):  # fmt: skip
        assert told == {tag: NAMES[tag]}
    assert len(got["verb"]["display"]) == 1
    assert got["actor"] == one["actor"]


def test_a_format_goes_along_with_the_links_to_more(either: ToolAtTheDoor) -> None:
    either.post(statement(**TOLD), statement(**TOLD))
    more = either.get(format="ids", limit="1", verb=DID).json()["more"]
    assert either.ask("GET", more).json()["statements"][0]["object"] == {"id": COURSE}
