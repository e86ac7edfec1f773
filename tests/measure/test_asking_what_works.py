import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from staffroom.measure.study import NEVER, Claims, Covariates, estimate
from tests.measure.panels import district, mpdta


def a_district(seed=1, **options):
    return district(np.random.default_rng(seed), **options)


def changed(panel, **columns):
    return {**panel, **columns}


def messages(sentences):
    return [sentence.message for sentence in sentences]


def test_a_district_gets_its_effect_with_all_that_must_stand_beside_it():
    study = estimate(**a_district(), claims=Claims(registered=True))
    assert study.estimator == "imputation"
    assert study.effect.low < 0.12 / study.comparison_sd < study.effect.high
    assert study.effect.sd == pytest.approx(study.effect.raw / study.comparison_sd)
    assert study.effect.se == pytest.approx(study.effect.raw_se / study.comparison_sd)
    assert study.effect.df == study.n.clusters - 1 == 29
    assert study.n.treated_teachers + study.n.untreated_teachers == study.n.teachers == 420
    assert study.mde == pytest.approx(study.effect.se * 2.90, rel=0.01)
    assert study.tier == 2
    assert [gate.name for gate in study.gates] == [
        "registered",
        "minimum_cell",
        "clusters",
        "pre_trends",
        "sample",
        "separates_from_zero",
        "minimum_detectable_effect",
    ]
    assert study.text.startswith("Students whose teachers took part scored 0.")
    assert study.twfe is not None
    assert study.callaway_santanna.low < 0.12 < study.callaway_santanna.high
    assert [one.key for one in study.by_event_time] == [0, 1, 2, 3, 4, 5]
    assert [one.key for one in study.by_group] == [2, 3, 4, 5, 6, 7]


def test_the_power_to_see_a_drift_beside_a_null_result_is_against_what_would_matter():
    study = estimate(**a_district(effect=0.0), claims=Claims(registered=True, smallest_effect=0.3))
    assert abs(study.pre_trends.against) == pytest.approx(0.3 * study.comparison_sd)
    gate = next(gate for gate in study.gates if gate.name == "pre_trends")
    assert gate.value == study.pre_trends.power > 0.9
    assert gate.passed


def test_what_was_not_registered_is_said_to_be_exploratory():
    study = estimate(**a_district())
    assert study.tier == 3
    assert messages(study.sentence)[-1] == "exploratory"


def test_the_headline_on_mpdta():
    # impact.md: imputation -.0477099, Callaway-Sant'Anna simple -.0400 (.0120).
    rows, _ = mpdta()
    study = estimate(
        teacher=rows.teacher,
        school=rows.school,
        term=rows.term,
        n=np.ones(len(rows.y)),
        y_sum=rows.y,
        y_sumsq=rows.y**2,
        first_treated=rows.first,
        claims=Claims(reference_sd=1.0),
    )
    assert study.effect.raw == pytest.approx(-0.0477099, abs=5e-8)
    assert study.callaway_santanna.raw == pytest.approx(-0.0400, abs=5e-5)
    assert study.callaway_santanna.raw_se == pytest.approx(0.0120, abs=5e-5)
    assert study.tier == 4


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000), st.floats(-500, 500), st.floats(0.1, 50))
def test_the_answer_in_sd_does_not_depend_on_scale_labels_or_order(seed, shift, scale):
    panel = a_district(seed, schools=8, per_school=6, terms=5)
    mixed = np.random.default_rng(seed).permutation(len(panel["n"]))
    other = {name: column[mixed] for name, column in panel.items()}
    other["teacher"] = np.char.add("t", (10_000 - other["teacher"]).astype(str))
    other["y_sumsq"] = scale**2 * other["y_sumsq"] + 2 * shift * scale * other["y_sum"] + other["n"] * shift**2
    other["y_sum"] = scale * other["y_sum"] + other["n"] * shift
    one, two = estimate(**panel), estimate(**other)
    assert one.estimator == two.estimator
    if one.effect is not None:
        np.testing.assert_allclose(
            [one.effect.sd, one.effect.se, one.effect.p], [two.effect.sd, two.effect.se, two.effect.p], rtol=1e-5
        )


def test_covariates_are_used_and_those_that_say_nothing_are_named():
    panel = a_district(schools=20, per_school=6)
    rng = np.random.default_rng(0)
    load = rng.normal(size=len(panel["n"]))
    panel["y_sumsq"] = panel["y_sumsq"] + 2 * load * panel["y_sum"] + panel["n"] * load**2
    panel["y_sum"] = panel["y_sum"] + panel["n"] * load
    values = np.column_stack([load, panel["term"]])
    covariates = Covariates.constant(("load", "calendar"), values, n=panel["n"], y_sum=panel["y_sum"])
    study, without = estimate(**panel, covariates=covariates), estimate(**panel)
    assert study.effect.raw_se < without.effect.raw_se / 2
    assert messages(study.warnings) == ["covariate_dropped"]
    assert "calendar" in str(study.warnings[0])


def test_few_teachers_cannot_tell_and_are_told_how_many_more():
    study = estimate(**a_district(seed=3, schools=22, per_school=2, effect=0.0))
    assert messages(study.sentence)[:2] == ["cannot_tell", "not_enough_yet"]
    assert study.more_teachers > 0
    assert study.tier == 4


@pytest.mark.parametrize(("schools", "bootstrap"), [(12, True), (12, False)])
def test_few_schools_are_cautious(schools, bootstrap):
    panel = a_district(schools=schools)
    generator = np.random.default_rng(7) if bootstrap else None
    study, plain = estimate(**panel, generator=generator), estimate(**panel)
    assert study.effect.high - study.effect.low >= plain.effect.high - plain.effect.low - 1e-12
    assert study.effect.p >= plain.effect.p
    gate = next(gate for gate in study.gates if gate.name == "clusters")
    assert gate.sentence.message == ("clusters_bootstrap" if bootstrap else "clusters_approximate")


@pytest.mark.parametrize("schools", [1, 5])
def test_below_six_schools_there_is_no_p_value_and_no_interval(schools):
    study = estimate(**a_district(schools=schools, per_school=40))
    effects = [study.effect, study.twfe, study.callaway_santanna, *study.by_event_time, *study.by_group]
    assert study.effect.sd is not None
    assert all(one.se is one.low is one.high is one.p is None for one in effects)
    assert study.mde is None
    assert study.tier == 4
    assert messages(study.sentence)[0] == "no_interval"


@pytest.mark.parametrize(
    ("start", "reason"),
    [
        (lambda first: np.full_like(first, NEVER), "nobody_took_part"),
        (lambda first: np.full_like(first, 100), "nobody_took_part"),
        (lambda first: np.full_like(first, 0), "no_comparison"),
        (lambda first: np.full_like(first, 3), "no_counterfactual"),
    ],
    ids=["never", "after the data", "always", "all at once"],
)
def test_without_both_sides_there_is_only_a_description(start, reason):
    panel = a_district(schools=8, per_school=5)
    study = estimate(**changed(panel, first_treated=start(panel["first_treated"])))
    assert study.estimator == "describe"
    assert study.effect is None
    assert reason in messages(study.reasons)
    assert study.tier == 4
    assert study.text


def test_two_terms_are_too_few_for_the_estimator():
    panel = a_district(schools=8, per_school=5)
    early = panel["term"] < 2
    panel = {name: column[early] for name, column in panel.items()}
    panel["first_treated"] = np.where(panel["first_treated"] >= 0, 1, NEVER)
    assert messages(estimate(**panel).reasons) == ["too_few_terms"]


def test_nine_treated_teachers_are_too_few_to_say():
    panel = a_district(schools=8, per_school=5)
    treated = np.isin(panel["teacher"], np.arange(9))
    study = estimate(**changed(panel, first_treated=np.where(treated, 4, NEVER)))
    assert messages(study.reasons) == ["too_few_treated"]
    ten = np.isin(panel["teacher"], np.arange(10))
    assert estimate(**changed(panel, first_treated=np.where(ten, 4, NEVER))).estimator == "imputation"


def test_scores_that_are_all_the_same_have_no_scale():
    panel = a_district(schools=8, per_school=5)
    same = changed(panel, y_sum=0.1 * panel["n"], y_sumsq=0.01 * panel["n"])
    assert messages(estimate(**same).reasons) == ["no_spread"]


def test_one_row_is_described():
    study = estimate(teacher=[1], school=[1], term=[0], n=[1], y_sum=[0.5], y_sumsq=[0.25], first_treated=[-1])
    assert study.estimator == "describe"
    assert study.untreated.mean is None


def test_teachers_treated_from_the_start_are_left_out_and_told():
    panel = a_district(schools=10, per_school=8)
    always = np.isin(panel["teacher"], [0, 1, 2])
    study = estimate(**changed(panel, first_treated=np.where(always, 0, panel["first_treated"])))
    without = estimate(**{name: column[~always] for name, column in panel.items()})
    assert messages(study.warnings) == ["always_treated"]
    assert study.effect.sd == pytest.approx(without.effect.sd)
    assert study.n.teachers == 77


def test_lines_with_too_few_teachers_are_hidden_with_a_companion():
    panel = a_district(schools=10, per_school=8)
    first = np.where(panel["teacher"] < 2, 5, np.where(panel["teacher"] < 40, 3 + panel["teacher"] % 2, NEVER))
    study = estimate(**changed(panel, first_treated=first))
    hidden = [one.key for one in study.by_group if one.hidden]
    assert 5 in hidden
    assert len(hidden) == 2
    assert all(one.raw is None and one.size.results == 0 for one in study.by_group if one.hidden)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda p: {"first_treated": np.where(np.arange(len(p["n"])) == 5, 99, p["first_treated"])},
            "differs .* row 5",
        ),
        (lambda p: {"first_treated": np.full(len(p["n"]), -2)}, "first_treated is below -1 in row 0"),
        (lambda p: {"first_treated": p["first_treated"][:-1]}, "first_treated has"),
        (lambda p: {"first_treated": np.full(len(p["n"]), np.nan)}, "first_treated is missing or not finite in row 0"),
        (lambda p: {"term": p["term"] * 100}, "number them consecutively"),
        (lambda p: {"teacher": np.zeros(len(p["n"]), dtype=int)}, "a second time in row 8"),
        (lambda p: {"y_sum": np.where(np.arange(len(p["n"])) == 3, np.inf, p["y_sum"])}, "not finite in row 3"),
        (lambda p: {"n": -p["n"]}, "n is below 1 in row 0"),
    ],
)
def test_wrong_data_are_refused_by_row(change, message):
    panel = a_district(schools=2, per_school=4)
    with pytest.raises(ValueError, match=message):
        estimate(**changed(panel, **change(panel)))


@pytest.mark.parametrize(
    "wrong", [{"confidence": 1.0}, {"power": 0.0}, {"smallest_effect": 0.0}, {"reference_sd": -1.0}]
)
def test_claims_without_meaning_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Claims(**wrong)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 100_000), st.integers(1, 9), st.integers(1, 6), st.integers(1, 5), st.floats(0, 1))
def test_small_data_never_break_and_never_claim_what_they_cannot(seed, schools, per_school, terms, share):
    rng = np.random.default_rng(seed)
    panel = district(rng, schools=schools, per_school=per_school, terms=max(terms, 3), share=share)
    kept = (panel["term"] < terms) & (rng.random(len(panel["n"])) < 0.8)
    if not kept.any():
        return
    panel = {name: column[kept] for name, column in panel.items()}
    study = estimate(**panel)
    assert (study.estimator == "describe") == (study.effect is None) == bool(study.reasons)
    assert study.text
    assert study.tier >= 3
    for one in (study.effect, study.twfe, study.callaway_santanna, *study.by_event_time, *study.by_group):
        if one is not None:
            numbers = [v for v in dataclasses.astuple(one) if isinstance(v, float)]
            assert np.isfinite(numbers).all()
            assert (one.low is None) == (one.p is None)
            assert one.low is None or study.n.clusters >= 6
