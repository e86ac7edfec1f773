"""All pictures of one answer, in the order in which a page shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from staffroom.knowing.pictures.checks import balance, sensitivity, worth
from staffroom.knowing.pictures.cutoff import at_cutoff
from staffroom.knowing.pictures.dose import dose
from staffroom.knowing.pictures.event_study import event_study
from staffroom.knowing.pictures.forest import forest
from staffroom.knowing.pictures.mechanism import mechanisms
from staffroom.knowing.pictures.planes import cost_plane, frontier, point_of
from staffroom.knowing.pictures.sheet import Picture
from staffroom.knowing.pictures.single_case import single_case
from staffroom.knowing.pictures.waves import waves
from staffroom.knowing.pictures.words import EVIDENCE, Say, behind


def pictures_of(
    answer: Mapping[str, Any], *, title: str = "", say: Say = str, others: Sequence[Mapping[str, Any]] = ()
) -> dict[str, Picture]:
    """By name; only those that the answer has something for."""
    note = note_of(answer, say, title)
    points = [point_of(answer, title or say("This activity")), *({**other, "is_current": False} for other in others)]
    found = [
        event_study(answer, say, note), at_cutoff(answer, say, note), dose(answer, say, note), forest(answer, say, note),
        waves(answer, say, note), frontier(points, say, note),
        cost_plane(points, say, note), worth(answer, say, note), balance(answer, say, note), sensitivity(answer, say, note),
        single_case(answer, say, note), *mechanisms(answer, say, title),
    ]  # fmt: skip
    return {picture.name: picture for picture in found if picture is not None}


def note_of(answer: Mapping[str, Any], say: Say, title: str = "") -> str:
    """What stands behind a picture, in a line: activity, how many, how sure."""
    sure = say(EVIDENCE[answer.get("tier", 4)]) if answer.get("effect") else say("Described only")
    return " · ".join(part for part in (title, behind(answer.get("n") or {}, say), sure) if part)
