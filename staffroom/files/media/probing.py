"""Looking at a file that arrived: what it is, how long it plays, how large its picture is, and whether it can be used."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from staffroom.files.media import archives, images, limits, opening
from staffroom.files.media.limits import Refused
from staffroom.files.media.opening import Chosen, seconds
from staffroom.files.media.sniffing import Sniffed, sniff

# A file whose last tenth of a minute cannot be reached is read from the beginning to see how much of it plays.
TAIL_S = 15.0
DECODE_TRIES = 600


def look(path: Path, name: str = "") -> dict[str, Any]:
    """Facts of a file: kind, media_type, duration_ms, width and height as shown, details; ``sha256`` of its bytes.

    Raises ``Refused`` for what cannot be used.
    """
    if path.stat().st_size == 0:
        raise Refused("empty")
    sniffed = sniff(path, name)
    facts: dict[str, Any] = {"kind": sniffed.kind, "media_type": sniffed.media_type, "details": {}}
    facts |= {"duration_ms": None, "width": None, "height": None}
    if sniffed.demuxer:
        facts |= look_at_media(path, sniffed)
    elif sniffed.kind == "image":
        seen = images.look(path)
        facts |= {"width": seen["width"], "height": seen["height"], "details": seen}
    elif sniffed.kind == "archive":
        facts["details"] = archives.look(path)
    elif sniffed.kind == "other":
        raise Refused("image_unsupported" if sniffed.media_type == "image/heif" else "unknown_kind")
    facts["sha256"] = hash_of(path)
    return facts


def hash_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def look_at_media(path: Path, sniffed: Sniffed) -> dict[str, Any]:
    """Streams, duration and picture of a video or a sound. Decodes a first frame of each to know that it can be."""
    with opening.opened(path, sniffed.demuxer) as chosen:
        if not chosen.streams:
            raise Refused("no_picture_no_sound")
        _refuse_pixels(chosen.video)
        first_frame, has_sound = _first_frames(chosen)
        if first_frame is None and not has_sound:
            raise Refused("cannot_decode")
        video = _video_facts(chosen.video, first_frame) if first_frame is not None else None
        audio = _audio_facts(chosen.audio) if has_sound else None
        stream_count = len(chosen.container.streams)
        declared_s = (chosen.container.duration or 0) / 1_000_000
    with opening.opened(path, sniffed.demuxer) as chosen:
        end_s, is_cut = _playable_end(chosen, declared_s, sniffed.demuxer)
    if end_s > limits.DURATION_S:
        raise Refused("too_long", hours=limits.DURATION_S // 3600)
    details = {"container": sniffed.demuxer, "streams": stream_count, "video": video, "audio": audio, "is_cut": is_cut}
    return {
        "kind": "video" if video else "audio",
        "media_type": sniffed.media_type if video else sniffed.media_type.replace("video/", "audio/"),
        "duration_ms": round(end_s * 1000),
        "width": video["shown_width"] if video else None,
        "height": video["shown_height"] if video else None,
        "details": details,
    }


def _refuse_pixels(video: Any) -> None:
    if video is None:
        return
    width, height = video.width or 0, video.height or 0
    if width * height > limits.VIDEO_PIXELS or max(width, height) > limits.SIDE:
        raise Refused("too_many_pixels", width=width, height=height)


def _first_frames(chosen: Chosen) -> tuple[Any, bool]:
    """The first picture that can be decoded, and whether any sound can."""
    picture: Any = None
    has_sound = False
    for stream in chosen.streams:
        stream.codec_context.thread_count = 1
    for count, packet in enumerate(opening.packets(chosen)):
        is_video = packet.stream is chosen.video
        if (is_video and picture is not None) or (not is_video and has_sound):
            continue
        found = opening.decoded(packet)
        if is_video and found:
            picture = found[0]
            _refuse_pixels(picture)
        elif found:
            has_sound = True
        is_done = (picture is not None or chosen.video is None) and (has_sound or chosen.audio is None)
        if is_done or count > DECODE_TRIES:
            break
    if picture is None and chosen.video is not None:
        picture = next(iter(opening.drained(chosen.video)), None)
    return picture, has_sound


def _video_facts(video: Any, frame: Any) -> dict[str, Any]:
    turned = frame.rotation % 180 != 0
    return {
        "codec": video.codec_context.codec.name,
        "profile": video.profile,
        "pixels": frame.format.name,
        "width": frame.width,
        "height": frame.height,
        "rotation": frame.rotation,
        "shown_width": frame.height if turned else frame.width,
        "shown_height": frame.width if turned else frame.height,
        "aspect": float(opening.fraction(video.sample_aspect_ratio) or 1),
        "rate": round(float(opening.fraction(video.average_rate)), 3),
        "bit_rate": video.bit_rate or 0,
    }


def _audio_facts(audio: Any) -> dict[str, Any]:
    context = audio.codec_context
    return {
        "codec": context.codec.name,
        "profile": audio.profile,
        "rate": context.sample_rate,
        "channels": len(context.layout.channels),
    }


def _playable_end(chosen: Chosen, declared_s: float, demuxer: str) -> tuple[float, bool]:
    """For how long the file really plays, and whether it is shorter than it says (its end is missing).

    Recordings of browsers say nothing, cut-off files say too much: then all packets are counted.
    """
    if declared_s and demuxer in ("mov", "matroska") and _reaches(chosen, declared_s):
        return declared_s, False
    with opening.opened(_path_of(chosen), demuxer) as again:
        end_s = _last_end(again)
    if declared_s and end_s >= declared_s - _tolerance(declared_s):
        return end_s, False
    return end_s, bool(declared_s)


def _path_of(chosen: Chosen) -> Path:
    return Path(chosen.container.name.removeprefix("file:"))


def _tolerance(declared_s: float) -> float:
    return max(1.0, declared_s * 0.01)


def _reaches(chosen: Chosen, declared_s: float) -> bool:
    """Whether there are packets near the end that the file declares."""
    import av

    try:
        chosen.container.seek(int(max(0.0, declared_s - TAIL_S + chosen.start_s) * 1_000_000))
    except av.FFmpegError:
        return False
    return _last_end(chosen) >= declared_s - _tolerance(declared_s)


def _last_end(chosen: Chosen) -> float:
    """The latest moment at which a packet ends, told from the file's start."""
    last = 0.0
    for packet in opening.packets(chosen):
        ticks = packet.pts if packet.pts is not None else packet.dts
        moment = seconds(packet.stream, ticks + (packet.duration or 0))
        if moment is not None and packet.size:
            last = max(last, moment - chosen.start_s)
    return last
