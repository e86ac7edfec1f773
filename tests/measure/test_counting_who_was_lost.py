import numpy as np
import pytest

from staffroom.measure.attrition import attrition, bias_from_attrition


def test_rates_are_shares_of_those_assigned():
    found = attrition(treated_before=200, treated_after=170, comparison_before=100, comparison_after=95)
    assert (found.overall, found.treated, found.comparison) == (35 / 300, 0.15, 0.05)
    assert found.differential == pytest.approx(0.10)
    assert (found.lost, found.assigned) == ((30, 5), (200, 100))


def test_no_boundary_is_pretended():
    found = attrition(treated_before=10, treated_after=10, comparison_before=10, comparison_after=10)
    assert not found.is_boundary_encoded
    assert "attrition boundaries" in found.boundary
    assert not hasattr(found, "passed")


def test_the_interval_of_a_difference_of_shares_is_the_published_one():
    # Newcombe (1998, Statistics in Medicine 17), table II: 56/70 against 48/80, method 10: 0.0524 to 0.3339
    found = attrition(treated_before=70, treated_after=14, comparison_before=80, comparison_after=32)
    assert [round(x, 4) for x in (found.differential, found.low, found.high)] == [0.2, 0.0524, 0.3339]


def test_the_bias_is_what_leaving_does_to_a_difference_of_means():
    rng = np.random.default_rng(1)
    y = rng.normal(size=400_000)
    side = rng.random(y.size) < 0.5
    left = rng.random(y.size) < np.where(side, 0.3, 0.1)
    y = y + 0.4 * left
    observed = y[side & ~left].mean() - y[~side & ~left].mean()
    whole = y[side].mean() - y[~side].mean()
    found = attrition(
        treated_before=int(side.sum()),
        treated_after=int((side & ~left).sum()),
        comparison_before=int((~side).sum()),
        comparison_after=int((~side & ~left).sum()),
    )
    assert observed - whole == pytest.approx(bias_from_attrition(found, 0.4), abs=0.01)


@pytest.mark.parametrize(("before", "after"), [(0, 0), (5, 6), (5, -1)])
def test_counts_that_cannot_be_are_refused(before, after):
    with pytest.raises(ValueError, match="assigned"):
        attrition(treated_before=before, treated_after=after, comparison_before=5, comparison_after=5)
