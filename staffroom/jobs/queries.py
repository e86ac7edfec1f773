"""Reads: the jobs about a thing, the queue that an administrator minds, and who is at work."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model, QuerySet
from django.utils import timezone

from staffroom.jobs.models import Job, Worker
from staffroom.jobs.rules import minded_by
from staffroom.people.models import Person


def jobs_about(thing: Model) -> QuerySet[Job]:
    """The jobs about one thing, newest first. Whoever may see the thing may see how far they are."""
    return Job.objects.filter(content_type=ContentType.objects.get_for_model(thing), object_id=thing.pk)


def jobs_for(viewer: Person) -> QuerySet[Job]:
    """The jobs that an administrator minds, newest first; nothing for anybody else."""
    return Job.objects.filter(minded_by(viewer))


def live_workers() -> QuerySet[Worker]:
    """Workers that have been heard of within a lease."""
    return Worker.objects.filter(seen_at__gt=timezone.now() - timedelta(seconds=settings.LEASE_S))


def silent_workers() -> QuerySet[Worker]:
    """Workers that have not been heard of for a day."""
    return Worker.objects.filter(seen_at__lt=timezone.now() - timedelta(days=1))
