"""Lessons, moments and clips for programs: the same deeds as the pages, the same rules, the same refusals.

Lists answer at most 100 rows and ``next``, the cursor of what comes after them; empty at the end.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest
from ninja import Field, Router, Schema, Status
from ninja.params.functions import Query as QueryParameter

from staffroom.frameworks.models import Element
from staffroom.frameworks.queries import elements_for
from staffroom.people import queries as people
from staffroom.people.models import Person, Section
from staffroom.permissions import queries as permissions
from staffroom.permissions.models import Circle, Share
from staffroom.permissions.queries import live_shares_of
from staffroom.seeing.lessons import actions, listing, queries, recordings
from staffroom.seeing.lessons.models import Clip, Lesson, Moment

router = Router(tags=["Lessons"])

MOST = 100
LATEST_MS = 24 * 3600 * 1000


class LessonOut(Schema):
    key: UUID
    slug: str
    title: str
    taught_on: date
    section: str | None
    focus: str
    state: str
    duration_ms: int | None
    ends_on: date


class LessonsOut(Schema):
    lessons: list[LessonOut]
    next: str


class LessonIn(Schema):
    title: str = Field(max_length=200)
    section: int | None = Field(None, ge=1, le=2**62)
    taught_on: date | None = None
    focus: str = Field("", max_length=300)


class MomentOut(Schema):
    key: UUID
    clip: UUID | None
    start_ms: int
    end_ms: int | None
    kind: str
    text: str
    author: str | None
    element: str | None
    created_at: datetime


class MomentsOut(Schema):
    moments: list[MomentOut]
    next: str


class MomentIn(Schema):
    start_ms: int = Field(ge=0, le=LATEST_MS)
    end_ms: int | None = Field(None, ge=0, le=LATEST_MS)
    kind: Moment.Kind = Moment.Kind.NOTE
    text: str = Field(max_length=5000)
    element: int | None = Field(None, ge=1, le=2**62)


class ClipOut(Schema):
    key: UUID
    lesson: UUID
    title: str
    question: str
    start_ms: int
    end_ms: int
    owner: str


class ClipsOut(Schema):
    clips: list[ClipOut]
    next: str


class ClipIn(Schema):
    start_ms: int = Field(ge=0, le=LATEST_MS)
    end_ms: int = Field(ge=0, le=LATEST_MS)
    title: str = Field(max_length=200)
    question: str = Field("", max_length=2000)
    has_moments: bool = False


class ShareIn(Schema):
    """Exactly one of person, circle and organization, by its key; the audience follows from it."""

    until: datetime
    person: UUID | None = None
    circle: UUID | None = None
    organization: UUID | None = None
    is_reflect_first: bool = False
    may_download: bool = False


class ShareOut(Schema):
    key: UUID
    audience: str
    to: str
    until: datetime


class ReplyIn(Schema):
    text: str = Field(max_length=5000)


class ReplyOut(Schema):
    key: UUID
    text: str
    created_at: datetime


class Refused(Schema):
    detail: str


WRONG = {401: Refused, 404: Refused, 422: Refused}
LIMIT: Any = QueryParameter(30, ge=1, le=MOST)
AFTER: Any = QueryParameter("", max_length=40)


def _viewer(request: HttpRequest) -> Person:
    assert isinstance(request.user, Person)
    return request.user


def _own_lesson(request: HttpRequest, key: UUID) -> Lesson:
    found = queries.lessons_for(_viewer(request)).filter(key=key).first()
    if found is None:
        raise Http404
    return found


def _clip(request: HttpRequest, key: UUID) -> Clip:
    found = queries.clip_for(_viewer(request), key)
    if found is None:
        raise Http404
    return found


def _moment(request: HttpRequest, key: UUID) -> Moment:
    found = queries.moment_for(_viewer(request), key)
    if found is None:
        raise Http404
    return found


def _lesson_out(lesson: Lesson, progress: recordings.Progress) -> dict[str, Any]:
    return {
        "key": lesson.key, "slug": lesson.slug, "title": lesson.title, "taught_on": lesson.taught_on,
        "section": str(lesson.section) if lesson.section else None,
        "focus": str(lesson.focus_element) if lesson.focus_element else lesson.focus,
        "state": progress.state,
        "duration_ms": lesson.file.duration_ms if lesson.file else None, "ends_on": lesson.ends_on,
    }  # fmt: skip


def _lesson_row_out(lesson: listing.LessonRow, progress: recordings.Progress) -> dict[str, Any]:
    return {
        "key": lesson.key, "slug": lesson.slug, "title": lesson.title, "taught_on": lesson.taught_on,
        "section": lesson.section, "focus": lesson.focus_shown, "state": progress.state,
        "duration_ms": lesson.duration_ms, "ends_on": lesson.ends_on,
    }  # fmt: skip


def _moment_out(moment: Moment) -> dict[str, Any]:
    return {
        "key": moment.key, "clip": moment.clip.key if moment.clip else None, "start_ms": moment.start_ms,
        "end_ms": moment.end_ms, "kind": moment.kind, "text": moment.text,
        "author": moment.author.full_name if moment.author else None,
        "element": str(moment.element) if moment.element else None, "created_at": moment.created_at,
    }  # fmt: skip


def _clip_out(clip: Clip) -> dict[str, Any]:
    return {
        "key": clip.key, "lesson": clip.lesson.key, "title": clip.title, "question": clip.question,
        "start_ms": clip.start_ms, "end_ms": clip.end_ms, "owner": clip.lesson.owner.full_name,
    }  # fmt: skip


def _clip_row_out(clip: listing.ClipRow) -> dict[str, Any]:
    return {
        "key": clip.key, "lesson": clip.lesson_key, "title": clip.title, "question": clip.question,
        "start_ms": clip.start_ms, "end_ms": clip.end_ms, "owner": clip.owner,
    }  # fmt: skip


def _cut(rows: list[Any], limit: int, cursor_of: Any) -> tuple[list[Any], str]:
    """The rows that were asked for, and the cursor of what comes after them."""
    return rows[:limit], str(cursor_of(rows[limit - 1])) if len(rows) > limit else ""


@router.get("/lessons/", response={200: LessonsOut, 401: Refused, 422: Refused})
def list_lessons(request: HttpRequest, limit: int = LIMIT, after: str = AFTER) -> dict[str, Any]:
    """My lessons, newest first."""
    rows, cursor = _cut(
        listing.lessons_listed(_viewer(request), after, most=limit + 1), limit, lambda row: row[0].cursor
    )
    return {"lessons": [_lesson_row_out(*row) for row in rows], "next": cursor}


@router.post("/lessons/", response={201: LessonOut, 401: Refused, 422: Refused})
def begin_lesson(request: HttpRequest, body: LessonIn) -> Status[dict[str, Any]]:
    """Begin a lesson. Its recording follows as an upload (tus) whose metadata names the lesson by its key."""
    section = _section(_viewer(request), body.section)
    lesson = actions.begin_lesson(
        by=_viewer(request), title=body.title, section=section, taught_on=body.taught_on, focus=body.focus
    )
    return Status(201, _lesson_out(lesson, recordings.progress_of(lesson)))


def _section(viewer: Person, number: int | None) -> Section | None:
    """The section by its number; one that the viewer does not teach is none that exists, and refused by the deed."""
    if number is None:
        return None
    return people.sections_of(viewer).filter(pk=number).first() or Section(pk=0)


@router.get("/lessons/{uuid:key}/", response={200: LessonOut, **WRONG})
def show_lesson(request: HttpRequest, key: UUID) -> dict[str, Any]:
    """One of my lessons."""
    lesson = _own_lesson(request, key)
    return _lesson_out(lesson, recordings.progress_of(lesson))


@router.delete("/lessons/{uuid:key}/", response={204: None, **WRONG})
def delete_lesson(request: HttpRequest, key: UUID) -> Status[None]:
    """Delete a lesson with everything in it; every loan ends at once."""
    actions.delete_lesson(by=_viewer(request), lesson=_own_lesson(request, key))
    return Status(204, None)


@router.get("/lessons/{uuid:key}/moments/", response={200: MomentsOut, **WRONG})
def list_moments(request: HttpRequest, key: UUID, limit: int = LIMIT, after: str = AFTER) -> dict[str, Any]:
    """The moments of one of my lessons, in order of time."""
    return _moments(queries.moments_in_lesson(_viewer(request), _own_lesson(request, key)), limit, after)


def _moments(found: Any, limit: int, after: str) -> dict[str, Any]:
    rows, cursor = _cut(list(queries.moments_after(found, after)[: limit + 1]), limit, queries.moment_cursor)
    return {"moments": [_moment_out(moment) for moment in rows], "next": cursor}


@router.post("/lessons/{uuid:key}/moments/", response={201: MomentOut, **WRONG})
def note_moment(request: HttpRequest, key: UUID, body: MomentIn) -> Status[dict[str, Any]]:
    """Note a moment in one of my lessons."""
    return Status(201, _note(request, _own_lesson(request, key), None, body))


@router.get("/lessons/{uuid:key}/clips/", response={200: ClipsOut, **WRONG})
def list_clips(request: HttpRequest, key: UUID) -> dict[str, Any]:
    """The clips of one of my lessons, at most 100."""
    lesson = _own_lesson(request, key)
    found = queries.clips_of(_viewer(request), lesson).select_related("lesson__owner")[:MOST]
    return {"clips": [_clip_out(clip) for clip in found], "next": ""}


@router.post("/lessons/{uuid:key}/clips/", response={201: ClipOut, **WRONG})
def make_clip(request: HttpRequest, key: UUID, body: ClipIn) -> Status[dict[str, Any]]:
    """Cut a clip out of one of my lessons."""
    clip = actions.make_clip(by=_viewer(request), lesson=_own_lesson(request, key), **body.dict())
    return Status(201, _clip_out(clip))


@router.get("/clips/", response={200: ClipsOut, 401: Refused, 422: Refused})
def list_lent_clips(request: HttpRequest, limit: int = LIMIT, after: str = AFTER) -> dict[str, Any]:
    """Clips that colleagues lend me, newest first."""
    rows, cursor = _cut(listing.clips_listed(_viewer(request), after, most=limit + 1), limit, lambda clip: clip.pk)
    return {"clips": [_clip_row_out(clip) for clip in rows], "next": cursor}


@router.get("/clips/{uuid:key}/", response={200: ClipOut, **WRONG})
def show_clip(request: HttpRequest, key: UUID) -> dict[str, Any]:
    """A clip of mine, or one that is lent to me; its owner sees that it was opened."""
    clip = _clip(request, key)
    actions.open_clip(by=_viewer(request), clip=clip)
    return _clip_out(clip)


@router.get("/clips/{uuid:key}/moments/", response={200: MomentsOut, **WRONG})
def list_clip_moments(request: HttpRequest, key: UUID, limit: int = LIMIT, after: str = AFTER) -> dict[str, Any]:
    """What was noted in a clip, as far as the viewer may read it."""
    return _moments(queries.moments_in_clip(_viewer(request), _clip(request, key)), limit, after)


@router.post("/clips/{uuid:key}/moments/", response={201: MomentOut, **WRONG})
def note_clip_moment(request: HttpRequest, key: UUID, body: MomentIn) -> Status[dict[str, Any]]:
    """Note a moment in a clip; times are those of the lesson, within the clip."""
    clip = _clip(request, key)
    return Status(201, _note(request, clip.lesson, clip, body))


def _note(request: HttpRequest, lesson: Lesson, clip: Clip | None, body: MomentIn) -> dict[str, Any]:
    viewer = _viewer(request)
    element = elements_for(viewer).filter(pk=body.element).first() if body.element is not None else None
    if body.element is not None and element is None:
        element = Element(pk=0)
    moment = actions.note_moment(
        by=viewer, lesson=lesson, clip=clip, start_ms=body.start_ms, end_ms=body.end_ms, kind=body.kind, text=body.text,
        element=element,
    )  # fmt: skip
    return _moment_out(moment)


@router.delete("/moments/{uuid:key}/", response={204: None, 403: Refused, **WRONG})
def remove_moment(request: HttpRequest, key: UUID) -> Status[None]:
    """Remove a moment of mine, or one in a lesson of mine."""
    actions.remove_moment(by=_viewer(request), moment=_moment(request, key))
    return Status(204, None)


@router.post("/moments/{uuid:key}/replies/", response={201: ReplyOut, **WRONG})
def reply(request: HttpRequest, key: UUID, body: ReplyIn) -> Status[dict[str, Any]]:
    """Answer a moment."""
    comment = actions.reply(by=_viewer(request), about=_moment(request, key), text=body.text)
    return Status(201, {"key": comment.key, "text": comment.text, "created_at": comment.created_at})


def _own_clip(request: HttpRequest, key: UUID) -> Clip:
    clip = _clip(request, key)
    if clip.lesson.owner_id != _viewer(request).pk:
        raise Http404
    return clip


@router.get("/clips/{uuid:key}/shares/", response={200: list[ShareOut], **WRONG})
def list_shares(request: HttpRequest, key: UUID) -> list[dict[str, Any]]:
    """Who can see my clip now, at most 100 loans."""
    return [_share_out(share) for share in live_shares_of(_own_clip(request, key))[:MOST]]


def _share_out(share: Share) -> dict[str, Any]:
    return {"key": share.key, "audience": share.audience, "to": queries.audience_name(share), "until": share.expires_at}


@router.post("/clips/{uuid:key}/shares/", response={201: ShareOut, **WRONG})
def share_clip(request: HttpRequest, key: UUID, body: ShareIn) -> Status[dict[str, Any]]:
    """Lend my clip. An audience outside the school is refused while a family has not said yes."""
    viewer, clip = _viewer(request), _own_clip(request, key)
    share = actions.share_clip(
        by=viewer, clip=clip, until=body.until, is_reflect_first=body.is_reflect_first, may_download=body.may_download,
        **_audience(viewer, body),
    )  # fmt: skip
    return Status(201, _share_out(share))


def _audience(viewer: Person, body: ShareIn) -> dict[str, Any]:
    """Whom the loan reaches; somebody whom the viewer cannot share with is nobody, and refused by the deed."""
    if body.circle is not None:
        circle: Circle | None = permissions.circles_for(viewer).filter(key=body.circle).first()
        return {"audience": Share.Audience.CIRCLE, "circle": circle}
    if body.organization is not None:
        place = queries.schools_to_share_with(viewer).filter(key=body.organization).first()
        return {"audience": Share.Audience(place.kind) if place else Share.Audience.SCHOOL, "organization": place}
    person = people.colleagues_for(viewer).filter(key=body.person).first() if body.person else None
    return {"audience": Share.Audience.PERSON, "person": person}


@router.delete("/clips/{uuid:key}/shares/", response={204: None, **WRONG})
def retract_clip(request: HttpRequest, key: UUID) -> Status[None]:
    """Take back every loan of my clip, at once."""
    actions.retract_clip(by=_viewer(request), clip=_own_clip(request, key))
    return Status(204, None)


@router.delete("/clips/{uuid:key}/", response={204: None, **WRONG})
def remove_clip(request: HttpRequest, key: UUID) -> Status[None]:
    """Delete my clip; the lesson stays."""
    actions.remove_clip(by=_viewer(request), clip=_own_clip(request, key))
    return Status(204, None)
