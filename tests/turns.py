"""Which tests go together, and in which order, when several processes share the suite.

A file's tests stay in one process: what a file makes once (a served district, a world, a walk through a sign-in) is made once, and
not in each process. What takes longest goes first, so that no process is busy with it when the others have nothing left to do.
Nothing may depend on any of this: every file passes alone.
"""

from __future__ import annotations

import os
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

# Files that share something dear, by how their paths begin.
TOGETHER = {
    "tests/impact/riverbend/": "a computed district",
    "tests/journeys/test_recording_in_class.py": "a served district",
    "tests/journeys/test_the_main_job.py": "a served district",
}
# How their paths begin.
LONGEST = (
    "tests/jobs/test_workers_that_are_killed.py",
    "tests/journeys/",
    "tests/hosting/test_several_hosts.py",
    "tests/hosting/test_backing_up_under_load.py",
    "tests/hosting/test_other_servers.py",
    "tests/hosting/",
    "tests/studies/test_scanning_files.py",
    "tests/files/test_surviving_kills.py",
    "tests/exchange/test_surviving_kills.py",
    "tests/impact/riverbend/",
    "tests/files/test_malformed_uploads.py",
    "tests/files/test_looking.py",
    "tests/records/test_reading_the_lake_with_spark.py",
    "tests/lessons/test_surviving_kills.py",
    "tests/promises/",
    "tests/islands/",
)


class Turns(LoadScopeScheduling):
    """Gives whole units to processes, in the order in which the tests stand."""

    def __init__(self, config: pytest.Config, log: Any) -> None:
        super().__init__(config, log)
        config.option.loadscopereorder = False

    def _split_scope(self, nodeid: str) -> str:
        return unit(nodeid)


def unit(nodeid: str) -> str:
    """What goes to one process as a whole."""
    path = nodeid.partition("::")[0]
    return next((shared for start, shared in TOGETHER.items() if path.startswith(start)), path)


def in_turn(items: list[pytest.Item]) -> list[pytest.Item]:
    """The longest first; the rest as they stood."""

    def turn(item: pytest.Item) -> int:
        return next((place for place, start in enumerate(LONGEST) if item.nodeid.startswith(start)), len(LONGEST))

    return sorted(items, key=turn)


def processes() -> int:
    """One more than there are cores: many tests wait for servers, browsers and workers of their own."""
    return len(os.sched_getaffinity(0)) + 1 if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1) + 1
