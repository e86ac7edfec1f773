"""One lake for several hosts: where files lie in a bucket, the lake's do too, and each host keeps a copy that it brings up to date.

`lake/manifest.json` in the bucket names every file with its hash, and is written last: whoever reads it finds what it names. Each
host fetches what differs before it reads or writes, and one at a time writes: PostgreSQL's lock holds among hosts.
On one machine, or with a shared folder, none of this is needed and nothing is done.
"""

from __future__ import annotations

import hashlib
import json
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import connection

from staffroom.files import keeping

LOCK = 727002
PREFIX = "lake"
MANIFEST = f"{PREFIX}/manifest.json"

type Hashes = dict[str, str]


@contextmanager
def held() -> Iterator[None]:
    """Hold the lake among all hosts: bring the copy here up to date, and afterwards give on what has changed."""
    with _lock():
        if keeping.is_local():
            yield
            return
        known = _fetch()
        yield
        _give(known)


@contextmanager
def _lock() -> Iterator[None]:
    """PostgreSQL's, on a connection of its own: it goes with that, however the work or this process ends."""
    if connection.vendor != "postgresql":
        yield
        return
    own = connection.copy()
    try:
        with own.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        yield
    finally:
        own.close()


def bring_here() -> None:
    """Bring this host's copy of the lake up to date, for whoever is about to read it."""
    if not keeping.is_local():
        _fetch()


def _folder() -> Path:
    return Path(settings.DATA) / "lake"


def _manifest() -> dict[str, dict[str, str]]:
    """Name in the lake to hash and place in the bucket."""
    try:
        with default_storage.open(MANIFEST) as file:
            told: dict[str, dict[str, str]] = json.loads(file.read())
    except FileNotFoundError:
        return {}
    return told


def _fetch() -> dict[str, dict[str, str]]:
    """Make the copy here what the manifest says; files that it does not name go. Returns the manifest."""
    told, here = _manifest(), hashes()
    for name, kept in told.items():
        if here.get(name) != kept["sha256"]:
            _copy_here(kept["place"], _folder() / name)
    for name in here.keys() - told.keys():
        (_folder() / name).unlink(missing_ok=True)
    return told


def _copy_here(place: str, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        with default_storage.open(place) as kept, fresh.open("wb") as file:
            for piece in kept.chunks():
                file.write(piece)
        os.replace(fresh, path)
    finally:
        fresh.unlink(missing_ok=True)


def _give(known: dict[str, dict[str, str]]) -> None:
    """Put what is new under new names, then the manifest, then take the old away: a reader in between finds the old whole."""
    here = hashes()
    told = {}
    for name, sha256 in here.items():
        same = known.get(name)
        if same and same["sha256"] == sha256:
            told[name] = same
            continue
        folder, file = name.rsplit("/", 1)
        place = f"{PREFIX}/{folder}/{sha256[:16]}-{file}"
        if not default_storage.exists(place):
            with (_folder() / name).open("rb") as source:
                default_storage.save(place, File(source))
        told[name] = {"sha256": sha256, "place": place}
    if told == known:
        return
    keeping.put(MANIFEST, json.dumps(told, indent=1, sort_keys=True).encode())
    places = {kept["place"] for kept in told.values()}
    for kept in known.values():
        if kept["place"] not in places:
            default_storage.delete(kept["place"])


def hashes() -> Hashes:
    """Every file of the lake here with its hash; looked at again only when its size or time has changed."""
    notes_path = _folder() / ".hashes.json"
    try:
        notes: dict[str, Any] = json.loads(notes_path.read_text())
    except (FileNotFoundError, ValueError):
        notes = {}
    found: dict[str, Any] = {}
    for path in sorted(_folder().glob("*/month=*/*.parquet")):
        if path.name.startswith("."):
            continue
        name, at = path.relative_to(_folder()).as_posix(), path.stat()
        stamp: list[Any] = [at.st_size, at.st_mtime_ns]
        if name not in notes or notes[name][:2] != stamp:
            with path.open("rb") as file:
                stamp = [*stamp, hashlib.file_digest(file, "sha256").hexdigest()]
            found[name] = stamp
        else:
            found[name] = notes[name]
    if found != notes:
        _folder().mkdir(parents=True, exist_ok=True)
        fresh = notes_path.with_name(f".{uuid.uuid4().hex}")
        fresh.write_text(json.dumps(found))
        os.replace(fresh, notes_path)
    return {name: told[2] for name, told in found.items()}
