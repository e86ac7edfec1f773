"""Ratings of teaching beside results: raters taken out, the same teachers, and what may be said of both."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from staffroom.measure.answering import answer
from staffroom.measure.cells import cells_from_rows
from staffroom.measure.mechanism import with_practice
from staffroom.measure.question import Question
from staffroom.measure.raters import Ratings, rated, without_raters
from staffroom.measure.staggered import NEVER, impute

TEACHERS, TERMS, SCHOOLS = 240, 6, 12


class School:
    """A made-up district: who began when, and terms of all teachers as rows."""

    def __init__(self, seed, *, schools=SCHOOLS):
        self.rng = rng = np.random.default_rng(seed)
        self.of = np.arange(TEACHERS) % schools
        self.first = np.where(rng.random(TEACHERS) < 0.45, rng.integers(2, 5, TEACHERS), NEVER)
        self.labels = np.array([f"t{number:04d}" for number in range(TEACHERS)])
        self.teacher, self.term = np.divmod(np.arange(TEACHERS * TERMS), TERMS)
        began = self.first[self.teacher]
        self.took = (began != NEVER) & (self.term >= began)

    def question(self, effect):
        """Results of 20 students a term; `effect` per teacher."""
        rows = np.repeat(np.arange(self.teacher.size), 20)
        of_class = self.rng.normal(0, 0.25, TEACHERS)[self.teacher] + self.rng.normal(0, 0.05, self.teacher.size)
        value = (of_class + effect[self.teacher] * self.took)[rows] + self.rng.normal(size=rows.size)
        cells = cells_from_rows(
            teacher=self.labels[self.teacher[rows]],
            school=self.of[self.teacher[rows]],
            term=self.term[rows],
            columns=[value],
        )
        return Question(cells=cells, first_treated=self.first)

    def ratings(self, effect, *, rater=None, strict=None):
        """One rating a term; `effect` per teacher."""
        value = self.rng.normal(0, 0.4, TEACHERS)[self.teacher] + effect[self.teacher] * self.took
        value = 3 + value + self.rng.normal(0, 0.35, self.teacher.size)
        if rater is not None:
            value = value + strict[rater]
        return Ratings(self.labels[self.teacher], self.term, value, rater)


def everywhere(size):
    return np.full(TEACHERS, size)


def found(school, scores, practice, name="Questions that make students think", **kept):
    question = school.question(scores)
    generator = np.random.default_rng(1)
    whole = with_practice(answer(question, generator), question, [(name, school.ratings(practice, **kept))], generator)
    return whole.mechanism[0]


def by_dummies(teacher, term, rater, value, untreated):
    """The same by least squares with an indicator for everything."""
    rows = np.flatnonzero(untreated)
    parts = [np.eye(codes.max() + 1)[codes] for codes in (teacher, term, rater)]
    solved = np.linalg.lstsq(np.hstack([part[rows] for part in parts]), value[rows], rcond=None)[0]
    ends = np.cumsum([part.shape[1] for part in parts])
    return solved[ends[1] : ends[2]]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 100_000), st.integers(2, 5))
def test_leniency_is_what_regression_with_indicators_finds(seed, raters):
    rng = np.random.default_rng(seed)
    teacher, term = np.divmod(np.arange(12 * 6), 6)
    keep = rng.random(teacher.size) < 0.85
    teacher, term = teacher[keep], term[keep]
    rater = rng.integers(0, raters, teacher.size)
    value, untreated = rng.normal(size=teacher.size), rng.random(teacher.size) < 0.75
    raters_there = np.unique(rater[untreated])
    left = value - without_raters(teacher, term, rater, value, untreated)
    ours = np.array([left[rater == one][0] for one in raters_there])
    theirs = by_dummies(teacher, term, rater, value, untreated)[raters_there]
    # Only differences between raters can be known.
    assert ours - ours.mean() == pytest.approx(theirs - theirs.mean(), abs=1e-8)


def test_taking_raters_off_beforehand_is_an_indicator_for_each_in_the_estimate():
    school = School(1)
    rater = np.where(
        school.took & (school.rng.random(school.took.size) < 0.7), 0, school.rng.integers(0, 6, school.took.size)
    )
    ratings = school.ratings(everywhere(0.3), rater=rater, strict=school.rng.normal(0, 0.6, 6))
    ours = impute(rated(school.question(everywhere(0.0)), ratings).question.cells, school.first)
    columns = [ratings.value, *(np.where(rater == one, 1.0, 0.0) for one in range(1, 6))]
    cells = cells_from_rows(
        teacher=ratings.teacher, school=school.of[school.teacher], term=ratings.term, columns=columns
    )
    theirs = impute(cells, school.first)
    assert ours.overall.effect == pytest.approx(theirs.overall.effect, abs=1e-9)
    assert ours.overall.standard_error == pytest.approx(theirs.overall.standard_error, rel=0.15)


def test_a_lenient_rater_of_those_taking_part_is_not_a_change_of_practice():
    school = School(2)
    rater = np.where(
        school.took & (school.rng.random(school.took.size) < 0.8), 0, school.rng.integers(0, 6, school.took.size)
    )
    strict = np.array([0.8, 0, 0, 0, 0, 0])
    question = school.question(everywhere(0.0))
    ratings = school.ratings(everywhere(0.0), rater=rater, strict=strict)
    naive = impute(rated(question, Ratings(ratings.teacher, ratings.term, ratings.value)).question.cells, school.first)
    told = impute(rated(question, ratings).question.cells, school.first)
    assert naive.overall.effect > 0.4
    assert abs(told.overall.effect) < 2.5 * told.overall.standard_error


def test_raters_seen_with_the_activity_alone_and_teachers_without_results_are_left_out_and_told():
    school = School(3)
    rater = np.where(school.took & (np.arange(school.took.size) % 7 == 0), 9, np.arange(school.took.size) % 3)
    ratings = school.ratings(everywhere(0.0), rater=rater, strict=np.zeros(10))
    stranger = Ratings(
        np.append(ratings.teacher, "zz"), np.append(ratings.term, 0), np.append(ratings.value, 3.0), np.append(rater, 0)
    )
    made = rated(school.question(everywhere(0.0)), stranger)
    assert made.raters == 3
    assert made.left_out == {"unknown": 1, "raters": int((rater == 9).sum())}
    assert made.question.cells.n.sum() == (rater != 9).sum()


def test_practice_that_changed_where_scores_rose_is_said_to_go_together():
    school = School(4)
    here = (school.of < SCHOOLS // 2).astype(float)
    practice = found(school, 0.6 * here, 1.0 * here)
    assert practice.sentence[0].message == "practice_together"
    assert practice.link.low > 0
    assert practice.link.tier == 3
    assert "not a cause" in str(practice.sentence[0])
    assert len(practice.sites) == SCHOOLS


def test_practice_that_changed_without_scores_is_not_said_to_have_raised_them():
    practice = found(School(5), everywhere(0.0), everywhere(0.6))
    assert practice.effect.low > 0
    assert practice.sentence[0].message in ("practice_alone", "practice_scores_unclear")
    assert practice.link.tier == 4


def test_where_nothing_changed_nothing_is_claimed():
    practice = found(School(6), everywhere(0.0), everywhere(0.0))
    assert practice.sentence[0].message in ("practice_neither", "practice_cannot_tell")
    assert not practice.link.clear


def test_scores_that_rose_without_practice():
    practice = found(School(7), everywhere(0.4), everywhere(0.0))
    assert practice.sentence[0].message in ("practice_scores_alone", "practice_cannot_tell")


def test_few_schools_are_counted_and_not_correlated():
    practice = found(School(8, schools=4), everywhere(0.3), everywhere(0.5))
    assert practice.link.correlation is None
    assert practice.link.tier == 4
    assert {"practice_few_sites", "practice_signs"} <= {each.message for each in practice.sentence}
    assert practice.link.both + practice.link.practice + practice.link.outcome <= practice.link.sites == 4


def test_without_raters_it_is_told_that_strictness_is_not_taken_out():
    school = School(9)
    assert "practice_no_raters" in {each.message for each in found(school, everywhere(0.0), everywhere(0.0)).warnings}
    rater = np.arange(school.took.size) % 5
    told = found(school, everywhere(0.0), everywhere(0.0), rater=rater, strict=np.zeros(5))
    assert told.raters == 5
    assert "practice_no_raters" not in {each.message for each in told.warnings}


def test_intervals_of_practice_hold_the_truth_with_strict_and_lenient_raters():
    held, runs = 0, 40
    for seed in range(runs):
        school = School(100 + seed, schools=24)
        rater = np.where(
            school.took & (school.rng.random(school.took.size) < 0.5), 0, school.rng.integers(0, 8, school.took.size)
        )
        ratings = school.ratings(everywhere(0.3), rater=rater, strict=school.rng.normal(0, 0.4, 8))
        labels = school.labels[school.teacher]
        cells = cells_from_rows(
            teacher=labels, school=school.of[school.teacher], term=school.term, columns=[np.zeros(labels.size)]
        )
        made = rated(Question(cells=cells, first_treated=school.first), ratings)
        overall = impute(made.question.cells, school.first).overall
        held += abs(overall.effect - 0.3) < 2.07 * overall.standard_error
    assert held >= 0.88 * runs


def test_ratings_that_contradict_themselves_are_refused():
    with pytest.raises(ValueError, match="differ in length"):
        Ratings(np.array(["a", "b"]), np.array([0]), np.array([1.0, 2.0]))
    with pytest.raises(ValueError, match="finite"):
        Ratings(np.array(["a"]), np.array([0]), np.array([np.nan]))
