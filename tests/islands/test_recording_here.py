"""Recording with this device alone, with Chromium's made-up camera: what arrives can be played, and a crash costs seconds."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, BrowserType, Page, expect

from tests.islands.conftest import CSRF
from tests.islands.site import Arriving, Site

pytestmark = pytest.mark.browser

RECORDER = (
    '<lesson-recorder data-endpoint="/uploads/" data-lesson-key="the-lesson" data-name="fractions" '
    'data-finish-url="/finish/" data-done-url="/done/"></lesson-recorder>'
)


@pytest.fixture
def recorder(site: Site) -> str:
    site.page("/done/", "app", "<p>The lesson.</p>")
    return site.page("/record/", "lesson-recorder", CSRF + RECORDER)


@pytest.fixture
def ready(page: Page, recorder: str) -> Page:
    page.goto(recorder)
    page.get_by_role("button", name="Turn camera and microphone on").click()
    expect(page.get_by_role("button", name="Record")).to_be_visible()
    return page


def length_s(upload: Arriving) -> tuple[float, set[str]]:
    """Decode all of it: the time of the last picture or sound, and what kinds of streams there are."""
    import av

    last, kinds = 0.0, set()
    with av.open(io.BytesIO(bytes(upload.body))) as container:
        for frame in container.decode(*container.streams):
            kinds.add(type(frame).__name__)
            last = max(last, float(frame.time or 0))
    return last, kinds


def test_nothing_begins_by_itself(page: Page, site: Site, recorder: str) -> None:
    page.add_init_script(
        "navigator.mediaDevices.getUserMedia = () => { window.asked = true; return new Promise(() => 0); }"
    )
    page.goto(recorder)
    expect(page.get_by_role("button", name="Turn camera and microphone on")).to_be_visible()
    assert page.evaluate("() => window.asked") is None
    assert not site.uploads


def test_a_recording_shows_itself_arrives_while_it_runs_and_can_be_played(ready: Page, site: Site) -> None:
    expect(ready.get_by_label("Microphone")).to_be_visible()
    expect(ready.get_by_text("Microphone is picking up sound.")).to_be_visible()
    assert ready.title() == "Lesson"
    ready.get_by_role("button", name="Record").click()
    expect(ready.locator(".recorder-state")).to_contain_text("Recording")
    expect(ready).to_have_title("● 0:03 Recording · Lesson", timeout=8000)
    ready.wait_for_timeout(1500)
    (upload,) = site.uploads.values()
    assert len(upload.body) > 0
    ready.get_by_role("button", name="Pause").click()
    expect(ready.locator(".recorder-state")).to_contain_text("nothing is being recorded")
    ready.get_by_role("button", name="Go on recording").click()
    ready.get_by_role("button", name="Stop and keep").click()
    ready.wait_for_url("**/done/")
    ((path, sent),) = site.posts
    assert (path, sent["upload"]) == ("/finish/", next(iter(site.uploads)))
    assert upload.is_whole
    assert upload.metadata["lesson"] == "the-lesson"
    seconds, kinds = length_s(upload)
    assert seconds > 3.5
    assert kinds == {"VideoFrame", "AudioFrame"}


def test_sound_alone(page: Page, site: Site, recorder: str) -> None:
    page.goto(recorder)
    page.get_by_role("button", name="Record sound only").click()
    page.get_by_role("button", name="Record", exact=True).click()
    page.wait_for_timeout(1200)
    page.get_by_role("button", name="Stop and keep").click()
    page.wait_for_url("**/done/")
    (upload,) = site.uploads.values()
    assert upload.metadata["filetype"].startswith("audio/")
    assert length_s(upload)[1] == {"AudioFrame"}


def test_a_network_that_goes_away_is_waited_for(ready: Page, site: Site) -> None:
    site.cut_after = [20_000]
    ready.get_by_role("button", name="Record").click()
    ready.wait_for_timeout(2600)
    site.is_down = True
    expect(ready.get_by_text("Waiting for the network. The recording goes on")).to_be_visible(timeout=8000)
    ready.get_by_role("button", name="Stop and keep").click()
    ready.wait_for_timeout(500)
    site.is_down = False
    ready.wait_for_url("**/done/", timeout=20_000)
    (upload,) = site.uploads.values()
    assert upload.is_whole
    assert upload.received == upload.length
    assert length_s(upload)[0] > 2


def test_a_camera_that_is_unplugged_ends_it_cleanly(ready: Page, site: Site) -> None:
    ready.get_by_role("button", name="Record").click()
    ready.wait_for_timeout(1200)
    site.is_down = True
    ready.evaluate("""() => {
      for (const track of document.querySelector('video').srcObject.getTracks()) { track.stop(); track.dispatchEvent(new Event('ended')); }
    }""")
    expect(ready.get_by_text("Camera or microphone was disconnected.")).to_be_visible()
    site.is_down = False
    ready.wait_for_url("**/done/", timeout=20_000)
    assert next(iter(site.uploads.values())).is_whole


def test_a_refused_camera_is_explained(page: Page, recorder: str) -> None:
    page.add_init_script(
        "navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('no', 'NotAllowedError'))"
    )
    page.goto(recorder)
    page.get_by_role("button", name="Turn camera and microphone on").click()
    expect(page.get_by_role("alert")).to_contain_text("Allow them in the browser's address bar")


@pytest.fixture
def laptop(browser_type: BrowserType, browser_type_launch_args: dict[str, Any], tmp_path: Path) -> Iterator[Any]:
    """A browser with a profile on disk that can be killed and started again."""
    open_ones: list[BrowserContext] = []

    def _start() -> BrowserContext:
        context = browser_type.launch_persistent_context(str(tmp_path / "profile"), **browser_type_launch_args)
        open_ones.append(context)
        return context

    yield _start
    for context in open_ones:
        with contextlib.suppress(Exception):  # it was killed
            context.close()


def kill(profile: Path) -> None:
    """End the browser of this profile as a flat battery would."""
    import psutil

    for process in psutil.process_iter(["cmdline"]):
        if any(str(profile) in part for part in process.info["cmdline"] or []):
            process.kill()


# What the browser hands to the recorder, piece by piece, as the page has it before it is killed.
HANDED = """
window.handed = [];
const start = MediaRecorder.prototype.start;
MediaRecorder.prototype.start = function (every) {
  window.every = every;
  this.addEventListener("dataavailable", (event) => window.handed.push(event.data.size));
  return start.call(this, every);
};
"""


@pytest.mark.parametrize("is_offline", [False, True])
def test_a_killed_browser_costs_seconds(
    laptop: Any, tmp_path: Path, site: Site, recorder: str, is_offline: bool
) -> None:
    """Kept is all that the browser handed over, but for the last piece of two seconds: however slow the machine is."""
    page = laptop().new_page()
    page.add_init_script(HANDED)
    page.goto(recorder)
    page.get_by_role("button", name="Turn camera and microphone on").click()
    page.get_by_role("button", name="Record").click()
    page.wait_for_timeout(1000)
    site.is_down = is_offline
    page.wait_for_timeout(4000)
    handed: list[int] = []
    for _try in range(120):
        handed, every_ms = page.evaluate("[window.handed, window.every]")
        if len(handed) >= 3:
            break
        page.wait_for_timeout(500)
    kill(tmp_path / "profile")
    site.is_down = False
    page = laptop().new_page()
    page.goto(recorder)
    expect(page.locator(".recorder-found")).to_contain_text("An unfinished recording of 0:0")
    page.get_by_role("button", name="Finish it").click()
    page.wait_for_url("**/done/", timeout=20_000)
    (upload,) = site.uploads.values()
    assert upload.is_whole
    assert upload.received == upload.length
    assert (len(handed) >= 3, every_ms <= 2000) == (True, True)
    assert upload.received >= sum(handed[:-1])
    assert length_s(upload)[1] == {"VideoFrame", "AudioFrame"}
    page.goto(recorder)
    expect(page.get_by_role("button", name="Turn camera and microphone on")).to_be_visible()
    assert page.locator(".recorder-found").count() == 0
