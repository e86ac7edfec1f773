"""Amounts as the ledger keeps them: percents and hours with four decimals. The arithmetic is that of `measure.costs`."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from staffroom.measure import costs

HUNDRED = Decimal(100)


def annuity_factor(lifetime_years: int, interest_percent: Decimal = Decimal(0)) -> Decimal:
    """Which part of its price a thing costs in each year of its life."""
    return costs.annualization_factor(lifetime_years, interest_percent / HUNDRED)


def amount_cents(
    quantity: Decimal,
    unit_price_cents: int,
    *,
    benefits_percent: Decimal = Decimal(0),
    lifetime_years: int = 1,
    interest_percent: Decimal = Decimal(0),
) -> int:
    """What a quantity costs, in whole cents, half a cent up: quantity × price × (1 + benefits) × annuity factor."""
    return costs.yearly_usd_cents(
        quantity, unit_price_cents, benefit_rate=benefits_percent / HUNDRED, years=lifetime_years,
        discount_rate=interest_percent / HUNDRED,
    )  # fmt: skip


def hours(seconds: int) -> Decimal:
    """Seconds as hours with four decimals, as the ledger keeps quantities."""
    return (Decimal(seconds) / 3600).quantize(Decimal("0.0001"), rounding=ROUND_HALF_UP)


def share_cents(total_cents: int, among: int) -> int | None:
    """An equal share of a total, in whole cents; nothing among nobody."""
    return costs.share_usd_cents(total_cents, among)
