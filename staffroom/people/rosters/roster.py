"""What every layout becomes: places, terms, courses, persons, roles, sections, enrollments, and the rows that were refused."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

PLACES, TERMS, COURSES, PERSONS, ROLES, SECTIONS, ENROLLMENTS = KINDS = (
    "places",
    "terms",
    "courses",
    "persons",
    "roles",
    "sections",
    "enrollments",
)


class RosterRefused(ValueError):
    """The whole file set cannot be taken; the message says why and what to do. Nothing was changed."""


class Problem(NamedTuple):
    """One row that was left out."""

    file: str
    line: int
    column: str
    reason: str


class Place(NamedTuple):
    source_id: str
    name: str
    kind: str  # of Organization, or "" for a place above or at the district
    parent_id: str


class TermRow(NamedTuple):
    source_id: str
    name: str
    begins_on: date
    ends_on: date
    school_year: int


class CourseRow(NamedTuple):
    source_id: str
    place_id: str
    title: str
    code: str
    subject: str
    grade: str


class PersonRow(NamedTuple):
    source_id: str
    given_name: str
    family_name: str
    preferred_name: str
    email: str
    is_active: bool
    is_student: bool | None  # None: the file set does not say


class RoleRow(NamedTuple):
    source_id: str
    person_id: str
    place_id: str
    role: str
    begins_on: date | None
    ends_on: date | None


class SectionRow(NamedTuple):
    source_id: str
    place_id: str
    course_id: str
    title: str
    code: str
    term_ids: tuple[str, ...]


class EnrollmentRow(NamedTuple):
    source_id: str
    section_id: str
    person_id: str
    role: str
    is_primary: bool
    begins_on: date | None
    ends_on: date | None


def _sets() -> dict[str, set[str]]:
    return defaultdict(set)


@dataclass
class Roster:
    """A file set, read.

    complete: kinds of which the file set holds all there are, so that what it does not name has ended; `scope` limits
    that to some places (None: the whole district). gone: what the file set says has ended. refused: rows with a problem;
    what they name is left as it is. skipped: how many rows were not needed (guardians, for example).
    """

    layout: str
    is_delta: bool = False
    complete: set[str] = field(default_factory=set)
    scope: set[str] | None = None
    places: dict[str, Place] = field(default_factory=dict)
    terms: dict[str, TermRow] = field(default_factory=dict)
    courses: dict[str, CourseRow] = field(default_factory=dict)
    persons: dict[str, PersonRow] = field(default_factory=dict)
    roles: dict[str, RoleRow] = field(default_factory=dict)
    sections: dict[str, SectionRow] = field(default_factory=dict)
    enrollments: dict[str, EnrollmentRow] = field(default_factory=dict)
    gone: dict[str, set[str]] = field(default_factory=_sets)
    refused: dict[str, set[str]] = field(default_factory=_sets)
    problems: list[Problem] = field(default_factory=list)
    skipped: int = 0

    @property
    def counts(self) -> dict[str, int]:
        """How many of each kind the file set names, for the preview."""
        students = sum(row.is_student is True for row in self.persons.values())
        return {
            "schools": sum(place.kind == "school" for place in self.places.values()),
            "staff": len(self.persons) - students,
            "students": students,
            "sections": len(self.sections),
            "enrollments": len(self.enrollments),
            "problems": len(self.problems),
            "skipped": self.skipped,
        }
