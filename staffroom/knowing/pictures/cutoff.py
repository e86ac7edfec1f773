"""The jump at a cutoff: means in bins on both sides, the lines near it, and in words what else speaks for a rule that was kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from staffroom.knowing.pictures.reading import has_interval, is_number
from staffroom.knowing.pictures.scales import Scale, nice_step
from staffroom.knowing.pictures.sheet import LEFT, RIGHT, TOP, WIDTH, Picture, Sheet
from staffroom.knowing.pictures.words import Say, count, signed

BOTTOM = 270


def at_cutoff(answer: Mapping[str, Any], say: Say, note: str = "") -> Picture | None:
    """None without bins on both sides, or where nothing is likely or unlikely."""
    found = answer.get("details") or {}
    jump = found.get("jump") or {}
    bins = [one for one in jump.get("bins") or () if is_number(one.get("running")) and is_number(one.get("sd"))]
    if len({bool(one["offered"]) for one in bins}) < 2 or not has_interval(answer.get("effect")):
        return None
    bins.sort(key=lambda one: float(one["running"]))
    rows = [
        [f"{one['running']:.4g}", say("offered") if one["offered"] else say("not offered"), signed(one["sd"]), count(one["teachers"])]
        for one in bins
    ]  # fmt: skip
    columns = [say("Number that decided"), say("The activity was"), say("Mean result, SD"), say("Teachers")]
    return Picture(
        "cutoff", say("On both sides of the cutoff"), _text(found, say), columns, rows, _sheet(jump, bins, say), note
    )


def _sheet(jump: Mapping[str, Any], bins: list[Mapping[str, Any]], say: Say) -> Sheet:
    sheet, at = Sheet(BOTTOM + 52), float(jump["cutoff"])
    lines = [line["points"] for line in jump.get("lines") or ()]
    across = _around(
        [at, *(one["running"] for one in bins), *(x for line in lines for x, _y in line)], LEFT + 10, WIDTH - RIGHT - 10
    )
    up = _around([*(one["sd"] for one in bins), *(y for line in lines for _x, y in line)], BOTTOM, TOP)
    sheet.text(LEFT - 66, 16, say("SD"), "axis")
    sheet.levels(up, signed)
    sheet.down(across.at(at), "limit", TOP - 8, BOTTOM)
    for (x, y), (end, level) in lines:
        sheet.path(f"M{across.at(x)} {up.at(y)}L{across.at(end)} {up.at(level)}", "line")
    for one in bins:
        sheet.dot(across.at(one["running"]), up.at(one["sd"]), "dot" if one["offered"] else "own")
    for tick in across.ticks(6):
        sheet.text(across.at(tick), BOTTOM + 22, f"{tick:g}", "tick", "middle")
    sheet.text(WIDTH - RIGHT, BOTTOM + 46, say("Number that decided; the dashed line is the cutoff"), "axis", "end")
    return sheet


def _around(values: list[float], start: float, end: float) -> Scale:
    """A scale that holds all values and a little room; it need not hold zero."""
    low, high = min(values), max(values)
    room = 0.06 * (high - low) or nice_step(abs(low) or 1.0)
    return Scale(low - room, high + room, start, end)


def _text(found: Mapping[str, Any], say: Say) -> str:
    jump = found.get("cutoff") or {}
    said = [
        say(
            "Each dot is the mean of teachers next to each other: in color where the activity was offered. The lines are "
            "fitted near the cutoff; the step between them is the effect."
        )
    ]
    near = [jump.get("effective_left"), jump.get("effective_right")]
    if all(is_number(one) for one in near) and is_number(jump.get("bandwidth")):
        values = {"left": count(near[0]), "right": count(near[1]), "width": f"{jump['bandwidth']:.3g}"}
        said.append(
            say("%(left)s and %(right)s teachers lie within %(width)s of the cutoff, and they alone count.") % values
        )
    return " ".join([*said, *_kept(jump, found.get("density") or {}, say)])


def _kept(jump: Mapping[str, Any], density: Mapping[str, Any], say: Say) -> list[str]:
    """How well the rule was kept (first stage), and whether somebody was moved over the cutoff (density test)."""
    first, said = jump.get("first_stage"), []
    if is_number(first):
        said.append(say("Taking part rises by %(points)d points there.") % {"points": round(100 * abs(first))})
    elif jump:
        said.append(say("Everybody did as the rule says."))
    if is_number(density.get("verdict")):
        said.append(
            say("Whether more teachers than chance would have it lie just on one side: p = %(p).2f.")
            % {"p": density["verdict"]}
        )
    return said
