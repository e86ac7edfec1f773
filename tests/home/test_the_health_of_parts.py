"""The page about the site's parts: what is wrong stands first, with what to do; nobody but administrators finds it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from staffroom.home import engines, parts
from staffroom.jobs.actions import later
from staffroom.jobs.heartbeat import Heartbeat
from staffroom.jobs.models import Job, Process
from staffroom.jobs.tasks import purge_finished
from staffroom.records import lake, months
from staffroom.records.actions import record
from staffroom.records.vocabulary import verbs
from tests.cast import Cast

pytestmark = pytest.mark.django_db
PAGE = "/health/parts/"


def process(kind: str = "worker", host: str = "alder", silent_s: int = 0, **more: object) -> Process:
    seen_at = timezone.now() - timedelta(seconds=silent_s)
    values = {"name": f"{host}-{kind}-{Process.objects.count()}", "version": "1.0", "pid": 42, **more}
    return Process.objects.create(kind=kind, host=host, seen_at=seen_at, **values)


def found(name: str) -> parts.Part:
    return parts.examine(name, parts.read_site())


@pytest.mark.parametrize(
    ("who", "status"), [("omar", 200), ("denise", 404), ("amara", 404), ("grace", 404), ("vera", 404)]
)
def test_administrators_alone_find_the_page(client: Client, cast: Cast, who: str, status: int) -> None:
    client.force_login(getattr(cast, who))
    assert client.get(PAGE).status_code == status


def test_the_page_tells_every_part_and_faults_first(client: Client, cast: Cast) -> None:
    client.force_login(cast.omar)
    process(host="birch-host", silent_s=7200)
    page = client.get(PAGE).content.decode()
    for title in ("Database", "Redis", "Files", "Processes", "Queue", "Lake", "Clocks", "Disks", "Mail"):
        assert f">{title}<" in page
    assert "birch-host" in page
    assert page.index("What to do:") < page.index('id="database"')


def test_a_process_that_fell_silent_is_lost_and_one_that_beats_is_not() -> None:
    process(), process("web", "birch")
    assert found("processes").state == parts.OK
    process(host="cedar", silent_s=3600)
    told = found("processes")
    assert told.state == parts.WARNING
    assert "workers: 1 at work; web processes: 1; one is lost: worker on cedar" in told.sentence
    assert ("Lost", "cedar") in [(label, value.split(",")[0].split()[-1]) for label, value in told.facts]


def test_lost_ones_are_told_for_a_day_and_then_tidied_away() -> None:
    process(silent_s=3600), process(silent_s=25 * 3600), process()
    purge_finished.call()
    assert Process.objects.count() == 2


def test_a_heartbeat_comes_back_by_itself_and_ends_for_good(settings: object) -> None:
    heart = Heartbeat("web")
    heart.begin()
    row = Process.objects.get()
    assert (row.kind, row.host, row.name) == ("web", heart.host, heart.name)
    Process.objects.all().delete()
    heart.beat()
    assert Process.objects.get().name == heart.name
    heart.leave()
    heart.beat()
    assert not Process.objects.exists()


def test_without_a_worker_what_to_do_is_said() -> None:
    process("web")
    told = found("processes")
    assert (told.state, "staffroom worker" in told.advice) == (parts.WARNING, True)


def test_two_versions_at_once_are_noticed() -> None:
    process(version="1.0"), process("web", version="1.1")
    assert "1.0, 1.1" in found("processes").sentence


def test_several_hosts_want_a_bucket_and_several_webs_want_redis() -> None:
    process("web", "alder"), process("web", "birch"), process()
    assert (found("redis").state, found("files").state) == (parts.WARNING, parts.WARNING)
    assert "files_url" in found("files").advice


def test_the_queue_tells_what_waits_and_what_was_lost() -> None:
    job = later(purge_finished)
    assert found("queue").state == parts.OK
    Job.objects.filter(pk=job.pk).update(next_try_at=timezone.now() - timedelta(minutes=30))
    told = found("queue")
    assert (told.state, "30 minutes" in told.sentence.replace("\xa0", " ")) == (parts.WARNING, True)
    Job.objects.update(state="running", lease_until=timezone.now() - timedelta(minutes=1), losses=2)
    facts = dict(found("queue").facts)
    assert (facts["Leases lost, not yet taken over"], facts["Leases lost, taken over in a day"]) == ("1", "1")
    Job.objects.update(state="failed")
    assert "1 failed" in found("queue").sentence


def test_the_lake_tells_how_many_entries_it_is_behind(cast: Cast) -> None:
    lake.rebuild()
    assert lake.standing().behind == 0
    for _each in range(3):
        record(by=cast.amara, verb=verbs.ATTENDED, object="https://example.org/workshop", organization=cast.district)
    assert "3 entries" in found("lake").sentence
    lake.refresh()
    standing = lake.standing()
    assert (standing.behind, standing.rows, standing.newest_month) == (0, 3, timezone.now().date().replace(day=1))


@pytest.mark.parametrize(("off_ms", "state"), [(20, parts.OK), (-1500, parts.WARNING), (60_000, parts.FAILURE)])
def test_a_clock_that_is_off_is_named(monkeypatch: pytest.MonkeyPatch, off_ms: int, state: str) -> None:
    monkeypatch.setattr(parts, "clock_ms", lambda: 0)
    process(host="cedar", clock_ms=off_ms)
    told = found("clock")
    assert told.state == state
    assert ("cedar" in told.sentence) == (state != parts.OK)


def test_a_disk_that_fills_up_is_named() -> None:
    process(host="cedar", free_bytes=5 * 1024**2)
    told = found("disk")
    assert (told.state, "5 MB free on cedar" in told.sentence) == (parts.FAILURE, True)


def test_a_part_that_breaks_is_what_was_found_without_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(site: parts.Site) -> parts.Part:
        raise ConnectionError("cannot reach redis://:hunter2@cache.example")

    monkeypatch.setitem(parts.CHECKS, "redis", broken)
    told = found("redis")
    assert (told.state, "hunter2" in told.sentence, bool(told.advice)) == (parts.FAILURE, False, True)


def test_a_part_that_hangs_does_not_hang_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    gate = threading.Event()
    monkeypatch.setattr(parts, "DEADLINE_S", 0.2)
    monkeypatch.setitem(parts.CHECKS, "mail", lambda site: gate.wait(60) and parts.Part(parts.OK, "late"))
    told = {part.name: part for part in parts.examine_all()}
    gate.set()
    assert "did not answer" in told["mail"].sentence
    assert told["database"].state == parts.OK


def test_alive_is_not_ready(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert client.get("/health/ready/").json()["state"] == "ready"

    def away(sql: str) -> None:
        raise OperationalError

    monkeypatch.setattr(engines, "_row", away)
    answer = client.get("/health/ready/")
    assert (answer.status_code, answer.json()["state"]) == (503, "not ready")
    assert client.get("/health/alive/").json()["state"] == "alive"


def test_a_database_that_was_not_prepared_is_not_ready(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "_prepared_at", {})
    monkeypatch.setattr(engines, "missing_migrations", lambda: ["people.0002"])
    assert client.get("/health/ready/").status_code == 503
    assert "1 migrations are missing" in found("database").sentence


@pytest.mark.parametrize(
    ("ahead", "has_rest", "state"),
    [(3, False, parts.OK), (1, False, parts.WARNING), (-1, False, parts.FAILURE), (3, True, parts.WARNING)],
)
def test_months_of_the_ledger_that_are_not_made_are_told(
    monkeypatch: pytest.MonkeyPatch, ahead: int, has_rest: bool, state: str
) -> None:
    """As on PostgreSQL, whose largest tables are divided by month."""
    last = months.later(months.this_month(), ahead) if ahead >= 0 else None
    monkeypatch.setattr(months, "state", lambda: months.State(last, has_rest))
    told = found("database")
    assert told.state == state
    assert (state == parts.OK) == (not told.advice)
