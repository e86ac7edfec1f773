"""The recordings of lessons: how far each is on its way, and what of it can be watched.

Of lessons and clips that were found for somebody before (`queries`): who may see them is not asked here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db.models import QuerySet, prefetch_related_objects
from django.utils import timezone

from staffroom.files.models import Derivative, File, Upload
from staffroom.files.queries import received, uploads_for
from staffroom.jobs import queries as jobs
from staffroom.people.models import Person
from staffroom.people.prepared import prepared
from staffroom.seeing.lessons.models import Clip, Lesson

WATCHABLE = (Derivative.Kind.WEB_VIDEO, Derivative.Kind.WEB_AUDIO)
QUIET_UPLOAD_S = 90
MOST_PICTURES = 30  # a second, where a video was encoded again


@dataclass(frozen=True)
class Progress:
    """Where a lesson's recording is on its way: ``state`` is empty, uploading, stopped, checking, refused, making, failed, ready."""

    state: str
    done: int = 0
    total: int = 0
    message: str = ""

    @property
    def is_moving(self) -> bool:
        return self.state in ("uploading", "checking", "making")

    @property
    def fraction(self) -> float | None:
        return self.done / self.total if self.total else None

    @property
    def percent(self) -> str:
        return f"{100 * self.done // self.total} %" if self.total else ""


def progress_in(lessons: list[Lesson]) -> list[tuple[Lesson, Progress]]:
    """How far the recordings of a list are, asking once for all of them."""
    with_media(lessons)
    bare = {str(lesson.key): lesson for lesson in lessons if lesson.file is None and lesson.upload is None}
    owners = {lesson.owner_id for lesson in bare.values()}
    found = Upload.objects.filter(owner__in=owners, metadata__lesson__in=list(bare)).select_related("file")
    recordings = {upload.metadata["lesson"]: upload for upload in found.order_by("pk")} if bare else {}
    return [(lesson, _progress(lesson, recordings.get(str(lesson.key)))) for lesson in lessons]


def progress_of(lesson: Lesson) -> Progress:
    """How far the recording is, in the same words for list, page and API."""
    is_bare = lesson.file is None and lesson.upload is None
    return _progress(lesson, recording_of(lesson) if is_bare else None)


def _progress(lesson: Lesson, recording: Upload | None) -> Progress:
    if lesson.file is not None:
        return _progress_of_file(lesson.file)
    upload = lesson.upload or recording
    if upload is None:
        return Progress("empty")
    if upload.file is not None:
        return _progress_of_file(upload.file)
    is_quiet = (timezone.now() - upload.touched_at).total_seconds() > QUIET_UPLOAD_S
    return Progress("stopped" if is_quiet else "uploading", received(upload), upload.size or 0)


def _progress_of_file(file: File) -> Progress:
    if file.state == File.State.REFUSED:
        return Progress("refused", message=file.refusal)
    if file.state == File.State.CHECKING:
        return Progress("checking")
    made = media_of(file)
    if made is None:
        return Progress("making")
    if made.state == Derivative.State.FAILED:
        return Progress("failed", message=made.failure)
    if made.state == Derivative.State.READY:
        return Progress("ready")
    job = jobs.jobs_about(made).first() or jobs.jobs_about(file).first()
    return Progress("making", job.done or 0, job.total or 0, job.message) if job else Progress("making")


def recording_of(lesson: Lesson) -> Upload | None:
    """The newest upload that says it belongs to this lesson: a recording on its way, or one that broke off."""
    found = Upload.objects.filter(owner=lesson.owner_id, metadata__lesson=str(lesson.key)).select_related("file")
    return found.order_by("-pk").first()


def upload_for(viewer: Person, key: str | None) -> Upload | None:
    """An upload of the viewer's own by its key; what is no key names none."""
    try:
        return uploads_for(viewer).filter(key=UUID(key or "")).select_related("file").first()
    except ValueError:
        return None


def media_of(file: File) -> Derivative | None:
    """What is played: the web video, or the sound where there is no picture."""
    found = {each.kind: each for each in _made(file) if each.kind in WATCHABLE and not each.end_ms}
    return found.get(Derivative.Kind.WEB_VIDEO) or found.get(Derivative.Kind.WEB_AUDIO)


def derivative_of(file: File, kind: str, start_ms: int = 0, end_ms: int = 0) -> Derivative | None:
    """One finished thing made from a file, or nothing while it is not there."""
    wanted = (kind, start_ms, end_ms, Derivative.State.READY)
    return next((each for each in _made(file) if (each.kind, each.start_ms, each.end_ms, each.state) == wanted), None)


def made_for_clip(clip: Clip, kind: str) -> Derivative | None:
    """What was made from the clip's whole recording, for taking the clip's own seconds out of it; once the clip itself is ready."""
    media = clip_media_of(clip)
    if clip.lesson.file is None or media is None or media.state != Derivative.State.READY:
        return None
    return derivative_of(clip.lesson.file, kind)


def clip_media_of(clip: Clip) -> Derivative | None:
    """The file that was cut for the clip, in whatever state."""
    wanted = (Derivative.Kind.CLIP, clip.start_ms, clip.end_ms)
    made = _made(clip.lesson.file) if clip.lesson.file else ()
    return next((each for each in made if (each.kind, each.start_ms, each.end_ms) == wanted), None)


def frame_rate_of(made: Derivative) -> float:
    """Pictures a second of a video that was made from a recording; 0 where that is not known."""
    video = (made.file.streams or {}).get("video")
    rate = float(video.get("rate") or 0) if isinstance(video, dict) else 0.0
    return rate if made.details.get("is_copied") else min(rate, MOST_PICTURES)


def with_media(lessons: list[Lesson]) -> list[Lesson]:
    """Lessons with what was made of their files at hand, so that a list asks once for all of them."""
    prefetch_related_objects(lessons, "file__derivatives")
    return lessons


def keep_at_hand(file: File | None) -> None:
    """What was made of a recording, asked once for all places of a page that look for something of it."""
    if file is None:
        return
    made = _made_of(file.pk)
    for each in made:
        each.file = file
    vars(file)["_made"] = made


def _made(file: File) -> Iterable[Derivative]:
    at_hand: Iterable[Derivative] | None = vars(file).get("_made")
    return file.derivatives.all() if at_hand is None else at_hand


@prepared
def _made_of(file: int) -> QuerySet[Derivative]:
    return Derivative.objects.filter(file=file).order_by("pk")
