"""Where a number decided to whom an activity is offered, both sides of the cutoff are compared; and a picture shows the jump."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pyarrow
import pytest
from hypothesis import given
from hypothesis import strategies as st

from staffroom.knowing import pictures
from staffroom.knowing.impact.asking import Material, question_of
from staffroom.knowing.impact.designs import Rule, numbers_before
from staffroom.knowing.impact.keeping import kept
from staffroom.knowing.impact.summing import Stretch
from staffroom.measure import binned
from staffroom.measure.answering import answer

TERMS = [
    Stretch("Fall 2025", date(2025, 8, 20), date(2025, 12, 20)),
    Stretch("Spring 2026", date(2026, 1, 12), date(2026, 6, 12)),
]
CUTOFF = 200.0


def rows(effect: float = 8.0, teachers: int = 300) -> list[dict[str, Any]]:
    """Results of teachers in two terms; in the second those whose students scored below the cutoff before score `effect` more."""
    generator, found = np.random.default_rng(11), []
    for number in range(teachers):
        before = generator.normal(CUTOFF, 12)
        now = 100 + 0.5 * before + effect * (before < CUTOFF) + generator.normal(0, 3)
        for term, level in zip(TERMS, (before, now), strict=True):
            found.append({"teacher_key": f"t{number:03d}", "school_key": f"s{number // 5:02d}", "term_begins_on": term.begins_on,
                          "n": 20, "y_sum": 20 * level, "y_sumsq": 20 * level**2 + 20 * 15.0**2})  # fmt: skip
    return found


def material(off: int = 0, **more: Any) -> Material:
    """Who scored below takes part; of these and the others every `off`th does the opposite."""
    found = rows(**{name: more.pop(name) for name in ("effect", "teachers") if name in more})
    numbers = numbers_before(found, TERMS, TERMS[1].begins_on)
    came = {
        who: (number < CUTOFF) != bool(off and place % off == 0) for place, (who, number) in enumerate(numbers.items())
    }
    said: dict[str, Any] = {
        "cells": pyarrow.Table.from_pylist(found), "terms": TERMS, "students": 4000,
        "first_on": {who: date(2026, 1, 20) for who, does in came.items() if does},
        "begins": TERMS[1].begins_on, "ends": TERMS[1].ends_on, "rule": Rule(CUTOFF, is_above=False, by_teacher=numbers),
    }  # fmt: skip
    return Material(**{**said, **more})


def asked(found: Material) -> dict[str, Any]:
    return kept(answer(question_of(found), np.random.default_rng(1)))


def test_a_rule_that_was_kept_is_answered_by_the_jump_at_its_cutoff() -> None:
    found = asked(material())
    assert found["estimator"] == "cutoff"
    assert 0.3 < found["effect"]["sd"] < 0.7
    assert found["details"]["cutoff"]["first_stage"] is None
    assert {gate["name"] for gate in found["gates"]} >= {"density", "composition"}


def test_where_a_few_did_otherwise_the_first_stage_is_told() -> None:
    found = asked(material(off=25))
    assert found["estimator"] == "cutoff"
    assert 0.8 < abs(found["details"]["cutoff"]["first_stage"]) < 1
    assert "Taking part rises by" in pictures.drawn(found)["cutoff"].text


def test_a_rule_that_was_not_kept_is_not_used() -> None:
    assert asked(material(off=3))["estimator"] != "cutoff"
    assert asked(material(rule=None))["estimator"] != "cutoff"


def test_numbers_of_schools_count_for_all_their_teachers() -> None:
    levels = {f"s{number:02d}": float(number) for number in range(60)}
    rule = Rule(30, by_school=levels)
    question = question_of(material(rule=rule))
    assert question.threshold is not None
    assert question.cells is not None
    assert question.threshold.since == 1
    for who, number in zip(question.cells.teachers, question.threshold.running, strict=True):
        assert number == levels[f"s{int(str(who)[1:]) // 5:02d}"]


def test_teachers_without_a_number_are_on_neither_side() -> None:
    found = rows()
    half = {who: number for who, number in numbers_before(found, TERMS, TERMS[1].begins_on).items() if who < "t150"}
    question = question_of(material(rule=Rule(CUTOFF, is_above=False, by_teacher=half)))
    assert question.threshold is not None
    assert np.isnan(question.threshold.running).sum() == 150


def test_the_number_is_of_the_last_term_that_ended_before() -> None:
    found = rows(teachers=4)
    assert numbers_before(found, TERMS, TERMS[0].begins_on) == {}
    late = numbers_before(found, TERMS, date(2026, 9, 1))
    assert late["t001"] == pytest.approx(found[3]["y_sum"] / 20)


def test_the_picture_shows_both_sides_and_its_table_says_the_same() -> None:
    picture = pictures.drawn(asked(material()))["cutoff"]
    told = {row[1] for row in picture.rows}
    assert told == {"offered", "not offered"}
    assert all(int(row[3]) >= 5 for row in picture.rows)
    numbers = [float(row[0]) for row in picture.rows]
    assert numbers == sorted(numbers)
    assert all((number < CUTOFF) == (row[1] == "offered") for number, row in zip(numbers, picture.rows, strict=True))
    assert "Everybody did as the rule says." in picture.text


@given(
    st.lists(st.tuples(st.integers(-6, 6), st.floats(-3, 3)), max_size=80), st.integers(-7, 7), st.integers(2, 6),
)  # fmt: skip
def test_bins_hold_every_teacher_of_a_side_once_and_never_fewer_than_the_least(
    points: list[tuple[int, float]], cutoff: int, least: int
) -> None:
    running = np.array([float(x) for x, _y in points])
    value = np.array([y for _x, y in points])
    found = binned.bins(value, running, cutoff=float(cutoff), weight=np.ones(len(points)), least=least)
    for is_right in (False, True):
        side = (running >= cutoff) == is_right
        own = [one for one in found if one.is_right == is_right]
        assert all(one.rows >= least for one in own)
        assert sum(one.rows for one in own) == (side.sum() if side.sum() >= least else 0)
        assert all((one.running >= cutoff) == is_right for one in own)
        if own:
            assert sum(one.rows * one.mean for one in own) == pytest.approx(value[side].sum(), abs=1e-9)


def test_the_lines_of_the_picture_meet_the_cutoff_at_the_estimated_levels() -> None:
    found = asked(material())
    jump, sd = found["details"]["cutoff"], found["comparison_sd"]
    ends = {line["offered"]: line["points"][1][1] for line in found["details"]["jump"]["lines"]}
    assert ends[False] * sd == pytest.approx(jump["level_left"], rel=1e-6)
    assert ends[True] * sd == pytest.approx(jump["level_right"], rel=1e-6)
