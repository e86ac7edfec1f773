"""The same results in whatever form they come give the same cells; what is missing is counted and told."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.csv
import pyarrow.parquet as parquet
import pytest

from staffroom.knowing.studies import Refused, asking, running, terms
from staffroom.knowing.studies.questions import Inquiry, inquire
from tests.studies.files import COLUMNS, HEAD, as_csv, panel, said, study

ROWS = panel(teachers=30, terms=4, students=2)
GOOD = as_csv(ROWS)


def inquired(folder: Path, content: str | bytes, name: str = "results.csv", **more: object) -> Inquiry:
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return read(folder, name, **more)


def read(folder: Path, name: str, **more: object) -> Inquiry:
    path = study(folder, data={"outcomes": name}, **more)  # type: ignore[arg-type]
    return running.read(path)


def same(one: Inquiry, other: Inquiry) -> bool:
    assert one.gathered is not None
    assert other.gathered is not None
    left, right = one.gathered.cells, other.gathered.cells
    first = [next(iter(each.questions.values())).first_treated for each in (one, other)]
    return (
        np.allclose(left.mean, right.mean, rtol=1e-12) and np.allclose(left.scatter, right.scatter, rtol=1e-9, atol=1e-9)
        and np.array_equal(left.teacher, right.teacher) and np.array_equal(left.n, right.n)
        and list(left.clusters) == list(right.clusters) and np.array_equal(first[0], first[1])  # type: ignore[arg-type]
    )  # fmt: skip


FORMS: dict[str, Callable[[], bytes]] = {
    "UTF-8 with a mark": lambda: b"\xef\xbb\xbf" + GOOD.encode(),
    "UTF-16": lambda: GOOD.encode("utf-16"),
    "UTF-32": lambda: GOOD.encode("utf-32"),
    "UTF-16, big end first": lambda: b"\xfe\xff" + GOOD.encode("utf-16-be"),
    "UTF-16 without a mark": lambda: GOOD.encode("utf-16-le"),
    "semicolons and decimal commas": lambda: as_csv(ROWS, sep=";", point=",").encode(),
    "Excel's sep line": lambda: b"sep=;\r\n" + as_csv(ROWS, sep=";", point=",").encode(),
    "tabs": lambda: as_csv(ROWS, sep="\t").encode(),
    "Windows lines": lambda: GOOD.replace("\n", "\r\n").encode(),
    "old Macintosh lines": lambda: GOOD.replace("\n", "\r").encode(),
    "blank lines": lambda: ("\n" + GOOD.replace("\n", "\n\n")).encode(),
    "quotation marks": lambda: GOOD.replace("T1,", '"T1",').encode(),
    "spaces around": lambda: GOOD.replace(",T1,", ",  T1 ,").encode(),
    "a comment column in Windows-1252": lambda: as_csv(
        [[*row, "très bien; “ok”,\nsagt er"] for row in ROWS], [*HEAD, "remark"]
    ).encode("cp1252"),
}


@pytest.mark.parametrize("form", FORMS)
def test_the_same_results_in_another_form_are_the_same(tmp_path: Path, form: str) -> None:
    plain = inquired(tmp_path, GOOD)
    assert same(inquired(tmp_path, FORMS[form](), "other.csv"), plain)


def test_parquet_and_a_folder_of_parquet_are_the_same_as_csv(tmp_path: Path) -> None:
    plain = inquired(tmp_path, GOOD)
    table = pyarrow.csv.read_csv(tmp_path / "results.csv")
    parquet.write_table(table, tmp_path / "results.parquet")
    assert same(read(tmp_path, "results.parquet"), plain)
    (tmp_path / "lake" / "year=1").mkdir(parents=True)
    parquet.write_table(table.slice(0, 100), tmp_path / "lake" / "a.parquet")
    parquet.write_table(table.slice(100), tmp_path / "lake" / "year=1" / "b.parquet")
    assert same(read(tmp_path, "lake"), plain)
    parquet.write_table(table.slice(100), tmp_path / "lake" / "c.parquet")
    (tmp_path / "lake" / "year=1" / "b.parquet").unlink()
    assert same(read(tmp_path, "lake/*.parquet"), plain)


def test_parquet_of_odd_types_is_made_plain(tmp_path: Path) -> None:
    plain = inquired(tmp_path, GOOD)
    table = pyarrow.csv.read_csv(tmp_path / "results.csv")
    odd = pyarrow.table(
        {
            "student": table["student"].dictionary_encode(), "teacher": table["teacher"].cast(pyarrow.large_string()),
            "school": table["school"], "term": table["term"].cast(pyarrow.float64()), "first": table["first"].cast(pyarrow.float32()),
            "score": table["score"].cast(pyarrow.string()), "SCORE": table["score"],
        }
    )  # fmt: skip
    parquet.write_table(odd, tmp_path / "odd.parquet")
    assert same(read(tmp_path, "odd.parquet"), plain)


def test_dates_and_names_of_terms_mean_the_same_as_numbers(tmp_path: Path) -> None:
    seasons = {2001: "Fall 2023", 2002: "Spring 2024", 2003: "Fall 2024", 2004: "Spring 2025", 0: "never"}
    years = {2001: "2021-22", 2002: "2022-23", 2003: "2023-24", 2004: "2024-25", 0: ""}
    own = {2001: "Ahorn", 2002: "Birke", 2003: "Apfel", 2004: "Eiche", 0: ""}
    days = {year: f"{year}-09-01" for year in (2001, 2002, 2003, 2004)} | {0: "inf"}
    plain = inquired(tmp_path, GOOD)
    for words, told in ((seasons, {}), (years, {}), (own, {"terms": ["Ahorn", "Birke", "Apfel", "Eiche"]}), (days, {})):
        rows = [[*row[:3], words[row[3]], words[row[4]], row[5]] for row in ROWS]
        other = inquired(tmp_path, as_csv(rows), study=told)
        assert plain.gathered is not None
        assert other.gathered is not None
        assert np.array_equal(plain.gathered.cells.mean, other.gathered.cells.mean)
        first = next(iter(plain.questions.values())).first_treated
        again = next(iter(other.questions.values())).first_treated
        assert first is not None
        assert np.array_equal(np.where(first < 0, -1, first - 2001), again)


@pytest.mark.parametrize(
    ("names", "numbers"),
    [
        (["2003", "2004", "2006"], [2003, 2004, 2006]),
        (["202301", "202302", "202401"], [0, 1, 2]),
        (["2010", "2012", "2014"], [0, 1, 2]),
        (["2023-24 Fall", "2023-24 Spring", "2024-25 Fall"], [0, 1, 2]),
        (["Fall 2023", "Spring 2023", "Summer 2023"], [2, 0, 1]),
        (["Term 10", "Term 9", "Term 1"], [2, 1, 0]),
        (["2024Q2", "2023Q4", "2024Q1"], [2, 0, 1]),
        (["2024-01-15", "2023-09-01", "2024-09-01"], [1, 0, 2]),
    ],
)
def test_terms_are_put_in_order(names: list[str], numbers: list[int]) -> None:
    assert [terms.in_order(names).number[name] for name in names] == numbers


@pytest.mark.parametrize("names", [["Alpha", "Beta"], ["Fall 2023", "2023-24 Spring"], ["2003", "Fall"]])
def test_terms_without_an_order_are_refused_with_the_way_to_give_one(names: list[str]) -> None:
    with pytest.raises(Refused, match="list them in order under \\[study\\] terms"):
        terms.in_order(names, file="results.csv")


def test_rows_without_a_score_or_a_teacher_are_counted_and_told(tmp_path: Path) -> None:
    rows = [list(row) for row in ROWS]
    rows[3][5], rows[4][5], rows[9][1], rows[20][3] = "", "NaN", "", "NA"
    found = inquired(tmp_path, as_csv(rows))
    assert found.notes == [
        f"results.csv: 4 of {len(ROWS)} rows are left out (1 without “teacher”, 1 without “term”, 2 without “score”)."
    ]
    assert found.gathered is not None
    assert found.gathered.cells.n.sum() == len(ROWS) - 4


def test_the_same_files_give_the_same_seed_and_other_files_another(tmp_path: Path) -> None:
    one, again = inquired(tmp_path, GOOD), inquired(tmp_path, GOOD)
    other = inquired(tmp_path, GOOD.replace("50.", "51."))
    assert (one.digest, one.seed) == (again.digest, again.seed)
    assert one.digest != other.digest
    assert inquired(tmp_path, GOOD, estimate={"seed": 7}).seed == 7


def test_of_a_hundred_thousand_columns_only_the_named_are_read(tmp_path: Path) -> None:
    head = [*HEAD, *(f"item{number}" for number in range(100_000))]
    filler = [""] * 100_000
    wide = inquired(tmp_path, as_csv([[*row, *filler] for row in ROWS[:48]], head))
    assert same(wide, inquired(tmp_path, as_csv(ROWS[:48]), "narrow.csv"))
    code, _, err = said("init", tmp_path / "results.csv", "--to", tmp_path / "wide.toml")
    assert (code, err) == (0, "")
    assert (tmp_path / "wide.toml").stat().st_size < 10_000


def test_a_long_header_leaves_the_limit_of_other_tables_as_it_was(tmp_path: Path) -> None:
    before = csv.field_size_limit()
    long = "x" * (before + 1000)
    head, rows = GOOD.split("\n", 1)
    found = inquired(tmp_path, f"{head},{long}\n" + "".join(f"{row},1\n" for row in rows.splitlines()))
    assert same(found, inquired(tmp_path, GOOD, name="plain.csv"))
    assert csv.field_size_limit() == before


def test_scores_far_from_zero_keep_their_digits(tmp_path: Path) -> None:
    far = [[*row[:5], row[5] + 1e9] for row in ROWS]
    near, away = inquired(tmp_path, GOOD), inquired(tmp_path, as_csv(far), "far.csv")
    assert near.gathered is not None
    assert away.gathered is not None
    assert away.gathered.cells.scatter == pytest.approx(near.gathered.cells.scatter, rel=1e-5, abs=1e-6)


def test_weights_weigh_as_repeated_rows_do(tmp_path: Path) -> None:
    rows = [[f"s{number}", *row[1:]] for number, row in enumerate(ROWS)]
    weighted = [[*row, 1 + place % 3] for place, row in enumerate(rows)]
    repeated = [row for place, row in enumerate(rows) for _ in range(1 + place % 3)]
    once = inquired(tmp_path, as_csv(weighted, [*HEAD, "w"]), columns={**COLUMNS, "weight": "w"})
    many = inquired(
        tmp_path, as_csv(repeated), "many.csv", columns={k: v for k, v in COLUMNS.items() if k != "student"}
    )
    assert once.gathered is not None
    assert many.gathered is not None
    one, other = once.gathered.cells, many.gathered.cells
    assert one.mass == pytest.approx(other.n)
    assert one.mean == pytest.approx(other.mean)
    assert one.scatter == pytest.approx(other.scatter, abs=1e-9)
    assert one.n.sum() == len(rows)


def test_where_lower_is_better_the_score_turns_its_sign(tmp_path: Path) -> None:
    plain, turned = inquired(tmp_path, GOOD), inquired(tmp_path, GOOD, study={"higher_is_better": False})
    assert plain.gathered is not None
    assert turned.gathered is not None
    assert np.array_equal(plain.gathered.cells.mean, -turned.gathered.cells.mean)


def test_treatment_by_row_becomes_a_first_term_and_switching_off_is_told(tmp_path: Path) -> None:
    marked = [[*row[:4], int(bool(row[4]) and row[3] == row[4]), row[5]] for row in ROWS]
    columns = {**COLUMNS, "treated": "first"}
    columns.pop("first_treated")
    (tmp_path / "results.csv").write_text(as_csv(marked))
    _, out, _ = said("run", study(tmp_path, data={"outcomes": "results.csv"}, columns=columns), "--json")
    assert "no longer" in out or "stopped" in out


def test_a_study_can_be_read_without_its_toml(tmp_path: Path) -> None:
    (tmp_path / "results.csv").write_text(GOOD)
    told = {"data": {"outcomes": "results.csv"}, "columns": COLUMNS}
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    assert inquire(asking.asked(told, file="made", folder=tmp_path), scratch).questions
