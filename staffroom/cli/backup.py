"""Backup: database and files as of one moment, in one zip, while people go on working; and the way back.

The database is taken first, in one snapshot; then the files, which are never changed once they are there: so every file that
the snapshot knows is in the archive, unless its owner removed it meanwhile. ``manifest.json`` names every member with its size
and SHA-256, counts the rows of every table, and points to the lake: which files the snapshot says it has, with their hashes. The
lake itself is made again from the ledgers. Restoring checks all of it before it writes anything, and only writes where nothing is.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from staffroom import __version__, options
from staffroom.cli import Failure, Mistake
from staffroom.cli.moving import new_file
from staffroom.cli.preparing import STAMP, set_up

FORMAT = "staffroom-backup-1"
MANIFEST = "manifest.json"
PIECE = 1 << 20
# In a bucket, too: the copy of the lake that hosts share, and what the doctor tries. Both come again by themselves.
LEFT_OUT = ("lake", "doctor")
FOLDERS = ("files/", "uploads/", "database/", "secrets/")


def backup(told: argparse.Namespace) -> int:
    """Write the archive. It appears under its name only when it is whole."""
    set_up()
    from django.db import connection

    from staffroom.cli import postgres, sqlite

    engine = postgres if connection.vendor == "postgresql" else sqlite
    with new_file(told.file) as target, tempfile.TemporaryDirectory(dir=_beside(told.file)) as folder:
        members: dict[str, dict[str, Any]] = {}
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            tables, lake = engine.dump(Path(folder))
            for path in sorted(Path(folder).iterdir()):
                with path.open("rb") as file:
                    members[f"database/{path.name}"] = _add(archive, f"database/{path.name}", file)
            gone = _add_files(archive, members)
            if told.with_secret:
                _add_secrets(archive, members)
            manifest = {
                "format": FORMAT,
                "version": __version__,
                "made_at": datetime.now(UTC).isoformat(),
                "engine": connection.vendor,
                "migrations": _migrations(),
                "tables": tables,
                "lake": lake,
                "members": members,
                "removed_meanwhile": gone,
            }
            archive.writestr(MANIFEST, json.dumps(manifest, indent=1))
    rows = sum(tables.values())
    print(f"{told.file}: {len(tables)} tables with {rows:,} rows, {len(members)} members")
    if not told.with_secret:
        print("Without the signing key: after a restore people sign in again, and links that were sent no longer work.")
    return 0


def _beside(file: str) -> str:
    return str(Path(file).expanduser().resolve().parent)


def _migrations() -> list[list[str]]:
    from django.db.migrations.recorder import MigrationRecorder

    applied = MigrationRecorder.Migration.objects.order_by("pk").values_list("app", "name")
    return [[app, name] for app, name in applied]


def _add(archive: zipfile.ZipFile, name: str, source: IO[bytes]) -> dict[str, Any]:
    """Copy one member in pieces; returns its size and hash. Media does not get smaller by deflating."""
    info = zipfile.ZipInfo(name, date_time=datetime.now(UTC).timetuple()[:6])
    info.compress_type = zipfile.ZIP_STORED if name.startswith(("files/", "uploads/")) else zipfile.ZIP_DEFLATED
    digest, size = hashlib.sha256(), 0
    with archive.open(info, "w", force_zip64=True) as entry:
        while piece := source.read(PIECE):
            digest.update(piece)
            size += len(piece)
            entry.write(piece)
    return {"size": size, "sha256": digest.hexdigest()}


def _add_files(archive: zipfile.ZipFile, members: dict[str, dict[str, Any]]) -> list[str]:
    """The storage's files, and what has arrived of unfinished uploads; returns the names that went away meanwhile."""
    from django.core.files.storage import default_storage

    gone = []
    for name in sorted(_stored("")):
        try:
            with default_storage.open(name) as file:
                members[f"files/{name}"] = _add(archive, f"files/{name}", file)
        except FileNotFoundError:
            gone.append(name)
    arriving = options.data_folder() / "uploads"
    for path in sorted(arriving.rglob("*")) if arriving.is_dir() else []:
        name = f"uploads/{path.relative_to(arriving).as_posix()}"
        if path.is_file() and not path.is_symlink():
            try:
                with path.open("rb") as opened:
                    members[name] = _add(archive, name, opened)
            except FileNotFoundError:
                gone.append(name)
    return gone


def _stored(folder: str) -> Iterator[str]:
    from django.core.files.storage import default_storage

    try:
        folders, files = default_storage.listdir(folder)
    except FileNotFoundError:
        return
    for name in files:
        if not name.startswith("."):
            yield f"{folder}{name}"
    for name in folders if folder else [each for each in folders if each not in LEFT_OUT]:
        yield from _stored(f"{folder}{name}/")


def _add_secrets(archive: zipfile.ZipFile, members: dict[str, dict[str, Any]]) -> None:
    for name in ("secret", "staffroom.toml"):
        path = options.data_folder() / name
        if path.is_file():
            with path.open("rb") as file:
                members[f"secrets/{name}"] = _add(archive, f"secrets/{name}", file)


def restore(told: argparse.Namespace) -> int:
    """Check the whole archive, then write it into an empty data folder and database."""
    path = Path(told.file).expanduser()
    if not path.is_file():
        raise Mistake(f"there is no file {path}")
    try:
        with zipfile.ZipFile(path) as archive:
            manifest = verify(archive)
            if told.check_only:
                print(f"{path} is whole: made {manifest['made_at']} by Staffroom {manifest['version']}")
                return 0
            _restore(archive, manifest)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise Failure(f"{path} is not a whole backup: it was cut off or changed. Nothing was restored.") from error
    print(f"Restored {sum(manifest['tables'].values()):,} rows and {len(manifest['members'])} members from {path}")
    if "secrets/secret" not in manifest["members"]:
        print("The archive holds no signing key: people sign in again, and links that were sent no longer work.")
    return 0


def verify(archive: zipfile.ZipFile) -> dict[str, Any]:
    """The manifest, once every member is there, is what it was, and nothing else is."""
    names = archive.namelist()
    if len(names) != len(set(names)):
        raise Failure("the archive names a member twice. Nothing was restored.")
    if MANIFEST not in names:
        raise Failure("this is no backup of Staffroom, or it was cut off: it has no manifest. Nothing was restored.")
    manifest = _read_manifest(archive)
    for info in archive.infolist():
        _refuse_bad_name(info)
    wanted = {**manifest["members"]}
    for name in names:
        if name == MANIFEST:
            continue
        told = wanted.pop(name, None)
        if told is None:
            raise Failure(f"the archive holds {name!r}, which its manifest does not know. Nothing was restored.")
        _check(archive, name, told)
    if wanted:
        raise Failure(f"the archive lacks {min(wanted)!r}. Nothing was restored.")
    return manifest


def _read_manifest(archive: zipfile.ZipFile) -> dict[str, Any]:
    if archive.getinfo(MANIFEST).file_size > 1 << 30:
        raise Failure("the archive's manifest is far too large. Nothing was restored.")
    try:
        manifest = json.loads(archive.read(MANIFEST))
        is_ours = manifest["format"] == FORMAT
        shape = (
            manifest["members"],
            manifest["tables"],
            manifest["migrations"],
            manifest["engine"],
            manifest["version"],
        )
    except (ValueError, KeyError, TypeError) as error:
        raise Failure("the archive's manifest cannot be read. Nothing was restored.") from error
    if not is_ours or not all(
        isinstance(part, kind) for part, kind in zip(shape, (dict, dict, list, str, str), strict=True)
    ):
        raise Failure("this is no backup that this version of Staffroom knows. Nothing was restored.")
    checked: dict[str, Any] = manifest
    return checked


def _refuse_bad_name(info: zipfile.ZipInfo) -> None:
    name = info.filename
    parts = name.split("/")
    is_link = stat.S_ISLNK(info.external_attr >> 16)
    is_bad = "\\" in name or "\0" in name or name.startswith("/") or re.match(r"^[A-Za-z]:", name) or is_link
    if is_bad or any(part in ("", ".", "..") for part in parts) or not (name == MANIFEST or name.startswith(FOLDERS)):
        raise Failure(f"the archive holds a name that leads elsewhere: {name!r}. Nothing was restored.")


def _check(archive: zipfile.ZipFile, name: str, told: Any) -> None:
    """Read a member through: no longer than it says (an archive may be a bomb), and with the hash that it says."""
    digest, size = hashlib.sha256(), 0
    limit = told.get("size", -1) if isinstance(told, dict) else -1
    with archive.open(name) as entry:
        while piece := entry.read(PIECE):
            size += len(piece)
            if size > limit:
                break
            digest.update(piece)
    if size != limit or digest.hexdigest() != told.get("sha256"):
        raise Failure(f"{name!r} in the archive is not what was backed up. Nothing was restored.")


def _restore(archive: zipfile.ZipFile, manifest: dict[str, Any]) -> None:
    folder = options.data_folder()
    _refuse_full(folder, manifest)
    _refuse_no_room(folder, manifest)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    _write_secrets(archive, manifest, folder)  # first: settings read them
    set_up()
    from django.db import connection

    from staffroom.cli import postgres, sqlite

    if connection.vendor != manifest["engine"]:
        raise Mistake(f"this is a backup of {manifest['engine']}; database_url names {connection.vendor}")
    engine = postgres if connection.vendor == "postgresql" else sqlite
    engine.refuse_full()
    _refuse_newer(manifest)
    with tempfile.TemporaryDirectory(dir=folder) as place:
        for name in _members(manifest, "database/"):
            _extract(archive, name, Path(place) / name.removeprefix("database/"))
        engine.check(Path(place), manifest)
        _write_files(archive, manifest, folder)
        engine.load(Path(place), manifest)
    (folder / STAMP).unlink(missing_ok=True)


def _refuse_full(folder: Path, manifest: dict[str, Any]) -> None:
    """Something that is there is never replaced."""
    for name in ("staffroom.sqlite3", "files", "uploads", "secret", "staffroom.toml"):
        path = folder / name
        is_given = name in ("secret", "staffroom.toml") and f"secrets/{name}" not in manifest["members"]
        if not is_given and path.exists() and not (path.is_dir() and not any(path.rglob("*"))):
            raise Mistake(f"{path} exists already. Restore into an empty place: --data FOLDER. Nothing was restored.")
    if options.get("files_url"):
        set_up()
        if next(_stored(""), None):
            raise Mistake("the bucket that files_url names is not empty. Nothing was restored.")


def _refuse_no_room(folder: Path, manifest: dict[str, Any]) -> None:
    needed = sum(member["size"] for member in manifest["members"].values())
    place = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(place).free
    if needed * 1.1 > free:
        raise Failure(f"{needed / 1e9:.1f} GB are needed, {free / 1e9:.1f} GB are free. Nothing was restored.")


def _refuse_newer(manifest: dict[str, Any]) -> None:
    """A program older than the backup does not know its tables."""
    from django.db.migrations.loader import MigrationLoader

    known = set(MigrationLoader(None).disk_migrations)
    unknown = [f"{app}.{name}" for app, name in manifest["migrations"] if (app, name) not in known]
    if unknown:
        raise Failure(
            f"this backup was made by Staffroom {manifest['version']}, which is newer (it has {unknown[0]}): "
            "upgrade first. Nothing was restored."
        )


def _members(manifest: dict[str, Any], start: str) -> Iterable[str]:
    return (name for name in manifest["members"] if name.startswith(start))


def _extract(archive: zipfile.ZipFile, name: str, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with archive.open(name) as entry, open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        shutil.copyfileobj(entry, file, PIECE)


def _write_secrets(archive: zipfile.ZipFile, manifest: dict[str, Any], folder: Path) -> None:
    for name in _members(manifest, "secrets/"):
        _extract(archive, name, folder / name.removeprefix("secrets/"))


def _write_files(archive: zipfile.ZipFile, manifest: dict[str, Any], folder: Path) -> None:
    from django.core.files import File
    from django.core.files.storage import default_storage

    for name in _members(manifest, "uploads/"):
        _extract(archive, name, folder / name)
    for name in _members(manifest, "files/"):
        if options.get("files_url"):
            with archive.open(name) as entry:
                default_storage.save(name.removeprefix("files/"), File(entry))
        else:
            _extract(archive, name, Path(default_storage.path(name.removeprefix("files/"))))
