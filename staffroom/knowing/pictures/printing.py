"""A picture as PNG, by resvg with the letters that lie beside this file: nothing is fetched, no system font is needed."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from staffroom.knowing.pictures.styles import DAY, STYLES

FONTS = Path(__file__).parent / "fonts"


def png(svg: str, scale: float = 2.0) -> bytes:
    """The drawing by day, `scale` times as many pixels as it has units. ValueError for what is no SVG."""
    import resvg_py

    try:
        return bytes(
            resvg_py.svg_to_bytes(
                # The renderer knows no media queries.
                svg_string=svg.replace(STYLES, DAY), zoom=scale, font_files=_fonts(), skip_system_fonts=True, font_family="Inter",
                sans_serif_family="Inter",
            )
        )  # fmt: skip
    except Exception as error:
        raise ValueError(f"this is no drawing: {error}") from None


@cache
def _fonts() -> list[str]:
    return [str(path) for path in sorted(FONTS.glob("*.ttf"))]
