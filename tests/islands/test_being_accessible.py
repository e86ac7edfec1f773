"""Every island in its states: axe finds nothing, phone and desk, light and dark; nothing is wider than the phone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.islands.site import Site
from tests.islands.test_recording_here import recorder as recorder
from tests.islands.test_uploading import FORM

pytestmark = pytest.mark.browser

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


def assert_clean(page: Page) -> None:
    for width, scheme in ((390, "light"), (1280, "dark")):
        page.set_viewport_size({"width": width, "height": 844})
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.wait_for_timeout(200)  # colors change softly
        # The policy of the site allows no foreign script: axe is brought in by the browser itself.
        found: dict[str, Any] = Axe().run(page, options=RULES).response
        assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in found["violations"]] == []
        assert page.evaluate("() => document.documentElement.scrollWidth") <= width


def test_the_player(page: Page, lesson_page: str) -> None:
    page.goto(lesson_page)
    page.wait_for_function("() => document.querySelector('video').readyState >= 2")
    page.keyboard.press("3")
    assert_clean(page)
    page.set_viewport_size({"width": 1280, "height": 844})
    page.get_by_role("button", name="Keyboard").click()
    assert_clean(page)


def test_the_uploader(page: Page, site: Site, tmp_path: Path) -> None:
    (tmp_path / "lesson.mp4").write_bytes(b"x" * 100_000)
    page.goto(site.page("/new/", "file-uploader", FORM))
    page.locator("#file").set_input_files(tmp_path / "lesson.mp4")
    expect(page.locator(".uploader-panel")).to_have_attribute("data-phase", "done")
    assert_clean(page)


def test_the_recorder(page: Page, recorder: str) -> None:
    page.goto(recorder)
    page.get_by_role("button", name="Turn camera and microphone on").click()
    expect(page.get_by_role("button", name="Record")).to_be_visible()
    assert_clean(page)
    page.get_by_role("button", name="Record").click()
    expect(page.locator(".recorder-state")).to_contain_text("Recording")
    assert_clean(page)
