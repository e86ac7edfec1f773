"""The cast of the tests: one school district, the same people everywhere.

Riverbend School District has two schools in the tests. At Alder Elementary teach **Amara Okafor** (5th-grade math, who records her
lessons), and **Tom Lindqvist** (her colleague across the hall); **Priya Nair** coaches both. **Grace Whitfield** leads the school. At
Birch Elementary teaches **Ben Castillo**, a stranger to Amara. **Denise Park** leads the district's professional learning; **Omar
Haddad** and **Ines Ferreira** administer the system (it takes two to break glass); **Ruth Adler** evaluates teachers. Students of
Amara's section: **Leo**, **Mia**, **Noah**, **Zoe**, each with another answer on consent. **Vera Kovac** belongs to another district.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from staffroom.people.models import (
    Course,
    Enrollment,
    Membership,
    Organization,
    Person,
    Role,
    Section,
    Term,
)


@dataclass
class Cast:
    """Everybody, by first name, and the places they are at."""

    district: Organization
    alder: Organization
    birch: Organization
    other_district: Organization
    term: Term
    next_term: Term
    course: Course
    section: Section
    people: dict[str, Person] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Person:
        try:
            return self.__dict__["people"][name]
        except KeyError:
            raise AttributeError(name) from None


MEMBERS: tuple[tuple[str, str, str, Role], ...] = (
    ("Amara", "Okafor", "alder", Role.TEACHER),
    ("Tom", "Lindqvist", "alder", Role.TEACHER),
    ("Priya", "Nair", "alder", Role.COACH),
    ("Grace", "Whitfield", "alder", Role.SCHOOL_LEADER),
    ("Ben", "Castillo", "birch", Role.TEACHER),
    ("Denise", "Park", "district", Role.DISTRICT_LEADER),
    ("Omar", "Haddad", "district", Role.ADMINISTRATOR),
    ("Ines", "Ferreira", "district", Role.ADMINISTRATOR),
    ("Ruth", "Adler", "district", Role.EVALUATOR),
    ("Rafael", "Ortiz", "district", Role.RESEARCHER),
    ("Vera", "Kovac", "other_district", Role.DISTRICT_LEADER),
    ("Leo", "Brandt", "alder", Role.STUDENT),
    ("Mia", "Santos", "alder", Role.STUDENT),
    ("Noah", "Fisher", "alder", Role.STUDENT),
    ("Zoe", "Miller", "alder", Role.STUDENT),
)


def organization(name: str, kind: str, parent: Organization | None = None) -> Organization:
    return Organization.objects.create(name=name, kind=kind, parent=parent, slug=name.lower().replace(" ", "-"))


def gather() -> Cast:
    """Make the cast in the database: organizations, people with memberships, one section with its students."""
    state = organization("Test State", "state")
    district = organization("Riverbend School District", "district", state)
    cast = Cast(
        district=district,
        alder=organization("Alder Elementary", "school", district),
        birch=organization("Birch Elementary", "school", district),
        other_district=organization("Lakeside School District", "district", state),
        term=Term.objects.create(
            organization=district, name="Fall 2026", begins_on=date(2026, 8, 20), ends_on=date(2027, 1, 15),
            school_year=2027,
        ),
        next_term=Term.objects.create(
            organization=district, name="Spring 2027", begins_on=date(2027, 1, 16), ends_on=date(2027, 6, 10),
            school_year=2027,
        ),
        course=Course.objects.create(organization=district, title="Mathematics 5", subject="Mathematics", grade="5"),
        section=None,  # type: ignore[arg-type]
    )  # fmt: skip
    cast.section = Section.objects.create(school=cast.alder, course=cast.course, title="5th-grade math, room 12")
    cast.section.terms.add(cast.term)
    for given, family, where, role in MEMBERS:
        is_student = role is Role.STUDENT
        person = Person.objects.create_user(
            email=None if is_student else f"{given.lower()}@riverbend.example",
            given_name=given,
            family_name=family,
        )
        Membership.objects.create(person=person, organization=getattr(cast, where), role=role)
        cast.people[given.lower()] = person
        if is_student or given == "Amara":
            Enrollment.objects.create(
                section=cast.section, person=person, is_primary=not is_student,
                role=Enrollment.Role.STUDENT if is_student else Enrollment.Role.TEACHER,
            )  # fmt: skip
    return cast
