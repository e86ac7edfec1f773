"""Deeds on who has which role where."""

from __future__ import annotations

from datetime import date

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from staffroom.people import rules
from staffroom.people.models import Membership, Organization, Person, Role
from staffroom.people.signals import deed_done

# Nobody coaches and evaluates the same person: the two roles exclude each other where one reaches the other.
APART = {Role.COACH: Role.EVALUATOR, Role.MENTOR: Role.EVALUATOR}


@transaction.atomic
def give_role(
    *,
    by: Person,
    person: Person,
    organization: Organization,
    role: str,
    begins_on: date | None = None,
    ends_on: date | None = None,
) -> Membership:
    """Give a person, whom `by` can see, a role in an organization that `by` administers; renews one that has ended.

    Raises ValidationError when the person would coach and evaluate in the same place.
    """
    if not rules.may_administer(by, organization) or not rules.may_see_person(by, person):
        raise PermissionDenied
    check_apart(person, organization, role)
    if begins_on and ends_on and ends_on < begins_on:
        raise ValidationError(_("The role would end before it begins."))
    dates = {"begins_on": begins_on or timezone.localdate(), "ends_on": ends_on}
    held, _made = Membership.objects.update_or_create(
        person=person, organization=organization, role=role, defaults={**dates, "source_id": ""}
    )
    deed_done.send(Membership, by=by, verb="created", object=held)
    return held


@transaction.atomic
def end_membership(*, by: Person, membership: Membership) -> Membership:
    """Take a role away from today on. What the person made stays theirs. The last administrator cannot be taken away."""
    if not rules.may_administer(by, membership.organization):
        raise PermissionDenied
    today = timezone.localdate()
    if membership.role == Role.ADMINISTRATOR and not _others_administer(membership):
        raise ValidationError(_("Somebody has to administer %(place)s.") % {"place": membership.organization})
    membership.begins_on = min(membership.begins_on, today) if membership.begins_on else None
    membership.ends_on = today
    membership.save()
    deed_done.send(Membership, by=by, verb="removed", object=membership)
    return membership


def check_apart(person: Person, organization: Organization, role: str) -> None:
    """Raise ValidationError if a person who coaches would evaluate in the same place, or the other way round."""
    others = {one for pair in APART.items() for one in pair if role in pair} - {role}
    for held in rules.memberships_of(person):
        near = held.organization.path.startswith(organization.path) or organization.path.startswith(
            held.organization.path
        )
        if near and held.role in others:
            raise ValidationError(_("Nobody coaches and evaluates in the same place."))


def _others_administer(membership: Membership) -> bool:
    above = membership.organization.ancestor_pks
    others = Membership.objects.filter(rules.lasting(), role=Role.ADMINISTRATOR, organization__in=above)
    return others.exclude(pk=membership.pk).filter(person__is_active=True).exists()
