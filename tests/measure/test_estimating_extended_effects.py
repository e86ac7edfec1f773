from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.stats import t as student

from staffroom.measure.etwfe import etwfe
from staffroom.measure.group_time import group_time_effects
from staffroom.measure.moments import cells_from_sums
from staffroom.measure.staggered import impute
from tests.measure.panels import Rows, dense, district, mpdta, unbalanced_rows


def estimated(rows, *, covariates=True, **options):
    cells = rows.cells(covariates=covariates)
    return etwfe(cells, rows.first_of(cells), **options)


def table(lines):
    return {one.key: (one.effect, one.standard_error) for one in lines}


def near(published, *, rel):
    return {key: pytest.approx(value, rel=rel) for key, value in published.items()}


def test_effects_with_log_population_on_mpdta():
    # R `etwfe`, inst/tinytest (m3, emfx): lemp ~ lpop, tvar = year, gvar = first.treat, vcov = ~countyreal.
    found = estimated(mpdta()[0])
    assert (found.overall.effect, found.overall.standard_error) == pytest.approx(
        (-0.0506270331228907, 0.0124972546529842), rel=1e-6
    )
    events = {
        0: (-0.0332122037837542, 0.0133659635774059),
        1: (-0.0573456479257483, 0.0171496442892364),
        2: (-0.137870386660852, 0.0307883597041053),
        3: (-0.10953945536511, 0.0323152785480507),
    }
    groups = {
        2004: (-0.0876269608795944, 0.0230474099815232),
        2006: (-0.0212783329358987, 0.0185912208081438),
        2007: (-0.0459545277368072, 0.0179714452432232),
    }
    terms = {
        2004: (-0.0212480022225509, 0.0217240109737018),
        2005: (-0.0818499992698648, 0.0273693827216135),
        2006: (-0.0442655912990223, 0.0173733625406716),
        2007: (-0.0524323095862384, 0.015015825012757),
    }
    assert table(found.by_event_time) == near(events, rel=1e-6)
    assert table(found.by_group) == near(groups, rel=1e-6)
    assert table(found.by_calendar_time) == near(terms, rel=1e-6)
    np.testing.assert_allclose(
        np.sqrt(np.diag(found.event_time_covariance)), [one.standard_error for one in found.by_event_time]
    )


def test_effects_without_covariates_on_mpdta():
    # R `etwfe`, inst/tinytest (m1: not yet treated; m2: never treated), and impact.md: -.0477099.
    rows = mpdta()[0]
    found = estimated(rows, covariates=False)
    assert found.overall.effect == pytest.approx(-0.0477099, abs=5e-8)
    one = {(g.group, g.term): (g.effect, g.standard_error) for g in found.group_times}
    assert one[2004, 2004] == pytest.approx((-0.0193723636759116, 0.0223952764912568), rel=1e-9)
    assert one[2007, 2007] == pytest.approx((-0.0431060328087001, 0.0184422693090335), rel=1e-9)
    never = estimated(rows, covariates=False, controls="never")
    other = {(g.group, g.term): (g.effect, g.standard_error) for g in never.group_times}
    assert other[2004, 2004] == pytest.approx((-0.0105032462209509, 0.0233633078987137), rel=1e-9)
    assert other[2006, 2003] == pytest.approx((-0.00376929367371485, 0.0314933678411734), rel=1e-9)
    assert other[2007, 2005] == pytest.approx((0.0310871193896906, 0.0179638358765074), rel=1e-9)


def test_effects_against_never_treated_with_covariates_on_mpdta():
    # R `etwfe`, inst/tinytest, event_never_window: cgroup = "never", lemp ~ lpop.
    found = table(estimated(mpdta()[0], controls="never").by_event_time)
    published = {
        -2: (0.0234649547538384, 0.0145314904277398),
        0: (-0.0211467366918433, 0.0113935648352396),
        1: (-0.0533558653415615, 0.0157744281621729),
        2: (-0.141080104628566, 0.0322891808795742),
        3: (-0.107544274673025, 0.0329231688783015),
    }
    assert {key: found[key] for key in published} == near(published, rel=2e-6)
    assert -1 not in found


def slow(rows, controls):
    """The regression over student rows with a dummy for every teacher, by a dense solver: effects, scores by school."""
    never = rows.first < 0
    compared = never if controls == "never" else ~rows.treated
    kept = np.isin(rows.term, np.unique(rows.term[compared]))
    kept &= np.isin(rows.first, np.unique(rows.first[kept & (never | (rows.term < rows.first))]))
    rows = Rows(*(getattr(rows, name)[kept] for name in ("teacher", "school", "term", "y", "x", "first")))
    pairs = []
    for group in np.unique(rows.first[rows.first >= 0]).tolist():
        seen = np.unique(rows.term[rows.first == group])
        without = seen[seen < group] if controls == "notyet" else seen[seen < group][-1:]
        pairs += [(group, term) for term in np.setdiff1d(seen, without).tolist()]
    groups, terms = dense(rows.first), dense(rows.term)
    here = np.stack([(rows.first == group) & (rows.term == term) for group, term in pairs], axis=1).astype(float)
    effects = [dense(rows.teacher), terms, *(x[:, None] * d for x in rows.x.T for d in (groups, terms))]
    for x in rows.x.T:
        mean = (here * x[:, None]).sum(axis=0) / here.sum(axis=0)
        effects.append(here * (x[:, None] - mean))
    design = np.hstack([here, *effects])
    solved = np.linalg.lstsq(design, rows.y - rows.y.mean(), rcond=None)[0]
    residual = rows.y - rows.y.mean() - design @ solved
    others = design[:, here.shape[1] :]
    net = here - others @ np.linalg.lstsq(others, here, rcond=None)[0]
    schools = dense(rows.school)
    assume(np.linalg.cond(net) < 1e4)
    return (
        pairs,
        solved[: len(pairs)],
        schools.T @ (residual[:, None] * net) @ np.linalg.inv(net.T @ net),
        len(residual),
    )


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(["never", "notyet"]), st.booleans())
def test_effects_equal_a_dense_regression_on_random_unbalanced_rows(seed, controls, adjusted):
    rows = unbalanced_rows(seed, teachers=40, terms=4, schools=6, missing=0.15)
    rows = rows if adjusted else replace(rows, x=rows.x[:, :0])
    found = estimated(rows, controls=controls)
    pairs, effects, scores, results = slow(rows, controls)
    assert [(one.group, one.term) for one in found.group_times] == pairs
    np.testing.assert_allclose([one.effect for one in found.group_times], effects, atol=1e-8)
    unscaled = scores.T @ scores
    ratio = found.covariance[0, 0] / unscaled[0, 0]
    np.testing.assert_allclose(found.covariance, ratio * unscaled, atol=1e-9)
    assert 1.2 <= ratio <= 1.2 * results / (results - 60)  # 6 schools: 6/5, and a factor for parameters


def test_a_balanced_panel_gives_the_imputation_estimate_and_never_treated_the_universal_base():
    rng = np.random.default_rng(3)
    panel = district(rng, schools=10, per_school=5, terms=5)
    panel["y_sumsq"], panel["y_sum"] = panel["y_sumsq"] * 400 / panel["n"] ** 2, panel["y_sum"] * 20 / panel["n"]
    panel["n"] = np.full_like(panel["n"], 20)
    panel["y_sumsq"] = np.maximum(panel["y_sumsq"], panel["y_sum"] ** 2 / 20 + 1)
    first = panel.pop("first_treated")[::5]
    cells = cells_from_sums(**panel)
    assert etwfe(cells, first).overall.effect == pytest.approx(impute(cells, first).overall.effect)
    universal = group_time_effects(cells, first, base="universal")
    assert [one.effect for one in etwfe(cells, first, controls="never").group_times] == pytest.approx(
        [one.effect for one in universal.group_times]
    )


def test_intervals_cover_the_truth_with_24_schools():
    rng, inside = np.random.default_rng(6), []
    for _ in range(600):
        panel = district(rng, schools=24, per_school=12, terms=5, effect=0.12)
        first = panel.pop("first_treated")[::5]
        found = etwfe(cells_from_sums(**panel), first)
        half = student.ppf(0.975, found.clusters - 1) * found.overall.standard_error
        inside.append(abs(found.overall.effect - 0.12) < half)
    assert 0.93 <= np.mean(inside) <= 0.97, np.mean(inside)


def test_scale_order_and_place_of_covariates_change_nothing():
    rows = unbalanced_rows(5, teachers=60, terms=4)
    moved = replace(rows, y=rows.y * 40 + 1e4, x=rows.x[:, ::-1] * [3.0, 1e3] + [1e5, -7.0])
    one, other = estimated(rows), estimated(moved)
    assert [a.effect * 40 for a in one.group_times] == pytest.approx([a.effect for a in other.group_times])
    assert one.overall.standard_error * 40 == pytest.approx(other.overall.standard_error)


def test_a_group_without_a_term_before_and_terms_without_comparison_are_left_out():
    rows = unbalanced_rows(6, teachers=60, terms=5)
    first = np.where(rows.first < 0, 4, np.where(rows.first == 1, 0, rows.first))
    found = estimated(replace(rows, first=first))
    assert {one.group for one in found.group_times} == {2, 3}
    assert max(one.term for one in found.group_times) == 3


def test_one_school_has_no_error_and_nobody_to_compare_no_estimate():
    rows = unbalanced_rows(7)
    alone = estimated(replace(rows, school=np.zeros_like(rows.school)))
    assert np.isfinite(alone.overall.effect)
    assert np.isnan(alone.overall.standard_error)
    assert estimated(replace(rows, first=np.zeros_like(rows.first))) is None
    assert estimated(replace(rows, first=np.full_like(rows.first, -1))) is None
    some = rows.first >= 0
    taking = Rows(*(getattr(rows, name)[some] for name in ("teacher", "school", "term", "y", "x", "first")))
    assert estimated(taking, controls="never") is None


def test_a_group_of_a_single_school_has_no_error():
    rows = unbalanced_rows(3, teachers=60, schools=6)
    found = estimated(replace(rows, school=np.where(rows.first == 2, 6, rows.school)))
    known = {one.key: np.isfinite(one.standard_error) for one in found.by_group}
    assert known == {group: group != 2 for group in known}
    assert {one.group for one in found.group_times if np.isnan(one.standard_error)} == {2}
    assert np.isfinite(found.overall.standard_error)


def test_unknown_controls_are_refused():
    with pytest.raises(ValueError, match="controls must be"):
        estimated(unbalanced_rows(1), controls="all")
