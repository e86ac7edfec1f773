"""What this room does when allauth tells that something happened."""

from __future__ import annotations

from typing import Any

from allauth.account.models import EmailAddress
from allauth.account.signals import password_reset
from django.dispatch import receiver

from staffroom.people.models import Person


@receiver(password_reset)
def trust_address_that_received_the_link(user: Person, **_: Any) -> None:
    """Somebody brought by a roster sets a first password by a link in a mail: so the address is theirs."""
    if not EmailAddress.objects.filter(user=user, verified=True).exists():
        EmailAddress.objects.filter(user=user).delete()
        user.trust_email()
