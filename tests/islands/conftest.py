"""A browser with a made-up camera, the small site, and a recording of 20 seconds."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.islands.site import TOKEN, Site

SECONDS = 20
CSRF = f'<form id="token"><input type="hidden" name="csrfmiddlewaretoken" value="{TOKEN}"></form>'
MOMENTS = [
    {"key": "a", "start_ms": 2000, "end_ms": None, "kind": "note", "author": "Amara Okafor", "text": "Hands went up."},
    {"key": "b", "start_ms": 5000, "end_ms": 9000, "kind": "question", "author": "Priya Nair", "text": "Why so soon?"},
    {
        "key": "c",
        "start_ms": 15000,
        "end_ms": None,
        "kind": "strength",
        "author": "Priya Nair",
        "text": "Four seconds of silence.",
    },
]


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site()
    made.start()
    yield made
    made.shutdown()
    made.server_close()


@pytest.fixture(scope="session")
def recording(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Twenty seconds of a moving bar and a tone, as the web videos of lessons are: MP4 that can be sought."""
    import av
    import numpy as np

    target = tmp_path_factory.mktemp("recording") / "lesson.mp4"
    with av.open(str(target), "w", options={"movflags": "faststart"}) as container:
        video = container.add_stream("h264", rate=25, options={"g": "25", "preset": "ultrafast"})
        video.width, video.height, video.pix_fmt = 320, 180, "yuv420p"
        sound = container.add_stream("aac", rate=24000)
        for n in range(SECONDS * 25):
            picture = np.full((180, 320, 3), (30, 60, 60 + n % 120), dtype=np.uint8)
            picture[:, (n * 2) % 320 : (n * 2) % 320 + 8] = 255
            container.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        for n in range(SECONDS * 24000 // 1024):
            wave = 0.3 * np.sin(np.arange(n * 1024, n * 1024 + 1024, dtype=np.float32) / 9)
            frame = av.AudioFrame.from_ndarray(wave[np.newaxis], format="fltp", layout="mono")
            frame.sample_rate, frame.pts = 24000, n * 1024
            container.mux(sound.encode(frame))
        container.mux(video.encode(None))
        container.mux(sound.encode(None))
    return target.read_bytes()


@pytest.fixture
def lesson_page(site: Site, recording: bytes) -> str:
    """A page with a player of the whole recording, moments, and the form of moments; returns its address."""
    serve_media(site, recording)
    return site.page("/lessons/fractions/", "lesson-player", player_markup())


@pytest.fixture
def clip_page(site: Site, recording: bytes) -> str:
    """The same bytes as a clip that begins at 4:00 of its lesson."""
    serve_media(site, recording)
    moments = [{**each, "start_ms": each["start_ms"] + 240_000, "end_ms": None} for each in MOMENTS]
    return site.page("/clips/k/", "lesson-player", player_markup("240000", moments))


def serve_media(site: Site, recording: bytes) -> None:
    peaks = [abs(math.sin(n / 7)) * (0.4 + 0.6 * abs(math.sin(n / 41))) for n in range(200)]
    site.files["/media/lesson.mp4"] = ("video/mp4", recording)
    site.files["/media/peaks"] = ("application/json", json.dumps({"peaks": peaks, "per_second": 10}).encode())
    site.files["/media/storyboard"] = ("image/jpeg", _storyboard())
    site.files["/media/fresh.mp4"] = ("video/mp4", recording)
    site.files["/renew/"] = ("application/json", json.dumps({"src": "/media/fresh.mp4"}).encode())


def _storyboard() -> bytes:
    from PIL import Image

    sheet, target = Image.new("RGB", (1600, 90)), io.BytesIO()
    for n in range(10):
        sheet.paste((20 * n, 120, 90), (n * 160, 0, n * 160 + 160, 90))
    sheet.save(target, "JPEG")
    return target.getvalue()


def player_markup(offset_ms: str = "0", moments: list[dict[str, Any]] = MOMENTS) -> str:
    rows = "".join(
        f'<li class="moment" id="moment-{each["key"]}"><button type="button" class="time" data-seek-ms="{each["start_ms"]}">'
        f"{each['start_ms'] // 1000} s</button> {each['text']}</li>"
        for each in moments
    )
    form = (
        '<form class="form moment-form" id="moment-form"><label>Start <input name="start"></label>'
        '<label>End <input name="end"></label><button type="button" data-mark="start">Start here</button>'
        '<button type="button" data-mark="end">End here</button><button type="button" data-mark="clear">Clear</button>'
        '<label>Note <textarea name="text"></textarea></label></form>'
    )
    return (
        f'{CSRF}<div class="studio"><div class="studio-stage"><lesson-player data-duration-ms="20000" data-offset-ms="{offset_ms}" '
        'data-waveform="/media/peaks" data-storyboard="/media/storyboard" data-sit-url="/sit/" data-media-renew="/renew/">'
        '<video controls preload="metadata" playsinline src="/media/lesson.mp4"></video></lesson-player></div>'
        f'<section class="notes" id="notes"><h2>Notes</h2>'
        f'<div class="notes-scroll" tabindex="0"><ul class="notes-list">{rows}</ul></div>{form}</section></div>'
        f'<script type="application/json" id="moments">{json.dumps(moments)}</script>'
    )


@pytest.fixture(autouse=True)
def no_errors(page: Page) -> Iterator[None]:
    """An error in a page's script fails its test. A transition to a page without styles is not ours to mend."""
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield
    assert [error for error in errors if "ransition" not in error] == []


@pytest.fixture
def watch(page: Page) -> Any:
    """Open a page with a player, ready to play."""

    def _watch(url: str) -> Page:
        page.goto(url)
        page.wait_for_function("() => document.querySelector('video').readyState >= 1")
        return page

    return _watch
