"""Choices for comparisons over time: what placebos are held against, how covariates are used, terms in which taking part was expected."""

import dataclasses

import numpy as np
import pytest

from staffroom.measure.answering import answer
from staffroom.measure.cells import cells_from_rows
from staffroom.measure.etwfe import etwfe
from staffroom.measure.projection import least_squares
from staffroom.measure.question import Claims, Lottery, Overrides, Question
from staffroom.measure.staggered import event_times, impute
from tests.measure.panels import mpdta, unbalanced_rows


def of_mpdta(*, population: bool = False, **overrides) -> Question:
    rows, extra = mpdta()
    columns = [rows.y, extra] if population else [rows.y]
    cells = cells_from_rows(teacher=rows.teacher, school=rows.school, term=rows.term, columns=columns)
    wanted = Overrides(sd=1.0, **overrides)
    return Question(cells=cells, first_treated=rows.first_of(cells), overrides=wanted, claims=Claims(registered=True))


def grid(found) -> dict:
    return {(line.group, line.term): line.effect.raw for line in found.by_group_time}


def near(expected: dict, error: float) -> dict:
    return {key: pytest.approx(value, abs=error) for key, value in expected.items()}


def test_a_universal_base_turns_published_placebos_into_sums():
    # impact.md: ATT(2006,t) .0065 -.0028 | -.0046 -.0412; ATT(2007,t) .0305 -.0027 -.0311 | -.0261, each lead against the
    # term before. Against the last term before taking part these are sums of later ones with the sign turned.
    found = answer(of_mpdta(base="universal", controls="never"))
    assert grid(found) == near(
        {
            (2004, 2004): -0.0105, (2004, 2005): -0.0704, (2004, 2006): -0.1373, (2004, 2007): -0.1008,
            (2006, 2003): 0.0028 - 0.0065, (2006, 2004): 0.0028, (2006, 2006): -0.0046, (2006, 2007): -0.0412,
            (2007, 2003): 0.0311 + 0.0027 - 0.0305, (2007, 2004): 0.0311 + 0.0027, (2007, 2005): 0.0311,
            (2007, 2007): -0.0261,
        },
        2e-4,
    )  # fmt: skip
    assert found.beside["callaway_santanna"].raw == pytest.approx(-0.0400, abs=5e-5)
    assert found.effect.raw == pytest.approx(-0.0477099, abs=5e-8)


def test_a_term_in_which_it_was_expected_moves_the_base_back():
    # The same published numbers: with anticipation = 1 the base is one term earlier, and those of 2004 have none left.
    found = answer(of_mpdta(anticipation=1, controls="never", estimator="callaway_santanna"))
    after = {key: value for key, value in grid(found).items() if key[1] >= key[0]}
    assert after == near(
        {(2006, 2006): -0.0046 - 0.0028, (2006, 2007): -0.0412 - 0.0028, (2007, 2007): -0.0261 - 0.0311}, 2e-4
    )
    assert found.estimator == "callaway_santanna"


def test_all_three_choices_give_what_moderndid_gives():
    # moderndid 0.4.1 on mpdta with log population: dr, not-yet-treated, universal base, anticipation = 1.
    wanted = {"method": "dr", "controls": "notyet", "base": "universal", "anticipation": 1}
    found = answer(of_mpdta(population=True, estimator="callaway_santanna", **wanted))
    assert found.effect.raw == pytest.approx(-0.045528, abs=1e-6)
    assert found.effect.raw_se == pytest.approx(0.016627, abs=1e-6)
    assert grid(found)[2007, 2003] == pytest.approx(-0.022151, abs=1e-6)
    other = answer(of_mpdta(population=True, method="reg", controls="never", anticipation=1))
    assert other.beside["callaway_santanna"].raw == pytest.approx(-0.045941, abs=1e-6)


def test_the_headline_leaves_out_terms_in_which_it_was_expected():
    question = of_mpdta(anticipation=1)
    event = event_times(question.cells, question.first_treated)
    found = answer(question)
    kept = impute(question.cells.take(event != -1), question.first_treated)
    assert found.effect.raw == pytest.approx(kept.overall.effect, abs=1e-12)
    assert -1 not in [line.event_time for line in found.by_event_time]
    # Those of 2004 have only 2003 before, which no longer counts: they are told, not compared.
    assert {line.group for line in found.by_group_time} == {2006, 2007}
    assert "always_treated" in [one.message for one in found.warnings]
    assert found.tier >= answer(of_mpdta()).tier


@pytest.mark.parametrize("controls", ["notyet", "never"])
@pytest.mark.parametrize("anticipation", [1, 2])
def test_etwfe_with_expected_terms_is_the_saturated_regression(controls, anticipation):
    """Held against least squares with a dummy for each group and term that may be affected, by the two-way projection."""
    rows = unbalanced_rows(3)
    cells = rows.cells()
    first = rows.first_of(cells)
    found = etwfe(cells, first, controls=controls, covariates=(), anticipation=anticipation)
    assert found is not None
    event, group = event_times(cells, first), first[cells.teacher]
    when = cells.terms[cells.term]
    dummies = [(group == one.group) & (when == one.term) for one in found.group_times]
    used = (group == -1) | np.isin(group, [one.group for one in found.group_times])
    if controls == "notyet":
        used &= (event < -anticipation) | np.any(dummies, axis=0)
    part = dataclasses.replace(cells.take(used), mean=cells.mean[used, :1], scatter=cells.scatter[used][:, :1, :1])
    fit = least_squares(part.with_columns(np.stack(dummies, axis=1)[used].astype(float)))
    assert [one.effect for one in found.group_times] == pytest.approx(fit.coefficients.tolist(), abs=1e-8)
    assert min(one.term - one.group for one in found.group_times) < 0
    assert all(one.key >= -anticipation for one in found.by_event_time) or controls == "never"


def test_drift_is_looked_for_before_anyone_could_expect_it():
    rng = np.random.default_rng(4)
    teachers, terms = 120, 8
    first = np.where(np.arange(teachers) % 2, 5, -1)
    who, when = (one.ravel() for one in np.meshgrid(np.arange(teachers), np.arange(terms), indexing="ij"))
    began = first[who]
    score = rng.normal(0, 0.1, who.size) + np.where((began >= 0) & (when >= began - 1), 0.5, 0.0)
    cells = cells_from_rows(teacher=who, school=who % 40, term=when, columns=[score])
    plain = answer(Question(cells=cells, first_treated=first, claims=Claims(reference_sd=1.0)))
    aware = answer(
        Question(cells=cells, first_treated=first, claims=Claims(reference_sd=1.0), overrides=Overrides(anticipation=1))
    )
    drift = [next(gate for gate in one.gates if gate.name == "pre_trends") for one in (plain, aware)]
    assert [gate.sentence.message for gate in drift] == ["drift_seen", "drift_unseen"]
    assert plain.effect.raw < 0.45
    assert aware.effect.raw == pytest.approx(0.5, abs=0.03)
    assert aware.details["honest"]["average"] == pytest.approx(0.5, abs=0.03)
    assert max(key for key in aware.details["honest"]["event_times"] if key < -1) == -3


def test_choices_without_a_bearing_are_said_to_have_none():
    rows = unbalanced_rows(2)
    cells = rows.cells()
    drawn = np.arange(len(cells.teachers)) % 2
    wanted = Overrides(base="universal", method="reg", anticipation=1)
    found = answer(Question(cells=cells, lottery=Lottery(drawn), overrides=wanted))
    assert found.estimator == "randomized"
    assert [one.values["name"] for one in found.warnings if one.message == "override_idle"] == [
        "base", "anticipation", "method",
    ]  # fmt: skip
    alone = answer(of_mpdta(method="reg"))
    assert "override_idle" in [one.message for one in alone.warnings]


@pytest.mark.parametrize("wrong", [{"base": "last"}, {"method": "ols"}, {"anticipation": -1}])
def test_choices_that_do_not_exist_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Overrides(**wrong)
