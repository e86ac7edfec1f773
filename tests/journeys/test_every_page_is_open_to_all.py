"""Every page of the table of doors in a real browser, at the desk and on a phone: axe finds no barrier, nothing sticks out sideways, and
neither scripts nor the content policy complain. Each page is opened by somebody who may, in the small world of the promises.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.db import connections, transaction
from django.test.testcases import LiveServerThread
from playwright.sync_api import Browser, BrowserContext, Page

from tests.promises import world as worlds
from tests.promises.doors import DOORS, Door
from tests.promises.world import World

pytestmark = [pytest.mark.browser, pytest.mark.slow]

# Doors that answer GET with something that is no page: data, a file, or an address to go on to.
NO_PAGES = {
    "exchange:tools-csv", "exchange:people-csv", "exchange:about", "exchange:openapi",
    "health", "alive", "ready", "api:openapi-json", "api:api-root", "lessons:media", "clips:media", "files:media", "lessons:export",
    "clips:export", "lessons:captions_file", "clips:captions", "clips:waveform", "clips:storyboard",
    "people:people-csv", "people:roster-template", "people:roster-problems", "records:entries-csv", "records:costs-csv",
    "records:instrument-csv", "records:prices-csv", "records:import-problems", "impact:csv", "impact:json",
    "studies:json", "studies:protocol", "lotteries:check", "lotteries:people_csv", "lotteries:redraw",
    "conversations:open_notice", "mfa_download_recovery_codes",
}  # fmt: skip
# Who opens a page, if she may: the first of these.
ORDER = ("anonymous", "amara", "omar", "denise", "priya", "ines")
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
# What a browser says of an answer that is no 200, and of the world's recordings, whose few bytes are made up.
NOT_OURS = ("Failed to load resource", "DEMUXER", "MEDIA_ERR")

PAGES = [
    door for door in DOORS if "GET" in door.methods and not door.is_api and door.guests and door.name not in NO_PAGES
]


@pytest.fixture(scope="module")
def world(browser: Browser, django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    """The world of the promises. The browser comes first: once it runs, this thread has another connection to the database."""
    settings.MAILERS = {"default": {"BACKEND": "django.core.mail.backends.locmem.EmailBackend"}}
    with django_db_blocker.unblock(), transaction.atomic():
        yield worlds.build()
        transaction.set_rollback(True)


@pytest.fixture(scope="module")
def address(world: World) -> Iterator[str]:
    """The program itself, served from the open transaction of the world, one request at a time."""
    connection = connections["default"]
    if connection.vendor != "sqlite":
        pytest.skip("other databases do not share the open transaction between threads")
    connection.inc_thread_sharing()
    server = LiveServerThread("localhost", _OneAtATime, connections_override={"default": connection})
    server.daemon = True
    server.start()
    server.is_ready.wait()
    assert server.error is None, server.error
    yield f"http://localhost:{server.port}"
    server.terminate()
    connection.dec_thread_sharing()


class _OneAtATime(StaticFilesHandler):
    """Static files too; the connection to the database is one, so requests wait for each other."""

    turn = threading.Lock()

    def __call__(self, *words: Any) -> Any:
        with self.turn:
            return super().__call__(*words)


@pytest.fixture(scope="module")
def browser_of(browser: Browser, world: World, address: str) -> Iterator[Callable[[str], BrowserContext]]:
    """A browser in which this person is signed in, or nobody."""
    contexts: dict[str, BrowserContext] = {}

    def come(name: str) -> BrowserContext:
        if name not in contexts:
            contexts[name] = browser.new_context(base_url=address, reduced_motion="reduce")
            cookie = world.client(name).cookies.get(settings.SESSION_COOKIE_NAME)
            if cookie is not None:
                contexts[name].add_cookies([{"name": cookie.key, "value": cookie.value, "url": address}])
        return contexts[name]

    yield come
    for context in contexts.values():
        context.close()


@pytest.fixture
def page_of(browser_of: Callable[[str], BrowserContext]) -> Iterator[Callable[[str], Page]]:
    """A new page of this person."""
    pages: list[Page] = []

    def come(name: str) -> Page:
        pages.append(browser_of(name).new_page())
        return pages[-1]

    yield come
    for page in pages:
        page.close()


def guest_of(door: Door) -> str:
    return next((name for name in ORDER if name in door.guests), min(door.guests))


@pytest.mark.parametrize("door", PAGES, ids=[f"{door.name} {door.args}".strip() for door in PAGES])
def test_a_page_has_no_barrier(page_of: Callable[[str], Page], world: World, door: Door) -> None:
    page, complaints = page_of(guest_of(door)), list[str]()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.set_viewport_size({"width": 1280, "height": 900})
    answer = page.goto(door.address(world))
    assert answer is not None
    assert "text/html" in answer.headers["content-type"], "no page: it belongs to NO_PAGES"
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 844})
        assert barriers(page) == [], f"{page.url} at {width}"
        excess = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert excess <= 0, f"{page.url} is {excess} pixels wider than {width}"
    assert [each for each in complaints if not any(word in each for word in NOT_OURS)] == []


def barriers(page: Page) -> list[tuple[str, list[str]]]:
    """What axe finds: the rule, and the elements."""
    found: dict[str, Any] = Axe().run(page, options=RULES).response
    return [(each["id"], [node["html"][:200] for node in each["nodes"]]) for each in found["violations"]]


@pytest.mark.django_db
def test_the_doors_left_out_are_no_pages(world: World) -> None:
    for door in (each for each in DOORS if each.name in NO_PAGES and "GET" in each.methods and each.guests):
        answer = world.client(guest_of(door)).get(door.address(world))
        assert not (answer.status_code == 200 and "text/html" in answer["Content-Type"]), door.name
