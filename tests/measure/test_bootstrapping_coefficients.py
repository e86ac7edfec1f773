"""The wild cluster bootstrap of a regression, against drawn scores estimated anew from student rows."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from staffroom.measure import robust
from staffroom.measure.cells import cells_from_rows
from tests.measure.panels import dense, unbalanced_rows

SEEDS = st.integers(0, 10_000)
COLUMNS = np.array([1, 2, 3])


def sample(seed, *, schools):
    rows = unbalanced_rows(seed, schools=schools, teachers=20)
    cells = rows.cells(covariates=True)
    first = rows.first_of(cells)[cells.teacher]
    treated = (first >= 0) & (cells.terms[cells.term] >= first)
    return rows, robust.teacher_moments(cells.with_columns(treated[:, None].astype(float)))


def slow_t(design, y, cluster, null=0.0):
    """t of the first coefficient with all dummies written out, CR0 (small-sample factors cancel)."""
    bread = np.linalg.pinv(design.T @ design, rcond=1e-10, hermitian=True)
    beta = bread @ (design.T @ y)
    scores = design * (y - design @ beta)[:, None]
    parts = np.stack([scores[cluster == group].sum(axis=0) for group in np.unique(cluster)]) @ bread[0]
    return (beta[0] - null) / np.sqrt(parts @ parts)


def slow_p(rows, null=0.0):
    """Every way of signing the clusters of restricted residuals, estimated anew on rows."""
    design = np.column_stack([rows.treated, rows.x, dense(rows.teacher), dense(rows.term)]).astype(float)
    rest, moved = design[:, 1:], rows.y - null * rows.treated
    fitted = rest @ np.linalg.lstsq(rest, moved, rcond=None)[0]
    groups, code = np.unique(rows.school, return_inverse=True)
    observed = abs(slow_t(design, rows.y, rows.school, null))
    draws = [
        abs(slow_t(design, fitted + (moved - fitted) * np.array(signs)[code], rows.school))
        for signs in itertools.product([-1.0, 1.0], repeat=len(groups))
    ]
    return np.mean(np.array(draws) >= observed * (1 - 1e-9))


@settings(max_examples=6, deadline=None)
@given(SEEDS, st.sampled_from([0.0, 0.4]))
def test_p_is_the_share_of_all_sign_flips_on_student_rows(seed, null):
    rows, moments = sample(seed, schools=6)
    found = robust.wild(moments, 0, COLUMNS, 0, np.random.default_rng(0), null=null, weights="rademacher")
    assert found.enumerated
    assert found.p == pytest.approx(slow_p(rows, null), abs=1e-9)


def test_the_interval_holds_what_the_test_does_not_reject():
    _, moments = sample(3, schools=9)

    def p(null):
        return robust.wild(moments, 0, COLUMNS, 0, np.random.default_rng(0), null=null).p

    found = robust.wild(moments, 0, COLUMNS, 0, np.random.default_rng(0))
    assert found.enumerated
    assert found.draws == 2**moments.clusters
    width = found.high - found.low
    assert p(found.low + 0.02 * width) > 0.05 >= p(found.low - 0.02 * width)
    assert p(found.high - 0.02 * width) > 0.05 >= p(found.high + 0.02 * width)


def test_few_clusters_take_six_point_weights():
    _, moments = sample(4, schools=4)
    found = robust.wild(moments, 0, COLUMNS, 0, np.random.default_rng(0))
    assert found.weights == "webb"
    assert found.enumerated
    assert found.draws == 6**4


def test_many_clusters_are_drawn_at_random_and_the_same_generator_draws_the_same():
    _, moments = sample(5, schools=14)
    one, two = (robust.wild(moments, 0, COLUMNS, 1, np.random.default_rng(9), draws=499) for _ in range(2))
    assert one == two
    assert not one.enumerated
    assert one.draws == 499
    assert one.low < moments.regress(0, COLUMNS).coefficients[1] < one.high


def test_a_column_that_is_explained_has_no_bootstrap():
    _, moments = sample(6, schools=6)
    found = robust.wild(moments, 0, np.array([2, 2]), 1, np.random.default_rng(0))
    assert np.isnan([found.p, found.low, found.high]).all()
    assert found.draws == 0


def test_unknown_weights_are_refused():
    _, moments = sample(6, schools=6)
    with pytest.raises(ValueError, match="weights must be"):
        robust.wild(moments, 0, COLUMNS, 0, np.random.default_rng(0), weights="normal")


def test_no_effect_is_rejected_in_about_one_of_twenty():
    """16 schools of unequal size with shocks of their own, 8 of them treated in the later terms."""
    rng = np.random.default_rng(5)
    schools, terms, worlds = 16, 4, 300
    home = np.repeat(np.arange(schools), rng.integers(1, 7, schools))
    who, when = np.divmod(np.arange(home.size * terms), terms)
    school = home[who]
    treated = ((school < 8) & (when >= 2)).astype(float)
    cells = cells_from_rows(teacher=who, school=school, term=when, columns=[treated, treated])
    rejected = 0
    for _ in range(worlds):
        y = rng.normal(size=(schools, terms))[school, when] + rng.normal(size=len(who))
        drawn = replace(cells, mean=np.column_stack([y, treated]))
        found = robust.wild(robust.teacher_moments(drawn), 0, np.array([1]), 0, rng, draws=199)
        rejected += found.p <= 0.05
    assert 0.03 <= rejected / worlds <= 0.07
