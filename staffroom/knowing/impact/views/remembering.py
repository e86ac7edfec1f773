"""Parts of pages that follow from a kept answer alone are made once and remembered by its hash, until the answer is another one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe
from django.utils.timezone import get_current_timezone_name
from django.utils.translation import get_language

from staffroom import __version__

A_DAY_S = 86_400


def remembered(template: str, follows_from: list[Any], make: Callable[[], dict[str, Any]]) -> SafeString:
    """The template with what `make` gives, or as it was made before from the same; it is not made from who looks.

    `follows_from` holds everything that may change it: hashes of answers, names that the viewer may read, addresses. While
    templates are being written nothing is remembered.
    """
    said = json.dumps([__version__, template, get_language(), get_current_timezone_name(), follows_from], default=str)
    key = f"impact:{hashlib.sha256(said.encode()).hexdigest()}"
    known = None if settings.DEBUG else cache.get(key)
    if known is None:
        known = str(render_to_string(template, make()))
        cache.set(key, known, A_DAY_S)
    return mark_safe(known)  # noqa: S308 - made by a template
