"""What may be told about a failure: enough to act on, without anybody's content and without secrets.

Messages of exceptions carry addresses with passwords, file names, and rows of people. So only sentences that were written to
be read by people are kept; of everything else its kind and its place.
"""

from __future__ import annotations

import traceback
from pathlib import Path


class GiveUp(Exception):
    """A task says that trying again is of no use, in a sentence for the person who waits."""


class LeaseLost(Exception):
    """Another worker has taken this job over (or it is gone): what runs here must stop and leave it alone."""


def places(error: BaseException) -> list[str]:
    """The lines that an exception came through, without what they said."""
    frames = traceback.extract_tb(error.__traceback__)
    return [f"{_short(frame.filename)}:{frame.lineno} in {frame.name}" for frame in frames]


def sentence(error: BaseException) -> str:
    """One line for people: the task's own sentence, the system's words, or the kind and place of the error."""
    if isinstance(error, GiveUp):
        return str(error)[:500]
    name = type(error).__name__
    if isinstance(error, OSError) and error.strerror:
        return f"{name}: {error.strerror}"
    where = [place for place in places(error) if place.startswith("staffroom/") and "staffroom/jobs/" not in place]
    return f"{name} at {where[-1]}"[:500] if where else name


def _short(filename: str) -> str:
    parts = Path(filename).parts
    for mark in ("site-packages", "staffroom"):
        if mark in parts:
            rest = parts[len(parts) - 1 - parts[::-1].index(mark) :]
            return "/".join(rest[1:] if mark == "site-packages" else rest)
    return "/".join(parts[-2:])
