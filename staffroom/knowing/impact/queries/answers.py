"""Reads, always for a named viewer: activities whose effect they may know, what was computed, and whether it is still true."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db.models import Case, Exists, F, IntegerField, OuterRef, Q, QuerySet, TextField, Value, When
from django.db.models.functions import Cast

from staffroom.jobs.models import Job
from staffroom.jobs.queries import jobs_about
from staffroom.knowing.impact.models import Estimate, Tally
from staffroom.knowing.impact.queries.practice import newer_ratings
from staffroom.knowing.impact.rules import may_see_sites, what_works_seeable_by
from staffroom.knowing.impact.summing import Stretch
from staffroom.people.models import Membership, Organization, Role, Term
from staffroom.people.rules import lasting
from staffroom.records.append_only import LakeMark
from staffroom.records.models import Activity, Cost, Instrument, LakePart, Outcome, Statement
from staffroom.records.ordering import first_number
from staffroom.records.queries import entries_for

if TYPE_CHECKING:
    from staffroom.records.append_only import LedgerQuerySet

JOB_KIND = "knowing.impact.compute"


def activities_for(viewer: object) -> QuerySet[Activity]:
    """Activities whose effect the viewer may know, by name."""
    found = Activity.objects.filter(what_works_seeable_by(viewer)).select_related("organization")
    return found.order_by("name", "pk")


def activities_named(viewer: object, slug: str, at: str = "") -> list[Activity]:
    """Those with this part of an address: more than one only where two organizations chose the same; `at` picks one."""
    found = activities_for(viewer).filter(slug=slug).order_by("organization__path", "pk")
    return list(found.filter(organization__slug=at) if at else found)


def scope_of(activity: Activity) -> Organization:
    """Where comparisons are made: the district of an activity; where there is none, its own organization."""
    return district_around(activity.organization)


def district_around(place: Organization) -> Organization:
    """The district in which a place lies, or the place itself."""
    if place.kind in (Organization.Kind.DISTRICT, Organization.Kind.STATE):
        return place
    districts = Organization.objects.filter(pk__in=place.ancestor_pks, kind=Organization.Kind.DISTRICT)
    return districts.order_by("-path").first() or place


def instruments_for(scope: Organization) -> QuerySet[Instrument]:
    """Instruments with results of students in a part of the tree, tests first. None of evaluation."""
    around = Q(organization__path__startswith=scope.path) | Q(organization__in=scope.ancestor_pks)
    inside = Q(school__path__startswith=scope.path) | Q(school=None, organization__path__startswith=scope.path)
    results = Outcome.objects.live().filter(
        inside, instrument=OuterRef("pk"), subject=Outcome.Subject.STUDENT, teacher__isnull=False
    )
    is_test = Case(When(kind=Instrument.Kind.TEST, then=Value(0)), default=Value(1), output_field=IntegerField())
    found = Instrument.objects.filter(around, Exists(results), is_evaluation=False)
    return found.order_by(is_test, "name", "pk")


def terms_around(scope: Organization) -> dict[int, Stretch]:
    """The terms of an organization, of those above and of those below it."""
    around = Q(organization__path__startswith=scope.path) | Q(organization__in=scope.ancestor_pks)
    return {
        pk: Stretch(name, begins, ends)
        for pk, name, begins, ends in Term.objects.filter(around)
        .order_by("begins_on", "pk")
        .values_list("pk", "name", "begins_on", "ends_on")
    }


def teachers_now(activity: Activity) -> set[str]:
    """Keys of those who teach at an activity's organization or below it today."""
    held = Membership.objects.filter(
        lasting(), role=Role.TEACHER, organization__path__startswith=activity.organization.path, person__erased_at=None
    )
    return {str(key) for key in held.order_by().values_list("person__key", flat=True)}


def lake_state() -> list[tuple[str, str, str]]:
    """What the lake holds, by the hashes of its files."""
    parts = LakePart.objects.order_by("ledger", "month").values_list("ledger", "month", "sha256")
    return [(ledger, month.isoformat(), sha256) for ledger, month, sha256 in parts]


def tallies_of(activities: Iterable[Activity]) -> dict[int, Tally]:
    return {tally.activity_id: tally for tally in Tally.objects.filter(activity__in=[each.pk for each in activities])}


def estimates_of(activities: Iterable[Activity]) -> dict[int, list[Estimate]]:
    """The summaries of all estimates of some activities: those on tests first."""
    found: dict[int, list[Estimate]] = {}
    rows = Estimate.objects.filter(activity__in=[each.pk for each in activities]).select_related("instrument")
    for row in rows.defer("result").order_by("instrument__name", "instrument_id"):
        found.setdefault(row.activity_id, []).append(row)
    for many in found.values():
        many.sort(key=lambda each: each.instrument.kind != Instrument.Kind.TEST)
    return found


def school_names(viewer: object, scope: Organization) -> dict[str, str]:
    """Names of the schools of a part of the tree by key, for those to whom they may be named; nothing for others."""
    if not may_see_sites(viewer, scope):
        return {}
    found = Organization.objects.filter(path__startswith=scope.path, kind=Organization.Kind.SCHOOL)
    return {str(key): name for key, name in found.values_list("key", "name")}


def estimate_on(activity: Activity, instrument: Instrument) -> Estimate | None:
    """The estimate with its result as it is stored, as `text`: to be told apart from others without being read."""
    found = Estimate.objects.filter(activity=activity, instrument=instrument).defer("result")
    return found.annotate(text=Cast("result", TextField())).first()


def is_outdated(activity: Activity, instrument: Instrument | None, since: datetime) -> bool:
    """Whether the ledgers have entries that an answer of a certain moment cannot know of, or lost some. One query."""
    newer = [_stored_since(Statement, since, activity=activity.pk), _stored_since(Cost, since, activity=activity.pk)]
    newer.append(LakeMark.objects.filter(is_removal=True).order_by().values("pk"))
    if instrument is not None:
        newer.append(_stored_since(Outcome, since, instrument=instrument.pk))
        newer.append(newer_ratings(scope_of(activity), since))
    return newer[0].union(*newer[1:], all=True).exists()


def _stored_since(ledger: type[Statement | Cost | Outcome], since: datetime, **about: int) -> QuerySet[Any, Any]:
    """Entries about something that were stored since a moment, found by when they were stored.

    The sum keeps the database from walking through all entries about the thing, which are many; those since then are few.
    """
    ((name, pk),) = about.items()
    # The number of a statement tells when it was stored.
    late = ledger._default_manager.filter(
        **({"pk__gte": first_number(since)} if ledger is Statement else {"stored_at__gte": since})
    ).order_by()
    return late.alias(about=F(f"{name}_id") + 0).filter(about=pk).values("pk")


def running_job(about: Activity | Organization) -> Job | None:
    """The computation that waits or runs, or has failed last."""
    latest = jobs_about(about).filter(kind=JOB_KIND).first()
    return None if latest is None or latest.state == Job.State.DONE else latest


def instrument_with(instruments: Iterable[Instrument], name: str) -> Instrument | None:
    """The one with this part of an address, or this key; the first one if none is named; None if there is no such one."""
    found = list(instruments)
    if not name:
        return found[0] if found else None
    return next((each for each in found if name in (each.slug, str(each.key))), None)


# --- What the figures came from ------------------------------------------------------------------------------------------------


def entries_behind(viewer: object, activity: Activity) -> LedgerQuerySet[Statement]:
    """Entries of an activity that the viewer may see, newest first."""
    return entries_for(viewer, activity)


def costs_behind(activity: Activity) -> LedgerQuerySet[Cost]:
    """The ingredients of an activity that count, newest first."""
    return Cost.objects.live().filter(activity=activity).order_by("-happened_on", "-pk")


def before[Row: (Statement, Cost)](rows: LedgerQuerySet[Row], day: str, key: str) -> LedgerQuerySet[Row]:
    """The rest of a list, newest first by `day`, after the row with this primary key; all of it if there is no such row."""
    last = rows.filter(pk=key).values_list(day, flat=True).first() if key.isdecimal() and len(key) < 19 else None
    if last is None:
        return rows
    return rows.filter(Q(**{f"{day}__lt": last}) | Q(**{day: last, "pk__lt": int(key)}))
