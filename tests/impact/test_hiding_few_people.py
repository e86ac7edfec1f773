"""Small numbers: hidden where they stand, and never to be had by subtraction."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pyarrow
from hypothesis import given, settings
from hypothesis import strategies as st

from staffroom.knowing.impact.hiding import hidden_lines
from staffroom.knowing.impact.studying import NEVER, first_term
from staffroom.knowing.impact.summing import Stretch, Uptake, add_up, read_uptake
from staffroom.knowing.impact.wording import sentence

FALL = Stretch("Fall", date(2025, 8, 20), date(2025, 12, 20))
SPRING = Stretch("Spring", date(2026, 1, 12), date(2026, 6, 12))
TERMS = {1: FALL, 2: SPRING}
NO_COSTS = pyarrow.table({name: pyarrow.array([], pyarrow.null()) for name in ("kind",)})


@settings(deadline=None)
@given(st.lists(st.integers(0, 30), max_size=9))
def test_hidden_lines_are_together_never_few(people: list[int]) -> None:
    hidden = [count for count, hide in zip(people, hidden_lines(people), strict=True) if hide]
    shown = [count for count, hide in zip(people, hidden_lines(people), strict=True) if not hide]
    assert all(count == 0 or count >= 5 for count in shown)
    if hidden and any(shown):
        # A line of five stands beside them, so what is hidden is about five people at least, however much they overlap.
        assert max(hidden) >= 5


def uptake(fall: int, spring: int) -> Uptake:
    """Teachers 0, 1, … with an hour each in fall and two in spring."""
    rows = [{"actor_key": f"t{each}", "role": "teacher", "term_id": term, "seconds": 3600 * term, "entries": 1,
             "first_at": datetime(2025, 9, 1, tzinfo=UTC)}
            for term, many in ((1, fall), (2, spring)) for each in range(many)]  # fmt: skip
    return read_uptake(pyarrow.Table.from_pylist(rows), TERMS)


def test_a_term_of_few_teachers_takes_another_along() -> None:
    said = add_up(uptake(12, 3), NO_COSTS, TERMS.values(), set())
    assert said["teachers"] == 12
    assert said["hours"] == 18
    assert [row["hours"] for row in said["by_term"]] == [None, None]


def test_of_four_teachers_nothing_is_said() -> None:
    said = add_up(uptake(4, 4), NO_COSTS, TERMS.values(), {f"t{each}" for each in range(40)})
    told = {name: said[name] for name in ("teachers", "hours", "hours_per_teacher", "share", "teachers_now")}
    assert set(told.values()) == {None}
    assert said["costs"]["per_teacher"] is None


def test_a_share_is_silent_where_it_would_tell_of_those_who_stayed_away() -> None:
    everyone_but_two = {f"t{each}" for each in range(12)}
    assert add_up(uptake(10, 10), NO_COSTS, TERMS.values(), everyone_but_two)["share"] is None
    assert add_up(uptake(10, 10), NO_COSTS, TERMS.values(), {f"t{each}" for each in range(20)})["share"] == 0.5


def costs(*lines: tuple[str, str, int, int]) -> pyarrow.Table:
    return pyarrow.Table.from_pylist([
        {"kind": kind, "role": role, "is_business_as_usual": False, "amount_usd_cents": cents, "lines": 3, "persons": persons,
         "hours_priced": 1, "first_year": 2026, "last_year": 2026}
        for kind, role, cents, persons in lines
    ])  # fmt: skip


def test_the_time_of_few_coaches_is_put_together_with_that_of_teachers() -> None:
    said = add_up(uptake(12, 12), costs(("wage", "coach", 900, 2), ("wage", "teacher", 5000, 12), ("room", "", 100, 0)),
                  TERMS.values(), set())["costs"]  # fmt: skip
    assert [(line["kind"], line["role"], line["amount"]) for line in said["lines"]] == [
        ("room", "", 100),
        ("wage", "", 5900),
    ]
    assert said["net"] == 6000
    assert said["per_teacher"] == 500


def test_the_time_of_few_people_alone_hides_the_total_too() -> None:
    said = add_up(uptake(3, 3), costs(("wage", "teacher", 5000, 3), ("room", "", 100, 0)), TERMS.values(), set())[
        "costs"
    ]
    assert said["total"] is said["net"] is said["per_teacher"] is None
    assert [line["amount"] for line in said["lines"]] == [100, None]


def test_a_sentence_does_not_count_few_teachers() -> None:
    said = sentence({"message": "too_few_treated", "values": {"teachers": 3, "limit": 10}})
    assert said.startswith("fewer than 5 teachers")


def test_taking_part_begins_in_the_first_term_that_has_not_ended() -> None:
    terms = [FALL, SPRING]
    days = {
        date(2025, 8, 1): 0,
        date(2025, 12, 20): 0,
        date(2025, 12, 24): 1,
        date(2026, 6, 12): 1,
        date(2026, 7, 1): NEVER,
    }
    assert {day: first_term(day, terms) for day in days} == days
    assert first_term(None, terms) == NEVER
