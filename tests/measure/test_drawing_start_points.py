import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from staffroom.measure.start_points import admissible_starts, start_point_test

RNG = np.random.default_rng


def _difference(values, start):
    return float(np.mean(values[start:]) - np.mean(values[:start]))


def test_one_case_is_compared_with_every_start_it_could_have_had():
    values = [3, 2, 4, 3, 3, 7, 8, 7, 6, 8, 7]
    found = start_point_test([values], [5], [admissible_starts(11, least_before=3, least_during=3)], RNG(0))
    assert found.arrangements == 6
    assert found.enumerated
    assert found.statistic == pytest.approx(_difference(values, 5))
    assert found.p == pytest.approx(1 / 6)
    assert found.least_p == pytest.approx(1 / 6)


def test_sets_that_leave_enough_in_both_phases():
    assert admissible_starts(12) == (5, 6, 7)
    assert admissible_starts(9) == ()


def _slow(cases, starts, possible, scheme, two_sided):
    count = len(cases)
    dealings = [tuple(range(count))] if scheme == "independent" else list(itertools.permutations(range(count)))
    sets = [(start,) for start in starts] if scheme == "permuted" else possible
    actual = np.mean([_difference(case, start) for case, start in zip(cases, starts, strict=True)])
    found = []
    for dealt in dealings:
        for chosen in itertools.product(*(sets[which] for which in dealt)):
            found.append(np.mean([_difference(case, start) for case, start in zip(cases, chosen, strict=True)]))
    found = np.array(found)
    extreme = np.abs(found) >= abs(actual) - 1e-9 if two_sided else found >= actual - 1e-9
    return actual, extreme.mean(), found.size


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(["independent", "permuted", "regulated"]), st.booleans())
def test_all_draws_are_those_of_a_slow_enumeration(seed, scheme, two_sided):
    rng = RNG(seed)
    cases = [rng.normal(size=12).round(1) for _ in range(3)]
    possible = [(2, 3), (5, 6, 7), (8, 10)]
    starts = [int(rng.choice(each)) for each in possible]
    found = start_point_test(cases, starts, possible, rng, scheme=scheme, two_sided=two_sided)
    actual, p, size = _slow(cases, starts, possible, scheme, two_sided)
    assert found.statistic == pytest.approx(actual)
    assert found.p == pytest.approx(p)
    assert found.arrangements == found.draws == size


def test_the_number_of_draws_is_counted_before_any_is_made():
    values, possible = RNG(1).normal(size=30), tuple(range(5, 26))
    found = start_point_test([values] * 6, [10] * 6, [possible] * 6, RNG(2), draws=499)
    assert found.arrangements == 21**6
    assert not found.enumerated
    assert found.draws == 500
    regulated = start_point_test([values] * 6, [10] * 6, [possible] * 6, RNG(2), scheme="regulated", draws=99)
    assert regulated.arrangements == math.factorial(6) * 21**6


@pytest.mark.parametrize("scheme", ["independent", "permuted", "regulated"])
def test_a_sample_of_the_draws_says_about_the_same_as_all_of_them(scheme):
    rng = RNG(3)
    cases = [rng.normal(size=14) for _ in range(4)]
    possible = [(3, 4), (5, 6), (7, 8), (9, 10)]
    whole = start_point_test(cases, [4, 5, 8, 9], possible, rng, scheme=scheme)
    part = start_point_test(cases, [4, 5, 8, 9], possible, rng, scheme=scheme, limit=1, draws=20000)
    assert whole.enumerated
    assert not part.enumerated
    assert part.p == pytest.approx(whole.p, abs=0.02)


@pytest.mark.parametrize("scheme", ["independent", "permuted", "regulated"])
def test_without_an_effect_it_rejects_as_often_as_it_says_even_if_ratings_follow_each_other(scheme):
    rng, rejected, draws = RNG(20), 0, 500
    for _ in range(draws):
        steps = rng.normal(size=(4, 16))
        for t in range(1, 16):
            steps[:, t] += 0.6 * steps[:, t - 1]
        sets = [(3, 4, 5), (6, 7), (8, 9, 10), (11, 12)]
        if scheme == "independent":
            starts = [int(rng.choice(each)) for each in sets]
            possible = sets
        else:
            dealt = rng.permutation(4)
            possible = [sets[which] for which in dealt]
            starts = [int(rng.choice(each)) for each in possible]
        rejected += start_point_test(list(steps), starts, possible, rng, scheme=scheme).p <= 0.10
    assert 0.07 <= rejected / draws <= 0.13


def test_an_effect_in_the_wanted_direction_is_found():
    rng = RNG(5)
    cases = [np.r_[rng.normal(5, 1, start), rng.normal(2, 1, 15 - start)] for start in (4, 7, 10)]
    possible = [(3, 4, 5), (6, 7, 8), (9, 10, 11)]
    down = start_point_test(cases, [4, 7, 10], possible, rng, scheme="regulated", improvement="decrease")
    up = start_point_test(cases, [4, 7, 10], possible, rng, scheme="regulated")
    assert down.p < 0.05
    assert up.p > 0.5
    assert down.statistic > 0 > up.statistic


@pytest.mark.parametrize(
    ("arguments", "options", "sentence"),
    [
        (([], [], []), {}, "at least one"),
        (([[1, 2, 3]], [2], [(1,)]), {}, "case 0: the actual start 2 is not among"),
        (([[1, 2, 3]], [3], [(1, 3)]), {}, "without ratings"),
        (([[1, 2, 3]], [1], [(1, 1)]), {}, "stands twice"),
        (([[1, float("nan"), 3]], [1], [(1, 2)]), {}, "rating of case 0 is missing or not finite in row 1"),
        (([[1, 2, 3], [1, 2, 3, 4, 5]], [1, 4], [(1,), (4,)]), {"scheme": "regulated"}, "case 0"),
        (([[1, 2, 3]], [1], [(1, 2)]), {"scheme": "magic"}, "scheme must be"),
    ],
    ids=range(7),
)
def test_lots_that_cannot_be_are_refused(arguments, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        start_point_test(*arguments, RNG(0), **options)
