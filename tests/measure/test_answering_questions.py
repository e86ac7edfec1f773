import dataclasses
import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from staffroom.measure.answer import Answer
from staffroom.measure.answering import among, answer, brief
from staffroom.measure.cells import cells_from_rows
from staffroom.measure.many import Grid
from staffroom.measure.moments import cells_from_sums
from staffroom.measure.question import NEVER, Claims, Overrides, Portfolio, Question, per_teacher
from staffroom.measure.staggered import impute
from tests.measure.panels import district, mpdta, unbalanced_rows


def a_question(seed=1, *, claims=None, overrides=None, **options):
    panel = district(np.random.default_rng(seed), **options)
    first = panel.pop("first_treated")
    cells = cells_from_sums(**panel)
    return Question(
        cells=cells,
        first_treated=per_teacher(cells, panel["teacher"], first, name="first_treated"),
        claims=claims or Claims(registered=True),
        overrides=overrides or Overrides(),
    )


def messages(sentences):
    return [sentence.message for sentence in sentences]


def gate(found: Answer, name: str):
    return next(one for one in found.gates if one.name == name)


def numbers(value):
    """All numbers in an answer, wherever they stand."""
    if dataclasses.is_dataclass(value):
        value = [getattr(value, one.name) for one in dataclasses.fields(value)]
    if hasattr(value, "values"):
        value = list(value.values())
    if isinstance(value, list | tuple):
        return [number for each in value for number in numbers(each)]
    return [value] if isinstance(value, float) else []


def test_a_district_gets_its_answer_with_all_that_must_stand_beside_it():
    found = answer(a_question(), np.random.default_rng(0))
    assert found.estimator == "imputation"
    assert found.effect.low < 0.12 / found.comparison_sd < found.effect.high
    assert found.effect.raw_low == pytest.approx(found.effect.low * found.comparison_sd)
    assert found.n.treated_teachers + found.n.comparison_teachers == found.n.teachers == 420
    assert found.tier == 2
    assert messages(found.decision)[-1] == "branch_staggered"
    assert [line.event_time for line in found.by_event_time] == [-4, -3, -2, -1, 0, 1, 2, 3, 4, 5]
    assert set(found.beside) >= {"callaway_santanna", "twfe"}
    after = [line for line in found.by_event_time if line.event_time >= 0]
    assert all(line.band_low <= line.effect.low and line.band_high >= line.effect.high for line in after)
    assert {(line.group, line.term) for line in found.by_group_time} >= {(2, 2), (2, 7), (7, 7)}


def test_the_headline_on_mpdta():
    # impact.md: imputation -.0477099, Callaway-Sant'Anna simple -.0400 (.0120).
    rows, _ = mpdta()
    cells = cells_from_rows(teacher=rows.teacher, school=rows.school, term=rows.term, columns=[rows.y])
    found = answer(Question(cells=cells, first_treated=rows.first_of(cells), overrides=Overrides(sd=1.0)))
    assert found.effect.raw == pytest.approx(-0.0477099, abs=5e-8)
    assert found.beside["callaway_santanna"].raw == pytest.approx(-0.0400, abs=5e-5)
    assert found.beside["callaway_santanna"].raw_se == pytest.approx(0.0120, abs=5e-5)


@pytest.mark.parametrize("estimator", ["callaway_santanna", "twfe"])
def test_another_estimator_of_panels_may_stand_in_the_headline(estimator):
    plain = answer(a_question())
    found = answer(a_question(overrides=Overrides(estimator=estimator)))
    assert found.estimator == estimator
    assert found.effect.raw == plain.beside[estimator].raw
    assert found.beside["imputation"].raw == plain.effect.raw
    assert found.tier >= (3 if estimator == "twfe" else plain.tier)
    assert ("override_twfe" in messages(found.warnings)) == (estimator == "twfe")


def test_what_was_not_registered_is_said_to_be_exploratory():
    found = answer(a_question(claims=Claims()))
    assert found.tier == 3
    assert messages(found.sentence)[-1] == "exploratory"


def test_many_questions_lower_the_tier_where_the_finding_may_be_chance():
    question = a_question()
    alone = answer(question)
    among = answer(dataclasses.replace(question, portfolio=Portfolio(p=(0.5,) * 5, unknown=10**9)))
    assert (alone.tier, among.tier) == (2, 4)
    assert gate(among, "multiplicity").sentence.message == "many_questions_fail"


def test_answers_seen_together_are_each_held_against_the_others():
    """As if each had been asked with the portfolio of the others."""
    questions = [
        a_question(seed, schools=22, per_school=4, terms=4, effect=size) for seed, size in enumerate((0.3, 0, 0))
    ]
    alone = [answer(question) for question in questions]
    p = [one.effect.p for one in alone]
    for place, (one, question) in enumerate(zip(among(alone), questions, strict=True)):
        others = Portfolio(p=tuple(value for other, value in enumerate(p) if other != place))
        asked = answer(dataclasses.replace(question, portfolio=others))
        assert gate(one, "multiplicity") == gate(asked, "multiplicity")
        assert one.tier == asked.tier >= alone[place].tier
    nothing = answer(dataclasses.replace(questions[0], first_treated=np.full(88, NEVER)))
    assert among([nothing, alone[0]])[0] == nothing


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 10_000), st.floats(-500, 500), st.floats(0.1, 50))
def test_scale_order_and_labels_change_nothing_in_sd(seed, shift, scale):
    panel = district(np.random.default_rng(seed), schools=8, per_school=6, terms=5)
    mixed = np.random.default_rng(seed).permutation(len(panel["n"]))
    other = {name: column[mixed] for name, column in panel.items()}
    other["teacher"] = np.char.add("t", (10_000 - other["teacher"]).astype(str))
    other["y_sumsq"] = scale**2 * other["y_sumsq"] + 2 * shift * scale * other["y_sum"] + other["n"] * shift**2
    other["y_sum"] = scale * other["y_sum"] + other["n"] * shift
    found = []
    for one in (panel, other):
        first = one.pop("first_treated")
        cells = cells_from_sums(**one)
        found.append(answer(Question(cells=cells, first_treated=per_teacher(cells, one["teacher"], first, name="f"))))
    one, two = found
    assert (one.estimator, one.tier, messages(one.sentence)) == (two.estimator, two.tier, messages(two.sentence))
    if one.effect is not None and one.effect.se is not None:
        pairs = [(getattr(one.effect, name), getattr(two.effect, name)) for name in ("sd", "se", "p", "low", "high")]
        pairs.append((one.replicability.tau, two.replicability.tau))
        np.testing.assert_allclose(*zip(*pairs, strict=True), rtol=1e-4, atol=1e-6)


def test_fake_activities_that_are_taken_for_real_lower_the_tier():
    question = a_question()
    often = dataclasses.replace(question, placebo_rejections=0.12, placebo_draws=500)
    seldom = dataclasses.replace(question, placebo_rejections=0.01, placebo_draws=500)
    right = dataclasses.replace(question, placebo_rejections=0.05, placebo_draws=500)
    assert [answer(one).tier for one in (often, seldom, right)] == [3, 2, 2]


@settings(max_examples=6, deadline=None)
@given(
    st.integers(0, 10_000),
    st.sampled_from([None, "callaway_santanna", "twfe", "entropy_balanced", "describe", "etwfe"]),
    st.sampled_from([None, "teacher", "site"]),
    st.sampled_from([None, 0.5, 0.8]),
    st.sampled_from([None, 0.1, 100.0]),
)
@example(1173, None, None, 0.5, None)
def test_overrides_never_lift_a_tier(seed, estimator, cluster, confidence, sd):
    asked = Overrides(estimator=estimator, cluster=cluster, confidence=confidence, sd=sd)
    options = {"schools": 8, "per_school": 5, "terms": 4, "effect": 0.15}
    plain = answer(a_question(seed, **options), np.random.default_rng(1))
    assert answer(a_question(seed, **options, overrides=asked), np.random.default_rng(1)).tier >= plain.tier


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 100_000), st.integers(1, 8), st.integers(1, 6), st.integers(1, 5), st.floats(0, 1))
def test_small_data_never_break_and_never_claim_what_they_cannot(seed, schools, per_school, terms, share):
    rng = np.random.default_rng(seed)
    panel = district(rng, schools=schools, per_school=per_school, terms=max(terms, 3), share=share)
    kept = (panel["term"] < terms) & (rng.random(len(panel["n"])) < 0.8)
    if not kept.any():
        return
    panel = {name: column[kept] for name, column in panel.items()}
    first = panel.pop("first_treated")
    cells = cells_from_sums(**panel)
    found = answer(Question(cells=cells, first_treated=per_teacher(cells, panel["teacher"], first, name="f")), rng)
    assert (found.estimator == "describe") == (found.effect is None) == bool(found.reasons)
    assert found.sentence
    assert found.tier >= 3
    assert all(math.isfinite(number) for number in numbers(found))
    assert found.effect is None or found.effect.low is None or found.n.clusters >= 6


@pytest.mark.parametrize("never", [NEVER])
def test_nobody_took_part(never):
    question = dataclasses.replace(a_question(), first_treated=np.full(420, never))
    found = answer(question)
    assert messages(found.sentence) == ["nobody_took_part"]
    assert found.details["sides"]["untreated"]["mean"] is not None


def test_brief_answers_say_the_same_number_and_are_promising_at_best():
    question = a_question(schools=24, per_school=6, terms=5, effect=0.3)
    other = dataclasses.replace(question, first_treated=np.random.default_rng(0).permutation(question.first_treated))
    for found, asked in zip(brief([question, other]), (question, other), strict=True):
        whole = answer(asked)
        pairs = [(getattr(found.effect, name), getattr(whole.effect, name)) for name in ("raw", "sd", "se", "p", "low")]
        np.testing.assert_allclose(*zip(*pairs, strict=True), rtol=1e-8)
        assert found.n == whole.n
        assert found.mde == pytest.approx(whole.mde)
        assert found.comparison_sd == pytest.approx(whole.comparison_sd)
        assert found.sentence[0].message == whole.sentence[0].message
        assert found.tier >= max(3, whole.tier)
        assert "brief" in [one.name for one in found.gates]


def test_where_the_short_way_does_not_apply_the_whole_answer_is_given():
    few = a_question(schools=8, per_school=6, terms=5)
    assert brief([few])[0] == answer(few)
    nobody = dataclasses.replace(few, first_treated=np.full(48, NEVER))
    assert brief([nobody])[0].effect is None


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_the_grid_of_many_says_what_the_estimator_says(seed):
    rows = unbalanced_rows(seed)
    cells = rows.cells()
    first = rows.first_of(cells)
    slow, quick = impute(cells, first, leave_out=True).overall, Grid(cells).headline(first)
    assert (slow is None) == (quick is None)
    if slow is not None:
        np.testing.assert_allclose(
            [quick.effect, quick.standard_error], [slow.effect, slow.standard_error], rtol=1e-8, equal_nan=True
        )
        counts = quick.treated_results, quick.treated_teachers, quick.treated_clusters
        assert counts == (slow.size.results, slow.size.teachers, slow.size.clusters)
