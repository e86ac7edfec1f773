"""One scan gives each cell's moments: as rows taken one by one give them, and the same on DuckDB, Polars and Spark."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars
import pytest

from staffroom.knowing.frames.files import Layout, Scan, Students, Unreadable
from tests import sparks


def rows(size: int = 4000, seed: int = 5) -> polars.DataFrame:
    """Unbalanced, with missing values, weights of zero, and a score far from zero."""
    rng = np.random.default_rng(seed)
    teacher = rng.integers(0, 60, size)
    score = 1e6 + teacher + rng.normal(size=size)
    frame = polars.DataFrame(
        {
            "student": [f"s{number}" for number in range(size)],
            "teacher": [f"T{one}" for one in teacher],
            "school": [f"C{one % 9}" for one in teacher],
            "term": rng.integers(2001, 2005, size),
            "score": score,
            "prior": rng.normal(size=size),
            "w": rng.integers(0, 4, size).astype(float),
            "first": np.where(teacher % 2, 2003, 0),
        }
    )
    gone = polars.Series(rng.random(size) < 0.02)
    return frame.with_columns(
        score=polars.when(gone).then(None).otherwise(polars.col("score")),
        prior=polars.when(polars.Series(rng.random(size) < 0.02)).then(float("nan")).otherwise(polars.col("prior")),
        teacher=polars.when(polars.Series(rng.random(size) < 0.01)).then(None).otherwise(polars.col("teacher")),
    )


def layout(*, weight: str | None = None, middle: float = 1e6) -> Layout:
    return Layout(
        teacher="teacher", school="school", term="term", student="student", numbers=("score", "prior"), middles=(middle, 0.0),
        weight=weight, constants=("first",),
    )  # fmt: skip


def scanned(path: Path, engine: str, how: Layout) -> dict[tuple[Any, ...], dict[str, Any]]:
    with Scan([path], engine=engine) as scan:
        found = scan.moments(how).to_pylist()
    return {tuple(row[key] for key in how.keys): row for row in found}


def by_hand(frame: polars.DataFrame, how: Layout) -> dict[tuple[Any, ...], dict[str, Any]]:
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in frame.to_dicts():
        values = [row["score"], row["prior"]]
        weight = row["w"] if how.weight else 1.0
        if row["teacher"] is None or any(value is None or value != value for value in values) or weight == 0:
            continue
        one = found.setdefault((row["school"], row["teacher"], row["term"]), {"n": 0, "first": row["first"]})
        off = [value - middle for value, middle in zip(values, how.middles, strict=True)]
        one["n"] += 1
        for i in range(2):
            one[f"sum_{i}"] = one.get(f"sum_{i}", 0.0) + weight * off[i]
            for j in range(i, 2):
                one[f"product_{i}_{j}"] = one.get(f"product_{i}_{j}", 0.0) + weight * off[i] * off[j]
    return found


@pytest.mark.parametrize("engine", ["duckdb", "polars"])
@pytest.mark.parametrize("weight", [None, "w"])
def test_cells_are_those_of_rows_taken_one_by_one(tmp_path: Path, engine: str, weight: str | None) -> None:
    frame, how = rows(), layout(weight=weight)
    frame.write_parquet(tmp_path / "rows.parquet")
    found, expected = scanned(tmp_path / "rows.parquet", engine, how), by_hand(frame, how)
    assert set(found) == set(expected)
    for key, one in expected.items():
        assert found[key]["n"] == one["n"]
        assert found[key]["least_first"] == found[key]["most_first"] == one["first"]
        for name in ("sum_0", "sum_1", "product_0_0", "product_0_1", "product_1_1"):
            assert found[key][name] == pytest.approx(one[name], rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("engine", ["duckdb", "polars"])
def test_what_is_missing_is_counted_by_column(tmp_path: Path, engine: str) -> None:
    frame = rows()
    frame.write_parquet(tmp_path / "rows.parquet")
    with Scan([tmp_path / "rows.parquet"], engine=engine) as scan:
        found = scan.count(layout(weight="w"))
        students = scan.students(layout(weight="w"))
    assert found.rows == len(frame)
    assert found.missing["score"] == frame["score"].null_count()
    assert found.missing["prior"] == frame["prior"].is_nan().sum()
    assert found.missing["teacher"] == frame["teacher"].null_count()
    assert found.zero_weight == (frame["w"] == 0).sum()
    assert found.complete == sum(one["n"] for one in by_hand(frame, layout(weight="w")).values())
    assert students.different == found.complete, "each row is a student of her own; those left out do not count"
    assert students.repeated == ()


@pytest.mark.parametrize("engine", ["duckdb", "polars"])
def test_students_are_counted_and_those_who_stand_twice_are_found(tmp_path: Path, engine: str) -> None:
    frame = rows().with_columns(prior=polars.lit(0.0)).drop_nulls()
    frame = polars.concat(
        [frame, frame.slice(17, 1), frame.slice(400, 1).with_columns(term=polars.lit(2009, polars.Int64))]
    )
    frame.write_parquet(tmp_path / "rows.parquet")
    with Scan([tmp_path / "rows.parquet"], engine=engine, rows=len(frame)) as scan:
        found = scan.students(layout())
    assert found.different == frame["student"].n_unique()
    twice = frame.row(17, named=True)
    assert found.repeated == ((twice["student"], twice["teacher"], twice["term"]),)


@pytest.mark.parametrize("engine", ["duckdb", "polars"])
@pytest.mark.parametrize("far", [1, 2**40, 2**61])
def test_students_with_numbers_are_counted_exactly_however_far_the_numbers_lie_apart(
    tmp_path: Path, engine: str, far: int
) -> None:
    students = [-3 * far, -far, 0, far, 3 * far, -far, 0]
    frame = polars.DataFrame(
        {"student": students, "teacher": [7, -7, 9, 9, 9, -7, 9], "term": [1, 1, 1, 1, 1, 1, 2], "score": [0.5] * 7}
    )
    frame.write_parquet(tmp_path / "rows.parquet")
    how = Layout(teacher="teacher", term="term", student="student", numbers=("score",), middles=(0.0,))
    with Scan([tmp_path / "rows.parquet"], engine=engine, rows=len(frame)) as scan:
        found = scan.students(how)
    assert found == Students(different=5, repeated=((-far, -7, 1),))


@pytest.mark.parametrize("engine", ["duckdb", "polars"])
def test_columns_may_have_the_names_of_moments(tmp_path: Path, engine: str) -> None:
    names = {"teacher": "n", "school": "product_0_0", "term": "sum_0", "score": "complete", "first": "off_0"}
    rows().write_parquet(tmp_path / "plain.parquet")
    rows().rename(names).write_parquet(tmp_path / "rows.parquet")
    how = replace(layout(weight="w"), teacher="n", school="product_0_0", term="sum_0", constants=("off_0",))
    found = scanned(tmp_path / "rows.parquet", engine, replace(how, numbers=("complete", "prior")))
    expected = scanned(tmp_path / "plain.parquet", engine, layout(weight="w"))
    assert found.keys() == expected.keys()
    for key, one in expected.items():
        assert found[key]["n"] == one["n"]
        assert found[key]["sum_0"] == pytest.approx(one["sum_0"], rel=1e-9, abs=1e-9)
        assert found[key]["least_off_0"] == one["least_first"]


def test_an_engine_says_in_one_line_what_it_cannot_read(tmp_path: Path) -> None:
    (tmp_path / "rows.parquet").write_bytes(b"PAR1 and nothing more PAR1")
    with pytest.raises(Unreadable) as refused, Scan([tmp_path / "rows.parquet"]):
        pass
    assert "\n" not in str(refused.value)


@pytest.fixture
def spark(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A driver and two workers in Java of their own."""
    with sparks.java(monkeypatch, master="local-cluster[2,1,1024]", partitions=2):
        from pyspark.sql import SparkSession

        yield SparkSession.builder.getOrCreate()


@pytest.mark.slow
@pytest.mark.spark
def test_spark_gives_the_same_cells(tmp_path: Path, spark: Any) -> None:
    rows().write_parquet(tmp_path / "rows.parquet")
    for weight in (None, "w"):
        how = layout(weight=weight)
        with Scan([tmp_path / "rows.parquet"], engine="spark", session=spark) as scan:
            found = {tuple(row[key] for key in how.keys): row for row in scan.moments(how).to_pylist()}
            counted, students = scan.count(how), scan.students(how)
        expected = scanned(tmp_path / "rows.parquet", "duckdb", how)
        assert set(found) == set(expected)
        for key, row in expected.items():
            for name, value in row.items():
                assert found[key][name] == (
                    pytest.approx(value, rel=1e-9, abs=1e-9) if isinstance(value, float) else value
                )
        with Scan([tmp_path / "rows.parquet"]) as scan:
            assert counted == scan.count(how)
            assert students == scan.students(how)
