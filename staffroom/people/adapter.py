"""Where allauth asks us: who may make an account, what belongs to a new one, and when a second factor has to stay."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.emailkit import valid_email_or_none
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.conf import settings
from django.forms import BaseForm
from django.http import HttpRequest

from staffroom.people import rules
from staffroom.people.listening import trust_if_first
from staffroom.people.models import Person


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth ships no types
    """Accounts come by invitation, roster or a district's sign-in service; anybody may make one only where the host says so."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return bool(settings.OPEN_SIGN_UP)

    def save_user(self, request: HttpRequest, user: Person, form: BaseForm, commit: bool = True) -> Person:
        user.given_name = form.cleaned_data["given_name"]
        user.family_name = form.cleaned_data.get("family_name", "")
        saved: Person = super().save_user(request, user, form, commit)
        return saved


class OutsideSignInAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]  # allauth ships no types
    """A district's sign-in service signs in whom we know by a verified address; strangers only where sign-up is open."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        return bool(settings.OPEN_SIGN_UP)

    def populate_user(self, request: HttpRequest, sociallogin: Any, data: dict[str, Any]) -> Person:
        person: Person = sociallogin.user
        person.email = valid_email_or_none(data.get("email"))
        person.given_name = (data.get("first_name") or data.get("name") or person.email or "")[:150]
        person.family_name = (data.get("last_name") or "")[:150]
        return person

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        """The service vouches for the address, so that somebody brought by a roster need not confirm it by mail as well."""
        if sociallogin.is_existing:
            vouched = {each.email.lower() for each in sociallogin.email_addresses if each.verified}
            trust_if_first(sociallogin.user, vouched)


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth ships no types
    """Whoever must have a second factor may replace the last one, but not remove it."""

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        if not rules.must_have_second_factor(authenticator.user):
            return True
        own = Authenticator.objects.filter(user=authenticator.user).exclude(pk=authenticator.pk)
        return bool(own.exclude(type=Authenticator.Type.RECOVERY_CODES).exists())
