import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import linalg

from staffroom.measure.dependent import cr2, generalized_least_squares, regress_dependent
from staffroom.measure.heterogeneity import estimates_of, restricted_tau2
from staffroom.measure.pooling import pool
from tests.measure.meta_data import bcg, table


def _robust(effects, errors, design):
    tau2 = restricted_tau2(estimates_of(effects, errors, design))
    members = [np.array([row]) for row in range(len(effects))]
    blocks = [np.array([[error**2 + tau2]]) for error in errors]
    solved, bread = generalized_least_squares(effects, design, members, blocks)
    return cr2(effects - design @ solved, design, members, blocks, bread)


def test_cr2_and_its_degrees_are_clubsandwichs():
    # metafor 4.8, test of robust(): rma on dat.bcg, robust(res, cluster=trial, clubSandwich=TRUE).
    effects, errors, table = bcg()
    covariance, df = _robust(effects, errors, np.ones((13, 1)))
    assert covariance[0, 0] == pytest.approx(0.03229357, abs=5e-9)
    assert df[0] == pytest.approx(11.04125, abs=5e-6)
    design = np.column_stack([np.ones(13), table["ablat"], table["year"]])
    covariance, df = _robust(effects, errors, design)
    assert np.sqrt(np.diag(covariance)) == pytest.approx([33.655367, 0.011994, 0.016963], rel=5e-5)
    assert df == pytest.approx([2.724625, 2.112895, 2.745919], abs=5e-6)


def test_correlated_effects_are_robumetas():
    # Fisher & Tipton 2015, section 6.2: robu(effect.size ~ 1, data = oswald2013.ex1, rho = .8, small = TRUE).
    data = table("robumeta.oswald2013.ex1.csv")
    effects, errors = data["effect.size"], np.sqrt(data["var.eff.size"])
    found = regress_dependent(effects, errors, data["Study"], working="correlated", rho=0.8)
    assert found.tau2 == pytest.approx(0.1849812, abs=5e-8)
    assert (found.coefficients[0], found.standard_errors[0]) == pytest.approx((0.277, 0.181), abs=5e-4)
    assert found.df[0] == pytest.approx(7.84, abs=5e-3)


def test_hierarchical_effects_are_robumetas():
    # Fisher & Tipton 2015, section 6.5: robu(effectsize ~ followup_c + followup_m + binge, data = hierdat, "HIER").
    data = table("robumeta.hierdat.csv")
    studies = np.unique(data["studyid"], return_inverse=True)[1]
    mean = (np.bincount(studies, data["followup"]) / np.bincount(studies))[studies]
    design = np.column_stack([np.ones(len(mean)), data["followup"] - mean, mean, data["binge"]])
    found = regress_dependent(data["effectsize"], np.sqrt(data["var"]), studies, design, working="hierarchical")
    assert (found.omega2, found.tau2) == pytest.approx((0.1650524, 0.02479249), abs=5e-8)
    assert found.coefficients == pytest.approx([-0.154226, -0.000162, 0.003467, 0.666645], abs=5e-7)
    assert found.standard_errors == pytest.approx([0.147671, 0.000695, 0.002320, 0.115623], abs=5e-7)
    assert found.df == pytest.approx([6.07, 1.30, 3.28, 4.33], abs=5e-3)


def _example(seed, clusters=6, most=4):
    rng = np.random.default_rng(seed)
    cluster = np.repeat(np.arange(clusters), rng.integers(1, most + 1, clusters))
    errors = rng.uniform(0.1, 0.3, cluster.size)
    common = rng.normal(0, 0.15, clusters)[cluster]
    effects = 0.2 + common + rng.normal(0, 0.1, cluster.size) + errors * rng.normal(size=cluster.size)
    order = rng.permutation(cluster.size)
    return effects[order], errors[order], cluster[order], rng


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(["correlated", "hierarchical", "correlated hierarchical"]))
def test_cr2_makes_the_meat_unbiased_and_is_the_dense_formula(seed, working):
    effects, errors, cluster, rng = _example(seed)
    design = np.column_stack([np.ones(effects.size), rng.normal(size=effects.size)])
    found = regress_dependent(effects, errors, cluster, design, working=working)
    size = effects.size
    v = np.zeros((size, size))
    for rows, block in zip(found.members, found.working, strict=True):
        v[np.ix_(rows, rows)] = block
    w = np.linalg.inv(v)
    m = np.linalg.inv(design.T @ w @ design)
    clean = np.eye(size) - design @ m @ design.T @ w
    assert found.coefficients == pytest.approx(m @ design.T @ w @ effects)
    meat, parts = np.zeros((2, 2)), []
    for rows in found.members:
        root = linalg.cholesky(v[np.ix_(rows, rows)])
        inner = root @ (clean @ v @ clean.T)[np.ix_(rows, rows)] @ root.T
        adjusted = root.T @ np.real(linalg.fractional_matrix_power(inner, -0.5)) @ root
        influence = m @ design[rows].T @ w[np.ix_(rows, rows)] @ adjusted
        meat += np.outer(influence @ (clean @ effects)[rows], influence @ (clean @ effects)[rows])
        parts.append(influence @ clean[rows])
    assert found.covariance == pytest.approx(meat, rel=1e-6)
    expected = sum(part @ v @ part.T for part in parts)
    assert np.diag(expected) == pytest.approx(np.diag(m), rel=1e-6)
    for c in range(2):
        products = np.array([[one[c] @ v @ other[c] for other in parts] for one in parts])
        assert found.df[c] == pytest.approx(np.trace(products) ** 2 / np.sum(products**2), rel=1e-6)


def test_the_moment_estimators_meet_their_expectations():
    # Hedges, Tipton & Johnson 2010: both are unbiased before they are cut at zero.
    rng = np.random.default_rng(7)
    cluster = np.repeat(np.arange(30), 3)
    errors = rng.uniform(0.1, 0.2, 90)
    taus = []
    for _ in range(100):
        between, within = rng.normal(0, 0.4, 30)[cluster], rng.normal(0, 0.3, 90)
        found = regress_dependent(
            between + within + errors * rng.normal(size=90), errors, cluster, working="hierarchical"
        )
        taus.append((found.tau2, found.omega2))
    assert np.mean(taus, axis=0) == pytest.approx([0.16, 0.09], abs=0.012)


def test_restricted_likelihood_finds_both_variances():
    rng = np.random.default_rng(3)
    cluster = np.repeat(np.arange(300), 3)
    errors = rng.uniform(0.1, 0.2, 900)
    shared = np.sqrt(0.5) * rng.normal(size=300)[cluster] + np.sqrt(0.5) * rng.normal(size=900)
    effects = rng.normal(0, 0.4, 300)[cluster] + rng.normal(0, 0.3, 900) + errors * shared
    found = regress_dependent(effects, errors, cluster, rho=0.5)
    assert (found.tau2, found.omega2) == pytest.approx((0.16, 0.09), abs=0.04)


def test_pooling_with_everyone_in_a_cluster_of_their_own_is_pooling_with_robust_errors():
    effects, errors = np.array([0.1, 0.4, -0.2, 0.3, 0.05]), np.array([0.1, 0.2, 0.15, 0.1, 0.3])
    plain, robust = pool(effects, errors), pool(effects, errors, cluster=np.arange(5))
    assert robust.effect == pytest.approx(plain.effect, abs=1e-4)
    assert robust.tau2 == pytest.approx(plain.tau2, abs=1e-4)
    assert robust.shrunken == pytest.approx(plain.shrunken, abs=1e-3)
    assert np.argsort(robust.leave_one_out).tolist() == np.argsort(plain.leave_one_out).tolist()
    assert "CR2" in robust.method
    assert np.isnan(robust.tau_low)


def test_leaving_out_a_cluster_is_generalized_least_squares_on_the_others():
    effects, errors, cluster, _ = _example(4)
    found, left = pool(effects, errors, cluster=cluster), pool(effects, errors, cluster=cluster).leave_one_out
    whole = regress_dependent(effects, errors, cluster)
    kept = [(rows, block) for rows, block in zip(whole.members, whole.working, strict=True) if 2 not in cluster[rows]]
    solved, _ = generalized_least_squares(
        effects, np.ones((effects.size, 1)), *(list(each) for each in zip(*kept, strict=True))
    )
    assert left[cluster == 2] == pytest.approx(solved[0])
    assert found.effect == pytest.approx(whole.coefficients[0])


def test_copies_of_an_estimate_do_not_count_as_new_sites():
    effects, errors = np.array([0.1, 0.4, -0.2, 0.3, 0.05]), np.full(5, 0.15)
    once = pool(effects, errors, cluster=np.arange(5))
    copied = pool(np.repeat(effects, 4), np.repeat(errors, 4), cluster=np.repeat(np.arange(5), 4), rho=1.0)
    assert copied.effect == pytest.approx(once.effect, abs=1e-3)
    assert copied.standard_error == pytest.approx(once.standard_error, rel=0.02)
    assert copied.df == pytest.approx(once.df, abs=0.05)
    naive = pool(np.repeat(effects, 4), np.repeat(errors, 4))
    assert naive.standard_error < 0.6 * copied.standard_error


def test_robust_intervals_cover_though_the_working_model_is_wrong():
    rng = np.random.default_rng(11)
    covered, draws = 0, 200
    cluster = np.repeat(np.arange(20), 3)
    for _ in range(draws):
        errors = np.repeat(rng.uniform(0.1, 0.2, 20), 3)
        effects = rng.normal(0, 0.1, 20)[cluster] + errors * rng.normal(size=20)[cluster]
        found = regress_dependent(effects, errors, cluster, working="correlated", rho=0.2)
        half = float(np.sqrt(found.covariance[0, 0])) * 2.1
        covered += abs(found.coefficients[0]) <= half
    assert 0.92 <= covered / draws <= 0.98


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (([0.1, 0.2], [0.1, 0.1], [1, 1]), "at least 2 clusters"),
        (([0.1, 0.2], [0.1, 0.0], [1, 2]), "not above 0 in row 1"),
        (([0.1, 0.2], [0.1, 0.1], [1]), "lengths differ"),
        (([0.1, 0.2, 0.3], [0.1, 0.1, 0.1], [1, 2, 3], np.ones((3, 2))), "depends on the others"),
    ],
)
def test_what_has_too_few_clusters_is_refused(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        regress_dependent(*arguments)


def test_an_unknown_working_model_is_refused():
    with pytest.raises(ValueError, match="working must be"):
        regress_dependent([0.1, 0.2], [0.1, 0.1], [1, 2], working="magic")
