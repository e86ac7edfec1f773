"""The tags of `{% load ui %}`. What each does and takes stands where it is defined; none takes anything else."""

from __future__ import annotations

import json
from typing import Any

from django import template
from django.template import Context
from django.utils.safestring import SafeString

from staffroom.ui import built, elements, fixed, forms, icons, slots
from staffroom.ui.components import buttons, containers, marks, wayfinding
from staffroom.ui.island_words import words_script
from staffroom.ui.navigation import Navigation, navigation_for

register = template.Library()

for _tag in (
    icons.icon,
    icons.shapes,
    buttons.button,
    buttons.link_button,
    buttons.time_button,
    marks.chip,
    marks.avatar,
    marks.copyable,
    marks.person,
    marks.stat,
    marks.measure,
    containers.tab,
    wayfinding.progress,
    wayfinding.pagination,
    wayfinding.page_header,
    forms.field,
    forms.error_summary,
):
    register.simple_tag(_tag)

for _block in (
    containers.card,
    containers.section,
    containers.table_region,
    containers.empty_state,
    containers.dialog,
    containers.menu,
    containers.note,
    containers.figure,
    containers.tabs,
):
    register.simple_block_tag(_block)

register.simple_tag(fixed.fixed)
register.simple_tag(forms.form, takes_context=True)
register.simple_tag(slots.slot, takes_context=True)


@register.simple_tag(takes_context=True)
def navigation(context: Context) -> Navigation:
    """The links of this page, for the person who asks: `{% navigation as nav %}`."""
    request = context.get("request")
    return navigation_for(request) if request else Navigation([], [], None)


@register.simple_tag(takes_context=True)
def island(context: Context, name: str, *, data: Any = None) -> SafeString:
    """Load the island of this name, once on a page, with its words in the page's language (`<name>-words`).

    `data` is put beside it as JSON, with the id `<name>-data`.
    """
    request = context.get("request")
    loaded: set[str] = request.__dict__.setdefault("_islands", set()) if request else set()
    tags = SafeString("") if name in loaded else built.island_tags(name) + words_script(name)
    loaded.add(name)
    return elements.join(tags, "" if data is None else elements.json_element(data, f"{name}-data"))


@register.simple_tag(takes_context=True)
def theme(context: Context) -> str:
    """The appearance that was chosen on this device: `light`, `dark`, or nothing for the system's."""
    request = context.get("request")
    chosen = request.COOKIES.get("theme", "") if request else ""
    return chosen if chosen in ("light", "dark") else ""


@register.simple_tag(takes_context=True)
def csrf_header(context: Context) -> str:
    """The header by which htmx proves that a request came from our own page."""
    return json.dumps({"X-CSRFToken": str(context.get("csrf_token", ""))})


@register.filter
def message_tone(level_tag: str) -> str:
    """Django's name of a message's level as the tone of a note."""
    tones = {"success": "good", "warning": "warn", "error": "bad"}
    return tones.get(level_tag, "")
