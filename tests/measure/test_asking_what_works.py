import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from staffroom.measure.answering import answer
from staffroom.measure.answering.examining import Examined, examine
from staffroom.measure.claims import Claims
from staffroom.measure.moments import Covariates, cells_from_sums
from staffroom.measure.question import Question, per_teacher
from staffroom.measure.staggered import NEVER, effective_clusters
from tests.measure.panels import district, mpdta


def a_question(*, first_treated, claims=None, covariates=None, **columns):
    cells = cells_from_sums(**columns, covariates=covariates)
    first = per_teacher(cells, columns["teacher"], first_treated, name="first_treated")
    names = ("outcome", *covariates.names) if covariates else ()
    return Question(cells=cells, first_treated=first, claims=claims or Claims(), names=names)


def answered(*, generator=None, **panel):
    """Everything that is said of a panel."""
    return answer(a_question(**panel), generator)


def examined(*, generator=None, **panel):
    """Only what is in the way of an estimate, or the estimate itself."""
    question = a_question(**panel)
    return examine(
        question.cells, question.first_treated, names=question.names[1:], claims=question.claims, generator=generator
    )


def a_district(seed=1, **options):
    return district(np.random.default_rng(seed), **options)


def changed(panel, **columns):
    return {**panel, **columns}


def messages(sentences):
    return [sentence.message for sentence in sentences]


def test_the_power_to_see_a_drift_beside_a_null_result_is_against_what_would_matter():
    found = answered(**a_district(effect=0.0), claims=Claims(registered=True, smallest_effect=0.3))
    gate = next(gate for gate in found.gates if gate.name == "pre_trends")
    assert gate.value == found.details["pre_trends"]["power"] > 0.9
    assert gate.passed


def test_the_headline_on_mpdta():
    # impact.md: imputation -.0477099, Callaway-Sant'Anna simple -.0400 (.0120).
    rows, _ = mpdta()
    found = answered(
        teacher=rows.teacher,
        school=rows.school,
        term=rows.term,
        n=np.ones(len(rows.y)),
        y_sum=rows.y,
        y_sumsq=rows.y**2,
        first_treated=rows.first,
        claims=Claims(reference_sd=1.0),
    )
    assert found.effect.raw == pytest.approx(-0.0477099, abs=5e-8)
    assert found.beside["callaway_santanna"].raw == pytest.approx(-0.0400, abs=5e-5)
    assert found.beside["callaway_santanna"].raw_se == pytest.approx(0.0120, abs=5e-5)
    assert found.tier == 4


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000), st.floats(-500, 500), st.floats(0.1, 50))
def test_the_answer_in_sd_does_not_depend_on_scale_labels_or_order(seed, shift, scale):
    panel = a_district(seed, schools=8, per_school=6, terms=5)
    mixed = np.random.default_rng(seed).permutation(len(panel["n"]))
    other = {name: column[mixed] for name, column in panel.items()}
    other["teacher"] = np.char.add("t", (10_000 - other["teacher"]).astype(str))
    other["y_sumsq"] = scale**2 * other["y_sumsq"] + 2 * shift * scale * other["y_sum"] + other["n"] * shift**2
    other["y_sum"] = scale * other["y_sum"] + other["n"] * shift
    one, two = examined(**panel), examined(**other)
    assert type(one) is type(two)
    if isinstance(one, Examined):
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
    study, without = examined(**panel, covariates=covariates), examined(**panel)
    assert study.effect.raw_se < without.effect.raw_se / 2
    assert messages(study.described.warnings) == ["covariate_dropped"]
    assert "calendar" in str(study.described.warnings[0])


@pytest.mark.parametrize(("schools", "bootstrap"), [(12, True), (12, False)])
def test_few_schools_are_cautious(schools, bootstrap):
    panel = a_district(schools=schools)
    generator = np.random.default_rng(7) if bootstrap else None
    study, plain = examined(**panel, generator=generator), examined(**panel)
    assert study.effect.high - study.effect.low >= plain.effect.high - plain.effect.low - 1e-12
    assert study.effect.p >= plain.effect.p
    assert study.effect.method == ("wild bootstrap" if bootstrap else "CR1")


def test_schools_of_very_different_size_are_as_cautious_as_few():
    panel = a_district(schools=30)
    uneven = changed(panel, school=np.where(panel["school"] < 10, 0, panel["school"]))
    even, found, plain = (
        examined(**each, generator=generator)
        for each, generator in ((panel, np.random.default_rng(7)), (uneven, np.random.default_rng(7)), (uneven, None))
    )
    assert even.effect.method == "CR1"
    assert found.effect.method == "wild bootstrap"
    assert found.effect.high - found.effect.low >= plain.effect.high - plain.effect.low - 1e-12
    assert found.effect.p > plain.effect.p
    gate = next(
        gate for gate in answered(**uneven, generator=np.random.default_rng(7)).gates if gate.name == "clusters"
    )
    assert (gate.sentence.message, gate.ceiling) == ("clusters_uneven", 2)


def test_clusters_count_by_what_they_tell():
    # (Σ n)² / Σ n²: four of one size count as four; of sizes 3, 1, 1 as 25 / 11.
    for sizes, expected in (((2, 2, 2, 2), 4.0), ((3, 1, 1), 25 / 11)):
        school = np.repeat(np.arange(len(sizes)), sizes)
        one = np.ones(school.size)
        cells = cells_from_sums(
            teacher=np.arange(school.size), school=school, term=np.zeros(school.size, dtype=int), n=one, y_sum=one, y_sumsq=one
        )  # fmt: skip
        assert effective_clusters(cells) == pytest.approx(expected)


@pytest.mark.parametrize("schools", [1, 5])
def test_below_six_schools_there_is_no_p_value_and_no_interval(schools):
    found = answered(**a_district(schools=schools, per_school=40))
    lines = (*found.by_event_time, *found.details["by_group"])
    effects = [found.effect, found.beside["twfe"], found.beside["callaway_santanna"], *(line.effect for line in lines)]
    assert found.effect.sd is not None
    assert all(one.se is one.low is one.high is one.p is None for one in effects)
    assert found.mde is None
    assert found.tier == 4
    assert messages(found.sentence)[0] == "no_interval"


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
    found = examined(**changed(panel, first_treated=start(panel["first_treated"])))
    assert not isinstance(found, Examined)
    assert reason in messages(found.reasons)


def test_two_terms_are_too_few_for_the_estimator():
    panel = a_district(schools=8, per_school=5)
    early = panel["term"] < 2
    panel = {name: column[early] for name, column in panel.items()}
    panel["first_treated"] = np.where(panel["first_treated"] >= 0, 1, NEVER)
    assert messages(examined(**panel).reasons) == ["too_few_terms"]


def test_nine_treated_teachers_are_too_few_to_say():
    panel = a_district(schools=8, per_school=5)
    treated = np.isin(panel["teacher"], np.arange(9))
    study = examined(**changed(panel, first_treated=np.where(treated, 4, NEVER)))
    assert messages(study.reasons) == ["too_few_treated"]
    ten = np.isin(panel["teacher"], np.arange(10))
    assert isinstance(examined(**changed(panel, first_treated=np.where(ten, 4, NEVER))), Examined)


def test_scores_that_are_all_the_same_have_no_scale():
    panel = a_district(schools=8, per_school=5)
    same = changed(panel, y_sum=0.1 * panel["n"], y_sumsq=0.01 * panel["n"])
    assert messages(examined(**same).reasons) == ["no_spread"]


def test_one_row_is_described():
    found = answered(teacher=[1], school=[1], term=[0], n=[1], y_sum=[0.5], y_sumsq=[0.25], first_treated=[-1])
    assert found.estimator == "describe"
    assert found.details["sides"]["untreated"]["mean"] is None


def test_teachers_treated_from_the_start_are_left_out_and_told():
    panel = a_district(schools=10, per_school=8)
    always = np.isin(panel["teacher"], [0, 1, 2])
    study = examined(**changed(panel, first_treated=np.where(always, 0, panel["first_treated"])))
    without = examined(**{name: column[~always] for name, column in panel.items()})
    assert messages(study.described.warnings) == ["always_treated"]
    assert study.effect.sd == pytest.approx(without.effect.sd)
    assert study.described.n.teachers == 77


def test_lines_with_too_few_teachers_are_hidden_with_a_companion():
    panel = a_district(schools=10, per_school=8)
    first = np.where(panel["teacher"] < 2, 5, np.where(panel["teacher"] < 40, 3 + panel["teacher"] % 2, NEVER))
    lines = answered(**changed(panel, first_treated=first)).details["by_group"]
    hidden = [one.group for one in lines if one.hidden]
    assert 5 in hidden
    assert len(hidden) == 2
    assert all(one.effect.raw is None and one.n.results == 0 for one in lines if one.hidden)


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
        examined(**changed(panel, **change(panel)))


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
    found = answered(**panel)
    assert (found.estimator == "describe") == (found.effect is None) == bool(found.reasons)
    assert found.sentence or found.reasons
    assert found.tier >= 3
    for one in (found.effect, *found.beside.values(), *(line.effect for line in found.by_event_time)):
        if one is not None:
            numbers = [v for v in dataclasses.astuple(one) if isinstance(v, float)]
            assert np.isfinite(numbers).all()
            assert (one.low is None) == (one.p is None)
            assert one.low is None or found.n.clusters >= 6
