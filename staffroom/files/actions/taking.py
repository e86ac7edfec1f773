"""Files: look at what arrived and put it away, take in what comes by another way, remove."""

from __future__ import annotations

import shutil
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any, BinaryIO

import structlog
from django.db import transaction
from django.utils import timezone
from django.utils.module_loading import import_string

from staffroom.files import keeping, rules, sentences, signals
from staffroom.files.actions import landing
from staffroom.files.media import apart
from staffroom.files.media.limits import OutOfRoom, Refused
from staffroom.files.models import File, Upload
from staffroom.jobs import actions as jobs
from staffroom.jobs.queries import jobs_about
from staffroom.people.models import Person
from staffroom.permissions import queries as permissions

log = structlog.get_logger(__name__)

LOOK_CPU_S = 600


def take_in(*, by: Person, name: str, stream_or_path: BinaryIO | Path | str, purpose: str = "") -> File:
    """Bring a file by another way than an upload: a demo, an import, a test. It is looked at before this returns.

    Returns a file that is ready or refused, exactly as if it had been uploaded (its signals are sent).
    """
    key = uuid.uuid4()
    part = keeping.part_file(key)
    part.create()
    try:
        with part.path.open("wb") as target:
            if isinstance(stream_or_path, str | Path):
                with Path(stream_or_path).open("rb") as source:
                    shutil.copyfileobj(source, target, 1024 * 1024)
            else:
                shutil.copyfileobj(stream_or_path, target, 1024 * 1024)
        file = File.objects.create(
            key=key, owner=by, name=name[:255], size=part.path.stat().st_size, ends_on=permissions.retention_end(by)
        )
    except BaseException:
        part.remove()
        raise
    look_at(file, purpose=purpose)
    return file


def task_named(name: str) -> Any:
    """A task of this room by its name: tasks call actions, so actions cannot import them."""
    return import_string(f"staffroom.files.tasks.{name}")


def look_later(file: File) -> None:
    """Have a file looked at by a worker."""
    jobs.later(task_named("look"), by=file.owner, about=file, label=file.name, retries=5, priority=50, file=file.pk)


def look_at(file: File, *, purpose: str = "") -> File:
    """Find out what a file is, put its bytes away and make it ready, or refuse it with a sentence and remove them.

    Safe to run again after being killed anywhere. Raises ``OutOfRoom`` and ``Failed``, after which trying again may help.
    """
    if file.state != File.State.CHECKING:
        return file
    part, name = keeping.part_file(file.key), keeping.original_name(file.key)
    upload = Upload.objects.filter(file=file).first()
    try:
        if part.exists():
            facts = apart.run("look", path=part.path, name=file.name, cpu_s=LOOK_CPU_S, report=_beat)
        elif keeping.exists(name):
            with keeping.at_hand(file.key, name, jobs.report) as path:
                facts = apart.run("look", path=path, name=file.name, cpu_s=LOOK_CPU_S, report=_beat)
        elif landing.is_in_pieces(file):
            with landing.together(file) as path:
                facts = apart.run("look", path=path, name=file.name, cpu_s=LOOK_CPU_S, report=_beat)
                keeping.keep_copy(path, name, jobs.report)
        else:
            raise Refused("bytes_missing")
        if not rules.may_be_used_for(purpose or (upload.purpose if upload else ""), facts["kind"]):
            raise Refused("wrong_kind")
    except Refused as refused:
        return _refuse(file, sentences.refusal(refused.code, refused.details))
    if part.exists():
        keeping.keep(part.path, name, jobs.report)
        part.forget_marks()
    return _make_ready(file, name, facts)


def _beat(_done: int, _total: int) -> None:
    jobs.report()


@transaction.atomic
def _make_ready(file: File, name: str, facts: dict[str, object]) -> File:
    found = File.objects.select_for_update().filter(pk=file.pk, state=File.State.CHECKING).first()
    if found is None:  # removed meanwhile
        keeping.remove(name)
        return file
    landing.forget_pieces(file)
    file.path, file.state = name, File.State.READY
    for fact in ("kind", "media_type", "sha256", "duration_ms", "width", "height"):
        setattr(file, fact, facts[fact])
    file.streams = facts["details"]
    file.save()
    signals.file_ready.send(File, file=file)
    return file


@transaction.atomic
def _refuse(file: File, sentence: str) -> File:
    """Nothing can be done with these bytes, and their owner has them: they are not kept."""
    file.state, file.refusal = File.State.REFUSED, sentence[:500]
    file.save(update_fields=["state", "refusal"])
    signals.file_refused.send(File, file=file)
    transaction.on_commit(lambda: _drop_bytes(file))
    return file


def _drop_bytes(file: File) -> None:
    landing.forget_pieces(file)
    keeping.part_file(file.key).remove()
    keeping.remove(keeping.original_name(file.key))
    keeping.forget_at_hand(file.key)


def look_failed(file: File, error: str) -> None:
    """The last attempt to look at a file broke off: refuse it, unless only the disk was full."""
    if file.state == File.State.CHECKING and error != OutOfRoom.__name__:
        log.warning("file_look_failed", file=file.pk, error=error)
        _refuse(file, sentences.refusal("crashed"))


@transaction.atomic
def remove(file: File) -> None:
    """Remove a file with everything made from it: rows now, bytes when the transaction is committed. Stops media at once."""
    file.delete()


def look_again() -> int:
    """Have files looked at that still wait although no job is about to: the disk was full, or a queue was lost."""
    hour_ago = timezone.now() - timedelta(hours=1)
    waiting = File.objects.filter(state=File.State.CHECKING, created_at__lt=hour_ago)
    stuck = [file for file in waiting if not any(not job.is_finished for job in jobs_about(file))]
    for file in stuck:
        look_later(file)
    return len(stuck)
