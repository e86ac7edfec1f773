from dataclasses import replace

import numpy as np
import pytest

from staffroom.measure.staggered import impute
from staffroom.measure.wild import World, wild_bootstrap
from tests.measure.panels import unbalanced_rows


def world(seed, *, covariates):
    rows = unbalanced_rows(seed, teachers=40, terms=4, schools=7, missing=0.05)
    cells = rows.cells(covariates=covariates)
    return cells, rows.first_of(cells)


@pytest.mark.parametrize("covariates", [False, True])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_draw_from_moments_is_the_estimate_on_drawn_scores(seed, covariates):
    """Scores drawn cell by cell, estimated anew, against the draw that only knows moments per cluster."""
    cells, first = world(seed, covariates=covariates)
    drawn = World(cells, first)
    sign = np.random.default_rng(seed).choice([-1.0, 1.0, 0.7], len(cells.clusters))
    found = impute(cells, first, leave_out=True)
    by_pair = drawn.groups.residuals(drawn.share, drawn.gain[:, None])[:, 0] / drawn.share
    residual = drawn.fit.difference[:, 0].copy()
    residual[found.used] = by_pair[drawn.groups.pair]
    scores = residual * sign[cells.cluster]
    mean, scatter = cells.mean.copy(), cells.scatter.copy()
    mean[:, 0] = scores
    inner = cells.scatter[:, 0, 1:] - np.einsum("p,cpk->ck", np.nan_to_num(found.covariates), cells.scatter[:, 1:, 1:])
    scatter[:, 0, 1:] = scatter[:, 1:, 0] = inner * sign[cells.cluster][:, None]
    again = impute(replace(cells, mean=mean, scatter=scatter), first, leave_out=True)
    expected = again.overall.effect / again.overall.standard_error
    assert drawn.t_of(sign[:, None])[0] == pytest.approx(expected, rel=1e-8)


def test_its_own_estimate_is_that_of_the_imputation():
    cells, first = world(5, covariates=True)
    found = impute(cells, first, leave_out=True).overall
    assert World(cells, first).effect == pytest.approx(found.effect)
    assert World(cells, first).standard_error == pytest.approx(found.standard_error)


def test_the_same_generator_gives_the_same_answer():
    cells, first = world(6, covariates=False)
    one, two = (wild_bootstrap(cells, first, np.random.default_rng(3), draws=199) for _ in range(2))
    assert one == two
    assert 0 < one.p <= 1


def test_without_treated_cells_there_is_nothing_to_draw():
    cells, first = world(7, covariates=False)
    with pytest.raises(ValueError, match="no treated cell"):
        wild_bootstrap(cells, np.full_like(first, -1), np.random.default_rng(0))
