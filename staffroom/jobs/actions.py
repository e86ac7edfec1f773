"""Deeds: put work off, report on it, try it again, and do what is due."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import timedelta
from time import monotonic
from typing import Any

import structlog
from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction
from django.db.models import Q
from django.tasks import TaskResultStatus
from django.tasks.base import Task, TaskContext
from django.tasks.signals import task_finished, task_started
from django.utils import timezone
from django.utils.json import normalize_json
from django.utils.translation import gettext as _
from django_tasks_db.models import DBTaskResult

from staffroom.jobs.failures import GiveUp, LeaseLost, places, sentence
from staffroom.jobs.models import Job
from staffroom.people.models import Person

__all__ = ["GiveUp", "LeaseLost", "claim", "hand_back", "later", "purge", "report", "retry_job", "run", "run_waiting"]

log = structlog.get_logger(__name__)

FIRST_WAIT_S = 5
LONGEST_WAIT_S = 3600
# A job whose worker vanishes this often is taken to be what kills it (memory, a native crash).
MOST_LOSSES = 25
# From here on others go first: it may be this job that ends its workers.
SUSPECT_AFTER_LOSSES = 3
REPORT_EVERY_S = 0.5

type AnyTask = Task[..., Any]


@dataclass
class _Wanted:
    """What ``later`` knows of the job that the queue is about to make, and the job once it is made."""

    fields: dict[str, Any]
    job: Job | None = None


@dataclass
class _Running:
    """The job that this thread works on, and what has been reported of it."""

    job: Job
    written_at: float = 0.0
    unwritten: dict[str, Any] = field(default_factory=dict)


_running: ContextVar[_Running | None] = ContextVar("staffroom_running_job", default=None)
_wanted: ContextVar[_Wanted | None] = ContextVar("staffroom_wanted_job", default=None)


def later(
    task_function: AnyTask,
    *,
    by: Person | None = None,
    about: models.Model | None = None,
    label: str = "",
    retries: int = 5,
    priority: int | None = None,
    **arguments: Any,
) -> Job:
    """Have a task done by a worker once the transaction at hand is committed; returns its job.

    The queue is in the same database, so the job is written in the same transaction: no worker can see it before the commit,
    a rollback takes it back, and a process that dies right after the commit has lost nothing. Arguments must be JSON: ids,
    not objects. A failing task is tried again ``retries`` times, waiting longer each time; a task that raises ``GiveUp``
    is not.
    """
    fields = {
        "by": by,
        "content_type": ContentType.objects.get_for_model(about) if about else None,
        "object_id": about.pk if about else None,
        "label": label[:200],
        "max_attempts": retries + 1,
    }
    task = task_function if priority is None else task_function.using(priority=priority)
    wanted = _Wanted(fields)
    token = _wanted.set(wanted)
    try:
        with transaction.atomic():
            task.enqueue(**arguments)
    finally:
        _wanted.reset(token)
    if wanted.job is None:
        raise RuntimeError("TASKS names a backend that keeps no queue in the database")
    return wanted.job


def give_job(sender: Any, task_result: Any, **kwargs: Any) -> None:
    """Give every task that is put into the queue its job (a receiver of ``task_enqueued``)."""
    call: DBTaskResult[..., Any] | None = getattr(task_result, "db_result", None)
    if call is None:
        return
    wanted = _wanted.get()
    job = Job.objects.create(
        call=call,
        kind=kind_of(call.task_path),
        priority=call.priority,
        next_try_at=call.run_after if call.run_after and call.run_after.year < 9999 else timezone.now(),
        **(wanted.fields if wanted else {}),
    )
    if wanted:
        wanted.job = job


def kind_of(task_path: str) -> str:
    """``staffroom.files.tasks.derive`` is a ``files.derive``."""
    parts = [part for part in task_path.split(".") if part not in ("staffroom", "tasks")]
    return ".".join(parts)[-120:]


def report(done: int | None = None, total: int | None = None, message: str | None = None) -> None:
    """Say how far the running job is, and renew its worker's lease. Does nothing outside a job.

    Written at most twice a second. Inside a transaction others see it only after the commit: commit in steps.
    Raises LeaseLost when the job is no longer this worker's; the task should let that pass.
    """
    running = _running.get()
    if running is None:
        return
    told = {"done": done, "total": total, "message": None if message is None else message[:200]}
    running.unwritten |= {name: value for name, value in told.items() if value is not None}
    if monotonic() - running.written_at >= REPORT_EVERY_S:
        _write(running, lease_until=_lease_end())


def _write(running: _Running, **changes: Any) -> None:
    """Write what was reported, and more, if the job is still ours at this attempt."""
    job = running.job
    ours = Job.objects.filter(pk=job.pk, state=Job.State.RUNNING, worker=job.worker, attempts=job.attempts)
    if not ours.update(**running.unwritten, **changes):
        raise LeaseLost(f"job {job.pk}")
    running.unwritten = {}
    running.written_at = monotonic()


def _lease_end() -> Any:
    return timezone.now() + timedelta(seconds=settings.LEASE_S)


def due() -> Q:
    """Jobs that a worker may take now: waiting long enough, or left behind by a worker that has gone silent."""
    now = timezone.now()
    return Q(state=Job.State.WAITING, next_try_at__lte=now) | Q(state=Job.State.RUNNING, lease_until__lte=now)


def claim(worker: str, only: Job | None = None) -> Job | None:
    """Take the next due job (or only this one) for a worker, with a lease; None when nothing is due. No two get the same job.

    A job that has lost several workers comes after all others, so that what it does to them does not stop the queue; one that
    has lost too many fails here, as if it had failed itself.
    """
    wanted = due() & Q(pk=only.pk) if only else due()
    while Job.objects.filter(wanted).exists():
        with transaction.atomic():
            job = _next(wanted)
            if job is None:
                return None
            if job.state == Job.State.RUNNING:
                log.warning("job_taken_over", job=job.pk, kind=job.kind, from_worker=job.worker, worker=worker)
                job.losses += 1
            if job.losses <= MOST_LOSSES:
                return _give_lease(job, worker)
            _bury(job)
        _tell_finished(job)
    return None


def _next(wanted: Q) -> Job | None:
    waiting = Job.objects.filter(wanted).select_for_update(skip_locked=True, of=("self",)).select_related("call")
    waiting = waiting.annotate(is_suspect=Q(losses__gte=SUSPECT_AFTER_LOSSES))
    return waiting.order_by("is_suspect", "-priority", "next_try_at", "pk").first()


def _give_lease(job: Job, worker: str) -> Job:
    job.state, job.worker, job.lease_until = Job.State.RUNNING, worker, _lease_end()
    job.attempts += 1
    job.started_at = job.started_at or timezone.now()
    job.save(update_fields=["state", "worker", "lease_until", "attempts", "losses", "started_at"])
    job.call.claim(worker)
    return job


def _bury(job: Job) -> None:
    """Give up on a job whose worker vanished every time."""
    job.state, job.finished_at, job.lease_until = Job.State.FAILED, timezone.now(), None
    words = _(
        "Its worker vanished %(times)s times while doing this: there may be too little memory for it. It can be tried again."
    )
    job.failure = words % {"times": job.losses}
    job.save(update_fields=["state", "losses", "finished_at", "lease_until", "failure"])
    DBTaskResult.objects.filter(pk=job.call_id).update(
        status=TaskResultStatus.FAILED,
        finished_at=job.finished_at,
        exception_class_path=f"{LeaseLost.__module__}.{LeaseLost.__qualname__}",
        traceback="",
    )


def _tell_finished(job: Job) -> None:
    """Let rooms hear that a job is over, done or failed."""
    job.call.refresh_from_db()
    task_finished.send(sender=DBTaskResult, task_result=job.call.task_result)


@contextmanager
def _at_work(job: Job) -> Iterator[_Running]:
    running = _Running(job)
    token = _running.set(running)
    try:
        yield running
    finally:
        _running.reset(token)


def run(job: Job) -> bool:
    """Do a claimed job and write down what came of it; returns whether it is done.

    Whatever the task raises ends here: a ``GiveUp`` or the last attempt fails the job, anything else puts it off. When the
    job was taken over meanwhile, nothing is written: it is the other worker's. An interrupted worker hands it back.
    """
    with _at_work(job) as running, structlog.contextvars.bound_contextvars(job=job.pk, kind=job.kind):
        try:
            value, error = _outcome(job)
            if error:
                is_over = _put_off_or_fail(running, error)
            else:
                is_over = True
                _write(running, state=Job.State.DONE, finished_at=timezone.now(), lease_until=None, failure="")
                job.call.set_successful(value)
        except LeaseLost:
            log.warning("job_lost", worker=job.worker)
            return False
        except (KeyboardInterrupt, SystemExit):
            hand_back(job)
            raise
        if is_over:
            _tell_finished(job)
    return error is None


def _outcome(job: Job) -> tuple[Any, Exception | None]:
    """What the task returned, or what it raised. (Outside ``except``, Django's log of it cannot quote the error.)"""
    try:
        return _call(job), None
    except LeaseLost:
        raise
    except Exception as error:
        return None, error


def _call(job: Job) -> Any:
    task, result = job.call.task, job.call.task_result
    task_started.send(sender=type(job.call), task_result=result)
    first: list[Any] = [TaskContext(task_result=result)] if task.takes_context else []
    arguments = job.call.args_kwargs
    # Inside a test's transaction, an error must not spoil the rest.
    is_inside = transaction.get_connection().in_atomic_block
    with transaction.atomic() if is_inside else nullcontext():
        return normalize_json(task.call(*first, *arguments["args"], **arguments["kwargs"]))


def _put_off_or_fail(running: _Running, error: Exception) -> bool:
    """Write a failed attempt down; returns whether it was the last."""
    job = running.job
    is_over = isinstance(error, GiveUp) or job.attempts - job.losses >= job.max_attempts
    failure, now = sentence(error), timezone.now()
    log.warning(
        "job_failed", error=type(error).__name__, places=places(error)[-6:], attempt=job.attempts, is_over=is_over
    )
    changes: dict[str, Any] = {"failure": failure, "lease_until": None}
    if is_over:
        changes |= {"state": Job.State.FAILED, "finished_at": now}
    else:
        changes |= {"state": Job.State.WAITING, "next_try_at": now + wait_after(job.attempts - job.losses)}
    _write(running, **changes)
    DBTaskResult.objects.filter(pk=job.call_id).update(
        status=TaskResultStatus.FAILED if is_over else TaskResultStatus.READY,
        finished_at=now if is_over else None,
        exception_class_path=f"{type(error).__module__}.{type(error).__qualname__}",
        traceback="\n".join(places(error)),
    )
    return is_over


def wait_after(failures: int) -> timedelta:
    """How long to wait after so many failures: 5 s, 15 s, 45 s … an hour, each up to a quarter more or less."""
    seconds = min(LONGEST_WAIT_S, FIRST_WAIT_S * 3 ** (failures - 1))
    return timedelta(seconds=seconds * random.uniform(0.75, 1.25))


def hand_back(job: Job) -> None:
    """Let another worker have this job at once: its worker is being stopped. The attempt does not count."""
    ours = Job.objects.filter(pk=job.pk, state=Job.State.RUNNING, worker=job.worker, attempts=job.attempts)
    ours.update(
        state=Job.State.WAITING, lease_until=None, next_try_at=timezone.now(), attempts=models.F("attempts") - 1
    )
    DBTaskResult.objects.filter(pk=job.call_id, job__state=Job.State.WAITING).update(status=TaskResultStatus.READY)


def retry_job(*, by: Person | None, job: Job) -> Job:
    """Try a failed job again, now, with all its attempts. A job that has not failed is left as it is."""
    with transaction.atomic():
        changed = Job.objects.filter(pk=job.pk, state=Job.State.FAILED).update(
            state=Job.State.WAITING,
            attempts=0,
            losses=0,
            failure="",
            finished_at=None,
            next_try_at=timezone.now(),
        )
        if changed:
            DBTaskResult.objects.filter(pk=job.call_id).update(status=TaskResultStatus.READY, finished_at=None)
            log.info("job_retried", job=job.pk, kind=job.kind, by=by.pk if by else None)
    job.refresh_from_db()
    return job


def run_waiting(limit: int = 1000) -> list[Job]:
    """Do all jobs that are due, and those that these put off, in this process (tests, demo); returns them as they ended."""
    ran: list[Job] = []
    while len(ran) < limit and (job := claim("here")):
        run(job)
        job.refresh_from_db()
        ran.append(job)
    return ran


def purge() -> int:
    """Remove finished jobs whose end has come, with their rows in the queue; returns how many."""
    finished = Job.objects.filter(state__in=[Job.State.DONE, Job.State.FAILED], ends_on__lte=timezone.localdate())
    calls = list(finished.values_list("call_id", flat=True))
    for start in range(0, len(calls), 500):
        DBTaskResult.objects.filter(pk__in=calls[start : start + 500]).delete()
    return len(calls)
