"""How an earlier page leaves room for a later part of Staffroom without knowing it.

The page says `{% slot "lessons:lesson" lesson.pk %}`. A later app says, in its `apps.ready()`,

    slots.fill("lessons:lesson", "coaching:on_lesson", order=20, label=_("Coaching"))

The URL of that name gets the slot's arguments. It answers htmx with a fragment (nothing, if there is nothing to say)
and everybody else with a page of its own: `pages.render_page(…, fragment=…)` does both. Without JavaScript the slot is
a link to that page. `guard` keeps the room empty for those whom it does not concern; the view still checks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.template import Context
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.safestring import SafeString

from staffroom.ui.navigation import Person, anyone


@dataclass(frozen=True)
class Filling:
    """What an app puts into a slot."""

    slot: str
    url_name: str
    order: int
    label: str | Promise
    guard: Callable[[Person], bool] = anyone


_fillings: list[Filling] = []


def fill(
    slot: str, url_name: str, order: int = 100, *, label: str | Promise, guard: Callable[[Person], bool] = anyone
) -> None:
    """Put the fragment of `url_name` into every page that leaves room under the name `slot`."""
    filling = Filling(slot, url_name, order, label, guard)
    if filling not in _fillings:
        _fillings.append(filling)


def fillings_of(name: str, person: Person = None) -> list[Filling]:
    """What this person gets to see in a slot, in its order."""
    fitting = (f for f in _fillings if f.slot == name and f.guard(person))
    return sorted(fitting, key=lambda f: (f.order, f.url_name))


def slot(context: Context, name: str, *arguments: Any) -> SafeString:
    """The room itself; nothing when nobody fills it."""
    person = getattr(context.get("request"), "user", None)
    parts = [
        {"url": reverse(filling.url_name, args=arguments), "label": filling.label}
        for filling in fillings_of(name, person)
    ]
    return render_to_string("ui/components/slot.html", {"parts": parts}) if parts else SafeString("")
