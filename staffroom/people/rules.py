"""Who holds which role where, and who may see and change people. Each rule has two readings: for one, and for many.

A membership counts from ``begins_on`` until ``ends_on``; that last day itself no longer counts, so that ending a membership
today takes effect at once. A role in an organization holds in everything below it, never above or beside it.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from staffroom.people.models import Enrollment, Membership, Organization, Person, Role, Section
from staffroom.people.prepared import prepared

LEADERS = (Role.SCHOOL_LEADER, Role.DISTRICT_LEADER)
STAFF = tuple(role for role in Role if role is not Role.STUDENT)
NOBODY = Q(pk__in=[])


def lasting(on: date | None = None, prefix: str = "") -> Q:
    """Memberships and enrollments that count on a day (today, unless told): the `Q` on their two dates."""
    day = on or timezone.localdate()
    begun = Q(**{f"{prefix}begins_on": None}) | Q(**{f"{prefix}begins_on__lte": day})
    return begun & (Q(**{f"{prefix}ends_on": None}) | Q(**{f"{prefix}ends_on__gt": day}))


def memberships_of(person: object) -> list[Membership]:
    """The memberships that count today, oldest first, with their organizations; read once per person object."""
    if not isinstance(person, Person) or not person.is_active:
        return []
    found: list[Membership] | None = person.__dict__.get("_memberships")
    if found is None:
        found = _held_by(person.pk, timezone.localdate())
        person.__dict__["_memberships"] = found
    return found


@prepared
def _held_by(person: int, today: date) -> QuerySet[Membership]:
    return Membership.objects.filter(lasting(today), person=person).select_related("organization").order_by("pk")


def forget_memberships(person: Person) -> None:
    """Read a person's memberships anew at the next question: for deeds that changed them."""
    person.forget_memberships()


def is_in(person: object, organization: Organization, *roles: str) -> bool:
    """Whether the person holds one of the roles (any, when none is named) at the organization or above it."""
    return any(
        organization.path.startswith(held.organization.path)
        for held in memberships_of(person)
        if not roles or held.role in roles
    )


def within(person: object, *roles: str) -> Q:
    """The same for many: organizations in which the person holds one of the roles (any, when none is named)."""
    reach = NOBODY
    for path in reaches(person, *roles):
        reach |= Q(path__startswith=path)
    return reach


def reaches(person: object, *roles: str) -> list[str]:
    """The paths of the highest organizations in which the person holds one of the roles."""
    held = {each.organization.path for each in memberships_of(person) if not roles or each.role in roles}
    return sorted(path for path in held if not any(path != other and path.startswith(other) for other in held))


def may_administer(person: object, organization: Organization) -> bool:
    """Administrators change the tree, roles, rosters and invitations of their organization and everything below it."""
    return is_in(person, organization, Role.ADMINISTRATOR)


def administered_by(person: object) -> Q:
    """Organizations that the person may administer."""
    return within(person, Role.ADMINISTRATOR)


def may_lead(person: object, organization: Organization) -> bool:
    """School and district leaders lead their organization and everything below it. Administering is not leading."""
    return is_in(person, organization, *LEADERS)


def led_by(person: object) -> Q:
    """Organizations that the person may lead."""
    return within(person, *LEADERS)


def may_oversee(person: object, organization: Organization) -> bool:
    """Leaders and administrators see who belongs to an organization, with roles and sections."""
    return is_in(person, organization, Role.ADMINISTRATOR, *LEADERS)


def overseen_by(person: object) -> Q:
    """Organizations whose people the person may see."""
    return within(person, Role.ADMINISTRATOR, *LEADERS)


def oversees_anything(person: object) -> bool:
    """Whether pages about people are there for this person at all."""
    return any(held.role in (Role.ADMINISTRATOR, *LEADERS) for held in memberships_of(person))


def administers_anything(person: object) -> bool:
    return any(held.role == Role.ADMINISTRATOR for held in memberships_of(person))


def teaches_anywhere(person: object) -> bool:
    return any(held.role == Role.TEACHER for held in memberships_of(person))


def must_have_second_factor(person: object) -> bool:
    """Where the host asks for it (option `mfa_required`), leaders and administrators sign in with a second factor."""
    guarded = (Role.ADMINISTRATOR, *LEADERS)
    return bool(settings.SECOND_FACTOR_REQUIRED) and any(held.role in guarded for held in memberships_of(person))


def may_see_section(person: object, section: Section) -> bool:
    """Its teachers and aides see a section, and so do those who oversee its school."""
    if not isinstance(person, Person) or not person.is_active:
        return False
    return may_oversee(person, section.school) or _teaching(person).filter(section=section).exists()


def sections_seen_by(person: object) -> Q:
    """Sections that the person may see."""
    if not isinstance(person, Person) or not person.is_active:
        return NOBODY
    schools = Organization.objects.filter(overseen_by(person)).order_by().values("pk")
    return Q(school__in=schools) | Q(pk__in=_teaching(person).values("section"))


def may_see_person(viewer: object, person: Person) -> bool:
    """Everybody sees themselves; leaders whom they lead; staff their district's staff; teachers their students.

    Administrators see former members too: somebody must be able to answer for what was stored.
    """
    return Person.objects.filter(people_seen_by(viewer), pk=person.pk).exists()


def people_seen_by(viewer: object) -> Q:
    """Persons whom the viewer may see, as one correlated test, so that a sorted list stops after its page."""
    if not isinstance(viewer, Person) or not viewer.is_active:
        return NOBODY
    return people_seen_from(*viewer_in_values(viewer))


def viewer_in_values(viewer: Person) -> tuple[Any, ...]:
    """Whom somebody may see follows from these: who they are, what they administer, and unless that is all around them, what they lead
    and what is around them, today."""
    administered, around = reaches(viewer, Role.ADMINISTRATOR), paths_around(viewer)
    if all(_is_below(path, administered) for path in around):
        return viewer.pk, tuple(administered)
    return viewer.pk, tuple(administered), tuple(reaches(viewer, *LEADERS)), tuple(around), timezone.localdate()


def people_seen_from(viewer: int, administered: tuple[str, ...], *others: Any) -> Q:
    """``people_seen_by`` of a viewer in values, so that the question can be prepared."""
    reached = _at(administered)
    taught = NOBODY
    if others:
        # Whoever administers all that is around them sees everybody there anyhow; for all others it is told apart.
        led, around, today = others
        reached |= lasting(today) & (_at(led) | (_at(around) & ~Q(role=Role.STUDENT)))
        own = _taught_by(viewer, today).values("section")
        students = Enrollment.objects.filter(lasting(today), role=Enrollment.Role.STUDENT, section__in=own)
        taught = Q(Exists(students.filter(person=OuterRef("pk")).order_by()))
    held = Q(Exists(Membership.objects.filter(reached, person=OuterRef("pk")).order_by()))
    return Q(pk=viewer) | (Q(erased_at=None) & (held | taught))


def _at(paths: tuple[str, ...]) -> Q:
    """Memberships at or below these paths."""
    reach = NOBODY
    for path in paths:
        reach |= Q(path__startswith=path)
    return Q(organization__in=Organization.objects.filter(reach).order_by().values("pk")) if paths else NOBODY


def _is_below(path: str, others: list[str]) -> bool:
    return any(path.startswith(other) for other in others)


def paths_around(person: object) -> list[str]:
    """The paths of the districts in which the person is staff; of a state's staff, of the state. Read once per person."""
    if not isinstance(person, Person):
        return []
    found: list[str] | None = person.__dict__.get("_paths_around")
    if found is None:
        found = _find_paths_around(person)
        person.__dict__["_paths_around"] = found
    return found


def _find_paths_around(person: Person) -> list[str]:
    staffed = {held.organization for held in memberships_of(person) if held.role != Role.STUDENT}
    below = {pk for place in staffed if place.kind != Organization.Kind.DISTRICT for pk in place.ancestor_pks[:-1]}
    districts = Organization.objects.filter(pk__in=below, kind=Organization.Kind.DISTRICT)
    paths = list(districts.order_by().values_list("path", flat=True)) if below else []
    return sorted({next((path for path in paths if place.path.startswith(path)), place.path) for place in staffed})


def schools_of(person: object) -> dict[int, str]:
    """The schools whose staff the person is, with their paths: by a membership there or in a team of it. Read once per person.

    A district's staff is outside its schools. Partners and students are nobody's staff.
    """
    if not isinstance(person, Person):
        return {}
    found: dict[int, str] | None = person.__dict__.get("_schools")
    if found is None:
        found = _find_schools(person)
        person.__dict__["_schools"] = found
    return found


def _find_schools(person: Person) -> dict[int, str]:
    held = {each.organization for each in memberships_of(person) if each.role not in (Role.STUDENT, Role.PARTNER)}
    schools = {place.pk: place.path for place in held if place.kind == Organization.Kind.SCHOOL}
    above = {pk for place in held if place.kind == Organization.Kind.TEAM for pk in place.ancestor_pks} - set(schools)
    if above:  # only a team has a school above it
        found = Organization.objects.filter(pk__in=above, kind=Organization.Kind.SCHOOL).order_by()
        schools |= dict(found.values_list("pk", "path"))
    return schools


def districts_around(person: object) -> Q:
    """Organizations of the districts in which the person is staff; a state's staff have the whole state around them."""
    reach = NOBODY
    for path in paths_around(person):
        reach |= Q(path__startswith=path)
    return reach


def _teaching(person: Person) -> QuerySet[Enrollment]:
    return _taught_by(person.pk, timezone.localdate())


def _taught_by(person: int, today: date) -> QuerySet[Enrollment]:
    roles = (Enrollment.Role.TEACHER, Enrollment.Role.AIDE)
    return Enrollment.objects.filter(lasting(today), person=person, role__in=roles).order_by()
