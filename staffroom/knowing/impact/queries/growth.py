"""Where a teacher stands, always for herself alone: her own word, her coach's, her colleagues' notes, her students' results.

What others may know of an activity's effect are sums over at least five people; a teacher sees them here for the goals she set.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import sqrt
from typing import Any

from django.core.cache import cache
from django.db.models import Avg, Count, Q, QuerySet, StdDev
from django.utils import timezone

from staffroom.frameworks.models import Element
from staffroom.knowing.impact.models import Aim, Estimate, Goal, Standing, Tally
from staffroom.knowing.impact.queries.answers import scope_of
from staffroom.knowing.impact.queries.likeness import EXPERIENCE, GRADES, grade_bands_of, years_band
from staffroom.people.models import Organization, Person, Role, Term
from staffroom.people.prepared import prepared
from staffroom.people.queries import memberships_of
from staffroom.records.models import Activity, Instrument, Outcome
from staffroom.seeing.lessons.queries import notes_by_element

LEAST_RESULTS = 10
KEPT_S = 3600


def goals_of(person: Person) -> QuerySet[Goal]:
    """What a person has set out for and not left, the first first."""
    return Goal.objects.filter(person=person, ended_at=None).select_related("element__version__framework", "coach")


def goals_shown_to(coach: Person) -> QuerySet[Goal]:
    """Goals that teachers let a coach see."""
    found = Goal.objects.filter(coach=coach, ended_at=None, person__erased_at=None)
    return found.select_related("element__version__framework", "person").order_by("person__family_name", "pk")


@dataclass
class Where:
    """One practice and what speaks about it: the latest own word and the coach's, each with what was said before."""

    element: Element
    goal: Goal | None = None
    own: list[Standing] = field(default_factory=list)
    coach: list[Standing] = field(default_factory=list)
    strengths: int = 0
    suggestions: int = 0

    @property
    def latest(self) -> Standing | None:
        return self.own[-1] if self.own else None

    @property
    def latest_of_coach(self) -> Standing | None:
        return self.coach[-1] if self.coach else None

    @property
    def lowest(self) -> float:
        """How low one stands in it by what is known; what nobody has spoken about stands in the middle."""
        said = [each.level for each in (self.latest, self.latest_of_coach) if each]
        return sum(said) / len(said) if said else 2.5


def standings_of(person: Person) -> list[Where]:
    """Practices that the person has a goal in or has been spoken about in, goals first, the weakest first among them."""
    found: dict[int, Where] = {}
    for goal in _set_out_for(person.pk):
        found[goal.element_id] = Where(goal.element, goal)
    for each in _said_of(person.pk):
        where = found.setdefault(each.element_id, Where(each.element))
        (where.own if each.is_own else where.coach).append(each)
    for element_id, (strengths, suggestions) in notes_by_element(person, found).items():
        found[element_id].strengths, found[element_id].suggestions = strengths, suggestions
    return sorted(found.values(), key=lambda each: (each.goal is None, each.lowest, each.element.ordinal))


@prepared
def _set_out_for(person: int) -> QuerySet[Goal]:
    return Goal.objects.filter(person=person, ended_at=None).select_related("element")


@prepared
def _said_of(person: int) -> QuerySet[Standing]:
    return Standing.objects.filter(person=person).select_related("element", "by").order_by("noted_at", "pk")


def weakest_goal(places: Iterable[Where]) -> Where | None:
    """The goal in which one stands lowest."""
    return min((each for each in places if each.goal), key=lambda each: each.lowest, default=None)


def standings_by(coach: Person, goals: Iterable[Goal]) -> dict[int, Standing]:
    """What a coach said last of each of these goals."""
    found: dict[int, Standing] = {}
    goals = list(goals)
    by_pair = {(goal.person_id, goal.element_id): goal.pk for goal in goals}
    said = Standing.objects.filter(by=coach, is_own=False, person__in=[goal.person_id for goal in goals])
    for each in said.order_by("noted_at", "pk"):
        pk = by_pair.get((each.person_id, each.element_id))
        if pk is not None:
            found[pk] = each
    return found


# --- Her students --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ClassMean:
    """Her students in a term beside those of the district, in SD of the district: difference with its 95 % interval."""

    term: Term
    results: int
    sd: float
    low: float
    high: float


def class_means_of(person: Person) -> list[tuple[Instrument, list[ClassMean]]]:
    """On each test, term by term, how far her students stood from the district's mean; terms with too few are left out."""
    counted = (
        Outcome.objects.live()
        .filter(teacher=person, subject=Outcome.Subject.STUDENT, instrument__is_evaluation=False)
        .order_by("instrument__name", "term__begins_on")
        .values("instrument", "term")
        .annotate(n=Count("pk"), mean=Avg("value"), spread=StdDev("value"))
    )
    rows = [row for row in counted if row["n"] >= LEAST_RESULTS]
    instruments = Instrument.objects.in_bulk({row["instrument"] for row in rows})
    terms = Term.objects.select_related("organization").in_bulk({row["term"] for row in rows})
    found: dict[int, list[ClassMean]] = defaultdict(list)
    for row in rows:
        mean, spread = _around(instruments[row["instrument"]], terms[row["term"]])
        if spread:
            sign = 1 if instruments[row["instrument"]].is_higher_better else -1
            off, half = sign * (row["mean"] - mean) / spread, 1.96 * row["spread"] / sqrt(row["n"]) / spread
            found[row["instrument"]].append(ClassMean(terms[row["term"]], row["n"], off, off - half, off + half))
    return [(instruments[pk], lines) for pk, lines in found.items()]


def _around(instrument: Instrument, term: Term) -> tuple[float, float]:
    """Mean and SD of all results of a term around its organization; kept for an hour, since they are the same for everybody."""
    name = f"impact-around-{instrument.pk}-{term.pk}"
    kept: tuple[float, float] | None = cache.get(name)
    if kept is None:
        found = Outcome.objects.live().filter(instrument=instrument, term=term, subject=Outcome.Subject.STUDENT)
        sums = found.order_by().aggregate(
            mean=Avg("value"), spread=StdDev("value"), teachers=Count("teacher", distinct=True)
        )
        kept = (sums["mean"] or 0.0, sums["spread"] or 0.0) if sums["teachers"] >= 5 else (0.0, 0.0)
        cache.set(name, kept, KEPT_S)
    return kept


# --- What might help -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Alike:
    """What an activity brought to teachers of one band of a family: those who teach her grades, or have been here as long as she."""

    family: str
    band: str
    effect: dict[str, Any]
    teachers: int


@dataclass(frozen=True)
class Likeness:
    """In what "teachers like you" are like her; empty where the roster does not tell it."""

    school: Organization | None
    grades: str
    years: str

    @property
    def bands(self) -> dict[str, str]:
        return {GRADES: self.grades, EXPERIENCE: self.years}


def likeness_of(person: Person) -> Likeness:
    held = [each for each in memberships_of(person) if each.role == Role.TEACHER]
    days = [each.begins_on for each in held if each.begins_on]
    school = next((each.organization for each in held if each.organization.kind == Organization.Kind.SCHOOL), None)
    grades = grade_bands_of([person.pk]).get(person.pk, "")
    return Likeness(school, grades, years_band(min(days, default=None), timezone.localdate()))


@dataclass(frozen=True)
class Option:
    """An activity that is there for a practice: what a teacher may expect of it, from whom that is known, and what it takes."""

    activity: Activity
    basis: str
    """'school': teachers of her school, drawn towards all; 'grades', 'years': those like her in that; 'new_school': schools like
    those seen; 'all'; or nothing known."""
    effect: dict[str, Any] | None
    teachers: int | None
    tier: int | None
    hours: float | None
    sentence: list[dict[str, Any]]
    is_higher_better: bool = True
    alike: tuple[Alike, ...] = ()
    """What it brought to teachers who are like her in one respect each, drawn towards the whole."""

    @property
    def is_above_zero(self) -> bool:
        return bool(self.effect and self.effect["low"] > 0)


def options_for(person: Person, element: Element, like: Likeness) -> list[Option]:
    """Activities around the person that are there for a practice or for what it is a part of; known benefits first, by name."""
    places = {
        pk for held in memberships_of(person) if held.role != Role.STUDENT for pk in held.organization.ancestor_pks
    }
    aimed = Aim.objects.filter(Q(element=element) | Q(element=element.parent_id) | Q(element__parent=element.pk))
    found = Activity.objects.filter(pk__in=aimed.values("activity"), organization__in=places)
    activities = list(found.select_related("organization", "tally").order_by("name", "pk"))
    told = _told(activities)
    options = [_option(each, getattr(each, "tally", None), told.get(each.pk, {}), like) for each in activities]
    return sorted(options, key=lambda each: (not each.is_above_zero, each.effect is None))


def _told(activities: Sequence[Activity]) -> dict[int, dict[str, Any]]:
    """What is kept of each activity's first estimate, on tests before other instruments."""
    scopes = {each.pk: scope_of(each).pk for each in activities}
    found: dict[int, dict[str, Any]] = {}
    rows = Estimate.objects.filter(activity__in=activities).select_related("instrument")
    for each in sorted(rows, key=lambda each: (each.instrument.kind != Instrument.Kind.TEST, each.instrument.name)):
        if scopes[each.activity_id] == each.organization_id:
            found.setdefault(each.activity_id, each.result)
    return found


def _option(activity: Activity, tally: Tally | None, result: dict[str, Any], like: Likeness) -> Option:
    answer = result.get("answer") or {}
    alike = _alike(result.get("likeness") or {}, like)
    basis, effect, teachers = benefit(answer, str(like.school.key) if like.school else "", alike)
    hours = (tally.result.get("hours_per_teacher") if tally else None) or activity.planned_hours
    return Option(
        activity, basis, effect, teachers, answer.get("tier"), float(hours) if hours else None,
        answer.get("sentence") or [], bool(result.get("is_higher_better", True)), alike,
    )  # fmt: skip


def _alike(kept: dict[str, dict[str, Any]], like: Likeness) -> tuple[Alike, ...]:
    """Of each family the band that is hers, where anything is known of it."""
    found: list[Alike] = []
    for family, band in like.bands.items():
        line = (kept.get(family) or {}).get(band) if band else None
        if line is not None and _is_whole(line):
            found.append(Alike(family, band, line, line["teachers"]))
    return tuple(found)


def benefit(
    answer: dict[str, Any], school: str, alike: Sequence[Alike] = ()
) -> tuple[str, dict[str, Any] | None, int | None]:
    """What a teacher of a school may expect, by the nearest evidence that there is: (basis, effect with sd low high, teachers).

    Her own school's effect drawn towards that of all schools; else that among the teachers like her, by the smaller of the groups
    that she is in; else what a further school may expect (the prediction interval); else the effect over all teachers. Nothing
    without an interval.
    """
    spread = answer.get("replicability") or {}
    for line in spread.get("by_site") or ():
        shrunken = line.get("shrunken")
        if school and line.get("group") == school and not line.get("hidden") and _is_whole(shrunken):
            return "school", shrunken, line["n"]["teachers"]
    if alike:
        nearest = min(alike, key=lambda each: each.teachers)
        return nearest.family, nearest.effect, nearest.teachers
    effect = answer.get("effect")
    behind = (answer.get("n") or {}).get("treated_teachers")
    if spread.get("known") and spread.get("pooled") and spread.get("prediction_low") is not None:
        foreseen = {"sd": spread["pooled"]["sd"], "low": spread["prediction_low"], "high": spread["prediction_high"]}
        return "new_school", foreseen, behind
    return ("all", effect, behind) if _is_whole(effect) else ("", None, None)


def _is_whole(effect: dict[str, Any] | None) -> bool:
    return bool(effect) and all(effect.get(name) is not None for name in ("sd", "low", "high"))  # type: ignore[union-attr]
