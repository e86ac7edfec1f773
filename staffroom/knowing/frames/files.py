"""One scan of student results in Parquet files: the moments of each teacher's cell of a term, on the engine of choice.

Each question is written once, in plain SQL (`count_sql`, `moments_sql`, …). DuckDB answers it as it stands, in this process and
within a cap of memory; Ibis carries the same words to Polars and Spark, for those who have them at hand or have outgrown one
machine, and is loaded only then: it takes longer to load than DuckDB takes for a million rows. Everything that later concerns
the students is in these moments; the rows are not read again. Sums and products are of deviations from a first guess at each
column's middle, so that a large offset does not eat digits.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
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
LARGE = 30_000_000
"""Rows from which on DuckDB may take the larger share of memory, and keys are compared part by part."""
CANDIDATES = 1000
"""Keys whose fingerprints stand twice that are looked up: among so many, not all are different keys by accident."""

type Prints = NDArray[np.int64]


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
    def keys(self) -> dict[str, str]:
        """What makes a cell: names in the answer, which no column's name can take, and the columns."""
        roles = {"of_school": self.school, "of_teacher": self.teacher, "of_term": self.term}
        return {name: column for name, column in roles.items() if column}


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
    _schema: Any = field(default=None, init=False)

    def __enter__(self) -> Scan:
        opening = {"duckdb": self._duckdb, "polars": self._polars, "spark": self._spark}[self.engine]
        with _told():
            self._schema = _schema(self.files[0])
            opening()
        return self

    def __exit__(self, *_: object) -> None:
        if self.engine == "duckdb":
            self._connection.close()

    @property
    def _nan(self) -> frozenset[str]:
        """Columns that may hold NaN; to Polars, whose SQL knows no word for it, NaN is handed over as missing."""
        from pyarrow import types

        return frozenset(each.name for each in self._schema if types.is_floating(each.type) and self.engine != "polars")

    def count(self, layout: Layout) -> Rows:
        """How many rows, and what is missing in them."""
        found = self._ask(count_sql(layout, self._nan)).to_pylist()[0]
        used = _used(layout)
        return Rows(
            rows=found["rows_"],
            missing={name: found["rows_"] - found[f"there_{i}"] for i, name in enumerate(used)},
            infinite={name: found.get(f"infinite_{i}", 0) for i, name in enumerate(used)},
            negative=found.get("negative", 0),
            complete=found["complete"],
            zero_weight=found.get("zero_weight", 0),
        )

    def moments(self, layout: Layout) -> pyarrow.Table:
        """One row per cell: its keys, `n`, `sum_i`, `product_i_j` (i <= j) of what lies off the middle, with weights
        `w`, `w2` and everything weighted; and the constants."""
        return self._ask(moments_sql(layout, self._nan))

    def students(self, layout: Layout) -> Students:
        """Different students, and keys that stand twice. Only asked where the student's column is known."""
        assert layout.student
        if self.engine != "duckdb":
            different = self._ask(different_sql(layout, self._nan))["n"][0].as_py()
            return Students(int(different), self._repeated(layout))
        with _told():
            numbers = self._numbered(layout)
            return self._by_number(layout, numbers) if numbers else self._by_fingerprint(layout)

    def _ask(self, question: str) -> pyarrow.Table:
        with _told():
            if self.engine == "duckdb":
                return self._connection.execute(question).to_arrow_table()
            return self._connection.sql(question, dialect="duckdb").to_pyarrow()

    def _duckdb(self) -> None:
        import duckdb

        limit = LARGE_MEMORY_LIMIT if self.rows >= LARGE else MEMORY_LIMIT
        # On long questions DuckDB draws a bar on the terminal; the order of rows matters to nobody here.
        self._connection = duckdb.connect(
            config={"threads": 2, "memory_limit": limit, "preserve_insertion_order": False}
        )
        self._connection.execute("set enable_progress_bar = false")
        listed = ", ".join("'" + str(file).replace("'", "''") + "'" for file in self.files)
        self._connection.execute(
            f"create view results as select * from read_parquet([{listed}], hive_partitioning = false)"
        )

    def _polars(self) -> None:
        import ibis
        import polars
        from polars import selectors

        files = [str(file) for file in self.files]
        rows = polars.scan_parquet(files, hive_partitioning=False)
        self._connection = ibis.polars.connect({"results": rows.with_columns(selectors.float().fill_nan(None))})

    def _spark(self) -> None:
        import ibis

        try:
            from pyspark.sql import SparkSession
        except ImportError:
            raise Unreadable("Spark is not installed here: `pip install staffroom[spark]`, and Java 17") from None
        session = self.session or SparkSession.builder.getOrCreate()
        session.read.parquet(*[f"file://{file.resolve()}" for file in self.files]).createOrReplaceTempView("results")
        self._connection = ibis.pyspark.connect(session)

    def _numbered(self, layout: Layout) -> tuple[tuple[str, int, int], ...]:
        """For keys of whole numbers that fit into one of 64 bits together: each with its least value and how many it may take."""
        keys = _key(layout)
        if not keys or not all(self._is_whole(key) for key in keys):
            return ()
        asked = ", ".join(f"min({_quoted(key)}), max({_quoted(key)})" for key in keys)
        ends = self._connection.execute(f"select {asked} from results").fetchone()
        if any(end is None for end in ends):
            return ()
        found = tuple(
            (key, least, most - least + 1) for key, least, most in zip(keys, ends[::2], ends[1::2], strict=True)
        )
        return found if math.prod(width for _, _, width in found) < 2**62 else ()

    def _is_whole(self, name: str) -> bool:
        from pyarrow import types

        return bool(types.is_integer(self._schema.field(name).type))

    def _by_number(self, layout: Layout, keys: tuple[tuple[str, int, int], ...]) -> Students:
        """Exactly: the parts of a key as the digits of one number, the student first, sorted once."""
        told = "0"
        for name, least, width in keys:
            told = f"({told} * {width} + ({_quoted(name)}::bigint - {least}))"
        rest = math.prod(width for _, _, width in keys[1:])
        different, twice = 0, 0
        for part in range(parts := max(1, self.rows // LARGE)):
            (whole,) = self._collected(layout, [told], part, parts)
            whole.sort()
            twice += int(np.count_nonzero(whole[1:] == whole[:-1]))
            whole //= rest
            different += _different(whole)
            del whole
        return Students(different, self._repeated(layout) if twice else ())

    def _by_fingerprint(self, layout: Layout) -> Students:
        """By 64-bit fingerprints, sorted: an eighth of the memory of a group-by.

        Equal keys have equal fingerprints, so none that stands twice is missed; what seems repeated is looked up before
        it is said. Two students may have one fingerprint: of ten million, with a chance of three in a million, and then
        one fewer is counted.
        """
        keys = _key(layout)
        listed = ", ".join(map(_quoted, keys))
        different, twice = 0, list[int]()
        for part in range(parts := max(1, self.rows // LARGE)):
            told = [f"hash({_quoted(keys[0])})", f"hash({listed})"]
            student, whole = self._collected(layout, told, part, parts)
            student.sort()
            different += _different(student)
            del student
            whole.sort()
            twice += whole[1:][whole[1:] == whole[:-1]][:CANDIDATES].view(np.uint64).tolist()
            del whole
        if not twice:
            return Students(different)
        return Students(different, self._repeated(layout, f"hash({listed}) in ({', '.join(map(str, twice))})"))

    def _repeated(self, layout: Layout, among: str = "") -> tuple[tuple[Any, ...], ...]:
        found = self._ask(repeated_sql(layout, self._nan, among)).to_pylist()
        return tuple(tuple(row.values()) for row in found)

    def _collected(self, layout: Layout, told: Sequence[str], part: int, parts: int) -> tuple[Prints, ...]:
        """What is `told` of each row, for the students that belong to this part: 64 bits each."""
        assert layout.student
        where = f"{_complete(layout, self._nan)} and {_there(layout.student, self._nan)}"
        if parts > 1:
            where += f" and hash({_quoted(layout.student)}) % {parts} = {part}"
        room = int(self.rows / parts * 1.2) + 1_000_000
        found, filled = np.empty((len(told), room), dtype=np.int64), 0
        reader = self._connection.execute(f"select {', '.join(told)} from results where {where}")
        for batch in reader.to_arrow_reader(500_000):
            if filled + batch.num_rows > found.shape[1]:
                found = np.concatenate([found, np.empty_like(found)], axis=1)
            for row, column in enumerate(batch.columns):
                found[row, filled : filled + batch.num_rows] = in_memory(column).view(np.int64)
            filled += batch.num_rows
        return tuple(one[:filled] for one in found)


def count_sql(layout: Layout, nan: frozenset[str]) -> str:
    """How many rows, in how many each column is there, and what is wrong with it."""
    asked = {"rows_": "true"}
    for i, name in enumerate(_used(layout)):
        asked[f"there_{i}"] = _there(name, nan)
        if name in (*layout.numbers, layout.weight):
            asked[f"infinite_{i}"] = f"abs({_quoted(name)}) = cast('inf' as double)"
    if layout.weight:
        asked |= {"negative": f"{_quoted(layout.weight)} < 0", "zero_weight": f"{_quoted(layout.weight)} = 0"}
    asked["complete"] = _complete(layout, nan)
    return f"select {', '.join(f'count(case when {told} then 1 end) as {name}' for name, told in asked.items())} from results"


def moments_sql(layout: Layout, nan: frozenset[str]) -> str:
    """The group-by of the rows that are complete."""
    taken = [f"{_quoted(column)} as {name}" for name, column in layout.keys.items()]
    for i, (name, middle) in enumerate(zip(layout.numbers, layout.middles, strict=True)):
        taken.append(f"cast({_quoted(name)} as double) - cast({middle!r} as double) as off_{i}")
    taken += [f"{_quoted(name)} as constant_{i}" for i, name in enumerate(layout.constants)]
    asked, share = ["count(*) as n"], ""
    if layout.weight:
        taken.append(f"cast({_quoted(layout.weight)} as double) as weight")
        asked, share = [*asked, "sum(weight) as w", "sum(weight * weight) as w2"], "weight * "
    for i in range(len(layout.numbers)):
        asked.append(f"sum({share}off_{i}) as sum_{i}")
        asked += [f"sum({share}off_{i} * off_{j}) as product_{i}_{j}" for j in range(i, len(layout.numbers))]
    for i, name in enumerate(layout.constants):
        asked += [
            f"{which}(constant_{i}) as {_quoted(f'{told}_{name}')}"
            for which, told in (("min", "least"), ("max", "most"))
        ]
    keys, rows = ", ".join(layout.keys), f"select {', '.join(taken)} from results where {_complete(layout, nan)}"
    return f"select {keys}, {', '.join(asked)} from ({rows}) as complete group by {keys}"


def different_sql(layout: Layout, nan: frozenset[str]) -> str:
    """How many different students the complete rows are of."""
    assert layout.student
    return f"select count(distinct {_quoted(layout.student)}) as n from results where {_complete(layout, nan)}"


def repeated_sql(layout: Layout, nan: frozenset[str], among: str = "") -> str:
    """Up to three (student, teacher, term) that stand twice in the complete rows."""
    assert layout.student
    keys = ", ".join(map(_quoted, _key(layout)))
    where = " and ".join(filter(None, (_complete(layout, nan), _there(layout.student, nan), among)))
    return (
        f"select {keys} from (select {keys}, count(*) as times from results where {where} group by {keys}) as counted"
        f" where times > 1 order by {keys} limit 3"
    )


def _key(layout: Layout) -> list[str]:
    """The columns of which no two rows may have the same values, the student's first."""
    return list(dict.fromkeys(name for name in (layout.student, layout.teacher, layout.term) if name))


def _different(values: Prints) -> int:
    """How many different ones there are among sorted values."""
    return int(values.size > 0) + int(np.count_nonzero(values[1:] != values[:-1]))


def in_memory(column: Any) -> NDArray[Any]:
    """(R,) the numbers of an Arrow column, NaN where missing. Its own `to_numpy` would load pandas where that is installed."""
    import pyarrow
    import pyarrow.compute as compute

    if isinstance(column, pyarrow.ChunkedArray):
        return np.concatenate([in_memory(chunk) for chunk in column.chunks] or [np.empty(0)])
    if column.null_count:
        column = compute.fill_null(column.cast(pyarrow.float64()), np.nan)
    kind = np.dtype(column.type.to_pandas_dtype())
    return np.frombuffer(column.buffers()[1], dtype=kind, count=len(column), offset=column.offset * kind.itemsize)


def _used(layout: Layout) -> list[str]:
    named = (layout.student, layout.teacher, layout.term, layout.school, *layout.numbers, layout.weight)
    return list(dict.fromkeys(name for name in named if name))


def _there(name: str, nan: frozenset[str]) -> str:
    """Neither missing nor NaN. To ask whether it is at most infinity would not do: DuckDB takes that for granted."""
    column = _quoted(name)
    return f"{column} is not null and not isnan({column})" if name in nan else f"{column} is not null"


def _complete(layout: Layout, nan: frozenset[str]) -> str:
    needed = [name for name in (layout.teacher, layout.term, *layout.numbers, layout.weight) if name]
    parts = [_there(name, nan) for name in dict.fromkeys(needed)]
    return " and ".join(parts + ([f"{_quoted(layout.weight)} > 0"] if layout.weight else []))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _schema(file: Path) -> pyarrow.Schema:
    import pyarrow.parquet as parquet

    return parquet.read_schema(file)


class _told:
    """What an engine cannot read is said in one line, without its own words about its insides."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, _: object) -> None:
        if isinstance(error, Exception) and not isinstance(error, Unreadable):
            if isinstance(error, MemoryError) or "OutOfMemory" in type(error).__name__:
                raise Unreadable("there is not enough memory to read it") from error
            raise Unreadable(str(error).strip().splitlines()[0][:200] or type(error).__name__) from error
