"""What activities cost, line by line and side by side: in prices of one year and region, money apart from opportunity.

Plain sums of the cost ledger. Amounts are whole cents; each is carried over once, so that the lines add up to the totals.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from django.db.models import Q, Sum

from staffroom.measure import costs
from staffroom.people.models import Role
from staffroom.records import money
from staffroom.records.models import Activity, Cost, Price, PriceIndex, Statement
from staffroom.records.queries import students_of, teachers_in

UNITY = Decimal(1)


@dataclass(frozen=True)
class Indexes:
    """The indexes that count for an organization: its own, else those of the nearest above it."""

    years: Mapping[str, Decimal]
    regions: Mapping[str, Decimal]

    def carry(self, cents: int, *, year: int, region: str, to_year: str, to_region: str) -> int | None:
        """An amount in prices of another year and region; None where an index is missing. Empty: as it was."""
        for there, here, known in ((str(year), to_year, self.years), (region, to_region, self.regions)):
            if not here or there == here:
                continue
            if not there or there not in known or here not in known:
                return None
            cents = _carried(cents, known[there], known[here])
        return cents


def _carried(cents: int, there: Decimal, here: Decimal) -> int:
    sign = -1 if cents < 0 else 1
    return sign * costs.in_prices_of(abs(cents), index_then=there, index_now=here)


def indexes_for(activity: Activity) -> Indexes:
    """The indexes around an activity's organization: the nearest one wins."""
    above = activity.organization.ancestor_pks
    found: dict[str, dict[str, Decimal]] = {PriceIndex.Kind.YEAR.value: {}, PriceIndex.Kind.REGION.value: {}}
    rows = PriceIndex.objects.filter(organization__in=above)
    for index in sorted(rows, key=lambda each: above.index(each.organization_id)):
        found[index.kind][index.name] = index.value
    return Indexes(found[PriceIndex.Kind.YEAR.value], found[PriceIndex.Kind.REGION.value])


@dataclass
class Sums:
    """One activity's costs in prices of one year and region."""

    activity: Activity
    teachers: int
    students: int
    groups: int
    lines: dict[tuple[str, str, bool], int] = field(default_factory=dict)
    """(kind, ingredient, is business as usual) -> cents."""
    scaling: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    payers: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    opportunity_cents: int = 0
    as_they_were: int = 0
    """How many entries could not be carried over, for want of an index: they count as they were."""

    @property
    def gross_cents(self) -> int:
        return sum(cents for (_kind, _name, is_usual), cents in self.lines.items() if not is_usual)

    @property
    def usual_cents(self) -> int:
        return sum(cents for (_kind, _name, is_usual), cents in self.lines.items() if is_usual)

    @property
    def net_cents(self) -> int:
        return self.gross_cents - self.usual_cents

    @property
    def money_cents(self) -> int:
        """What is paid for beyond business as usual; the rest is opportunity."""
        return self.net_cents - self.opportunity_cents

    def per_teacher(self, cents: int) -> int | None:
        return money.share_cents(cents, self.teachers)

    def per_student(self, cents: int) -> int | None:
        return money.share_cents(cents, self.students)

    @property
    def marginal(self) -> tuple[int, int] | None:
        """Cost of one more teacher, and of the first one of one more group."""
        return costs.marginal_usd_cents(self.scaling.items(), teachers=self.teachers, groups=self.groups)


def sums_of(activity: Activity, *, year: str = "", region: str = "") -> Sums:
    """An activity's costs that count, carried over to a year and a region. For rooms that have asked who wants to know."""
    teachers = teachers_in(activity)
    found = Sums(activity, teachers.count(), students_of(teachers), _groups(activity))
    indexes = indexes_for(activity)
    rows = Cost.objects.live().filter(activity=activity).order_by()
    keys = (
        "kind",
        "ingredient",
        "is_business_as_usual",
        "scales_with",
        "is_opportunity",
        "payer",
        "price_year",
        "region",
    )
    for row in rows.values(*keys).annotate(cents=Sum("amount_usd_cents")):
        carried = indexes.carry(
            row["cents"], year=row["price_year"], region=row["region"], to_year=year, to_region=region
        )
        if carried is None:
            found.as_they_were += 1
        _add(found, row, row["cents"] if carried is None else carried)
    return found


def _add(found: Sums, row: Mapping[str, object], cents: int) -> None:
    is_usual = bool(row["is_business_as_usual"])
    place = (str(row["kind"]), str(row["ingredient"]), is_usual)
    found.lines[place] = found.lines.get(place, 0) + cents
    net = -cents if is_usual else cents
    found.scaling[str(row["scales_with"])] += net
    if row["is_opportunity"]:
        found.opportunity_cents += net
    if not is_usual:
        found.payers[str(row["payer"])] += cents


def _groups(activity: Activity) -> int:
    """In how many schools teachers took part: each had its group. One if nothing says where."""
    took_part = Statement.objects.live().filter(activity=activity, role=Role.TEACHER, actor__isnull=False)
    schools = took_part.filter(~Q(organization=None)).order_by().values("organization").distinct().count()
    return max(1, schools)


@dataclass(frozen=True)
class Row:
    """One ingredient of two activities, in cents a teacher; None where an activity does not use it."""

    kind: str
    name: str
    is_usual: bool
    cents: tuple[int | None, ...]
    per_teacher: tuple[int | None, ...]

    @property
    def difference(self) -> int | None:
        """The second less the first, a teacher."""
        one, other = self.per_teacher
        return None if one is None and other is None else (other or 0) - (one or 0)

    @property
    def kind_name(self) -> str:
        return str(Price.Kind(self.kind).label) if self.kind in Price.Kind.values else self.kind


def side_by_side(sides: Sequence[Sums]) -> list[Row]:
    """The lines of two activities beside each other: dearest first, what would have been spent anyway at the end."""
    places: Iterable[tuple[str, str, bool]] = {place for side in sides for place in side.lines}
    rows = []
    for kind, name, is_usual in places:
        found = [side.lines.get((kind, name, is_usual)) for side in sides]
        signed = [None if cents is None else -cents if is_usual else cents for cents in found]
        shares = [None if cents is None else side.per_teacher(cents) for side, cents in zip(sides, signed, strict=True)]
        rows.append(Row(kind, name, is_usual, tuple(signed), tuple(shares)))
    return sorted(
        rows, key=lambda row: (row.is_usual, -max(abs(cents or 0) for cents in row.cents), row.kind, row.name)
    )
