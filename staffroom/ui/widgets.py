"""Django's widgets and the fields around them, written in Python: a page with a few forms has dozens, and Django renders two to eight
templates for each.

A widget says what it is (`get_context`), and what its template would have written is written here. Widgets that are not named here
keep Django's templates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.forms.boundfield import BoundField
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from staffroom.ui.elements import element, join, shown
from staffroom.ui.icons import icon

type Widget = Mapping[str, Any]


def written(template: str, context: Mapping[str, Any]) -> SafeString | None:
    """The widget whose template this is; None if it is not written here."""
    write = _WRITERS.get(template.removeprefix("django/forms/widgets/"))
    return SafeString(write(context["widget"])) if write else None


def _input(widget: Widget) -> str:
    value = "" if widget["value"] is None else f' value="{shown(widget["value"])}"'
    return f'<input type="{shown(widget["type"])}" name="{shown(widget["name"])}"{value}{_attributes(widget)}>'


def _textarea(widget: Widget) -> str:
    return f'<textarea name="{shown(widget["name"])}"{_attributes(widget)}>\n{shown(widget["value"] or "")}</textarea>'


def _choices(widget: Widget) -> str:
    """Radio buttons, or boxes to tick."""
    groups = "".join(_choice_group(name, options) for name, options, _number in widget["optgroups"])
    own = {name: widget["attrs"].get(name) or False for name in ("id", "class")}
    return f"<div{_attributes({'attrs': own})}>{groups}\n</div>"


def _choice_group(name: str | None, options: list[Widget]) -> str:
    inside = "".join(f"<div>{_choice(option)}</div>" for option in options)
    return f"\n  <div><label>{shown(name)}</label>{inside}\n  </div>" if name else inside


def _choice(option: Widget) -> str:
    if not option["wrap_label"]:
        return _input(option)
    belongs = f' for="{shown(option["attrs"]["id"])}"' if option["attrs"].get("id") else ""
    return f"<label{belongs}>{_input(option)} {shown(option['label'])}</label>"


def _select(widget: Widget) -> str:
    groups = "".join(_group(name, options) for name, options, _number in widget["optgroups"])
    return f'<select name="{shown(widget["name"])}"{_attributes(widget)}>{groups}\n</select>'


def _group(name: str | None, options: list[Widget]) -> str:
    inside = "".join(
        f'\n  <option value="{shown(option["value"])}"{_attributes(option)}>{shown(option["label"])}</option>'
        for option in options
    )
    return f'\n  <optgroup label="{shown(name)}">{inside}\n  </optgroup>' if name else inside


def _attributes(widget: Widget) -> str:
    """In their order; a yes is the name alone, a no is nothing."""
    return "".join(
        f" {shown(name)}" if value is True else f' {shown(name)}="{shown(value)}"'
        for name, value in widget["attrs"].items()
        if value is not False
    )


_WRITERS: dict[str, Callable[[Widget], str]] = {
    **dict.fromkeys(
        [
            f"{kind}.html"
            for kind in "text number email url password hidden date datetime time search tel checkbox".split()
        ],
        _input,
    ),
    "textarea.html": _textarea,
    "select.html": _select,
    "radio.html": _choices,
    "checkbox_select.html": _choices,
}

# --- Fields -----------------------------------------------------------------------------------------------------------------------


def field(bound: BoundField) -> SafeString:
    """One field: label, hint, error, widget."""
    around = join(_hint(bound), _errors(bound))
    if bound.use_fieldset:
        label = element("legend", join(bound.label, _optional(bound)), class_="field-label")
        inside = join(label, around, bound.as_widget())
        return element("fieldset", inside, class_="field field-set", aria_describedby=bound.aria_describedby)
    if bound.widget_type == "checkbox":
        label = element("label", bound.label, class_="field-label", for_=bound.id_for_label)
        return element("div", join(bound.as_widget(), label, around), class_="field field-check")
    if bound.is_hidden:
        return bound.as_widget()
    label = element("label", join(bound.label, _optional(bound)), class_="field-label", for_=bound.id_for_label)
    return element("div", join(label, around, bound.as_widget()), class_="field")


def _optional(bound: BoundField) -> SafeString | str:
    return "" if bound.field.required else join(" ", element("span", _("(optional)"), class_="field-optional"))


def _hint(bound: BoundField) -> SafeString | str:
    """Hints are ours, and may hold a link."""
    hint = SafeString(str(bound.help_text))
    return element("div", hint, class_="field-hint", id=f"{bound.auto_id}_helptext") if hint else ""


def _errors(bound: BoundField) -> SafeString | str:
    if not bound.form.errors.get(bound.name):
        return ""
    each = join(*(element("li", error) for error in bound.errors))
    inside = join(icon("circle-alert"), element("ul", each, role="list"))
    return element("div", inside, class_="field-error", id=f"{bound.auto_id}_error")
