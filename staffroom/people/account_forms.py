"""allauth's forms in our words: a label says what a field is, and nothing stands in the field that looks typed already."""

from __future__ import annotations

from typing import Any

from allauth.account import forms as allauth
from allauth.mfa.base import forms as mfa
from django.utils.translation import gettext_lazy as _


class _InOurWords:
    """Beside a form of allauth: its labels, and no placeholders, which vanish when one needs them."""

    labels = {
        "remember": _("Stay signed in"),
        "oldpassword": _("Current password"),
        "password1": _("New password"),
        "password2": _("New password, again"),
    }
    fields: dict[str, Any]

    def __init__(self, *arguments: Any, **words: Any) -> None:
        super().__init__(*arguments, **words)
        for name, field in self.fields.items():
            field.widget.attrs.pop("placeholder", None)
            field.label = self.labels.get(name, field.label)


class SignInForm(_InOurWords, allauth.LoginForm):  # type: ignore[misc]  # allauth ships no types
    refused = _("You are not signed in yet.")


class AddressForm(_InOurWords, allauth.AddEmailForm):  # type: ignore[misc]
    pass


class ChangePasswordForm(_InOurWords, allauth.ChangePasswordForm):  # type: ignore[misc]
    pass


class SetPasswordForm(_InOurWords, allauth.SetPasswordForm):  # type: ignore[misc]
    pass


class ForgottenPasswordForm(_InOurWords, allauth.ResetPasswordForm):  # type: ignore[misc]
    pass


class NewPasswordForm(_InOurWords, allauth.ResetPasswordKeyForm):  # type: ignore[misc]
    pass


class ConfirmForm(_InOurWords, allauth.ReauthenticateForm):  # type: ignore[misc]
    refused = _("Not confirmed yet.")


class SecondFactorForm(_InOurWords, mfa.AuthenticateForm):  # type: ignore[misc]
    refused = _("You are not signed in yet.")


class ConfirmSecondFactorForm(_InOurWords, mfa.ReauthenticateForm):  # type: ignore[misc]
    refused = _("Not confirmed yet.")
