"""Serve: one small process minds the web and worker processes, starts them again when they die, and ends them together."""

from __future__ import annotations

import argparse
import contextlib
import errno
import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from types import FrameType
from typing import Any
from urllib.parse import urlsplit

from staffroom import options
from staffroom.cli import Failure, Mistake
from staffroom.cli.preparing import child_environment, ensure_prepared, set_up

LIFELINE = "STAFFROOM_LIFELINE"
PATIENCE_S = 25.0
LONGEST_WAIT_S = 30.0
WELL_AFTER_S = 60.0
MOST_EARLY_DEATHS = 3


def start(told: argparse.Namespace) -> int:
    """Web and worker together, until Ctrl-C or SIGTERM."""
    _take_address(told)
    listening = listen(options.get("host"), options.get("port"))
    ensure_prepared()
    return Supervisor(listening, with_worker=not told.no_worker).run()


def _take_address(told: argparse.Namespace) -> None:
    """Words on the command line count more than variables and file."""
    for name in ("host", "port"):
        if getattr(told, name) is not None:
            os.environ[f"STAFFROOM_{name.upper()}"] = str(getattr(told, name))


def listen(host: str, port: int) -> socket.socket:
    """The socket that the web processes share; refuses with a sentence what cannot be listened on."""
    try:
        family, kind, protocol, _name, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind, protocol)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
    except (socket.gaierror, OverflowError) as error:
        raise Mistake(f"{host}:{port} is no address that can be listened on") from error
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise Mistake(f"port {port} is in use by another program. Choose another: --port {port + 1}") from error
        if error.errno == errno.EACCES:
            raise Mistake(f"port {port} is reserved for the system. Choose one above 1024: --port 8000") from error
        raise Mistake(f"cannot listen on {host}:{port}: {error.strerror}") from error
    listening.listen(2048)
    listening.set_inheritable(True)
    return listening


@dataclass
class Child:
    """One process to be kept alive."""

    name: str
    command: list[str]
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    start_at: float = 0.0
    early_deaths: int = 0


class Supervisor:
    """Minds the children. They hold the reading end of a pipe (the lifeline): when this process dies, they end too."""

    def __init__(self, listening: socket.socket, *, with_worker: bool) -> None:
        self._socket = listening
        self._is_stopping = False
        self._has_answered = False
        self._lifeline, self._held = os.pipe()
        self._environment = {**child_environment(), LIFELINE: str(self._lifeline)}
        python = [sys.executable, "-m", "staffroom"]
        web = [*python, "web", "--socket", str(listening.fileno())]
        self._web = [Child(f"web {n + 1}", web) for n in range(max(1, options.get("web_processes")))]
        workers = max(1, options.get("worker_processes")) if with_worker else 0
        self._workers = [Child(f"worker {n + 1}", [*python, "worker"]) for n in range(workers)]

    def run(self) -> int:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._stop)
        try:
            for child in self._web:
                self._start(child)
            self._await_first_answer()
            while not self._is_stopping:
                self._mind([*self._web, *self._workers])
                time.sleep(0.2)
        finally:
            self._end_all()
        return 0

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self._is_stopping = True

    def _start(self, child: Child) -> None:
        child.started_at = time.monotonic()
        child.process = subprocess.Popen(
            child.command,
            env=self._environment,
            pass_fds=(self._lifeline, self._socket.fileno()),
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C reaches this process only, which then ends them in order
        )

    def _await_first_answer(self) -> None:
        """Workers wait until the first page can be had: people come first, even on one core."""
        address = self._socket.getsockname()
        while not self._is_stopping:
            self._mind(self._web)
            if _answers(address):
                self._has_answered = True
                site = options.get("site_url") or f"http://localhost:{options.get('port')}"
                print(f"Staffroom is ready at {site}  (Ctrl-C ends it)", flush=True)
                return
            time.sleep(0.05)

    def _mind(self, children: list[Child]) -> None:
        now = time.monotonic()
        for child in children:
            if child.process is None:
                if now >= child.start_at:
                    self._start(child)
            elif child.process.poll() is not None:
                self._bury(child, now)

    def _bury(self, child: Child, now: float) -> None:
        """Note a death, and when to start anew: sooner after a long life, later after each short one."""
        assert child.process is not None
        code, lived = child.process.returncode, now - child.started_at
        child.process = None
        child.early_deaths = 0 if lived > WELL_AFTER_S else child.early_deaths + 1
        if child in self._web and not self._has_answered and child.early_deaths >= MOST_EARLY_DEATHS:
            raise Failure("the web server does not start; the lines above say why. `staffroom doctor` may know more.")
        wait = 0.0 if child.early_deaths <= 1 else min(LONGEST_WAIT_S, 2.0 ** (child.early_deaths - 2))
        child.start_at = now + wait
        print(f"staffroom: {child.name} ended ({_ending(code)}); starting it again", file=sys.stderr, flush=True)

    def _end_all(self) -> None:
        """SIGTERM to all; what has not ended in time is killed."""
        living = [
            child.process for child in [*self._web, *self._workers] if child.process and child.process.poll() is None
        ]
        for process in living:
            process.terminate()
        until = time.monotonic() + PATIENCE_S
        for process in living:
            try:
                process.wait(max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._socket.close()


def _ending(code: int) -> str:
    return f"by signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def _answers(address: tuple[object, ...]) -> bool:
    """Whether the web server answers anything at all."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(str(address[0]), str(address[0]))
    site = urlsplit(options.get("site_url")).hostname or "localhost"
    connection = http.client.HTTPConnection(host, int(str(address[1])), timeout=10)
    try:
        connection.request("GET", "/health/", headers={"Host": site, "Connection": "close"})
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def follow_lifeline() -> None:
    """End this process, as if asked to, when the one that minds it is gone."""
    end = os.environ.get(LIFELINE)
    if not end:
        return

    def wait() -> None:
        with contextlib.suppress(OSError):
            os.read(int(end), 1)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, name="lifeline", daemon=True).start()


def web(told: argparse.Namespace) -> int:
    """One web process, on a socket that it was given."""
    import uvicorn

    follow_lifeline()
    config = uvicorn.Config(
        "staffroom.asgi:application",
        fd=told.socket,
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=15,
        timeout_graceful_shutdown=10,
    )
    server = uvicorn.Server(config)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, server.handle_exit)  # uvicorn raises them once more when it is through: go on to the end
    over = threading.Event()
    heart = threading.Thread(target=_keep_heart, args=(server, over), name="heartbeat", daemon=True)
    heart.start()
    server.run(sockets=[socket.socket(fileno=told.socket)])
    over.set()
    heart.join(5)
    sys.stdout.flush()
    os._exit(0 if server.started else 1)  # threads that still wait for somebody slow must not hold the end up


def _keep_heart(server: Any, over: threading.Event) -> None:
    """Once the server answers (Django is set up by then), its row says that it is there."""
    while not server.started:
        if over.wait(0.2):
            return
    from staffroom.jobs.heartbeat import Heartbeat

    Heartbeat("web").keep(over.wait)


def worker(told: argparse.Namespace) -> int:
    """One worker process."""
    if LIFELINE not in os.environ:
        ensure_prepared(has_pages=False)
    follow_lifeline()
    set_up()
    from staffroom.jobs.worker import WorkerLoop

    loop = WorkerLoop(jobs_at_once=told.jobs or options.get("worker_jobs"))
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, loop.stop)
    loop.run()
    return 0
