"""Cluster-robust errors from moments, against published numbers, student rows and a slow dense implementation."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import stdtrit

from staffroom.measure import robust
from staffroom.measure.cells import cells_from_rows
from staffroom.measure.projection import projected_moments
from tests.measure.chicks import chicks
from tests.measure.panels import dense, unbalanced_rows
from tests.measure.slow import slow_cr2

SEEDS = st.integers(0, 10_000)
FEW = settings(max_examples=12, deadline=None)
COLUMNS = np.array([1, 2, 3])


def sample(seed, *, weighted=False, schools=5, **shape):
    """Rows, their weights, the dense design (treatment, two covariates, all dummies) and the cells."""
    rows = unbalanced_rows(seed, schools=schools, **shape)
    weight = np.random.default_rng(seed).gamma(3.0, size=len(rows.y)) + 0.1 if weighted else np.ones(len(rows.y))
    design = np.column_stack([rows.treated, rows.x, dense(rows.teacher), dense(rows.term)]).astype(float)
    columns = [rows.y, rows.treated.astype(float), *rows.x.T]
    cells = cells_from_rows(
        teacher=rows.teacher,
        school=rows.school,
        term=rows.term,
        columns=columns,
        weight=weight if weighted else None,
    )
    return rows, weight, design, cells


def slow_cr3(design, y, cluster, weight, which):
    def solve(kept):
        root = np.sqrt(weight[kept])
        return np.linalg.lstsq(design[kept] * root[:, None], y[kept] * root, rcond=None)[0][which]

    groups = np.unique(cluster)
    full = solve(np.ones(len(y), dtype=bool))
    change = np.array([solve(cluster != group) for group in groups]) - full
    return np.sqrt((len(groups) - 1) / len(groups) * (change**2).sum())


@FEW
@given(SEEDS, st.booleans())
def test_cr2_and_its_degrees_are_those_of_all_dummies_written_out(seed, weighted):
    rows, weight, design, cells = sample(seed, weighted=weighted)
    found = robust.regress(robust.teacher_moments(cells), 0, COLUMNS, kind="CR2")
    for which in range(3):
        error, df = slow_cr2(design, rows.y, rows.school, weight, which)
        assert found.standard_errors[which] == pytest.approx(error, rel=1e-6)
        assert found.df[which] == pytest.approx(df, rel=1e-6)


@FEW
@given(SEEDS, st.booleans())
def test_cr3_leaves_each_cluster_out(seed, weighted):
    rows, weight, design, cells = sample(seed, weighted=weighted, schools=6)
    found = robust.regress(robust.teacher_moments(cells), 0, COLUMNS, kind="CR3")
    if np.isfinite(found.standard_errors).all():
        expected = [slow_cr3(design, rows.y, rows.school, weight, which) for which in range(3)]
        np.testing.assert_allclose(found.standard_errors, expected, rtol=1e-6)


@pytest.mark.filterwarnings("ignore")  # pyfixest's own
@pytest.mark.parametrize("seed", [2, 5])
@pytest.mark.parametrize(("kind", "theirs"), [("CR1", "CRV1"), ("CR3", "CRV3")])
def test_errors_are_those_of_pyfixest_on_student_rows(seed, kind, theirs):
    pyfixest = pytest.importorskip("pyfixest")
    polars = pytest.importorskip("polars")
    rows, weight, _, cells = sample(seed, weighted=True, schools=6, teachers=24)
    names = {"y": rows.y, "d": rows.treated.astype(float), "a": rows.x[:, 0], "b": rows.x[:, 1], "w": weight}
    table = polars.DataFrame(names | {"teacher": rows.teacher, "term": rows.term, "school": rows.school}).to_pandas()
    fit = pyfixest.feols(
        "y ~ d + a + b | teacher + term",
        table,
        vcov={theirs: "school"},
        weights="w",
        fixef_rm="none",
        fixef_tol=1e-13,
        ssc=pyfixest.ssc(adj=kind == "CR1"),
    )
    found = robust.regress(robust.teacher_moments(cells), 0, COLUMNS, kind=kind)
    np.testing.assert_allclose(found.coefficients, fit.coef().to_numpy(), rtol=1e-8)
    factor = 1.0 if kind == "CR1" else 6 / 5  # theirs times G/(G-1), ours times (G-1)/G
    np.testing.assert_allclose(found.standard_errors * factor, fit.se().to_numpy(), rtol=1e-6)


def test_cr2_of_clubsandwich_with_each_cluster_absorbed():
    """clubSandwich 0.6, reference page of vcovCR.lm_robust: lm_robust(weight ~ Time:Diet, fixed_effects = ~Chick)."""
    weight, day, chick, diet = chicks()
    columns = [weight, *(day * (diet == k) for k in range(4))]
    cells = cells_from_rows(teacher=chick, school=chick, term=np.zeros_like(chick), columns=columns)
    found = robust.regress(robust.teacher_moments(cells), 0, np.arange(1, 5), kind="CR2")
    np.testing.assert_allclose(np.diag(found.covariance), [0.5644892, 1.638116, 1.249162, 0.4523152], rtol=1e-6)
    np.testing.assert_allclose(found.covariance[0, 1:], 0, atol=1e-9)


@FEW
@given(SEEDS)
def test_any_part_of_the_covariates_is_a_regression_of_its_own(seed):
    rows, _, design, cells = sample(seed)
    found = robust.regress(robust.teacher_moments(cells), 0, np.array([3, 1]), kind="CR2")
    part = design[:, np.r_[0, 2 : design.shape[1]]]
    assert found.standard_errors[1] == pytest.approx(slow_cr2(part, rows.y, rows.school, np.ones(len(rows.y)), 0)[0])


@FEW
@given(SEEDS)
def test_sweeping_the_terms_out_gives_the_two_way_projection(seed):
    _, _, _, cells = sample(seed)
    one, other = robust.teacher_moments(cells).swept(), projected_moments(cells)
    np.testing.assert_allclose(one.by_cluster, other.by_cluster, atol=1e-8)
    ours, theirs = robust.teacher_moments(cells).regress(0, COLUMNS), other.regress(0, COLUMNS)
    np.testing.assert_allclose(ours.standard_errors, theirs.standard_errors, rtol=1e-8)


def test_the_slow_cr2_is_that_of_clubsandwich():
    """The same page: conf_int of lm_lin(weight ~ Diet, covariates = ~Time, clusters = Chick), as printed."""
    weight, day, chick, diet = chicks()
    arms = (diet[:, None] == np.arange(4)).astype(float)
    arms[:, 0] = 1.0
    design = np.column_stack([arms, (day - day.mean())[:, None] * arms])
    found = [slow_cr2(design, weight, chick, np.ones(len(weight)), which) for which in range(8)]
    expected = ["5.727 18.0", "11.257 18.7", "10.177 18.7", "6.957 18.5"]
    expected += ["0.759 18.0", "1.488 18.8", "1.351 18.8", "1.008 18.3"]
    assert [f"{error:.3f} {df:.1f}" for error, df in found] == expected


@FEW
@given(SEEDS, st.booleans())
def test_a_further_activity_needs_only_its_own_products(seed, weighted):
    rows, _, _, cells = sample(seed, weighted=weighted)
    more = np.random.default_rng(seed).normal(size=(len(cells.n), 2))
    expected, found = robust.teacher_moments(cells.with_columns(more)), robust.Panel(cells).with_columns(more)
    np.testing.assert_allclose(found.by_cluster, expected.by_cluster, atol=1e-8)
    np.testing.assert_allclose(found.scale, expected.scale)
    assert found.nuisance == len(np.unique(rows.term))


def test_an_explained_column_is_nan_in_its_place():
    rows, _, _, _ = sample(3)
    twice = cells_from_rows(
        teacher=rows.teacher,
        school=rows.school,
        term=rows.term,
        columns=[rows.y, rows.term.astype(float), rows.x[:, 0]],
    )
    for kind in robust.KINDS:
        found = robust.regress(robust.teacher_moments(twice), 0, np.array([1, 2]), kind=kind)
        assert found.kept.tolist() == [False, True]
        assert np.isnan([found.coefficients[0], found.standard_errors[0], found.df[0]]).all()
        assert found.standard_errors[1] > 0


def test_one_school_gives_coefficients_without_errors():
    _, _, _, cells = sample(4, schools=1)
    for kind in robust.KINDS:
        found = robust.regress(robust.teacher_moments(cells), 0, COLUMNS, kind=kind)
        assert np.isfinite(found.coefficients).all()
        assert np.isnan(found.standard_errors).all()
    assert np.isnan(robust.wild(robust.teacher_moments(cells), 0, COLUMNS, 0, np.random.default_rng(0)).p)


def test_a_coefficient_that_one_cluster_carries_has_no_jackknife():
    rows, _, _, _ = sample(7, schools=4)
    alone = np.where(rows.school == rows.school[0], rows.x[:, 0], 0.0)
    cells = cells_from_rows(
        teacher=rows.teacher, school=rows.school, term=rows.term, columns=[rows.y, alone, rows.x[:, 1]]
    )
    found = robust.regress(robust.teacher_moments(cells), 0, np.array([1, 2]), kind="CR3")
    assert np.isnan(found.standard_errors[0])
    assert np.isfinite(found.standard_errors[1])


def test_an_unknown_kind_is_refused():
    _, _, _, cells = sample(1)
    with pytest.raises(ValueError, match="kind must be one of CR1, CR2, CR3"):
        robust.regress(robust.teacher_moments(cells), 0, COLUMNS, kind="HC1")


def test_cr2_intervals_cover_the_truth():
    """24 schools, 8 of them treated in the later terms, with shocks that a school's teachers share."""
    rng = np.random.default_rng(11)
    schools, teachers, terms, draws = 24, 96, 4, 1500
    who, when = np.divmod(np.arange(teachers * terms), terms)
    school = who % schools
    treated = ((school < 8) & (when >= 2)).astype(float)
    cells = cells_from_rows(teacher=who, school=school, term=when, columns=[np.zeros(len(who)), treated])
    covered = 0
    for _ in range(draws):
        y = rng.normal(size=(schools, terms))[school, when] + rng.normal(size=len(who))
        drawn = replace(cells, mean=np.column_stack([y, treated]))
        found = robust.regress(robust.teacher_moments(drawn), 0, np.array([1]), kind="CR2")
        covered += abs(found.coefficients[0]) <= stdtrit(found.df[0], 0.975) * found.standard_errors[0]
    assert 0.93 <= covered / draws <= 0.97


def test_the_only_treated_cluster_has_no_cr2():
    """Its own part is fitted perfectly; what the others show of it is far too little."""
    rows = unbalanced_rows(5, schools=6, teachers=24)
    treated = ((rows.school == rows.school[0]) & (rows.term >= 2)).astype(float)
    cells = cells_from_rows(teacher=rows.teacher, school=rows.school, term=rows.term, columns=[rows.y, treated])
    found = robust.regress(robust.teacher_moments(cells), 0, np.array([1]), kind="CR2")
    assert np.isfinite(found.coefficients[0])
    assert np.isnan([found.standard_errors[0], found.df[0]]).all()
