"""Cells from sums and sums of products, as a database's group-by gives them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from staffroom.measure.cells import Cells, Floats, cells_from_moments, finite, positive, refuse_rows, whole_numbers

LARGEST = 1e75
"""Beyond this, products of products leave the range of floating point."""
ROUNDING = 1e-9
"""Share of a sum of squares by which it may fall short of what its sum requires."""


@dataclass(frozen=True, slots=True, eq=False)
class Covariates:
    """P covariates of the students in each of R rows, as sums over the results of the row."""

    names: tuple[str, ...]
    sums: ArrayLike
    """(R, P)"""
    products: ArrayLike
    """(R, P, P) sums of products of the covariates."""
    products_with_y: ArrayLike
    """(R, P) sums of products with the outcome."""

    @classmethod
    def constant(cls, names: tuple[str, ...], values: ArrayLike, *, n: ArrayLike, y_sum: ArrayLike) -> "Covariates":
        """Covariates that are the same for all results of a row, `values` (R, P), such as class size."""
        value, count, total = finite("covariates", values, 2), finite("n", n, 1), finite("y_sum", y_sum, 1)
        products = count[:, None, None] * value[:, :, None] * value[:, None, :]
        return cls(names, count[:, None] * value, products, total[:, None] * value)


def cells_from_sums(
    *,
    teacher: ArrayLike,
    school: ArrayLike,
    term: ArrayLike,
    n: ArrayLike,
    y_sum: ArrayLike,
    y_sumsq: ArrayLike,
    covariates: Covariates | None = None,
    weight: ArrayLike | None = None,
) -> Cells:
    """Cells with the outcome first, from one row per (school, teacher, term): all arrays (R,).

    With analytic weights w, `weight` is sum(w) per row, `y_sum` sum(w y), `y_sumsq` sum(w y y), and so the covariates'
    sums and products; `n` stays the count. Raises ValueError that names the row where `cells_from_moments` does, and
    for sums of squares that are smaller than their sums allow or numbers beyond LARGEST.
    """
    count = whole_numbers("n", n, least=1).astype(np.float64)
    sums, products = _with_covariates(finite("y_sum", y_sum, 1), finite("y_sumsq", y_sumsq, 1), covariates)
    mass = count if weight is None else positive("weight", weight)
    if not len(count) == len(mass) == len(sums) == len(products):
        raise ValueError(f"columns differ in length: n {len(count)}, sums {len(sums)}, products {len(products)}")
    for values in (sums, products):
        refuse_rows((np.abs(values) > LARGEST).any(axis=tuple(range(1, values.ndim))), "a sum is too large")
    mean = sums / mass[:, None]
    scatter = products - mass[:, None, None] * mean[:, :, None] * mean[:, None, :]
    return cells_from_moments(
        teacher=teacher,
        school=school,
        term=term,
        n=count,
        mean=mean,
        scatter=_sound(scatter, products),
        weight=None if weight is None else mass,
    )


def _with_covariates(y_sum: Floats, y_sumsq: Floats, covariates: Covariates | None) -> tuple[Floats, Floats]:
    if len(y_sum) != len(y_sumsq):
        raise ValueError(f"columns differ in length: y_sum {len(y_sum)}, y_sumsq {len(y_sumsq)}")
    if covariates is None:
        return y_sum[:, None], y_sumsq[:, None, None]
    sums = finite("covariate sums", covariates.sums, 2)
    rows, columns = sums.shape
    inner = finite("covariate products", covariates.products, 3)
    cross = finite("covariate products with y", covariates.products_with_y, 2)
    expected = (len(y_sum), len(covariates.names))
    if (rows, columns) != expected or inner.shape != (rows, columns, columns) or cross.shape != (rows, columns):
        raise ValueError(f"covariates have shapes {sums.shape}, {inner.shape}, {cross.shape}; expected {expected}")
    products = np.empty((rows, columns + 1, columns + 1))
    products[:, 0, 0], products[:, 1:, 1:] = y_sumsq, inner
    products[:, 0, 1:] = products[:, 1:, 0] = cross
    return np.column_stack([y_sum, sums]), products


def _sound(scatter: Floats, products: Floats) -> Floats:
    """Scatter with rounding removed from its diagonal; refused where more than rounding is wrong."""
    squares, whole = np.einsum("rkk->rk", scatter), np.einsum("rkk->rk", products)
    refuse_rows((squares < -ROUNDING * np.abs(whole)).any(axis=1), "a sum of squares is too small for its sum")
    clean = np.where(squares <= ROUNDING * 1e-4 * whole, 0.0, squares)
    bound = np.sqrt(clean[:, :, None] * clean[:, None, :])
    slack = 1e-6 * np.sqrt(np.abs(whole[:, :, None] * whole[:, None, :]))
    refuse_rows((np.abs(scatter) > bound + slack).any(axis=(1, 2)), "a sum of products is too large for its squares")
    sound = np.clip(scatter, -bound, bound)
    diagonal = np.arange(scatter.shape[1])
    sound[:, diagonal, diagonal] = clean
    return sound
