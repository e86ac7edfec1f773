"""The main job, in a browser: a lesson is brought, watched and noted in; a clip is lent, answered, taken back; a leader asks what works.

One journey per size of screen. What is checked at the end of each is what the trust rests on: the coach's next byte is refused, the
minutes stand in the ledger, and the leader who sees them sees nothing of the lesson.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.hosting.conftest import Place
from tests.journeys.conftest import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.slow]
READY_MS = 90_000


def bring_lesson(amara: Visitor, recording: Path, title: str) -> str:
    """Upload a recording as a new lesson, and wait until it can be watched. Returns its address."""
    page = amara.page
    amara.go("/lessons/new/?how=upload")
    page.set_input_files("input[type=file]", recording)
    page.fill("[name=title]", title)
    page.select_option("[name=section]", index=1)
    amara.see_no_barrier()
    page.get_by_role("button", name="Save the lesson").click()
    page.wait_for_url(re.compile(r"/lessons/(?!new)[-\w]+/$"), timeout=READY_MS)
    page.locator("video#player").wait_for(state="attached", timeout=READY_MS)
    return page.url


def note(visitor: Visitor, start: str, end: str, text: str) -> None:
    form = visitor.page.locator("#moment-form")
    form.locator("[name=start]").fill(start)
    form.locator("[name=end]").fill(end)
    form.locator("[name=text]").fill(text)
    form.get_by_role("button", name="Add note").click()
    expect(visitor.page.locator("#notes p", has_text=text).first).to_be_visible()
    expect(form.locator("[name=text]")).to_have_value("")


def make_and_share_clip(amara: Visitor, lesson: str, start: str, end: str, reader: str) -> str:
    """Cut a clip out of the lesson and lend it to a colleague. Returns the clip's address."""
    page = amara.page
    amara.go(lesson + "clip/")
    page.fill("form [name=start]", start)
    page.fill("form [name=end]", end)
    page.fill("form [name=title]", "The wait after my question")
    page.fill("form [name=question]", "Did I wait long enough?")
    page.get_by_role("button", name="Make the clip").click()
    page.wait_for_url(re.compile(r"/clips/[0-9a-f-]+/"))
    clip = re.sub(r"share/$", "", page.url)
    amara.go(clip + "share/")
    page.locator("#targets").get_by_label(re.compile(reader)).first.check()
    amara.see_no_barrier()
    page.get_by_role("button", name="Share the clip").click()
    expect(page.get_by_text(re.compile("Who can see it now"))).to_be_visible()
    return clip


def read_media(visitor: Visitor) -> tuple[int, int]:
    """Fetch the first bytes of the player's medium as the page would. Returns (status, number of bytes)."""
    answer = visitor.page.evaluate(
        """async () => {
            const answer = await fetch(document.querySelector('video#player').src, {headers: {Range: 'bytes=0-999'}});
            return [answer.status, (await answer.arrayBuffer()).byteLength];
        }"""
    )
    return answer[0], answer[1]


@pytest.mark.parametrize("size", ["desk", "phone"])
def test_a_lesson_is_brought_lent_answered_and_taken_back(
    site: Place, visit: Callable[..., Visitor], recording: Path, size: str
) -> None:
    amara = visit("amara", size)
    lesson = bring_lesson(amara, recording, f"Adding fractions ({size})")
    assert amara.page.evaluate("document.querySelector('video#player').readyState") is not None
    note(amara, "4:05", "", "Here I ask the question.")
    amara.see_no_barrier()
    clip = make_and_share_clip(amara, lesson, "4:00", "4:40", "Priya")

    priya = visit("priya", size)
    assert priya.go(lesson) == 404
    assert priya.go(clip) == 200
    priya.page.locator("video#player").wait_for(state="attached", timeout=READY_MS)
    status, size_read = read_media(priya)
    assert (status, size_read) == (206, 1000)
    priya.page.wait_for_function("() => document.querySelector('video#player').duration > 0")
    seconds = priya.page.evaluate("document.querySelector('video#player').duration")
    assert seconds == pytest.approx(40, abs=1.5), "not one second outside of the clip"
    assert "Here I ask the question." not in priya.page.content(), "her own notes were not lent"
    note(priya, "4:10", "4:35", "You waited here, and two hands went up.")
    priya.see_no_barrier()

    amara.go("/")
    expect(amara.page.get_by_text(re.compile("Priya Nair")).first).to_be_visible()
    amara.go(clip)
    expect(amara.page.get_by_text("You waited here, and two hands went up.")).to_be_visible()
    amara.page.locator("summary", has_text="Reply").first.click()
    amara.page.locator("#notes form[action*='reply'] textarea").first.fill("I counted to four.")
    amara.page.locator("#notes form[action*='reply'] button[type=submit]").first.click()
    expect(amara.page.get_by_text("I counted to four.")).to_be_visible()

    amara.go(clip)
    amara.page.get_by_role("button", name=re.compile("Take back")).first.click()
    expect(amara.page.get_by_text("Nobody but you.")).to_be_visible()
    status, size_read = read_media(priya)
    assert status in (403, 404), "the next byte is refused"
    assert priya.go(clip) == 404
    assert coaching_entries(site) > 0, "the act itself logged the coaching"


def coaching_entries(site: Place) -> int:
    """Entries of the coaching by Priya today."""
    return int(
        site.python(
            "from staffroom.records.models import Statement; from django.utils import timezone;"
            "print(Statement.objects.filter(actor__given_name='Priya', activity__kind='coaching',"
            "happened_at__date=timezone.localdate()).count())"
        )
    )


@pytest.mark.parametrize("size", ["desk", "phone"])
def test_a_leader_sees_what_works_down_to_the_entries_and_nothing_of_lessons(
    visit: Callable[..., Visitor], size: str
) -> None:
    denise = visit("denise", size)
    denise.page.get_by_role("link", name=re.compile("What works")).first.click()
    denise.page.wait_for_url(re.compile("/what-works/"))
    denise.see_no_barrier()
    denise.page.get_by_role("link", name=re.compile("Number talks coaching")).first.click()
    expect(denise.page.get_by_role("heading", level=1)).to_contain_text("Number talks coaching")
    denise.see_no_barrier()
    activity = denise.page.url.split("?")[0]
    assert denise.go(activity + "entries/") == 200
    denise.see_no_barrier()
    assert "Here I ask the question." not in denise.page.content()
    for address in ("/lessons/adding-fractions-desk/", "/lessons/adding-fractions-phone/"):
        assert denise.go(address) == 404


def test_a_teacher_does_not_find_what_leaders_see(visit: Callable[..., Visitor]) -> None:
    amara = visit("amara")
    assert amara.go("/what-works/") == 404
    assert amara.go("/people/") == 404
