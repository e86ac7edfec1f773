"""What pages cost while other programs write 500 statements a second, against the same pages of the same server left alone.

    python -m benchmarks.pages_beside_statements                         # SQLite and PostgreSQL
    python -m benchmarks.pages_beside_statements --databases sqlite --seconds 10

One real server (`staffroom start --no-worker`) holds a small made-up district. First its pages are asked for by one reader, then
statements are written alone, then both at once. CPU is of all server processes, and adds up: what pages cost beside the writers is
all of the third round less what the writers cost in the second. Answering times are of the reader: with two cores for server, database,
reader and writers they tell of the machine as much as of the program.
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import json
import statistics
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from benchmarks import xapi

RATE, BATCH = 500, 50
PAGES = (
    ("amara", "/"),
    ("amara", "/lessons/"),
    ("amara", "/lessons/{lesson}/"),
    ("denise", "/records/"),
    ("denise", "/what-works/"),
)


class District(xapi.Server):
    """A server with people in it, each with a browser that is signed in."""

    module = "benchmarks.pages_beside_statements"

    def prepared(self, told: list[str]) -> None:
        self.key, self.secret, self.lesson, *sessions = told
        self.sessions = dict(zip(("amara", "denise"), sessions, strict=True))

    def open(self, who: str, address: str) -> None:
        connection = self.reader
        headers = {"Host": f"localhost:{self.port}", "Cookie": f"sessionid={self.sessions[who]}"}
        connection.request("GET", address.format(lesson=self.lesson), headers=headers)
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise SystemExit(f"{who} at {address}: {answer.status}")

    @property
    def reader(self) -> http.client.HTTPConnection:
        if not hasattr(self, "_reader"):
            self._reader = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        return self._reader


class Writers:
    """Programs that write at a steady rate, in batches, until they are told to stop."""

    def __init__(self, server: District, seed: int) -> None:
        self.server, self.made = server, xapi.statements(seed)
        self.written, self.is_over = 0, threading.Event()
        self.thread = threading.Thread(target=self._write)

    def __enter__(self) -> Writers:
        self.server.connection.close()
        self.begun = time.monotonic()
        self.thread.start()
        return self

    def __exit__(self, *_told: object) -> None:
        self.is_over.set()
        self.thread.join()
        self.rate = self.written / (time.monotonic() - self.begun)

    def _write(self) -> None:
        for number in itertools.count():
            body = json.dumps([next(self.made) for _each in range(BATCH)]).encode()
            if self.is_over.wait(max(0.0, self.begun + number * BATCH / RATE - time.monotonic())):
                return
            self.server.ask("POST", body=body)
            self.written += BATCH


def ask_for(server: District, seconds: float) -> list[float]:
    """Ask for all pages in turn for some seconds; how many milliseconds each took to come."""
    taken = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for who, address in PAGES:
            begun = time.monotonic()
            server.open(who, address)
            taken.append((time.monotonic() - begun) * 1000)
            time.sleep(0.02)  # a reader reads
    return taken


def measure(kind: str, seconds: float) -> None:
    with tempfile.TemporaryDirectory(prefix="staffroom-bench-") as name:
        folder = Path(name)
        if kind == "sqlite":
            _measure(kind, District(folder, "", None), seconds)
            return
        with xapi.postgresql(folder) as (url, process):
            _measure(kind, District(folder, url, process), seconds)


def _measure(kind: str, server: District, seconds: float) -> None:
    try:
        ask_for(server, 2)  # warm
        with Writers(server, 1):
            time.sleep(2)
        begun = server.cpu()
        alone = ask_for(server, seconds)
        page_ms = (server.cpu() - begun) * 1000 / len(alone)
        begun = server.cpu()
        with Writers(server, 2) as writers:
            time.sleep(seconds)
        each_s = (server.cpu() - begun) / writers.written
        begun = server.cpu()
        with Writers(server, 3) as writers:
            beside = ask_for(server, seconds)
        beside_ms = (server.cpu() - begun - writers.written * each_s) * 1000 / len(beside)
        print(f"\n{kind}: {writers.rate:,.0f} statements a second (goal {RATE}), {each_s * 1000:.2f} CPU ms each")
        print(f"  a page: {page_ms:.1f} CPU ms alone, {beside_ms:.1f} beside them: {beside_ms / page_ms:.2f} × as much")
        for name, share in (("half of all pages", 0.5), ("95 of 100", 0.95)):
            first, then = (_quantile(each, share) for each in (alone, beside))
            print(
                f"  {name} came within {first:.0f} ms alone, {then:.0f} ms beside them: {then / first:.2f} ×",
                flush=True,
            )
    finally:
        server.end()


def _quantile(taken: list[float], share: float) -> float:
    return statistics.quantiles(taken, n=100)[round(share * 100) - 1]


def furnish() -> None:
    """A small district, a tool with a key, two people signed in; prints key, secret, the lesson's address and the sessions."""
    from benchmarks import pages
    from staffroom.exchange.actions import keys
    from staffroom.home.demo import placing, world
    from staffroom.people.models import Organization

    placing.place(world.draw(teachers=45, seed=2), seed=2)
    lesson = pages.furnish()["lesson"]
    district = Organization.objects.get(kind="district")
    tool = keys.add_tool(by=None, organization=district, name="LMS")
    key, secret = keys.make_key(by=None, tool=tool, scopes=["all"])
    sessions = [pages.client(who).cookies["sessionid"].value for who in ("amara.okafor", "denise.park")]
    print(key.name, secret, lesson, *sessions)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--databases", nargs="*", default=["sqlite", "postgresql"])
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--here", nargs="+", help=argparse.SUPPRESS)
    told: Any = parser.parse_args()
    if told.here:
        import django

        django.setup()
        furnish()
        return
    for kind in told.databases:
        measure(kind, told.seconds)


if __name__ == "__main__":
    main()
