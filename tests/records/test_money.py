"""Costs to the cent: each line is exact, the sum of the lines is the total, and voiding takes away exactly what was there."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from hypothesis import given, settings
from hypothesis import strategies as st

from staffroom.records import actions, money, queries
from staffroom.records.append_only import LedgerIsAppendOnly
from staffroom.records.models import Activity, Cost, Price
from tests.cast import Cast

quantities = st.decimals("0.0001", "99999", places=4)
percents = st.decimals("0", "150", places=2)


@given(quantities, st.integers(0, 10**9), percents)
def test_an_amount_is_the_exact_product_rounded_once(quantity: Decimal, price: int, benefits: Decimal) -> None:
    exact = Fraction(quantity) * price * (1 + Fraction(benefits) / 100)
    assert abs(money.amount_cents(quantity, price, benefits_percent=benefits) - exact) <= Fraction(1, 2)


@given(st.integers(2, 40), st.decimals("0.01", "20", places=2))
def test_what_is_spread_over_years_is_paid_back_with_its_interest(years: int, percent: Decimal) -> None:
    factor, interest = money.annuity_factor(years, percent), percent / 100
    present = sum(factor / (1 + interest) ** year for year in range(1, years + 1))
    assert abs(present - 1) < Decimal("1e-20")


def test_known_annuities() -> None:
    assert money.annuity_factor(1, Decimal(3)) == 1
    assert money.annuity_factor(4) == Decimal("0.25")
    # 3 % over 5 years: 0.2184, as in every table of annuity factors.
    assert round(money.annuity_factor(5, Decimal(3)), 4) == Decimal("0.2184")
    with pytest.raises(ValueError, match="at least one year"):
        money.annuity_factor(0)


def test_half_a_cent_is_rounded_up() -> None:
    assert money.amount_cents(Decimal("0.5"), 1) == 1
    assert money.amount_cents(Decimal("40"), 4137, benefits_percent=Decimal("28.5")) == 212642


@pytest.fixture
def workshop(cast: Cast) -> Activity:
    return actions.make_activity(by=cast.denise, organization=cast.district, name="Number talks", kind="workshop")


lines = st.lists(
    st.tuples(quantities, st.integers(0, 10**7), st.booleans(), st.booleans(), st.sampled_from("ABC")), max_size=12
)


@pytest.mark.django_db
@settings(max_examples=12, deadline=None)
@given(lines)
def test_the_lines_make_the_total_and_voiding_takes_them_away(
    wanted: list[tuple[Decimal, int, bool, bool, str]],
) -> None:
    from django.db import transaction

    from tests.cast import gather

    with transaction.atomic():
        cast = gather()
        activity = actions.make_activity(by=None, organization=cast.district, name="A", kind="course")
        made = []
        for quantity, price, is_usual, is_voided, payer in wanted:
            cost = actions.record_cost(
                by=cast.denise, activity=activity, quantity=quantity, unit_price_usd_cents=price, ingredient=payer, kind="fee",
                unit="each", price_year=2026, happened_on=date(2026, 9, 1), payer=payer, is_business_as_usual=is_usual,
            )  # fmt: skip
            if is_voided:
                actions.void_cost(by=cast.denise, cost=cost)
            else:
                made.append(cost)
        summary = queries.costs_of(activity)
        assert summary.gross_cents == sum(each.amount_usd_cents for each in made if not each.is_business_as_usual)
        assert summary.usual_cents == sum(each.amount_usd_cents for each in made if each.is_business_as_usual)
        assert summary.gross_cents == sum(each.cents for each in summary.by_ingredient)
        assert summary.gross_cents == sum(each.cents for each in summary.by_payer)
        assert sum(each.amount_usd_cents for each in Cost.objects.all()) == summary.gross_cents + summary.usual_cents
        transaction.set_rollback(True)


def room(cast: Cast, workshop: Activity, **more: object) -> Cost:
    fields = {
        "ingredient": "Room",
        "kind": "room",
        "unit": "day",
        "unit_price_usd_cents": 100,
        "price_year": 2026,
        "quantity": 1,
    }
    return actions.record_cost(by=cast.denise, activity=workshop, happened_on=date(2026, 9, 1), **{**fields, **more})


def test_a_line_is_voided_once_and_never_changed(cast: Cast, workshop: Activity) -> None:
    cost = room(cast, workshop)
    voiding = actions.void_cost(by=cast.denise, cost=cost)
    assert (voiding.quantity, voiding.amount_usd_cents) == (-1, -100)
    for again in (cost, voiding):
        with pytest.raises(ValidationError):
            actions.void_cost(by=cast.denise, cost=again)
    for attempt in (cost.save, cost.delete, Cost.objects.all().delete, lambda: Cost.objects.update(quantity=2)):
        with pytest.raises(LedgerIsAppendOnly):
            attempt()


def test_a_price_that_lasts_is_spread_over_its_years(cast: Cast, workshop: Activity) -> None:
    price = actions.add_price(
        by=cast.denise, organization=cast.district, kind="device", name="Camera", unit="each", unit_price_usd_cents=100000,
        lifetime_years=5, interest_percent=Decimal(3), price_year=2026,
    )  # fmt: skip
    line = actions.record_cost(by=cast.denise, activity=workshop, price=price, quantity=2, happened_on=date(2026, 9, 1))
    assert (line.amount_usd_cents, line.ingredient, line.kind) == (43671, "Camera", "device")


@pytest.mark.parametrize("quantity", [0, -1, "NaN", "Infinity", 10**12])
def test_impossible_quantities_are_refused(cast: Cast, workshop: Activity, quantity: object) -> None:
    with pytest.raises(ValidationError):
        room(cast, workshop, quantity=quantity)
    assert not Cost.objects.exists()


@pytest.mark.parametrize("name", ["amara", "priya", "grace", "ruth", "vera"])
def test_only_keepers_add_costs_and_prices(cast: Cast, workshop: Activity, name: str) -> None:
    by = cast.people[name]
    with pytest.raises(PermissionDenied):
        actions.record_cost(
            by=by, activity=workshop, quantity=1, happened_on=date(2026, 9, 1), ingredient="x", unit_price_usd_cents=1
        )
    with pytest.raises(PermissionDenied):
        actions.add_price(
            by=by,
            organization=cast.district,
            kind="fee",
            name="x",
            unit="each",
            unit_price_usd_cents=1,
            price_year=2026,
        )
    assert not Cost.objects.exists()
    assert not Price.objects.exists()


def test_the_nearest_wage_of_the_year_counts(cast: Cast, workshop: Activity) -> None:
    from staffroom.records.actions.costs import _Wages

    def wage(place: object, cents: int, year: int, **more: object) -> Price:
        return Price.objects.create(
            organization=place, kind="wage", role="teacher", name="T", unit="hour", unit_price_usd_cents=cents, price_year=year,
            **more,
        )  # fmt: skip

    of_2025, of_2026, at_alder = wage(cast.district, 1, 2025), wage(cast.district, 2, 2026), wage(cast.alder, 3, 2026)
    wage(cast.birch, 4, 2026), wage(cast.district, 5, 2026, ends_on=date(2026, 2, 1))
    wages = _Wages([cast.alder, cast.birch, cast.district])
    assert wages.find(cast.district, "teacher", date(2026, 9, 1)) == of_2026
    assert wages.find(cast.district, "teacher", date(2025, 9, 1)) == of_2025
    assert wages.find(cast.district, "teacher", date(2020, 9, 1)) == of_2025
    assert wages.find(cast.alder, "teacher", date(2026, 9, 1)) == at_alder
    assert wages.find(cast.district, "coach", date(2026, 9, 1)) is None
