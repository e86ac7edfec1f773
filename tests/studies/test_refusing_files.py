"""Files that cannot be counted on are refused with one sentence that names file, column and row; never a trace."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow
import pyarrow.parquet as parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from staffroom.knowing.studies import Refused, reading
from tests.studies.files import COLUMNS, as_csv, panel, said, study

ROWS = panel(teachers=30, terms=4, students=2)
GOOD = as_csv(ROWS)


def with_score(value: str, row: int = 7) -> str:
    return as_csv([[*each[:5], value] if place == row else each for place, each in enumerate(ROWS)])


def complaint(
    folder: Path, content: str | bytes, *, columns: dict[str, str] | None = None, name: str = "results.csv"
) -> str:
    """What is said of a file of results; asserts that it is one line, without a trace, and nothing else is printed."""
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    code, out, err = said("run", study(folder, data={"outcomes": name}, columns=columns))
    assert code == 2
    assert out == ""
    assert err.startswith("staffroom: ")
    assert err.count("\n") == 1
    return err.removeprefix("staffroom: ").strip()


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("abc", "“abc” is not a number"),
        ("=1+1", "“=1+1” is a formula, not a value"),
        ("@SUM(A1)", "“@SUM(A1)” is a formula, not a value"),
        ("inf", "“inf” is not a finite number of any use"),
        ("-1e999", "“-inf” is not a finite number of any use"),
        ("9" * 300, "“1e+300” is not a finite number of any use"),
        ("1.2.3", "“1.2.3” is not a number"),
        ("12,5", "“12,5” is not a number"),
    ],
)
def test_a_cell_that_is_no_number_is_named_by_file_column_and_row(tmp_path: Path, value: str, words: str) -> None:
    assert complaint(tmp_path, with_score(value)) == f"results.csv, column score, row 9: {words}"


def test_a_formula_in_a_name_is_refused_too(tmp_path: Path) -> None:
    rows = [[each[0], "=cmd()", *each[2:]] if place == 3 else each for place, each in enumerate(ROWS)]
    assert complaint(tmp_path, as_csv(rows)) == "results.csv, column teacher, row 5: “=cmd()” is a formula, not a value"


def test_a_student_who_stands_twice_is_named_with_both_rows(tmp_path: Path) -> None:
    text = complaint(tmp_path, as_csv([*ROWS, ROWS[0]]))
    assert "the same student stands twice with the same teacher and term" in text
    assert f"student s0-0, teacher T0, term 2001 (rows 2 and {len(ROWS) + 2})" in text


def test_rows_of_other_lengths_and_open_quotation_marks_are_refused(tmp_path: Path) -> None:
    assert (
        complaint(tmp_path, GOOD + "1,2,3\n")
        == f"results.csv: row {len(ROWS) + 2} has 3 columns where the header has 6"
    )
    assert "quotation mark" in complaint(tmp_path, GOOD.replace("s29-1,T29,C5,2004,2004,", 's29-1,T29,C5,2004,2004,"'))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "results.csv is empty"),
        (b"\n\r\n  \n", "results.csv is empty"),
        (b"student,teacher,school,term,first,score\n", "results.csv has a header but no rows"),
        (bytes(2000), "results.csv is not a table of text: it holds zero bytes"),
        (gzip.compress(b"0" * 10_000_000), "results.csv is a gzip archive; unpack it, or save it as CSV or Parquet"),
        (b"PAR1garbagePAR1", "results.csv is not a whole Parquet file"),
        (b"%PDF-1.7", "results.csv is a PDF document"),
    ],
)
def test_what_is_no_table_is_said_to_be_none(tmp_path: Path, content: bytes, words: str) -> None:
    assert complaint(tmp_path, content).startswith(words)


def test_a_zip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("results.csv", "0" * 50_000_000)
    assert "is a zip archive or an Excel workbook" in complaint(tmp_path, packed.getvalue())


def test_a_file_that_is_missing_or_a_folder_is_said_to_be_so(tmp_path: Path) -> None:
    _, _, err = said("run", study(tmp_path, data={"outcomes": "nowhere.csv"}))
    assert "nowhere.csv does not exist" in err
    (tmp_path / "folder").mkdir()
    _, _, err = said("run", study(tmp_path, data={"outcomes": "folder"}))
    assert "is a folder without Parquet files" in err
    code, _, err = said("run", tmp_path)
    assert code == 2
    assert "is a folder; name the study's TOML file" in err
    code, _, err = said("run", study(tmp_path, data={"outcomes": "~nobody-of-that-name/r.csv"}))
    assert code == 2
    assert "there is nobody here whose folder “~nobody-of-that-name/r.csv” could be" in err


def test_a_column_that_is_not_there_is_told_with_the_nearest(tmp_path: Path) -> None:
    text = complaint(tmp_path, GOOD, columns={**COLUMNS, "score": "scores"})
    assert text == "results.csv has no column “scores”; did you mean “score”?"
    twice = GOOD.replace("first,score", "score,score", 1)
    assert complaint(tmp_path, twice, columns={**COLUMNS, "first_treated": "term"}) == (
        "results.csv has 2 columns named “score”; give each its own name"
    )


def test_taking_part_that_differs_within_a_class_is_refused(tmp_path: Path) -> None:
    rows = [[*each[:4], 2003 if place % 2 else 2004, each[5]] for place, each in enumerate(ROWS)]
    assert "differs among the students of teacher “T0” in term 2001 (2003 and 2004)" in complaint(
        tmp_path, as_csv(rows)
    )


def test_a_first_term_that_is_no_term_is_refused(tmp_path: Path) -> None:
    rows = [[*each[:4], "soon", each[5]] for each in ROWS]
    text = complaint(tmp_path, as_csv(rows))
    assert text.startswith(
        "results.csv: the first term “soon” is not one of the terms of the outcomes (2001, 2002, 2003, 2004)"
    )


def test_minus_one_is_no_term_unless_it_is_said_to_mean_never(tmp_path: Path) -> None:
    rows = [[*each[:4], each[4] or -1, each[5]] for each in ROWS]
    assert "the first term “-1” is not one of the terms" in complaint(tmp_path, as_csv(rows))
    path = study(tmp_path, data={"outcomes": "results.csv"}, study={"never": [-1]})
    assert said("check", path)[0] == 0


def test_parquet_with_infinite_numbers_or_lists_is_refused(tmp_path: Path) -> None:
    columns = {name: [row[place] for row in ROWS] for place, name in enumerate(COLUMNS.values()) if name != "first"}
    columns |= {"first": [row[4] for row in ROWS], "score": [float(row[5]) for row in ROWS]}
    columns |= {
        "student": [row[0] for row in ROWS],
        "teacher": [row[1] for row in ROWS],
        "school": [row[2] for row in ROWS],
    }
    columns |= {"term": [row[3] for row in ROWS]}
    columns["score"][12] = float("inf")
    parquet.write_table(pyarrow.table(columns), tmp_path / "results.parquet")
    _, _, err = said("run", study(tmp_path, data={"outcomes": "results.parquet"}))
    assert err == "staffroom: results.parquet, column score, row 13: an infinite number\n"
    columns["score"] = [[1.0]] * len(ROWS)
    parquet.write_table(pyarrow.table(columns), tmp_path / "results.parquet")
    _, _, err = said("run", study(tmp_path, data={"outcomes": "results.parquet"}))
    assert "results.parquet, column score: holds list" in err


def test_a_parquet_file_that_was_cut_off_is_refused(tmp_path: Path) -> None:
    parquet.write_table(pyarrow.table({"teacher": ["a"] * 5000, "score": [1.0] * 5000}), tmp_path / "results.parquet")
    whole = (tmp_path / "results.parquet").read_bytes()
    (tmp_path / "results.parquet").write_bytes(whole[: len(whole) // 2])
    _, _, err = said(
        "run", study(tmp_path, data={"outcomes": "results.parquet"}, columns={"teacher": "teacher", "score": "score"})
    )
    assert "results.parquet is not a whole Parquet file" in err


def test_a_device_without_an_end_is_not_read(tmp_path: Path) -> None:
    assert said("run", "/dev/zero")[::2] == (2, "staffroom: /dev/zero is not a file\n")
    assert said("pool", "/dev/zero", "/dev/zero")[::2] == (2, "staffroom: /dev/zero is not a file\n")
    assert said("init", "/dev/zero", "--to", tmp_path / "a.toml")[::2] == (2, "staffroom: /dev/zero is not a file\n")


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        ("x = [", "study.toml: "),
        ("[colums]\na = 'b'\n", "“colums” is not known; did you mean “columns”?"),
        ("[data]\noutcomes = 'r.csv'\n[columns]\ntecher = 't'\n", "“techer” is not known; did you mean “teacher”?"),
        ("[data]\noutcomes = 'r.csv'\n[study]\nsmallest_efect = 1\n", "did you mean “smallest_effect”?"),
        ("[data]\noutcomes = 3\n", "[data] outcomes must be the path of a file"),
        ("[data]\ncosts = 'c.csv'\n", "[data] must name outcomes"),
        ("[data]\noutcomes = 'r.csv'\n[columns]\nscore = 's'\n", "[columns] must name teacher"),
        (
            "[data]\noutcomes = 'r.csv'\n[columns]\nteacher = 't'\nscore = 's'\n[estimate]\nlevel = 95\n",
            "level must lie between",
        ),
        (
            "[data]\noutcomes = 'r.csv'\n[columns]\nteacher = 't'\nscore = 's'\n[study]\nsmallest_effect = nan\n",
            "number above 0",
        ),
        ("data = 3\n", "[data] must be a table"),
    ],
)
def test_a_study_that_is_not_as_it_should_be_is_refused(tmp_path: Path, toml: str, words: str) -> None:
    path = tmp_path / "study.toml"
    path.write_text(toml, encoding="utf-8")
    code, _, err = said("run", path)
    assert code == 2
    assert words in err
    assert err.count("\n") == 1


@settings(max_examples=120, deadline=None)
@given(st.binary(max_size=300) | st.text(alphabet="a,b;\n\r\"'=1.5\t|\ufeff é", max_size=200).map(str.encode))
def test_whatever_bytes_a_file_holds_it_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    folder = tmp_path_factory.mktemp("fuzz")
    for head in (b"", b"teacher,score\n", b"PAR1", b"\xff\xfe"):
        (folder / "results").write_bytes(head + content)
        scratch = folder / f"scratch{len(head)}"
        scratch.mkdir(exist_ok=True)
        words = reading.Wanted(("teacher",), ("score",))
        found = refused(lambda: reading.made_readable(folder / "results", words, scratch))  # noqa: B023
        if isinstance(found, Refused):
            assert "\n" not in str(found)
        else:
            assert parquet.read_table(found.files[0]).num_rows == found.rows


def refused(deed: Callable[[], reading.Readable]) -> reading.Readable | Refused:
    try:
        return deed()
    except Refused as refusal:
        return refusal


@settings(max_examples=60, deadline=None)
@given(
    st.binary(max_size=400) | st.text(alphabet="[]\"'=#\n abcdataoutcomesteacher.csv0123", max_size=200).map(str.encode)
)
def test_whatever_a_toml_file_holds_it_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.mktemp("toml") / "study.toml"
    path.write_bytes(content)
    code, _, err = said("run", path)
    assert code == 2
    assert "Traceback" not in err
