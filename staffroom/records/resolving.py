"""Whom and what the cells of a results file mean: students by their number, teachers by number or address, terms by name.

Everything of the district is read once into dictionaries; a file of 100,000 rows then costs no further query.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from django.db.models import Q
from django.utils.translation import gettext as _

from staffroom.people.models import Enrollment, Membership, Organization, Person, Section, Term
from staffroom.records.actions.outcomes import SUBJECT_COLUMN, Result, refusal
from staffroom.records.models import Instrument
from staffroom.records.reading import BadCell, Row, Table, day_in, number_in, text_in

# What a column can mean; the first four say whose result it is.
MEANINGS = ("student", "teacher", "section", "school", "term", "value", "observed_on")


@dataclass(frozen=True)
class ColumnsMapping:
    """Which column means what; `subject` is what all results in the file are of, `term_id` their term if no column names it."""

    subject: str
    columns: Mapping[str, str]
    term_id: int | None = None

    def problems(self, table: Table) -> list[str]:
        """Why a table cannot be read by this mapping, as sentences."""
        found = [
            _("There is no column “%(name)s” in the file.") % {"name": name}
            for name in self.columns.values()
            if name not in table.columns
        ]
        if self.subject not in SUBJECT_COLUMN:
            found.append(_("Say whose results these are."))
        elif self.subject not in self.columns:
            found.append(_("Say which column names the %(subject)s.") % {"subject": self.subject})
        if "value" not in self.columns:
            found.append(_("Say which column holds the result."))
        if "term" not in self.columns and self.term_id is None:
            found.append(_("Say which column names the term, or choose a term for the whole file."))
        unknown = set(self.columns) - set(MEANINGS)
        return [*found, *(_("No such meaning: %(name)s.") % {"name": name} for name in sorted(unknown))]

    def as_json(self) -> dict[str, object]:
        return {"subject": self.subject, "columns": dict(self.columns), "term_id": self.term_id}


def mapping_from(stored: Mapping[str, object]) -> ColumnsMapping:
    """A mapping as it is stored, back again."""
    columns, term = stored.get("columns"), stored.get("term_id")
    return ColumnsMapping(
        str(stored.get("subject") or ""),
        {str(key): str(value) for key, value in columns.items()} if isinstance(columns, dict) else {},
        int(str(term)) if term else None,
    )


NAMES_OF_COLUMNS: dict[str, tuple[str, ...]] = {
    "student": ("student", "student id", "studentid", "student number", "sourcedid", "local id", "state id", "pupil"),
    "teacher": ("teacher", "teacher id", "teacherid", "teacher email", "staff id", "educator"),
    "section": ("section", "section id", "class", "class id", "classid", "class code", "course section"),
    "school": ("school", "school id", "schoolid", "school name", "building", "org", "campus"),
    "term": ("term", "term id", "termid", "term name", "period", "semester", "window", "administration"),
    "value": ("score", "value", "result", "scale score", "scalescore", "rating", "points", "percent"),
    "observed_on": ("date", "observed on", "test date", "observed", "day", "date taken"),
}


def plain_name(column: str) -> str:
    """A column's name as it is compared: "Student_ID" and "student id" are one."""
    return " ".join(column.lower().replace("_", " ").replace("-", " ").split())


def guess(table: Table, subject: str = "") -> ColumnsMapping:
    """The mapping that the names of the columns suggest, for a person to look over."""
    by_name = {plain_name(name): name for name in table.columns if name}
    columns = {
        meaning: next(by_name[name] for name in names if name in by_name)
        for meaning, names in NAMES_OF_COLUMNS.items()
        if any(name in by_name for name in names)
    }
    whose = subject or next(
        (each for each in ("student", "teacher", "section", "school") if each in columns), "student"
    )
    return ColumnsMapping(whose, columns)


@dataclass
class Directory:
    """The people, sections, schools and terms of a district by what files call them."""

    persons: dict[str, int] = field(default_factory=dict)
    sections: dict[str, int] = field(default_factory=dict)
    schools: dict[str, int] = field(default_factory=dict)
    terms: dict[str, int] = field(default_factory=dict)
    ambiguous: set[tuple[str, str]] = field(default_factory=set)
    school_of_section: dict[int, int] = field(default_factory=dict)
    school_of_person: dict[int, int] = field(default_factory=dict)
    teacher_of_section: dict[int, int] = field(default_factory=dict)
    terms_of_section: dict[int, set[int]] = field(default_factory=dict)
    sections_of_student: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))

    def add(self, kind: str, names: Iterable[str | None], pk: int) -> None:
        """Let something be found under some names; a name that two of a kind have finds neither."""
        found: dict[str, int] = getattr(self, kind)
        for name in names:
            if name and found.setdefault(name.strip().lower(), pk) != pk:
                self.ambiguous.add((kind, name.strip().lower()))


def directory_of(organization: Organization) -> Directory:
    """Everything under the district of an organization. Nine queries, whatever its size."""
    district = (
        Organization.objects.filter(pk__in=organization.ancestor_pks, kind=Organization.Kind.DISTRICT).first()
        or organization
    )
    found = Directory()
    for pk, source, name, slug in Organization.objects.filter(
        path__startswith=district.path, kind=Organization.Kind.SCHOOL
    ).values_list("pk", "source_id", "name", "slug"):
        found.add("schools", (source, name, slug), pk)
    for pk, source, name in Term.objects.filter(organization__in=district.ancestor_pks).values_list(
        "pk", "source_id", "name"
    ):
        found.add("terms", (source, name), pk)
    _add_people(found, district)
    _add_sections(found, district)
    return found


def _add_people(found: Directory, district: Organization) -> None:
    belongs = Membership.objects.filter(organization__path__startswith=district.path).order_by()
    people = Person.objects.filter(Q(district=district) | Q(pk__in=belongs.values("person")), erased_at=None).order_by()
    for pk, key, source, email in people.values_list("pk", "key", "source_id", "email").iterator(chunk_size=5000):
        found.add("persons", (source, email, str(key)), pk)
    at_schools = belongs.filter(organization__kind=Organization.Kind.SCHOOL).order_by("-pk")
    found.school_of_person.update(at_schools.values_list("person_id", "organization_id").iterator(chunk_size=5000))


def _add_sections(found: Directory, district: Organization) -> None:
    sections = Section.objects.filter(school__path__startswith=district.path).order_by()
    for pk, source, code, school in sections.values_list("pk", "source_id", "code", "school_id"):
        found.add("sections", (source, code), pk)
        found.school_of_section[pk] = school
    for section, term in Section.terms.through.objects.filter(section__in=sections).values_list(
        "section_id", "term_id"
    ):
        found.terms_of_section.setdefault(section, set()).add(term)
    taught = Enrollment.objects.filter(section__in=sections).order_by("is_primary", "-pk")
    found.teacher_of_section.update(
        taught.filter(role=Enrollment.Role.TEACHER).values_list("section_id", "person_id").iterator(chunk_size=5000)
    )
    attended = taught.filter(role=Enrollment.Role.STUDENT).values_list("person_id", "section_id")
    for student, section in attended.iterator(chunk_size=5000):
        found.sections_of_student[student].append(section)


KINDS = {"student": "persons", "teacher": "persons", "section": "sections", "school": "schools", "term": "terms"}


@dataclass(frozen=True, slots=True)
class RowProblem:
    """What is wrong with one row, where."""

    line: int
    column: str
    reason: str

    def as_json(self) -> dict[str, object]:
        return {"line": self.line, "column": self.column, "reason": self.reason}


class Resolver:
    """Turns rows into results, or into what is wrong with them."""

    def __init__(self, table: Table, mapping: ColumnsMapping, directory: Directory, instrument: Instrument) -> None:
        self.mapping, self.directory, self.instrument = mapping, directory, instrument
        self.width = len(table.columns)
        self.index = {meaning: table.columns.index(name) for meaning, name in mapping.columns.items()}
        self.seen: dict[object, tuple[int, float]] = {}

    def read(self, row: Row) -> Result | RowProblem:
        if len(row.cells) > self.width and any(cell.strip() for cell in row.cells[self.width :]):
            return RowProblem(row.line, "", _("This row has more cells than there are columns."))
        meaning = ""
        try:
            found: dict[str, int] = {}
            for meaning in KINDS:
                pk = self._identify(meaning, row)
                if pk is not None:
                    found[meaning] = pk
            meaning = "observed_on"
            day = self._cell(meaning, row, day_in)
            meaning = "value"
            value = number_in(self._text(meaning, row))
            reason = refusal(self.instrument, value)
            if reason:
                raise BadCell(reason)
        except BadCell as problem:
            return RowProblem(row.line, self.mapping.columns.get(meaning, meaning), str(problem))
        return self._once(row, self._result(found, value, day))

    def _text(self, meaning: str, row: Row) -> str:
        at = self.index.get(meaning)
        return row.cells[at] if at is not None and at < len(row.cells) else ""

    def _cell[Value](self, meaning: str, row: Row, read: Callable[[str], Value]) -> Value | None:
        text = self._text(meaning, row)
        return read(text) if text.strip() else None

    def _identify(self, meaning: str, row: Row) -> int | None:
        """The primary key of what a cell names. Whose result it is and the term have to be named, the rest may be empty."""
        told = text_in(self._text(meaning, row))
        if not told:
            return self._unnamed(meaning)
        name = told.lower()
        kind = KINDS[meaning]
        pk: int | None = getattr(self.directory, kind).get(name)
        if pk is None:
            raise BadCell(_("No %(kind)s “%(name)s” is known in this district.") % {
                "kind": meaning, "name": told[:60]})  # fmt: skip
        if (kind, name) in self.directory.ambiguous:
            raise BadCell(_("“%(name)s” means more than one %(kind)s.") % {"kind": meaning, "name": told[:60]})
        return pk

    def _unnamed(self, meaning: str) -> int | None:
        if meaning == "term" and self.mapping.term_id is not None:
            return self.mapping.term_id
        if meaning == self.mapping.subject or meaning == "term":
            raise BadCell(_("There is no %(kind)s here.") % {"kind": meaning})
        return None

    def _result(self, found: dict[str, int], value: float, day: date | None) -> Result:
        """The result with teacher, section and school filled from the roster where the file does not name them."""
        subject, term = self.mapping.subject, found["term"]
        person = found.get(subject) if subject in ("student", "teacher") else None
        section = found.get("section")
        if section is None and subject == "student" and person is not None:
            section = self._section_of(person, term, found.get("teacher"))
        teacher = found.get("teacher") or (self.directory.teacher_of_section.get(section) if section else None)
        school = found.get("school") or (self.directory.school_of_section.get(section) if section else None)
        if school is None:
            school = self.directory.school_of_person.get(person or teacher or 0)
        return Result(
            subject=subject, term_id=term, value=value, person_id=person, teacher_id=None if subject == "school" else teacher,
            section_id=section, school_id=school, observed_on=day,
        )  # fmt: skip

    def _section_of(self, student: int, term: int, teacher: int | None) -> int | None:
        """The one section that a student had in a term (with this teacher, if one is named); nothing if there were several."""
        fitting = [
            section
            for section in self.directory.sections_of_student.get(student, ())
            if term in self.directory.terms_of_section.get(section, ())
            and (teacher is None or self.directory.teacher_of_section.get(section) == teacher)
        ]
        return fitting[0] if len(fitting) == 1 else None

    def _once(self, row: Row, result: Result) -> Result | RowProblem:
        first = self.seen.setdefault(result.place, (row.line, result.value))
        if first[0] == row.line:
            return result
        if first[1] == result.value:
            return RowProblem(row.line, "", _("Line %(line)s says the same already.") % {"line": first[0]})
        return RowProblem(row.line, "", _("Line %(line)s has another value for the same.") % {"line": first[0]})
