"""What people type about circles, consent, policy and breaking the glass."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from staffroom.people import queries as people
from staffroom.people.models import Person
from staffroom.permissions.models import Consent


class CircleForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=120, help_text=_("What your colleagues will read."))


class MemberForm(forms.Form):
    email = forms.EmailField(label=_("Colleague's email"))

    def __init__(self, *args: Any, viewer: Person, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.viewer = viewer

    def clean_email(self) -> str:
        """Keep the colleague found by this address; say the same whether nobody or no colleague has it."""
        email: str = self.cleaned_data["email"]
        self.person = people.colleagues_for(self.viewer).filter(email__iexact=email).first()
        if self.person is None:
            raise forms.ValidationError(_("None of your colleagues has this address."))
        return email


class ConsentForm(forms.Form):
    answer = forms.ChoiceField(label=_("The family's answer"), choices=Consent.Answer.choices)
    given_by = forms.CharField(label=_("Who answered"), max_length=200, required=False)


class PolicyForm(forms.Form):
    retention_days = forms.IntegerField(
        label=_("Keep what people make for (days)"), min_value=30, max_value=3650, required=False,
        help_text=_("Empty: as long as this site keeps things. A longer time than the site's has no effect."),
    )  # fmt: skip
    share_days_most = forms.IntegerField(label=_("Lend for at most (days)"), min_value=1, max_value=365, initial=365)
    may_share_outside_district = forms.BooleanField(label=_("Things may be lent outside the district"), required=False)
    may_download = forms.BooleanField(label=_("Owners may allow downloads"), required=False)


class BreakGlassForm(forms.Form):
    reason = forms.CharField(
        label=_("Reason"), widget=forms.Textarea(attrs={"rows": 4}), min_length=20,
        help_text=_("The owner will read it. It stays on record."),
    )  # fmt: skip
