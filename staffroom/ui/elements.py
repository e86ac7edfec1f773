"""Making one HTML element safely. The small components are made of this; the large ones are templates."""

from __future__ import annotations

from collections.abc import Collection
from html import escape
from numbers import Number
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.template import TemplateSyntaxError
from django.utils.formats import localize
from django.utils.html import json_script
from django.utils.safestring import SafeString


def element(tag: str, content: object = "", **attributes: Any) -> SafeString:
    """`element("a", "Home", href="/", class_="x", data_key="1")`. Absent: None, False, "". An underscore is a hyphen."""
    present = [
        _attribute(name, value)
        for name, value in attributes.items()
        if value is not None and value is not False and value != ""
    ]
    return SafeString(f"<{tag}{''.join(sorted(present))}>{_told(content)}</{tag}>")


def shown(part: object) -> str:
    """As it stands in a page: escaped, unless it is safe. Django's own `conditional_escape` costs several times as much."""
    text = str(part)
    return text if isinstance(text, SafeString) else escape(text)


def _told(content: object) -> str:
    """What people read: a number is grouped, which in an attribute it is not."""
    return shown(localize(content) if isinstance(content, Number) else content)


def _attribute(name: str, value: Any) -> str:
    """One attribute; safe text may still hold a quotation mark, which would end it."""
    hyphened = name.rstrip("_").replace("_", "-")
    if value is True:
        return f" {hyphened}"
    text = value.replace('"', "&quot;") if isinstance(value, SafeString) else escape(str(value))
    return f' {hyphened}="{text}"'


def join(*parts: object) -> SafeString:
    """The parts one after the other, each escaped unless it is safe."""
    return SafeString("".join([shown(part) for part in parts if part]))


def one_of(component: str, parameter: str, value: str, allowed: Collection[str]) -> str:
    """`value`, if the component knows it; otherwise an error that names what it knows."""
    if value not in allowed:
        known = ", ".join(f"“{word}”" for word in sorted(allowed))
        raise TemplateSyntaxError(f"{{% {component} %}} does not know {parameter}=“{value}”. It knows {known}.")
    return value


class _WithoutBlanks(DjangoJSONEncoder):
    def __init__(self, **wishes: Any) -> None:
        super().__init__(**{**wishes, "separators": (",", ":")})


def json_element(value: Any, element_id: str | None = None) -> SafeString:
    """What an island reads, as JSON in a script element: for programs, so without the blanks that Django's own leaves in it."""
    return json_script(value, element_id, _WithoutBlanks)
