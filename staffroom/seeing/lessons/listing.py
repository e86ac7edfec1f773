"""Lessons and clips as rows of a list, for pages and for the API: only what a list shows, by questions that are ready.

The rules are those of everywhere (``rules.lent_to_viewer``); thirty lessons with all that belongs to them would cost four times as much.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from staffroom.files.models import Derivative, File
from staffroom.people.models import Person, name_of
from staffroom.people.prepared import prepared
from staffroom.permissions import queries as permissions
from staffroom.seeing.lessons import queries, recordings, rules
from staffroom.seeing.lessons.models import Clip, Lesson, Moment
from staffroom.seeing.lessons.recordings import Progress
from staffroom.ui.addresses import address


class LessonRow(NamedTuple):
    """One of my lessons."""

    pk: int
    key: UUID
    slug: str
    title: str
    taught_on: date
    ends_on: date
    section: str | None
    focus: str
    focus_code: str | None
    focus_title: str | None
    file_state: str | None
    video_state: str | None
    audio_state: str | None
    duration_ms: int | None
    moment_count: int
    clip_count: int

    @property
    def url(self) -> str:
        return address("lessons:lesson", self.slug)

    @property
    def focus_shown(self) -> str:
        """The chosen statement of a framework, or what was written instead."""
        return self.focus if self.focus_title is None else f"{self.focus_code} {self.focus_title}".strip()

    @property
    def cursor(self) -> str:
        return f"{self.taught_on.isoformat()}.{self.pk}"

    @property
    def is_ready(self) -> bool:
        """Whether it can be watched; what is still on its way is told by ``recordings.progress_in``."""
        return self.file_state == File.State.READY and (self.video_state or self.audio_state) == Derivative.State.READY


def lessons_listed(viewer: Person, cursor: str = "", *, most: int) -> list[tuple[LessonRow, Progress]]:
    """The viewer's own lessons, newest first, each with how far its recording is. Few are on their way: those are looked at."""
    rows = [LessonRow(*row) for row in _lessons(viewer.pk, *queries.lesson_place(cursor), most=most)]
    moving = [row.pk for row in rows if not row.is_ready]
    found = queries.lessons_for(viewer).filter(pk__in=moving) if moving else []
    progress = {lesson.pk: each for lesson, each in recordings.progress_in(list(found))} if moving else {}
    return [(row, progress.get(row.pk, _READY)) for row in rows]


_READY = Progress("ready")


@prepared
def _lessons(owner: int, *after: Any, most: int) -> QuerySet[Lesson, Any]:
    found = Lesson.objects.filter(owner=owner)
    if after:
        taught_on, pk = after
        found = found.filter(Q(taught_on__lt=taught_on) | Q(taught_on=taught_on, pk__lt=pk))
    counted = found.annotate(
        video_state=_state_of(Derivative.Kind.WEB_VIDEO),
        audio_state=_state_of(Derivative.Kind.WEB_AUDIO),
        moment_count=_count_of(Moment),
        clip_count=_count_of(Clip),
    ).order_by("-taught_on", "-pk")
    return counted.values_list(
        "pk", "key", "slug", "title", "taught_on", "ends_on", "section__title", "focus", "focus_element__code",
        "focus_element__title", "file__state", "video_state", "audio_state", "file__duration_ms", "moment_count", "clip_count",
    )[:most]  # fmt: skip


def _state_of(kind: str) -> Subquery:
    made = Derivative.objects.filter(file=OuterRef("file"), kind=kind, end_ms=0).order_by("-pk")
    return Subquery(made.values("state")[:1])


def _count_of(model: type[Moment] | type[Clip]) -> Coalesce:
    each = model._default_manager.filter(lesson=OuterRef("pk")).order_by()
    return Coalesce(Subquery(each.values("lesson").annotate(n=Count("pk")).values("n")), 0)


class OwnClipRow(NamedTuple):
    """A clip of one of my lessons, with how many loans of it stand."""

    key: UUID
    title: str
    start_ms: int
    end_ms: int
    live_share_count: int

    @property
    def url(self) -> str:
        return address("clips:clip", self.key)


def clips_in(viewer: Person, lesson: Lesson) -> list[OwnClipRow]:
    """The clips of one's own lesson, in order of time: ``queries.clips_of`` as rows."""
    found = _own_clips(lesson.pk, viewer.pk, rules.kind_of_clips(), timezone.now())
    return [OwnClipRow(*row) for row in found]


@prepared
def _own_clips(lesson: int, owner: int, kind: int, at: datetime) -> QuerySet[Clip, Any]:
    found = Clip.objects.filter(lesson=lesson, lesson__owner=owner).order_by("start_ms", "pk")
    counted = permissions.counting_live_shares(found, kind, at)
    return counted.values_list("key", "title", "start_ms", "end_ms", "live_share_count")


class ClipRow(NamedTuple):
    """A clip that a colleague has lent to me."""

    pk: int
    key: UUID
    title: str
    question: str
    start_ms: int
    end_ms: int
    lesson_key: UUID
    taught_on: date
    owner: str

    @property
    def url(self) -> str:
        return address("clips:clip", self.key)


def clips_listed(viewer: Person, cursor: str = "", *, most: int) -> list[ClipRow]:
    """Clips of colleagues that the viewer may open, newest loan first: ``queries.clips_lent_to`` as rows."""
    after = [int(cursor)] if cursor.isdecimal() and len(cursor) < 19 else []
    found = _clips(*rules.viewer_in_values(viewer), *after, most=most)
    return [ClipRow._make([*row, name_of(given, family, preferred)]) for *row, given, family, preferred in found]


@prepared
def _clips(*values: Any, most: int) -> QuerySet[Clip, Any]:
    width = len(rules.Viewer._fields)
    found = Clip.objects.filter(rules.lent_to_viewer(rules.Viewer(*values[:width])))
    if after := values[width:]:
        found = found.filter(pk__lt=after[0])
    return found.order_by("-pk").values_list(
        "pk", "key", "title", "question", "start_ms", "end_ms", "lesson__key", "lesson__taught_on",
        "lesson__owner__given_name", "lesson__owner__family_name", "lesson__owner__preferred_name",
    )[:most]  # fmt: skip
