"""Appending to the cost ledger: ingredients by hand, time at its wage, corrections by voiding. And the price list."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from staffroom.people.models import Organization, Person
from staffroom.records import money, rules
from staffroom.records.models import Activity, Cost, Price, PriceIndex, ScalesWith, Statement

BATCH = 500
MOST = Decimal("999999999")
USUALLY_SCALES_WITH: dict[str, str] = {
    Price.Kind.ROOM: ScalesWith.GROUP, Price.Kind.FEE: ScalesWith.GROUP, Price.Kind.DEVICE: ScalesWith.FIXED,
}  # fmt: skip


@dataclass(kw_only=True)
class Ingredient:
    """One line of what an activity used, before it is a cost. The fields are those of `record_cost`."""

    activity: Activity
    quantity: Decimal
    happened_on: date
    price: Price | None = None
    ingredient: str = ""
    kind: str = ""
    unit: str = ""
    unit_price_usd_cents: int | None = None
    price_year: int | None = None
    payer: str = ""
    is_business_as_usual: bool = False
    scales_with: str = ""
    is_opportunity: bool | None = None
    person: Person | None = None
    statement: Statement | None = None


@transaction.atomic
def record_cost(*, by: Person | None, **line: Any) -> Cost:
    """Append one ingredient of an activity: from the price list (`price`), or with its own name, kind, unit and unit price.

    Fields: activity, quantity, happened_on, price or (ingredient, kind, unit, unit_price_usd_cents, price_year), payer,
    is_business_as_usual (what would have been spent anyway: it is subtracted), scales_with and is_opportunity (else those of
    the price), person, statement. Refuses (PermissionDenied) those who do not keep the records of the activity's organization;
    None is Staffroom itself.
    """
    wanted = Ingredient(**line)
    if by is not None and not rules.may_keep_records(by, wanted.activity.organization):
        raise PermissionDenied
    cost = _cost(wanted)
    cost.save()
    return cost


@transaction.atomic
def record_costs(*, by: Person | None, lines: Iterable[Ingredient]) -> int:
    """Append many ingredients at once, all or none. Returns how many."""
    wanted = list(lines)
    for organization in {line.activity.organization for line in wanted} if by is not None else ():
        if not rules.may_keep_records(by, organization):
            raise PermissionDenied
    Cost.objects.append_many([_cost(line) for line in wanted])
    return len(wanted)


def _cost(line: Ingredient) -> Cost:
    """The entry of an ingredient with its amount, not yet saved."""
    quantity = Decimal(line.quantity)
    if not quantity.is_finite() or not 0 < quantity <= MOST:
        raise ValidationError(_("A quantity is more than nothing."))
    price = line.price
    unit_price = price.unit_price_usd_cents if price else line.unit_price_usd_cents
    if unit_price is None or unit_price < 0:
        raise ValidationError(_("An ingredient needs a price."))
    quantity = quantity.quantize(Decimal("0.0001"))
    return Cost(
        organization=line.activity.organization, activity=line.activity, price=price, quantity=quantity,
        ingredient=line.ingredient or (price.name if price else ""), kind=line.kind or (price.kind if price else Price.Kind.FEE),
        unit=line.unit or (price.unit if price else ""), unit_price_usd_cents=unit_price,
        amount_usd_cents=_amount(quantity, unit_price, price), payer=line.payer, person=line.person,
        price_year=line.price_year or (price.price_year if price else line.happened_on.year),
        is_business_as_usual=line.is_business_as_usual, happened_on=line.happened_on, statement=line.statement,
        region=price.region if price else "",
        scales_with=line.scales_with or (price.scales_with if price else ScalesWith.FIXED),
        is_opportunity=bool(price and price.is_opportunity) if line.is_opportunity is None else line.is_opportunity,
    )  # fmt: skip


def _amount(quantity: Decimal, unit_price: int, price: Price | None) -> int:
    if price is None:
        return money.amount_cents(quantity, unit_price)
    return money.amount_cents(
        quantity, unit_price, benefits_percent=price.benefits_percent, lifetime_years=price.lifetime_years,
        interest_percent=price.interest_percent,
    )  # fmt: skip


@transaction.atomic
def void_cost(*, by: Person, cost: Cost) -> Cost:
    """Say that a line is wrong: append one that takes it away again. A voided line, or a voiding one, is refused."""
    if not rules.may_keep_records(by, cost.organization):
        raise PermissionDenied
    locked = Cost.objects.select_for_update().get(pk=cost.pk)
    if locked.is_voided or locked.voids_id is not None:
        raise ValidationError(_("This line is voided already."))
    return append_voiding_cost(locked)


def append_voiding_cost(cost: Cost) -> Cost:
    """Append the entry that takes a cost away: the same line with the opposite sign, so that every sum stays true."""
    fields = {
        field.attname: getattr(cost, field.attname)
        for field in Cost._meta.concrete_fields
        if field.name not in ("id", "key", "stored_at", "voids", "is_voided", "quantity", "amount_usd_cents")
    }
    voiding = Cost(**fields, voids=cost, quantity=-cost.quantity, amount_usd_cents=-cost.amount_usd_cents)
    voiding.save()
    Cost.objects.filter(pk=cost.pk).mark_voided()
    return voiding


def price_statements(*, entries: Sequence[Statement], are_new: bool = False) -> int:
    """Append the cost of the time in statements that belong to an activity, at the wage of the actor's role.

    Safe to run twice: a statement's time is priced once (a constraint of the database sees to it). Time of a role that has no wage
    on the price list stays without a cost until there is one. `are_new`: just appended, none can have a cost. Returns how many
    costs were appended.
    """
    timed = [each for each in entries if each.activity and each.duration_s and each.role and not each.is_voided]
    if not timed:
        return 0
    wages = _Wages({each.activity.organization for each in timed if each.activity})
    made = [cost for each in timed if (cost := _time_cost(each, wages))]
    if are_new:
        Cost.objects.append_many(made)
    else:
        Cost.objects.bulk_create(made, batch_size=BATCH, ignore_conflicts=True)
    return len(made)


def _time_cost(entry: Statement, wages: _Wages) -> Cost | None:
    assert entry.activity is not None
    assert entry.duration_s is not None
    day = timezone.localdate(entry.happened_at)
    price = wages.find(entry.activity.organization, entry.role, day)
    quantity = money.hours(entry.duration_s)
    if price is None or not quantity:
        return None
    return _cost(Ingredient(
        activity=entry.activity, quantity=quantity, happened_on=day, price=price, person=entry.actor, statement=entry
    ))  # fmt: skip


class _Wages:
    """The wages on the price lists of some organizations and of those above them, read once."""

    def __init__(self, organizations: Iterable[Organization]) -> None:
        around = {pk for each in organizations for pk in each.ancestor_pks}
        found = Price.objects.filter(kind=Price.Kind.WAGE, organization__in=around).order_by("price_year", "pk")
        self.prices = list(found)
        self.known: dict[tuple[int, str, date], Price | None] = {}

    def find(self, organization: Organization, role: str, day: date) -> Price | None:
        """The nearest organization's wage of a role: of that day's year, else of the latest before, else the first."""
        asked = (organization.pk, role, day)
        if asked not in self.known:
            self.known[asked] = self._find(organization, role, day)
        return self.known[asked]

    def _find(self, organization: Organization, role: str, day: date) -> Price | None:
        order = organization.ancestor_pks
        fitting = [
            price
            for price in self.prices
            if price.role == role and price.organization_id in order and (price.ends_on is None or day < price.ends_on)
        ]
        nearest = max((order.index(price.organization_id) for price in fitting), default=None)
        there = [price for price in fitting if order.index(price.organization_id) == nearest]
        before = [price for price in there if price.price_year <= day.year]
        return before[-1] if before else next(iter(there), None)


def price_time(*, activity: Activity | None = None) -> int:
    """Price the time of all statements that have no cost yet: after a wage was added, and every hour."""
    unpriced = Statement.objects.live().filter(activity__isnull=False, duration_s__gt=0).exclude(role="")
    unpriced = unpriced.exclude(pk__in=Cost.objects.live().filter(statement__isnull=False).values("statement"))
    if activity is not None:
        unpriced = unpriced.filter(activity=activity)
    total, batch = 0, []
    for entry in unpriced.select_related("activity__organization", "actor").iterator(chunk_size=BATCH):
        batch.append(entry)
        if len(batch) == BATCH:
            total += price_statements(entries=batch)
            batch = []
    return total + price_statements(entries=batch)


@transaction.atomic
def add_price(*, by: Person | None, organization: Organization, **fields: Any) -> Price:
    """Put a line on an organization's price list; time that waited for this wage is priced. Prices are ended, not edited.

    Unless told, rooms and fees are needed once more for each group of teachers, devices once, all else for each teacher.
    """
    if by is not None and not rules.may_keep_records(by, organization):
        raise PermissionDenied
    fields.setdefault("scales_with", USUALLY_SCALES_WITH.get(fields.get("kind", ""), ScalesWith.TEACHER))
    price = Price(organization=organization, **fields)
    price.full_clean()
    price.save()
    if price.kind == Price.Kind.WAGE:
        transaction.on_commit(price_time)
    return price


@transaction.atomic
def end_price(*, by: Person, price: Price, on: date | None = None) -> Price:
    """Take a line off the price list from a day on. Costs that were computed with it stay as they are."""
    if not rules.may_keep_records(by, price.organization):
        raise PermissionDenied
    price.ends_on = on or timezone.localdate()
    price.save(update_fields=["ends_on"])
    return price


@transaction.atomic
def set_price_index(
    *, by: Person | None, organization: Organization, kind: str, name: str, value: Decimal, source: str = ""
) -> PriceIndex:
    """Say how dear a year or a region is, as an index publishes it; a second time puts right what was said. Keepers only."""
    if by is not None and not rules.may_keep_records(by, organization):
        raise PermissionDenied
    known = PriceIndex.objects.filter(organization=organization, kind=kind, name=name).first()
    index = known or PriceIndex(organization=organization, kind=kind, name=name)
    index.value, index.source = value, source
    index.full_clean()
    index.save()
    return index


@transaction.atomic
def drop_price_index(*, by: Person, index: PriceIndex) -> None:
    """Take an index back: amounts are then compared as they are, and the page says so. Keepers only."""
    if not rules.may_keep_records(by, index.organization):
        raise PermissionDenied
    index.delete()
