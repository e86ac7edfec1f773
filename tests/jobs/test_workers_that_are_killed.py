"""Real worker processes on one SQLite: killed again and again, and beside people who write."""

from __future__ import annotations

import json
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from tests.hosting.conftest import Place, wait_until
from tests.nursery import WORKER as LOOP
from tests.nursery import Nursery

pytestmark = pytest.mark.slow

JOBS = 30
KILLS = 20
WORKER = """
import sys, threading
import django; django.setup()
from staffroom.jobs import worker
worker.IDLE_S = 0.1
worker.WorkerLoop().run()
"""
PUT = """
import json, sys
from staffroom.jobs.actions import later
from tests.jobs import tasks
print(json.dumps([later(tasks.mark, name=f"mark-{n}", folder=FOLDER, seconds=0.5, retries=0).pk for n in range(JOBS)]))
"""
STATES = """
import json
from staffroom.jobs.models import Job
# The rooms' own rounds may begin meanwhile; they are not counted.
mine = Job.objects.filter(kind__startswith="tests.").order_by("pk")
print(json.dumps(list(mine.values_list("state", "attempts", "losses"))))
"""
# What a web process does for people: short writes; every one must succeed, whatever the workers do.
PEOPLE = """
import sys, time
from django.db import transaction
from staffroom.people.models import Organization
longest = 0
for n in range(150):
    begun = time.monotonic()
    with transaction.atomic():
        Organization.objects.create(name=f"typed {n}", slug=f"typed-{n}", kind="school")
    longest = max(longest, time.monotonic() - begun)
    time.sleep(0.01)
print(longest)
"""


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with an empty database."""
    place = Place(tmp_path_factory.mktemp("tables") / "data")
    place.make_tables()
    return place.folder


@pytest.fixture
def site(place: Place, tables: Path) -> Place:
    place.environment |= {"STAFFROOM_LEASE_S": "2", "DJANGO_SETTINGS_MODULE": "staffroom.settings"}
    shutil.copytree(tables, place.folder)
    return place


def start_worker(site: Place) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", WORKER], env=site.environment, stdout=subprocess.DEVNULL)


def states(site: Place) -> list[list[object]]:
    told: list[list[object]] = json.loads(site.python(STATES))
    return told


def holds_a_job(site: Place, pid: int) -> bool:
    """Whether this very process is at work on something: its number is in its name."""
    with closing(sqlite3.connect(site.folder / "staffroom.sqlite3", timeout=30)) as database:
        held = "SELECT count(*) FROM jobs_job WHERE state = 'running' AND kind LIKE 'tests.%' AND worker LIKE ?"
        return bool(database.execute(held, (f"%-{pid}-%",)).fetchone()[0])


def test_every_job_ends_once_in_effect_when_workers_are_killed_twenty_times(site: Place, tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    marks.mkdir()
    site.python(f"FOLDER, JOBS = {str(marks)!r}, {JOBS}\n{PUT}")
    chance = random.Random(7)
    with closing(Nursery(site.environment, "from tests.jobs import tasks")) as nursery:
        for _ in range(KILLS):
            pid = nursery.begin(LOOP)
            wait_until(lambda pid=pid: holds_a_job(site, pid), 90, lambda: str(states(site)))
            time.sleep(chance.random() * 0.6)
            nursery.kill()
    workers = [start_worker(site) for _ in range(2)]
    try:
        wait_until(lambda: len(list(marks.iterdir())) == JOBS, 180)
        wait_until(lambda: all(state == "done" for state, _, _ in states(site)), 90, lambda: str(states(site)))
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
    ended = states(site)
    assert Counter(state for state, _, _ in ended) == {"done": JOBS}
    count = "print(Organization.objects.filter(slug__startswith='mark-').count())"
    assert site.python(f"from staffroom.people.models import Organization\n{count}") == str(JOBS)
    assert sum(int(str(losses)) for _, _, losses in ended) >= KILLS / 2, "workers were killed at work"


def test_a_long_native_call_keeps_its_lease(site: Place, tmp_path: Path) -> None:
    """Two workers, and a job that says nothing for twice its lease: done once."""
    site.python(
        "from staffroom.jobs.actions import later\nfrom tests.jobs import tasks\n"
        f"later(tasks.hold_still, seconds=4.5, folder={str(tmp_path)!r})"
    )
    workers = [start_worker(site) for _ in range(2)]
    try:
        wait_until(lambda: states(site)[0][0] == "done", 60, lambda: str(states(site)))
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
    assert (tmp_path / "held").read_text() == "x"
    assert states(site) == [["done", 1, 0]]


def test_people_write_undisturbed_while_workers_work(site: Place, tmp_path: Path) -> None:
    site.python(f"FOLDER, JOBS = {str(tmp_path)!r}, 60\n{PUT.replace('0.5', '0.02')}")
    workers = [start_worker(site) for _ in range(3)]
    try:
        longest = float(site.python(PEOPLE))  # fails with any "database is locked"
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
    assert longest < 10


def test_a_worker_that_is_stopped_hands_its_job_back(site: Place, tmp_path: Path) -> None:
    site.python(
        "from staffroom.jobs.actions import later\nfrom tests.jobs import tasks\n"
        f"later(tasks.hold_still, seconds=120, folder={str(tmp_path)!r})"
    )
    code = WORKER.replace(
        "worker.WorkerLoop().run()",
        "import signal\nloop = worker.WorkerLoop(patience_s=0.2)\nsignal.signal(signal.SIGTERM, loop.stop)\nloop.run()",
    )
    worker = subprocess.Popen([sys.executable, "-c", code], env=site.environment, stdout=subprocess.DEVNULL)
    try:
        wait_until(lambda: states(site)[0][0] == "running", 60, lambda: str(states(site)))
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(30) == 0
    finally:
        worker.kill()
        worker.wait()
    assert states(site) == [["waiting", 0, 0]]
