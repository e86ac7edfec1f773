"""The wave curve: does it hold as it spreads? Effect, and cost of one more teacher, by how many had been reached."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from staffroom.knowing.pictures.reading import has_interval, is_number
from staffroom.knowing.pictures.scales import Scale, around_zero, doubling, from_zero
from staffroom.knowing.pictures.sheet import LEFT, RIGHT, TOP, WIDTH, Picture, Sheet
from staffroom.knowing.pictures.words import Say, count, dollars, likely, percent, signed, spread

UPPER, LOWER = 230, 130


def waves(answer: Mapping[str, Any], say: Say, note: str = "") -> Picture | None:
    """None without two waves whose effects may be drawn."""
    found = answer.get("scalability") or {}
    lines = [
        line
        for line in found.get("by_wave") or ()
        if has_interval(line.get("effect")) and line.get("cumulative_teachers")
    ]
    if len(lines) < 2:
        return None
    return Picture(
        "waves", say("As it spread"), _text(found, lines, say),
        [say("Wave"), say("Teachers"), say("Reached by then"), say("SD"), say("95 % interval"),
         say("One more teacher"), say("Of the planned hours")],
        [_row(line, say) for line in found.get("by_wave") or ()], _sheet(lines, say), note,
    )  # fmt: skip


def _sheet(lines: Sequence[Mapping[str, Any]], say: Say) -> Sheet:
    costs = [line for line in lines if is_number(line.get("marginal_cost_usd_cents"))]
    bottom = UPPER + LOWER + 20 if costs else UPPER
    sheet = Sheet(bottom + 50)
    across = doubling([line["cumulative_teachers"] for line in lines], LEFT + 20, WIDTH - RIGHT - 20)
    up = around_zero([line["effect"][end] for line in lines for end in ("low", "high")], UPPER, TOP)
    sheet.text(LEFT - 66, 16, say("SD"), "axis")
    sheet.levels(up, signed, 4)
    sheet.across(up.at(0), "zero")
    points = [(across.at(line["cumulative_teachers"]), line["effect"]) for line in lines]
    sheet.path("M" + "L".join(f"{x} {up.at(effect['sd'])}" for x, effect in points), "curve faint")
    for x, effect in points:
        sheet.down(x, "line", up.at(effect["low"]), up.at(effect["high"]))
        sheet.dot(x, up.at(effect["sd"]))
    if costs:
        _costs(sheet, across, costs, say)
    for tick in across.ticks(6):
        sheet.text(across.at(tick), bottom + 22, count(tick), "tick", "middle")
    sheet.text(WIDTH - RIGHT, bottom + 44, say("Teachers reached, by doublings"), "axis", "end")
    return sheet


def _costs(sheet: Sheet, across: Scale, lines: Sequence[Mapping[str, Any]], say: Say) -> None:
    bottom, top = UPPER + LOWER + 20, UPPER + 48
    up = from_zero([line["marginal_cost_usd_cents"] for line in lines], bottom, top)
    sheet.text(LEFT - 66, top - 14, say("Cost of one more teacher"), "axis")
    sheet.levels(up, dollars, 3)
    places = [(across.at(line["cumulative_teachers"]), up.at(line["marginal_cost_usd_cents"])) for line in lines]
    sheet.path("M" + "L".join(f"{x} {y}" for x, y in places), "curve faint")
    for x, y in places:
        sheet.dot(x, y, "mark-2")


def _text(found: Mapping[str, Any], lines: Sequence[Mapping[str, Any]], say: Say) -> str:
    said = [
        say(
            "Each dot is one wave of teachers, placed by how many had been reached by then; its line is what is likely."
        )
    ]
    slope = found.get("slope")
    if has_interval(slope):
        assert slope is not None
        values = {"sd": signed(slope["sd"]), "likely": likely(slope, say)}
        said.append(
            say("With every doubling of the teachers reached the effect changes by %(sd)s SD (likely %(likely)s).")
            % values
        )
    if is_number(found.get("last_over_first")):
        values = {"ratio": f"{found['last_over_first']:.2f}", "likely": ratio_in_words(found, say)}
        said.append(say("The last wave's effect is %(ratio)s times the first one's (%(likely)s).") % values)
    if is_number(found.get("dose_delivered")):
        said.append(say("%(share)s of the planned hours were delivered.") % {"share": percent(found["dose_delivered"])})
    return " ".join(said)


def ratio_in_words(found: Mapping[str, Any], say: Say) -> str:
    """Fieller's set of the ratio of waves; it may have no end."""
    if found.get("ratio_shape") != "bounded":
        return say("the interval has no end: the first wave's effect is not surely different from zero")
    return say("likely %(spread)s") % {"spread": spread(found.get("ratio_low"), found.get("ratio_high"), say)}


def _row(line: Mapping[str, Any], say: Say) -> list[str]:
    effect = line.get("effect")
    numbers = [signed(effect["sd"]), likely(effect, say)] if effect and has_interval(effect) else [say("not shown")] * 2
    return [
        str(line.get("wave", "")), count(line.get("teachers")), count(line.get("cumulative_teachers")), *numbers,
        dollars(line.get("marginal_cost_usd_cents")),
        percent(line["dose_delivered"]) if is_number(line.get("dose_delivered")) else "–",
    ]  # fmt: skip
