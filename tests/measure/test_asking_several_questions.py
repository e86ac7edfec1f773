import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from staffroom.measure.multiplicity import benjamini_hochberg, bonferroni, holm

# Benjamini & Hochberg 1995, section 3.2: fifteen p-values of a trial of thrombolysis; four are rejected at q = 0.05 where
# Bonferroni and Holm reject three.
TRIAL = [
    0.0001,
    0.0004,
    0.0019,
    0.0095,
    0.0201,
    0.0278,
    0.0298,
    0.0344,
    0.0459,
    0.3240,
    0.4262,
    0.5719,
    0.6528,
    0.7590,
    1.0,
]
PROBABILITIES = st.lists(st.floats(0, 1), min_size=1, max_size=20)


def test_the_trial_of_benjamini_and_hochberg():
    assert np.count_nonzero(benjamini_hochberg(TRIAL) <= 0.05) == 4
    assert np.count_nonzero(bonferroni(TRIAL) <= 0.05) == 3
    assert np.count_nonzero(holm(TRIAL) <= 0.05) == 3
    assert benjamini_hochberg(TRIAL)[3] == pytest.approx(0.0095 * 15 / 4)


@given(PROBABILITIES)
def test_benjamini_and_hochbergs_p_are_scipys(p):
    assert benjamini_hochberg(p) == pytest.approx(stats.false_discovery_control(p))


@given(PROBABILITIES, st.floats(0.001, 0.5))
def test_holm_rejects_exactly_as_his_steps_do(p, level):
    if np.min(np.abs(holm(p) - level)) < 1e-12:
        return
    rejected = set()
    for step, place in enumerate(np.argsort(p, kind="stable")):
        if p[place] > level / (len(p) - step):
            break
        rejected.add(int(place))
    assert set(np.flatnonzero(holm(p) <= level)) == rejected


@given(PROBABILITIES, st.integers(0, 10))
def test_questions_asked_elsewhere_count_as_if_nothing_was_found(p, others):
    whole = [*p, *[1.0] * others]
    for adjust in (benjamini_hochberg, holm, bonferroni):
        assert adjust(p, others=others) == pytest.approx(adjust(whole)[: len(p)])


@given(PROBABILITIES)
def test_adjusting_never_helps_and_keeps_the_order(p):
    order = np.argsort(p, kind="stable")
    for adjust in (benjamini_hochberg, holm, bonferroni):
        adjusted = adjust(p)
        assert np.all(adjusted >= np.asarray(p) - 1e-15)
        assert np.all(np.diff(adjusted[order]) >= -1e-15)
        assert np.all(adjusted <= 1)


def test_an_unknown_p_stays_unknown_and_does_not_count():
    assert np.isnan(benjamini_hochberg([0.01, float("nan")])[1])
    assert benjamini_hochberg([0.01, float("nan")])[0] == 0.01
    assert benjamini_hochberg([]).size == 0


@pytest.mark.parametrize("p", [[0.1, 1.2], [0.1, -0.1]])
def test_what_is_no_probability_is_refused(p):
    with pytest.raises(ValueError, match="row 1"):
        benjamini_hochberg(p)
    with pytest.raises(ValueError, match="at least 0"):
        holm([0.1], others=-1)
