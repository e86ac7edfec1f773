"""How long somebody was at it, by what a tool wrote: properties of the arithmetic."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from staffroom.exchange.sittings import sitting_s, told_s

BEGIN = datetime(2026, 9, 7, 8, tzinfo=UTC)
moments = st.lists(st.integers(0, 86_399).map(lambda s: BEGIN + timedelta(seconds=s)), max_size=40)
spans = st.lists(
    st.tuples(st.integers(0, 86_399).map(lambda s: BEGIN + timedelta(seconds=s)), st.integers(0, 20_000)), max_size=30
)
pauses = st.integers(60, 7200)
leasts = st.integers(0, 1800)


def minutes(*numbers: int) -> list[datetime]:
    return [BEGIN + timedelta(minutes=each) for each in numbers]


def test_a_sitting_lasts_from_first_to_last() -> None:
    assert sitting_s(minutes(0, 10, 25), pause_s=1800, least_s=60) == 25 * 60


def test_a_long_pause_ends_a_sitting() -> None:
    assert sitting_s(minutes(0, 10, 100, 115), pause_s=1800, least_s=60) == 25 * 60


def test_a_single_entry_is_a_short_sitting() -> None:
    assert sitting_s(minutes(5), pause_s=1800, least_s=300) == 300
    assert sitting_s([], pause_s=1800, least_s=300) == 0


def test_time_that_two_entries_tell_counts_once() -> None:
    left, completed = (BEGIN + timedelta(minutes=41), 41 * 60), (BEGIN + timedelta(minutes=40), 40 * 60)
    assert told_s([left, completed]) == 41 * 60
    assert told_s([completed, (BEGIN + timedelta(hours=3), 600)]) == 50 * 60


@given(moments, pauses, leasts, st.randoms(use_true_random=False))
def test_order_and_repetition_change_nothing(
    found: list[datetime], pause: int, least: int, chance: random.Random
) -> None:
    mixed = [*found, *found]
    chance.shuffle(mixed)
    assert sitting_s(mixed, pause_s=pause, least_s=least) == sitting_s(found, pause_s=pause, least_s=least)


@given(moments.filter(bool), pauses, leasts)
def test_sittings_stay_within_bounds(found: list[datetime], pause: int, least: int) -> None:
    seconds = sitting_s(found, pause_s=pause, least_s=least)
    span = (max(found) - min(found)).total_seconds()
    assert least <= seconds <= span + len(set(found)) * least
    assert sitting_s(found, pause_s=pause, least_s=0) <= seconds
    # Without an end to pauses there is one sitting.
    assert sitting_s(found, pause_s=86_400, least_s=0) == span


@given(moments, pauses, pauses)
def test_a_longer_pause_never_makes_less(found: list[datetime], one: int, other: int) -> None:
    short, long = sorted((one, other))
    assert sitting_s(found, pause_s=short, least_s=0) <= sitting_s(found, pause_s=long, least_s=0)


@given(spans)
def test_told_time_is_counted_second_by_second(found: list[tuple[datetime, int]]) -> None:
    """Against the plainest way: every second that any span holds."""
    seconds: set[int] = set()
    for end, length in found:
        at = int((end - BEGIN).total_seconds())
        seconds |= set(range(at - length, at))
    assert told_s(found) == len(seconds)


@given(spans, st.integers(0, 100_000))
def test_told_time_does_not_depend_on_the_hour(found: list[tuple[datetime, int]], shift: int) -> None:
    later = [(at + timedelta(seconds=shift), length) for at, length in found]
    assert told_s(later) == told_s(found)
