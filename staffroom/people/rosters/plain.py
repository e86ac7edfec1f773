"""A plain table for a school without OneRoster: a row for each person and section, or for each person and role.

    school,role,person_id,given_name,family_name,email,section,course
    Alder Elementary,teacher,T-14,Amara,Okafor,amara@school.example,Math 5 room 12,Mathematics 5
    Alder Elementary,student,S-201,Leo,Brandt,,Math 5 room 12,Mathematics 5

The table holds everybody of the schools that it names: who is missing there has left.
"""

from __future__ import annotations

from typing import IO

from django.utils.translation import gettext as _

from staffroom.people.models import Enrollment, Organization, Role
from staffroom.people.rosters import roster as of
from staffroom.people.rosters.roster import Problem, Roster
from staffroom.people.rosters.tables import BadValue, Progress, Row, rows

LAYOUT = "plain CSV"
REQUIRED = ("school", "role", "given_name", "family_name")
COLUMNS = ("school", "role", "person_id", "given_name", "family_name", "email", "section", "course")
EXAMPLES = (
    ("Alder Elementary", "school leader", "T-1", "Grace", "Whitfield", "grace@school.example", "", ""),
    ("Alder Elementary", "teacher", "T-14", "Amara", "Okafor", "amara@school.example", "Math 5 room 12", "Mathematics 5"),
    ("Alder Elementary", "student", "S-201", "Leo", "Brandt", "", "Math 5 room 12", "Mathematics 5"),
    ("Alder Elementary", "student", "S-202", "Mia", "Santos", "", "Math 5 room 12", "Mathematics 5"),
)  # fmt: skip
ROLES = {
    "teacher": Role.TEACHER,
    "aide": Role.AIDE,
    "coach": Role.COACH,
    "mentor": Role.MENTOR,
    "school leader": Role.SCHOOL_LEADER,
    "student": Role.STUDENT,
}
ENROLLED: dict[str, Enrollment.Role] = {
    Role.TEACHER: Enrollment.Role.TEACHER,
    Role.AIDE: Enrollment.Role.AIDE,
    Role.STUDENT: Enrollment.Role.STUDENT,
}


def read(stream: IO[bytes], file: str, progress: Progress) -> Roster:
    """The table as a roster. Raises RosterRefused if it cannot be read as a whole."""
    roster = Roster(LAYOUT, complete={of.ROLES, of.SECTIONS, of.ENROLLMENTS})
    refused = roster.refused[of.PERSONS]
    for row in rows(stream, file, REQUIRED, roster.problems, progress, refused, _column):
        try:
            _take(roster, row)
        except BadValue as bad:
            roster.problems.append(Problem(file, row.line, bad.column, bad.reason))
    roster.scope = set(roster.places)
    if roster.problems:
        # A bad row may be anybody's: as long as there is one, nobody who is missing is taken to have left.
        roster.complete = set()
    return roster


def _column(name: str) -> str:
    return "_".join(name.casefold().replace("_", " ").replace("-", " ").split())


def _take(roster: Roster, row: Row) -> None:
    role = row.one_of("role", ROLES)
    school = row.needed("school", 200)
    person = _person(row, role)
    before = roster.persons.get(person.source_id)
    if before and before[1:5] != person[1:5]:
        raise BadValue("person_id" if row.text("person_id") else "email", _("stands for somebody else further up"))
    place = f"plain:{school.casefold()}"[:255]
    roster.places[place] = of.Place(place, school, Organization.Kind.SCHOOL, "")
    roster.persons[person.source_id] = person
    key = f"{person.source_id}@{place}:{role}"[:255]
    roster.roles[key] = of.RoleRow(key, person.source_id, place, role, None, None)
    _enroll(roster, row, role, place, person.source_id)


def _person(row: Row, role: str) -> of.PersonRow:
    is_student = role == Role.STUDENT
    email = "" if is_student else row.address("email")
    own_id = row.text("person_id", 200)
    if not own_id and not email:
        raise BadValue("person_id", _("is empty (staff may have an email address instead)"))
    given_name, family_name = row.needed("given_name", 150), row.text("family_name", 150)
    return of.PersonRow(f"plain:{own_id or email}", given_name, family_name, "", email, True, is_student)


def _enroll(roster: Roster, row: Row, role: str, place: str, person: str) -> None:
    section, course = row.text("section", 120), row.text("course", 120)
    if not section:
        return
    if role not in ENROLLED:
        raise BadValue("section", _("only teachers, aides and students are in a section"))
    course_id = f"plain:{course.casefold()}" if course else ""
    if course:
        roster.courses[course_id] = of.CourseRow(course_id, place, course, "", "", "")
    section_id = f"{place[:120]}|{section.casefold()}"
    roster.sections[section_id] = of.SectionRow(section_id, place, course_id, section, "", ())
    key = f"{section_id}|{person}|{role}"[:255]
    enrolled = of.EnrollmentRow(key, section_id, person, ENROLLED[role], role == Role.TEACHER, None, None)
    roster.enrollments[key] = enrolled
