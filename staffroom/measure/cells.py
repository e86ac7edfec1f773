"""Teacher x term cells: all that the estimators know of the students.

A cell holds the number of results, the mean of each column and the scatter (sum of products of deviations from the
cell's mean). Means and scatter carry the same information as sums and cross products but do not cancel when scores
are large and their spread is small; `sums` and `cross_products` give those back.

Results may carry analytic weights w > 0 (the variance of a result is taken as proportional to 1/w). Then mean and
scatter are weighted, sum(w y)/sum(w) and sum(w (y-m)(y-m)'), and `weight` holds sum(w) per cell; `n` stays the count.
Estimators weigh with `mass` and count with `n`; without weights the two are the same array.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

LEAST_WEIGHT, MOST_WEIGHT = 1e-12, 1e12
"""Of a result: beyond, sums and shares of weights leave the range of floating point."""
EXTREME = f"weight lies outside {LEAST_WEIGHT:g} to {MOST_WEIGHT:g}"


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """C cells of I teachers in T terms and G clusters, with K columns; column 0 is the outcome, the rest are covariates.

    Sorted by teacher, then term; each (teacher, term) once; each teacher in one cluster.
    """

    teacher: Ints
    """(C,) codes 0..I-1 into `teachers`."""
    term: Ints
    """(C,) codes 0..T-1 into `terms`, in order of time."""
    n: Floats
    """(C,) results in the cell, >= 1."""
    mean: Floats
    """(C, K) in the units of each column."""
    scatter: Floats
    """(C, K, K) sums of products of deviations from the cell's means."""
    cluster_of: Ints
    """(I,) codes 0..G-1 into `clusters`."""
    teachers: NDArray[Any]
    """(I,) the caller's labels, sorted."""
    terms: Ints
    """(T,) the caller's term numbers, increasing."""
    clusters: NDArray[Any]
    """(G,) the caller's labels, sorted."""
    moved: int = 0
    """Teachers seen in more than one cluster; they are kept in the one with most of their results."""
    weight: Floats | None = None
    """(C,) sums of analytic weights, > 0; None where every result weighs one."""

    @property
    def cluster(self) -> Ints:
        """(C,) cluster code of each cell."""
        return self.cluster_of[self.teacher]

    @property
    def mass(self) -> Floats:
        """(C,) what a cell weighs: sum of its weights, or its results where there are none."""
        return self.n if self.weight is None else self.weight

    @property
    def sums(self) -> Floats:
        """(C, K) weighted sums of the columns."""
        return self.mass[:, None] * self.mean

    @property
    def cross_products(self) -> Floats:
        """(C, K, K) weighted sums of products of the columns."""
        return self.scatter + self.mass[:, None, None] * self.mean[:, :, None] * self.mean[:, None, :]

    def take(self, keep: Bools) -> "Cells":
        """Only the cells where `keep` (C,) is true; codes and labels stay as they are."""
        chosen = {name: getattr(self, name)[keep] for name in ("teacher", "term", "n", "mean", "scatter")}
        return replace(self, **chosen, weight=None if self.weight is None else self.weight[keep])

    def with_columns(self, values: Floats) -> "Cells":
        """The same cells with columns `values` (C, M), constant within each cell, put right behind the outcome."""
        size, columns = self.mean.shape
        added = values.shape[1]
        kept = np.r_[0, added + 1 : added + columns]
        mean = np.concatenate([self.mean[:, :1], values, self.mean[:, 1:]], axis=1)
        scatter = np.zeros((size, columns + added, columns + added))
        for k, place in enumerate(kept):
            scatter[:, place, kept] = self.scatter[:, k]
        return replace(self, mean=mean, scatter=scatter)


def cells_from_moments(
    *,
    teacher: ArrayLike,
    school: ArrayLike,
    term: ArrayLike,
    n: ArrayLike,
    mean: ArrayLike,
    scatter: ArrayLike,
    weight: ArrayLike | None = None,
) -> Cells:
    """Cells from one row per (school, teacher, term), such as a group-by gives; rows may stand in any order.

    Shapes: R rows; `mean` (R, K); `scatter` (R, K, K); `weight` (R,) sums of the analytic weights of both. A teacher's
    rows of one term in several schools are put together (Chan, Golub & LeVeque 1983, parallel moments) and the teacher
    counts to the school with most results. Raises ValueError that names the row for unequal lengths, missing or
    non-finite numbers, n < 1 or fractional, weights not above 0, negative or fractional terms, negative scatter, repeats.
    """
    count = whole_numbers("n", n, least=1).astype(np.float64)
    means, scatters = finite("mean", mean, 2), finite("scatter", scatter, 3)
    term_number = whole_numbers("term", term, least=0)
    school_label, teacher_label = _labels("school", school), _labels("teacher", teacher)
    mass = count if weight is None else positive("weight", weight)
    _same_length(
        n=count, mean=means, scatter=scatters, term=term_number, school=school_label, teacher=teacher_label, weight=mass
    )
    if weight is not None:
        refuse_rows((mass < LEAST_WEIGHT) | (mass > MOST_WEIGHT * count), EXTREME)
    if not count.size:
        raise ValueError("there are no rows")
    if scatters.shape[1:] != (means.shape[1], means.shape[1]):
        raise ValueError(f"scatter has shape {scatters.shape}, expected {(*means.shape, means.shape[1])}")
    refuse_rows(np.diagonal(scatters, axis1=1, axis2=2).min(axis=1) < 0, "scatter is negative")
    teachers, teacher_code = np.unique(teacher_label, return_inverse=True)
    terms, term_code = np.unique(term_number, return_inverse=True)
    clusters, school_code = np.unique(school_label, return_inverse=True)
    pair = teacher_code * terms.size + term_code
    _refuse_repeated(pair * clusters.size + school_code)
    cluster_of, moved = _home(teacher_code, school_code, count, teachers.size, clusters.size)
    cell, n_cell, mass_cell, mean_cell, scatter_cell = _merge(pair, count, mass, means, scatters)
    return Cells(
        teacher=cell // terms.size,
        term=cell % terms.size,
        n=n_cell,
        mean=mean_cell,
        scatter=scatter_cell,
        cluster_of=cluster_of,
        teachers=teachers,
        terms=terms,
        clusters=clusters,
        moved=moved,
        weight=None if weight is None else mass_cell,
    )


def cells_from_rows(
    *,
    teacher: ArrayLike,
    school: ArrayLike,
    term: ArrayLike,
    columns: Sequence[ArrayLike],
    weight: ArrayLike | None = None,
) -> Cells:
    """Cells from one row per student and term; `columns` are K arrays (R,), the outcome first.

    `weight` (R,) are analytic weights >= 0; a result of weight zero does not count. Raises ValueError that names the
    row, as `cells_from_moments` does.
    """
    values = np.stack([finite(f"column {k}", column, 1) for k, column in enumerate(columns)], axis=1)
    who, where = _labels("teacher", teacher), _labels("school", school)
    when = whole_numbers("term", term, least=0)
    if weight is None:
        return _collapse(who, where, when, values, None)
    weights = finite("weight", weight, 1)
    refuse_rows(weights < 0, "weight is below 0")
    _same_length(columns=values, weight=weights, teacher=who, school=where, term=when)
    kept = weights > 0
    refuse_rows(kept & ((weights < LEAST_WEIGHT) | (weights > MOST_WEIGHT)), EXTREME)
    return _collapse(who[kept], where[kept], when[kept], values[kept], weights[kept])


def _collapse(
    teacher: NDArray[Any],
    school: NDArray[Any],
    term: Ints,
    values: Floats,
    weight: Floats | None,
) -> Cells:
    rows, columns = values.shape
    _same_length(columns=values, teacher=teacher, school=school, term=term)
    codes = [np.unique(key, return_inverse=True)[1] for key in (teacher, term, school)]
    key = (codes[0] * (codes[1].max(initial=0) + 1) + codes[1]) * (codes[2].max(initial=0) + 1) + codes[2]
    _, first, cell = np.unique(key, return_index=True, return_inverse=True)
    n = np.bincount(cell, minlength=first.size).astype(np.float64)
    mass = n if weight is None else np.bincount(cell, weight, minlength=first.size)
    each = 1.0 if weight is None else weight[:, None]
    mean = sum_by(cell, each * values, first.size) / mass[:, None]
    deviation = values - mean[cell]
    products = (deviation[:, :, None] * (each * deviation)[:, None, :]).reshape(rows, -1)
    scatter = sum_by(cell, products, first.size)
    return cells_from_moments(
        teacher=teacher[first],
        school=school[first],
        term=term[first],
        n=n,
        mean=mean,
        scatter=scatter.reshape(-1, columns, columns),
        weight=None if weight is None else mass,
    )


def sum_by(code: Ints, values: Floats, size: int) -> Floats:
    """Sums of `values` (R, K) over rows of equal `code` (R,) in 0..size-1: (size, K)."""
    sums = np.empty((size, values.shape[1]))
    for k, column in enumerate(values.T):
        sums[:, k] = np.bincount(code, column, minlength=size)
    return sums


def refuse_rows(wrong: Bools, sentence: str) -> None:
    """Raise ValueError with `sentence` and the first row where `wrong` (R,) is true."""
    if wrong.any():
        raise ValueError(f"{sentence} in row {int(np.argmax(wrong))}")


def whole_numbers(name: str, values: ArrayLike, *, least: int) -> Ints:
    """`values` (R,) as integers; ValueError names the first row that is missing, fractional or below `least`."""
    array = finite(name, values, 1)
    refuse_rows(array != np.floor(array), f"{name} is not a whole number")
    refuse_rows(array < least, f"{name} is below {least}")
    refuse_rows(array > 2**53, f"{name} is too large")
    return array.astype(np.int64)


def positive(name: str, values: ArrayLike) -> Floats:
    """`values` (R,) as finite numbers above 0; ValueError names the first row that is not."""
    array = finite(name, values, 1)
    refuse_rows(array <= 0, f"{name} is not above 0")
    return array


def finite(name: str, values: ArrayLike, dimensions: int) -> Floats:
    """`values` as finite numbers of that many dimensions; ValueError names the first row that is not."""
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} holds something that is not a number: {error}") from None
    if array.ndim != dimensions:
        raise ValueError(f"{name} has {array.ndim} dimensions, expected {dimensions}")
    refuse_rows(
        ~np.isfinite(array).all(axis=tuple(range(1, dimensions))),
        f"{name} is missing or not finite",
    )
    return array


def _labels(name: str, values: ArrayLike) -> NDArray[Any]:
    array = np.asarray(values)
    if array.ndim != 1:
        raise ValueError(f"{name} has {array.ndim} dimensions, expected 1")
    if array.dtype.kind == "f":
        refuse_rows(~np.isfinite(array), f"{name} is missing or not finite")
    elif array.dtype.kind not in "iuUS":
        raise ValueError(f"{name} must be numbers or text, not {array.dtype}")
    return array


def _same_length(**arrays: NDArray[Any]) -> None:
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"columns differ in length: {lengths}")


def _refuse_repeated(key: Ints) -> None:
    order = np.argsort(key, kind="stable")
    again = np.zeros(key.size, dtype=np.bool_)
    again[order[1:]] = key[order[1:]] == key[order[:-1]]
    refuse_rows(again, "the same school, teacher and term stand a second time")


def _home(teacher: Ints, school: Ints, n: Floats, teachers: int, schools: int) -> tuple[Ints, int]:
    pair, inverse = np.unique(teacher * schools + school, return_inverse=True)
    results = np.bincount(inverse, n)
    owner, place = pair // schools, pair % schools
    order = np.lexsort((place, -results, owner))
    first = np.unique(owner[order], return_index=True)[1]
    return place[order][first], int(pair.size - teachers)


def _merge(
    pair: Ints, n: Floats, mass: Floats, mean: Floats, scatter: Floats
) -> tuple[Ints, Floats, Floats, Floats, Floats]:
    cell, inverse = np.unique(pair, return_inverse=True)
    if cell.size == pair.size:
        order = np.argsort(pair)
        return cell, n[order], mass[order], mean[order], scatter[order]
    total = np.bincount(inverse, mass)
    centre = sum_by(inverse, mass[:, None] * mean, cell.size) / total[:, None]
    off = mean - centre[inverse]
    whole = scatter + mass[:, None, None] * off[:, :, None] * off[:, None, :]
    return (
        cell,
        np.bincount(inverse, n),
        total,
        centre,
        sum_by(inverse, whole.reshape(len(n), -1), cell.size).reshape(-1, *scatter.shape[1:]),
    )
