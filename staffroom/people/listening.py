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
    trust_if_first(user, {(user.email or "").lower()})


def trust_if_first(person: Person, proven: set[str]) -> None:
    """Count a person's address as confirmed, if it was proven to be theirs and they have never confirmed one."""
    if (person.email or "").lower() not in proven or EmailAddress.objects.filter(user=person, verified=True).exists():
        return
    EmailAddress.objects.filter(user=person).delete()
    person.trust_email()
