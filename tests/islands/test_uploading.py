"""Uploading alone: cuts at random offsets, reloads, lost networks, and the form that waits."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.islands.conftest import CSRF
from tests.islands.site import TOKEN, Site

pytestmark = pytest.mark.browser

FORM = (
    '<form class="form" method="post" action="/lessons/new/" enctype="multipart/form-data" id="new">'
    '<file-uploader data-endpoint="/uploads/" data-purpose="lesson" data-name="upload">'
    '<label for="file">Recording</label> <input type="file" id="file" name="file" required><input type="hidden" name="upload">'
    "</file-uploader>"
    '<label>Title <input name="title" required></label><button>Save</button></form>'
)
BYTES = random.Random(11).randbytes(1_500_000)


@pytest.fixture
def lesson(tmp_path: Path) -> Path:
    path = tmp_path / "Fractions on Tuesday.mp4"
    path.write_bytes(BYTES)
    return path


@pytest.fixture
def form(site: Site, page: Page) -> Page:
    page.goto(site.page("/lessons/new/", "file-uploader", CSRF + FORM))
    return page


def arrived(site: Site) -> bytes:
    (upload,) = site.uploads.values()
    assert upload.is_whole
    return bytes(upload.body)


def test_a_chosen_file_goes_at_once_and_the_form_carries_only_its_key(site: Site, form: Page, lesson: Path) -> None:
    form.locator("#file").set_input_files(lesson)
    expect(form.locator(".uploader-panel")).to_have_attribute("data-phase", "done")
    assert arrived(site) == BYTES
    ((key, upload),) = site.uploads.items()
    assert upload.metadata == {"filename": lesson.name, "filetype": "video/mp4", "purpose": "lesson"}
    assert site.tokens == {TOKEN}
    assert form.locator("[name=upload]").input_value() == key
    form.get_by_label("Title").fill("Fractions")
    form.get_by_role("button", name="Save").click()
    form.wait_for_url("**/lessons/new/")
    ((_path, sent),) = site.posts
    assert 'name="file"' not in str(sent)
    assert key in str(sent)


@pytest.mark.parametrize("seed", [1, 2])
def test_cuts_anywhere_lose_nothing_and_send_nothing_twice(site: Site, form: Page, lesson: Path, seed: int) -> None:
    draw = random.Random(seed)
    site.cut_after = [draw.randrange(1, 400_000) for _ in range(5)]
    form.locator("#file").set_input_files(lesson)
    expect(form.locator(".uploader-panel")).to_have_attribute("data-phase", "done", timeout=30_000)
    (upload,) = site.uploads.values()
    assert hashlib.sha256(upload.body).digest() == hashlib.sha256(BYTES).digest()
    assert upload.received == len(BYTES)
    assert site.cut_after == []


def test_without_a_network_it_waits_and_says_so(site: Site, form: Page, lesson: Path) -> None:
    site.cut_after = [200_000]
    site.pause_s = 0.01
    form.locator("#file").set_input_files(lesson)
    form.wait_for_function("() => document.querySelector('[name=upload]').value")
    site.is_down = True
    expect(form.locator(".progress-note")).to_have_text("Waiting for the network; what has arrived is kept.")
    site.is_down = False
    expect(form.locator(".uploader-panel")).to_have_attribute("data-phase", "done", timeout=20_000)
    assert arrived(site) == BYTES


def test_a_reload_goes_on_by_itself(site: Site, form: Page, lesson: Path) -> None:
    site.pause_s = 0.05
    form.locator("#file").set_input_files(lesson)
    form.wait_for_function("() => document.querySelector('progress')?.value > 300000")
    form.wait_for_timeout(300)
    form.once("dialog", lambda dialog: dialog.accept())  # "leave this page?"
    form.reload()
    site.pause_s = 0
    expect(form.locator(".uploader-panel")).to_have_attribute("data-phase", "done", timeout=20_000)
    assert arrived(site) == BYTES
    (upload,) = site.uploads.values()
    assert upload.received == len(BYTES)
    assert form.locator("[name=upload]").input_value() in site.uploads


def test_without_a_copy_the_same_file_is_asked_for(site: Site, form: Page, lesson: Path) -> None:
    form.add_init_script("Object.defineProperty(window, 'indexedDB', {value: {open() { throw new Error('full'); }}})")
    form.reload()
    site.pause_s = 0.05
    form.locator("#file").set_input_files(lesson)
    form.wait_for_function("() => document.querySelector('progress')?.value > 300000")
    form.once("dialog", lambda dialog: dialog.accept())
    form.reload()
    site.pause_s = 0
    expect(form.locator(".uploader-panel")).to_contain_text("Choose the same file again")
    form.locator("#file").set_input_files(lesson)
    expect(form.locator(".uploader-panel")).to_have_attribute("data-phase", "done", timeout=20_000)
    (upload,) = site.uploads.values()
    assert upload.received == len(BYTES)


def test_a_form_sent_early_follows_the_upload(site: Site, form: Page, lesson: Path) -> None:
    site.pause_s = 0.05
    form.locator("#file").set_input_files(lesson)
    form.get_by_label("Title").fill("Fractions")
    form.get_by_role("button", name="Save").click()
    expect(form.get_by_text("This form is sent by itself")).to_have_count(2)  # seen and spoken
    assert site.posts == []
    site.pause_s = 0
    expect(form.get_by_role("heading", name="Sent")).to_be_visible(timeout=20_000)
    assert arrived(site) == BYTES
    assert len(site.posts) == 1


def test_pause_and_go_on(site: Site, form: Page, lesson: Path) -> None:
    site.pause_s = 0.03
    form.locator("#file").set_input_files(lesson)
    form.get_by_role("button", name="Pause").click()
    expect(form.locator(".progress-note")).to_contain_text("Paused")
    form.wait_for_timeout(600)
    expect(form.locator(".uploader-panel")).to_have_attribute("data-phase", "paused")
    site.pause_s = 0
    form.get_by_role("button", name="Go on").click()
    expect(form.locator(".uploader-panel")).to_have_attribute("data-phase", "done", timeout=20_000)
    assert arrived(site) == BYTES
    assert next(iter(site.uploads.values())).received == len(BYTES)


def test_a_refusal_is_told_in_the_servers_words(site: Site, form: Page, lesson: Path) -> None:
    site.refused["/uploads/"] = 413
    form.locator("#file").set_input_files(lesson)
    expect(form.locator(".progress-note")).to_have_text("The upload stopped: This is larger than your district allows.")
