"""How what people said is shown."""

from __future__ import annotations

import re

import nh3
from django import template
from django.utils.html import escape, linebreaks, urlize
from django.utils.safestring import SafeString, mark_safe

from staffroom.conversations.models import Notice
from staffroom.conversations.notices import sentence_of

register = template.Library()

TAGS = {"p", "br", "a"}
SCHEMES = {"http", "https", "mailto"}
_MAY_LINK = re.compile(r"\S[.:@/]\S")  # most of what people say holds no link, and costs a tenth


@register.filter
def said(text: str) -> SafeString:
    """Plain text as paragraphs with links. Everything is escaped; nh3 then lets nothing else through."""
    if not _MAY_LINK.search(text):
        return SafeString(linebreaks(escape(text)))
    shown = linebreaks(urlize(escape(text), nofollow=True))
    return mark_safe(nh3.clean(shown, tags=TAGS, url_schemes=SCHEMES, link_rel="nofollow noopener noreferrer"))  # noqa: S308


@register.filter
def sentence(notice: Notice) -> str:
    """A notice in one sentence."""
    return sentence_of(notice)
