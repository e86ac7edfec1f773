"""What a teacher types beside her lesson outlives the end of her session, in a browser."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from staffroom.people.models import Person
from staffroom.seeing.lessons import actions
from staffroom.ui import built

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not built.manifest(), reason="the front end is not built: make front"),
]


@pytest.mark.parametrize(
    ("field", "button", "is_led_away"), [("text", "Add note", False), ("reflection", "Keep my reflection", True)]
)
def test_what_is_typed_after_the_session_ended_is_there_after_signing_in_again(
    browser: Browser, live_server: LiveServer, client: Client, field: str, button: str, is_led_away: bool
) -> None:
    amara = Person.objects.create_user("amara@example.org", given_name="Amara", family_name="Okafor")
    lesson = actions.begin_lesson(by=amara, title="Fractions")
    client.force_login(amara)
    cookie: Any = {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}
    context = browser.new_context(base_url=live_server.url)
    context.add_cookies([cookie])
    page = context.new_page()
    page.goto(lesson.get_absolute_url())

    context.clear_cookies(name="sessionid")
    page.locator(f"[name={field}]").fill("I counted to four.")
    page.get_by_role("button", name=button).click()
    if is_led_away:
        page.wait_for_url("**/accounts/login/**", timeout=60_000)
        assert f"next=%2Flessons%2F{lesson.slug}%2F" in page.url.replace("/", "%2F")
    else:
        expect(page.locator("#toasts").get_by_text("You were signed out.")).to_be_visible(timeout=60_000)
        expect(page.locator(f"[name={field}]")).to_have_value("I counted to four.")

    context.add_cookies([cookie])
    page.goto(lesson.get_absolute_url())
    expect(page.locator(f"[name={field}]")).to_have_value("I counted to four.", timeout=60_000)
    context.close()
