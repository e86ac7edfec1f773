"""What a clip may show of the helpers made from the whole recording: the loudness and the small pictures of its own seconds, no others."""

from __future__ import annotations

import io
import json
from typing import Any

from staffroom.files import keeping
from staffroom.files.media.pictures import COLUMNS, TILE_EVERY_S, TILES_MOST
from staffroom.files.models import Derivative

LARGEST_SHEET = 16_000_000


def waveform_between(derivative: Derivative, start_ms: int, end_ms: int) -> dict[str, Any]:
    """The loudness from ``start_ms`` up to ``end_ms``; without peaks where what was made cannot be read."""
    try:
        whole = json.loads(_bytes(derivative))
        peaks, interval_ms = list(whole["peaks"]), int(whole["interval_ms"])
        return {"interval_ms": interval_ms, "peaks": peaks[-(-start_ms // interval_ms) : end_ms // interval_ms]}
    except (OSError, ValueError, KeyError, TypeError, ZeroDivisionError):
        return {"peaks": []}


def storyboard_between(derivative: Derivative, start_ms: int, end_ms: int) -> bytes | None:
    """A sheet of the pictures that lie within the range, laid out as for a recording of its length; None where there are none.

    A place for which the whole recording has no picture of its own shows the next before it, within the range.
    """
    from PIL import Image

    try:
        sheet = Image.open(io.BytesIO(_bytes(derivative)), formats=["JPEG"])
        step_ms, count = int(derivative.details["interval_ms"]), int(derivative.details["count"])
        width, height = int(derivative.details["tile_width"]), int(derivative.details["tile_height"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    inside = [number for number in range(count) if start_ms <= number * step_ms < end_ms]
    if not inside or sheet.width * sheet.height > LARGEST_SHEET:
        return None
    interval_s = max(TILE_EVERY_S, (end_ms - start_ms) / 1000 / TILES_MOST)
    wanted = [start_ms + n * interval_s * 1000 for n in range(TILES_MOST) if n * interval_s * 1000 < end_ms - start_ms]
    made = Image.new("RGB", (min(COLUMNS, len(wanted)) * width, -(-len(wanted) // COLUMNS) * height))
    for place, at_ms in enumerate(wanted):
        number = max((each for each in inside if each * step_ms <= at_ms), default=inside[0])
        left, top = number % COLUMNS * width, number // COLUMNS * height
        made.paste(
            sheet.crop((left, top, left + width, top + height)), (place % COLUMNS * width, place // COLUMNS * height)
        )
    written = io.BytesIO()
    made.save(written, "JPEG", quality=70)
    return written.getvalue()


def _bytes(derivative: Derivative) -> bytes:
    return b"".join(keeping.read(derivative.path, 0, derivative.size))
