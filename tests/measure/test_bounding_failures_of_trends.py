import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from scipy.stats import norm

from staffroom.measure import honest
from staffroom.measure.cells import cells_from_rows
from staffroom.measure.event_study import honest_inputs
from staffroom.measure.fixed_length import FixedLength, folded_quantile, lasso_path
from staffroom.measure.moments import cells_from_sums
from staffroom.measure.projection import least_squares
from tests.measure.panels import REFERENCE_DATA, district, mpdta

YEARS = (2008, 2009, 2010, 2011, 2012, 2014, 2015)


def medicaid():
    """HonestDiD's README: insurance by state and year to 2015, states that expanded Medicaid in 2014 or never."""
    path = REFERENCE_DATA / "ehec_data.dta"
    if not path.exists():
        pytest.skip("reference data are missing: no shared/data/ehec_data.dta")
    stata = path.read_bytes()
    data = stata[stata.index(b"<data>") + 6 : stata.index(b"</data>")]
    columns = [("state", "i1"), ("year", "<i2"), ("insured", "<f4"), ("expanded", "<f4"), ("weight", "<f4")]
    table = np.frombuffer(data, dtype=columns)
    table = table[(table["year"] < 2016) & (table["expanded"] != 2015)]
    dummies = [((table["year"] == year) & (table["expanded"] == 2014)).astype(float) for year in YEARS]
    state = table["state"].astype(int)
    cells = cells_from_rows(teacher=state, school=state, term=table["year"], columns=[table["insured"], *dummies])
    fit = least_squares(cells)
    return fit.coefficients, fit.covariance


def ends(bounds):
    return [end for bound in bounds for end in (bound.low, bound.high)]


def test_relative_magnitudes_on_medicaid():
    # HonestDiD's README (impact.md). Ends there lie on a grid of a 1/25 error, .00037, and its least-favorable critical
    # value is drawn 1,000 times: they are met to one point of the grid.
    found = honest.relative_magnitudes(*medicaid(), before=5, after=2, mbar=(0.5, 1, 1.5, 2))
    published = [0.0241, 0.0673, 0.0171, 0.0720, 0.00859, 0.0796, -0.00107, 0.0883]
    assert ends(found) == pytest.approx(published, abs=0.00037)
    assert [bound.m for bound in found] == [0.5, 1, 1.5, 2]
    assert honest.breakdown(*medicaid(), before=5, after=2) == pytest.approx(1.95, abs=0.05)


def test_smoothness_on_medicaid():
    # HonestDiD's README (impact.md), where the quantile of a folded normal is simulated; moderndid 0.4.1 solves for it.
    found = honest.smoothness(*medicaid(), before=5, after=2, m=(0, 0.01, 0.02, 0.03, 0.04, 0.05))
    published = [
        (0.0259, 0.0607),
        (0.0132, 0.0787),
        (0.00286, 0.0907),
        (-0.00714, 0.101),
        (-0.0171, 0.111),
        (-0.0271, 0.121),
    ]
    assert ends(found) == pytest.approx([end for pair in published for end in pair], abs=3e-4)
    exactly = [0.025971, 0.060715, 0.013175, 0.078684, 0.002834, 0.090739, -0.007165, 0.100738]
    assert ends(found)[:8] == pytest.approx(exactly, abs=2e-6)
    broken = honest.breakdown(*medicaid(), before=5, after=2, kind="smoothness")
    assert broken == pytest.approx(0.0228, abs=2e-4)


def a_study(seed, before, after, *, scale=1.0):
    rng = np.random.default_rng(seed)
    size = before + after
    root = rng.normal(size=(size, size)) * scale
    return rng.normal(size=size) * scale, root @ root.T / size + 0.2 * scale**2 * np.eye(size)


def slow_program(study, mbar, place, sign, value):
    """The moments of the conditional test and the dual linear program of Andrews, Roth & Pakes by a solver."""
    before, size = study.before, study.before + study.after
    whole = np.insert(np.eye(size), before, 0, axis=0)
    worst = mbar * sign * (whole[place + 1] - whole[place])
    rows = [s * (whole[t + 1] - whole[t]) - worst for t in range(before, size) for s in (1, -1)]
    moments = np.stack(rows)
    errors = np.sqrt(np.diag(moments @ study.covariance @ moments.T))
    along = np.linalg.svd(study.weights[None, :])[2][1:]  # directions of effects after that leave the average alone
    nuisance = moments[:, before:] @ along.T
    at_value = moments[:, before:] @ (study.weights * value / (study.weights @ study.weights))
    y = moments @ study.effects - at_value
    return y, nuisance, errors, moments @ study.covariance @ moments.T


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 4), st.integers(1, 4), st.floats(0, 3), st.floats(-4, 4), st.booleans())
def test_the_vertices_solve_the_linear_program_and_its_truncation(seed, before, after, mbar, value, only_first):
    effects, covariance = a_study(seed, before, after)
    weights = None if only_first else np.random.default_rng(seed).normal(size=after)
    study = honest._checked(effects, covariance, before, after, weights, 0.95)
    place, sign = seed % before, 1.0 if seed % 2 else -1.0
    y, nuisance, errors, spread = slow_program(study, mbar, place, sign, value)
    equal, right = np.vstack([nuisance.T, errors]), [*np.zeros(after - 1), 1.0]
    solved = linprog(-y, A_eq=equal, b_eq=right, method="highs")
    vertices, slopes = honest._vertices(study, mbar, place, sign)
    statistics = vertices @ effects + slopes * value
    assert statistics.max() == pytest.approx(-solved.fun, abs=1e-8)
    variance = vertices @ covariance @ vertices.T
    best = int(statistics.argmax())
    if variance[best, best] < 1e-6 or mbar < 1e-3:
        return
    low, high = honest._truncation(statistics[None], variance, np.array([best]), statistics[[best]])
    gamma = solved.x
    along = spread @ gamma / (gamma @ spread @ gamma)
    rest = y - along * (gamma @ y)

    def stays(c):
        return abs(-linprog(-(rest + along * c), A_eq=equal, b_eq=right, method="highs").fun - c) < 1e-7

    for end, inward in ((float(low[0]), 1), (float(high[0]), -1)):
        if abs(end) < 50 and abs(end - statistics.max()) > 1e-3:
            assert stays(end + inward * 1e-4)
            assert not stays(end - inward * 1e-2)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 7), st.floats(0, 1))
def test_the_path_fulfils_the_conditions_of_a_minimum_everywhere(seed, size, share):
    rng = np.random.default_rng(seed)
    root, linear = rng.normal(size=(size, size)), rng.normal(size=size)
    quadratic = root @ root.T + 0.1 * np.eye(size)
    penalties, points = lasso_path(quadratic, linear)
    assert penalties[-1] == 0
    penalty = share * penalties[0]
    point = np.array([np.interp(penalty, penalties[::-1], column[::-1]) for column in points.T])
    gradient = quadratic @ point + linear
    assert (np.abs(gradient) <= penalty + 1e-7).all()
    moved = np.abs(point) > 1e-7
    np.testing.assert_allclose(gradient[moved], -penalty * np.sign(point[moved]), atol=1e-7)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 5), st.integers(1, 4), st.floats(0, 2))
def test_no_other_combination_of_effects_before_gives_a_shorter_interval(seed, before, after, m):
    rng = np.random.default_rng(seed)
    effects, covariance = a_study(seed, before, after)
    weights = rng.normal(size=after)
    interval = FixedLength(covariance, before, weights, 0.95)
    low, high = interval.bounds(effects, m)
    cumulative = rng.normal(size=(300, before - 1)) * rng.exponential(size=(300, 1))
    assert (high - low) / 2 <= interval._half_lengths(cumulative, m).min() + 1e-7


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 5), st.integers(1, 4))
def test_at_the_worst_difference_in_trends_the_fixed_length_interval_covers_as_said(seed, before, after):
    rng = np.random.default_rng(seed)
    effects, covariance = a_study(seed, before, after)
    weights, m = rng.normal(size=after), rng.exponential()
    interval = FixedLength(covariance, before, weights, 0.95)
    combination = interval._combination(rng.normal(size=(1, before - 1)))[0]
    bends = np.diff(np.insert(np.eye(before + after), before, 0, axis=0), n=2, axis=0)
    limits = np.full(2 * len(bends), m)
    worst = linprog(-combination, A_ub=np.vstack([bends, -bends]), b_ub=limits, bounds=(None, None), method="highs")
    cumulative = np.linalg.lstsq(interval.free, combination[:before] - interval.fixed, rcond=None)[0]
    half = interval._half_lengths(cumulative[None], m)[0]
    error = np.sqrt(combination @ covariance @ combination)
    inside = norm.cdf((half + worst.fun) / error) - norm.cdf((-half + worst.fun) / error)
    assert inside == pytest.approx(0.95, abs=1e-6)
    low, high = interval.bounds(effects, m)
    assert low < high


def test_the_quantile_of_a_folded_normal():
    bias = np.array([0.0, 0.3, 1.0, 30.0])
    quantile = folded_quantile(bias, 0.95)
    np.testing.assert_allclose(norm.cdf(quantile - bias) - norm.cdf(-quantile - bias), 0.95)


def test_under_the_worst_trend_allowed_the_truth_is_rejected_about_one_time_in_twenty_or_less():
    rng = np.random.default_rng(8)
    _, covariance = a_study(4, 3, 2, scale=0.05)
    trend = [0.3, 0.0, 0.1]  # the worst difference before is 0.3, from the first term to the second
    root = np.linalg.cholesky(covariance)
    for mbar, after in ((1.0, [0.3, 0.6]), (0.5, [-0.15, -0.15])):
        delta = np.array([*trend, *after])
        drawn = [
            honest._checked(delta + root @ rng.normal(size=5), covariance, 3, 2, [0.5, 0.5], 0.95) for _ in range(100)
        ]
        covered = [bool(honest._accepted(study, mbar, np.zeros(1))[0]) for study in drawn]
        assert np.mean(covered) >= 0.93


def test_more_freedom_never_makes_the_interval_shorter():
    effects, covariance = a_study(5, 4, 3)
    for found in (
        honest.relative_magnitudes(effects, covariance, before=4, after=3, mbar=(0.0, 0.5, 1.0, 3.0, 10.0)),
        honest.smoothness(effects, covariance, before=4, after=3, m=(0.0, 0.1, 1.0, 10.0)),
    ):
        lows, highs = [bound.low for bound in found], [bound.high for bound in found]
        assert lows == sorted(lows, reverse=True)
        assert highs == sorted(highs)
        assert np.isfinite([*lows, *highs]).all()


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 1000), st.floats(1e-6, 1e6))
def test_the_answer_follows_the_unit_and_the_sign(seed, unit):
    effects, covariance = a_study(seed, 3, 2)
    size = {"before": 3, "after": 2}
    for bound in (honest.relative_magnitudes, honest.smoothness):
        degree = {"mbar": (1.0,)} if bound is honest.relative_magnitudes else {"m": (0.5,)}
        other = degree if "mbar" in degree else {"m": (0.5 * unit,)}
        one = bound(effects, covariance, **size, **degree)[0]
        scaled = bound(effects * unit, covariance * unit**2, **size, **other)[0]
        turned = bound(-effects, covariance, **size, **degree)[0]
        tolerance = 0.05 * np.sqrt(covariance[3, 3])
        assert (scaled.low / unit, scaled.high / unit) == pytest.approx((one.low, one.high), abs=tolerance)
        assert (-turned.high, -turned.low) == pytest.approx((one.low, one.high), abs=tolerance)


def test_the_breakdown_value_is_where_zero_comes_in():
    effects, covariance = np.array([0.01, -0.02, 0.3, 0.4]), np.eye(4) * 0.02**2
    size = {"before": 2, "after": 2}
    for kind, bound, name in (
        ("relative_magnitudes", honest.relative_magnitudes, "mbar"),
        ("smoothness", honest.smoothness, "m"),
    ):
        value = honest.breakdown(effects, covariance, kind=kind, **size)
        below, above = bound(effects, covariance, **size, **{name: (0.95 * value, 1.05 * value)})
        assert below.low > 0 > above.low
    assert honest.breakdown(effects * [1, 1, 0, 0], covariance, **size) == 0.0


def test_an_effect_far_from_zero_is_still_found():
    effects, covariance = np.array([0.1, -0.1, 500.0]), np.eye(3)
    bound = honest.relative_magnitudes(effects, covariance, before=2, after=1, mbar=(1.0,))[0]
    assert 490 < bound.low < 500 < bound.high < 510
    assert honest.breakdown(effects, covariance, before=2, after=1) > 50


def test_intervals_are_those_of_moderndid():
    # moderndid 0.4.1, C-LF with grid_points=4000, FLCI; Medicaid with its first effect after alone, and the mean of both.
    effects, covariance = medicaid()
    alone = {"before": 5, "after": 1}
    found = honest.relative_magnitudes(effects[:6], covariance[:6, :6], mbar=(1.0,), **alone)
    assert ends(found) == pytest.approx([0.016493, 0.072471], abs=6e-4)
    found = honest.smoothness(effects[:6], covariance[:6, :6], m=(0.01,), **alone)
    assert ends(found) == pytest.approx([0.013174877, 0.078684356], abs=1e-6)
    mean = {"before": 5, "after": 2, "weights": [0.5, 0.5]}
    assert ends(honest.relative_magnitudes(effects, covariance, mbar=(1.0,), **mean)) == pytest.approx(
        [0.019748, 0.090268], abs=6e-4
    )
    assert ends(honest.smoothness(effects, covariance, m=(0.01,), **mean)) == pytest.approx(
        [0.011956965, 0.102447683], abs=1e-6
    )
    # Four effects before and three after, the second wanted; its error is .08, a point of our grid .003.
    effects = np.array([0.01, -0.02, 0.015, -0.01, 0.12, 0.15, 0.2])
    root = np.random.default_rng(3).normal(size=(7, 7)) * 0.02
    other = {"covariance": root @ root.T + np.eye(7) * 0.0008, "before": 4, "after": 3, "weights": [0.0, 1.0, 0.0]}
    found = honest.relative_magnitudes(effects, mbar=(0.5,), **other)
    assert ends(found) == pytest.approx([-0.104485, 0.401238], abs=6.5e-3)
    found = honest.smoothness(effects, m=(0.01,), **other)
    assert ends(found) == pytest.approx([-0.016273951, 0.334659711], abs=1e-6)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"before": 0, "after": 5}, "before and after"),
        ({"after": 3}, "do not fit"),
        ({"effects": [0.0, np.nan, 0, 0, 1]}, "not finite"),
        ({"covariance": np.diag([1.0, 1, 0, 1, 1])}, "effect 2 has no variance"),
        ({"covariance": np.eye(5) + np.eye(5, k=1)}, "not symmetric"),
        ({"covariance": np.ones((5, 5))}, "singular"),
        ({"weights": [0.0, 0.0]}, "weights must be"),
        ({"confidence": 1.0}, "confidence"),
        ({"mbar": (-1.0,)}, "mbar must be"),
    ],
)
def test_what_does_not_fit_together_is_refused(changes, message):
    asked = {"effects": np.zeros(5), "covariance": np.eye(5), "before": 3, "after": 2} | changes
    with pytest.raises(ValueError, match=message):
        honest.relative_magnitudes(asked.pop("effects"), asked.pop("covariance"), **asked)


def test_an_unknown_kind_of_breakdown_is_refused():
    with pytest.raises(ValueError, match="kind must be"):
        honest.breakdown(np.zeros(3), np.eye(3), before=2, after=1, kind="drift")


def test_the_event_study_for_mpdta_is_against_the_last_term_before():
    rows, _ = mpdta()
    cells = rows.cells()
    found = honest_inputs(cells, rows.first_of(cells))
    assert found.keys == (-4, -3, -2, 0, 1, 2, 3)
    assert (found.before, found.after, found.clusters) == (3, 4, 500)
    # R `did`, base_period = "universal": the same post effects, leads summed up with the sign turned.
    assert found.effects[3:] == pytest.approx([-0.0199, -0.0510, -0.1373, -0.1008], abs=5e-5)
    assert found.covariance.shape == (7, 7)
    bound = honest.relative_magnitudes(found.effects, found.covariance, before=3, after=4, mbar=(0.0, 1.0))
    assert bound[1].low < bound[0].low < bound[0].high < bound[1].high


def test_few_schools_allow_few_effects_and_a_missing_side_none():
    panel = district(np.random.default_rng(2), schools=12, per_school=6, terms=8)
    first = panel.pop("first_treated")[::8]
    cells = cells_from_sums(**panel)
    found = honest_inputs(cells, first)
    assert len(found.keys) == 4
    assert found.keys == (-3, -2, 0, 1)
    assert honest_inputs(cells, np.where(first >= 0, 1, -1)) is None
    assert honest_inputs(cells, np.full_like(first, -1)) is None


def test_where_all_take_part_in_the_end_not_yet_treated_teachers_are_compared_with():
    panel = district(np.random.default_rng(2), schools=30, per_school=6, terms=6, share=1.0)
    first = panel.pop("first_treated")[::6]
    assert honest_inputs(cells_from_sums(**panel), first).after >= 2


def test_the_least_favorable_critical_value_is_that_of_many_random_draws():
    rng = np.random.default_rng(9)
    for seed, after in ((1, 1), (2, 2), (3, 4)):
        effects, covariance = a_study(seed, 3, after)
        study = honest._checked(effects, covariance, 3, after, np.full(after, 1 / after), 0.95)
        vertices, _ = honest._vertices(study, 1.0, 1, 1.0)
        spread = vertices @ covariance @ vertices.T
        drawn = rng.multivariate_normal(np.zeros(len(spread)), spread, size=200_000).max(axis=1)
        found = honest._least_favorable(spread, honest._normals(after + 2), 0.995)
        assert found == pytest.approx(np.quantile(drawn, 0.995), rel=0.02)
