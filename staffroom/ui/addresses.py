"""Addresses of pages, remembered: what `reverse` works out anew each time follows from a name and its arguments alone."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from django.conf import settings
from django.urls import get_script_prefix, get_urlconf, reverse


def address(name: str, *arguments: Any) -> str:
    """`reverse`, for addresses in rows."""
    return _address(get_urlconf() or settings.ROOT_URLCONF, get_script_prefix(), name, arguments)


@lru_cache(maxsize=8192)
def _address(urlconf: str, prefix: str, name: str, arguments: tuple[Any, ...]) -> str:
    return reverse(name, urlconf, args=arguments)
