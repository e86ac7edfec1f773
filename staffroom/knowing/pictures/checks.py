"""What the answer leans on, drawn: balance before (love plot), sensitivity to drift (HonestDiD), worth of the money."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from staffroom.knowing.pictures.reading import is_number
from staffroom.knowing.pictures.scales import Scale, around_zero, doubling, from_zero
from staffroom.knowing.pictures.sheet import LEFT, RIGHT, TOP, WIDTH, Picture, Sheet
from staffroom.knowing.pictures.words import Say, dollars, percent, signed, spread

ADJUSTABLE, EQUIVALENT = 0.25, 0.05
"""What Works Clearinghouse 5.0: differences up to 0.05 SD are equivalent, up to 0.25 if adjusted for, beyond that they are not."""
NAMES = 196


def balance(answer: Mapping[str, Any], say: Say, note: str = "") -> Picture | None:
    """The love plot: how far both sides lay apart before, covariate by covariate, and how far after adjustment."""
    lines = [line for line in (answer.get("details") or {}).get("balance") or () if is_number(_before(line))]
    if not lines:
        return None
    text = say(
        "How far those who took part and those compared with them lay apart before, in SD: ring as they were, dot after weighting. "
        "Within 0.05 they are equivalent; up to 0.25 it can be adjusted for; beyond the dashed lines it cannot."
    )
    return Picture(
        "balance", say("Alike before"), text,
        [say("What"), say("Took part"), say("Compared"), say("Apart, SD"), say("After weighting, SD")],
        [_balance_row(line) for line in lines], _balance_sheet(lines, say), note,
    )  # fmt: skip


def _before(line: Mapping[str, Any]) -> Any:
    return line.get("g_before", line.get("g"))


def _balance_row(line: Mapping[str, Any]) -> list[str]:
    means = [f"{line[name]:.2f}" if is_number(line.get(name)) else "–" for name in ("treated_mean", "comparison_mean")]
    after = line.get("g_after")
    return [_named(line), *means, signed(_before(line)), signed(after) if is_number(after) else "–"]


def _named(line: Mapping[str, Any]) -> str:
    return str(line.get("name", line.get("label", "")))


def _balance_sheet(lines: Sequence[Mapping[str, Any]], say: Say) -> Sheet:
    bottom = 24 + 30 * len(lines)
    sheet = Sheet(bottom + 46)
    ends = [line[name] for line in lines for name in ("g_before", "g", "g_after") if is_number(line.get(name))]
    across = around_zero(ends, NAMES + 14, WIDTH - RIGHT, least=0.3)
    edge = across.at(-EQUIVALENT)
    sheet.rect(edge, 12, across.at(EQUIVALENT) - edge, bottom - 12, "band")
    sheet.columns(across, signed, 12, bottom, 6)
    for limit in (-ADJUSTABLE, ADJUSTABLE):
        sheet.down(across.at(limit), "limit", 12, bottom)
    sheet.down(across.at(0), "zero", 12, bottom)
    for number, line in enumerate(lines):
        y = 24 + 30 * (number + 0.5) - 6
        sheet.name(NAMES, y + 4, _named(line), "end")
        sheet.dot(across.at(_before(line)), y, "own")
        if is_number(line.get("g_after")):
            sheet.across(y, "ghost", across.at(_before(line)), across.at(line["g_after"]))
            sheet.dot(across.at(line["g_after"]), y, "full", 4.5)
    sheet.text(WIDTH - RIGHT, bottom + 44, say("Apart by SD"), "axis", "end")
    return sheet


def sensitivity(answer: Mapping[str, Any], say: Say, note: str = "") -> Picture | None:
    """What would be likely if both sides had gone on to drift: bounds by how much, and where they reach zero."""
    bounds = bounds_of(answer)
    if not bounds:
        return None
    sheet = Sheet(320)
    values = [one[end] for one in bounds for end in ("low", "high") if is_number(one.get(end))]
    up, across = around_zero(values, 256, TOP), from_zero([one["m"] for one in bounds], LEFT + 30, WIDTH - RIGHT - 40)
    sheet.text(LEFT - 66, 16, say("SD"), "axis")
    sheet.levels(up, signed)
    sheet.across(up.at(0), "zero")
    found = breakdown_of(answer)
    if is_number(found) and across.holds(found):
        sheet.down(across.at(found), "limit", TOP, 256)
    for one in bounds:
        low, high = (one.get("low"), one.get("high"))
        sheet.down(
            across.at(one["m"]), "line", up.at(up.low if low is None else low), up.at(up.high if high is None else high)
        )
        sheet.text(across.at(one["m"]), 280, f"{one['m']:g}", "tick", "middle")
    sheet.text(WIDTH - RIGHT, 312, say("Drift after, as a multiple of the largest before"), "axis", "end")
    rows = [[f"{one['m']:g}", spread(one.get("low"), one.get("high"), say)] for one in bounds]
    return Picture(
        "sensitivity", say("If they had drifted apart"), _sensitivity_text(found, say),
        [say("Drift allowed"), say("95 % interval")], rows, sheet, note,
    )  # fmt: skip


def bounds_of(answer: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """HonestDiD's bounds by relative magnitude, in SD."""
    found = (answer.get("details") or {}).get("honest") or {}
    return [one for one in found.get("relative_magnitudes") or () if is_number(one.get("m"))]


def breakdown_of(answer: Mapping[str, Any]) -> Any:
    """The largest relative magnitude at which the answer still excludes zero; None if that is not known."""
    found = ((answer.get("details") or {}).get("honest") or {}).get("breakdown")
    return found.get("relative_magnitudes") if isinstance(found, Mapping) else found


def _sensitivity_text(found: Any, say: Say) -> str:
    said = say(
        "Suppose that after taking part both sides had drifted apart so many times as much as they did at most from term to term "
        "before: then this would still be likely."
    )
    if not is_number(found):
        return said
    if found <= 0:
        return said + " " + say("The interval includes zero even without any drift.")
    return (
        said
        + " "
        + say("Up to %(times)s times that drift, the direction of the answer stands (dashed line).")
        % {"times": f"{found:.1f}"}
    )


def worth(answer: Mapping[str, Any], say: Say, note: str = "") -> Picture | None:
    """The acceptability curve: how probable it is that it is worth its money, by what an SD is worth."""
    points = [(one[0], one[1]) for one in (answer.get("cost") or {}).get("acceptability") or () if one[0] > 0]
    if len(points) < 2:
        return None
    sheet, up = Sheet(300), Scale(0, 1, 236, TOP)
    across = doubling([one[0] for one in points], LEFT, WIDTH - RIGHT)
    sheet.levels(up, lambda share: f"{100 * share:.0f} %", 4)
    sheet.across(up.at(0.5), "zero")
    for tick in across.ticks(6):
        sheet.text(across.at(tick), 260, dollars(tick), "tick", "middle")
    sheet.path("M" + "L".join(f"{across.at(amount)} {up.at(chance)}" for amount, chance in points), "curve")
    sheet.text(WIDTH - RIGHT, 294, say("What one SD for one student is worth"), "axis", "end")
    text = say("How probable it is that the gain is worth its cost, by what you would pay for one SD of one student.")
    rows = [[dollars(amount), percent(chance)] for amount, chance in points[:: max(1, len(points) // 12)]]
    return Picture(
        "worth", say("Worth the money"), text, [say("An SD is worth"), say("Probability")], rows, sheet, note
    )
