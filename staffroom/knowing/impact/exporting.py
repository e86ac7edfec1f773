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
    yield from _practice_lines(portrait)
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
    if portrait.result is None:
        return
    answer, tier = portrait.result.answer, portrait.tier
    yield ["effect", "headline", portrait.headline, None, None, None, None, tier]
    if answer["effect"]:
        yield ["effect", "effect", *_raw({"effect": answer["effect"], "n": answer["n"]}), tier]
    for name, effect in (answer.get("beside") or {}).items():
        yield ["effect", name, *_raw({"effect": effect, "n": answer["n"]}), tier]
    yield ["effect", "minimum detectable effect", answer.get("mde"), None, None, None, None, None]
    for measure in portrait.result.measures:
        yield [
            "measure",
            measure["label"],
            f"{measure['value']} {measure['unit']}".strip(),
            measure["range"],
            None,
            None,
            None,
            tier,
        ]
    for picture in portrait.result.drawn.values():
        for row in picture.rows:
            named = "; ".join(f"{column}: {cell}" for column, cell in zip(picture.columns[1:], row[1:], strict=True))
            yield ["table", f"{picture.title}: {row[0]}", named, None, None, None, None, tier]
    for line in answer.get("by_event_time") or ():
        yield ["by terms since taking part", line["event_time"], *_raw(line), tier]
    for line in (answer.get("replicability") or {}).get("by_site") or ():
        yield ["by site", line["group"], *_raw(line), tier]
    for line in answer.get("by_subgroup") or ():
        yield ["by group", line["group"], *_raw(line), tier]


def _practice_lines(portrait: Portrait) -> Iterator[Cells]:
    """What changed in practice; school by school it stands in the table behind the picture."""
    if portrait.result is None:
        return
    for said, measure in zip(portrait.result.practice, portrait.result.answer.get("mechanism") or (), strict=True):
        yield ["practice", f"{said.name}: {said.headline}", *_raw(measure), measure["tier"]]
        link = measure["link"]
        if link.get("correlation") is not None:
            yield [
                "practice", f"{said.name}: correlation with scores over schools", link["correlation"], link["low"], link["high"],
                None, None, link["tier"],
            ]  # fmt: skip


def _gate_lines(portrait: Portrait) -> Iterator[Cells]:
    for gate in portrait.result.answer.get("gates") or () if portrait.result else ():
        said = portrait.result.say(gate["sentence"]) if portrait.result else ""
        yield ["gate", f"{gate['name']}: {said}", gate["passed"], None, None, None, None, gate["ceiling"]]
    if portrait.kept:
        for term, cell in zip(portrait.kept["terms"], portrait.kept["cells"], strict=True):
            for side in ("with", "without"):
                name, found = f"{term['name']}, {side} taking part", cell[side]
                yield ["outcomes", name, None, None, None, found["teachers"], found["results"], None]


def _raw(line: Mapping[str, Any]) -> Cells:
    size, effect = line.get("n") or {}, line.get("effect") or {}
    return [effect.get("sd"), effect.get("low"), effect.get("high"), size.get("teachers"), size.get("results")]
