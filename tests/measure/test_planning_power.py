import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from staffroom.measure import power

# R package PowerUpR 1.0.1, vignette "Cross-checks": MDES, its interval's half width and degrees of freedom as printed.
PRINTED = {
    "mdes.ira1r1(n=250)": (power.individual(250), 0.356, 248),
    "mdes.bira2c1(n=15, J=20)": (power.blocked_individual(15, 20, effects="constant"), 0.325, 279),
    "mdes.bira2f1(n=15, J=20)": (power.blocked_individual(15, 20), 0.325, 260),
    "mdes.bira2r1(rho2=.17, omega2=.50, n=15, J=20)": (
        power.blocked_individual(15, 20, effects="random", icc=0.17, heterogeneity=0.5),
        0.366,
        19,
    ),
    "mdes.cra2r2(rho2=.17, n=15, J=20)": (power.clusters(15, 20, icc=0.17), 0.629, 18),
    "mdes.bcra3f2(rho2=.10, n=20, J=44, K=5)": (power.blocked_clusters(20, 44, 5, icc_teacher=0.1), 0.145, 210),
    "mdes.bcra3r2(rho3=.13, rho2=.10, omega3=.4, n=10, J=6, K=24)": (
        power.blocked_clusters(10, 6, 24, icc_teacher=0.1, icc_school=0.13, effects="random", heterogeneity=0.4),
        0.246,
        23,
    ),
    "mdes.cra3r3(rho3=.06, rho2=.17, n=15, J=3, K=60)": (
        power.schools(15, 3, 60, icc_teacher=0.17, icc_school=0.06),
        0.269,
        58,
    ),
}


@pytest.mark.parametrize("call", PRINTED)
def test_minimum_detectable_effects_are_those_that_powerup_prints(call):
    design, printed, df = PRINTED[call]
    assert design.df == df
    assert round(power.detectable(design), 3) == printed
    assert power.power(design, power.detectable(design)) == pytest.approx(0.80, abs=0.002)


def test_power_is_powerups():
    # R package wmpower, its tests against PowerUpR: power.bira2(es=.3, rho2=.2, omega2=0, n=10, J=30), and the second.
    one = power.blocked_individual(10, 30, effects="random", icc=0.2, heterogeneity=0)
    assert power.power(one, 0.3) == pytest.approx(0.8016, abs=5e-5)
    other = power.blocked_individual(20, 50, effects="random", icc=0.2, heterogeneity=0.5)
    assert power.power(other, 0.2) == pytest.approx(0.776, abs=5e-4)


def test_covariates_help_by_what_they_explain_and_cost_degrees():
    iccs = {"icc_teacher": 0.1, "icc_school": 0.15}
    plain = power.schools(20, 4, 30, **iccs)
    helped = power.schools(20, 4, 30, **iccs, r2=0.5, r2_teacher=0.5, r2_school=0.5, covariates=1)
    assert helped.variance == pytest.approx(plain.variance / 2)
    assert helped.df == plain.df - 1


@settings(max_examples=30)
@given(st.integers(5, 40), st.floats(0, 0.4), st.floats(0.1, 1.0), st.floats(0.2, 1.0))
def test_the_needed_number_is_the_least_that_suffices(n, icc, effect, take_up):
    def make(number):
        return power.clusters(n, number, icc=icc)

    found = power.needed(make, effect, take_up=take_up)
    assert power.detectable(make(found), take_up=take_up) <= effect
    if found > 3:
        assert power.detectable(make(found - 1), take_up=take_up) > effect


def test_power_with_simulated_schools_is_what_was_planned():
    rng = np.random.default_rng(4)
    design = power.clusters(20, 24, icc=0.2)
    effect, found, draws = power.detectable(design), 0, 4000
    means = rng.normal(0, math.sqrt(0.2 + 0.8 / 20), (draws, 24))
    means[:, :12] += effect
    difference = means[:, :12].mean(axis=1) - means[:, 12:].mean(axis=1)
    pooled = (means[:, :12].var(axis=1, ddof=1) + means[:, 12:].var(axis=1, ddof=1)) / 2
    t = difference / np.sqrt(pooled / 6)
    found = np.mean(np.abs(t) > 2.0739)
    assert found == pytest.approx(0.80, abs=0.02)


def test_half_the_take_up_doubles_the_effect_of_taking_part_that_can_be_seen():
    design = power.clusters(20, 24, icc=0.2)
    assert power.detectable(design, take_up=0.5) == pytest.approx(2 * power.detectable(design))
    assert power.power(design, 0.6, take_up=0.5) == pytest.approx(power.power(design, 0.3))
    assert power.detectable(design, two_sided=False) < power.detectable(design)


def test_a_pilots_error_says_what_more_teachers_could_see():
    pilot = power.from_pilot(0.05, 19, teachers_then=50, teachers_planned=50)
    assert (pilot.standard_error, pilot.df) == (pytest.approx(0.05), 19)
    more = power.from_pilot(0.05, 19, teachers_then=50, teachers_planned=200)
    assert more.standard_error == pytest.approx(0.025)
    assert more.df == 79
    assert power.detectable(more) < power.detectable(pilot) / 2


def test_what_no_number_of_units_could_show_is_none():
    assert power.needed(lambda k: power.from_pilot(1.0, 9, teachers_then=10, teachers_planned=k), 1e-4) is None


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: power.individual(2), "degrees of freedom"),
        (lambda: power.clusters(20, 10, icc=1.2), "icc must lie"),
        (lambda: power.clusters(20, 10, icc=0.1, share=1), "share assigned"),
        (lambda: power.clusters(float("nan"), 10, icc=0.1), "n must be above 0"),
        (lambda: power.schools(20, 2, 10, icc_teacher=0.6, icc_school=0.6), "not exceed 1"),
        (lambda: power.blocked_individual(10, 5, effects="mixed"), "effects must be"),
        (lambda: power.blocked_clusters(10, 5, 5, icc_teacher=0.1, effects="mixed"), "must be 'fixed' or 'random'"),
        (lambda: power.blocked_individual(10, 5, effects="random", heterogeneity=-1), "heterogeneity"),
        (lambda: power.detectable(power.individual(50), take_up=0), "take-up"),
        (lambda: power.detectable(power.individual(50), confidence=95), "probability"),
        (lambda: power.needed(power.individual, 0), "effect must be above 0"),
        (lambda: power.from_pilot(0, 5, teachers_then=1, teachers_planned=2), "standard_error must be"),
    ],
)
def test_designs_that_cannot_be_are_refused(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make()
