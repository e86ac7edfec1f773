"""What people type about evidence of other organizations."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy

from staffroom.knowing.impact.models import Estimate
from staffroom.records.models import Instrument


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


class SumsForm(forms.Form):
    """Which results to sum up; with the common fit, for the second round."""

    instrument = forms.ModelChoiceField(
        label=gettext_lazy("Measured with"), queryset=Instrument.objects.none(), empty_label=None
    )
    fit = forms.FileField(
        label=gettext_lazy("Common fit"), required=False,
        help_text=gettext_lazy("Empty in the first round. In the second: the file that whoever puts the sums together gave you."),
        widget=forms.ClearableFileInput(attrs={"accept": ".json,application/json"}),
    )  # fmt: skip

    def __init__(self, *args: Any, instruments: QuerySet[Instrument], **options: Any) -> None:
        super().__init__(*args, **options)
        field = self.fields["instrument"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = instruments


class SwitchForm(forms.Form):
    """Whether sums may leave."""

    is_on = forms.TypedChoiceField(
        label=gettext_lazy("Sums over at least five schools"), coerce=lambda value: value == "yes", widget=forms.RadioSelect,
        choices=[("no", gettext_lazy("stay here")), ("yes", gettext_lazy("may be given to other organizations"))],
    )  # fmt: skip


class _ManyFiles(forms.ClearableFileInput):
    allow_multiple_selected = True


class ManyFilesField(forms.FileField):
    """Several files at once."""

    widget = _ManyFiles

    def clean(self, data: Any, initial: Any = None) -> Any:
        files = data if isinstance(data, list | tuple) else [data]
        return [super(ManyFilesField, self).clean(each, initial) for each in files]


class TogetherForm(forms.Form):
    """The files of all organizations: sums, and in the second round the fit and the second sums as well."""

    parts = ManyFilesField(
        label=gettext_lazy("Files of all organizations"),
        help_text=gettext_lazy("The first sums of each: you get the common fit. All files of both rounds: you get the result."),
        widget=_ManyFiles(attrs={"accept": ".json,application/json"}),
    )  # fmt: skip
