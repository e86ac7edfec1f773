"""Deeds on a lesson itself: begin, give it its recording, change, reflect, delete, purge."""

from __future__ import annotations

from contextlib import suppress
from datetime import date
from uuid import UUID

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _

from staffroom.conversations import actions as conversations
from staffroom.files import actions as files
from staffroom.files.models import Derivative, File, Upload
from staffroom.files.queries import received
from staffroom.frameworks.models import Element
from staffroom.people import queries as people
from staffroom.people.models import Person, Section
from staffroom.permissions import actions as permissions
from staffroom.permissions.models import BreakGlass, Share
from staffroom.permissions.queries import break_glass_for, live_shares_of, policy_of, retention_end
from staffroom.records.actions import record
from staffroom.records.vocabulary import verbs
from staffroom.seeing.lessons import captions, recordings, rules
from staffroom.seeing.lessons.actions.sittings import close_sittings_in
from staffroom.seeing.lessons.models import Clip, Lesson, Moment

MADE_FROM_VIDEO = (
    Derivative.Kind.WEB_VIDEO,
    Derivative.Kind.POSTER,
    Derivative.Kind.STORYBOARD,
    Derivative.Kind.WAVEFORM,
)
MADE_FROM_SOUND = (Derivative.Kind.WEB_AUDIO, Derivative.Kind.WAVEFORM)


@transaction.atomic
def begin_lesson(
    *,
    by: Person,
    title: str,
    section: Section | None = None,
    taught_on: date | None = None,
    focus: str = "",
    focus_element: Element | None = None,
) -> Lesson:
    """Make a lesson, still without a recording, readable by its owner alone, ending when the policy in force says.

    Refuses a missing title, a day to come, and a section that the owner does not teach.
    """
    day = taught_on or timezone.localdate()
    _refuse_bad_lesson(by, title, section, day)
    school = section.school if section else people.district_of(by)
    lesson = Lesson.objects.create(
        owner=by, title=title.strip(), slug=_free_slug(by, title), section=section, taught_on=day, focus=focus.strip(),
        focus_element=focus_element, policy_version=policy_of(school).version, ends_on=retention_end(by),
    )  # fmt: skip
    record(by=by, verb=verbs.CREATED, object=lesson)
    return lesson


def _refuse_bad_lesson(by: Person, title: str, section: Section | None, day: date) -> None:
    if not title.strip():
        raise ValidationError({"title": _("Give the lesson a title.")})
    if len(title.strip()) > 200:
        raise ValidationError({"title": _("Keep the title under 200 characters.")})
    if day > timezone.localdate():
        raise ValidationError({"taught_on": _("Choose a day that has come already.")})
    if section is not None and not people.sections_of(by).filter(pk=section.pk).exists():
        raise ValidationError({"section": _("Choose a section that you teach.")})


# Words that stand at the same place in addresses and would hide a lesson of that name.
TAKEN = frozenset({"new", "shared", "opened"})


def _free_slug(owner: Person, title: str) -> str:
    base = slugify(title)[:100] or "lesson"
    taken = set(Lesson.objects.filter(owner=owner, slug__startswith=base).values_list("slug", flat=True)) | TAKEN
    number = 1
    while (slug := base if number == 1 else f"{base}-{number}") in taken:
        number += 1
    return slug


@transaction.atomic
def attach_upload(*, by: Person, lesson: Lesson, upload: Upload) -> Lesson:
    """Tie an upload that is on its way, or has arrived, to a lesson; what comes of it follows by itself.

    Only one's own upload and lesson, and only as long as the lesson has no recording that could be lost by it.
    """
    if not rules.may_change(by, lesson) or upload.owner_id != by.pk:
        raise PermissionDenied
    _refuse_second_recording(lesson)
    lesson.upload = upload
    lesson.save(update_fields=["upload"])
    if upload.file is not None:
        attach_file(by=by, lesson=lesson, file=upload.file)
    return lesson


def _refuse_second_recording(lesson: Lesson) -> None:
    if lesson.file is not None and lesson.file.state != File.State.REFUSED:
        raise ValidationError(_("This lesson has its recording already. Begin another lesson for another recording."))


@transaction.atomic
def attach_file(*, by: Person, lesson: Lesson, file: File) -> Lesson:
    """Give a lesson its recording. What is needed to watch it is made as soon as the file has been looked at."""
    if not rules.may_change(by, lesson) or file.owner_id != by.pk:
        raise PermissionDenied
    if lesson.file_id != file.pk:
        _refuse_second_recording(lesson)
    lesson.file = file
    lesson.save(update_fields=["file"])
    record(by=by, verb=verbs.SAVED, object=lesson)
    if file.state == File.State.READY:
        _make_watchable(file)
    return lesson


def _make_watchable(file: File) -> None:
    for kind in MADE_FROM_VIDEO if file.has_picture else MADE_FROM_SOUND:
        files.derive(file, kind)


@transaction.atomic
def keep_what_arrived(*, by: Person, lesson: Lesson, upload: Upload | None = None) -> Lesson:
    """The recording is over: all of it has arrived, or what arrived before it broke off has to do. Twice changes nothing."""
    upload = upload or lesson.upload or recordings.recording_of(lesson)
    if not rules.may_change(by, lesson) or upload is None or upload.owner_id != by.pk:
        raise PermissionDenied
    if upload.file is None:
        upload.size = received(upload)
        if not upload.size:
            raise ValidationError(_("Nothing of this recording has arrived. Record or upload it again."))
        upload.save(update_fields=["size"])
        files.finish_upload(upload)
    if upload.file is not None and lesson.file_id == upload.file.pk:
        return lesson
    return attach_upload(by=by, lesson=lesson, upload=upload)


@transaction.atomic
def follow_file(*, file: File) -> list[Lesson]:
    """A file has been looked at: its lesson gets it and has it made watchable, or its owner hears why it was refused."""
    upload = Upload.objects.filter(file=file).first()
    found = Lesson.objects.filter(file=file) if upload is None else _lessons_of(upload, file)
    lessons = list(found.select_related("owner"))
    for lesson in lessons:
        lesson.file = file
        lesson.save(update_fields=["file"])
        if file.state == File.State.REFUSED:
            conversations.notify(recipient=lesson.owner, kind="recording_refused", url=lesson.get_absolute_url())
    if lessons and file.state == File.State.READY:
        _make_watchable(file)
    return lessons


def _lessons_of(upload: Upload, file: File) -> QuerySet[Lesson]:
    """The lessons that wait for an upload: tied to it, or named in what was sent along with it by the same person."""
    wanted = Q(file=file) | Q(upload=upload, file=None) | Q(upload=upload, file__state=File.State.REFUSED)
    with suppress(ValueError):  # it may name no lesson
        wanted |= Q(key=UUID(str(upload.metadata.get("lesson", ""))), file=None)
    return Lesson.objects.filter(wanted, owner=file.owner_id)


@transaction.atomic
def change_lesson(
    *,
    by: Person,
    lesson: Lesson,
    title: str,
    section: Section | None,
    taught_on: date,
    focus: str = "",
    focus_element: Element | None = None,
) -> Lesson:
    """Rename a lesson, change its day, section or focus. Its address stays. Loans that a new section forbids are taken back."""
    if not rules.may_change(by, lesson):
        raise PermissionDenied
    _refuse_bad_lesson(by, title, section if section != lesson.section else None, taught_on)
    lesson.title, lesson.section, lesson.taught_on = title.strip(), section, taught_on
    lesson.focus, lesson.focus_element = focus.strip(), focus_element
    lesson.save(update_fields=["title", "section", "taught_on", "focus", "focus_element"])
    for clip in lesson.clips.all():
        for share in live_shares_of(clip):
            _retract_if_forbidden(lesson, share)
    record(by=by, verb=verbs.EDITED, object=lesson)
    return lesson


@transaction.atomic
def caption_lesson(*, by: Person, lesson: Lesson, raw: bytes | None) -> Lesson:
    """Give a lesson the captions that its owner brings as WebVTT, or with None take them away. Clips of it show theirs of them.

    Refuses (ValidationError) a file that is no WebVTT.
    """
    if not rules.may_change(by, lesson):
        raise PermissionDenied
    lesson.captions = "" if raw is None else captions.written(captions.read_captions(raw))
    lesson.save(update_fields=["captions"])
    record(by=by, verb=verbs.EDITED, object=lesson)
    return lesson


def _retract_if_forbidden(lesson: Lesson, share: Share) -> None:
    target = share.person or share.circle or share.organization
    if not rules.is_audience_inside(lesson, share.audience, target) and not rules.may_leave_school(lesson):
        permissions.retract(by=lesson.owner, share=share)


@transaction.atomic
def reflect(*, by: Person, lesson: Lesson, text: str) -> Lesson:
    """Write down what one saw oneself. Opens colleagues' notes where a loan asked to reflect first."""
    if not rules.may_change(by, lesson):
        raise PermissionDenied
    if len(text) > 10_000:
        raise ValidationError({"reflection": _("Keep it under 10,000 characters.")})
    if lesson.reflection and not text.strip():
        raise ValidationError(
            {"reflection": _("Change what you wrote, but leave a sentence: notes were opened by it.")}
        )
    lesson.reflection = text.strip()
    lesson.save(update_fields=["reflection"])
    record(by=by, verb=verbs.REVIEWED, object=lesson)
    return lesson


@transaction.atomic
def download_original(*, by: Person, lesson: Lesson) -> File:
    """Answer the file as it was recorded, to its owner, and log it."""
    if not rules.may_change(by, lesson) or lesson.file is None:
        raise PermissionDenied
    record(by=by, verb=verbs.DOWNLOADED, object=lesson)
    return lesson.file


@transaction.atomic
def delete_lesson(*, by: Person, lesson: Lesson) -> None:
    """Remove a lesson with its recording, clips, moments and what was said about them; every loan ends at once."""
    if not rules.may_change(by, lesson):
        raise PermissionDenied
    record(by=by, verb=verbs.DELETED, object=lesson)
    _remove(lesson)


def _remove(lesson: Lesson) -> None:
    close_sittings_in(lesson=lesson)
    clips, moments = list(lesson.clips.all()), list(lesson.moments.values_list("pk", flat=True))
    for clip in clips:
        for share in live_shares_of(clip):
            permissions.retract(by=lesson.owner, share=share)
    conversations.drop_threads(Moment, moments)
    conversations.drop_threads(Clip, [clip.pk for clip in clips])
    file, upload = lesson.file, lesson.upload or recordings.recording_of(lesson)
    lesson.delete()
    if file is not None and not Lesson.objects.filter(file=file).exists():
        files.remove(file)
    elif upload is not None and upload.file is None:
        upload.delete()


@transaction.atomic
def open_by_glass(*, by: Person, lesson: Lesson, glass: BreakGlass) -> None:
    """One of two administrators opens a lesson after they broke the glass: its owner's log gets a line. Others are refused."""
    found = break_glass_for(by, lesson)
    if found is None or found.pk != glass.pk:
        raise PermissionDenied
    permissions.note_access(by=by, owner=lesson.owner, about=lesson, title=lesson.title, break_glass=glass)
