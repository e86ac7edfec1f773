import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from staffroom.measure import gates
from staffroom.measure.pretrends import PreTrends


def pre_trends(p, power):
    return PreTrends(leads=(), f=1.0, df=20, p=p, power=power, drift=0.01)


@given(st.integers(1, 4), st.lists(st.integers(1, 4)))
def test_gates_only_lower_the_tier(start, ceilings):
    passed = [gates.Gate("x", True, None, None, gates.say("registered"), ceiling) for ceiling in ceilings]
    assert gates.tier(start, passed) >= start
    assert gates.tier(start, passed) >= gates.tier(start, passed[:-1])


@pytest.mark.parametrize(
    ("clusters", "treated", "bootstrapped", "passed", "ceiling", "message"),
    [
        (20, 6, False, True, 1, "clusters_many"),
        (19, 9, False, False, 3, "clusters_approximate"),
        (19, 9, True, False, 2, "clusters_bootstrap"),
        (24, 9, True, False, 2, "clusters_uneven"),
        (40, 5, False, False, 3, "clusters_treated"),
        (6, 3, True, False, 3, "clusters_treated"),
        (5, 3, False, False, 4, "clusters_few"),
        (40, 1, False, False, 4, "clusters_few"),
    ],
)
def test_few_schools_lower_the_tier(clusters, treated, bootstrapped, passed, ceiling, message):
    gate = gates.cluster_gate(clusters, treated, bootstrapped=bootstrapped)
    assert (gate.passed, gate.ceiling, gate.sentence.message) == (passed, ceiling, message)


@pytest.mark.parametrize(
    ("test", "passed", "message"),
    [
        (pre_trends(0.5, 0.95), True, "drift_unseen"),
        (pre_trends(0.5, 0.30), False, "drift_weak_test"),
        (pre_trends(0.01, 0.95), False, "drift_seen"),
        (pre_trends(0.5, math.nan), False, "drift_untested"),
        (None, False, "drift_untested"),
    ],
)
def test_no_drift_passes_only_if_it_could_have_been_seen(test, passed, message):
    gate = gates.pre_trend_gate(test)
    assert (gate.passed, gate.sentence.message) == (passed, message)
    assert gate.ceiling == (gates.STRONG if passed else gates.PROMISING)


def test_what_was_not_registered_is_exploratory():
    assert gates.registration_gate(False).ceiling == gates.PROMISING
    assert gates.registration_gate(True).ceiling == gates.STRONG


@pytest.mark.parametrize(("students", "teachers", "passed"), [(10, 3, True), (9, 3, False), (10, 2, False)])
def test_ten_students_and_three_teachers_are_the_minimum_cell(students, teachers, passed):
    assert gates.minimum_cell_gate(students, teachers).passed is passed


def test_no_favorable_effect_is_only_a_rationale():
    assert gates.significance_gate(0.01).ceiling == gates.STRONG
    assert gates.significance_gate(-0.01).ceiling == gates.RATIONALE
    assert gates.significance_gate(None).ceiling == gates.RATIONALE


def test_the_minimum_detectable_effect_is_shown_and_lowers_nothing():
    assert gates.power_gate(0.2, 0.1).ceiling == gates.STRONG
    assert not gates.power_gate(0.2, 0.1).passed
    assert gates.power_gate(0.05, 0.1).passed
    assert not gates.power_gate(None, 0.1).passed


def test_the_sample_of_the_evidence_standards():
    assert gates.sample_gate(350, 2).passed
    assert not gates.sample_gate(349, 2).passed
    assert not gates.sample_gate(350, 1).passed


@pytest.mark.parametrize(
    ("units", "treated", "redrawn", "ceiling", "message"),
    [
        (20, 10, False, 1, "drawn_many"),
        (12, 6, True, 1, "drawn_few"),
        (12, 6, False, 3, "drawn_approximate"),
        (5, 2, True, 4, "drawn_too_few"),
        (40, 39, True, 4, "drawn_too_few"),
    ],
)
def test_few_that_were_drawn_from_are_judged_by_drawing_again(units, treated, redrawn, ceiling, message):
    gate = gates.units_gate(units, treated, redrawn=redrawn)
    assert (gate.ceiling, gate.sentence.message) == (ceiling, message)


@pytest.mark.parametrize(
    ("g", "drawn", "passed", "ceiling"),
    [
        (0.05, False, True, 1),
        (-0.25, False, True, 1),
        (0.26, False, False, 3),
        (0.26, True, False, 2),
        (None, False, False, 3),
    ],
)
def test_groups_must_have_been_alike_or_made_alike(g, drawn, passed, ceiling):
    gate = gates.baseline_gate(g, drawn=drawn)
    assert (gate.passed, gate.ceiling) == (passed, ceiling)


@pytest.mark.parametrize(
    ("sd", "low", "high", "passed", "message"),
    [
        (0.02, -0.05, 0.09, True, "composition_alike"),
        (0.03, 0.01, 0.05, True, "composition_alike"),
        (0.10, -0.20, 0.40, False, "composition_weak_test"),
        (0.20, 0.10, 0.30, False, "composition_shifted"),
        (None, None, None, False, "composition_untested"),
    ],
)
def test_scores_from_before_must_not_differ(sd, low, high, passed, message):
    gate = gates.composition_gate(sd, low, high)
    assert (gate.passed, gate.sentence.message) == (passed, message)
    assert gate.ceiling == (gates.STRONG if passed or sd is None else gates.PROMISING)


@pytest.mark.parametrize(
    ("rate", "draws", "passed", "ceiling"),
    [(0.05, 200, True, 1), (0.08, 200, False, 3), (0.02, 200, False, 1), (None, 0, False, 1)],
)
def test_fake_activities_must_not_be_taken_for_real_too_often(rate, draws, passed, ceiling):
    gate = gates.calibration_gate(rate, draws)
    assert (gate.passed, gate.ceiling) == (passed, ceiling)


def test_uneven_losses_lower_the_tier_and_even_ones_do_not():
    assert gates.attrition_gate(0.30, 0.02).ceiling == gates.STRONG
    assert gates.attrition_gate(0.30, -0.12).ceiling == gates.PROMISING
    assert "not encoded" in str(gates.attrition_gate(0.3, 0.0).sentence)
    assert gates.attrition_gate(None, None).ceiling == gates.STRONG


def test_a_finding_that_stands_no_drift_at_all_is_only_promising():
    assert gates.sensitivity_gate(0.0).ceiling == gates.PROMISING
    assert gates.sensitivity_gate(0.4).ceiling == gates.STRONG
    assert not gates.sensitivity_gate(0.4).passed
    assert gates.sensitivity_gate(1.2).passed


def test_one_question_of_many_may_be_chance():
    assert gates.multiplicity_gate(0.04, 1, 0.05).passed
    assert gates.multiplicity_gate(0.04, 9, 0.05).passed
    assert gates.multiplicity_gate(0.06, 9, 0.05).ceiling == gates.RATIONALE
