import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from staffroom.measure.ancova import entropy_balanced, placebo_prior
from staffroom.measure.cells import Cells, cells_from_rows
from tests.measure.panels import dense
from tests.measure.test_balancing_by_entropy import by_row, cells_of, classes

SEEDS = st.integers(0, 10_000)


def dense_inference(x, y, weight, cluster):
    """Last coefficient of weighted least squares on rows, its CR2 error with equal variances, Satterthwaite's df, CR1."""
    bread = np.linalg.inv(x.T @ (weight[:, None] * x))
    beta = bread @ x.T @ (weight * y)
    maker = np.eye(len(y)) - x @ bread @ (x * weight[:, None]).T
    middle, residual, parts, scores = maker @ maker.T, y - x @ beta, [], []
    groups = [np.flatnonzero(cluster == g) for g in np.unique(cluster)]
    for here in groups:
        size, axes = np.linalg.eigh(middle[np.ix_(here, here)])
        root = np.where(size > 1e-8, 1 / np.sqrt(np.maximum(size, 1e-8)), 0)
        pull = axes @ (root * (axes.T @ (weight[here] * (x[here] @ bread[-1]))))
        scores.append(pull @ residual[here])
        parts.append(maker[here].T @ pull)
    gram = np.array(parts) @ np.array(parts).T
    plain = np.array([(weight[h] * residual[h]) @ x[h] @ bread[-1] for h in groups])
    n, k, g = len(y), x.shape[1], len(groups)
    cr1 = np.sqrt((n - 1) / (n - k) * g / (g - 1) * plain @ plain)
    return beta[-1], np.linalg.norm(scores), np.trace(gram) ** 2 / (gram**2).sum(), cr1


@settings(max_examples=20, deadline=None)
@given(SEEDS)
def test_effect_error_and_degrees_are_those_of_student_rows(seed):
    rows, part = classes(seed)
    cells = cells_of(rows)
    ours = entropy_balanced(cells, part, prior=1, covariates=np.array([2]))
    taking_part = part[rows["teacher"]]
    x = np.column_stack([dense(rows["term"]), rows["prior"] - 300, rows["poor"], taking_part])
    plain = dense_inference(x, rows["y"], np.ones(len(x)), rows["school"])
    np.testing.assert_allclose(
        [ours.plain.effect, ours.plain.standard_error, ours.plain.df], plain[:3], rtol=1e-6, atol=1e-9
    )
    if not ours.converged:
        assert np.isnan(ours.effect)
        return
    weight = by_row(cells, rows, ours.weights)
    expected = dense_inference(x, rows["y"], weight, rows["school"])
    np.testing.assert_allclose([ours.effect, ours.standard_error, ours.df], expected[:3], rtol=1e-6, atol=1e-9)
    cruder = entropy_balanced(cells, part, prior=1, covariates=np.array([2]), kind="CR1")
    np.testing.assert_allclose(cruder.standard_error, expected[3], rtol=1e-7)
    side = taking_part == 1
    difference = rows["y"][side].mean() - np.average(rows["y"][~side], weights=weight[~side])
    assert ours.effect == pytest.approx(difference, abs=1e-6)


def district(rng, *, schools=20, per_school=8, whole=False, effect=0.2, moved=0.0):
    """Cells of two terms: teachers (or whole schools) of higher prior scores take part more often; `moved` prior scores."""
    teachers = schools * per_school
    home = np.repeat(np.arange(schools), per_school)
    level = rng.normal(0, 0.3, teachers) + rng.normal(0, 0.2, schools)[home]
    if whole:
        mean = np.bincount(home, level) / per_school
        part = (1.5 * mean + 0.4 * rng.normal(size=schools) > 0)[home].astype(np.int64)
    else:
        part = (rng.random(teachers) < 1 / (1 + np.exp(0.3 - 1.5 * level))).astype(np.int64)
    who, when = np.divmod(np.arange(teachers * 2), 2)
    n = rng.integers(15, 30, who.size).astype(float)
    prior = level[who] + moved * part[who] + rng.normal(size=who.size) / np.sqrt(n)
    shocks = rng.normal(0, 0.15, schools)[home[who]] + rng.normal(0, 0.15, teachers)[who]
    terms = rng.normal(0, 0.08, (schools, 2))[home[who], when] + 0.1 * when
    y = 0.7 * prior + shocks + terms + effect * part[who] + 0.7 * rng.normal(size=who.size) / np.sqrt(n)
    inner = rng.chisquare(n - 1)
    scatter = inner[:, None, None] * np.array([[0.49, 0.7], [0.7, 1.0]])
    scatter[:, 0, 0] += 0.49 * rng.chisquare(n - 1)
    names = np.arange(teachers), np.arange(2), np.arange(schools)
    return Cells(who, when, n, np.column_stack([y, prior]), scatter, home, *names), part


@pytest.mark.parametrize(("whole", "schools"), [(False, 20), (True, 24)])
def test_intervals_cover_the_effect_in_95_of_100_districts(whole, schools):
    rng = np.random.default_rng(5)
    found = [entropy_balanced(*district(rng, schools=schools, whole=whole), prior=1) for _ in range(250)]
    covered = np.mean([one.low <= 0.2 <= one.high for one in found if one.converged])
    assert np.mean([one.converged for one in found]) > 0.9
    assert 0.93 <= covered <= 0.97
    effects = np.array([one.effect for one in found if one.converged])
    assert abs(effects.mean() - 0.2) < 3 * effects.std() / np.sqrt(len(effects))


def test_leaving_out_each_school_and_balancing_anew_gives_the_same_error():
    cells, part = district(np.random.default_rng(3), schools=30)
    ours = entropy_balanced(cells, part, prior=1)
    without = [entropy_balanced(cells.take(cells.cluster != g), part, prior=1).effect for g in range(30)]
    jackknife = np.sqrt(29 / 30 * ((np.array(without) - np.mean(without)) ** 2).sum())
    assert ours.standard_error == pytest.approx(jackknife, rel=0.1)


def test_confounding_by_the_prior_score_is_removed():
    rows, part = classes(5, teachers=120, schools=20)
    cells = cells_of(rows)
    side = part[rows["teacher"]] == 1
    naive = rows["y"][side].mean() - rows["y"][~side].mean()
    ours = entropy_balanced(cells, part, prior=1, covariates=np.array([2]))
    assert abs(naive - 4) > 3
    assert ours.low < 4 < ours.high
    assert [line.column for line in ours.balance] == [1, 2]
    assert ours.clusters_used == 20
    assert sum(ours.results) == len(side)
    more = [classes(seed, teachers=120, schools=20) for seed in range(25)]
    effects = [entropy_balanced(cells_of(each), who, prior=1, covariates=np.array([2])).effect for each, who in more]
    assert abs(np.nanmean(effects) - 4) < 0.5


def test_the_placebo_sees_groups_that_differ_in_who_is_in_them():
    rng = np.random.default_rng(1)
    cells, part = district(rng, schools=30, moved=0.6)
    assert placebo_prior(cells, part, prior=1).p < 0.001
    at_random = rng.permutation(part)
    fair = [placebo_prior(cells, rng.permutation(at_random), prior=1).p for _ in range(40)]
    assert 0.0 <= np.mean(np.array(fair) < 0.05) <= 0.15


def test_one_school_gives_an_effect_but_no_interval():
    rows, part = classes(8, schools=1)
    ours = entropy_balanced(cells_of(rows), part, prior=1)
    assert np.isfinite(ours.effect)
    assert np.isnan([ours.standard_error, ours.p, ours.low, ours.high]).all()


def test_hostile_data_give_a_reason_and_no_number():
    unit = np.arange(8)
    part = (unit < 4).astype(np.int64)
    flat = cells_from_rows(teacher=unit, school=unit, term=0 * unit, columns=[0.0 * unit, 0 * unit + 3.0])
    nothing = entropy_balanced(flat, part, prior=1)
    assert (nothing.effect, nothing.converged) == (0, True)
    assert not nothing.low < 0 < nothing.high
    everyone = entropy_balanced(flat, np.ones(8, dtype=np.int64), prior=1)
    assert np.isnan(everyone.effect)
    assert everyone.reason == "nobody_compared"
    assert everyone.balance == ()
    apart = cells_from_rows(teacher=unit, school=unit, term=0 * unit, columns=[unit, np.where(part, 9.0, unit)])
    none = entropy_balanced(apart, part, prior=1)
    assert (none.reason, none.column) == ("outside", 1)
    assert np.isnan([none.effect, none.low, none.high]).all()


def test_columns_that_are_not_there_are_refused():
    rows, part = classes(2)
    cells = cells_of(rows)
    for bad in ({"prior": 3}, {"prior": 0}, {"prior": -1}, {"prior": 1, "covariates": np.array([9])}):
        with pytest.raises(ValueError, match="column"):
            entropy_balanced(cells, part, **bad)
    with pytest.raises(ValueError, match="kind"):
        entropy_balanced(cells, part, prior=1, kind="HC9")


def test_analytic_weights_count_as_precision_and_the_same_for_all_as_none():
    rows, part = classes(9)
    keys = {name: rows[name] for name in ("teacher", "school", "term")}
    columns = [rows["y"], rows["prior"]]
    plain = entropy_balanced(cells_from_rows(**keys, columns=columns), part, prior=1)
    same = entropy_balanced(
        cells_from_rows(**keys, columns=columns, weight=np.full(len(rows["y"]), 3.0)), part, prior=1
    )
    for name in ("effect", "standard_error", "df", "effective_n", "effective_teachers", "comparison_sd"):
        assert getattr(same, name) == pytest.approx(getattr(plain, name), rel=1e-7)
    assert same.balance[0].g_before == pytest.approx(plain.balance[0].g_before)
    weight = np.random.default_rng(1).uniform(0.5, 2, len(rows["y"]))
    weighed = entropy_balanced(cells_from_rows(**keys, columns=columns, weight=weight), part, prior=1)
    side = part[rows["teacher"]] == 1
    assert weighed.balance[0].treated_mean == pytest.approx(np.average(rows["prior"][side], weights=weight[side]))
    assert weighed.balance[0].weighted_mean == pytest.approx(weighed.balance[0].treated_mean)
