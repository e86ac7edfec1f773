import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from staffroom.measure.projection import fitted, least_squares, two_way
from tests.measure.panels import dense, unbalanced_rows

SEEDS = st.integers(0, 10_000)


def fit(rows, *, covariates):
    cells = rows.cells(covariates=covariates)
    first = rows.first_of(cells)[cells.teacher]
    treated = (first >= 0) & (cells.terms[cells.term] >= first)
    return least_squares(cells.with_columns(treated[:, None].astype(float)))


@settings(max_examples=30, deadline=None)
@given(SEEDS, st.booleans())
def test_the_effects_solve_the_normal_equations(seed, sparse):
    rows = unbalanced_rows(seed, missing=0.7 if sparse else 0.2)
    cells = rows.cells()
    z = np.hstack([dense(rows.teacher), dense(rows.term)])
    expected = z @ np.linalg.lstsq(z, rows.y, rcond=None)[0]
    place = np.searchsorted(cells.teachers, rows.teacher) * len(cells.terms) + np.searchsorted(cells.terms, rows.term)
    order = np.searchsorted(cells.teacher * len(cells.terms) + cells.term, place)
    np.testing.assert_allclose(fitted(cells, two_way(cells))[order, 0], expected, atol=1e-9)


@pytest.mark.filterwarnings("ignore")  # pyfixest's own
@settings(max_examples=12, deadline=None)
@given(SEEDS, st.booleans())
def test_coefficients_and_errors_are_those_of_pyfixest_on_student_rows(seed, covariates):
    pyfixest = pytest.importorskip("pyfixest")
    polars = pytest.importorskip("polars")
    rows = unbalanced_rows(seed, schools=5)
    table = polars.DataFrame(
        {
            "y": rows.y,
            "d": rows.treated.astype(float),
            "a": rows.x[:, 0],
            "b": rows.x[:, 1],
            "teacher": rows.teacher,
            "term": rows.term,
            "school": rows.school,
        }
    ).to_pandas()
    formula = f"y ~ d {'+ a + b' if covariates else ''} | teacher + term"
    theirs = pyfixest.feols(formula, table, vcov={"CRV1": "school"}, fixef_rm="none", fixef_tol=1e-13)
    ours = fit(rows, covariates=covariates)
    np.testing.assert_allclose(ours.coefficients, theirs.coef().to_numpy(), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(ours.standard_errors, theirs.se().to_numpy(), rtol=1e-8, atol=1e-9)


@settings(max_examples=20, deadline=None)
@given(SEEDS)
def test_coefficients_are_those_of_dense_least_squares(seed):
    rows = unbalanced_rows(seed)
    z = np.column_stack([rows.treated, rows.x, dense(rows.teacher), dense(rows.term)])
    expected = np.linalg.lstsq(z, rows.y, rcond=None)[0][:3]
    np.testing.assert_allclose(fit(rows, covariates=True).coefficients, expected, atol=1e-9)


def test_a_column_that_the_effects_explain_is_dropped():
    cells = unbalanced_rows(3).cells()
    columns = np.column_stack([cells.term, np.random.default_rng(0).normal(size=len(cells.n)), cells.teacher])
    found = least_squares(cells.with_columns(columns.astype(float)))
    assert found.kept.tolist() == [False, True, False]
    assert np.isnan(found.coefficients[[0, 2]]).all()
    assert np.isfinite(found.standard_errors[1])


def test_adding_a_constant_to_all_scores_changes_nothing():
    rows = unbalanced_rows(5)
    moved = type(rows)(rows.teacher, rows.school, rows.term, rows.y + 1e6, rows.x, rows.first)
    ours, theirs = fit(rows, covariates=True), fit(moved, covariates=True)
    np.testing.assert_allclose(ours.coefficients, theirs.coefficients, atol=1e-8)
    np.testing.assert_allclose(ours.standard_errors, theirs.standard_errors, atol=1e-8)


def test_one_school_gives_a_coefficient_but_no_error():
    rows = unbalanced_rows(6, schools=1)
    found = fit(rows, covariates=False)
    assert np.isfinite(found.coefficients).all()
    assert np.isnan(found.standard_errors).all()
