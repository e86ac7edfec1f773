import math

import numpy as np
import pytest
from scipy import stats

from staffroom.measure import heterogeneity
from staffroom.measure.meta_regression import inference_of
from staffroom.measure.pooling import pool
from staffroom.measure.prediction import predictive


def _coverage(tau: float, sites: int, draws: int = 600) -> tuple[float, float, float]:
    """How often the interval holds the mean, and the usual and the cautious prediction interval hold a new site."""
    rng = np.random.default_rng(20261122)
    mean = usual = cautious = 0
    for _ in range(draws):
        errors = rng.uniform(0.05, 0.15, sites)
        estimates = heterogeneity.estimates_of(rng.normal(0.1, np.sqrt(tau**2 + errors**2)), errors)
        tau2 = heterogeneity.restricted_tau2(estimates)
        inference, fit = inference_of(estimates, tau2), estimates.fit(tau2)
        error, new = math.sqrt(inference.scale * fit.covariance[0, 0]), rng.normal(0.1, tau)
        mean += abs(fit.coefficients[0] - 0.1) <= inference.quantile(0.95) * error
        usual += abs(fit.coefficients[0] - new) <= inference.quantile(0.95) * math.sqrt(tau2 + error**2)
        cautious += 0.025 <= predictive(estimates).below(new) <= 0.975
    return mean / draws, usual / draws, cautious / draws


@pytest.mark.parametrize("tau", [0.05, 0.2])
def test_with_20_sites_the_intervals_hold_as_often_as_they_say(tau):
    mean, _, cautious = _coverage(tau, 20)
    assert 0.93 <= mean <= 0.97
    assert 0.93 <= cautious <= 0.97


def test_the_usual_prediction_interval_is_too_short_where_sites_differ_little_and_right_where_they_differ_much():
    assert _coverage(0.05, 20, 400)[1] < 0.90
    assert 0.92 <= _coverage(0.4, 20, 400)[1] <= 0.97


def test_with_5_sites_the_cautious_interval_still_holds():
    assert _coverage(0.1, 5)[2] >= 0.93


def test_the_distribution_of_tau2_is_the_q_profiles():
    effects, errors = [0.1, 0.4, -0.2, 0.3, 0.05, 0.6], [0.1, 0.12, 0.08, 0.1, 0.15, 0.1]
    estimates = heterogeneity.estimates_of(effects, errors)
    found = predictive(estimates)
    low, high = heterogeneity.q_profile(estimates, 0.95)
    tau2 = found.scales**2  # at least tau2, and close to it where tau2 is large
    assert tau2.max() > high
    assert tau2.min() > low
    assert found.below(found.quantile(0.3)) == pytest.approx(0.3)


def test_with_many_sites_that_differ_both_intervals_agree():
    rng = np.random.default_rng(5)
    errors = rng.uniform(0.02, 0.05, 400)
    found = pool(rng.normal(0.1, np.sqrt(0.3**2 + errors**2)), errors)
    assert (found.cautious_low, found.cautious_high) == pytest.approx(
        (found.prediction_low, found.prediction_high), abs=0.01
    )
    assert found.cautious_positive == pytest.approx(stats.norm.cdf(1 / 3), abs=0.05)


def test_two_sites_and_equal_sites_give_a_wide_and_finite_interval():
    two = pool([0.1, 0.3], [0.1, 0.1])
    assert two.cautious_low < two.low
    assert math.isfinite(two.cautious_high)
    equal = pool([0.1, 0.1, 0.1], [0.1, 0.1, 0.1])
    assert equal.cautious_low == pytest.approx(equal.prediction_low)
    assert equal.cautious_high == pytest.approx(equal.prediction_high)
