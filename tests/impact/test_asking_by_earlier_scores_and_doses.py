"""Two more designs of the tree, from the ledgers: teachers made alike by scores from before, and more hours against fewer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import ibis
import numpy as np
import pyarrow
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from staffroom.knowing.frames import ledgers
from staffroom.knowing.impact.asking import Material, question_of
from staffroom.knowing.impact.keeping import kept
from staffroom.knowing.impact.summing import Stretch
from staffroom.measure.answering import answer

TERMS = [
    Stretch("Fall 2025", date(2025, 8, 20), date(2025, 12, 20)),
    Stretch("Spring 2026", date(2026, 1, 12), date(2026, 6, 12)),
]
TEACHERS = [f"t{number:02d}" for number in range(60)]
TOOK_PART = TEACHERS[::2]


def rows(effect: float = 8.0, gap: float = 3.0) -> list[dict[str, Any]]:
    """Results of 60 teachers at 20 schools in two terms; the second with scores of the first. Who takes part has better students."""
    generator, found = np.random.default_rng(7), []
    for number, teacher in enumerate(TEACHERS):
        level = generator.normal(200 + gap * (teacher in TOOK_PART), 4)
        before = generator.normal(level, 15, 20)
        now = 0.7 * before + 70 + generator.normal(effect * (teacher in TOOK_PART), 12, 20) + generator.normal(0, 2)
        for term, scores in zip(TERMS, (before, now), strict=True):
            found.append({"teacher_key": teacher, "school_key": f"s{number // 3:02d}", "term_begins_on": term.begins_on, "n": 20,
                          "y_sum": float(scores.sum()), "y_sumsq": float((scores**2).sum()), "p_sum": float(before.sum()),
                          "p_sumsq": float((before**2).sum()), "py_sum": float((before * now).sum())})  # fmt: skip
    return found


def material(**more: Any) -> Material:
    found = rows(**{name: more.pop(name) for name in ("effect", "gap") if name in more})
    linked = [row for row in found if row["term_begins_on"] == TERMS[1].begins_on]
    said: dict[str, Any] = {
        "prior_cells": pyarrow.Table.from_pylist(linked), "first_on": dict.fromkeys(TOOK_PART, date(2026, 1, 15)),
        "begins": TERMS[1].begins_on, "ends": TERMS[1].ends_on,
    }  # fmt: skip
    said |= {"cells": pyarrow.Table.from_pylist(found), "terms": TERMS, "students": 1200}
    return Material(**{**said, **more})


def asked(found: Material) -> dict[str, Any]:
    return kept(answer(question_of(found), np.random.default_rng(1)))


def gate(answered: Mapping[str, Any], name: str) -> dict[str, Any]:
    return next(each for each in answered["gates"] if each["name"] == name)


# --- Scores from before -----------------------------------------------------------------------------------------------------------


def test_with_two_terms_teachers_are_made_alike_by_scores_from_before() -> None:
    found = asked(material())
    assert found["estimator"] == "entropy_balanced"
    assert 0.3 < found["effect"]["sd"] < 0.8
    (line,) = found["details"]["balance"]
    assert line["name"] == "score before"
    assert abs(line["g_before"]) > 0.05 > abs(line["g_after"])
    assert gate(found, "baseline_equivalence")["passed"]


def test_without_scores_from_before_two_terms_are_only_described() -> None:
    assert asked(material(prior_cells=None))["estimator"] == "describe"
    nothing = material().prior_cells
    assert nothing is not None
    assert asked(material(prior_cells=nothing.slice(0, 0)))["estimator"] == "describe"


def test_only_results_of_the_time_asked_about_are_compared() -> None:
    question = question_of(material())
    assert question.cells is not None
    assert question.cells.terms.tolist() == [1]


def test_where_lower_is_better_both_scores_are_turned_round() -> None:
    better, worse = question_of(material()).cells, question_of(material(is_higher_better=False)).cells
    assert better is not None
    assert worse is not None
    assert np.allclose(better.mean, -worse.mean)
    assert np.allclose(better.scatter, worse.scatter)


def test_means_of_few_teachers_are_not_kept() -> None:
    few = [teacher for number, teacher in enumerate(TEACHERS) if number >= 4]
    found = asked(material(first_on=dict.fromkeys(few, date(2026, 1, 15))))
    assert found["estimator"] == "entropy_balanced"
    assert found["n"]["comparison_teachers"] is None
    assert "balance" not in found["details"]


def test_over_three_terms_all_results_count_and_scores_from_before_are_a_placebo() -> None:
    third = Stretch("Fall 2026", date(2026, 8, 20), date(2026, 12, 20))
    earliest = [row for row in rows(effect=0.0) if row["term_begins_on"] == TERMS[0].begins_on]
    now = [row for row in rows() if row["term_begins_on"] == TERMS[1].begins_on]
    more = [{**row, "term_begins_on": third.begins_on} for row in now]
    said = material(terms=[*TERMS, third], cells=pyarrow.Table.from_pylist([*earliest, *now, *more]),
                    prior_cells=pyarrow.Table.from_pylist([*now, *more]), ends=third.ends_on,
                    first_on=dict.fromkeys(TOOK_PART, date(2026, 9, 1)))  # fmt: skip
    question = question_of(said)
    assert question.cells is not None
    assert question.cells.terms.tolist() == [0, 1, 2]
    found = kept(answer(question, np.random.default_rng(1)))
    assert found["estimator"] == "imputation"
    # The same students as before: so the score from before does not differ at all.
    assert gate(found, "composition")["value"] == pytest.approx(0.0, abs=1e-9)


# --- Hours ------------------------------------------------------------------------------------------------------------------------


def hours(of: Mapping[str, tuple[int, int]]) -> dict[str, dict[date | None, int]]:
    return {
        who: {term.begins_on: 3600 * each for term, each in zip(TERMS, two, strict=True)} for who, two in of.items()
    }


def test_where_everybody_takes_part_more_hours_are_held_against_fewer_as_an_association() -> None:
    everybody = dict.fromkeys(TEACHERS, date(2025, 9, 1))
    unequal = {who: (2, 12) if who in TOOK_PART else (2, 2) for who in TEACHERS}
    said = material(first_on=everybody, seconds_by_term=hours(unequal), prior_cells=None, begins=TERMS[0].begins_on)
    found = asked(said)
    assert found["estimator"] == "dose"
    assert found["effect"]["sd"] > 0
    assert found["tier"] >= 3
    assert not gate(found, "association")["passed"]


def test_hours_of_few_teachers_and_hours_between_terms_are_no_dose() -> None:
    everybody = dict.fromkeys(TEACHERS, date(2025, 9, 1))
    for seconds in (hours(dict.fromkeys(TEACHERS[:4], (1, 9))), {who: {None: 3600} for who in TEACHERS}):
        question = question_of(material(first_on=everybody, seconds_by_term=seconds, begins=None))
        assert question.dose is None


def test_groups_of_few_teachers_by_dose_are_not_shown() -> None:
    everybody = dict.fromkeys(TEACHERS, date(2025, 9, 1))
    unequal = {who: (0 if number < 2 else 2, 1 + number % 17) for number, who in enumerate(TEACHERS)}
    found = asked(
        material(first_on=everybody, seconds_by_term=hours(unequal), prior_cells=None, begins=TERMS[0].begins_on)
    )
    groups = found["details"]["dose"]["groups"]
    assert sum(bool(group.get("hidden")) for group in groups) == 2
    assert all(group["teachers"] is None or group["teachers"] >= 5 for group in groups)


# --- From the lake ----------------------------------------------------------------------------------------------------------------

RESULTS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 2), st.integers(0, 3), st.integers(0, 9)), min_size=1, max_size=14,
    unique_by=lambda each: (each[0], each[2]),
)  # fmt: skip
DAYS = [date(2024 + number // 2, 8 if number % 2 else 1, 10) for number in range(4)]


@given(RESULTS, st.dictionaries(st.integers(0, 2), st.integers(0, 3)))
@settings(max_examples=12, deadline=None)
def test_a_score_counts_as_one_from_before_only_if_nobody_who_took_part_taught_then(
    results: list[tuple[int, int, int, int]], first: dict[int, int]
) -> None:
    earlier = {}
    for student, teacher, term, value in results:
        before = [each for each in results if each[0] == student and each[2] < term]
        earlier[student, term] = max(before, key=lambda each: each[2], default=None)
        del teacher, value
    lines = [
        {"student_key": f"p{student}", "teacher_key": f"t{teacher}", "school_key": None, "term_begins_on": DAYS[term],
         "value": float(value), "prior": None if earlier[student, term] is None else float(earlier[student, term][3]),
         "organization_path": "/1/2/", "instrument_key": "m", "subject": "student"}
        for student, teacher, term, value in results
    ]  # fmt: skip
    expected: dict[tuple[str, date], list[float]] = {}
    for student, teacher, term, value in results:
        before = earlier[student, term]
        if before is not None and not (before[1] in first and before[2] >= first[before[1]]):
            cell = expected.setdefault((f"t{teacher}", DAYS[term]), [0, 0, 0, 0])
            for place, more in enumerate((1, value, before[3], before[3] * value)):
                cell[place] += more
        del student
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ledgers, "_ledger", lambda _name: _in_memory(lines))
        found = ledgers.prior_cells("/1/", "m", {f"t{who}": DAYS[term] for who, term in first.items()})
    assert {(row["teacher_key"], row["term_begins_on"]): [row["n"], row["y_sum"], row["p_sum"], row["py_sum"]]
            for row in found.to_pylist()} == expected  # fmt: skip


def _in_memory(lines: list[dict[str, Any]]) -> Any:
    schema = pyarrow.schema([
        (name, {"term_begins_on": pyarrow.date32(), "value": pyarrow.float64(), "prior": pyarrow.float64()}.get(name, pyarrow.string()))
        for name in lines[0]
    ])  # fmt: skip
    engine = ibis.duckdb.connect()
    return engine.create_table("outcome", pyarrow.Table.from_pylist(lines, schema))
