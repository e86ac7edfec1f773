"""A system check that says what to do when the front end has not been built."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Warning, register

from staffroom.ui import built


@register()
def front_end_is_built(app_configs: Sequence[AppConfig] | None, **options: Any) -> list[CheckMessage]:
    """Warn when pages would come without styles, icons and islands. They work without, but look bare."""
    if built.manifest() or built.is_served_by_vite():
        return []
    return [
        Warning(
            "The front end is not built: pages have no styles and no icons.",
            hint="Run `make front` in a checkout. An installed wheel brings the files: reinstall it.",
            id="ui.W001",
        )
    ]
