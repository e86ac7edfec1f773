"""A backup while tools and people write: of one moment, with its files; brought back it has the rows, bytes and lake that it says."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.buckets import bucket_server, make_bucket
from tests.hosting.conftest import Place

pytestmark = pytest.mark.slow
# Batches of five at the xAPI door, one form a batch, each by the program's own views; what was answered is told line by line.
WRITE = """
import base64, itertools, json, logging, uuid
logging.disable()
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client
from staffroom.exchange.actions import keys
from staffroom.people.models import Membership, Organization, Person, Role
from staffroom.records import lake
settings.ALLOWED_HOSTS = ["*"]
district = Organization.objects.create(name="Riverbend", slug="riverbend", kind="district")
amara = Person.objects.create_user("amara@riverbend.example", given_name="Amara")
Membership.objects.create(person=amara, organization=district, role=Role.TEACHER)
key, secret = keys.make_key(by=None, tool=keys.add_tool(by=None, organization=district, name="Vendor"), scopes=["all"])
told = {"Authorization": "Basic " + base64.b64encode(f"{key.name}:{secret}".encode()).decode(), "X-Experience-API-Version": "2.0.0"}
tool, browser = Client(headers=told), Client()
browser.force_login(amara)
for n in itertools.count():
    default_storage.save(f"originals/new/{n}", ContentFile(str(n).encode() * 5000))
    batch = [{"id": str(uuid.uuid4()), "actor": {"mbox": "mailto:amara@riverbend.example"},
              "verb": {"id": "http://adlnet.gov/expapi/verbs/attended"}, "object": {"id": f"https://vendor.example/{n}"}} for _ in range(5)]
    if n == 0:  # of a month in which nothing comes later
        batch = [{**each, "timestamp": "2025-09-15T10:00:00Z"} for each in batch]
    answer = tool.post("/xapi/statements", json.dumps(batch), content_type="application/json")
    assert answer.status_code == 200, answer.content
    assert browser.post("/circles/", {"name": f"Circle {n}"}).status_code == 302
    if n == 3:
        lake.refresh()
    print(json.dumps([each["id"] for each in batch]), flush=True)
"""
READ = """
import json
from django.db import connection
from django.core.files.storage import default_storage
from staffroom.permissions.models import Circle
from staffroom.records import lake
from staffroom.records.models import Statement
wrote = {}
for key, iri in Statement.objects.filter(tool__isnull=False).values_list("key", "object_iri"):
    wrote.setdefault(iri, []).append(str(key))
counts = {}
with connection.cursor() as cursor:
    for table in TABLES:
        cursor.execute(f'SELECT count(*) FROM "{table}"')
        counts[table] = cursor.fetchone()[0]
lake.rebuild()
files = {f"{path.relative_to(lake.folder())}": lake.hash_of(path) for path in lake.folder().glob("*/month=*/*.parquet")}
print(json.dumps({"wrote": wrote, "circles": Circle.objects.filter(name__startswith="Circle ").count(), "counts": counts, "lake": files}))
"""


@pytest.fixture(scope="module")
def buckets(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], str]]:
    """Makes empty buckets; gives each one's address."""
    boto3 = pytest.importorskip("boto3")
    with bucket_server(tmp_path_factory.mktemp("weed")) as address:
        parts = urlsplit(address)
        connection = boto3.resource(
            "s3", endpoint_url=f"http://{parts.hostname}:{parts.port}", region_name="us-east-1",
            aws_access_key_id=parts.username, aws_secret_access_key=parts.password,
        )  # fmt: skip

        def make(name: str) -> str:
            make_bucket(connection, name)
            return f"{address}/{name}"

        yield make


@contextmanager
def writing(place: Place) -> Iterator[Callable[[int], list[list[str]]]]:
    """Somebody writes all the while; gives a function that waits for so many more batches and returns all that were answered."""
    code = f"import django; django.setup()\n{WRITE}"
    environment = {**place.environment, "DJANGO_SETTINGS_MODULE": "staffroom.settings"}
    process = subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, text=True)
    answered: list[list[str]] = []

    def wait_for(more: int) -> list[list[str]]:
        assert process.stdout
        for _each in range(more):
            line = process.stdout.readline()
            assert line, "the writer ended"
            answered.append(json.loads(line))
        return list(answered)

    try:
        yield wait_for
    finally:
        process.kill()
        process.wait()


def bytes_in(archive: zipfile.ZipFile, start: str) -> dict[str, str]:
    return {
        name.removeprefix(start): hashlib.sha256(archive.read(name)).hexdigest()
        for name in archive.namelist()
        if name.startswith(start)
    }


FILES = """
import hashlib, json
from staffroom.cli.backup import _stored
from django.core.files.storage import default_storage
print(json.dumps({name: hashlib.sha256(default_storage.open(name).read()).hexdigest() for name in _stored("")}))
"""


def backed_up_under_load(place: Place, archive: Path) -> list[list[str]]:
    """Back up while somebody writes; returns the batches that had been answered before it began."""
    place.make_tables()
    with writing(place) as wait_for:
        before = wait_for(6)
        place.run("backup", str(archive))
        wait_for(2)
    return before


def hold_against(elsewhere: Place, archive: Path, before: list[list[str]]) -> dict[str, Any]:
    """What was brought back is what the archive says, and of one moment."""
    with zipfile.ZipFile(archive) as opened:
        manifest: dict[str, Any] = json.loads(opened.read("manifest.json"))
        kept = bytes_in(opened, "files/")
    elsewhere.run("restore", str(archive))
    assert json.loads(elsewhere.python(FILES)) == kept
    found = json.loads(elsewhere.python(f"TABLES = {list(manifest['tables'])!r}\n{READ}"))
    assert found["counts"] == manifest["tables"]
    batches = {frozenset(keys) for keys in found["wrote"].values()}
    assert {len(batch) for batch in batches} == {5}, "a batch is there whole or not at all"
    assert {frozenset(batch) for batch in before} <= batches
    # A batch, then its form: the one moment lies between them or after both.
    assert found["circles"] in (len(batches), len(batches) - 1)
    # The lake that the manifest points to is made again: to the byte where nothing came after it was written.
    pointed = {each["path"]: each["sha256"] for each in manifest["lake"]}
    [old_month] = [path for path in pointed if "month=2025-09" in path]
    assert found["lake"][old_month] == pointed[old_month]
    assert set(pointed) <= set(found["lake"])
    return manifest


def test_on_sqlite(tmp_path: Path) -> None:
    place, archive = Place(tmp_path / "data"), tmp_path / "backup.zip"
    before = backed_up_under_load(place, archive)
    manifest = hold_against(Place(tmp_path / "elsewhere"), archive, before)
    assert manifest["engine"] == "sqlite"


@pytest.mark.postgres
@pytest.mark.s3
def test_on_postgres_with_files_in_a_bucket(
    tmp_path: Path, new_database: Callable[[str], str], buckets: Callable[[str], str]
) -> None:
    archive = tmp_path / "backup.zip"

    def on(name: str) -> Place:
        return Place(
            tmp_path / name, STAFFROOM_DATABASE_URL=new_database(f"loaded-{name}"), STAFFROOM_FILES_URL=buckets(name)
        )

    before = backed_up_under_load(on("data"), archive)
    manifest = hold_against(on("elsewhere"), archive, before)
    assert manifest["engine"] == "postgresql"
    assert not [name for name in manifest["members"] if name.startswith("files/lake/")]
