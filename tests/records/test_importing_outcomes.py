"""Taking results files in: what is understood, what is refused with line and reason, and that twice is once."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.storage import default_storage
from django.db import transaction
from pytest_django import DjangoCaptureOnCommitCallbacks

from staffroom.cli import moving
from staffroom.people.models import Person
from staffroom.records import actions, reading, resolving
from staffroom.records.models import Instrument, Outcome, OutcomeImport
from staffroom.records.resolving import ColumnsMapping
from tests.cast import Cast

MAPPING = {"student": "Student", "term": "Term", "value": "Score"}


@pytest.fixture
def instrument(cast: Cast) -> Instrument:
    return actions.make_instrument(
        by=cast.denise, organization=cast.district, name="District math", kind="test", scale_low=0, scale_high=100
    )


@pytest.fixture
def numbered(cast: Cast) -> Cast:
    """Leo, Mia and Noah have student numbers 1, 2, 3."""
    for number, name in enumerate(("leo", "mia", "noah"), 1):
        Person.objects.filter(pk=cast.people[name].pk).update(source_id=str(number), district=cast.district)
    return cast


def take_in(
    cast: Cast,
    instrument: Instrument,
    content: bytes | str,
    mapping: dict[str, str] | None = None,
    term_id: int | None = None,
) -> OutcomeImport:
    kept = actions.keep_file(
        by=cast.denise, organization=cast.district, name="results.csv",
        content=content.encode() if isinstance(content, str) else content,
    )  # fmt: skip
    actions.map_columns(
        by=cast.denise,
        outcome_import=kept,
        instrument=instrument,
        mapping=ColumnsMapping("student", mapping or MAPPING, term_id),
    )
    return actions.run_import(kept)


def values(**filters: object) -> dict[str, float]:
    return {each.person.given_name: each.value for each in Outcome.objects.live().filter(**filters) if each.person}


def test_a_file_becomes_outcomes_with_teacher_section_and_school(numbered: Cast, instrument: Instrument) -> None:
    done = take_in(numbered, instrument, "Student,Term,Score\n1,Fall 2026,70\n2,Fall 2026,80.5\n")
    assert (done.state, done.rows_total, done.counts["added"], done.problems) == ("done", 2, 2, [])
    assert values() == {"Leo": 70, "Mia": 80.5}
    one = Outcome.objects.live().get(person=numbered.leo)
    assert (one.teacher, one.section, one.school) == (numbered.amara, numbered.section, numbered.alder)
    assert one.outcome_import == done


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_encodings_and_separators_are_found(
    numbered: Cast, instrument: Instrument, encoding: str, separator: str
) -> None:
    text = separator.join(("Student", "Término", "Score")) + "\r\n" + separator.join(("1", "Fall 2026", "70")) + "\r\n"
    done = take_in(numbered, instrument, text.encode(encoding), {**MAPPING, "term": "Término"})
    assert (done.counts["added"], done.problems) == (1, [])


@pytest.mark.parametrize(
    ("row", "column", "words"),
    [
        ("9,Fall 2026,70", "Student", "No student “9”"),
        ("1,Winter,70", "Term", "No term"),
        (",Fall 2026,70", "Student", "no student here"),
        ("1,Fall 2026,", "Score", "no value"),
        ("1,Fall 2026,NaN", "Score", "not a number"),
        ("1,Fall 2026,inf", "Score", "not a number"),
        ("1,Fall 2026,-Infinity", "Score", "not a number"),
        ("1,Fall 2026,1e999", "Score", "not a finite number"),
        ("1,Fall 2026,=1+1", "Score", "formula"),
        ("=HYPERLINK(1),Fall 2026,70", "Student", "formula"),
        ("1,Fall 2026,100.01", "Score", "above the scale"),
        ("1,Fall 2026,-1", "Score", "below the scale"),
        ("1,Fall 2026,7O", "Score", "not a number"),
        ("1,Fall 2026,70,surplus", "", "more cells"),
        ("2,Fall 2026,50", "", "Line 2 says the same"),
        ("2,Fall 2026,51", "", "Line 2 has another value"),
    ],
)
def test_a_bad_row_is_reported_with_line_and_reason_and_the_others_arrive(
    numbered: Cast, instrument: Instrument, row: str, column: str, words: str
) -> None:
    done = take_in(numbered, instrument, f"Student,Term,Score\n2,Fall 2026,50\n\n{row}\n3,Fall 2026,60\n")
    assert (done.state, done.counts["bad"], done.rows_total) == ("done", 1, 3)
    (problem,) = done.problems
    assert (problem["line"], problem["column"]) == (4, column)
    assert words in problem["reason"]
    assert values() == {"Mia": 50, "Noah": 60}


def test_lines_are_counted_as_in_the_file_even_across_quoted_breaks(numbered: Cast, instrument: Instrument) -> None:
    done = take_in(numbered, instrument, 'Student,Term,Score,Note\n1,Fall 2026,50,"two\nlines"\n9,Fall 2026,60,\n')
    assert [problem["line"] for problem in done.problems] == [4]


def test_the_same_file_again_changes_nothing(numbered: Cast, instrument: Instrument, tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    path.write_text("student,term,score\n1,Fall 2026,70\n")
    actions.import_file(by=numbered.denise, organization=numbered.district, path=path, instrument=instrument)
    with pytest.raises(ValidationError, match="already"):
        actions.import_file(by=numbered.denise, organization=numbered.district, path=path, instrument=instrument)
    path.write_text("student,term,score\n1,Fall 2026,70\n2,Fall 2026,80\n")
    again = actions.import_file(by=numbered.denise, organization=numbered.district, path=path, instrument=instrument)
    assert (again.counts["added"], again.counts["unchanged"]) == (1, 1)
    assert Outcome.objects.count() == 2


def test_the_command_tells_what_arrived_and_what_is_wrong_with_the_rest(
    numbered: Cast,
    instrument: Instrument,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(moving, "prepared", lambda: None)
    (path := tmp_path / "fall.csv").write_text(
        "Student,Term,Score\n1,Fall 2026,70\nZ-9,Fall 2026,80\n2,Fall 2026,many\n"
    )
    moving.import_outcomes(
        Namespace(
            file=str(path), district=numbered.district.slug, by=str(numbered.denise.email), instrument="district math"
        )
    )
    told = capsys.readouterr().out
    assert "line 3, Student: No student “Z-9” is known in this district." in told
    assert "line 4, Score: “many” is not a number." in told
    assert "1 results were added, 0 corrected, 0 were there already, 2 rows could not be used." in told


def test_another_value_voids_the_old_one(numbered: Cast, instrument: Instrument) -> None:
    take_in(numbered, instrument, "Student,Term,Score\n1,Fall 2026,70\n2,Fall 2026,80\n")
    done = take_in(numbered, instrument, "Student,Term,Score\n1,Fall 2026,75\n2,Fall 2026,80\n")
    assert (done.counts["corrected"], done.counts["unchanged"]) == (1, 1)
    assert values() == {"Leo": 75, "Mia": 80}
    voiding = Outcome.objects.get(voids__isnull=False)
    assert voiding.voids is not None
    assert (voiding.voids.value, voiding.voids.is_voided) == (70, True)


def test_running_twice_is_running_once(numbered: Cast, instrument: Instrument) -> None:
    done = take_in(numbered, instrument, "Student,Term,Score\n1,Fall 2026,70\n")
    assert actions.run_import(done).counts["added"] == 1
    OutcomeImport.objects.filter(pk=done.pk).update(state="running")  # a worker died after its commit
    again = actions.run_import(OutcomeImport.objects.get(pk=done.pk))
    assert (again.state, Outcome.objects.count()) == ("failed", 1)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"   \n\n", "empty"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256)) * 20, "not a text file"),
        (b"PK\x03\x04" + bytes(500), "not a text file"),
        (b"a,a\n1,2\n", "same name"),
        (b'Student,Term,Score\n1,"Fall 2026,70\n' + b"2,Fall 2026,80\n" * 2000, "quotation mark"),
        (b"\xff\xfeA", "says that it is"),
    ],
)
def test_what_is_no_table_is_refused_in_words(numbered: Cast, content: bytes, words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        actions.keep_file(by=numbered.denise, organization=numbered.district, name="x.csv", content=content)
    assert not OutcomeImport.objects.exists()


@pytest.mark.parametrize("name", ["amara", "priya", "grace", "ruth", "rafael", "leo", "vera", "ben"])
def test_only_keepers_of_records_import(numbered: Cast, instrument: Instrument, name: str) -> None:
    with pytest.raises(PermissionDenied):
        actions.keep_file(by=numbered.people[name], organization=numbered.district, name="x.csv", content=b"a,b\n1,2\n")
    with pytest.raises(PermissionDenied):
        actions.make_instrument(by=numbered.people[name], organization=numbered.district, name="Mine", kind="test")


def test_a_keeper_cannot_use_another_districts_instrument(numbered: Cast) -> None:
    theirs = actions.make_instrument(by=numbered.vera, organization=numbered.other_district, name="Theirs", kind="test")
    with pytest.raises(PermissionDenied):
        take_in(numbered, theirs, "Student,Term,Score\n1,Fall 2026,70\n")


def test_a_preview_changes_nothing(numbered: Cast, instrument: Instrument) -> None:
    kept = actions.keep_file(
        by=numbered.denise,
        organization=numbered.district,
        name="x.csv",
        content=b"Student,Term,Score\n1,Fall 2026,70\n9,x,1\n",
    )
    actions.map_columns(
        by=numbered.denise,
        outcome_import=kept,
        instrument=instrument,
        mapping=ColumnsMapping("student", MAPPING),
        keep_as="Fall",
    )
    shown = actions.preview(kept)
    assert (shown.rows_total, shown.rows_good, shown.rows_bad, shown.low, shown.high) == (2, 1, 1, 70, 70)
    assert not Outcome.objects.exists()
    assert instrument.column_mappings.get(name="Fall").columns["columns"] == MAPPING


def test_names_of_columns_suggest_what_they_mean() -> None:
    table = reading.read_table(
        b"Student ID,Student_ID,Test Date,Scale Score,Semester,Teacher Email\n1,1,2026-09-01,5,F,a@b.c\n"
    )
    assert resolving.guess(table) == ColumnsMapping(
        "student",
        {
            "student": "Student_ID",
            "teacher": "Teacher Email",
            "term": "Semester",
            "value": "Scale Score",
            "observed_on": "Test Date",
        },
    )


@pytest.mark.parametrize(
    ("cell", "value"),
    [("12", 12), (" 12.5 ", 12.5), ("12,5", 12.5), ("1,234.5", 1234.5), ("−3", -3), ("+4", 4), ("1e2", 100)],
)
def test_numbers_as_people_write_them(cell: str, value: float) -> None:
    assert reading.number_in(cell) == value


@pytest.mark.parametrize("cell", ["2026-09-01", "9/1/2026", "09/01/26", "1.9.2026", "20260901", "2026-09-01T08:00:00Z"])
def test_days_as_people_write_them(cell: str) -> None:
    assert reading.day_in(cell).isoformat() == "2026-09-01"


def test_values_that_are_not_finite_are_refused_by_every_door(cast: Cast, instrument: Instrument) -> None:
    for value in (float("nan"), float("inf"), 101.0):
        result = actions.Result(subject="student", term_id=cast.term.pk, person_id=cast.leo.pk, value=value)
        with pytest.raises(ValidationError):
            actions.record_outcome(by=cast.denise, instrument=instrument, result=result)
    assert not Outcome.objects.exists()


def test_a_dropped_file_goes_once_its_row_is_gone_for_good(
    cast: Cast, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    content = b"Student,Term,Score\n1,Fall 2026,70\n"
    kept = actions.keep_file(by=cast.denise, organization=cast.district, name="results.csv", content=content)
    with django_capture_on_commit_callbacks() as waiting, transaction.atomic():
        actions.drop_import(by=cast.denise, outcome_import=kept)
        transaction.set_rollback(True)
    assert waiting == []
    again = OutcomeImport.objects.get()
    assert default_storage.exists(again.path)
    with django_capture_on_commit_callbacks(execute=True):
        actions.drop_import(by=cast.denise, outcome_import=again)
    assert not OutcomeImport.objects.exists()
    assert not default_storage.exists(kept.path)
