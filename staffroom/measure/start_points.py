"""Randomization tests of single cases whose start of taking part was drawn by lot.

If the start was drawn from a set of sessions, the difference of phase means at the actual start is compared with that at
every start that could have been drawn (Edgington 1975). Several cases are tested together in three ways of drawing:

* 'independent': each case drew its start from its own set (Marascuilo & Busk 1988);
* 'permuted': the starts were fixed and lots were drawn which case gets which (Wampold & Worsham 1986);
* 'regulated': lots were drawn which case gets which set of starts, and then the start within it (Koehler & Levin 1998).

All draws are gone through where they can be counted; else a random sample of them, with the actual one, stands for them.
"""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from staffroom.measure.cells import Floats, Ints, finite

SCHEMES = ("independent", "permuted", "regulated")
LIMIT = 500_000
"""Draws that are gone through one by one at most."""


@dataclass(frozen=True, slots=True)
class StartPointTest:
    """What chance alone could have done."""

    statistic: float
    """Mean over cases of the mean during less the mean before; above zero is the better."""
    p: float
    arrangements: int
    """How many outcomes the lots could have had."""
    enumerated: bool
    """Whether all of them were gone through."""
    draws: int
    """Outcomes that were looked at, the actual one among them."""
    least_p: float
    """The smallest p that this many arrangements can give: above 0.05 the test can find nothing."""
    scheme: str


def admissible_starts(ratings: int, *, least_before: int = 5, least_during: int = 5) -> tuple[int, ...]:
    """Numbers of ratings before the start that leave at least so many in each phase."""
    return tuple(range(least_before, ratings - least_during + 1))


def start_point_test(
    cases: Sequence[ArrayLike],
    starts: Sequence[int],
    possible: Sequence[Sequence[int]],
    generator: np.random.Generator,
    *,
    scheme: str = "independent",
    improvement: str = "increase",
    two_sided: bool = False,
    limit: int = LIMIT,
    draws: int = 9999,
) -> StartPointTest:
    """Test ratings of each case, in order of time, against its start.

    `starts` are the numbers of ratings before the actual start; `possible` the sets that it was drawn from: per case for
    'independent', and the sets that were dealt out to the cases for 'regulated' (`possible[i]` is the one that case i
    got); not looked at for 'permuted'. Raises ValueError that names the case for missing ratings, a start outside its
    set, or a start that leaves a phase empty.
    """
    if scheme not in SCHEMES or improvement not in ("increase", "decrease"):
        raise ValueError(f"scheme must be one of {', '.join(SCHEMES)} and improvement 'increase' or 'decrease'")
    sets = [(start,) for start in starts] if scheme == "permuted" else [tuple(each) for each in possible]
    series = _checked(cases, starts, sets, shared=scheme != "independent")
    sign = 1.0 if improvement == "increase" else -1.0
    tables = [_differences(sign * values) for values in series]
    actual = float(np.mean([table[start] for table, start in zip(tables, starts, strict=True)]))
    arrangements = _count(sets, scheme)
    if arrangements <= limit:
        found = np.concatenate(list(_all(tables, sets, scheme))) / len(series)
    else:
        found = np.r_[actual, _drawn(tables, sets, scheme, draws, generator) / len(series)]
    edge = 1e-9 * max(1.0, float(np.abs(found).max()))
    extreme = np.abs(found) >= abs(actual) - edge if two_sided else found >= actual - edge
    return StartPointTest(
        statistic=actual,
        p=float(extreme.mean()),
        arrangements=arrangements,
        enumerated=arrangements <= limit,
        draws=found.size,
        least_p=1 / found.size,
        scheme=scheme,
    )


def _checked(
    cases: Sequence[ArrayLike], starts: Sequence[int], sets: Sequence[tuple[int, ...]], *, shared: bool
) -> list[Floats]:
    if not len(cases) == len(starts) == len(sets) or not cases:
        raise ValueError(
            f"{len(cases)} cases, {len(starts)} starts and {len(sets)} sets of starts; at least one of each"
        )
    series = []
    for place, values in enumerate(cases):
        series.append(finite(f"rating of case {place}", values, 1))
        if starts[place] not in sets[place]:
            raise ValueError(f"case {place}: the actual start {starts[place]} is not among those that could be drawn")
        reachable = {start for each in sets for start in each} if shared else set(sets[place])
        if len(set(sets[place])) < len(sets[place]):
            raise ValueError(f"case {place}: a start stands twice in its set")
        if not all(0 < start < series[-1].size for start in reachable):
            raise ValueError(f"case {place}: a possible start leaves a phase without ratings")
    return series


def _differences(values: Floats) -> Floats:
    """(n,) mean from each place on less the mean before it; NaN at 0."""
    before = np.arange(values.size)
    sums = np.r_[0.0, np.cumsum(values - values.mean())[:-1]]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(-sums / (values.size - before) - sums / before)


def _count(sets: Sequence[tuple[int, ...]], scheme: str) -> int:
    ways = math.prod(len(each) for each in sets)
    return ways if scheme == "independent" else ways * math.factorial(len(sets))


def _all(tables: Sequence[Floats], sets: Sequence[tuple[int, ...]], scheme: str) -> Iterator[Floats]:
    """Sums over cases for every draw: those of one dealing of the sets after another."""
    cases = range(len(tables))
    for dealt in [tuple(cases)] if scheme == "independent" else itertools.permutations(cases):
        sums = np.zeros(1)
        for table, which in zip(tables, dealt, strict=True):
            sums = np.add.outer(sums, table[list(sets[which])]).ravel()
        yield sums


def _drawn(
    tables: Sequence[Floats],
    sets: Sequence[tuple[int, ...]],
    scheme: str,
    draws: int,
    generator: np.random.Generator,
) -> Floats:
    """(draws,) sums over cases for lots drawn anew."""
    dealt: Ints = np.tile(np.arange(len(sets)), (draws, 1))
    if scheme != "independent":
        dealt = generator.permuted(dealt, axis=1)
    sizes = np.array([len(each) for each in sets])
    padded = np.zeros((len(sets), int(sizes.max())), dtype=np.int64)
    for place, each in enumerate(sets):
        padded[place, : len(each)] = each
    chosen = padded[dealt, generator.integers(0, sizes[dealt])]
    return np.asarray(sum(table[chosen[:, place]] for place, table in enumerate(tables)))
