"""Icons: the lines of lucide's drawings, by name, written into the page. Any name on lucide.dev/icons works.

The build copies lucide's list of shapes beside the islands (`islands/icons`); nothing is fetched by the browser.
"""

from __future__ import annotations

import difflib
import json
from functools import lru_cache
from pathlib import Path

from django.forms.utils import flatatt
from django.template import TemplateSyntaxError
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from staffroom.ui import built

SOURCE = "node_modules/lucide-static/icon-nodes.json"
# Arrows and the like that point along the line of reading, and turn round where that runs from right to left.
DIRECTED = frozenset(
    "arrow-left arrow-right arrow-up-right chevron-left chevron-right chevrons-left chevrons-right log-in log-out "
    "corner-down-right redo redo-2 undo undo-2 reply send skip-back skip-forward move-left move-right".split()
)


def icon(name: str, *, label: str = "", size: str = "", again: bool = False) -> SafeString:
    """One icon as inline SVG: hidden from screen readers, unless it stands alone and has a label. In the rows of a long list, `again`
    points at what `{% shapes %}` drew before it."""
    if again:
        return _repeated(name)
    return _drawn(built.version(), name, str(label), size)


def shapes(*names: str) -> SafeString:
    """Icons that a long list shows again and again: drawn once, unseen, for the rows that say `again`."""
    return _drawn_once(built.version(), names)


def _repeated(name: str) -> SafeString:
    directed = " icon-directed" if name in DIRECTED else ""
    return SafeString(f'<svg class="icon{directed}" aria-hidden="true"><use href="#icon-{name}"/></svg>')


@lru_cache(maxsize=64)
def _drawn_once(version: built.Version, names: tuple[str, ...]) -> SafeString:
    each = (
        format_html('<symbol id="icon-{}" viewBox="0 0 24 24">{}</symbol>', name, _shape(built.file_for(SOURCE), name))
        for name in names
    )
    return SafeString(f'<svg hidden aria-hidden="true">{"".join(each)}</svg>')


@lru_cache(maxsize=2048)
def _drawn(version: built.Version, name: str, label: str, size: str) -> SafeString:
    """A page has some forty icons, and all pages the same few: each is written once."""
    classes = " ".join(filter(None, ["icon", size and f"icon-{size}", "icon-directed" if name in DIRECTED else ""]))
    spoken = format_html('role="img" aria-label="{}"', label) if label else SafeString('aria-hidden="true"')
    return format_html(
        '<svg class="{}" width="20" height="20" viewBox="0 0 24 24" fill="none" stroke="currentColor" {}>{}</svg>',
        classes,
        spoken,
        _shape(built.file_for(SOURCE), name),
    )


def _shape(file: Path | None, name: str) -> SafeString:
    """The inside of the icon's SVG; empty while the front end is not built."""
    if file is None:
        return SafeString("")
    shapes = _shapes(file)
    if name not in shapes:
        near = ", ".join(difflib.get_close_matches(name, shapes, n=3)) or "none similar"
        raise TemplateSyntaxError(f"There is no icon “{name}” in lucide. Similar: {near}.")
    return shapes[name]


@lru_cache(maxsize=1)
def _shapes(file: Path) -> dict[str, SafeString]:
    nodes: dict[str, list[tuple[str, dict[str, str]]]] = json.loads(file.read_text(encoding="utf-8"))
    return {name: _markup(parts) for name, parts in nodes.items()}


def _markup(parts: list[tuple[str, dict[str, str]]]) -> SafeString:
    markup = "".join(f"<{tag}{flatatt(attributes)}/>" for tag, attributes in parts)
    return mark_safe(markup)  # noqa: S308  (lucide's shapes, copied by our own build)
