"""The people of the demo district: schools, staff, students, terms, sections, and what families answered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
from django.contrib.auth.hashers import make_password
from django.utils import timezone
from django.utils.text import slugify

from staffroom.home.demo import world as worlds
from staffroom.home.demo.world import World
from staffroom.people.actions.bulk import bulk_people
from staffroom.people.models import Course, Enrollment, Membership, Organization, Person, Role, Section, Term
from staffroom.permissions.actions import record_consents

PASSWORD = "riverbend-demo"
TREES = (
    "Alder Birch Cedar Dogwood Elm Fir Ginkgo Hawthorn Ironwood Juniper Katsura Linden Maple Nutmeg Oak Pine Quince Rowan Spruce Tamarack"
).split()
CONSENT_ANSWERS, CONSENT_SHARES = ("yes", "in_school", "no", ""), (0.86, 0.06, 0.03, 0.05)
FALL, SPRING = (8, 20), (1, 12)
FALL_ENDS, SPRING_ENDS = (12, 20), (6, 12)


@dataclass
class District:
    """The demo district as saved: rows of the database by their numbers in the drawn world."""

    organization: Organization
    schools: list[Organization]
    terms: list[Term]
    current_term: Term
    teachers: list[Person]
    students: list[Person]
    coaches: list[Person]
    sections: list[list[Section]]
    staff: dict[str, Person]

    @property
    def amara(self) -> Person:
        return self.teachers[0]

    @property
    def tom(self) -> Person:
        return self.teachers[1]

    @property
    def priya(self) -> Person:
        return self.coaches[0]

    @property
    def current_sections(self) -> list[Section]:
        return self.sections[-1]


STAFF: tuple[tuple[str, str, str, Role], ...] = (
    ("Grace", "Whitfield", "school", Role.SCHOOL_LEADER),
    ("Denise", "Park", "district", Role.DISTRICT_LEADER),
    ("Omar", "Haddad", "district", Role.ADMINISTRATOR),
    ("Ines", "Ferreira", "district", Role.ADMINISTRATOR),
    ("Ruth", "Adler", "district", Role.EVALUATOR),
)
NAMED_TEACHERS = (("Amara", "Okafor"), ("Tom", "Lindqvist"))


def first_school_year(today: date) -> int:
    """The year in which the first of the four full school years before today began."""
    return (today.year if today.month >= 7 else today.year - 1) - worlds.YEARS


def place(world: World, *, seed: int, today: date | None = None) -> District:
    """Save the people of a drawn world. One password, hashed once, for all who can sign in."""
    rng = np.random.default_rng([seed, 1])
    day = today or timezone.localdate()
    state = Organization(kind="state", name="Demo State", slug="demo-state")
    home = Organization(kind="district", name="Riverbend School District", slug="riverbend", parent=state)
    schools = [_school(number, home) for number in range(world.schools)]
    secret = make_password(PASSWORD)
    teachers, coaches, staff = _staff(world, rng, secret)
    students = [
        Person(given_name=given, family_name=family, district=home, source_id=f"S{number:07d}")
        for number, (given, family) in enumerate(worlds.names(rng, world.students))
    ]
    terms, current = _terms(home, day)
    courses = [Course(organization=home, title=f"Mathematics {grade}", subject="Mathematics", grade=str(grade))
               for grade in (3, 4, 5)]  # fmt: skip
    district = District(home, schools, terms, current, teachers, students, coaches, [], staff)
    district.sections = _sections(world, district, courses, day)
    bulk_people(
        organizations=[state, home, *schools],
        persons=[*teachers, *coaches, *staff.values(), *students],
        terms=[*terms, current], courses=courses,
        sections=[section for year in district.sections for section in year],
        sections_in_terms=list(_sections_in_terms(district)),
        memberships=_memberships(world, district), enrollments=_enrollments(world, district),
    )  # fmt: skip
    _consents(rng, district)
    return district


def _school(number: int, district: Organization) -> Organization:
    name = f"{TREES[number % len(TREES)]} Elementary"
    if number >= len(TREES):
        name += f" {number // len(TREES) + 1}"
    return Organization(kind="school", name=name, slug=slugify(name), parent=district, source_id=f"SCH{number:04d}")


def _account(given: str, family: str, secret: str, number: int | None = None) -> Person:
    """Somebody who can sign in; a number keeps addresses apart where names meet."""
    name = f"{given}.{family}".lower() if number is None else f"{given}.{family}.{number}".lower()
    return Person(given_name=given, family_name=family, email=f"{name}@riverbend.example", password=secret)


def _staff(world: World, rng: np.random.Generator, secret: str) -> tuple[list[Person], list[Person], dict[str, Person]]:
    drawn = worlds.names(rng, world.teachers + world.schools)
    teachers = [
        _account(given, family, secret, number) for number, (given, family) in enumerate(drawn[: world.teachers])
    ]
    for number, (given, family) in enumerate(NAMED_TEACHERS):
        teachers[number] = _account(given, family, secret)
    coaches = [
        _account(given, family, secret, world.teachers + number)
        for number, (given, family) in enumerate(drawn[world.teachers :])
    ]
    coaches[0] = _account("Priya", "Nair", secret)
    staff = {given.lower(): _account(given, family, secret) for given, family, _where, _role in STAFF}
    return teachers, coaches, staff


def _terms(district: Organization, today: date) -> tuple[list[Term], Term]:
    first = first_school_year(today)
    terms = [_term(district, year, is_fall) for year in range(first, first + worlds.YEARS) for is_fall in (True, False)]
    return terms, _term(district, first + worlds.YEARS, today.month >= 7)


def _term(district: Organization, year: int, is_fall: bool) -> Term:
    """Fall of the school year that begins in ``year``, or the spring after it."""
    begins = date(year, *FALL) if is_fall else date(year + 1, *SPRING)
    ends = date(year, *FALL_ENDS) if is_fall else date(year + 1, *SPRING_ENDS)
    name = f"Fall {year}" if is_fall else f"Spring {year + 1}"
    return Term(
        organization=district, name=name, begins_on=begins, ends_on=ends, school_year=year + 1,
        source_id=slugify(name),
    )  # fmt: skip


def _sections(world: World, district: District, courses: list[Course], today: date) -> list[list[Section]]:
    """One section per teacher and school year; the last list is the running year's."""
    first = first_school_year(today)
    return [
        [
            Section(
                school=district.schools[world.school_of_teacher[number]], course=courses[number % len(courses)],
                title=f"{courses[number % len(courses)].title}, {teacher.family_name} ({year}–{(year + 1) % 100:02d})",
                source_id=f"SEC{year}-{number:06d}",
            )
            for number, teacher in enumerate(district.teachers)
        ]
        for year in range(first, first + worlds.YEARS + 1)
    ]  # fmt: skip


def _sections_in_terms(district: District) -> list[tuple[Section, Term]]:
    past = [
        (section, term)
        for year, sections in enumerate(district.sections[:-1])
        for section in sections
        for term in district.terms[2 * year : 2 * year + 2]
    ]
    return past + [(section, district.current_term) for section in district.current_sections]


def _memberships(world: World, district: District) -> list[Membership]:
    def held(person: Person, organization: Organization, role: Role) -> Membership:
        return Membership(person=person, organization=organization, role=role)

    places = {"school": district.schools[0], "district": district.organization}
    of_staff = [held(district.staff[given.lower()], places[where], role) for given, _family, where, role in STAFF]
    of_coaches = [
        held(coach, school, Role.COACH) for coach, school in zip(district.coaches, district.schools, strict=True)
    ]
    of_teachers = [
        held(teacher, district.schools[school], Role.TEACHER)
        for teacher, school in zip(district.teachers, world.school_of_teacher, strict=True)
    ]
    of_students = [
        held(student, district.schools[school], Role.STUDENT)
        for student, school in zip(district.students, world.school_of_student, strict=True)
    ]
    return [*of_staff, *of_coaches, *of_teachers, *of_students]


def _enrollments(world: World, district: District) -> list[Enrollment]:
    """Teachers in the sections of every year, students in the last two: a district's rosters do not reach back further.

    The running year keeps the last year's classes.
    """
    rows = []
    for year, sections in enumerate(district.sections):
        class_of = world.class_of[min(year, worlds.YEARS - 1)] if year >= worlds.YEARS - 1 else []
        begins, ends = _school_year(district, year)
        rows += [
            Enrollment(
                section=section,
                person=teacher,
                role=Enrollment.Role.TEACHER,
                is_primary=True,
                begins_on=begins,
                ends_on=ends,
            )
            for section, teacher in zip(sections, district.teachers, strict=True)
        ]
        rows += [
            Enrollment(
                section=sections[teacher], person=student, role=Enrollment.Role.STUDENT, begins_on=begins, ends_on=ends
            )
            for student, teacher in zip(district.students, class_of, strict=False)
        ]
    return rows


def _school_year(district: District, year: int) -> tuple[date, date | None]:
    """First and last day of a school year; the running one is open."""
    if year == worlds.YEARS:
        return district.current_term.begins_on, None
    return district.terms[2 * year].begins_on, district.terms[2 * year + 1].ends_on


def _consents(rng: np.random.Generator, district: District) -> None:
    """Most families say yes, some keep it in the school, a few say no or have not answered."""
    answers = rng.choice(CONSENT_ANSWERS, size=len(district.students), p=CONSENT_SHARES)
    given = ((student, str(answer)) for student, answer in zip(district.students, answers, strict=True) if answer)
    record_consents(by=None, answers=given)
