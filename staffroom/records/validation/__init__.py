"""Is this a valid xAPI statement? Written from the specifications (1.0.3: adlnet/xAPI-Spec, xAPI-Data.md; 2.0: IEEE 9274.1.1).

    >>> problems_in({"verb": {"id": "running"}})
    [Problem("actor", "is required"), Problem("object", "is required"), Problem("verb.id", "must be an IRI …")]

Checks shape alone: what the specification says an LRS must refuse. Whether a statement may be stored (an id that exists, a voiding
of what is no statement's) is not a question of shape. Numbers in brackets are sections of the specification.
"""

from __future__ import annotations

from typing import Any

from staffroom.records.validation.checks import Problem
from staffroom.records.validation.formats import moment
from staffroom.records.validation.parts import VOIDED, rules_of

__all__ = ["VOIDED", "Problem", "is_valid", "moment", "problems_in", "problems_in_activity", "problems_in_agent"]

_STATEMENTS = {major: rules_of(major) for major in (1, 2)}


def problems_in(statement: Any, major: int = 1) -> list[Problem]:
    """Every rule of xAPI 1.0.3 (`major` 1) or 2.0 (2) that a statement breaks; empty for a valid statement."""
    return _STATEMENTS[major].statement(statement) or []


def is_valid(statement: Any, major: int = 1) -> bool:
    return not _STATEMENTS[major].statement(statement)


def problems_in_agent(agent: Any) -> list[Problem]:
    """The same for an agent or identified group on its own, as in the parameters of requests."""
    return _STATEMENTS[1].agent_or_group(agent) or []


def problems_in_activity(activity: Any) -> list[Problem]:
    """The same for an activity on its own."""
    return _STATEMENTS[1].activity(activity) or []
