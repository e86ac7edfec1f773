"""Deeds on the tree of organizations."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import F, Value
from django.db.models.functions import Concat, Substr
from django.utils.text import slugify
from django.utils.translation import gettext as _

from staffroom.people import rules
from staffroom.people.models import Organization, Person
from staffroom.people.signals import deed_done

ABOVE = {
    Organization.Kind.STATE: (),
    Organization.Kind.DISTRICT: (Organization.Kind.STATE,),
    Organization.Kind.SCHOOL: (Organization.Kind.DISTRICT,),
    Organization.Kind.TEAM: (Organization.Kind.STATE, Organization.Kind.DISTRICT, Organization.Kind.SCHOOL),
}


@transaction.atomic
def make_organization(*, by: Person, parent: Organization, kind: str, name: str) -> Organization:
    """Add a school or a team below an organization that `by` administers. Raises ValidationError for a place it cannot have."""
    if not rules.may_administer(by, parent):
        raise PermissionDenied
    _check_place(kind, parent)
    made = Organization.objects.create(parent=parent, kind=kind, name=name, slug=free_slug(name))
    deed_done.send(Organization, by=by, verb="created", object=made)
    return made


@transaction.atomic
def rename_organization(*, by: Person, organization: Organization, name: str) -> Organization:
    """Give an organization another name. Its address stays, so that links keep working."""
    if not rules.may_administer(by, organization):
        raise PermissionDenied
    organization.name = name
    organization.save(update_fields=["name"])
    deed_done.send(Organization, by=by, verb="updated", object=organization)
    return organization


@transaction.atomic
def move_organization(*, by: Person, organization: Organization, to: Organization) -> Organization:
    """Hang an organization, with everything below it, below another one; `by` administers both and the place it leaves.

    Raises ValidationError when it would come below itself, or below a kind that it cannot belong to.
    """
    leaves = organization.parent or organization
    if not all(rules.may_administer(by, place) for place in (organization, leaves, to)):
        raise PermissionDenied
    _check_place(organization.kind, to)
    place_below(organization, to)
    deed_done.send(Organization, by=by, verb="updated", object=organization)
    return organization


def place_below(organization: Organization, parent: Organization) -> None:
    """Change the parent, and the paths of the whole subtree with it, in one statement."""
    if parent.path.startswith(organization.path):
        raise ValidationError(_("An organization cannot come below itself."))
    before, after = organization.path, f"{parent.path}{organization.pk}/"
    organization.parent, organization.path = parent, after
    Organization.objects.filter(pk=organization.pk).update(parent=parent)
    tail = Substr(F("path"), len(before) + 1)
    Organization.objects.filter(path__startswith=before).update(path=Concat(Value(after), tail))


def _check_place(kind: str, parent: Organization) -> None:
    if parent.kind not in ABOVE[Organization.Kind(kind)]:
        words = {"kind": Organization.Kind(kind).label, "above": parent.get_kind_display()}
        raise ValidationError(_("A %(kind)s cannot come below a %(above)s.") % words)


def free_slug(name: str) -> str:
    """An address for a name that no organization has yet."""
    stem = slugify(name)[:70] or "organization"
    taken = set(Organization.objects.filter(slug__startswith=stem).values_list("slug", flat=True))
    return next(slug for slug in (stem, *(f"{stem}-{number}" for number in range(2, 100_000))) if slug not in taken)
