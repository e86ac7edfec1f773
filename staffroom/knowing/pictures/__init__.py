"""Pictures of answers: what `measure` found, drawn so that it can be seen, said so that it can be read, and as a table.

A plain package without Django: the command and the rooms of `knowing` use it. Words go through the translate function that
the caller gives; without one they are English. Nothing is drawn without its interval, and nothing is ranked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from staffroom.knowing.pictures.changing import what_would_change
from staffroom.knowing.pictures.checks import breakdown_of
from staffroom.knowing.pictures.drawing import pictures_of
from staffroom.knowing.pictures.measures import Measure, five
from staffroom.knowing.pictures.planes import cost_plane, frontier, point_of
from staffroom.knowing.pictures.printing import png
from staffroom.knowing.pictures.reading import answer_of, plain
from staffroom.knowing.pictures.report import report
from staffroom.knowing.pictures.sheet import Picture
from staffroom.knowing.pictures.words import Say

__all__ = [
    "Measure",
    "Picture",
    "answer_of",
    "breakdown_of",
    "cost_plane",
    "drawn",
    "five",
    "frontier",
    "plain",
    "png",
    "point_of",
    "report",
    "svgs",
    "tables",
    "what_would_change",
]


def drawn(
    answer: object, *, title: str = "", say: Say = str, others: Sequence[Mapping[str, Any]] = ()
) -> dict[str, Picture]:
    """Every picture that the answer has something for, by name.

    Takes an `Answer` or its JSON; `title` names the activity, `others` are further points of both planes (`point_of`).
    """
    found = answer_of(answer)
    return pictures_of(found, title=title, say=say, others=others)


def svgs(answer: object, *, title: str = "", say: Say = str) -> dict[str, str]:
    """The same as documents, ready to be written to files."""
    return {name: picture.svg for name, picture in drawn(answer, title=title, say=say).items()}


def tables(answer: object, *, title: str = "", say: Say = str) -> dict[str, list[list[str]]]:
    """The tables behind the pictures, the names of the columns first."""
    found = drawn(answer, title=title, say=say)
    return {name: [list(one.columns), *map(list, one.rows)] for name, one in found.items()}
