"""Making one HTML element safely. The small components are made of this; the large ones are templates."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.template import TemplateSyntaxError
from django.utils.html import conditional_escape, escape
from django.utils.safestring import SafeString


def element(tag: str, content: object = "", **attributes: Any) -> SafeString:
    """`element("a", "Home", href="/", class_="x", data_key="1")`. Absent: None, False, "". An underscore is a hyphen."""
    present = [
        _attribute(name, value)
        for name, value in attributes.items()
        if value is not None and value is not False and value != ""
    ]
    inside = conditional_escape(content if isinstance(content, str) else str(content))
    return SafeString(f"<{tag}{''.join(sorted(present))}>{inside}</{tag}>")


def _attribute(name: str, value: Any) -> str:
    """One attribute; safe text may still hold a quotation mark, which would end it."""
    shown = name.rstrip("_").replace("_", "-")
    if value is True:
        return f" {shown}"
    text = value.replace('"', "&quot;") if isinstance(value, SafeString) else escape(value)
    return f' {shown}="{text}"'


def join(*parts: object) -> SafeString:
    """The parts one after the other, each escaped unless it is safe."""
    return SafeString("".join(conditional_escape(str(part)) for part in parts if part))


def one_of(component: str, parameter: str, value: str, allowed: Collection[str]) -> str:
    """`value`, if the component knows it; otherwise an error that names what it knows."""
    if value not in allowed:
        known = ", ".join(f"“{word}”" for word in sorted(allowed))
        raise TemplateSyntaxError(f"{{% {component} %}} does not know {parameter}=“{value}”. It knows {known}.")
    return value
