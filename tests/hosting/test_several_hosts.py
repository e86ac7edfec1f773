"""Several hosts, by the commands of the page about them: one site for whoever uses it, also while hosts die."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.buckets import bucket_server, make_bucket
from tests.files import media_samples
from tests.hosting.conftest import wait_until
from tests.hosting.district import PEOPLE, Client, Hosts, commands_under

pytestmark = [pytest.mark.slow, pytest.mark.postgres, pytest.mark.redis, pytest.mark.s3]
MADE = "SELECT count(*) FROM files_derivative d JOIN files_file f ON f.id = d.file_id WHERE d.state = 'ready' AND d.kind = 'web_video'"
READ_LAKE = """
from staffroom.knowing import frames
print(frames._ledger("activity").count().execute())
"""


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    boto3 = pytest.importorskip("boto3")
    with bucket_server(tmp_path_factory.mktemp("weed")) as address:
        parts = urlsplit(address)
        connection = boto3.resource(
            "s3", endpoint_url=f"http://{parts.hostname}:{parts.port}", region_name="us-east-1",
            aws_access_key_id=parts.username, aws_secret_access_key=parts.password,
        )  # fmt: skip
        make_bucket(connection, "district")
        yield f"{address}/district"


@pytest.fixture
def hosts(tmp_path: Path, new_database: Callable[[str], str], valkey: str, bucket: str) -> Iterator[Hosts]:
    found = Hosts(
        tmp_path, secret="the same on every host", database_url=new_database("district"), redis_url=valkey,
        files_url=bucket, site_url="http://127.0.0.1:8000",
    )  # fmt: skip
    yield found
    found.end()


def test_one_site_on_several_hosts_and_what_is_left_when_two_of_them_die(
    hosts: Hosts, valkey: str, tmp_path: Path
) -> None:
    hosts.start()
    told = json.loads(hosts["work-1"].python(PEOPLE))
    first, second = told["lessons"]
    film = media_samples.write(tmp_path / "film.mp4", media_samples.Sample(seconds=8, size=(320, 180))).read_bytes()
    amara, omar, tool = Client(hosts), Client(hosts), Client(hosts, told["key"])
    for each, name in ((amara, "amara"), (omar, "omar")):
        each.sign_in(f"{name}@riverbend.example")

    # One site: pieces to either host, made by either worker, watched from both, counted together.
    amara.upload(film, first[0], pieces=6)
    wait_until(lambda: hosts.rows(MADE) == [(1,)], 180, lambda: hosts["work-1"].log() + hosts["work-2"].log())
    source = json.loads(amara.ask("GET", f"/lessons/{first[1]}/media/")[1])["src"]
    watched = [amara.ask("GET", source, Range="bytes=100-1099") for _host in range(2)]
    assert {status for status, _body, _headers in watched} == {206}
    assert watched[0][1] == watched[1][1]
    for _each in range(4):
        amara.ask("GET", "/api/people")
    assert counted_rates(valkey) == 4
    wrote = [*tool.write(20), *tool.write(20)]
    hosts["work-1"].python("from staffroom.records import lake\nlake.refresh()")
    assert int(hosts["web-2"].python(READ_LAKE)) >= 40

    # Two hosts die while others write and upload.
    is_over = threading.Event()

    def go_on_writing() -> None:
        while not is_over.is_set():
            wrote.extend(tool.write(5))

    writing = threading.Thread(target=go_on_writing)
    writing.start()
    try:
        killed: list[str] = []

        def kill_web_in_the_middle(at: int) -> None:
            if at > len(film) // 2 and not killed:
                hosts.kill("web-1")
                killed.append("web-1")

        amara.upload(film, second[0], pieces=8, between=kill_web_in_the_middle)
        pid = hosts["work-1"].started[0].pid
        at_work = "SELECT worker FROM jobs_job WHERE state = 'running'"
        wait_until(lambda: any(f"-{pid}-" in worker for (worker,) in hosts.rows(at_work)) or is_idle(hosts), 120)
        hosts.kill("work-1")
        wait_until(lambda: hosts.rows(MADE) == [(2,)], 240, hosts["work-2"].log)
        before = len(wrote)
        wait_until(lambda: len(wrote) >= before + 10, 120)
    finally:
        is_over.set()
        writing.join()
    assert killed

    # Nothing that was acknowledged is lost, nothing is there twice, and whoever looks after the site sees who died.
    stored = [str(key) for (key,) in hosts.rows("SELECT key FROM records_statement WHERE tool_id IS NOT NULL")]
    assert len(stored) == len(set(stored))
    assert set(wrote) <= set(stored)
    assert not hosts.rows("SELECT 1 FROM files_uploadpiece")
    lost = "SELECT kind FROM jobs_process WHERE seen_at < now() - interval '15 seconds' ORDER BY kind"
    wait_until(lambda: hosts.rows(lost) == [("web",), ("worker",)], 120)
    wait_until(lambda: b"2 are lost" in omar.ask("GET", "/health/parts/")[1], 120)
    doctor = commands_under("Once, from any host")[-1]
    found = {each["check"]: each for each in json.loads(hosts["work-2"].run(*doctor, "--json"))["checks"]}
    assert "are lost" in found["processes"]["sentence"]
    assert found["processes"]["advice"]
    assert {found[part]["state"] for part in ("database", "redis", "files", "clock", "bytes")} == {"ok"}


def is_idle(hosts: Hosts) -> bool:
    """Whether everything is made already: then the worker dies at rest."""
    return hosts.rows(MADE) == [(2,)]


def counted_rates(valkey: str) -> int:
    from redis import Redis

    with Redis.from_url(valkey) as server:
        return sum(int(server.get(name) or 0) for name in server.scan_iter("*rate:api:*"))


def test_the_page_names_every_address_that_hosts_share() -> None:
    assert commands_under("Once, from any host") == [["prepare"], ["doctor"]]
    assert commands_under("On every web host") == [["start", "--no-worker"]]
    assert commands_under("On every worker host") == [["worker"]]
