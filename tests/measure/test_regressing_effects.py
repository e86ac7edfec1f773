import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from staffroom.measure import heterogeneity
from staffroom.measure.meta_regression import regress
from tests.measure.meta_data import bcg, raudenbush


def test_weeks_of_contact_explain_teacher_expectations_as_metafor_prints_it():
    # metafor 4.8, test of the analysis raudenbush1985: rma(yi, vi, mods = ~ weeks.c); its z are cut, not rounded.
    effects, errors, weeks = raudenbush()
    found = regress(effects, errors, np.column_stack([np.ones_like(weeks), weeks]), knapp_hartung=False)
    assert found.coefficients == pytest.approx([0.4072, -0.1572], abs=5e-5)
    assert found.coefficients / found.standard_errors == pytest.approx([4.6782, -4.3884], abs=1e-4)
    assert found.tau2 == 0
    assert found.q == pytest.approx(16.5708, abs=5e-5)
    fitted = found.predict([1, 2])
    assert (fitted.effect, fitted.low, fitted.high) == pytest.approx((0.0927, 0.0198, 0.1656), abs=6e-5)
    assert (fitted.prediction_low, fitted.prediction_high) == (fitted.low, fitted.high)


def test_latitude_and_year_explain_the_vaccine_trials_as_metafor_prints_it():
    # metafor 4.8, help page of rma.uni: rma(yi, vi, mods = ~ ablat + year, data=dat.bcg); it stops where tau2 moves by
    # less than 1e-5, which shows in the fourth digit of the intercept (year 0) and of QM.
    effects, errors, table = bcg()
    design = np.column_stack([np.ones(13), table["ablat"], table["year"]])
    found = regress(effects, errors, design, knapp_hartung=False)
    assert found.coefficients[1:] == pytest.approx([-0.0280, 0.0019], abs=5e-5)
    assert found.coefficients[0] == pytest.approx(-3.5455, abs=2e-4)
    assert found.standard_errors[1:] == pytest.approx([0.0102, 0.0147], abs=5e-5)
    assert found.standard_errors[0] == pytest.approx(29.0959, abs=1e-3)
    assert (found.low[1], found.high[1]) == pytest.approx((-0.0481, -0.0080), abs=5e-5)
    assert (found.tau2, found.tau2_se) == pytest.approx((0.1108, 0.0845), abs=5e-5)
    assert (found.i2, found.r2) == pytest.approx((71.98, 64.63), abs=5e-3)
    assert (found.q, found.q_p) == pytest.approx((28.3251, 0.0016), abs=5e-5)
    assert (found.qm, found.qm_df) == (pytest.approx(12.2043, abs=3e-4), 2)
    assert found.qm_p == pytest.approx(0.0022, abs=5e-5)


def test_residual_heterogeneity_has_metafors_interval():
    # metafor 4.8, help page of confint.rma: rma(yi, vi, mods = ~ ablat, data=dat.bcg).
    effects, errors, table = bcg()
    found = regress(effects, errors, np.column_stack([np.ones(13), table["ablat"]]))
    assert found.tau2 == pytest.approx(0.0764, abs=6e-5)
    assert (found.tau2_low, found.tau2_high) == pytest.approx((0.0167, 0.7849), abs=1e-4)


def test_the_omnibus_test_with_knapp_and_hartung_is_metafors():
    # metafor 4.8, tests of anova(): rma(yi, vi, mods = ~ ablat + alloc, test="knha"); t of ablat squared is 8.2194.
    effects, errors, table = bcg()
    alloc = [table["alloc"] == name for name in ("random", "systematic")]
    found = regress(effects, errors, np.column_stack([np.ones(13), table["ablat"], *alloc]))
    assert (found.coefficients[1] / found.standard_errors[1]) ** 2 == pytest.approx(8.2194, abs=5e-4)
    assert found.p[1] == pytest.approx(0.0186, abs=5e-5)
    both = found.coefficients[2:] @ np.linalg.solve(found.covariance[2:, 2:], found.coefficients[2:]) / 2
    assert both == pytest.approx(0.6007, abs=5e-4)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.integers(5, 12))
def test_a_joint_covariance_is_taken_as_generalized_least_squares_takes_it(seed, size):
    rng = np.random.default_rng(seed)
    factor = rng.normal(size=(size, size)) * 0.1
    joint = factor @ factor.T + 0.02 * np.eye(size)
    design = np.column_stack([np.ones(size), rng.normal(size=size)])
    effects = rng.multivariate_normal(np.zeros(size), joint + 0.05 * np.eye(size))
    found = regress(effects, None, design, covariance=joint, knapp_hartung=False)
    inverse = np.linalg.inv(joint + found.tau2 * np.eye(size))
    bread = np.linalg.inv(design.T @ inverse @ design)
    assert found.coefficients == pytest.approx(bread @ design.T @ inverse @ effects, abs=1e-8)
    assert found.covariance == pytest.approx(bread, rel=1e-6)

    def likelihood(tau2: float) -> float:
        whole = joint + tau2 * np.eye(size)
        inverse = np.linalg.inv(whole)
        gram = design.T @ inverse @ design
        residual = effects - design @ np.linalg.solve(gram, design.T @ inverse @ effects)
        return float(-np.linalg.slogdet(whole)[1] - np.linalg.slogdet(gram)[1] - residual @ inverse @ residual)

    best = max(likelihood(tau2) for tau2 in np.linspace(0, 0.5, 400))
    assert likelihood(found.tau2) >= best - 1e-6


def test_independent_errors_as_a_joint_covariance_say_the_same():
    effects, errors = np.array([0.1, 0.4, -0.2, 0.3, 0.0]), np.array([0.1, 0.2, 0.15, 0.1, 0.3])
    design = np.column_stack([np.ones(5), np.arange(5)])
    one = regress(effects, errors, design)
    other = regress(effects, None, design, covariance=np.diag(errors**2))
    assert one.coefficients == pytest.approx(other.coefficients)
    assert one.covariance == pytest.approx(other.covariance)
    assert one.tau2 == pytest.approx(other.tau2)


def test_a_floored_factor_never_shortens_an_interval():
    effects, errors = [0.1, 0.11, 0.1, 0.12], [0.1, 0.1, 0.1, 0.1]
    plain = regress(effects, errors, np.ones((4, 1)))
    floored = regress(effects, errors, np.ones((4, 1)), floored=True)
    assert plain.inference.scale < 1 == floored.inference.scale
    assert floored.high[0] > plain.high[0]


def test_the_score_is_the_slope_of_the_likelihood():
    estimates = heterogeneity.estimates_of([0.1, 0.5, -0.2, 0.3], [0.1, 0.2, 0.1, 0.3])
    step = 1e-6
    ends = heterogeneity.restricted_likelihood(estimates, np.array([0.05 - step, 0.05 + step]))
    fit = estimates.fit(0.05)
    score = float(np.sum((fit.weights * fit.residuals) ** 2)) - heterogeneity.trace_of_projection(estimates, 0.05)
    assert (ends[1] - ends[0]) / (2 * step) == pytest.approx(0.5 * score, rel=1e-6)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"effects": [1, 2], "standard_errors": [1, 1], "design": np.ones((3, 1))}, "design has 3 rows"),
        ({"effects": [1, 2], "standard_errors": [1, 1], "design": np.eye(2)}, "at least 3 estimates"),
        ({"effects": [1, 2, 3], "standard_errors": [1, 1, 1], "design": np.ones((3, 2))}, "depends on the others"),
        ({"effects": [1, 2, 3], "standard_errors": [1, 1, 1], "design": np.zeros((3, 1))}, "depends on the others"),
        ({"effects": [1, 2], "standard_errors": None, "design": np.ones((2, 1))}, "either"),
        (
            {"effects": [1, 2], "standard_errors": None, "design": np.ones((2, 1)), "covariance": np.ones((2, 2))},
            "not positive definite",
        ),
        (
            {"effects": [1, 2], "standard_errors": None, "design": np.ones((2, 1)), "covariance": [[1, 0.5], [0, 1]]},
            "not symmetric",
        ),
        (
            {"effects": [1, 2], "standard_errors": None, "design": np.ones((2, 1)), "covariance": np.eye(3)},
            "covariance has shape",
        ),
    ],
)
def test_what_cannot_be_regressed_is_refused(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        regress(**arguments)
