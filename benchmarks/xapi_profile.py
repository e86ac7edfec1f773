"""Where the CPU goes when statements are written at the xAPI door: of the program and of PostgreSQL, part by part.

    python -m benchmarks.xapi --profile                           # both databases
    python -m benchmarks.xapi --profile --databases postgresql

Requests go to the WSGI application in one process, without the web server, and each part is timed while nothing else is: what a part
calls that is a part itself counts there. To look at the clock costs about a microsecond a part, and is taken off. The web server is
measured beside it: uvicorn with the bridge to threads and nothing behind them, driven over loopback.
"""

from __future__ import annotations

import base64
import http.client
import io
import itertools
import json
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

WARM, BATCHES, SINGLES = 12, 40, 400


class Parts:
    """CPU nanoseconds of the program and of the database in each part."""

    def __init__(self) -> None:
        self.program: dict[str, int] = defaultdict(int)
        self.database: dict[str, int] = defaultdict(int)
        self.calls: dict[str, int] = defaultdict(int)
        self._at: list[str] = []
        self._seen = (0, 0)
        self.backend: Any = None

    def _look(self) -> tuple[int, int]:
        used = 0
        if self.backend is not None:
            self.backend.seek(0)
            used = int(self.backend.read().split()[0])
        return time.thread_time_ns(), used

    def _pass(self, part: str) -> None:
        program, used = self._look()
        self.program[part] += program - self._seen[0]
        self.database[part] += used - self._seen[1]
        self._seen = self._look()

    def timed(self, part: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **more: Any) -> Any:
            if self._at:
                self._pass(self._at[-1])
            else:
                self._seen = self._look()
            self._at.append(part)
            self.calls[part] += 1
            try:
                return work(*args, **more)
            finally:
                self._pass(part)
                self._at.pop()

        return run

    def forget(self) -> None:
        for each in (self.program, self.database, self.calls):
            each.clear()


def watch(parts: Parts) -> None:
    """Put a clock around each part. The names are those of the modules that call it."""
    from staffroom.exchange import door, knowing, matching, strict
    from staffroom.exchange.actions import keys, marking, receiving
    from staffroom.people import rows
    from staffroom.records import append_only, finding
    from staffroom.records.actions import appending

    places: list[tuple[Any, str, str]] = [
        (keys, "caller_of", "key"), (door, "_answer", "door: headers, parameters, answer"),
        (door, "_tell_how_far", "how far the ledger is complete"), (strict, "read", "JSON"),
        (receiving, "check", "validation"), (receiving, "answers", "known ids, agents, persons, roles, mappings"),
        (matching.Agents, "met", "agents never heard of"), (knowing, "learn", "what activities are called"),
        (appending, "take_numbers", "numbers"), (appending, "append", "keys hashed, entries put in order"),
        (receiving, "_entries", "statements completed, their columns"), (finding, "targets_of", "what each mentions"),
        (appending, "price", "prices and mappings"), (marking, "note_arrivals", "prices and mappings"),
    ]  # fmt: skip
    for module, name, part in places:
        setattr(module, name, parts.timed(part, getattr(module, name)))
    plain = rows.insert_rows

    def insert_rows(model: Any, *args: Any, **more: Any) -> int:
        return int(parts.timed(f"rows: {model._meta.db_table}", plain)(model, *args, **more))

    for module in (appending, append_only):
        module.insert_rows = insert_rows  # type: ignore[attr-defined]


def watch_connection(parts: Parts) -> None:
    from django.db import connection

    connection.ensure_connection()
    for name in ("_commit", "_set_autocommit"):
        setattr(connection, name, parts.timed("begin and commit", getattr(connection, name)))
    if connection.vendor == "postgresql":
        parts.backend = Path(f"/proc/{connection.connection.info.backend_pid}/schedstat").open()  # noqa: SIM115


def profile(key: str, secret: str, seed: int = 500) -> None:
    """Print the parts of batches and of single statements."""
    from django.core.wsgi import get_wsgi_application
    from django.db import connection

    from benchmarks import xapi

    parts = Parts()
    made = xapi.statements(seed)
    bodies = [[next(made) for _each in range(xapi.BATCH)] for _batch in range(WARM + BATCHES)]
    singles = [next(made) for _each in range(WARM + SINGLES)]
    watch(parts)
    ask = parts.timed("Django: request, log line, response", _asking(get_wsgi_application(), key, secret))
    ask(json.dumps(bodies[0]).encode())
    watch_connection(parts)
    for name, each, told in (("a batch of 100", xapi.BATCH, bodies), ("a single statement", 1, singles)):
        ready = [json.dumps(one).encode() for one in told]
        for body in ready[1:WARM]:
            ask(body)
        parts.forget()
        for body in ready[WARM:]:
            ask(body)
        _tell(f"{connection.vendor}, {name}", parts, len(ready) - WARM, each)
        for mode in ("alone", "with its bridge to threads"):
            print(
                f"  {_web_server(mode, ready[1:WARM]) / each:8.1f}      0.0  the web server, {mode}, beside all that",
                flush=True,
            )


def _web_server(mode: str, bodies: list[bytes]) -> float:
    """CPU microseconds a request of uvicorn, driven over loopback, with nothing behind it."""
    from benchmarks import xapi

    port = xapi.free_port()
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.xapi_profile", mode, str(port)])
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def ask(count: int) -> None:
        for body in itertools.islice(itertools.cycle(bodies), count):
            line.request("POST", "/xapi/statements", body, {"Authorization": "Basic " + "x" * 90})
            line.getresponse().read()

    try:
        until = time.monotonic() + 60
        while True:
            try:
                ask(50)
                break
            except OSError:
                line.close()
                if time.monotonic() > until:
                    raise
                time.sleep(0.1)
        watched = psutil.Process(process.pid)
        before = watched.cpu_times()
        ask(600)
        after = watched.cpu_times()
    finally:
        process.terminate()
        process.wait(60)
    return (after.user + after.system - before.user - before.system) / 600 * 1e6


def _serve(mode: str, port: int) -> None:
    """uvicorn with an application that reads the body and says two letters."""
    import uvicorn

    from staffroom.asgi.bridge import Bridge

    class Answer(list[bytes]):
        streaming = False

        def close(self) -> None:
            pass

    def plain(environ: dict[str, Any], start: Callable[..., Any]) -> Answer:
        environ["wsgi.input"].read()
        start("200 OK", [("Content-Length", "2")])
        return Answer([b"[]"])

    async def bare(scope: Any, receive: Any, send: Any) -> None:
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"[]"})

    app = bare if mode == "alone" else Bridge(plain, threads=8)
    uvicorn.run(app, port=port, lifespan="off", log_config=None, access_log=False, server_header=False)  # type: ignore[arg-type]


def _asking(app: Any, key: str, secret: str) -> Callable[[bytes], None]:
    shown = base64.b64encode(f"{key}:{secret}".encode()).decode()
    plain = {
        "REQUEST_METHOD": "POST", "SCRIPT_NAME": "", "PATH_INFO": "/xapi/statements", "QUERY_STRING": "",
        "SERVER_PROTOCOL": "HTTP/1.1", "SERVER_NAME": "localhost", "SERVER_PORT": "80", "HTTP_HOST": "localhost",
        "HTTP_AUTHORIZATION": f"Basic {shown}", "HTTP_X_EXPERIENCE_API_VERSION": "1.0.3", "CONTENT_TYPE": "application/json",
        "wsgi.errors": sys.stderr, "wsgi.url_scheme": "http",
    }  # fmt: skip

    def ask(body: bytes) -> None:
        told: list[str] = []
        answer = app(
            {**plain, "CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body)},
            lambda status, _h: told.append(status),
        )
        content = b"".join(answer)
        answer.close()
        if not told[0].startswith("200"):
            raise SystemExit(f"{told[0]}: {content[:500]!r}")

    return ask


def _tell(title: str, parts: Parts, requests: int, each: int) -> None:
    count = requests * each
    program, database = sum(parts.program.values()), sum(parts.database.values())
    print(
        f"\n{title}: CPU microseconds a statement: program {program / count / 1000:.1f}, database {database / count / 1000:.1f}"
    )
    for part in sorted(parts.program, key=lambda name: -parts.program[name] - parts.database[name]):
        used, stored = (told[part] / count / 1000 for told in (parts.program, parts.database))
        print(f"  {used:8.1f} {stored:8.1f}  {part} ({parts.calls[part] / requests:.0f} × a request)")
    sys.stdout.flush()


if __name__ == "__main__":
    _serve(sys.argv[1], int(sys.argv[2]))
