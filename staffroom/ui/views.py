"""The style guide: every component with its parameters, for those who build pages and for the tests that look at them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from staffroom.ui.pages import redirect_or_fragment, refuse, render_page, respond_invalid

TEMPLATE = "ui/guide.html"


class GuideForm(forms.Form):
    """One field of each kind."""

    title = forms.CharField(label=gettext_lazy("Title"), max_length=80)
    happened_on = forms.DateField(
        label=gettext_lazy("Day"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    subject = forms.ChoiceField(
        label=gettext_lazy("Subject"),
        choices=[("m", gettext_lazy("Mathematics")), ("s", gettext_lazy("Science"))],
    )
    noticed = forms.CharField(
        label=gettext_lazy("What did you notice?"),
        help_text=gettext_lazy("One sentence is enough. Only you can read it until you share it."),
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    audience = forms.ChoiceField(
        label=gettext_lazy("Who may read it"),
        choices=[
            ("me", gettext_lazy("Only me")),
            ("coach", gettext_lazy("My coach")),
            ("c", gettext_lazy("My circle")),
        ],
        widget=forms.RadioSelect,
        initial="me",
    )
    reminds = forms.BooleanField(
        label=gettext_lazy("Remind me before the next lesson"),
        required=False,
        help_text=gettext_lazy("By email, the evening before."),
    )


def guide(request: HttpRequest) -> HttpResponse:
    form = GuideForm(request.POST or None)
    if request.method == "POST" and not form.is_valid():
        return respond_invalid(request, TEMPLATE, "form", form, example())
    if request.method == "POST":
        return redirect_or_fragment(request, "ui:guide", TEMPLATE, "form", {"form": GuideForm()})
    return render_page(request, TEMPLATE, {"form": form, **example()})


def fragment(request: HttpRequest) -> HttpResponse:
    """What a slot or a progress bar on the guide asks for."""
    return render_page(request, TEMPLATE, {"form": GuideForm(), **example()}, fragment="filling")


def error(request: HttpRequest, status: int) -> HttpResponse:
    return refuse(request, status, retry_after_s=30 if status == 429 else None)


def example() -> dict[str, Any]:
    """Figures that look like those of real pages."""
    return {
        "trail": [(_("Lessons"), "#"), (_("Grade 5 mathematics"), "#")],
        "columns": [_("Lesson"), _("Wait time, s"), _("Middle half, s")],
        "rows": [
            (_("Fractions, lesson 1"), "1.1", "0.6–1.6"),
            (_("Fractions, lesson 4"), "1.8", "1.2–2.3"),
            (_("Fractions, lesson 6"), "2.9", "2.3–3.6"),
        ],
    }
