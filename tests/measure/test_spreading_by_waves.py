import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from staffroom.measure.effects import fieller
from staffroom.measure.waves import scalability


def test_an_effect_that_halves_as_teachers_double_has_that_slope():
    found = scalability([0.4, 0.3, 0.2, 0.1], [0.05] * 4, [10, 20, 40, 80])
    assert found.slope == pytest.approx(-0.1)
    assert found.tau2 == 0
    assert found.slope_df == 2
    # The factor of Knapp & Hartung is floored at 1: the error is that of a line through points with known errors.
    assert found.slope_se == pytest.approx(0.05 / math.sqrt(5))
    assert found.slope_low < -0.1 < found.slope_high
    assert list(found.teachers) == [10, 10, 20, 40]
    assert found.fitted == pytest.approx([0.4, 0.3, 0.2, 0.1])


def test_two_waves_have_the_slope_of_their_difference():
    joint = np.array([[0.01, 0.002], [0.002, 0.04]])
    found = scalability([0.4, 0.1], [0.1, 0.2], [10, 40], covariance=joint)
    assert found.slope == pytest.approx(-0.15)
    assert found.slope_se == pytest.approx(math.sqrt(0.01 + 0.04 - 0.004) / 2)
    assert found.slope_p == pytest.approx(2 * stats.norm.sf(0.15 / found.slope_se))
    assert math.isinf(found.slope_df)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6))
def test_the_ratio_has_fiellers_set_with_the_joint_covariance(seed):
    rng = np.random.default_rng(seed)
    factor = rng.normal(size=(3, 3)) * 0.1
    joint = factor @ factor.T + 0.01 * np.eye(3)
    effects = rng.normal(0.3, 0.2, 3)
    found = scalability(effects, np.sqrt(np.diag(joint)), [5, 12, 30], covariance=joint)
    errors = np.sqrt(np.diag(joint))
    expected = fieller(
        effects[2], effects[0], errors[2], errors[0], covariance=joint[2, 0], quantile=stats.norm.ppf(0.975)
    )
    assert found.last_over_first.shape == expected.shape
    assert (found.last_over_first.low, found.last_over_first.high) == pytest.approx((expected.low, expected.high))


def test_cost_of_one_more_teacher_and_dose_are_by_wave():
    found = scalability(
        [0.2, 0.2, 0.1],
        [0.1] * 3,
        [10, 30, 40],
        costs=[5000, 8000, 9000],
        hours_delivered=[20, 15, 10],
        hours_planned=20,
    )
    assert found.marginal_cost == pytest.approx([500, 400, 900])
    assert found.dose_delivered == pytest.approx([1, 0.75, 0.5])
    assert found.dose_overall == pytest.approx((10 * 1 + 20 * 0.75 + 10 * 0.5) / 40)


def test_what_is_not_known_is_not_a_number():
    found = scalability([0.2, 0.2], [0.1, 0.1], [10, 30])
    assert np.isnan(found.marginal_cost).all()
    assert math.isnan(found.dose_overall)


def test_the_slope_is_rejected_no_more_often_than_it_should_where_waves_do_not_differ():
    rng = np.random.default_rng(2)
    rejected = 0
    for _ in range(200):
        errors = rng.uniform(0.05, 0.15, 4)
        rejected += scalability(rng.normal(0.2, errors), errors, [8, 20, 45, 90]).slope_p < 0.05
    assert rejected / 200 <= 0.05


@pytest.mark.parametrize(
    ("arguments", "options", "sentence"),
    [
        (([0.1], [0.1], [10]), {}, "at least 2 waves"),
        (([0.1, 0.2], [0.1, 0.1], [10, 10]), {}, "do not grow in row 1"),
        (([0.1, 0.2], [0.1, 0.1], [0, 10]), {}, "not above 0 in row 0"),
        (([0.1, 0.2], [0.1, 0], [5, 10]), {}, "standard error is not above 0 in row 1"),
        (([0.1, 0.2], [0.1, 0.1], [5, 10, 20]), {}, "lengths differ"),
        (([0.1, 0.2], [0.1, 0.1], [5, 10]), {"covariance": np.eye(3)}, "covariance has shape"),
        (([0.1, 0.2], [0.1, 0.1], [5, 10]), {"costs": [1]}, "1 values of cost for 2 waves"),
        (([0.1, 0.2], [0.1, 0.1], [5, 10]), {"costs": [1, -1]}, "cost is below 0 in row 1"),
        (([0.1, 0.2], [0.1, 0.1], [5, 10]), {"hours_delivered": [1, 1], "hours_planned": 0}, "planned hours"),
        (([0.1, float("nan")], [0.1, 0.1], [5, 10]), {}, "effect is missing or not finite in row 1"),
    ],
)
def test_waves_that_cannot_be_are_refused(arguments, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        scalability(*arguments, **options)
