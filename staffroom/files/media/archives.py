"""Looking at a zip archive without unpacking it: its list of contents is judged before a byte is inflated."""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path, PurePosixPath
from typing import Any

from staffroom.files.media import limits
from staffroom.files.media.limits import Refused


def look(path: Path) -> dict[str, Any]:
    """Count and size of what the archive holds. Refuses bombs, passwords, links, and paths that lead out of it."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, EOFError, NotImplementedError, UnicodeDecodeError) as error:
        raise Refused("archive_broken") from error
    if len(entries) > limits.ARCHIVE_ENTRIES:
        raise Refused("archive_too_many", count=len(entries), most=limits.ARCHIVE_ENTRIES)
    _refuse_bomb(entries)
    _refuse_overlaps(entries)
    for entry in entries:
        _refuse_entry(entry)
    return {"entries": len(entries), "unpacked": sum(entry.file_size for entry in entries)}


def _refuse_bomb(entries: list[zipfile.ZipInfo]) -> None:
    unpacked = sum(entry.file_size for entry in entries)
    packed = sum(entry.compress_size for entry in entries)
    if unpacked > limits.ARCHIVE_BYTES:
        raise Refused("archive_too_large")
    if unpacked > 10_000_000 and unpacked > packed * limits.ARCHIVE_RATIO:
        raise Refused("archive_bomb")


def _refuse_overlaps(entries: list[zipfile.ZipInfo]) -> None:
    """Entries that share bytes are how small archives become large ones."""
    end = 0
    for entry in sorted(entries, key=lambda each: each.header_offset):
        if entry.header_offset < end:
            raise Refused("archive_bomb")
        end = entry.header_offset + 30 + entry.compress_size


def _refuse_entry(entry: zipfile.ZipInfo) -> None:
    name = PurePosixPath(entry.filename.replace("\\", "/"))
    if name.is_absolute() or ".." in name.parts or ":" in entry.filename or "\0" in entry.filename:
        raise Refused("archive_paths")
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise Refused("archive_paths")
    if entry.flag_bits & 0x1:
        raise Refused("archive_password")
