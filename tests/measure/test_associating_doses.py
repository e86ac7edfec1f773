"""Doses within teachers, against student rows with all dummies written out."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import t as student

from staffroom.measure.dose import dose_association
from tests.measure.panels import dense, unbalanced_rows
from tests.measure.slow import slow_cr2

SEEDS = st.integers(0, 10_000)
FEW = settings(max_examples=10, deadline=None)


def sample(seed, *, slope=0.3, schools=6, zeros=0.3):
    """Rows whose scores follow the dose of their teacher's term; the cells, the dose by cell and by row."""
    rows = unbalanced_rows(seed, schools=schools, teachers=24)
    rng = np.random.default_rng(seed + 5)
    table = np.where(rng.random((24, 5)) < zeros, 0.0, np.round(rng.gamma(2.0, 2.0, (24, 5)), 1))
    by_row = table[rows.teacher, rows.term]
    moved = type(rows)(rows.teacher, rows.school, rows.term, rows.y + slope * by_row, rows.x, rows.first)
    cells = moved.cells(covariates=True)
    return moved, cells, table[cells.teachers[cells.teacher], cells.terms[cells.term]], by_row


@FEW
@given(SEEDS)
def test_the_slope_is_least_squares_within_teachers_and_terms_with_cr2(seed):
    rows, cells, dose, by_row = sample(seed)
    design = np.column_stack([by_row, rows.x, dense(rows.teacher), dense(rows.term)])
    slope = np.linalg.lstsq(design, rows.y, rcond=None)[0][0]
    error, df = slow_cr2(design, rows.y, rows.school, np.ones(len(rows.y)), 0)
    found = dose_association(cells, dose)
    assert found.slope == pytest.approx(slope, rel=1e-8)
    assert found.standard_error == pytest.approx(error, rel=1e-6)
    assert found.df == pytest.approx(df, rel=1e-6)
    assert found.p == pytest.approx(2 * student.sf(abs(slope / error), df), rel=1e-6)
    assert found.high == pytest.approx(slope + student.ppf(0.975, df) * error, rel=1e-6)


@FEW
@given(SEEDS)
def test_groups_are_dummies_against_no_dose(seed):
    rows, cells, dose, by_row = sample(seed)
    found = dose_association(cells, dose)
    assert [one.is_reference for one in found.groups] == [True, False, False, False]
    assert (found.groups[0].most, found.groups[0].effect) == (0.0, 0.0)
    dummies = np.column_stack([(by_row >= one.least) & (by_row <= one.most) for one in found.groups[1:]]).astype(float)
    design = np.column_stack([dummies, rows.x, dense(rows.teacher), dense(rows.term)])
    expected = np.linalg.lstsq(design, rows.y, rcond=None)[0][:3]
    np.testing.assert_allclose([one.effect for one in found.groups[1:]], expected, rtol=1e-7, atol=1e-9)
    assert sum(one.results for one in found.groups) == found.results == len(rows.y)
    for one in found.groups[1:]:
        assert one.low < one.effect < one.high


def test_without_terms_of_no_dose_the_lowest_third_is_the_reference():
    _, cells, dose, _ = sample(3, zeros=0.0)
    found = dose_association(cells, dose)
    assert [one.is_reference for one in found.groups] == [True, False, False]
    assert found.groups[0].most < found.groups[1].least


def test_dose_that_never_changes_for_a_teacher_is_refused_with_a_reason():
    _, cells, _, _ = sample(4)
    found = dose_association(cells, cells.teacher.astype(float))
    assert (found.slope, found.reason, found.teachers) == (None, "dose_does_not_vary", 0)
    everyone = dose_association(cells, cells.term.astype(float))
    assert (everyone.slope, everyone.reason) == (None, "dose_does_not_vary")


def test_one_school_has_a_slope_without_an_error():
    _, cells, dose, _ = sample(5, schools=1)
    found = dose_association(cells, dose, generator=np.random.default_rng(0))
    assert found.slope is not None
    assert (found.standard_error, found.p, found.reason) == (None, None, "too_few_clusters")
    assert found.bootstrap is None


def test_scores_without_spread_have_no_slope():
    rows, _, dose, _ = sample(6)
    flat = type(rows)(rows.teacher, rows.school, rows.term, np.full(len(rows.y), 50.0), rows.x, rows.first)
    found = dose_association(flat.cells(), dose)
    assert (found.slope, found.reason) == (None, "no_spread")


def test_with_a_generator_the_bootstrap_stands_beside():
    _, cells, dose, _ = sample(7)
    found = dose_association(cells, dose, generator=np.random.default_rng(1), draws=499)
    assert 0 < found.bootstrap.p <= 1
    assert found.bootstrap.low < found.slope < found.bootstrap.high


def test_the_typical_change_is_the_sd_of_dose_within_teachers_and_terms():
    rows, cells, dose, by_row = sample(8)
    z = np.column_stack([dense(rows.teacher), dense(rows.term)])
    left = by_row - z @ np.linalg.lstsq(z, by_row, rcond=None)[0]
    assert dose_association(cells, dose).typical == pytest.approx(np.sqrt((left**2).mean()))


@pytest.mark.parametrize(
    ("dose", "message"),
    [
        (lambda dose: np.where(np.arange(len(dose)) == 2, np.nan, dose), "dose is missing or not finite in row 2"),
        (lambda dose: np.where(np.arange(len(dose)) == 1, -1.0, dose), "dose is below 0 in row 1"),
        (lambda dose: dose[:-1], "expected one for each"),
    ],
)
def test_wrong_doses_are_refused(dose, message):
    _, cells, doses, _ = sample(9)
    with pytest.raises(ValueError, match=message):
        dose_association(cells, dose(doses))


def test_an_unknown_kind_of_error_is_refused():
    _, cells, doses, _ = sample(9)
    with pytest.raises(ValueError, match="kind must be one of"):
        dose_association(cells, doses, kind="HC3")
