"""Sittings: the time that somebody really spent with a lesson or clip. Closing one writes the activity ledger."""

from __future__ import annotations

from datetime import timedelta

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from staffroom.people.models import Person
from staffroom.permissions.queries import retention_end
from staffroom.records.actions import record
from staffroom.records.vocabulary import verbs
from staffroom.seeing.lessons import queries, rules
from staffroom.seeing.lessons.models import Clip, Lesson, Sitting

IDLE = timedelta(minutes=30)
FIRST_BEAT_S = 30  # the first heartbeat tells of time before anything was known on the server
SLACK_S = 2  # clocks of browsers and networks are not exact


@transaction.atomic
def sit(*, by: Person, lesson: Lesson, clip: Clip | None = None, seconds: float) -> Sitting:
    """Count seconds of real watching to the open sitting, or begin one.

    Never more than has passed on the wall since the last heartbeat, in whatever lesson that was: nobody watches two things
    at once. After 30 idle minutes the old sitting is closed and a new one begins.
    """
    is_allowed = rules.may_open(by, clip) if clip is not None else rules.may_watch(by, lesson)
    if not is_allowed:
        raise PermissionDenied
    now = timezone.now()
    last = Sitting.objects.select_for_update().filter(person=by).order_by("-touched_at", "-pk").first()
    passed = (now - last.touched_at).total_seconds() + SLACK_S if last else FIRST_BEAT_S
    counted = round(max(0.0, min(float(seconds), passed, IDLE.total_seconds())))
    for idle in Sitting.objects.filter(person=by, closed_at=None, touched_at__lt=now - IDLE):
        _close(idle)
    sitting = Sitting.objects.filter(person=by, lesson=lesson, clip=clip, closed_at=None).first()
    if sitting is None:
        sitting = Sitting(
            lesson=lesson, clip=clip, person=by, began_at=now - timedelta(seconds=counted), ends_on=retention_end(by)
        )
    sitting.active_s += counted
    sitting.touched_at = now
    sitting.save()
    return sitting


def _close(sitting: Sitting) -> None:
    """Write the sitting into the ledger, as part of the coaching it belongs to, if any; then it is closed for good."""
    closed = Sitting.objects.filter(pk=sitting.pk, closed_at=None).update(closed_at=timezone.now())
    if not closed or not sitting.active_s:
        return
    clip = sitting.clip
    record(
        by=sitting.person,
        verb=verbs.WATCHED,
        object=clip or sitting.lesson,
        activity=queries.coaching_of(clip, sitting.person) if clip is not None else None,
        duration_s=sitting.active_s,
        happened_at=sitting.touched_at,
        parent=sitting.lesson if clip is not None else None,
    )


@transaction.atomic
def close_sittings_of(*, person: Person, lesson: Lesson) -> int:
    """Close a person's open sittings with a lesson: she has said something, so the time so far belongs to that."""
    return _close_all(Sitting.objects.filter(person=person, lesson=lesson, closed_at=None))


def close_sittings() -> int:
    """Close what has been idle for 30 minutes; called by a schedule."""
    with transaction.atomic():
        return _close_all(Sitting.objects.filter(closed_at=None, touched_at__lt=timezone.now() - IDLE))


@transaction.atomic
def close_sittings_with(*, clip: Clip) -> int:
    """Close everybody's open sittings with a clip: it is taken back, and who watched it until now did so."""
    return _close_all(Sitting.objects.filter(clip=clip, closed_at=None))


@transaction.atomic
def close_sittings_in(*, lesson: Lesson) -> int:
    """Close everybody's open sittings with a lesson: it is about to go, the time spent with it is not."""
    return _close_all(Sitting.objects.filter(lesson=lesson, closed_at=None))


def _close_all(found: QuerySet[Sitting]) -> int:
    sittings = list(
        found.select_for_update(of=("self",)).select_related("person", "lesson__owner", "clip__lesson__owner")
    )
    for sitting in sittings:
        _close(sitting)
    return len(sittings)
