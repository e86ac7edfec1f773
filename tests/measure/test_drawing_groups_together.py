"""Effects of a few groups drawn towards their whole: closed forms at both ends, and intervals that hold what they say."""

from __future__ import annotations

import numpy as np
import pytest

from staffroom.measure.partial_pooling import draw_together


def test_one_group_is_its_own_whole() -> None:
    found = draw_together([0.2], [0.05])
    assert found.mean[0] == pytest.approx(0.2)
    assert (found.low[0], found.high[0]) == pytest.approx((0.2 - 1.959964 * 0.05, 0.2 + 1.959964 * 0.05), abs=1e-6)


def test_groups_that_cannot_differ_are_the_whole_and_groups_that_may_are_themselves() -> None:
    y, s = [0.3, 0.1, 0.0], np.array([0.05, 0.05, 0.10])
    whole, error = np.average(y, weights=1 / s**2), (1 / s**2).sum() ** -0.5
    alike = draw_together(y, s, scale=1e-6)
    assert alike.mean == pytest.approx([whole] * 3, abs=1e-6)
    assert (alike.high - alike.low) / 2 == pytest.approx([1.959964 * error] * 3, abs=1e-5)
    apart = draw_together(y, s, scale=500.0)
    assert apart.mean == pytest.approx(y, abs=5e-3), "nearly: all scales have some weight"


def test_what_is_known_less_well_is_drawn_further_and_never_beyond_the_whole() -> None:
    found = draw_together([0.4, 0.0, 0.4], [0.05, 0.05, 0.20])
    assert 0.4 > found.mean[0] > found.mean[2] > found.mean[1] > 0.0
    assert (found.low < found.mean).all()
    assert (found.mean < found.high).all()


def test_intervals_of_three_groups_hold_the_truth() -> None:
    generator = np.random.default_rng(7)
    held = []
    for _trial in range(120):
        s = generator.uniform(0.03, 0.15, 3)
        truth = 0.1 + abs(generator.normal(0, 0.10)) * generator.normal(0, 1, 3)
        found = draw_together(truth + s * generator.normal(0, 1, 3), s)
        held += [*((found.low <= truth) & (truth <= found.high))]
    assert 0.92 <= np.mean(held) <= 0.98


@pytest.mark.parametrize(("y", "s"), [([], []), ([0.1], [0.0]), ([0.1, np.nan], [0.1, 0.1]), ([0.1], [0.1, 0.1])])
def test_what_cannot_be_drawn_together_is_refused(y: list[float], s: list[float]) -> None:
    with pytest.raises(ValueError, match=r"effect|error"):
        draw_together(y, s)
