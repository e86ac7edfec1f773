"""A page leaves room; a later part of Staffroom fills it."""

from __future__ import annotations

import re
from pathlib import Path

import staffroom
from staffroom.ui import slots
from tests.ui.conftest import Render

FILLED = list(slots._fillings)  # by the rooms themselves, before the tests empty the registry

PAGE = '{% slot "lessons:lesson" 7 %}'


def test_nobody_fills_it_nothing_shows(render: Render) -> None:
    assert render(PAGE) == ""


def test_a_filling_is_loaded_by_htmx_and_is_a_link_without_it(render: Render) -> None:
    slots.fill("lessons:lesson", "talk", label="Conversations")
    html = render(PAGE)
    assert 'hx-get="/lessons/7/talk/" hx-trigger="load"' in html
    assert '<a class="slot-link" href="/lessons/7/talk/">Conversations' in html


def test_fillings_stand_in_their_order_and_only_in_their_slot(render: Render) -> None:
    slots.fill("lessons:lesson", "talk", 30, label="Third")
    slots.fill("lessons:lesson", "talk", 10, label="First")
    slots.fill("lessons:list", "talk", 20, label="Elsewhere")
    html = render(PAGE)
    assert html.index("First") < html.index("Third")
    assert "Elsewhere" not in html


def test_filling_twice_shows_once(render: Render) -> None:
    for _ in range(2):
        slots.fill("lessons:lesson", "talk", label="Conversations")
    assert render(PAGE).count("hx-get") == 1


def test_a_guard_keeps_the_room_empty(render: Render) -> None:
    slots.fill("lessons:lesson", "talk", label="Conversations", guard=lambda person: False)
    assert render(PAGE) == ""


def test_every_slot_that_a_room_fills_is_left_open_by_some_page() -> None:
    """A misspelled name would fill nothing, silently."""
    pages = [path.read_text() for path in Path(staffroom.__file__).parent.glob("**/templates/**/*.html")]
    left_open = {name for page in pages for name in re.findall(r"""{% slot ["']([^"']+)""", page)}
    assert {filling.slot for filling in FILLED} - left_open == set()
