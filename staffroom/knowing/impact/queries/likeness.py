"""Which teachers are alike: the grades that they teach, as the roster's sections have them, and how long they have taught here.

Years of teaching elsewhere no roster tells; "here" begins with the first day on which somebody was a teacher of the district.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import date
from typing import Any

from django.db.models import Min, QuerySet
from django.utils.translation import gettext as _

from staffroom.people.models import Enrollment, Membership, Role
from staffroom.people.prepared import prepared

DAYS_OF_YEAR = 365.25
BANDS = ((2, "K-2"), (5, "3-5"), (8, "6-8"), (13, "9-12"))
"""The last grade of each band, and the key under which it is kept."""
YEARS = ((4, "0-3"), (11, "4-10"), (10**3, "11-"))
"""The first year that no longer counts to each band, and the key under which it is kept."""
GRADES, EXPERIENCE = "grades", "years"


def grade_band(grades: str) -> str:
    """The band of what a roster says of a course: "5", "KG", "03,04". Empty where it says nothing that is known."""
    found = [_grade(each) for each in re.split(r"[\s,;/]+", grades) if each]
    known = sorted(each for each in found if each is not None)
    if not known:
        return ""
    middle = known[(len(known) - 1) // 2]
    return next(key for last, key in BANDS if middle <= last)


def _grade(text: str) -> int | None:
    if text.upper() in ("K", "KG", "PK", "TK", "PR", "IT", "PS"):
        return 0
    return int(text) if text.isascii() and text.isdigit() and len(text) < 3 and int(text) <= 13 else None


def years_band(first_day: date | None, day: date) -> str:
    """The band of somebody who has taught here since a day; empty where that is not known or lies ahead."""
    if first_day is None or first_day > day:
        return ""
    years = (day - first_day).days / DAYS_OF_YEAR
    return next(key for end, key in YEARS if years < end)


def grade_bands_of(persons: Iterable[int]) -> dict[int, str]:
    """By teacher, the band in which she teaches, or taught, most sections; of two the lower. Who has none is left out."""
    people = list(persons)
    if len(people) == 1:
        taught: Iterable[tuple[int, str | None]] = _taught_by(people[0])
    else:
        taught = _taught().filter(person__in=people).values_list("person", "section__course__grade")
    counted: dict[int, Counter[str]] = defaultdict(Counter)
    for person, grade in taught:
        if band := grade_band(grade or ""):
            counted[person][band] += 1
    order = [key for _last, key in BANDS]
    return {person: min(bands, key=lambda band: (-bands[band], order.index(band))) for person, bands in counted.items()}


def _taught() -> QuerySet[Enrollment]:
    return Enrollment.objects.filter(role=Enrollment.Role.TEACHER).exclude(section__course__grade="")


@prepared
def _taught_by(person: int) -> QuerySet[Enrollment, Any]:
    return _taught().filter(person=person).values_list("person", "section__course__grade")


def first_days_of(persons: Iterable[int]) -> dict[int, date]:
    """By teacher, her first day as a teacher here, where the roster has it."""
    held = Membership.objects.filter(person__in=list(persons), role=Role.TEACHER, begins_on__isnull=False).order_by()
    return dict(held.values_list("person").annotate(day=Min("begins_on")))


def said_grades(band: str) -> str:
    """A band of grades as people say it."""
    return {
        "K-2": _("kindergarten to grade 2"), "3-5": _("grades 3 to 5"), "6-8": _("grades 6 to 8"),
        "9-12": _("grades 9 to 12"),
    }.get(band, "")  # fmt: skip


def said_years(band: str) -> str:
    """A band of years as people say it."""
    return {
        "0-3": _("in their first four years here"), "4-10": _("here for four to ten years"),
        "11-": _("here for more than ten years"),
    }.get(band, "")  # fmt: skip
