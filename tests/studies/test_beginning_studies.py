"""`staffroom study init` on headers as people write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from staffroom.knowing.studies.beginning import guessed, wide
from tests.studies.files import COLUMNS, as_csv, panel, said, study


@pytest.mark.parametrize(
    ("head", "roles"),
    [
        (
            ["Student ID ", "Teacher Name", "Building", "School Term", "Treated?", "Math Scale Score", "Reading"],
            {"student": "Student ID ", "teacher": "Teacher Name", "school": "Building", "term": "School Term",
             "treated": "Treated?", "score": "Math Scale Score"},
        ),
        (
            ["sid", "Instructor", "Campus", "year", "math", "pre-test score", "first.treat"],
            {"student": "sid", "teacher": "Instructor", "school": "Campus", "term": "year", "score": "math",
             "prior": "pre-test score", "first_treated": "first.treat"},
        ),
        (
            ["pupil", "teacher", "score", "lottery", "stratum"],
            {"student": "pupil", "teacher": "teacher", "score": "score", "assigned": "lottery", "block": "stratum"},
        ),
    ],
)  # fmt: skip
def test_odd_headers_are_recognized(head: list[str], roles: dict[str, str]) -> None:
    assert guessed(head) == roles


def test_without_a_column_for_schools_it_is_said_that_teachers_count_as_schools(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text(as_csv(panel()))
    columns = {role: name for role, name in COLUMNS.items() if role != "school"}
    code, out, err = said("run", study(tmp_path, data={"outcomes": "r.csv"}, columns=columns))
    assert (code, err) == (0, "")
    words = " ".join(out.split())
    assert "no column tells the school: each teacher counts as a school of her own" in words
    assert "that takes at least 3 schools or cohorts" in words


def test_a_column_for_each_term_is_told_to_be_a_row_for_each(tmp_path: Path) -> None:
    head = ["student", "teacher", "score_2021", "score_2022"]
    assert wide(head) == ["score_2021", "score_2022"]
    assert wide(["student", "teacher", "math", "grade 3"]) == []
    (tmp_path / "wide.csv").write_text(",".join(head) + "\ns1,T1,50,51\n")
    assert said("init", tmp_path / "wide.csv")[0] == 0
    assert "look like a column for each term. A study needs a row for each" in (tmp_path / "wide.toml").read_text()
    code, out, err = said("check", tmp_path / "wide.toml")
    assert (code, out) == (2, "")
    assert "[columns] score is empty; write the name of its column" in err
