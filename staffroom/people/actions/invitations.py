"""Deeds on invitations: links by which somebody joins an organization, once, until they expire."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.mail import send_mail
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from staffroom.people import rules
from staffroom.people.actions.memberships import check_apart
from staffroom.people.models import Invitation, Membership, Organization, Person, Role
from staffroom.people.queries import open_invitations
from staffroom.people.signals import deed_done


class InvitationGone(ValueError):
    """The link was used, was withdrawn, or has expired."""


def hash_of(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


@transaction.atomic
def invite(*, by: Person, email: str, organization: Organization, role: str, link: str) -> tuple[Invitation, str]:
    """Send an invitation to an organization that `by` administers; return it and its secret, which is not kept.

    `link` is an address with ``{secret}`` in it. An earlier open invitation of the same address to the same role is withdrawn.
    """
    if not rules.may_administer(by, organization):
        raise PermissionDenied
    if role == Role.STUDENT:
        raise ValidationError(_("Students come by roster and need no account."))
    known = Person.objects.filter(email__iexact=email).first()
    if known:
        check_apart(known, organization, role)
    email = email.lower()
    secret = secrets.token_urlsafe(32)
    same = open_invitations().filter(email=email, organization=organization, role=role)
    same.update(withdrawn_at=timezone.now())
    invitation = Invitation.objects.create(
        email=email, organization=organization, role=role, invited_by=by, secret_hash=hash_of(secret),
        expires_at=timezone.now() + timedelta(days=settings.INVITATION_DAYS),
    )  # fmt: skip
    deed_done.send(Invitation, by=by, verb="invited", object=invitation)
    transaction.on_commit(lambda: _send(invitation, link.format(secret=secret)))
    return invitation, secret


def _send(invitation: Invitation, link: str) -> None:
    words = {
        "who": invitation.invited_by,
        "role": invitation.get_role_display(),
        "place": invitation.organization,
        "link": link,
        "until": timezone.localdate(invitation.expires_at).isoformat(),
    }
    text = _(
        "%(who)s invites you to Staffroom, as %(role)s of %(place)s.\n\n"
        "Follow this link to join. It works once, until %(until)s:\n\n%(link)s\n\n"
        "If you did not expect this, there is nothing to do."
    )
    send_mail(_("Your invitation to Staffroom"), text % words, None, [invitation.email])


def invitation_by(secret: str) -> Invitation:
    """The open invitation with this secret, or InvitationGone."""
    found = open_invitations().filter(secret_hash=hash_of(secret)).select_related("organization", "invited_by").first()
    if found is None:
        raise InvitationGone
    return found


@transaction.atomic
def withdraw_invitation(*, by: Person, invitation: Invitation) -> None:
    """Make an open invitation's link stop working."""
    if not rules.may_administer(by, invitation.organization):
        raise PermissionDenied
    invitation.withdrawn_at = timezone.now()
    invitation.save(update_fields=["withdrawn_at"])
    deed_done.send(Invitation, by=by, verb="canceled", object=invitation)


@transaction.atomic
def join(*, secret: str, by: Person) -> Membership:
    """Accept an invitation with the account that has its address. Raises InvitationGone, or PermissionDenied for another's."""
    invitation = invitation_by(secret)
    if (by.email or "").lower() != invitation.email.lower():
        raise PermissionDenied
    return _accept(invitation, by)


@transaction.atomic
def join_anew(*, secret: str, given_name: str, family_name: str, password: str) -> Person:
    """Accept an invitation by making an account. Raises InvitationGone; ValidationError if the address has an account."""
    invitation = invitation_by(secret)
    if Person.objects.filter(email__iexact=invitation.email).exists():
        raise ValidationError(_("There is an account with this address. Sign in to accept."))
    person = Person.objects.create_user(
        email=invitation.email, password=password, given_name=given_name, family_name=family_name
    )
    _accept(invitation, person)
    return person


def _accept(invitation: Invitation, person: Person) -> Membership:
    taken = open_invitations().filter(pk=invitation.pk).update(accepted_at=timezone.now(), accepted_by=person)
    if not taken:
        raise InvitationGone
    check_apart(person, invitation.organization, invitation.role)
    held, _made = Membership.objects.update_or_create(
        person=person, organization=invitation.organization, role=invitation.role,
        defaults={"begins_on": timezone.localdate(), "ends_on": None},
    )  # fmt: skip
    deed_done.send(Membership, by=person, verb="joined", object=held)
    return held
