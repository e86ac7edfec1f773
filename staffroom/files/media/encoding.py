"""Frames in, an MP4 that every browser plays out: H.264 at most 720p and 30 pictures a second, AAC, index in front."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path
from typing import Any

from staffroom.files.media import opening
from staffroom.files.media.limits import Failed

SHORT_SIDE, LONG_SIDE = 720, 1280
RATE = 30
CLOCK = Fraction(1, 90_000)
SOUND_RATE = 48_000
# Sound that jumps further than this ahead of the last is taken for a broken clock and left out.
SOUND_GAP_S = 600.0


def fitted(width: int, height: int) -> tuple[int, int]:
    """The size at which a picture is shown on the web: never enlarged, at most 1280 by 720 (or upright), even numbers."""
    short, long = min(width, height), max(width, height)
    scale = min(1.0, SHORT_SIDE / short, LONG_SIDE / long)
    return max(2, round(width * scale / 2) * 2), max(2, round(height * scale / 2) * 2)


class Writer:
    """An MP4 being written: a picture, a sound, or both. Use as a context; the file counts only after a clean end."""

    def __init__(self, path: Path) -> None:
        import av

        self.output: Any = av.open(f"file:{path}", "w", format="mp4", options={"movflags": "+faststart"})

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, kind: object, *rest: object) -> None:
        if kind is None:
            self.output.close()
            return
        # The error that brought us here matters more than what closing a broken file says.
        try:
            self.output.close()
        except Exception:
            return

    def mux(self, packets: Any) -> None:
        if packets:
            self.output.mux(packets)


class Picture:
    """The H.264 stream of a writer. Takes frames of any size and turns, in the order of their moments."""

    def __init__(self, writer: Writer, width: int, height: int) -> None:
        self.writer = writer
        self.size = fitted(width, height)
        options = {"preset": "veryfast", "crf": "24", "maxrate": "3M", "bufsize": "6M"}
        stream = writer.output.add_stream("libx264", rate=RATE, options=options)
        stream.width, stream.height = self.size
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = CLOCK
        stream.codec_context.gop_size = RATE * 2
        stream.codec_context.thread_count = min(4, os.cpu_count() or 1)
        self.stream = stream
        self.last_ticks = -1
        self.count = 0
        self._graphs: dict[Any, Any] = {}

    def add(self, frame: Any, moment_s: float) -> None:
        """Encode a frame to be shown at a moment; leaves out frames that come faster than the rate, or out of order."""
        ticks = max(0, round(moment_s / float(CLOCK)))
        least = self.last_ticks + int(0.8 / RATE / float(CLOCK)) if self.count else 0
        if ticks < least:
            return
        shaped = self._shaped(frame)
        shaped.pts, shaped.time_base = ticks, CLOCK
        shaped.pict_type = 0
        self.last_ticks = ticks
        self.count += 1
        self.writer.mux(self.stream.encode(shaped))

    def end(self) -> None:
        if self.count:
            self.writer.mux(self.stream.encode(None))

    def _shaped(self, frame: Any) -> Any:
        """Turned upright, scaled into the size, in the pixels that browsers know."""
        aspect = opening.fraction(getattr(frame, "sample_aspect_ratio", None)) or Fraction(1)
        key = (frame.width, frame.height, frame.format.name, frame.rotation, frame.interlaced_frame, aspect)
        if key not in self._graphs:
            self._graphs.clear()
            self._graphs[key] = _shaping(frame, self.size, CLOCK)
        graph = self._graphs[key]
        # The graph only shapes; the moments are ours.
        frame.pts, frame.time_base = self.count, CLOCK
        graph.push(frame)
        return graph.pull()


TURNS = {90: ["transpose=cclock"], -90: ["transpose=clock"], 180: ["hflip", "vflip"], -180: ["hflip", "vflip"]}


def _shaping(frame: Any, size: tuple[int, int], clock: Fraction) -> Any:
    """A filter graph for frames of one shape."""
    import av.filter

    graph = av.filter.Graph()
    graph.threads = 1
    source = graph.add_buffer(width=frame.width, height=frame.height, format=frame.format.name, time_base=clock)
    fit = f"{size[0]}:{size[1]}:force_original_aspect_ratio=decrease:force_divisible_by=2:flags=bicubic"
    steps = ["yadif=deint=interlaced"] if frame.interlaced_frame else []
    steps += TURNS.get(round(frame.rotation / 90) * 90, [])
    steps += [f"scale={fit}", f"pad={size[0]}:{size[1]}:(ow-iw)/2:(oh-ih)/2", "setsar=1", "format=pix_fmts=yuv420p"]
    nodes = [source]
    for step in steps:
        name, _equals, arguments = step.partition("=")
        nodes.append(graph.add(name, arguments or None))
    nodes.append(graph.add("buffersink"))
    graph.link_nodes(*nodes).configure()
    return graph


class Sound:
    """The AAC stream of a writer: 48 kHz, mono or stereo. Gaps become silence, so that sound and picture stay together."""

    def __init__(self, writer: Writer, channels: int) -> None:
        self.writer = writer
        self.layout = "mono" if channels == 1 else "stereo"
        stream = writer.output.add_stream("aac", rate=SOUND_RATE)
        stream.layout = self.layout
        stream.bit_rate = 96_000 if channels == 1 else 128_000
        self.stream = stream
        self.count = 0
        self._graph: Any = None
        self._shape: Any = None
        self._end_s = 0.0

    def add(self, frame: Any, moment_s: float) -> None:
        """Encode a piece of sound that begins at a moment."""
        length_s = frame.samples / frame.sample_rate
        if moment_s + length_s <= 0 or moment_s > self._end_s + SOUND_GAP_S:
            return
        shape = (frame.format.name, frame.sample_rate, frame.layout.name)
        if shape != self._shape:
            self._flush()
            self._graph, self._shape = self._filtering(frame), shape
        frame.pts, frame.time_base = round(moment_s * frame.sample_rate), Fraction(1, frame.sample_rate)
        self._end_s = max(self._end_s, moment_s + length_s)
        self._graph.push(frame)
        self._pull()

    def end(self) -> None:
        self._flush()
        if self.count:
            self.writer.mux(self.stream.encode(None))

    def _filtering(self, frame: Any) -> Any:
        import av.filter

        graph = av.filter.Graph()
        source = graph.add_abuffer(
            sample_rate=frame.sample_rate,
            format=frame.format.name,
            layout=frame.layout.name,
            time_base=Fraction(1, frame.sample_rate),
        )
        first = "" if self.count else ":first_pts=0"
        resample = graph.add("aresample", f"{SOUND_RATE}:async=1000:min_hard_comp=0.1{first}")
        shape = graph.add("aformat", f"sample_fmts=fltp:sample_rates={SOUND_RATE}:channel_layouts={self.layout}")
        sink = graph.add("abuffersink")
        graph.link_nodes(source, resample, shape, sink).configure()
        graph.set_audio_frame_size(1024)
        return graph

    def _flush(self) -> None:
        if self._graph is not None:
            self._graph.push(None)
            self._pull()
            self._graph = None

    def _pull(self) -> None:
        import av

        while True:
            try:
                frame = self._graph.pull()
            except (av.BlockingIOError, av.EOFError):
                return
            self.count += 1
            self.writer.mux(self.stream.encode(frame))


def verified(path: Path, *, has_picture: bool, has_sound: bool) -> dict[str, Any]:
    """Open what was written and decode its beginning; a file that nobody could play is a failure, not a result."""
    from staffroom.files.media.probing import look_at_media
    from staffroom.files.media.sniffing import sniff

    facts = look_at_media(path, sniff(path))
    details = facts["details"]
    if bool(details["video"]) != has_picture or bool(details["audio"]) != has_sound:
        raise Failed("what was written cannot be played")
    return facts
