"""What an erasure leaves where no row tells of it: mails that could not leave, and pages of SQLite's log.

Where ``email_url`` is empty, mails lie in a folder, with names and addresses. SQLite overwrites what is deleted (``secure_delete``), but
its write-ahead log holds older pages until it is used anew, which on a quiet site takes long.
"""

from __future__ import annotations

import email
from email.policy import default
from pathlib import Path
from typing import Any

import structlog
from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.dispatch import receiver

from staffroom.people import signals
from staffroom.people.models import Person

RULER = b"-" * 79 + b"\n"  # what Django's mails in files end with
PATIENCE_MS = 2000

log = structlog.get_logger(__name__)


@receiver(signals.person_erased, dispatch_uid="staffroom.people.leftovers")
def _forget(sender: type[Person], person: Person, **_: Any) -> None:
    names = [name for name in (person.email or "", person.full_name) if name]
    transaction.on_commit(lambda: forget(names))


def forget(names: list[str]) -> None:
    """Remove kept mails that name somebody, and empty the log of SQLite. What cannot be done now is told in the log of the site."""
    removed = sum(_without(path, names) for path in (settings.DATA / "mail").glob("*.log"))
    log.info("leftovers_removed", mails=removed)
    if connection.vendor == "sqlite" and not connection.in_atomic_block:
        _empty_log()


def _without(path: Path, names: list[str]) -> int:
    """Take the mails that hold one of these names out of a file of mails; returns how many."""
    mails = [each for each in path.read_bytes().split(RULER) if each.strip()]
    kept = [each for each in mails if not _names(each, names)]
    if not kept:
        path.unlink(missing_ok=True)
    elif len(kept) < len(mails):
        path.write_bytes(b"".join(each + RULER for each in kept))
    return len(mails) - len(kept)


def _names(mail: bytes, names: list[str]) -> bool:
    message = email.message_from_bytes(mail.lstrip(), policy=default)
    body = message.get_body(("plain",))
    text = " ".join([*(str(value) for value in message.values()), body.get_content() if body else ""]).lower()
    return any(name.lower() in text for name in names)


def _empty_log() -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA busy_timeout={PATIENCE_MS}")
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except DatabaseError as error:
        log.warning("log_not_emptied", error=type(error).__name__)
    finally:
        connection.close()  # the next one has its usual patience
