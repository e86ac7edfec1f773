"""Deeds on moments: note, edit, remove."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from staffroom.conversations import actions as conversations
from staffroom.frameworks import queries as frameworks
from staffroom.frameworks.models import Element
from staffroom.people.models import Person
from staffroom.records.actions import record
from staffroom.records.vocabulary import verbs
from staffroom.seeing.lessons import queries, rules
from staffroom.seeing.lessons.actions.sittings import close_sittings_of
from staffroom.seeing.lessons.models import Clip, Lesson, Moment

LONGEST_TEXT = 5000


@transaction.atomic
def note_moment(
    *,
    by: Person,
    lesson: Lesson,
    text: str,
    start_ms: int,
    end_ms: int | None = None,
    kind: str = Moment.Kind.NOTE,
    clip: Clip | None = None,
    element: Element | None = None,
) -> Moment:
    """Note a point or a range, in the lesson (its owner) or in a clip of it (whoever may open the clip).

    Times are those of the lesson. Refuses times outside of the clip or lesson, an empty text, and elements that the author may
    not tag with. Closes the author's sitting, so that the minutes count; tells the owner of a clip that somebody noted in it.
    """
    if not rules.may_note(by, lesson, clip):
        raise PermissionDenied
    _refuse_bad_moment(lesson, clip, start_ms, end_ms, text, kind)
    _refuse_bad_element(by, element)
    moment = Moment.objects.create(
        lesson=lesson, clip=clip, author=by, kind=kind, start_ms=start_ms, end_ms=end_ms, text=text.strip(),
        element=element, ends_on=lesson.ends_on,
    )  # fmt: skip
    activity = queries.coaching_of(clip, by) if clip is not None else None
    record(by=by, verb=verbs.ANNOTATED, object=moment, activity=activity, parent=clip or lesson)
    close_sittings_of(person=by, lesson=lesson)
    if clip is not None:
        conversations.notify(
            recipient=lesson.owner, kind="clip_noted", actor=by, url=clip.get_absolute_url(), details={}
        )
    return moment


def _refuse_bad_moment(
    lesson: Lesson, clip: Clip | None, start_ms: int, end_ms: int | None, text: str, kind: str
) -> None:
    if not text.strip():
        raise ValidationError({"text": _("Write what you noticed.")})
    if len(text.strip()) > LONGEST_TEXT:
        raise ValidationError({"text": _("Keep it under %(most)s characters.") % {"most": LONGEST_TEXT}})
    if kind not in Moment.Kind.values:
        raise ValidationError({"kind": _("Choose note, question, suggestion or strength.")})
    if end_ms is not None and end_ms <= start_ms:
        raise ValidationError({"end": _("The end comes after the start. Leave it empty for a single moment.")})
    first, last = _bounds(lesson, clip)
    if start_ms < first or (last is not None and max(start_ms, end_ms or 0) > last):
        raise ValidationError({"start": _("Choose a time within the recording.")})


def _bounds(lesson: Lesson, clip: Clip | None) -> tuple[int, int | None]:
    if clip is not None:
        return clip.start_ms, clip.end_ms
    return 0, lesson.file.duration_ms if lesson.file else None


def _refuse_bad_element(by: Person, element: Element | None, kept: Element | None = None) -> None:
    if element is None or element == kept:
        return
    if not frameworks.elements_for(by).filter(pk=element.pk).exists():
        raise ValidationError({"element": _("Choose an element of a published framework.")})


@transaction.atomic
def edit_moment(
    *,
    by: Person,
    moment: Moment,
    text: str,
    start_ms: int,
    end_ms: int | None = None,
    kind: str = Moment.Kind.NOTE,
    element: Element | None = None,
) -> Moment:
    """Change one's own moment; readers see that it was changed. An element of an older version may stay."""
    if not rules.may_change_moment(by, moment):
        raise PermissionDenied
    _refuse_bad_moment(moment.lesson, moment.clip, start_ms, end_ms, text, kind)
    _refuse_bad_element(by, element, moment.element)
    moment.text, moment.start_ms, moment.end_ms = text.strip(), start_ms, end_ms
    moment.kind, moment.element, moment.edited_at = kind, element, timezone.now()
    moment.save(update_fields=["text", "start_ms", "end_ms", "kind", "element", "edited_at"])
    record(by=by, verb=verbs.EDITED, object=moment, parent=moment.clip or moment.lesson)
    return moment


@transaction.atomic
def remove_moment(*, by: Person, moment: Moment) -> None:
    """Remove a moment with what was said about it: its author, or the owner of the lesson."""
    if not rules.may_remove_moment(by, moment):
        raise PermissionDenied
    record(by=by, verb=verbs.DELETED, object=moment, parent=moment.clip or moment.lesson)
    conversations.drop_threads(Moment, [moment.pk])
    moment.delete()
