"""A site that tools write to while it, or its PostgreSQL, is killed again and again; and the tools."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import os
import random
import shutil
import subprocess
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from tests.exchange.knocking import COURSE, DID
from tests.files.living import SERVE, WEB_IMPORTS
from tests.hosting.conftest import PG_FOLDERS
from tests.nursery import Nursery
from tests.ports import steady_port

BATCH = 20
PAUSE_S = 0.02  # between two requests of one tool: the machine is for others, too
# The tables as they are today: the steps that lead there have their own tests, and take four times as long.
PREPARE = """
from staffroom.cli import preparing
preparing.make_at_once()
from staffroom.people.models import Organization
from staffroom.exchange.actions import keys
from pathlib import Path
district = Organization.objects.create(name="Riverbend", kind="district", slug="riverbend")
tool = keys.add_tool(by=None, organization=district, name="Workshops")
key, secret = keys.make_key(by=None, tool=tool, scopes=["all"])
Path({path!r}).write_text(key.name + ":" + secret)
"""


class Postgres:
    """A PostgreSQL of this test alone, to be killed with everything that belongs to it."""

    def __init__(self, folder: Path) -> None:
        self.programs = next((each for each in PG_FOLDERS if (each / "initdb").exists()), None)
        self.folder, self.port = folder, steady_port()
        self.before = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []

    @property
    def is_possible(self) -> bool:
        return self.programs is not None and (not self.before or shutil.which("runuser") is not None)

    @property
    def url(self) -> str:
        return f"postgres://staffroom@127.0.0.1:{self.port}/postgres"

    def _run(self, *words: Any) -> None:
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.STDOUT, "cwd": str(self.folder)}
        subprocess.run([*self.before, *map(str, words)], check=True, timeout=120, **quiet)

    def make(self) -> None:
        assert self.programs is not None
        self._run(self.programs / "initdb", "-D", self.folder / "db", "-U", "staffroom", "-A", "trust", "-E", "UTF8")
        self.start()

    def start(self) -> None:
        """Start it; again where it refuses because something of the one that was killed is still being cleared away."""
        assert self.programs is not None
        words = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1"
        command = ("pg_ctl", "-D", self.folder / "db", "-o", words, "-l", self.folder / "log", "-w", "start")
        for refused in range(5):
            try:
                return self._run(self.programs / command[0], *command[1:])
            except subprocess.CalledProcessError:
                time.sleep(refused)
        raise AssertionError(f"PostgreSQL does not start:\n{(self.folder / 'log').read_text()[-3000:]}")

    def kill(self) -> None:
        """SIGKILL to the server, which then makes no more processes, and to all that it made; they are gone when this returns."""
        for family in (self._processes(of_server=True), self._processes()):
            for each in family:
                with contextlib.suppress(psutil.NoSuchProcess):
                    each.kill()
            psutil.wait_procs(family, timeout=30)

    def _processes(self, *, of_server: bool = False) -> list[psutil.Process]:
        told = self.folder / "db" / "postmaster.pid"
        if of_server:
            number = int(told.read_text().split()[0]) if told.exists() else 0
            return [psutil.Process(number)] if number and psutil.pid_exists(number) else []
        place = str(self.folder / "db")
        return [each for each in psutil.process_iter() if _folder_of(each) == place]


def _folder_of(process: psutil.Process) -> str:
    try:
        return process.cwd()
    except psutil.Error:
        return ""


class Site:
    """A data folder, its web server in a process that can be killed, and the key of a tool."""

    def __init__(self, folder: Path, database: str = "") -> None:
        folder.mkdir(parents=True)
        self.folder, self.port = folder, steady_port()
        kept = {name: value for name, value in os.environ.items() if not name.startswith("STAFFROOM_")}
        environment = {**kept, "STAFFROOM_DATA": str(folder), "STAFFROOM_PORT": str(self.port)}
        if database:
            environment["STAFFROOM_DATABASE_URL"] = database
        self.nursery = Nursery(environment, WEB_IMPORTS)
        assert self.nursery.run(PREPARE.format(path=str(folder / "key"))) == 0
        shown = base64.b64encode((folder / "key").read_bytes()).decode()
        self.headers = {
            "Authorization": f"Basic {shown}",
            "X-Experience-API-Version": "1.0.3",
            "Content-Type": "application/json",
        }

    def start(self) -> float:
        """Start the web server; returns how many seconds it took until it answered a question."""
        begun = time.monotonic()
        self.nursery.begin(SERVE.format(port=self.port))
        self.await_answer()
        return time.monotonic() - begun

    def await_answer(self) -> None:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            try:
                if self.ask("GET", "/xapi/statements?limit=1")[0] == 200:
                    return
            except OSError:
                pass
            time.sleep(0.02)
        raise AssertionError("the server does not answer")

    def ask(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, bytes]:
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            line.request(method, path, body, {**self.headers, **(headers or {})})
            answer = line.getresponse()
            return answer.status, answer.read()
        except http.client.HTTPException as error:
            raise OSError(str(error)) from error
        finally:
            line.close()

    def pages(self, query: str = "") -> list[dict[str, Any]]:
        """All statements, page by page."""
        found: list[dict[str, Any]] = []
        path = f"/xapi/statements?limit=500&verb={DID}{query}"
        while path:
            status, content = self.ask("GET", path)
            assert status == 200, content
            page = json.loads(content)
            found += page["statements"]
            path = page["more"]
        return found

    def close(self) -> None:
        self.nursery.close()


class Tool(threading.Thread):
    """Writes until told to stop; what was not acknowledged it sends again, as the same, until it is."""

    def __init__(self, site: Site, name: str, deed: Callable[[Tool, int], bool]) -> None:
        super().__init__(daemon=True)
        self.site, self.name, self.deed = site, name, deed
        self.is_over = threading.Event()
        self.acknowledged: list[list[str]] = []
        self.merged: list[str] = []
        self.count = self.again = self.silent = 0
        self.wrong: list[str] = []

    def run(self) -> None:
        while not self.is_over.is_set():
            while not self.deed(self, self.count) and not self.wrong:
                self.again += 1
                time.sleep(5 * PAUSE_S)
            self.count += 1
            time.sleep(PAUSE_S)

    def send(self, method: str, path: str, body: Any) -> bool:
        """Whether it was acknowledged. No answer, or one of 503, says nothing."""
        try:
            status, content = self.site.ask(method, path, json.dumps(body).encode())
        except OSError:
            self.silent += 1
            return False
        if status not in (200, 204, 503):
            self.wrong.append(f"{status} {content[:300]!r}")
        return status in (200, 204)


def made(name: str, count: int, size: int) -> list[dict[str, Any]]:
    """The statements of a tool's request of a number: the same when it is sent again."""
    chance = random.Random(f"{name} {count}")
    return [
        {
            "id": str(uuid.UUID(int=chance.getrandbits(128), version=4)),
            "actor": {"objectType": "Agent", "account": {"homePage": "https://vendor.example", "name": f"{name}-{count % 7}"}},
            "verb": {"id": DID},
            "object": {"id": f"{COURSE}/{chance.randrange(5)}", "definition": {"name": {"en": f"Course {count}"}}},
        }
        for _each in range(size)
    ]  # fmt: skip


def one_by_one(tool: Tool, count: int) -> bool:
    (body,) = made(tool.name, count, 1)
    is_put = count % 2
    sent = (
        tool.send("PUT", f"/xapi/statements?statementId={body['id']}", body)
        if is_put
        else tool.send("POST", "/xapi/statements", body)
    )
    if sent:
        tool.acknowledged.append([body["id"]])
    return sent


def in_batches(tool: Tool, count: int) -> bool:
    bodies = made(tool.name, count, BATCH)
    sent = tool.send("POST", "/xapi/statements", bodies)
    if sent:
        tool.acknowledged.append([each["id"] for each in bodies])
    return sent


def documents(tool: Tool, count: int) -> bool:
    """A place that counts up, and a document that gets a name more each time."""
    if not tool.send("PUT", state("place"), {"at": count}):
        return False
    if not tool.send("POST", state("badges"), {f"badge {count}": True}):
        return False
    tool.merged.append(f"badge {count}")
    return True


def state(name: str) -> str:
    who = '{"mbox":"mailto:amara@vendor.example"}'.replace('"', "%22")
    return f"/xapi/activities/state?activityId={COURSE}&agent={who}&stateId={name}"


def begin_writing(site: Site) -> list[Tool]:
    deeds = {"a": one_by_one, "b": one_by_one, "c": in_batches, "d": documents}
    tools = [Tool(site, name, deed) for name, deed in deeds.items()]
    for each in tools:
        each.start()
    return tools


def end_writing(tools: list[Tool]) -> None:
    for each in tools:
        each.is_over.set()
    for each in tools:
        each.join(60)
        assert not each.is_alive(), f"{each.name} waits for an answer"
