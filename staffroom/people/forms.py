"""What people type about themselves and others."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.utils.translation import gettext_lazy as _

from staffroom.people import queries
from staffroom.people.actions.organizations import ABOVE
from staffroom.people.models import Organization, Person, Role
from staffroom.people.rules import STAFF

CHOSEN_ROLES = [(role.value, role.label) for role in STAFF]


class NameForm(forms.Form):
    """How one is called: asked of everybody who makes an account."""

    given_name = forms.CharField(label=_("First name"), max_length=150)
    family_name = forms.CharField(label=_("Last name"), max_length=150, required=False)

    field_order = ("given_name", "family_name", "email", "password1")

    def signup(self, request: object, user: object) -> None:
        """allauth calls this once the account is saved; the adapter has kept the names by then."""


class JoinForm(NameForm):
    """A name and a password, for an account made from an invitation."""

    password = forms.CharField(
        label=_("Password"),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("At least ten characters. A few words that nobody would guess are best."),
    )

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        validate_password(password, Person(given_name=self.cleaned_data.get("given_name", "")))
        return password


class InviteForm(forms.Form):
    """Whom to invite, as what."""

    email = forms.EmailField(label=_("Email address"), max_length=254)
    role = forms.ChoiceField(label=_("As"), choices=CHOSEN_ROLES, initial=Role.TEACHER)


class OrganizationForm(forms.Form):
    """A school or team to add below an organization."""

    name = forms.CharField(label=_("Name"), max_length=200)
    kind = forms.ChoiceField(label=_("Kind"))

    def __init__(self, *args: Any, parent: Organization, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kinds = [kind for kind in Organization.Kind if parent.kind in ABOVE[kind]]
        self.fields["kind"] = forms.ChoiceField(label=_("Kind"), choices=[(kind.value, kind.label) for kind in kinds])


class RenameForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=200)


class MoveForm(forms.Form):
    """Where an organization shall hang."""

    def __init__(self, *args: Any, by: Person, organization: Organization, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        places = queries.organizations_of(by, Role.ADMINISTRATOR).filter(
            kind__in=ABOVE[Organization.Kind(organization.kind)]
        )
        self.fields["to"] = forms.ModelChoiceField(
            label=_("Move it below"), queryset=places.exclude(path__startswith=organization.path)
        )


class RoleForm(forms.Form):
    """A role to give to a person, where, and for how long."""

    role = forms.ChoiceField(label=_("Role"), choices=CHOSEN_ROLES)
    ends_on = forms.DateField(
        label=_("Until"), required=False, widget=forms.DateInput(attrs={"type": "date"}),
        help_text=_("Leave empty if it has no end. On this day the role no longer counts."),
    )  # fmt: skip

    field_order = ("role", "organization", "ends_on")

    def __init__(self, *args: Any, by: Person, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        places = queries.organizations_of(by, Role.ADMINISTRATOR)
        self.fields["organization"] = forms.ModelChoiceField(label=_("At"), queryset=places)
        self.order_fields(self.field_order)


class RosterForm(forms.Form):
    """A roster to take in."""

    file = forms.FileField(
        label=_("Roster"),
        help_text=_("A OneRoster 1.1 or 1.2 zip, or a CSV table made from our template."),
        widget=forms.FileInput(attrs={"accept": ".zip,.csv"}),
    )
