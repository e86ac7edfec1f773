"""What is drawn at random follows from the results alone: not from the order of rows, nor from when they were written."""

from __future__ import annotations

from datetime import date

import pyarrow

from staffroom.knowing.impact.studying import Question, seed_of

ROWS = [("t1", "s1", date(2025, 8, 20), 20, 4000.0, 810000.0), ("t2", "", date(2025, 8, 20), 21, 4200.0, 850000.0)]
NAMES = ("teacher_key", "school_key", "term_begins_on", "n", "y_sum", "y_sumsq")


def asked(rows: list[tuple[object, ...]], first_on: dict[str, date]) -> Question:
    columns = dict(zip(NAMES, zip(*rows, strict=True), strict=True))
    return Question(cells=pyarrow.table(columns), first_on=first_on, terms=(), students=41)


def test_the_order_of_rows_and_of_people_changes_nothing() -> None:
    days = {"t1": date(2025, 9, 1), "t2": date(2025, 10, 1)}
    backwards = dict(reversed(days.items()))
    assert seed_of(asked(list(ROWS), days)) == seed_of(asked(ROWS[::-1], backwards))


def test_another_result_or_another_first_day_draws_anew() -> None:
    days = {"t1": date(2025, 9, 1)}
    changed = [(*ROWS[0][:4], 4001.0, ROWS[0][5]), ROWS[1]]
    seeds = {
        seed_of(asked(list(ROWS), days)), seed_of(asked(changed, days)), seed_of(asked(list(ROWS), {"t1": date(2025, 9, 2)})),
    }  # fmt: skip
    assert len(seeds) == 3
