"""Fixtures of the files room: a data folder of its own for each test, and somebody who speaks tus."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path

import pytest
from django.test import Client

from staffroom.files.media import apart
from tests.files import media_samples
from tests.nursery import Nursery

LOOK = """
import json
from pathlib import Path
from staffroom.files.media import apart
request = json.loads({request!r})
apart._limit(request["cpu_s"], request["room"])
Path({answer!r}).write_text(json.dumps(apart._answer(request)))
"""


@pytest.fixture(autouse=True)
def own_data(tmp_path, settings):
    """Uploads, files and the workbench of one test lie in its own folder."""
    settings.DATA = tmp_path / "data"
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": settings.DATA / "files"},
        },
    }
    return settings.DATA


class Tus:
    """A signed-in client that speaks tus by hand."""

    def __init__(self, person=None, **options):
        self.client = Client(**options)
        if person:
            self.client.force_login(person)

    def ask(self, method, url="/uploads/", data=b"", kind="application/offset+octet-stream", **headers):
        named = {"Tus-Resumable": "1.0.0", **{name.replace("_", "-"): value for name, value in headers.items()}}
        # The test client leaves the type out when there are no bytes; real clients do not.
        return self.client.generic(
            method, url, data, content_type=kind, headers=named, **({"CONTENT_TYPE": kind} if kind else {})
        )

    def begin(self, size, name="lesson.mp4", **metadata):
        said = {"filename": name, **metadata}
        encoded = ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in said.items())
        length = {"Upload_Defer_Length": "1"} if size is None else {"Upload_Length": str(size)}
        return self.ask("POST", kind="", Upload_Metadata=encoded, **length)

    def send(self, url, data, offset, **headers):
        return self.ask("PATCH", url, data, Upload_Offset=str(offset), **headers)

    def offset(self, url):
        return int(self.ask("HEAD", url)["Upload-Offset"])

    def upload(self, data, name="lesson.mp4", **metadata):
        url = self.begin(len(data), name, **metadata)["Location"]
        assert self.send(url, data, 0).status_code == 204
        return url


@pytest.fixture
def amara(cast):
    return Tus(cast.amara)


@pytest.fixture
def ben(cast):
    return Tus(cast.ben)


@pytest.fixture(scope="session")
def sample(tmp_path_factory):
    """Recordings by what is special about them, each written once."""
    folder = tmp_path_factory.mktemp("recordings")
    written: dict[str, Path] = {}

    def get(name: str = "plain", **special) -> Path:
        container = special.get("container", "mp4")
        if name not in written:
            written[name] = media_samples.write(folder / f"{name}.{container}", media_samples.Sample(**special))
        return written[name]

    return get


@pytest.fixture
def quick_look(tmp_path, monkeypatch):
    """Files are looked at in forks of one process instead of a new interpreter each: same limits, a tenth of the time."""
    nursery = Nursery(
        {**os.environ}, "from staffroom.files.media import apart, clips, encoding, pictures, probing, sound, web"
    )

    def run(deed, *, cpu_s, report=None, room=apart.ROOM_BYTES, **arguments):
        arguments = {name: apart._plain(value) for name, value in arguments.items()}
        request = {"deed": deed, "cpu_s": cpu_s, "room": room, "arguments": arguments}
        answer = tmp_path / "answer.json"
        nursery.run(LOOK.format(request=json.dumps(request), answer=str(answer)))
        said = json.loads(answer.read_text()) if answer.exists() else {"failed": "ended"}
        answer.unlink(missing_ok=True)
        return apart._result(said)

    monkeypatch.setattr(apart, "run", run)
    yield
    nursery.close()
