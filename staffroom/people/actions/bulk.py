"""The bulk door: a whole district at once, for the demo, for tests and for moving from another system."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from allauth.account.models import EmailAddress
from django.db import transaction

from staffroom.people.models import Course, Enrollment, Membership, Organization, Person, Role, Section, Term
from staffroom.people.rows import insert_rows

BATCH = 2000


@transaction.atomic
def bulk_people(
    *,
    organizations: Sequence[Organization] = (),
    persons: Sequence[Person] = (),
    terms: Sequence[Term] = (),
    courses: Sequence[Course] = (),
    sections: Sequence[Section] = (),
    sections_in_terms: Sequence[tuple[Section, Term]] = (),
    memberships: Sequence[Membership] = (),
    enrollments: Sequence[Enrollment] = (),
) -> None:
    """Save unsaved objects that point at each other, in the order in which they do; afterwards each has its primary key.

    Parents stand before their children. Persons with an address can sign in by it without confirming it: whoever calls
    this vouches for them. Passwords have to be hashed already (hash one, give it to many). Nothing is checked but what
    the database checks, and no deed is recorded for single rows. Where there are a million of something, see below.
    """
    for organization in organizations:
        organization.parent = organization.parent  # a parent saved a moment ago has its primary key now
        organization.save(force_insert=True)
    Person.objects.bulk_create(_unusable(persons), batch_size=BATCH)
    addresses = [EmailAddress(user=one, email=one.email, verified=True, primary=True) for one in persons if one.email]
    EmailAddress.objects.bulk_create(addresses, batch_size=BATCH)
    Term.objects.bulk_create(terms, batch_size=BATCH)
    Course.objects.bulk_create(courses, batch_size=BATCH)
    Section.objects.bulk_create(sections, batch_size=BATCH)
    through = Section.terms.through
    pairs = [through(section_id=section.pk, term_id=term.pk) for section, term in sections_in_terms]
    through.objects.bulk_create(pairs, batch_size=BATCH)
    Membership.objects.bulk_create(memberships, batch_size=BATCH)
    Enrollment.objects.bulk_create(enrollments, batch_size=BATCH)


def _unusable(persons: Sequence[Person]) -> Sequence[Person]:
    for person in persons:
        person.password = person.password or f"!{person.key.hex}"
    return persons


@transaction.atomic
def bulk_students(
    *, district: Organization, students: Iterable[tuple[uuid.UUID, str, str, str]], schools: Iterable[int]
) -> list[int]:
    """Save any number of students of a district: (key, given name, family name, source id) and each one's school (primary key).

    They come in the order of their source ids, which no other person of the district may have; answers with their primary keys
    in that order.
    """
    columns = ("key", "given_name", "family_name", "source_id", "password")
    rows = ((key, given, family, source, f"!{key.hex}") for key, given, family, source in students)
    before = set(Person.objects.filter(district=district).values_list("pk", flat=True))
    insert_rows(Person, columns, rows, district_id=district.pk)
    found = Person.objects.filter(district=district).order_by("source_id").values_list("pk", flat=True)
    saved = [pk for pk in found.iterator(chunk_size=BATCH) if pk not in before]
    insert_rows(Membership, ("person_id", "organization_id"), zip(saved, schools, strict=True), role=Role.STUDENT.value)
    return saved


@transaction.atomic
def bulk_sections(
    *, district: Organization, sections: Iterable[tuple[int, int, str, str]], terms: Sequence[Term]
) -> list[int]:
    """Save sections that meet in the same terms: (school, course, title, source id), in the order of their source ids.

    Answers with their primary keys in that order.
    """
    before = set(Section.objects.filter(school__path__startswith=district.path).values_list("pk", flat=True))
    insert_rows(Section, ("school_id", "course_id", "title", "source_id"), sections)
    found = Section.objects.filter(school__path__startswith=district.path).order_by("source_id", "pk")
    saved = [pk for pk in found.values_list("pk", flat=True).iterator(chunk_size=BATCH) if pk not in before]
    pairs: Iterator[tuple[int, int]] = ((section, term.pk) for section in saved for term in terms)
    insert_rows(Section.terms.through, ("section_id", "term_id"), pairs)
    return saved


@transaction.atomic
def bulk_enrollments(
    *,
    pairs: Iterable[tuple[int, int]],
    role: str,
    begins_on: date | None,
    ends_on: date | None,
    is_primary: bool = False,
) -> int:
    """Put any number of persons into sections: (section, person), all in one role and for the same time. Returns how many."""
    columns = ("section_id", "person_id")
    return insert_rows(
        Enrollment, columns, pairs, role=role, begins_on=begins_on, ends_on=ends_on, is_primary=is_primary
    )
