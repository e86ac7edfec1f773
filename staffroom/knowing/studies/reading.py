"""Files as people have them, made into Parquet files that every engine reads alike. What cannot be read says file, column and row.

A CSV file is read once, in blocks, and only the columns that play a part are kept, whatever its encoding, separator or number of
columns; numbers are checked while they pass. Parquet files are used where they lie if their columns have fitting types.
Rows are counted as a spreadsheet counts them: the header of a CSV file is row 1; a Parquet file's first row is row 1.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from staffroom.knowing.studies import Refused, values
from staffroom.knowing.studies import texts as text_files

if TYPE_CHECKING:
    import pyarrow

PARQUET = b"PAR1"
PACKED = {b"PK\x03\x04": "a zip archive or an Excel workbook", b"\x1f\x8b": "a gzip archive", b"\xd0\xcf\x11\xe0": "an Excel workbook",
          b"BZh": "a bzip2 archive", b"\xfd7zX": "an xz archive", b"(\xb5/\xfd": "a zstd archive", b"SQLi": "a SQLite database",
          b"%PDF": "a PDF document"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which columns are kept: labels as text (or whole numbers), numbers as floating point."""

    labels: tuple[str, ...]
    numbers: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    """Columns that may be missing from this file."""

    @property
    def all(self) -> tuple[str, ...]:
        """Each column once."""
        return tuple(dict.fromkeys((*self.labels, *self.numbers)))


@dataclass(frozen=True, slots=True)
class Readable:
    """Files that engines can read, and what is known of where they came from."""

    name: str
    """As the study names it."""
    files: tuple[Path, ...]
    rows: int
    digest: str
    """SHA-256 of the bytes of all files."""
    columns: tuple[str, ...]
    first_row: int
    """Number of the first row of results: 2 under a header."""

    def locate(self, wrong: Callable[[Any], Any], columns: Sequence[str]) -> list[int]:
        """The numbers of the first rows in which `wrong`, given a batch, is true: at most three; for error messages."""
        import pyarrow.compute as compute
        import pyarrow.parquet as parquet

        found, passed = list[int](), self.first_row
        for file in self.files:
            for batch in parquet.ParquetFile(file).iter_batches(columns=list(columns)):
                places = compute.indices_nonzero(compute.fill_null(wrong(batch), False)).to_pylist()
                found += [passed + int(place) for place in places[: 3 - len(found)]]
                passed += batch.num_rows
                if len(found) == 3:
                    return found
            passed = self.first_row if len(self.files) > 1 else passed
        return found


def columns_of(path: Path) -> tuple[list[str], str]:
    """The names of a file's columns and 'csv' or 'parquet'; for guessing and checking. Raises Refused."""
    files = _files(path)
    if _is_parquet(files[0]):
        return list(_schema(files[0]).names), "parquet"
    return text_files.opened(files[0]).header, "csv"


def table(path: Path, wanted: Wanted, scratch: Path) -> tuple[pyarrow.Table, Readable]:
    """A small file beside the outcomes, whole, with the columns that it has of those wanted."""
    import pyarrow.parquet as parquet

    readable = made_readable(path, wanted, scratch)
    if readable.rows > 20_000_000:
        raise Refused(f"{path.name} has {readable.rows} rows; that is too many for a file beside the outcomes")
    found = parquet.read_table(list(map(str, readable.files)), columns=list(readable.columns), partitioning=None)
    return found, readable


def made_readable(path: Path, wanted: Wanted, scratch: Path) -> Readable:
    """The file, glob or folder of a study as Parquet with these columns; written into `scratch` where needed."""
    files = _files(path)
    kinds = {_is_parquet(file) for file in files}
    if kinds == {True, False}:
        raise Refused(f"{path.name} holds Parquet files and others; name only one kind")
    if kinds == {True}:
        return _from_parquet(path, files, wanted, scratch)
    if len(files) > 1:
        raise Refused(f"{path.name} names {len(files)} text files; put their rows into one, or make them Parquet")
    return _from_text(path, files[0], wanted, scratch)


def _files(path: Path) -> list[Path]:
    try:
        if any(letter in path.name for letter in "*?[") and not path.exists():
            found = sorted(file for file in path.parent.glob(path.name) if file.is_file())
        elif path.is_dir():
            found = sorted(file for file in path.rglob("*.parquet") if file.is_file())
        else:
            found = [path] if path.exists() else []
        if not found:
            raise Refused(_nothing_there(path))
        for file in found:
            if not file.is_file():
                raise Refused(f"{file} is not a file")
            if not file.stat().st_size:
                raise Refused(f"{file.name} is empty")
        return found
    except OSError as error:
        raise Refused(f"{path}: {error.strerror or error}") from None


def _nothing_there(path: Path) -> str:
    if path.is_dir():
        return f"{path} is a folder without Parquet files; name a file"
    return f"{path} does not exist"


def _is_parquet(file: Path) -> bool:
    try:
        with file.open("rb") as opened:
            head = opened.read(8)
    except OSError as error:
        raise Refused(f"{file}: {error.strerror or error}") from None
    for magic, what in PACKED.items():
        if head.startswith(magic):
            raise Refused(f"{file.name} is {what}; unpack it, or save it as CSV or Parquet")
    return head.startswith(PARQUET)


def _schema(file: Path) -> Any:
    import pyarrow
    import pyarrow.parquet as parquet

    try:
        return parquet.read_schema(file)
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise Refused(f"{file.name} is not a whole Parquet file: {_line(error)}") from None


def _from_parquet(path: Path, files: list[Path], wanted: Wanted, scratch: Path) -> Readable:
    import pyarrow
    import pyarrow.parquet as parquet

    schemas = [_schema(file) for file in files]
    kept = _kept(path, list(schemas[0].names), wanted)
    for file, schema in zip(files, schemas, strict=True):
        if [
            name for name in kept if name not in schema.names or schema.field(name).type != schemas[0].field(name).type
        ]:
            raise Refused(f"{file.name} has other columns or types than {files[0].name}")
    try:
        rows = sum(parquet.read_metadata(file).num_rows for file in files)
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise Refused(f"{path.name} is not a whole Parquet file: {_line(error)}") from None
    if not rows:
        raise Refused(f"{path.name} has no rows")
    digest = _digest(files)
    if not _fits(schemas[0], kept, wanted):
        files = [_rewritten(path, files, schemas[0], kept, wanted, scratch)]
    return Readable(path.name, tuple(files), rows, digest, tuple(kept), 1)


def _kept(path: Path, names: list[str], wanted: Wanted) -> list[str]:
    for name in wanted.all:
        if name not in names and name not in wanted.optional:
            raise Refused(f"{path.name} has no column “{name}”{_hint(name, names)}")
        if names.count(name) > 1:
            raise Refused(f"{path.name} has {names.count(name)} columns named “{name}”; give each its own name")
    kept = [name for name in wanted.all if name in names]
    if len({name.casefold() for name in kept}) < len(kept):
        raise Refused(f"{path.name} has columns whose names differ in upper and lower case alone: {', '.join(kept)}")
    return kept


def _hint(name: str, names: list[str]) -> str:
    import difflib

    near = difflib.get_close_matches(name, names[:5000], 1, 0.6)
    if near:
        return f"; did you mean “{near[0][:60]}”?"
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return f"; it has {', '.join(name[:60] for name in names[:8])}{more}"


def _fits(schema: Any, kept: list[str], wanted: Wanted) -> bool:
    """Whether engines can use the columns as they are: no two names alike, labels and numbers of plain types."""
    from pyarrow import types

    folded = [name.casefold() for name in schema.names]
    if len(set(folded)) < len(folded) or len(folded) > 2000:
        return False
    for name in kept:
        kind = schema.field(name).type
        is_whole = types.is_signed_integer(kind) or kind in _small_unsigned()
        if name in wanted.numbers and not (is_whole or kind in _floats()):
            return False
        if name not in wanted.numbers and not (is_whole or types.is_string(kind) or types.is_large_string(kind)):
            return False
    return True


def _floats() -> tuple[Any, ...]:
    import pyarrow

    return pyarrow.float32(), pyarrow.float64()


def _small_unsigned() -> tuple[Any, ...]:
    import pyarrow

    return pyarrow.uint8(), pyarrow.uint16(), pyarrow.uint32()


def _rewritten(path: Path, files: list[Path], schema: Any, kept: list[str], wanted: Wanted, scratch: Path) -> Path:
    import pyarrow
    import pyarrow.parquet as parquet

    def batches() -> Iterator[Any]:
        for file in files:
            yield from parquet.ParquetFile(file).iter_batches(columns=kept)

    for name in kept:
        kind = schema.field(name).type
        if pyarrow.types.is_nested(kind) or pyarrow.types.is_binary(kind):
            raise Refused(f"{path.name}, column {name}: holds {kind}, not plain values")
    try:
        return _written(path.name, batches(), kept, wanted, scratch, first_row=1)
    except (pyarrow.ArrowException, OSError) as error:
        raise Refused(f"{path.name} cannot be read: {_line(error)}") from None


def _from_text(path: Path, file: Path, wanted: Wanted, scratch: Path) -> Readable:
    opened = text_files.opened(file)
    kept = _kept(path, opened.header, wanted)
    digest, rows = hashlib.sha256(), [0]

    def counted() -> Iterator[Any]:
        for batch in text_files.batches(opened, kept, digest):
            rows[0] += batch.num_rows
            yield batch

    written = _written(path.name, counted(), kept, wanted, scratch, first_row=2, decimal_comma=opened.delimiter != ",")
    if not rows[0]:
        raise Refused(f"{path.name} has a header but no rows")
    return Readable(path.name, (written,), rows[0], digest.hexdigest(), tuple(kept), 2)


def _written(
    name: str,
    batches: Iterator[Any],
    kept: list[str],
    wanted: Wanted,
    scratch: Path,
    *,
    first_row: int,
    decimal_comma: bool = False,
) -> Path:
    import pyarrow
    import pyarrow.parquet as parquet

    numbers = set(wanted.numbers)
    kinds = [(each, pyarrow.float64() if each in numbers else pyarrow.string()) for each in kept]
    path, row = scratch / f"{len(list(scratch.iterdir()))}.parquet", first_row
    with parquet.ParquetWriter(path, pyarrow.schema(kinds), compression="lz4", write_statistics=False) as writer:
        for batch in batches:
            arrays = [
                values.numbers(batch.column(each), name, each, row, decimal_comma)
                if each in numbers
                else values.labels(batch.column(each), name, each, row)
                for each in kept
            ]
            writer.write_batch(pyarrow.record_batch(arrays, names=kept))
            row += batch.num_rows
    return path


def _digest(files: list[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        with file.open("rb") as opened:
            while block := opened.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def _line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:160]
