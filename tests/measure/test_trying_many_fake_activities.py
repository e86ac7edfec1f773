"""Fake activities on data too large to use all of them each time, with covariates, and from several activities in turn."""

import dataclasses

import numpy as np
import pytest

from staffroom.measure import calibration, effects
from staffroom.measure.answering import answer
from staffroom.measure.calibration import fake_p, net_of_covariates, rejection_rate, wilson
from staffroom.measure.moments import cells_from_sums
from staffroom.measure.question import Claims, Question, per_teacher
from staffroom.measure.staggered import effective_clusters, event_times, impute
from tests.measure.panels import district, unbalanced_rows


@pytest.fixture(scope="module")
def large():
    panel = district(np.random.default_rng(1), schools=240, per_school=12, terms=8)
    first = panel.pop("first_treated")
    cells = cells_from_sums(**panel)
    return cells, per_teacher(cells, panel["teacher"], first, name="first_treated")


def test_many_cells_are_sampled_by_whole_schools(large):
    cells, _ = large
    assert len(cells.n) > calibration.LARGEST
    grid, teachers = calibration._part(cells, np.random.default_rng(2))
    assert len(grid.cells.clusters) >= calibration.LEAST_SCHOOLS
    assert calibration.SAMPLE <= len(grid.cells.n) < 1.2 * calibration.SAMPLE
    here = np.isin(cells.cluster_of, np.unique(cells.cluster_of[teachers]))
    assert here.sum() == len(teachers)
    kept = np.flatnonzero(here[cells.teacher])
    assert grid.cells.mean[:, 0] == pytest.approx(cells.mean[kept, 0])
    assert (grid.cells.teachers[grid.cells.teacher] == cells.teachers[cells.teacher[kept]]).all()


def test_samples_reject_as_often_as_they_should(large):
    cells, first = large
    found = rejection_rate(cells, [first, np.roll(first, 5)], np.random.default_rng(3), draws=200)
    assert found.draws == 200
    assert found.schools >= calibration.LEAST_SCHOOLS
    assert 0.02 <= found.rate <= 0.08
    assert (found.low, found.high) == wilson(found.rate, 200)


def test_a_sample_is_told_with_what_it_leaves_open(large):
    cells, first = large
    asked = Question(cells=cells, first_treated=first, claims=Claims(registered=True))
    told = dataclasses.replace(asked, placebo_rejections=0.05, placebo_draws=200, placebo_schools=60)
    said = next(one for one in answer(told).warnings if one.message == "calibration_sampled")
    low, high = wilson(0.05, 200)
    assert said.values["schools"] == 60
    assert (said.values["low"], said.values["high"]) == pytest.approx((100 * low, 100 * high))


def test_the_quick_way_gives_the_p_value_of_the_headline():
    for seed in range(6):
        rows = unbalanced_rows(seed, teachers=160, schools=48)
        cells = rows.cells()
        assert effective_clusters(cells) >= 20
        first = rows.first_of(cells)
        made = impute(cells, first, leave_out=True)
        found = made.overall
        p = fake_p(cells, first, np.random.default_rng(0), 0.95)
        clusters = len(np.unique(cells.cluster[made.used | (event_times(cells, first) < 0)]))
        assert p == pytest.approx(effects.two_sided_p(found.effect, found.standard_error, clusters - 1), abs=1e-9)


def test_covariates_are_taken_out_beforehand():
    rows = unbalanced_rows(1, teachers=60, schools=22)
    plain, adjusted = rows.cells(), net_of_covariates(rows.cells(covariates=True))
    assert adjusted.mean.shape[1] == 1
    teacher, term = adjusted.teacher, adjusted.term

    def left_over(cells):
        """What teachers and terms leave of the results."""
        fit = np.column_stack([teacher[:, None] == np.arange(60), term[:, None] == np.arange(5)]).astype(float)
        root = np.sqrt(cells.n)[:, None]
        beta = np.linalg.lstsq(root * fit, root[:, 0] * cells.mean[:, 0], rcond=None)[0]
        return float(cells.scatter[:, 0, 0].sum() + cells.n @ (cells.mean[:, 0] - fit @ beta) ** 2)

    assert left_over(adjusted) < 0.9 * left_over(plain)
    assert net_of_covariates(plain).mean == pytest.approx(plain.mean)
