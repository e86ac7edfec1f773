"""Django's `i18n` tags, of which `translate` is quicker: a sentence that stands in the template is translated once per language.

Every template that says `{% load i18n %}` gets these (`libraries` in the settings).
"""

from __future__ import annotations

from typing import Any

from django import template
from django.template import Context
from django.template.base import FilterExpression, Parser, Token
from django.templatetags import i18n
from django.utils.translation import get_language, gettext

register = template.Library()
register.tags.update(i18n.register.tags)
register.filters.update(i18n.register.filters)


class SaidNode(template.Node):
    """`{% translate "one sentence" %}`: a literal, said in the language of the page."""

    def __init__(self, sentence: str) -> None:
        self.sentence = sentence
        self.said: dict[str | None, str] = {}

    def render(self, context: Context) -> str:
        language = get_language()
        if language not in self.said:
            self.said[language] = gettext(self.sentence.replace("%", "%%")).replace("%%", "%")
        return self.said[language]


@register.tag
@register.tag("trans")
def translate(parser: Parser, token: Token) -> template.Node:
    node: i18n.TranslateNode = i18n.do_translate(parser, token)
    expression: FilterExpression = node.filter_expression
    literal: Any = getattr(expression.var, "literal", None)
    if isinstance(literal, str) and not (expression.filters or node.asvar or node.noop or node.message_context):
        return SaidNode(literal)
    return node
