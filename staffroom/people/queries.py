"""Reads about people, for a named viewer: who belongs where, who teaches whom, with whom one may share."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Prefetch, Q, QuerySet
from django.utils import timezone

from staffroom.people.models import Enrollment, Invitation, Membership, Organization, Person, Role, Section, Term
from staffroom.people.prepared import prepared
from staffroom.people.rules import (
    districts_around,
    is_in,
    lasting,
    memberships_of,
    overseen_by,
    people_seen_by,
    people_seen_from,
    schools_of,
    sections_seen_by,
    viewer_in_values,
    within,
)

__all__ = ["is_in", "memberships_of", "schools_of"]  # the rules that are questions as well


NOT_FOR_LISTS = ("password", "last_login", "created_at", "source_id")


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


@lru_cache(maxsize=4096)
def district_around(organization_pk: int, path: str) -> int | None:
    """The district that an organization is or lies in. Asked by its path as well: when the tree changes, so does the answer."""
    around = [int(part) for part in path.strip("/").split("/") if part]
    found = Organization.objects.filter(pk__in=around, kind=Organization.Kind.DISTRICT).order_by("-path")
    return found.values_list("pk", flat=True).first()


def people_for(viewer: object) -> QuerySet[Person]:
    """Persons whom the viewer may see, by family name: what a list needs of them, without what only they and rosters need."""
    found = Person.objects.filter(people_seen_by(viewer)).defer(*NOT_FOR_LISTS)
    return found.order_by("family_name", "given_name", "pk")


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
    for word in _words(text):
        found = found.filter(_named(word))
    return found.exclude(pk=viewer.pk) if isinstance(viewer, Person) else found.none()


def _words(text: str) -> list[str]:
    """What to look for: at most five words, without the NUL that no database takes."""
    return text.replace("\0", " ").split()[:5]


def _named(word: str) -> Q:
    return _called(word) | Q(family_name__icontains=word) | Q(email__icontains=word)


def _called(word: str) -> Q:
    return Q(given_name__icontains=word) | Q(preferred_name__icontains=word)


def _is_staff() -> Q:
    staff = Membership.objects.filter(lasting(), ~Q(role=Role.STUDENT), person=OuterRef("pk"))
    return Q(Exists(staff.order_by()))


def narrowed(
    people: QuerySet[Person], text: str = "", role: str = "", at: str = "", *, in_full: bool = True
) -> QuerySet[Person]:
    """People whose name or address has each word of `text`, with a role, at a place (a slug) or below it.

    Unless `in_full`, students are found by their first names only: whoever may not read a name cannot guess it either.
    """
    for word in _words(text):
        people = people.filter(_named(word) if in_full else _called(word) | (_named(word) & _is_staff()))
    if role or at:
        people = people.filter(_holding(role, at))
    return people


def _holding(role: str, at: str) -> Q:
    """Who has a role today at a place or below it. Few are looked up by themselves; many are tested along the list."""
    held = Membership.objects.filter(lasting()).order_by()
    place = Organization.objects.filter(slug=at.replace("\0", "")).first() if at else None
    if at:
        held = held.filter(organization__path__startswith=place.path) if place else held.none()
    if role:
        held = held.filter(role=role)
    are_many = role in ("", Role.STUDENT) and (place is None or place.kind != Organization.Kind.SCHOOL)
    return Q(Exists(held.filter(person=OuterRef("pk")))) if are_many else Q(pk__in=held.values("person"))


def after(people: QuerySet[Person], key: str) -> QuerySet[Person]:
    """The rest of a list sorted by name, after the person with this key; all of it if there is none."""
    try:
        last = Person.objects.filter(key=UUID(key)).values_list("family_name", "given_name", "pk").first()
    except ValueError:
        last = None
    if last is None:
        return people
    family, given, pk = last
    later = Q(given_name__gt=given) | Q(given_name=given, pk__gt=pk)
    # The first condition alone lets the database start in its index where the page starts.
    return people.filter(family_name__gte=family).filter(Q(family_name__gt=family) | (Q(family_name=family) & later))


def listed(
    viewer: Person, text: str = "", role: str = "", at: str = "", beyond: str = "", *, in_full: bool = True, most: int
) -> list[Person]:
    """A page of the people whom the viewer may see, `narrowed` and `after` somebody, each with what they are today as `roles_now`."""
    if viewer.is_active and not (text or role or at or beyond):
        people = _everybody(*viewer_in_values(viewer), most=most)
    else:
        people = list(after(narrowed(people_for(viewer), text, role, at, in_full=in_full), beyond)[:most])
    held: dict[int, list[Membership]] = {person.pk: [] for person in people}
    for each in _held_today(tuple(held), timezone.localdate()) if held else ():
        held[each.person_id].append(each)
    for person in people:
        person.roles_now = held[person.pk]
    return people


@prepared
def _everybody(*viewer: Any, most: int) -> QuerySet[Person]:
    found = Person.objects.filter(people_seen_from(*viewer)).defer(*NOT_FOR_LISTS)
    return found.order_by("family_name", "given_name", "pk")[:most]


@prepared
def _held_today(people: tuple[int, ...], today: date) -> QuerySet[Membership]:
    return Membership.objects.filter(lasting(today), person__in=people).select_related("organization").order_by("pk")


def with_roles(people: QuerySet[Person]) -> QuerySet[Person]:
    """The same with what each of them is today, as `roles_now`, in one query for the page."""
    today = Membership.objects.filter(lasting()).select_related("organization").order_by("pk")
    return people.prefetch_related(Prefetch("memberships", queryset=today, to_attr="roles_now"))


def roles_seen(viewer: object, person: Person) -> list[Membership]:
    """Roles of a person in organizations that the viewer oversees, and their present ones as staff near by; newest first."""
    overseen = Organization.objects.filter(overseen_by(viewer)).order_by().values("pk")
    around = Organization.objects.filter(districts_around(viewer)).order_by().values("pk")
    reached = Q(organization__in=overseen) | (lasting() & Q(organization__in=around))
    held = Membership.objects.filter(reached, person=person).select_related("organization")
    return list(held.order_by("-begins_on", "-pk"))


@dataclass(frozen=True)
class Branch:
    """A place in the tree as a page shows it."""

    place: Organization
    staff_count: int
    branches: list[Branch]


def tree_for(viewer: object) -> list[Branch]:
    """The trees that the viewer oversees, each with how many staff have a role right there."""
    places = list(organizations_for(viewer).order_by("name", "pk"))
    held = Membership.objects.filter(lasting(), ~Q(role=Role.STUDENT), organization__in=[each.pk for each in places])
    counts = dict(held.order_by().values_list("organization").annotate(many=Count("person", distinct=True)))
    below: dict[int | None, list[Organization]] = {}
    seen = {place.pk for place in places}
    for place in places:
        below.setdefault(place.parent_id if place.parent_id in seen else None, []).append(place)

    def branch(place: Organization) -> Branch:
        return Branch(place, counts.get(place.pk, 0), [branch(child) for child in below.get(place.pk, [])])

    return [branch(place) for place in below.get(None, [])]


def trail_for(viewer: object, place: Organization) -> list[Organization]:
    """The places above one that the viewer oversees too, from the top."""
    above = organizations_for(viewer).filter(pk__in=place.ancestor_pks).exclude(pk=place.pk)
    return list(above.order_by("path"))


def children_with_counts(place: Organization) -> QuerySet[Organization]:
    """What lies right below a place, with how many people have a role right there today."""
    staff = Count(
        "memberships__person",
        filter=lasting(prefix="memberships__") & ~Q(memberships__role=Role.STUDENT),
        distinct=True,
    )
    return place.children.annotate(staff_count=staff).order_by("name", "pk")


def staff_at(place: Organization) -> list[tuple[str, list[Membership]]]:
    """Who has which role right at a place today, role by role in the order of the roles."""
    held = Membership.objects.filter(lasting(), ~Q(role=Role.STUDENT), organization=place).select_related("person")
    by_role: dict[str, list[Membership]] = {}
    for each in held.order_by("person__family_name", "person__given_name", "pk"):
        by_role.setdefault(each.role, []).append(each)
    return [(str(role.label), by_role[role]) for role in Role if role in by_role]


def student_count(place: Organization) -> int:
    """How many students there are at a place and below it today."""
    students = Membership.objects.filter(lasting(), role=Role.STUDENT, organization__path__startswith=place.path)
    return students.order_by().values("person").distinct().count()


def open_invitations() -> QuerySet[Invitation]:
    """Invitations that can still be accepted."""
    return Invitation.objects.filter(accepted_at=None, withdrawn_at=None, expires_at__gt=timezone.now())


def sections_found(viewer: object, text: str = "", at: str = "") -> QuerySet[Section]:
    """Sections that the viewer may see, by words of their title, school or course, and by school."""
    found = sections_for(viewer)
    for word in _words(text):
        found = found.filter(
            Q(title__icontains=word) | Q(school__name__icontains=word) | Q(course__title__icontains=word)
        )
    if at:
        found = found.filter(school__slug=at.replace("\0", ""))
    return found.order_by("school__name", "title", "pk")


def with_student_counts(sections: list[Section]) -> list[Section]:
    """The same sections, each with how many students are in it today as `student_count`: one query for the page."""
    enrolled = Enrollment.objects.filter(lasting(), role=Enrollment.Role.STUDENT, section__in=sections)
    counts = dict(enrolled.order_by().values_list("section").annotate(many=Count("person", distinct=True)))
    for section in sections:
        section.student_count = counts.get(section.pk, 0)  # type: ignore[attr-defined]
    return sections


def first_names(students: QuerySet[Person]) -> list[str]:
    """Students by first name only; the first letter of the last name where two would be the same."""
    found = sorted(students, key=lambda student: (student.first_name.casefold(), student.family_name.casefold()))
    many = Counter(student.first_name for student in found)
    return [
        f"{student.first_name} {student.family_name[:1]}.".strip()
        if many[student.first_name] > 1
        else student.first_name
        for student in found
    ]
