"""`more` walks through all statements, each once, in either direction, while tools go on writing.

`STAFFROOM_PAGED=100000` walks through a hundred thousand; an ordinary run through fewer.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.exchange import killing
from tests.exchange.killing import Postgres, Site
from tests.exchange.knocking import DID

pytestmark = pytest.mark.slow
PAGED = int(os.environ.get("STAFFROOM_PAGED", "750"))
PAGE = 500 if PAGED > 10_000 else 25
BATCH = min(500, PAGED // 5)
WRITERS = 3


def test_on_sqlite(tmp_path: Path) -> None:
    site = Site(tmp_path / "data")
    try:
        site.start()
        every_statement_once(site)
    finally:
        site.close()


@pytest.mark.postgres
def test_on_postgres(tmp_path: Path, cluster: Path) -> None:
    postgres = Postgres(cluster)
    if not postgres.is_possible:
        pytest.skip("PostgreSQL's initdb was not found (Debian: apt-get install postgresql)")
    postgres.make()
    site = Site(tmp_path / "data", postgres.url)
    try:
        site.start()
        every_statement_once(site)
    finally:
        site.close()
        postgres.kill()


def every_statement_once(site: Site) -> None:
    first = [each for count in range(PAGED // BATCH) for each in send(site, "first", count, BATCH)]
    writers = Writers(site)
    try:
        newest_first = walk(site, "")
        oldest_first = walk(site, "&ascending=true")
    finally:
        wrote = writers.end()
    there = walk(site, "&ascending=true")
    assert set(there) == {*first, *wrote}, "nothing is lost, and nothing is there that nobody sent"
    assert len(there) == len(set(there))
    for walked in (newest_first, oldest_first):
        assert len(walked) == len(set(walked)), "none twice"
        assert set(first) <= set(walked), "all that was there when the walk began"
    # Oldest first nothing is passed over, not even what came in meanwhile: it is how all begins.
    assert oldest_first == there[: len(oldest_first)]
    place = {name: at for at, name in enumerate(there)}
    assert [place[name] for name in newest_first] == sorted((place[name] for name in newest_first), reverse=True)
    assert len(wrote) > WRITERS, "there was something going on"


def send(site: Site, name: str, count: int, size: int) -> list[str]:
    bodies = killing.made(name, count, size)
    status, content = site.ask("POST", "/xapi/statements", json.dumps(bodies).encode())
    assert status == 200, content
    found: list[str] = json.loads(content)
    return found


class Writers:
    """Tools that write singles and batches until told to stop."""

    def __init__(self, site: Site) -> None:
        self.site, self.is_over = site, threading.Event()
        self.wrote: list[list[str]] = [[] for _each in range(WRITERS)]
        self.threads = [threading.Thread(target=self._write, args=(at,), daemon=True) for at in range(WRITERS)]
        for each in self.threads:
            each.start()

    def _write(self, at: int) -> None:
        count = 0
        while not self.is_over.wait(killing.PAUSE_S):
            self.wrote[at] += send(self.site, f"writer {at}", count, 1 if at else 10)
            count += 1

    def end(self) -> list[str]:
        self.is_over.set()
        for each in self.threads:
            each.join(120)
            assert not each.is_alive()
        return [name for some in self.wrote for name in some]


def walk(site: Site, query: str) -> list[str]:
    return list(_pages(site, f"/xapi/statements?limit={PAGE}&verb={DID}{query}"))


def _pages(site: Site, path: str) -> Iterator[str]:
    while path:
        status, content = site.ask("GET", path)
        assert status == 200, content
        page: dict[str, Any] = json.loads(content)
        yield from (each["id"] for each in page["statements"])
        path = page["more"]
