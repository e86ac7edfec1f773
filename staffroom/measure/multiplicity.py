"""p-values of several questions asked of the same data, adjusted for their number; NaN stays NaN and does not count."""

import numpy as np
from numpy.typing import ArrayLike

from staffroom.measure.cells import Floats, refuse_rows


def benjamini_hochberg(p: ArrayLike, *, others: int = 0) -> Floats:
    """(M,) adjusted p: below q in all questions where the false discovery rate is held at q (Benjamini & Hochberg 1995).

    `others` counts questions that were asked too and whose p-values are not known: they are taken as 1.
    Raises ValueError that names the row of a number that is no probability.
    """
    values, known, asked = _ordered(p, others)
    adjusted = np.minimum.accumulate((values * asked / np.arange(1, values.size + 1))[::-1])[::-1]
    return _put_back(np.minimum(adjusted, 1.0), known)


def holm(p: ArrayLike, *, others: int = 0) -> Floats:
    """(M,) adjusted p that hold the chance of any false claim (Holm 1979), without assumptions on dependence."""
    values, known, asked = _ordered(p, others)
    adjusted = np.maximum.accumulate(values * (asked - np.arange(values.size)))
    return _put_back(np.minimum(adjusted, 1.0), known)


def bonferroni(p: ArrayLike, *, others: int = 0) -> Floats:
    """(M,) p times the number of questions, at most 1."""
    values, known, asked = _ordered(p, others)
    return _put_back(np.minimum(values * asked, 1.0), known)


def _ordered(p: ArrayLike, others: int) -> tuple[Floats, "tuple[Floats, np.typing.NDArray[np.int64]]", int]:
    """Known p in rising order, where they came from, and how many questions were asked."""
    values = np.asarray(p, dtype=np.float64)
    if values.ndim != 1 or others < 0:
        raise ValueError("p must be one-dimensional and the number of others at least 0")
    refuse_rows((values < 0) | (values > 1), "p does not lie between 0 and 1")
    known = np.flatnonzero(~np.isnan(values))
    order = known[np.argsort(values[known], kind="stable")]
    return values[order], (values, order), int(known.size + others)


def _put_back(adjusted: Floats, origin: "tuple[Floats, np.typing.NDArray[np.int64]]") -> Floats:
    values, order = origin
    found = np.full(values.shape, np.nan)
    found[order] = adjusted
    return found
