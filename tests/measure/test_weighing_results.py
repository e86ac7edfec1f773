"""Analytic weights of students in cells: weighed sums, counted results."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from staffroom.measure.cells import cells_from_moments, cells_from_rows
from staffroom.measure.moments import Covariates, cells_from_sums
from staffroom.measure.projection import least_squares
from staffroom.measure.staggered import impute
from tests.measure.panels import dense, unbalanced_rows

SEEDS = st.integers(0, 10_000)
FEW = settings(max_examples=20, deadline=None)


def weighed(seed, **shape):
    rows = unbalanced_rows(seed, **shape)
    weight = np.random.default_rng(seed + 1).gamma(2.0, size=len(rows.y)) + 0.1
    cells = cells_from_rows(
        teacher=rows.teacher, school=rows.school, term=rows.term, columns=[rows.y, *rows.x.T], weight=weight
    )
    return rows, weight, cells


def with_treatment(rows, cells):
    first = rows.first_of(cells)[cells.teacher]
    treated = (first >= 0) & (cells.terms[cells.term] >= first)
    return cells.with_columns(treated[:, None].astype(float))


@FEW
@given(SEEDS)
def test_cells_hold_the_weighted_sums_of_their_rows(seed):
    rows, weight, cells = weighed(seed)
    for c in range(0, len(cells.n), 7):
        here = (rows.teacher == cells.teachers[cells.teacher[c]]) & (rows.term == cells.terms[cells.term[c]])
        z, w = np.column_stack([rows.y, rows.x])[here], weight[here]
        assert cells.n[c] == here.sum()
        assert cells.mass[c] == pytest.approx(w.sum())
        np.testing.assert_allclose(cells.sums[c], w @ z, rtol=1e-11)
        np.testing.assert_allclose(cells.cross_products[c], z.T @ (w[:, None] * z), rtol=1e-11)


@FEW
@given(SEEDS)
def test_weighted_sums_from_a_database_give_the_same_cells_as_weighted_rows(seed):
    _, _, cells = weighed(seed)
    cross = cells.cross_products
    again = cells_from_sums(
        teacher=cells.teachers[cells.teacher],
        school=cells.clusters[cells.cluster],
        term=cells.terms[cells.term],
        n=cells.n,
        weight=cells.mass,
        y_sum=cells.sums[:, 0],
        y_sumsq=cross[:, 0, 0],
        covariates=Covariates(("a", "b"), cells.sums[:, 1:], cross[:, 1:, 1:], cross[:, 0, 1:]),
    )
    np.testing.assert_allclose(again.mean, cells.mean, rtol=1e-12)
    np.testing.assert_allclose(again.scatter, cells.scatter, atol=1e-8)


@pytest.mark.filterwarnings("ignore")  # pyfixest's own
@pytest.mark.parametrize("seed", [1, 4, 9])
def test_a_weighted_regression_is_that_of_pyfixest_on_student_rows(seed):
    pyfixest = pytest.importorskip("pyfixest")
    polars = pytest.importorskip("polars")
    rows, weight, cells = weighed(seed, schools=5)
    names = {"y": rows.y, "d": rows.treated.astype(float), "a": rows.x[:, 0], "b": rows.x[:, 1], "w": weight}
    table = polars.DataFrame(names | {"teacher": rows.teacher, "term": rows.term, "school": rows.school}).to_pandas()
    theirs = pyfixest.feols(
        "y ~ d + a + b | teacher + term",
        table,
        vcov={"CRV1": "school"},
        weights="w",
        weights_type="aweights",
        fixef_rm="none",
        fixef_tol=1e-13,
    )
    ours = least_squares(with_treatment(rows, cells))
    np.testing.assert_allclose(ours.coefficients, theirs.coef().to_numpy(), rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(ours.standard_errors, theirs.se().to_numpy(), rtol=1e-8, atol=1e-9)


@FEW
@given(SEEDS)
def test_a_weighted_imputation_is_that_of_dense_weighted_least_squares(seed):
    rows, weight, cells = weighed(seed)
    found = impute(cells, rows.first_of(cells))
    untreated = ~rows.treated
    z = np.column_stack([rows.x, dense(rows.teacher), dense(rows.term)])
    root = np.sqrt(weight[untreated])
    beta = np.linalg.lstsq(z[untreated] * root[:, None], rows.y[untreated] * root, rcond=None)[0]
    place = np.searchsorted(cells.teachers, rows.teacher) * len(cells.terms) + np.searchsorted(cells.terms, rows.term)
    used = found.used[np.searchsorted(cells.teacher * len(cells.terms) + cells.term, place)]
    if used.any():
        expected = np.average((rows.y - z @ beta)[used], weights=weight[used])
        assert found.overall.effect == pytest.approx(expected, abs=1e-8)
        assert found.overall.size.results == used.sum()


def test_weights_of_one_change_nothing():
    rows = unbalanced_rows(4)
    plain = rows.cells(covariates=True)
    ones = cells_from_rows(
        teacher=rows.teacher,
        school=rows.school,
        term=rows.term,
        columns=[rows.y, *rows.x.T],
        weight=np.ones(len(rows.y)),
    )
    np.testing.assert_array_equal(ones.mass, plain.n)
    np.testing.assert_allclose(ones.mean, plain.mean, rtol=1e-14)
    np.testing.assert_allclose(ones.scatter, plain.scatter, rtol=1e-12, atol=1e-12)


def test_the_scale_of_the_weights_changes_nothing():
    rows, _, cells = weighed(8)
    treated = with_treatment(rows, cells)
    larger = replace(treated, weight=1e6 * treated.weight, scatter=1e6 * treated.scatter)
    one, other = least_squares(treated), least_squares(larger)
    np.testing.assert_allclose(other.coefficients, one.coefficients, rtol=1e-9)
    np.testing.assert_allclose(other.standard_errors, one.standard_errors, rtol=1e-8)


def test_a_result_of_weight_zero_does_not_count():
    y = [1.0, 2.0, 50.0, 4.0]
    cells = cells_from_rows(
        teacher=[1, 1, 1, 2], school=[1] * 4, term=[0] * 4, columns=[y], weight=[1.0, 3.0, 0.0, 2.0]
    )
    assert cells.n.tolist() == [2, 1]
    np.testing.assert_allclose(cells.mean[:, 0], [1.75, 4.0])


def test_a_part_of_the_cells_keeps_its_weights():
    _, _, cells = weighed(9)
    keep = cells.term > 1
    np.testing.assert_array_equal(cells.take(keep).mass, cells.mass[keep])


@pytest.mark.parametrize("weight", [[1.0, -1.0], [1.0, float("nan")], [1.0, float("inf")], [1.0]])
def test_wrong_weights_are_refused(weight):
    with pytest.raises(ValueError, match=r"weight.* in row 1|differ in length"):
        cells_from_rows(teacher=[1, 2], school=[1, 1], term=[0, 0], columns=[[1.0, 2.0]], weight=weight)


def test_a_cell_without_weight_is_refused():
    with pytest.raises(ValueError, match="weight is not above 0 in row 0"):
        cells_from_moments(teacher=[1], school=[1], term=[0], n=[2], mean=[[1.0]], scatter=[[[1.0]]], weight=[0.0])
