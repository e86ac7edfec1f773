"""Derivatives: ask for one, make it, write down that it could not be made."""

from __future__ import annotations

import errno
import os

from django.db import transaction
from django.utils import timezone

from staffroom.files import keeping, queries, sentences, signals
from staffroom.files.actions.taking import task_named
from staffroom.files.media import apart
from staffroom.files.media.limits import OutOfRoom, Refused
from staffroom.files.models import Derivative, File
from staffroom.jobs import actions as jobs
from staffroom.jobs import queries as jobs_queries

# What people wait for first is made first.
PRIORITIES = {
    Derivative.Kind.POSTER: 40,
    Derivative.Kind.CLIP: 30,
    Derivative.Kind.WEB_VIDEO: 20,
    Derivative.Kind.WEB_AUDIO: 20,
    Derivative.Kind.WAVEFORM: 10,
    Derivative.Kind.STORYBOARD: 10,
}
# CPU seconds that a derivation may take: a little at once, and so many for each second of the recording.
CPU_AT_ONCE_S, CPU_PER_S = 300, 20


@transaction.atomic
def derive(file: File, kind: str, start_ms: int = 0, end_ms: int = 0) -> Derivative:
    """Have something made of a file; asked again, returns what is there, is under way, or failed.

    A clip has a range; everything else is of the whole file. Refuses (ValueError) a range that is none.
    """
    if (kind == Derivative.Kind.CLIP) != (end_ms > 0) or start_ms < 0 or (end_ms and end_ms <= start_ms):
        raise ValueError("a clip has a range that ends after it begins; nothing else has one")
    derivative, is_new = Derivative.objects.get_or_create(file=file, kind=kind, start_ms=start_ms, end_ms=end_ms)
    is_waiting = derivative.state == Derivative.State.WAITING
    if is_new or (is_waiting and all(job.is_finished for job in jobs_queries.jobs_about(derivative))):
        label = f"{derivative.get_kind_display()}: {file.name}"
        jobs.later(
            task_named("make"), by=file.owner, about=derivative, label=label, retries=5,
            priority=PRIORITIES[Derivative.Kind(kind)], derivative=derivative.pk,
        )  # fmt: skip
    return derivative


def make(derivative: Derivative) -> Derivative:
    """Make what was asked for and put it away. Run twice, or again after being killed anywhere, it ends the same.

    Raises ``jobs.GiveUp`` for what can never be made, OSError for a full disk and ``Failed`` for what may go better next time.
    """
    file = derivative.file
    if derivative.state == Derivative.State.READY or file.state != File.State.READY:
        return derivative
    kind = Derivative.Kind(derivative.kind)
    media_type, suffix = queries.MEDIA_TYPES[kind]
    if kind == Derivative.Kind.CLIP and not file.has_picture:
        media_type = "audio/mp4"
    name = keeping.derivative_name(derivative.key, suffix)
    try:
        with (
            keeping.at_hand(file.key, file.path, jobs.report) as source,
            keeping.on_workbench(derivative.key, suffix) as target,
        ):
            details = apart.run(
                kind.value, path=source, target=target, report=_report, **_limits(file), **_range(derivative)
            )
            size = target.stat().st_size
            keeping.keep(target, name, jobs.report)
    except Refused as refused:
        sentence = sentences.refusal(refused.code, refused.details)
        fail(derivative, sentence)
        raise jobs.GiveUp(sentence) from refused
    except OutOfRoom as error:
        Derivative.objects.filter(pk=derivative.pk).update(failure=sentences.out_of_room()[:500])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from error
    return _made(derivative, name, size, media_type, details)


def _report(done: int, total: int) -> None:
    jobs.report(done=done, total=total)


def _limits(file: File) -> dict[str, int]:
    duration_s = (file.duration_ms or 0) // 1000
    return {"cpu_s": CPU_AT_ONCE_S + CPU_PER_S * duration_s, "room": 2 * file.size + apart.ROOM_BYTES}


def _range(derivative: Derivative) -> dict[str, int]:
    if derivative.kind != Derivative.Kind.CLIP:
        return {}
    return {"start_ms": derivative.start_ms, "end_ms": derivative.end_ms}


@transaction.atomic
def _made(derivative: Derivative, name: str, size: int, media_type: str, details: dict[str, object]) -> Derivative:
    locked = Derivative.objects.select_for_update(of=("self",)).filter(pk=derivative.pk).first()
    if locked is None:  # the file was removed while this was made
        keeping.remove(name)
        return derivative
    derivative.state, derivative.failure, derivative.path = Derivative.State.READY, "", name
    derivative.size, derivative.media_type, derivative.details = size, media_type, details
    derivative.made_at = timezone.now()
    derivative.save()
    signals.derivative_ready.send(Derivative, derivative=derivative)
    return derivative


@transaction.atomic
def fail(derivative: Derivative, sentence: str) -> None:
    """Write down, in words for the person who waits, that this cannot be made."""
    derivative.state, derivative.failure = Derivative.State.FAILED, sentence[:500]
    derivative.save(update_fields=["state", "failure"])
    signals.derivative_failed.send(Derivative, derivative=derivative)
