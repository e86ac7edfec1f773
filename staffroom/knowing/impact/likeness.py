"""Effects among teachers who are alike: the groups that every estimate is asked about, and what is kept of each of them.

What too few people stand behind is hidden before it comes here (`keeping`). Each group is drawn towards the whole, since a few
teachers more or less make a group look better or worse by chance.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from staffroom.knowing.impact.queries.likeness import (
    EXPERIENCE,
    GRADES,
    first_days_of,
    grade_bands_of,
    years_band,
)
from staffroom.people.models import Person

NAMES = {"grades taught": GRADES, "years here": EXPERIENCE}
"""Families as the answer names them."""


def families_of(first_on: Mapping[str, date]) -> dict[str, dict[str, str]]:
    """By family and key of a teacher, her band: the grades that she teaches, and how long she had been here when she began."""
    keys = dict(Person.objects.filter(key__in=list(first_on)).values_list("pk", "key"))
    bands, days = grade_bands_of(keys), first_days_of(keys)
    return {
        "grades taught": {str(keys[pk]): band for pk, band in bands.items()},
        "years here": {str(key): years_band(days.get(pk), first_on[str(key)]) for pk, key in keys.items()},
    }


def by_group(answer: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """By family and band: effect with its interval in SD, drawn towards the others, and how many teachers took part."""
    found: dict[str, list[tuple[str, Mapping[str, Any]]]] = {}
    for line in answer.get("by_subgroup") or ():
        family, _colon, band = str(line.get("group") or "").partition(": ")
        effect = line.get("effect") or {}
        if family in NAMES and not line.get("hidden") and effect.get("se") and effect.get("low") is not None:
            found.setdefault(NAMES[family], []).append((band, line))
    return {family: _drawn(lines) for family, lines in found.items()}


def _drawn(lines: list[tuple[str, Mapping[str, Any]]]) -> dict[str, Any]:
    from staffroom.measure.partial_pooling import draw_together

    drawn = draw_together([line["effect"]["sd"] for _band, line in lines], [_error(line) for _band, line in lines])
    return {
        band: {
            "sd": float(drawn.mean[place]), "low": float(drawn.low[place]), "high": float(drawn.high[place]),
            "teachers": line["n"]["teachers"],
        }
        for place, (band, line) in enumerate(lines)
    }  # fmt: skip


def _error(line: Mapping[str, Any]) -> float:
    """The error in SD that the line's own interval stands for, which is wider where there are few schools."""
    return float(line["effect"]["high"] - line["effect"]["low"]) / (2 * 1.959964)
