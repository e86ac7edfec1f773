"""Analyses that articles print with their data: what stands here are those numbers, and where they were printed."""

import numpy as np
import pytest

from staffroom.measure.answering import answer
from staffroom.measure.cells import cells_from_rows
from staffroom.measure.meta_regression import regress
from staffroom.measure.pooling import pool
from staffroom.measure.question import Question, Threshold
from tests.measure.test_comparing_both_sides_of_a_cutoff import RDROBUST, generated


def log_odds_ratios(treated, of_treated, control, of_control):
    """Effects and standard errors of two-by-two tables."""
    a, n, c, m = (np.array(each, dtype=float) for each in (treated, of_treated, control, of_control))
    b, d = n - a, m - c
    return np.log(a * d / (b * c)), np.sqrt(1 / a + 1 / b + 1 / c + 1 / d)


@pytest.mark.parametrize(
    ("effects", "variances", "tau2", "i2"),
    [
        (
            [-0.581, 0.530, 0.771, 1.031, 0.553, 0.295, 0.078, 0.573, -0.176, -0.232],
            [0.023, 0.052, 0.060, 0.115, 0.095, 0.203, 0.200, 0.211, 0.051, 0.040],
            0.2232,
            76.84,
        ),
        (
            [0.100, -0.162, -0.090, -0.049, -0.046, -0.010, -0.431, -0.261, 0.134, 0.019, 0.175, 0.056, 0.045, 0.103, 0.121,
             -0.482, 0.290, 0.342],
            [0.016, 0.015, 0.050, 0.050, 0.032, 0.052, 0.036, 0.024, 0.034, 0.033, 0.031, 0.034, 0.039, 0.167, 0.134, 0.096,
             0.016, 0.035],
            0.0157,
            32.02,
        ),
    ],
)  # fmt: skip
def test_heterogeneity_is_that_of_viechtbauer_2005(effects, variances, tau2, i2):
    # Viechtbauer (2005), Journal of Educational and Behavioral Statistics 30(3), pages 271 and 272, REML; metafor's I2.
    found = pool(effects, np.sqrt(variances), knapp_hartung=False)
    assert found.tau2 == pytest.approx(tau2, abs=5e-5)
    assert found.i2 == pytest.approx(i2, abs=5e-3)


def test_lengths_of_stay_pool_as_normand_has_them():
    # Normand (1999), Statistics in Medicine 18, Table IX on page 352: REML; differences of means and their variances.
    found = pool(
        [-20, -2, -55, -71, -4, 1, 11, -10, 7],
        np.sqrt([40.5863, 2.0468, 15.2809, 150.2222, 20.1923, 1.2235, 95.3756, 8.0321, 20.6936]),
        knapp_hartung=False,
    )
    assert (found.effect, found.low, found.high) == pytest.approx((-15.1217, -32.6716, 2.4282), abs=5e-4)
    assert found.tau2 == pytest.approx(685.1965, rel=1e-5)


def test_aspirin_in_pregnancy_pools_as_dersimonian_and_kacker_have_it():
    # DerSimonian & Kacker (2007), Contemporary Clinical Trials 28, Tables 3 and 4, the CLASP example, by REML.
    effects, errors = log_odds_ratios(
        [5, 5, 12, 69, 9, 313], [156, 303, 565, 1570, 103, 4659], [8, 17, 9, 94, 11, 352], [74, 303, 477, 1565, 105, 4650]
    )  # fmt: skip
    found = pool(effects, errors, knapp_hartung=False)
    assert (found.tau, found.effect, found.standard_error) == pytest.approx((0.1843, -0.2980, 0.1343), abs=1e-4)


@pytest.mark.parametrize(
    ("effects", "variances", "moderator", "low", "high"),
    [
        (
            [0.0267, 0.8242, 0.3930, 2.4405, 2.1401, 1.2528, 2.4849, 0.3087, 1.4246, 0.1823, 1.1378, 1.2321, 2.0695, 4.0237,
             1.4383, 1.6021],
            [0.1285, 0.0315, 0.0931, 2.0967, 1.0539, 0.1602, 1.0235, 0.0218, 0.5277, 0.0556, 0.3304, 0.1721, 0.4901, 2.0200,
             0.3399, 0.1830],
            [0] * 10 + [1] * 6,
            0.0023,
            1.4871,
        ),
        (
            [0.54, 0.4, 0.64, 0.365, 0.835, 0.02, 0.12, 0.085, 1.18, 0.08, 0.18, 0.325, 0.06, 0.715, 0.065, 0.245, 0.24, 0.06,
             0.19],
            [0.0176, 0.019, 0.0906, 0.0861, 0.0063, 0.0126, 0.0126, 0.0041, 0.0759, 0.0126, 0.0104, 0.0242, 0.0026, 0.2629,
             0.0169, 0.0156, 0.0481, 0.0084, 0.0044],
            [1986, 1987, 1988, 1988, 1998, 1999, 2000, 2000, 2000, 2001, 2001, 2001, 2002, 2002, 2002, 2002, 2003, 2003, 2003],
            0.0178,
            0.1564,
        ),
    ],
)  # fmt: skip
def test_the_interval_of_residual_heterogeneity_is_jacksons(effects, variances, moderator, low, high):
    # Jackson, Turner, Rhodes & Viechtbauer (2014), BMC Medical Research Methodology 14:103, Paule and Mandel (Q-profile).
    design = np.column_stack([np.ones(len(effects)), moderator])
    found = regress(effects, np.sqrt(variances), design, knapp_hartung=False)
    assert (found.tau2_low, found.tau2_high) == pytest.approx((low, high), abs=1e-4)


def test_a_cutoff_among_teachers_without_schools_is_answered_as_rdrobust_prints_it():
    # One result a teacher, none of whom shares a school: the answer's interval is rdrobust's default (nearest neighbors).
    data = generated("cont")
    rows = np.arange(len(data["y"]))
    cells = cells_from_rows(teacher=rows, school=rows, term=0 * rows, columns=[data["y"]])
    found = answer(Question(cells=cells, threshold=Threshold(data["x"], cutoff=0.2)), np.random.default_rng(1))
    effect, _, _, error, low, high, bandwidth, *_ = RDROBUST["cont"]
    assert found.estimator == "cutoff"
    told = found.effect
    assert (told.raw, told.raw_se, told.raw_low, told.raw_high) == pytest.approx((effect, error, low, high), rel=1e-7)
    assert found.details["cutoff"]["bandwidth"] == pytest.approx(bandwidth, rel=1e-7)
    assert found.n.clusters < len(rows), "only teachers within the bandwidth stand behind it"
    assert found.mde > 0
