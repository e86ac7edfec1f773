"""Backups: of one moment while people write, complete when brought back, refused when cut or changed."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from staffroom.cli import main
from tests.hosting.conftest import Place

pytestmark = pytest.mark.slow

FILL = """
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from staffroom.people.models import Organization
import random
for n in range(40):
    Organization.objects.create(name=f"School {n}", slug=f"school-{n}", kind="school")
for n in range(12):
    default_storage.save(f"originals/{n:02}/film", ContentFile(random.Random(n).randbytes(50_000 + n)))
"""

# A pair of rows is written in one transaction, and a file before the row that names it.
WRITE = """
import itertools
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from staffroom.people.models import Organization
print("writing", flush=True)
for n in itertools.count():
    default_storage.save(f"originals/new/{n}", ContentFile(str(n).encode() * 5000))
    with transaction.atomic():
        Organization.objects.create(name=f"left-{n}", slug=f"left-{n}", kind="school")
        Organization.objects.create(name=f"right-{n}", slug=f"right-{n}", kind="school")
"""


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A place with rows and files, and a backup of it."""
    folder = tmp_path_factory.mktemp("kept")
    place = Place(folder / "data")
    place.run("prepare")
    place.python(FILL)
    (place.folder / "uploads").mkdir()
    (place.folder / "uploads" / "half").write_bytes(b"arrived so far")
    place.run("backup", str(folder / "backup.zip"), "--with-secret")
    return place


@pytest.fixture
def archive(kept: Place) -> Path:
    return kept.folder.parent / "backup.zip"


@pytest.fixture
def elsewhere(tmp_path: Path) -> Place:
    return Place(tmp_path / "elsewhere")


def hashes(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def rows(database: Path) -> dict[str, list[tuple[object, ...]]]:
    with closing(sqlite3.connect(database)) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        found = {name: connection.execute(f'SELECT * FROM "{name}"').fetchall() for name in names}
        return {name: sorted(told, key=repr) for name, told in found.items()}


def test_what_is_brought_back_is_what_was_there(kept: Place, archive: Path, elsewhere: Place) -> None:
    told = elsewhere.run("restore", str(archive))
    assert "Restored" in told
    assert rows(elsewhere.folder / "staffroom.sqlite3") == rows(kept.folder / "staffroom.sqlite3")
    assert hashes(elsewhere.folder / "files") == hashes(kept.folder / "files")
    assert len(hashes(elsewhere.folder / "files")) == 12
    for name in ("secret", "uploads/half"):
        assert (elsewhere.folder / name).read_bytes() == (kept.folder / name).read_bytes()
    assert (elsewhere.folder / "secret").stat().st_mode & 0o077 == 0


def test_the_manifest_counts_rows_and_names_every_member(archive: Path) -> None:
    with zipfile.ZipFile(archive) as opened:
        manifest = json.loads(opened.read("manifest.json"))
        assert manifest["tables"]["people_organization"] == 40
        assert set(manifest["members"]) | {"manifest.json"} == set(opened.namelist())
        for name, told in manifest["members"].items():
            assert hashlib.sha256(opened.read(name)).hexdigest() == told["sha256"]


def test_the_signing_key_stays_out_unless_asked_for(kept: Place, tmp_path: Path) -> None:
    kept.run("backup", str(tmp_path / "plain.zip"))
    with zipfile.ZipFile(tmp_path / "plain.zip") as opened:
        assert not [name for name in opened.namelist() if name.startswith("secrets/")]


def test_a_file_that_is_there_is_not_overwritten(kept: Place, tmp_path: Path) -> None:
    (tmp_path / "precious.zip").write_text("precious")
    assert "exists already" in kept.run("backup", str(tmp_path / "precious.zip"), code=2)
    assert (tmp_path / "precious.zip").read_text() == "precious"


def test_nothing_is_restored_over_something(kept: Place, archive: Path) -> None:
    before = rows(kept.folder / "staffroom.sqlite3")
    assert "exists already" in kept.run("restore", str(archive), code=2)
    assert rows(kept.folder / "staffroom.sqlite3") == before


def test_a_backup_under_writing_is_of_one_moment(tmp_path: Path) -> None:
    place, after = Place(tmp_path / "data"), Place(tmp_path / "after")
    place.make_tables()
    environment = {**place.environment, "DJANGO_SETTINGS_MODULE": "staffroom.settings"}
    code = f"import django; django.setup()\n{WRITE}"
    with subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, text=True) as writer:
        try:
            assert writer.stdout is not None
            assert writer.stdout.readline() == "writing\n"
            place.run("backup", str(tmp_path / "live.zip"))
            assert writer.poll() is None, "it went on writing meanwhile"
        finally:
            writer.kill()
    after.run("restore", str(tmp_path / "live.zip"))
    with closing(sqlite3.connect(after.folder / "staffroom.sqlite3")) as connection:
        names = {name for (name,) in connection.execute("SELECT name FROM people_organization")}
    left, right = ({name[len(side) :] for name in names if name.startswith(side)} for side in ("left-", "right-"))
    assert left == right
    assert len(left) > 0
    for number in left:
        assert (after.folder / "files" / "originals" / "new" / number).read_bytes() == number.encode() * 5000


def altered(archive: Path, target: Path, change: Callable[[str, bytes], Iterator[tuple[str, bytes]]]) -> Path:
    """The archive, written anew by somebody who changes members."""
    with zipfile.ZipFile(archive) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            for changed, content in change(name, old.read(name)):
                new.writestr(changed, content)
    return target


def other_content(name: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    yield name, b"x" + content[1:] if name.startswith("files/") else content


def one_less(name: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    if not name.endswith("03/film"):
        yield name, content


def one_more(name: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    yield name, content
    if name == "manifest.json":
        yield "files/more", b"more"


def outside(name: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    yield name, content
    if name == "manifest.json":
        yield "files/../../../escaped", b"out"


def told_outside(name: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    """The manifest itself names a member that leads out."""
    if name == "manifest.json":
        manifest = json.loads(content)
        manifest["members"]["/tmp/escaped"] = {"size": 3, "sha256": hashlib.sha256(b"out").hexdigest()}
        content = json.dumps(manifest).encode()
        yield "/tmp/escaped", b"out"
    yield name, content


def from_the_future(name: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    if name == "manifest.json":
        manifest = json.loads(content)
        manifest["migrations"].append(["people", "9999_flying_cars"])
        content = json.dumps(manifest).encode()
    yield name, content


def other_counts(name: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    if name == "manifest.json":
        manifest = json.loads(content)
        manifest["tables"]["people_organization"] += 1
        content = json.dumps(manifest).encode()
    yield name, content


def no_manifest(name: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    if name != "manifest.json":
        yield name, content


def odd_manifest(name: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    yield name, b'{"format": ["staffroom' if name == "manifest.json" else content


REFUSED_BY_SIGHT = [
    (other_content, "is not what was backed up"),
    (one_less, "lacks"),
    (one_more, "its manifest does not know"),
    (outside, "leads elsewhere"),
    (told_outside, "leads elsewhere"),
    (no_manifest, "no manifest"),
    (odd_manifest, "cannot be read"),
]


def refusal(archive: Path, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> str:
    """What restoring says, in this process: it must come to its end before it touches folder or database."""
    monkeypatch.setenv("STAFFROOM_DATA", str(folder))
    assert main(["restore", str(archive)]) == 1
    assert not folder.exists()
    told = capsys.readouterr().err
    assert "Nothing was restored" in told
    return told


@pytest.mark.parametrize(("change", "sentence"), REFUSED_BY_SIGHT, ids=lambda value: getattr(value, "__name__", ""))
def test_a_changed_archive_is_refused_before_anything_is_written(
    archive: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[str, bytes], Iterator[tuple[str, bytes]]],
    sentence: str,
) -> None:
    bad = altered(archive, tmp_path / "bad.zip", change)
    assert sentence in refusal(bad, tmp_path / "new", capsys, monkeypatch)
    assert not (tmp_path.parent / "escaped").exists()
    assert not Path("/tmp/escaped").exists()


@pytest.mark.parametrize(("change", "sentence"), [(from_the_future, "upgrade first"), (other_counts, "damaged")])
def test_an_archive_that_does_not_fit_is_refused(
    archive: Path, elsewhere: Place, change: Callable[[str, bytes], Iterator[tuple[str, bytes]]], sentence: str
) -> None:
    told = elsewhere.run("restore", str(altered(archive, elsewhere.folder.parent / "bad.zip", change)), code=1)
    assert sentence in told
    assert not (elsewhere.folder / "staffroom.sqlite3").exists()


@pytest.mark.parametrize("part", [0.0, 0.3, 0.9, 0.999])
def test_a_cut_archive_is_refused(
    archive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, part: float
) -> None:
    content = archive.read_bytes()
    cut = tmp_path / "cut.zip"
    cut.write_bytes(content[: int(len(content) * part)])
    assert "cut off or changed" in refusal(cut, tmp_path / "new", capsys, monkeypatch)


@pytest.mark.parametrize("bit", [1, 4, 128])
def test_a_flipped_bit_is_refused(
    archive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, bit: int
) -> None:
    content = bytearray(archive.read_bytes())
    content[len(content) // 3] ^= bit
    bad = tmp_path / "bad.zip"
    bad.write_bytes(content)
    refusal(bad, tmp_path / "new", capsys, monkeypatch)


def test_an_archive_can_be_checked_without_restoring_it(
    archive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAFFROOM_DATA", str(tmp_path / "new"))
    assert main(["restore", "--check-only", str(archive)]) == 0
    assert "is whole" in capsys.readouterr().out
    assert not (tmp_path / "new").exists()


@pytest.mark.postgres
def test_postgres_is_brought_back_row_for_row(tmp_path: Path, new_database: Callable[[str], str]) -> None:
    import psycopg

    before, after = new_database("before"), new_database("after")
    place = Place(tmp_path / "data", STAFFROOM_DATABASE_URL=before)
    place.run(
        "prepare", "--no-static"
    )  # by the steps of the past, as the one it is held against: columns have an order
    place.python(FILL)
    place.run("backup", str(tmp_path / "backup.zip"))
    elsewhere = Place(tmp_path / "elsewhere", STAFFROOM_DATABASE_URL=after)
    elsewhere.run("restore", str(tmp_path / "backup.zip"))

    def rows_of(address: str) -> dict[str, list[tuple[object, ...]]]:
        with psycopg.connect(address) as connection:
            names = connection.execute(
                "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
            ).fetchall()
            return {name: sorted(connection.execute(f'SELECT t::text FROM "{name}" t').fetchall()) for (name,) in names}

    assert rows_of(after) == rows_of(before)
    assert hashes(elsewhere.folder / "files") == hashes(place.folder / "files")
    # New rows get new numbers.
    made = "from staffroom.people.models import Organization\nprint(Organization.objects.create(name='N', slug='n', kind='school').pk)"
    assert int(elsewhere.python(made)) == 41
    assert "is not empty" in Place(tmp_path / "third", STAFFROOM_DATABASE_URL=after).run(
        "restore", str(tmp_path / "backup.zip"), code=2
    )
