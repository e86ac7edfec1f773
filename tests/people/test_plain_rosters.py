"""Taking a plain table, for a school without OneRoster."""

from __future__ import annotations

import csv
import io

from django.utils import timezone

from staffroom.people import queries
from staffroom.people.actions import import_roster
from staffroom.people.models import Membership, Organization, Person, Role, RosterImport, Section
from staffroom.people.rosters import plain
from tests.cast import Cast


def table(*rows: str, header: str = ",".join(plain.COLUMNS)) -> io.BytesIO:
    return io.BytesIO("\n".join([header, *rows]).encode())


def take(cast: Cast, *rows: str, header: str = ",".join(plain.COLUMNS)) -> RosterImport:
    return import_roster(
        by=cast.omar, district=cast.district, path_or_file=table(*rows, header=header), name="ours.csv",
        may_end_most=True,
    )  # fmt: skip


def template() -> list[str]:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(plain.EXAMPLES)
    return out.getvalue().splitlines()


def test_the_template_itself_can_be_taken(cast: Cast) -> None:
    done = take(cast, *template())
    assert (done.state, done.layout, done.problems.count()) == ("done", "plain CSV", 0)
    section = Section.objects.get(title="Math 5 room 12")
    assert section.school == cast.alder
    assert section.course is not None
    assert {student.given_name for student in queries.students_of(section)} == {"Leo", "Mia"}
    assert [teacher.email for teacher in queries.teachers_of(section)] == ["amara@school.example"]
    leader = Person.objects.get(email="grace@school.example")
    assert [held.role for held in queries.memberships_of(leader)] == [Role.SCHOOL_LEADER]


def test_an_aide_belongs_to_the_school(cast: Cast) -> None:
    take(cast, *template(), "Alder Elementary,aide,T-20,Ola,Berg,ola@school.example,Math 5 room 12,Mathematics 5")
    aide = Person.objects.get(email="ola@school.example")
    assert [(held.role, held.organization) for held in queries.memberships_of(aide)] == [(Role.AIDE, cast.alder)]
    assert queries.sections_of(aide).get().title == "Math 5 room 12"


def test_the_same_table_again_changes_nothing(cast: Cast) -> None:
    take(cast, *template())
    assert take(cast, *template()).counts["done"] == {}


def test_headings_may_be_written_as_people_write_them(cast: Cast) -> None:
    header = "School,ROLE,Person ID,Given name,Family-Name,Email,Section"
    done = take(cast, "New School,Teacher,T9,Ada,Bell,ada@school.example,Math 1", header=header)
    assert done.problems.count() == 0
    assert Organization.objects.get(name="New School").parent == cast.district


def test_whoever_is_missing_has_left_that_school_and_no_other(cast: Cast) -> None:
    other = "Birch Elementary,student,S-900,Uma,Stone,,Math 1,"
    take(cast, *template(), other)
    take(cast, *template()[:3])
    gone = Person.objects.get(source_id="plain:S-202")
    assert gone.enrollments.get().ends_on == gone.memberships.get().ends_on == timezone.localdate()
    assert queries.memberships_of(Person.objects.get(source_id="plain:S-900"))
    assert Membership.objects.filter(person=cast.amara, ends_on=None).exists()


def test_as_long_as_a_row_is_bad_nobody_has_left(cast: Cast) -> None:
    take(cast, *template())
    done = take(cast, *template()[:3], "Alder Elementary,wizard,S-202,Mia,Santos,,,")
    assert [(problem.line, problem.column) for problem in done.problems.all()] == [(5, "role")]
    assert Person.objects.get(source_id="plain:S-202").enrollments.get().ends_on is None


def test_bad_rows_are_told_with_line_and_column(cast: Cast) -> None:
    done = take(
        cast,
        ",teacher,T1,Ada,Bell,ada@school.example,,",
        "Alder Elementary,student,,No,Id,,,",
        "Alder Elementary,teacher,T2,Ada,Bell,nowhere,,",
        "Alder Elementary,teacher,T3,Ada,Bell,a@b.example,,",
        "Alder Elementary,teacher,T3,Eve,Bell,a@b.example,,",
        "Alder Elementary,coach,T4,Cy,Bell,cy@b.example,Math,",
    )
    assert [(problem.line, problem.column) for problem in done.problems.all()] == [
        (2, "school"), (3, "person_id"), (4, "email"), (6, "person_id"), (7, "section"),
    ]  # fmt: skip
