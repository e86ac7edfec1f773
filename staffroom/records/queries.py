"""Reads of the ledgers, always for a named viewer: activities, who took part, what it cost, what was observed.

Evaluation never meets growth (trust, rule 2): every read of results here leaves out instruments of evaluation, except the one
query that is named for them, and that one joins nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from math import sqrt
from typing import TYPE_CHECKING

from django.db.models import Avg, Count, Q, QuerySet, StdDev, Sum
from django.utils import timezone

from staffroom.people.models import Enrollment, Membership, Organization, Person, Role, Term
from staffroom.people.queries import memberships_of
from staffroom.people.rules import lasting, overseen_by
from staffroom.records import money, rules
from staffroom.records.models import Activity, Cost, Instrument, Outcome, OutcomeImport, Price, PriceIndex, Statement

if TYPE_CHECKING:
    from staffroom.records.append_only import LedgerQuerySet

SMALLEST_GROUP = 5


def activities_for(viewer: object) -> QuerySet[Activity]:
    """Professional-learning activities that the viewer may know of: those of their organizations, above and below."""
    return Activity.objects.filter(rules.activities_seen_by(viewer)).select_related("organization")


def activities_entered_by(viewer: object) -> QuerySet[Activity]:
    """Activities in which the viewer enters who took part: of the organizations that they oversee, and of those above."""
    return Activity.objects.filter(rules.activities_entered_by(viewer)).select_related("organization")


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


# --- Costs -----------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class CostLine:
    """A part of the costs by what was used, or by who paid."""

    label: str
    cents: int


@dataclass(frozen=True)
class CostSummary:
    """What an activity cost, in whole cents. `net` is `gross` minus what would have been spent anyway."""

    gross_cents: int
    usual_cents: int
    by_ingredient: list[CostLine]
    by_payer: list[CostLine]
    teachers: int
    students: int

    @property
    def net_cents(self) -> int:
        return self.gross_cents - self.usual_cents

    @property
    def per_teacher_cents(self) -> int | None:
        return money.share_cents(self.net_cents, self.teachers)

    @property
    def per_student_cents(self) -> int | None:
        return money.share_cents(self.net_cents, self.students)


def cost_lines_for(viewer: object, activity: Activity) -> LedgerQuerySet[Cost]:
    """The lines of an activity's costs that count, newest first; none for those who may not see costs."""
    lines = Cost.objects.live().filter(activity=activity)
    lines = lines if rules.may_see_costs(viewer, activity) else lines.none()
    return lines.select_related("price").order_by("-happened_on", "-pk")


def costs_for(
    viewer: object, activity: Activity, first: date | None = None, last: date | None = None
) -> CostSummary | None:
    """What an activity cost between two days (both included), for those who may see it."""
    return costs_of(activity, first, last) if rules.may_see_costs(viewer, activity) else None


def costs_of(activity: Activity, first: date | None = None, last: date | None = None) -> CostSummary:
    """The same without asking who wants to know: for rooms that have asked themselves."""
    lines = Cost.objects.live().filter(_days("happened_on", first, last), activity=activity).order_by()
    sums = lines.aggregate(
        gross=Sum("amount_usd_cents", filter=Q(is_business_as_usual=False)),
        usual=Sum("amount_usd_cents", filter=Q(is_business_as_usual=True)),
    )
    new = lines.filter(is_business_as_usual=False)
    teachers = teachers_in(activity, first, last)
    return CostSummary(
        gross_cents=sums["gross"] or 0, usual_cents=sums["usual"] or 0, by_ingredient=_grouped(new, "ingredient"),
        by_payer=_grouped(new, "payer"), teachers=teachers.count(), students=students_of(teachers, first, last),
    )  # fmt: skip


def _days(field: str, first: date | None, last: date | None) -> Q:
    begun = Q(**{f"{field}__gte": first}) if first else Q()
    return begun & (Q(**{f"{field}__lte": last}) if last else Q())


def _grouped(lines: QuerySet[Cost], by: str) -> list[CostLine]:
    sums = lines.values(by).annotate(cents=Sum("amount_usd_cents")).order_by("-cents", by)
    return [CostLine(row[by], row["cents"]) for row in sums]


def teachers_in(activity: Activity, first: date | None = None, last: date | None = None) -> QuerySet[Person]:
    """Who took part in an activity as a teacher between two days."""
    took_part = Statement.objects.live().filter(activity=activity, role=Role.TEACHER, actor__isnull=False)
    if first is not None:
        took_part = took_part.filter(happened_at__gte=_midnight(first))
    if last is not None:
        took_part = took_part.filter(happened_at__lt=_midnight(date.fromordinal(last.toordinal() + 1)))
    return Person.objects.filter(pk__in=took_part.order_by().values("actor"))


def students_of(teachers: QuerySet[Person], first: date | None = None, last: date | None = None) -> int:
    """How many students these teachers taught in the terms that touch those days."""
    taught = Enrollment.objects.filter(person__in=teachers.order_by().values("pk"), role=Enrollment.Role.TEACHER)
    attended = Enrollment.objects.filter(role=Enrollment.Role.STUDENT, section__in=taught.values("section"))
    if first is not None or last is not None:
        terms = Term.objects.filter(_days("ends_on", first, None) & _days("begins_on", None, last))
        attended = attended.filter(section__terms__in=terms.order_by().values("pk"))
    counted: int = attended.order_by().aggregate(count=Count("person", distinct=True))["count"]
    return counted


def prices_for(viewer: object) -> QuerySet[Price]:
    """The price lists that the viewer keeps, by kind and name."""
    places = Organization.objects.filter(rules.kept_by(viewer)).order_by().values("pk")
    return (
        Price.objects.filter(organization__in=places)
        .select_related("organization")
        .order_by("kind", "name", "-price_year")
    )


def usable_prices(viewer: object, activity: Activity) -> QuerySet[Price]:
    """Lines on the price lists of an activity's organization and of those above it that have not ended."""
    today = timezone.localdate()
    current = Q(ends_on=None) | Q(ends_on__gt=today)
    prices = Price.objects.filter(current, organization__in=activity.organization.ancestor_pks)
    return prices if rules.may_keep_records(viewer, activity.organization) else prices.none()


# --- Results -----------------------------------------------------------------------------------------------------------------------


def activities_with_costs_for(viewer: object) -> QuerySet[Activity]:
    """Activities whose costs the viewer may see, by name."""
    places = Organization.objects.filter(overseen_by(viewer)).order_by().values("pk")
    return Activity.objects.filter(organization__in=places).order_by("name", "pk")


def price_indexes_for(viewer: object) -> QuerySet[PriceIndex]:
    """Indexes of the price lists that the viewer keeps, years first."""
    places = Organization.objects.filter(rules.kept_by(viewer)).order_by().values("pk")
    return PriceIndex.objects.filter(organization__in=places).select_related("organization").order_by("-kind", "name")


def indexed_names(viewer: object, kind: str) -> list[str]:
    """Years or regions into whose prices the viewer can have amounts carried over."""
    around = {pk for held in memberships_of(viewer) for pk in held.organization.ancestor_pks}
    found = PriceIndex.objects.filter(kind=kind).filter(
        Q(organization__in=around) | Q(organization__in=Organization.objects.filter(overseen_by(viewer)).values("pk"))
    )
    return sorted(set(found.values_list("name", flat=True)))


def instruments_for(viewer: object, *, evaluation: bool = False) -> QuerySet[Instrument]:
    """Instruments that the viewer keeps results of: those of growth, or (never both at once) those of evaluation."""
    places = Organization.objects.filter(rules.kept_by(viewer)).order_by().values("pk")
    found = Instrument.objects.filter(organization__in=places, is_evaluation=evaluation)
    return found.select_related("organization").order_by("name")


@dataclass(frozen=True)
class TermResults:
    """All results of an instrument in a term, summed up; a group of fewer than five has its number alone."""

    term: Term
    count: int
    mean: float | None
    deviation: float | None
    is_small: bool


def results_by_term(viewer: object, instrument: Instrument) -> list[TermResults]:
    """What an instrument measured, term by term, for those who keep its results. No single person's result is shown anywhere."""
    if not rules.may_keep_records(viewer, instrument.organization):
        return []
    live = Outcome.objects.live().filter(instrument=instrument).order_by()
    sums = live.values("term").annotate(
        count=Count("pk"), people=Count("person", distinct=True), mean=Avg("value"), deviation=StdDev("value"),
    )  # fmt: skip
    by_term = {row["term"]: row for row in sums}
    found = []
    for term in Term.objects.filter(pk__in=by_term).order_by("begins_on", "pk"):
        row = by_term[term.pk]
        is_small = min(row["count"], row["people"] or row["count"]) < SMALLEST_GROUP
        # Of a sample: SQLite cannot take it of one value, so it is made of the population's.
        deviation = row["deviation"] * sqrt(row["count"] / max(row["count"] - 1, 1))
        mean, spread = (None, None) if is_small else (row["mean"], deviation)
        found.append(TermResults(term, row["count"], mean, spread, is_small))
    return found


def imports_for(viewer: object) -> QuerySet[OutcomeImport]:
    """Results files of the organizations whose records the viewer keeps, newest first."""
    places = Organization.objects.filter(rules.kept_by(viewer)).order_by().values("pk")
    return OutcomeImport.objects.filter(organization__in=places).select_related(
        "instrument", "organization", "imported_by"
    )


def places_kept_by(viewer: object) -> QuerySet[Organization]:
    """Organizations whose instruments, prices and results the viewer keeps, from the top."""
    return Organization.objects.filter(rules.kept_by(viewer)).order_by("path")


def places_entered_by(viewer: object) -> QuerySet[Organization]:
    """Organizations whose activities and attendance the viewer enters, from the top."""
    return Organization.objects.filter(overseen_by(viewer)).order_by("path")


@dataclass(frozen=True)
class Participation:
    """Who took part in an activity, in numbers; hours are those that were entered or logged."""

    people: int
    entries: int
    hours: float


def participants_for(viewer: object, activity: Activity) -> Participation:
    """How many of the people whom the viewer may see took part in an activity, and for how long."""
    sums = entries_for(viewer, activity).order_by().aggregate(
        people=Count("actor", distinct=True), entries=Count("pk"), seconds=Sum("duration_s")
    )  # fmt: skip
    return Participation(sums["people"], sums["entries"], (sums["seconds"] or 0) / 3600)
