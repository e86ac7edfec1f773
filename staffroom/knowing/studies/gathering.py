"""From a scan to cells: labels become codes, missing rows are counted and told, what ought not to vary in a cell is checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from staffroom.knowing.frames.files import Layout, Rows, Scan, Students, Unreadable, in_memory
from staffroom.knowing.studies import Refused, reading
from staffroom.knowing.studies import terms as order
from staffroom.knowing.studies.asking import Asked
from staffroom.measure.cells import LEAST_WEIGHT, MOST_WEIGHT, Cells, cells_from_moments

if TYPE_CHECKING:
    import pyarrow

LABELS = ("student", "teacher", "school", "term", "first_treated", "treated", "assigned", "block", "site", "cohort")
NUMBERS = ("dose", "running", "cutoff", "hours")
CONSTANT = ("first_treated", "treated", "assigned", "block", "site", "cohort", *NUMBERS)
"""Roles that do not vary within a cell: they are not summed."""
ONE_TERM = "1"
SUMMED = ("score", "prior", "weight")

type Texts = NDArray[np.str_]
type Floats = NDArray[np.float64]
type Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Gathered:
    """The outcomes of a study as cells, with what stood beside them in the same file."""

    asked: Asked
    readable: reading.Readable
    cells: Cells
    terms: order.Terms
    names: tuple[str, ...]
    """Of the cells' columns: score, prior, covariates."""
    prior: int | None
    rows: Rows
    students: Students | None
    least: dict[str, NDArray[Any]] = field(default_factory=dict)
    """Role or column to the least value per cell (C,): text, "" where missing, or numbers, NaN where missing."""
    most: dict[str, NDArray[Any]] = field(default_factory=dict)
    who: str = "teacher"
    """Whose cells these are, for messages: where lots were drawn among students they are theirs."""

    def per_cell(self, role: str) -> NDArray[Any]:
        """(C,) the value of each cell; Refused if it varies among the students of one."""
        least, most = self.least[role], self.most[role]
        differs = least != most
        if least.dtype.kind == "f":
            differs &= ~(np.isnan(least) & np.isnan(most))
        if differs.any():
            cell = int(np.argmax(differs))
            name, term = self.cells.teachers[self.cells.teacher[cell]], self._term(cell)
            told = f"({least[cell]} and {most[cell]})"
            if self.who == "student":
                raise Refused(f"{self._where(role)}: differs between rows of student “{name}” in term {term} {told}")
            raise Refused(
                f"{self._where(role)}: differs among the students of teacher “{name}” in term {term} {told}; taking part is "
                "a teacher's, the same for all of her students in a term, unless [columns] assigned tells which of them "
                "were drawn by lot"
            )
        return least

    def per_teacher(self, role: str) -> NDArray[Any]:
        """(I,) the value of each teacher; Refused if it differs between her cells. Missing ones do not count."""
        values = self.per_cell(role)
        is_number = values.dtype.kind == "f"
        there = ~np.isnan(values) if is_number else values != ""
        found = np.full(len(self.cells.teachers), np.nan if is_number else "", dtype=values.dtype)
        found[self.cells.teacher[there][::-1]] = values[there][::-1]
        differs = there & (values != found[self.cells.teacher])
        if differs.any():
            cell = int(np.argmax(differs))
            name = self.cells.teachers[self.cells.teacher[cell]]
            raise Refused(
                f"{self._where(role)}: differs between rows of {self.who} “{name}” "
                f"({found[self.cells.teacher[cell]]} and {values[cell]})"
            )
        return found

    def _where(self, role: str) -> str:
        return f"{self.readable.name}, column {self.asked.columns.get(role, role)}"

    def _term(self, cell: int) -> str:
        return self.terms.name(int(self.cells.terms[self.cells.term[cell]]))


def gather(asked: Asked, scratch: Path, *, session: Any = None) -> Gathered:
    """The outcomes as cells. Raises Refused for what cannot be read or counted on."""
    columns = asked.columns
    beside = _beside(asked)
    numbers = tuple(columns[role] for role in ("score", "prior") if role in columns) + asked.covariates
    wanted = reading.Wanted(
        labels=tuple(columns[role] for role in LABELS if role in columns and role not in beside) + asked.subgroups,
        numbers=numbers
        + tuple(columns[role] for role in ("weight", *NUMBERS) if role in columns and role not in beside),
    )
    path = asked.data["outcomes"]
    readable = reading.made_readable(path, wanted, scratch)
    constants = tuple(columns[role] for role in CONSTANT if role in columns and columns[role] in readable.columns)
    layout = Layout(
        teacher=columns["teacher"], numbers=numbers, middles=_middles(readable, numbers), student=columns.get("student"),
        school=columns.get("school"), term=columns.get("term"), weight=columns.get("weight"),
        constants=tuple(dict.fromkeys((*constants, *asked.subgroups))),
    )  # fmt: skip
    try:
        with Scan(
            readable.files, engine=str(asked.estimate.get("engine", "duckdb")), session=session, rows=readable.rows
        ) as scan:
            found = scan.moments(layout)
            rows = _all_there(found, layout, readable.rows) or scan.count(layout)
            _refuse_unusable(readable, layout, rows)
            _refuse_weights(readable, layout, found)
            students = scan.students(layout) if layout.student else None
            if students and students.repeated:
                _refuse_repeated(readable, layout, students)
    except Unreadable as error:
        raise Refused(f"{readable.name} cannot be read: {error}") from None
    return _as_cells(asked, readable, layout, rows, students, found)


def _all_there(found: pyarrow.Table, layout: Layout, rows: int) -> Rows | None:
    """What counting would say if every row is in a cell and every sum is finite; None if it must be counted."""
    sums = [in_memory(found[name]) for name in found.column_names if name.startswith(("sum_", "product_"))]
    if int(in_memory(found["n"]).sum()) != rows or not all(np.isfinite(one).all() for one in sums):
        return None
    if layout.school is not None and found["of_school"].null_count:
        return None
    named = (layout.student, layout.teacher, layout.term, layout.school, *layout.numbers, layout.weight)
    nothing = {name: 0 for name in named if name}
    return Rows(rows, nothing, nothing, complete=rows)


def _beside(asked: Asked) -> set[str]:
    """Roles whose columns are looked for in the files beside the outcomes, where those have them."""
    found = set[str]()
    for kind, roles in (
        ("activities", ("first_treated", "treated", "dose", "hours", "site", "cohort")),
        ("assignments", ("assigned", "block", "running", "cutoff")),
    ):
        if kind in asked.data:
            names = set(reading.columns_of(asked.data[kind])[0])
            found |= {role for role in roles if asked.columns.get(role, role) in names}
    return found


def _middles(readable: reading.Readable, numbers: Sequence[str]) -> tuple[float, ...]:
    """The median of each column's first values: near enough to the mean that squares do not cancel."""
    import pyarrow.parquet as parquet

    batch = next(parquet.ParquetFile(readable.files[0]).iter_batches(batch_size=65_536, columns=list(numbers)), None)
    found = []
    for name in numbers:
        values = np.array([] if batch is None else in_memory(batch.column(name)), dtype=np.float64)
        values = values[np.isfinite(values)]
        found.append(float(np.median(values)) if values.size else 0.0)
    return tuple(found)


def _refuse_unusable(readable: reading.Readable, layout: Layout, rows: Rows) -> None:
    import pyarrow.compute as compute

    for name, count in rows.infinite.items():
        if count:
            place = readable.locate(lambda batch: compute.is_inf(batch.column(0)), [name])
            raise Refused(f"{readable.name}, column {name}, row {_first(place)}: an infinite number")
    if rows.negative and layout.weight:
        place = readable.locate(lambda batch: compute.less(batch.column(0), 0), [layout.weight])
        raise Refused(f"{readable.name}, column {layout.weight}, row {_first(place)}: a weight below zero")
    if not rows.complete:
        worst = max(rows.missing, key=lambda name: rows.missing[name])
        raise Refused(f"{readable.name} has no row with all of {', '.join(layout.numbers)}; “{worst}” is missing most")


def _refuse_weights(readable: reading.Readable, layout: Layout, found: pyarrow.Table) -> None:
    """Weights so near to nothing, or so large, that their sums and shares leave the range of floating point."""
    import pyarrow.compute as compute

    if layout.weight is None:
        return
    mean = compute.divide(found["w"], compute.cast(found["n"], found["w"].type))
    low, high = compute.min_max(mean).as_py().values()
    if low >= LEAST_WEIGHT and high <= MOST_WEIGHT:
        return

    def useless(batch: Any) -> Any:
        tiny = compute.and_(compute.greater(batch.column(0), 0), compute.less(batch.column(0), LEAST_WEIGHT))
        return compute.or_(tiny, compute.greater(batch.column(0), MOST_WEIGHT))

    place = readable.locate(useless, [layout.weight])
    raise Refused(
        f"{readable.name}, column {layout.weight}, row {_first(place)}: a weight must lie between "
        f"{LEAST_WEIGHT:g} and {MOST_WEIGHT:g}, or be 0"
    )


def _refuse_repeated(readable: reading.Readable, layout: Layout, students: Students) -> None:
    import pyarrow.compute as compute

    keys = list(dict.fromkeys(key for key in (layout.student, layout.teacher, layout.term) if key))
    first = students.repeated[0]

    def same(batch: Any) -> Any:
        found = compute.equal(batch.column(0), first[0])
        for place in range(1, len(keys)):
            found = compute.and_(found, compute.equal(batch.column(place), first[place]))
        return found

    rows = readable.locate(same, keys)
    listed = ", ".join(f"{key} {value}" for key, value in zip(keys, first, strict=True))
    where = f" (rows {' and '.join(map(str, rows[:2]))})" if len(rows) > 1 else ""
    raise Refused(f"{readable.name}: the same student stands twice with the same teacher and term: {listed}{where}")


def _first(places: list[int]) -> str:
    return str(places[0]) if places else "?"


def _as_cells(
    asked: Asked,
    readable: reading.Readable,
    layout: Layout,
    rows: Rows,
    students: Students | None,
    found: pyarrow.Table,
) -> Gathered:
    teachers, teacher = labels(found["of_teacher"])
    schools, school = labels(found["of_school"], missing="(no school)") if layout.school else (teachers, teacher)
    names, term = labels(found["of_term"]) if layout.term else ([ONE_TERM], np.zeros(len(teacher), dtype=np.int64))
    told = asked.study.get("terms", ())
    terms = order.in_order(names, told=told, file=readable.name, column=layout.term or "term")
    number = np.array([terms.number[name] for name in names], dtype=np.int64)[term]
    weight, mean, scatter = _moments(found, layout)
    try:
        made = cells_from_moments(
            teacher=teacher,
            school=school,
            term=number,
            n=in_memory(found["n"]),
            mean=mean,
            scatter=scatter,
            weight=weight,
        )
    except ValueError as error:
        raise Refused(f"{readable.name}: {error}") from None
    cells = replace(made, teachers=np.array(teachers), clusters=np.array(schools))
    if asked.study.get("higher_is_better") is False:
        cells = _turned(cells, 2 if "prior" in asked.columns else 1)
    place = np.searchsorted(cells.terms, number)
    cell = np.searchsorted(cells.teacher * len(cells.terms) + cells.term, teacher * len(cells.terms) + place)
    # A column may play several parts: a school can be the site and the block as well.
    roles = {role: asked.columns[role] for role in CONSTANT if asked.columns.get(role) in layout.constants}
    roles |= {name: name for name in asked.subgroups}
    size = len(cells.n)
    least = {role: _by_cell(found[f"least_{name}"], cell, size, least=True) for role, name in roles.items()}
    most = {role: _by_cell(found[f"most_{name}"], cell, size, least=False) for role, name in roles.items()}
    prior = 1 if "prior" in asked.columns else None
    return Gathered(asked, readable, cells, terms, layout.numbers, prior, rows, students, least, most)


def _moments(found: pyarrow.Table, layout: Layout) -> tuple[Floats | None, Floats, Floats]:
    """Weights, means and scatter of each cell from sums and products of what lies off the middles."""
    size, columns = found.num_rows, len(layout.numbers)
    mass = in_memory(found["w" if layout.weight else "n"]).astype(np.float64)
    off = np.stack([in_memory(found[f"sum_{i}"]) for i in range(columns)], axis=1) / mass[:, None]
    scatter = np.empty((size, columns, columns))
    for i in range(columns):
        for j in range(i, columns):
            scatter[:, i, j] = in_memory(found[f"product_{i}_{j}"]) - mass * off[:, i] * off[:, j]
            scatter[:, j, i] = scatter[:, i, j]
        squares = in_memory(found[f"product_{i}_{i}"])
        own = scatter[:, i, i]
        scatter[:, i, i] = np.where(own <= 1e-13 * squares, 0.0, own)
        flat = scatter[:, i, i] == 0
        scatter[flat, i, :] = scatter[flat, :, i] = 0.0
    return (mass if layout.weight else None), off + np.array(layout.middles), scatter


def _turned(cells: Cells, columns: int) -> Cells:
    """Where lower is better: the score and the prior score change their sign."""
    sign = np.ones(cells.mean.shape[1])
    sign[:columns] = -1.0
    return replace(cells, mean=cells.mean * sign, scatter=cells.scatter * sign[:, None] * sign[None, :])


def labels(column: Any, *, missing: str = "") -> tuple[list[str], Ints]:
    """The different labels of a column as text, sorted, and the code of each row."""
    import pyarrow
    import pyarrow.compute as compute

    whole = column.combine_chunks() if isinstance(column, pyarrow.ChunkedArray) else column
    encoded = compute.dictionary_encode(whole, null_encoding="encode")
    if isinstance(encoded, pyarrow.ChunkedArray):
        encoded = encoded.combine_chunks()
    told = [label(value, missing) for value in encoded.dictionary.to_pylist()]
    names = sorted(set(told))
    place = {name: code for code, name in enumerate(names)}
    codes = np.array([place[name] for name in told], dtype=np.int64)
    return names, codes[in_memory(encoded.indices).astype(np.int64)]


def label(value: Any, missing: str = "") -> str:
    """A key as text: whole floating-point numbers without their “.0”."""
    if value is None or value != value:
        return missing
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return str(value)


def _by_cell(column: Any, cell: Ints, size: int, *, least: bool) -> NDArray[Any]:
    """(C,) the least (or greatest) of the rows of each cell: a teacher may have several schools in a term."""
    import pyarrow
    from pyarrow import types

    if types.is_floating(column.type) or types.is_integer(column.type):
        values = in_memory(column.cast(pyarrow.float64()))
        found = np.full(size, np.nan)
        (np.fmin if least else np.fmax).at(found, cell, values)
        return found
    names, code = labels(column)
    known = np.array([name != "" for name in names])[code]
    picked = np.full(size, len(names) if least else -1, dtype=np.int64)
    (np.minimum if least else np.maximum).at(picked, cell[known], code[known])
    return np.array([*names, ""], dtype=np.str_)[picked]
