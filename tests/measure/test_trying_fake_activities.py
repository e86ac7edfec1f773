import dataclasses

import numpy as np
import pytest

from staffroom.measure.calibration import deal, fake_p, rejection_rate, wilson
from staffroom.measure.moments import cells_from_sums
from staffroom.measure.question import NEVER, per_teacher
from tests.measure.panels import district


def a_panel(seed=1, **options):
    panel = district(np.random.default_rng(seed), **options)
    first = panel.pop("first_treated")
    cells = cells_from_sums(**panel)
    return cells, per_teacher(cells, panel["teacher"], first, name="first_treated")


@pytest.mark.parametrize("whole_schools", [False, True])
def test_of_random_fake_activities_about_five_in_a_hundred_are_taken_for_real(whole_schools):
    cells, first = a_panel(schools=24, per_school=6, terms=5, whole_schools=whole_schools)
    found = rejection_rate(cells, first, np.random.default_rng(1), draws=300)
    assert found.draws == 300
    assert 0.03 <= found.rate <= 0.07
    assert found.low < 0.05 < found.high


def test_what_schools_share_and_errors_by_teacher_overlook_is_found_out():
    cells, first = a_panel(schools=24, per_school=25, terms=5, whole_schools=True)
    one = np.arange(len(cells.teachers))
    # Errors by teacher: as if each were a school of her own, while whole schools begin together.
    apart = dataclasses.replace(cells, cluster_of=one, clusters=cells.teachers)
    school = cells.cluster_of
    rng, rejected = np.random.default_rng(2), []
    starts = np.array([first[school == group][0] for group in range(24)])
    for _ in range(80):
        p = fake_p(apart, rng.permutation(starts)[school], rng, 0.95)
        rejected.append(p is not None and p < 0.05)
    assert np.mean(rejected) > 0.12


def test_schools_that_began_together_are_dealt_together():
    cells, first = a_panel(schools=10, per_school=4, whole_schools=True)
    dealt = deal(cells, first, np.random.default_rng(3))
    assert sorted(dealt) == sorted(first)
    assert all(len(set(dealt[cells.cluster_of == school])) == 1 for school in range(10))
    cells, first = a_panel(schools=10, per_school=4)
    dealt = deal(cells, first, np.random.default_rng(3))
    assert sorted(dealt) == sorted(first)
    assert any(len(set(dealt[cells.cluster_of == school])) > 1 for school in range(10))


def test_where_nothing_can_be_tried_nothing_is_said():
    cells, first = a_panel(schools=3, per_school=4)
    found = rejection_rate(cells, np.full_like(first, NEVER), np.random.default_rng(0), draws=5)
    assert (found.rate, found.draws) == (None, 0)
    assert rejection_rate(cells, first, np.random.default_rng(0), draws=5).rate is None
    with pytest.raises(ValueError, match="at least one draw"):
        rejection_rate(cells, first, np.random.default_rng(0), draws=0)


def test_the_interval_of_a_share():
    # Wilson 1927; 5 of 100: 0.0215 to 0.1118 (R: prop.test(5, 100, correct = FALSE)).
    assert wilson(0.05, 100) == pytest.approx((0.02154, 0.11175), abs=1e-4)
    assert wilson(0.0, 50)[0] == 0.0
