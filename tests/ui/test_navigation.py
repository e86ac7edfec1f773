"""Everybody sees the places that are theirs, and what waits there, at the price of one query."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import RequestFactory
from django.urls import reverse

from staffroom.people.models import Person
from staffroom.ui import navigation
from staffroom.ui.navigation import Entry, navigation_for, register
from tests.ui.conftest import Render

REGISTERED = list(navigation._entries.values())  # by the rooms themselves, before the tests empty the registry
TEACHER: Any = SimpleNamespace(is_authenticated=True, is_leader=False, pk=1)
LEADER: Any = SimpleNamespace(is_authenticated=True, is_leader=True, pk=2)


def ask(rf: RequestFactory, path: str = "/", person: Any = TEACHER) -> navigation.Navigation:
    request = rf.get(path)
    request.user = person
    return navigation_for(request)


def test_an_entry_is_for_those_whom_its_guard_lets(rf: RequestFactory) -> None:
    register(Entry("lessons", "Lessons", "clapperboard", "lessons", 20))
    register(Entry("money", "Money", "coins", "place-1", 10, guard=lambda person: getattr(person, "is_leader", False)))
    assert [link.key for link in ask(rf).main] == ["lessons"]
    assert [link.key for link in ask(rf, person=LEADER).main] == ["money", "lessons"]
    assert ask(rf, person=AnonymousUser()).main == []


def test_the_page_shows_only_what_the_person_may_see(rf: RequestFactory, render: Render) -> None:
    register(Entry("lessons", "Lessons", "clapperboard", "lessons"))
    register(Entry("money", "Money", "coins", "place-1", guard=lambda person: getattr(person, "is_leader", False)))
    request = rf.get("/lessons/")
    request.user = TEACHER
    html = render('{% navigation as nav %}{% include "ui/nav.html" %}', request)
    assert 'href="/lessons/" aria-current="page"' in html
    assert "Money" not in html


@pytest.mark.parametrize(
    ("path", "current"),
    [
        ("/", "front"),
        ("/lessons/", "lessons"),
        ("/lessons/7/talk/", "lessons"),
        ("/lessons/new/", "new"),
        ("/x/", None),
    ],
)
def test_the_entry_nearest_to_the_page_is_the_current_one(rf: RequestFactory, path: str, current: str | None) -> None:
    register(Entry("front", "Home", "house", "front"))
    register(Entry("lessons", "Lessons", "clapperboard", "lessons"))
    register(Entry("new", "New", "plus", "new-lesson"))
    assert [link.key for link in ask(rf, path).main if link.is_current] == ([current] if current else [])


@pytest.mark.parametrize(("entries", "in_bar"), [(3, 3), (5, 5), (6, 4), (7, 4)])
def test_five_places_fit_on_a_phone_the_last_is_more(rf: RequestFactory, entries: int, in_bar: int) -> None:
    for number in range(1, entries + 1):
        register(Entry(f"p{number}", f"Place {number}", "map", f"place-{number}", number))
    nav = ask(rf)
    assert len(nav.bar) == in_bar
    assert nav.bar + nav.rest == nav.main


@pytest.mark.django_db
def test_all_querysets_are_counted_in_one_query(rf: RequestFactory, django_assert_num_queries: Any) -> None:
    for number in range(3):
        Person.objects.create_user(f"p{number}@example.org", given_name=f"P{number}")
    register(Entry("lessons", "Lessons", "map", "lessons", count=lambda person: Person.objects.all()))
    register(Entry("one", "One", "map", "place-1", count=lambda person: Person.objects.filter(given_name="P1")))
    register(Entry("none", "None", "map", "place-2", count=lambda person: Person.objects.none()))
    register(Entry("bell", "Notices", "bell", "notices", count=lambda person: 120, place="bell"))
    with django_assert_num_queries(1):
        nav = ask(rf)
    assert {link.key: link.count for link in nav.main} == {"lessons": 3, "one": 1, "none": 0}
    assert nav.bell is not None
    assert nav.bell.count_label == "99+"


def test_a_key_is_registered_once() -> None:
    register(Entry("lessons", "Lessons", "map", "lessons"))
    register(Entry("lessons", "Lessons", "map", "lessons"))
    with pytest.raises(ValueError, match="already"):
        register(Entry("lessons", "Other", "map", "lessons"))


@pytest.mark.parametrize("entry", REGISTERED, ids=lambda entry: entry.key)
def test_an_entry_of_a_room_leads_somewhere_and_has_an_icon(entry: Entry, render: Render) -> None:
    assert reverse(entry.url_name, urlconf="staffroom.urls")
    assert "<svg" in render("{% icon name %}", name=entry.icon)
