"""Reads about people, for a named viewer: who belongs where, who teaches whom, with whom one may share."""

from __future__ import annotations

from datetime import date

from django.db.models import Exists, OuterRef, Q, QuerySet

from staffroom.people.models import Enrollment, Membership, Organization, Person, Role, Section, Term
from staffroom.people.rules import (
    districts_around,
    is_in,
    lasting,
    memberships_of,
    overseen_by,
    people_seen_by,
    sections_seen_by,
    within,
)

__all__ = [
    "colleagues_for",
    "district_of",
    "is_in",
    "memberships_of",
    "organizations_for",
    "organizations_of",
    "people_for",
    "sections_for",
    "sections_of",
    "students_of",
    "teachers_of",
    "terms_for",
]


def organizations_of(person: object, *roles: str) -> QuerySet[Organization]:
    """Organizations in which the person holds one of the roles (any, when none is named), with everything below them."""
    return Organization.objects.filter(within(person, *roles))


def organizations_for(viewer: object) -> QuerySet[Organization]:
    """Organizations whose people the viewer may see, in the order of the tree's paths."""
    return Organization.objects.filter(overseen_by(viewer))


def district_of(person: object) -> Organization | None:
    """The district in or below which the person first became a member; for others the one whose roster brought them."""
    if not isinstance(person, Person):
        return None
    if "_district" not in person.__dict__:
        person.__dict__["_district"] = _find_district(person)
    district: Organization | None = person.__dict__["_district"]
    return district


def _find_district(person: Person) -> Organization | None:
    places = [held.organization for held in memberships_of(person)]
    for place in places:
        if place.kind == Organization.Kind.DISTRICT:
            return place
        found = Organization.objects.filter(pk__in=place.ancestor_pks, kind=Organization.Kind.DISTRICT).first()
        if found:
            return found
    return person.district


def people_for(viewer: object) -> QuerySet[Person]:
    """Persons whom the viewer may see, by family name."""
    return Person.objects.filter(people_seen_by(viewer)).order_by("family_name", "given_name", "pk")


def sections_for(viewer: object) -> QuerySet[Section]:
    """Sections that the viewer may see."""
    return Section.objects.filter(sections_seen_by(viewer)).select_related("school", "course")


def terms_for(viewer: object) -> QuerySet[Term]:
    """Terms of the organizations around the viewer, newest first."""
    places = Organization.objects.filter(districts_around(viewer) | within(viewer)).order_by().values("pk")
    return Term.objects.filter(organization__in=places).order_by("-begins_on", "-pk")


def students_of(section: Section, on: date | None = None) -> QuerySet[Person]:
    """Students enrolled in the section on a day (today, unless told)."""
    return _enrolled(section, on, Enrollment.Role.STUDENT)


def teachers_of(section: Section) -> QuerySet[Person]:
    """Who teaches the section today, the main teacher first."""
    return _enrolled(section, None, Enrollment.Role.TEACHER).order_by(
        "-enrollments__is_primary", "family_name", "given_name", "pk"
    )


def _enrolled(section: Section, on: date | None, role: str) -> QuerySet[Person]:
    return Person.objects.filter(
        lasting(on, "enrollments__"), enrollments__section=section, enrollments__role=role, erased_at=None
    ).distinct()


def sections_of(teacher: object) -> QuerySet[Section]:
    """Sections that the person teaches or helps in today."""
    if not isinstance(teacher, Person):
        return Section.objects.none()
    roles = (Enrollment.Role.TEACHER, Enrollment.Role.AIDE)
    taught = Enrollment.objects.filter(lasting(), person=teacher, role__in=roles).order_by().values("section")
    return Section.objects.filter(pk__in=taught).select_related("school", "course")


def colleagues_for(viewer: object, text: str = "") -> QuerySet[Person]:
    """People with whom the viewer may share: staff of the same district who can sign in; `text` is part of a name or address."""
    around = Organization.objects.filter(districts_around(viewer)).order_by().values("pk")
    staff = Membership.objects.filter(lasting(), ~Q(role=Role.STUDENT), organization__in=around, person=OuterRef("pk"))
    found = Person.objects.filter(Exists(staff), is_active=True, erased_at=None, email__isnull=False)
    for word in text.split()[:5]:
        found = found.filter(_named(word))
    return found.exclude(pk=viewer.pk) if isinstance(viewer, Person) else found.none()


def _named(word: str) -> Q:
    return (
        Q(given_name__icontains=word)
        | Q(preferred_name__icontains=word)
        | Q(family_name__icontains=word)
        | Q(email__icontains=word)
    )
