"""Where bytes lie: arriving on the local disk, kept in the storage (a folder or an S3 bucket), at hand while worked on.

A thing's name in the storage follows from its key, so work that was killed half-way finds what it had already put away.
Putting away is one step for whoever looks: the name appears with all bytes or not at all.
"""

from __future__ import annotations

import errno
import os
import shutil
import time
import uuid
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.storage import FileSystemStorage, default_storage

from staffroom.files import arriving
from staffroom.files.arriving import PartFile

CHUNK = 256 * 1024
S3_READ = 2 * 1024 * 1024
AT_HAND_S = 6 * 3600
# Below this much free disk nothing new is begun.
RESERVE_BYTES = 200 * 1024**2


def part_file(key: uuid.UUID) -> PartFile:
    return PartFile(settings.DATA / "uploads" / str(key))


def original_name(key: uuid.UUID) -> str:
    return f"originals/{key.hex[:2]}/{key}"


def derivative_name(key: uuid.UUID, suffix: str) -> str:
    return f"derivatives/{key.hex[:2]}/{key}{suffix}"


def is_local() -> bool:
    return isinstance(default_storage, FileSystemStorage)


def free_bytes() -> int:
    """Free disk where uploads arrive."""
    folder = settings.DATA
    folder.mkdir(parents=True, exist_ok=True)
    return shutil.disk_usage(folder).free


def keep(path: Path, name: str, beat: Callable[[], None] = lambda: None) -> None:
    """Move a local file into the storage under a name, replacing what was there. ``beat`` is called while it lasts."""
    if is_local():
        _keep_locally(path, Path(default_storage.path(name)))
        return
    _with_beats(lambda: _s3_object(name).upload_file(str(path)), beat)
    path.unlink(missing_ok=True)


def _keep_locally(path: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with path.open("rb+") as file:
        os.fsync(file.fileno())
    try:
        os.replace(path, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        beside = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
        shutil.copyfile(path, beside)
        os.replace(beside, target)
        path.unlink(missing_ok=True)
    _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    """The new name itself must survive a power cut."""
    try:
        opened = os.open(folder, os.O_RDONLY)
    except OSError:  # Windows opens no folders
        return
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _with_beats(work: Callable[[], None], beat: Callable[[], None]) -> None:
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(work)
        while True:
            try:
                return future.result(timeout=5)
            except TimeoutError:
                if future.done():
                    raise
                beat()


def _s3_object(name: str) -> Any:
    """The bucket's object of a name (django-storages keeps the connection)."""
    storage: Any = default_storage
    return storage.bucket.Object(name)


def put(name: str, content: bytes) -> None:
    """Put a piece of an upload into the bucket; whatever keeps it from there is an error of the disk to whoever asks."""
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        _s3_object(name).put(Body=content)
    except (BotoCoreError, Boto3Error, ClientError) as error:
        raise arriving.NoRoom from error


def piece_name(key: uuid.UUID, start: int) -> str:
    """A name of its own each time: of two that are put at the same place one will be removed again."""
    return f"arriving/{key.hex[:2]}/{key}/{start:015}-{uuid.uuid4().hex[:12]}"


@contextmanager
def gathered(key: uuid.UUID, names: list[str], beat: Callable[[], None] = lambda: None) -> Iterator[Path]:
    """A local path to pieces of the bucket, one after the other, left at hand for the next work on it."""
    path = workbench() / f"at-hand-{key}"
    coming = workbench() / f"coming-{key}-{uuid.uuid4().hex}"
    try:
        with coming.open("wb") as target:
            for name in names:
                shutil.copyfileobj(_s3_object(name).get()["Body"], target, CHUNK)
                beat()
        os.replace(coming, path)
    finally:
        coming.unlink(missing_ok=True)
    yield path


def keep_copy(path: Path, name: str, beat: Callable[[], None] = lambda: None) -> None:
    """Put a local file into the bucket and leave it where it is."""
    _with_beats(lambda: _s3_object(name).upload_file(str(path)), beat)


def old_pieces(older_than_s: float = 24 * 3600) -> Iterator[str]:
    """Names of pieces that have lain in the bucket for a day."""
    storage: Any = default_storage
    for item in () if is_local() else storage.bucket.objects.filter(Prefix="arriving/"):
        if time.time() - item.last_modified.timestamp() > older_than_s:
            yield item.key


def exists(name: str) -> bool:
    return bool(name) and default_storage.exists(name)


def size_of(name: str) -> int:
    return int(default_storage.size(name))


def remove(name: str) -> None:
    """Remove a name from the storage; one that is not there is removed already."""
    if name:
        default_storage.delete(name)


@contextmanager
def at_hand(key: uuid.UUID, name: str, beat: Callable[[], None] = lambda: None) -> Iterator[Path]:
    """A local path to a kept thing, to be read only. From S3 it is fetched once and left at hand for the next work on it."""
    if is_local():
        yield Path(default_storage.path(name))
        return
    path = workbench() / f"at-hand-{key}"
    if path.exists():
        os.utime(path)
    else:
        coming = workbench() / f"coming-{key}-{uuid.uuid4().hex}"
        try:
            _with_beats(lambda: _s3_object(name).download_file(str(coming)), beat)
            os.replace(coming, path)
        finally:
            coming.unlink(missing_ok=True)
    yield path


def forget_at_hand(key: uuid.UUID) -> None:
    (workbench() / f"at-hand-{key}").unlink(missing_ok=True)


def workbench() -> Path:
    """The folder for what is being made. Whatever is old there was left by a killed worker."""
    folder: Path = settings.DATA / "workbench"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


@contextmanager
def on_workbench(key: uuid.UUID, suffix: str) -> Iterator[Path]:
    """A fresh local path to write to, gone afterwards unless it was kept."""
    path = workbench() / f"making-{key}-{uuid.uuid4().hex}{suffix}"
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def clear_workbench(older_than_s: float = AT_HAND_S) -> int:
    """Remove what nobody has touched for hours; returns how many files that were."""
    removed = 0
    for path in workbench().iterdir():
        if path.is_file() and time.time() - path.stat().st_mtime > older_than_s:
            path.unlink(missing_ok=True)
            removed += 1
    return removed


def read(name: str, start: int, end: int) -> Generator[bytes]:
    """The bytes from ``start`` up to ``end`` in pieces of at most 256 KiB. Memory stays flat; what is not asked for is not read."""
    yield from (_read_locally if is_local() else _read_s3)(name, start, end)


def _read_locally(name: str, start: int, end: int) -> Iterator[bytes]:
    with open(default_storage.path(name), "rb", buffering=0) as file:
        file.seek(start)
        while start < end:
            piece = file.read(min(CHUNK, end - start))
            if not piece:
                return
            start += len(piece)
            yield piece


def _read_s3(name: str, start: int, end: int) -> Iterator[bytes]:
    """Ranged requests of moderate size: a viewer who pauses for an hour holds no connection to the bucket."""
    while start < end:
        last = min(end, start + S3_READ) - 1
        block = memoryview(_s3_object(name).get(Range=f"bytes={start}-{last}")["Body"].read())
        if not block:
            return
        for at in range(0, len(block), CHUNK):
            yield bytes(block[at : at + CHUNK])
        start += len(block)


def all_names() -> Iterator[tuple[str, int]]:
    """Every name in the storage that is ours, with its size."""
    storage: Any = default_storage
    if is_local():
        root = Path(storage.location)
        for kind in ("originals", "derivatives"):
            for path in sorted((root / kind).rglob("*")):
                if path.is_file():
                    yield path.relative_to(root).as_posix(), path.stat().st_size
        return
    for kind in ("originals/", "derivatives/"):
        for item in storage.bucket.objects.filter(Prefix=kind):
            yield item.key, item.size
