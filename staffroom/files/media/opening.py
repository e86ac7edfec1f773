"""Opening media with only the one demuxer that its first bytes call for, and decoding it past broken places."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from staffroom.files.media import limits
from staffroom.files.media.limits import OutOfRoom, Refused

# ENOSPC, EFBIG and EDQUOT, as FFmpeg hands them on.
NO_ROOM = (28, 27, 122)


@dataclass(frozen=True)
class Chosen:
    """The one picture and the one sound that are used of a file that may hold many."""

    container: Any
    video: Any
    audio: Any

    @property
    def streams(self) -> list[Any]:
        return [stream for stream in (self.video, self.audio) if stream is not None]

    @property
    def start_s(self) -> float:
        """Where the file's clock begins: everything is told from there."""
        return self.container.start_time / 1_000_000 if self.container.start_time else 0.0


@contextmanager
def opened(path: Path, demuxer: str) -> Iterator[Chosen]:
    """The file's streams, opened for reading. Raises ``Refused`` when it cannot be opened or holds too many."""
    import av

    # Only the demuxer that the first bytes called for: playlists and concatenations would open other files.
    options = {"probesize": "20000000", "analyzeduration": "10000000", "protocol_whitelist": "file"}
    options["max_streams"] = str(limits.STREAMS * 4)
    try:
        container = av.open(f"file:{path}", format=demuxer, container_options=options)
    except (av.FFmpegError, ValueError, UnicodeDecodeError) as error:
        raise Refused(_why_not_opened(path, demuxer)) from error
    with container:
        if len(container.streams) > limits.STREAMS:
            raise Refused("too_many_streams", count=len(container.streams), most=limits.STREAMS)
        yield Chosen(container, _best_video(container), _best_audio(container))


def _best_video(container: Any) -> Any:
    """The largest moving picture; a cover image does not count."""
    import av.stream

    def is_cover(stream: Any) -> bool:
        return bool(stream.disposition & av.stream.Disposition.attached_pic)

    found = [stream for stream in container.streams.video if stream.codec_context and not is_cover(stream)]
    return max(found, key=lambda each: (each.width or 0) * (each.height or 0), default=None)


def _best_audio(container: Any) -> Any:
    """The first sound that can be decoded: phones add further tracks for spatial sound."""
    return next((stream for stream in container.streams.audio if stream.codec_context), None)


def _why_not_opened(path: Path, demuxer: str) -> str:
    """A recording that was cut off before its index was written is a common case with its own advice."""
    if demuxer != "mov":
        return "unreadable"
    return "unreadable" if _has_index(path) else "cut_before_index"


def _has_index(path: Path) -> bool:
    """Whether a QuickTime or MP4 file has its ``moov`` atom at the top level."""
    size = path.stat().st_size
    with path.open("rb") as file:
        position = 0
        for _atom in range(10_000):
            file.seek(position)
            header = file.read(16)
            if len(header) < 8:
                return False
            length = int.from_bytes(header[:4], "big")
            if header[4:8] == b"moov":
                return position + length <= size
            if length == 1 and len(header) == 16:
                length = int.from_bytes(header[8:16], "big")
            if length < 8:
                return False
            position += length
    return False


def packets(chosen: Chosen, *streams: Any) -> Iterator[Any]:
    """The packets of some streams; a broken place in the file ends them instead of raising."""
    import av

    wanted = chosen.container.demux(*(streams or chosen.streams))
    while True:
        try:
            packet = next(wanted)
        except (StopIteration, av.FFmpegError):
            return
        if packet.dts is not None or packet.pts is not None:
            yield packet


def decoded(packet: Any) -> list[Any]:
    """The frames of a packet; none when it is broken."""
    import av

    try:
        return list(packet.decode())
    except (av.FFmpegError, ValueError):
        return []


def drained(stream: Any) -> list[Any]:
    """The frames that the decoder still held back."""
    import av

    try:
        return list(stream.codec_context.decode(None))
    except (av.FFmpegError, ValueError):
        return []


def frames(chosen: Chosen, *streams: Any) -> Iterator[Any]:
    """Decoded frames of some streams with the packets' order, past broken packets, to the last one held back."""
    for stream in streams or chosen.streams:
        stream.codec_context.thread_count = 2
        stream.codec_context.thread_type = "AUTO"
    for packet in packets(chosen, *streams):
        yield from decoded(packet)
    for stream in streams or chosen.streams:
        yield from drained(stream)


def fraction(rational: Any) -> Fraction:
    return Fraction(rational.numerator, rational.denominator) if rational else Fraction(0)


def seconds(stream: Any, ticks: int | None) -> float | None:
    return None if ticks is None else float(ticks * fraction(stream.time_base))


@contextmanager
def room_watched() -> Iterator[None]:
    """Turn a full disk into ``OutOfRoom``, wherever FFmpeg meets it."""
    try:
        yield
    except OSError as error:
        if error.errno in NO_ROOM:
            raise OutOfRoom from error
        raise
