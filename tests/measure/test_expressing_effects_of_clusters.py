import math

import numpy as np
import pytest

from staffroom.measure.effects import hedges_factor, hedges_g_clustered, hedges_g_error


def test_without_clustering_it_is_hedges_g_of_students():
    found = hedges_g_clustered(0.3, 1.5, 40, 60, cluster_size=20, icc=0.0)
    assert found.df == 98
    assert found.factor == pytest.approx(hedges_factor(100))
    assert found.g == pytest.approx(0.2 * hedges_factor(100))
    assert found.design_effect == 1


def test_the_terms_are_those_of_the_formula():
    # WWC Procedures Handbook 5.0, equation E.21, and Hedges 2007: N = 200, n = 10, ICC = 0.2, by hand.
    found = hedges_g_clustered(0.5, 1.0, 100, 100, cluster_size=10, icc=0.2)
    inner = 198 - 2 * 9 * 0.2
    assert found.df == pytest.approx(inner**2 / (198 * 0.64 + 10 * 180 * 0.04 + 2 * 180 * 0.2 * 0.8))
    assert found.gamma == pytest.approx(1 - 2 * 9 * 0.2 / 198)
    d = 0.5 * math.sqrt(found.gamma)
    assert found.g == pytest.approx((1 - 3 / (4 * found.df - 1)) * d)
    assert found.standard_error == pytest.approx(found.factor * math.sqrt(0.02 * 2.8 + d**2 / (2 * found.df)))


def test_over_many_trials_g_is_right_on_average_and_spreads_as_its_error_says():
    rng = np.random.default_rng(9)
    draws, clusters, size, icc, effect = 3000, 8, 12, 0.25, 0.6
    shape = (draws, 2, clusters, size)
    y = math.sqrt(icc) * rng.normal(size=(*shape[:3], 1)) + math.sqrt(1 - icc) * rng.normal(size=shape)
    y[:, 1] += effect
    groups = y.reshape(draws, 2, -1)
    difference = groups[:, 1].mean(axis=1) - groups[:, 0].mean(axis=1)
    sd = np.sqrt(groups.var(axis=2, ddof=1).mean(axis=1))
    found = [hedges_g_clustered(a, b, 96, 96, cluster_size=size, icc=icc) for a, b in zip(difference, sd, strict=True)]
    g = np.array([each.g for each in found])
    assert g.mean() == pytest.approx(effect, abs=0.02)
    assert np.mean([each.standard_error for each in found]) == pytest.approx(g.std(), rel=0.05)


def test_the_error_of_g_is_hedges_and_olkins():
    assert hedges_g_error(0.5, 20, 30) == pytest.approx(math.sqrt(50 / 600 + 0.25 / 100))
    with pytest.raises(ValueError, match="at least 2"):
        hedges_g_error(0.5, 1, 30)


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        ((0.5, 0, 50, 50), {"cluster_size": 10, "icc": 0.2}),
        ((float("nan"), 1, 50, 50), {"cluster_size": 10, "icc": 0.2}),
        ((0.5, 1, 50, 50), {"cluster_size": 10, "icc": -0.1}),
        ((0.5, 1, 50, 50), {"cluster_size": 60, "icc": 0.1}),
        ((0.5, 1, 2, 1), {"cluster_size": 1, "icc": 0.1}),
        ((0.5, 1, 50, 50), {"cluster_size": 50, "icc": 1.0}),
    ],
    ids=["no spread", "not a number", "negative ICC", "no whole cluster", "too few", "one cluster each"],
)
def test_clusters_that_cannot_be_are_refused(arguments, options):
    with pytest.raises(ValueError, match=r"\w"):
        hedges_g_clustered(*arguments, **options)
