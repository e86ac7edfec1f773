"""A web server that is killed while people write: what was answered as done is there, whole, with its entry in the ledger."""

from __future__ import annotations

import contextlib
import http.client
import json
import random
import sqlite3
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.files.living import Site

pytestmark = pytest.mark.slow

KILLS = 20
WRITERS = 3
BEGIN = """
from staffroom.people.models import Person
from staffroom.seeing.lessons import actions
from tests.lessons.conftest import ready_file
amara = Person.objects.get(given_name="Amara")
lesson = actions.begin_lesson(by=amara, title="Fractions")
actions.attach_file(by=amara, lesson=lesson, file=ready_file(amara))
"""


class Writer(threading.Thread):
    """Somebody who writes on and on, by pages and by program, and remembers what was answered as done."""

    def __init__(self, site: Site, name: str, slug: str, key: str) -> None:
        super().__init__(daemon=True)
        self.site, self.mark, self.slug, self.key = site, name, slug, key
        self.done: dict[str, list[str]] = defaultdict(list)
        self.broken: list[str] = []
        self.cut_off = 0
        self.is_over = threading.Event()

    def run(self) -> None:
        deeds = (
            ("lesson", "/api/lessons/", 201, lambda text: {"title": text}),
            ("moment", f"/api/lessons/{self.key}/moments/", 201, lambda text: {"start_ms": 1000, "text": text}),
            ("moment", f"/lessons/{self.slug}/moments/", 302, lambda text: {"start": "0:01", "kind": "note", "text": text}),
            ("lesson", "/lessons/new/?how=record", 302, lambda text: {"title": text, "taught_on": "2026-11-20"}),
            ("draft", f"/drafts/writer:{self.mark}/", 200, lambda text: {"text": text}),
        )  # fmt: skip
        number = 0
        while not self.is_over.is_set():
            kind, path, expected, body = deeds[number % len(deeds)]
            text = f"{self.mark}-{number}"
            number += 1
            try:
                status, said = self.post(path, body(text))
            except (OSError, http.client.HTTPException):
                self.cut_off += 1
                time.sleep(0.01)
                continue
            if status == expected:
                self.done[kind].append(text)
            else:
                self.broken.append(f"{path} {status} {said}")

    def post(self, path: str, body: dict[str, Any]) -> tuple[int, str]:
        is_api = path.startswith("/api/")
        content, kind = (json.dumps(body), "json") if is_api else (urlencode(body), "x-www-form-urlencoded")
        connection = http.client.HTTPConnection("localhost", self.site.port, timeout=30)
        with contextlib.closing(connection):
            connection.request("POST", path, content, {**self.site.headers, "Content-Type": f"application/{kind}"})
            answer = connection.getresponse()
            return answer.status, answer.read()[-300:].decode(errors="replace")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path / "site", STAFFROOM_API_PER_MINUTE="0")
    yield site
    site.close()


def test_a_server_killed_twenty_times_during_writes_has_all_that_it_answered_as_done(site: Site) -> None:
    slug, key = site.ask("[lesson.slug, str(lesson.key)]", BEGIN)
    writers = [Writer(site, f"w{n}", slug, key) for n in range(WRITERS)]
    chance = random.Random(13)
    before = ledger(site)
    site.start_web()
    for writer in writers:
        writer.start()
    for _n in range(KILLS):
        wait_for_more(writers)
        time.sleep(chance.uniform(0, 0.2))
        site.kill_web()
        site.start_web()
    wait_for_more(writers)
    for writer in writers:
        writer.is_over.set()
        writer.join(40)
    site.kill_web()
    assert [broken for writer in writers for broken in writer.broken] == []
    assert sum(writer.cut_off for writer in writers) >= KILLS, "writes were cut off"
    titles = {title for (title,) in asked(site, "SELECT title FROM lessons_lesson")}
    texts = [text for (text,) in asked(site, "SELECT text FROM lessons_moment")]
    for writer in writers:
        assert writer.done.keys() == {"lesson", "moment", "draft"}
        assert set(writer.done["lesson"]) <= titles
        assert set(writer.done["moment"]) <= set(texts)
        [(body,)] = asked(site, f"SELECT body FROM conversations_draft WHERE place = 'writer:{writer.mark}'")
        kept, last = json.loads(body)["text"], writer.done["draft"][-1]
        assert int(kept.split("-")[1]) >= int(last.split("-")[1]), "the latest draft that was said to be kept"
    assert len(texts) == len(set(texts))
    assert ledger(site) - before == len(texts) + len(titles) - 1, (
        "each deed with its entry, and no entry without a deed"
    )
    assert asked(site, "PRAGMA integrity_check") == [("ok",)]


def wait_for_more(writers: list[Writer]) -> None:
    """Until each has written something more: the server is at work on all of them."""
    until = time.monotonic() + 60
    before = [sum(map(len, writer.done.values())) for writer in writers]
    while any(sum(map(len, writer.done.values())) == n for writer, n in zip(writers, before, strict=True)):
        assert time.monotonic() < until, [writer.broken[-1:] for writer in writers]
        time.sleep(0.01)


def asked(site: Site, query: str) -> list[tuple[Any, ...]]:
    with contextlib.closing(sqlite3.connect(site.data / "staffroom.sqlite3", timeout=30)) as database:
        return database.execute(query).fetchall()


def ledger(site: Site) -> int:
    count: int = asked(site, "SELECT count(*) FROM records_statement")[0][0]
    return count
