"""Lots drawn among students, from files: in the outcomes or in a file of their own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.studies.files import as_csv, said, study

HEAD = ("pupil", "instructor", "campus", "year", "pretest", "result", "won", "attended", "grade")
COLUMNS = {
    "student": "pupil", "teacher": "instructor", "school": "campus", "term": "year", "prior": "pretest", "score": "result",
    "assigned": "won", "block": "grade",
}  # fmt: skip


def rows(seed: int = 1, *, students: int = 240, terms: int = 1) -> list[list[Any]]:
    """Students of 12 teachers in 4 schools, drawn within grades; nine in ten of the drawn attended, scores 0.5 higher."""
    rng = np.random.default_rng(seed)
    listed: list[list[Any]] = []
    for student in range(students):
        teacher, grade, prior = student % 12, 6 + student % 2, rng.normal()
        won = int(rng.random() < 0.5)
        came = int(won and rng.random() < 0.9)
        for term in range(terms):
            after = came and (terms == 1 or term > 0)
            score = 50 + 0.6 * prior + 0.5 * after + rng.normal()
            listed.append(
                [f"p{student}", f"T{teacher}", f"C{teacher % 4}", f"20{24 + term}-{25 + term}", round(prior, 4),
                 round(score, 4), won, int(after), grade]
            )  # fmt: skip
    return listed


def answered(folder: Path, **tables: Any) -> dict[str, Any]:
    code, out, err = said("run", study(folder, data=tables.pop("data", {"outcomes": "r.csv"}), **tables), "--json")
    assert (code, err) == (0, "")
    found: dict[str, Any] = json.loads(out)
    return found


def test_students_who_were_drawn_are_compared_with_those_who_were_not(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text(as_csv(rows(), HEAD))
    found = answered(tmp_path, columns=COLUMNS | {"treated": "attended"})
    assert found["estimator"] == "randomized"
    assert found["decision"][0].startswith("Which students took part was drawn by lot")
    n = found["n"]
    assert (n["students"], n["clusters"], n["teachers"], n["schools"]) == (240, 240, 12, 4)
    assert found["effect"]["method"] == "CR2"
    assert found["effect"]["low"] < 0.5 / found["comparison_sd"] < found["effect"]["high"]
    assert found["sentence"].startswith("Students who were drawn scored")
    assert found["beside"]["complier"]["sd"] > found["effect"]["sd"]
    assert found["details"]["take_up"]["drawn"] == pytest.approx(0.9, abs=0.06)
    assert {line["group"] for line in found["replicability"]["by_site"]} == {"C0", "C1", "C2", "C3"}


def test_a_file_of_draws_may_name_students(tmp_path: Path) -> None:
    listed = rows(2)
    without = [[*row[:6], *row[7:]] for row in listed]
    (tmp_path / "r.csv").write_text(as_csv(without, HEAD[:6] + HEAD[7:]))
    draws = [[row[0], row[6], row[8]] for row in listed] + [["gone", 1, 6], ["lost", 0, 7]]
    (tmp_path / "draw.csv").write_text(as_csv(draws, ("pupil", "won", "grade")))
    found = answered(tmp_path, data={"outcomes": "r.csv", "assignments": "draw.csv"}, columns=COLUMNS)
    (tmp_path / "r.csv").write_text(as_csv(listed, HEAD))
    other = answered(tmp_path, columns=COLUMNS)
    assert found["effect"]["sd"] == other["effect"]["sd"]
    assert found["effect"]["se"] == other["effect"]["se"]
    assert "draw.csv: 2 of 242 students have no outcomes." in found["warnings"]
    lost = next(gate for gate in found["gates"] if gate["name"] == "attrition")
    assert lost["sentence"].startswith("1 of 100 were lost on the way")


def test_terms_before_the_draw_are_what_was_known_before(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text(as_csv(rows(3, terms=2), HEAD))
    columns = {key: value for key, value in COLUMNS.items() if key != "prior"} | {"treated": "attended"}
    found = answered(tmp_path, columns=columns)
    assert found["n"]["results"] == 240
    assert [line["name"] for line in found["details"]["balance"]] == ["outcome before"]
    del columns["treated"]
    told = answered(tmp_path, columns=columns, study={"since": "2025-26"})
    assert told["effect"]["sd"] == pytest.approx(found["effect"]["sd"])
    assert told["n"]["results"] == 240


def test_students_without_a_score_are_counted_as_lost(tmp_path: Path) -> None:
    listed = rows(4)
    for row in listed[:24]:
        row[5] = ""
    (tmp_path / "r.csv").write_text(as_csv(listed, HEAD))
    lost = next(gate for gate in answered(tmp_path, columns=COLUMNS)["gates"] if gate["name"] == "attrition")
    assert lost["sentence"].startswith("10 of 100 were lost on the way")


def test_teachers_of_an_activity_pass_it_on_to_their_students(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text(as_csv(rows(5), HEAD))
    took = [[f"T{teacher}", "2024-25"] for teacher in range(0, 12, 2)]
    (tmp_path / "a.csv").write_text(as_csv(took, ("instructor", "first_treated")))
    found = answered(tmp_path, data={"outcomes": "r.csv", "activities": "a.csv"}, columns=COLUMNS)
    assert found["estimator"] == "randomized"
    assert found["details"]["take_up"]["drawn"] == pytest.approx(0.5, abs=0.1)


def again(listed: list[list[Any]], place: int, value: Any) -> list[Any]:
    """The first student with a second teacher, and another value in one place."""
    row = [listed[0][0], "T1", *listed[0][2:]]
    row[place] = value
    return row


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda listed: listed.append(again(listed, 6, 1 - listed[0][6])), "column won: differs between rows of student “p0”"),
        (lambda listed: listed.append(again(listed, 8, 9)), "column grade: differs between rows of student “p0”"),
        (lambda listed: listed[3].__setitem__(6, "maybe"), "column won: “maybe” is neither 1 (yes) nor 0 (no)"),
    ],
)  # fmt: skip
def test_draws_that_contradict_themselves_are_refused_by_name(tmp_path: Path, change: Any, message: str) -> None:
    listed = rows(6)
    change(listed)
    (tmp_path / "r.csv").write_text(as_csv(listed, HEAD))
    code, out, err = said("run", study(tmp_path, data={"outcomes": "r.csv"}, columns=COLUMNS))
    assert (code, out) == (2, "")
    assert message in err


def test_without_a_column_for_students_it_is_said_what_is_needed(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text(as_csv(rows(7), HEAD))
    columns = {key: value for key, value in COLUMNS.items() if key != "student"}
    code, _, err = said("run", study(tmp_path, data={"outcomes": "r.csv"}, columns=columns))
    assert code == 2
    assert "lots were drawn among students; name under [columns] student" in err
