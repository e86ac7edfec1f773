from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from staffroom.measure.costs import Ingredient, allocate, annualization_factor, cost, in_prices_of, with_benefits

QUANTITIES = st.decimals(0, 10_000, places=3)
INGREDIENTS = st.lists(
    st.builds(
        Ingredient,
        st.just("x"),
        QUANTITIES,
        st.integers(0, 10**8),
        st.sampled_from(["district", "state", ""]),
        st.integers(1, 10),
        st.decimals(0, "0.2", places=3),
    ),
    max_size=8,
)


def test_a_year_of_coaching_to_the_cent():
    listed = [
        Ingredient("teachers' hours", Decimal("420.5"), 4_815, "district"),
        Ingredient("cameras", Decimal(3), 89_999, "grant", lifetime_years=3),
        Ingredient("license", Decimal(1), 120_000, "district"),
    ]
    instead = [Ingredient("workshop day", Decimal(40), 5_000, "district")]
    found = cost(listed, instead_of=instead)
    assert found.by_ingredient == (("teachers' hours", 2_024_708), ("cameras", 89_999), ("license", 120_000))
    assert found.by_payer == (("district", 2_144_708), ("grant", 89_999))
    assert found.total_usd_cents == 2_234_707
    assert found.net_usd_cents == 2_034_707
    assert found.per_head_usd_cents(14) == 145_336
    assert found.per_head_usd_cents(0) is None


@given(INGREDIENTS, INGREDIENTS)
def test_parts_add_up_to_totals(listed, instead):
    found = cost(listed, instead_of=instead)
    assert sum(cents for _, cents in found.by_ingredient) == found.total_usd_cents
    assert sum(cents for _, cents in found.by_payer) == found.total_usd_cents
    assert found.net_usd_cents == found.total_usd_cents - cost(instead).total_usd_cents


@given(QUANTITIES, st.integers(0, 10**8), st.integers(1, 30))
def test_an_ingredient_is_rounded_once_from_exact_arithmetic(quantity, price, years):
    exact = Fraction(quantity) * price / years
    assert abs(Ingredient("x", quantity, price, lifetime_years=years).yearly_usd_cents - exact) <= Fraction(1, 2)


def test_the_annualization_factor_at_three_percent_over_five_years():
    # r (1+r)^n / ((1+r)^n - 1): 0.03 * 1.159274 / 0.159274 = 0.218355 (Levin et al. 2018, table of factors: 0.2184).
    assert annualization_factor(5, Decimal("0.03")).quantize(Decimal("0.000001")) == Decimal("0.218355")
    assert annualization_factor(4, Decimal(0)) == Decimal("0.25")


def test_wage_with_benefits_and_price_years():
    assert with_benefits(4_000, Decimal("0.375")) == 5_500
    assert in_prices_of(10_000, index_then=Decimal("250.0"), index_now=Decimal("260.5")) == 10_420


@given(st.integers(0, 10**9), st.lists(st.decimals(0, 100, places=2), min_size=1, max_size=9))
def test_what_is_split_adds_up_to_the_cent(cents, weights):
    if sum(weights) == 0:
        with pytest.raises(ValueError, match="some weight above 0"):
            allocate(cents, weights)
        return
    parts = allocate(cents, weights)
    assert sum(parts) == cents
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part - cents * Fraction(weight) / Fraction(sum(weights))) < 1


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("x", 1.5, 100), TypeError),
        (("x", Decimal(1), 100.0), TypeError),
        (("x", Decimal("NaN"), 100), ValueError),
        (("x", Decimal(-1), 100), ValueError),
        (("x", Decimal(1), -100), ValueError),
        (("x", Decimal(1), 100, "", 0), ValueError),
        (("x", Decimal(1), 100, "", 2, Decimal(1)), ValueError),
    ],
)
def test_floats_and_senseless_ingredients_are_refused(arguments, error):
    with pytest.raises(error):
        Ingredient(*arguments)
