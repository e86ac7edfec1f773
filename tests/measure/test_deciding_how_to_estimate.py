import dataclasses

import numpy as np
import pytest

from staffroom.measure.cells import cells_from_rows
from staffroom.measure.deciding import decide, first_terms, rated_cases, side, stopped
from staffroom.measure.question import NEVER, Lottery, Overrides, Question, Series, Threshold, per_teacher


def a_panel(*, teachers=40, terms=6, schools=8, prior=False, seed=0):
    rng = np.random.default_rng(seed)
    who, when = np.divmod(np.repeat(np.arange(teachers * terms), 5), terms)
    y = rng.normal(size=who.size)
    columns = [y, y + rng.normal(size=who.size)] if prior else [y]
    return cells_from_rows(teacher=who, school=who % schools, term=when, columns=columns)


def starting(cells, treated, term=3):
    return np.where(np.arange(len(cells.teachers)) < treated, term, NEVER)


def a_series(cases=2, before=5, after=5):
    one = np.r_[np.zeros(before), np.ones(after)]
    rows = before + after
    return Series(
        case=np.repeat(np.arange(cases), rows),
        session=np.tile(np.arange(rows), cases),
        value=np.arange(cases * rows) % 7,
        phase=np.tile(one, cases),
    )


def taken(question):
    return [branch.sentence.message for branch in decide(question).branches]


def test_a_lottery_comes_first():
    cells = a_panel()
    first = starting(cells, 20)
    question = Question(cells=cells, first_treated=first, lottery=Lottery(assigned=(first >= 0).astype(int)))
    assert decide(question).estimator == "randomized"
    assert taken(question) == ["branch_randomized"]


def test_a_lottery_of_two_is_none():
    cells = a_panel()
    assigned = np.where(np.arange(40) < 2, 1, np.where(np.arange(40) < 6, 0, -1))
    question = Question(cells=cells, first_treated=starting(cells, 20), lottery=Lottery(assigned=assigned))
    assert taken(question) == ["branch_lottery_thin", "branch_no_cutoff", "branch_not_few", "branch_staggered"]


@pytest.mark.parametrize(("strays", "estimator"), [(0, "cutoff"), (2, "cutoff"), (3, "imputation")])
def test_a_cutoff_counts_only_if_nine_in_ten_do_as_it_says(strays, estimator):
    cells = a_panel()
    running = np.arange(40) - 20.0
    took = (running >= 0) & (np.arange(40) < 40 - strays)
    question = Question(
        cells=cells, first_treated=np.where(took, 3, NEVER), threshold=Threshold(running=running, cutoff=0.0)
    )
    assert decide(question).estimator == estimator


def test_a_cutoff_may_offer_it_to_those_below():
    threshold = Threshold(running=np.array([1.0, 2.0, np.nan]), cutoff=2.0, above=False)
    assert side(threshold).tolist() == [True, False, False]
    assert side(dataclasses.replace(threshold, above=True)).tolist() == [False, True, False]


@pytest.mark.parametrize(
    ("treated", "series", "estimator"),
    [
        (10, None, "imputation"),
        (9, None, "describe"),
        (9, a_series(), "single_case"),
        (9, a_series(before=4), "describe"),
    ],
)
def test_below_ten_teachers_only_single_cases_say_something(treated, series, estimator):
    cells = a_panel()
    question = Question(cells=cells, first_treated=starting(cells, treated), series=series)
    assert decide(question).estimator == estimator


def test_single_cases_need_no_cells():
    assert decide(Question(series=a_series())).estimator == "single_case"
    assert decide(Question(series=a_series(after=3))).estimator == "describe"
    assert rated_cases(a_series(cases=3)) == [0, 1, 2]


def test_two_terms_or_all_at_once_need_a_prior_score():
    two = a_panel(terms=2, prior=True)
    question = Question(cells=two, first_treated=starting(two, 20, term=1), prior=1)
    assert decide(question).estimator == "entropy_balanced"
    assert "branch_no_panel" in taken(question)
    always = a_panel(prior=True)
    assert decide(Question(cells=always, first_treated=starting(always, 20, term=0), prior=1)).estimator == (
        "entropy_balanced"
    )
    without = Question(cells=always, first_treated=starting(always, 20, term=0))
    assert decide(without).estimator == "describe"


def test_where_everyone_took_part_doses_are_an_association():
    cells = a_panel()
    dose = 1.0 + np.random.default_rng(1).integers(0, 3, len(cells.n))
    assert decide(Question(cells=cells, dose=dose)).estimator == "dose"
    assert decide(Question(cells=cells, dose=np.ones(len(cells.n)))).estimator == "describe"
    by_term = Question(cells=cells, dose=1.0 + cells.term)
    assert decide(by_term).estimator == "describe"


def test_who_took_part_when_is_had_from_what_is_known():
    cells = a_panel(teachers=4, terms=3, schools=1)
    treated = np.array([0, 1, 1, 0, 0, 0, 1, 0, 0, 0, 0, 1.0])
    question = Question(cells=cells, treated=treated)
    assert first_terms(question).tolist() == [1, NEVER, 0, 2]
    assert stopped(question) == 1
    assert first_terms(Question(cells=cells, dose=treated * 2.5)).tolist() == [1, NEVER, 0, 2]
    drawn = Lottery(assigned=np.array([1, 0, -1, 1]), since=1)
    assert first_terms(Question(cells=cells, lottery=drawn)).tolist() == [1, NEVER, NEVER, 1]
    assert first_terms(Question(cells=cells)).tolist() == [NEVER] * 4


def test_an_override_is_taken_only_where_the_data_can_bear_it():
    cells = a_panel()
    question = Question(
        cells=cells, first_treated=starting(cells, 20), overrides=Overrides(estimator="entropy_balanced")
    )
    refused = decide(question)
    assert refused.estimator == "imputation"
    assert [one.message for one in refused.warnings] == ["override_refused"]
    assert taken(question)[:2] == ["override_refused", "branch_no_prior"]
    twfe = decide(dataclasses.replace(question, overrides=Overrides(estimator="twfe")))
    assert (twfe.estimator, twfe.by_itself) == ("twfe", "imputation")
    assert [one.message for one in twfe.warnings] == ["override_twfe"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"first_treated": np.zeros(3)}, r"first_treated has shape \(3,\); there are 40 teachers"),
        ({"first_treated": np.full(40, 0.5)}, "first_treated is not a whole number in row 0"),
        ({"treated": np.full(240, 2.0)}, "treated is neither 0 nor 1 in row 0"),
        ({"dose": np.full(240, np.nan)}, "dose is missing or not finite in row 0"),
        ({"dose": np.full(240, -1.0)}, "dose is below 0 in row 0"),
        ({"lottery": Lottery(assigned=np.full(40, 2))}, "assigned is neither 0 nor 1 in row 0"),
        ({"threshold": Threshold(running=np.full(40, np.inf))}, "running is not finite in row 0"),
        ({"prior": 1}, "the prior score is column 1"),
        ({"names": ("a", "b")}, "2 names for 1 columns"),
        ({"site": ["a"]}, "site has shape"),
        ({"placebo_rejections": 1.5}, "placebo rejections"),
    ],
)
def test_a_question_that_contradicts_itself_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        Question(cells=a_panel(), **change)


def test_a_question_needs_something_to_go_by():
    with pytest.raises(ValueError, match="neither cells nor single cases"):
        Question()
    with pytest.raises(ValueError, match="estimator must be one of"):
        Overrides(estimator="magic")


def test_what_is_known_per_teacher_is_had_from_rows():
    cells = a_panel(teachers=3, terms=2, schools=1)
    assert per_teacher(cells, [2, 0, 1, 0], [5, 7, 6, 7], name="x").tolist() == [7, 6, 5]
    with pytest.raises(ValueError, match="x differs from an earlier row of the same teacher in row 3"):
        per_teacher(cells, [2, 0, 1, 0], [5, 7, 6, 8], name="x")
    with pytest.raises(ValueError, match="the teacher has no outcomes in row 1"):
        per_teacher(cells, [2, 9, 1, 0], [5, 7, 6, 8], name="x")
    with pytest.raises(ValueError, match="x is missing for teacher"):
        per_teacher(cells, [2, 0], [5, 7], name="x")
