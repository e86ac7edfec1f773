"""The parts of a statement, from the inside out: agents, verb, activities, result, context, attachments, the statement itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from staffroom.records.validation import formats as of
from staffroom.records.validation.checks import (
    Check,
    Found,
    Problem,
    at,
    exactly,
    list_of,
    map_of,
    object_of,
    refuse,
    remembered,
)

VOIDED = "http://adlnet.gov/expapi/verbs/voided"

language_map = map_of(of.language, of.string, "must be a language map (4.2)")
# 4.1: keys are IRIs; values are anything, null included.
extensions = map_of(of.iri, None, "must be an object (4.1)")

# --- Agents and groups (2.4.2) ---------------------------------------------------------------------------------------------------

account = object_of({"homePage": of.iri, "name": of.full_string}, required=("homePage", "name"))
IDENTIFIERS: dict[str, Check] = {
    "mbox": of.mailto, "mbox_sha1sum": of.sha1, "openid": of.iri, "account": account,
}  # fmt: skip
_NOT_ONE = refuse("must have exactly one of mbox, mbox_sha1sum, openid and account (2.4.2.1)")
_TOO_MANY = refuse("must not have more than one of mbox, mbox_sha1sum, openid and account (2.4.2.2)")
_GROUP_INSIDE = refuse("must be an agent: a group has no groups as members (2.4.2.2)")
_NO_MEMBERS = refuse("without an identifier must list its members (2.4.2.2)")
_WRONG_AUTHORITY = refuse("as a group must be two agents and no identifier (2.4.9)")


def identifier_count(value: dict[str, Any]) -> int:
    return ("mbox" in value) + ("mbox_sha1sum" in value) + ("openid" in value) + ("account" in value)


def _one_identifier(value: Any) -> Found:
    return None if identifier_count(value) == 1 else _NOT_ONE


def _group_identifier(value: Any) -> Found:
    count = identifier_count(value)
    if count > 1:
        return _TOO_MANY
    return None if count or value.get("member") else _NO_MEMBERS


agent = remembered(object_of(
    {"objectType": exactly("Agent"), "name": of.string, **IDENTIFIERS}, across=_one_identifier,
    rule="must be an agent (2.4.2.1)",
))  # fmt: skip


def _member(value: Any) -> Found:
    return _GROUP_INSIDE if isinstance(value, dict) and value.get("objectType") == "Group" else agent(value)


group = object_of(
    {"objectType": exactly("Group"), "name": of.string, "member": list_of(_member), **IDENTIFIERS},
    required=("objectType",), across=_group_identifier, rule="must be a group (2.4.2.2)",
)  # fmt: skip


def agent_or_group(value: Any) -> Found:
    return group(value) if isinstance(value, dict) and value.get("objectType") == "Group" else agent(value)


def authority(value: Any) -> Found:
    """2.4.9: an agent, or a group of two agents without identifier: the application and its user."""
    if not isinstance(value, dict) or value.get("objectType") != "Group":
        return agent(value)
    members = value.get("member")
    if identifier_count(value) or not isinstance(members, list) or len(members) != 2:
        return _WRONG_AUTHORITY
    return group(value)


# --- Verb (2.4.3), activities and interactions (2.4.4.1) ---------------------------------------------------------------------------

verb = remembered(object_of({"id": of.iri, "display": language_map}, required=("id",)))

_COMPONENTS: dict[str, tuple[str, ...]] = {
    "true-false": (), "choice": ("choices",), "fill-in": (), "long-fill-in": (), "matching": ("source", "target"),
    "performance": ("steps",), "sequencing": ("choices",), "likert": ("scale",), "numeric": (), "other": (),
}  # fmt: skip
_COMPONENT_LISTS = ("choices", "scale", "source", "target", "steps")
_INTERACTION = {*_COMPONENT_LISTS, "correctResponsesPattern"}
_component_list = list_of(object_of({"id": of.full_string, "description": language_map}, required=("id",)))
_NO_INTERACTION_TYPE = refuse(f"must be one of {', '.join(_COMPONENTS)} (2.4.4.1)")
_TWICE = refuse("must not have two components of one id (2.4.4.1)")


def _interaction_type(value: Any) -> Found:
    return None if isinstance(value, str) and value in _COMPONENTS else _NO_INTERACTION_TYPE


def _components(value: Any) -> Found:
    if wrong := _component_list(value):
        return wrong
    names = [each["id"] for each in value]
    return None if len(names) == len(set(names)) else _TWICE


def _interaction(value: Any) -> Found:
    """Properties of an interaction need an interaction type, and the lists of components the type that has them."""
    if _INTERACTION.isdisjoint(value):
        return None
    kind = value.get("interactionType")
    used = [name for name in value if name in _INTERACTION]
    if kind is None:
        return [Problem("interactionType", f"is required beside {', '.join(used)} (2.4.4.1)")]
    if not isinstance(kind, str) or kind not in _COMPONENTS:
        return None  # told already
    return [
        Problem(name, f"does not belong to the interaction type {kind} (2.4.4.1)")
        for name in used
        if name != "correctResponsesPattern" and name not in _COMPONENTS[kind]
    ] or None


definition = object_of(
    {
        "name": language_map, "description": language_map, "type": of.iri, "moreInfo": of.iri, "extensions": extensions,
        "interactionType": _interaction_type, "correctResponsesPattern": list_of(of.string),
        **dict.fromkeys(_COMPONENT_LISTS, _components),
    },
    across=_interaction, rule="must be an object (2.4.4.1)",
)  # fmt: skip
activity = remembered(
    object_of({"objectType": exactly("Activity"), "id": of.iri, "definition": definition}, required=("id",))
)
reference = object_of({"objectType": exactly("StatementRef"), "id": of.uuid}, required=("objectType", "id"))

# --- Result (2.4.5) ----------------------------------------------------------------------------------------------------------------


def _score_fits(value: Any) -> Found:
    scaled, raw, low, high = (
        each if of.is_number(each := value.get(name)) else None for name in ("scaled", "raw", "min", "max")
    )
    found: list[Problem] = []
    if scaled is not None and not -1 <= scaled <= 1:
        found += refuse("must be between -1 and 1 (2.4.5.1)", "scaled")
    if low is not None and high is not None and low >= high:
        found += refuse("must be less than max (2.4.5.1)", "min")
    if raw is not None and ((low is not None and raw < low) or (high is not None and raw > high)):
        found += refuse("must lie between min and max (2.4.5.1)", "raw")
    return found or None


score = remembered(
    object_of(
        dict.fromkeys(("scaled", "raw", "min", "max"), of.number),
        across=_score_fits,
        rule="must be an object (2.4.5.1)",
    )
)
result = object_of(
    {
        "score": score, "success": of.boolean, "completion": of.boolean, "response": of.string, "duration": of.duration,
        "extensions": extensions,
    }
)  # fmt: skip

# --- Context (2.4.6) ---------------------------------------------------------------------------------------------------------------

_activity_list = list_of(activity)


def _activities(value: Any) -> Found:
    """A list, or a single activity as older versions had it."""
    return activity(value) if isinstance(value, dict) else _activity_list(value)


_CONTEXT: dict[str, Check] = {
    "registration": of.uuid, "instructor": agent_or_group, "team": group, "revision": of.string, "platform": of.string,
    "contextActivities": remembered(object_of(dict.fromkeys(("parent", "grouping", "category", "other"), _activities))),
    "language": of.language, "statement": reference, "extensions": extensions,
}  # fmt: skip
_relevant = list_of(of.iri, rule="must be a list of IRIs that is not empty (IEEE 9274.1.1, 4.2.2.5)", is_filled=True)
# New in 2.0: people around the deed, with what they were there.
_AROUND: dict[str, Check] = {
    "contextAgents": list_of(object_of(
        {"objectType": exactly("contextAgent"), "agent": agent, "relevantTypes": _relevant}, required=("objectType", "agent")
    )),
    "contextGroups": list_of(object_of(
        {"objectType": exactly("contextGroup"), "group": group, "relevantTypes": _relevant}, required=("objectType", "group")
    )),
}  # fmt: skip

attachment = object_of(
    {
        "usageType": of.iri, "display": language_map, "description": language_map, "contentType": of.media_type,
        "length": of.length, "sha2": of.sha2, "fileUrl": of.iri,
    },
    required=("usageType", "display", "contentType", "length", "sha2"),
)  # fmt: skip

# --- The statement (2.4) -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Rules:
    """The checks of one version."""

    statement: Check
    agent_or_group: Check
    activity: Check


def rules_of(major: int) -> Rules:
    """The rules of xAPI 1.0.3 (1) or 2.0 (2)."""
    context = object_of(_CONTEXT if major == 1 else {**_CONTEXT, **_AROUND})
    parts: dict[str, Check] = {
        "actor": agent_or_group, "verb": verb, "result": result, "context": context, "timestamp": of.timestamp,
        "attachments": list_of(attachment),
    }  # fmt: skip
    kinds: dict[str, Check] = {"Activity": activity, "Agent": agent, "Group": group, "StatementRef": reference}
    sub = object_of(
        {"objectType": exactly("SubStatement"), **parts, "object": _thing(kinds, inside_sub=True)},
        required=("actor", "verb", "object"), across=_about_activities,
    )  # fmt: skip
    whole = {
        "id": of.uuid, **parts, "object": _thing({**kinds, "SubStatement": sub}), "stored": of.timestamp,
        "authority": authority, "version": of.version_1 if major == 1 else of.version_2,
    }  # fmt: skip
    return Rules(
        statement=object_of(whole, required=("actor", "verb", "object"), across=_across),
        agent_or_group=agent_or_group,
        activity=activity,
    )


def _thing(kinds: dict[str, Check], *, inside_sub: bool = False) -> Check:
    names = ", ".join((*kinds, "SubStatement") if inside_sub else kinds)
    no_object, unknown = refuse("must be an object (2.4.4)"), refuse(f"must be one of {names} (2.4.4)", "objectType")
    nested = refuse("must not be a SubStatement inside a SubStatement (2.4.4.3)")

    def check(value: Any) -> Found:
        if not isinstance(value, dict):
            return no_object
        kind = value.get("objectType", "Activity")
        if inside_sub and kind == "SubStatement":
            return nested
        test = kinds.get(kind) if isinstance(kind, str) else None
        return test(value) if test else unknown

    return check


def _about_activities(value: Any) -> Found:
    """What is only said about activities."""
    thing, context = value.get("object"), value.get("context")
    if (
        not isinstance(thing, dict)
        or not isinstance(context, dict)
        or thing.get("objectType", "Activity") == "Activity"
    ):
        return None
    return [
        Problem(f"context.{name}", "is only used when the object is an activity (2.4.6)")
        for name in ("revision", "platform")
        if name in context
    ] or None


def _across(value: Any) -> Found:
    """Rules between the properties: what a voiding refers to, and what is only said about activities."""
    found = _about_activities(value)
    is_voiding = isinstance(value.get("verb"), dict) and value["verb"].get("id") == VOIDED
    thing = value.get("object")
    if is_voiding and isinstance(thing, dict) and thing.get("objectType", "Activity") != "StatementRef":
        found = (found or []) + at("object", refuse("of a voiding must be a StatementRef (2.3.2)"))
    return found
