import csv
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from staffroom.measure.density import density_test
from tests.measure.panels import REFERENCE_DATA

# Python package rddensity 3.0: rddensity(generated(key)): jackknife t and p, bandwidths left and right, densities left
# and right, rows within the bandwidths.
RDDENSITY = {
    "smooth": (0.45227629, 0.65106995, 0.70265225, 0.83589054, 0.41629695, 0.46197013, 348, 498),
    "sorted": (1.7732367, 0.07618949, 0.36649623, 0.47728134, 0.26248805, 0.50142879, 108, 402),
    "tied": (2.0424656, 0.041105371, 1.15, 1.15, 0.37268389, 0.54365661, 468, 658),
    "coarse": (0.93614702, 0.3491975, 3.25, 3.25, 0.43491749, 0.48896288, 522, 978),
    "skew": (-0.84532037, 0.39793199, 0.28750429, 0.29850632, 0.58912358, 0.43938572, 249, 199),
    "few": (0.055856939, 0.95545577, 1.541735, 1.541735, 0.7623531, 0.7920467, 23, 31),
}


def generated(kind):
    rng = np.random.default_rng(7)
    x = rng.normal(0.3, 1, 1500)
    if kind == "sorted":
        x = np.where((x < 0) & (x > -0.3) & (rng.random(1500) < 0.5), -x, x)
    steps = {"tied": 20, "coarse": 4}.get(kind)
    if steps:
        x = np.round(x * steps) / steps
    if kind == "skew":
        x = rng.exponential(1, 1500) - 0.7
    return x[:60] if kind == "few" else x


@pytest.mark.parametrize("kind", RDDENSITY)
def test_all_figures_are_those_of_rddensity(kind):
    found = density_test(generated(kind))
    sizes = (
        found.bandwidth_left,
        found.bandwidth_right,
        found.left,
        found.right,
        found.effective_left,
        found.effective_right,
    )
    np.testing.assert_allclose([found.t, found.p, *sizes], RDDENSITY[kind], rtol=1e-7)
    assert found.discrete == (kind == "coarse")
    assert np.isnan(found.discrete_p) == (kind not in ("coarse", "tied"))


def test_senate_margins_show_no_sorting_as_published():
    # rddensity(rddensity_senate): T = -0.8753, p = 0.3814, bandwidths 19.841 and 27.119
    path = REFERENCE_DATA / "rdrobust_senate.csv"
    if not path.exists():
        pytest.skip("reference data are missing: no shared/data/rdrobust_senate.csv")
    with path.open() as file:
        margin = [float(row["margin"]) for row in csv.DictReader(file)]
    found = density_test(np.array(margin))
    assert (round(found.t, 4), round(found.p, 4)) == (-0.8753, 0.3814)
    assert (round(found.bandwidth_left, 3), round(found.bandwidth_right, 3)) == (19.841, 27.119)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_order_scale_place_and_direction_do_not_matter(seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(0.2, 1, 300)
    one = density_test(x)
    other = density_test(700 + 50 * rng.permutation(x), 700.0)
    assert other.t == pytest.approx(one.t, rel=1e-6, abs=1e-9)
    assert other.left == pytest.approx(one.left / 50, rel=1e-6)


def test_nobody_sorting_is_rarely_called_sorting():
    rng = np.random.default_rng(2)
    smooth = [density_test(rng.normal(0.2, 1, 600)).p < 0.05 for _ in range(200)]
    assert 0.01 <= np.mean(smooth) <= 0.07


def test_sorting_is_seen():
    rng = np.random.default_rng(3)
    seen = []
    for _ in range(30):
        x = rng.normal(0.2, 1, 1500)
        moved = (x < 0) & (x > -0.15) & (rng.random(1500) < 0.6)
        seen.append(density_test(np.where(moved, -x * rng.random(1500), x)).verdict < 0.01)
    assert np.mean(seen) > 0.8


def test_few_values_are_judged_by_the_neighbors_of_the_cutoff():
    rng = np.random.default_rng(4)
    fair = [density_test(np.round(rng.normal(10, 4, 2000)), 12) for _ in range(60)]
    assert all(one.discrete for one in fair)
    assert np.mean([one.verdict < 0.05 for one in fair]) <= 0.08
    points = np.round(rng.normal(10, 4, 2000))
    helped = np.where((points == 11) & (rng.random(2000) < 0.5), 12, points)
    assert density_test(helped, 12).verdict < 0.001


def test_the_share_at_the_cutoff_is_held_against_a_third():
    chances = [math.comb(160, k) * Fraction(1, 3) ** k * Fraction(2, 3) ** (160 - k) for k in range(161)]
    x = np.repeat([-3.0, -2, -1, 0, 1, 2], [20, 30, 40, 80, 40, 30])
    found = density_test(x, curvature=0.0)
    assert found.reason == "too_few_values"
    assert found.verdict == pytest.approx(float(sum(chance for chance in chances if chance <= chances[80])))
    assert density_test(np.repeat([-3.0, -2, -1, 0, 1, 2], 40)).verdict == 1


@pytest.mark.parametrize(
    ("x", "cutoff", "reason"),
    [
        (np.linspace(-1, 1, 100), 2.0, "cutoff_outside"),
        (np.linspace(-1, 1, 100), -1.0, "cutoff_outside"),
        (np.zeros(100), 0.0, "cutoff_outside"),
        (np.linspace(-1, 1, 12), 0.0, "too_few_rows"),
        (np.array([]), 0.0, "cutoff_outside"),
        (np.r_[np.full(50, -1.0), np.full(50, 1.0)], 0.0, "too_few_values"),
    ],
)
def test_where_nothing_can_be_tested_the_reason_is(x, cutoff, reason):
    found = density_test(x, cutoff)
    assert found.reason == reason
    assert np.isnan([found.t, found.p, found.verdict]).all()


def test_wrong_data_are_named():
    with pytest.raises(ValueError, match="running is missing or not finite in row 2"):
        density_test([1.0, 2.0, np.nan])
    with pytest.raises(ValueError, match="cutoff is not finite"):
        density_test([1.0, 2.0], np.inf)


def test_a_heap_on_the_cutoff_itself_is_seen():
    rng = np.random.default_rng(5)
    smooth = rng.normal(size=3000)
    heaped = density_test(np.where(rng.random(3000) < 0.02, 0.0, smooth))
    assert heaped.heap > 40
    assert heaped.p > 0.05 > heaped.verdict
    assert density_test(smooth).heap_p == 1
    rounded = [density_test(np.round(rng.normal(0.3, 1, 1500), 2)) for _ in range(100)]
    assert np.mean([one.heap_p < 0.05 for one in rounded]) <= 0.1
    assert np.mean([one.verdict < 0.05 for one in rounded]) <= 0.1
