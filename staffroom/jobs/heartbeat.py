"""A process says that it is there: its row tells on which host, since when, by which version, and is renewed while it lives.

Lateness is judged by the database's clock, which is one for all hosts; each beat also notes how far the host's own clock is from
it, since leases, links and one-time codes are judged by that one.
"""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import threading
from collections.abc import Callable
from datetime import UTC, datetime

import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.db.models.functions import Now

from staffroom import __version__
from staffroom.jobs.models import Process

log = structlog.get_logger(__name__)


class Heartbeat:
    """The row of one process."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.host = socket.gethostname()[:100]
        self.name = f"{self.host}-{os.getpid()}-{secrets.token_hex(3)}"[-100:]
        self._turn = threading.Lock()
        self._has_left = False

    def begin(self) -> None:
        Process.objects.create(
            name=self.name, kind=self.kind, host=self.host, pid=os.getpid(), version=__version__,
            started_at=Now(), seen_at=Now(), clock_ms=clock_ms(), free_bytes=_free_bytes(),
        )  # fmt: skip

    def beat(self) -> None:
        """Say that this process lives. A row that went (a database that was brought back from a backup) is written anew."""
        told = {"seen_at": Now(), "clock_ms": clock_ms(), "free_bytes": _free_bytes()}
        with self._turn:
            if not self._has_left and not Process.objects.filter(name=self.name).update(**told):
                self.begin()

    def leave(self) -> None:
        """End in order: nobody need wonder where this process is."""
        with self._turn:
            self._has_left = True
            Process.objects.filter(name=self.name).delete()

    def keep(self, until: Callable[[float], bool]) -> None:
        """Beat until ``until(seconds)`` (which waits so long) says that it is over; a database that is away is waited for."""
        self._try(self.begin)
        while not until(max(0.1, settings.LEASE_S / 5)):
            self._try(self.beat)
        self._try(self.leave)
        connection.close()

    def _try(self, deed: Callable[[], object]) -> None:
        try:
            deed()
        except (DatabaseError, InterfaceError) as error:
            log.warning("heartbeat_failed", error=type(error).__name__)
            connection.close()


def clock_ms() -> int | None:
    """How many milliseconds this host's clock is ahead of the database server's; None where there is no other machine."""
    if connection.vendor != "postgresql":
        return None
    before = datetime.now(UTC)
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        theirs: datetime = cursor.fetchone()[0]
    ours = before + (datetime.now(UTC) - before) / 2
    return max(-(2**31), min(2**31 - 1, round((ours - theirs).total_seconds() * 1000)))


def _free_bytes() -> int | None:
    try:
        return shutil.disk_usage(settings.DATA).free
    except OSError:
        return None
