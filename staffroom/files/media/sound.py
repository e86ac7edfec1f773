"""The waveform: how loud a recording is, moment by moment, as numbers that a page can draw."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

from staffroom.files.media import opening
from staffroom.files.media.apart import Report
from staffroom.files.media.limits import Refused
from staffroom.files.media.opening import room_watched
from staffroom.files.media.probing import look_at_media
from staffroom.files.media.sniffing import sniff

INTERVAL_MS = 50
POINTS_MOST = 12_000
OVERVIEW_POINTS = 400
LOUDEST = 100


def make_waveform(path: Path, target: Path, report: Report) -> dict[str, Any]:
    """Write the peaks as JSON: ``{"version": 1, "interval_ms": …, "peaks": [0…100, …]}``; returns an overview of them.

    Told on the recording's own clock, so a gap in the sound is a gap here. A file without sound is refused.
    """
    facts = look_at_media(path, sniff(path))
    if facts["details"]["audio"] is None:
        raise Refused("no_sound")
    duration_ms = max(1, facts["duration_ms"])
    interval_ms = max(INTERVAL_MS, -(-duration_ms // POINTS_MOST))
    peaks = _peaks(path, facts, interval_ms, report)
    with room_watched():
        target.write_text(json.dumps({"version": 1, "interval_ms": interval_ms, "peaks": peaks}, separators=(",", ":")))
    return {"interval_ms": interval_ms, "points": len(peaks), "loudest": max(peaks), "peaks": _overview(peaks)}


def _peaks(path: Path, facts: dict[str, Any], interval_ms: int, report: Report) -> list[int]:
    import numpy as np
    from av.audio.resampler import AudioResampler

    duration_ms = facts["duration_ms"]
    peaks = np.zeros(max(1, -(-duration_ms // interval_ms)))
    with opening.opened(path, facts["details"]["container"]) as chosen:
        resampler, shape = AudioResampler(format="flt", layout="mono"), None
        for frame in opening.frames(chosen, chosen.audio):
            if frame.time is None:
                continue
            if shape != (frame.format.name, frame.sample_rate, frame.layout.name):
                shape = (frame.format.name, frame.sample_rate, frame.layout.name)
                resampler = AudioResampler(format="flt", layout="mono", rate=frame.sample_rate)
            start_s, rate = frame.time - chosen.start_s, frame.sample_rate
            for piece in resampler.resample(frame):
                heard = np.abs(piece.to_ndarray()[0])
                if not np.isfinite(heard.max()):
                    heard = np.abs(np.nan_to_num(heard))
                at = ((start_s + np.arange(heard.size) / rate) * 1000 // interval_ms).astype(np.int64)
                begins = np.flatnonzero(np.diff(at, prepend=-1 - at[0]))  # where each interval begins: few in a frame
                loudest = np.maximum.reduceat(heard, begins)
                within = (at[begins] >= 0) & (at[begins] < peaks.size)
                places = at[begins][within]
                peaks[places] = np.maximum(peaks[places], loudest[within])
            report(min(duration_ms, max(0, round(start_s * 1000))), duration_ms)
    return [round(LOUDEST * value) for value in np.clip(peaks, 0, 1).tolist()]


def _overview(peaks: list[int]) -> list[int]:
    """The same in few numbers, for a page to draw before the rest is there."""
    count = min(OVERVIEW_POINTS, len(peaks))
    edges = [round(n * len(peaks) / count) for n in range(count + 1)]
    return [max(peaks[a:b]) for a, b in pairwise(edges) if b > a]
