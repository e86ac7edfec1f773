"""Reads: the jobs about a thing, the queue that an administrator minds, and who is at work."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.db.models import Count, Min, Model, Q, QuerySet
from django.db.models.expressions import Combinable
from django.db.models.functions import Now
from django.utils import timezone

from staffroom.jobs.models import Job, Process
from staffroom.jobs.rules import minded_by
from staffroom.people.models import Person


def jobs_about(thing: Model) -> QuerySet[Job]:
    """The jobs about one thing, newest first. Whoever may see the thing may see how far they are."""
    return Job.objects.filter(content_type=ContentType.objects.get_for_model(thing), object_id=thing.pk)


def jobs_for(viewer: Person) -> QuerySet[Job]:
    """The jobs that an administrator minds, newest first; nothing for anybody else."""
    return Job.objects.filter(minded_by(viewer))


def _silent_since(seconds: float) -> Combinable:
    """The database's own clock: hosts may disagree about the time."""
    return Now() - timedelta(seconds=seconds)


def live_processes() -> QuerySet[Process]:
    """Web and worker processes that have been heard of within a lease."""
    return Process.objects.filter(seen_at__gt=_silent_since(settings.LEASE_S))


def live_workers() -> QuerySet[Process]:
    """Workers that have been heard of within a lease."""
    return live_processes().filter(kind=Process.Kind.WORKER)


def lost_processes() -> QuerySet[Process]:
    """Processes that fell silent without having ended in order; told for a day."""
    return Process.objects.filter(seen_at__lte=_silent_since(settings.LEASE_S))


def silent_processes() -> QuerySet[Process]:
    """Processes that have not been heard of for a day."""
    return Process.objects.filter(seen_at__lt=_silent_since(24 * 3600))


@dataclass(frozen=True)
class Queue:
    """How the queue stands: for those who run the site, without anybody's work in it."""

    waiting: int
    running: int
    failed: int
    due: int
    oldest_due_at: datetime | None
    silent: int
    taken_over: int


def queue() -> Queue:
    """The whole queue in one question: what waits, since when, what failed, and whose workers vanished in the last day."""
    now = timezone.now()
    day_ago = now - timedelta(days=1)
    is_due = Q(state=Job.State.WAITING, next_try_at__lte=now)
    lost = Q(losses__gt=0) & (Q(finished_at=None) | Q(finished_at__gt=day_ago))
    return Queue(
        **Job.objects.aggregate(
            waiting=Count("pk", filter=Q(state=Job.State.WAITING)),
            running=Count("pk", filter=Q(state=Job.State.RUNNING)),
            failed=Count("pk", filter=Q(state=Job.State.FAILED)),
            due=Count("pk", filter=is_due),
            oldest_due_at=Min("next_try_at", filter=is_due),
            silent=Count("pk", filter=Q(state=Job.State.RUNNING, lease_until__lte=now)),
            taken_over=Count("pk", filter=lost),
        )
    )
