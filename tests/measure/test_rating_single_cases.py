import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from staffroom.measure.single_case import kendall_p, log_response_ratio, non_overlap, theil_sen_slope

# The example of Parker, Vannest & Davis (2011), as in the documentation and the tests of the R package SingleCaseES.
A, B = [20, 20, 26, 25, 22, 23], [28, 25, 24, 27, 30, 30, 29]
RATINGS = st.lists(st.integers(0, 12), min_size=2, max_size=6)


def test_the_example_of_parker_vannest_and_davis():
    found = non_overlap(A, B)
    assert found.nap == pytest.approx(38.5 / 42)
    assert found.tau == pytest.approx(35 / 42)
    assert found.pnd == pytest.approx(5 / 7)
    assert found.pem == 1
    assert found.pand == pytest.approx(11 / 13)
    assert found.ird == pytest.approx(6 / 7 - 1 / 6)
    assert found.tau_u == pytest.approx(0.7381, abs=5e-5)
    assert found.tau_bc == found.tau
    assert not found.trend_corrected


def test_naps_error_and_interval_are_those_that_singlecasees_prints():
    # SingleCaseES, vignette "Basic effect sizes calculations": NAP(A, B); its root is found to within 1e-4.
    found = non_overlap(A, B)
    assert found.nap_se == pytest.approx(0.06900656, abs=5e-9)
    assert (found.nap_low, found.nap_high) == pytest.approx((0.5973406, 0.9860176), abs=1e-4)
    worse = non_overlap(A, B, improvement="decrease")
    assert (worse.nap, worse.nap_low, worse.nap_high) == pytest.approx((0.08333333, 0.01398242, 0.4026594), abs=1e-4)


def test_a_trend_that_goes_on_is_no_effect():
    # Tarlow 2017: A = 1..5, B = 6..10.
    found = non_overlap([1, 2, 3, 4, 5], [6, 7, 8, 9, 10])
    assert (found.tau, found.tau_u, found.tau_bc) == pytest.approx((1, 0.6, 0))
    assert found.trend_corrected
    assert found.trend_p == pytest.approx(2 / math.factorial(5))
    assert found.trend_slope == 1


def test_the_second_example_of_parker_and_others():
    # Parker, Vannest, Davis & Sauber 2011, as in the tests of SingleCaseES.
    found = non_overlap([3, 3, 4, 5], [4, 5, 6, 7, 7])
    assert found.tau == pytest.approx(16 / 20)
    assert found.tau_u == pytest.approx(11 / 20)


def test_the_pretest_decides_whether_a_trend_is_taken_off():
    # SingleCaseES, tests after Tarlow (2017): taken off at 0.05 and not at 0.01.
    a, b = [1, 1, 3, 3, 5, 5], [5, 6, 4, 8, 9]
    assert non_overlap(a, b, pretest=0.05).trend_corrected
    assert not non_overlap(a, b, pretest=0.01).trend_corrected
    assert non_overlap(A, B, pretest=None).trend_corrected


@settings(max_examples=30, deadline=None)
@given(RATINGS, RATINGS)
def test_each_measure_is_its_definition(a, b):
    found = non_overlap(a, b)
    pairs = [(x, y) for x in a for y in b]
    wins, losses = sum(y > x for x, y in pairs), sum(y < x for x, y in pairs)
    assert found.nap == pytest.approx((wins + 0.5 * (len(pairs) - wins - losses)) / len(pairs))
    assert found.tau == pytest.approx((wins - losses) / len(pairs))
    trend = sum(np.sign(y - x) for x, y in itertools.combinations(a, 2))
    assert found.tau_u == pytest.approx((wins - losses - trend) / len(pairs))
    assert found.pnd == pytest.approx(sum(y > max(a) for y in b) / len(b))
    best = 0
    for kept in itertools.product([0, 1], repeat=len(a) + len(b)):
        low = [x for x, keep in zip(a, kept, strict=False) if keep]
        high = [y for y, keep in zip(b, kept[len(a) :], strict=True) if keep]
        if not low or not high or max(low) < min(high):
            best = max(best, len(low) + len(high))
    assert found.pand == pytest.approx(best / (len(a) + len(b)))
    assert found.nap_low <= found.nap <= found.nap_high


@settings(max_examples=30, deadline=None)
@given(RATINGS, RATINGS)
def test_the_other_direction_is_the_mirror_image(a, b):
    one, other = non_overlap(a, b), non_overlap([-x for x in a], [-y for y in b], improvement="decrease")
    assert one.nap == other.nap
    assert (one.tau_u, one.tau_bc, one.pand) == pytest.approx((other.tau_u, other.tau_bc, other.pand))
    worse = non_overlap(a, b, improvement="decrease")
    assert worse.nap == pytest.approx(1 - one.nap)
    assert (worse.nap_low, worse.nap_high) == pytest.approx((1 - one.nap_high, 1 - one.nap_low), abs=1e-9)


@settings(max_examples=30, deadline=None)
@given(RATINGS, RATINGS)
def test_the_interval_holds_what_newcombes_equation_says(a, b):
    found = non_overlap(a, b)
    m, n = len(a), len(b)
    h, z = (m + n) / 2 - 1, stats.norm.ppf(0.975)
    for end in (found.nap_low, found.nap_high):
        if 0 < end < 1:
            spread = end * (1 - end) / (m * n) * (1 + h * (1 - end) / (2 - end) + h * end / (1 + end))
            assert abs(found.nap - end) == pytest.approx(z * math.sqrt(spread), abs=1e-6)


def test_where_all_pairs_agree_the_interval_still_has_a_width():
    found = non_overlap([1, 2, 1, 2, 1], [5, 6, 5, 6, 5])
    assert found.nap == found.nap_high == 1
    assert 0.5 < found.nap_low < 0.8


def test_the_unbiased_variance_is_right_on_average():
    rng = np.random.default_rng(8)
    draws = [non_overlap(rng.normal(0, 1, 6), rng.normal(0.8, 1, 8)) for _ in range(600)]
    assert np.mean([each.nap_se**2 for each in draws]) == pytest.approx(np.var([each.nap for each in draws]), rel=0.15)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 5), min_size=3, max_size=6))
def test_kendalls_p_counts_all_orders(values):
    def s(order):
        return abs(sum(np.sign(y - x) for x, y in itertools.combinations(order, 2)))

    share = np.mean([s(order) >= s(values) for order in itertools.permutations(values)])
    assert kendall_p(values) == pytest.approx(share)


@settings(max_examples=25, deadline=None)
@given(st.permutations(list(range(9))))
def test_kendalls_exact_p_is_scipys(values):
    expected = stats.kendalltau(np.arange(9), values, method="exact").pvalue
    assert kendall_p(values) == pytest.approx(expected)


def test_the_slope_before_is_theil_and_sens():
    values = np.random.default_rng(1).normal(size=9)
    assert theil_sen_slope(values) == pytest.approx(stats.theilslopes(values).slope)
    assert math.isnan(theil_sen_slope([1.0]))


def test_the_log_response_ratio_is_that_of_the_formulas():
    # Pustejovsky 2018: log of means plus half their relative variance, and the root of the relative variances.
    a, b = np.array([13.62, 12.57, 15.76]), np.array([5.97, 4.63, 5.82, 3.72])
    found = log_response_ratio(a, b, improvement="decrease")
    unsure = [each.var(ddof=1) / each.size / each.mean() ** 2 for each in (a, b)]
    expected = math.log(b.mean()) + unsure[1] / 2 - math.log(a.mean()) - unsure[0] / 2
    assert found.log_ratio == pytest.approx(-expected)
    assert found.standard_error == pytest.approx(math.sqrt(sum(unsure)))
    assert found.percent_change == pytest.approx(100 * (math.exp(expected) - 1))
    assert found.low < found.log_ratio < found.high


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: non_overlap([], [1]), "at least one rating"),
        (lambda: non_overlap([1, float("nan")], [1]), "row 1"),
        (lambda: non_overlap([1], [2], improvement="up"), "improvement must"),
        (lambda: non_overlap([1], [2], confidence=95), "probability"),
        (lambda: log_response_ratio([1], [2, 3]), "at least two"),
        (lambda: log_response_ratio([0, 0], [2, 3]), "above zero"),
        (lambda: log_response_ratio([-1, 0], [2, 3]), "means above zero"),
    ],
    ids=range(7),
)
def test_ratings_that_cannot_be_are_refused(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()


def test_one_rating_in_a_phase_has_no_error():
    found = non_overlap([1], [2, 3])
    assert math.isnan(found.nap_se)
    assert found.nap == 1
    assert found.trend_p == 1
    assert non_overlap([2, 2, 2], [2, 2]).nap == 0.5
