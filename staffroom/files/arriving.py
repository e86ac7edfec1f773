"""The part file of an upload: bytes on the local disk while they arrive, however often the connection is cut.

The size of the part file is the truth about how much arrived; the database row follows it. Bytes are written as they come, so a
killed server or a lost phone loses only what was still under way. One request at a time appends (an advisory lock of the
operating system, so it holds between threads and processes and ends with a killed one); a second request asks the first to give
way, which it does once its client has fallen silent. Knows nothing of Django.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

try:
    import fcntl
except ImportError:  # Windows: one request at a time is then kept by the client alone
    fcntl = None  # type: ignore[assignment]
LOCKS: Any = fcntl

CHECKSUMS = ("sha256", "sha1", "sha512", "md5")
NO_ROOM_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Busy(Exception):
    """Another request is appending to the same upload and still brings bytes."""


class ChecksumMismatch(Exception):
    """The bytes are not those that the client hashed; none of them was kept."""


class TooMuch(Exception):
    """More bytes came than the upload may have; none of this request's was kept."""


class NoRoom(Exception):
    """The disk is full; what fitted before is kept."""


class PartFile:
    """The bytes of one upload so far."""

    def __init__(self, path: Path) -> None:
        self.path = path
        # Bytes from here on belong to a request with a checksum that has not been verified yet.
        self._unverified = path.with_name(path.name + ".unverified")
        self._wanted = path.with_name(path.name + ".wanted")
        self._lock = path.with_name(path.name + ".lock")

    def create(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(self.path, os.O_WRONLY | os.O_CREAT, 0o600))

    def exists(self) -> bool:
        return self.path.exists()

    def offset(self) -> int:
        """How many bytes are safely here: the file's size, without bytes whose checksum is not verified."""
        try:
            size = self.path.stat().st_size
            return min(size, int(self._unverified.read_text() or 0))
        except FileNotFoundError:
            return self.path.stat().st_size if self.path.exists() else 0

    def remove(self) -> None:
        for path in (self.path, self._unverified, self._wanted, self._lock):
            path.unlink(missing_ok=True)

    def forget_marks(self) -> None:
        """Remove what stands beside the bytes, once they are whole."""
        for path in (self._unverified, self._wanted, self._lock):
            path.unlink(missing_ok=True)

    def is_wanted(self) -> bool:
        """Whether another request waits for its turn."""
        return self._wanted.exists()

    @contextmanager
    def turn(self, patience_s: float = 2.0) -> Iterator[None]:
        """Hold the right to append. Waits a little for a silent holder to give way, then raises ``Busy``."""
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = os.open(self._lock, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            self._wait_for(lock, patience_s)
            self._wanted.unlink(missing_ok=True)
            self._drop_unverified()
            yield
        finally:
            os.close(lock)

    def _wait_for(self, lock: int, patience_s: float) -> None:
        until = time.monotonic() + patience_s
        while not _locked(lock):
            if time.monotonic() >= until:
                raise Busy
            self._wanted.touch()
            time.sleep(0.05)

    def _drop_unverified(self) -> None:
        """A request with a checksum was cut off: its bytes cannot be trusted, the client sends them again."""
        if self._unverified.exists():
            offset = self.offset()
            if self.path.exists():
                os.truncate(self.path, offset)
            self._unverified.unlink(missing_ok=True)

    def append(self, chunks: Iterable[bytes], *, most: int, checksum: tuple[str, bytes] | None = None) -> int:
        """Write what comes, each piece at once, and return the new offset; call within ``turn``.

        At most ``most`` bytes in all. With a checksum (algorithm, digest) the bytes count only when it fits; else none is kept.
        """
        start = self.offset()
        digest = hashlib.new(checksum[0]) if checksum else None
        if checksum:
            self._unverified.write_text(str(start))
        file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            room = most - start
            for chunk in chunks:
                if len(chunk) > room:
                    os.ftruncate(file, start)
                    raise TooMuch
                room -= len(chunk)
                _write_all(file, chunk)
                if digest:
                    digest.update(chunk)
            if checksum and digest and digest.digest() != checksum[1]:
                os.ftruncate(file, start)
                raise ChecksumMismatch
            os.fsync(file)
        finally:
            os.close(file)
            if checksum:
                self._drop_or_keep(digest is not None and digest.digest() == checksum[1])
        return self.offset()

    def _drop_or_keep(self, is_verified: bool) -> None:
        if is_verified:
            self._unverified.unlink(missing_ok=True)
        else:
            self._drop_unverified()


def _locked(lock: int) -> bool:
    if LOCKS is None:
        return True
    try:
        LOCKS.flock(lock, LOCKS.LOCK_EX | LOCKS.LOCK_NB)
    except OSError:
        return False
    return True


def _write_all(file: int, chunk: bytes) -> None:
    view = memoryview(chunk)
    try:
        while view:
            view = view[os.write(file, view) :]
    except OSError as error:
        if error.errno in NO_ROOM_ERRORS:
            with contextlib.suppress(OSError):
                os.fsync(file)
            raise NoRoom from error
        raise
