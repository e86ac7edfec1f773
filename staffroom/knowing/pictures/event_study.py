"""The event study: differences before taking part, which should be none, and effects since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from staffroom.knowing.pictures.reading import has_interval, is_number, shown, size_of
from staffroom.knowing.pictures.scales import Scale, around_zero
from staffroom.knowing.pictures.sheet import LEFT, RIGHT, TOP, WIDTH, Picture, Sheet
from staffroom.knowing.pictures.words import Say, count, likely, signed

HEIGHT = 320
BOTTOM = HEIGHT - 54


def event_study(answer: Mapping[str, Any], say: Say, note: str = "") -> Picture | None:
    """None without a line by event time that may be drawn."""
    lines = sorted((one for one in answer.get("by_event_time") or () if one.get("event_time") is not None), key=_time)
    drawn = shown(lines)
    if not drawn:
        return None
    return Picture(
        "event_study", say("Before and after"), _text(drawn, say),
        [say("Terms since taking part"), say("SD"), say("95 % interval"), say("All at once"), say("Teachers"), say("Results")],
        [_row(line, say) for line in lines], _sheet(drawn, say), note,
    )  # fmt: skip


def _time(line: Mapping[str, Any]) -> int:
    return int(line["event_time"])


def band_of(line: Mapping[str, Any]) -> tuple[float, float] | None:
    """The interval within which all lines lie at once with 95 %, if it is known."""
    low, high = line.get("band_low"), line.get("band_high")
    return (low, high) if is_number(low) and is_number(high) else None


def _sheet(drawn: Sequence[Mapping[str, Any]], say: Say) -> Sheet:
    sheet, times = Sheet(HEIGHT), [_time(line) for line in drawn]
    ends = [line["effect"][end] for line in drawn for end in ("low", "high")]
    ends += [end for line in drawn for end in band_of(line) or ()]
    up = around_zero(ends, BOTTOM, TOP)
    across = Scale(min(times) - 0.5, max(times) + 0.5, LEFT, WIDTH - RIGHT)
    if min(times) < 0:
        sheet.rect(LEFT, TOP, across.at(-0.5) - LEFT, BOTTOM - TOP, "band")
    sheet.levels(up, signed)
    sheet.across(up.at(0), "zero")
    for line in drawn:
        _dot(sheet, across.at(_time(line)), up, line)
        sheet.text(across.at(_time(line)), BOTTOM + 24, _whole(_time(line)), "tick", "middle")
    sheet.text(LEFT - 66, 16, say("SD"), "axis")
    sheet.text(WIDTH - RIGHT, HEIGHT - 6, say("Terms since taking part"), "axis", "end")
    return sheet


def _dot(sheet: Sheet, x: float, up: Scale, line: Mapping[str, Any]) -> None:
    effect, band = line["effect"], band_of(line)
    if band:
        low, high = up.at(band[0]), up.at(band[1])
        sheet.path(f"M{x} {low}V{high}M{x - 5} {low}h10M{x - 5} {high}h10", "whisker")
    sheet.down(x, "line", up.at(effect["low"]), up.at(effect["high"]))
    sheet.dot(x, up.at(effect["sd"]))


def _text(drawn: Sequence[Mapping[str, Any]], say: Say) -> str:
    said = [
        say(
            "Each dot compares students of those who took part with what they would have scored otherwise, term by term; the "
            "thick line is what is likely for that term."
        )
    ]
    if any(_time(line) < 0 for line in drawn):
        said.append(
            say(
                "In the shaded time before, the dots should lie around zero; if they drift, so may the effect behind them."
            )
        )
    if any(band_of(line) for line in drawn):
        said.append(say("The thin line is wider, so that all terms lie within theirs at once."))
    after = [line for line in drawn if _time(line) >= 0]
    if after:
        last = after[-1]
        values = {
            "time": _whole(_time(last)),
            "sd": signed(last["effect"]["sd"]),
            "likely": likely(last["effect"], say),
        }
        said.append(say("The last one, term %(time)s, is %(sd)s SD (likely %(likely)s).") % values)
    return " ".join(said)


def _row(line: Mapping[str, Any], say: Say) -> list[str]:
    effect, band, size = line.get("effect"), band_of(line), size_of(line)
    if line.get("hidden") or not has_interval(effect):
        return [_whole(_time(line)), *[say("not shown")] * 5]
    assert effect is not None
    wide = likely({"low": band[0], "high": band[1]}, say) if band else "–"
    return [
        _whole(_time(line)), signed(effect["sd"]), likely(effect, say), wide, count(size.get("teachers")), count(size.get("results"))
    ]  # fmt: skip


def _whole(value: int) -> str:
    return f"{value:+d}".replace("-", "−") if value else "0"
