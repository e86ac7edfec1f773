"""One scan of student results in Parquet files: the moments of each teacher's cell of a term, on the engine of choice.

DuckDB answers in this process and within a cap of memory; Polars and Spark answer the same Ibis expression, for those who have
them at hand or have outgrown one machine. Everything that later concerns the students is in these moments; the rows are not read
again. Sums and products are of deviations from a first guess at each column's middle, so that a large offset does not eat digits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pyarrow

ENGINES = ("duckdb", "polars", "spark")
MEMORY_LIMIT = "256MiB"
LARGE_MEMORY_LIMIT = "1GiB"
type Prints = NDArray[np.uint64]
LARGE = 30_000_000
"""Rows from which on DuckDB may take the larger share of memory, and keys are compared part by part."""


class Unreadable(Exception):
    """An engine could not read what it was given; the message is one line."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Which columns of the files play which part."""

    teacher: str
    numbers: tuple[str, ...]
    """Outcome first, then prior score and covariates; a row counts only if all are there."""
    middles: tuple[float, ...]
    """A first guess at the middle of each number; any guess gives the same moments, a good one the most digits."""
    student: str | None = None
    school: str | None = None
    term: str | None = None
    weight: str | None = None
    constants: tuple[str, ...] = ()
    """Columns that ought not to vary within a cell: their least and greatest value come back, as `least_…`, `most_…`."""

    @property
    def keys(self) -> tuple[str, ...]:
        """What makes a cell."""
        return tuple(key for key in (self.school, self.teacher, self.term) if key)


@dataclass(frozen=True, slots=True)
class Rows:
    """How many rows there are, and in how many a value is missing, infinite or (weights) below zero, by column."""

    rows: int
    missing: dict[str, int]
    infinite: dict[str, int]
    negative: int = 0
    complete: int = 0
    zero_weight: int = 0


@dataclass(frozen=True, slots=True)
class Students:
    """How many different students there are, and some keys that occur more than once."""

    different: int
    repeated: tuple[tuple[Any, ...], ...] = ()
    """Up to three (student, teacher, term), as they stand in the files."""


@dataclass(slots=True)
class Scan:
    """The files of one study on one engine. Use as a context manager."""

    files: Sequence[Path]
    engine: str = "duckdb"
    session: Any = None
    """A Spark session of one's own; otherwise one is had from the environment."""
    rows: int = 0
    """About how many rows there are: large files may take more memory."""
    _connection: Any = field(default=None, init=False)
    _table: Any = field(default=None, init=False)

    def __enter__(self) -> Scan:
        opening = {"duckdb": self._duckdb, "polars": self._polars, "spark": self._spark}[self.engine]
        with _told():
            opening()
        return self

    def __exit__(self, *_: object) -> None:
        if self.engine == "duckdb":
            self._connection.disconnect()

    def count(self, layout: Layout) -> Rows:
        """How many rows, and what is missing in them."""
        table, sums = self._table, {}
        for name in _used(layout):
            column = table[name]
            sums[f"missing_{name}"] = _absent(column).cast("int64").sum()
            if column.type().is_floating():
                sums[f"infinite_{name}"] = column.isinf().fill_null(False).cast("int64").sum()
        if layout.weight:
            weight = table[layout.weight]
            sums["negative"] = (weight < 0).fill_null(False).cast("int64").sum()
            sums["zero_weight"] = (weight == 0).fill_null(False).cast("int64").sum()
        sums["complete"] = _complete(table, layout).cast("int64").sum()
        with _told():
            found = table.aggregate(rows=table.count(), **sums).to_pyarrow().to_pylist()[0]
        told = {name: int(value or 0) for name, value in found.items()}
        return Rows(
            rows=told["rows"],
            missing={name: told[f"missing_{name}"] for name in _used(layout)},
            infinite={name: told.get(f"infinite_{name}", 0) for name in _used(layout)},
            negative=told.get("negative", 0),
            complete=told["complete"],
            zero_weight=told.get("zero_weight", 0),
        )

    def moments(self, layout: Layout) -> pyarrow.Table:
        """One row per cell: its keys, `n`, `sum_i`, `product_i_j` (i <= j) of what lies off the middle, with weights
        `w`, `w2` and everything weighted; and the constants."""
        with _told():
            return moments(self._table, layout).to_pyarrow()

    def students(self, layout: Layout) -> Students:
        """Different students, and keys that stand twice. Only asked where the student's column is known."""
        assert layout.student
        with _told():
            return self._students_by_hash(layout) if self.engine == "duckdb" else self._students_by_groups(layout)

    def _duckdb(self) -> None:
        import ibis

        limit = LARGE_MEMORY_LIMIT if self.rows >= LARGE else MEMORY_LIMIT
        self._connection = ibis.duckdb.connect(threads=2, memory_limit=limit)
        # On long questions DuckDB draws a bar on the terminal; the order of rows matters to nobody here.
        self._connection.raw_sql("SET enable_progress_bar = false; SET preserve_insertion_order = false")
        self._table = self._connection.read_parquet([str(file) for file in self.files], hive_partitioning=False)

    def _polars(self) -> None:
        import ibis
        import polars

        files = [str(file) for file in self.files]
        self._connection = ibis.polars.connect({"results": polars.scan_parquet(files, hive_partitioning=False)})
        self._table = self._connection.table("results")

    def _spark(self) -> None:
        import ibis

        try:
            from pyspark.sql import SparkSession
        except ImportError:
            raise Unreadable("Spark is not installed here: `pip install staffroom[spark]`, and Java 17") from None
        session = self.session or SparkSession.builder.getOrCreate()
        session.read.parquet(*[f"file://{file.resolve()}" for file in self.files]).createOrReplaceTempView("results")
        self._connection = ibis.pyspark.connect(session)
        self._table = self._connection.table("results")

    def _students_by_groups(self, layout: Layout) -> Students:
        table = self._table.filter(_complete(self._table, layout), ~_absent(self._table[layout.student]))
        keys = [key for key in (layout.student, layout.teacher, layout.term) if key]
        twice = table.group_by(keys).aggregate(times=table.count())
        repeated = twice.filter(twice.times > 1).order_by(keys).limit(3).to_pyarrow().select(keys).to_pylist()
        different = table.aggregate(n=table[layout.student].nunique()).to_pyarrow()["n"][0].as_py()
        return Students(int(different), tuple(tuple(row.values()) for row in repeated))

    def _students_by_hash(self, layout: Layout) -> Students:
        """By 64-bit fingerprints, sorted: an eighth of the memory of a group-by. What seems repeated is looked up."""
        keys = [key for key in (layout.student, layout.teacher, layout.term) if key]
        listed = ", ".join(map(_quoted, keys))
        different, twice = 0, list[int]()
        for part in range(parts := max(1, self.rows // LARGE)):
            student, whole = self._fingerprints(layout, listed, part, parts)
            student.sort()
            different += int(student.size > 0) + int(np.count_nonzero(student[1:] != student[:-1]))
            del student
            whole.sort()
            twice += whole[1:][whole[1:] == whole[:-1]][:3].tolist()
            del whole
        if not twice:
            return Students(different)
        wanted = ", ".join(map(str, twice[:3]))
        where = f"{self._where(layout)} and hash({listed}) in ({wanted})"
        sql = f"select {listed} from {self._source} where {where} group by all having count(*) > 1 order by all limit 3"
        return Students(different, tuple(self._connection.con.execute(sql).fetchall()))

    def _where(self, layout: Layout) -> str:
        """As `_complete`, in DuckDB's own words."""
        named = [name for name in (layout.student, layout.teacher, layout.term, *layout.numbers, layout.weight) if name]
        parts = [f"{_quoted(name)} is not null" for name in named]
        parts += [f"not isnan({_quoted(name)})" for name in named if self._table[name].type().is_floating()]
        return " and ".join(parts + ([f"{_quoted(layout.weight)} > 0"] if layout.weight else []))

    @property
    def _source(self) -> str:
        listed = ", ".join("'" + str(file).replace("'", "''") + "'" for file in self.files)
        return f"read_parquet([{listed}], hive_partitioning = false)"

    def _fingerprints(self, layout: Layout, keys: str, part: int, parts: int) -> tuple[Prints, Prints]:
        """Of each row's student, and of the whole key; of the students that belong to this part."""
        assert layout.student
        student, where = f"hash({_quoted(layout.student)})", self._where(layout)
        if parts > 1:
            where += f" and {student} % {parts} = {part}"
        room = int(self.rows / parts * 1.2) + 1_000_000
        found, filled = np.empty((2, room), dtype=np.uint64), 0
        reader = self._connection.con.execute(f"select {student}, hash({keys}) from {self._source} where {where}")
        for batch in reader.to_arrow_reader(500_000):
            if filled + batch.num_rows > found.shape[1]:
                found = np.concatenate([found, np.empty_like(found)], axis=1)
            for row in (0, 1):
                found[row, filled : filled + batch.num_rows] = batch.column(row).to_numpy()
            filled += batch.num_rows
        return found[0, :filled], found[1, :filled]


def moments(table: Any, layout: Layout) -> Any:
    """The one question that every engine answers: a group-by of the rows that are complete."""
    off = {f"off_{i}": table[name].cast("float64") - middle for i, (name, middle) in enumerate(_middles(layout))}
    rows = table.filter(_complete(table, layout)).mutate(**off)
    if layout.weight:
        rows = rows.mutate(weight_=rows[layout.weight].cast("float64"))
    asked: dict[str, Any] = {"n": rows.count()}
    if layout.weight:
        asked |= {"w": rows.weight_.sum(), "w2": (rows.weight_ * rows.weight_).sum()}
    for i in range(len(layout.numbers)):
        share = rows[f"off_{i}"] * rows.weight_ if layout.weight else rows[f"off_{i}"]
        asked[f"sum_{i}"] = share.sum()
        for j in range(i, len(layout.numbers)):
            asked[f"product_{i}_{j}"] = (share * rows[f"off_{j}"]).sum()
    for name in layout.constants:
        asked |= {f"least_{name}": rows[name].min(), f"most_{name}": rows[name].max()}
    return rows.group_by(list(layout.keys)).aggregate(**asked)


def _middles(layout: Layout) -> Iterator[tuple[str, float]]:
    return zip(layout.numbers, layout.middles, strict=True)


def _used(layout: Layout) -> list[str]:
    named = (layout.student, layout.teacher, layout.term, layout.school, *layout.numbers, layout.weight)
    return list(dict.fromkeys(name for name in named if name))


def _absent(column: Any) -> Any:
    if column.type().is_floating():
        return column.isnull() | column.isnan().fill_null(False)
    return column.isnull()


def _complete(table: Any, layout: Layout) -> Any:
    needed = [name for name in (layout.teacher, layout.term, *layout.numbers, layout.weight) if name]
    found = ~_absent(table[needed[0]])
    for name in needed[1:]:
        found = found & ~_absent(table[name])
    return found & (table[layout.weight] > 0) if layout.weight else found


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


class _told:
    """What an engine cannot read is said in one line, without its own words about its insides."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, _: object) -> None:
        if isinstance(error, Exception) and not isinstance(error, Unreadable):
            if isinstance(error, MemoryError) or "OutOfMemory" in type(error).__name__:
                raise Unreadable("there is not enough memory to read it") from error
            raise Unreadable(str(error).strip().splitlines()[0][:200] or type(error).__name__) from error
