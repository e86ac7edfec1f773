"""How rules are put together: a check looks at a value and answers with the problems that it found, or None.

A check knows nothing of where its value stands: whoever calls it for a property puts the property's name before the paths of the
problems. So a valid statement, the common case, costs neither a path nor a list.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

MOST_REMEMBERED = 20_000
LONGEST_REMEMBERED = 800


@dataclass(frozen=True)
class Problem:
    """One rule that a statement breaks, and where: `path` as in `object.definition.name`, empty for the whole."""

    path: str
    rule: str

    def __str__(self) -> str:
        return f"{self.path or 'statement'}: {self.rule}"


type Found = list[Problem] | None
type Check = Callable[[Any], Found]


def at(name: object, found: list[Problem]) -> list[Problem]:
    """The same problems, seen from the object that has the property."""
    return [
        Problem(f"{name}{'' if not each.path or each.path[0] == '[' else '.'}{each.path}", each.rule) for each in found
    ]


def refuse(rule: str, path: str = "") -> list[Problem]:
    return [Problem(path, rule)]


def string_like(pattern: re.Pattern[str], rule: str) -> Check:
    """A string of a form."""
    fits, problems = pattern.fullmatch, refuse(rule)

    def check(value: Any) -> Found:
        return None if isinstance(value, str) and fits(value) else problems

    return check


def exactly(word: str) -> Check:
    problems = refuse(f"must be “{word}”")

    def check(value: Any) -> Found:
        return None if value == word else problems

    return check


def list_of(each_is: Check, *, rule: str = "must be a list (2.2)", is_filled: bool = False) -> Check:
    problems = refuse(rule)

    def check(value: Any) -> Found:
        if not isinstance(value, list) or (is_filled and not value):
            return problems
        found: list[Problem] = []
        for number, each in enumerate(value):
            if wrong := each_is(each):
                found += at(f"[{number}]", wrong)
        return found or None

    return check


def map_of(key_is: Check, value_is: Check | None, rule: str) -> Check:
    """An object whose names, and values too if `value_is` is given, follow one rule."""
    problems = refuse(rule)

    def check(value: Any) -> Found:
        if not isinstance(value, dict):
            return problems
        found: list[Problem] = []
        for name, each in value.items():
            wrong = (key_is(name) or []) + ((value_is(each) if value_is else None) or [])
            if wrong:
                found += at(name, wrong)
        return found or None

    return check


def object_of(
    known: Mapping[str, Check],
    required: Collection[str] = (),
    across: Check | None = None,
    rule: str = "must be an object (2.2)",
) -> Check:
    """An object of these properties and no others, none null; `across` looks at it as a whole."""
    problems, needed = refuse(rule), tuple(required)

    def check(value: Any) -> Found:
        if not isinstance(value, dict):
            return problems
        found: list[Problem] = [Problem(name, "is required") for name in needed if name not in value]
        for name, each in value.items():
            test = known.get(name)
            if test is None:
                found.append(Problem(str(name), "is not a property that the specification allows here (2.2)"))
            elif each is None:
                found.append(Problem(name, "must not be null (2.2)"))
            elif wrong := test(each):
                found += at(name, wrong)
        if across is not None and (wrong := across(value)):
            found += wrong
        return found or None

    return check


def remembered(check: Check) -> Check:
    """The same check, which does not look again at what it found valid lately: teachers, verbs and courses come again and again."""
    known: set[bytes] = set()

    def recall(value: Any) -> Found:
        try:
            text = orjson.dumps(value)
        except TypeError:  # orjson's own error is one, too
            return check(value)
        if text in known:
            return None
        found = check(value)
        if not found and len(text) <= LONGEST_REMEMBERED:
            if len(known) >= MOST_REMEMBERED:
                known.clear()
            known.add(text)
        return found

    return recall
