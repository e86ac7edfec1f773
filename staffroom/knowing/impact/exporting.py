"""Every number of a page as rows of a table, for the CSV file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from staffroom.knowing.impact.figures import Cells, Portrait

CSV_HEADER = ("part", "what", "value", "low", "high", "teachers", "results", "tier")


def lines_of(portrait: Portrait) -> Iterator[Cells]:
    """The same as rows of a table: CSV_HEADER."""
    yield from _tally_lines(portrait)
    yield from _effect_lines(portrait)
    yield from _gate_lines(portrait)


def _tally_lines(portrait: Portrait) -> Iterator[Cells]:
    said = portrait.said
    if said is None:
        return
    for name in (
        "teachers",
        "share",
        "hours",
        "hours_per_teacher",
        "others",
        "others_hours",
        "hours_without_price",
    ):
        yield ["participation", name, said[name], None, None, None, None, None]
    for row in said["by_term"]:
        yield ["participation", f"hours: {row['name']}", row["hours"], None, None, row["teachers"], None, None]
    for line in said["costs"]["lines"]:
        part = "business as usual" if line["is_business_as_usual"] else "cost"
        name = f"{line['kind']} {line['role']} (US cents)".replace("  ", " ")
        yield [part, name, line["amount"], None, None, None, None, None]
    for name in ("total", "business_as_usual", "net", "per_teacher"):
        yield ["cost", f"{name} (US cents)", said["costs"][name], None, None, said["teachers"], None, None]
    yield ["cost", "per_student (US cents)", portrait.per_student, None, None, None, None, None]


def _effect_lines(portrait: Portrait) -> Iterator[Cells]:
    if portrait.study is None or portrait.kept is None:
        return
    yield ["effect", "headline", portrait.headline, None, None, None, None, portrait.tier]
    for name in ("effect", "callaway_santanna", "twfe"):
        if portrait.study[name]:
            yield ["effect", name, *_raw(portrait.study[name]), portrait.tier]
    for line in portrait.event_lines:
        yield ["by terms since taking part", line["key"], *_raw(line), portrait.tier]
    for line in portrait.study["by_group"]:
        yield ["by first term", portrait.kept["terms"][line["key"]]["name"], *_raw(line), portrait.tier]
    found = portrait.kept.get("efficiency")
    if found:
        yield [
            "efficiency",
            "SD per 10 hours",
            found["ratio"],
            found["low"],
            found["high"],
            found["teachers"],
            None,
            portrait.tier,
        ]
    yield ["effect", "minimum detectable effect", portrait.study["mde"], None, None, None, None, None]


def _gate_lines(portrait: Portrait) -> Iterator[Cells]:
    for gate in portrait.study["gates"] if portrait.study else []:
        said = portrait.say([gate["sentence"]])
        yield ["gate", f"{gate['name']}: {said}", gate["passed"], None, None, None, None, gate["ceiling"]]
    if portrait.kept:
        for term, cell in zip(portrait.kept["terms"], portrait.kept["cells"], strict=True):
            for side in ("with", "without"):
                name, found = f"{term['name']}, {side} taking part", cell[side]
                yield ["outcomes", name, None, None, None, found["teachers"], found["results"], None]


def _raw(line: Mapping[str, Any]) -> Cells:
    size = line.get("size") or {}
    return [line.get("sd"), line.get("low"), line.get("high"), size.get("teachers"), size.get("results")]
