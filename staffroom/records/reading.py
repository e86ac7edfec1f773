"""Reading tables that people send: whatever a spreadsheet or a testing company calls CSV. Plain Python, no database.

Encodings are told apart by their marks and by what can be decoded: UTF-8, UTF-16 (both orders), else Windows-1252, which is what
Excel writes in the West and holds all of Latin-1's letters. The separator is whichever of ``, ; tab |`` divides the first lines best.
"""

from __future__ import annotations

import codecs
import csv
import io
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from django.utils.translation import gettext as _

SEPARATORS = (",", ";", "\t", "|")
MOST_COLUMNS = 500
MOST_CELL = 10_000
MOST_BYTES = 200 * 1024 * 1024


class Unreadable(ValueError):
    """The file as a whole cannot be read as a table; the message says why, in a sentence for people."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: its number in the file (the header is line 1), and its cells."""

    line: int
    cells: list[str]


@dataclass(frozen=True)
class Table:
    """A file that could be read: what its columns are called, how it was written, and its text."""

    columns: list[str]
    encoding: str
    separator: str
    text: str

    def rows(self) -> Iterator[Row]:
        """The lines below the header; those without anything in them are passed over."""
        reader = csv.reader(io.StringIO(self.text, newline=""), delimiter=self.separator)
        began = 1
        for cells in reader:
            if began > 1 and any(cell.strip() for cell in cells):
                yield Row(began, cells)
            began = reader.line_num + 1


def read_table(content: bytes) -> Table:
    """A table from a file's bytes. Raises Unreadable for what is no table: empty, binary, no header, cut inside quotes."""
    if len(content) > MOST_BYTES:
        raise Unreadable(_("The file is larger than %(most)s MB.") % {"most": MOST_BYTES // 1024 // 1024})
    encoding, text = decode(content)
    if not text.strip():
        raise Unreadable(_("The file is empty."))
    separator = find_separator(text)
    columns = _header(text, separator)
    table = Table(columns, encoding, separator, text)
    _refuse_broken(table)
    return table


def decode(content: bytes) -> tuple[str, str]:
    """The encoding of a file and its text."""
    if content.startswith(codecs.BOM_UTF8):
        return "UTF-8", _decoded(content, "utf-8-sig")
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "UTF-16", _decoded(content, "utf-16")
    if b"\0" in content[:2000]:
        return "UTF-16", _without_mark(content)
    try:
        return "UTF-8", content.decode("utf-8")
    except UnicodeDecodeError:
        return "Windows-1252", content.decode("cp1252", errors="replace")


def _decoded(content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise Unreadable(_("The file says that it is %(encoding)s, but is not.") % {"encoding": encoding}) from error


def _without_mark(content: bytes) -> str:
    """UTF-16 without a byte order mark: in Latin text every other byte is zero; which one tells the order."""
    first, second = content[:2000:2].count(0), content[1:2000:2].count(0)
    if max(first, second) < min(len(content), 2000) // 5 or min(first, second) > max(first, second) // 10:
        raise Unreadable(_("This is not a text file. Save the table as CSV and try again."))
    return _decoded(content, "utf-16-be" if first > second else "utf-16-le")


def find_separator(text: str) -> str:
    """The sign that divides the first lines into most columns, the same number in each."""
    lines = [line for line in text[:20_000].splitlines()[:20] if line.strip()]
    if len(text) > 20_000 and len(lines) > 1:
        lines = lines[:-1]

    def fitness(separator: str) -> tuple[int, int]:
        widths = [len(cells) for cells in csv.reader(lines, delimiter=separator)]
        most = widths[0] if widths else 1
        return (sum(width == most for width in widths) if most > 1 else 0, most)

    return max(SEPARATORS, key=fitness)


def _header(text: str, separator: str) -> list[str]:
    try:
        cells = next(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
    except (csv.Error, StopIteration) as error:
        raise Unreadable(_("The first line, which names the columns, cannot be read.")) from error
    columns = [cell.strip().lstrip("\ufeff") for cell in cells]
    while columns and not columns[-1]:
        columns.pop()
    if not columns or len(columns) > MOST_COLUMNS:
        raise Unreadable(_("The first line has to name the columns."))
    repeated = {name for name in columns if name and columns.count(name) > 1}
    if repeated:
        raise Unreadable(_("Two columns have the same name: %(names)s.") % {"names": ", ".join(sorted(repeated))})
    return columns


def _refuse_broken(table: Table) -> None:
    """Walk the whole file once, so that a quotation mark that never closes is found before anything is taken in."""
    try:
        for row in table.rows():
            if len(row.cells) > MOST_COLUMNS or max(map(len, row.cells)) > MOST_CELL:
                raise Unreadable(
                    _("Line %(line)s is too long. Is a quotation mark missing at its end?") % {"line": row.line}
                )
    except csv.Error as error:
        raise Unreadable(_("The file is not a proper CSV file: %(why)s.") % {"why": error}) from error


# --- Cells -----------------------------------------------------------------------------------------------------------------------

_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?")
_GROUPED = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_COMMA = re.compile(r"[+-]?\d+,\d+")
DAY_FORMATS = ("%Y-%m-%d", "%m/%d/%Y", "%m/%d/%y", "%Y/%m/%d", "%Y%m%d", "%d.%m.%Y")


class BadCell(ValueError):
    """A cell does not say what its column should; the message is a sentence for people."""


def text_in(cell: str) -> str:
    """The text of a cell. A formula is refused: what it comes to is known to the spreadsheet alone."""
    text = cell.strip()
    if text.startswith(("=", "@")):
        raise BadCell(_("There is a formula here, not a value: save the table with values only."))
    return text


def number_in(cell: str) -> float:
    """The number in a cell: 12, 12.5, 12,5 or 1,234.5. Refuses text, formulas, not-a-number and infinity."""
    text = text_in(cell).replace("\u00a0", "").replace("−", "-")
    if not text:
        raise BadCell(_("There is no value."))
    if _NUMBER.fullmatch(text):
        value = float(text)
    elif _GROUPED.fullmatch(text):
        value = float(text.replace(",", ""))
    elif _COMMA.fullmatch(text):
        value = float(text.replace(",", "."))
    else:
        raise BadCell(_("“%(text)s” is not a number.") % {"text": text[:40]})
    if not math.isfinite(value):
        raise BadCell(_("“%(text)s” is not a finite number.") % {"text": text[:40]})
    return value


def day_in(cell: str) -> date:
    """The day in a cell: 2026-09-01, 9/1/2026 (month first), 1.9.2026, 20260901, with or without a time."""
    text = text_in(cell)
    day = re.split(r"[T ]", text, maxsplit=1)[0]
    for form in DAY_FORMATS:
        try:
            return datetime.strptime(day, form).date()
        except ValueError:
            continue
    raise BadCell(_("“%(text)s” is not a date such as 2026-09-01.") % {"text": text[:40]})
