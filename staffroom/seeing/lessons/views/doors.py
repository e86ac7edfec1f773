"""What the pages share: who asks, what she may see (else 404), and the context of a page with a player."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.forms import Form
from django.http import Http404, HttpRequest
from django.urls import reverse

from staffroom.conversations import queries as conversations
from staffroom.files.models import Derivative
from staffroom.files.queries import media_url
from staffroom.people.models import Person
from staffroom.permissions.models import Share
from staffroom.seeing.lessons import queries, recordings
from staffroom.seeing.lessons.forms import MomentForm
from staffroom.seeing.lessons.models import Clip, Lesson, Moment
from staffroom.ui.pages import wants_fragment


def person(request: HttpRequest) -> Person:
    assert isinstance(request.user, Person)
    return request.user


def own_lesson(request: HttpRequest, slug: str) -> Lesson:
    found = queries.lesson_for(person(request), slug)
    if found is None:
        raise Http404
    return found


def open_clip(request: HttpRequest, key: Any) -> Clip:
    found = queries.clip_for(person(request), key)
    if found is None:
        raise Http404
    return found


def opened_clip(request: HttpRequest, key: Any) -> tuple[Clip, Share | None]:
    """A clip with the loan by which the viewer may open it; none for its owner."""
    clip, share = queries.clip_and_loan_for(person(request), key)
    if clip is None:
        raise Http404
    return clip, share


def own_clip(request: HttpRequest, key: Any) -> Clip:
    found = open_clip(request, key)
    if found.lesson.owner_id != person(request).pk:
        raise Http404
    return found


def readable_moment(request: HttpRequest, key: Any) -> Moment:
    found = queries.moment_for(person(request), key)
    if found is None:
        raise Http404
    return found


def add_refusal(form: Form, refused: ValidationError) -> None:
    """Put what a deed refused beside the fields that it is about."""
    names = {"start_ms": "start", "end_ms": "end"}
    if not hasattr(refused, "error_dict"):
        form.add_error(None, refused)
        return
    for name, errors in refused.error_dict.items():
        field = names.get(name, name)
        form.add_error(field if field in form.fields else None, errors)


def moments_as_data(moments: Iterable[Moment]) -> list[dict[str, Any]]:
    """What the player draws on its timeline."""
    return [
        {
            "key": str(moment.key),
            "start_ms": moment.start_ms,
            "end_ms": moment.end_ms,
            "kind": moment.kind,
            "author": moment.author.full_name if moment.author else "",
            "text": moment.text,
            **({"element": str(moment.element)} if moment.element else {}),
        }
        for moment in moments
    ]


def notes_context(
    request: HttpRequest, lesson: Lesson, clip: Clip | None, form: MomentForm | None = None
) -> dict[str, Any]:
    """The notes beside a player: moments with their threads, and the form with the draft that waits."""
    viewer = person(request)
    moments, closed = _notes(viewer, lesson, clip)
    threads, comments = queries.talk_about(viewer, moments, clip)
    place = f"clip:{clip.key}" if clip else f"lesson:{lesson.key}"
    reflection_place = f"lesson:{lesson.key}:reflection"
    drafts = conversations.drafts_for(viewer, place, reflection_place)
    if form is None:
        form = MomentForm(by=viewer, initial=drafts[place])
    where = ("lessons:note_moment", lesson.slug) if clip is None else ("clips:note_moment", clip.key)
    return {
        "lesson": lesson,
        "clip": clip,
        "rows": [(moment, threads.get(moment.pk, [])) for moment in moments],
        "moments": moments_as_data(moments),
        "moment_form": form,
        "moment_url": reverse(where[0], args=[where[1]]),
        "draft_place": place,
        "comments": comments,
        "reflection_place": reflection_place,
        "reflection_draft": drafts[reflection_place],
        "is_owner": viewer.pk == lesson.owner_id,
        "is_fragment": wants_fragment(request),
        "closed": closed,
    }


def _notes(viewer: Person, lesson: Lesson, clip: Clip | None) -> tuple[list[Moment], int]:
    """The moments, and how many of colleagues wait behind the owner's reflection."""
    if clip is None:
        return queries.notes_in_lesson(viewer, lesson)
    return queries.notes_in_clip(viewer, clip)


def player_of_lesson(request: HttpRequest, lesson: Lesson) -> dict[str, Any] | None:
    """What the owner's player needs; nothing while the recording is not ready."""
    file = lesson.file
    made = recordings.media_of(file) if file else None
    if file is None or made is None or made.state != Derivative.State.READY:
        return None
    extras = {
        kind: media_url(person(request), found)
        for kind in (Derivative.Kind.POSTER, Derivative.Kind.STORYBOARD, Derivative.Kind.WAVEFORM)
        if (found := recordings.derivative_of(file, kind))
    }
    return {
        "src": media_url(person(request), made),
        "is_video": made.kind == Derivative.Kind.WEB_VIDEO,
        "media_type": made.media_type,
        "duration_ms": file.duration_ms or 0,
        "offset_ms": 0,
        "frame_rate": recordings.frame_rate_of(made),
        "poster": extras.get(Derivative.Kind.POSTER, ""),
        "storyboard": extras.get(Derivative.Kind.STORYBOARD, ""),
        "waveform": extras.get(Derivative.Kind.WAVEFORM, ""),
        "sit_url": reverse("lessons:sit", args=[lesson.slug]),
        "renew_url": reverse("lessons:media", args=[lesson.slug]),
        "captions_url": reverse("lessons:captions_file", args=[lesson.slug]) if lesson.captions else "",
        "notes_url": reverse("lessons:export", args=[lesson.slug, "vtt"]),
    }


def player_of_clip(
    request: HttpRequest, clip: Clip, made: Derivative | None, share: Share | None
) -> dict[str, Any] | None:
    """What the player of a clip needs: the file ``made`` for it and nothing else of the lesson."""
    if made is None or made.state != Derivative.State.READY:
        return None
    return {
        "src": media_url(person(request), made, share),
        "is_video": made.media_type.startswith("video"),
        "media_type": made.media_type,
        "duration_ms": clip.end_ms - clip.start_ms,
        "offset_ms": clip.start_ms,
        "frame_rate": recordings.frame_rate_of(made),
        "poster": "",
        "storyboard": _of_clip(clip, Derivative.Kind.STORYBOARD),
        "waveform": _of_clip(clip, Derivative.Kind.WAVEFORM),
        "sit_url": reverse("clips:sit", args=[clip.key]),
        "renew_url": reverse("clips:media", args=[clip.key]),
        "captions_url": reverse("clips:captions", args=[clip.key]) if clip.lesson.captions else "",
        "notes_url": "",
    }


def _of_clip(clip: Clip, kind: Derivative.Kind) -> str:
    """The address of loudness or small pictures of a clip's seconds, if they were made of its recording."""
    return reverse(f"clips:{kind}", args=[clip.key]) if recordings.made_for_clip(clip, kind) else ""
