"""How what people said is shown."""

from __future__ import annotations

import nh3
from django import template
from django.utils.html import escape, linebreaks, urlize
from django.utils.safestring import SafeString, mark_safe

from staffroom.conversations.models import Notice
from staffroom.conversations.notices import sentence_of

register = template.Library()

TAGS = {"p", "br", "a"}
SCHEMES = {"http", "https", "mailto"}


@register.filter
def said(text: str) -> SafeString:
    """Plain text as paragraphs with links. Everything is escaped; nh3 then lets nothing else through."""
    shown = linebreaks(urlize(escape(text), nofollow=True))
    return mark_safe(nh3.clean(shown, tags=TAGS, url_schemes=SCHEMES, link_rel="nofollow noopener noreferrer"))  # noqa: S308


@register.filter
def sentence(notice: Notice) -> str:
    """A notice in one sentence."""
    return sentence_of(notice)
