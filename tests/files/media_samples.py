"""Small recordings as phones, laptops and accidents make them, written with PyAV while the tests run.

Every frame tells its own moment: the picture is a gray whose level counts frames, with a white quarter in its upper left as the
camera saw it; the sound is a tone whose pitch counts seconds. So a test can say which frames and samples a file holds.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

RATE = 48_000
VOICES = Path(__file__).resolve().parents[3] / "shared" / "data" / "lessons"


@dataclass(frozen=True)
class Sample:
    """How a recording is to be made; the defaults are a short MP4 as a laptop writes it."""

    container: str = "mp4"
    video: str | None = "libx264"
    audio: str | None = "aac"
    seconds: float = 2.0
    fps: int = 25
    size: tuple[int, int] = (160, 90)
    rotation: int = 0
    is_live: bool = False
    is_variable: bool = False
    is_silent: bool = False
    pixels: str = "yuv420p"
    voice: Path | None = None
    audio_streams: int = 1


def level_of(number: int) -> int:
    """The gray of a frame by its number; repeats after 50."""
    return 20 + (number % 50) * 4


def pitch_of(second: int) -> float:
    return 300.0 + 200.0 * (second % 10)


def write(path: Path, sample: Sample | None = None) -> Path:
    """Write one recording. ``is_live`` writes as a browser's recorder does: nothing is known of the end."""
    sample = sample or Sample()
    options = {"live": "1"} if sample.is_live and sample.container in ("webm", "matroska") else {}
    if sample.is_live and sample.container in ("mp4", "mov"):
        options = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}
    with av.open(str(path), "w", format=sample.container, options=options) as output:
        video = _video_stream(output, sample) if sample.video else None
        audios = [_audio_stream(output, sample) for _n in range(sample.audio_streams)] if sample.audio else []
        frames = list(_frames(sample)) if video else []
        for second in range(int(np.ceil(sample.seconds))):
            for at, frame in frames:
                if video and second <= at < second + 1:
                    output.mux(video.encode(frame))
            for audio in audios:
                for piece in _sound(sample, second, audio):
                    output.mux(audio.encode(piece))
        for stream in [video, *audios]:
            if stream:
                output.mux(stream.encode(None))
    return path


def _video_stream(output, sample):
    stream = output.add_stream(sample.video, rate=sample.fps)
    stream.width, stream.height = sample.size
    stream.pix_fmt = sample.pixels
    stream.codec_context.time_base = Fraction(1, 1000)
    stream.codec_context.gop_size = 15
    if sample.video == "libvpx":
        stream.codec_context.options = {"deadline": "realtime", "cpu-used": "8"}
    if sample.video == "libx265":
        stream.codec_context.options = {"preset": "ultrafast", "x265-params": "log-level=none"}
        stream.codec_context.codec_tag = "hvc1"
    if sample.rotation:
        stream.set_display_rotation(sample.rotation)
    return stream


def _audio_stream(output, sample):
    stream = output.add_stream(sample.audio, rate=RATE)
    stream.layout = "mono"
    return stream


def picture(number: int, size: tuple[int, int]) -> np.ndarray:
    width, height = size
    image = np.full((height, width, 3), level_of(number), np.uint8)
    image[: height // 4, : width // 4] = 255
    return image


def _frames(sample):
    at = 0.0
    number = 0
    while at < sample.seconds - 1e-9:
        frame = av.VideoFrame.from_ndarray(picture(number, sample.size), format="rgb24").reformat(format=sample.pixels)
        frame.pts, frame.time_base = round(at * 1000), Fraction(1, 1000)
        yield at, frame
        number += 1
        at += (1 / sample.fps) * ((1, 3, 1, 7)[number % 4] if sample.is_variable else 1)


def _sound(sample, second, stream):
    length = round(min(1.0, sample.seconds - second) * RATE)
    if sample.voice:
        samples = voice_samples(sample.voice, second, length)
    elif sample.is_silent:
        samples = np.zeros(length, np.float32)
    else:
        samples = (0.5 * np.sin(2 * np.pi * pitch_of(second) * np.arange(length) / RATE)).astype(np.float32)
    frame = av.AudioFrame.from_ndarray(samples[None, :], format="fltp", layout="mono")
    frame.sample_rate = RATE
    frame.pts, frame.time_base = second * RATE, Fraction(1, RATE)
    resampler = av.AudioResampler(format=stream.codec_context.format.name, layout="mono", rate=RATE)
    return resampler.resample(frame)


_voices: dict[Path, np.ndarray] = {}


def voice_samples(path: Path, second: int, length: int) -> np.ndarray:
    """A second of a real voice, at 48 kHz."""
    if path not in _voices:
        resampler = av.AudioResampler(format="fltp", layout="mono", rate=RATE)
        with av.open(str(path)) as container:
            pieces = [p.to_ndarray()[0] for f in container.decode(audio=0) for p in resampler.resample(f)]
        _voices[path] = np.concatenate(pieces)
    piece = _voices[path][second * RATE : second * RATE + length]
    return np.pad(piece, (0, length - piece.size)).astype(np.float32)


def truth_of(voice: Path) -> list[dict]:
    return json.loads((VOICES / f"{voice.stem.split('_')[0]}.json").read_text())


def levels(path: Path) -> list[int]:
    """The mean gray of the lower right quarter of every frame that a file holds, at its moment in ms."""
    found = []
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            image = frame.to_ndarray(format="rgb24")
            found.append((round(frame.time * 1000), float(image[image.shape[0] // 2 :, image.shape[1] // 2 :].mean())))
    return found


def heard(path: Path) -> tuple[np.ndarray, int]:
    """All samples that a file holds, without regard to what a player would skip, and their rate."""
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        pieces = [frame.to_ndarray().reshape(-1, frame.samples)[0] for frame in container.decode(stream)]
        return np.concatenate(pieces).astype(np.float32), stream.codec_context.sample_rate


def loudness_at(samples: np.ndarray, rate: int, pitch: float) -> float:
    """How much of a tone is in a sound (0 … about 0.5 for our tones)."""
    wave = np.exp(-2j * np.pi * pitch * np.arange(samples.size) / rate)
    return float(2 * abs(np.dot(samples, wave)) / max(1, samples.size))
