"""Tasks that come back by themselves: registered by rooms in ``apps.ready()``, kept by whichever worker looks first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from staffroom.jobs.actions import AnyTask, kind_of, later
from staffroom.jobs.models import Job, Schedule

# After the very first start people wait for pages: the rounds may begin a little later.
FIRST_AFTER = timedelta(minutes=2)


@dataclass(frozen=True)
class Every:
    """One registered task and how long lies between two runs."""

    task: AnyTask
    interval: timedelta

    @property
    def name(self) -> str:
        return kind_of(self.task.module_path)


_registered: dict[str, Every] = {}


def every(task: AnyTask, *, hours: float = 0, minutes: float = 0) -> None:
    """Have a task (without arguments) run again and again; a run that is still going on is not joined by another."""
    interval = timedelta(hours=hours, minutes=minutes)
    if interval <= timedelta(0):
        raise ValueError(f"{task.module_path}: say how often, in hours or minutes")
    entry = Every(task, interval)
    _registered[entry.name] = entry


def registered() -> list[Every]:
    return sorted(_registered.values(), key=lambda entry: entry.name)


def start_due() -> list[Job]:
    """Put every schedule that is due into the queue, once, however many workers ask at the same time."""
    rows = {row.name: row for row in Schedule.objects.select_related("last_job")}
    jobs = [_start(entry, rows.get(entry.name)) for entry in registered()]
    return [job for job in jobs if job]


def _start(entry: Every, row: Schedule | None) -> Job | None:
    now = timezone.now()
    if row is None:
        next_at = now + min(entry.interval, FIRST_AFTER)
        Schedule.objects.get_or_create(name=entry.name, defaults={"next_at": next_at})
        return None
    if row.next_at > now or (row.last_job and not row.last_job.is_finished):
        return None
    with transaction.atomic():
        # Whoever moves the date has won; a run that was missed while nothing ran is made up for once.
        if not Schedule.objects.filter(pk=row.pk, next_at=row.next_at).update(next_at=now + entry.interval):
            return None
        job = later(entry.task, retries=2)
        Schedule.objects.filter(pk=row.pk).update(last_job=job)
    return job
