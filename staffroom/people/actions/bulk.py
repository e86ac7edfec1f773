"""The bulk door: a whole district at once, for the demo, for tests and for moving from another system."""

from __future__ import annotations

from collections.abc import Sequence

from allauth.account.models import EmailAddress
from django.db import transaction

from staffroom.people.models import Course, Enrollment, Membership, Organization, Person, Section, Term

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
    the database checks, and no deed is recorded for single rows.
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
