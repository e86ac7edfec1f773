"""Jobs, the schedules that bring some of them back, and the workers that do them."""

from __future__ import annotations

import uuid
from datetime import date, timedelta
from typing import Any

from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_tasks_db.models import DBTaskResult

from staffroom.people.models import Person

KEPT_DAYS = 30


def _end() -> date:
    return timezone.localdate() + timedelta(days=KEPT_DAYS)


class Job(models.Model):
    """One piece of later work: what it is, for whom, how far it is, and until when its worker may be silent.

    What is to be called, and what came of it, stands in the row of Django's task queue (``call``); every task that is put
    there gets a job, whoever puts it. The job decides who may run it when: workers claim jobs, never queue rows.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    call = models.OneToOneField(DBTaskResult, on_delete=models.CASCADE, related_name="job")
    kind = models.CharField(max_length=120, help_text=_("Which task: files.derive."))
    label = models.CharField(max_length=200, blank=True)
    by = models.ForeignKey(Person, null=True, blank=True, on_delete=models.SET_NULL, related_name="jobs")
    content_type = models.ForeignKey(ContentType, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    object_id = models.PositiveBigIntegerField(null=True, blank=True)
    about = GenericForeignKey("content_type", "object_id")
    state = models.CharField(max_length=16, choices=State, default=State.WAITING)
    priority = models.SmallIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    max_attempts = models.PositiveSmallIntegerField(default=6)
    losses = models.PositiveSmallIntegerField(default=0, help_text=_("How often its worker vanished."))
    done = models.PositiveBigIntegerField(default=0)
    total = models.PositiveBigIntegerField(default=0, help_text=_("0: not known."))
    message = models.CharField(max_length=200, blank=True)
    failure = models.CharField(max_length=500, blank=True)
    worker = models.CharField(max_length=100, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    next_try_at = models.DateTimeField(default=timezone.now)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    ends_on = models.DateField(default=_end)

    class Meta:
        ordering = ["-created_at", "-pk"]
        indexes = [
            models.Index(fields=["state", "next_try_at"]),
            models.Index(fields=["content_type", "object_id"]),
        ]

    def __str__(self) -> str:
        return self.label or self.kind

    @property
    def arguments(self) -> dict[str, Any]:
        """The keyword arguments of the call."""
        arguments: dict[str, Any] = self.call.args_kwargs["kwargs"]
        return arguments

    @property
    def is_finished(self) -> bool:
        return self.state in (self.State.DONE, self.State.FAILED)

    @property
    def percent(self) -> int | None:
        """How much is done, from 0 to 100; None while that is not known."""
        if self.state == self.State.DONE:
            return 100
        return min(100, 100 * self.done // self.total) if self.total else None


class Schedule(models.Model):
    """A task that comes back by itself: when it is due next, and its latest job, which must end before another begins."""

    name = models.CharField(max_length=120, unique=True)
    next_at = models.DateTimeField()
    last_job = models.ForeignKey(Job, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Process(models.Model):
    """A process of the program on some host, web or worker, and when it was last heard of, by the database's clock.

    Each writes its own row and takes it out when it ends in order. One that is not heard of for the length of a lease is lost:
    it was killed, or its machine was, and its row is tidied away after a day.
    """

    class Kind(models.TextChoices):
        WEB = "web", _("web")
        WORKER = "worker", _("worker")

    name = models.CharField(max_length=100, unique=True)
    kind = models.CharField(max_length=16, choices=Kind, default=Kind.WORKER)
    host = models.CharField(max_length=100, blank=True)
    pid = models.PositiveIntegerField(default=0)
    version = models.CharField(max_length=40, blank=True)
    started_at = models.DateTimeField(default=timezone.now)
    seen_at = models.DateTimeField(default=timezone.now)
    clock_ms = models.IntegerField(
        null=True, blank=True, help_text=_("How far its host's clock is ahead of the database's.")
    )
    free_bytes = models.BigIntegerField(null=True, blank=True, help_text=_("Free disk where its data folder is."))

    class Meta:
        ordering = ["kind", "host", "started_at"]

    def __str__(self) -> str:
        return self.name
