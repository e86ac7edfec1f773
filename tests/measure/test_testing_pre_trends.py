import numpy as np
import pytest

from staffroom.measure.moments import cells_from_sums
from staffroom.measure.pretrends import pre_trends
from tests.measure.panels import Rows, district, unbalanced_rows


def tried(rng, *, effect=0.12, smallest=0.0, **options):
    panel = district(rng, per_school=6, terms=6, **options)
    first = panel.pop("first_treated")
    return pre_trends(cells_from_sums(**panel), first[::6], effect=effect, smallest=smallest)


@pytest.mark.filterwarnings("ignore")  # pyfixest's own
def test_leads_and_their_test_are_those_of_pyfixest_on_untreated_rows():
    pyfixest = pytest.importorskip("pyfixest")
    pandas = pytest.importorskip("pandas")
    rows = unbalanced_rows(21, teachers=60, terms=6, schools=12)
    cells = rows.cells()
    found = pre_trends(cells, rows.first_of(cells), effect=0.3, leads=2)
    lead = np.where(rows.first >= 0, rows.first - rows.term, 0)
    columns = {"y": rows.y, "one": lead == 1, "two": lead == 2, "teacher": rows.teacher}
    table = pandas.DataFrame(columns | {"term": rows.term, "school": rows.school}).astype(float)[~rows.treated]
    fit = pyfixest.feols(
        "y ~ one + two | teacher + term", table, vcov={"CRV1": "school"}, fixef_rm="none", fixef_tol=1e-13
    )
    assert [one.event_time for one in found.leads] == [-1, -2]
    np.testing.assert_allclose([one.effect for one in found.leads], fit.coef(), rtol=1e-8)
    np.testing.assert_allclose([one.standard_error for one in found.leads], fit.se(), rtol=1e-8)
    wald = fit.wald_test(R=np.eye(2), distribution="F")
    assert found.f == pytest.approx(wald["statistic"], rel=1e-8)
    assert found.p == pytest.approx(wald["pvalue"], rel=1e-6)


def test_without_drift_the_test_rejects_about_one_time_in_twenty():
    rng = np.random.default_rng(4)
    p = [tried(rng, schools=40).p for _ in range(200)]
    assert 0.02 <= np.mean(np.array(p) < 0.05) <= 0.10


def test_a_drift_is_seen_as_often_as_its_power_says():
    rng = np.random.default_rng(5)
    found = [tried(rng, schools=30, drift=0.03) for _ in range(150)]
    per_term = found[0].drift / 0.12
    told = [tried(rng, schools=30, effect=0.03 / per_term).power for _ in range(150)]
    assert np.mean([one.p < 0.05 for one in found]) == pytest.approx(np.mean(told), abs=0.10)


def test_the_drift_is_the_one_that_the_estimator_takes_for_the_effect():
    rows = unbalanced_rows(22, teachers=40, schools=10)
    cells = rows.cells()
    found = pre_trends(cells, rows.first_of(cells), effect=0.3)
    y = np.where(rows.first >= 0, found.drift * (rows.term - rows.first), 0.0) + rows.teacher - 2.0 * rows.term
    from staffroom.measure.staggered import imputed_mean

    drifting = Rows(rows.teacher, rows.school, rows.term, y, rows.x, rows.first).cells()
    assert imputed_mean(drifting, rows.first_of(drifting)) == pytest.approx(0.3)


def test_beside_a_null_result_the_power_is_against_the_smallest_effect_that_matters():
    null = tried(np.random.default_rng(6), schools=40, effect=-1e-6)
    asked = tried(np.random.default_rng(6), schools=40, effect=-1e-6, smallest=0.12)
    assert (null.against, asked.against) == (-1e-6, -0.12)
    assert null.power == pytest.approx(0.05, abs=1e-6)
    assert asked.power > 0.5
    assert asked.power == pytest.approx(tried(np.random.default_rng(6), schools=40, effect=0.12).power)


def test_a_larger_effect_than_the_smallest_that_matters_is_the_one_to_explain():
    large = tried(np.random.default_rng(6), schools=40, effect=0.12, smallest=0.05)
    assert large == tried(np.random.default_rng(6), schools=40, effect=0.12)


def test_a_run_up_of_one_term_allows_no_test():
    rows = unbalanced_rows(23)
    first = np.where(rows.first >= 0, 1, -1)
    cells = rows.cells()
    short = Rows(rows.teacher, rows.school, rows.term, rows.y, rows.x, first)
    assert pre_trends(cells, short.first_of(cells), effect=0.1) is None


def test_more_leads_than_schools_allow_no_test():
    rows = unbalanced_rows(24, schools=3)
    cells = rows.cells()
    assert pre_trends(cells, rows.first_of(cells), effect=0.1) is None
