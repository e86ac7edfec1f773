"""The loop of a worker process: claim, do, keep the lease, start what is scheduled, and stop cleanly."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError, close_old_connections, connection, transaction
from django.db.models import Q
from django.utils import timezone

from staffroom.jobs import actions, schedules
from staffroom.jobs.heartbeat import Heartbeat
from staffroom.jobs.models import Job, Process

log = structlog.get_logger(__name__)

IDLE_S = 0.5
SCHEDULES_EVERY_S = 15.0


class WorkerLoop:
    """One worker: up to ``jobs_at_once`` jobs in threads, and a heartbeat that keeps their leases while they run.

    ``stop()`` (from a signal) lets running jobs finish for ``patience_s``; what is not finished then is taken over by another
    worker once its lease has run out.
    """

    def __init__(self, *, jobs_at_once: int = 1, patience_s: float = 20.0) -> None:
        self.heart = Heartbeat(Process.Kind.WORKER)
        self.name = self.heart.name
        self.jobs_at_once = jobs_at_once
        self.patience_s = patience_s
        self._stopping = threading.Event()
        self._running: dict[tuple[int, int], Job] = {}
        self._lock = threading.Lock()
        self._free = threading.Semaphore(jobs_at_once)

    def stop(self, *_: object) -> None:
        self._stopping.set()

    def run(self) -> None:
        """Work until stopped."""
        self._patiently(self.heart.begin)
        heartbeat = threading.Thread(target=self._keep_leases, name="heartbeat", daemon=True)
        heartbeat.start()
        rounds = threading.Thread(target=self._keep_schedules, name="schedules", daemon=True)
        rounds.start()
        pool = ThreadPoolExecutor(self.jobs_at_once, thread_name_prefix="job")
        log.info("worker_started", worker=self.name, jobs_at_once=self.jobs_at_once)
        try:
            self._take_jobs(pool)
        finally:
            self._leave(pool)

    def _take_jobs(self, pool: ThreadPoolExecutor) -> None:
        while not self._stopping.is_set():
            if not self._free.acquire(timeout=IDLE_S):
                continue
            job = self._claim()
            if job is None:
                self._free.release()
                self._stopping.wait(IDLE_S)
                continue
            pool.submit(self._do, job)

    def do_one(self, job: Job) -> Job:
        """Do one job here and now, unless a worker is quicker; returns it as it ended. When this process dies, they do it."""
        self._patiently(self.heart.begin)
        heartbeat = threading.Thread(target=self._keep_leases, name="heartbeat", daemon=True)
        heartbeat.start()
        try:
            while not job.is_finished:
                self._free.acquire()
                if claimed := self._claim(job):
                    self._do(claimed)
                else:
                    self._free.release()
                    self._stopping.wait(IDLE_S)
                job.refresh_from_db()
        finally:
            self._stopping.set()
            self._patiently(self.heart.leave)
        return job

    def _claim(self, only: Job | None = None) -> Job | None:
        """The next job, known to the heartbeat; a database that is away or busy only means: not now."""
        try:
            job = actions.claim(self.name, only)
        except (DatabaseError, InterfaceError) as error:
            log.warning("claim_failed", error=type(error).__name__)
            close_old_connections()
            return None
        if job:
            with self._lock:
                self._running[job.pk, job.attempts] = job
        return job

    def _do(self, job: Job) -> None:
        try:
            actions.run(job)
        except (DatabaseError, InterfaceError) as error:
            # Its outcome could not be written. The lease runs out, and the job is done again.
            log.warning("outcome_not_written", job=job.pk, error=type(error).__name__)
        finally:
            with self._lock:
                self._running.pop((job.pk, job.attempts), None)
            self._free.release()
            close_old_connections()

    def _keep_leases(self) -> None:
        """Renew the leases of running jobs, so that a long native call needs no report; leave when the worker has."""
        pause = max(0.1, settings.LEASE_S / 5)
        while not self._stopping.wait(pause) or self._running:
            try:
                self._renew()
            except (DatabaseError, InterfaceError) as error:
                log.warning("heartbeat_failed", error=type(error).__name__)
                connection.close()
            if self._stopping.is_set():
                threading.Event().wait(pause)
        connection.close()

    def _renew(self) -> None:
        """Renew what is ours. A row that its own task has locked (it reports within a transaction) is left to the task."""
        now = timezone.now()
        with self._lock:
            mine = Q(pk=None)
            for pk, attempt in self._running:
                mine |= Q(pk=pk, attempts=attempt)
        with transaction.atomic():
            ours = Job.objects.filter(mine, worker=self.name, state=Job.State.RUNNING)
            free = list(ours.select_for_update(skip_locked=True).values_list("pk", flat=True))
            Job.objects.filter(pk__in=free).update(lease_until=now + timedelta(seconds=settings.LEASE_S))
        self.heart.beat()

    def _keep_schedules(self) -> None:
        while True:
            try:
                schedules.start_due()
            except (DatabaseError, InterfaceError) as error:
                log.warning("schedules_failed", error=type(error).__name__)
                connection.close()
            if self._stopping.wait(SCHEDULES_EVERY_S):
                break
        connection.close()

    def _leave(self, pool: ThreadPoolExecutor) -> None:
        """Wait for what runs; hand back what does not end in time, for others to begin again at once."""
        self._stopping.set()
        finished = threading.Thread(target=pool.shutdown, daemon=True)
        finished.start()
        finished.join(self.patience_s)
        with self._lock:
            left = list(self._running.values())
        for job in left:
            log.warning("job_handed_back", job=job.pk, kind=job.kind)
            self._patiently(lambda job=job: actions.hand_back(job))  # type: ignore[misc]
        self._patiently(self.heart.leave)
        log.info("worker_stopped", worker=self.name, unfinished=len(left))
        connection.close()
        if left:
            os._exit(0)  # threads inside native calls cannot be stopped in any other way

    def _patiently(self, deed: Callable[[], object]) -> None:
        """Do a small write, three times if the database is busy; a worker neither starts nor ends on it."""
        for _ in range(3):
            try:
                deed()
                return
            except (DatabaseError, InterfaceError) as error:
                log.warning("database_busy", error=type(error).__name__)
                connection.close()
