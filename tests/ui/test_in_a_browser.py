"""The style guide in Chromium: axe finds nothing, nothing scrolls sideways, nothing typed is lost, nothing needs a script."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, expect
from pytest_django.live_server_helper import LiveServer

from staffroom.people.models import Person
from staffroom.ui import built, navigation, slots

type Open = Callable[..., Page]

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not built.manifest(), reason="the front end is not built: make front"),
]

WIDTHS = {390: 844, 1280: 900}
# What Chromium says of a refused form and of a lost connection, and htmx of the latter.
EXPECTED = re.compile(r"status of 4\d\d|ERR_INTERNET_DISCONNECTED|htmx:error")
AXE = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}}


@pytest.fixture(autouse=True)
def places(registries: None) -> None:
    """Seven places to go, a bell, an account, and a filled slot."""
    navigation.register(navigation.Entry("guide", "Lessons", "clapperboard", "ui:guide", 1, count=lambda person: 3))
    for number, name in enumerate(["Coaching", "Rehearse", "Practices", "What works", "Time", "Money"], 2):
        navigation.register(navigation.Entry(name, name, "map", f"place-{number}", number))
    navigation.register(navigation.Entry("bell", "Notices", "bell", "notices", place="bell", count=lambda person: 12))
    navigation.register(navigation.Entry("record", "My record", "folder-lock", "place-1", place="account"))
    slots.fill("ui:guide", "ui:fragment", label="Conversations")


@pytest.fixture
def open_page(browser: Browser, live_server: LiveServer, client: Client) -> Iterator[Open]:
    """Open an address as a signed-in teacher; a message in the console fails the test at its end."""
    person = Person.objects.create_user("amara@example.org", given_name="Amara", family_name="Okafor")
    client.force_login(person)
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def _open(path: str = "/ui/", width: int = 1280, scheme: Any = "light", **options: Any) -> Page:
        viewport: Any = {"width": width, "height": WIDTHS[width]}
        context = browser.new_context(
            base_url=live_server.url, viewport=viewport, color_scheme=scheme, reduced_motion="reduce", **options
        )
        contexts.append(context)
        context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}])
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(path)
        return page

    yield _open
    for context in contexts:
        context.close()
    assert [text for text in complaints if not EXPECTED.search(text)] == []


def violations(page: Page) -> list[str]:
    found = Axe().run(page, options=AXE).response["violations"]
    return [f"{rule['id']}: {node['html'][:160]}" for rule in found for node in rule["nodes"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_the_style_guide_is_open_to_everybody(open_page: Open, width: int, scheme: str) -> None:
    page = open_page(width=width, scheme=scheme)
    expect(page.get_by_text("Two conversations about this lesson.")).to_be_visible()
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width

    page.get_by_role("button", name="Keep the note").click()
    expect(page.locator(".error-summary")).to_be_focused()
    page.locator(".account > summary").click()
    assert violations(page) == []
    if width == 390:
        page.locator(".nav-more > summary").click()
        expect(page.locator(".nav-more").get_by_role("link", name="Money")).to_be_visible()
        assert violations(page) == []
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Ask first").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert violations(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_an_error_page_is_open_to_everybody(open_page: Open, scheme: str) -> None:
    assert violations(open_page("/ui/error/404/", width=390, scheme=scheme)) == []


def test_everything_can_be_done_without_javascript(open_page: Open) -> None:
    page = open_page(width=390, java_script_enabled=False)
    page.locator(".nav-more > summary").click()
    expect(page.locator(".nav-more").get_by_role("link", name="Money")).to_be_visible()
    page.locator("#id_noticed").fill("They looked at each other.")
    page.get_by_role("button", name="Keep the note").click()
    expect(page.locator(".error-summary")).to_be_visible()
    expect(page.locator("#id_noticed")).to_have_value("They looked at each other.")
    page.locator("#id_title").fill("Fractions")
    page.locator("#id_audience_0").check()
    page.get_by_role("button", name="Keep the note").click()
    expect(page.locator("#id_title")).to_have_value("")
    page.get_by_role("link", name="Conversations").click()
    expect(page).to_have_url(re.compile("/ui/fragment/$"))


def test_typed_text_survives_a_reload_and_goes_once_it_is_kept(open_page: Open) -> None:
    page = open_page()
    page.locator("#id_noticed").fill("They looked at each other.")
    page.reload()
    expect(page.locator("#id_noticed")).to_have_value("They looked at each other.")
    expect(page.get_by_text("What you typed earlier is back.")).to_be_visible()

    page.get_by_role("button", name="Keep the note").click()
    expect(page.locator(".error-summary")).to_be_focused()
    page.reload()
    expect(page.locator("#id_noticed")).to_have_value("They looked at each other.")

    page.locator("#id_title").fill("Fractions")
    page.get_by_role("button", name="Keep the note").press("Enter")
    expect(page.locator("#id_noticed")).to_have_value("")
    expect(page.get_by_role("button", name="Keep the note")).to_be_focused()  # the new one, where the old one stood
    page.reload()
    expect(page.locator("#id_noticed")).to_have_value("")


def test_a_draft_is_kept_when_the_server_cannot_be_reached(open_page: Open) -> None:
    page = open_page()
    page.locator("#id_title").fill("Fractions")
    page.locator("#id_noticed").fill("They looked at each other.")
    page.context.set_offline(True)
    page.get_by_role("button", name="Keep the note").click()
    expect(page.locator("#toasts").get_by_text("No connection.")).to_be_visible()
    expect(page.locator("#id_noticed")).to_have_value("They looked at each other.")
    page.context.set_offline(False)
    page.reload()
    expect(page.locator("#id_noticed")).to_have_value("They looked at each other.")


def test_a_dangerous_button_asks_first(open_page: Open) -> None:
    page = open_page()
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.method) if request.method == "POST" else None)
    page.get_by_role("button", name="Delete").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("Delete this lesson?")).to_be_visible()
    assert violations(page) == []
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_have_count(0)
    assert sent == []
    page.get_by_role("button", name="Delete").click()
    dialog.get_by_role("button", name="Yes").click()
    expect(page.locator(".error-summary")).to_be_visible()
    assert sent == ["POST"]


def test_signing_out_takes_drafts_from_the_device(open_page: Open) -> None:
    page = open_page()
    page.locator("#id_noticed").fill("They looked at each other.")
    page.locator(".account > summary").click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/accounts/**")
    assert page.evaluate("() => Object.keys(localStorage)") == []


def test_the_appearance_is_remembered_and_comes_from_the_server(open_page: Open) -> None:
    page = open_page()
    page.locator(".account > summary").click()
    page.get_by_role("button", name="Dark").click()
    page.reload()
    assert page.evaluate("() => document.documentElement.dataset.theme") == "dark"
    assert 'data-theme="dark"' in page.request.get("/ui/").text()


def test_a_page_is_small_and_asks_nobody_else(open_page: Open, live_server: LiveServer) -> None:
    page = open_page("/ui/error/404/")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto("/ui/")
    page.wait_for_load_state("networkidle")
    assert [url for url in asked if not url.startswith(live_server.url)] == []
    entry = built.manifest()["islands/app/index.ts"]
    shipped = [entry["file"], *entry["css"]]
    assert sum(len(gzip.compress((built.FOLDER / name).read_bytes())) for name in shipped) < 60_000


def test_a_table_too_wide_for_a_phone_names_each_value(open_page: Open) -> None:
    page = open_page(width=390)
    table = page.get_by_role("region", name="Recent lessons").get_by_role("table")
    expect(page.get_by_role("region", name="Recent lessons")).to_have_class(re.compile("is-stacked"))
    value = table.get_by_role("row").nth(1).get_by_role("cell").first
    assert value.get_attribute("data-label") == "Watched with"
    edge = value.evaluate("cell => cell.getBoundingClientRect().right")
    assert edge <= 390
    page.set_viewport_size({"width": 1280, "height": 900})
    expect(page.get_by_role("region", name="Recent lessons")).not_to_have_class(re.compile("is-stacked"))


def test_two_hundred_letters_without_a_space_push_nothing_aside(open_page: Open) -> None:
    """At 320 pixels, which is a laptop at 400 percent."""
    page = open_page(width=390)
    page.set_viewport_size({"width": 320, "height": 700})
    page.evaluate("""() => {
        const named = "h1, h2, h3, .trail a, .page-lede, .list-text > a, .list-title, .chip > span, .person > :last-child, .message p";
        for (const each of document.querySelectorAll(named)) each.textContent = "m".repeat(200);
    }""")
    assert page.evaluate("() => document.documentElement.scrollWidth - innerWidth") <= 0
