"""A clip: a file of its own that holds one range of a recording and not a frame or sample of the rest.

It is always encoded again. A copy would have to begin at a key frame before the range, and the pictures in between would lie in
the file for whoever looks, however well a player hid them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from staffroom.files.media import opening
from staffroom.files.media.apart import Report
from staffroom.files.media.encoding import Picture, Sound, Writer, verified
from staffroom.files.media.limits import Refused
from staffroom.files.media.opening import Chosen, room_watched
from staffroom.files.media.probing import look_at_media
from staffroom.files.media.sniffing import sniff
from staffroom.files.media.web import _described

# Packets of sound and picture are interleaved: both are past the end only when each was seen to be.
PAST_END_S = 5.0


def make_clip(path: Path, target: Path, start_ms: int, end_ms: int, report: Report) -> dict[str, Any]:
    """Write frames with start ≤ moment < end and samples of the same range. Refuses a range in which there is nothing."""
    facts = look_at_media(path, sniff(path))
    start_s, end_s = start_ms / 1000, end_ms / 1000
    has_picture, has_sound = facts["details"]["video"] is not None, facts["details"]["audio"] is not None
    with room_watched(), opening.opened(path, facts["details"]["container"]) as chosen, Writer(target) as writer:
        aspect = facts["details"]["video"]["aspect"] if has_picture else 1
        picture = Picture(writer, max(2, round(facts["width"] * aspect)), facts["height"]) if has_picture else None
        sound = Sound(writer, facts["details"]["audio"]["channels"]) if has_sound else None
        _seek(chosen, start_s)
        for kind, frame, moment_s in _frames(chosen, end_s, has_picture, has_sound):
            if kind == "video" and picture and start_s <= moment_s < end_s:
                picture.add(frame, moment_s - start_s if picture.count else 0.0)
            elif kind == "audio" and sound:
                _add_within(sound, frame, moment_s, start_s, end_s)
            report(min(end_ms - start_ms, max(0, round(moment_s * 1000) - start_ms)), end_ms - start_ms)
        for track in (picture, sound):
            if track:
                track.end()
        if not (picture and picture.count) and not (sound and sound.count):
            raise Refused("clip_empty")
    return _described(
        verified(target, has_picture=bool(picture and picture.count), has_sound=bool(sound and sound.count)),
        is_copied=False,
    )


def _seek(chosen: Chosen, start_s: float) -> None:
    """Go to a key frame before the range, when the file has an index; else it is read from its beginning."""
    import av

    if start_s < 1:
        return
    try:
        chosen.container.seek(int((start_s - 0.5 + chosen.start_s) * 1_000_000))
    except av.FFmpegError:
        chosen.container.seek(0)


def _frames(chosen: Chosen, end_s: float, has_picture: bool, has_sound: bool) -> Any:
    """Frames with their kind and moment, until everything is past the end."""
    streams = [s for s, has in ((chosen.video, has_picture), (chosen.audio, has_sound)) if has]
    for stream in streams:
        stream.codec_context.thread_count = 2
    for packet in opening.packets(chosen, *streams):
        moment = opening.seconds(packet.stream, packet.dts if packet.dts is not None else packet.pts)
        if moment is not None and moment - chosen.start_s > end_s + PAST_END_S:
            break
        for frame in opening.decoded(packet):
            yield from _timed(chosen, packet.stream, frame)
    for stream in streams:
        for frame in opening.drained(stream):
            yield from _timed(chosen, stream, frame)


def _timed(chosen: Chosen, stream: Any, frame: Any) -> Any:
    if frame.time is not None:
        yield stream.type, frame, frame.time - chosen.start_s


def _add_within(sound: Sound, frame: Any, moment_s: float, start_s: float, end_s: float) -> None:
    """The samples of a piece of sound that lie in the range. Cut before any filter could mix neighbors in."""
    import av
    from av.audio.resampler import AudioResampler

    rate, samples = frame.sample_rate, frame.samples
    first = max(0, -round((moment_s - start_s) * rate))
    last = min(samples, round((end_s - moment_s) * rate))
    if first >= last:
        return
    # Planar floats: one row a channel, whatever came. The same rate, so that no sample mixes with another.
    plain = AudioResampler(format="fltp", layout=frame.layout.name, rate=rate).resample(frame)[0]
    piece = av.AudioFrame.from_ndarray(
        plain.to_ndarray()[:, first:last].copy(), format="fltp", layout=plain.layout.name
    )
    piece.sample_rate = rate
    sound.add(piece, max(0.0, moment_s - start_s + first / rate))
