"""How forms look: every field with its label, hint and errors tied together, and the errors once more at the top.

`FORM_RENDERER = "staffroom.ui.forms.Renderer"` makes `{{ form }}` and allauth's forms look so as well.
"""

from __future__ import annotations

from typing import Any

from django.forms import BaseForm
from django.forms.boundfield import BoundField
from django.forms.renderers import DjangoTemplates
from django.http import HttpRequest
from django.template import Context, TemplateSyntaxError
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from staffroom.ui import widgets
from staffroom.ui.elements import one_of


class Renderer(DjangoTemplates):
    """Our own form and field templates, and widgets that are written in Python."""

    form_template_name = "ui/forms/form.html"
    field_template_name = "ui/forms/field.html"

    def render(self, template_name: str, context: dict[str, Any], request: HttpRequest | None = None) -> str:
        written = widgets.written(template_name, context)
        return super().render(template_name, context, request) if written is None else written


def field(bound: BoundField) -> SafeString:
    """One field: label, hint, error, widget."""
    if not isinstance(bound, BoundField):
        raise TemplateSyntaxError(f"{{% field %}} takes a form's field, not {bound!r}. Is its name right?")
    return widgets.field(bound)


def error_summary(form: object) -> SafeString:
    """What has to be put right, as links to the fields; takes the focus. Nothing when nothing is wrong."""
    is_wrong = isinstance(form, BaseForm) and form.errors  # a page may have no form this time
    return render_to_string("ui/forms/error_summary.html", {"form": form}) if is_wrong else SafeString("")


def form(
    context: Context,
    form: BaseForm,
    *,
    submit: str = "",
    action: str = "",
    kind: str = "main",
    icon: str = "",
    cancel_url: str = "",
    confirm: str = "",
    draft: str = "",
    guard: bool = False,
    target: str = "",
    swap: str = "outerHTML",
    id: str = "",
    wide: bool = False,
) -> SafeString:
    """A whole form that posts: its fields, its button.

    `draft` names where typed text is kept until the form has been accepted; `guard` asks before leaving half-filled.
    With `target` (a CSS selector, or `this`) htmx sends it and puts the answer there; a 422 replaces the form itself.
    """
    one_of("form", "kind", kind, {"main", "plain", "danger"})
    request: HttpRequest | None = context.get("request")
    return render_to_string("ui/forms/whole.html", {**locals(), "submit": submit or _("Save")}, request=request)
