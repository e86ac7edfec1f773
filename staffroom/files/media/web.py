"""The video and the sound that are played on pages. What browsers play already is copied, not encoded again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from staffroom.files.media import opening
from staffroom.files.media.apart import Report
from staffroom.files.media.encoding import LONG_SIDE, SHORT_SIDE, Picture, Sound, Writer, verified
from staffroom.files.media.limits import Refused
from staffroom.files.media.opening import Chosen, room_watched
from staffroom.files.media.probing import look_at_media
from staffroom.files.media.sniffing import sniff

COPY_RATE_MOST = 61
COPY_BITS_MOST = 6_000_000


def may_copy_picture(facts: dict[str, Any]) -> bool:
    """Whether browsers play this picture as it is: H.264, 8 bits, at most 720p, of a container whose clock can be trusted."""
    video = facts["details"]["video"]
    short, long = sorted((video["width"], video["height"]))
    return (
        facts["details"]["container"] in ("mov", "matroska")
        and video["codec"] == "h264"
        and video["pixels"] in ("yuv420p", "yuvj420p")
        and short <= SHORT_SIDE
        and long <= LONG_SIDE
        and abs(video["aspect"] - 1) < 0.01
        and 0 < video["rate"] <= COPY_RATE_MOST
        and video["bit_rate"] <= COPY_BITS_MOST
        and not facts["details"]["is_cut"]
    )


def may_copy_sound(facts: dict[str, Any]) -> bool:
    audio = facts["details"]["audio"]
    is_plain = audio["codec"] == "aac" and audio["profile"] in ("LC", None) and audio["channels"] <= 2
    return (
        is_plain
        and facts["details"]["container"] == "mov"
        and 16_000 <= audio["rate"] <= 48_000
        and not facts["details"]["is_cut"]
    )


def make_video(path: Path, target: Path, report: Report) -> dict[str, Any]:
    """Write the web video of a file and return its facts. Copies what it may; encodes when copying does not end well."""
    facts = look_at_media(path, sniff(path))
    if facts["details"]["video"] is None:
        raise Refused("no_picture")
    copies = [may_copy_picture(facts)]
    if copies[0]:
        copies.append(False)
    for copies_picture in copies:
        try:
            return _make(path, target, facts, report, copies_picture)
        except (ValueError, OSError, RuntimeError) as error:
            if not copies_picture or getattr(error, "errno", None) in opening.NO_ROOM:
                raise
    raise AssertionError("the last way returns or raises")


def _make(path: Path, target: Path, facts: dict[str, Any], report: Report, copies_picture: bool) -> dict[str, Any]:
    has_sound = facts["details"]["audio"] is not None
    copies_sound = has_sound and copies_picture and may_copy_sound(facts)
    with room_watched(), opening.opened(path, facts["details"]["container"]) as chosen, Writer(target) as writer:
        tracks: dict[int, Any] = {}
        tracks[chosen.video.index] = (
            _Copied(writer, chosen.video, chosen.start_s)
            if copies_picture
            else _Drawn(writer, chosen, facts["width"], facts["height"])
        )
        if has_sound:
            tracks[chosen.audio.index] = (
                _Copied(writer, chosen.audio, chosen.start_s) if copies_sound else _Heard(writer, chosen, facts)
            )
        _pass_through(chosen, tracks, facts["duration_ms"], report)
    made = verified(target, has_picture=True, has_sound=has_sound)
    return _described(made, is_copied=copies_picture)


def make_audio(path: Path, target: Path, report: Report) -> dict[str, Any]:
    """Write the sound of a file as M4A. A file without sound is refused."""
    facts = look_at_media(path, sniff(path))
    if facts["details"]["audio"] is None:
        raise Refused("no_sound")
    is_copied = may_copy_sound(facts)
    with room_watched(), opening.opened(path, facts["details"]["container"]) as chosen, Writer(target) as writer:
        track = _Copied(writer, chosen.audio, chosen.start_s) if is_copied else _Heard(writer, chosen, facts)
        _pass_through(chosen, {chosen.audio.index: track}, facts["duration_ms"], report)
    return _described(verified(target, has_picture=False, has_sound=True), is_copied=is_copied)


def _described(made: dict[str, Any], *, is_copied: bool) -> dict[str, Any]:
    kept = {key: made[key] for key in ("duration_ms", "width", "height")}
    return {**kept, "has_sound": made["details"]["audio"] is not None, "is_copied": is_copied}


def _pass_through(chosen: Chosen, tracks: dict[int, Any], duration_ms: int, report: Report) -> None:
    """Send every packet to its track, then let the tracks end."""
    wanted = [stream for stream in chosen.streams if stream.index in tracks]
    for packet in opening.packets(chosen, *wanted):
        tracks[packet.stream.index].take(packet)
        moment = opening.seconds(packet.stream, packet.dts if packet.dts is not None else packet.pts)
        report(min(duration_ms, max(0, round(((moment or 0) - chosen.start_s) * 1000))), duration_ms)
    for track in tracks.values():
        track.end()


class _Copied:
    """A track whose packets are taken over as they are, told from the file's start."""

    def __init__(self, writer: Writer, stream: Any, start_s: float) -> None:
        self.writer = writer
        self.stream = writer.output.add_stream_from_template(stream)
        self.shift = round(start_s / float(opening.fraction(stream.time_base)))
        self.last: int | None = None

    def take(self, packet: Any) -> None:
        if packet.dts is None or not packet.size or (self.last is not None and packet.dts <= self.last):
            return
        self.last = packet.dts
        packet.dts -= self.shift
        if packet.pts is not None:
            packet.pts -= self.shift
        packet.stream = self.stream
        self.writer.mux(packet)

    def end(self) -> None:
        pass


class _Drawn:
    """A track whose pictures are decoded and encoded again."""

    def __init__(self, writer: Writer, chosen: Chosen, width: int, height: int) -> None:
        self.chosen, self.source = chosen, chosen.video
        self.source.codec_context.thread_count = 2
        self.source.codec_context.thread_type = "AUTO"
        aspect = float(opening.fraction(self.source.sample_aspect_ratio) or 1)
        self.picture = Picture(writer, max(2, round(width * aspect)), height)
        self.moment = 0.0

    def take(self, packet: Any) -> None:
        for frame in opening.decoded(packet):
            self._add(frame)

    def _add(self, frame: Any) -> None:
        known = frame.time
        self.moment = known - self.chosen.start_s if known is not None else self.moment + 1 / 30
        self.picture.add(frame, self.moment)

    def end(self) -> None:
        for frame in opening.drained(self.source):
            self._add(frame)
        self.picture.end()


class _Heard:
    """A track whose sound is decoded and encoded again."""

    def __init__(self, writer: Writer, chosen: Chosen, facts: dict[str, Any]) -> None:
        self.chosen, self.source = chosen, chosen.audio
        self.sound = Sound(writer, facts["details"]["audio"]["channels"])
        self.moment = 0.0

    def take(self, packet: Any) -> None:
        for frame in opening.decoded(packet):
            self._add(frame)

    def _add(self, frame: Any) -> None:
        known = frame.time
        moment = known - self.chosen.start_s if known is not None else self.moment
        self.moment = moment + frame.samples / frame.sample_rate
        self.sound.add(frame, moment)

    def end(self) -> None:
        for frame in opening.drained(self.source):
            self._add(frame)
        self.sound.end()
