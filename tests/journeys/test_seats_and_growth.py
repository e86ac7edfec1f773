"""Two teachers ask for one seat on their phones and see how it was drawn; a teacher sets out for a practice and finds what helps."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from playwright.sync_api import expect

from tests.hosting.conftest import Place
from tests.journeys.conftest import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("journeys")]
NAME = "Coaching seats of spring"
ALL_ASKED = f"""
from datetime import timedelta
from django.utils import timezone
from staffroom.knowing.impact.models import Lottery
Lottery.objects.filter(name={NAME!r}).update(apply_until=timezone.localdate() - timedelta(days=1))
"""
NEXT_WAVE_COMES = f"""
from datetime import timedelta
from django.utils import timezone
from staffroom.knowing.impact.models import Wave
from staffroom.knowing.impact.tasks import invite_due
Wave.objects.filter(lottery__name={NAME!r}, number=2).update(begins_on=timezone.localdate() + timedelta(days=20))
invite_due.func()
"""


def press(visitor: Visitor, name: str) -> None:
    """Reach a button with the keyboard and press it."""
    visitor.page.get_by_role("button", name=name, exact=True).first.focus()
    visitor.page.keyboard.press("Enter")


def set_up(denise: Visitor) -> str:
    """One seat in two weeks and one next year, open to all teachers for a week. Returns the lottery's address."""
    page, today = denise.page, date.today()
    denise.go("/lotteries/new/")
    page.get_by_label("For whom").select_option(label="Riverbend School District")
    page.get_by_label("Seats in which activity").select_option(index=1)
    page.get_by_label("Name", exact=True).fill(NAME)
    page.get_by_label("Draw", exact=True).select_option("none")
    for field, value in (("seats_1", "1"), ("begins_1", today + timedelta(days=14)), ("seats_2", "1")):
        page.fill(f"[name={field}]", str(value))
    page.fill("[name=begins_2]", str(today + timedelta(days=200)))
    page.get_by_role("button", name="Save").click()
    page.wait_for_url(re.compile(r"/lotteries/(?!new)[-\w]+/$"))
    page.fill("[name=until]", str(today + timedelta(days=7)))
    page.get_by_role("button", name="Open it to teachers").click()
    expect(page.get_by_text("Teachers are told and may ask until").first).to_be_visible()
    denise.see_no_barrier()
    return page.url


def test_two_teachers_ask_one_is_drawn_and_the_other_is_invited_later(
    site: Place, visit: Callable[..., Visitor]
) -> None:
    denise = visit("denise")
    address = set_up(denise)
    teachers = {name: visit(name, "phone") for name in ("amara", "tom")}
    for teacher in teachers.values():
        teacher.go("/")
        seats = teacher.page.locator("#seats")
        expect(seats.get_by_text(NAME)).to_be_visible()
        seats.get_by_role("button", name=f"Ask for a seat in {NAME}").focus()
        teacher.page.keyboard.press("Enter")
        expect(teacher.page.get_by_text("You are on the list.").first).to_be_visible()
        teacher.see_no_barrier()
    press(teachers["tom"], "Withdraw")
    expect(teachers["tom"].page.get_by_text("You may ask for a seat.")).to_be_visible()
    press(teachers["tom"], "Ask for a seat")

    site.python(ALL_ASKED)
    denise.go(address)
    expect(denise.page.get_by_text("2 teachers ask.")).to_be_visible()
    denise.page.fill("[name=number_source]", "Saturday's state lottery, in its order")
    denise.page.get_by_role("button", name="Close the list and announce").click()
    denise.page.locator("[data-confirm-yes]").last.click()
    denise.page.get_by_label("The number", exact=True).fill("4 8 15 16 23 42")
    press(denise, "Draw, once and for all")
    expect(denise.page.get_by_text("Drawn. Everybody on the list has been told.")).to_be_visible()
    denise.see_no_barrier()

    pages = {}
    for name, teacher in teachers.items():
        teacher.go(address)
        teacher.page.locator("summary", has_text="How anybody can check it").click()
        expect(teacher.page.get_by_text("python3 redraw.py")).to_be_visible()
        teacher.see_no_barrier()
        pages[name] = teacher.page.locator("main").inner_text()
    first = next(name for name, text in pages.items() if "A seat is offered to you." in text)
    later = next(name for name in teachers if name != first)
    assert "Your seat comes later." in pages[later]
    assert "Lindqvist" not in pages["amara"]
    assert "Okafor" not in pages["tom"]
    press(teachers[first], "Take it")
    expect(teachers[first].page.get_by_text("The seat is yours.")).to_be_visible()

    site.python(NEXT_WAVE_COMES)
    teachers[later].go("/")
    expect(teachers[later].page.locator("#seats").get_by_text("A seat is offered to you")).to_be_visible()


def test_a_teacher_sets_out_for_a_practice_and_finds_an_activity_for_it(visit: Callable[..., Visitor]) -> None:
    tom = visit("tom", "phone")
    page = tom.page
    tom.go("/growth/")
    tom.see_no_barrier()
    practice = page.get_by_label("Practice", exact=True)
    code = practice.locator("option", has_text="A2").first.get_attribute("value") or ""
    practice.select_option(code)
    page.get_by_label("Why this one").fill("The same four answer every day.")
    press(tom, "Set out")
    page.wait_for_url(re.compile(r"/growth/goals/"))
    tom.see_no_barrier()
    page.get_by_label("sometimes").focus()
    page.keyboard.press("Space")
    press(tom, "Note it")
    page.wait_for_url(re.compile(r"/growth/$"))
    help_for_it = page.locator("#help")
    expect(
        help_for_it.get_by_text("“Like you” means").or_(help_for_it.get_by_text("The roster does not"))
    ).to_be_visible()
    expect(help_for_it.get_by_role("heading", level=3).first).to_be_visible()
    expect(help_for_it.get_by_text(re.compile(r"about .* hours of a teacher")).first).to_be_visible()
    expect(page.locator("#standing").get_by_text("sometimes").first).to_be_visible()
    tom.see_no_barrier()
