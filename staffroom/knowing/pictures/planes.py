"""Two planes for one activity or many: effect against hours (frontier) and effect against cost (cost plane).

Every point has its interval. Nothing is ranked: activities are numbered in the order in which they come, and the words say
which pairs can be told apart at all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from staffroom.knowing.pictures.reading import has_interval, is_number
from staffroom.knowing.pictures.scales import Scale, around_zero, from_zero
from staffroom.knowing.pictures.sheet import LEFT, RIGHT, TOP, WIDTH, Picture, Sheet
from staffroom.knowing.pictures.words import Say, count, dollars, likely, short, signed

HEIGHT = 380
BOTTOM = HEIGHT - 62
WORTH = (50_000, 200_000, 1_000_000)
"""What one SD for one student may cost, in US cents: lines of the cost plane."""


def frontier(points: Sequence[Mapping[str, Any]], say: Say, note: str = "") -> Picture | None:
    """Points: {name, effect, hours (of a teacher), n, is_current?}. None without one that may be drawn."""
    drawn = _drawable(points, "hours")
    if not drawn:
        return None
    text = say(
        "Upwards: what students gained, with what is likely. To the right: hours of each teacher. Better is higher and "
        "further left."
    )
    return Picture(
        "frontier", say("Gain and time"), f"{text} {_apart(drawn, say)}",
        [say("Activity"), say("SD"), say("95 % interval"), say("Hours of a teacher"), say("Teachers")],
        [_row(number, point, _hours(point.get("hours")), say) for number, point in enumerate(points, 1)],
        _sheet(points, "hours", _hours, say("Hours of a teacher"), say), note,
    )  # fmt: skip


def cost_plane(points: Sequence[Mapping[str, Any]], say: Say, note: str = "") -> Picture | None:
    """Points: {name, effect, cost_usd_cents (per student), n, is_current?}. None without one that may be drawn."""
    drawn = _drawable(points, "cost_usd_cents")
    if not drawn:
        return None
    text = say(
        "Upwards: what students gained, with what is likely. To the right: what it cost per student. Above a dashed line an SD "
        "costs less than the line says."
    )
    if any(one.get("region") for one in drawn):
        text += " " + say("In the shaded region gain and cost lie together with 95 % probability.")
    return Picture(
        "cost_plane", say("Gain and cost"), f"{text} {_apart(drawn, say)}",
        [say("Activity"), say("SD"), say("95 % interval"), say("Cost per student"), say("Teachers")],
        [_row(number, point, dollars(point.get("cost_usd_cents")), say) for number, point in enumerate(points, 1)],
        _sheet(points, "cost_usd_cents", dollars, say("Cost per student"), say, worth=WORTH), note,
    )  # fmt: skip


def point_of(answer: Mapping[str, Any], name: str) -> dict[str, Any]:
    """An answer as a point of both planes."""
    return {
        "name": name, "effect": answer.get("effect"), "n": answer.get("n") or {}, "is_current": True,
        "hours": (answer.get("efficiency") or {}).get("hours_per_teacher"),
        "cost_usd_cents": (answer.get("cost") or {}).get("per_student_usd_cents"),
        "region": (answer.get("cost") or {}).get("region") or (),
    }  # fmt: skip


def _drawable(points: Sequence[Mapping[str, Any]], key: str) -> list[Mapping[str, Any]]:
    return [one for one in points if has_interval(one.get("effect")) and is_number(one.get(key)) and one[key] >= 0]


def _sheet(
    points: Sequence[Mapping[str, Any]],
    key: str,
    tick: Callable[[float], str],
    axis: str,
    say: Say,
    worth: Sequence[int] = (),
) -> Sheet:
    sheet, drawn = Sheet(HEIGHT), _drawable(points, key)
    around = [place for one in drawn for place in one.get("region") or ()] if worth else []
    ends = [one["effect"][end] for one in drawn for end in ("low", "high")] + [sd for _cents, sd in around]
    up = around_zero(ends, BOTTOM, TOP)
    across = from_zero([*(one[key] for one in drawn), *(cents for cents, _sd in around)], LEFT, WIDTH - RIGHT - 24)
    sheet.text(LEFT - 66, 16, say("SD"), "axis")
    sheet.levels(up, signed)
    for value in across.ticks(5):
        sheet.text(across.at(value), BOTTOM + 24, tick(value), "tick", "middle")
    sheet.across(up.at(0), "zero")
    for each in worth:
        _ray(sheet, across, up, each, say)
    for point in drawn if worth else ():
        _region(sheet, across, up, point)
    for number, point in enumerate(points, 1):
        if point in drawn:
            _point(sheet, across.at(point[key]), up, point, str(number) if len(points) > 1 else "")
    sheet.text(WIDTH - RIGHT, HEIGHT - 8, axis, "axis", "end")
    return sheet


def _region(sheet: Sheet, across: Scale, up: Scale, point: Mapping[str, Any]) -> None:
    """Where gain and cost lie together with 95 %, where the cost is not known to the dollar."""
    places = [f"{across.at(cents)} {up.at(sd)}" for cents, sd in point.get("region") or ()]
    if places:
        sheet.path(f"M{'L'.join(places)}Z", "band")


def _point(sheet: Sheet, x: float, up: Scale, point: Mapping[str, Any], label: str) -> None:
    effect = point["effect"]
    sheet.down(x, "line" if point.get("is_current", True) else "ghost", up.at(effect["low"]), up.at(effect["high"]))
    sheet.dot(x, up.at(effect["sd"]), "dot" if point.get("is_current", True) else "own")
    if label:
        sheet.text(x + 9, up.at(effect["sd"]) + 4, label, "label strong")


def _ray(sheet: Sheet, across: Scale, up: Scale, worth: int, say: Say) -> None:
    """Where an SD costs so much: through nothing for nothing."""
    end = min(across.high, up.high * worth)
    # Steep ones leave no room, flat ones cannot be told from zero.
    if end / across.high < 0.04 or up.at(0) - up.at(end / worth) < 24:
        return
    x, y = across.at(end), up.at(end / worth)
    sheet.path(f"M{across.at(0)} {up.at(0)}L{x} {y}", "limit")
    sheet.text(
        min(x, WIDTH - RIGHT) - 4,
        max(y - 6, TOP - 6),
        say("%(amount)s an SD") % {"amount": dollars(worth)},
        "tick",
        "end",
    )


def _apart(drawn: Sequence[Mapping[str, Any]], say: Say) -> str:
    """Which of them can be told apart: only those whose intervals do not meet."""
    if len(drawn) < 2:
        return ""
    pairs = [
        (one, other)
        for one in drawn
        for other in drawn
        if one["effect"]["low"] > other["effect"]["high"]
    ]  # fmt: skip
    if not pairs:
        return say("All intervals meet, so none can be said to be better than another.")
    said = say("%(one)s lies above %(other)s: their intervals do not meet.")
    return " ".join(
        said % {"one": short(one["name"], 40), "other": short(other["name"], 40)} for one, other in pairs[:3]
    )


def _row(number: int, point: Mapping[str, Any], amount: str, say: Say) -> list[str]:
    effect, n = point.get("effect"), point.get("n") or {}
    numbers = (
        [signed(effect["sd"]), likely(effect, say)] if effect and has_interval(effect) else ["–", say("not yet known")]
    )
    return [f"{number}. {point['name']}", *numbers, amount, count(n.get("treated_teachers") or n.get("teachers"))]


def _hours(value: float | None) -> str:
    return "–" if value is None else f"{value:,.1f}".removesuffix(".0")
