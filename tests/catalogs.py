"""A translation for the length of a test: pages in Polish, which has three forms for numbers."""

from __future__ import annotations

import struct
from pathlib import Path

HEADER = (
    "Content-Type: text/plain; charset=UTF-8\nPlural-Forms: nplurals=3; "
    "plural=(n==1 ? 0 : n%10>=2 && n%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2);\n"
)
type Messages = dict[str | tuple[str, str], str | list[str]]


def write_catalog(folder: Path, messages: Messages, language: str = "pl") -> None:
    """Compile the messages, as msgfmt would, into `folder`: a number of offsets, and strings that end in NUL."""
    target = folder / language / "LC_MESSAGES" / "django.mo"
    target.parent.mkdir(parents=True, exist_ok=True)
    entries = sorted((_joined(key), _joined(value)) for key, value in {"": HEADER, **messages}.items())
    count, at = len(entries), 28 + 16 * len(entries)
    tables, strings = b"", b""
    for column in (0, 1):
        for entry in entries:
            tables += struct.pack("<II", len(entry[column]), at + len(strings))
            strings += entry[column] + b"\0"
    target.write_bytes(struct.pack("<7I", 0x950412DE, 0, count, 28, 28 + 8 * count, 0, at) + tables + strings)


def _joined(text: str | tuple[str, str] | list[str]) -> bytes:
    return (text if isinstance(text, str) else "\0".join(text)).encode()
