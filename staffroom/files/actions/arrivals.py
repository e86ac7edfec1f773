"""Uploads: begin, receive, finish, cancel, and clear away those that nobody continued."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from contextlib import nullcontext
from datetime import datetime, timedelta
from enum import Enum

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from staffroom.files import arriving, keeping, queries, rules
from staffroom.files.actions import landing
from staffroom.files.actions.taking import look_later
from staffroom.files.models import File, Upload
from staffroom.people.models import Person
from staffroom.permissions import queries as permissions

OPEN_UPLOADS_MOST = 50


class Why(Enum):
    """Why an upload was not taken; each door turns it into its own answer."""

    TOO_LARGE = "too large"
    NO_QUOTA = "no quota"
    NO_DISK = "no disk"
    TOO_MANY = "too many"
    WRONG_OFFSET = "wrong offset"
    WRONG_LENGTH = "wrong length"
    WRONG_CHECKSUM = "wrong checksum"
    BUSY = "busy"
    FINISHED = "finished"
    GONE = "gone"


class UploadRefused(Exception):
    """Nothing was taken, or only what had fitted before; the sentence is for the person who uploads."""

    def __init__(self, why: Why, sentence: str) -> None:
        super().__init__(sentence)
        self.why = why


def begin_upload(
    *,
    by: Person,
    name: str,
    size: int | None,
    media_type: str = "",
    purpose: str = "",
    metadata: dict[str, str] | None = None,
) -> Upload:
    """Make room for a file that is to come; ``size`` is None while a recording still runs.

    Refuses (UploadRefused) what is larger than the site or the person's quota allows, a full disk, and too many at once.
    """
    if size is not None:
        _refuse_size(size, by)
    if size is not None and keeping.is_local() and keeping.free_bytes() - size < keeping.RESERVE_BYTES:
        raise UploadRefused(
            Why.NO_DISK, _("There is no room for this file on the server's disk. Tell your administrator.")
        )
    if queries.uploads_for(by).filter(finished_at=None).count() >= OPEN_UPLOADS_MOST:
        raise UploadRefused(Why.TOO_MANY, _("You have many uploads under way. Finish or cancel some first."))
    upload = Upload.objects.create(
        key=uuid.uuid4(), owner=by, name=name[:255] or _("unnamed"), size=size, media_type=media_type[:100],
        purpose=purpose[:32], metadata=metadata or {}, expires_at=_expiry(),
    )  # fmt: skip
    if keeping.is_local():
        keeping.part_file(upload.key).create()
    return upload


def _expiry() -> datetime:
    return timezone.now() + timedelta(days=settings.UPLOAD_DAYS)


def _refuse_size(size: int, by: Person) -> None:
    if size > settings.UPLOAD_MAX_BYTES:
        most = settings.UPLOAD_MAX_BYTES // 1024**3
        raise UploadRefused(Why.TOO_LARGE, _("The file is larger than %(most)s GB.") % {"most": most})
    if size > queries.room_left(by):
        raise UploadRefused(Why.NO_QUOTA, _("Your room for files is full. Remove recordings that you no longer need."))


# Long, since it is the table of what can go wrong on the way and what the client is told.
def receive(
    *,
    by: Person,
    upload: Upload,
    chunks: Iterable[bytes],
    offset: int,
    size: int | None = None,
    length: int | None = None,
    checksum: tuple[str, bytes] | None = None,
    patience_s: float = 2.0,
) -> int:
    """Append bytes that arrive, for as long as they arrive, and return the new offset; finishes the upload that is whole.

    ``size`` tells the length of an upload that was begun without; ``length`` is how much this request announces to bring.
    Refuses a wrong offset, more than the upload's size, and a second request while a first still brings bytes. Every byte
    written before a connection broke counts.
    """
    if not rules.may_continue(by, upload):
        raise PermissionDenied
    part = keeping.part_file(upload.key)
    try:
        with part.turn(patience_s) if keeping.is_local() else nullcontext():
            upload.refresh_from_db()
            _refuse_offset(upload, part, offset)
            _set_size(upload, size, offset, by)
            most = _most(upload, offset, by)
            if length and offset + length > most:
                raise _too_much(upload)
            if keeping.is_local():
                arrived = part.append(chunks, most=most, checksum=checksum)
            else:
                arrived = landing.take(upload, chunks, offset=offset, most=most, checksum=checksum)
            _note_arrival(upload, arrived)
        if arrived == upload.size:
            finish_upload(upload)
    except landing.Overtaken as error:
        upload.refresh_from_db()
        raise _stands_elsewhere(upload.offset) from error
    except arriving.Busy as error:
        raise UploadRefused(Why.BUSY, _("Another connection is still uploading this file.")) from error
    except arriving.TooMuch as error:
        raise _too_much(upload) from error
    except arriving.ChecksumMismatch as error:
        raise UploadRefused(Why.WRONG_CHECKSUM, _("The bytes were changed on their way. Send them again.")) from error
    except arriving.NoRoom as error:
        raise UploadRefused(
            Why.NO_DISK, _("The server's disk is full. What arrived is kept; try again later.")
        ) from error
    except Upload.DoesNotExist as error:
        part.remove()
        raise UploadRefused(Why.GONE, _("This upload was canceled.")) from error
    return arrived


def _refuse_offset(upload: Upload, part: arriving.PartFile, offset: int) -> None:
    if upload.finished_at:
        raise UploadRefused(Why.FINISHED, _("This upload is finished."))
    if keeping.is_local() and not part.exists():
        part.create()
    stands_at = queries.received(upload)
    if stands_at != offset:
        raise _stands_elsewhere(stands_at)


def _stands_elsewhere(offset: int) -> UploadRefused:
    return UploadRefused(Why.WRONG_OFFSET, _("The upload stands at byte %(offset)s.") % {"offset": offset})


def _set_size(upload: Upload, size: int | None, offset: int, by: Person) -> None:
    if size is None or size == upload.size:
        return
    if upload.size is not None or size < offset:
        raise UploadRefused(Why.WRONG_LENGTH, _("The length of an upload cannot be changed."))
    _refuse_size(size - offset, by)
    if size > settings.UPLOAD_MAX_BYTES:
        raise _too_much(upload)
    upload.size = size
    if keeping.is_local():
        upload.offset = offset
    upload.save(update_fields=["size", "offset"] if keeping.is_local() else ["size"])


def _most(upload: Upload, offset: int, by: Person) -> int:
    """How large the part may become: its announced size, or what site and quota leave to a running recording."""
    if upload.size is not None:
        return upload.size
    left = queries.room_left(by) + upload.offset
    return min(int(settings.UPLOAD_MAX_BYTES), max(left, offset))


def _too_much(upload: Upload) -> UploadRefused:
    if upload.size is None:
        return UploadRefused(Why.NO_QUOTA, _("Your room for files is full. What arrived is kept."))
    return UploadRefused(Why.TOO_LARGE, _("More bytes came than the upload was begun with."))


def _note_arrival(upload: Upload, arrived: int) -> None:
    """Let the row follow the part file. A row that is gone was canceled while the bytes came."""
    upload.offset, upload.touched_at, upload.expires_at = arrived, timezone.now(), _expiry()
    told: dict[str, object] = {"touched_at": upload.touched_at, "expires_at": upload.expires_at}
    if keeping.is_local():
        told["offset"] = arrived  # in a bucket the row moves on with each piece, whoever brings it
    if not Upload.objects.filter(pk=upload.pk).update(**told):
        raise Upload.DoesNotExist


def finish_upload(upload: Upload) -> File | None:
    """Turn an upload whose bytes are all here into a file, and have it looked at. A second time changes nothing.

    Called by whoever notices first: the request that brought the last byte, a client that asks where it stands after the
    server was killed, or the hourly round. None while bytes are missing.
    """
    with transaction.atomic():
        locked = Upload.objects.select_for_update(of=("self",)).select_related("owner", "file").get(pk=upload.pk)
        if locked.finished_at is None:
            if locked.size is None or queries.received(locked) != locked.size:
                return None
            locked.file = File.objects.create(
                key=locked.key, owner=locked.owner, name=locked.name, media_type=locked.media_type, size=locked.size,
                ends_on=permissions.retention_end(locked.owner),
            )  # fmt: skip
            locked.offset, locked.finished_at = locked.size, timezone.now()
            locked.save(update_fields=["file", "offset", "finished_at"])
            look_later(locked.file)
    upload.file, upload.offset, upload.finished_at = locked.file, locked.offset, locked.finished_at
    return locked.file


def cancel_upload(*, by: Person, upload: Upload) -> None:
    """Give an unfinished upload up, with all bytes that came. A finished one is a file and stays."""
    if not rules.may_continue(by, upload):
        raise PermissionDenied
    if upload.finished_at:
        raise UploadRefused(Why.FINISHED, _("This upload is finished. Remove the recording where it is kept."))
    upload.delete()


def clear_uploads() -> int:
    """Finish what is whole, remove what has expired, and sweep away bytes without an upload; returns how many went."""
    for upload in Upload.objects.filter(finished_at=None).exclude(size=None):
        finish_upload(upload)
    removed = 0
    for upload in Upload.objects.filter(finished_at=None, expires_at__lt=timezone.now()):
        upload.delete()
        removed += 1
    return removed + _sweep_parts() + landing.sweep()


def _sweep_parts() -> int:
    """Part files whose upload is gone and whose file has been put away, a day old at least."""
    folder = settings.DATA / "uploads"
    removed = 0
    for path in folder.iterdir() if folder.is_dir() else ():
        key = path.name.split(".")[0]
        is_old = timezone.now().timestamp() - path.stat().st_mtime > 24 * 3600
        if is_old and not _is_awaited(key):
            path.unlink(missing_ok=True)
            removed += 1
    return removed


def _is_awaited(key: str) -> bool:
    try:
        parsed = uuid.UUID(key)
    except ValueError:
        return False
    waiting = File.objects.filter(key=parsed, state=File.State.CHECKING)
    return Upload.objects.filter(key=parsed, finished_at=None).exists() or waiting.exists()
