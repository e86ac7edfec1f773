"""From a lottery to an answer: by who was drawn, whoever came; and the time that is asked about."""

from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow

from staffroom.knowing.impact.asking import Drawn, Material, has_results, question_of
from staffroom.knowing.impact.keeping import kept
from staffroom.knowing.impact.summing import Stretch
from staffroom.measure.answering import answer

TERMS = [
    Stretch("Fall 2025", date(2025, 8, 20), date(2025, 12, 20)),
    Stretch("Spring 2026", date(2026, 1, 12), date(2026, 6, 12)),
    Stretch("Fall 2026", date(2026, 8, 20), date(2026, 12, 20)),
]
TEACHERS = [f"t{number:02d}" for number in range(40)]
FIRST = {teacher: number % 2 == 0 for number, teacher in enumerate(TEACHERS)}


def material(effect: float = 8.0, **more: object) -> Material:
    """40 teachers of ten schools; those drawn first score `effect` more (SD 20) in the last term, whether they came or not."""
    generator = np.random.default_rng(3)
    rows = []
    for number, teacher in enumerate(TEACHERS):
        level = generator.normal(200, 5)
        for place, term in enumerate(TERMS):
            scores = generator.normal(level + effect * (place == 2 and FIRST[teacher]), 20, 25)
            rows.append({"teacher_key": teacher, "school_key": f"s{number // 4}", "term_begins_on": term.begins_on, "n": 25,
                         "y_sum": float(scores.sum()), "y_sumsq": float((scores**2).sum())})  # fmt: skip
    # Three of those drawn never came, and one of the others did.
    came = {teacher: date(2026, 9, 1) for teacher in TEACHERS if FIRST[teacher]} | {"t01": date(2026, 9, 1)}
    for teacher in ("t00", "t02", "t04"):
        del came[teacher]
    drawn = Drawn(FIRST, dict.fromkeys(TEACHERS, "A"), {each: each for each in TEACHERS}, date(2026, 8, 20), None)
    said = {"begins": date(2026, 8, 20), "ends": date(2026, 12, 20), "drawn": drawn, "is_registered": True} | more
    return Material(pyarrow.Table.from_pylist(rows), came, TERMS, 1000, **said)  # type: ignore[arg-type]


def test_a_lottery_is_answered_by_who_was_drawn() -> None:
    question = question_of(material())
    assert question.lottery is not None
    assert [bool(each) for each in question.lottery.assigned] == [FIRST[str(key)] for key in question.cells.teachers]  # type: ignore[union-attr]
    assert question.lottery.since == 2
    assert question.claims.registered
    found = kept(answer(question, np.random.default_rng(1)))
    assert found["estimator"] == "randomized"
    assert 0.2 < found["effect"]["sd"] < 0.6
    assert next(gate for gate in found["gates"] if gate["name"] == "registered")["passed"]


def test_results_after_the_time_asked_about_do_not_count() -> None:
    early = material(begins=date(2026, 1, 1), ends=date(2026, 6, 30), drawn=None)
    question = question_of(early)
    assert question.cells is not None
    assert sorted(set(question.cells.term.tolist())) == [0, 1]
    assert has_results(early)
    assert not has_results(material(begins=date(2027, 1, 1), ends=date(2027, 6, 30)))


def test_who_took_part_already_before_is_no_ground_to_compare_with() -> None:
    late = material(drawn=None)
    before = {"t05": date(2025, 9, 1)}
    question = question_of(
        Material(late.cells, {**late.first_on, **before}, TERMS, 1000, begins=late.begins, ends=late.ends)
    )
    assert question.cells is not None
    of_t05 = question.cells.term[question.cells.teacher == list(question.cells.teachers).index("t05")]
    assert of_t05.tolist() == [2]


def test_only_the_schools_that_are_asked_about_and_groups_named_beforehand() -> None:
    groups = {"schools": {"Near": [{"key": "s0", "name": "North"}], "Far": [{"key": "s1", "name": "South"}]}}
    question = question_of(material(schools=frozenset({"s0", "s1", "s2"}), subgroups=groups, drawn=None))
    assert question.cells is not None
    assert len(question.cells.teachers) == 12
    (found,) = question.subgroups
    assert found.declared
    assert found.label.tolist() == ["Near"] * 4 + ["Far"] * 4 + [""] * 4


def test_where_lower_is_better_all_is_turned_round() -> None:
    better = question_of(material())
    worse = question_of(material(is_higher_better=False))
    assert better.cells is not None
    assert worse.cells is not None
    assert np.allclose(better.cells.mean[:, 0], -worse.cells.mean[:, 0])


def test_costs_about_few_people_are_not_told() -> None:
    line = {"kind": "wage", "ingredient": "Coach", "role": "coach", "payer": "", "scales_with": "teacher", "is_opportunity": False,
            "is_business_as_usual": False, "price_year": 2026, "term_id": 1, "amount_usd_cents": 100_00, "quantity": 2}  # fmt: skip
    few, many, thing = (
        {**line, "persons": 2},
        {**line, "role": "teacher", "persons": 9},
        {**line, "kind": "room", "persons": 0},
    )
    assert question_of(material(ingredients=[few])).costs is None
    joined = question_of(material(ingredients=[few, many, thing])).costs
    assert joined is not None
    assert sorted(each.ingredient.unit_price_usd_cents for each in joined.lines) == [100_00, 200_00]
