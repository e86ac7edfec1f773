"""Is this a valid xAPI 1.0.3 statement? Written from the specification (adlnet/xAPI-Spec, xAPI-Data.md); answers with all problems.

    >>> problems_in({"verb": {"id": "running"}})
    [Problem("actor", "…"), Problem("verb.id", "…"), Problem("object", "…")]

Checks shape alone: what the specification says an LRS must refuse. Whether a statement may be stored (an id that exists, a voiding
of what is no statement's) is not a question of shape. Numbers in brackets are sections of the specification.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeGuard

VOIDED = "http://adlnet.gov/expapi/verbs/voided"


@dataclass(frozen=True)
class Problem:
    """One rule that a statement breaks, and where: `path` as in `object.definition.name`, empty for the whole."""

    path: str
    rule: str

    def __str__(self) -> str:
        return f"{self.path or 'statement'}: {self.rule}"


type Problems = Iterator[Problem]
type Check = Callable[[Any, str], Problems]


def problems_in(statement: Any) -> list[Problem]:
    """Every rule that a statement breaks, in the order of its properties; empty for a valid statement."""
    return list(_statement(statement, "", is_sub=False))


def is_valid(statement: Any) -> bool:
    return next(_statement(statement, "", is_sub=False), None) is None


# --- Formats -------------------------------------------------------------------------------------------------------------------

# 4.3: an IRI has a scheme, and none of the characters that RFC 3987 leaves out.
_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\x00-\x20<>\"{}|\\^`\x7f]+")
_MAILTO = re.compile(r"mailto:[^\s@<>\"]+@[^\s@<>\"]+")
_SHA1 = re.compile(r"[0-9a-fA-F]{40}")
_SHA2 = re.compile(r"[0-9a-fA-F]{56}|[0-9a-fA-F]{64}|[0-9a-fA-F]{96}|[0-9a-fA-F]{128}")
# 2.4.1: variant 2 of RFC 4122, in its usual written form.
_UUID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}")
_VERSION = re.compile(r"1\.0(\.[0-9]+([-+][0-9A-Za-z.-]+)?)?")
_MEDIA_TYPE = re.compile(r"[\w!#$&^.+-]+/[\w!#$&^.+-]+(\s*;\s*[\w!#$&^.+-]+=(\"[^\"]*\"|[\w!#$&^.+:-]+))*")
# 4.6: ISO 8601:2004, 4.4.3.2; weeks stand alone; the last part alone may have a fraction.
_DURATION = re.compile(
    r"P(?=\d|T\d)(?:\d+(?:[.,]\d+)?W|"
    r"(?:\d+(?:[.,]\d+(?=Y$))?Y)?(?:\d+(?:[.,]\d+(?=M$))?M)?(?:\d+(?:[.,]\d+(?=D$))?D)?"
    r"(?:T(?=\d)(?:\d+(?:[.,]\d+(?=H$))?H)?(?:\d+(?:[.,]\d+(?=M$))?M)?(?:\d+(?:[.,]\d+)?S)?)?)"
)
# 4.5: ISO 8601; RFC 3339 is recommended, an offset is not required, and "-00:00" (no known offset) is refused.
_TIMESTAMP = re.compile(
    r"(?P<date>\d{4}-\d{2}-\d{2})[Tt ](?P<time>\d{2}:\d{2}(:\d{2})?)(?P<fraction>[.,]\d+)?"
    r"(?P<zone>[Zz]|[+-]\d{2}(:?\d{2})?)?"
)
# RFC 5646, 2.1: the lengths of the parts; private use ("x-…") and the grandfathered "i-…" too.
_LANGUAGE = re.compile(
    r"(?:[A-Za-z]{2,3}(?:-[A-Za-z]{3}){0,3}|[A-Za-z]{4}|[A-Za-z]{5,8})(?:-[A-Za-z]{4})?(?:-(?:[A-Za-z]{2}|[0-9]{3}))?"
    r"(?:-(?:[A-Za-z0-9]{5,8}|[0-9][A-Za-z0-9]{3}))*(?:-[0-9A-WY-Za-wy-z](?:-[A-Za-z0-9]{2,8})+)*"
    r"(?:-[xX](?:-[A-Za-z0-9]{1,8})+)?|[xX](?:-[A-Za-z0-9]{1,8})+|[iI](?:-[A-Za-z0-9]{2,8})+"
)


def _format(pattern: re.Pattern[str], rule: str) -> Check:
    def check(value: Any, path: str) -> Problems:
        if not isinstance(value, str) or not pattern.fullmatch(value):
            yield Problem(path, rule)

    return check


_iri = _format(_IRI, "must be an IRI with a scheme (4.3)")
_uuid = _format(_UUID, "must be a UUID in its standard written form (4.4)")
_mailto = _format(_MAILTO, "must be “mailto:” and an e-mail address (2.4.2.3)")
_sha1 = _format(_SHA1, "must be a SHA-1 hash in 40 hexadecimal digits (2.4.2.3)")
_sha2 = _format(_SHA2, "must be a SHA-2 hash in hexadecimal digits (2.4.11)")
_duration = _format(_DURATION, "must be an ISO 8601 duration such as PT1H30M (4.6)")
_version = _format(_VERSION, "must begin with “1.0.” (2.4.10)")
_language = _format(_LANGUAGE, "must be a language tag of RFC 5646 (4.2)")
_media_type = _format(_MEDIA_TYPE, "must be an internet media type (2.4.11)")


def _string(value: Any, path: str) -> Problems:
    if not isinstance(value, str):
        yield Problem(path, "must be a string (2.2)")


def _full_string(value: Any, path: str) -> Problems:
    if not isinstance(value, str) or not value:
        yield Problem(path, "must be a string that is not empty (2.2)")


def _boolean(value: Any, path: str) -> Problems:
    if not isinstance(value, bool):
        yield Problem(path, "must be true or false (2.2)")


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _number(value: Any, path: str) -> Problems:
    if not _is_number(value):
        yield Problem(path, "must be a number (2.2)")


def _length(value: Any, path: str) -> Problems:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        yield Problem(path, "must be a whole number of bytes (2.4.11)")


def _timestamp(value: Any, path: str) -> Problems:
    found = _TIMESTAMP.fullmatch(value) if isinstance(value, str) else None
    if not found:
        yield Problem(path, "must be an ISO 8601 date and time such as 2026-09-01T08:30:00Z (4.5)")
        return
    zone = found["zone"] or ""
    if zone.startswith("-") and not zone.strip("-0:"):
        yield Problem(path, "must not have the offset -00:00 (4.5)")
    elif not _is_real(found["date"], found["time"], zone):
        yield Problem(path, "must be a date and time that exist (4.5)")


def _is_real(day: str, time: str, zone: str) -> bool:
    """Whether there is such a moment; a leap second counts as the second before it."""
    full = time if time.count(":") == 2 else f"{time}:00"
    offset = "" if zone in ("", "Z", "z") else f"{zone}:00" if len(zone) == 3 else zone
    try:
        datetime.fromisoformat(f"{day}T{full[:-2]}59{offset}" if full.endswith(":60") else f"{day}T{full}{offset}")
    except ValueError:
        return False
    return True


# --- Objects of known properties -------------------------------------------------------------------------------------------------


def _at(path: str, name: object) -> str:
    return f"{path}.{name}" if path else str(name)


def _is_object(value: Any) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)


def _properties(
    value: dict[str, Any], path: str, known: Mapping[str, Check], required: Collection[str] = ()
) -> Problems:
    """Check each property by its rule; name those that are missing, empty (null) or not known to the specification."""
    for name in required:
        if name not in value:
            yield Problem(_at(path, name), "is required")
    for name, each in value.items():
        where = _at(path, name)
        if name not in known:
            yield Problem(where, "is not a property that the specification allows here (2.2)")
        elif each is None:
            yield Problem(where, "must not be null (2.2)")
        else:
            yield from known[name](each, where)


def _object(known: Mapping[str, Check], required: Collection[str] = ()) -> Check:
    def check(value: Any, path: str) -> Problems:
        if not _is_object(value):
            yield Problem(path, "must be an object (2.2)")
        else:
            yield from _properties(value, path, known, required)

    return check


def _list_of(check: Check) -> Check:
    def checked(value: Any, path: str) -> Problems:
        if not isinstance(value, list):
            yield Problem(path, "must be a list (2.2)")
            return
        for number, each in enumerate(value):
            yield from check(each, f"{path}[{number}]")

    return checked


def _exactly(word: str) -> Check:
    def check(value: Any, path: str) -> Problems:
        if value != word:
            yield Problem(path, f"must be “{word}”")

    return check


def _language_map(value: Any, path: str) -> Problems:
    if not _is_object(value):
        yield Problem(path, "must be a language map (4.2)")
        return
    for tag, text in value.items():
        yield from _language(tag, _at(path, tag))
        yield from _string(text, _at(path, tag))


def _extensions(value: Any, path: str) -> Problems:
    """4.1: keys are IRIs; values are anything, null included."""
    if not _is_object(value):
        yield Problem(path, "must be an object (4.1)")
        return
    for key in value:
        yield from _iri(key, _at(path, key))


# --- Agents and groups (2.4.2) ---------------------------------------------------------------------------------------------------

_account = _object({"homePage": _iri, "name": _full_string}, required=("homePage", "name"))
_IDENTIFIERS: dict[str, Check] = {"mbox": _mailto, "mbox_sha1sum": _sha1, "openid": _iri, "account": _account}


def _agent(value: Any, path: str) -> Problems:
    known = {"objectType": _exactly("Agent"), "name": _string, **_IDENTIFIERS}
    if not _is_object(value):
        yield Problem(path, "must be an agent (2.4.2.1)")
        return
    yield from _properties(value, path, known)
    if _identifier_count(value) != 1:
        yield Problem(path, "must have exactly one of mbox, mbox_sha1sum, openid and account (2.4.2.1)")


def _group(value: Any, path: str) -> Problems:
    known = {"objectType": _exactly("Group"), "name": _string, "member": _list_of(_agent), **_IDENTIFIERS}
    if not _is_object(value):
        yield Problem(path, "must be a group (2.4.2.2)")
        return
    yield from _properties(value, path, known, required=("objectType",))
    identifiers = _identifier_count(value)
    if identifiers > 1:
        yield Problem(path, "must not have more than one of mbox, mbox_sha1sum, openid and account (2.4.2.2)")
    if not identifiers and not value.get("member"):
        yield Problem(path, "without an identifier must list its members (2.4.2.2)")


def _identifier_count(value: dict[str, Any]) -> int:
    return sum(name in value for name in _IDENTIFIERS)


def _agent_or_group(value: Any, path: str) -> Problems:
    is_group = _is_object(value) and value.get("objectType") == "Group"
    return _group(value, path) if is_group else _agent(value, path)


def _authority(value: Any, path: str) -> Problems:
    """2.4.9: an agent, or a group of two agents without identifier: the application and its user."""
    yield from _agent_or_group(value, path)
    if _is_object(value) and value.get("objectType") == "Group":
        members = value.get("member")
        if _identifier_count(value) or not isinstance(members, list) or len(members) != 2:
            yield Problem(path, "as a group must be two agents and no identifier (2.4.9)")


# --- Verb (2.4.3) ------------------------------------------------------------------------------------------------------------------

_verb = _object({"id": _iri, "display": _language_map}, required=("id",))

# --- Activities and interactions (2.4.4.1) -----------------------------------------------------------------------------------------

_COMPONENTS: dict[str, tuple[str, ...]] = {
    "true-false": (), "choice": ("choices",), "fill-in": (), "long-fill-in": (), "matching": ("source", "target"),
    "performance": ("steps",), "sequencing": ("choices",), "likert": ("scale",), "numeric": (), "other": (),
}  # fmt: skip
_COMPONENT_LISTS = ("choices", "scale", "source", "target", "steps")
_component = _object({"id": _full_string, "description": _language_map}, required=("id",))


def _interaction_type(value: Any, path: str) -> Problems:
    if not isinstance(value, str) or value not in _COMPONENTS:
        yield Problem(path, f"must be one of {', '.join(_COMPONENTS)} (2.4.4.1)")


def _components(value: Any, path: str) -> Problems:
    yield from _list_of(_component)(value, path)
    if isinstance(value, list):
        names = [each.get("id") for each in value if _is_object(each) and isinstance(each.get("id"), str)]
        if len(names) != len(set(names)):
            yield Problem(path, "must not have two components of one id (2.4.4.1)")


def _definition(value: Any, path: str) -> Problems:
    known: dict[str, Check] = {
        "name": _language_map, "description": _language_map, "type": _iri, "moreInfo": _iri, "extensions": _extensions,
        "interactionType": _interaction_type, "correctResponsesPattern": _list_of(_string),
        **dict.fromkeys(_COMPONENT_LISTS, _components),
    }  # fmt: skip
    if not _is_object(value):
        yield Problem(path, "must be an object (2.4.4.1)")
        return
    yield from _properties(value, path, known)
    yield from _interaction(value, path)


def _interaction(value: dict[str, Any], path: str) -> Problems:
    """Properties of an interaction need an interaction type, and the lists of components the type that has them."""
    kind = value.get("interactionType")
    used = [name for name in (*_COMPONENT_LISTS, "correctResponsesPattern") if name in value]
    if kind is None and used:
        yield Problem(_at(path, "interactionType"), f"is required beside {', '.join(used)} (2.4.4.1)")
    if isinstance(kind, str) and kind in _COMPONENTS:
        for name in used:
            if name != "correctResponsesPattern" and name not in _COMPONENTS[kind]:
                yield Problem(_at(path, name), f"does not belong to the interaction type {kind} (2.4.4.1)")


_activity = _object({"objectType": _exactly("Activity"), "id": _iri, "definition": _definition}, required=("id",))
_reference = _object({"objectType": _exactly("StatementRef"), "id": _uuid}, required=("objectType", "id"))

# --- Result (2.4.5) ----------------------------------------------------------------------------------------------------------------


def _score(value: Any, path: str) -> Problems:
    known = dict.fromkeys(("scaled", "raw", "min", "max"), _number)
    if not _is_object(value):
        yield Problem(path, "must be an object (2.4.5.1)")
        return
    yield from _properties(value, path, known)
    scaled, raw, low, high = (value.get(name) if _is_number(value.get(name)) else None for name in known)
    if scaled is not None and not -1 <= scaled <= 1:
        yield Problem(_at(path, "scaled"), "must be between -1 and 1 (2.4.5.1)")
    if low is not None and high is not None and low >= high:
        yield Problem(_at(path, "min"), "must be less than max (2.4.5.1)")
    if raw is not None and ((low is not None and raw < low) or (high is not None and raw > high)):
        yield Problem(_at(path, "raw"), "must lie between min and max (2.4.5.1)")


_result = _object(
    {
        "score": _score, "success": _boolean, "completion": _boolean, "response": _string, "duration": _duration,
        "extensions": _extensions,
    }
)  # fmt: skip

# --- Context (2.4.6) ---------------------------------------------------------------------------------------------------------------


def _activities(value: Any, path: str) -> Problems:
    """One activity, as versions before 1.0 wrote it, or a list."""
    return _activity(value, path) if _is_object(value) else _list_of(_activity)(value, path)


_context = _object(
    {
        "registration": _uuid, "instructor": _agent_or_group, "team": _group, "revision": _string, "platform": _string,
        "contextActivities": _object(dict.fromkeys(("parent", "grouping", "category", "other"), _activities)),
        "language": _language, "statement": _reference, "extensions": _extensions,
    }
)  # fmt: skip

# --- Attachments (2.4.11) ----------------------------------------------------------------------------------------------------------

_attachment = _object(
    {
        "usageType": _iri, "display": _language_map, "description": _language_map, "contentType": _media_type,
        "length": _length, "sha2": _sha2, "fileUrl": _iri,
    },
    required=("usageType", "display", "contentType", "length", "sha2"),
)  # fmt: skip

# --- The statement (2.4) -----------------------------------------------------------------------------------------------------------


def _sub_statement(value: Any, path: str) -> Problems:
    return _statement(value, path, is_sub=True)


_OBJECTS: dict[str, Check] = {
    "Activity": _activity, "Agent": _agent, "Group": _group, "StatementRef": _reference, "SubStatement": _sub_statement,
}  # fmt: skip


def _thing(is_sub: bool) -> Check:
    def check(value: Any, path: str) -> Problems:
        if not _is_object(value):
            yield Problem(path, "must be an object (2.4.4)")
            return
        kind = value.get("objectType", "Activity")
        if not isinstance(kind, str) or kind not in _OBJECTS:
            yield Problem(_at(path, "objectType"), f"must be one of {', '.join(_OBJECTS)} (2.4.4)")
        elif is_sub and kind == "SubStatement":
            yield Problem(path, "must not be a SubStatement inside a SubStatement (2.4.4.3)")
        else:
            yield from _OBJECTS[kind](value, path)

    return check


_PARTS: dict[str, Check] = {
    "actor": _agent_or_group, "verb": _verb, "object": _thing(is_sub=False), "result": _result, "context": _context,
    "timestamp": _timestamp, "attachments": _list_of(_attachment),
}  # fmt: skip
_WHOLE: dict[str, Check] = {"id": _uuid, **_PARTS, "stored": _timestamp, "authority": _authority, "version": _version}
_SUB: dict[str, Check] = {"objectType": _exactly("SubStatement"), **_PARTS, "object": _thing(is_sub=True)}


def _statement(value: Any, path: str, *, is_sub: bool) -> Problems:
    if not _is_object(value):
        yield Problem(path, "must be an object (2.2)")
        return
    yield from _properties(value, path, _SUB if is_sub else _WHOLE, required=("actor", "verb", "object"))
    yield from _across(value, path, is_sub)


def _across(value: dict[str, Any], path: str, is_sub: bool) -> Problems:
    """Rules between the properties: what a voiding refers to, and what is only said about activities."""
    thing, verb, context = value.get("object"), value.get("verb"), value.get("context")
    kind = thing.get("objectType", "Activity") if _is_object(thing) else None
    if not is_sub and _is_object(verb) and verb.get("id") == VOIDED and kind != "StatementRef":
        yield Problem(_at(path, "object"), "of a voiding must be a StatementRef (2.3.2)")
    if _is_object(context) and kind is not None and kind != "Activity":
        for name in ("revision", "platform"):
            if name in context:
                yield Problem(_at(path, f"context.{name}"), "is only used when the object is an activity (2.4.6)")
