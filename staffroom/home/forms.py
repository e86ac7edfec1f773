"""What people type on pages that span rooms."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from staffroom.people.models import Person


class ErasureForm(forms.Form):
    """Erasing oneself wants the own e-mail address typed, so that nobody does it by a slip."""

    email = forms.EmailField(
        label=_("Your email address"), help_text=_("Type it to say that you mean it. This cannot be undone.")
    )

    def __init__(self, *args: Any, person: Person, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.person = person

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"]
        if email.lower() != (self.person.email or "").lower():
            raise forms.ValidationError(_("This is not the address of your account."))
        return email


class ErasurePersonForm(forms.Form):
    """Erasing somebody else wants their name typed."""

    name = forms.CharField(
        label=_("Their name"), max_length=200, help_text=_("Type it as it stands above. This cannot be undone.")
    )

    def __init__(self, *args: Any, person: Person, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.person = person

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if name.split() != self.person.full_name.split():
            raise forms.ValidationError(_("This is not the name of the person whom this page is about."))
        return self.person.full_name
