"""Drawing lots: everybody has the same chance, whatever the blocks; who knows the seed can draw it again."""

from __future__ import annotations

import hashlib
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from staffroom.measure.drawing_lots import WAITLIST, allot, draw, join_small, lots_of, seed_of, shares, start_of

BLOCKS = st.lists(st.sampled_from("abcdef"), min_size=1, max_size=30)


@given(BLOCKS, st.lists(st.integers(0, 12), max_size=4), st.integers(0, 2**32))
def test_all_seats_are_given_and_no_unit_gets_two(blocks: list[str], seats: list[int], seed: int) -> None:
    found = draw(blocks, seats, np.random.default_rng(seed))
    given_out, left = Counter(found.wave), len(blocks)
    for wave, count in enumerate(seats, 1):
        assert given_out[wave] == min(count, left)
        left -= given_out[wave]
    assert given_out[WAITLIST] == left
    assert sorted(found.position) == list(range(1, len(blocks) + 1))


@given(
    st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 9), min_size=1), st.integers(0, 40), st.integers(1, 60)
)
def test_on_average_a_block_gets_exactly_its_share(units: dict[str, int], seats: int, steps: int) -> None:
    """The rounding is settled by one start: over all starts on a fine grid the mean is the share, to the fraction."""
    total = sum(units.values())
    grid = steps * max(total, 1)
    mean: Counter[str] = Counter()
    for step in range(grid):
        found = shares(units, seats, Fraction(step, grid))
        assert sum(found.values()) == min(seats, total)
        for name, count in found.items():
            share = Fraction(units[name] * min(seats, total), total) if total else Fraction(0)
            assert share - 1 < count < share + 1
            mean[name] += count
    for name, many in units.items():
        assert Fraction(mean[name], grid) == (Fraction(many * min(seats, total), total) if total else 0)


def test_every_unit_has_the_probability_of_seats_over_units() -> None:
    """4,000 draws of 3 + 4 seats among 11 units in blocks of 1, 2, 3 and 5: each wave's probability within 3.5 errors."""
    blocks, draws, generator = ["a", *"bb", *"ccc", *"ddddd"], 4000, np.random.default_rng(20261122)
    counts = np.zeros((2, len(blocks)))
    for _draw in range(draws):
        wave = np.array(draw(blocks, [3, 4], generator).wave)
        counts += [wave == 1, wave == 2]
    for seats, row in zip((3, 4), counts / draws, strict=True):
        chance = seats / len(blocks)
        assert np.abs(row - chance).max() < 3.5 * (chance * (1 - chance) / draws) ** 0.5


def test_the_same_seed_draws_the_same_and_another_another() -> None:
    blocks = ["north"] * 20 + ["south"] * 20
    assert draw(blocks, [13], np.random.default_rng(1)) == draw(blocks, [13], np.random.default_rng(1))
    assert draw(blocks, [13], np.random.default_rng(1)) != draw(blocks, [13], np.random.default_rng(2))


def test_the_published_procedure_needs_nothing_but_sha256() -> None:
    """Recomputed here by hand, as a reader of the page would."""
    tickets, blocks = ["T1", "T2", "T3", "T4", "T5"], ["A", "A", "A", "B", "B"]
    seed = seed_of("list", "nonce", "17")
    assert seed == hashlib.sha256(b"list\nnonce\n17").hexdigest()
    found = allot(blocks, [2], lots_of(seed, tickets), [start_of(seed, 1)])
    by_lot = sorted(tickets, key=lambda ticket: hashlib.sha256(f"{seed}\n{ticket}".encode()).hexdigest())
    start = int(hashlib.sha256(f"{seed}\nwave 1".encode()).hexdigest()[:16], 16) / 2**64
    of_a = int(2 * 3 / 5 + start)
    first = [t for t in by_lot if t in tickets[:3]][:of_a]
    first += [t for t in by_lot if t in tickets[3:]][: 2 - of_a]
    assert {ticket for ticket, wave in zip(tickets, found.wave, strict=True) if wave == 1} == set(first)
    assert [tickets[found.position.index(place)] for place in range(1, 6)] == by_lot


@given(BLOCKS, st.integers(1, 8))
def test_small_blocks_are_joined_and_nobody_changes_sides(blocks: list[str], least: int) -> None:
    joined = join_small(blocks, least)
    sizes = Counter(joined)
    assert len(sizes) == 1 or min(sizes.values()) >= least
    whole: dict[str, set[str]] = {}
    for before, after in zip(blocks, joined, strict=True):
        whole.setdefault(before, set()).add(after)
        assert before in after.split(" + ")
    assert all(len(names) == 1 for names in whole.values())


@pytest.mark.parametrize(
    ("blocks", "seats", "lots", "starts", "said"),
    [
        ([], [1], [], [Fraction(0)], "no unit"),
        (["a"], [-1], [1], [Fraction(0)], "wave 1 has -1 seats"),
        (["a", "a"], [1], [1, 1], [Fraction(0)], "same lot"),
        (["a"], [1], [1, 2], [Fraction(0)], "1 units and 2 lots"),
        (["a"], [1], [1], [Fraction(1)], "start"),
    ],
)
def test_what_does_not_fit_is_refused_in_words(blocks, seats, lots, starts, said) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=said):
        allot(blocks, seats, lots, starts)


def test_a_ticket_that_is_there_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="T1 is there twice"):
        lots_of("seed", ["T1", "T2", "T1"])
