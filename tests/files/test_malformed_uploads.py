"""Hundreds of malformed files at every door that takes files: each is refused in words, and nothing else is changed."""

from __future__ import annotations

import hashlib
import io
import json
import random
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client

from staffroom.files import actions
from staffroom.files.models import File, Upload
from staffroom.jobs.actions import run_waiting
from tests.files import malformed
from tests.frameworks.test_importing_frameworks import PACKAGE
from tests.people.oneroster_maker import make
from tests.people.test_refusing_rosters import HOSTILE

# What an upload writes, refused or not: itself, its job, and the session of whoever brings it.
OF_UPLOADS = {"files_file", "files_upload", "jobs_job", "django_tasks_database_dbtaskresult", "django_session"}


def contents(*, but: set[str] = frozenset()) -> dict[str, str]:
    """Every table by a sum of all its rows."""
    found = {}
    with connection.cursor() as cursor:
        for table in set(connection.introspection.table_names(cursor)) - but:
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            found[table] = hashlib.sha256(repr(sorted(cursor.fetchall(), key=repr)).encode()).hexdigest()
    return found


def lying(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.fixture
def good(sample: Any) -> dict[str, bytes]:
    """Recordings that would be taken."""
    phone = {"container": "mov", "video": "libx265", "rotation": -90, "size": (192, 108)}
    browser = {"container": "webm", "video": "libvpx", "audio": "libopus", "is_live": True}
    paths = [sample("plain"), sample("phone", **phone), sample("browser", **browser), sample("sound", video=None)]
    return {f"{path.stem}{path.suffix}": path.read_bytes() for path in paths}


def test_two_hundred_malformed_recordings_are_refused_in_words(
    amara: Any, good: dict[str, bytes], own_data: Path, quick_look: None, settings: Any,
    django_capture_on_commit_callbacks: Any,
) -> None:  # fmt: skip
    settings.UPLOADS_PER_MINUTE = 0
    for name, data in good.items():
        amara.upload(data, name, purpose="lesson")
    run_waiting()
    assert set(File.objects.values_list("state", flat=True)) == {"ready"}, "undamaged, all of them are taken"
    files = [*malformed.recordings(good), *malformed.boxes(), *malformed.archives()]
    before, bytes_before = contents(but=OF_UPLOADS), lying(own_data)
    refused = 0
    for name, data in files:
        with django_capture_on_commit_callbacks(execute=True):
            url = amara.upload(data, name, purpose="lesson")
            ran = run_waiting()
        file = Upload.objects.get(key=url[-36:]).file
        assert [job.state for job in ran if job.kind == "files.look"] == ["done"], name
        if file.state == File.State.READY:  # damage that a player would not mind either
            assert file.duration_ms, name
            with django_capture_on_commit_callbacks(execute=True):
                actions.remove(file)
            continue
        refused += 1
        assert file.state == File.State.REFUSED, name
        assert file.refusal.endswith((".", "JPEG.")), name
        assert "could not be looked at" not in file.refusal, f"{name}: the one who looks was not overwhelmed"
    assert refused >= 200
    assert contents(but=OF_UPLOADS) == before
    assert len(lying(own_data)) == len(bytes_before), "no bytes of what was refused are kept"


def test_malformed_requests_for_uploads_are_refused_and_leave_nothing(amara: Any, own_data: Path) -> None:
    before = contents()
    chance = random.Random(3)
    headers: list[dict[str, str]] = [
        {}, {"Upload_Length": ""}, {"Upload_Length": "-1"}, {"Upload_Length": "1e3"}, {"Upload_Length": "9" * 30},
        {"Upload_Length": "ten"}, {"Upload_Length": "1", "Upload_Defer_Length": "1"}, {"Upload_Defer_Length": "2"},
        {"Upload_Length": "5", "Upload_Metadata": "filename ###"}, {"Upload_Length": "5", "Upload_Metadata": "filename /w=="},
        {"Upload_Length": "5", "Upload_Metadata": "x" * 9000}, {"Upload_Length": "5", "Tus_Resumable": "0.2.2"},
        {"Upload_Length": "5", "Upload_Metadata": "a b c"}, {"Upload_Length": "5", "Upload_Concat": "partial"},
    ]  # fmt: skip
    headers += [{"Upload_Length": "5", "Upload_Metadata": chance.randbytes(9).hex() + " !"} for _n in range(10)]
    for each in headers:
        answer = amara.ask("POST", kind="", **each)
        assert 400 <= answer.status_code < 500, each
    assert contents(but={"django_session"}) == {name: told for name, told in before.items() if name != "django_session"}
    assert lying(own_data) == []


def roster_files() -> Iterator[bytes]:
    whole = make(students=3).zipped().getvalue()
    yield from (build().getvalue() for build, _words in HOSTILE.values())
    yield from (whole[: len(whole) * part // 20] for part in range(1, 20))
    for seed in range(60):
        data = malformed.flipped(whole, seed)
        if not is_sound(data, whole):
            yield data


def is_sound(data: bytes, whole: bytes) -> bool:
    """Whether damage missed everything that counts: the same tables can be unpacked (a time stamp differs, say)."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as one, zipfile.ZipFile(io.BytesIO(whole)) as other:
            return {name: one.read(name) for name in one.namelist()} == {
                name: other.read(name) for name in other.namelist()
            }
    except Exception:
        return False


def framework_files() -> Iterator[tuple[str, bytes]]:
    whole = json.dumps(PACKAGE).encode()
    yield from ((f"cut-{part}.json", whole[: len(whole) * part // 20]) for part in range(1, 20))
    for key in ("CFDocument", "CFItems", "CFAssociations"):
        for value in ("[]", "{}", '"x"', "7", "[[]]", '[{"identifier": 7}]'):
            # A package without associations is a flat one, and associations of other types are not ours to judge.
            if key != "CFAssociations" or value not in ("[]", '[{"identifier": 7}]'):
                yield f"{key}.json", json.dumps({**PACKAGE, key: json.loads(value)}).encode()
    yield from {
        "deep.json": b"[" * 100_000, "nan.json": b'{"CFDocument": NaN}', "number.json": b"9" * 5000, "text.json": b'"x"',
        "binary.csv": bytes(range(256)) * 9, "empty.csv": b"", "zip.json": b"PK\3\4" + bytes(90), "columns.csv": b"a,b\n1,2\n",
        "utf16.csv": "identifier,parent,code,title,statement,kind\n".encode("utf-16"), "header.csv": b"identifier,title\n",
    }.items()  # fmt: skip


def outcome_files() -> Iterator[bytes]:
    yield from (b"", b"   \n\n", b"PK\3\4" + bytes(500), b"a,a\n1,2\n", b"\xff\xfeA")
    chance = random.Random(5)
    for magic in malformed.MAGIC.values():
        yield magic + b"\0\0\0" + chance.randbytes(400)
    yield b'Student,Term,Score\n1,"Fall 2026,70\n' + b"2,Fall 2026,80\n" * 2000


def doors(cast: Any) -> list[tuple[str, Any, str, list[tuple[str, bytes]]]]:
    return [
        ("roster", cast.omar, "/rosters/", [("ours.zip", data) for data in roster_files()]),
        ("framework", cast.omar, "/frameworks/import/", list(framework_files())),
        ("outcome", cast.denise, "/records/imports/", [("results.csv", data) for data in outcome_files()]),
    ]


@pytest.mark.parametrize("door", range(3), ids=["rosters", "frameworks", "outcomes"])
def test_malformed_files_at_the_doors_of_offices_are_refused_in_words(cast: Any, door: int, own_data: Path) -> None:
    _name, person, address, files = doors(cast)[door]
    client = Client(raise_request_exception=False)
    client.force_login(person)
    before = contents()
    for number, (name, data) in enumerate(files):
        cache.clear()
        sent = {"file": SimpleUploadedFile(name, data), "title": "Ours", "organization": cast.district.pk}
        answer = client.post(address, sent)
        assert 400 <= answer.status_code < 500, (number, name, data[:80], answer.status_code)
        assert "field-error" in answer.content.decode() or "error" in answer.content.decode(), (number, name)
    assert contents(but={"django_session"}) == {name: told for name, told in before.items() if name != "django_session"}
    assert lying(own_data) == [], "and no file is kept"
    assert len(files) >= (20, 40, 90)[{"outcome": 0, "framework": 1, "roster": 2}[_name]]
