"""Parts of pages that say the same whenever they are given the same words: rendered once, then taken as they are.

    {% fixed "ui/words.html" %}
    {% fixed "ui/nav.html" nav=nav %}

Such a template reads nothing but the words that it is given (which compare by value), and the language. Never the request, the
person who asks or anything that they may see: who may see what is asked anew for every page.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from staffroom.ui import built


def fixed(template: str, **words: Any) -> SafeString:
    """The template with these words."""
    if settings.DEBUG:
        return SafeString(render_to_string(template, words))
    return _rendered(template, get_language(), built.version(), _by_value(words))


def _by_value(words: dict[str, Any]) -> tuple[tuple[str, Any], ...]:
    return tuple((name, tuple(value) if isinstance(value, list) else value) for name, value in words.items())


@lru_cache(maxsize=1024)
def _rendered(
    template: str, language: str | None, version: built.Version, words: tuple[tuple[str, Any], ...]
) -> SafeString:
    return SafeString(render_to_string(template, dict(words)))
