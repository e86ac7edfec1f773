"""A worker that is killed while it makes things: another takes over, nothing is lost, nothing is stuck, nothing is left lying."""

from __future__ import annotations

import contextlib
import random
import sqlite3
import time
from pathlib import Path

import psutil
import pytest

from tests.files.living import Site
from tests.files.media_samples import Sample, levels, write

pytestmark = pytest.mark.slow

KINDS = ("web_video", "web_audio", "poster", "storyboard", "waveform")
KILLS = 20
TAKE_IN = """
from staffroom.files import actions
from staffroom.people.models import Person
file = actions.take_in(by=Person.objects.get(given_name="Amara"), name="lesson.webm", stream_or_path={path!r})
made = [actions.derive(file, kind) for kind in {kinds!r}]
made += [actions.derive(file, "clip", 200 * n, 200 * n + 1000) for n in range(6)]
"""
MORE_CLIPS = """
from staffroom.files import actions
begun = Derivative.objects.filter(kind="clip").count()
made = [actions.derive(File.objects.get(), "clip", 200 * n, 200 * n + 1000) for n in range(begun, begun + 4)]
"""
JOBS = "list(Job.objects.filter(kind='files.make').values_list('state', 'attempts', 'losses'))"


def children_of_media(site: Site) -> set[int]:
    """Those of this site: other tests may make media at the same time."""
    found = set()
    for process in psutil.process_iter(["pid", "cmdline"]):
        if "staffroom.files.media.apart" in (process.info["cmdline"] or []):
            with contextlib.suppress(psutil.Error):
                if process.environ().get("STAFFROOM_DATA") == str(site.data):
                    found.add(process.pid)
    return found


def test_a_worker_killed_twenty_times_leaves_nothing_undone(tmp_path):
    site = Site(tmp_path / "site", STAFFROOM_LEASE_S="1")
    nursery = site.start_nursery()
    path = write(
        tmp_path / "lesson.webm",
        Sample(container="webm", video="libvpx", audio="libopus", is_live=True, seconds=4.0, size=(320, 180)),
    )
    try:
        asked = site.ask("len(made)", setup=TAKE_IN.format(path=str(path), kinds=KINDS))
        chance, seen = random.Random(11), set()
        for _n in range(KILLS):
            # Some kills come too late, after the work: a fast machine gets more of it, so that every kill finds some.
            if unfinished(site) < 2:
                asked += site.ask("len(made)", setup=MORE_CLIPS)
            wait_until_it_works(nursery.begin())
            seen |= children_of_media(site)
            time.sleep(chance.uniform(0, 0.8))
            nursery.kill()
        nursery.begin()
        until = time.monotonic() + 120
        while unfinished(site) and time.monotonic() < until:
            time.sleep(0.2)
        assert site.ask("list(Derivative.objects.values_list('state', 'failure'))") == [["ready", ""]] * asked
        until = time.monotonic() + 10
        while unfinished_jobs(site) and time.monotonic() < until:
            time.sleep(0.1)
        jobs = site.ask(JOBS, "from staffroom.jobs.models import Job")
        assert {state for state, _attempts, _losses in jobs} == {"done"}
        assert sum(losses for _state, _attempts, losses in jobs) >= KILLS // 3, "workers were killed at work"
        assert all(attempts == losses + 1 for _state, attempts, losses in jobs), "a kill uses up no try"
        paths = site.ask("list(Derivative.objects.filter(kind='clip').values_list('path', flat=True))")
        for name in paths:
            assert len(levels(site.data / "files" / name)) == 25
        lying = sum(1 for each in (site.data / "files").rglob("*") if each.is_file())
        assert lying == asked + 1, "every name once, and the original"
        assert seen, "children are found where there are any"
        assert not children_of_media(site), "children end with their worker"
        leftovers(site.data / "workbench")
    finally:
        nursery.close()
        site.close()


def unfinished(site: Site) -> int:
    return count(site, "SELECT count(*) FROM files_derivative WHERE state <> 'ready'")


def unfinished_jobs(site: Site) -> int:
    return count(site, "SELECT count(*) FROM jobs_job WHERE kind = 'files.make' AND state <> 'done'")


def count(site: Site, query: str) -> int:
    with contextlib.closing(sqlite3.connect(site.data / "staffroom.sqlite3", timeout=30)) as database:
        return database.execute(query).fetchone()[0]


def wait_until_it_works(pid: int) -> None:
    """A job is at work once its media are in the hands of a child."""
    until = time.monotonic() + 120  # a starved machine is slow to start a process
    while time.monotonic() < until:
        if psutil.Process(pid).children():
            return
        time.sleep(0.02)
    raise AssertionError("the worker took no job")


def leftovers(workbench: Path) -> None:
    """What killed workers were making lies on the workbench until the hourly round; nothing else does."""
    assert all(path.name.startswith("making-") for path in workbench.iterdir())
