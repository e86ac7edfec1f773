"""What lessons do later or because something else happened: follow a file, close sittings, heed consent."""

from __future__ import annotations

from typing import Any

from django.tasks import task

from staffroom.files.models import File
from staffroom.people.models import Person
from staffroom.seeing.lessons import actions


@task()
def close_sittings() -> None:
    """Close what has been idle for half an hour, so that the time is in the ledger."""
    actions.close_sittings()


def follow_file(file: File, **_rest: Any) -> None:
    """A file has been looked at (a receiver of the signals of ``files``)."""
    actions.follow_file(file=file)


def heed_consent(student: Person, **_rest: Any) -> None:
    """A family's answer changed (a receiver of ``consent_changed``)."""
    actions.retract_leaving(student=student)
