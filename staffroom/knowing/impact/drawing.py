"""Where things stand in the drawings: plain geometry, as text for SVG. Drawings are 720 wide; classes give them their colors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from staffroom.ui import numbers

WIDTH = 720
LEFT, RIGHT, TOP = 64, 16, 16


@dataclass(frozen=True)
class Scale:
    """Values along a stretch of pixels, with round ticks."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        span = self.high - self.low or 1.0
        return round(self.start + (value - self.low) / span * (self.end - self.start), 1)

    def ticks(self, about: int = 5) -> list[float]:
        """Round values inside the scale, about so many."""
        step = nice_step((self.high - self.low) / about)
        first = math.ceil(self.low / step - 1e-9)
        return [round(number * step, 10) for number in range(first, math.floor(self.high / step + 1e-9) + 1)]


def nice_step(raw: float) -> float:
    """1, 2 or 5 times a power of ten, at least `raw`."""
    power = 10.0 ** math.floor(math.log10(raw)) if raw > 0 else 1.0
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw * (1 - 1e-9))


def effect_scale(intervals: Sequence[tuple[float, float]], start: float, end: float) -> Scale:
    """One scale for many intervals; zero is always on it."""
    low = min([low for low, _high in intervals] + [-0.1])
    high = max([high for _low, high in intervals] + [0.1])
    room = 0.06 * (high - low)
    return Scale(low - room, high + room, start, end)


def strip(effect: dict[str, Any], scale: Scale) -> dict[str, Any]:
    """Dot and line of one effect on the scale of the whole list."""
    low, high = scale.at(effect["low"]), scale.at(effect["high"])
    return {"zero": scale.at(0), "low": low, "high": high, "dot": scale.at(effect["sd"]), "path": f"M{low} 20H{high}"}


def event_study(points: Sequence[dict[str, Any]], height: int = 300) -> dict[str, Any] | None:
    """Dots with intervals by terms since taking part; the time before is shaded."""
    drawn = [point for point in points if point.get("low") is not None and point.get("high") is not None]
    if not drawn:
        return None
    keys = [point["key"] for point in drawn]
    across = Scale(min(keys) - 0.5, max(keys) + 0.5, LEFT, WIDTH - RIGHT)
    up = effect_scale([(point["low"], point["high"]) for point in drawn], height - 44, TOP)
    edge = across.at(-0.5)
    return {
        "height": height, "bottom": height - 44, "top": TOP, "left": LEFT, "right": WIDTH - RIGHT, "zero": up.at(0),
        "high": height - 44 - TOP, "label_at": LEFT - 10,
        "before": round(edge - LEFT, 1) if min(keys) < 0 else 0, "axis_at": height - 18,
        "rules": [{"y": up.at(tick), "text_y": up.at(tick) + 4, "text": _signed(tick)} for tick in up.ticks()],
        "points": [
            {"x": across.at(point["key"]), "y": up.at(point["sd"]), "text": _whole(point["key"]),
             "path": f"M{across.at(point['key'])} {up.at(point['low'])}V{up.at(point['high'])}"}
            for point in drawn
        ],
    }  # fmt: skip


def bars_and_line(rows: Sequence[dict[str, Any]], height: int = 260) -> dict[str, Any] | None:
    """Bars of teachers (axis on the left) and a line of hours (axis on the right), term by term."""
    shown = [row for row in rows if row["teachers"]]
    if not shown:
        return None
    bottom, right = height - 64, WIDTH - 88
    people = Scale(0, max(row["teachers"] for row in shown) * 1.12, bottom, TOP)
    time = Scale(0, max(row["hours"] for row in shown) * 1.12 or 1.0, bottom, TOP)
    wide = (right - LEFT) / len(rows)
    places = [LEFT + wide * (number + 0.5) for number in range(len(rows))]
    dots = [
        {"x": round(place, 1), "y": time.at(row["hours"])}
        for place, row in zip(places, rows, strict=True)
        if row["hours"] is not None
    ]
    return {
        "height": height, "bottom": bottom, "left": LEFT, "right": right, "axis_at": height - 38, "second_at": height - 10,
        "left_text": LEFT - 10, "right_text": right + 10,
        "bars": [
            {"x": round(place - wide * 0.3, 1), "y": people.at(row["teachers"]), "wide": round(wide * 0.6, 1),
             "high": round(bottom - people.at(row["teachers"]), 1)}
            for place, row in zip(places, rows, strict=True)
            if row["teachers"]
        ],
        "line": "M" + "L".join(f"{dot['x']} {dot['y']}" for dot in dots), "dots": dots,
        "names": [{"x": round(place, 1), **_in_two(row["name"])} for place, row in zip(places, rows, strict=True)],
        "people": [{"y": people.at(tick), "text_y": people.at(tick) + 4, "text": numbers.count(tick)} for tick in people.ticks(4)],
        "time": [{"y": time.at(tick), "text_y": time.at(tick) + 4, "text": numbers.count(tick)} for tick in time.ticks(4)],
    }  # fmt: skip


def _in_two(name: str) -> dict[str, str]:
    """A name on two lines, so that terms stand beside each other on a phone: its first word, and the rest."""
    first, _space, rest = name.partition(" ")
    return {"text": first, "second": rest}


def _signed(value: float) -> str:
    return "0" if abs(value) < 1e-9 else f"{value:+.2g}".replace("-", "−")


def _whole(value: int) -> str:
    return f"{value:+d}".replace("-", "−") if value else "0"


def steps(said: Sequence[tuple[Any, int, bool]], height: int = 88) -> dict[str, Any]:
    """Four levels over time, 360 wide: (when, level 1 to 4, whether by the own word), in order of time; at least two."""
    first, last = said[0][0].timestamp(), said[-1][0].timestamp()
    across, up = Scale(first, last if last > first else first + 1, 20, 340), Scale(1, 4, height - 12, 12)
    dots = [{"x": across.at(when.timestamp()), "y": up.at(level), "is_own": own} for when, level, own in said]
    own = [f"{dot['x']} {dot['y']}" for dot in dots if dot["is_own"]]
    return {
        "height": height, "dots": dots, "path": "M" + "L".join(own) if len(own) > 1 else "",
        "rules": [up.at(level) for level in (1, 2, 3, 4)],
    }  # fmt: skip
