"""Django's own `url`, `date` and `json_script`, quicker or shorter: known to every template (`builtins`), and written the same.

A list of thirty rows asks for thirty addresses and sixty dates, which Django works out anew each time, at a third of the page's cost.
What follows from its arguments alone is remembered: an address from a name and its arguments, a date in words from the moment, the zone
and the language.
"""

from __future__ import annotations

from datetime import date as Day
from datetime import datetime
from functools import lru_cache
from typing import Any

from django import template
from django.template import Context
from django.template.base import Parser, Token
from django.template.defaultfilters import date as django_date
from django.template.defaulttags import URLNode
from django.template.defaulttags import url as django_url
from django.urls import NoReverseMatch
from django.utils import timezone
from django.utils.html import escape
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from staffroom.ui.addresses import address
from staffroom.ui.elements import json_element

register = template.Library()


class AddressNode(URLNode):
    """`{% url "name" argument … %}` and `{% url "name" argument … as here %}`, which is empty where there is none."""

    def render(self, context: Context) -> str:
        arguments = [each.resolve(context) for each in self.args]
        try:
            found = address(self.view_name.resolve(context), *arguments)
        except NoReverseMatch:
            if not self.asvar:
                raise
            found = ""
        if self.asvar:
            context[self.asvar] = found
            return ""
        return escape(found)


@register.tag
def url(parser: Parser, token: Token) -> template.Node:
    node = django_url(parser, token)
    if not node.kwargs:
        node.__class__ = AddressNode
    return node


@register.filter(is_safe=False)
def date(value: Any, format: str | None = None) -> str:
    """Django's `date`, which turns moments into the time of the page by itself."""
    if not isinstance(value, Day):
        return str(django_date(value, format))
    zone = timezone.get_current_timezone_name() if isinstance(value, datetime) and timezone.is_aware(value) else ""
    return _date(value, format, zone, get_language())


@lru_cache(maxsize=8192)
def _date(value: Day, format: str | None, zone: str, language: str | None) -> str:
    shown = timezone.localtime(value) if isinstance(value, datetime) and zone else value
    return str(django_date(shown, format))


@register.filter(is_safe=True)
def json_script(value: Any, element_id: str | None = None) -> SafeString:
    return json_element(value, element_id)
