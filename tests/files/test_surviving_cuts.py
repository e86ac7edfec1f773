"""Uploads through a wire that breaks and a server and a client that are killed, with the clients that people use."""

from __future__ import annotations

import hashlib
import random
import socket
import time

import pytest
from tusclient.client import TusClient

from tests.files.living import Site, Wire, node_upload, write_noise

pytestmark = pytest.mark.slow
MB = 1024 * 1024
# What may be under way between client and disk when a connection breaks: buffers of sockets and of the server.
UNDER_WAY = 1.5 * MB


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    site = Site(tmp_path_factory.mktemp("site"))
    site.start_web()
    yield site
    site.close()


@pytest.fixture
def wire(site):
    wire = Wire(site.port)
    yield wire
    wire.close()


def arrived(site: Site, url: str) -> tuple[int, str]:
    path = site.data / "uploads" / url[-36:]
    data = path.read_bytes()
    return len(data), hashlib.sha256(data).hexdigest()


def test_tuspy_brings_a_file_with_checksums(site, tmp_path):
    data = write_noise(tmp_path / "file", 3 * MB)
    client = TusClient(f"{site.url}/uploads/", headers=site.headers)
    uploader = client.uploader(
        str(tmp_path / "file"), chunk_size=700_000, upload_checksum=True, metadata={"filename": "lesson.mp4"}
    )
    uploader.upload(stop_at=1_400_000)
    again = client.uploader(str(tmp_path / "file"), chunk_size=MB, url=uploader.url, upload_checksum=True)
    assert again.offset == 1_400_000, "what was acknowledged is where the next client begins"
    again.upload()
    assert arrived(site, uploader.url) == (len(data), hashlib.sha256(data).hexdigest())


@pytest.mark.parametrize("chunk", [None, 2 * MB])
def test_a_wire_that_is_cut_again_and_again_loses_nothing(site, wire, tmp_path, chunk):
    """tus-js-client in one request, and in pieces: bytes of a request that broke off are kept, not sent again."""
    data = write_noise(tmp_path / "file", 24 * MB)
    chance = random.Random(7)
    cuts = sorted(chance.randrange(MB, 23 * MB) for _n in range(8))
    wire.on_cut = lambda: setattr(wire, "cut_after", cuts.pop(0) if cuts else None)
    wire.cut_after = cuts.pop(0)
    client = node_upload(
        site, wire.port, tmp_path / "file", tmp_path / "urls", **({"chunkSize": chunk} if chunk else {})
    )
    said, _nothing = client.communicate(timeout=60)
    assert said.startswith("done"), said
    assert not cuts
    url = said.split()[1]
    assert arrived(site, url) == (len(data), hashlib.sha256(data).hexdigest())
    assert wire.sent <= len(data) + 9 * UNDER_WAY


def test_a_client_that_is_killed_goes_on_where_it_stopped(site, wire, tmp_path):
    data = write_noise(tmp_path / "file", 24 * MB, seed=2)
    chance = random.Random(8)
    kills = 0
    for _n in range(5):
        client = node_upload(site, wire.port, tmp_path / "file", tmp_path / "urls", chunkSize=4 * MB)
        target = wire.sent + chance.randrange(MB, 5 * MB)
        while wire.sent < target and client.poll() is None:
            time.sleep(0.005)
        client.kill()
        client.communicate()
        kills += 1
    client = node_upload(site, wire.port, tmp_path / "file", tmp_path / "urls", chunkSize=4 * MB)
    said, _nothing = client.communicate(timeout=60)
    assert said.startswith("done"), said
    assert arrived(site, said.split()[1]) == (len(data), hashlib.sha256(data).hexdigest())
    assert wire.sent <= len(data) + (kills + 1) * UNDER_WAY


def test_a_phone_that_lost_its_network_gets_its_place_back(site, tmp_path):
    """A connection that says nothing and never ends must not keep the upload locked."""
    client = TusClient(f"{site.url}/uploads/", headers=site.headers)
    write_noise(tmp_path / "file", 2 * MB)
    uploader = client.uploader(str(tmp_path / "file"), chunk_size=MB)
    uploader.set_url(uploader.create_url())
    path = uploader.url.removeprefix(site.url)
    head = f"PATCH {path} HTTP/1.1\r\nHost: localhost\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\n"
    head += f"Content-Type: application/offset+octet-stream\r\nContent-Length: {2 * MB}\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in site.headers.items())
    lost = socket.create_connection(("127.0.0.1", site.port))
    lost.sendall(head.encode() + b"\r\n" + (tmp_path / "file").read_bytes()[:5000])
    time.sleep(0.3)
    again = client.uploader(str(tmp_path / "file"), chunk_size=MB, url=uploader.url, retries=5, retry_delay=0.2)
    assert again.offset == 5000
    began = time.monotonic()
    again.upload()
    assert time.monotonic() - began < 5
    assert arrived(site, uploader.url)[0] == 2 * MB
    lost.close()


def test_a_server_killed_twenty_times_during_uploads_loses_nothing(site, wire, tmp_path):
    data = write_noise(tmp_path / "file", 40 * MB, seed=3)
    chance = random.Random(9)
    client = node_upload(site, wire.port, tmp_path / "file", tmp_path / "urls", chunkSize=8 * MB)
    for _n in range(20):
        target = wire.sent + chance.randrange(MB // 4, 3 * MB // 2)
        until = time.monotonic() + 20
        while wire.sent < target and client.poll() is None and time.monotonic() < until:
            time.sleep(0.002)
        assert client.poll() is None, "the upload ended before the twentieth kill"
        site.kill_web()
        site.start_web()
    said, _nothing = client.communicate(timeout=60)
    assert said.startswith("done"), said
    assert arrived(site, said.split()[1]) == (len(data), hashlib.sha256(data).hexdigest())
    assert wire.sent <= len(data) + 21 * UNDER_WAY
    assert site.ask(f"Upload.objects.filter(key='{said.split()[1][-36:]}', file__size={len(data)}).count()") == 1
