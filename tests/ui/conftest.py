"""What the tests of the interface need: a page to stand on, empty registries, a browser."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest
from django.http import HttpRequest
from django.template import Context, Template
from django.test import RequestFactory
from pytest_django.fixtures import Settings

from staffroom.ui import navigation, slots

# Playwright keeps an event loop in the thread of the tests, where Django must still be let to the database.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

type Render = Callable[..., str]


@pytest.fixture(autouse=True)
def interface(settings: Settings) -> None:
    """Our addresses, our forms, and static files without a build of hashes."""
    settings.ROOT_URLCONF = "tests.ui.urls"
    settings.FORM_RENDERER = "staffroom.ui.forms.Renderer"
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }


@pytest.fixture(autouse=True)
def registries(monkeypatch: pytest.MonkeyPatch) -> None:
    """No room's entries and fillings: each test registers its own."""
    monkeypatch.setattr(navigation, "_entries", {})
    monkeypatch.setattr(slots, "_fillings", [])


@pytest.fixture
def render(rf: RequestFactory) -> Render:
    """Render a line of template with `{% load ui %}`; keywords are its context."""

    def _render(source: str, request: HttpRequest | None = None, **context: Any) -> str:
        template = Template("{% load ui %}" + source)
        return template.render(Context({"request": request or rf.get("/"), **context}))

    return _render
