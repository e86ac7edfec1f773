import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from staffroom.measure.acceptability import curve, curve_from_draws, frontier


def test_the_curve_is_the_probability_that_the_net_benefit_is_above_zero():
    found = curve(0.1, 0.05, 200, 40, [0, 1000, 2000, 4000], covariance=1.0)
    for willingness, probability in zip(found.willingness, found.probability, strict=True):
        spread = math.sqrt((willingness * 0.05) ** 2 + 40**2 - 2 * willingness)
        assert probability == pytest.approx(stats.norm.cdf((willingness * 0.1 - 200) / spread))
    assert found.probability[2] == pytest.approx(0.5)
    assert found.break_even == 2000
    assert found.ceiling == pytest.approx(stats.norm.cdf(2))


@settings(max_examples=15, deadline=None)
@given(st.floats(-0.2, 0.3), st.floats(50, 400), st.floats(-0.8, 0.8), st.integers(0, 1000))
def test_draws_of_a_joint_normal_give_the_same_curve(effect, cost, correlation, seed):
    joint = [[0.01, correlation * 0.1 * 50], [correlation * 0.1 * 50, 2500]]
    e, c = np.random.default_rng(seed).multivariate_normal([effect, cost], joint, 20000).T
    wanted = [0, 500, 2000, 8000]
    drawn = curve_from_draws(e, c, wanted)
    exact = curve(effect, 0.1, cost, 50, wanted, covariance=correlation * 5)
    assert drawn.probability == pytest.approx(exact.probability, abs=0.02)
    assert drawn.ceiling == pytest.approx(exact.ceiling, abs=0.02)


def test_without_uncertainty_the_curve_is_a_step():
    assert curve(0.1, 0, 100, 0, [999, 1000, 1001]).probability == pytest.approx([0, 0.5, 1])


def test_an_activity_without_effect_never_breaks_even():
    assert math.isinf(curve(0, 0.1, 100, 10, [1]).break_even)
    assert curve(0, 0.1, 100, 10, [1e9]).probability[0] == pytest.approx(0.5, abs=1e-3)


def test_the_frontier_leaves_out_what_is_dominated_and_what_a_mixture_beats():
    # 0: cheap; 1: dearer and less (dominated); 2: beaten by a mixture of 0 and 3; 3: the most effective.
    found = frontier([0.10, 0.05, 0.12, 0.30], [100, 150, 250, 400])
    assert [each.option for each in found.increments] == [0, 3]
    assert [each.ratio for each in found.increments] == pytest.approx([1000, 1500])
    assert found.dominated == (1,)
    assert found.extendedly_dominated == (2,)


@given(st.lists(st.tuples(st.floats(-1, 1), st.floats(1, 1000)), min_size=1, max_size=8))
def test_for_every_willingness_the_best_option_is_on_the_frontier(options):
    e, c = np.array(options).T
    found = frontier(e, c)
    kept = [each.option for each in found.increments]
    assert sorted([*kept, *found.dominated, *found.extendedly_dominated]) == list(range(len(options)))
    ratios = [each.ratio for each in found.increments]
    assert all(a <= b for a, b in itertools.pairwise(ratios))
    for willingness in (0, 100, 1000, 10000, 1e6):
        best = max(0.0, float(np.max(willingness * e - c)))
        mine = max([0.0, *(willingness * e[place] - c[place] for place in kept)])
        assert mine == pytest.approx(best, abs=1e-6)


@pytest.mark.parametrize(
    ("arguments", "options", "sentence"),
    [
        ((0.1, -0.1, 1, 1, [1]), {}, "standard error"),
        ((0.1, float("nan"), 1, 1, [1]), {}, "standard error"),
        ((float("inf"), 0.1, 1, 1, [1]), {}, "effect is not finite"),
        ((0.1, 0.1, 1, 1, [1]), {"covariance": 1.0}, "larger than"),
        ((0.1, 0.1, 1, 1, [1, -1]), {}, "below 0 in row 1"),
        ((0.1, 0.1, 1, 1, [1, 1e99]), {}, "too large in row 1"),
    ],
)
def test_numbers_that_cannot_be_are_refused(arguments, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        curve(*arguments, **options)


def test_draws_must_come_in_pairs():
    with pytest.raises(ValueError, match="2 draws of effects but 1"):
        curve_from_draws([1, 2], [1], [1])
    with pytest.raises(ValueError, match="1 effects but 2 costs"):
        frontier([1], [1, 2])
