"""What it costs to write and to read statements at the xAPI door: CPU seconds of all server processes, web and database.

    python -m benchmarks.xapi                                     # both databases, up to 1,000,000 statements: about half an hour
    python -m benchmarks.xapi --databases sqlite --sizes 2000     # small
    python -m benchmarks.xapi --profile                           # where the CPU goes when statements are written (xapi_profile)

A real server (`staffroom start --no-worker`, with its own data folder; PostgreSQL with its own cluster, fsync on) is driven over
loopback by one client. Its statements are of 10,000 teachers in a roster and 300 activities, about 1 kB each. Every write is
authenticated, wholly validated, matched to people, and durable when it is answered. Printed for each:

- batches of 100: statements per CPU second, beside the floor of the same run: the same rows written into equal tables, with equal
  indexes, by COPY and by INSERT, 100 statements per commit, by a bare client whose CPU counts as well;
- single statements per CPU second, and CPU milliseconds of GET by id and by agent, verb and activity, at each size;
- how many statements per CPU second `staffroom import statements` takes in, by which the ledger is filled.

Goals: batches 4,000 per CPU second on PostgreSQL and 2,500 on SQLite; single 300; GET at most 5 CPU ms, and at the last size at most
1.5 times what it costs at the first.
"""

from __future__ import annotations

import argparse
import base64
import http.client
import itertools
import json
import os
import random
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import psutil

from benchmarks.xapi_statements import BATCH, TEACHERS, statements

IMPORTED = 20_000
PROFILED = 60_000  # by then nearly every teacher has been heard of
GOALS = {"postgresql": 4000, "sqlite": 2500, "single": 300, "GET": 5.0, "growth": 1.5}


# --- The server --------------------------------------------------------------------------------------------------------------------


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def postgresql(folder: Path) -> Iterator[tuple[str, int]]:
    """A cluster of our own, as durable as PostgreSQL is by default; its address and the number of its first process."""
    programs = max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    before = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    place = folder / "postgres"
    place.mkdir()
    if before:
        folder.chmod(0o711)
        shutil.chown(place, "postgres")
    port, quiet = free_port(), {"stdout": subprocess.DEVNULL, "stderr": subprocess.STDOUT, "cwd": str(place)}
    words = f"-p {port} -k {place} -c listen_addresses=127.0.0.1"
    begin = [*before, programs / "pg_ctl", "-D", place / "db"]
    initdb = [*before, programs / "initdb", "-D", place / "db", "-U", "staffroom", "-A", "trust", "-E", "UTF8"]
    subprocess.run(initdb, check=True, **quiet)
    subprocess.run([*begin, "-o", words, "-l", place / "log", "-w", "start"], check=True, **quiet)
    subprocess.run(
        [*before, programs / "createdb", "-h", place, "-p", str(port), "-U", "staffroom", "bench"], check=True, **quiet
    )
    try:
        yield (
            f"postgres://staffroom@127.0.0.1:{port}/bench",
            int((place / "db" / "postmaster.pid").read_text().split()[0]),
        )
    finally:
        subprocess.run([*begin, "-m", "fast", "stop"], check=False, **quiet)


class Server:
    """A district with its roster, a tool and its key, and the processes that serve it."""

    module = "benchmarks.xapi"  # whose deeds `python` does

    def __init__(self, folder: Path, url: str, database: int | None) -> None:
        self.port = free_port()
        self.folder, self.url = folder, url
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("STAFFROOM_")},
            "STAFFROOM_DATA": str(folder / "data"), "STAFFROOM_PORT": str(self.port), "PYTHONPATH": os.getcwd(),
            **({"STAFFROOM_DATABASE_URL": url} if url else {}),
        }  # fmt: skip
        self.say("prepare", "--quiet")
        self.prepared(self.python("furnish"))
        self.log = (folder / "server.log").open("w")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "staffroom", "start", "--no-worker"],
            env=self.environment,
            stdout=self.log,
            stderr=self.log,
        )
        self.roots = [psutil.Process(pid) for pid in (self.process.pid, database) if pid]
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        self.headers = {
            "Authorization": "Basic " + base64.b64encode(f"{self.key}:{self.secret}".encode()).decode(),
            "X-Experience-API-Version": "1.0.3", "Content-Type": "application/json",
        }  # fmt: skip
        self._await()

    def prepared(self, told: list[str]) -> None:
        """What the deed that furnished the district printed."""
        self.key, self.secret = told

    def say(self, *words: str) -> None:
        subprocess.run([sys.executable, "-m", "staffroom", *words], env=self.environment, check=True)

    def python(self, deed: str, *words: str) -> list[str]:
        """Do one of the deeds at the end of this file inside the server's surroundings; the words that it prints."""
        return " ".join(self.told(deed, *words)).split()

    def told(self, deed: str, *words: str) -> list[str]:
        environment = {**self.environment, "DJANGO_SETTINGS_MODULE": "staffroom.settings"}
        command = [sys.executable, "-m", self.module, "--here", deed, *words]
        done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
        return done.stdout.splitlines()

    def _await(self) -> None:
        for _try in range(600):
            try:
                self.connection.request("GET", "/health/", headers={"Host": f"localhost:{self.port}"})
                if self.connection.getresponse().read():
                    return
            except OSError:
                self.connection.close()
                time.sleep(0.2)
        raise SystemExit((self.folder / "server.log").read_text())

    def ask(self, method: str, query: str = "", body: bytes | None = None) -> Any:
        self.connection.request(method, f"/xapi/statements{query}", body, self.headers)
        answer = self.connection.getresponse()
        content = answer.read()
        if answer.status != 200:
            raise SystemExit(f"{method} {query}: {answer.status} {content[:500]!r}")
        return json.loads(content)

    def cpu(self) -> float:
        """CPU seconds so far of all processes, those that have ended too."""
        total = 0.0
        for root in self.roots:
            for process in (root, *root.children(recursive=True)):
                try:
                    used = process.cpu_times()
                except psutil.NoSuchProcess:
                    continue
                total += used.user + used.system + used.children_user + used.children_system
        return total

    def end(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)
        self.log.close()


# --- What is measured ------------------------------------------------------------------------------------------------------------------


def per_cpu_second(server: Server, requests: list[bytes], each: int) -> float:
    server.connection.close()  # it may have waited for too long
    begun = server.cpu()
    for body in requests:
        server.ask("POST", body=body)
    return len(requests) * each / (server.cpu() - begun)


def write_batches(server: Server, count: int, seed: int) -> float:
    made = statements(seed)
    bodies = [json.dumps([next(made) for _each in range(BATCH)]).encode() for _batch in range(count)]
    per_cpu_second(server, bodies[:5], BATCH)  # warm
    return per_cpu_second(server, bodies[5:], BATCH)


def write_singles(server: Server, count: int, seed: int) -> float:
    made = statements(seed)
    bodies = [json.dumps(next(made)).encode() for _each in range(count)]
    per_cpu_second(server, bodies[:20], 1)
    return per_cpu_second(server, bodies[20:], 1)


def read(server: Server, count: int, size: int, seed: int) -> dict[str, float]:
    """CPU milliseconds of each question, in statements spread over all that was filled in up to a size."""
    draw, made = random.Random(seed), statements(1)
    chosen = set(draw.sample(range(size), min(count, size)))
    wanted = [each for number, each in zip(range(size), made, strict=False) if number in chosen]
    questions: dict[str, Callable[[dict[str, Any]], dict[str, str]]] = {
        "by id": lambda each: {"statementId": each["id"]},
        "by agent, verb and activity": lambda each: {
            "agent": json.dumps({key: value for key, value in each["actor"].items() if key != "name"}),
            "verb": each["verb"]["id"], "activity": each["object"]["id"],
        },
    }  # fmt: skip
    found = {}
    server.connection.close()
    for name, question in questions.items():
        queries = ["?" + urlencode(question(each)) for each in wanted]
        for query in queries[:20]:
            server.ask("GET", query)
        parts = []
        for some in (queries[begin::5] for begin in range(5)):
            begun = server.cpu()
            for query in some:
                answer = server.ask("GET", query)
                assert answer.get("statements", [answer]), query
            parts.append((server.cpu() - begun) * 1000 / len(some))
        found[name] = statistics.median(parts)
    return found


def fill(server: Server, folder: Path, begin: int, end: int) -> float:
    """Fill in statements of the first seed; how many per CPU second of command and database the first of them took.

    The first come by the command for it, the rest by the same appending without another look at what is known to be valid.
    """
    path = folder / "statements.jsonl"
    made, whole = statements(1), end
    end = min(end, begin + IMPORTED)
    with path.open("w") as file:
        for number, each in zip(range(end), made, strict=False):
            if number >= begin:
                file.write(json.dumps(each) + "\n")
    database, own = server.cpu(), os.times()
    server.say("import", "statements", str(path), "--tool", "LMS", "--organization", "Bench", "--quiet")
    now = os.times()
    spent = server.cpu() - database + now.children_user + now.children_system - own.children_user - own.children_system
    path.unlink()
    if whole > end:
        server.python("append", str(end), str(whole))
    return (end - begin) / spent


def measure(kind: str, told: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory(prefix="staffroom-bench-") as name:
        folder = Path(name)
        if kind == "sqlite":
            _measure(kind, Server(folder, "", None), told)
            return
        with postgresql(folder) as (url, process):
            _measure(kind, Server(folder, url, process), told)


def _measure(kind: str, server: Server, told: argparse.Namespace) -> None:
    if told.profile:
        _profile(kind, server)
        return
    costs: list[dict[str, float]] = []
    filled = 0
    try:
        print(f"\n{kind}: {len(json.dumps(next(statements(1))))} bytes a statement", flush=True)
        for round_number, size in enumerate(told.sizes):
            taken = fill(server, server.folder, filled, size)
            filled = size
            print(f"at {size:,} statements (imported {taken:,.0f} per CPU second)", flush=True)
            batches = write_batches(server, told.batches, 100 + round_number)
            single = write_singles(server, told.singles, 200 + round_number)
            print(f"  batches of {BATCH}: {batches:,.0f} statements per CPU second (goal {GOALS[kind]:,})")
            print(f"  single: {single:,.0f} per CPU second (goal {GOALS['single']})")
            costs.append(read(server, told.reads, size, 300 + round_number))
            for name, ms in costs[-1].items():
                print(f"  GET {name}: {ms:.2f} CPU ms (goal {GOALS['GET']}), {ms / costs[0][name]:.2f} × the first")
            if round_number == 0:
                count = min(size, told.batches * BATCH)
                for way, rate in _floors(server, count):
                    print(
                        f"  floor, {way}: {rate:,.0f} per CPU second; batches at the door are {batches / rate:.2f} × that"
                    )
            sys.stdout.flush()
    finally:
        server.end()


def _profile(kind: str, server: Server) -> None:
    """The parts of a request, those of the web server beside them, and the floor of the same rows."""
    try:
        fill(server, server.folder, 0, PROFILED)
        batches, single = write_batches(server, 45, 100), write_singles(server, 420, 200)
        print(f"\n{kind}, whole servers: batches {batches:,.0f} statements per CPU second, single {single:,.0f}")
        for way, rate in _floors(server, 4000):
            print(f"  floor, {way}: {rate:,.0f} per CPU second; batches at the door are {batches / rate:.2f} × that")
        told = server.told("profile", server.key, server.secret)
        print("\n".join(line for line in told if " info request " not in line), flush=True)
    finally:
        server.end()


def _floors(server: Server, count: int) -> Iterator[tuple[str, float]]:
    ways = ("COPY", "INSERT") if server.url else ("INSERT",)
    for way in ways:
        begun = server.cpu()
        (client,) = server.python("floor", way, str(count))
        database = server.cpu() - begun if server.url else 0.0
        yield f"{way} of {BATCH} per commit", count / (float(client) + database)


# --- Deeds inside the server's surroundings ----------------------------------------------------------------------------------------------


def furnish() -> None:
    """A district whose roster holds the teachers, and a tool with a key; prints the key and its secret."""
    from staffroom.exchange.actions import keys
    from staffroom.people.models import Membership, Organization, Person, Role

    district = Organization.objects.create(kind="district", name="Bench", slug="bench")
    schools = [
        Organization.objects.create(kind="school", name=f"School {n}", slug=f"school-{n}", parent=district)
        for n in range(20)
    ]
    people = [
        Person(given_name=f"T{n}", family_name="Bench", district=district, source_id=f"t-{n:05}")
        for n in range(TEACHERS)
    ]
    Person.objects.bulk_create(people, batch_size=500)
    held = (
        Membership(person=each, organization=schools[n % 20], role=Role.TEACHER)
        for n, each in enumerate(Person.objects.filter(district=district).order_by("pk"))
    )
    Membership.objects.bulk_create(held, batch_size=500)
    tool = keys.add_tool(by=None, organization=district, name="LMS")
    key, secret = keys.make_key(by=None, tool=tool, scopes=["all"])
    print(key.name, secret)


def append(begin: int, end: int) -> None:
    """Append statements of the first seed from one number to another as the tool's."""
    from django.db import transaction

    from staffroom.exchange import matching
    from staffroom.exchange.actions import keys, receiving
    from staffroom.permissions.models import Tool
    from staffroom.records.actions import appending

    caller = keys.caller(key_id=0, tool=Tool.objects.get(name="LMS"), scopes="all")
    authority = receiving.authority_of(caller)
    for some in itertools.batched(itertools.islice(statements(1), begin, end), 1000):
        with transaction.atomic():
            people = matching.people_of(some, caller)
            numbers, stored_at = appending.take_numbers(len(some))
            stored = appending.timestamp(stored_at)
            told = ((each, uuid.UUID(each["id"])) for each in some)
            appending.append([
                receiving._entry(
                    caller, number, each, receiving._completed(each, stored, authority, 1), stored_at, people
                )
                for number, each in zip(numbers, told, strict=True)
            ])  # fmt: skip


def floor(way: str, count: int) -> None:
    """Write the rows of the newest entries into equal tables, as many of them as 100 statements have per commit; prints CPU seconds."""
    from django.db import connection

    tables = ("records_statementkey", "records_statement", "records_mention")
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT id FROM records_statement ORDER BY id DESC LIMIT {int(count)}")
        numbers = sorted(number for (number,) in cursor.fetchall())
        rows = {}
        for table, column in zip(tables, ("entry", "id", "entry"), strict=True):
            _equal(cursor, table, way)
            text = "*" if connection.vendor == "sqlite" else _as_text(cursor, table)
            cursor.execute(f"SELECT {text} FROM {table} WHERE {column} >= %s ORDER BY {column}", [numbers[0]])
            rows[table] = cursor.fetchall()
        at = {
            table: _names(cursor, table).index(column)
            for table, column in zip(tables, ("entry", "id", "entry"), strict=True)
        }
    batches: list[dict[str, list[Any]]] = []
    edges = [*numbers[::BATCH], 1 << 62]
    for begin, end in itertools.pairwise(edges):
        batches.append({})
        for table in tables:
            place, stock = at[table], rows[table]
            batches[-1][table] = [row for row in stock[: BATCH * 40] if begin <= int(row[place]) < end]
            rows[table] = stock[len(batches[-1][table]) :]
    before = time.process_time()
    for batch in batches:
        _commit(connection, way, batch)
    print(time.process_time() - before)


def _names(cursor: Any, table: str) -> list[str]:
    cursor.execute(f"SELECT * FROM {table} LIMIT 0")
    return [column[0] for column in cursor.description]


def _as_text(cursor: Any, table: str) -> str:
    return ", ".join(f"{name}::text" for name in _names(cursor, table))


def _equal(cursor: Any, table: str, way: str) -> None:
    """An empty table of the same columns and indexes, and on PostgreSQL of the same foreign keys."""
    from django.db import connection

    copy = f"floor_{way.lower()}_{table}"
    if connection.vendor == "postgresql":
        cursor.execute(f"CREATE TABLE {copy} (LIKE {table} INCLUDING ALL)")
        query = "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'f' AND conrelid = %s::regclass"
        cursor.execute(query, [table])
        for (definition,) in cursor.fetchall():
            cursor.execute(f"ALTER TABLE {copy} ADD {definition}")
        return
    cursor.execute("SELECT sql FROM sqlite_master WHERE tbl_name = %s AND sql IS NOT NULL ORDER BY type DESC", [table])
    for (sql,) in cursor.fetchall():
        cursor.execute(sql.replace(table, copy).replace('INDEX "', 'INDEX "floor_'))


def _commit(connection: Any, way: str, batch: dict[str, list[Any]]) -> None:
    from django.db import transaction

    with transaction.atomic(), connection.cursor() as cursor:
        for table, rows in batch.items():
            copy = f"floor_{way.lower()}_{table}"
            if way == "COPY":
                with cursor.copy(f"COPY {copy} FROM STDIN") as out:
                    for row in rows:
                        out.write_row(row)
            else:
                cursor.executemany(f"INSERT INTO {copy} VALUES ({', '.join(['%s'] * len(rows[0]))})", rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--databases", nargs="*", default=["sqlite", "postgresql"], choices=["sqlite", "postgresql"])
    parser.add_argument("--sizes", type=int, nargs="*", default=[100_000, 1_000_000])
    parser.add_argument("--batches", type=int, default=200)
    parser.add_argument("--singles", type=int, default=1000)
    parser.add_argument("--reads", type=int, default=300)
    parser.add_argument("--profile", action="store_true", help="where the CPU goes when statements are written")
    parser.add_argument("--here", nargs="*", help=argparse.SUPPRESS)
    told = parser.parse_args()
    if told.here:
        _here(*told.here)
        return
    for kind in told.databases:
        measure(kind, told)


def _here(deed: str, *words: str) -> None:
    import django

    django.setup()
    if deed == "furnish":
        furnish()
    elif deed == "append":
        append(int(words[0]), int(words[1]))
    elif deed == "profile":
        from benchmarks import xapi_profile

        xapi_profile.profile(*words)
    else:
        floor(words[0], int(words[1]))


if __name__ == "__main__":
    main()
