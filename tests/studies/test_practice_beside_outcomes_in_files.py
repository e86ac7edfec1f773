"""`[data] ratings` beside outcomes: what the command says of practice, what it writes, and what it refuses."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import numpy as np
import pytest

from staffroom.knowing.studies import telling
from tests.studies.files import as_csv, panel, said, study

HEAD = ("teacher", "term", "rating", "rater", "measure")
VALID = jsonschema_rs.validator_for(telling.schema())


def ratings(effect: float = 0.8, *, measures: tuple[str, ...] = ("Questions",), seed: int = 4) -> list[list[Any]]:
    """A rating of each of `panel`'s teachers in each year, by one of four raters who differ in strictness."""
    rng = np.random.default_rng(seed)
    strict = (0.0, 0.5, -0.4, 0.2)
    rows: list[list[Any]] = []
    for measure in measures:
        for teacher in range(60):
            first = (0, 2003, 2004)[teacher % 3]
            for year in range(2001, 2006):
                rater = int(rng.integers(4))
                changed = effect if first and year >= first else 0.0
                value = 2.5 + 0.1 * (teacher % 5) + changed + strict[rater] + rng.normal(0, 0.3)
                rows.append([f"T{teacher}", year, round(value, 2), f"R{rater}", measure])
    return rows


def asked(folder: Path, rows: list[list[Any]], head: tuple[str, ...] = HEAD, **more: Any) -> Path:
    (folder / "outcomes.csv").write_text(as_csv(panel()), encoding="utf-8")
    (folder / "ratings.csv").write_text(as_csv(rows, head), encoding="utf-8")
    return study(folder, data={"outcomes": "outcomes.csv", "ratings": "ratings.csv"}, **more)


def answered(path: Path) -> dict[str, Any]:
    code, out, err = said("run", path, "--json")
    assert (code, err) == (0, "")
    result: dict[str, Any] = json.loads(out)
    VALID.validate(result)
    return result


def test_what_changed_in_practice_stands_beside_the_outcome(tmp_path: Path) -> None:
    result = answered(asked(tmp_path, ratings()))
    (practice,) = result["mechanism"]
    assert practice["name"] == "Questions"
    assert practice["raters"] == 4
    assert practice["effect"]["low"] > 0
    assert practice["effect"]["raw"] == pytest.approx(0.8, abs=0.15)
    assert practice["n"]["results"] == 300
    assert practice["link"]["sites"] == len([site for site in practice["sites"] if not site["hidden"]])
    assert "“Questions” rose by" in " ".join(practice["sentence"])


def test_ratings_change_nothing_in_the_answer_about_scores(tmp_path: Path) -> None:
    (tmp_path / "alone").mkdir()
    (tmp_path / "alone" / "outcomes.csv").write_text(as_csv(panel()), encoding="utf-8")
    same = {"estimate": {"seed": 3}}
    alone = answered(study(tmp_path / "alone", data={"outcomes": "outcomes.csv"}, **same))
    beside = answered(asked(tmp_path, ratings(), **same))
    for name in ("estimator", "effect", "tier", "gates", "replicability", "sentence"):
        assert alone[name] == beside[name], name
    assert alone["mechanism"] == []


def test_several_measures_each_have_their_own_answer(tmp_path: Path) -> None:
    rows = [*ratings(0.8, measures=("Questions",)), *ratings(0.0, measures=("Order",), seed=5)]
    result = answered(asked(tmp_path, rows))
    questions, calm = result["mechanism"]
    assert (questions["name"], calm["name"]) == ("Questions", "Order")
    assert questions["effect"]["low"] > 0
    assert calm["effect"]["low"] < 0 < calm["effect"]["high"]


def test_the_page_at_the_terminal_and_the_folder_say_it_too(tmp_path: Path) -> None:
    code, out, _err = said("run", asked(tmp_path, ratings()), "--out", tmp_path / "out")
    assert code == 0
    assert "Did practice change?" in out
    report = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "Did practice change?" in report
    assert "Practice and scores, school by school" in report
    with (tmp_path / "out" / "mechanism.csv").open(encoding="utf-8") as opened:
        rows = list(csv.reader(opened))
    assert rows[0][0] == "School"
    assert (tmp_path / "out" / "mechanism.svg").exists()


def test_columns_may_have_other_names_and_raters_may_be_unknown(tmp_path: Path) -> None:
    rows = [[teacher, year, value] for teacher, year, value, _rater, _measure in ratings()]
    columns = {"teacher": "teacher", "school": "school", "term": "term", "first_treated": "first", "score": "score",
               "rating": "level"}  # fmt: skip
    result = answered(asked(tmp_path, rows, ("teacher", "term", "level"), columns=columns))
    (practice,) = result["mechanism"]
    assert (practice["name"], practice["raters"]) == ("Ratings", 0)
    assert any("Who observed is not known" in each for each in practice["warnings"])


def test_ratings_of_strangers_are_left_out_and_told(tmp_path: Path) -> None:
    rows = [*ratings(), ["nobody", 2001, 3.0, "R0", "Questions"], ["T1", 1990, 3.0, "R0", "Questions"]]
    (practice,) = answered(asked(tmp_path, rows))["mechanism"]
    assert "2 ratings of teachers or terms without results are left out." in practice["warnings"]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (["", 2001, 3.0, "R0", "Q"], "row 302: the teacher is missing"),
        (["T1", "", 3.0, "R0", "Q"], "row 302: the term is missing"),
        (["T1", 2001, 3.0, "", "Q"], "row 302: the rater is missing"),
        (["T1", 2001, "high", "R0", "Q"], "row 302: “high” is not a number"),
        (["T1", 2001, "=1+1", "R0", "Q"], "is a formula"),
        (["T1", 2001, "inf", "R0", "Q"], "not a finite number"),
    ],
)
def test_what_is_no_rating_is_refused_with_its_row(tmp_path: Path, row: list[Any], words: str) -> None:
    code, _out, err = said("run", asked(tmp_path, [*ratings(), row]))
    assert code != 0
    assert words in err
    assert "Traceback" not in err


def test_ratings_without_a_value_do_not_count(tmp_path: Path) -> None:
    (practice,) = answered(asked(tmp_path, [*ratings(), ["T1", 2001, "", "R0", "Questions"]]))["mechanism"]
    assert practice["n"]["results"] == 300


def test_a_file_without_any_rating_or_without_outcomes_is_refused(tmp_path: Path) -> None:
    code, _out, err = said("run", asked(tmp_path, [["T1", 2001, "", "R0", "Q"]]))
    assert code != 0
    assert "no row with a rating" in err
    (tmp_path / "ratings.csv").write_text(as_csv(ratings(), HEAD), encoding="utf-8")
    code, _out, err = said("run", study(tmp_path, data={"ratings": "ratings.csv"}, columns={}))
    assert code != 0
    assert "stand beside outcomes" in err


def test_a_file_of_single_cases_is_still_one(tmp_path: Path) -> None:
    rows = [[teacher, session, 2 + (session > 5) + 0.1 * (session % 3), int(session > 5)]
            for teacher in ("A", "B", "C") for session in range(1, 13)]  # fmt: skip
    (tmp_path / "ratings.csv").write_text(as_csv(rows, ("teacher", "session", "score", "phase")), encoding="utf-8")
    result = answered(study(tmp_path, data={"ratings": "ratings.csv"}, columns={}))
    assert result["estimator"] == "single_case"
    assert result["mechanism"] == []
