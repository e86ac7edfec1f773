import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from staffroom.measure.pooling import evened, pool
from tests.measure.meta_data import bcg, raudenbush


def test_the_teacher_expectation_studies_pool_as_metafor_and_the_handbook_chapter_print_them():
    # metafor 4.8, tests of the analyses raudenbush1985 and raudenbush2009: rma(yi, vi), predict(), blup().
    effects, errors, _ = raudenbush()
    found = pool(effects, errors, knapp_hartung=False)
    assert found.effect == pytest.approx(0.0837, abs=5e-5)
    assert found.standard_error == pytest.approx(0.0516, abs=5e-5)
    assert (found.low, found.high) == pytest.approx((-0.0175, 0.1849), abs=5e-5)
    assert found.tau2 == pytest.approx(0.0188, abs=5e-5)
    assert found.q == pytest.approx(35.8295, abs=5e-5)
    assert (found.prediction_low, found.prediction_high) == pytest.approx((-0.2036, 0.3711), abs=2e-4)
    low = found.shrunken - stats.norm.ppf(0.975) * found.shrunken_se
    assert found.shrunken[:7] == pytest.approx([0.0543, 0.1006, -0.0064, 0.2144, 0.1051, -0.0082, 0.0174], abs=6e-5)
    assert found.shrunken[7:13] == pytest.approx([-0.0293, 0.1604, 0.2485, 0.1618, 0.1102, 0.0646], abs=6e-5)
    assert found.shrunken[13:] == pytest.approx([0.1105, -0.0288, 0.0258, 0.1905, 0.0744, 0.0248], abs=6e-5)
    assert low[:4] == pytest.approx([-0.1324, -0.1033, -0.2228, -0.0533], abs=6e-5)


def test_knapp_and_hartungs_interval_is_metafors():
    # metafor 4.8, rma(yi, vi, test="knha") on dat.raudenbush1985.
    effects, errors, _ = raudenbush()
    found = pool(effects, errors)
    assert found.standard_error == pytest.approx(0.0616, abs=5e-5)
    assert found.effect / found.standard_error == pytest.approx(1.3593, abs=5e-4)
    assert (found.low, found.high) == pytest.approx((-0.0457, 0.2131), abs=5e-5)
    assert found.df == 18


def test_the_vaccine_trials_pool_as_metafor_prints_them():
    # metafor 4.8, help pages of rma.uni, confint.rma, predict.rma, blup and leave1out on dat.bcg.
    effects, errors, _ = bcg()
    found = pool(effects, errors, knapp_hartung=False)
    assert found.effect == pytest.approx(-0.7145, abs=5e-5)
    assert found.standard_error == pytest.approx(0.1798, abs=5e-5)
    assert found.tau2 == pytest.approx(0.3132, abs=5e-5)
    assert (found.tau_low, found.tau_high) == pytest.approx((0.3460, 1.0543), abs=5e-5)
    assert found.i2 == pytest.approx(92.2214, abs=5e-5)
    assert found.q == pytest.approx(152.2330, abs=5e-5)
    assert (found.prediction_low, found.prediction_high) == pytest.approx((-1.87, 0.44), abs=5e-3)
    assert np.exp(found.shrunken[:4]) == pytest.approx([0.4492, 0.2860, 0.3727, 0.2471], abs=5e-5)
    assert found.leave_one_out == pytest.approx(
        [
            -0.7071,
            -0.654,
            -0.6856,
            -0.6284,
            -0.7642,
            -0.7109,
            -0.6552,
            -0.7948,
            -0.7412,
            -0.653,
            -0.7579,
            -0.7598,
            -0.7775,
        ],
        abs=6e-5,
    )


def _slow_tau2(effects: np.ndarray, errors: np.ndarray) -> float:
    """The restricted likelihood written out with matrices, maximized by a bounded search from many places."""

    def minus(tau2: float) -> float:
        v = np.diag(errors**2 + tau2)
        x = np.ones((effects.size, 1))
        inverse = np.linalg.inv(v)
        gram = x.T @ inverse @ x
        residual = effects - x @ np.linalg.solve(gram, x.T @ inverse @ effects)
        logs = np.linalg.slogdet(v)[1] + np.linalg.slogdet(gram)[1]
        return float(0.5 * (logs + residual @ inverse @ residual))

    ends = np.r_[0, np.geomspace(1e-5, 4, 30)]
    best = min(
        (optimize.minimize_scalar(minus, bounds=pair, method="bounded") for pair in itertools.pairwise(ends)),
        key=lambda found: found.fun,
    )
    return float(best.x if best.fun < minus(0.0) - 1e-10 else 0.0)


@settings(max_examples=20, deadline=None)
@given(st.integers(2, 12), st.integers(0, 10**6), st.floats(0, 0.6))
def test_tau2_maximizes_the_restricted_likelihood_and_all_else_follows(size, seed, tau):
    rng = np.random.default_rng(seed)
    errors = rng.uniform(0.05, 0.5, size)
    effects = rng.normal(0.1, np.sqrt(tau**2 + errors**2))
    found = pool(effects, errors)
    slow = _slow_tau2(effects, errors)
    assert found.tau2 == pytest.approx(slow, abs=1e-4)
    weights = 1 / (errors**2 + found.tau2)
    mean = np.average(effects, weights=weights)
    square = weights @ (effects - mean) ** 2 / (size - 1) / weights.sum()
    assert found.effect == pytest.approx(mean)
    assert found.standard_error**2 == pytest.approx(square)
    assert found.weights == pytest.approx(weights / weights.sum())
    plain = 1 / errors**2
    typical = (size - 1) * plain.sum() / (plain.sum() ** 2 - (plain**2).sum())
    assert found.i2 == pytest.approx(100 * found.tau2 / (found.tau2 + typical))
    assert np.all((found.shrunken - mean) * (effects - mean) >= -1e-12)
    assert np.all(np.abs(found.shrunken - mean) <= np.abs(effects - mean) + 1e-12)
    for end, level in ((found.tau_low, 0.975), (found.tau_high, 0.025)):
        profile = 1 / (errors**2 + end**2)
        q = profile @ (effects - np.average(effects, weights=profile)) ** 2
        assert q == pytest.approx(stats.chi2.ppf(level, size - 1)) or (
            end == 0 and q <= stats.chi2.ppf(level, size - 1)
        )


@settings(max_examples=20, deadline=None)
@given(st.floats(1e-6, 1e6), st.integers(0, 1000))
def test_another_unit_changes_nothing_but_the_unit(unit, seed):
    rng = np.random.default_rng(seed)
    errors = rng.uniform(0.05, 0.3, 8)
    effects = rng.normal(0.2, 0.3, 8)
    one, other = pool(effects, errors), pool(effects * unit, errors * unit)
    assert other.effect == pytest.approx(one.effect * unit)
    assert other.tau2 == pytest.approx(one.tau2 * unit**2, rel=1e-6, abs=1e-12 * unit**2)
    assert (other.i2, other.q, other.p) == pytest.approx((one.i2, one.q, one.p), rel=1e-6, abs=1e-9)


def test_where_sites_agree_to_the_last_digit_the_interval_still_has_their_errors():
    found = pool([0.1, 0.1, 0.1], [0.1, 0.1, 0.1])
    assert found.tau2 == 0
    assert found.standard_error == pytest.approx(0.1 / math.sqrt(3))
    assert found.low < 0 < found.high
    assert (found.prediction_low, found.prediction_high) == (found.low, found.high)
    assert "floored" in found.method


def test_rileys_prediction_interval_has_one_degree_fewer():
    effects, errors = [0.1, 0.3, -0.1, 0.25, 0.4], [0.1, 0.12, 0.09, 0.2, 0.15]
    plain, riley = pool(effects, errors), pool(effects, errors, riley=True)
    spread = math.sqrt(plain.tau2 + plain.standard_error**2)
    assert riley.prediction_high == pytest.approx(plain.effect + stats.t.ppf(0.975, 3) * spread)
    assert plain.prediction_high == pytest.approx(plain.effect + stats.t.ppf(0.975, 4) * spread)
    assert plain.probability_positive == pytest.approx(stats.t.cdf(plain.effect / spread, 4))


def test_two_sites_leave_nothing_to_leave_out():
    found = pool([0.1, 0.3], [0.1, 0.1], labels=["North", "South"])
    assert np.isnan(found.leave_one_out).all()
    assert found.labels == ("North", "South")


@pytest.mark.parametrize(
    ("effects", "errors", "sentence"),
    [
        ([0.1], [0.1], "at least 2 estimates"),
        ([], [], "at least 2 estimates"),
        ([0.1, 0.2, 0.3], [0.1, 0.0, 0.1], "standard error is not above 0 in row 1"),
        ([0.1, float("nan"), 0.3], [0.1, 0.1, 0.1], "effect is missing or not finite in row 1"),
        ([0.1, 0.2], [0.1, float("inf")], "standard error is missing or not finite in row 1"),
        ([0.1, 0.2], [0.1, 1e-200], "too small or too large"),
        ([0.1, 1e200], [0.1, 0.1], "too small or too large"),
        ([0.1, 0.2], [1e-9, 0.1], "more than a million times"),
        ([0.1, 0.2, 0.3], [0.1, 0.1], "3 effects but 2 standard errors"),
        (["a", "b"], [0.1, 0.1], "not a number"),
    ],
)
def test_what_cannot_be_pooled_is_refused_by_row(effects, errors, sentence):
    with pytest.raises(ValueError, match=sentence):
        pool(effects, errors)


@pytest.mark.parametrize("tau", [0.0, 0.03, 0.2])
def test_leaving_out_one_of_many_is_pooling_the_rest(tau):
    rng = np.random.default_rng(3)
    errors = rng.uniform(0.05, 0.3, 40)
    effects = rng.normal(0.1, np.sqrt(tau**2 + errors**2))
    found = pool(effects, errors).leave_one_out
    for place in (0, 7, 39):
        keep = np.arange(40) != place
        assert found[place] == pytest.approx(pool(effects[keep], errors[keep]).effect, abs=1e-7)


def test_a_joint_covariance_without_covariances_says_what_the_errors_say():
    effects, errors = [0.1, 0.4, -0.2, 0.3, 0.0], np.array([0.1, 0.2, 0.15, 0.1, 0.3])
    one, other = pool(effects, errors), pool(effects, errors, covariance=np.diag(errors**2))
    names = ("effect standard_error tau2 tau_high i2 q prediction_low cautious_low cautious_high").split()
    assert [getattr(other, name) for name in names] == pytest.approx([getattr(one, name) for name in names])
    for name in ("shrunken", "shrunken_se", "leave_one_out", "weights"):
        assert getattr(other, name) == pytest.approx(getattr(one, name))


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10**6))
def test_estimates_that_covary_are_pooled_by_generalized_least_squares(seed):
    rng = np.random.default_rng(seed)
    factor = rng.normal(size=(6, 6)) * 0.1
    joint = factor @ factor.T + 0.01
    joint[np.diag_indices(6)] += 0.01
    effects = rng.multivariate_normal(np.full(6, 0.2), joint + 0.04 * np.eye(6))
    found = pool(effects, np.sqrt(np.diag(joint)), covariance=joint)
    inverse = np.linalg.inv(joint + found.tau2 * np.eye(6))
    one = np.ones(6)
    mean = one @ inverse @ effects / (one @ inverse @ one)
    square = (effects - mean) @ inverse @ (effects - mean) / 5
    assert found.effect == pytest.approx(mean)
    assert found.standard_error == pytest.approx(math.sqrt(square / (one @ inverse @ one)))
    assert found.weights @ effects == pytest.approx(mean)
    assert found.shrunken == pytest.approx(mean + found.tau2 * inverse @ (effects - mean))
    assert found.cautious_low < found.effect < found.cautious_high


def test_what_cohorts_share_does_not_make_them_surer():
    rng = np.random.default_rng(6)
    joint = 0.01 * np.eye(5) + 0.02
    covered = {"joint": 0, "apart": 0}
    for _ in range(100):
        effects = rng.multivariate_normal(np.full(5, 0.2), joint)
        errors = np.sqrt(np.diag(joint))
        for name, covariance in (("joint", joint), ("apart", None)):
            found = pool(effects, errors, covariance=covariance)
            covered[name] += found.low <= 0.2 <= found.high
    assert covered["apart"] / 100 < 0.75
    assert covered["joint"] / 100 >= 0.88


def test_an_evened_covariance_keeps_errors_and_the_mean_correlation():
    joint = np.array([[0.04, 0.01, 0.0], [0.01, 0.01, 0.006], [0.0, 0.006, 0.09]])
    found = evened(joint)
    assert np.diag(found) == pytest.approx(np.diag(joint))
    mean = np.mean([0.01 / 0.02, 0.0, 0.006 / 0.03])
    assert (found[0, 1] / 0.02, found[1, 2] / 0.03) == pytest.approx((mean, mean))
    assert evened(-joint + 2 * np.diag(np.diag(joint)))[0, 1] == 0
    with pytest.raises(ValueError, match="not square or"):
        evened(np.zeros((2, 2)))


def test_labels_and_confidence_must_fit():
    with pytest.raises(ValueError, match="1 labels for 2 effects"):
        pool([0.1, 0.2], [0.1, 0.1], labels=["a"])
    with pytest.raises(ValueError, match="probability"):
        pool([0.1, 0.2], [0.1, 0.1], confidence=95)
    with pytest.raises(ValueError, match="either clusters or"):
        pool([0.1, 0.2], [0.1, 0.1], cluster=[1, 2], covariance=np.eye(2))


def test_one_estimate_that_is_known_far_better_than_the_rest_does_not_upset_the_search():
    found = pool([0.1, 0.5, -0.3, 0.2], [1e-5, 0.4, 0.5, 0.3])
    assert 0 <= found.tau2 < 0.5
    assert math.isfinite(found.prediction_low)
