"""Statements that each break one rule of xAPI: a table of rules (`*_BREAKS`) times the places where each holds (`*_PLACES`).

A break is what stands at a place, where under the place the problem lies, and a word of the rule. Sections are those of xAPI-Data 1.0.3.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from tests.exchange.knocking import COURSE, DID, VOIDED, agent, statement

type Break = tuple[Any, str, str]
type Place = Callable[[Any], dict[str, Any]]

HASH = "0123456789abcdef0123456789abcdef01234567"
HOME = {"homePage": "https://vendor.example", "name": "amara"}
ACTIVITY = {"objectType": "Activity", "id": COURSE}
ID = "5f0c2a6e-3a4e-4c39-9f5e-2f5b8a1e7c11"


@dataclass(frozen=True)
class Broken:
    """A statement that breaks one rule, and what the door should say of it: `path: …rule…`."""

    body: dict[str, Any]
    path: str
    rule: str
    major: int


def _whole(**parts: Any) -> dict[str, Any]:
    return statement(**parts)


def _sub(**parts: Any) -> dict[str, Any]:
    inner = {"objectType": "SubStatement", "actor": agent("ben"), "verb": {"id": DID}, "object": ACTIVITY, **parts}
    return statement(object={name: value for name, value in inner.items() if value is not None})


def _group(*members: Any, **more: Any) -> dict[str, Any]:
    return {"objectType": "Group", "member": list(members), **more}


# --- Agents (2.4.2.1, 2.4.2.3, 2.4.2.4) ---------------------------------------------------------------------------------------------

AGENT_PLACES: dict[str, Place] = {
    "actor": lambda it: _whole(actor=it),
    "context.instructor": lambda it: _whole(context={"instructor": it}),
    "authority": lambda it: _whole(authority=it),
    "actor.member[0]": lambda it: _whole(actor=_group(it)),
    "actor.member[1]": lambda it: _whole(actor=_group(agent("tom"), it, mbox="mailto:team@vendor.example")),
    "object.member[0]": lambda it: _whole(object=_group(it)),
    "context.team.member[0]": lambda it: _whole(context={"team": _group(it)}),
    "object.actor": lambda it: _sub(actor=it),
    "object.actor.member[0]": lambda it: _sub(actor=_group(it)),
    "object.context.instructor": lambda it: _sub(context={"instructor": it}),
    "object.object.member[0]": lambda it: _sub(object=_group(it)),
}
AGENT_PLACES_2: dict[str, Place] = {
    "context.contextAgents[0].agent": lambda it: _whole(
        context={"contextAgents": [{"objectType": "contextAgent", "agent": it}]}
    ),
    "context.contextGroups[0].group.member[0]": lambda it: _whole(
        context={"contextGroups": [{"objectType": "contextGroup", "group": _group(it)}]}
    ),
}
AGENT_BREAKS: list[Break] = [
    ({"objectType": "Agent"}, "", "exactly one of"),
    ({"objectType": "Agent", "name": "Amara"}, "", "exactly one of"),
    ({**agent(), "openid": "https://amara.example/"}, "", "exactly one of"),
    ({**agent(), "account": HOME}, "", "exactly one of"),
    ({**agent(), "mbox_sha1sum": HASH}, "", "exactly one of"),
    ({"mbox": "amara@vendor.example"}, "mbox", "mailto:"),
    ({"mbox": "mailto:amara"}, "mbox", "mailto:"),
    ({"mbox": "mailto:a b@vendor.example"}, "mbox", "mailto:"),
    ({"mbox": 7}, "mbox", "mailto:"),
    ({"mbox": None}, "mbox", "null"),
    ({"mbox_sha1sum": HASH[:-1]}, "mbox_sha1sum", "SHA-1"),
    ({"mbox_sha1sum": HASH[:-1] + "g"}, "mbox_sha1sum", "SHA-1"),
    ({"mbox_sha1sum": 12345}, "mbox_sha1sum", "SHA-1"),
    ({"openid": "amara.example"}, "openid", "IRI"),
    ({"openid": 1}, "openid", "IRI"),
    ({"account": "amara"}, "account", "object"),
    ({"account": {"name": "amara"}}, "account.homePage", "required"),
    ({"account": {"homePage": "https://vendor.example"}}, "account.name", "required"),
    ({"account": {**HOME, "homePage": "vendor.example"}}, "account.homePage", "IRI"),
    ({"account": {**HOME, "name": 17}}, "account.name", "string"),
    ({"account": {**HOME, "password": "x"}}, "account.password", "not a property"),
    ({**agent(), "name": 5}, "name", "string"),
    ({**agent(), "name": None}, "name", "null"),
    ({**agent(), "objectType": "agent"}, "objectType", "Agent"),
    ({**agent(), "objectType": "Activity"}, "objectType", "Agent"),
    ({**agent(), "member": []}, "member", "not a property"),
    ({**agent(), "Name": "Amara"}, "Name", "not a property"),
    ("mailto:amara@vendor.example", "", "agent"),
    ([], "", "agent"),
]

# --- Groups (2.4.2.2) ------------------------------------------------------------------------------------------------------------------

GROUP_PLACES: dict[str, Place] = {
    "actor": lambda it: _whole(actor=it),
    "object": lambda it: _whole(object=it),
    "context.team": lambda it: _whole(context={"team": it}),
    "context.instructor": lambda it: _whole(context={"instructor": it}),
    "object.actor": lambda it: _sub(actor=it),
    "object.object": lambda it: _sub(object=it),
    "object.context.team": lambda it: _sub(context={"team": it}),
}
GROUP_PLACES_2: dict[str, Place] = {
    "context.contextGroups[0].group": lambda it: _whole(
        context={"contextGroups": [{"objectType": "contextGroup", "group": it}]}
    )
}
GROUP_BREAKS: list[Break] = [
    ({"objectType": "Group"}, "", "members"),
    (_group(), "", "members"),
    (_group(agent(), mbox="mailto:t@v.example", openid="https://t.example/"), "", "more than one"),
    (_group(account=HOME, mbox="mailto:t@v.example"), "", "more than one"),
    ({"objectType": "Group", "mbox": "mailto:t@v.example", "member": agent()}, "member", "list"),
    (_group(agent(), _group(agent())), "member[1]", "no groups"),
    (_group(agent(), "mailto:x@v.example"), "member[1]", "agent"),
    (_group(agent(), members=[]), "members", "not a property"),
    (_group(agent(), name=[]), "name", "string"),
    (_group(account={"name": "team"}), "account.homePage", "required"),
    (_group(mbox="team"), "mbox", "mailto:"),
]

# --- Verbs (2.4.3) ---------------------------------------------------------------------------------------------------------------------

VERB_PLACES: dict[str, Place] = {"verb": lambda it: _whole(verb=it), "object.verb": lambda it: _sub(verb=it)}
VERB_BREAKS: list[Break] = [
    ({"display": {"en": "did"}}, "id", "required"),
    ({"id": "did"}, "id", "IRI"),
    ({"id": "https://vendor.example/did it"}, "id", "IRI"),
    ({"id": None}, "id", "null"),
    ({"id": 3}, "id", "IRI"),
    ({"id": DID, "display": "did"}, "display", "language map"),
    ({"id": DID, "display": {"en_US": "did"}}, "display.en_US", "language tag"),
    ({"id": DID, "display": {"en": 1}}, "display.en", "string"),
    ({"id": DID, "display": {"en": None}}, "display.en", "string"),
    ({"id": DID, "Display": {}}, "Display", "not a property"),
    (DID, "", "object"),
]

# --- Activities and interactions (2.4.4.1) ---------------------------------------------------------------------------------------------

ACTIVITY_PLACES: dict[str, Place] = {
    "object": lambda it: _whole(object=it),
    "object.object": lambda it: _sub(object=it),
    "context.contextActivities.parent": lambda it: _whole(context={"contextActivities": {"parent": it}}),
    "context.contextActivities.grouping[0]": lambda it: _whole(context={"contextActivities": {"grouping": [it]}}),
    "context.contextActivities.other[1]": lambda it: _whole(context={"contextActivities": {"other": [ACTIVITY, it]}}),
    "object.context.contextActivities.category[0]": lambda it: _sub(context={"contextActivities": {"category": [it]}}),
}


def _defined(**definition: Any) -> dict[str, Any]:
    return {**ACTIVITY, "definition": definition}


def _choice(*choices: Any) -> dict[str, Any]:
    return _defined(interactionType="choice", choices=list(choices))


ACTIVITY_BREAKS: list[Break] = [
    ({"objectType": "Activity"}, "id", "required"),
    ({"objectType": "Activity", "id": "fractions"}, "id", "IRI"),
    ({"objectType": "Activity", "id": "https://vendor.example/a b"}, "id", "IRI"),
    ({"objectType": "Activity", "id": 4}, "id", "IRI"),
    ({"objectType": "Activity", "id": None}, "id", "null"),
    ({**ACTIVITY, "name": "Fractions"}, "name", "not a property"),
    ({**ACTIVITY, "definition": "Fractions"}, "definition", "object"),
    ({**ACTIVITY, "definition": None}, "definition", "null"),
    (_defined(name="Fractions"), "definition.name", "language map"),
    (_defined(name={"e": "Fractions"}), "definition.name.e", "language tag"),
    (_defined(name={"en": []}), "definition.name.en", "string"),
    (_defined(description={"en US": "x"}), "definition.description.en US", "language tag"),
    (_defined(type="course"), "definition.type", "IRI"),
    (_defined(moreInfo="/more"), "definition.moreInfo", "IRI"),
    (_defined(title={"en": "x"}), "definition.title", "not a property"),
    (_defined(extensions=[]), "definition.extensions", "object"),
    (_defined(extensions={"points": 1}), "definition.extensions.points", "IRI"),
    (_defined(interactionType="Choice"), "definition.interactionType", "one of"),
    (_defined(interactionType=["choice"]), "definition.interactionType", "one of"),
    (_defined(correctResponsesPattern=["true"]), "definition.interactionType", "required beside"),
    (_defined(choices=[]), "definition.interactionType", "required beside"),
    (_defined(interactionType="numeric", choices=[]), "definition.choices", "does not belong"),
    (_defined(interactionType="likert", steps=[]), "definition.steps", "does not belong"),
    (_defined(interactionType="performance", scale=[]), "definition.scale", "does not belong"),
    (_defined(interactionType="choice", source=[]), "definition.source", "does not belong"),
    (_defined(interactionType="other", correctResponsesPattern="x"), "definition.correctResponsesPattern", "list"),
    (
        _defined(interactionType="fill-in", correctResponsesPattern=[1]),
        "definition.correctResponsesPattern[0]",
        "string",
    ),
    (_choice({"description": {"en": "x"}}), "definition.choices[0].id", "required"),
    (_choice({"id": 1}), "definition.choices[0].id", "string"),
    (_choice({"id": "a", "text": "x"}), "definition.choices[0].text", "not a property"),
    (_choice({"id": "a", "description": "x"}), "definition.choices[0].description", "language map"),
    (_choice({"id": "a"}, {"id": "a"}), "definition.choices", "of one id"),
    (_choice("a"), "definition.choices[0]", "object"),
]

# --- Results and scores (2.4.5) --------------------------------------------------------------------------------------------------------

RESULT_PLACES: dict[str, Place] = {"result": lambda it: _whole(result=it), "object.result": lambda it: _sub(result=it)}
RESULT_BREAKS: list[Break] = [
    ("passed", "", "object"),
    ({"score": 0.9}, "score", "object"),
    ({"score": {"scaled": 1.01}}, "score.scaled", "between -1 and 1"),
    ({"score": {"scaled": -1.01}}, "score.scaled", "between -1 and 1"),
    ({"score": {"scaled": "0.9"}}, "score.scaled", "number"),
    ({"score": {"scaled": True}}, "score.scaled", "number"),
    ({"score": {"raw": "7"}}, "score.raw", "number"),
    ({"score": {"raw": -1, "min": 0}}, "score.raw", "between min and max"),
    ({"score": {"raw": 11, "min": 0, "max": 10}}, "score.raw", "between min and max"),
    ({"score": {"min": 10, "max": 1}}, "score.min", "less than max"),
    ({"score": {"min": []}}, "score.min", "number"),
    ({"score": {"max": None}}, "score.max", "null"),
    ({"score": {"mean": 1}}, "score.mean", "not a property"),
    ({"success": "true"}, "success", "true or false"),
    ({"success": 1}, "success", "true or false"),
    ({"completion": "yes"}, "completion", "true or false"),
    ({"completion": None}, "completion", "null"),
    ({"response": 4}, "response", "string"),
    ({"response": ["a"]}, "response", "string"),
    ({"duration": "1 hour"}, "duration", "duration"),
    ({"duration": "PT"}, "duration", "duration"),
    ({"duration": "P"}, "duration", "duration"),
    ({"duration": "PT1.5H30M"}, "duration", "duration"),
    ({"duration": "P1W2D"}, "duration", "duration"),
    ({"duration": "-PT1H"}, "duration", "duration"),
    ({"duration": 3600}, "duration", "duration"),
    ({"extensions": "x"}, "extensions", "object"),
    ({"extensions": {"x": 1}}, "extensions.x", "IRI"),
    ({"grade": "A"}, "grade", "not a property"),
]

# --- Contexts (2.4.6) ------------------------------------------------------------------------------------------------------------------

CONTEXT_PLACES: dict[str, Place] = {
    "context": lambda it: _whole(context=it),
    "object.context": lambda it: _sub(context=it),
}
CONTEXT_BREAKS: list[Break] = [
    ([], "", "object"),
    ({"registration": None}, "registration", "null"),
    ({"team": agent()}, "team.objectType", "Group"),
    ({"revision": 2}, "revision", "string"),
    ({"platform": {}}, "platform", "string"),
    ({"language": "english language"}, "language", "language tag"),
    ({"language": "en_US"}, "language", "language tag"),
    ({"language": 1}, "language", "language tag"),
    ({"statement": ID}, "statement", "object"),
    ({"statement": {"objectType": "StatementRef"}}, "statement.id", "required"),
    ({"statement": {"id": ID}}, "statement.objectType", "required"),
    ({"statement": {"objectType": "statementref", "id": ID}}, "statement.objectType", "StatementRef"),
    ({"statement": {"objectType": "StatementRef", "id": "42"}}, "statement.id", "UUID"),
    ({"contextActivities": []}, "contextActivities", "object"),
    ({"contextActivities": {"Parent": []}}, "contextActivities.Parent", "not a property"),
    ({"contextActivities": {"parent": COURSE}}, "contextActivities.parent", "list"),
    ({"contextActivities": {"other": None}}, "contextActivities.other", "null"),
    ({"extensions": {"https://v.example/a b": 1}}, "extensions.https://v.example/a b", "IRI"),
    ({"extensions": 1}, "extensions", "object"),
    ({"mood": "good"}, "mood", "not a property"),
]
CONTEXT_BREAKS_1: list[Break] = [
    ({"contextAgents": []}, "contextAgents", "not a property"),
    ({"contextGroups": []}, "contextGroups", "not a property"),
]
_AGENT_AROUND = {"objectType": "contextAgent", "agent": agent()}
CONTEXT_BREAKS_2: list[Break] = [
    ({"contextAgents": {}}, "contextAgents", "list"),
    ({"contextAgents": [{"agent": agent()}]}, "contextAgents[0].objectType", "required"),
    ({"contextAgents": [{"objectType": "contextAgent"}]}, "contextAgents[0].agent", "required"),
    ({"contextAgents": [{**_AGENT_AROUND, "objectType": "Agent"}]}, "contextAgents[0].objectType", "contextAgent"),
    ({"contextAgents": [{**_AGENT_AROUND, "relevantTypes": []}]}, "contextAgents[0].relevantTypes", "not empty"),
    ({"contextAgents": [{**_AGENT_AROUND, "relevantTypes": ["x"]}]}, "contextAgents[0].relevantTypes[0]", "IRI"),
    ({"contextAgents": [{**_AGENT_AROUND, "relevantTypes": "x"}]}, "contextAgents[0].relevantTypes", "list"),
    ({"contextAgents": [{**_AGENT_AROUND, "why": "x"}]}, "contextAgents[0].why", "not a property"),
    ({"contextGroups": [{"objectType": "contextGroup"}]}, "contextGroups[0].group", "required"),
]

# --- Attachments (2.4.11) --------------------------------------------------------------------------------------------------------------

ATTACHED = {
    "usageType": "https://vendor.example/usage", "display": {"en": "Plan"}, "contentType": "text/plain", "length": 4,
    "sha2": "a" * 64, "fileUrl": "https://vendor.example/plan.txt",
}  # fmt: skip
ATTACHMENT_PLACES: dict[str, Place] = {
    "attachments[0]": lambda it: _whole(attachments=[it]),
    "attachments[1]": lambda it: _whole(attachments=[ATTACHED, it]),
    "object.attachments[0]": lambda it: _sub(attachments=[it]),
}
ATTACHMENT_BREAKS: list[Break] = [
    *(
        ({each: value for each, value in ATTACHED.items() if each != name}, name, "required")
        for name in ("usageType", "display", "contentType", "length", "sha2")
    ),
    ({**ATTACHED, "usageType": "usage"}, "usageType", "IRI"),
    ({**ATTACHED, "display": "Plan"}, "display", "language map"),
    ({**ATTACHED, "display": {"123456789": "Plan"}}, "display.123456789", "language tag"),
    ({**ATTACHED, "description": {"en": 1}}, "description.en", "string"),
    ({**ATTACHED, "contentType": "text"}, "contentType", "media type"),
    ({**ATTACHED, "contentType": 1}, "contentType", "media type"),
    ({**ATTACHED, "length": -1}, "length", "whole number"),
    ({**ATTACHED, "length": "4"}, "length", "whole number"),
    ({**ATTACHED, "length": 4.5}, "length", "whole number"),
    ({**ATTACHED, "length": True}, "length", "whole number"),
    ({**ATTACHED, "sha2": "a" * 63}, "sha2", "SHA-2"),
    ({**ATTACHED, "sha2": "z" * 64}, "sha2", "SHA-2"),
    ({**ATTACHED, "sha2": None}, "sha2", "null"),
    ({**ATTACHED, "fileUrl": "plan.txt"}, "fileUrl", "IRI"),
    ({**ATTACHED, "name": "plan.txt"}, "name", "not a property"),
    ("plan.txt", "", "object"),
]

# --- Statements (2.4) and sub-statements (2.4.4.3) -------------------------------------------------------------------------------------

_TIMES = (
    "yesterday", "2026-09-01", "2026-09-01T08:30:00-00:00", "2026-02-30T08:30:00Z", "2026-09-01T24:30:00Z", "2026-13-01T00:00:00Z",
    1788251400, "08:30:00Z", "2026-09-01T08:30:00+25:00Z",
)  # fmt: skip
TIME_PLACES: dict[str, Place] = {
    "timestamp": lambda it: _whole(timestamp=it),
    "stored": lambda it: _whole(stored=it),
    "object.timestamp": lambda it: _sub(timestamp=it),
}
TIME_BREAKS: list[Break] = [(each, "", "must") for each in _TIMES] + [(None, "", "null")]
ID_PLACES: dict[str, Place] = {
    "id": lambda it: _whole(id=it),
    "object.id": lambda it: _whole(object={"objectType": "StatementRef", "id": it}),
    "object.object.id": lambda it: _sub(object={"objectType": "StatementRef", "id": it}),
    "context.registration": lambda it: _whole(context={"registration": it}),
    "context.statement.id": lambda it: _whole(context={"statement": {"objectType": "StatementRef", "id": it}}),
}
ID_BREAKS: list[Break] = [
    (each, "", "UUID")
    for each in (
        "1", "", ID[:-1], ID + "0", ID.replace("-", ""), f"{{{ID}}}", f"urn:uuid:{ID}", ID.replace("9f5e", "cf5e"), 7, [],
        ID.replace("a", "g"),
    )
]  # fmt: skip
_INNER_SUB = {"objectType": "SubStatement", "actor": agent(), "verb": {"id": DID}, "object": ACTIVITY}
_THREE = _group(agent("a"), agent("b"), agent("c"))
OTHERS: list[tuple[dict[str, Any], str, str]] = [
    (_whole(actor=None), "actor", "required"),
    (_whole(verb=None), "verb", "required"),
    (_whole(object=None), "object", "required"),
    (_whole(title="x"), "title", "not a property"),
    (_whole(Actor=agent()), "Actor", "not a property"),
    (_whole(version="0.9"), "version", "begin with"),
    (_whole(version="3.0.0"), "version", "begin with"),
    (_whole(version=1.0), "version", "begin with"),
    (_whole(authority=_THREE), "authority", "two agents"),
    (_whole(authority=_group(agent("a"))), "authority", "two agents"),
    (_whole(authority=_group(agent("a"), agent("b"), mbox="mailto:t@v.example")), "authority", "two agents"),
    (_whole(attachments=ATTACHED), "attachments", "list"),
    (_whole(object="x"), "object", "object"),
    (_whole(object={"objectType": "Verb", "id": COURSE}), "object.objectType", "one of"),
    (_whole(object={"objectType": 1, "id": COURSE}), "object.objectType", "one of"),
    (_whole(object={"objectType": "StatementRef", "id": ID, "name": "x"}), "object.name", "not a property"),
    (_whole(verb={"id": VOIDED}), "object", "StatementRef"),
    (_whole(verb={"id": VOIDED}, object=agent()), "object", "StatementRef"),
    (_whole(verb={"id": VOIDED}, object=_INNER_SUB), "object", "StatementRef"),
    (_whole(object=agent(), context={"revision": "1"}), "context.revision", "object is an activity"),
    (_whole(object=agent(), context={"platform": "x"}), "context.platform", "object is an activity"),
    (_sub(object=agent(), context={"platform": "x"}), "object.context.platform", "object is an activity"),
    (_sub(actor=None), "object.actor", "required"),
    (_sub(verb=None), "object.verb", "required"),
    (_sub(object=None), "object.object", "required"),
    (_sub(id=ID), "object.id", "not a property"),
    (_sub(stored="2026-09-01T08:30:00Z"), "object.stored", "not a property"),
    (_sub(version="1.0.0"), "object.version", "not a property"),
    (_sub(authority=agent()), "object.authority", "not a property"),
    (_sub(object=_INNER_SUB), "object.object", "inside a SubStatement"),
    (_sub(object={"objectType": "Course", "id": COURSE}), "object.object.objectType", "one of"),
]  # fmt: skip

BOTH = [
    (AGENT_PLACES, AGENT_BREAKS), (GROUP_PLACES, GROUP_BREAKS), (VERB_PLACES, VERB_BREAKS), (ACTIVITY_PLACES, ACTIVITY_BREAKS),
    (RESULT_PLACES, RESULT_BREAKS), (CONTEXT_PLACES, CONTEXT_BREAKS), (ATTACHMENT_PLACES, ATTACHMENT_BREAKS),
    (TIME_PLACES, TIME_BREAKS), (ID_PLACES, ID_BREAKS),
]  # fmt: skip
ONLY = {
    1: [(CONTEXT_PLACES, CONTEXT_BREAKS_1)],
    2: [(AGENT_PLACES_2, AGENT_BREAKS), (GROUP_PLACES_2, GROUP_BREAKS), ({"context": CONTEXT_PLACES["context"]}, CONTEXT_BREAKS_2)],
}  # fmt: skip


def all_broken(major: int) -> Iterator[Broken]:
    """Every statement of the table for a version."""
    for places, breaks in (*BOTH, *ONLY[major]):
        for place, make in places.items():
            for value, under, rule in breaks:
                body = _with_null(make, value)
                joint = "" if not under or under.startswith("[") else "."
                yield Broken(body, f"{place}{joint}{under}", rule, major)
    for body, path, rule in OTHERS:
        yield Broken(body, path, rule, major)


def _with_null(make: Place, value: Any) -> dict[str, Any]:
    """`statement` leaves out what is None; here a null is meant."""
    if value is not None:
        return make(value)
    marked = make("\0null")
    waiting: list[Any] = [marked]
    while waiting:
        each = waiting.pop()
        for name, inner in list(each.items() if isinstance(each, dict) else enumerate(each)):
            if inner == "\0null":
                each[name] = None
            elif isinstance(inner, (dict, list)):
                waiting.append(inner)
    return marked
