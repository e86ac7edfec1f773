"""Statements from a file, one a line: an export of another store comes in through the same rules as at the door, in bulk.

A line that is wrong is told with its number and the reason, and the others are taken. Each batch is a transaction of its own. A
statement whose id is in the ledger already is compared and left alone, so a run that was cut short is simply begun anew. Lines without
an id get one made of tool, place in the file and content: the same file never comes in twice.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import batched
from typing import Any

from staffroom.exchange import attaching, scopes, strict
from staffroom.exchange.actions import keys, receiving
from staffroom.exchange.actions.keys import Caller
from staffroom.exchange.refusals import Refusal
from staffroom.permissions.models import Tool
from staffroom.records import validation

AT_ONCE = 500
LONGEST = 10 * 1024 * 1024

type Line = tuple[int, bytes]
type Told = tuple[int, dict[str, Any]]
type Complain = Callable[[int, str], None]


@dataclass
class Counts:
    """How a file is getting on."""

    read: int = 0
    added: int = 0
    known: int = 0
    refused: int = 0

    def __str__(self) -> str:
        return f"{self.read:,} lines read: {self.added:,} new, {self.known:,} known already, {self.refused:,} not taken"


def take_in(*, tool: Tool, lines: Iterable[Line], complain: Complain) -> Iterator[Counts]:
    """Append the statements of lines to the ledger as the tool's; tells how far it is after every batch.

    `complain` is called with the number of each line that is not taken, and why: it is no JSON, breaks a rule of xAPI, voids a
    voiding, or has an id under which the ledger holds another statement.
    """
    # As if the tool knocked with a key that may do everything.
    caller = keys.caller(key_id=0, tool=tool, scopes=scopes.ALL)
    counts = Counts()

    def refuse(number: int, reason: str) -> None:
        counts.refused += 1
        complain(number, reason)

    for some in batched(lines, AT_ONCE):
        told = [each for line in some if (each := _read(line, tool.key, refuse)) is not None]
        counts.read += len(some)
        for major in (1, 2):
            those = [each for each in told if _major(each[1]) == major]
            added, refused = _append(caller, those, major, refuse)
            counts.added += added
            counts.known += len(those) - added - refused
        yield counts


def _read(line: Line, tool: uuid.UUID, refuse: Complain) -> Told | None:
    """The statement of a line, valid and with an id; None when it was refused, or the line is empty."""
    number, text = line
    if not text.strip():
        return None
    if len(text) > LONGEST:
        refuse(number, f"The line is longer than {LONGEST // 1024**2} MB.")
        return None
    try:
        body = strict.read(text)
    except strict.NotJson as error:
        refuse(number, str(error))
        return None
    problems = validation.problems_in(body, _major(body))
    if problems:
        refuse(number, "; ".join(str(each) for each in problems[:20]))
        return None
    if "id" not in body:
        body["id"] = str(uuid.uuid5(tool, f"{number}|{text.strip().decode()}"))
    try:
        attaching.check([body], None)
    except Refusal as refusal:
        refuse(number, refusal.reason)
        return None
    return number, body


def _major(body: Any) -> int:
    """By whose rules: those of the version that the statement names, else of 1.0.3."""
    version = body.get("version") if isinstance(body, dict) else None
    return 2 if isinstance(version, str) and version.startswith("2") else 1


def _append(caller: Caller, told: Sequence[Told], major: int, refuse: Complain) -> tuple[int, int]:
    """Append what can be; how many are new and how many were refused. A batch that is refused is halved until the culprit is found."""
    if not told:
        return 0, 0
    try:
        return receiving.take(caller=caller, bodies=[body for _number, body in told], major=major)[1], 0
    except Refusal as refusal:
        if len(told) == 1:
            refuse(told[0][0], "; ".join([refusal.reason, *refusal.problems]))
            return 0, 1
    halves = [_append(caller, half, major, refuse) for half in (told[: len(told) // 2], told[len(told) // 2 :])]
    return sum(added for added, _refused in halves), sum(refused for _added, refused in halves)
