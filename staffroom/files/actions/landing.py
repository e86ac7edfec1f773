"""Uploads to a site of several hosts: what comes goes on to the bucket in pieces, so that any host can take the next bytes.

Where the upload stands is told by its row alone, which moves on together with the row of the piece that was put away: of two
hosts that take the same bytes at the same time one is first, and the other's client goes on where the row says. What a host
had taken and not yet put away when it died was not acknowledged; the client sends it again.
"""

from __future__ import annotations

import errno
import hashlib
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import IntegrityError, transaction
from django.utils import timezone

from staffroom.files import arriving, keeping
from staffroom.files.models import File, Upload, UploadPiece
from staffroom.jobs import actions as jobs

# A piece is put away when it has become so large, or when its first byte has waited so long (a recording that still runs).
PIECE_BYTES = 8 * 1024**2
PIECE_S = 5.0


class Overtaken(Exception):
    """Another connection has brought these bytes; the row tells where the upload stands now."""


def take(
    upload: Upload, chunks: Iterable[bytes], *, offset: int, most: int, checksum: tuple[str, bytes] | None = None
) -> int:
    """Put away what comes, as it comes; returns the new offset. With a checksum all of it counts, or none.

    Raises ``TooMuch``, ``ChecksumMismatch`` and ``Overtaken``. What was put away before one of these stays.
    """
    digest = hashlib.new(checksum[0]) if checksum else None
    buffer, begun_at, room = bytearray(), time.monotonic(), most - offset
    for chunk in chunks:
        room -= len(chunk)
        if room < 0:
            raise arriving.TooMuch
        if digest:
            digest.update(chunk)
        begun_at = begun_at if buffer else time.monotonic()
        buffer += chunk
        is_late = time.monotonic() - begun_at >= PIECE_S
        if not digest and (len(buffer) >= PIECE_BYTES or is_late):
            offset = _put_away(upload, bytes(buffer), offset)
            buffer.clear()
    if checksum and digest and digest.digest() != checksum[1]:
        raise arriving.ChecksumMismatch
    return _put_away(upload, bytes(buffer), offset) if buffer else offset


def _put_away(upload: Upload, content: bytes, offset: int) -> int:
    """The bytes first, then the row that says so: bytes without a row are swept away, a row without bytes never is."""
    end = offset + len(content)
    path = keeping.piece_name(upload.key, offset)
    keeping.put(path, content)
    try:
        with transaction.atomic():
            moved = Upload.objects.filter(pk=upload.pk, offset=offset, finished_at=None).update(
                offset=end, touched_at=timezone.now()
            )
            if not moved:
                raise Overtaken
            UploadPiece.objects.create(upload_id=upload.pk, start=offset, end=end, path=path)
    except (Overtaken, IntegrityError) as error:
        keeping.remove(path)
        raise Overtaken from error
    return end


def is_in_pieces(file: File) -> bool:
    """Whether a file's bytes still lie in the bucket as they came."""
    return UploadPiece.objects.filter(upload__file=file).exists()


@contextmanager
def together(file: File) -> Iterator[Path]:
    """A local path to all pieces of a file, one after the other."""
    pieces = UploadPiece.objects.filter(upload__file=file).order_by("start")
    with keeping.gathered(file.key, [piece.path for piece in pieces], jobs.report) as path:
        if path.stat().st_size != file.size:
            path.unlink(missing_ok=True)
            raise OSError(errno.EIO, os.strerror(errno.EIO))  # tried again, rather than refused for good
        yield path


def forget_pieces(file: File) -> None:
    """The file has been put away whole: its pieces go, rows now and bytes with the commit."""
    UploadPiece.objects.filter(upload__file=file).delete()


def sweep() -> int:
    """Pieces in the bucket without a row, a day old at least: their host died between the two."""
    removed = 0
    for path in keeping.old_pieces():
        if not UploadPiece.objects.filter(path=path).exists():
            keeping.remove(path)
            removed += 1
    return removed
