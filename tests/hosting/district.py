"""A district on several hosts, by the very commands of docs/hosts/several-hosts.md, and a client that goes now to one, now to another."""

from __future__ import annotations

import base64
import http.client
import http.cookiejar
import json
import os
import re
import shlex
import signal
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.hosting.conftest import Place, wait_until

PAGE = Path(__file__).resolve().parents[2] / "docs" / "hosts" / "several-hosts.md"
PASSWORD = "chalk-and-cheese-5"
PEOPLE = f"""
import json
from staffroom.exchange.actions import keys
from staffroom.people.models import Membership, Organization, Person, Role
from staffroom.seeing.lessons import actions as lessons
district = Organization.objects.create(name="Riverbend", slug="riverbend", kind="district")
for name, role in (("amara", Role.TEACHER), ("omar", Role.ADMINISTRATOR)):
    person = Person.objects.create_user(f"{{name}}@riverbend.example", {PASSWORD!r}, given_name=name.title())
    Membership.objects.create(person=person, organization=district, role=role)
amara = Person.objects.get(email="amara@riverbend.example")
made = [lessons.begin_lesson(by=amara, title=f"Lesson {{n}}") for n in range(2)]
key, secret = keys.make_key(by=None, tool=keys.add_tool(by=None, organization=district, name="Vendor"), scopes=["all"])
print(json.dumps({{"lessons": [[str(each.key), each.slug] for each in made], "key": f"{{key.name}}:{{secret}}"}}))
"""


def commands_under(heading: str) -> list[list[str]]:
    """The commands that the page gives under a heading, without the program's name."""
    text = PAGE.read_text(encoding="utf-8").split(f"\n## {heading}\n")[1].split("\n## ")[0]
    lines = re.findall(r"```sh\n(.*?)```", text, re.S)[0].splitlines()
    words = [shlex.split(line) for line in lines]
    assert all(each[0] == "staffroom" for each in words)
    return [each[1:] for each in words]


def options_told(**values: str) -> str:
    """The page's `staffroom.toml`, with the addresses of this machine; every option that differs from host to host is there."""
    told = re.findall(r"```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)[0]
    lines = []
    for line in told.splitlines():
        name = line.partition("=")[0].strip()
        lines.append(f"{name} = {json.dumps(values.pop(name))}" if name in values else line)
    assert not values, f"the page does not name {values}"
    return "\n".join(lines) + "\n"


class Hosts:
    """Hosts of one site: each with a data folder and, for webs, a port of its own."""

    def __init__(self, folder: Path, **options: str) -> None:
        self.places: dict[str, Place] = {}
        self.database = options["database_url"]
        for name in ("web-1", "web-2", "work-1", "work-2"):
            place = Place(folder / name, STAFFROOM_LEASE_S="15")
            place.folder.mkdir(parents=True)
            (place.folder / "staffroom.toml").write_text(options_told(host="127.0.0.1", **options))
            place.url = f"http://127.0.0.1:{place.port}"
            self.places[name] = place

    def __getitem__(self, name: str) -> Place:
        return self.places[name]

    def start(self) -> None:
        """What the page says, host by host."""
        for words in commands_under("Once, from any host"):
            if words == ["prepare"]:
                self["web-1"].run(*words)
        for name, place in self.places.items():
            [words] = commands_under("On every web host" if name.startswith("web") else "On every worker host")
            place.begin(*words)
        for name in ("web-1", "web-2"):
            wait_until(lambda name=name: is_ready(self[name]), 180, self[name].log)  # type: ignore[misc]

    def kill(self, name: str) -> None:
        """The machine is gone: all of its processes at once, none of which can say goodbye."""
        minding = self[name].started[0]
        children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(minding.pid)], capture_output=True, text=True)
        for pid in [minding.pid, *map(int, children.stdout.split())]:
            os.kill(pid, signal.SIGKILL)
        minding.wait()

    def rows(self, question: str, *values: Any) -> list[tuple[Any, ...]]:
        import psycopg

        with psycopg.connect(self.database) as connection:
            return connection.execute(question, values or None).fetchall()

    def end(self) -> None:
        for place in self.places.values():
            for process in place.started:
                if process.poll() is None:
                    process.send_signal(signal.SIGTERM)
        for place in self.places.values():
            place.end()


def is_ready(place: Place) -> bool:
    try:
        with urllib.request.urlopen(f"{place.url}/health/ready/", timeout=30) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


class Client:
    """A browser or a tool behind a load balancer: each request goes to the next host, and to another when one is gone."""

    def __init__(self, hosts: Hosts, key: str = "") -> None:
        self.urls = [hosts["web-1"].url, hosts["web-2"].url]
        self.turn = 0
        self.jar = http.cookiejar.CookieJar()
        self.browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.jar))
        self.headers = {"Referer": self.urls[0]}
        if key:
            told = base64.b64encode(key.encode()).decode()
            self.headers = {"Authorization": f"Basic {told}", "X-Experience-API-Version": "2.0.0"}

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, bytes, Any]:
        """One request. Where nobody answers it is made again elsewhere, as often as it takes: what was not answered may be repeated."""
        named = {**self.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        until = time.monotonic() + 90
        while True:
            self.turn += 1
            url = self.urls[self.turn % len(self.urls)]
            request = urllib.request.Request(url + path, body, named, method=method)
            try:
                with self.browser.open(request, timeout=60) as answer:
                    return answer.status, answer.read(), answer.headers
            except urllib.error.HTTPError as error:
                if error.code < 500 or time.monotonic() > until:
                    return error.code, error.read(), error.headers
            except (OSError, http.client.HTTPException):
                assert time.monotonic() < until, "no host answers"
            time.sleep(0.05)

    def sign_in(self, email: str) -> None:
        page = self.ask("GET", "/accounts/login/")[1].decode()
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        assert token
        typed = {"csrfmiddlewaretoken": token[1], "login": email, "password": PASSWORD}
        self.ask("POST", "/accounts/login/", urllib.parse.urlencode(typed).encode())
        assert "sessionid" in {cookie.name for cookie in self.jar}

    @property
    def csrf(self) -> str:
        return next(str(cookie.value) for cookie in self.jar if cookie.name == "csrftoken")

    def tus(self, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, Any]:
        kind = {"Content_Type": "application/offset+octet-stream"} if body is not None else {}
        told = {"Tus_Resumable": "1.0.0", "X_CSRFToken": self.csrf, **kind, **headers}
        status, _body, named = self.ask(method, path, body, **told)
        return status, named

    def begin_upload(self, size: int, lesson: str) -> str:
        said = ",".join(
            f"{name} {base64.b64encode(value.encode()).decode()}"
            for name, value in {"filename": "lesson.mp4", "lesson": lesson}.items()
        )
        status, named = self.tus("POST", "/uploads/", Upload_Length=str(size), Upload_Metadata=said)
        assert status == 201
        return str(named["Location"])

    def upload(
        self, content: bytes, lesson: str, pieces: int, between: Callable[[int], None] = lambda at: None
    ) -> None:
        """Send it piece by piece, each to another host; what a host that died did not acknowledge is sent again."""
        path, size = self.begin_upload(len(content), lesson), len(content) // pieces + 1
        until = time.monotonic() + 120
        while (at := int(self.tus("HEAD", path)[1]["Upload-Offset"])) < len(content):
            assert time.monotonic() < until
            between(at)
            self.tus("PATCH", path, content[at : at + size], Upload_Offset=str(at))

    def write(self, count: int) -> list[str]:
        """Statements in one batch; returns the ids that were acknowledged."""
        batch = [
            {
                "id": str(uuid.uuid4()),
                "actor": {"mbox": "mailto:amara@riverbend.example"},
                "verb": {"id": "http://adlnet.gov/expapi/verbs/attended"},
                "object": {"id": "https://vendor.example/workshop"},
            }
            for _each in range(count)
        ]
        status, body, _headers = self.ask(
            "POST", "/xapi/statements", json.dumps(batch).encode(), Content_Type="application/json"
        )
        # Repeated after a host died with the answer: then they are there already, as the same ones.
        assert status in (200, 204), body
        return [each["id"] for each in batch]
