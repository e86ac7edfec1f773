"""Text tables: CSV in UTF-8, UTF-16, UTF-32 or Windows-1252, separated by comma, semicolon, tab or bar, with any number of columns."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from staffroom.knowing.studies import Refused

DELIMITERS = (",", ";", "\t", "|")
BLOCK = 8 << 20
LONGEST_HEADER = 64 << 20
SNIFFED = 1 << 20


@dataclass(frozen=True, slots=True)
class Opened:
    """A text file whose form is known; it is read by `batches`."""

    path: Path
    encoding: str
    delimiter: str
    header: list[str]
    skipped: int = 0
    """Lines before the header: 1 for Excel's “sep=;”."""


def opened(path: Path) -> Opened:
    """What kind of text this is, and its header. Raises Refused if it is no table of text."""
    try:
        with path.open("rb") as stream:
            head = stream.read(SNIFFED)
            encoding = _encoding(path, head)
            text = head.decode(encoding, errors="replace")
            while not _has_line(text) and len(head) < LONGEST_HEADER and (more := stream.read(SNIFFED)):
                head += more
                text = head.decode(encoding, errors="replace")
    except OSError as error:
        raise Refused(f"{path}: {error.strerror or error}") from None
    text = text.removeprefix("\ufeff")
    skipped, delimiter = 0, ""
    if text[:4].lower() == "sep=" and len(text) > 5:
        skipped, delimiter, text = 1, text[4], text.split("\n", 1)[-1]
    line = next((line for line in io.StringIO(text) if line.strip()), "")
    if not line.strip("\x00 \r\n\t"):
        raise Refused(f"{path.name} is empty")
    delimiter = delimiter or _delimiter(line)
    return Opened(path, encoding, delimiter, _header(path, text, delimiter), skipped)


def batches(opened: Opened, kept: list[str], digest: Any) -> Iterator[Any]:
    """Record batches of the columns `kept`, all as text. Adds the file's bytes to `digest`. Raises Refused."""
    import pyarrow
    from pyarrow import csv as arrow_csv

    try:
        with opened.path.open("rb") as raw:
            stream = _Utf8(raw, opened, digest)
            reader = arrow_csv.open_csv(
                stream,
                read_options=arrow_csv.ReadOptions(
                    block_size=BLOCK, use_threads=False, column_names=opened.header, skip_rows=1
                ),
                parse_options=arrow_csv.ParseOptions(delimiter=opened.delimiter, newlines_in_values=True),
                convert_options=arrow_csv.ConvertOptions(
                    include_columns=kept,
                    column_types={name: pyarrow.string() for name in kept},
                    strings_can_be_null=False,
                ),
            )
            yield from reader
            stream.finish()
    except pyarrow.ArrowInvalid as error:
        raise Refused(f"{opened.path.name}: {_said(error)}") from None
    except UnicodeDecodeError as error:
        raise Refused(f"{opened.path.name} is not {opened.encoding} text throughout: {error.reason}") from None
    except OSError as error:
        raise Refused(f"{opened.path}: {error.strerror or error}") from None


def _has_line(text: str) -> bool:
    return "\n" in text.lstrip("\r\n\ufeff") or "\r" in text.lstrip("\r\n\ufeff")


def _encoding(path: Path, head: bytes) -> str:
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8"
    if b"\0" in head:
        even, odd = head[0:4000:2].count(0), head[1:4000:2].count(0)
        half = len(head[:4000]) // 2
        if max(even, odd) > 0.4 * half and min(even, odd) < 0.1 * half:
            return "utf-16-le" if odd > even else "utf-16-be"
        raise Refused(f"{path.name} is not a table of text: it holds zero bytes")
    return "cp1252" if _is_not_utf8(path) else "utf-8"


def _is_not_utf8(path: Path) -> bool:
    """One quick pass over the whole file: a single “é” of Windows may stand on its last line."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as stream:
        while block := stream.read(BLOCK):
            if block.isascii():
                if decoder.getstate()[0]:
                    return True
                continue
            try:
                decoder.decode(block)
            except UnicodeDecodeError:
                return True
    return bool(decoder.getstate()[0])


def _delimiter(line: str) -> str:
    outside = "".join(line.split('"')[::2])
    return max(DELIMITERS, key=outside.count)


def _header(path: Path, text: str, delimiter: str) -> list[str]:
    # The limit is the whole process's: whoever reads other tables in it keeps the one that they count on.
    before = csv.field_size_limit(LONGEST_HEADER)
    try:
        header = next((row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if any(row)), [])
    except csv.Error as error:
        raise Refused(f"{path.name}: the header cannot be read: {error}") from None
    finally:
        csv.field_size_limit(before)
    return [name.strip() for name in header]


def _said(error: BaseException) -> str:
    """Arrow's words about a broken line, in ours; rows are counted from the header as 1."""
    import re

    text = str(error).splitlines()[0]
    if found := re.search(r"Row #(\d+): Expected (\d+) columns, got (\d+)", text):
        return f"row {found[1]} has {found[3]} columns where the header has {found[2]}"
    if found := re.search(r"Expected (\d+) columns, got (\d+)", text):
        return f"a row has {found[2]} columns where the header has {found[1]}"
    if "straddling" in text or "block" in text:
        return "a row is longer than 8 MB; is a quotation mark opened and not closed?"
    return text[:160]


class _Utf8(io.RawIOBase):
    """The file's bytes as UTF-8 from the header on, counted for the digest; refuses quotation marks that stay open."""

    def __init__(self, raw: Any, opened: Opened, digest: Any) -> None:
        self.raw, self.opened, self.digest = raw, opened, digest
        plain = opened.encoding == "utf-8"
        self.decoder = None if plain else codecs.getincrementaldecoder(opened.encoding)()
        self.waiting, self.quotes, self.begun, self.ended = b"", 0, False, False

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        while not self.ended and (size < 0 or len(self.waiting) < size):
            self._more()
        size = len(self.waiting) if size < 0 else size
        given, self.waiting = self.waiting[:size], self.waiting[size:]
        return given

    def finish(self) -> None:
        """Refuses a file in which a quotation mark was opened and never closed: rows would be lost in it."""
        if self.quotes % 2:
            raise Refused(f"{self.opened.path.name}: a quotation mark is opened and not closed")

    def _more(self) -> None:
        block = self.raw.read(1 << 20)
        self.digest.update(block)
        self.ended = not block
        text = block if self.decoder is None else self.decoder.decode(block, final=self.ended).encode()
        self.quotes += text.count(b'"')
        self.waiting += text
        if not self.begun and text:
            self.begun = True
            self.waiting = self.waiting.removeprefix(codecs.BOM_UTF8).lstrip(b"\r\n")
            for _ in range(self.opened.skipped):
                self.waiting = self.waiting.split(b"\n", 1)[-1]
