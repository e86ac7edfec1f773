import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from staffroom.measure import effects

SIZES = st.floats(-3, 3)
ERRORS = st.floats(0.01, 2)


def test_hedges_g_by_hand():
    # Pooled SD of 10 and 12 with 20 and 30 is sqrt((19*100 + 29*144)/48) = 11.2583; factor 1 - 3/191.
    expected = (1 - 3 / 191) * 5 / math.sqrt((19 * 100 + 29 * 144) / 48)
    assert effects.hedges_g(105, 10, 20, 100, 12, 30) == pytest.approx(expected)


def test_hedges_factor_is_close_to_the_exact_gamma_ratio():
    # Hedges 1981, equation 6d: gamma(m/2) / (sqrt(m/2) gamma((m-1)/2)) with m = N - 2.
    for results in (10, 20, 50, 200):
        m = results - 2
        exact = math.exp(math.lgamma(m / 2) - math.lgamma((m - 1) / 2)) / math.sqrt(m / 2)
        assert effects.hedges_factor(results) == pytest.approx(exact, abs=1e-3)


def test_the_cox_index_is_the_log_odds_ratio_over_1_65():
    assert effects.cox_index(0.6, 0.5) == pytest.approx(math.log(1.5) / 1.65)
    assert effects.cox_index(0.5, 0.6) == -effects.cox_index(0.6, 0.5)


def test_the_improvement_index_of_a_quarter_sd_is_ten_points():
    # WWC Handbook 5.0, Appendix E: g = 0.25 is an improvement index of +10.
    assert round(effects.improvement_index(0.25)) == 10
    assert effects.improvement_index(0) == 0


@given(SIZES, ERRORS, st.integers(1, 500))
def test_p_is_below_five_percent_exactly_where_the_interval_excludes_zero(estimate, error, df):
    interval = effects.t_interval(estimate, error, df)
    p = effects.two_sided_p(estimate, error, df)
    if abs(p - 0.05) > 1e-9:
        assert (p < 0.05) == (interval.low > 0 or interval.high < 0)
    assert p == pytest.approx(2 * stats.t.sf(abs(estimate / error), df), rel=1e-9)


def test_a_t_interval_with_many_degrees_of_freedom_is_the_normal_one():
    t, normal = effects.t_interval(0.1, 0.05, 1e9), effects.normal_interval(0.1, 0.05)
    assert (t.low, t.high) == pytest.approx((normal.low, normal.high), rel=1e-6)


def test_the_minimum_detectable_effect_is_about_2_8_standard_errors():
    # Bloom 1995, table 1: multiplier 2.80 for 80 % power and 5 % two-sided with many degrees of freedom.
    assert effects.minimum_detectable_effect(1, 1e6) == pytest.approx(2.80, abs=0.005)
    assert effects.minimum_detectable_effect(1, 10) == pytest.approx(stats.t.ppf(0.975, 10) + stats.t.ppf(0.8, 10))


def test_halving_the_detectable_effect_needs_four_times_the_teachers():
    assert effects.teachers_needed(50, 0.2, 0.1) == 200
    assert effects.teachers_needed(50, 0.1, 0.1) == 50


@given(SIZES, st.floats(0.05, 3), ERRORS, ERRORS, st.floats(-0.9, 0.9))
def test_fiellers_set_holds_exactly_the_ratios_that_a_test_does_not_reject(a, b, se_a, se_b, correlation):
    covariance = correlation * se_a * se_b
    found = effects.fieller(a, b, se_a, se_b, covariance=covariance, quantile=1.96)
    for ratio in np.linspace(-40, 40, 41):
        error = math.sqrt(se_a**2 - 2 * ratio * covariance + ratio**2 * se_b**2)
        distance = abs(a - ratio * b) - 1.96 * error
        inside = (found.low <= ratio <= found.high) != (found.shape == "outside")
        if abs(distance) > 1e-6:
            assert inside == (distance < 0)


def test_a_ratio_to_something_that_may_be_zero_is_unbounded():
    found = effects.fieller(1.0, 0.1, 0.3, 0.2, quantile=1.96)
    assert found.unbounded
    assert effects.fieller(0.1, 0.1, 0.3, 0.2, quantile=1.96).shape == "everything"
    assert not effects.fieller(1.0, 2.0, 0.3, 0.2, quantile=1.96).unbounded


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        (effects.cox_index, (0, 0.5)),
        (effects.hedges_factor, (2,)),
        (effects.hedges_g, (1, 0, 5, 2, 0, 5)),
        (effects.pooled_sd, (1, 1, 1, 5)),
        (effects.t_interval, (0.1, -1, 5)),
        (effects.t_interval, (0.1, float("nan"), 5)),
        (effects.two_sided_p, (0.1, 0.1, 0)),
        (effects.t_quantile, (1.0, 5)),
        (effects.normal_interval, (0.1, -0.1)),
        (effects.teachers_needed, (10, 0.1, 0)),
    ],
    ids=lambda value: value.__name__ if callable(value) else str(value),
)
def test_numbers_without_meaning_are_refused(function, arguments):
    with pytest.raises(ValueError, match=r"\w"):
        function(*arguments)
