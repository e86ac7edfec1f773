"""Recording in class, in a browser with a made-up camera: what was recorded arrives while it is recorded, and a breakdown costs seconds.

A teacher of fifth-grade mathematics goes from her lessons to the camera. Her browser dies, her page is loaded anew, or nothing happens
and she presses Stop; each time the worker makes of it a video that plays, as long as what she recorded.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress

import pytest
from playwright.sync_api import Error, Page, Response, expect

from tests.journeys.conftest import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.slow]
READY_MS = 90_000
# One piece is two seconds long; the last one before a breakdown is lost, and the clock of the page is read a little before it.
LOST_AT_MOST_S = 4.0


class Wire:
    """How many bytes of the recording the server says it has, as seen from the page's requests."""

    def __init__(self, page: Page) -> None:
        self.arrived = 0
        page.on("response", self._note)

    def _note(self, response: Response) -> None:
        if response.request.method == "PATCH" and response.status == 204:
            self.arrived = int(response.headers.get("upload-offset", 0))

    def await_more(self, page: Page) -> None:
        """Until the next piece has arrived."""
        before = self.arrived
        for _try in range(100):
            if self.arrived > before:
                return
            page.wait_for_timeout(100)
        raise AssertionError(f"nothing arrived beyond {before} bytes")


def go_to_the_camera(amara: Visitor, title: str) -> str:
    """From the list of lessons to the recorder, as a teacher goes. Returns the recorder's address."""
    page = amara.page
    amara.go("/lessons/")
    page.get_by_role("link", name="Record a lesson").first.click()
    page.get_by_label("Title").fill(title)
    page.get_by_label("Section").select_option(label=section_of(page))
    page.get_by_role("button", name="Go on to the camera").click()
    page.wait_for_url(re.compile(r"/lessons/[-\w]+/record/$"))
    return page.url


def section_of(page: Page) -> str:
    """Her section of fifth-grade mathematics."""
    found = page.get_by_label("Section").locator("option").all_inner_texts()
    return next(each for each in found if "math" in each.lower())


def turn_on(page: Page) -> None:
    """Camera and microphone on, the second microphone chosen, and the level seen to move. Nothing is recorded yet."""
    page.get_by_role("button", name="Turn camera and microphone on").click()
    expect(page.locator(".recorder-state")).to_contain_text("Nothing is being recorded.")
    assert page.get_by_role("combobox", name="Camera").locator("option").count() >= 2, "a camera, and none"
    microphones = page.get_by_role("combobox", name="Microphone")
    microphones.select_option(index=1)
    expect(page.get_by_text("Microphone is picking up sound.")).to_be_visible()
    page.wait_for_function(
        "() => parseFloat(document.querySelector('.recorder-meter').style.getPropertyValue('--level')) > 0.2"
    )
    assert page.evaluate("document.querySelector('.recorder-preview').videoWidth") > 0
    assert not page.title().startswith("●")


def record_with_a_pause(amara: Visitor) -> float:
    """Record, pause, go on; the pieces arrive meanwhile, and none while it is paused. Returns the seconds on the clock."""
    page, wire = amara.page, Wire(amara.page)
    page.get_by_role("button", name="Record", exact=True).click()
    expect(page).to_have_title(re.compile(r"^● 0:0\d Recording"))
    amara.see_no_barrier()
    wire.await_more(page)
    page.get_by_role("button", name="Pause").click()
    expect(page.locator(".recorder-state")).to_contain_text("Paused: nothing is being recorded")
    expect(page).to_have_title(re.compile("^❚❚ 0:0"))
    shown = clock_s(page)
    page.wait_for_timeout(1500)
    assert clock_s(page) == shown, "the clock stands while it is paused"
    page.get_by_role("button", name="Go on recording").click()
    wire.await_more(page)
    expect(page.get_by_text(re.compile(r"Everything up to 0:0[1-9] has arrived."))).to_be_visible()
    return clock_s(page)


def clock_s(page: Page) -> int:
    minutes, seconds = page.locator(".recorder-time").inner_text().split(":")
    return 60 * int(minutes) + int(seconds)


def come_back(amara: Visitor, recorder: str, how: str) -> None:
    """The page breaks in the middle: its process is killed, or it is loaded anew. What is found can be finished."""
    if how == "killed":
        with suppress(Error):  # the page cannot answer any more
            amara.page.goto("chrome://crash", timeout=5000)
        amara.open_another_page()
        amara.go(recorder)
    else:
        amara.page.reload()
    expect(amara.page.locator(".recorder-found")).to_contain_text("An unfinished recording of 0:0")
    amara.see_no_barrier()
    amara.page.get_by_role("button", name="Finish it").click()


def watch(amara: Visitor) -> float:
    """Wait for the video that the worker makes, and play it. Returns its length."""
    page = amara.page
    page.wait_for_url(re.compile(r"/lessons/(?!new)[-\w]+/$"), timeout=READY_MS)
    page.locator("video#player").wait_for(state="attached", timeout=READY_MS)
    page.wait_for_function("() => document.querySelector('video#player').readyState >= 2")
    page.evaluate("() => document.querySelector('video#player').play()")
    page.wait_for_function("() => document.querySelector('video#player').currentTime > 0.5")
    assert page.evaluate("document.querySelector('video#player').videoWidth") > 0
    return float(page.evaluate("document.querySelector('video#player').duration"))


@pytest.mark.parametrize(("size", "how"), [("desk", "killed"), ("phone", "reloaded"), ("phone", "stopped")])
def test_a_lesson_recorded_in_class_plays_whatever_happens(visit: Callable[..., Visitor], size: str, how: str) -> None:
    amara = visit("amara", size)
    recorder = go_to_the_camera(amara, f"Number talk ({size}, {how})")
    turn_on(amara.page)
    recorded_s = record_with_a_pause(amara)
    if how == "stopped":
        amara.page.get_by_role("button", name="Stop and keep").click()
    else:
        come_back(amara, recorder, how)
    length_s = watch(amara)
    assert length_s > recorded_s - (LOST_AT_MOST_S if how != "stopped" else 1.0)
    assert length_s < recorded_s + 5, "what was paused is not in it"
    amara.go(recorder)
    assert not amara.page.url.endswith("/record/"), "it has its recording, and nothing is left unfinished"
