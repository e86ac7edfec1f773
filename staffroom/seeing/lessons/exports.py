"""Moments in open formats: W3C Web Annotation (JSON-LD, media fragments ``#t=250,275``), WebVTT, CSV rows; and plain data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from staffroom.conversations.models import Comment
from staffroom.seeing.lessons.clock import clock, seconds, vtt_time
from staffroom.seeing.lessons.models import Clip, Lesson, Moment

ANNOTATION_CONTEXT = "http://www.w3.org/ns/anno.jsonld"
FRAGMENT_STANDARD = "http://www.w3.org/TR/media-frags/"
MOTIVATIONS = {
    Moment.Kind.NOTE: "commenting",
    Moment.Kind.QUESTION: "questioning",
    Moment.Kind.SUGGESTION: "editing",
    Moment.Kind.STRENGTH: "assessing",
}
# A point becomes a cue of this length, so that players show it long enough to be read.
POINT_CUE_MS = 4000


def annotation_collection(
    page: str, title: str, moments: Iterable[Moment], threads: dict[int, list[Comment]]
) -> dict[str, Any]:
    """An annotation collection of all moments, each with its thread, about the media at ``page``."""
    source = f"{settings.SITE_URL}{page}"
    items = [item for moment in moments for item in _annotation_and_replies(moment, source, threads)]
    return {
        "@context": ANNOTATION_CONTEXT,
        "id": f"{source}moments.jsonld",
        "type": "AnnotationCollection",
        "label": title,
        "total": len(items),
        "first": {"id": f"{source}moments.jsonld#page", "type": "AnnotationPage", "startIndex": 0, "items": items},
    }


def _annotation_and_replies(moment: Moment, source: str, threads: dict[int, list[Comment]]) -> Iterator[dict[str, Any]]:
    yield annotation(moment, source)
    for comment in threads.get(moment.pk, []):
        if comment.withdrawn_at is None:
            yield {
                "id": f"urn:uuid:{comment.key}",
                "type": "Annotation",
                "motivation": "replying",
                "creator": _creator(comment.author),
                "created": comment.created_at.isoformat(),
                "body": _text(comment.text),
                "target": f"urn:uuid:{moment.key}",
            }


def annotation(moment: Moment, source: str) -> dict[str, Any]:
    """One moment as a Web Annotation whose target is a fragment of the media in time."""
    bodies: list[dict[str, Any]] = [_text(moment.text)]
    if moment.element is not None:
        bodies.append({"type": "TextualBody", "purpose": "tagging", "value": str(moment.element)})
    return {
        "id": f"urn:uuid:{moment.key}",
        "type": "Annotation",
        "motivation": MOTIVATIONS[Moment.Kind(moment.kind)],
        "creator": _creator(moment.author),
        "created": moment.created_at.isoformat(),
        **({"modified": moment.edited_at.isoformat()} if moment.edited_at else {}),
        "body": bodies,
        "target": {
            "source": source,
            "selector": {"type": "FragmentSelector", "conformsTo": FRAGMENT_STANDARD, "value": fragment(moment)},
        },
    }


def fragment(moment: Moment) -> str:
    """``t=250`` for a point, ``t=250,275`` for a range."""
    start = f"t={seconds(moment.start_ms)}"
    return start if moment.end_ms is None else f"{start},{seconds(moment.end_ms)}"


def _text(value: str) -> dict[str, Any]:
    return {"type": "TextualBody", "format": "text/plain", "value": value}


def _creator(person: Any) -> dict[str, Any]:
    return {"type": "Person", "name": person.full_name if person else _("somebody erased")}


def webvtt(title: str, moments: Iterable[Moment]) -> str:
    """The moments as cues. Text that would end a cue or begin a tag is made harmless."""
    lines = ["WEBVTT", "", f"NOTE {_one_line(title)}", ""]
    for moment in moments:
        end = moment.start_ms + POINT_CUE_MS if moment.end_ms is None else moment.end_ms
        author = moment.author.full_name if moment.author else _("somebody erased")
        lines += [
            str(moment.key),
            f"{vtt_time(moment.start_ms)} --> {vtt_time(end)}",
            f"<v {_escape(_one_line(author))}>{_escape(moment.text)}",
            "",
        ]
    return "\n".join(lines)


def _one_line(text: str) -> str:
    return " ".join(text.replace("-->", "→").split())


def _escape(text: str) -> str:
    harmless = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return "\n".join(line for line in harmless.splitlines() if line.strip())


CSV_HEADER = ("start", "end", "start_s", "end_s", "kind", "author", "text", "element", "replies")


def csv_rows(moments: Iterable[Moment], threads: dict[int, list[Comment]]) -> Iterator[tuple[Any, ...]]:
    for moment in moments:
        yield (
            clock(moment.start_ms, exact=True),
            clock(moment.end_ms, exact=True),
            moment.start_ms / 1000,
            None if moment.end_ms is None else moment.end_ms / 1000,
            moment.kind,
            moment.author.full_name if moment.author else "",
            moment.text,
            str(moment.element) if moment.element else "",
            sum(comment.withdrawn_at is None for comment in threads.get(moment.pk, [])),
        )


def lesson_as_data(lesson: Lesson) -> dict[str, Any]:
    """A lesson for the export of everything about a person."""
    return {
        "key": str(lesson.key),
        "title": lesson.title,
        "section": str(lesson.section) if lesson.section else None,
        "taught_on": lesson.taught_on.isoformat(),
        "focus": lesson.focus,
        "focus_element": str(lesson.focus_element) if lesson.focus_element else None,
        "reflection": lesson.reflection,
        "captions": lesson.captions,
        "created_at": lesson.created_at.isoformat(),
        "ends_on": lesson.ends_on.isoformat(),
    }


def clip_as_data(clip: Clip) -> dict[str, Any]:
    return {
        "key": str(clip.key),
        "lesson": str(clip.lesson.key),
        "title": clip.title,
        "start_ms": clip.start_ms,
        "end_ms": clip.end_ms,
        "question": clip.question,
        "created_at": clip.created_at.isoformat(),
    }


def moment_as_data(moment: Moment) -> dict[str, Any]:
    return annotation(moment, f"{settings.SITE_URL}/things/lesson/{moment.lesson.key}")
