"""What something costs: the ingredients method, to the cent.

Levin, McEwan, Belfield, Bowden & Shand (2018, "Economic Evaluation in Education", chapters 4-5): list every ingredient
with its quantity and price, whoever pays; spread what lasts over its lifetime; take off what would have been spent
anyway. Money is integer US cents, quantities and rates are Decimal; no float touches either.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal, localcontext

ARITHMETIC = Context(prec=50)


@dataclass(frozen=True, slots=True)
class Ingredient:
    """One ingredient: how much of it, at what price, for how long it lasts, who pays."""

    name: str
    quantity: Decimal
    """Of the unit priced: person-hours, seats, devices; >= 0. What is shared is counted with its share."""
    unit_price_usd_cents: int
    payer: str = ""
    lifetime_years: int = 1
    """Years over which the price is spread; 1 for what is used up."""
    discount_rate: Decimal = Decimal(0)
    """Yearly, such as Decimal("0.03"); only matters over more than one year."""

    def __post_init__(self) -> None:
        _refuse_floats(self.name, self.quantity, self.discount_rate, self.unit_price_usd_cents)
        if not (self.quantity.is_finite() and self.quantity >= 0):
            raise ValueError(f"{self.name}: the quantity must be finite and at least 0")
        if self.unit_price_usd_cents < 0 or self.lifetime_years < 1:
            raise ValueError(f"{self.name}: the price must be at least 0 and the lifetime at least 1 year")
        if not (self.discount_rate.is_finite() and 0 <= self.discount_rate < 1):
            raise ValueError(f"{self.name}: the discount rate must be at least 0 and below 1")

    @property
    def yearly_usd_cents(self) -> int:
        """Cost of one year, half a cent up, rounded once after all arithmetic."""
        return yearly_usd_cents(
            self.quantity, self.unit_price_usd_cents, years=self.lifetime_years, discount_rate=self.discount_rate
        )


@dataclass(frozen=True, slots=True)
class Cost:
    """Sums of a list of ingredients for one year, in cents; the parts add up to the totals exactly."""

    total_usd_cents: int
    business_as_usual_usd_cents: int
    by_ingredient: tuple[tuple[str, int], ...]
    by_payer: tuple[tuple[str, int], ...]

    @property
    def net_usd_cents(self) -> int:
        """What taking part adds; negative if it saves."""
        return self.total_usd_cents - self.business_as_usual_usd_cents

    def per_head_usd_cents(self, heads: int) -> int | None:
        """Net cost per teacher or student, half a cent up; None without any."""
        return share_usd_cents(self.net_usd_cents, heads)


def cost(ingredients: Iterable[Ingredient], *, instead_of: Iterable[Ingredient] = ()) -> Cost:
    """Sum a year's ingredients; `instead_of` is what would have been spent without (business as usual)."""
    listed = [(one, one.yearly_usd_cents) for one in ingredients]
    payers: defaultdict[str, int] = defaultdict(int)
    for one, cents in listed:
        payers[one.payer] += cents
    return Cost(
        total_usd_cents=sum(cents for _, cents in listed),
        business_as_usual_usd_cents=sum(one.yearly_usd_cents for one in instead_of),
        by_ingredient=tuple((one.name, cents) for one, cents in listed),
        by_payer=tuple(sorted(payers.items())),
    )


def yearly_usd_cents(
    quantity: Decimal,
    unit_price_usd_cents: int,
    *,
    benefit_rate: Decimal = Decimal(0),
    years: int = 1,
    discount_rate: Decimal = Decimal(0),
) -> int:
    """Cost of one year: quantity x price x (1 + benefits) x annualization factor, half a cent up, rounded once."""
    with localcontext(ARITHMETIC):
        whole = quantity * unit_price_usd_cents * (1 + benefit_rate)
        return _to_cents(whole * annualization_factor(years, discount_rate))


def share_usd_cents(total_usd_cents: int, heads: int) -> int | None:
    """An equal share of a total, half a cent up (down for what is below zero); None among nobody."""
    return None if heads < 1 else _to_cents(Decimal(total_usd_cents) / heads)


def annualization_factor(years: int, discount_rate: Decimal) -> Decimal:
    """Share of the price that each of `years` bears: r (1+r)^n / ((1+r)^n - 1), or 1/n without discounting.

    What lasts one year is paid in it, whatever the rate.
    """
    if years < 1:
        raise ValueError("a thing lasts at least one year")
    if years == 1:
        return Decimal(1)
    with localcontext(ARITHMETIC):
        if discount_rate == 0:
            return Decimal(1) / years
        growth = (1 + discount_rate) ** years
        return discount_rate * growth / (growth - 1)


def with_benefits(wage_usd_cents: int, benefit_rate: Decimal) -> int:
    """Hourly price of a person's time: wage plus benefits at a rate such as Decimal("0.40"), in cents."""
    _refuse_floats("wage", benefit_rate, wage_usd_cents)
    with localcontext(ARITHMETIC):
        return _to_cents(wage_usd_cents * (1 + benefit_rate))


def in_prices_of(usd_cents: int, *, index_then: Decimal, index_now: Decimal) -> int:
    """An amount carried to another price year by a price index (> 0 in both years), in cents."""
    _refuse_floats("amount", index_then, index_now, usd_cents)
    if not (index_then > 0 and index_now > 0):
        raise ValueError("a price index must be above 0")
    with localcontext(ARITHMETIC):
        return _to_cents(usd_cents * index_now / index_then)


def marginal_usd_cents(lines: Iterable[tuple[str, int]], *, teachers: int, groups: int) -> tuple[int, int] | None:
    """What one more teacher costs while there is a place in her group, and what the first teacher of one more group costs.

    `lines`: (what it scales with, cents beyond business as usual): 'teacher', 'group' or 'fixed'. Average of what there is:
    what scales with teachers over the teachers; a group's share over the groups. None without teachers or groups.
    Levin et al. (2018, chapter 6): fixed ingredients do not enter the cost of one more.
    """
    if teachers < 1 or groups < 1:
        return None
    sums = {"teacher": 0, "group": 0, "fixed": 0}
    for scales_with, cents in lines:
        if scales_with not in sums:
            raise ValueError(f"an ingredient scales with a teacher, a group, or is fixed; not {scales_with!r}")
        sums[scales_with] += cents
    each = _to_cents(Decimal(sums["teacher"]) / teachers)
    return each, each + _to_cents(Decimal(sums["group"]) / groups)


def allocate(usd_cents: int, weights: Iterable[Decimal]) -> tuple[int, ...]:
    """Split an amount >= 0 by weights >= 0 so that the parts add up to the cent (largest remainders first)."""
    shares = list(weights)
    _refuse_floats("weights", *shares, usd_cents)
    total = sum(shares, Decimal(0))
    if usd_cents < 0 or total <= 0 or any(share < 0 for share in shares):
        raise ValueError("amount and weights must be at least 0, and some weight above 0")
    with localcontext(ARITHMETIC):
        exact = [usd_cents * share / total for share in shares]
    parts = [int(value) for value in exact]
    last_first = sorted(range(len(parts)), key=lambda i: (parts[i] - exact[i], i))
    for i in last_first[: usd_cents - sum(parts)]:
        parts[i] += 1
    return tuple(parts)


def _to_cents(amount: Decimal) -> int:
    return int(amount.quantize(Decimal(1), rounding=ROUND_HALF_UP, context=ARITHMETIC))


def _refuse_floats(name: str, *numbers: Decimal | int) -> None:
    for number in numbers:
        if isinstance(number, bool) or not isinstance(number, (Decimal, int)):
            raise TypeError(f"{name}: {number!r} must be Decimal or int, no float")
