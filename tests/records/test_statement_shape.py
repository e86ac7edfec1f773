"""Which statements are valid xAPI 1.0.3: rule by rule from the specification, and by properties over broken ones."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from staffroom.records.validation import is_valid, problems_in

AGENT = {"objectType": "Agent", "account": {"homePage": "https://x.example", "name": "1"}}
VERB = {"id": "http://adlnet.gov/expapi/verbs/attended", "display": {"en-US": "attended"}}
ACTIVITY = {"objectType": "Activity", "id": "https://x.example/a"}
UUID = "8f87ccde-bb56-4c2e-ab83-44982ef22df0"

# Everything that the specification lets a statement hold, once.
FULL: dict[str, Any] = {
    "id": UUID,
    "actor": {
        "objectType": "Group", "name": "Team", "mbox": "mailto:team@x.example",
        "member": [{"openid": "https://id.x.example/1"}, {"mbox_sha1sum": "ebd31e95054c018b10727ccffd2ef2ec3a016ee9", "name": "B"}],
    },
    "verb": VERB,
    "object": {
        "id": "https://x.example/a",
        "definition": {
            "name": {"en": "A", "zh-Hant-TW": "甲"}, "description": {"de-CH-1996": "a"}, "moreInfo": "https://x.example/more",
            "type": "http://adlnet.gov/expapi/activities/cmi.interaction", "interactionType": "matching",
            "correctResponsesPattern": ["a[.]1"], "extensions": {"https://x.example/e": None},
            "source": [{"id": "a", "description": {"en": "A"}}], "target": [{"id": "1"}],
        },
    },
    "result": {
        "score": {"scaled": -0.5, "raw": 3, "min": 1, "max": 5.5}, "success": True, "completion": False, "response": "",
        "duration": "PT1H30M5.25S", "extensions": {"urn:a:b": [1, None]},
    },
    "context": {
        "registration": UUID, "instructor": AGENT, "team": {"objectType": "Group", "member": [{"mbox": "mailto:a@b.example"}]},
        "contextActivities": {"parent": ACTIVITY, "grouping": [ACTIVITY], "category": [], "other": [ACTIVITY]},
        "revision": "1", "platform": "p", "language": "en-US", "statement": {"objectType": "StatementRef", "id": UUID},
        "extensions": {"https://x.example/e": {"a": None}},
    },
    "timestamp": "2026-09-01T08:30:00.123+02:00",
    "stored": "2026-09-01T06:30:00Z",
    "authority": {"objectType": "Group", "member": [AGENT, {"mbox": "mailto:bob@x.example"}]},
    "version": "1.0.3",
    "attachments": [
        {
            "usageType": "http://adlnet.gov/expapi/attachments/signature", "display": {"en": "Signature"}, "length": 4235,
            "contentType": "application/octet-stream", "sha2": "a" * 64, "fileUrl": "https://x.example/f", "description": {"en": "s"},
        }
    ],
}  # fmt: skip


def changed(path: str, value: Any) -> dict[str, Any]:
    """The full statement with one property set, or removed (`...`)."""
    made = copy.deepcopy(FULL)
    *way, last = [int(part) if part.isdigit() else part for part in path.split("/")]
    inner: Any = made
    for part in way:
        inner = inner[part]
    if value is ...:
        del inner[last]
    else:
        inner[last] = value
    return made


def test_the_simplest_and_the_fullest_statement_are_valid() -> None:
    assert (
        problems_in(
            {"actor": {"mbox": "mailto:xapi@adlnet.gov"}, "verb": {"id": VERB["id"]}, "object": {"id": "act:1"}}
        )
        == []
    )
    assert problems_in(FULL) == []


@pytest.mark.parametrize(("path", "value"), [
    ("actor", ...), ("verb", ...), ("object", ...), ("id", "8f87ccde"), ("id", "8f87ccdebb564c2eab8344982ef22df0"),
    ("id", UUID.replace("ab83", "7b83")), ("Verb", VERB), ("verb/id", "attended"), ("verb/id", "http://a b"), ("verb/id", ""),
    ("verb/display", {"en": 1}), ("verb/display", {"e": "a"}), ("verb/display", {"toolongtag": "a"}), ("verb/display", "attended"),
    ("actor/account", {"homePage": "https://x.example", "name": "1"}), ("actor/objectType", "group"), ("actor/objectType", "Agent"),
    ("actor/mbox", "team@x.example"), ("actor/mbox", "mailto:nobody"), ("actor/member/0", {"name": "nobody"}),
    ("actor/member/0", {"objectType": "Group", "member": []}), ("actor/member/1/mbox_sha1sum", "xyz"), ("actor/member", AGENT),
    ("object/objectType", "Thing"), ("object/id", ...), ("object/id", "a"), ("object/definition/name", []),
    ("object/definition/interactionType", "riddle"), ("object/definition/interactionType", ...),
    ("object/definition/interactionType", "likert"), ("object/definition/source", [{"id": "a"}, {"id": "a"}]),
    ("object/definition/source", [{}]), ("object/definition/extensions", {"e": 1}), ("object/definition/color", "red"),
    ("result/score/scaled", 1.01), ("result/score/scaled", "0.5"), ("result/score/raw", 6), ("result/score/min", 5.5),
    ("result/score/raw", True), ("result/score/raw", float("nan")), ("result/success", "true"), ("result/completion", 1),
    ("result/response", 1), ("result/duration", "1:30"), ("result/duration", "P4W1D"), ("result/duration", "P"),
    ("result/duration", "PT"), ("result/duration", "P0000-00-00T01:00:00"), ("result/duration", "PT1.5H3M"),
    ("context/registration", "1"), ("context/team", AGENT), ("context/contextActivities/sibling", ACTIVITY),
    ("context/contextActivities/parent", "https://x.example"), ("context/language", "english language"),
    ("context/statement", {"id": UUID}), ("context/statement", {"objectType": "StatementRef", "id": "1"}),
    ("context/extensions", {"no iri": 1}), ("timestamp", "2026-09-01"), ("timestamp", "2026-13-01T00:00:00Z"),
    ("timestamp", "2026-09-01T00:00:00-00:00"), ("timestamp", "2026-09-01T00:00:00-0000"), ("timestamp", 1), ("stored", "now"),
    ("version", "2.0.0"), ("version", "1"), ("version", "1.1.0"), ("authority/member", [AGENT]),
    ("authority/mbox", "mailto:a@b.example"), ("attachments", {}), ("attachments/0/sha2", ...), ("attachments/0/length", -1),
    ("attachments/0/length", "4"), ("attachments/0/contentType", "text"), ("attachments/0/usageType", "signature"),
    ("object", {"objectType": "Agent", "mbox": "mailto:a@b.example"}),
    ("object", {"objectType": "StatementRef", "id": UUID, "name": "a"}),
])  # fmt: skip
def test_one_broken_rule_is_found_where_it_is(path: str, value: Any) -> None:
    found = problems_in(changed(path, value))
    assert found
    assert all(problem.path.replace("[", ".").replace("]", "").startswith(path.split("/")[0]) or problem.path == "context.platform"
               or problem.path == "context.revision" for problem in found)  # fmt: skip


@pytest.mark.parametrize(("path", "value"), [
    ("result/duration", "P4W"), ("result/duration", "PT16559.14S"), ("result/duration", "P3Y1M29DT4H35M59.14S"),
    ("result/duration", "P3Y"), ("result/duration", "PT0S"), ("timestamp", "2026-09-01T08:30:00"), ("timestamp", "2016-12-31T23:59:60Z"),
    ("timestamp", "2026-09-01T08:30Z"), ("timestamp", "2026-09-01T08:30:00+0200"), ("version", "1.0.9"), ("version", "1.0"),
    ("actor", {"objectType": "Group", "account": AGENT["account"]}), ("authority", AGENT), ("context/language", "x-klingon"),
    ("context/instructor", {"objectType": "Group", "member": [AGENT]}), ("result/score", {}), ("context/contextActivities/parent", []),
    ("verb/display", {"sr-Latn-RS": "a", "es-419": "b", "sl-rozaj-biske-1994": "c", "en-a-bbb-x-a": "d"}),
])  # fmt: skip
def test_what_the_specification_allows_is_accepted(path: str, value: Any) -> None:
    assert problems_in(changed(path, value)) == []


def test_substatements_are_statements_without_their_own_identity() -> None:
    sub: dict[str, Any] = {"objectType": "SubStatement", "actor": AGENT, "verb": VERB, "object": ACTIVITY}
    whole: dict[str, Any] = {"actor": AGENT, "verb": VERB, "object": sub}
    assert is_valid(whole)
    for name, value in {"id": UUID, "stored": FULL["stored"], "version": "1.0.0", "authority": AGENT}.items():
        assert not is_valid({**whole, "object": {**sub, name: value}})
    assert not is_valid({**whole, "object": {**sub, "object": sub}})
    assert not is_valid({**whole, "object": {**sub, "actor": {}}})


def test_a_voiding_refers_to_a_statement() -> None:
    voiding: dict[str, Any] = {
        "actor": AGENT,
        "verb": {"id": "http://adlnet.gov/expapi/verbs/voided"},
        "object": ACTIVITY,
    }
    assert [problem.path for problem in problems_in(voiding)] == ["object"]
    assert is_valid({**voiding, "object": {"objectType": "StatementRef", "id": UUID}})


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every property in the statement that is not inside extensions."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in items:
        if "extensions" not in (*path, key):
            yield (*path, key)
            yield from places(each, (*path, key))


PLACES = list(places(FULL))


def put(path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    made = copy.deepcopy(FULL)
    inner: Any = made
    for part in path[:-1]:
        inner = inner[part]
    inner[path[-1]] = value
    return made


@given(st.sampled_from(PLACES))
def test_null_is_refused_everywhere_outside_extensions(path: tuple[Any, ...]) -> None:
    assert not is_valid(put(path, None))


@given(st.sampled_from([path for path in PLACES if isinstance(path[-1], str) and "display" not in path[:-1]
                        and path[-2:-1] not in [("name",), ("description",)]]))  # fmt: skip
def test_a_key_in_another_case_is_refused(path: tuple[Any, ...]) -> None:
    made = put((*path[:-1], path[-1].upper()), "x")
    assert not is_valid(made)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(JSON)
def test_whatever_arrives_is_answered_and_never_an_error(value: Any) -> None:
    assert not is_valid(value)


@given(st.sampled_from(PLACES), JSON)
def test_whatever_stands_anywhere_is_answered(path: tuple[Any, ...], value: Any) -> None:
    for problem in problems_in(put(path, value)):
        assert problem.rule
        assert str(problem)


@given(st.dictionaries(st.sampled_from(["https://a.example/x", "urn:b:c"]), JSON))
def test_values_of_extensions_are_never_refused(value: dict[str, Any]) -> None:
    assert is_valid(changed("result/extensions", value))
