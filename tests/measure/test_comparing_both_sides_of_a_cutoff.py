import csv

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from staffroom.measure.cutoff import cutoff
from staffroom.measure.cutoff_checks import cutoff_checks
from staffroom.measure.local_polynomial import make_side, neighbor_residuals
from tests.measure.panels import REFERENCE_DATA

SEEDS = st.integers(0, 10_000)

# Python package rdrobust 2.1.1: rdrobust(y, x, c=0.2, …) on generated(kind), with what the key names: weights=w,
# vce='hc1' or 'hc3', cluster=c, fuzzy=t (yt for y), onesided: fuzzy=t1, given: h=0.7, b=1.1.
# Effect (conventional), its SE, bias-corrected, robust SE, robust interval, h, b, effective rows left and right.
RDROBUST = {
    "cont": (0.47744985, 0.13703572, 0.50911362, 0.1639804, 0.18771795, 0.8305093, 0.63725554, 1.0562534, 259, 217),
    "cont weights": (
        0.35784316,
        0.14852466,
        0.34975197,
        0.17739651,
        0.0020612028,
        0.69744273,
        0.58132217,
        0.87761359,
        239,
        204,
    ),
    "cont hc1": (
        0.47829825,
        0.13117804,
        0.50848172,
        0.15604244,
        0.20264416,
        0.81431928,
        0.63064634,
        1.0449734,
        255,
        214,
    ),
    "cont hc3": (
        0.47806641,
        0.13273085,
        0.50889538,
        0.15796256,
        0.19929445,
        0.8184963,
        0.63294037,
        1.0507842,
        258,
        216,
    ),
    "cont cluster": (
        0.47152792,
        0.12379217,
        0.50640944,
        0.14020735,
        0.23160808,
        0.7812108,
        0.66390471,
        1.0611421,
        271,
        228,
    ),
    "cont cluster weights": (
        0.35755122,
        0.13691239,
        0.35191661,
        0.15873669,
        0.04079841,
        0.66303482,
        0.60670954,
        0.85180214,
        249,
        209,
    ),
    "cont fuzzy": (
        0.56763298,
        0.19144898,
        0.7298825,
        0.22614027,
        0.28665571,
        1.1731093,
        0.84205491,
        1.5294682,
        337,
        274,
    ),
    "cont fuzzy cluster": (
        0.57685937,
        0.18874934,
        0.72434663,
        0.20954279,
        0.31365031,
        1.135043,
        0.80387405,
        1.5055996,
        324,
        267,
    ),
    "cont onesided": (
        0.47694463,
        0.1668897,
        0.5078068,
        0.20020716,
        0.11540799,
        0.90020562,
        0.64215298,
        1.0518379,
        262,
        219,
    ),
    "cont given": (0.46104299, 0.12984402, 0.50274253, 0.15953836, 0.19005308, 0.81543197, 0.7, 1.1, 282, 242),
    "disc": (0.44743093, 0.12826237, 0.48746005, 0.15443963, 0.18476393, 0.79015616, 0.68398205, 1.1653584, 253, 258),
    "disc weights": (
        0.31244224,
        0.13444395,
        0.29387727,
        0.1665606,
        -0.032575499,
        0.62033004,
        0.60630142,
        0.92523936,
        253,
        216,
    ),
    "disc cluster": (
        0.44002183,
        0.11962428,
        0.48079751,
        0.14063792,
        0.20515226,
        0.75644276,
        0.72453316,
        1.0799607,
        298,
        258,
    ),
    "disc cluster weights": (
        0.31741023,
        0.13317202,
        0.29676761,
        0.16226829,
        -0.021272398,
        0.61480761,
        0.62843834,
        0.89437695,
        253,
        216,
    ),
    "disc fuzzy": (
        0.55086847,
        0.18037668,
        0.62336625,
        0.22725644,
        0.17795182,
        1.0687807,
        0.75032492,
        1.1593352,
        298,
        258,
    ),
    "disc fuzzy cluster": (
        0.55197088,
        0.17564886,
        0.62279133,
        0.20428439,
        0.22240129,
        1.0231814,
        0.74660099,
        1.142772,
        298,
        258,
    ),
    "disc onesided": (
        0.48131086,
        0.16189171,
        0.53215428,
        0.19525322,
        0.14946501,
        0.91484356,
        0.6815926,
        1.1498,
        253,
        258,
    ),
}


def generated(kind):
    rng = np.random.default_rng(0)
    x = rng.normal(0.1, 1, 1000)
    if kind == "disc":
        x = np.round(x * 8) / 8
    c, w = rng.integers(0, 25, 1000), rng.integers(1, 30, 1000).astype(float)
    above = x >= 0.2
    t = (rng.random(1000) < np.where(above, 0.8, 0.15)).astype(float)
    noise = rng.normal(size=25)[c] * 0.3
    y = 1 + 0.8 * x - 0.5 * x**2 + 0.3 * x**3 * (x > 0) + 0.4 * above
    y = y + noise + rng.normal(size=1000) * 0.6 * (1 + 0.3 * np.abs(x))
    return {"x": x, "y": y, "yt": y - 0.4 * above + 0.5 * t, "t": t, "t1": np.where(above, t, 0.0), "w": w, "c": c}


@pytest.mark.parametrize("key", RDROBUST)
def test_all_figures_are_those_of_rdrobust(key):
    kind, _, how = key.partition(" ")
    data = generated(kind)
    options = {
        "weights": {"weight": data["w"]},
        "hc1": {"variance": "hc1"},
        "hc3": {"variance": "hc3"},
        "cluster": {"cluster": data["c"]},
        "fuzzy": {"taken": data["t"]},
        "onesided": {"taken": data["t1"]},
        "given": {"bandwidth": 0.7, "bias_bandwidth": 1.1},
    }
    chosen = {name: value for word in how.split() for name, value in options[word].items()}
    y = data["yt"] if "taken" in chosen else data["y"]
    ours = cutoff(y, data["x"], cutoff=0.2, clusters="sides", **chosen)
    figures = (
        ours.effect,
        ours.conventional.standard_error,
        ours.bias_corrected,
        ours.standard_error,
        ours.low,
        ours.high,
    )
    sizes = ours.bandwidth, ours.bias_bandwidth, ours.effective_left, ours.effective_right
    np.testing.assert_allclose([*figures, *sizes], RDROBUST[key], rtol=1e-7)
    assert ours.mass_points == (kind == "disc")
    assert (ours.first_stage is not None) == ours.fuzzy == ("taken" in chosen)


def test_the_advantage_of_incumbent_senators_is_the_published_one():
    # rdrobust's own example: rdrobust(vote, margin), and rddensity's data beside it
    path = REFERENCE_DATA / "rdrobust_senate.csv"
    if not path.exists():
        pytest.skip("reference data are missing: no shared/data/rdrobust_senate.csv")
    with path.open() as file:
        table = [row for row in csv.DictReader(file) if row["vote"] not in ("", "NA")]
    vote, margin, state = (np.array([float(row[name]) for row in table]) for name in ("vote", "margin", "state"))
    found = cutoff(vote, margin)
    assert [round(x, 3) for x in (found.effect, found.low, found.high)] == [7.414, 4.094, 10.919]
    assert [round(x, 3) for x in (found.bandwidth, found.bias_bandwidth)] == [17.754, 28.028]
    assert (found.effective_left, found.effective_right) == (360, 323)
    clustered = cutoff(vote, margin, cluster=state, clusters="sides")
    assert [round(x, 3) for x in (clustered.effect, clustered.low, clustered.high)] == [7.395, 3.985, 11.025]


@settings(max_examples=25, deadline=None)
@given(SEEDS, st.booleans())
def test_neighbors_are_those_found_one_by_one(seed, ties):
    rng = np.random.default_rng(seed)
    x = np.abs(rng.normal(size=30)) + 0.01
    x = np.ceil(x * 4) / 4 if ties else x
    y = rng.normal(size=(30, 1))
    side = make_side(x, y, np.ones(30), None)
    found = neighbor_residuals(side, 30)[:, 0]
    for row in range(30):
        away = np.abs(side.x - side.x[row])
        away[row] = np.inf
        near = away <= np.sort(away)[2] * (1 + 1e-9) + 1e-12
        one = np.abs(side.x - side.x[row]) < 1e-12
        one[row] = False
        near |= one
        j = near.sum()
        assert found[row] == pytest.approx(np.sqrt(j / (j + 1)) * (side.y[row, 0] - side.y[near, 0].mean()))


@settings(max_examples=15, deadline=None)
@given(SEEDS)
def test_point_and_bias_are_those_of_weighted_least_squares(seed):
    rng = np.random.default_rng(seed)
    x, w = rng.normal(size=200), rng.integers(1, 9, 200).astype(float)
    y = x + (x >= 0) + x**2 + rng.normal(size=200)
    ours = cutoff(y, x, weight=w, bandwidth=0.8)
    expected = []
    for order in (1, 2):
        k = w * np.clip(1 - np.abs(x) / 0.8, 0, None)
        z = np.column_stack([(x >= 0) * x**p for p in range(order + 1)] + [(x < 0) * x**p for p in range(order + 1)])
        root = np.sqrt(k)
        beta = np.linalg.lstsq(z * root[:, None], y * root, rcond=None)[0]
        expected.append(beta[0] - beta[order + 1])
    # with one bandwidth for both, correcting the bias is fitting a parabola
    np.testing.assert_allclose([ours.effect, ours.bias_corrected], expected, rtol=1e-8)


@settings(max_examples=10, deadline=None)
@given(SEEDS, st.booleans())
def test_the_jackknife_is_that_of_leaving_out_rows(seed, fuzzy):
    rng = np.random.default_rng(seed)
    x, c = rng.normal(size=400), rng.integers(0, 12, 400)
    taken = (rng.random(400) < 0.2 + 0.6 * (x >= 0)).astype(float)
    y = x + taken + rng.normal(size=12)[c] + rng.normal(size=400)
    options = {"bandwidth": 0.9, "bias_bandwidth": 1.2}
    more = {"taken": taken} if fuzzy else {}
    ours = cutoff(y, x, cluster=c, **options, **more)
    without = [
        cutoff(y[c != g], x[c != g], **options, **{name: value[c != g] for name, value in more.items()})
        for g in range(12)
    ]
    for whole, error, parts in (
        (ours.effect, ours.conventional.standard_error, [one.effect for one in without]),
        (ours.bias_corrected, ours.standard_error, [one.bias_corrected for one in without]),
    ):
        expected = np.sqrt(11 / 12 * ((np.array(parts) - whole) ** 2).sum())
        assert error == pytest.approx(expected, rel=1e-7)
    assert ours.df == 11


def covered(make, truth, times):
    found = [make() for _ in range(times)]
    return np.mean([one.low <= truth <= one.high for one in found])


def test_intervals_cover_the_jump_where_students_stand_alone():
    rng = np.random.default_rng(3)

    def once():
        x = 2 * rng.beta(2, 4, 800) - 1
        y = 0.5 + 0.8 * x - 0.9 * x**2 + 0.7 * x**3 + 0.3 * (x >= 0) + 0.4 * rng.normal(size=800)
        return cutoff(y, x)

    assert 0.93 <= covered(once, 0.3, 300) <= 0.97


def test_intervals_cover_the_jump_in_twenty_schools():
    rng = np.random.default_rng(3)
    home = np.repeat(np.arange(20), 8)

    def once():
        x, n = rng.normal(size=160).repeat(2), rng.integers(15, 30, 320)
        shock = 0.1 * rng.normal(size=20)[home] + 0.12 * rng.normal(size=160)
        y = 0.3 * x + 0.1 * x**2 + 0.25 * (x >= 0) + shock.repeat(2) + rng.normal(size=320) / np.sqrt(n)
        return cutoff(y, x, weight=n, cluster=home.repeat(2))

    assert 0.93 <= covered(once, 0.25, 300) <= 0.97


def test_scale_and_place_do_not_matter():
    data = generated("cont")
    one = cutoff(data["y"], data["x"], cutoff=0.2)
    other = cutoff(1e6 + 40 * data["y"], 700 + 50 * data["x"], cutoff=710.0)
    np.testing.assert_allclose(
        [other.effect, other.low, other.high], [40 * v for v in (one.effect, one.low, one.high)], rtol=1e-6
    )
    assert other.bandwidth == pytest.approx(50 * one.bandwidth)


def test_checks_see_sorting_and_no_jump_elsewhere():
    rng = np.random.default_rng(6)
    x = rng.normal(size=3000)
    before = x + rng.normal(size=3000)
    y = 0.5 * x + 0.8 * (x >= 0) + 0.5 * rng.normal(size=3000)
    main = cutoff(y, x)
    found = cutoff_checks(y, x, covariates=[before, before + 0.6 * (x >= 0)], bandwidth=main.bandwidth)
    assert found.covariates[0].found.low < 0 < found.covariates[0].found.high
    assert found.covariates[1].found.p < 0.01
    assert len(found.placebos) == 6
    assert sum(one.found.p < 0.05 for one in found.placebos) <= 1
    assert all(one.found.low < 0.8 < one.found.high for one in found.donuts)
    assert [one.key for one in found.donuts] == [0.05 * main.bandwidth, 0.1 * main.bandwidth]
    clustered = cutoff_checks(y, x, cluster=np.arange(3000) % 30, weight=np.ones(3000), bandwidth=main.bandwidth)
    assert all(one.found.df is not None and one.found.df <= 29 for one in (*clustered.placebos, *clustered.donuts))


def spread_out(n=200):
    return np.linspace(-1, 1, n)


@pytest.mark.parametrize(
    ("y", "x", "options", "reason"),
    [
        (spread_out(), spread_out() + 5, {}, "cutoff_outside"),
        (spread_out(), spread_out() - 5, {}, "cutoff_outside"),
        (spread_out(), spread_out(), {"cutoff": 1.0}, "cutoff_outside"),
        (spread_out(), np.zeros(200), {}, "cutoff_outside"),
        (spread_out(), np.where(spread_out() < 0, -1.0, 1.0), {}, "too_few_values"),
        (spread_out(10), spread_out(10), {}, "too_few_rows"),
        (np.ones(200), spread_out(), {}, "no_bandwidth"),
        (spread_out(), spread_out(), {"taken": np.ones(200)}, "no_take_up"),
        (spread_out(), spread_out(), {"bandwidth": 1e-9}, "too_few_values"),
        (spread_out(), spread_out(), {"weight": spread_out() > 0}, "cutoff_outside"),
    ],
)
def test_where_nothing_can_be_said_the_reason_is(y, x, options, reason):
    found = cutoff(y, x, **options)
    assert found.reason == reason
    assert np.isnan([found.effect, found.low, found.high, found.p, found.standard_error]).all()


def test_one_school_gives_a_jump_but_no_interval():
    data = generated("cont")
    found = cutoff(data["y"], data["x"], cutoff=0.2, cluster=np.zeros(1000, dtype=int))
    assert np.isfinite(found.effect)
    assert np.isnan([found.low, found.high, found.p]).all()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"y": np.r_[np.nan, spread_out()[1:]]}, "y is missing or not finite in row 0"),
        ({"running": np.r_[spread_out()[1:], np.inf]}, "running is missing or not finite in row 199"),
        ({"weight": -np.ones(200)}, "weight is below 0 in row 0"),
        ({"taken": np.ones(3)}, "differ in length"),
        ({"cluster": np.ones(3)}, "differ in length"),
        ({"cutoff": np.nan}, "cutoff is not finite"),
        ({"variance": "hc9"}, "variance must be"),
    ],
)
def test_wrong_data_are_named(change, words):
    with pytest.raises(ValueError, match=words):
        cutoff(**{"y": spread_out(), "running": spread_out()} | change)


def test_most_rows_on_one_value_do_no_harm():
    rng = np.random.default_rng(2)
    x = np.where(rng.random(2000) < 0.7, 0.0, rng.normal(size=2000))
    found = cutoff(0.5 * x + (x >= 0) + 0.3 * rng.normal(size=2000), x)
    assert found.mass_points
    assert found.low < 1 < found.high


@settings(max_examples=60, deadline=None)
@given(
    SEEDS,
    st.sampled_from([0, 1, 2, 10]),
    st.sampled_from([25, 60, 200]),
    st.sampled_from([1e-9, 1.0, 1e9]),
    st.booleans(),
)
def test_whatever_the_data_a_figure_comes_with_its_interval_or_a_reason(seed, steps, rows, scale, clustered):
    rng = np.random.default_rng(seed)
    x = rng.standard_t(1, rows) if seed % 3 else rng.normal(size=rows)
    x = np.round(x * steps) / steps if steps else x
    y = scale * np.round(rng.normal(size=rows) * (seed % 4), seed % 3)
    taken = (rng.random(rows) < (0.1, 0.5, 1.0)[seed % 3]).astype(float) if seed % 2 else None
    cluster = rng.integers(0, 1 + seed % 5, rows) if clustered else None
    found = cutoff(y, scale * x, taken=taken, cluster=cluster)
    figures = np.array([found.effect, found.bias_corrected, found.bandwidth])
    assert np.isnan(figures).all() if found.reason else np.isfinite(figures).all()
    if np.isfinite(found.p):
        assert 0 <= found.p <= 1
        assert found.low <= found.bias_corrected <= found.high
        assert found.standard_error > 0
