import numpy as np
import pytest

from staffroom.measure.group_time import group_time_effects
from tests.measure.panels import Rows, mpdta, unbalanced_rows


def estimated(rows, **options):
    cells = rows.cells()
    return group_time_effects(cells, rows.first_of(cells), **options)


def test_group_time_effects_on_mpdta():
    # impact.md: Callaway & Sant'Anna, never-treated controls, no covariates, varying base.
    found = estimated(mpdta()[0])
    effects = {(one.group, one.term): one.effect for one in found.group_times}
    published = {
        2004: {2004: -0.0105, 2005: -0.0704, 2006: -0.1373, 2007: -0.1008},
        2006: {2004: 0.0065, 2005: -0.0028, 2006: -0.0046, 2007: -0.0412},
        2007: {2004: 0.0305, 2005: -0.0027, 2006: -0.0311, 2007: -0.0261},
    }
    assert effects == {
        (group, term): pytest.approx(value, abs=5.1e-5)
        for group, row in published.items()
        for term, value in row.items()
    }


def test_averages_on_mpdta():
    # impact.md: simple -.0400 (.0120); dynamic overall -.0772; e=-3..3.
    found = estimated(mpdta()[0])
    assert found.simple.effect == pytest.approx(-0.0400, abs=5e-5)
    assert found.simple.standard_error == pytest.approx(0.0120, abs=5e-5)
    assert found.dynamic.effect == pytest.approx(-0.0772, abs=5e-5)
    by_event_time = {one.key: one.effect for one in found.by_event_time}
    published = [0.0305, -0.0006, -0.0245, -0.0199, -0.0510, -0.1373, -0.1008]
    assert by_event_time == {
        e: pytest.approx(value, abs=5e-5) for e, value in zip(range(-3, 4), published, strict=True)
    }


def test_with_a_universal_base_placebos_are_against_the_last_term_before():
    varying, universal = estimated(mpdta()[0]), estimated(mpdta()[0], base="universal")
    one = {(g.group, g.term): g.effect for g in varying.group_times}
    other = {(g.group, g.term): g.effect for g in universal.group_times}
    assert other[2007, 2005] == pytest.approx(-one[2007, 2006])
    assert other[2007, 2004] == pytest.approx(-one[2007, 2006] - one[2007, 2005])
    assert other[2006, 2007] == pytest.approx(one[2006, 2007])
    assert universal.simple == varying.simple


def test_a_group_time_effect_is_a_difference_of_differences_weighted_by_results():
    rows = unbalanced_rows(1)
    cells = rows.cells()
    first = rows.first_of(cells)
    found = next(one for one in estimated(rows).group_times if one.term > one.group)
    mean, n = np.full((2, len(first), len(cells.terms)), np.nan)
    mean[cells.teacher, cells.term], n[cells.teacher, cells.term] = cells.mean[:, 0], cells.n
    term, base = found.term, found.group - 1
    change = mean[:, term] - mean[:, base]
    seen = np.isfinite(change)
    sides = [
        np.average(change[seen & (first == who)], weights=n[seen & (first == who), term]) for who in (found.group, -1)
    ]
    assert found.effect == pytest.approx(sides[0] - sides[1])


def test_without_never_treated_teachers_there_is_nothing_to_say():
    rows = unbalanced_rows(1)
    kept = rows.first >= 0
    some = Rows(*(getattr(rows, name)[kept] for name in ("teacher", "school", "term", "y", "x", "first")))
    assert estimated(some) is None


def test_an_unknown_base_is_refused():
    with pytest.raises(ValueError, match="base must be"):
        estimated(unbalanced_rows(1), base="first")
