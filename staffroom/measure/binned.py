"""Means in bins on both sides of a cutoff, and the line through each side near it: what a picture of a jump shows.

Bins hold equally many rows as far as that goes (quantile-spaced; Calonico, Cattaneo & Titiunik 2015, Journal of the American
Statistical Association 110, section 3), never fewer than `least`, so that no bin tells of one.
"""

from dataclasses import dataclass

import numpy as np

from staffroom.measure.cells import Bools, Floats

LEAST = 5
MOST_BINS = 12
"""On one side."""


@dataclass(frozen=True, slots=True)
class Bin:
    """Rows next to each other on one side of the cutoff."""

    running: float
    """Mean of the running variable, weighted, as is `mean`."""
    mean: float
    rows: int
    is_right: bool


@dataclass(frozen=True, slots=True)
class Line:
    """Least squares with a triangular kernel within the bandwidth, from the far end to the cutoff."""

    start: tuple[float, float]
    end: tuple[float, float]
    is_right: bool


def bins(value: Floats, running: Floats, *, cutoff: float, weight: Floats, least: int = LEAST) -> tuple[Bin, ...]:
    """Of all rows (R,), from left to right; those at the cutoff stand on the right. A side of fewer than `least` has none.

    Rows with the same value of the running variable stay together.
    """
    found: list[Bin] = []
    for is_right in (False, True):
        side = (running >= cutoff) == is_right
        for chosen in _parts(running, side, least):
            mass = weight[chosen]
            found.append(
                Bin(float(np.average(running[chosen], weights=mass)), float(np.average(value[chosen], weights=mass)),
                    int(chosen.sum()), is_right)
            )  # fmt: skip
    return tuple(found)


def _parts(running: Floats, side: Bools, least: int) -> list[Bools]:
    """Masks (R,) of the bins of one side."""
    values, counts = np.unique(running[side], return_counts=True)
    wanted = max(least, -(-int(side.sum()) // MOST_BINS))
    edges, size = list[float](), 0
    for value, count in zip(values.tolist(), counts.tolist(), strict=True):
        size += count
        if size >= wanted:
            edges.append(value)
            size = 0
    if not edges:
        return []
    # What is left at the end is too little to stand alone.
    edges[-1] = float(values[-1])
    low = [-np.inf, *edges[:-1]]
    return [side & (running > start) & (running <= end) for start, end in zip(low, edges, strict=True)]


def lines(value: Floats, running: Floats, *, cutoff: float, bandwidth: float, weight: Floats) -> tuple[Line, ...]:
    """Of each side that has rows with two different values of the running variable within the bandwidth."""
    found = []
    for is_right in (False, True):
        near = (np.abs(running - cutoff) < bandwidth) & ((running >= cutoff) == is_right)
        off = running[near] - cutoff
        kernel = weight[near] * (1 - np.abs(off) / bandwidth)
        if np.unique(off[kernel > 0]).size < 2:
            continue
        design = np.column_stack([np.ones_like(off), off]) * np.sqrt(kernel)[:, None]
        level, slope = np.linalg.lstsq(design, value[near] * np.sqrt(kernel), rcond=None)[0].tolist()
        far = float(off[np.argmax(np.abs(off))])
        found.append(Line((cutoff + far, level + slope * far), (cutoff, level), is_right))
    return tuple(found)
