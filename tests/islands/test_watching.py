"""Watching with the player alone: keys, scrubber, moments, marks, clips, media that end, time that counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import translation
from playwright.sync_api import Page, expect

from tests.islands.conftest import player_markup, serve_media
from tests.islands.site import TOKEN, Site

pytestmark = pytest.mark.browser

type Watch = Callable[[str], Page]


def at(page: Page) -> float:
    return page.evaluate("() => document.querySelector('video').currentTime")


def video(page: Page, name: str) -> Any:
    return page.evaluate(f"() => document.querySelector('video').{name}")


def test_without_its_script_the_browsers_own_controls_stay(lesson_page: str, browser: Any) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(lesson_page)
    assert page.locator("video[controls]").count() == 1
    context.close()


def test_keys_play_move_and_change_speed(watch: Watch, lesson_page: str) -> None:
    page = watch(lesson_page)
    assert not video(page, "controls")
    page.keyboard.press("k")
    page.wait_for_function("() => document.querySelector('video').currentTime > 0.2")
    page.keyboard.press("Space")
    assert video(page, "paused")
    page.keyboard.press("Home")
    for key, expected in [("l", 10), ("ArrowRight", 15), ("j", 5), ("ArrowLeft", 0), ("7", 14), ("End", 20), ("0", 0)]:
        page.keyboard.press(key)
        assert at(page) == pytest.approx(expected, abs=0.06), key
    page.keyboard.press("2")
    page.keyboard.press(".")
    assert at(page) == pytest.approx(4.04, abs=0.01)
    page.keyboard.press("Shift+>")
    assert video(page, "playbackRate") == 1.25
    page.keyboard.press("m")
    assert video(page, "muted")


def test_a_step_is_one_picture_of_the_recording(watch: Watch, site: Site, lesson_page: str) -> None:
    """At 5 pictures a second as at 25: there and back, in a clip as in a lesson."""
    slow = player_markup("240000").replace("<lesson-player", '<lesson-player data-frame-rate="5.000"')
    page = watch(site.page("/lessons/slow/", "lesson-player", slow))
    page.keyboard.press("2")
    for key, expected in [(".", 4.2), (".", 4.4), (",", 4.2), (",", 4.0), (",", 3.8)]:
        page.keyboard.press(key)
        assert at(page) == pytest.approx(expected, abs=0.01), key


def test_keys_are_left_alone_where_one_types(watch: Watch, lesson_page: str) -> None:
    page = watch(lesson_page)
    page.locator("textarea[name=text]").press_sequentially("km 7 jump")
    assert page.locator("textarea[name=text]").input_value() == "km 7 jump"
    assert video(page, "paused")
    assert not video(page, "muted")
    assert at(page) == 0


def test_keys_can_be_turned_off(watch: Watch, lesson_page: str) -> None:
    page = watch(lesson_page)
    page.get_by_role("button", name="Keyboard").click()
    page.get_by_label("Use these keys on this device").uncheck()
    page.get_by_role("button", name="Close").click()
    page.evaluate("() => document.activeElement.blur()")
    page.keyboard.press("l")
    assert at(page) == 0


def test_speed_is_remembered(watch: Watch, lesson_page: str) -> None:
    page = watch(lesson_page)
    page.get_by_label("Speed").select_option("1.5")
    page = watch(lesson_page)
    assert video(page, "playbackRate") == 1.5


def test_the_scrubber_speaks_its_place(watch: Watch, lesson_page: str) -> None:
    page = watch(lesson_page)
    scrubber = page.get_by_role("slider", name="Position in the recording")
    expect(scrubber).to_have_attribute("aria-valuemax", "20")
    scrubber.focus()
    page.keyboard.press("ArrowRight")
    expect(scrubber).to_have_attribute("aria-valuenow", "5")
    expect(scrubber).to_have_attribute("aria-valuetext", "5 seconds of 20 seconds")


def test_the_scrubber_shows_a_picture_and_follows_the_mouse(watch: Watch, lesson_page: str) -> None:
    page = watch(lesson_page)
    box = page.locator(".scrub").bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] / 2)
    expect(page.locator(".scrub-time")).to_have_text("0:10")
    page.mouse.move(box["x"] + box["width"] * 0.51, box["y"] + box["height"] / 2)
    expect(page.locator(".scrub-picture")).to_be_visible()
    assert page.locator(".scrub-picture").bounding_box()["width"] == pytest.approx(160, abs=1)  # type: ignore[index]
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.75, box["y"] + box["height"] / 2)
    page.mouse.up()
    assert at(page) == pytest.approx(15, abs=0.2)


def test_moments_stand_on_the_line_and_lead_there(watch: Watch, lesson_page: str) -> None:
    page = watch(lesson_page)
    page.get_by_role("button", name="Question by Priya Nair from 0:05 to 0:09: Why so soon?").click()
    assert at(page) == pytest.approx(5, abs=0.01)
    expect(page.locator("#moment-b")).to_have_attribute("data-current", "")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    assert at(page) == pytest.approx(15, abs=0.01)
    expect(page.locator("#moment-b")).not_to_have_attribute("data-current", "")
    expect(page.locator("#moment-c")).to_have_attribute("aria-current", "true")


def test_times_in_the_page_lead_there(watch: Watch, lesson_page: str) -> None:
    page = watch(lesson_page)
    page.locator("#moment-c .time").click()
    assert at(page) == pytest.approx(15, abs=0.01)


def test_a_swapped_list_is_read_again(watch: Watch, lesson_page: str) -> None:
    page = watch(lesson_page)
    page.evaluate("""() => {
      const fresh = document.createElement('section');
      fresh.id = 'notes';
      fresh.innerHTML = '<ul><li id="moment-z"></li></ul><script type="application/json" id="moments-now">' +
        '[{"key":"z","start_ms":7000,"end_ms":null,"kind":"suggestion","author":"","text":"Wait."}]</' + 'script>';
      document.querySelector('#notes').replaceWith(fresh);
    }""")
    expect(page.get_by_role("button", name="Suggestion by somebody at 0:07: Wait.")).to_be_visible()
    expect(page.locator(".pin")).to_have_count(1)


def test_marks_fill_the_form_and_n_begins_a_note(watch: Watch, lesson_page: str) -> None:
    page = watch(lesson_page)
    page.keyboard.press("3")
    page.get_by_role("button", name="Start here").click()
    page.evaluate("() => { document.querySelector('video').currentTime = 8.44; }")
    page.get_by_role("button", name="End here").click()
    assert page.locator("[name=start]").input_value() == "0:06"
    assert page.locator("[name=end]").input_value() == "0:08.4"
    page.get_by_role("button", name="Clear").click()
    assert page.locator("[name=start]").input_value() == ""
    page.evaluate("() => document.activeElement.blur()")
    page.keyboard.press("n")
    assert page.locator("[name=start]").input_value() == "0:08.4"
    expect(page.locator("textarea[name=text]")).to_be_focused()


def test_a_clip_speaks_the_lessons_time(watch: Watch, clip_page: str) -> None:
    page = watch(clip_page)
    expect(page.locator(".player-time")).to_have_text("4:00 / 4:20")
    page.locator("#moment-b .time").click()
    assert at(page) == pytest.approx(5, abs=0.01)
    page.get_by_role("button", name="Start here").click()
    assert page.locator("[name=start]").input_value() == "4:05"
    value = page.get_by_role("slider", name="Position in the recording").get_attribute("aria-valuetext")
    assert value == "4 minutes 5 seconds of 4 minutes 20 seconds"


def test_a_link_that_ended_is_renewed_once(watch: Watch, site: Site, lesson_page: str) -> None:
    site.refused["/media/lesson.mp4"] = 403
    page = watch(lesson_page)
    assert video(page, "src").endswith("/media/fresh.mp4")
    assert not page.locator(".player-veil").is_visible()


def test_a_clip_taken_back_is_said_in_words(page: Page, site: Site, clip_page: str) -> None:
    site.refused |= {"/media/lesson.mp4": 404, "/renew/": 404}
    page.goto(clip_page)
    expect(page.locator(".player-veil")).to_have_text("This clip is no longer shared with you.")


def test_taken_back_while_it_plays(watch: Watch, site: Site, clip_page: str) -> None:
    site.refused |= {"/media/fresh.mp4": 403, "/renew/": 200}
    page = watch(clip_page)
    site.refused |= {"/media/lesson.mp4": 403, "/renew/": 403}
    page.evaluate(
        "() => { const v = document.querySelector('video'); v.src = v.src + '?again'; v.play().catch(() => 0); }"
    )
    expect(page.locator(".player-veil")).to_have_text("This clip is no longer shared with you.")


def test_only_time_really_watched_counts(watch: Watch, site: Site, lesson_page: str) -> None:
    page = watch(lesson_page)
    page.clock.install()
    page.reload()
    page.wait_for_function("() => document.querySelector('video').readyState >= 3")
    page.clock.run_for(20_000)
    assert site.posts == []
    page.keyboard.press("k")
    page.wait_for_function("() => document.querySelector('video').currentTime > 0.1")
    page.clock.run_for(16_000)
    page.wait_for_timeout(200)
    assert site.posts == [("/sit/", {"seconds": "15", "token": TOKEN})]
    page.clock.run_for(3_000)
    page.goto("about:blank")
    assert int(site.posts[-1][1]["seconds"]) in (3, 4)


def test_the_player_speaks_the_language_of_the_page(
    page: Page, site: Site, recording: bytes, catalog: Callable[..., None]
) -> None:
    counted = ("{count} note on the timeline", "{count} notes on the timeline")
    catalog(
        {
            "Play": "Odtwórz",
            "Speed {speed}.": "Prędkość {speed}.",
            counted: ["{count} notatka", "{count} notatki", "{count} notatek"],
        }
    )
    serve_media(site, recording)
    with translation.override("pl"):
        address = site.page("/pl/", "lesson-player", player_markup())
    page.goto(address)
    expect(page.get_by_role("button", name="Odtwórz")).to_be_visible()
    expect(page.get_by_role("toolbar", name="3 notatki")).to_be_visible()
    page.keyboard.press(">")
    expect(page.locator("lesson-player > [role=status]")).to_have_text("Prędkość 1,25.")
