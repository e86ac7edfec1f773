from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.stats import t as student

from staffroom.measure.group_time import group_time_effects
from staffroom.measure.moments import cells_from_sums
from tests.measure.panels import Rows, district, mpdta, unbalanced_rows


def estimated(rows, *, covariates=False, **options):
    cells = rows.cells(covariates=covariates)
    return group_time_effects(cells, rows.first_of(cells), **options)


def lines(averages):
    return {one.key: (one.effect, one.standard_error) for one in averages}


def near(published, tolerance):
    return {key: pytest.approx(value, abs=tolerance) for key, value in published.items()}


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


def test_effects_with_log_population_on_mpdta():
    # R `did`, reference page of att_gt: xformla = ~lpop, doubly robust; p-values of the pre-test 0.23267 and 0.23326.
    published = {
        "never": [
            -0.0145,
            -0.0764,
            -0.1404,
            -0.1069,
            -0.0005,
            -0.0062,
            0.0010,
            -0.0413,
            0.0267,
            -0.0046,
            -0.0284,
            -0.0288,
        ],
        "notyet": [
            -0.0212,
            -0.0816,
            -0.1382,
            -0.1069,
            -0.0075,
            -0.0046,
            0.0087,
            -0.0413,
            0.0269,
            -0.0042,
            -0.0284,
            -0.0288,
        ],
    }
    for controls, effects in published.items():
        found = estimated(mpdta()[0], covariates=True, controls=controls)
        assert [one.effect for one in found.group_times] == pytest.approx(effects, abs=5.1e-5)
        assert found.pre_test()[1] == pytest.approx({"never": 0.23267, "notyet": 0.23326}[controls], abs=5e-6)


def test_averages_of_every_kind_on_mpdta():
    # R `did`, reference page of aggte and vignette "Getting Started" (balance_e = 1), without covariates; the errors
    # there are bootstrapped. README: p-value of the pre-test 0.16812.
    found = estimated(mpdta()[0])
    assert found.pre_test()[1] == pytest.approx(0.16812, abs=5e-6)
    groups, terms = lines(found.by_group), lines(found.by_calendar_time)
    assert {key: effect for key, (effect, _) in groups.items()} == near(
        {2004: -0.0797, 2006: -0.0229, 2007: -0.0261}, 5e-5
    )
    assert {key: effect for key, (effect, _) in terms.items()} == near(
        {2004: -0.0105, 2005: -0.0704, 2006: -0.0488, 2007: -0.0371}, 5e-5
    )
    assert (found.group.effect, found.calendar.effect) == pytest.approx((-0.0310, -0.0417), abs=5e-5)
    assert (found.group.standard_error, found.calendar.standard_error) == pytest.approx((0.0126, 0.0175), rel=0.1)
    overall, balanced = found.balanced(1)
    assert overall.effect == pytest.approx(-0.0288, abs=5e-5)
    assert overall.standard_error == pytest.approx(0.0135, rel=0.05)
    published = {-2: 0.0065, -1: -0.0028, 0: -0.0066, 1: -0.0510}
    assert {one.key: one.effect for one in balanced} == near(published, 5e-5)


def test_effects_and_errors_are_those_of_moderndid_on_mpdta():
    # moderndid 0.4.1, att_gt and aggte with boot=False: analytic errors, log population as covariate.
    rows = mpdta()[0]
    one = estimated(rows, covariates=True, method="dr", controls="notyet", base="universal", anticipation=1)
    assert {(g.group, g.term): (g.effect, g.standard_error) for g in one.group_times} == near(
        {
            (2006, 2003): (0.007455, 0.021836),
            (2006, 2005): (-0.004563, 0.018291),
            (2006, 2006): (-0.005242, 0.024021),
            (2006, 2007): (-0.047496, 0.025768),
            (2007, 2003): (-0.022151, 0.018833),
            (2007, 2004): (0.004577, 0.015718),
            (2007, 2006): (-0.028447, 0.018181),
            (2007, 2007): (-0.057229, 0.019804),
        },
        1e-6,
    )
    averages = [one.simple, one.dynamic, one.group, one.calendar]
    assert [mean.effect for mean in averages] == pytest.approx([-0.045528, -0.046282, -0.050010, -0.030097], abs=1e-6)
    errors = [0.016627, 0.018281, 0.017190, 0.017580]
    assert [mean.standard_error for mean in averages] == pytest.approx(errors, abs=1e-6)
    other = estimated(rows, covariates=True, method="reg", anticipation=1)
    assert (other.simple.effect, other.simple.standard_error) == pytest.approx((-0.045941, 0.016573), abs=1e-6)
    third = estimated(rows, covariates=True, method="ipw", controls="notyet")
    assert (third.simple.effect, third.simple.standard_error) == pytest.approx((-0.041389, 0.011419), abs=1e-6)
    assert lines(third.by_event_time)[0] == pytest.approx((-0.020195, 0.011632), abs=1e-6)


def slow_effect(cells, first, group, term, base, *, controls, method, weights):
    """One group-time effect teacher by teacher, the logit by a general minimizer."""
    at = {(i, t): c for c, (i, t) in enumerate(zip(cells.teacher, cells.terms[cells.term], strict=True))}
    rows = []
    for i, start in enumerate(first):
        later = start < 0 or start > cells.terms[-1] or (controls == "notyet" and start > max(term, base))
        if (start == group or (later and start != group)) and (i, term) in at and (i, base) in at:
            now, then, x = (cells.mean[at[i, when]] for when in (term, base, min(term, base)))
            size = cells.n[at[i, term]] if weights == "results" else 1.0
            rows.append((now[0] - then[0], start == group, size, *x[1:]))
    change, treated, w, *x = np.array(rows, dtype=float).T
    design = np.column_stack([np.ones(len(w)), *x])
    root = np.sqrt(w * (1 - treated))
    slope = np.linalg.lstsq(design * root[:, None], change * root, rcond=None)[0] if method != "ipw" else 0 * design[0]
    left = change - design @ slope
    odds = w * (1 - treated)
    if method != "reg":

        def loss(b):
            return w @ (np.logaddexp(0, design @ b) - treated * (design @ b)) / w.sum()

        b = minimize(loss, 0 * design[0], method="BFGS", options={"gtol": 1e-10}).x
        odds = odds * np.exp(design @ b) * (design @ b < np.log(0.995 / 0.005))
        assume((design @ b).max() < 6)
        return np.average(left, weights=w * treated) - np.average(left, weights=odds)
    return np.average(left, weights=w * treated)


def a_panel(seed, **options):
    rows = unbalanced_rows(seed, teachers=90, terms=4, schools=7, **options)
    cells = rows.cells(covariates=True)
    return cells, rows.first_of(cells)


CHOICES = {
    "controls": st.sampled_from(["never", "notyet"]),
    "base": st.sampled_from(["varying", "universal"]),
    "method": st.sampled_from(["dr", "reg", "ipw"]),
    "weights": st.sampled_from(["results", "teachers"]),
}


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.fixed_dictionaries(CHOICES))
def test_effects_equal_a_slow_implementation_on_random_unbalanced_panels(seed, options):
    cells, first = a_panel(seed)
    found = group_time_effects(cells, first, **options)
    assume(found is not None)
    base = options.pop("base")
    one = found.group_times[seed % len(found.group_times)]
    before = one.term - 1 if base == "varying" and one.term < one.group else one.group - 1
    slow = slow_effect(cells, first, one.group, one.term, before, **options)
    assert one.effect == pytest.approx(slow, abs=2e-5)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.fixed_dictionaries(CHOICES | {"anticipation": st.integers(0, 1)}), st.booleans())
def test_scores_are_what_more_results_of_a_school_would_change(seed, options, adjusted):
    # The influence of a cluster is the derivative of every estimate by the weight of the cluster.
    cells, first = a_panel(seed)
    options = options | {"weights": "results"} | ({} if adjusted else {"covariates": ()})

    def with_more(share):
        n = np.where(cells.cluster == school, cells.n * (1 + share), cells.n)
        return group_time_effects(replace(cells, n=n), first, **options)

    found, school, step = group_time_effects(cells, first, **options), seed % len(cells.clusters), 1e-5
    assume(found is not None)
    up, down = with_more(step), with_more(-step)
    assume(len(up.group_times) == len(down.group_times) == len(found.group_times))
    for name, scores in (("group_times", found.scores), ("by_event_time", found.event_time_scores)):
        slope = [
            (a.effect - b.effect) / (2 * step) for a, b in zip(getattr(up, name), getattr(down, name), strict=True)
        ]
        np.testing.assert_allclose(scores[school], slope, rtol=1e-3, atol=2e-6)


def test_errors_of_averages_are_derivatives_too():
    cells, first = a_panel(3)
    found, step = group_time_effects(cells, first), 1e-5
    slopes = []
    for school in range(len(cells.clusters)):
        ends = [
            group_time_effects(replace(cells, n=cells.n * (1 + sign * step * (cells.cluster == school))), first)
            for sign in (1, -1)
        ]
        slopes.append([
            (getattr(ends[0], name).effect - getattr(ends[1], name).effect) / (2 * step)
            for name in ("simple", "dynamic", "group", "calendar")
        ])  # fmt: skip
    errors = [getattr(found, name).standard_error for name in ("simple", "dynamic", "group", "calendar")]
    np.testing.assert_allclose(np.sqrt((np.array(slopes) ** 2).sum(axis=0)), errors, rtol=1e-4)


def covered(schools, *, times, seed):
    """How often the interval of the simple average covers the truth, and the band all of the event study."""
    rng = np.random.default_rng(seed)
    inside, all_inside = [], []
    for _ in range(times):
        panel = district(rng, schools=schools, per_school=6, terms=5, effect=0.12)
        first = panel.pop("first_treated")[::5]
        found = group_time_effects(cells_from_sums(**panel), first, controls="notyet")
        quantile = student.ppf(0.975, found.clusters - 1)
        inside.append(abs(found.simple.effect - 0.12) < quantile * found.simple.standard_error)
        band = found.bands(rng, draws=199)
        assert band > quantile
        off = [abs(one.effect - 0.12 * (one.key >= 0)) / one.standard_error for one in found.by_event_time]
        all_inside.append(max(off) < band)
    return np.mean(inside), np.mean(all_inside)


def test_intervals_and_bands_cover_the_truth_with_24_schools():
    inside, all_inside = covered(24, times=500, seed=12)
    assert 0.93 <= inside <= 0.97
    assert 0.91 <= all_inside <= 0.97


def test_bands_on_mpdta_are_as_wide_as_published():
    # R `did`, vignette: event time 0 -0.0199 (0.0124), band -0.0507 to 0.0108: 2.48 errors; others there 2.6.
    found, rng = estimated(mpdta()[0]), np.random.default_rng(5)
    for kind in ("rademacher", "mammen"):
        assert found.bands(rng, draws=4999, multipliers=kind) == pytest.approx(2.57, abs=0.12)
        assert found.bands(rng, draws=4999, multipliers=kind, over="group_time") == pytest.approx(2.70, abs=0.12)


def test_where_all_take_part_in_the_end_the_last_group_is_compared_with_until_it_begins():
    rows = unbalanced_rows(1, teachers=60)
    kept = rows.first >= 0
    some = Rows(*(getattr(rows, name)[kept] for name in ("teacher", "school", "term", "y", "x", "first")))
    found = estimated(some, controls="notyet")
    last = some.first.max()
    assert {one.group for one in found.group_times} == set(np.unique(some.first).tolist()) - {last}
    assert max(one.term for one in found.group_times) == last - 1


def test_groups_that_begin_after_the_last_term_count_as_never_taking_part():
    rows = unbalanced_rows(2, teachers=80)
    later = replace(rows, first=np.where(rows.first < 0, 99, rows.first))
    one, other = estimated(rows), estimated(later)
    assert [a.effect for a in one.group_times] == [a.effect for a in other.group_times]
    assert one.simple == other.simple


def test_groups_that_do_not_overlap_are_not_compared():
    rows = unbalanced_rows(4, teachers=40, terms=4)
    apart = replace(rows, x=np.where(rows.first >= 0, 10.0, 0.0)[:, None] + rows.x)
    assert estimated(apart, covariates=True, method="dr") is None
    assert estimated(apart, covariates=True, method="reg") is not None


def test_a_covariate_that_others_explain_changes_nothing():
    rows = unbalanced_rows(5, teachers=60, terms=4)
    twice = replace(rows, x=np.column_stack([rows.x, rows.x @ [2.0, -1.0], np.full(len(rows.y), 7.0)]))
    one, other = estimated(rows, covariates=True), estimated(twice, covariates=True)
    assert [a.effect for a in other.group_times] == pytest.approx([a.effect for a in one.group_times])


def test_one_school_alone_shows_no_error():
    rows = unbalanced_rows(3, teachers=60, schools=6)
    alone = estimated(replace(rows, school=np.zeros_like(rows.school)))
    assert np.isnan([alone.simple.standard_error, *(one.standard_error for one in alone.group_times)]).all()
    group = rows.first == 2
    some = estimated(replace(rows, school=np.where(group, 6, rows.school)))
    known = {one.key: np.isfinite(one.standard_error) for one in some.by_group}
    assert known == {group: group != 2 for group in known}
    assert np.isfinite(some.simple.standard_error)


@pytest.mark.parametrize("options", [{"controls": "all"}, {"method": "ols"}, {"weights": "n"}, {"anticipation": -1}])
def test_unknown_choices_are_refused(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        estimated(unbalanced_rows(1), **options)
