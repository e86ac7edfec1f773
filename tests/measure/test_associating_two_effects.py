"""Two effects over sites: held against another way of the same likelihood, against ordinary correlation, and against simulation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from staffroom.measure.bivariate import LEAST_SITES, _by_correlation, _Pairs, associate


def drawn(generator, sites, correlation, *, spread=0.2, error=0.1):
    """(sites, 2) estimates and their errors, true effects with these spreads."""
    covariance = spread**2 * np.array([[1, correlation], [correlation, 1]])
    errors = error * generator.uniform(0.6, 1.4, (sites, 2))
    true = generator.multivariate_normal([0.3, 0.1], covariance, size=sites)
    return true + errors * generator.normal(size=(sites, 2)), errors


def by_blocks(estimates, errors, covariance):
    """The restricted likelihood written as a regression of all estimates on two means, with whole matrices."""
    size = len(estimates)
    whole = np.kron(np.eye(size), covariance) + np.diag(errors.ravel() ** 2)
    design, y = np.kron(np.ones((size, 1)), np.eye(2)), estimates.ravel()
    weight = np.linalg.inv(whole)
    inner = design.T @ weight @ design
    means = np.linalg.solve(inner, design.T @ weight @ y)
    left = y - design @ means
    return -0.5 * (np.linalg.slogdet(whole)[1] + np.linalg.slogdet(inner)[1] + left @ weight @ left)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.integers(6, 14), st.floats(-0.9, 0.9))
def test_the_likelihood_is_that_of_whole_matrices(seed, sites, correlation):
    generator = np.random.default_rng(seed)
    (estimates, errors), spreads = drawn(generator, sites, 0.5), generator.uniform(0.05, 0.4, (2, 2))
    pairs = _Pairs(estimates[:, 0], errors[:, 0], estimates[:, 1], errors[:, 1], 0.0)

    def ours(x, y):
        return pairs.likelihood(
            *_by_correlation(*map(np.atleast_1d, (correlation, x / pairs.unit[0], y / pairs.unit[1])))
        )[0]

    def theirs(x, y):
        return by_blocks(estimates, errors, np.array([[x * x, correlation * x * y], [correlation * x * y, y * y]]))

    # Units shift both by the same.
    assert ours(*spreads[0]) - ours(*spreads[1]) == pytest.approx(theirs(*spreads[0]) - theirs(*spreads[1]), abs=1e-8)


@pytest.mark.parametrize(("seed", "sites"), [(3, 8), (4, 12), (5, 30)])
def test_the_estimate_is_where_another_search_finds_the_top(seed, sites):
    estimates, errors = drawn(np.random.default_rng(seed), sites, 0.6)

    def badness(root):
        lower = np.array([[root[0], 0], [root[1], root[2]]])
        return -by_blocks(estimates, errors, lower @ lower.T)

    found = minimize(badness, [0.2, 0.1, 0.1], method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-10})
    root = np.array([[found.x[0], 0], [found.x[1], found.x[2]]])
    covariance = root @ root.T
    ours = associate(estimates[:, 0], errors[:, 0], estimates[:, 1], errors[:, 1])
    assert ours.correlation == pytest.approx(covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1]), abs=0.02)
    assert ours.slope == pytest.approx(covariance[0, 1] / covariance[0, 0], abs=0.03)
    assert ours.spread_x == pytest.approx(np.sqrt(covariance[0, 0]), rel=0.05)


def test_without_error_it_is_the_ordinary_correlation_and_slope():
    x, y = np.random.default_rng(1).multivariate_normal([0, 0], [[1, 0.7], [0.7, 2]], size=40).T
    tiny = np.full(40, 1e-3)
    found = associate(x, tiny, y, tiny)
    assert found.correlation == pytest.approx(np.corrcoef(x, y)[0, 1], abs=0.01)
    assert found.slope == pytest.approx(np.polyfit(x, y, 1)[0], abs=0.02)
    assert found.low < found.correlation < found.high


def test_units_change_nothing_but_units():
    estimates, errors = drawn(np.random.default_rng(2), 12, 0.8)
    one = associate(estimates[:, 0], errors[:, 0], estimates[:, 1], errors[:, 1])
    other = associate(100 * estimates[:, 0] + 7, 100 * errors[:, 0], estimates[:, 1] - 3, errors[:, 1])
    assert other.correlation == pytest.approx(one.correlation, abs=1e-6)
    assert (other.low, other.high) == pytest.approx((one.low, one.high), abs=1e-6)
    assert 100 * other.slope == pytest.approx(one.slope, rel=1e-6)


def test_error_in_both_does_not_water_the_correlation_down():
    generator = np.random.default_rng(6)
    estimates, errors = drawn(generator, 200, 0.9, spread=0.1, error=0.1)
    plain = np.corrcoef(estimates.T)[0, 1]
    found = associate(estimates[:, 0], errors[:, 0], estimates[:, 1], errors[:, 1])
    assert plain < 0.65
    assert found.low <= 0.9 <= found.high
    assert found.correlation > plain + 0.15


def test_sites_that_hardly_differ_say_nothing():
    estimates, errors = drawn(np.random.default_rng(7), 12, 0.0, spread=0.001)
    found = associate(estimates[:, 0], errors[:, 0], estimates[:, 1], errors[:, 1])
    assert found.low < -0.9
    assert found.high > 0.9
    assert (found.slope_low, found.slope_high) == (-np.inf, np.inf)


def test_errors_that_share_their_chance_do_not_pass_for_an_association():
    generator = np.random.default_rng(8)
    shared = generator.multivariate_normal([0, 0], [[0.01, 0.008], [0.008, 0.01]], size=60)
    errors = np.full(60, 0.1)
    estimates = shared + generator.normal(0, 0.03, (60, 2))
    blind = associate(estimates[:, 0], errors, estimates[:, 1], errors)
    told = associate(estimates[:, 0], errors, estimates[:, 1], errors, shared=0.8)
    assert told.low < 0 < told.high
    assert told.correlation < blind.correlation


@pytest.mark.parametrize(("sites", "spread", "correlation"), [(12, 0.2, 0.0), (12, 0.1, 0.7)])
def test_intervals_hold_the_truth_as_often_as_they_say(sites, spread, correlation):
    generator, runs = np.random.default_rng(9), 40
    held = 0
    for _ in range(runs):
        estimates, errors = drawn(generator, sites, correlation, spread=spread)
        found = associate(estimates[:, 0], errors[:, 0], estimates[:, 1], errors[:, 1])
        held += found.low <= correlation <= found.high
    assert held >= 0.9 * runs


def test_what_cannot_be_associated_is_refused():
    ones = np.ones(LEAST_SITES)
    with pytest.raises(ValueError, match="at least 6"):
        associate(ones[:5], ones[:5], ones[:5], ones[:5])
    with pytest.raises(ValueError, match="differ in length"):
        associate(ones, ones, ones, np.ones(7))
    with pytest.raises(ValueError, match="above 0"):
        associate(ones, 0 * ones, ones, ones)
    with pytest.raises(ValueError, match="finite"):
        associate(ones * np.nan, ones, ones, ones)
    with pytest.raises(ValueError, match="between"):
        associate(ones, ones, ones, ones, shared=1.0)
