"""OneRoster 1.1 and 1.2 as CSV: which tables and columns there are, and what their words mean here.

Of people only what Staffroom needs is taken: names, roles, and the address of staff. Guardians, demographics, phone numbers,
passwords, grades and results are left in the file.
"""

from __future__ import annotations

import zipfile
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from django.utils.translation import gettext as _

from staffroom.people.models import Enrollment, Organization, Role
from staffroom.people.rosters import roster as of
from staffroom.people.rosters.roster import Problem, Roster, RosterRefused
from staffroom.people.rosters.tables import BadValue, Progress, Row, day_before, rows

type Tables = dict[str, tuple[zipfile.ZipFile, zipfile.ZipInfo]]

FILES = {
    "orgs": of.PLACES,
    "academicSessions": of.TERMS,
    "courses": of.COURSES,
    "users": of.PERSONS,
    "roles": of.ROLES,
    "classes": of.SECTIONS,
    "enrollments": of.ENROLLMENTS,
}
REQUIRED = {
    "orgs": ("sourcedId", "name", "type", "parentSourcedId"),
    "academicSessions": ("sourcedId", "title", "type", "startDate", "endDate"),
    "courses": ("sourcedId", "title", "orgSourcedId"),
    "users": ("sourcedId", "givenName", "familyName"),
    "roles": ("sourcedId", "userSourcedId", "role", "orgSourcedId"),
    "classes": ("sourcedId", "title", "courseSourcedId", "schoolSourcedId", "termSourcedIds"),
    "enrollments": ("sourcedId", "classSourcedId", "userSourcedId", "role"),
}
KINDS = {
    "school": Organization.Kind.SCHOOL,
    "department": Organization.Kind.TEAM,
    "district": "",
    "local": "",
    "state": "",
    "national": "",
}
LEADS = "lead"  # a leader: of a school or of the district, by where the role is held
NOT_NEEDED = "-"
ROLES = {
    "teacher": Role.TEACHER,
    "student": Role.STUDENT,
    "aide": Role.AIDE,
    "administrator": LEADS,
    "principal": LEADS,
    "siteadministrator": LEADS,
    "districtadministrator": LEADS,
    # Rights over this system are given here, by people, and never by a file.
    "systemadministrator": NOT_NEEDED,
    **dict.fromkeys(("counselor", "guardian", "parent", "proctor", "relative"), NOT_NEEDED),
}
ENROLLED = {
    "teacher": Enrollment.Role.TEACHER,
    "student": Enrollment.Role.STUDENT,
    "aide": Enrollment.Role.AIDE,
    "administrator": NOT_NEEDED,
    "proctor": NOT_NEEDED,
}
STATUSES = {"active": False, "tobedeleted": True, "inactive": True}
SESSIONS = {name.casefold(): name for name in ("term", "semester", "gradingPeriod", "schoolYear")}


class Session(NamedTuple):
    """A stretch of time as the file names it: terms and semesters become terms, the others point at them."""

    kind: str
    parent_id: str
    term: of.TermRow


@dataclass
class Known:
    """What the district has already, by the identifiers of its own system: what a delta may point at."""

    ids: dict[str, Collection[str]] = field(default_factory=dict)

    def has(self, kind: str, source_id: str) -> bool:
        return source_id in self.ids.get(kind, ())


def layout_of(tables: Tables) -> str:
    return _manifest(tables).get("oneroster.version", "")


def read(tables: Tables, known: Known, progress: Progress) -> Roster:
    """The file set as a roster. Raises RosterRefused if it cannot be read as a whole."""
    return _Reader(tables, known, progress).read()


def _manifest(tables: Tables) -> dict[str, str]:
    if "manifest.csv" not in tables:
        raise RosterRefused(_("The archive has no manifest.csv: it is no OneRoster file set."))
    archive, entry = tables["manifest.csv"]
    problems: list[Problem] = []
    with archive.open(entry) as stream:
        found = rows(stream, "manifest.csv", ("propertyName", "value"), problems, lambda count: None, set())
        return {row.text("propertyName"): row.text("value") for row in found}


class _Reader:
    """One reading of one file set, table by table in the order in which they point at each other."""

    def __init__(self, tables: Tables, known: Known, progress: Progress) -> None:
        self.tables = tables
        self.known = known
        self.progress = progress
        manifest = _manifest(tables)
        version = manifest.get("oneroster.version", "")
        if version not in ("1.1", "1.2"):
            raise RosterRefused(_("manifest.csv says OneRoster “%(version)s”; 1.1 and 1.2 are known here.")
                                % {"version": version[:20]})  # fmt: skip
        self.version = version
        self.modes = {file: self._mode(manifest, file) for file in FILES}
        if not any(self.modes.values()):
            raise RosterRefused(_("manifest.csv names no table that is needed here."))
        self.roster = Roster(f"OneRoster {version}", is_delta="delta" in self.modes.values())
        self.roster.complete = {FILES[file] for file, mode in self.modes.items() if mode == "bulk"}
        if version == "1.1" and self.modes["users"] == "bulk":
            self.roster.complete.add(of.ROLES)
        self.districts = 0
        self.sessions: dict[str, Session] = {}
        self.roles_of: dict[str, set[str]] = defaultdict(set)
        self.helps_at: dict[str, set[str]] = defaultdict(set)

    def _mode(self, manifest: dict[str, str], file: str) -> str:
        mode = manifest.get(f"file.{file}", "absent").casefold()
        if mode == "absent" or (file == "roles" and self.version == "1.1"):
            return ""
        if mode not in ("bulk", "delta"):
            words = {"file": file, "mode": mode[:20]}
            raise RosterRefused(_("manifest.csv says “%(mode)s” of %(file)s: neither bulk, delta nor absent.") % words)
        if f"{file.lower()}.csv" not in self.tables:
            raise RosterRefused(_("manifest.csv announces %(file)s.csv, but the archive lacks it.") % {"file": file})
        return mode

    def read(self) -> Roster:
        for file, take in (
            ("orgs", self._org),
            ("academicSessions", self._session),
            ("courses", self._course),
            ("users", self._user),
            ("roles", self._role),
            ("classes", self._class),
            ("enrollments", self._enrollment),
        ):
            if self.modes[file]:
                self._table(file, take)
            if file == "academicSessions":
                self._choose_terms()
        self._place_aides()
        self._drop_unneeded()
        return self.roster

    def _table(self, file: str, take: Callable[[Row, str], None]) -> None:
        kind, name = FILES[file], f"{file}.csv"
        archive, entry = self.tables[name.lower()]
        refused, gone = self.roster.refused[kind], self.roster.gone[kind]
        seen: set[str] = set()
        with archive.open(entry) as stream:
            for row in rows(stream, name, REQUIRED[file], self.roster.problems, self.progress, refused):
                with self._reported(name, row, refused):
                    source_id = row.needed("sourcedId")
                    if source_id in seen:
                        raise BadValue("sourcedId", _("stands twice in this table"))
                    seen.add(source_id)
                    status = row.text("status", 40)
                    if status and row.one_of("status", STATUSES):
                        gone.add(source_id)
                    else:
                        take(row, source_id)

    @contextmanager
    def _reported(self, file: str, row: Row, refused: set[str]) -> Iterator[None]:
        try:
            yield
        except BadValue as bad:
            self.roster.problems.append(Problem(file, row.line, bad.column, bad.reason))
            with suppress(BadValue):
                refused.add(row.text("sourcedId"))

    def _points_at(self, column: str, kind: str, source_id: str, named: Collection[str]) -> str:
        """The identifier, if the file set or (where it is not complete) the district has it; BadValue if not."""
        if source_id in named or (kind not in self.roster.complete and self.known.has(kind, source_id)):
            return source_id
        if source_id in self.roster.refused[kind]:
            raise BadValue(column, _("“%(id)s” was left out, see its own row") % {"id": source_id[:80]})
        raise BadValue(column, _("“%(id)s” is named by no other table") % {"id": source_id[:80]})

    def _org(self, row: Row, source_id: str) -> None:
        kind = row.one_of("type", KINDS)
        self.districts += row.text("type").casefold() == "district"
        if self.districts > 1:
            raise RosterRefused(_("orgs.csv names several districts. Export the tables of one district."))
        place = of.Place(source_id, row.needed("name", 200), kind, row.text("parentSourcedId"))
        self.roster.places[source_id] = place

    def _session(self, row: Row, source_id: str) -> None:
        kind = row.one_of("type", SESSIONS)
        begins_on, ends_on = row.needed_day("startDate"), row.needed_day("endDate")
        if ends_on < begins_on:
            raise BadValue("endDate", _("lies before %(first)s") % {"first": "startDate"})
        year = row.text("schoolYear", 10)
        if year and not (year.isdigit() and 1900 < int(year) < 2200):
            raise BadValue("schoolYear", _("“%(text)s” is not a year") % {"text": year})
        last = day_before(ends_on, begins_on)
        term = of.TermRow(source_id, row.needed("title", 100), begins_on, last, int(year) if year else last.year)
        self.sessions[source_id] = Session(kind, row.text("parentSourcedId"), term)

    def _choose_terms(self) -> None:
        """Terms and semesters are terms; where a district has neither, its school years are."""
        kinds = {session.kind for session in self.sessions.values()}
        chosen = {"term", "semester"} if kinds & {"term", "semester"} else {"schoolYear", "gradingPeriod"}
        self.roster.terms = {key: each.term for key, each in self.sessions.items() if each.kind in chosen}

    def _terms_of(self, session_id: str) -> set[str]:
        """The terms that a session is, lies in, or consists of."""
        if session_id in self.roster.terms or session_id not in self.sessions:
            return {session_id}
        above, seen = self.sessions[session_id].parent_id, {session_id}
        while above in self.sessions and above not in seen:
            if above in self.roster.terms:
                return {above}
            seen.add(above)
            above = self.sessions[above].parent_id
        return {key for key in self.roster.terms if self.sessions[key].parent_id == session_id}

    def _place(self, row: Row, column: str, source_id: str) -> str:
        return self._points_at(column, of.PLACES, source_id, self.roster.places)

    def _course(self, row: Row, source_id: str) -> None:
        self.roster.courses[source_id] = of.CourseRow(
            source_id,
            self._place(row, "orgSourcedId", row.needed("orgSourcedId")),
            row.needed("title", 200),
            row.text("courseCode", 100),
            next(iter(row.many("subjects")), "")[:100],
            ",".join(row.many("grades"))[:20],
        )

    def _user(self, row: Row, source_id: str) -> None:
        role, places = self._role_of_user(row) if self.version == "1.1" else (None, [])
        is_student = None if role is None else role == Role.STUDENT
        self.roster.persons[source_id] = of.PersonRow(
            source_id,
            row.needed("givenName", 150),
            row.text("familyName", 150),
            row.text("preferredGivenName", 150),
            "" if is_student else row.address("email"),
            row.yes("enabledUser", True),
            is_student,
        )
        for place in places:
            self._hold(f"{source_id}@{place}"[:255], source_id, place, role or "", None, None)

    def _role_of_user(self, row: Row) -> tuple[str, list[str]]:
        """OneRoster 1.1: the one role of a user in each of their organizations."""
        role = row.one_of("role", ROLES)
        places = [self._place(row, "orgSourcedIds", place) for place in row.many("orgSourcedIds")]
        if not places:
            raise BadValue("orgSourcedIds", _("is empty"))
        return role, places

    def _role(self, row: Row, source_id: str) -> None:
        role = row.one_of("role", ROLES)
        person = self._points_at("userSourcedId", of.PERSONS, row.needed("userSourcedId"), self.roster.persons)
        place = self._place(row, "orgSourcedId", row.needed("orgSourcedId"))
        begins_on, ends_on = row.days("beginDate", "endDate")
        self._hold(source_id, person, place, role, begins_on, ends_on)

    def _hold(
        self, source_id: str, person: str, place: str, role: str, begins_on: date | None, ends_on: date | None
    ) -> None:
        self.roles_of[person].add(role)
        if role == NOT_NEEDED:
            return
        if role == LEADS:
            named = self.roster.places.get(place)
            is_school = named.kind != "" if named else self.known.has("schools", place)
            role = Role.SCHOOL_LEADER if is_school else Role.DISTRICT_LEADER
        self.roster.roles[source_id] = of.RoleRow(source_id, person, place, role, begins_on, ends_on)

    def _class(self, row: Row, source_id: str) -> None:
        terms: set[str] = set()
        for session in row.many("termSourcedIds"):
            terms |= self._terms_of(self._points_at("termSourcedIds", of.TERMS, session, self.sessions))
        course = row.text("courseSourcedId")
        self.roster.sections[source_id] = of.SectionRow(
            source_id,
            self._place(row, "schoolSourcedId", row.needed("schoolSourcedId")),
            self._points_at("courseSourcedId", of.COURSES, course, self.roster.courses) if course else "",
            row.needed("title", 200),
            row.text("classCode", 100),
            tuple(sorted(terms)),
        )

    def _enrollment(self, row: Row, source_id: str) -> None:
        role = row.one_of("role", ENROLLED)
        if role == NOT_NEEDED:
            self.roster.skipped += 1
            return
        section = self._points_at("classSourcedId", of.SECTIONS, row.needed("classSourcedId"), self.roster.sections)
        person = self._points_at("userSourcedId", of.PERSONS, row.needed("userSourcedId"), self.roster.persons)
        begins_on, ends_on = row.days("beginDate", "endDate")
        is_primary = row.yes("primary", False)
        enrolled = of.EnrollmentRow(source_id, section, person, role, is_primary, begins_on, ends_on)
        self.roster.enrollments[source_id] = enrolled
        self.roles_of[person].add("" if role == Enrollment.Role.AIDE else role)
        if role == Enrollment.Role.AIDE and section in self.roster.sections:
            self.helps_at[person].add(self.roster.sections[section].place_id)

    def _place_aides(self) -> None:
        """Whoever helps in sections and has no role in the file at all is an aide of those sections' schools."""
        if of.ROLES not in self.roster.complete or of.ENROLLMENTS not in self.roster.complete:
            return
        for person, places in self.helps_at.items():
            if not self.roles_of[person] - {"", NOT_NEEDED}:
                for place in sorted(places):
                    self._hold(f"{person}@{place}:aide"[:255], person, place, Role.AIDE, None, None)

    def _drop_unneeded(self) -> None:
        """Guardians and others who are nobody here are not taken; whoever is only a student comes without an address."""
        taken: dict[str, of.PersonRow] = {}
        for source_id, person in self.roster.persons.items():
            roles = self.roles_of.get(source_id, set()) - {NOT_NEEDED}
            if roles:
                is_student = roles == {Role.STUDENT}
                taken[source_id] = person._replace(is_student=is_student, email="" if is_student else person.email)
            elif self.known.has(of.PERSONS, source_id):
                taken[source_id] = person
            else:
                self.roster.skipped += 1
        self.roster.persons = taken
