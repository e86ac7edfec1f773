import csv
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import linalg, optimize, stats

from staffroom.measure.between_case import between_case
from tests.measure.panels import REFERENCE_DATA


def _published(name: str, measure: str = "") -> tuple[list[float], list[int], list[str], list[int]]:
    """Data of the R package scdhlm, if they lie with the other reference data."""
    path = REFERENCE_DATA / f"scdhlm.{name}.csv"
    if not path.exists():
        pytest.skip(f"reference data are missing: no {path.parent.parent.name}/{path.parent.name}/{path.name}")
    with path.open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if not measure or row["measure"] == measure]
    outcome, treated = [float(row["outcome"]) for row in rows], [int(row["treatment"] == "treatment") for row in rows]
    return outcome, treated, [row["case"] for row in rows], [int(float(row["time"])) for row in rows]


def test_sentence_combining_has_the_effect_that_hedges_pustejovsky_and_shadish_give():
    # scdhlm, test "Example 1 from HPS 2013": effect_size_MB on Saddler, writing quality.
    found = between_case(*_published("Saddler", "writing quality"), method="hps")
    assert found.raw == pytest.approx(2.097222, abs=5e-7)
    assert found.sd**2 == pytest.approx(0.952381, abs=5e-7)
    assert (found.autocorrelation, found.icc) == pytest.approx((0.099650, 0.633212), abs=5e-7)
    assert found.df == pytest.approx(8.918146, abs=5e-7)
    assert found.effect == pytest.approx(1.963073, abs=5e-7)
    assert found.standard_error**2 == pytest.approx(0.33491289, abs=5e-9)


def test_parent_training_has_the_effect_that_hedges_pustejovsky_and_shadish_give():
    # scdhlm, test "Example 2 from HPS 2013": effect_size_MB on Laski.
    found = between_case(*_published("Laski"), method="hps")
    assert found.raw == pytest.approx(31.822475, abs=5e-7)
    assert (found.autocorrelation, found.icc) == pytest.approx((0.016526, 0.693966), abs=5e-7)
    assert found.df == pytest.approx(13.100415, abs=5e-7)
    assert found.effect == pytest.approx(1.388385, abs=5e-7)
    assert found.standard_error**2 == pytest.approx(0.10050132, abs=5e-9)


def _example(seed: int, cases: int = 4, sessions: int = 12) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """A multiple baseline with holes: (value, treated, case, session) in shuffled order."""
    rng = np.random.default_rng(seed)
    case, session = (each.ravel() for each in np.meshgrid(np.arange(cases), np.arange(sessions), indexing="ij"))
    treated = (session >= 4 + case).astype(float)
    noise = rng.normal(size=(cases, sessions))
    for t in range(1, sessions):
        noise[:, t] += 0.4 * noise[:, t - 1]
    value = 3 + rng.normal(size=cases)[case] + 1.5 * treated + noise.ravel()
    kept = rng.permutation(case.size)[: case.size - 5]
    return value[kept], treated[kept], case[kept], session[kept]


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 10**6))
def test_the_restricted_likelihood_is_maximized_and_its_information_is_the_curvature_on_average(seed):
    value, treated, case, session = _example(seed)
    found = between_case(value, treated, case, session)
    design = np.column_stack([np.ones(value.size), treated])
    same, gap = case[:, None] == case, np.abs(session[:, None] - session).astype(float)

    def covariance(sigma2, phi, tau2):
        return np.where(same, sigma2 * np.sign(phi) ** (gap % 2) * np.abs(phi) ** gap + tau2, 0.0)

    def deviance(theta):
        v = covariance(math.exp(theta[0]), math.tanh(theta[1]), math.exp(theta[2]))
        inverse = np.linalg.inv(v)
        gram = design.T @ inverse @ design
        residual = value - design @ np.linalg.solve(gram, design.T @ inverse @ value)
        return np.linalg.slogdet(v)[1] + np.linalg.slogdet(gram)[1] + residual @ inverse @ residual

    sigma2, tau2 = found.sd**2 * (1 - found.icc), found.sd**2 * found.icc
    mine = deviance([math.log(sigma2), math.atanh(found.autocorrelation), math.log(max(tau2, 1e-12))])
    searched = min(
        optimize.minimize(deviance, [math.log(sigma2) + a, b, math.log(max(tau2, 0.05)) + a], method="Nelder-Mead").fun
        for a, b in ((0.3, 0.2), (-0.3, 0.5))
    )
    assert mine <= searched + 1e-3
    inverse = np.linalg.inv(covariance(sigma2, found.autocorrelation, tau2))
    bread = np.linalg.inv(design.T @ inverse @ design)
    assert found.raw == pytest.approx((bread @ design.T @ inverse @ value)[1], abs=1e-8)
    assert found.raw_se == pytest.approx(math.sqrt(bread[1, 1]))
    q = inverse - inverse @ design @ bread @ design.T @ inverse
    step = 1e-5
    base = np.array([sigma2, found.autocorrelation, tau2])
    slopes = [(covariance(*(base + move)) - covariance(*(base - move))) / (2 * step) for move in step * np.eye(3)]
    information = 0.5 * np.array([[np.trace(q @ one @ q @ other) for other in slopes] for one in slopes])
    r = np.array([1, 0, 1])
    assert found.df == pytest.approx(2 * found.sd**4 / (r @ np.linalg.inv(information) @ r), rel=1e-3)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6))
def test_the_moment_estimator_is_that_of_regressions_on_dummies(seed):
    value, treated, case, session = _example(seed)
    found = between_case(value, treated, case, session, method="hps")
    order = np.lexsort((session, case))
    y, trt, who, when = value[order], treated[order], case[order], session[order]
    own = linalg.block_diag(*(np.column_stack([np.ones(n), trt[who == c]]) for c, n in enumerate(np.bincount(who))))
    change = np.linalg.lstsq(own, y, rcond=None)[0][1::2]
    assert found.raw == pytest.approx(change.mean())
    cells = np.unique(np.column_stack([when, trt]), axis=0, return_inverse=True)[1].ravel()
    dummies = (cells[:, None] == np.unique(cells)).astype(float)
    left = y - dummies @ np.linalg.lstsq(dummies, y, rcond=None)[0]
    variance = left @ left / (y.size - dummies.shape[1])
    assert found.sd == pytest.approx(math.sqrt(variance))
    v = np.where(who[:, None] == who, found.icc, 0.0)
    gap = np.abs(when[:, None] - when).astype(float)
    rho = np.sign(found.autocorrelation) ** (gap % 2) * np.abs(found.autocorrelation) ** gap
    v = v + np.where(who[:, None] == who, (1 - found.icc) * rho, 0.0)
    solve = np.linalg.solve(own.T @ own, own.T)
    weights = solve[1::2].mean(axis=0)
    assert found.raw_se == pytest.approx(math.sqrt(weights @ v @ weights * variance))
    clean = np.eye(y.size) - dummies @ np.linalg.pinv(dummies)
    assert found.df == pytest.approx((y.size - dummies.shape[1]) ** 2 / np.trace(clean @ v @ clean @ v))
    factor = 1 - 3 / (4 * found.df - 1)
    assert found.effect == pytest.approx(factor * change.mean() / math.sqrt(variance))
    half = stats.t.ppf(0.975, found.df) * found.standard_error
    assert (found.low, found.high) == pytest.approx((found.effect - half, found.effect + half))


def test_the_order_of_rows_and_the_unit_do_not_matter():
    value, treated, case, session = _example(3)
    for method in ("reml", "hps"):
        one = between_case(value, treated, case, session, method=method)
        order = np.random.default_rng(0).permutation(value.size)
        other = between_case(
            100 + 10 * value[order], treated[order], np.array(list("dabc"))[case[order]], session[order], method=method
        )
        assert (other.effect, other.df, other.raw) == pytest.approx((one.effect, one.df, 10 * one.raw), rel=1e-4)


@pytest.mark.parametrize(("method", "draws"), [("reml", 20), ("hps", 200)])
def test_over_many_studies_the_effect_is_right_on_average_and_its_interval_covers(method, draws):
    rng = np.random.default_rng(12)
    case, session = (each.ravel() for each in np.meshgrid(np.arange(6), np.arange(14), indexing="ij"))
    treated = (session >= 4 + case).astype(float)
    effects, covered = [], 0
    for _ in range(draws):
        value = rng.normal(0, 1, 6)[case] + 1.4 * treated + rng.normal(size=case.size)
        found = between_case(value, treated, case, session, method=method)
        effects.append(found.effect)
        covered += found.low <= 1.4 / math.sqrt(2) <= found.high
    assert np.mean(effects) == pytest.approx(1.4 / math.sqrt(2), abs=0.12)
    assert covered / draws >= 0.90


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"treated": lambda v, t, c, s: t + 1}, "neither 0 nor 1"),
        ({"value": lambda v, t, c, s: np.where(np.arange(v.size) == 2, np.nan, v)}, "row 2"),
        ({"session": lambda v, t, c, s: s * 0}, "same session twice"),
        ({"case": lambda v, t, c, s: c * 0 + np.arange(c.size) // 30}, "at least 3 cases"),
        ({"case": lambda v, t, c, s: c[:-1]}, "lengths differ"),
        ({"value": lambda v, t, c, s: v * 0 + 5}, "vary"),
        ({"treated": lambda v, t, c, s: t * 0}, "at least 3 cases"),
    ],
    ids=range(7),
)
@pytest.mark.parametrize("method", ["reml", "hps"])
def test_ratings_that_cannot_be_standardized_are_refused(change, sentence, method):
    value, treated, case, session = _example(5)
    columns = {
        "value": value,
        "treated": treated,
        "case": case,
        "session": np.arange(value.size) if "case" in change else session,
    }
    for name, make in change.items():
        columns[name] = make(value, treated, case, session)
    with pytest.raises(ValueError, match=sentence):
        between_case(**columns, method=method)


def test_an_unknown_method_is_refused():
    with pytest.raises(ValueError, match="method must be"):
        between_case(*_example(1), method="magic")
