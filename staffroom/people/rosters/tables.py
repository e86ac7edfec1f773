"""Reading one table: its encoding, its header, its rows with their line numbers, and what single values may be."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from functools import lru_cache
from typing import IO

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from staffroom.people.rosters.roster import Problem, RosterRefused

type Progress = Callable[[int], None]
EVERY = 2000  # rows between two reports of progress


class BadValue(ValueError):
    """A value cannot be taken: which column, and why."""

    def __init__(self, column: str, reason: str) -> None:
        super().__init__(reason)
        self.column = column
        self.reason = reason


class Row:
    """One row of a table, read by column name. A column that the table lacks reads as empty."""

    __slots__ = ("_cells", "_places", "line")

    def __init__(self, places: dict[str, int], cells: list[str], line: int) -> None:
        self._places = places
        self._cells = cells
        self.line = line

    def text(self, column: str, most: int = 255) -> str:
        place = self._places.get(column)
        if place is None:
            return ""
        text = self._cells[place].strip()
        if len(text) > most:
            raise BadValue(column, _("is longer than %(most)d characters") % {"most": most})
        return text

    def needed(self, column: str, most: int = 255) -> str:
        text = self.text(column, most)
        if not text:
            raise BadValue(column, _("is empty"))
        return text

    def day(self, column: str) -> date | None:
        text = self.text(column, 40)
        try:
            return _day(text) if text else None
        except ValueError:
            raise BadValue(column, _("“%(text)s” is not a date such as 2026-08-20") % {"text": text}) from None

    def needed_day(self, column: str) -> date:
        found = self.day(column)
        if found is None:
            raise BadValue(column, _("is empty"))
        return found

    def days(self, first: str, last: str) -> tuple[date | None, date | None]:
        begins_on, ends_on = self.day(first), self.day(last)
        if begins_on and ends_on and ends_on < begins_on:
            raise BadValue(last, _("lies before %(first)s") % {"first": first})
        return begins_on, ends_on

    def one_of[T](self, column: str, meanings: dict[str, T]) -> T:
        text = self.needed(column, 100)
        try:
            return meanings[text.casefold()]
        except KeyError:
            raise BadValue(column, _("“%(text)s” is not known here") % {"text": text[:60]}) from None

    def yes(self, column: str, default: bool) -> bool:
        text = self.text(column, 20).casefold()
        if text in ("", "true", "false", "1", "0", "yes", "no"):
            return text in ("true", "1", "yes") if text else default
        raise BadValue(column, _("“%(text)s” is neither true nor false") % {"text": text})

    def many(self, column: str) -> tuple[str, ...]:
        return tuple(part.strip() for part in self.text(column, 10_000).split(",") if part.strip())

    def address(self, column: str) -> str:
        text = self.text(column, 254).lower()
        if text:
            try:
                validate_email(text)
            except ValidationError:
                raise BadValue(column, _("“%(text)s” is not an email address") % {"text": text[:80]}) from None
        return text


@lru_cache(maxsize=4096)
def _day(text: str) -> date:
    return date.fromisoformat(text[:10])


def day_before(day: date, not_before: date) -> date:
    """OneRoster's sessions end on a day that no longer counts; our terms on their last day."""
    return max(day - timedelta(days=1), not_before)


def decoded(stream: IO[bytes], file: str) -> io.TextIOWrapper:
    """The table as text: UTF-8, with or without a mark. Other encodings are named and refused."""
    start = stream.read(4)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or start[1:2] == b"\0":
        raise RosterRefused(_("%(file)s is saved as UTF-16. Save it as CSV UTF-8.") % {"file": file})
    stream.seek(0)
    return io.TextIOWrapper(stream, encoding="utf-8-sig", newline="")


def rows(
    stream: IO[bytes], file: str, required: Sequence[str], problems: list[Problem], progress: Progress,
    refused: set[str], name: Callable[[str], str] = str.strip,
) -> Iterator[Row]:  # fmt: skip
    """The table's rows. Rows that are no rows become problems, and what stands first in them is `refused`.

    A table that cannot be read raises RosterRefused.
    """
    text = decoded(stream, file)
    reader = csv.reader(text, strict=True)
    try:
        header = [name(column) for column in next(reader, [])]
        places = _places(header, file, required)
        count = len(header)
        for number, cells in enumerate(reader, 1):
            if number % EVERY == 0:
                progress(EVERY)
            if not cells:
                continue
            if len(cells) != count:
                refused.add(cells[0].strip())
                reason = _("has %(found)d values where the header has %(count)d") % {
                    "found": len(cells),
                    "count": count,
                }
                problems.append(Problem(file, reader.line_num, "", reason))
            elif any("\0" in cell for cell in cells):
                refused.add(cells[0].strip())
                problems.append(Problem(file, reader.line_num, "", _("holds a character that no text may hold (NUL)")))
            else:
                yield Row(places, cells, reader.line_num)
    except UnicodeDecodeError as error:
        raise RosterRefused(_("%(file)s is not UTF-8. Save it as CSV UTF-8.") % {"file": file}) from error
    except csv.Error as error:
        line = {"file": file, "line": reader.line_num, "error": str(error)}
        raise RosterRefused(_("%(file)s, line %(line)d cannot be read: %(error)s.") % line) from error
    finally:
        text.detach()  # the stream belongs to the caller, who may read it again


def _places(header: list[str], file: str, required: Sequence[str]) -> dict[str, int]:
    places = {column: place for place, column in enumerate(header) if column}
    missing = [column for column in required if column not in places]
    if missing:
        words = {"file": file, "columns": ", ".join(missing)}
        raise RosterRefused(_("%(file)s lacks these columns: %(columns)s.") % words)
    if len(places) != sum(bool(column) for column in header):
        raise RosterRefused(_("%(file)s names a column twice.") % {"file": file})
    return places
