"""The ledgers of the demo district: activities, hours taken part, prices and ingredients, and students' scores."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from functools import partial

import numpy as np

from staffroom.home.demo.placing import District
from staffroom.home.demo.world import NEVER, PROGRAMS, TERMS, Program, World
from staffroom.people.models import Organization, Person, Term
from staffroom.records.actions.activities import make_activity
from staffroom.records.actions.costs import Ingredient, add_price, record_costs
from staffroom.records.actions.outcomes import Result, make_instrument, record_outcomes
from staffroom.records.actions.statements import Deed, record_statements
from staffroom.records.models import Activity, Instrument, Price
from staffroom.records.vocabulary import verbs

type Tell = Callable[[str], None]

TYPICAL_TERMS = 5
PRICE_LIST: tuple[tuple[str, str, str, str, int, str], ...] = (
    ("teacher", "wage", "Teacher", "hour", 4210, "31"),
    ("coach", "wage", "Coach", "hour", 4980, "31"),
    ("", "substitute", "Substitute teacher", "day", 16500, "0"),
    ("", "material", "Workshop book", "each", 2850, "0"),
    ("", "fee", "Workshop facilitator", "day", 180000, "0"),
    ("", "license", "Course seat", "seat", 9900, "0"),
    ("", "room", "Seminar room", "day", 24000, "0"),
)


@dataclass
class Kept:
    """What the ledgers of the demo are about."""

    activities: list[Activity]
    test: Instrument


def keep(world: World, district: District, *, seed: int, tell: Tell = lambda _message: None) -> Kept:
    """Fill the three ledgers from a drawn world, through the bulk doors of ``records``; each step in a transaction of its own."""
    rng = np.random.default_rng([seed, 2])
    prices = {name: _price(district, line) for line in PRICE_LIST for name in [line[2]]}
    activities = [_activity(district, program) for program in PROGRAMS]
    test = make_instrument(
        by=None, organization=district.organization, name="Riverbend Mathematics Check", kind="test",
        subject="Mathematics", scale_low=0, scale_high=400,
    )  # fmt: skip
    for number, (program, activity) in enumerate(zip(PROGRAMS, activities, strict=True)):
        for term in range(TERMS):
            record_statements(_participation(world, district, number, program, activity, term, rng))
        record_costs(by=None, lines=_ingredients(world, district, number, activity, prices))
        tell(f"{program.name}: who took part, and what it cost")
    for term in range(TERMS):
        results = _scores(world, district, term)
        added = record_outcomes(by=None, instrument=test, results=results, are_new=True).added
        tell(f"{district.terms[term].name}: {added:,} results of students")
    rubric = make_instrument(
        by=None, organization=district.organization, name="Classroom visits: questions and talk", kind="rubric",
        subject="Mathematics", scale_low=1, scale_high=4,
    )  # fmt: skip
    rated = record_outcomes(by=None, instrument=rubric, results=_ratings(world, district), are_new=True).added
    tell(f"{rated:,} visits to classrooms")
    return Kept(activities, test)


def _price(district: District, line: tuple[str, str, str, str, int, str]) -> Price:
    role, kind, name, unit, cents, benefits = line
    return add_price(
        by=None, organization=district.organization, kind=kind, name=name, role=role, unit=unit,
        unit_price_usd_cents=cents, benefits_percent=Decimal(benefits), price_year=district.current_term.school_year - 1,
        is_opportunity=role == "teacher",
    )  # fmt: skip


def _activity(district: District, program: Program) -> Activity:
    begins = district.terms[program.first_terms[0]].begins_on
    hours = Decimal(str(program.sessions_per_term * program.hours_per_session * TYPICAL_TERMS))
    return make_activity(
        by=None, organization=district.organization, name=program.name, kind=program.kind,
        description=program.description, planned_hours=hours, begins_on=begins,
    )  # fmt: skip


def _participation(
    world: World, district: District, number: int, program: Program, activity: Activity, term: int,
    rng: np.random.Generator,
) -> Iterator[Deed]:  # fmt: skip
    """Each session in a term of each teacher who takes part; a coach's session is the coach's time, too."""
    first = world.first_term[number]
    for teacher in np.flatnonzero((first != NEVER) & (first <= term)):
        at_school = world.school_of_teacher[teacher]
        coach = district.coaches[at_school] if program.kind == "coaching" else None
        session = partial(_session, school=district.schools[at_school], activity=activity, program=program)
        for at in _dates(district.terms[term], program.sessions_per_term, rng):
            yield session(district.teachers[teacher], role="teacher", at=at)
            if coach:
                yield session(coach, role="coach", at=at)


def _session(
    person: Person, *, role: str, at: datetime, school: Organization, activity: Activity, program: Program
) -> Deed:
    return Deed(
        by=person, verb=verbs.MENTORED if role == "coach" else verbs.ATTENDED, object=activity, activity=activity,
        duration_s=program.hours_per_session * 3600, happened_at=at, role=role, focus=program.name, organization=school,
    )  # fmt: skip


def _dates(term: Term, count: int, rng: np.random.Generator) -> list[datetime]:
    """School days of a term, spread over it: as many as there are sessions."""
    days = (term.ends_on - term.begins_on).days
    drawn = np.sort(rng.uniform(5, days - 5, count)).astype(int)
    chosen = [term.begins_on + timedelta(days=int(day)) for day in drawn]
    weekdays = [day - timedelta(days=max(0, day.weekday() - 4)) for day in chosen]
    return [datetime.combine(day, time(14, 30), tzinfo=UTC) for day in weekdays]


def _ingredients(
    world: World, district: District, number: int, activity: Activity, prices: dict[str, Price]
) -> Iterator[Ingredient]:
    """What an activity used beside people's time, term by term."""
    first = world.first_term[number]
    for index, term in enumerate(district.terms):
        teachers, starting = int(((first != NEVER) & (first <= index)).sum()), int((first == index).sum())
        for name, quantity in _used(activity.kind, teachers, starting):
            if quantity:
                yield Ingredient(
                    activity=activity, price=prices[name], quantity=Decimal(quantity), happened_on=term.begins_on,
                    payer="District",
                )  # fmt: skip


def _used(kind: str, teachers: int, starting: int) -> list[tuple[str, int]]:
    if kind == "workshop":
        days = -(-teachers // 30)
        return [("Substitute teacher", teachers), ("Workshop facilitator", days), ("Seminar room", days),
                ("Workshop book", starting)]  # fmt: skip
    if kind == "course":
        return [("Course seat", teachers)]
    return [("Substitute teacher", -(-teachers // 4))]


def _ratings(world: World, district: District) -> Iterator[Result]:
    """One rating for each teacher who was visited in a term."""
    for term in range(TERMS):
        row = district.terms[term]
        for teacher in np.flatnonzero(~np.isnan(world.ratings[term])):
            yield Result(
                subject="teacher", term_id=row.pk, value=float(world.ratings[term, teacher]),
                person_id=district.teachers[teacher].pk, school_id=district.schools[world.school_of_teacher[teacher]].pk,
                observed_on=row.ends_on - timedelta(days=30),
            )  # fmt: skip


def _scores(world: World, district: District, term: int) -> Iterator[Result]:
    """One result for each student: of whom, taught by whom, where."""
    row, class_of = district.terms[term], world.class_of[term // 2].tolist()
    teachers = [teacher.pk for teacher in district.teachers]
    places = district.sections[term // 2].tolist()
    schools = [school.pk for school in district.schools]
    of_students = zip(
        district.students.tolist(), world.scores[term].tolist(), class_of, world.school_of_student.tolist(), strict=True
    )
    for student, score, teacher, school in of_students:
        yield Result(
            subject="student", term_id=row.pk, value=score, person_id=student, teacher_id=teachers[teacher],
            section_id=places[teacher], school_id=schools[school], observed_on=row.ends_on,
        )  # fmt: skip
