"""Taking a OneRoster file set: what it brings, again, in part, and with bad rows."""

from __future__ import annotations

import io
from datetime import date
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.storage import default_storage
from django.utils import timezone

from staffroom.people import queries, rules
from staffroom.people.actions import import_roster, receive_roster, take_roster
from staffroom.people.models import (
    Course,
    Enrollment,
    Membership,
    Organization,
    Person,
    Role,
    RosterImport,
    Section,
    Term,
)
from staffroom.people.rosters.roster import RosterRefused
from tests.cast import Cast, gather
from tests.people.oneroster_maker import FileSet, make

TABLES = (Organization, Person, Membership, Term, Course, Section, Section.terms.through, Enrollment)


def take(cast: Cast, files: FileSet, **options: Any) -> RosterImport:
    return import_roster(by=cast.omar, district=cast.district, path_or_file=files.zipped(), name="r.zip", **options)


def rows() -> dict[str, list[dict[str, Any]]]:
    return {model.__name__: list(model._default_manager.order_by("pk").values()) for model in TABLES}


def person(source_id: str) -> Person:
    return Person.objects.get(source_id=source_id)


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_a_file_set_brings_schools_people_sections_and_terms(cast: Cast, version: str) -> None:
    done = take(cast, make(version=version))
    assert (done.state, done.layout, done.problems.count()) == ("done", f"OneRoster {version}", 0)
    assert done.counts["found"] == {
        "schools": 2, "staff": 4, "students": 20, "sections": 4, "enrollments": 24, "problems": 0, "skipped": 0,
    }  # fmt: skip
    school = Organization.objects.get(source_id="school-0")
    assert (school.parent, school.kind, school.path) == (cast.district, "school", f"{cast.district.path}{school.pk}/")
    teacher = person("t0")
    assert [(held.role, held.organization) for held in queries.memberships_of(teacher)] == [(Role.TEACHER, school)]
    section = Section.objects.get(source_id="class-0")
    assert list(queries.teachers_of(section)) == [teacher]
    assert queries.students_of(section, on=date(2026, 9, 1)).count() == 5
    assert [(term.name, term.begins_on, term.ends_on) for term in section.terms.all()] == [
        ("Fall", date(2026, 8, 20), date(2027, 1, 15)),
        ("Spring", date(2027, 1, 16), date(2027, 6, 10)),
    ]


def test_students_come_without_address_and_nobody_with_a_password(cast: Cast) -> None:
    take(cast, make())
    assert person("s3").email is None
    assert person("t3").email == "t3@oneroster.example"
    assert not any(one.has_usable_password() for one in Person.objects.filter(district=cast.district))


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_the_same_file_set_again_changes_no_row(cast: Cast, version: str) -> None:
    take(cast, make(version=version))
    before = rows()
    again = take(cast, make(version=version))
    assert rows() == before
    assert again.counts["done"] == {}


def test_what_changed_is_changed_and_keeps_its_row(cast: Cast) -> None:
    files = make()
    take(cast, files)
    before = person("t1")
    files.row("users", "t1").update(familyName="Newname", email="new@oneroster.example", enabledUser="false")
    files.row("classes", "class-1").update(title="Renamed", termSourcedIds="fall")
    files.row("orgs", "school-1").update(name="School renamed")
    files.row("enrollments", "e-s0-0").update(endDate="2026-12-01")
    done = take(cast, files)
    after = person("t1")
    assert (after.pk, after.key, after.password) == (before.pk, before.key, before.password)
    assert (after.family_name, after.email, after.is_active) == ("Newname", "new@oneroster.example", False)
    section = Section.objects.get(source_id="class-1")
    assert (section.title, [term.name for term in section.terms.all()]) == ("Renamed", ["Fall"])
    assert Organization.objects.get(source_id="school-1").name == "School renamed"
    assert done.counts["done"] == {
        "enrollments_changed": 1, "persons_changed": 1, "schools_changed": 1, "sections_changed": 1,
    }  # fmt: skip


def test_two_people_may_exchange_their_addresses(cast: Cast) -> None:
    files = make()
    take(cast, files)
    files.row("users", "t0")["email"], files.row("users", "t1")["email"] = (
        "t1@oneroster.example",
        "t0@oneroster.example",
    )
    done = take(cast, files)
    assert [problem.reason for problem in done.problems.all()] == []
    assert (person("t0").email, person("t1").email) == ("t1@oneroster.example", "t0@oneroster.example")


def test_an_address_named_twice_goes_to_the_first(cast: Cast) -> None:
    files = make()
    files.row("users", "t1")["email"] = "t0@oneroster.example"
    done = take(cast, files)
    assert (person("t0").email, person("t1").email) == ("t0@oneroster.example", None)
    assert [problem.column for problem in done.problems.all()] == ["email"]


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_whoever_is_missing_in_bulk_has_left_and_is_kept(cast: Cast, version: str) -> None:
    files = make(version=version)
    take(cast, files)
    files.remove("users", "s0")
    files.remove("enrollments", "e-s0-0")
    if version == "1.2":
        files.remove("roles", "r-s0")
    take(cast, files)
    gone = person("s0")
    assert [held.ends_on for held in gone.memberships.all()] == [timezone.localdate()]
    assert [enrolled.ends_on for enrolled in gone.enrollments.all()] == [timezone.localdate()]
    assert queries.memberships_of(person("s1"))
    before = rows()
    take(cast, files)
    assert rows() == before


def test_whoever_comes_back_has_their_role_again(cast: Cast) -> None:
    files, without = make(), make()
    without.remove("users", "s0")
    without.remove("roles", "r-s0")
    without.remove("enrollments", "e-s0-0")
    for each in (files, without, files):
        take(cast, each)
    assert queries.memberships_of(person("s0"))
    assert person("s0").enrollments.get().ends_on == date(2027, 6, 11)


def test_roles_given_by_people_outlive_rosters(cast: Cast) -> None:
    take(cast, make(), may_end_most=True)
    assert queries.is_in(Person.objects.get(pk=cast.priya.pk), cast.alder, Role.COACH)
    assert queries.is_in(Person.objects.get(pk=cast.leo.pk), cast.alder, Role.STUDENT)
    assert Enrollment.objects.filter(section=cast.section, ends_on=None).count() == 5


def test_a_delta_touches_only_what_it_names(cast: Cast) -> None:
    files = make()
    take(cast, files)
    before = rows()
    delta = make()
    delta.tables = {
        "users": [files.row("users", "s1") | {"givenName": "Other", "status": "active"}],
        "roles": [files.row("roles", "r-s2") | {"status": "tobedeleted"}],
        "enrollments": [
            files.row("enrollments", "e-s3-0") | {"status": "tobedeleted"},
            files.row("enrollments", "e-s4-0") | {"sourcedId": "new", "userSourcedId": "s5", "status": "active"},
        ],
    }
    delta.modes = dict.fromkeys(delta.tables, "delta")
    done = take(cast, delta)
    assert (done.is_delta, done.problems.count()) == (True, 0)
    assert done.counts["done"] == {
        "enrollments_ended": 1, "enrollments_made": 1, "persons_changed": 1, "roles_ended": 1,
    }  # fmt: skip
    assert person("s1").given_name == "Other"
    assert not queries.memberships_of(person("s2"))
    unchanged = {row["id"] for row in before["Membership"]} - {person("s2").memberships.get().pk}
    assert all(row in rows()["Membership"] for row in before["Membership"] if row["id"] in unchanged)


def test_a_delta_of_1_1_ends_everything_of_a_user_to_be_deleted(cast: Cast) -> None:
    files = make(version="1.1")
    take(cast, files)
    delta = make(version="1.1")
    delta.tables = {"users": [files.row("users", "s1") | {"status": "tobedeleted"}]}
    delta.modes = {"users": "delta"}
    done = take(cast, delta)
    assert done.counts["done"] == {"enrollments_ended": 1, "roles_ended": 1}
    assert not queries.memberships_of(person("s1"))


def test_bad_rows_are_reported_with_file_line_column_and_reason_and_the_others_taken(cast: Cast) -> None:
    files = make()
    files.row("users", "t1")["email"] = "no address"
    files.row("users", "s7")["givenName"] = " "
    files.row("users", "s8")["enabledUser"] = "maybe"
    files.row("orgs", "school-1")["name"] = "x" * 300
    files.row("enrollments", "e-s1-0")["beginDate"] = "20th of August"
    files.row("enrollments", "e-s2-0").update(beginDate="2026-09-02", endDate="2026-09-01")
    files.row("classes", "class-2")["termSourcedIds"] = "never"
    files.row("roles", "r-s4")["role"] = "wizard"
    files.tables["users"].append(files.row("users", "s9"))
    done = take(cast, files)
    found = {(each.file, each.line, each.column) for each in done.problems.all()}
    assert {
        ("users.csv", 3, "email"),
        ("users.csv", 13, "givenName"),
        ("users.csv", 14, "enabledUser"),
        ("users.csv", 26, "sourcedId"),
        ("orgs.csv", 4, "name"),
        ("classes.csv", 4, "termSourcedIds"),
        ("roles.csv", 10, "role"),
    } <= found
    assert all(each.reason and each.line for each in done.problems.all())
    assert not Person.objects.filter(source_id="s7").exists()
    assert Person.objects.filter(source_id="s0").exists()


def test_a_bad_row_ends_nothing_of_what_it_names(cast: Cast) -> None:
    files = make()
    take(cast, files)
    files.row("users", "s0")["givenName"] = ""
    files.row("enrollments", "e-s5-0")["beginDate"] = "soon"
    done = take(cast, files)
    assert done.problems.count() == 4  # the user, their role, their enrollment; the other enrollment
    assert queries.memberships_of(person("s0"))
    assert person("s0").enrollments.get().ends_on == person("s5").enrollments.get().ends_on == date(2027, 6, 11)


def test_guardians_and_rights_over_the_system_do_not_come_by_roster(cast: Cast) -> None:
    files = make()
    files.row("roles", "r-s0")["role"] = "guardian"
    files.remove("enrollments", "e-s0-0")
    files.row("roles", "r-t0")["role"] = "systemAdministrator"
    files.row("roles", "r-t1")["role"] = "principal"
    done = take(cast, files)
    assert not Person.objects.filter(source_id="s0").exists()
    assert done.counts["found"]["skipped"] == 1
    assert not queries.memberships_of(person("t0"))
    assert [held.role for held in queries.memberships_of(person("t1"))] == [Role.SCHOOL_LEADER]
    assert not Membership.objects.filter(role=Role.ADMINISTRATOR, source_id__gt="").exists()


def test_a_teacher_who_was_here_before_is_recognized_by_address(cast: Cast) -> None:
    files = make()
    files.row("users", "t0")["email"] = "Amara@riverbend.example"
    done = take(cast, files)
    cast.amara.refresh_from_db()
    assert (cast.amara.source_id, done.counts["done"]["persons_recognized"]) == ("t0", 1)


def test_a_roster_cannot_reach_a_person_of_another_district(cast: Cast) -> None:
    files = make()
    files.row("users", "t0")["email"] = cast.vera.email
    done = take(cast, files)
    before = (cast.vera.source_id, cast.vera.given_name)
    cast.vera.refresh_from_db()
    assert (cast.vera.source_id, cast.vera.given_name) == before
    assert [(each.column, "somebody else" in each.reason) for each in done.problems.all()] == [("email", True)]


def test_a_roster_cannot_change_the_address_of_an_account_in_use(cast: Cast) -> None:
    files = make()
    take(cast, files)
    teacher = person("t0")
    teacher.set_password("a-password-of-her-own")
    teacher.save()
    files.row("users", "t0")["email"] = "thief@oneroster.example"
    done = take(cast, files)
    teacher.refresh_from_db()
    assert teacher.email == "t0@oneroster.example"
    assert done.problems.count() == 1


def test_a_roster_that_would_end_most_roles_asks_first(cast: Cast) -> None:
    take(cast, make(students=40))
    before = rows()
    small = make(students=5)
    with pytest.raises(RosterRefused, match="would end 35 of 44 roles"):
        take(cast, small)
    assert rows() == before
    assert RosterImport.objects.first().state == "failed"  # type: ignore[union-attr]
    assert take(cast, small, may_end_most=True).counts["done"]["roles_ended"] == 35


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_aides_belong_to_their_school_and_are_no_teachers(cast: Cast, version: str) -> None:
    files = make(version=version)
    if version == "1.1":
        files.row("users", "t1")["role"] = "aide"
    else:
        files.row("roles", "r-t1")["role"] = "aide"
    files.row("enrollments", "e-t1")["role"] = "aide"
    take(cast, files)
    aide = Person.objects.get(source_id="t1")
    assert list(aide.memberships.values_list("role", "organization__source_id")) == [("aide", "school-1")]
    assert queries.sections_of(aide).get().source_id == "class-1"
    assert queries.district_of(aide) == cast.district
    assert aide.email, "aides are staff"
    assert not rules.teaches_anywhere(aide)
    assert aide in queries.people_for(cast.denise)


def test_whoever_helps_in_a_section_without_any_role_is_an_aide_of_its_school(cast: Cast) -> None:
    files = make()
    files.remove("roles", "r-t1")
    files.row("enrollments", "e-t1")["role"] = "aide"
    take(cast, files)
    aide = Person.objects.get(source_id="t1")
    assert list(aide.memberships.values_list("role", "organization__source_id")) == [("aide", "school-1")]
    assert take(cast, files).counts["done"] == {}, "and stays it"
    files.remove("enrollments", "e-t1")
    take(cast, files)
    assert queries.memberships_of(Person.objects.get(source_id="t1")) == []


def test_a_roster_killed_while_writing_leaves_nothing_and_can_be_taken_again(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    from staffroom.people.actions import roster_writing

    files = make()
    before = rows()
    waiting = receive_roster(by=cast.omar, district=cast.district, name="r.zip", file=files.zipped())

    def killed(writer: roster_writing.Writer) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(roster_writing.Writer, "_write_enrollments", killed)
        with pytest.raises(KeyboardInterrupt):
            take_roster(waiting)
    assert rows() == before
    take_roster(RosterImport.objects.get(pk=waiting.pk))
    once = rows()
    take(cast, files)
    assert rows() == once


@pytest.mark.django_db(transaction=True)
def test_the_file_is_gone_once_it_is_in_the_tables() -> None:
    cast = gather()
    waiting = receive_roster(by=cast.omar, district=cast.district, name="r.zip", file=make().zipped())
    assert default_storage.exists(waiting.path)
    take_roster(waiting)
    assert not default_storage.exists(waiting.path)


def test_progress_is_told_while_reading(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    from staffroom.people.rosters import tables

    monkeypatch.setattr(tables, "EVERY", 10)
    seen: list[tuple[int, int]] = []
    original = RosterImport.objects.filter

    def watched(*args: Any, **kwargs: Any) -> Any:
        found = original(*args, **kwargs)
        seen.extend(found.values_list("rows_done", "rows_total"))
        return found

    waiting = receive_roster(by=cast.omar, district=cast.district, name="r.zip", file=make().zipped())
    monkeypatch.setattr(RosterImport.objects, "filter", watched)
    done = take_roster(waiting)
    steps = [step for step, total in seen if total]
    assert steps == sorted(steps)
    assert len(set(steps)) > 5
    assert done.rows_done == done.rows_total


def test_only_administrators_of_the_district_take_rosters(cast: Cast) -> None:
    for stranger in (cast.amara, cast.grace, cast.denise, cast.vera, cast.ruth):
        with pytest.raises(PermissionDenied):
            import_roster(by=stranger, district=cast.district, path_or_file=make().zipped())
    assert not RosterImport.objects.exists()


def test_a_school_already_here_by_name_is_the_same_school(cast: Cast) -> None:
    files = make()
    files.row("orgs", "school-0")["name"] = "alder elementary"
    take(cast, files)
    cast.alder.refresh_from_db()
    assert (cast.alder.source_id, cast.alder.name) == ("school-0", "alder elementary")


def test_a_table_with_a_byte_order_mark_and_windows_lines_is_read(cast: Cast) -> None:
    files = make()
    marked = b"\xef\xbb\xbf" + files._table("users").replace(b"\n", b"\r\n")
    files.raw["users.csv"] = marked
    assert take(cast, files).problems.count() == 0


def test_an_empty_file_is_refused(cast: Cast) -> None:
    with pytest.raises(RosterRefused, match="empty"):
        import_roster(by=cast.omar, district=cast.district, path_or_file=io.BytesIO())
