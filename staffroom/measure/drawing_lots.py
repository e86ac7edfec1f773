"""Drawing lots: who goes first when seats are scarce, so that everybody can check that nobody chose.

Units (teachers, or whole schools) are drawn within blocks. Each unit has a *lot*, a number that nobody could know beforehand;
within a block the smallest lots get the seats. How many of the seats a block gets is its share of the units; what does not
divide evenly is settled by one *start* for all blocks (systematic sampling: Madow 1949, Annals of Mathematical Statistics 20),
so that every unit has the same probability, seats over units, however the units fall into blocks. Later waves are drawn in the
same way from those who are left.

Lots and starts come from a generator (`draw`), or from a published seed by SHA-256 (`lots_of`, `start_of`), which anyone can
recompute with any tool. Plain whole numbers and fractions: nothing is rounded.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

WAITLIST = 0
DIGITS = 2**64


@dataclass(frozen=True, slots=True)
class Allotment:
    """What was drawn, in the order of the units."""

    wave: tuple[int, ...]
    """1 for the first wave of seats, 2 for the next …; WAITLIST (0) for those to whom no seat fell."""
    position: tuple[int, ...]
    """1 … U: the order of the lots of all units; who waits moves up in it."""


def draw[Block: Hashable](blocks: Sequence[Block], seats: Sequence[int], generator: np.random.Generator) -> Allotment:
    """Blocked complete randomization of units (U,) into waves of `seats` (W,), each at least 0, with a generator.

    Raises ValueError that names the wave for seats below 0, and where there is no unit.
    """
    lots = [int(lot) for lot in generator.permutation(len(blocks))]
    starts = [Fraction(int(generator.integers(0, DIGITS, dtype="uint64")), DIGITS) for _wave in seats]
    return allot(blocks, seats, lots, starts)


def allot[Block: Hashable](
    blocks: Sequence[Block], seats: Sequence[int], lots: Sequence[int], starts: Sequence[Fraction]
) -> Allotment:
    """The waves that follow from lots (U,), all different, and starts (W,) in [0, 1).

    Blocks are gone through in the order of their names. ValueError names what does not fit.
    """
    _check(blocks, seats, lots, starts)
    order = sorted(range(len(lots)), key=lots.__getitem__)
    waiting: dict[Block, list[int]] = defaultdict(list)
    for unit in order:
        waiting[blocks[unit]].append(unit)
    wave = [WAITLIST] * len(blocks)
    for number, (count, start) in enumerate(zip(seats, starts, strict=True), 1):
        for block, share in shares({name: len(units) for name, units in waiting.items()}, count, start).items():
            for unit in waiting[block][:share]:
                wave[unit] = number
            del waiting[block][:share]
    position = [0] * len(blocks)
    for place, unit in enumerate(order, 1):
        position[unit] = place
    return Allotment(tuple(wave), tuple(position))


def shares[Block: Hashable](units: Mapping[Block, int], seats: int, start: Fraction) -> dict[Block, int]:
    """How many of the seats each block gets: its part of the units, rounded down or up by one start for all.

    Block b gets floor(T_b + start) - floor(T_(b-1) + start), T_b being the seats times the units up to and with b over all units.
    With a uniform start it is rounded up with exactly the probability of the part that is left over; the sum is always `seats`
    (at most all units).
    """
    total = sum(units.values())
    seats = min(seats, total)
    if not total:
        return dict.fromkeys(units, 0)
    names = sorted(units, key=str)
    marks = [
        0,
        *((Fraction(upto * seats, total) + start).__floor__() for upto in accumulate(units[name] for name in names)),
    ]
    return {name: high - low for name, (low, high) in zip(names, pairwise(marks), strict=True)}


def join_small(blocks: Sequence[str], least: int) -> tuple[str, ...]:
    """The blocks of units (U,), with those of fewer than `least` units joined: the smallest two first, until none is too small.

    A joined block is named by all of its parts in order. Without this a block of one unit would tell nothing about the seats.
    """
    sizes = Counter(blocks)
    parts: dict[str, tuple[str, ...]] = {name: (name,) for name in sizes}
    while len(sizes) > 1:
        small, other = sorted(sizes, key=lambda name: (sizes[name], name))[:2]
        if sizes[small] >= least:
            break
        names = tuple(sorted({*parts.pop(small), *parts.pop(other)}))
        parts[" + ".join(names)] = names
        sizes[" + ".join(names)] = sizes.pop(small) + sizes.pop(other)
    joined = {part: name for name, names in parts.items() for part in names}
    return tuple(joined[block] for block in blocks)


def seed_of(*published: str) -> str:
    """The seed (64 hexadecimal digits) that follows from published texts: SHA-256 of them, a line each."""
    return hashlib.sha256("\n".join(published).encode()).hexdigest()


def lots_of(seed: str, tickets: Sequence[str]) -> tuple[int, ...]:
    """The lot of each ticket: SHA-256 of the seed, a line break and the ticket, as a number. ValueError for a ticket twice."""
    if len(set(tickets)) != len(tickets):
        raise ValueError(f"ticket {Counter(tickets).most_common(1)[0][0]} is there twice")
    return tuple(int(hashlib.sha256(f"{seed}\n{ticket}".encode()).hexdigest(), 16) for ticket in tickets)


def start_of(seed: str, wave: int) -> Fraction:
    """The start of a wave: the first 16 hexadecimal digits of SHA-256 of the seed, a line break and `wave N`, over 2^64."""
    return Fraction(int(hashlib.sha256(f"{seed}\nwave {wave}".encode()).hexdigest()[:16], 16), DIGITS)


def _check[Block: Hashable](
    blocks: Sequence[Block], seats: Sequence[int], lots: Sequence[int], starts: Sequence[Fraction]
) -> None:
    if not blocks:
        raise ValueError("there is no unit to be drawn")
    if len(lots) != len(blocks):
        raise ValueError(f"there are {len(blocks)} units and {len(lots)} lots")
    if len(set(lots)) != len(lots):
        raise ValueError("two units have the same lot")
    for wave, count in enumerate(seats, 1):
        if count < 0:
            raise ValueError(f"wave {wave} has {count} seats")
    if len(starts) != len(seats) or not all(0 <= start < 1 for start in starts):
        raise ValueError("each wave needs a start of at least 0 and below 1")
