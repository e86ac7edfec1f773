"""Still pictures of a video: the poster, and the storyboard by which one finds a place."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from staffroom.files.media import opening
from staffroom.files.media.apart import Report
from staffroom.files.media.encoding import fitted
from staffroom.files.media.limits import Refused
from staffroom.files.media.opening import Chosen
from staffroom.files.media.probing import look_at_media
from staffroom.files.media.sniffing import sniff

TILE_WIDTH = 160
TILES_MOST = 100
COLUMNS = 10
TILE_EVERY_S = 2.0
POSTER_CANDIDATES = 4


def make_poster(path: Path, target: Path, report: Report) -> dict[str, Any]:
    """Write one telling picture as JPEG: of a few early ones the one with most to see in it."""
    facts = _facts_of_video(path)
    moments = [facts["duration_ms"] / 1000 * part for part in (0.1, 0.03, 0.25, 0.5)][:POSTER_CANDIDATES]
    found = [image for _moment, image in _images_at(path, facts, sorted(moments))]
    if not found:
        raise Refused("cannot_decode")
    best = max(found, key=_liveliness)
    image = best.resize(fitted(*best.size)) if fitted(*best.size) != best.size else best
    image.save(target, "JPEG", quality=82, optimize=True)
    report(1, 1)
    return {"width": image.width, "height": image.height}


def make_storyboard(path: Path, target: Path, report: Report) -> dict[str, Any]:
    """Write small pictures at even distances as one JPEG; returns where on it each moment is found."""
    from PIL import Image

    facts = _facts_of_video(path)
    duration_s = max(0.001, facts["duration_ms"] / 1000)
    interval_s = max(TILE_EVERY_S, duration_s / TILES_MOST)
    count = max(1, min(TILES_MOST, math.ceil(duration_s / interval_s)))
    height = max(2, round(TILE_WIDTH * facts["height"] / facts["width"]))
    columns, rows = min(COLUMNS, count), math.ceil(count / COLUMNS)
    sheet = Image.new("RGB", (columns * TILE_WIDTH, rows * height))
    last: Any = None
    images = dict(_images_at(path, facts, [n * interval_s for n in range(count)], report))
    for number in range(count):
        image = images.get(number * interval_s)
        last = image.resize((TILE_WIDTH, height)) if image is not None else last
        if last is not None:
            sheet.paste(last, (number % COLUMNS * TILE_WIDTH, number // COLUMNS * height))
    if last is None:
        raise Refused("cannot_decode")
    sheet.save(target, "JPEG", quality=70, optimize=True)
    return {
        "interval_ms": round(interval_s * 1000),
        "count": count,
        "columns": columns,
        "rows": rows,
        "tile_width": TILE_WIDTH,
        "tile_height": height,
    }


def _facts_of_video(path: Path) -> dict[str, Any]:
    facts = look_at_media(path, sniff(path))
    if facts["details"]["video"] is None:
        raise Refused("no_picture")
    return facts


def _liveliness(image: Any) -> float:
    """How much a picture shows: black, white and blurred ones show little."""
    from PIL import ImageStat

    return float(ImageStat.Stat(image.convert("L").resize((64, 64))).stddev[0])


def _images_at(path: Path, facts: dict[str, Any], moments: list[float], report: Report | None = None) -> Iterator[Any]:
    """(moment, upright image) at the key frame nearest before each moment, or the first after it."""
    has_index = facts["details"]["container"] == "mov"
    with opening.opened(path, facts["details"]["container"]) as chosen:
        chosen.video.codec_context.thread_count = 1
        frames = _by_seeking(chosen, moments) if has_index else _by_reading(chosen, moments)
        for done, (moment, frame) in enumerate(frames, 1):
            yield moment, _upright(frame)
            if report:
                report(done, len(moments))


def _by_seeking(chosen: Chosen, moments: list[float]) -> Iterator[tuple[float, Any]]:
    import av

    for moment in moments:
        try:
            chosen.container.seek(int((moment + chosen.start_s) * 1_000_000))
        except av.FFmpegError:
            continue
        for packet in opening.packets(chosen, chosen.video):
            if packet.is_keyframe:
                frame = _key_frame(chosen, packet)
                if frame is not None:
                    yield moment, frame
                    break


def _by_reading(chosen: Chosen, moments: list[float]) -> Iterator[tuple[float, Any]]:
    """Without an index: read all packets once, decode only the key frames that are wanted."""
    waiting = list(moments)
    for packet in opening.packets(chosen, chosen.video):
        if not waiting:
            return
        at = opening.seconds(packet.stream, packet.pts if packet.pts is not None else packet.dts)
        if not packet.is_keyframe or at is None or at - chosen.start_s < waiting[0]:
            continue
        frame = _key_frame(chosen, packet)
        while frame is not None and waiting and waiting[0] <= at - chosen.start_s:
            yield waiting.pop(0), frame


def _key_frame(chosen: Chosen, packet: Any) -> Any:
    found = opening.decoded(packet) or opening.drained(chosen.video)
    chosen.video.codec_context.flush_buffers()
    return found[0] if found else None


def _upright(frame: Any) -> Any:
    """As a picture, turned as it is to be shown, without anything that was written beside it."""
    image = frame.to_image(width=frame.width // 2 if frame.width > 2600 else frame.width,
                           height=frame.height // 2 if frame.width > 2600 else frame.height)  # fmt: skip
    turn = round(frame.rotation / 90) * 90
    return image.rotate(turn, expand=True) if turn else image
