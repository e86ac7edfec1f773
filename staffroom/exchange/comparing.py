"""Do two statements say the same? (Data 2.3.1 and 4.6: what a store adds, and what may come out differently, does not count.)"""

from __future__ import annotations

import re
from typing import Any

_ADDED = ("id", "stored", "authority", "version", "timestamp", "attachments")
_SECONDS = re.compile(r"(\d+[.,]\d{2})\d*S$")


def says_the_same(kept: dict[str, Any], told: dict[str, Any]) -> bool:
    """Whether a statement that came says what the kept one says."""
    if (
        "timestamp" in told
        and "timestamp" in kept
        and told["timestamp"] != kept["timestamp"]
        and not _is_same_moment(kept, told)
    ):
        return False
    return _bare(kept) == _bare(told)


def _is_same_moment(kept: dict[str, Any], told: dict[str, Any]) -> bool:
    from staffroom.records.validation import moment

    one, other = moment(kept["timestamp"]), moment(told["timestamp"])
    return one is not None and other is not None and (one.tzinfo is None) == (other.tzinfo is None) and one == other


def _bare(statement: dict[str, Any]) -> dict[str, Any]:
    """What it says: without what the store adds, and without names that may differ between tellings."""
    return {name: _part(name, value) for name, value in statement.items() if name not in _ADDED}


def _part(name: str, value: Any) -> Any:
    match name:
        case "actor" | "instructor" | "team" | "agent" | "group":
            return _agent(value)
        case "verb":
            return {"id": value["id"]}
        case "object":
            return _thing(value)
        case "result":
            return {key: _duration(each) if key == "duration" else each for key, each in value.items()}
        case "context":
            return {key: _context_part(key, each) for key, each in value.items()}
        case _:
            return value


def _context_part(name: str, value: Any) -> Any:
    if name in ("instructor", "team"):
        return _agent(value)
    if name == "contextActivities":
        return {
            key: sorted(each["id"] for each in (found if isinstance(found, list) else [found]))
            for key, found in value.items()
        }
    return value


def _thing(value: dict[str, Any]) -> Any:
    match value.get("objectType", "Activity"):
        case "Activity":
            return {"id": value["id"]}
        case "Agent" | "Group":
            return _agent(value)
        case "SubStatement":
            return {name: _part(name, each) for name, each in value.items() if name != "attachments"}
        case _:
            return value


def _agent(value: dict[str, Any]) -> Any:
    """An agent without its name; the members of a group in no order."""
    bare = {name: each for name, each in value.items() if name not in ("name", "objectType", "member")}
    if value.get("objectType") == "Group":
        bare["members"] = sorted(str(sorted(_agent(each).items())) for each in value.get("member", ()))
    return bare


def _duration(told: str) -> str:
    """To a hundredth of a second: further digits do not count."""
    return _SECONDS.sub(lambda found: f"{found[1]}S", told)
