"""What people type about themselves and others."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _


class NameForm(forms.Form):
    """How one is called: asked of everybody who makes an account."""

    given_name = forms.CharField(label=_("First name"), max_length=150)
    family_name = forms.CharField(label=_("Last name"), max_length=150, required=False)

    field_order = ("given_name", "family_name", "email", "password1")

    def signup(self, request: object, user: object) -> None:
        """allauth calls this once the account is saved; the adapter has kept the names by then."""
