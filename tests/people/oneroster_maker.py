"""A OneRoster file set of any size, for tests and the benchmark: a district with schools, staff, students, sections."""

from __future__ import annotations

import csv
import io
import zipfile
from dataclasses import dataclass, field

type Rows = list[list[str]]

GIVEN = "Ana Ben Chloe Dev Elif Finn Gabi Hana Ivo Jun Kofi Lena Milo Nora Omar Pia Quin Rosa Sami Tess".split()
FAMILY = "Adler Brandt Costa Diaz Evans Fisher Gupta Haddad Ito Jensen Kim Lopez Meyer Novak Okafor Park".split()
HEADERS = {
    "orgs": "sourcedId,status,dateLastModified,name,type,identifier,parentSourcedId",
    "academicSessions": "sourcedId,status,dateLastModified,title,type,startDate,endDate,parentSourcedId,schoolYear",
    "courses": "sourcedId,status,dateLastModified,schoolYearSourcedId,title,courseCode,grades,orgSourcedId,subjects,subjectCodes",
    "users 1.1": "sourcedId,status,dateLastModified,enabledUser,orgSourcedIds,role,username,userIds,givenName,familyName,"
    "middleName,identifier,email,sms,phone,agentSourcedIds,grades,password",
    "users 1.2": "sourcedId,status,dateLastModified,enabledUser,username,userIds,givenName,familyName,middleName,identifier,"
    "email,sms,phone,agentSourcedIds,grades,password,userMasterIdentifier,resourceSourcedIds,preferredGivenName,"
    "preferredMiddleName,preferredFamilyName,primaryOrgSourcedId,pronouns",
    "roles": "sourcedId,status,dateLastModified,userSourcedId,roleType,role,beginDate,endDate,orgSourcedId,userProfileSourcedId",
    "classes": "sourcedId,status,dateLastModified,title,grades,courseSourcedId,classCode,classType,location,schoolSourcedId,"
    "termSourcedIds,subjects,subjectCodes,periods",
    "enrollments": "sourcedId,status,dateLastModified,classSourcedId,schoolSourcedId,userSourcedId,role,primary,beginDate,endDate",
}  # fmt: skip


@dataclass
class FileSet:
    """Tables by name, each row a dict; `zipped()` makes the archive. Change rows, modes or `raw` before."""

    version: str = "1.2"
    modes: dict[str, str] = field(default_factory=dict)
    tables: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    raw: dict[str, bytes] = field(default_factory=dict)

    def header(self, table: str) -> list[str]:
        return HEADERS[f"users {self.version}" if table == "users" else table].split(",")

    def row(self, table: str, source_id: str) -> dict[str, str]:
        return next(row for row in self.tables[table] if row["sourcedId"] == source_id)

    def remove(self, table: str, source_id: str) -> None:
        self.tables[table].remove(self.row(table, source_id))

    def zipped(self) -> io.BytesIO:
        files = {"manifest.csv": self._manifest()} | {f"{name}.csv": self._table(name) for name in self.tables}
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in (files | self.raw).items():
                archive.writestr(name, content)
        made.seek(0)
        return made

    def _manifest(self) -> bytes:
        modes = dict.fromkeys(self.tables, "bulk") | self.modes
        lines = ["propertyName,value", "manifest.version,1.0", f"oneroster.version,{self.version}"]
        return "\n".join([*lines, *(f"file.{name},{mode}" for name, mode in modes.items())]).encode()

    def _table(self, name: str) -> bytes:
        out = io.StringIO()
        writer = csv.DictWriter(out, self.header(name), restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.tables[name])
        return out.getvalue().encode()


def make(
    *, version: str = "1.2", schools: int = 2, teachers: int = 4, students: int = 20, sections_each: int = 1
) -> FileSet:
    """A complete file set: `teachers` and `students` in all, spread over the schools; each student in `sections_each`."""
    made = FileSet(version)
    made.tables = {name.split()[0]: [] for name in HEADERS if name.split()[-1] in (name, version)}
    if version == "1.1":
        del made.tables["roles"]
    _places(made, schools)
    for number in range(teachers):
        school = f"school-{number % schools}"
        _person(made, f"t{number}", number, "teacher", school, f"t{number}@oneroster.example")
        made.tables["classes"].append({
            "sourcedId": f"class-{number}", "title": f"Class {number}", "courseSourcedId": "math", "classType": "scheduled",
            "classCode": f"C{number}", "schoolSourcedId": school, "termSourcedIds": "fall,spring",
        })  # fmt: skip
        _enroll(made, f"e-t{number}", f"class-{number}", school, f"t{number}", "teacher")
    for number in range(students):
        home = number % teachers
        school = f"school-{home % schools}"
        _person(made, f"s{number}", number, "student", school, f"s{number}@oneroster.example")
        for turn in range(sections_each):
            section = (home + turn * schools) % teachers
            _enroll(made, f"e-s{number}-{turn}", f"class-{section}", school, f"s{number}", "student")
    return made


def _places(made: FileSet, schools: int) -> None:
    made.tables["orgs"] = [{"sourcedId": "district", "name": "OneRoster District", "type": "district"}] + [
        {"sourcedId": f"school-{n}", "name": f"School {n}", "type": "school", "parentSourcedId": "district"}
        for n in range(schools)
    ]
    made.tables["academicSessions"] = [
        {"sourcedId": "year", "title": "2026-27", "type": "schoolYear", "startDate": "2026-08-20",
         "endDate": "2027-06-11", "schoolYear": "2027"},
        {"sourcedId": "fall", "title": "Fall", "type": "semester", "startDate": "2026-08-20", "endDate": "2027-01-16",
         "parentSourcedId": "year", "schoolYear": "2027"},
        {"sourcedId": "spring", "title": "Spring", "type": "semester", "startDate": "2027-01-16",
         "endDate": "2027-06-11", "parentSourcedId": "year", "schoolYear": "2027"},
    ]  # fmt: skip
    made.tables["courses"] = [
        {"sourcedId": "math", "title": "Mathematics 5", "courseCode": "M5", "grades": "05", "orgSourcedId": "district",
         "subjects": "Mathematics"}
    ]  # fmt: skip


def _person(made: FileSet, key: str, number: int, role: str, school: str, email: str) -> None:
    row = {
        "sourcedId": key, "enabledUser": "true", "username": key, "givenName": GIVEN[number % len(GIVEN)],
        "familyName": FAMILY[number // len(GIVEN) % len(FAMILY)], "email": email,
    }  # fmt: skip
    if made.version == "1.1":
        row |= {"orgSourcedIds": school, "role": role}
    else:
        made.tables["roles"].append(
            {"sourcedId": f"r-{key}", "userSourcedId": key, "roleType": "primary", "role": role, "orgSourcedId": school}
        )
    made.tables["users"].append(row)


def _enroll(made: FileSet, key: str, section: str, school: str, person: str, role: str) -> None:
    made.tables["enrollments"].append({
        "sourcedId": key, "classSourcedId": section, "schoolSourcedId": school, "userSourcedId": person, "role": role,
        "primary": str(role == "teacher").lower(), "beginDate": "2026-08-20", "endDate": "2027-06-11",
    })  # fmt: skip
