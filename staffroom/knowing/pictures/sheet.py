"""A sheet that marks are put on, and a picture: drawing, words and table that say the same.

Marks carry classes alone. On a page the stylesheet gives them their colors (staffroom/ui/styles/figure.css); a file carries
its own (`styles`). Drawings are 720 wide.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

from staffroom.knowing.pictures.scales import Scale
from staffroom.knowing.pictures.styles import STYLES
from staffroom.knowing.pictures.words import short

WIDTH = 720
LEFT, RIGHT, TOP = 80, 16, 30
HEAD, FOOT, EDGE = 54, 34, 20


@dataclass
class Sheet:
    """Marks on a drawing of some height, in the order in which they are put there."""

    height: float
    marks: list[str] = field(default_factory=list)

    def path(self, d: str, classes: str) -> None:
        self.marks.append(f'<path class="{classes}" d="{d}"/>')

    def across(self, y: float, classes: str, start: float = LEFT, end: float = WIDTH - RIGHT) -> None:
        self.path(f"M{_n(start)} {_n(y)}H{_n(end)}", classes)

    def down(self, x: float, classes: str, start: float, end: float) -> None:
        self.path(f"M{_n(x)} {_n(start)}V{_n(end)}", classes)

    def rect(self, x: float, y: float, wide: float, high: float, classes: str, rx: float = 0) -> None:
        corner = f' rx="{_n(rx)}"' if rx else ""
        self.marks.append(
            f'<rect class="{classes}" x="{_n(x)}" y="{_n(y)}" width="{_n(wide)}" height="{_n(high)}"{corner}/>'
        )

    def dot(self, x: float, y: float, classes: str = "dot", r: float = 5) -> None:
        self.marks.append(f'<circle class="{classes}" cx="{_n(x)}" cy="{_n(y)}" r="{_n(r)}"/>')

    def text(self, x: float, y: float, words: object, classes: str = "tick", anchor: str = "") -> None:
        at = f' text-anchor="{anchor}"' if anchor else ""
        self.marks.append(f'<text class="{classes}" x="{_n(x)}" y="{_n(y)}"{at}>{escape(str(words))}</text>')

    def name(self, x: float, y: float, words: str, anchor: str = "", classes: str = "label") -> None:
        """A name; its beginning alone where the drawing is narrow."""
        brief = short(words)
        if brief == words:
            self.text(x, y, words, classes, anchor)
            return
        self.text(x, y, short(words, 28), f"{classes} wide", anchor)
        self.text(x, y, brief, f"{classes} narrow", anchor)

    def levels(
        self, up: Scale, say_tick: object, about: int = 5, start: float = LEFT, end: float = WIDTH - RIGHT
    ) -> None:
        """Thin lines across, with their values on the left."""
        assert callable(say_tick)
        for tick in up.ticks(about):
            self.across(up.at(tick), "rule", start, end)
            self.text(start - 10, up.at(tick) + 4, say_tick(tick), "tick", "end")

    def columns(self, across: Scale, say_tick: object, top: float, bottom: float, about: int = 5) -> None:
        """Thin lines down, with their values below."""
        assert callable(say_tick)
        for tick in across.ticks(about):
            self.down(across.at(tick), "rule", top, bottom)
            self.text(across.at(tick), bottom + 24, say_tick(tick), "tick", "middle")


@dataclass(frozen=True)
class Picture:
    """A drawing with the same in words and as a table, whose cells are text."""

    name: str
    title: str
    text: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    sheet: Sheet
    note: str = ""
    """What stands behind it: how many, and how sure. A file says it below the drawing."""

    @property
    def inline(self) -> str:
        """For a page, which says title, words and table beside it."""
        marks = "".join(self.sheet.marks)
        return f'<svg viewBox="0 0 {WIDTH} {_n(self.sheet.height)}" aria-hidden="true">{marks}</svg>'

    @property
    def svg(self) -> str:
        """A document of its own: title, drawing, what stands behind it; light and dark, and on paper."""
        wide, high = WIDTH + 2 * EDGE, self.sheet.height + HEAD + FOOT
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {_n(high)}" width="{wide}" height="{_n(high)}" '
            f'role="img" aria-labelledby="title text"><title id="title">{escape(self.title)}</title>'
            f'<desc id="text">{escape(self.text)}</desc><style>{STYLES}</style>'
            f'<rect class="ground" width="{wide}" height="{_n(high)}"/>'
            f'<text class="title" x="{EDGE}" y="34">{escape(self.title)}</text>'
            f'<g transform="translate({EDGE} {HEAD})">{"".join(self.sheet.marks)}</g>'
            f'<text class="tick" x="{EDGE}" y="{_n(high - 14)}">{escape(self.note)}</text></svg>'
        )


def _n(value: float) -> str:
    """At most one digit behind the point, and no more than needed."""
    return f"{round(value, 1):g}" if abs(value) < 1e5 else str(round(value))
