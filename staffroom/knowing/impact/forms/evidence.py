"""What people type about evidence of other organizations."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from staffroom.knowing.impact.models import Estimate


class BundleForm(forms.Form):
    """A bundle of another organization."""

    file = forms.FileField(
        label=gettext_lazy("Evidence bundle"), help_text=gettext_lazy("A JSON file that another organization has given you."),
        widget=forms.ClearableFileInput(attrs={"accept": ".json,application/json"}),
    )  # fmt: skip


class HandOnForm(forms.Form):
    """Which of one's own estimates to hand on, and which version of the practice it is about."""

    estimate = forms.ModelChoiceField(
        label=gettext_lazy("Measured with"), queryset=Estimate.objects.none(), empty_label=None
    )
    practice_version = forms.CharField(
        label=gettext_lazy("Version of the practice"), required=False, max_length=100,
        help_text=gettext_lazy("For example “2.1, with the shorter first session”, so that others know what was done."),
    )  # fmt: skip

    def __init__(self, *args: Any, estimates: list[Estimate], **options: Any) -> None:
        super().__init__(*args, **options)
        field = self.fields["estimate"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = Estimate.objects.filter(pk__in=[each.pk for each in estimates]).select_related("instrument")
        field.label_from_instance = lambda obj: str(obj.instrument)  # type: ignore[method-assign]
