"""Amounts to the cent: integers and decimals only, never floating point. Plain arithmetic that knows no database.

The ingredients method (Levin, McEwan, Belfield, Bowden and Shand, *Economic Evaluation in Education*, 3rd ed., 2018): every
ingredient has a quantity and a price; what lasts for years is spread over them by the annuity factor.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal, localcontext

CENT = Decimal(1)
HUNDRED = Decimal(100)


def annuity_factor(lifetime_years: int, interest_percent: Decimal = Decimal(0)) -> Decimal:
    """Which part of its price a thing costs in each year of its life: i(1+i)^n / ((1+i)^n - 1), or 1/n without interest."""
    if lifetime_years < 1:
        raise ValueError("A thing lasts at least one year.")
    if lifetime_years == 1:
        return Decimal(1)
    if interest_percent == 0:
        return Decimal(1) / lifetime_years
    interest = interest_percent / HUNDRED
    growth = (1 + interest) ** lifetime_years
    return interest * growth / (growth - 1)


def amount_cents(
    quantity: Decimal,
    unit_price_cents: int,
    *,
    benefits_percent: Decimal = Decimal(0),
    lifetime_years: int = 1,
    interest_percent: Decimal = Decimal(0),
) -> int:
    """What a quantity costs, in whole cents, half a cent up: quantity × price × (1 + benefits) × annuity factor."""
    with localcontext() as context:
        context.prec = 40
        exact = quantity * unit_price_cents * (HUNDRED + benefits_percent) / HUNDRED
        yearly = exact * annuity_factor(lifetime_years, interest_percent)
        return int(yearly.quantize(CENT, rounding=ROUND_HALF_UP))


def hours(seconds: int) -> Decimal:
    """Seconds as hours with four decimals, as the ledger keeps quantities."""
    return (Decimal(seconds) / 3600).quantize(Decimal("0.0001"), rounding=ROUND_HALF_UP)


def share_cents(total_cents: int, among: int) -> int | None:
    """An equal share of a total, in whole cents; nothing among nobody."""
    return int((Decimal(total_cents) / among).quantize(CENT, rounding=ROUND_HALF_UP)) if among else None
