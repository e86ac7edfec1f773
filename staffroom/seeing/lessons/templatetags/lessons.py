"""How times and kinds of moments are shown."""

from __future__ import annotations

from collections.abc import Iterable

from django import template
from django.template import Context
from django.utils.safestring import SafeString

from staffroom.conversations.models import Comment
from staffroom.seeing.lessons.clock import clock as clock_text
from staffroom.seeing.lessons.models import Moment
from staffroom.seeing.lessons.noted import Noted, own_clips

register = template.Library()


@register.filter
def clock(ms: int | None) -> str:
    """Milliseconds as a clock reads them."""
    return clock_text(ms)


register.simple_tag(own_clips)


@register.simple_tag(takes_context=True)
def note_rows(context: Context, rows: Iterable[tuple[Moment, list[Comment]]]) -> SafeString:
    """The notes beside a player, each with what was said about it."""
    page = Noted(context["user"], context.get("clip"), context["is_owner"], str(context["csrf_token"]))
    return page.rows(rows)
