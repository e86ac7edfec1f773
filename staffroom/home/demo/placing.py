"""The people of the demo district: schools, staff, students, terms, sections, and what families answered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

import numpy as np
from django.contrib.auth.hashers import make_password
from django.utils import timezone
from django.utils.text import slugify
from numpy.typing import NDArray

from staffroom.home.demo import world as worlds
from staffroom.home.demo.world import World
from staffroom.people.actions import bulk_enrollments, bulk_people, bulk_sections, bulk_students
from staffroom.people.models import Course, Membership, Organization, Person, Role, Section, Term
from staffroom.permissions.actions import record_consents

type Keys = NDArray[np.int64]

PASSWORD = "riverbend-demo"
TREES = (
    "Alder Birch Cedar Dogwood Elm Fir Ginkgo Hawthorn Ironwood Juniper Katsura Linden Maple Nutmeg Oak Pine Quince Rowan Spruce Tamarack"
).split()
CONSENT_ANSWERS, CONSENT_SHARES = ("yes", "in_school", "no", ""), (0.86, 0.06, 0.03, 0.05)
FALL, SPRING = (8, 20), (1, 12)
FALL_ENDS, SPRING_ENDS = (12, 20), (6, 12)


@dataclass
class District:
    """The demo district as saved, by the numbers of the drawn world. Of what there may be a million of, primary keys alone:
    students (students,), sections (school years and the running one, teachers)."""

    organization: Organization
    schools: list[Organization]
    terms: list[Term]
    current_term: Term
    teachers: list[Person]
    coaches: list[Person]
    staff: dict[str, Person]
    students: Keys
    sections: list[Keys]

    @property
    def amara(self) -> Person:
        return self.teachers[0]

    @property
    def tom(self) -> Person:
        return self.teachers[1]

    @property
    def priya(self) -> Person:
        return self.coaches[0]

    def current_section(self, teacher: int) -> Section:
        """What a teacher, by number, teaches now."""
        return Section.objects.get(pk=self.sections[-1][teacher])


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
    keys = Keyring(seed)
    state = Organization(kind="state", name="Demo State", slug="demo-state", key=keys.new())
    home = Organization(
        kind="district", name="Riverbend School District", slug="riverbend", parent=state, key=keys.new()
    )
    schools = [_school(number, home, keys) for number in range(world.schools)]
    teachers, coaches, staff = _staff(world, rng, make_password(PASSWORD), keys)
    terms, current = _terms(home, day)
    courses = [Course(organization=home, title=f"Mathematics {grade}", subject="Mathematics", grade=str(grade))
               for grade in (5, 4, 3)]  # fmt: skip
    none = np.empty(0, dtype=np.int64)
    district = District(home, schools, terms, current, teachers, coaches, staff, none, [])
    bulk_people(
        organizations=[state, home, *schools], persons=[*teachers, *coaches, *staff.values()],
        terms=[*terms, current], courses=courses, memberships=_memberships(world, district),
    )  # fmt: skip
    district.students = _students(world, district, rng, keys)
    district.sections = [
        _sections(world, district, courses, year, first_school_year(day)) for year in range(worlds.YEARS + 1)
    ]
    for year in range(worlds.YEARS + 1):
        _enroll(world, district, year)
    _consents(rng, district)
    return district


class Keyring:
    """Keys that follow from the seed, so that the same seed gives the same district."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng([seed, 3])

    def new(self) -> UUID:
        return UUID(bytes=self._rng.bytes(16), version=4)


def _school(number: int, district: Organization, keys: Keyring) -> Organization:
    name = f"{TREES[number % len(TREES)]} Elementary"
    if number >= len(TREES):
        name += f" {number // len(TREES) + 1}"
    return Organization(
        kind="school", name=name, slug=slugify(name), parent=district, source_id=f"SCH{number:04d}", key=keys.new()
    )


def _account(given: str, family: str, secret: str, number: int | None = None) -> Person:
    """Somebody who can sign in; a number keeps addresses apart where names meet."""
    name = f"{given}.{family}".lower() if number is None else f"{given}.{family}.{number}".lower()
    return Person(given_name=given, family_name=family, email=f"{name}@riverbend.example", password=secret)


def _staff(
    world: World, rng: np.random.Generator, secret: str, keys: Keyring
) -> tuple[list[Person], list[Person], dict[str, Person]]:
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
    for person in (*teachers, *coaches, *staff.values()):
        person.key = keys.new()
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


def _students(world: World, district: District, rng: np.random.Generator, keys: Keyring) -> Keys:
    drawn = worlds.names(rng, world.students)
    students = ((keys.new(), given, family, f"S{number:07d}") for number, (given, family) in enumerate(drawn))
    places = [school.pk for school in district.schools]
    schools = (places[number] for number in world.school_of_student)
    return np.array(bulk_students(district=district.organization, students=students, schools=schools), dtype=np.int64)


def _sections(world: World, district: District, courses: list[Course], number: int, first: int) -> Keys:
    """One section for each teacher in a school year, given by its number and the first one's calendar year."""
    year = first + number
    terms = [district.current_term] if number == worlds.YEARS else district.terms[2 * number : 2 * number + 2]
    rows = (
        (
            district.schools[world.school_of_teacher[teacher]].pk, courses[teacher % len(courses)].pk,
            f"{courses[teacher % len(courses)].title}, {person.family_name} ({year}–{(year + 1) % 100:02d})",
            f"SEC{year}-{teacher:06d}",
        )
        for teacher, person in enumerate(district.teachers)
    )  # fmt: skip
    return np.array(bulk_sections(district=district.organization, sections=rows, terms=terms), dtype=np.int64)


def _memberships(world: World, district: District) -> list[Membership]:
    def held(person: Person, organization: Organization, role: Role, since: date | None = None) -> Membership:
        return Membership(person=person, organization=organization, role=role, begins_on=since)

    places = {"school": district.schools[0], "district": district.organization}
    of_staff = [held(district.staff[given.lower()], places[where], role) for given, _family, where, role in STAFF]
    of_coaches = [
        held(coach, school, Role.COACH) for coach, school in zip(district.coaches, district.schools, strict=True)
    ]
    of_teachers = [
        held(teacher, district.schools[school], Role.TEACHER, _first_day(number, district.terms[0].begins_on.year))
        for number, (teacher, school) in enumerate(zip(district.teachers, world.school_of_teacher, strict=True))
    ]
    return [*of_staff, *of_coaches, *of_teachers]


def _first_day(number: int, year: int) -> date:
    """Since when a teacher, by number, teaches here: up to nineteen years before the first year of the ledgers."""
    return date(year - (7 * number) % 20, *FALL)


def _enroll(world: World, district: District, year: int) -> None:
    """Teachers in the sections of every year, students in the last two: a district's rosters do not reach back further.

    The running year keeps the last year's classes.
    """
    sections = district.sections[year]
    begins, ends = _school_year(district, year)
    teachers = zip(sections.tolist(), (person.pk for person in district.teachers), strict=True)
    bulk_enrollments(pairs=teachers, role="teacher", is_primary=True, begins_on=begins, ends_on=ends)
    if year >= worlds.YEARS - 1:
        class_of = world.class_of[worlds.YEARS - 1]
        students = zip(sections[class_of].tolist(), district.students.tolist(), strict=True)
        bulk_enrollments(pairs=students, role="student", begins_on=begins, ends_on=ends)


def _school_year(district: District, year: int) -> tuple[date, date | None]:
    """First and last day of a school year; the running one is open."""
    if year == worlds.YEARS:
        return district.current_term.begins_on, None
    return district.terms[2 * year].begins_on, district.terms[2 * year + 1].ends_on


def _consents(rng: np.random.Generator, district: District) -> None:
    """Most families say yes, some keep it in the school, a few say no or have not answered."""
    answers = rng.choice(CONSENT_ANSWERS, size=len(district.students), p=CONSENT_SHARES)
    given = zip(district.students.tolist(), answers.tolist(), strict=True)
    record_consents(by=None, answers=((student, answer) for student, answer in given if answer))
