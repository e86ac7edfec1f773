"""Rosters taken in later, by a worker."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from django.tasks import TaskResultStatus, task

from staffroom.people import actions
from staffroom.people.models import RosterImport
from staffroom.people.rosters.roster import RosterRefused


@task
def take_roster(pk: int) -> None:
    """Take in a kept roster. A refusal stands on the import, where its owner reads it.

    Safe to run twice: when its worker is killed anywhere, another takes it over and begins again.
    """
    waiting = RosterImport.objects.filter(pk=pk).first()
    if waiting:
        with suppress(RosterRefused):
            actions.take_roster(waiting)


def note_last_failure(sender: Any, task_result: Any, **kwargs: Any) -> None:
    """A receiver of ``task_finished``: when no worker will try it again, the import says so."""
    if task_result.status != TaskResultStatus.FAILED or task_result.task.module_path != take_roster.module_path:
        return
    given = [*task_result.args, *task_result.kwargs.values()]
    for waiting in RosterImport.objects.filter(pk__in=given).exclude(state=RosterImport.State.DONE):
        actions.break_off(waiting)
