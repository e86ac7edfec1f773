"""Signing in, in Chromium: a passkey is made and used, an authenticator app is set up, and axe finds nothing on the way."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from allauth.mfa.models import Authenticator
from axe_playwright_python.sync_playwright import Axe
from django.core.cache import cache
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from staffroom.people.models import Person
from staffroom.ui import built
from tests.cast import Cast, gather
from tests.people.test_signing_in import code_now

PASSWORD = "chalk-and-talk-2026"
WIDTHS = (390, 1280)
pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not built.manifest(), reason="the front end is not built: make front"),
]


@pytest.fixture
def crowd() -> Cast:
    cache.clear()
    cast = gather()
    for name in ("amara", "omar"):
        person: Person = cast.people[name]
        person.set_password(PASSWORD)
        person.save()
    return cast


@pytest.fixture
def page(browser: Browser, live_server: LiveServer, crowd: Cast) -> Iterator[Page]:
    """A page in a browser with a fingerprint reader of its own; any complaint in the console fails the test."""
    context = browser.new_context(base_url=live_server.url, reduced_motion="reduce")
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    reader = context.new_cdp_session(opened)
    reader.send("WebAuthn.enable")
    abilities = {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
        "isUserVerified": True, "automaticPresenceSimulation": True,
    }  # fmt: skip
    reader.send("WebAuthn.addVirtualAuthenticator", {"options": abilities})
    yield opened
    context.close()
    assert complaints == []


def sign_in(page: Page, email: str) -> None:
    page.goto("/accounts/login/")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(re.compile(r"^http://[^/]+/$"))


def look(page: Page, path: str) -> None:
    """No violation, and nothing scrolls sideways, on a phone and on a laptop."""
    page.goto(path)
    if "reauthenticate" in page.url:
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Confirm").click()
    found = Axe().run(page).response["violations"]
    assert [f"{path} {rule['id']}: {rule['nodes'][0]['html'][:160]}" for rule in found] == []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{path} at {width}"


def test_a_passkey_is_made_and_signs_in_without_a_password(page: Page, crowd: Cast) -> None:
    sign_in(page, "amara@riverbend.example")
    page.goto("/accounts/2fa/")
    page.get_by_role("link", name="Add a passkey").click()
    if "reauthenticate" in page.url:
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Confirm").click()
    page.get_by_label("Name").fill("School laptop")
    page.get_by_label("Sign in with it alone").check()
    page.get_by_role("button", name="Add it").click()
    page.wait_for_url("**/2fa/**codes/**")
    assert Authenticator.objects.filter(user=crowd.amara, type=Authenticator.Type.WEBAUTHN).count() == 1
    page.context.clear_cookies()
    page.goto("/accounts/login/")
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url(re.compile(r"^http://[^/]+/$"))
    page.goto("/accounts/2fa/webauthn/")
    expect(page.get_by_role("heading", name="School laptop")).to_be_visible()


def test_an_authenticator_app_is_set_up_and_asked_for(page: Page, crowd: Cast) -> None:
    sign_in(page, "amara@riverbend.example")
    look(page, "/accounts/2fa/totp/activate/")
    page.emulate_media(color_scheme="dark")
    square = page.get_by_alt_text("A square code to scan", exact=False)
    expect(square).to_have_css("background-color", "rgb(255, 255, 255)")
    secret = page.get_by_label("Authenticator secret").input_value()
    page.get_by_label("Authenticator code").fill(code_now(secret))
    page.get_by_role("button", name="Activate").click()
    expect(page.locator(".copyable code")).to_have_text(re.compile(r"^(\d{8}\s*){10}$"))
    page.context.clear_cookies()
    page.goto("/accounts/login/")
    page.get_by_label("Email").fill("amara@riverbend.example")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/2fa/authenticate/**")
    found = Axe().run(page).response["violations"]
    assert [rule["id"] for rule in found] == []


def test_pages_of_sign_in_and_of_people_can_be_used_by_everybody(page: Page, crowd: Cast) -> None:
    for path in ("login", "password/reset", "password/reset/done", "signup"):
        look(page, f"/accounts/{path}/")
    sign_in(page, "omar@riverbend.example")
    for path in ("2fa", "2fa/webauthn", "2fa/webauthn/add", "password/change", "email", "sessions", "logout"):
        look(page, f"/accounts/{path}/")
    for path in (
        "/people/", f"/people/{crowd.amara.key}/", "/organizations/", "/organizations/alder-elementary/", "/rosters/",
        "/sections/", f"/sections/{crowd.section.pk}/",
    ):  # fmt: skip
        look(page, path)
