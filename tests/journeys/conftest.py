"""A small district on a real server with a real worker, and a browser with a camera that is none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page

from tests.hosting.conftest import Place

PASSWORD = "riverbend-demo"
VOICES = Path(__file__).resolve().parents[3] / "shared" / "data" / "lessons" / "A_room20.flac"
LESSON_S = 300
SIZES = {"desk": {"width": 1280, "height": 900}, "phone": {"width": 390, "height": 844}}
BUILD = "from staffroom.home.demo import build; build(teachers=72, seed=2)"


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A district of 72 teachers, served with a worker beside; one for all journeys."""
    place = Place(tmp_path_factory.mktemp("journey") / "data")
    place.python(f"from staffroom.cli.preparing import ensure_prepared; ensure_prepared(); {BUILD}")
    place.begin("start")
    place.await_answer()
    yield place
    place.end()


@pytest.fixture(scope="session")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five minutes of a lesson as a phone would bring it: real voices where they lie beside the project, else tones."""
    path = tmp_path_factory.mktemp("media") / "lesson from my phone.mp4"
    write_recording(path, LESSON_S)
    return path


def write_recording(path: Path, seconds: int) -> None:
    """A picture that changes every second (its shade tells the second), and sound."""
    import av

    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=2, options={"preset": "ultrafast", "g": "10"})
        video.width, video.height, video.pix_fmt = 320, 180, "yuv420p"
        audio = container.add_stream("aac", rate=16_000, layout="mono")
        for number in range(2 * seconds):
            picture = np.full((180, 320, 3), 40 + number * 180 // (2 * seconds), dtype=np.uint8)
            container.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(video.encode(None))
        wave = _voices(seconds)
        for start in range(0, len(wave), 1024):
            frame = av.AudioFrame.from_ndarray(wave[None, start : start + 1024], format="fltp", layout="mono")
            frame.sample_rate, frame.pts = 16_000, start
            container.mux(audio.encode(frame))
        container.mux(audio.encode(None))


def _voices(seconds: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    if not VOICES.exists():
        time = np.arange(seconds * 16_000) / 16_000
        return (0.2 * np.sin(2 * np.pi * 220 * time) * (np.sin(time) > 0)).astype(np.float32)
    import av

    with av.open(str(VOICES)) as container:
        resampler = av.AudioResampler(format="fltp", layout="mono", rate=16_000)
        pieces = [out.to_ndarray()[0] for frame in container.decode(audio=0) for out in resampler.resample(frame)]
    return np.resize(np.concatenate(pieces), seconds * 16_000).astype(np.float32)


class Visitor:
    """Somebody in a browser of their own."""

    def __init__(self, context: BrowserContext, site: Place) -> None:
        self.context, self.site = context, site
        self.complaints: list[str] = []
        self.page: Page
        self.open_another_page()

    def open_another_page(self) -> None:
        """Another tab, for the one before is gone or left alone."""
        self.page = self.context.new_page()
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self._hear)

    def _hear(self, message: Any) -> None:
        if message.type == "error" and "Content Security Policy" in message.text:
            self.complaints.append(message.text)

    def go(self, address: str) -> int:
        answer = self.page.goto(address if address.startswith("http") else self.site.url + address)
        return answer.status if answer else 0

    def sign_in(self, email: str) -> Visitor:
        self.go("/accounts/login/")
        self.page.fill("[name=login]", email)
        self.page.fill("[name=password]", PASSWORD)
        self.page.locator("main form button[type=submit]").first.click()
        self.page.wait_for_url(self.site.url + "/")
        return self

    def see_no_barrier(self) -> None:
        """axe finds nothing on the page as it stands, and nothing sticks out sideways."""
        found = Axe().run(self.page)
        assert found.violations_count == 0, f"{self.page.url}\n{found.generate_report()}"
        width = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert width <= 0, f"{self.page.url} is {width} pixels too wide"


@pytest.fixture
def visit(browser: Browser, site: Place) -> Iterator[Callable[..., Visitor]]:
    """``visit("amara", size="phone")``: a person of the demo, signed in, in a browser of their own."""
    visitors: list[Visitor] = []

    def come(name: str, size: str = "desk") -> Visitor:
        context = browser.new_context(
            viewport=SIZES[size],  # type: ignore[arg-type]
            permissions=["camera", "microphone"],
            base_url=site.url,
            has_touch=size == "phone",
        )
        visitor = Visitor(context, site).sign_in(ADDRESSES[name])
        visitors.append(visitor)
        return visitor

    yield come
    complaints = [complaint for visitor in visitors for complaint in visitor.complaints]
    for visitor in visitors:
        visitor.context.close()
    assert not complaints, complaints


ADDRESSES = {
    "amara": "amara.okafor@riverbend.example",
    "tom": "tom.lindqvist@riverbend.example",
    "priya": "priya.nair@riverbend.example",
    "grace": "grace.whitfield@riverbend.example",
    "denise": "denise.park@riverbend.example",
    "omar": "omar.haddad@riverbend.example",
}
