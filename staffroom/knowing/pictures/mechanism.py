"""Practice beside outcomes: each school as a point with what is likely in both directions. What goes together is not drawn as a line:
it is an association over few schools, and the words say how sure it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from staffroom.knowing.pictures.reading import has_interval
from staffroom.knowing.pictures.scales import around_zero
from staffroom.knowing.pictures.sheet import LEFT, RIGHT, TOP, WIDTH, Picture, Sheet
from staffroom.knowing.pictures.words import EVIDENCE, Say, behind, count, counted, likely, signed

HEIGHT = 400
BOTTOM = HEIGHT - 62
LEAST = 2
"""A single point shows nothing of what goes together."""
NAMED = 16
"""More points than these would have their names one over the other."""


def mechanisms(answer: Mapping[str, Any], say: Say, title: str = "") -> list[Picture]:
    """One picture for each measure of practice with sites that may be drawn."""
    found = [each for each in answer.get("mechanism") or () if len(_drawable(each)) >= LEAST]
    return [_picture(each, name_of(number), say, title) for number, each in enumerate(found)]


def name_of(number: int) -> str:
    return "mechanism" if number == 0 else f"mechanism-{number + 1}"


def _picture(practice: Mapping[str, Any], name: str, say: Say, title: str) -> Picture:
    text = say(
        "To the right: how much observers saw practice change, in SD of ratings (%(measure)s). Upwards: what students gained, in SD. "
        "Each point is a school; lines show what is likely. Above the middle and right of it both rose."
    ) % {"measure": practice["name"]}
    few = sum(bool(site.get("hidden")) for site in practice["sites"])
    if few:
        text += " " + counted(
            say,
            "%(count)s school with few teachers is not shown.",
            "%(count)s schools with few teachers are not shown.",
            few,
        ) % {"count": few}
    sure = say(EVIDENCE[practice["link"].get("tier", 4)])
    note = " · ".join(part for part in (title, practice["name"], behind(practice.get("n") or {}, say), sure) if part)
    columns = [
        say("School"),
        say("Practice, SD"),
        say("95 % interval"),
        say("Scores, SD"),
        say("95 % interval"),
        say("Teachers"),
    ]
    drawn = _drawable(practice)
    rows = [_row(site, drawn, say) for site in practice["sites"]]
    return Picture(name, say("Practice and scores, school by school"), text, columns, rows, _sheet(drawn, say), note)


def _drawable(practice: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [
        site
        for site in practice.get("sites") or ()
        if not site.get("hidden") and has_interval(site["practice"]) and has_interval(site["outcome"])
    ]


def _sheet(sites: Sequence[Mapping[str, Any]], say: Say) -> Sheet:
    sheet = Sheet(HEIGHT)
    up = around_zero([site["outcome"][end] for site in sites for end in ("low", "high")], BOTTOM, TOP)
    across = around_zero([site["practice"][end] for site in sites for end in ("low", "high")], LEFT, WIDTH - RIGHT)
    sheet.text(LEFT - 66, 16, say("Scores, SD"), "axis")
    sheet.levels(up, signed)
    for value in across.ticks(6):
        sheet.text(across.at(value), BOTTOM + 24, signed(value), "tick", "middle")
    sheet.across(up.at(0), "zero")
    sheet.down(across.at(0), "zero", TOP, BOTTOM)
    for site in sites:
        practice, outcome = site["practice"], site["outcome"]
        x, y = across.at(practice["sd"]), up.at(outcome["sd"])
        sheet.down(x, "whisker", up.at(outcome["low"]), up.at(outcome["high"]))
        sheet.across(y, "whisker", across.at(practice["low"]), across.at(practice["high"]))
    for number, site in enumerate(sites, 1):
        x, y = across.at(site["practice"]["sd"]), up.at(site["outcome"]["sd"])
        sheet.dot(x, y)
        if len(sites) <= NAMED:
            sheet.text(x + 8, y - 7, number, "tick strong")
    sheet.text(WIDTH - RIGHT, HEIGHT - 8, say("Practice, SD of ratings"), "axis", "end")
    return sheet


def _row(site: Mapping[str, Any], drawn: Sequence[Mapping[str, Any]], say: Say) -> list[str]:
    """Numbered as in the drawing, where points have numbers."""
    if site not in drawn:
        return [str(site["label"]), *[say("not shown")] * 5]
    n = site.get("n") or {}
    number = f"{drawn.index(site) + 1}. " if len(drawn) <= NAMED else ""
    return [
        f"{number}{site['label']}", signed(site["practice"]["sd"]), likely(site["practice"], say), signed(site["outcome"]["sd"]),
        likely(site["outcome"], say), count(n.get("teachers")),
    ]  # fmt: skip
