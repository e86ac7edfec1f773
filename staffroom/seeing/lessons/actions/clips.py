"""Deeds on clips: cut, lend, take back, open, talk."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from staffroom.conversations import actions as conversations
from staffroom.conversations import queries as conversation_queries
from staffroom.conversations.models import Comment
from staffroom.files import actions as files
from staffroom.files.models import Derivative, File
from staffroom.people.models import Organization, Person
from staffroom.permissions import actions as permissions
from staffroom.permissions.models import Circle, Share
from staffroom.permissions.queries import live_shares_of
from staffroom.permissions.rules import may_use
from staffroom.records.actions import record
from staffroom.records.vocabulary import verbs
from staffroom.seeing.lessons import queries, recordings, rules
from staffroom.seeing.lessons.actions.sittings import close_sittings_of, close_sittings_with
from staffroom.seeing.lessons.models import Clip, Lesson, Moment

SHORTEST_MS = 1000


@transaction.atomic
def make_clip(
    *,
    by: Person,
    lesson: Lesson,
    start_ms: int,
    end_ms: int,
    title: str,
    question: str = "",
    has_moments: bool = False,
) -> Clip:
    """Cut a range out of one's own lesson, to be lent. A file of only these seconds is made for it; nobody sees it yet."""
    if not rules.may_change(by, lesson):
        raise PermissionDenied
    _refuse_bad_range(lesson, start_ms, end_ms)
    if not title.strip():
        raise ValidationError({"title": _("Give the clip a title.")})
    clip = Clip.objects.create(
        lesson=lesson, title=title.strip(), start_ms=start_ms, end_ms=end_ms, question=question.strip(),
        has_moments=has_moments, ends_on=lesson.ends_on,
    )  # fmt: skip
    if lesson.file is not None:
        files.derive(lesson.file, Derivative.Kind.CLIP, start_ms=start_ms, end_ms=end_ms)
    record(by=by, verb=verbs.CREATED, object=clip, parent=lesson)
    return clip


def _refuse_bad_range(lesson: Lesson, start_ms: int, end_ms: int) -> None:
    if lesson.file is None or lesson.file.state != File.State.READY:
        raise ValidationError(_("A clip can be cut when the recording is ready."))
    if start_ms < 0 or end_ms - start_ms < SHORTEST_MS:
        raise ValidationError({"end": _("A clip lasts at least one second: its end comes after its start.")})
    if lesson.file.duration_ms and end_ms > lesson.file.duration_ms + 500:
        raise ValidationError({"end": _("The recording ends before that.")})


@transaction.atomic
def share_clip(
    *,
    by: Person,
    clip: Clip,
    audience: str,
    until: datetime,
    person: Person | None = None,
    circle: Circle | None = None,
    organization: Organization | None = None,
    may_download: bool = False,
    is_reflect_first: bool = False,
) -> Share:
    """Lend a clip until an end, and tell those whom it reaches.

    Refuses, beyond what ``permissions`` refuses, an audience outside the school while a family has not said yes. A second
    loan to the same audience replaces the first.
    """
    if not rules.may_change(by, clip.lesson):
        raise PermissionDenied
    target = person or circle or organization
    _refuse_leaving_school(clip.lesson, audience, target)
    for older in live_shares_of(clip).filter(
        audience=audience, person=person, circle=circle, organization=organization
    ):
        permissions.retract(by=by, share=older)
    share = permissions.share(
        by=by, about=clip, audience=audience, person=person, circle=circle, organization=organization,
        expires_at=until, may_download=may_download, is_reflect_first=is_reflect_first,
    )  # fmt: skip
    record(by=by, verb=verbs.SHARED, object=clip, activity=queries.coaching_of(clip, by), parent=clip.lesson)
    for reader in _people_told(by, person, circle):
        conversations.notify(recipient=reader, kind="clip_shared", actor=by, url=clip.get_absolute_url())
    return share


def _refuse_leaving_school(lesson: Lesson, audience: str, target: object) -> None:
    if audience != Share.Audience.PUBLIC and target is None:
        raise ValidationError(_("Choose with whom to share."))
    if rules.is_audience_inside(lesson, audience, target) or rules.may_leave_school(lesson):
        return
    raise ValidationError(
        _(
            "Not every family of this section has said yes, so the clip stays inside the school: %(audience)s is outside."
        ),
        code="leaves_school",
        params={"audience": str(target or _("everyone"))},
    )


def _people_told(by: Person, person: Person | None, circle: Circle | None) -> list[Person]:
    """A person or a circle hears of a loan at once; a school or district finds it under "Shared with me"."""
    if person is not None:
        return [person]
    if circle is not None:
        return [member.person for member in circle.members.select_related("person") if member.person_id != by.pk]
    return []


@transaction.atomic
def retract_clip(*, by: Person, clip: Clip, share: Share | None = None) -> int:
    """Take back one loan of a clip, or all of them, at once: pages and media are refused from now on.

    What was watched until now is written into the ledger. Returns how many loans ended.
    """
    if not rules.may_change(by, clip.lesson):
        raise PermissionDenied
    ending = [live for live in live_shares_of(clip) if share is None or live.pk == share.pk]
    if ending:
        close_sittings_with(clip=clip)  # while it is still known whose coaching it was
        record(by=by, verb=verbs.RETRACTED, object=clip, parent=clip.lesson)
    for live in ending:
        permissions.retract(by=by, share=live)
    if ending:
        _set_aside(clip)
    return len(ending)


def _set_aside(clip: Clip) -> int:
    return conversations.set_aside_notices(
        url=clip.get_absolute_url(), may_open=lambda person: rules.may_open(person, clip)
    )


def set_aside_ended(*, since: datetime) -> int:
    """Loans that have ended by their date since then wait for nobody any more. Returns how many notices were set aside."""
    ended = Share.objects.filter(
        content_type=rules.kind_of_clips(), expires_at__range=(since, timezone.now()), retracted_at=None
    )
    clips = Clip.objects.filter(pk__in=ended.order_by().values("object_id"))
    return sum(_set_aside(clip) for clip in clips.select_related("lesson__owner", "lesson__section__school"))


@transaction.atomic
def retract_leaving(*, student: Person) -> int:
    """A family's answer changed: loans that now leave the school without a yes end at once, and their owners are told."""
    ended = 0
    for share in queries.shares_leaving_school([student.pk]):
        clip = share.about
        if not isinstance(clip, Clip):
            continue
        target = share.person or share.circle or share.organization
        if rules.is_audience_inside(clip.lesson, share.audience, target) or rules.may_leave_school(clip.lesson):
            continue
        permissions.retract(by=share.owner, share=share)
        conversations.notify(recipient=share.owner, kind="loan_ended_by_consent", url=clip.get_absolute_url())
        ended += 1
    return ended


@transaction.atomic
def remove_clip(*, by: Person, clip: Clip) -> None:
    """Take back every loan and remove the clip, its cut file, and what colleagues noted in it."""
    if not rules.may_change(by, clip.lesson):
        raise PermissionDenied
    retract_clip(by=by, clip=clip)
    record(by=by, verb=verbs.DELETED, object=clip, parent=clip.lesson)
    conversations.drop_threads(Moment, list(clip.moments.values_list("pk", flat=True)))
    conversations.drop_threads(Clip, [clip.pk])
    media = recordings.clip_media_of(clip)
    twins = Clip.objects.filter(lesson=clip.lesson_id, start_ms=clip.start_ms, end_ms=clip.end_ms).exclude(pk=clip.pk)
    clip.delete()
    if media is not None and not twins.exists():
        media.delete()


def open_clip(*, by: Person, clip: Clip, share: Share | None = None) -> Share | None:
    """Somebody opens a clip: the owner's access log gets a line. Answers the loan by which she sees it; the owner needs none.

    `share` is the loan that the door found (``clip_and_loan_for``), so that it need not be looked for twice.
    """
    if by.pk == clip.lesson.owner_id:
        return None
    if share is None or share.object_id != clip.pk or not may_use(share, by):
        share = rules.loan_of(by, clip)
    if share is None:
        raise PermissionDenied
    permissions.note_access(by=by, owner=clip.lesson.owner, about=clip, title=clip.title, share=share)
    return share


@transaction.atomic
def reply(*, by: Person, about: Moment | Clip, text: str) -> Comment:
    """Say something about a moment or a clip; its owner, author and those who spoke before are told that, not what."""
    clip = about if isinstance(about, Clip) else about.clip
    activity = queries.coaching_of(clip, by) if clip is not None else None
    comment = conversations.say(by=by, about=about, text=text, activity=activity)
    lesson = about.lesson
    close_sittings_of(person=by, lesson=lesson)
    page = clip or lesson
    for reader in _concerned(about, lesson):
        if clip is not None and rules.may_open(reader, clip):
            conversations.notify(recipient=reader, kind="reply", actor=by, url=page.get_absolute_url())
    return comment


def _concerned(about: Moment | Clip, lesson: Lesson) -> Iterable[Person]:
    found = {lesson.owner.pk: lesson.owner}
    if isinstance(about, Moment) and about.author is not None:
        found[about.author.pk] = about.author
    found |= {person.pk: person for person in conversation_queries.speakers_in(about)}
    return found.values()
