"""What lessons do later or because something else happened: follow a file, close sittings, heed consent."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.tasks import task
from django.utils import timezone

from staffroom.files.models import File
from staffroom.people.models import Person
from staffroom.seeing.lessons import actions


@task()
def close_sittings() -> None:
    """Close what has been idle for half an hour, so that the time is in the ledger."""
    actions.close_sittings()


@task()
def set_aside_ended() -> None:
    """Notices of loans that ended lead nowhere. Looks back two days, so that a site that was off for a night catches up."""
    actions.set_aside_ended(since=timezone.now() - timedelta(days=2))


def follow_file(file: File, **_rest: Any) -> None:
    """A file has been looked at (a receiver of the signals of ``files``)."""
    actions.follow_file(file=file)


def heed_consent(student: Person, **_rest: Any) -> None:
    """A family's answer changed (a receiver of ``consent_changed``)."""
    actions.retract_leaving(student=student)
