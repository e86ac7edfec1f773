"""A lesson drawn frame by frame, with tones in the place of voices: media that the demo can show without anybody's face.

The picture is a board with a task that changes, a teacher who walks and students who raise their hands; the sound has a lower
hum while the teacher talks and higher ones while students answer, with pauses of known length between them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw

WIDTH, HEIGHT, FRAMES_PER_S, SAMPLES_PER_S = 854, 480, 2, 24_000
SKIN = ("#8d5a3b", "#e6b18f", "#c88a63", "#f1c9a5", "#6f4229", "#d9a47e")
HAIR = ("#2a1a12", "#7a4a21", "#111111", "#b35a1f", "#3b2417", "#5a3b22")
CLOTHES = ("#3b6ea5", "#a5503b", "#4f8a5b", "#8a6bb0", "#c08a2e", "#44707a")
TASKS = (
    ("3/4 + 1/8 = ?", "Which pieces do we need?"),
    ("6/8 + 1/8 = 7/8", "How do you know?"),
    ("2/3 + 1/6 = ?", "Draw it first."),
    ("4/6 + 1/6 = 5/6", "Who can say it another way?"),
    ("Our rule:", "Same pieces, then count."),
)


@dataclass(frozen=True)
class Turn:
    """Somebody talks: the teacher (who = -1) or a student, from a second to a second."""

    who: int
    start_s: float
    end_s: float


def conversation(rng: np.random.Generator, duration_s: float) -> list[Turn]:
    """Turns of a lesson: the teacher asks, waits, a student or two answer, she takes it up."""
    turns: list[Turn] = []
    now = 1.0
    while now < duration_s - 6:
        for who, least, most, pause in ((-1, 4, 11, 2.6), (int(rng.integers(6)), 2, 6, 0.9), (-1, 2, 5, 1.2)):
            length = float(rng.uniform(least, most))
            if now + length > duration_s - 1:
                return turns
            turns.append(Turn(who, now, now + length))
            now += length + float(rng.uniform(0.4, 1.6)) * pause
    return turns


def sound(turns: list[Turn], duration_s: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """One voice-like hum per turn: a fundamental with overtones, chopped into syllables. Mono, SAMPLES_PER_S."""
    wave = rng.normal(0, 0.002, int(duration_s * SAMPLES_PER_S)).astype(np.float32)
    for turn in turns:
        first, last = int(turn.start_s * SAMPLES_PER_S), int(turn.end_s * SAMPLES_PER_S)
        time = np.arange(last - first) / SAMPLES_PER_S
        pitch = (190.0 if turn.who < 0 else 270.0 + 18 * turn.who) * (1 + 0.04 * np.sin(2 * math.pi * 0.7 * time))
        phase = 2 * math.pi * np.cumsum(pitch) / SAMPLES_PER_S
        hum = sum(np.sin(k * phase) / k**1.4 for k in range(1, 7))
        syllables = 0.5 + 0.5 * np.sin(2 * math.pi * 3.7 * time + turn.who)
        wave[first:last] += (0.16 * hum * syllables).astype(np.float32)
    return np.clip(wave, -1, 1)


def frames(turns: list[Turn], duration_s: float) -> Iterator[Any]:
    """One picture per 1/FRAMES_PER_S seconds, as PIL images of WIDTH x HEIGHT."""
    from PIL import ImageDraw

    second, board = -1, _board("", "", "")
    for number in range(int(duration_s * FRAMES_PER_S)):
        now = number / FRAMES_PER_S
        if int(now) != second:
            second = int(now)
            task = TASKS[min(int(now / duration_s * len(TASKS)), len(TASKS) - 1)]
            board = _board(*task, f"{second // 60:02d}:{second % 60:02d}")
        talking = next((turn for turn in turns if turn.start_s <= now < turn.end_s), None)
        waiting = talking is None and any(turn.who < 0 and 0 < now - turn.end_s < 4 for turn in turns)
        picture = board.copy()
        canvas = ImageDraw.Draw(picture)
        _draw_teacher(canvas, now, talking is not None and talking.who < 0)
        for seat in range(6):
            is_up = (waiting and (seat + int(now)) % 2 == 0) or (talking is not None and talking.who == seat)
            _draw_student(canvas, seat, is_up, now)
        yield picture


@cache
def _room(task: str, question: str) -> Any:
    """The room with a task on its board."""
    from PIL import Image, ImageDraw

    room = Image.new("RGB", (WIDTH, HEIGHT), "#efe6d8")
    canvas = ImageDraw.Draw(room)
    _draw_room(canvas)
    canvas.text((250, 80), task, fill="#f6f1e4", font=_font(46))
    canvas.text((250, 160), question, fill="#f0cf6b", font=_font(26))
    return room


def _board(task: str, question: str, clock: str) -> Any:
    from PIL import ImageDraw

    room = _room(task, question).copy()
    ImageDraw.Draw(room).text((250, 208), clock, fill="#8fb5a6", font=_font(20))
    return room


def _draw_room(canvas: ImageDraw) -> None:
    canvas.rectangle((0, 330, WIDTH, HEIGHT), fill="#d8c3a0")
    canvas.rectangle((40, 60, 150, 190), fill="#cfe6f2", outline="#ffffff", width=8)
    canvas.line((95, 60, 95, 190), fill="#ffffff", width=6)
    canvas.rectangle((210, 40, 640, 250), fill="#24483c", outline="#8a653c", width=10)


@cache
def _font(size: int) -> Any:
    from PIL import ImageFont

    return ImageFont.load_default(size=size)


def _draw_teacher(canvas: ImageDraw, now: float, is_talking: bool) -> None:
    x = 700 + 40 * math.sin(now / 9)
    canvas.ellipse((x - 34, 96, x + 34, 176), fill=HAIR[0])
    canvas.ellipse((x - 27, 108, x + 27, 170), fill=SKIN[0])
    canvas.rounded_rectangle((x - 46, 172, x + 46, 345), 30, fill="#2f4d86")
    lift = 12 * math.sin(now * 3) if is_talking else 0
    canvas.line((x - 40, 205, x - 105, 190 + lift), fill="#2f4d86", width=22)
    canvas.ellipse((x - 122, 176 + lift, x - 96, 202 + lift), fill=SKIN[0])
    if is_talking and int(now * 5) % 2:
        canvas.ellipse((x - 8, 148, x + 8, 158), fill="#5a2a20")


def _draw_student(canvas: ImageDraw, seat: int, is_up: bool, now: float) -> None:
    x, y = 90 + seat * 132, 392 + 5 * math.sin(now * 1.3 + seat)
    if is_up:
        canvas.line((x + 30, y + 40, x + 46, y - 62), fill=CLOTHES[seat], width=18)
        canvas.ellipse((x + 34, y - 84, x + 60, y - 58), fill=SKIN[seat])
    canvas.rounded_rectangle((x - 44, y + 30, x + 44, HEIGHT + 30), 26, fill=CLOTHES[seat])
    canvas.ellipse((x - 34, y - 40, x + 34, y + 40), fill=HAIR[seat])
    canvas.ellipse((x - 27, y - 22, x + 27, y + 38), fill=SKIN[seat])


def draw_lesson(path: Path, *, duration_s: float, seed: int) -> None:
    """Write a lesson as MP4 (H.264, AAC): takes about a fortieth of its length."""
    import av

    rng = np.random.default_rng(seed)
    turns = conversation(rng, duration_s)
    with av.open(str(path), "w", options={"movflags": "faststart"}) as container:
        video = container.add_stream("libx264", rate=FRAMES_PER_S, options={"preset": "ultrafast", "crf": "28"})
        video.codec_context.thread_count = 1
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        audio = container.add_stream("aac", rate=SAMPLES_PER_S, layout="mono", options={"aac_coder": "fast"})
        for picture in frames(turns, duration_s):
            container.mux(video.encode(av.VideoFrame.from_ndarray(np.asarray(picture), format="rgb24")))
        container.mux(video.encode(None))
        for start, piece in _pieces(sound(turns, duration_s, rng)):
            frame = av.AudioFrame.from_ndarray(piece[None, :], format="fltp", layout="mono")
            frame.sample_rate, frame.pts = SAMPLES_PER_S, start
            container.mux(audio.encode(frame))
        container.mux(audio.encode(None))


def _pieces(wave: NDArray[np.float32], size: int = 1024) -> Iterator[tuple[int, NDArray[np.float32]]]:
    for start in range(0, len(wave), size):
        yield start, np.ascontiguousarray(wave[start : start + size])
