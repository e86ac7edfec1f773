"""The look of a picture that stands alone: the colors of the pages (staffroom/ui/styles/tokens.css) as a file can carry them.

Programs that draw such files know neither variables nor `light-dark()`, so the rules are written out: by day, by night, on
paper (by day, on white).
"""

from __future__ import annotations

from collections.abc import Mapping

COLORS: Mapping[str, tuple[str, str]] = {
    "surface": ("#ffffff", "#141d20"),
    "line": ("#e3e2dd", "#2c363a"),
    "line-strong": ("#85837b", "#758388"),
    "ink": ("#182227", "#f0efeb"),
    "ink-quiet": ("#505c63", "#abb4b8"),
    "impact": ("#126b47", "#6dd6a2"),
    "mark-1": ("#087e9b", "#4db4cc"),
    "mark-2": ("#c16e2d", "#e5a059"),
    "mark-3": ("#825eb9", "#b093e5"),
    "mark-4": ("#2d8c57", "#66c189"),
    "mark-5": ("#c74056", "#ea808a"),
}
"""By day and by night."""

PAINT: Mapping[str, str] = {
    ".ground": "fill:{surface}",
    ".title,.label": "fill:{ink}",
    ".axis,.tick": "fill:{ink-quiet}",
    ".rule": "stroke:{line}",
    ".zero": "stroke:{line-strong}",
    ".line,.whisker,.curve": "stroke:{mark-1}",
    ".ghost": "stroke:{line-strong}",
    ".limit": "stroke:{mark-2}",
    ".dot": "fill:{surface};stroke:{mark-1}",
    ".own": "fill:{surface};stroke:{line-strong}",
    ".full,.mark-1": "fill:{mark-1}",
    ".band,.range": "fill:{mark-1}",
    ".diamond": "fill:{impact}",
    ".mark-2": "fill:{mark-2}",
    ".mark-3": "fill:{mark-3}",
    ".mark-4": "fill:{mark-4}",
    ".mark-5": "fill:{mark-5}",
}
SHAPE = (
    "text{font-family:Inter,system-ui,sans-serif;font-size:12px}.title{font-size:17px;font-weight:600}"
    ".strong{font-weight:600}.narrow{display:none}path{fill:none}"
    ".rule,.whisker{stroke-width:1}.zero{stroke-width:1;stroke-dasharray:3 3}.limit{stroke-width:1.5;stroke-dasharray:6 4}"
    ".line{stroke-width:2.25;stroke-linecap:round}.curve{stroke-width:2.25;stroke-linejoin:round}.ghost{stroke-width:1.5}"
    ".dot{stroke-width:2}.own{stroke-width:1.5}.band{fill-opacity:.13}.range{fill-opacity:.35}path.diamond{stroke:none}"
)


def _painted(by_night: bool) -> str:
    colors = {name: both[by_night] for name, both in COLORS.items()}
    return "".join(f"{which}{{{paint.format_map(colors)}}}" for which, paint in PAINT.items())


DAY = SHAPE + _painted(by_night=False)
STYLES = f"{DAY}@media screen and (prefers-color-scheme:dark){{{_painted(by_night=True)}}}"
