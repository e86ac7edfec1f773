"""The run chart of single cases: each teacher's measurements in order, before and with the activity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from staffroom.knowing.pictures.reading import is_number
from staffroom.knowing.pictures.scales import Scale
from staffroom.knowing.pictures.sheet import LEFT, RIGHT, WIDTH, Picture, Sheet
from staffroom.knowing.pictures.words import Say

PANEL, GAP = 150, 34


def single_case(answer: Mapping[str, Any], say: Say, note: str = "") -> Picture | None:
    """One panel a case: {label, values, phases (0 before, 1 with it)}; None without any."""
    cases = [each for each in _cases(answer) if len(each["values"]) > 1]
    if not cases:
        return None
    text = say(
        "Each dot is one measurement, in the order of time; the dashed line is where taking part began, the thin level the middle "
        "of the time before."
    )
    rows = [
        [case["label"], str(number), say("with it") if phase else say("before"), f"{value:g}"]
        for case in cases
        for number, (value, phase) in enumerate(zip(case["values"], case["phases"], strict=True), 1)
    ]
    columns = [say("Case"), say("Measurement"), say("Phase"), say("Value")]
    return Picture("single_case", say("Measurement by measurement"), text, columns, rows, _sheet(cases, say), note)


def _cases(answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = ((answer.get("details") or {}).get("single_case") or {}).get("series") or ()
    cases = []
    for number, each in enumerate(found, 1):
        pairs = [
            (value, phase)
            for value, phase in zip(
                each.get("values") or (), each.get("phases") or each.get("phase") or (), strict=False
            )
            if is_number(value)
        ]
        cases.append({
            "label": str(each.get("label") or number), "values": [one for one, _phase in pairs],
            "phases": [int(phase) for _value, phase in pairs],
        })  # fmt: skip
    return cases


def _sheet(cases: Sequence[Mapping[str, Any]], say: Say) -> Sheet:
    sheet = Sheet((PANEL + GAP) * len(cases) + 40)
    longest = max(len(case["values"]) for case in cases)
    across = Scale(0.5, longest + 0.5, LEFT, WIDTH - RIGHT)
    for number, case in enumerate(cases):
        _panel(sheet, across, case, (PANEL + GAP) * number)
    foot = (PANEL + GAP) * len(cases)
    for tick in across.ticks(8):
        if tick == int(tick):
            sheet.text(across.at(tick), foot + 8, f"{tick:g}", "tick", "middle")
    sheet.text(WIDTH - RIGHT, foot + 34, say("Measurement"), "axis", "end")
    return sheet


def _panel(sheet: Sheet, across: Scale, case: Mapping[str, Any], top: float) -> None:
    values, phases = case["values"], case["phases"]
    room = (max(values) - min(values)) * 0.1 or 1.0
    up = Scale(min(values) - room, max(values) + room, top + PANEL + 14, top + 30)
    sheet.text(LEFT, top + 16, case["label"], "label strong")
    sheet.levels(up, lambda value: f"{value:g}", 3)
    before = [value for value, phase in zip(values, phases, strict=True) if not phase]
    if before:
        sheet.across(up.at(median(before)), "ghost")
    if 0 < len(before) < len(values):
        sheet.down(across.at(len(before) + 0.5), "limit", top + 24, top + PANEL + 14)
    for phase in (0, 1):
        places = [(across.at(n + 1), up.at(value)) for n, value in enumerate(values) if phases[n] == phase]
        if places:
            sheet.path("M" + "L".join(f"{x} {y}" for x, y in places), "curve faint")
        for x, y in places:
            sheet.dot(x, y, "full" if phase else "dot", 4)
