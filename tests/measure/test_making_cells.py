import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from staffroom.measure.cells import cells_from_moments, cells_from_rows
from staffroom.measure.moments import Covariates, cells_from_sums
from tests.measure.panels import unbalanced_rows

SEEDS = st.integers(0, 10_000)
FEW = settings(max_examples=25, deadline=None)


def sums(**changes):
    rows = {
        "teacher": [1, 1, 2],
        "school": [7, 7, 7],
        "term": [0, 1, 0],
        "n": [2, 3, 1],
        "y_sum": [3.0, 6.0, 5.0],
        "y_sumsq": [5.0, 14.0, 25.0],
    }
    return rows | changes


@FEW
@given(SEEDS)
def test_cells_hold_the_sums_of_their_rows(seed):
    rows = unbalanced_rows(seed)
    cells = rows.cells(covariates=True)
    for c in range(0, len(cells.n), 7):
        here = (rows.teacher == cells.teachers[cells.teacher[c]]) & (rows.term == cells.terms[cells.term[c]])
        z = np.column_stack([rows.y, rows.x])[here]
        assert cells.n[c] == here.sum()
        np.testing.assert_allclose(cells.sums[c], z.sum(axis=0), rtol=1e-12)
        # A product may be the small difference of large ones: it is as exact as those are.
        whole = z.T @ z
        assert np.all(
            np.abs(cells.cross_products[c] - whole) <= 1e-12 * np.sqrt(np.outer(whole.diagonal(), whole.diagonal()))
        )


@FEW
@given(SEEDS)
def test_the_order_of_rows_does_not_matter(seed):
    rows = unbalanced_rows(seed)
    mixed = np.random.default_rng(seed).permutation(len(rows.y))
    one = rows.cells()
    other = cells_from_rows(
        teacher=rows.teacher[mixed], school=rows.school[mixed], term=rows.term[mixed], columns=[rows.y[mixed]]
    )
    np.testing.assert_array_equal(one.teacher, other.teacher)
    np.testing.assert_allclose(one.mean, other.mean, rtol=1e-12)
    np.testing.assert_allclose(one.scatter, other.scatter, atol=1e-9)


@FEW
@given(SEEDS)
def test_sums_from_a_database_give_the_same_cells_as_rows(seed):
    rows = unbalanced_rows(seed)
    cells = rows.cells(covariates=True)
    cross = cells.cross_products
    again = cells_from_sums(
        teacher=cells.teachers[cells.teacher],
        school=cells.clusters[cells.cluster],
        term=cells.terms[cells.term],
        n=cells.n,
        y_sum=cells.sums[:, 0],
        y_sumsq=cross[:, 0, 0],
        covariates=Covariates(("a", "b"), cells.sums[:, 1:], cross[:, 1:, 1:], cross[:, 0, 1:]),
    )
    np.testing.assert_allclose(again.mean, cells.mean, rtol=1e-12)
    np.testing.assert_allclose(again.scatter, cells.scatter, atol=1e-8)


def test_large_scores_with_a_small_spread_do_not_cancel():
    y = 1e8 + np.array([0.0, 1.0, 2.0, 3.0])
    cells = cells_from_rows(teacher=[1] * 4, school=[1] * 4, term=[0, 0, 1, 1], columns=[y])
    np.testing.assert_allclose(cells.scatter[:, 0, 0], [0.5, 0.5], rtol=1e-9)


def test_a_teacher_in_two_schools_is_one_cell_and_belongs_where_most_results_are():
    y = np.array([1.0, 2.0, 3.0, 7.0, 9.0])
    cells = cells_from_rows(teacher=[1] * 5, school=["b", "b", "a", "a", "a"], term=[0] * 5, columns=[y])
    assert cells.n.tolist() == [5]
    assert cells.clusters[cells.cluster].tolist() == ["a"]
    assert cells.moved == 1
    np.testing.assert_allclose(cells.mean[0, 0], y.mean())
    np.testing.assert_allclose(cells.scatter[0, 0, 0], ((y - y.mean()) ** 2).sum())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n": [2, 0, 1]}, "n is below 1 in row 1"),
        ({"n": [2, 3, -4]}, "n is below 1 in row 2"),
        ({"n": [2.5, 3, 1]}, "n is not a whole number in row 0"),
        ({"y_sum": [3.0, float("nan"), 5.0]}, "y_sum is missing or not finite in row 1"),
        ({"y_sumsq": [5.0, 14.0, float("inf")]}, "y_sumsq is missing or not finite in row 2"),
        ({"y_sumsq": [5.0, 11.0, 25.0]}, "a sum of squares is too small for its sum in row 1"),
        ({"y_sumsq": [5.0, -1.0, 25.0]}, "a sum of squares is too small for its sum in row 1"),
        ({"y_sum": [3.0, 6.0, 1e200]}, "a sum is too large in row 2"),
        ({"term": [0, -1, 0]}, "term is below 0 in row 1"),
        ({"term": [0, 1.5, 0]}, "term is not a whole number in row 1"),
        ({"term": [0, 0, 0]}, "the same school, teacher and term stand a second time in row 1"),
        ({"school": [7.0, float("nan"), 7.0]}, "school is missing or not finite in row 1"),
        ({"teacher": [1, None, 2]}, "teacher must be numbers or text"),
        ({"teacher": [1, 1]}, "differ in length"),
        ({"y_sum": ["a", "b", "c"]}, "y_sum holds something that is not a number"),
        ({name: [] for name in ("teacher", "school", "term", "n", "y_sum", "y_sumsq")}, "there are no rows"),
    ],
)
def test_wrong_numbers_are_refused_by_row(changes, message):
    with pytest.raises(ValueError, match=message):
        cells_from_sums(**sums(**changes))


def test_a_product_that_no_students_can_have_is_refused():
    with pytest.raises(ValueError, match="a sum of products is too large for its squares in row 0"):
        cells_from_sums(
            **sums(),
            covariates=Covariates(("x",), [[0.0], [0.0], [0.0]], [[[1.0]], [[0.0]], [[0.0]]], [[50.0], [0.0], [0.0]]),
        )


def test_negative_scatter_is_refused():
    with pytest.raises(ValueError, match="scatter is negative in row 0"):
        cells_from_moments(teacher=[1], school=[1], term=[0], n=[2], mean=[[1.0]], scatter=[[[-1.0]]])
