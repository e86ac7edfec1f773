"""Setting out for a practice, saying where one stands, and saying what an activity is there for."""

from __future__ import annotations

from collections.abc import Iterable

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from staffroom.conversations.actions import notify
from staffroom.frameworks.models import Element
from staffroom.frameworks.queries import elements_for
from staffroom.knowing.impact import rules
from staffroom.knowing.impact.models import Aim, Goal, Standing
from staffroom.people.models import Person
from staffroom.records.actions import record
from staffroom.records.models import Activity
from staffroom.records.rules import may_enter_activity
from staffroom.records.vocabulary import verbs

MOST_GOALS = 5


@transaction.atomic
def declare_goal(*, by: Person, element: Element, why: str = "") -> Goal:
    """Set out to grow in a practice. The same one twice gives the goal that is there; beyond five at a time is refused."""
    if not elements_for(by).filter(pk=element.pk).exists():
        raise PermissionDenied
    own = Goal.objects.select_for_update().filter(person=by, ended_at=None)
    known = own.filter(element=element).first()
    if known is not None:
        return known
    if own.count() >= MOST_GOALS:
        raise ValidationError(_("Five goals at a time are enough: end one first."))
    goal = Goal.objects.create(person=by, element=element, why=why.strip())
    record(by=by, verb=verbs.CREATED, object=goal)
    return goal


@transaction.atomic
def end_goal(*, by: Person, goal: Goal) -> Goal:
    """Leave a goal, reached or not; where one stood meanwhile stays one's own."""
    if goal.person_id != by.pk:
        raise PermissionDenied
    if goal.ended_at is None:
        goal.ended_at = timezone.now()
        goal.save(update_fields=["ended_at"])
        record(by=by, verb=verbs.COMPLETED, object=goal)
    return goal


@transaction.atomic
def let_coach_see(*, by: Person, goal: Goal, coach: Person | None) -> Goal:
    """Let one coach see a goal and say where one stands in it; None takes that back, what was said stays."""
    if goal.person_id != by.pk or (coach is not None and not rules.may_coach(coach, by)):
        raise PermissionDenied
    goal.coach = coach
    goal.save(update_fields=["coach"])
    if coach is not None:
        notify(recipient=coach, kind="growth.goal_shared", url="/growth/coaching/", actor=by)
        record(by=by, verb=verbs.SHARED, object=goal)
    return goal


@transaction.atomic
def note_standing(*, by: Person, person: Person, element: Element, level: int) -> Standing:
    """Say where a teacher stands in a practice: she herself, or the coach who sees her goal. Earlier words stay beside it."""
    if not rules.may_note_standing(by, person, element):
        raise PermissionDenied
    if level not in Standing.Level.values:
        raise ValidationError(_("Choose one of the four."))
    standing = Standing.objects.create(person=person, element=element, level=level, by=by, is_own=by.pk == person.pk)
    record(by=by, verb=verbs.REVIEWED, object=element)
    if not standing.is_own:
        notify(recipient=person, kind="growth.standing_noted", url="/growth/", actor=by)
    return standing


@transaction.atomic
def set_aims(*, by: Person, activity: Activity, elements: Iterable[Element]) -> list[Aim]:
    """Say which practices an activity is there for; what was said before is replaced. Leaders and administrators only."""
    if not may_enter_activity(by, activity.organization):
        raise PermissionDenied
    wanted = {element.pk for element in elements}
    if elements_for(by).filter(pk__in=wanted).count() != len(wanted):
        raise PermissionDenied
    Aim.objects.filter(activity=activity).exclude(element__in=wanted).delete()
    known = set(Aim.objects.filter(activity=activity).values_list("element_id", flat=True))
    Aim.objects.bulk_create([Aim(activity=activity, element_id=pk) for pk in sorted(wanted - known)])
    record(by=by, verb=verbs.UPDATED, object=activity)
    return list(Aim.objects.filter(activity=activity).select_related("element"))
