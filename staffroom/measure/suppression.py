"""Small numbers are not shown, and cannot be had by subtraction either.

Primary: counts from 1 to 4 are hidden. Zeros stay: they speak of nobody. Complementary: every hidden count lies on a
hidden rectangle of the table together with its totals, so that no set of row and column sums determines it; the counts
that share a row or column in that rectangle add up to at least the threshold, so that knowing "hidden means at least
one" does not determine it either (Cox 1980, JASA 75: cycles in a table; a cell is safe if and only if it is on one).
Hidden counts all look the same: whether primary or complementary is not told.
"""

import numpy as np

from staffroom.measure.cells import Bools, Floats, Ints

THRESHOLD = 5


def suppress_list(counts: Ints, *, threshold: int = THRESHOLD) -> tuple[Bools, bool]:
    """(R,) which counts to hide, and whether to hide their total, for a list of counts >= 0 shown with its total.

    At least two are hidden and add up to the threshold, or else the total is hidden as well.
    """
    counts = _whole(counts, 1)
    hidden = (counts > 0) & (counts < threshold)
    if not hidden.any():
        return hidden, False
    for place in np.lexsort((np.arange(counts.size), counts, counts == 0)):
        if hidden.sum() >= 2 and counts[hidden].sum() >= threshold:
            return hidden, False
        hidden[place] |= counts[place] > 0
    enough = hidden.sum() >= 2 and counts[hidden].sum() >= threshold
    return hidden, not enough


def complement(small: Bools, sizes: Ints) -> Bools:
    """(R,) lines to hide so that those in `small` (R,) do not follow from the others and the whole: never exactly one.

    For averages shown beside their overall mean: a single hidden line gets the smallest other one as company.
    """
    hidden = small.copy()
    others = np.flatnonzero(~small)
    if small.sum() == 1 and others.size:
        hidden[others[np.argmin(sizes[others])]] = True
    return hidden


def suppress_table(counts: Ints, *, threshold: int = THRESHOLD) -> Bools:
    """(R+1, C+1) which entries to hide of a table of counts (R, C) >= 0 with its row totals, column totals and total.

    The last row and column of the result are for the totals. Raises ValueError for negative or fractional counts.
    """
    counts = _whole(counts, 2)
    whole = np.zeros((counts.shape[0] + 1, counts.shape[1] + 1), dtype=np.int64)
    whole[:-1, :-1] = counts
    whole[-1, :-1], whole[:-1, -1], whole[-1, -1] = counts.sum(axis=0), counts.sum(axis=1), counts.sum()
    hidden = (whole > 0) & (whole < threshold)
    for row, column in np.argwhere(hidden):
        _hide_rectangle(whole, hidden, int(row), int(column), threshold)
    return hidden


def _hide_rectangle(whole: Ints, hidden: Bools, row: int, column: int, threshold: int) -> None:
    """Hide, at the least cost in counts newly hidden, the other three corners of a rectangle around (row, column)."""
    cost = np.where(hidden, 0.0, whole.astype(np.float64))
    total = np.where(whole == 0, np.inf, cost)
    price = total[row][None, :] + total[:, column][:, None] + total
    own = whole[row, column]
    fits = (own + whole[row] >= threshold)[None, :] & (own + whole[:, column] >= threshold)[:, None]
    fits = fits & (whole[row][None, :] + whole >= threshold) & (whole[:, column][:, None] + whole >= threshold)
    fits[row], fits[:, column] = False, False
    price = np.where(fits, price, np.inf)
    if not np.isfinite(price).any():
        hidden[whole > 0] = True
        return
    other = np.unravel_index(int(np.argmin(price)), price.shape)
    for place in ((row, other[1]), (other[0], column), other):
        hidden[place] = True


def _whole(counts: Ints | Floats, dimensions: int) -> Ints:
    array = np.asarray(counts)
    if array.ndim != dimensions or not array.size:
        raise ValueError(f"counts must have {dimensions} dimensions and at least one entry")
    if not (np.isfinite(array).all() and (array >= 0).all() and (array == np.floor(array)).all()):
        raise ValueError("counts must be whole numbers of at least 0")
    return array.astype(np.int64)
