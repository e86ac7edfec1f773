"""Opening an archive that somebody else made: limits on count, size and ratio, and on where its names point."""

from __future__ import annotations

import lzma
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from django.utils.translation import gettext as _

from staffroom.people.rosters.roster import RosterRefused

MAX_FILES = 100
MAX_UNPACKED = 1024**3
MAX_RATIO = 200
SMALL = 20 * 1024**2  # below this, a high ratio does no harm
BROKEN = (
    zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, lzma.LZMAError, NotImplementedError, EOFError, OSError,
    struct.error, OverflowError, ValueError, RuntimeError,
)  # fmt: skip
ARCHIVES = (".zip", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar", ".tar")


@contextmanager
def opened(file: IO[bytes]) -> Iterator[dict[str, tuple[zipfile.ZipFile, zipfile.ZipInfo]]]:
    """The archive's tables by lower-case name without folder. Raises RosterRefused for what is broken or hostile."""
    try:
        with zipfile.ZipFile(file) as archive:
            yield {name: (archive, entry) for name, entry in _tables(archive).items()}
    except RosterRefused:
        raise
    except BROKEN as error:
        raise RosterRefused(_("The archive is damaged or not a zip file. Export it again.")) from error


def _tables(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    if len(entries) > MAX_FILES:
        raise RosterRefused(_("The archive holds %(count)d files; a roster has at most %(most)d.")
                            % {"count": len(entries), "most": MAX_FILES})  # fmt: skip
    for entry in entries:
        _check(entry)
    _check_size(entries)
    found: dict[str, zipfile.ZipInfo] = {}
    folders = set()
    for entry in entries:
        folder, _slash, name = entry.filename.rpartition("/")
        if not name.lower().endswith(".csv") or name.startswith(".") or folder.startswith("__MACOSX"):
            continue
        if name.lower() in found:
            raise RosterRefused(_("The archive holds %(name)s twice.") % {"name": name})
        found[name.lower()] = entry
        folders.add(folder)
    if len(folders) > 1:
        raise RosterRefused(_("The archive's tables lie in several folders. Put all of them side by side."))
    return found


def _check(entry: zipfile.ZipInfo) -> None:
    name = entry.filename
    shown = {"name": name[:80].encode("unicode_escape").decode()}
    parts = name.split("/")
    if name.startswith("/") or ".." in parts or "\\" in name or "\0" in name or ":" in parts[0]:
        raise RosterRefused(_("The archive names a file outside itself: %(name)s.") % shown)
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise RosterRefused(_("The archive holds a link instead of a file: %(name)s.") % shown)
    if entry.flag_bits & 1:
        raise RosterRefused(_("The archive is protected by a password: %(name)s.") % shown)
    if name.lower().endswith(ARCHIVES):
        raise RosterRefused(_("The archive holds another archive: %(name)s. Upload that one.") % shown)


def _check_size(entries: list[zipfile.ZipInfo]) -> None:
    unpacked = sum(entry.file_size for entry in entries)
    packed = sum(entry.compress_size for entry in entries)
    if unpacked > MAX_UNPACKED:
        raise RosterRefused(_("Unpacked, the archive would be larger than 1 GB."))
    if unpacked > SMALL and unpacked > packed * MAX_RATIO:
        raise RosterRefused(_("The archive unpacks to over %(ratio)d times its size, as no roster does.")
                            % {"ratio": MAX_RATIO})  # fmt: skip
