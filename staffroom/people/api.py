"""People, places and sections for programs: reads only, for whoever is signed in, of what they may see."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from django.http import HttpRequest
from ninja import Field, Query, Router, Schema

from staffroom.people import queries, rules
from staffroom.people.models import Organization, Person, Role, Section
from staffroom.people.signed_in import viewer_of

ROWS = 30
router = Router(tags=["people"])


class RoleOut(Schema):
    """A role that somebody has today, and where."""

    role: Role
    organization: str = Field(description="The address (slug) of the organization.")


class PersonOut(Schema):
    """A person as the viewer may see them: students by first name and without address, unless the viewer leads or administers."""

    key: UUID
    name: str
    email: str | None
    roles: list[RoleOut]


class PeopleOut(Schema):
    people: list[PersonOut]
    after: UUID | None = Field(description="Ask with this for the next rows; null at the end.")


class OrganizationOut(Schema):
    slug: str
    name: str
    kind: Organization.Kind
    parent: str | None = Field(description="The slug of the organization above, if the viewer may see it.")


class SectionOut(Schema):
    id: int
    title: str
    school: str
    course: str | None
    student_count: int


@router.get("/people", response=PeopleOut, summary="People whom you may see")
def list_people(
    request: HttpRequest,
    q: Annotated[str, Query(max_length=200, description="Words of a name or address.")] = "",
    role: Annotated[Role | None, Query(description="Only who has this role.")] = None,
    at: Annotated[str, Query(max_length=80, description="Only who has a role at this organization or below it.")] = "",
    after: Annotated[UUID | None, Query(description="Go on after this person.")] = None,
) -> PeopleOut:
    """Sorted by last and first name, thirty at a time."""
    viewer = viewer_of(request)
    in_full = rules.oversees_anything(viewer)
    rows = queries.listed(viewer, q, role or "", at, str(after or ""), in_full=in_full, most=ROWS + 1)
    return PeopleOut(
        people=[_person(row, in_full) for row in rows[:ROWS]], after=rows[ROWS - 1].key if len(rows) > ROWS else None
    )


def _person(person: Person, in_full: bool) -> PersonOut:
    held = person.roles_now  # type: ignore[attr-defined]
    is_student = all(each.role == Role.STUDENT for each in held)
    roles = [RoleOut.model_construct(role=each.role, organization=each.organization.slug) for each in held]
    if is_student and not in_full:
        return PersonOut.model_construct(key=person.key, name=person.first_name, email=None, roles=roles)
    return PersonOut.model_construct(key=person.key, name=person.full_name, email=person.email, roles=roles)


@router.get("/organizations", response=list[OrganizationOut], summary="Organizations that you lead or administer")
def list_organizations(request: HttpRequest) -> list[OrganizationOut]:
    """With everything below them, from the top."""
    found = list(queries.organizations_for(request.user).order_by("path"))
    slugs = {place.pk: place.slug for place in found}
    return [
        OrganizationOut(
            slug=place.slug, name=place.name, kind=Organization.Kind(place.kind), parent=slugs.get(place.parent_id or 0)
        )
        for place in found
    ]


@router.get("/sections", response=list[SectionOut], summary="Sections that you teach or oversee")
def list_sections(
    request: HttpRequest,
    q: Annotated[str, Query(max_length=200)] = "",
    at: Annotated[str, Query(max_length=80, description="Only at this school.")] = "",
    start: Annotated[int, Query(ge=0, le=1_000_000, alias="from")] = 0,
) -> list[SectionOut]:
    """By school and title, thirty at a time."""
    page = queries.sections_found(request.user, q, at)[start : start + ROWS]
    return [_section(each) for each in queries.with_student_counts(list(page))]


def _section(section: Section) -> SectionOut:
    return SectionOut(
        id=section.pk, title=section.title, school=section.school.slug,
        course=section.course.title if section.course else None,
        student_count=section.student_count,  # type: ignore[attr-defined]
    )  # fmt: skip
