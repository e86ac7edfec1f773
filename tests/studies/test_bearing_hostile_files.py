"""Studies spoiled at random are answered soundly or refused in a sentence; what ought not to matter does not."""

from __future__ import annotations

import json
import math
import random
import shutil
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import numpy as np
import pyarrow
import pyarrow.parquet as parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from staffroom.knowing.studies import telling
from tests.studies.files import COLUMNS, HEAD, as_csv, panel, said, study

VALID = jsonschema_rs.validator_for(telling.schema())
NASTY = [
    "", "NaN", "inf", "-inf", "1e308", "-1e308", "5e-324", "1e59", "1e61", "=1+1", "+1", "-", "0", "-1", "true", "2025-13-45",
    "\u202eabc", "Ünïcödé", "مدرسة", "a" * 5000, "9" * 25, "1,5", "½", "a\nb", "a\r\nb", "\x00", "\x07", "\ufeff", "#DIV/0!",
    "2147483648", "9223372036854775808", "1_000", "0x10", "١٢٣", "12%", "Fall 2025", "1e30", "3.5", "9007199254740993", " T1 ",
]  # fmt: skip
ENCODINGS = ("utf-8", "utf-8", "utf-8", "utf-16", "utf-8-sig", "latin-1", "utf-16-be", "utf-32")

type World = dict[str, Any]


def a_panel(rng: random.Random) -> World:
    rows = panel(teachers=30, terms=4, students=2, schools=rng.choice([4, 9, 12]), seed=rng.randrange(9))
    return {"data": {"outcomes": "r.csv"}, "files": {"r.csv": [list(HEAD), *rows]}, "columns": dict(COLUMNS)}


def a_lottery(rng: random.Random) -> World:
    """Drawn teachers with prior scores, hours and costs; sometimes nobody tells of the draw."""
    noise = np.random.default_rng(rng.randrange(9))
    drawn = [[f"T{who}", who % 2, f"S{who // 4}"] for who in range(24)]
    rows = [
        [f"s{who}-{n}", f"T{who}", f"S{who // 4}", 2, round(50 + 4 * (who % 2) + noise.normal(), 2), round(noise.normal(50), 2)]
        for who in range(24)
        for n in range(4)
    ]  # fmt: skip
    files = {
        "r.csv": [["student", "teacher", "school", "term", "score", "prior"], *rows],
        "took.csv": [["teacher", "first_treated", "hours"], *([who, 2, 30] for who, on, _ in drawn if on)],
        "cost.csv": [
            ["ingredient", "quantity", "unit_price", "lifetime_years", "discount_rate"],
            ["Time", 1200, 45, 1, 0],
            ["Room", 1, 6000, 3, 0.03],
        ],
        "drawn.csv": [["teacher", "assigned", "block"], *drawn],
    }
    data = {"outcomes": "r.csv", "activities": "took.csv", "costs": "cost.csv"}
    if rng.random() < 0.6:
        data["assignments"] = "drawn.csv"
    columns = {name: name for name in files["r.csv"][0]}
    return {"data": data, "files": {name: files[name] for name in data.values()}, "columns": columns}


def a_rule(rng: random.Random) -> World:
    noise = np.random.default_rng(rng.randrange(9))
    rows = [
        [f"T{who}", f"S{who % 25}", x, int(x >= 0), round(50 + 6 * (x >= 0) + noise.normal(), 2)]
        for who, x in enumerate(np.round(noise.uniform(-1, 1, 150), 3).tolist())
    ]
    head = ["teacher", "school", "running", "treated", "score"]
    columns = {**{name: name for name in head}, "cutoff": 0}
    return {"data": {"outcomes": "r.csv"}, "files": {"r.csv": [head, *rows]}, "columns": columns}


def some_ratings(rng: random.Random) -> World:
    noise = np.random.default_rng(rng.randrange(9))
    rows = [
        [f"T{who}", n, int(n > 6 + who), round(3 + (n > 6 + who) + noise.normal(), 2)]
        for who in range(3)
        for n in range(14)
    ]
    files = {"r.csv": [["teacher", "session", "phase", "score"], *rows]}
    return {"data": {"ratings": "r.csv"}, "files": files, "columns": {}}


WORLDS: tuple[Callable[[random.Random], World], ...] = (a_panel, a_lottery, a_rule, some_ratings)


def a_file(world: World, rng: random.Random) -> list[list[Any]]:
    found: list[list[Any]] = world["files"][rng.choice(sorted(world["files"]))]
    return found


def a_column(world: World, rng: random.Random) -> tuple[list[list[Any]], int]:
    """Rows under the header that have the column (others were cut), and its place."""
    file = a_file(world, rng)
    place = rng.randrange(len(file[0]) or 1)
    return [row for row in file[1:] if len(row) > place], place


def spoil_cells(world: World, rng: random.Random) -> None:
    rows, place = a_column(world, rng)
    share, value = rng.choice([0.005, 0.05, 0.5, 1.0]), rng.choice(NASTY)
    for row in rows:
        if rng.random() < share:
            row[place] = value


def scale_a_column(world: World, rng: random.Random) -> None:
    rows, place = a_column(world, rng)
    by, to = rng.choice([1e-300, 1e-30, 1e9, 1e58, 1e100, -1, 0, 1]), rng.choice([0, 0, 1e6, 1e15, 0.5, -2001])
    for row in rows:
        if isinstance(row[place], (int, float)):
            row[place] = row[place] * by + to


def mix_a_column(world: World, rng: random.Random) -> None:
    rows, place = a_column(world, rng)
    values = [row[place] for row in rows]
    rng.shuffle(values)
    for row, value in zip(rows, values, strict=True):
        row[place] = value


def merge_labels(world: World, rng: random.Random) -> None:
    rows, place = a_column(world, rng)
    few = rng.choice([1, 2, 3, 6])
    code = {name: str(number % few) for number, name in enumerate(sorted({str(row[place]) for row in rows}))}
    for row in rows:
        row[place] = code[str(row[place])]


def keep_few_rows(world: World, rng: random.Random) -> None:
    file = a_file(world, rng)
    file[1:] = rng.sample(file[1:], min(len(file) - 1, rng.choice([0, 1, 2, 5, 20, 60])))


def repeat_rows(world: World, rng: random.Random) -> None:
    file = a_file(world, rng)
    file += [list(row) for row in rng.choices(file[1:], k=3)] if len(file) > 1 else []


def rename_a_column(world: World, rng: random.Random) -> None:
    head = a_file(world, rng)[0]
    head[rng.randrange(len(head) or 1)] = rng.choice([*NASTY, *map(str, head)])


def cut_a_row(world: World, rng: random.Random) -> None:
    file = a_file(world, rng)
    row = rng.choice(file)
    row[:] = row[:-1] if rng.random() < 0.5 and len(row) > 2 else [*row, "x"]


def confuse_roles(world: World, rng: random.Random) -> None:
    head = [str(name) for name in next(iter(world["files"].values()))[0]]
    role = rng.choice(["student", "teacher", "school", "term", "score", "prior", "first_treated", "treated", "dose", "block",
                       "running", "weight", "site", "cohort", "hours", "phase", "covariates", "subgroups"])  # fmt: skip
    world["columns"][role] = [rng.choice(head)] if role in ("covariates", "subgroups") else rng.choice(head)


def forget_a_role(world: World, rng: random.Random) -> None:
    if world["columns"]:
        world["columns"].pop(rng.choice(sorted(world["columns"])))


def weigh(world: World, rng: random.Random) -> None:
    file = next(iter(world["files"].values()))
    kind = rng.choice([lambda: 1, lambda: rng.choice([0, 1]), lambda: rng.choice([1, -1]), lambda: 10 ** rng.uniform(-30, 30),
                       lambda: 5e-324, lambda: "", lambda: rng.choice([1, 1e12])])  # fmt: skip
    for row in file:
        row.append("weight" if row is file[0] else kind())
    world["columns"]["weight"] = "weight"


def ask_otherwise(world: World, rng: random.Random) -> None:
    told = world.setdefault("estimate", {})
    told["estimator"] = rng.choice(["randomized", "cutoff", "imputation", "callaway_santanna", "etwfe", "entropy_balanced",
                                    "dose", "single_case", "describe", "twfe"])  # fmt: skip
    more = {"cluster": ["school", "teacher", "site"], "controls": ["never", "notyet"], "level": [0.5, 0.999999, 1e-9],
            "anticipation": [0, 1, 10**6], "sd": [1e-300, 1e300], "power": [0.99, 1]}  # fmt: skip
    name = rng.choice(sorted(more))
    told[name] = rng.choice(more[name])


def number_terms_otherwise(world: World, rng: random.Random) -> None:
    file = next(iter(world["files"].values()))
    change = rng.choice([lambda x: x * 2, lambda x: -x, lambda x: x - 2001, lambda x: 10**9 + x, lambda x: f"Term {x}",
                         lambda x: f"{x}-09-01", lambda x: x**3])  # fmt: skip
    for place, name in enumerate(file[0]):
        if name in ("term", "first", "session"):
            for row in [row for row in file[1:] if len(row) > place]:
                row[place] = change(row[place]) if isinstance(row[place], int) and row[place] else row[place]


SPOILING: tuple[Callable[[World, random.Random], None], ...] = (
    spoil_cells, spoil_cells, scale_a_column, mix_a_column, merge_labels, keep_few_rows, repeat_rows, rename_a_column, cut_a_row,
    confuse_roles, forget_a_role, weigh, ask_otherwise, number_terms_otherwise,
)  # fmt: skip


def faults(value: Any, where: str = "") -> Iterator[str]:
    """What cannot be: intervals without their estimate, probabilities beyond 0 and 1, errors of nothing, no numbers."""
    if isinstance(value, dict):
        for middle, low, high in (("sd", "low", "high"), ("raw", "raw_low", "raw_high"), ("value", "low", "high")):
            ends = value.get(low), value.get(high)
            if middle in value and None not in ends and value.get("shape", "bounded") in ("bounded", ""):
                slack = 1e-9 * max(map(abs, ends))
                if value[middle] is None or not ends[0] - slack <= value[middle] <= ends[1] + slack:
                    yield f"{where}: {ends} without {value[middle]}"
        for name in ("p", "q_p", "probability_positive"):
            if value.get(name) is not None and not 0 <= value[name] <= 1:
                yield f"{where}.{name} is {value[name]}"
        for name in ("se", "raw_se", "comparison_sd", "df"):
            if value.get(name) is not None and not value[name] > 0:
                yield f"{where}.{name} is {value[name]}"
        for name, inner in value.items():
            yield from faults(inner, f"{where}.{name}")
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from faults(inner, f"{where}[{place}]")
    elif isinstance(value, float) and not math.isfinite(value):
        yield f"{where} is {value}"


def run(folder: Path, world: World) -> tuple[int, str, str]:
    tables = {name: world[name] for name in ("study", "estimate") if name in world}
    path = study(folder, data=world["data"], columns=world["columns"], **tables)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return said("run", path, "--json")


@settings(max_examples=45, deadline=None, derandomize=True)
@given(st.integers(0, 10**9))
def test_a_spoiled_study_is_answered_soundly_or_refused_in_one_sentence(
    tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    rng = random.Random(seed)
    world = rng.choice(WORLDS)(rng)
    for _ in range(rng.choice([1, 1, 2, 3])):
        rng.choice(SPOILING)(world, rng)
    folder = tmp_path_factory.mktemp("hostile")
    for name, rows in world["files"].items():
        (folder / name).write_bytes(as_csv(rows[1:], rows[0]).encode(rng.choice(ENCODINGS), "replace"))
    code, out, err = run(folder, world)
    shutil.rmtree(folder)
    if code:
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert err.startswith("staffroom: ")
        assert len(err) < 700
        return
    assert err == ""
    result = json.loads(out)
    VALID.validate(result)
    assert list(faults(result)) == []
    for one in result.get("studies", [result]):
        assert one["tier"] >= max([1, *(gate["ceiling"] for gate in one["gates"])])
        assert one["sentence"]


ROWS = panel(teachers=45, terms=4, students=2, schools=15)


def effect_of(folder: Path, rows: list[list[Any]], head: tuple[str, ...] = HEAD, **columns: str) -> dict[str, float]:
    (folder / "r.csv").write_text(as_csv(rows, head), encoding="utf-8")
    return told(folder, "r.csv", **columns)["effect"]  # type: ignore[no-any-return]


def told(folder: Path, outcomes: str, **columns: str) -> dict[str, Any]:
    code, out, err = run(
        folder, {"data": {"outcomes": outcomes}, "columns": {**COLUMNS, **columns}, "estimate": {"seed": 5}}
    )
    assert (code, err) == (0, "")
    found: dict[str, Any] = json.loads(out)
    return found


FIGURES = ("sd", "se", "low", "high", "p")


def test_the_order_of_rows_and_what_people_are_called_do_not_matter(tmp_path: Path) -> None:
    plain = effect_of(tmp_path, ROWS)
    mixed = random.Random(3).sample(ROWS, len(ROWS))
    renamed = [[f"ß{row[0]}", f"„{row[1]}“ مدرسة", f"\u05d0{row[2]}", *row[3:]] for row in mixed]
    for rows in (mixed, renamed):
        again = effect_of(tmp_path, rows)
        assert [again[name] for name in FIGURES] == pytest.approx([plain[name] for name in FIGURES], rel=1e-9)


@pytest.mark.parametrize(("by", "to"), [(10.0, 0.0), (1.0, 1e6), (1e-6, 0.0), (1e20, 1e22)])
def test_the_scale_of_a_score_changes_points_but_no_standard_deviations(tmp_path: Path, by: float, to: float) -> None:
    plain = effect_of(tmp_path, ROWS)
    other = effect_of(tmp_path, [[*row[:5], repr(row[5] * by + to)] for row in ROWS])
    assert [other[name] for name in FIGURES] == pytest.approx([plain[name] for name in FIGURES], rel=1e-5)
    assert other["raw"] == pytest.approx(plain["raw"] * by, rel=1e-5)


def test_weights_count_by_their_shares_alone(tmp_path: Path) -> None:
    weighed = [[*row, 1 + place % 3] for place, row in enumerate(ROWS)]
    head = (*HEAD, "weight")
    plain = effect_of(tmp_path, weighed, head, weight="weight")
    scaled = effect_of(tmp_path, [[*row[:6], row[6] * 1000] for row in weighed], head, weight="weight")
    assert [scaled[name] for name in FIGURES] == pytest.approx([plain[name] for name in FIGURES], rel=1e-9)
    even = effect_of(tmp_path, [[*row, 7] for row in ROWS], head, weight="weight")
    bare = effect_of(tmp_path, ROWS)
    assert [even[name] for name in FIGURES] == pytest.approx([bare[name] for name in FIGURES], rel=1e-9)


def test_a_file_may_be_split(tmp_path: Path) -> None:
    plain = effect_of(tmp_path, ROWS)
    (tmp_path / "years").mkdir()
    for year in range(2001, 2005):
        mine = [row for row in ROWS if row[3] == year]
        columns = {name: [row[place] for row in mine] for place, name in enumerate(HEAD)}
        parquet.write_table(pyarrow.table(columns), tmp_path / "years" / f"{year}.parquet")
    again = told(tmp_path, "years")["effect"]
    assert [again[name] for name in FIGURES] == pytest.approx([plain[name] for name in FIGURES], rel=1e-9)


def test_marks_may_be_written_with_a_point(tmp_path: Path) -> None:
    plain = effect_of(tmp_path, ROWS)
    head = (*HEAD[:4], "on", HEAD[5])
    marks = [[*row[:4], f"{float(bool(row[4]) and row[3] >= row[4])}", row[5]] for row in ROWS]
    (tmp_path / "r.csv").write_text(as_csv(marks, head), encoding="utf-8")
    columns = {name: column for name, column in COLUMNS.items() if name != "first_treated"}
    code, out, _ = run(tmp_path, {"data": {"outcomes": "r.csv"}, "columns": {**columns, "treated": "on"}})
    assert code == 0
    assert json.loads(out)["effect"]["sd"] == pytest.approx(plain["sd"], rel=1e-9)


def test_first_terms_may_be_written_with_a_point_and_nought_still_means_never(tmp_path: Path) -> None:
    plain = effect_of(tmp_path, ROWS)
    again = effect_of(tmp_path, [[*row[:4], f"{row[4]}.0", row[5]] for row in ROWS])
    assert [again[name] for name in FIGURES] == pytest.approx([plain[name] for name in FIGURES], rel=1e-9)


def test_one_column_may_play_several_parts(tmp_path: Path) -> None:
    plain = effect_of(tmp_path, ROWS, school="teacher")
    again = effect_of(tmp_path, ROWS, school="teacher", site="teacher", cohort="school")
    assert again["sd"] == pytest.approx(plain["sd"], rel=1e-9)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("lifetime_years", "0", "row 2, lifetime_years: “0” must be a whole number from 1 to 100"),
        ("lifetime_years", "1e9", "row 2, lifetime_years: “1e9” must be a whole number from 1 to 100"),
        ("discount_rate", "3", "row 2, discount_rate: “3” must be a share below 1, such as 0.03"),
        ("unit_price", "-5", "row 2, price: “-5” must be at least 0"),
        ("quantity", "NaN", "row 2, quantity is missing"),
    ],
)
def test_a_cost_that_cannot_be_is_named_by_its_row(tmp_path: Path, name: str, value: str, words: str) -> None:
    (tmp_path / "r.csv").write_text(as_csv(ROWS))
    line = {"ingredient": "Room", "quantity": "1", "unit_price": "9", "lifetime_years": "2", "discount_rate": "0"}
    line[name] = value
    (tmp_path / "cost.csv").write_text(as_csv([list(line.values())], list(line)))
    code, _, err = said("run", study(tmp_path, data={"outcomes": "r.csv", "costs": "cost.csv"}))
    assert code == 2
    assert f"cost.csv, {words}" in err


def test_weights_beyond_reckoning_are_named_by_their_row(tmp_path: Path) -> None:
    rows = [[*row, 1e-300 if place < 8 else 1] for place, row in enumerate(ROWS)]
    (tmp_path / "r.csv").write_text(as_csv(rows, (*HEAD, "w")))
    code, _, err = said("run", study(tmp_path, data={"outcomes": "r.csv"}, columns={**COLUMNS, "weight": "w"}))
    assert code == 2
    assert "r.csv, column w, row 2: a weight must lie between 1e-12 and 1e+12, or be 0" in err
