"""Who may: for one lesson, clip or moment, and for many, side by side. A test holds the two readings together.

A lesson is its owner's alone. A clip is also open to whom a live share reaches, as long as the families' answers allow it: people
outside the school see it only when every student of the section has a yes. A role opens nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date, datetime
from functools import reduce
from operator import or_
from typing import Any, NamedTuple

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from staffroom.people import queries as people
from staffroom.people.models import Enrollment, Membership, Person, Role
from staffroom.people.rules import lasting
from staffroom.permissions import queries as permissions
from staffroom.permissions.models import BreakGlass, Consent, Share
from staffroom.permissions.models import about as pointing_at
from staffroom.permissions.rules import belongs_to, usable_by
from staffroom.seeing.lessons.models import Clip, Lesson, Moment

NOT_STAFF = (Role.STUDENT, Role.PARTNER)
NOBODY = Q(pk__in=[])


def schools_of(person: Person) -> set[int]:
    """The schools whose staff the person is: by a membership there or in a team below. A district's staff is outside."""
    return set(people.schools_of(person))


def schools_around(lesson: Lesson) -> set[int]:
    """The schools that count as inside for a lesson: its section's; without a section, those of its owner."""
    return {lesson.section.school_id} if lesson.section else schools_of(lesson.owner)


def is_inside(person: Person, lesson: Lesson) -> bool:
    return bool(schools_of(person) & schools_around(lesson))


def inside_for(person: Person, at: str = "") -> Q:
    """Lessons for which the person counts as inside the school; ``at`` is the path to the lesson, as in ``lesson__``."""
    schools = people.schools_of(person)
    return _inside(schools, schools.values(), timezone.localdate(), at)


def _inside(schools: Collection[int], paths: Iterable[str], today: date, at: str) -> Q:
    if not schools:
        return NOBODY
    below = reduce(or_, (Q(organization__path__startswith=path) for path in paths))
    colleague = Membership.objects.filter(
        lasting(today), below, ~Q(role__in=NOT_STAFF), person=OuterRef(f"{at}owner"), person__is_active=True
    )
    return Q(**{f"{at}section__school__in": list(schools)}) | Q(Exists(colleague.order_by()), **{f"{at}section": None})


def may_leave_school(lesson: Lesson) -> bool:
    """Whether every student of the section has a yes. No section, or a section without students, counts as no."""
    return lesson.section is not None and permissions.consents_in(lesson.section, lesson.taught_on).may_leave_school


def leaving_school(at: str = "", today: date | None = None) -> Q:
    """Lessons that may be seen outside the school; ``at`` is the path to the lesson."""
    newest = Consent.objects.filter(student=OuterRef("person")).order_by("-created_at", "-pk")
    students = Enrollment.objects.filter(
        Q(ends_on=None) | Q(ends_on__gte=OuterRef(f"{at}taught_on")),
        section=OuterRef(f"{at}section"), role=Enrollment.Role.STUDENT,
    ).order_by().annotate(answer=Subquery(newest.values("answer")[:1]), until=Subquery(newest.values("ends_on")[:1]))  # fmt: skip
    without_yes = students.filter(
        Q(answer=None) | ~Q(answer=Consent.Answer.YES) | Q(until__lt=today or timezone.localdate())
    )
    return Q(Exists(students), **{f"{at}section__isnull": False}) & ~Q(Exists(without_yes))


def may_watch(person: Person, lesson: Lesson) -> bool:
    """Its owner; and two administrators for the hours after they have broken the glass together."""
    return lesson.owner_id == person.pk or permissions.break_glass_for(person, lesson) is not None


def watchable_by(person: Person) -> Q:
    opened = BreakGlass.objects.filter(
        Q(asked_by=person) | Q(approved_by=person),
        content_type=pointing_at(Lesson())["content_type"], object_id=OuterRef("pk"),
        approved_at__isnull=False, expires_at__gt=timezone.now(),
    )  # fmt: skip
    return Q(owner=person) | Q(Exists(opened))


def may_change(person: Person, lesson: Lesson) -> bool:
    return lesson.owner_id == person.pk


def may_open(person: Person, clip: Clip) -> bool:
    """The lesson's owner; and whom a live share reaches, inside the school or with every family's yes."""
    lesson = clip.lesson
    return lesson.owner_id == person.pk or loan_of(person, clip) is not None


def loan_of(person: Person, clip: Clip) -> Share | None:
    """The live share by which the person may open a clip, if the families' answers let her; nothing else opens it to her."""
    share = permissions.share_for(person, clip)
    allowed = share is not None and (is_inside(person, clip.lesson) or may_leave_school(clip.lesson))
    return share if allowed else None


def lent_to(person: Person) -> Q:
    """Clips that somebody else has lent to the person and that the families' answers let her see."""
    return lent_to_viewer(viewer_in_values(person))


class Viewer(NamedTuple):
    """What decides whether a clip is lent to a person, in values: who she is, where she belongs, and now."""

    pk: int
    organizations: tuple[int, ...]
    schools: tuple[int, ...]
    paths: tuple[str, ...]
    kind: int  # of content: clips
    at: datetime
    today: date


def viewer_in_values(person: Person) -> Viewer:
    schools = people.schools_of(person)
    organizations = tuple(sorted(belongs_to(person)))
    return Viewer(
        person.pk,
        organizations,
        tuple(schools),
        tuple(schools.values()),
        kind_of_clips(),
        timezone.now(),
        timezone.localdate(),
    )


def lent_to_viewer(viewer: Viewer) -> Q:
    """``lent_to`` of a person in values, so that the question can be prepared."""
    shares = permissions.lent_to_one(viewer.pk, viewer.organizations, viewer.kind, viewer.at)
    return Q(pk__in=shares.order_by().values("object_id")) & _allowed(viewer)


def allowed_for(person: Person) -> Q:
    """Others' clips that the person may see as soon as they are lent to her."""
    return _allowed(viewer_in_values(person))


def _allowed(viewer: Viewer) -> Q:
    inside = _inside(viewer.schools, viewer.paths, viewer.today, "lesson__")
    return ~Q(lesson__owner=viewer.pk) & (inside | leaving_school("lesson__", viewer.today))


def openable_by(person: Person) -> Q:
    return Q(lesson__owner=person) | lent_to(person)


def may_note(person: Person, lesson: Lesson, clip: Clip | None = None) -> bool:
    """In a lesson its owner; in a clip of it everybody who may open the clip."""
    return may_change(person, lesson) if clip is None else clip.lesson_id == lesson.pk and may_open(person, clip)


def notable_by(person: Person) -> Q:
    """Clips in which the person may note moments."""
    return openable_by(person)


def is_closed_to_owner(clip: Clip) -> bool:
    """Reflect first: colleagues' notes stay closed to the owner until she has written what she saw herself."""
    if clip.lesson.reflection:
        return False
    return Share.objects.filter(is_reflect_first=True, **pointing_at(clip)).exists()


def _closed_to_owner(clip: str, kind: int) -> Q:
    """Rows whose clip is closed to its owner; ``clip`` is the path to it, ``kind`` the kind of content that clips are."""
    asked = Share.objects.filter(is_reflect_first=True, content_type=kind, object_id=OuterRef(clip))
    return Q(lesson__reflection="") & Q(Exists(asked))


def open_to_owner(owner: Person) -> Q:
    """Moments of her own lessons that do not wait behind the owner's reflection."""
    return open_to_one(owner.pk, kind_of_clips())


def open_to_one(owner: int, kind: int) -> Q:
    """The same, told by number."""
    return Q(author=owner) | Q(clip=None) | ~_closed_to_owner("clip", kind)


def kind_of_clips() -> int:
    """Under which number shares and openings know clips."""
    kind: int = pointing_at(Clip())["content_type"].pk
    return kind


def may_read_moment(person: Person, moment: Moment) -> bool:
    """Its author and its lesson's owner, and those who may open the clip that it was noted in or goes along with."""
    lesson = moment.lesson
    if lesson.owner_id == person.pk:
        return moment.author_id == person.pk or moment.clip is None or not is_closed_to_owner(moment.clip)
    if moment.clip is not None:
        return may_open(person, moment.clip)
    return moment.author_id == lesson.owner_id and any(may_open(person, clip) for clip in clips_carrying(moment))


def moments_readable_by(person: Person) -> Q:
    lent = Clip.objects.filter(lent_to(person))
    carried = lent.filter(
        lesson=OuterRef("lesson"), has_moments=True, start_ms__lte=OuterRef("start_ms"),
        end_ms__gte=Coalesce(OuterRef("end_ms"), OuterRef("start_ms")),
    )  # fmt: skip
    own = Q(lesson__owner=person) & open_to_owner(person)
    in_clip = Q(clip__in=lent.order_by().values("pk"))
    return own | in_clip | (Q(clip=None, author=F("lesson__owner")) & Q(Exists(carried)))


def clips_carrying(moment: Moment) -> QuerySet[Clip]:
    """The clips with which an owner's own moment goes along: it lies wholly within them."""
    end = moment.start_ms if moment.end_ms is None else moment.end_ms
    found = Clip.objects.filter(
        lesson=moment.lesson_id, has_moments=True, start_ms__lte=moment.start_ms, end_ms__gte=end
    )
    return found.select_related("lesson__section", "lesson__owner")


def may_change_moment(person: Person, moment: Moment) -> bool:
    """Its author, as long as she may read it."""
    return moment.author_id == person.pk and may_read_moment(person, moment)


def may_remove_moment(person: Person, moment: Moment) -> bool:
    """Its author; and the owner, whose lesson it is."""
    return may_read_moment(person, moment) and person.pk in (moment.author_id, moment.lesson.owner_id)


def usable_shares_of(person: Person, clip: Clip) -> QuerySet[Share]:
    """The live shares by which the person may see a clip."""
    found: QuerySet[Share] = Share.objects.filter(usable_by(person), **pointing_at(clip))
    return found


def is_audience_inside(lesson: Lesson, audience: str, target: Any) -> bool:
    """Whether all whom an audience reaches count as inside the lesson's school. A district and everyone never do."""
    match audience:
        case Share.Audience.PERSON:
            return is_inside(target, lesson)
        case Share.Audience.CIRCLE:
            return all(
                is_inside(member.person, lesson)
                for member in target.members.select_related("person")
                if member.person_id != lesson.owner_id
            )
        case Share.Audience.SCHOOL:
            return target.pk in schools_around(lesson)
    return False
