"""The room's own round: finished jobs do not stay for ever."""

from django.tasks import task

from staffroom.jobs import actions, queries


@task
def purge_finished() -> int:
    """Remove finished jobs whose end has come, and processes that have not been heard of for a day."""
    queries.silent_processes().delete()
    return actions.purge()
