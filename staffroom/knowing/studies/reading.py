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

from staffroom.knowing.studies import Refused
from staffroom.knowing.studies import texts as text_files

if TYPE_CHECKING:
    import pyarrow

LARGEST = 1e60
"""Beyond this, sums of products leave the range of floating point."""
MISSING = ("", "na", "n/a", "nan", "null", "none", ".", "-")
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
        return f"; did you mean “{near[0]}”?"
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return f"; it has {', '.join(names[:8])}{more}"


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
                _numbers(batch.column(each), name, each, row, decimal_comma)
                if each in numbers
                else _labels(batch.column(each), name, each, row)
                for each in kept
            ]
            writer.write_batch(pyarrow.record_batch(arrays, names=kept))
            row += batch.num_rows
    return path


def _labels(column: Any, file: str, name: str, row: int) -> Any:
    import pyarrow
    import pyarrow.compute as compute

    text = _text(column)
    text = compute.utf8_trim_whitespace(text)
    _refuse_formulas(text, file, name, row)
    missing = compute.is_in(compute.utf8_lower(text), value_set=pyarrow.array(MISSING))
    return compute.if_else(missing, pyarrow.scalar(None, pyarrow.string()), text)


def _text(column: Any) -> Any:
    """As text: whole floating-point numbers (ids of a table with gaps) without their “.0”."""
    import pyarrow
    import pyarrow.compute as compute

    if pyarrow.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pyarrow.types.is_floating(column.type):
        column = compute.if_else(compute.is_nan(column), None, column)
        whole = compute.fill_null(compute.equal(compute.floor(column), column), False)
        inside = compute.fill_null(compute.less(compute.abs(column), 2.0**53), False)
        if compute.all(compute.or_(compute.and_(whole, inside), compute.is_null(column))).as_py() is not False:
            column = compute.cast(column, pyarrow.int64())
    if pyarrow.types.is_timestamp(column.type):
        column = compute.strftime(column, format="%Y-%m-%d")
    return compute.cast(column, pyarrow.string())


def _refuse_formulas(text: Any, file: str, name: str, row: int) -> None:
    import pyarrow.compute as compute

    formula = compute.fill_null(compute.match_substring_regex(text, r"^[=@]"), False)
    if compute.any(formula).as_py():
        place = compute.index(formula, True).as_py()
        raise Refused(f"{file}, column {name}, row {row + place}: {_shown(text[place])} is a formula, not a value")


def _numbers(column: Any, file: str, name: str, row: int, decimal_comma: bool) -> Any:
    import pyarrow
    import pyarrow.compute as compute

    if pyarrow.types.is_boolean(column.type):
        column = compute.cast(column, pyarrow.int8())
    if pyarrow.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pyarrow.types.is_string(column.type) or pyarrow.types.is_large_string(column.type):
        column = _parsed(compute.utf8_trim_whitespace(column), file, name, row, decimal_comma)
    elif not (
        pyarrow.types.is_integer(column.type) or pyarrow.types.is_floating(column.type) or _is_decimal(column.type)
    ):
        raise Refused(f"{file}, column {name}: holds {column.type}, not numbers")
    values = compute.cast(column, pyarrow.float64(), safe=False)
    values = compute.if_else(compute.is_nan(values), pyarrow.scalar(None, pyarrow.float64()), values)
    beyond = compute.fill_null(compute.greater(compute.abs(values), LARGEST), False)
    if compute.any(beyond).as_py():
        place = compute.index(beyond, True).as_py()
        raise Refused(
            f"{file}, column {name}, row {row + place}: {_shown(column[place])} is not a finite number of any use"
        )
    return values


def _is_decimal(kind: Any) -> bool:
    import pyarrow

    return bool(pyarrow.types.is_decimal(kind))


def _parsed(text: Any, file: str, name: str, row: int, decimal_comma: bool) -> Any:
    import pyarrow
    import pyarrow.compute as compute

    _refuse_formulas(text, file, name, row)
    missing = compute.is_in(compute.utf8_lower(text), value_set=pyarrow.array(MISSING))
    text = compute.if_else(missing, pyarrow.scalar(None, text.type), text)
    plain = compute.replace_substring(text, ",", ".") if decimal_comma else text
    plain = compute.replace_substring_regex(plain, r"^\+", "")
    try:
        return compute.cast(plain, pyarrow.float64())
    except pyarrow.ArrowInvalid:
        for place, value in enumerate(plain.to_pylist()):
            if value is not None and not _is_number(value):
                shown = _shown(text[place])
                raise Refused(f"{file}, column {name}, row {row + place}: {shown} is not a number") from None
        raise Refused(f"{file}, column {name}: holds something that is not a number") from None


def _is_number(text: str) -> bool:
    import pyarrow
    import pyarrow.compute as compute

    try:
        compute.cast(pyarrow.array([text]), pyarrow.float64())
    except pyarrow.ArrowInvalid:
        return False
    return True


def _shown(value: Any) -> str:
    text = str(value)
    return f"“{text if len(text) <= 40 else text[:40] + '…'}”"


def _digest(files: list[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        with file.open("rb") as opened:
            while block := opened.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def _line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:160]
