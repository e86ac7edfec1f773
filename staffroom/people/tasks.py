"""Rosters taken in later, by a worker."""

from __future__ import annotations

from contextlib import suppress

from django.tasks import task

from staffroom.people import actions
from staffroom.people.models import RosterImport
from staffroom.people.rosters.roster import RosterRefused


@task
def take_roster(pk: int) -> None:
    """Take in a kept roster. A refusal stands on the import, where its owner reads it; safe to run twice."""
    waiting = RosterImport.objects.filter(pk=pk).exclude(state=RosterImport.State.DONE).first()
    if waiting:
        with suppress(RosterRefused):
            actions.take_roster(waiting)
