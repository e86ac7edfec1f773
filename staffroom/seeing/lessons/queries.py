"""Reads of lessons, clips and moments: always for a named viewer. What one may not see is not there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, F, Q, QuerySet
from django.utils import timezone

from staffroom.conversations import queries as conversations
from staffroom.conversations.models import Comment
from staffroom.people import queries as people
from staffroom.people.models import Organization, Person, Role, Section
from staffroom.people.prepared import prepared
from staffroom.permissions import queries as permissions
from staffroom.permissions.models import Access, Share
from staffroom.permissions.queries import ConsentsIn
from staffroom.permissions.rules import is_live, live_shares
from staffroom.records import queries as records
from staffroom.records.models import Activity
from staffroom.seeing.lessons import recordings, rules
from staffroom.seeing.lessons.models import Clip, Lesson, Moment

PAGE = 30


def lessons_for(viewer: Person) -> QuerySet[Lesson]:
    """The viewer's own lessons, newest first. Lists of them are rows: ``listing.lessons_listed``."""
    found = Lesson.objects.filter(owner=viewer).select_related("section", "file", "upload", "focus_element", "owner")
    return found.defer("captions").order_by("-taught_on", "-pk")


def with_counts(found: QuerySet[Lesson]) -> QuerySet[Lesson]:
    """Lessons with ``moment_count`` and ``clip_count``."""
    return found.annotate(moment_count=Count("moments", distinct=True), clip_count=Count("clips", distinct=True))


def lesson_place(cursor: str) -> tuple[date, int] | tuple[()]:
    """A place in the list of lessons, such as ``2026-11-20.41``; nothing when it cannot be read, which is its beginning."""
    day, _dot, pk = cursor.partition(".")
    try:
        taught_on = date.fromisoformat(day)
    except ValueError:
        return ()
    return (taught_on, int(pk)) if pk.isdecimal() and len(pk) <= 18 else ()


def moment_cursor(moment: Moment) -> str:
    """The place of a moment in its list: ``250000.7``."""
    return f"{moment.start_ms}.{moment.pk}"


def moments_after(found: QuerySet[Moment], cursor: str) -> QuerySet[Moment]:
    """The same for moments, in order of time."""
    start, _dot, pk = cursor.partition(".")
    if not (start.isdecimal() and pk.isdecimal()) or len(start) > 18 or len(pk) > 18:
        return found
    return found.filter(Q(start_ms__gt=int(start)) | Q(start_ms=int(start), pk__gt=int(pk)))


def lesson_for(viewer: Person, slug: str) -> Lesson | None:
    """One of the viewer's own lessons, by its address, with what was made of its recording at hand."""
    lesson = next(iter(_own_lesson(viewer.pk, slug)), None)
    if lesson is not None:
        recordings.keep_at_hand(lesson.file)
    return lesson


@prepared
def _own_lesson(owner: int, slug: str) -> QuerySet[Lesson]:
    return _with_everything(Lesson.objects.filter(owner=owner, slug=slug))


def lesson_by_key(viewer: Person, key: Any) -> Lesson | None:
    """A lesson that the viewer may watch, hers or opened by two administrators."""
    return _with_everything(Lesson.objects.filter(rules.watchable_by(viewer), key=key)).first()


def _with_everything(found: QuerySet[Lesson]) -> QuerySet[Lesson]:
    return found.select_related("section__school", "owner", "file", "upload", "focus_element__version__framework")


def clips_lent_to(viewer: Person) -> QuerySet[Clip]:
    """Clips of colleagues that the viewer may open, newest loan first."""
    found = Clip.objects.filter(rules.lent_to(viewer)).select_related("lesson__owner", "lesson__section")
    return found.defer("lesson__captions").order_by("-pk")


def clip_for(viewer: Person, key: Any) -> Clip | None:
    """A clip that the viewer may open, by its key."""
    return clip_and_loan_for(viewer, key)[0]


def clip_and_loan_for(viewer: Person, key: Any) -> tuple[Clip | None, Share | None]:
    """The same with the share by which she may open it; the owner needs none.

    Asked of the one clip (``may_open``): that costs half of finding it among all that are lent to her.
    """
    clip = next(iter(_clip_of_key(UUID(str(key)))), None)
    share = None if clip is None or clip.lesson.owner_id == viewer.pk else rules.loan_of(viewer, clip)
    if clip is None or (share is None and clip.lesson.owner_id != viewer.pk):
        return None, None
    recordings.keep_at_hand(clip.lesson.file)
    return clip, share


@prepared
def _clip_of_key(key: UUID) -> QuerySet[Clip]:
    found = Clip.objects.filter(key=key).select_related("lesson__owner", "lesson__section__school", "lesson__file")
    return found.order_by()


def clips_of(viewer: Person, lesson: Lesson) -> QuerySet[Clip]:
    """The clips of one's own lesson, each with ``live_share_count``: how many loans of it stand."""
    found = Clip.objects.filter(lesson=lesson, lesson__owner=viewer).order_by("start_ms", "pk")
    return permissions.with_live_shares(found)


def moment_for(viewer: Person, key: Any) -> Moment | None:
    found = Moment.objects.filter(rules.moments_readable_by(viewer), key=key)
    return found.select_related("lesson__owner", "clip__lesson__owner", "author", "element").first()


def moments_in_lesson(viewer: Person, lesson: Lesson) -> QuerySet[Moment]:
    """Everything noted in a lesson that the viewer may read, in order of time."""
    if viewer.pk == lesson.owner_id:
        return _in_order(Moment.objects.filter(rules.open_to_owner(viewer), lesson=lesson))
    return _readable(viewer, Q(lesson=lesson))


def moments_in_clip(viewer: Person, clip: Clip) -> QuerySet[Moment]:
    """What was noted in a clip, and the owner's own moments within it if they go along. Nothing outside its seconds."""
    if viewer.pk != clip.lesson.owner_id and not rules.may_open(viewer, clip):
        return Moment.objects.none()
    return notes_in_opened(viewer, clip)


def notes_in_opened(viewer: Person, clip: Clip) -> QuerySet[Moment]:
    """The same for a clip that has just been found for the viewer (``clip_for``): it is not asked again whether she may."""
    within = _within(viewer, clip)
    if viewer.pk == clip.lesson.owner_id:
        within &= rules.open_to_owner(viewer)
    return _in_order(Moment.objects.filter(within))


def _within(viewer: Person, clip: Clip) -> Q:
    """Moments that belong to a clip: noted in it, or the owner's own in its seconds."""
    within = Q(clip=clip)
    if clip.has_moments or viewer.pk == clip.lesson.owner_id:
        within |= _carried(clip.lesson_id, clip.lesson.owner_id, clip.start_ms, clip.end_ms)
    return within


def _carried(lesson: int, owner: int, start_ms: int, end_ms: int) -> Q:
    """The owner's own moments that lie within some seconds of her lesson."""
    inside = Q(start_ms__gte=start_ms, start_ms__lte=end_ms) & (Q(end_ms=None) | Q(end_ms__lte=end_ms))
    return Q(clip=None, lesson=lesson, author=owner) & inside


def _readable(viewer: Person, where: Q) -> QuerySet[Moment]:
    return _in_order(Moment.objects.filter(rules.moments_readable_by(viewer), where))


def _in_order(found: QuerySet[Moment]) -> QuerySet[Moment]:
    return found.select_related("author", "element", "clip", "lesson").order_by("start_ms", "pk")


def notes_in_lesson(viewer: Person, lesson: Lesson) -> tuple[list[Moment], int]:
    """What the owner may read in her lesson, and how many notes of colleagues wait behind her own reflection. One query."""
    if viewer.pk != lesson.owner_id:
        return list(moments_in_lesson(viewer, lesson)), 0
    found = _of_lesson(_notes_of_lesson(lesson.pk, viewer.pk, rules.kind_of_clips()), lesson)
    opened = [moment for moment in found if vars(moment)["is_open"]]
    return opened, len(found) - len(opened)


@prepared
def _notes_of_lesson(lesson: int, owner: int, kind: int) -> QuerySet[Moment]:
    found = Moment.objects.filter(lesson=lesson).annotate(is_open=rules.open_to_one(owner, kind))
    return found.select_related("author", "element", "clip").order_by("start_ms", "pk")


def _of_lesson(moments: list[Moment], lesson: Lesson) -> list[Moment]:
    """Moments that were read without their lesson, which is at hand: one, and wide."""
    for moment in moments:
        moment.lesson = lesson
    return moments


def notes_in_clip(viewer: Person, clip: Clip) -> tuple[list[Moment], int]:
    """The same for a clip that has just been found for the viewer; what waits is counted in the whole lesson."""
    lesson = clip.lesson
    place = (lesson.pk, lesson.owner_id, clip.start_ms, clip.end_ms)
    if viewer.pk != lesson.owner_id:
        return _of_lesson(_notes_of_clip(clip.pk, *(place if clip.has_moments else ())), lesson), 0
    found = _of_lesson(_notes_around_clip(clip.pk, *place, rules.kind_of_clips()), lesson)
    opened = [moment for moment in found if vars(moment)["is_open"]]
    return [moment for moment in opened if vars(moment)["is_within"]], len(found) - len(opened)


@prepared
def _notes_of_clip(clip: int, *carried: int) -> QuerySet[Moment]:
    """What was noted in a clip, and what the owner noted in these seconds of the lesson, if that goes along."""
    found = Moment.objects.filter(Q(clip=clip) | _carried(*carried) if carried else Q(clip=clip))
    return found.select_related("author", "element", "clip").order_by("start_ms", "pk")


@prepared
def _notes_around_clip(clip: int, lesson: int, owner: int, start_ms: int, end_ms: int, kind: int) -> QuerySet[Moment]:
    """All that was noted in the lesson of a clip, each with whether it belongs to the clip and is open to the owner."""
    within = Q(clip=clip) | _carried(lesson, owner, start_ms, end_ms)
    marks = {"is_open": rules.open_to_one(owner, kind), "is_within": within}
    found = Moment.objects.filter(lesson=lesson).annotate(**marks)
    return found.select_related("author", "element", "clip").order_by("start_ms", "pk")


def threads_of(viewer: Person, moments: Iterable[Moment]) -> dict[int, list[Comment]]:
    """The comments of moments that the viewer may read, by moment; one query."""
    return conversations.comments_of_many(Moment, [moment.pk for moment in moments])


def talk_about(
    viewer: Person, moments: Iterable[Moment], clip: Clip | None
) -> tuple[dict[int, list[Comment]], list[Comment]]:
    """The same, and what was said about the clip as a whole; one query."""
    found = conversations.comments_of_each(
        {Moment: [moment.pk for moment in moments], Clip: [clip.pk] if clip is not None else []}
    )
    return found[Moment], found[Clip].get(clip.pk, []) if clip is not None else []


@dataclass(frozen=True)
class Reach:
    """One loan of a clip as its owner sees it: to whom, until when, who has opened it."""

    share: Share
    accesses: list[Access]


def reach_of(clip: Clip) -> list[Reach]:
    """Who can see a clip now, newest loan first, each with its openings."""
    return reach_and_closing_of(clip)[0]


def reach_and_closing_of(clip: Clip) -> tuple[list[Reach], bool]:
    """The same, and whether colleagues' notes are closed to the owner until she has reflected (``rules.is_closed_to_owner``)."""
    shares, openings = permissions.loans_and_openings_of(clip)
    accesses: dict[int | None, list[Access]] = {}
    for access in openings:
        accesses.setdefault(access.share_id, []).append(access)
    reach = [Reach(share, accesses.get(share.pk, [])) for share in shares if is_live(share)]
    return reach, not clip.lesson.reflection and any(share.is_reflect_first for share in shares)


def accesses_of(clip: Clip) -> QuerySet[Access]:
    return permissions.accesses_of(clip)


def consents_for(viewer: Person, section: Section | None) -> ConsentsIn | None:
    """The families' answers for a section, for its teachers only."""
    if section is None:
        return None
    return permissions.consents_in_each([section], taught_by=viewer).get(section.pk)


def coaches_of(teacher: Person) -> QuerySet[Person]:
    """Colleagues who coach or mentor at an organization around the teacher, for the top of the list of whom to share with."""
    around = {pk for held in people.memberships_of(teacher) for pk in held.organization.ancestor_pks}
    return (
        people.colleagues_for(teacher)
        .filter(memberships__role__in=(Role.COACH, Role.MENTOR), memberships__organization__in=around)
        .distinct()
    )


def schools_to_share_with(owner: Person) -> QuerySet[Organization]:
    """The schools and districts that the owner belongs to."""
    around = {pk for held in people.memberships_of(owner) for pk in held.organization.ancestor_pks}
    kinds = (Organization.Kind.SCHOOL, Organization.Kind.DISTRICT)
    return Organization.objects.filter(pk__in=around, kind__in=kinds).order_by("-path")


def coaching_of(clip: Clip, viewer: Person) -> Activity | None:
    """The coaching in which time spent with this clip counts: between its owner and a coach of hers whom she shared it with."""
    owner = clip.lesson.owner
    coaches = coaches_of(owner)
    if viewer.pk != owner.pk:
        coaches = coaches.filter(pk=viewer.pk)
    lent_to = permissions.live_shares_of(clip).filter(person__in=coaches).order_by("pk")
    coach = next((share.person for share in lent_to), None)
    if coach is None and viewer.pk != owner.pk:
        coach = coaches.first()
    return records.coaching_activity_for(owner, coach) if coach is not None else None


def loans_unopened_in_sql(viewer: Person) -> tuple[str, tuple[Any, ...]]:
    """Live loans of clips that reach the viewer and that she has not opened, as SQL: as good as always none, and cheap to ask."""
    return permissions.unopened_in_sql(viewer, Clip)


def unseen_here_in_sql(viewer: Person) -> tuple[str, tuple[Any, ...]]:
    """Those of their clips that come from a school of hers, as SQL: none of these depends on what families answered."""
    schools, asked = people.schools_of(viewer), rules.viewer_in_values(viewer)
    return _unseen_here.as_sql(asked.pk, asked.organizations, asked.kind, asked.at, tuple(sorted(schools)))


@prepared
def _unseen_here(
    viewer: int, organizations: tuple[int, ...], kind: int, at: datetime, schools: tuple[int, ...]
) -> QuerySet[Clip]:
    return _unseen(viewer, organizations, kind, at).filter(lesson__section__school__in=schools).only("pk")


def _unseen(viewer: int, organizations: tuple[int, ...], kind: int, at: datetime) -> QuerySet[Clip]:
    unopened = permissions.unopened_by(viewer, organizations, kind, at).order_by().values("object_id")
    return Clip.objects.filter(pk__in=unopened).exclude(lesson__owner=viewer).order_by()


def unseen_count(viewer: Person) -> int:
    """How many clips lent to the viewer she has not opened and may open: what waits behind "Lessons"."""
    asked = rules.viewer_in_values(viewer)
    return (
        _unseen(asked.pk, asked.organizations, asked.kind, asked.at)
        .filter(rules.allowed_for(viewer)).distinct().count()
    )  # fmt: skip


def unseen_among(viewer: Person, clips: Iterable[Any]) -> set[int]:
    """Which of some clips the viewer has not opened yet."""
    pks = {clip.pk for clip in clips}
    return pks - permissions.opened_by(viewer, Clip, pks)


def readers_of_clips(clips: Iterable[int]) -> dict[int, set[str]]:
    """Who can read each of some clips now, by live loans, by name; one query."""
    readers: dict[int, set[str]] = {pk: set() for pk in clips}
    for share in _loans_of(tuple(readers), rules.kind_of_clips(), timezone.now()) if readers else ():
        readers[share.object_id].add(audience_name(share))
    return readers


@prepared
def _loans_of(clips: tuple[int, ...], kind: int, at: datetime) -> QuerySet[Share]:
    standing = Share.objects.filter(live_shares(at), content_type=kind, object_id__in=clips)
    return standing.select_related("person", "circle", "organization").order_by()


def audience_name(share: Share) -> str:
    """Whom a loan reaches, by name."""
    return str(share.person or share.circle or share.organization or share.get_audience_display())


def shares_leaving_school(section_students: Iterable[int]) -> QuerySet[Share]:
    """Live loans of clips of lessons in whose section one of these students is, for when a family's answer changes."""
    clips = Clip.objects.filter(lesson__section__enrollments__person__in=list(section_students)).order_by().values("pk")
    return Share.objects.filter(
        retracted_at=None, expires_at__gt=timezone.now(), object_id__in=clips,
        content_type__app_label="lessons", content_type__model="clip",
    ).exclude(owner=F("person")).select_related("person", "circle", "organization", "owner")  # fmt: skip


def notes_by_element(owner: Person, elements: Iterable[int]) -> dict[int, tuple[int, int]]:
    """How many strengths and suggestions are noted in a person's own lessons about each of some practices, as far as she may read."""
    open_to_her = Moment.objects.filter(rules.open_to_owner(owner), lesson__owner=owner, element__in=list(elements))
    rows = (
        open_to_her.order_by()
        .values("element")
        .annotate(
            strengths=Count("pk", filter=Q(kind=Moment.Kind.STRENGTH)),
            suggestions=Count("pk", filter=Q(kind=Moment.Kind.SUGGESTION)),
        )
    )
    return {row["element"]: (row["strengths"], row["suggestions"]) for row in rows}
