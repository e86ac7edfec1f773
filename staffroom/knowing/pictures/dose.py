"""More hours against fewer: results of terms with more hours beside those with the fewest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from staffroom.knowing.pictures.reading import is_number
from staffroom.knowing.pictures.scales import around_zero, from_zero
from staffroom.knowing.pictures.sheet import LEFT, RIGHT, TOP, WIDTH, Picture, Sheet
from staffroom.knowing.pictures.words import Say, count, signed, spread

BOTTOM = 230


def dose(answer: Mapping[str, Any], say: Say, note: str = "") -> Picture | None:
    """None without two groups of terms, or where the spread of results is not known."""
    sd = answer.get("comparison_sd")
    groups = ((answer.get("details") or {}).get("dose") or {}).get("groups") or ()
    shown = [_in_sd(one, sd) for one in groups if _may_be_drawn(one)] if is_number(sd) and sd > 0 else []
    if len(shown) < 2:
        return None
    text = say(
        "Terms of the same teachers by how many hours they gave: how much better results were than in terms with the fewest hours. "
        "An association: terms with many hours may differ in other ways, too."
    )
    rows = [
        [f"{one['least']:.3g}–{one['most']:.3g}", signed(one["sd"]), say("compared with") if one["is_reference"] else
         spread(one["low"], one["high"], say), count(one["teachers"])]
        for one in shown
    ]  # fmt: skip
    columns = [say("Hours in a term"), say("SD"), say("95 % interval"), say("Teachers")]
    return Picture("dose", say("More hours, fewer hours"), text, columns, rows, _sheet(shown, say), note)


def _may_be_drawn(one: Mapping[str, Any]) -> bool:
    if one.get("hidden") or not is_number(one.get("mean")):
        return False
    return bool(one.get("is_reference")) or all(is_number(one.get(name)) for name in ("effect", "low", "high"))


def _in_sd(one: Mapping[str, Any], sd: float) -> dict[str, Any]:
    numbers = {name: (one.get(name) or 0.0) / sd for name in ("effect", "low", "high")}
    return {**one, "sd": numbers["effect"], "low": numbers["low"], "high": numbers["high"]}


def _sheet(groups: Sequence[Mapping[str, Any]], say: Say) -> Sheet:
    sheet = Sheet(BOTTOM + 52)
    up = around_zero([one[end] for one in groups for end in ("low", "high")], BOTTOM, TOP)
    across = from_zero([one["mean"] for one in groups], LEFT + 20, WIDTH - RIGHT - 20)
    sheet.text(LEFT - 66, 16, say("SD"), "axis")
    sheet.levels(up, signed, 4)
    sheet.across(up.at(0), "zero")
    points = [(across.at(one["mean"]), one) for one in groups]
    sheet.path("M" + "L".join(f"{x} {up.at(one['sd'])}" for x, one in points), "curve faint")
    for x, one in points:
        if not one["is_reference"]:
            sheet.down(x, "line", up.at(one["low"]), up.at(one["high"]))
        sheet.dot(x, up.at(one["sd"]), "own" if one["is_reference"] else "dot")
    for tick in across.ticks(6):
        sheet.text(across.at(tick), BOTTOM + 22, f"{tick:g}", "tick", "middle")
    sheet.text(WIDTH - RIGHT, BOTTOM + 46, say("Hours in a term"), "axis", "end")
    return sheet
