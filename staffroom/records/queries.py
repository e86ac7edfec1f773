"""Reads of the ledgers, always for a named viewer: activities, who took part, what it cost, what was observed.

Evaluation never meets growth (trust, rule 2): every read of results here leaves out instruments of evaluation, except the one
query that is named for them, and that one joins nothing else.
"""

from __future__ import annotations

from datetime import date, datetime, time
from typing import TYPE_CHECKING

from django.db.models import Q, QuerySet
from django.utils import timezone

from staffroom.people.models import Membership, Organization, Person, Role, Term
from staffroom.people.queries import memberships_of
from staffroom.people.rules import lasting, overseen_by
from staffroom.records import rules
from staffroom.records.models import Activity, Statement

if TYPE_CHECKING:
    from staffroom.records.append_only import LedgerQuerySet

SMALLEST_GROUP = 5


def activities_for(viewer: object) -> QuerySet[Activity]:
    """Professional-learning activities that the viewer may know of: those of their organizations, above and below."""
    return Activity.objects.filter(rules.activities_seen_by(viewer)).select_related("organization")


def activities_kept_by(viewer: object) -> QuerySet[Activity]:
    """Activities whose participants and ingredients the viewer enters."""
    places = Organization.objects.filter(overseen_by(viewer)).order_by().values("pk")
    return Activity.objects.filter(organization__in=places).select_related("organization")


def entries_for(
    viewer: object,
    activity: Activity | None = None,
    *,
    month: date | None = None,
    term: Term | None = None,
    person: Person | None = None,
    verb: str = "",
) -> LedgerQuerySet[Statement]:
    """Entries of the activity ledger that the viewer may see, newest first; voided ones and voidings are left out.

    Whoever reads them for others than the actor shows dates, minutes and kinds: `EntryLine` is made of nothing else.
    """
    found = Statement.objects.live().filter(rules.entries_seen_by(viewer))
    if activity is not None:
        found = found.filter(activity=activity)
    if person is not None:
        found = found.filter(actor=person)
    if verb:
        found = found.filter(verb=verb)
    if month is not None:
        found = found.filter(_between(month.replace(day=1), _next_month(month)))
    if term is not None:
        found = found.filter(_between(term.begins_on, date.fromordinal(term.ends_on.toordinal() + 1)))
    return found.select_related("actor", "activity", "organization").order_by("-happened_at", "-pk")


def _between(first: date, until: date) -> Q:
    return Q(happened_at__gte=_midnight(first), happened_at__lt=_midnight(until))


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time()))


def _next_month(day: date) -> date:
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


def coaching_activity_for(teacher: Person, coach: Person) -> Activity | None:
    """The coaching program that time between two people counts for: of the nearest organization that both belong to."""
    today = timezone.localdate()
    shared = _organizations_above(teacher) & _organizations_above(coach)
    running = Q(begins_on=None) | Q(begins_on__lte=today), Q(ends_on=None) | Q(ends_on__gte=today)
    found = Activity.objects.filter(*running, kind=Activity.Kind.COACHING, organization__in=shared)
    return max(
        found.select_related("organization"),
        key=lambda each: (len(each.organization.ancestor_pks), -each.pk),
        default=None,
    )


def _organizations_above(person: Person) -> set[int]:
    return {pk for held in memberships_of(person) for pk in held.organization.ancestor_pks}


def staff_below(viewer: object, organization: Organization) -> QuerySet[Person]:
    """Teachers, coaches and other staff at an organization or below it whom the viewer leads or administers."""
    places = Organization.objects.filter(overseen_by(viewer), path__startswith=organization.path).order_by()
    held = Membership.objects.filter(~Q(role=Role.STUDENT), lasting(), organization__in=places.values("pk")).order_by()
    return Person.objects.filter(pk__in=held.values("person"), erased_at=None).order_by(
        "family_name", "given_name", "pk"
    )
