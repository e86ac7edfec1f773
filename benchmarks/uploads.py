"""What it costs the web process to take a file in by tus and to send media out, against the disk and an HTTP server of the library.

    python benchmarks/uploads.py --megabytes 512

A real server process is driven over loopback. Printed for each: MB per second, the web process's own CPU seconds per GB, and its
memory at the end. Sending is measured with all checks (signature, viewer, session, share) before each 256 KiB.
"""

from __future__ import annotations

import argparse
import http.client
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.files.living import Site, free_port

MB = 1024 * 1024
READY = """
from staffroom.files import keeping, queries
from django.utils import timezone
from staffroom.people.models import Person
amara = Person.objects.get(given_name="Amara")
file = File.objects.create(owner=amara, name="x", size=5, state="ready", kind="video", ends_on=timezone.localdate())
made = Derivative.objects.create(file=file, kind="web_video", state="ready", media_type="video/mp4", size={size},
                                 made_at=timezone.now())
made.path = keeping.derivative_name(made.key, ".mp4")
made.save()
source = keeping.workbench() / "x"
with source.open("wb") as out:
    for _n in range({size} // 2**20):
        out.write(b"x" * 2**20)
keeping.keep(source, made.path)
"""


class Meter:
    """Time, CPU and memory of a process while something is done to it."""

    def __init__(self, pid: int) -> None:
        self.process = psutil.Process(pid)

    def __enter__(self) -> Meter:
        used = self.process.cpu_times()
        self.cpu, self.begun = used.user + used.system, time.perf_counter()
        return self

    def __exit__(self, *_error: object) -> None:
        used = self.process.cpu_times()
        self.seconds = time.perf_counter() - self.begun
        self.cpu = used.user + used.system - self.cpu
        self.memory = self.process.memory_info().rss / MB

    def say(self, what: str, size: int) -> None:
        print(
            f"{what:34} {size / MB / self.seconds:7.0f} MB/s   {self.cpu / (size / 1024**3):5.2f} CPU s/GB"
            f"   {self.memory:4.0f} MiB"
        )


def upload(site: Site, size: int, piece: int) -> None:
    """One file by tus in requests of at most ``piece`` bytes."""
    connection = http.client.HTTPConnection("localhost", site.port)
    tus = {**site.headers, "Tus-Resumable": "1.0.0"}
    connection.request("POST", "/uploads/", headers={**tus, "Upload-Length": str(size)})
    answer = connection.getresponse()
    answer.read()
    place, offset, block = answer.headers["Location"], 0, os.urandom(MB)
    while offset < size:
        length = min(piece, size - offset)
        headers = {**tus, "Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
        body = (block for _n in range(length // MB))
        connection.request("PATCH", place, body=body, headers={**headers, "Content-Length": str(length)})
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 204, answer.status
        offset = int(answer.headers["Upload-Offset"])


def download(port: int, path: str, headers: dict[str, str]) -> int:
    connection = http.client.HTTPConnection("localhost", port)
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    assert answer.status == 200, answer.status
    total = 0
    while piece := answer.read(MB):
        total += len(piece)
    return total


def library_server(folder: Path, size: int) -> None:
    """Python's own http.server sending the same bytes: what one would have without any check."""
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1", "--directory", str(folder)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        time.sleep(1)
        name = next(path for path in folder.rglob("*.mp4")).relative_to(folder).as_posix()
        with Meter(server.pid) as meter:
            assert download(port, f"/{name}", {}) == size
        meter.say("http.server, no checks", size)
    finally:
        server.kill()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=512)
    size = parser.parse_args().megabytes * MB
    with tempfile.TemporaryDirectory() as folder:
        site = Site(Path(folder))
        try:
            site.start_web()
            assert site.web
            upload(site, 8 * MB, 8 * MB)
            for piece in (size, 8 * MB):
                with Meter(site.web.pid) as meter:
                    upload(site, size, piece)
                meter.say(f"upload by tus, {piece // MB} MB a request", size)
            url = site.ask("queries.media_url(amara, made)", READY.format(size=size))
            with Meter(site.web.pid) as meter:
                assert download(site.port, url, site.headers) == size
            meter.say("media, checked each 256 KiB", size)
            library_server(site.data / "files", size)
        finally:
            site.close()


if __name__ == "__main__":
    main()
