"""What administrators type to bring a framework in."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from staffroom.frameworks import queries
from staffroom.frameworks.outlines import MOST_BYTES
from staffroom.people.models import Organization, Person


class ImportForm(forms.Form):
    """A file in one of the two layouts, and for whom it is."""

    file = forms.FileField(
        label=_("File"),
        help_text=_("CASE JSON, or a CSV with the columns code, parent, kind, title, statement."),
        widget=forms.FileInput(attrs={"accept": ".json,.csv,application/json,text/csv"}),
    )
    organization = forms.ModelChoiceField(label=_("For whom"), queryset=Organization.objects.none(), empty_label=None)
    title = forms.CharField(
        label=_("Title"), max_length=200, required=False, help_text=_("Needed for a CSV; a CASE file has its own.")
    )
    label = forms.CharField(
        label=_("Edition"), max_length=100, required=False, help_text=_("Such as a year. For a CSV only.")
    )

    def __init__(self, *args: Any, by: Person, **options: Any) -> None:
        super().__init__(*args, **options)
        organization = self.fields["organization"]
        assert isinstance(organization, forms.ModelChoiceField)
        organization.queryset = queries.homes_for_import(by)

    def clean(self) -> dict[str, Any]:
        """Read the file as what it is: JSON when it looks like it, else CSV in UTF-8."""
        cleaned = super().clean() or self.cleaned_data
        file = cleaned.get("file")
        if file is None:
            return cleaned
        if file.size > MOST_BYTES:
            self.add_error("file", _("The file is larger than 8 MB."))
            return cleaned
        try:
            text = file.read().decode("utf-8-sig")
        except UnicodeDecodeError:
            self.add_error("file", _("The file is not text in UTF-8. Save it as “CSV UTF-8” and try again."))
            return cleaned
        if text.lstrip()[:1] in "{[" and text.strip():
            try:
                cleaned["document"] = json.loads(text)
            except (ValueError, RecursionError):
                self.add_error("file", _("The file begins like JSON, but is none."))
        else:
            cleaned["text"] = text
            if not cleaned.get("title"):
                self.add_error("title", _("Give the framework a title."))
        return cleaned
