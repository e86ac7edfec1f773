"""Work that comes back by itself for all rooms: warn of ends, and remove what has ended."""

from __future__ import annotations

from django.tasks import task

from staffroom.permissions import actions


@task
def keep_retention() -> dict[str, int]:
    """Warn owners of things that end soon, and purge what has ended. Safe to run twice."""
    warned = actions.warn_of_ends()
    return {"warned": warned, **actions.purge_ended()}
