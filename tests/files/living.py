"""A server and a worker in processes of their own, a wire to them that can be cut, and clients that people really use."""

from __future__ import annotations

import contextlib
import json
import os
import random
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

from tests.nursery import Nursery
from tests.ports import steady_port

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
CSRF = "a" * 32
WEB_IMPORTS = "import uvicorn, staffroom.asgi; from django.urls import get_resolver; get_resolver().url_patterns"
SERVE = "import uvicorn; uvicorn.run('staffroom.asgi:application', port={port}, access_log=False)"

PREPARE = """
import django, json
django.setup()
from staffroom.cli import preparing
preparing.make_at_once()
from django.contrib.sessions.backends.db import SessionStore
from staffroom.people.models import Person
amara = Person.objects.create_user(email="amara@riverbend.example", given_name="Amara", family_name="Okafor")
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
session = SessionStore()
session[SESSION_KEY] = str(amara.pk)
session[BACKEND_SESSION_KEY] = "staffroom.people.sessions.Accounts"
session[HASH_SESSION_KEY] = amara.get_session_auth_hash()
session.save()
print(json.dumps({"session": session.session_key, "amara": amara.pk}))
"""


class Site:
    """A data folder with a migrated database and Amara signed in, and the processes that serve it."""

    def __init__(self, data: Path, **options: str) -> None:
        self.data = data
        self.port = steady_port()
        self.environment = {
            **os.environ,
            "STAFFROOM_DATA": str(data),
            "STAFFROOM_PORT": str(self.port),
            "DJANGO_SETTINGS_MODULE": "staffroom.settings",
            "STAFFROOM_LEASE_S": "2",
            "STAFFROOM_UPLOADS_PER_MINUTE": "0",
            **options,
        }
        self.processes: list[subprocess.Popen] = []
        said = json.loads(self.python(PREPARE).splitlines()[-1])
        self.session, self.amara = said["session"], said["amara"]
        self.web: Nursery | None = None

    def python(self, code: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", code], env=self.environment, cwd=ROOT, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr[-2000:]
        return done.stdout

    def ask(self, expression: str, setup: str = ""):
        """A value of the site's database, by a process of its own."""
        code = f"import django, json\ndjango.setup()\nfrom staffroom.files.models import *\n{setup}\nprint(json.dumps({expression}))"
        return json.loads(self.python(code).splitlines()[-1])

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def headers(self) -> dict[str, str]:
        return {"Cookie": f"sessionid={self.session}; csrftoken={CSRF}", "X-CSRFToken": CSRF}

    def start(self, *command: str) -> subprocess.Popen:
        log = (self.data / "log.txt").open("ab")
        process = subprocess.Popen(command, env=self.environment, cwd=ROOT, stdout=log, stderr=log)
        self.processes.append(process)
        return process

    def start_web(self) -> None:
        """A web server; when it was killed, another on the same port."""
        self.web = self.web or Nursery(self.environment, WEB_IMPORTS)
        self.web.begin(SERVE.format(port=self.port))
        for _try in range(300):
            try:
                urllib.request.urlopen(f"{self.url}/health/", timeout=2)
                return
            except urllib.error.HTTPError:
                return
            except OSError:
                time.sleep(0.05)
        raise AssertionError((self.data / "log.txt").read_text()[-3000:])

    def kill_web(self) -> None:
        assert self.web
        self.web.kill()

    def start_worker(self) -> subprocess.Popen:
        """The loop of ``staffroom worker``, without looking first whether the database is up to date."""
        loop = "import django; django.setup(); from staffroom.jobs.worker import WorkerLoop; WorkerLoop().run()"
        return self.start(sys.executable, "-c", loop)

    def start_nursery(self) -> Nursery:
        return Nursery(self.environment)

    def close(self) -> None:
        if self.web:
            self.web.close()
        for process in self.processes:
            if process.poll() is None:
                process.kill()
                process.wait()


class Wire:
    """A TCP connection to the site that counts what clients send and can be cut after so many bytes."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.sent = 0
        self.connections = 0
        self.cut_after: int | None = None
        self.on_cut = lambda: None
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _address = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        try:
            # Small buffers: little is under way when the wire is cut.
            server = socket.socket()
            server.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
            server.connect(("127.0.0.1", self.target))
        except OSError:
            client.close()
            return
        threading.Thread(target=self._pump_back, args=(server, client), daemon=True).start()
        try:
            while piece := client.recv(16384):
                server.sendall(piece)
                self.sent += len(piece)
                if self.cut_after is not None and self.sent >= self.cut_after:
                    self.cut_after = None
                    self.on_cut()
                    break
        except OSError:
            pass
        _break(server)
        _break(client)

    def _pump_back(self, server: socket.socket, client: socket.socket) -> None:
        try:
            while piece := server.recv(65536):
                client.sendall(piece)
        except OSError:
            pass
        _break(client)

    def close(self) -> None:
        self.listener.close()


def _break(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()


def write_noise(path: Path, size: int, seed: int = 1) -> bytes:
    data = random.Random(seed).randbytes(size)
    path.write_bytes(data)
    return data


def node_upload(site: Site, port: int, file: Path, urls: Path, **options) -> subprocess.Popen:
    """tus-js-client under node, as the browser's uploader uses it: resumes what the same client began before."""
    told = {
        "endpoint": f"http://localhost:{port}/uploads/",
        "file": str(file),
        "urls": str(urls),
        "headers": site.headers,
    }
    return subprocess.Popen(
        [str(BIN / "node"), str(Path(__file__).with_name("upload.mjs")), json.dumps({**told, **options})],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
