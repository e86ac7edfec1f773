"""Lotteries of students: each student is what was drawn, held against dense least squares and against simulation."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from staffroom.measure.answering import answer
from staffroom.measure.cells import cells_from_rows
from staffroom.measure.question import Claims, Costs, Hours, Lottery, Question
from staffroom.measure.randomized import randomized
from staffroom.measure.students import StudentLottery


def a_draw(seed: int, *, students: int = 60, terms: int = 1, teachers: int = 8, effect: float = 0.3, gaps: float = 0.1):
    """Rows of students who were drawn within their teachers' classes, unbalanced, with a prior score."""
    rng = np.random.default_rng(seed)
    who, when = (one.ravel() for one in np.meshgrid(np.arange(students), np.arange(terms), indexing="ij"))
    teacher = rng.integers(0, teachers, students)
    drawn = (rng.random(students) < 0.5).astype(int)
    for one in range(teachers):
        drawn[np.flatnonzero(teacher == one)[:2]] = (0, 1)[: min(2, int((teacher == one).sum()))]
    prior = rng.normal(size=students)
    spread = np.where(drawn == 1, 1.5, 0.8)[who]
    score = 0.6 * prior[who] + effect * drawn[who] + 0.2 * teacher[who] + rng.normal(size=who.size) * spread
    kept = rng.random(who.size) > gaps
    return {
        "student": who[kept], "term": when[kept], "teacher": teacher, "drawn": drawn, "prior": prior[who][kept],
        "score": score[kept],
    }  # fmt: skip


def asked(rows, *, adjust: bool = True, taken=None, **options) -> Question:
    columns = [rows["score"], rows["prior"]] if adjust else [rows["score"]]
    own = cells_from_rows(
        teacher=rows["student"], school=rows["teacher"][rows["student"]] % 3, term=rows["term"], columns=columns
    )
    of_teachers = cells_from_rows(
        teacher=rows["teacher"][rows["student"]], school=rows["teacher"][rows["student"]] % 3, term=rows["term"],
        columns=columns,
    )  # fmt: skip
    there = own.teachers
    lottery = Lottery(rows["drawn"][there], block=rows["teacher"][there])
    students = StudentLottery(own, lottery, rows["teacher"][there], taken=taken, entered=options.pop("entered", None))
    claims = Claims(registered=True, reference_sd=1.0)
    return Question(cells=of_teachers, students=students, claims=claims, prior=1 if adjust else None, **options)


def dense(rows, *, adjust: bool) -> tuple[float, float]:
    """Effect and CR2 (HC2 for one row each) of least squares with all dummies, by matrices; blocks with both arms only."""
    who, block = rows["student"], rows["teacher"][rows["student"]]
    arm = rows["drawn"][who]
    both = [one for one in np.unique(block) if len(np.unique(arm[block == one])) == 2]
    kept = np.isin(block, both)
    who, block, arm = who[kept], block[kept], arm[kept].astype(float)
    y, x, term = rows["score"][kept], rows["prior"][kept], rows["term"][kept]
    columns = [arm, *((block == one).astype(float) for one in both)]
    columns += [(term == one).astype(float) for one in np.unique(term)[1:]] if adjust else []
    if adjust:
        away = x - x.mean()
        columns += [away, arm * away]
    design = np.column_stack(columns)
    bread = np.linalg.pinv(design.T @ design)
    off = y - design @ (bread @ design.T @ y)
    meat = np.zeros_like(bread)
    for one in np.unique(who):
        rows_of = who == one
        part = design[rows_of]
        value, vector = np.linalg.eigh(np.eye(len(part)) - part @ bread @ part.T)
        root = np.where(value > 1e-9, 1 / np.sqrt(np.maximum(value, 1e-9)), 0.0)
        score = part.T @ (vector * root) @ vector.T @ off[rows_of]
        meat += np.outer(score, score)
    return float((bread @ design.T @ y)[0]), float(np.sqrt((bread @ meat @ bread)[0, 0]))


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 3), st.booleans(), st.sampled_from([40, 75]))
def test_effect_and_error_are_those_of_dense_least_squares(seed, terms, adjust, students):
    rows = a_draw(seed, students=students, terms=terms, teachers=5)
    found = answer(asked(rows, adjust=adjust), np.random.default_rng(0))
    effect, error = dense(rows, adjust=adjust)
    # Without covariates terms are not adjusted for in the difference beside; with them in the headline.
    one = found.effect if adjust else found.beside["unadjusted"]
    assert one.raw == pytest.approx(effect, rel=1e-8, abs=1e-10)
    assert one.raw_se == pytest.approx(error, rel=1e-8)


def test_students_are_counted_as_what_was_drawn_and_their_teachers_as_teachers():
    rows = a_draw(1, students=400, teachers=20)
    found = answer(asked(rows), np.random.default_rng(0))
    students = len(np.unique(rows["student"]))
    assert found.estimator == "randomized"
    assert found.n.students == found.n.clusters == students
    assert (found.n.teachers, found.n.schools) == (20, 3)
    assert found.n.treated_teachers == found.n.comparison_teachers == 20
    assert [one.message for one in found.decision] == ["branch_students_drawn"]
    assert found.sentence[0].message == "students_higher"
    assert found.tier == 1
    assert found.more_teachers is None
    assert found.effect.method == "CR2"
    assert {line.group for line in found.replicability.by_site} == {0, 1, 2}
    assert all(line.n.teachers < 10 for line in found.replicability.by_site)


def test_take_up_that_is_partial_gives_the_effect_on_those_who_follow_the_draw():
    rng = np.random.default_rng(3)
    rows = a_draw(3, students=500, effect=0.0)
    follows = rng.random(500) < 0.6
    took = (rows["drawn"] == 1) & follows
    rows["score"] = rows["score"] + 0.8 * took[rows["student"]]
    found = answer(asked(rows, taken=took[rows["student"]].astype(float)), np.random.default_rng(0))
    assert found.details["take_up"]["others"] == 0
    assert found.details["take_up"]["drawn"] == pytest.approx(0.6, abs=0.06)
    assert found.beside["complier"].raw == pytest.approx(found.effect.raw / found.details["take_up"]["difference"])
    assert found.beside["complier"].low < 0.8 < found.beside["complier"].high
    assert "effect_of_students_drawn" in [one.message for one in found.sentence]


def test_redrawing_the_lots_agrees_and_too_few_students_are_not_compared():
    found = answer(asked(a_draw(5, students=40, teachers=4, gaps=0.0)), np.random.default_rng(0))
    redrawn = found.details["randomization"]
    assert redrawn["draws"] == 4999
    assert redrawn["p"] == pytest.approx(found.effect.p, abs=0.05)
    none = answer(asked(a_draw(5, students=14, teachers=2, gaps=0.0)), np.random.default_rng(0))
    assert none.estimator == "describe"
    assert none.decision[0].message == "branch_students_thin"


def test_students_without_results_are_lost():
    rows = a_draw(8, students=200, gaps=0.25)
    entered = tuple(int((rows["drawn"] == arm).sum()) for arm in (0, 1))
    found = answer(asked(rows, entered=entered), np.random.default_rng(0))
    seen = [int((rows["drawn"][np.unique(rows["student"])] == arm).sum()) for arm in (0, 1)]
    gate = next(one for one in found.gates if one.name == "attrition")
    assert gate.sentence.values["overall"] == pytest.approx(100 * (1 - sum(seen) / 200))
    assert gate.value == pytest.approx((1 - seen[1] / entered[1]) - (1 - seen[0] / entered[0]))


def test_costs_are_a_students_and_hours_are_not():
    rows = a_draw(2, students=300, teachers=12)
    question = asked(rows, costs=Costs(total_usd_cents=30_000_00), hours=Hours(np.full(12, 20.0)))
    found = answer(question, np.random.default_rng(0))
    drawn = int((question.students.lottery.assigned == 1).sum())
    assert (found.cost.students, found.cost.teachers) == (drawn, 12)
    assert found.cost.sd_per_1000_usd.value == pytest.approx(found.effect.sd / (30_000 / drawn / 1000), rel=1e-3)
    assert found.efficiency.reason == "efficiency_students"


def test_intervals_cover_the_truth_and_nothing_is_found_where_nothing_is():
    """95 % intervals of 200 lotteries of 60 students: between 93 and 97 in 100; a fixed seed."""
    covered = []
    for seed in range(200):
        rows = a_draw(seed, students=60, teachers=6, effect=0.3, gaps=0.0)
        cells = asked(rows).students.cells
        found = randomized(
            cells, assigned=rows["drawn"], block=rows["teacher"], unit=np.arange(60), permutations=19,
            generator=np.random.default_rng(seed),
        )  # fmt: skip
        covered.append(found.low <= 0.3 <= found.high)
    assert 0.93 <= np.mean(covered) <= 0.97


def test_contradictions_are_refused():
    rows = a_draw(1)
    question = asked(rows)
    with pytest.raises(ValueError, match="at once"):
        dataclasses.replace(question, lottery=Lottery(np.zeros(8, dtype=np.int64)))
    with pytest.raises(ValueError, match="one label for each"):
        dataclasses.replace(question.students, teacher=np.arange(3))
    with pytest.raises(ValueError, match="neither 0 nor 1"):
        dataclasses.replace(question.students, taken=np.full(len(question.students.cells.n), 0.5))
