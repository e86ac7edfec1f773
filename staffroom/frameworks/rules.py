"""Who may read a framework, and who may bring one in or publish it: for one, and for many."""

from __future__ import annotations

from django.db.models import Q

from staffroom.frameworks.models import Framework
from staffroom.people import queries as people
from staffroom.people.models import Organization, Person, Role
from staffroom.people.rules import reaches


def _around(person: Person) -> set[int]:
    """The organizations of a person's memberships and everything above them."""
    return {pk for held in people.memberships_of(person) for pk in held.organization.ancestor_pks}


def may_read(person: Person, framework: Framework) -> bool:
    """Everyone's framework, that of one's organizations, and that of an organization below one's own administration."""
    if framework.organization is None:
        return True
    return framework.organization_id in _around(person) or may_import(person, framework.organization)


def readable_by(person: Person) -> Q:
    return readable_around(*places_of(person))


def places_of(person: Person) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """What decides who reads what, in values: the organizations around a person, and the paths that they administer."""
    return tuple(sorted(_around(person))), tuple(reaches(person, Role.ADMINISTRATOR))


def readable_around(around: tuple[int, ...], administered: tuple[str, ...]) -> Q:
    readable = Q(organization=None) | Q(organization__in=around)
    for path in administered:
        readable |= Q(organization__path__startswith=path)
    return readable


def may_import(person: Person, organization: Organization) -> bool:
    """Administrators of the organization or of one above it."""
    return people.is_in(person, organization, Role.ADMINISTRATOR)


def may_publish(person: Person, framework: Framework) -> bool:
    return framework.organization is not None and may_import(person, framework.organization)
