"""Estimates that share teachers: weights from a working model, errors that hold when it is wrong.

Several outcomes, cohorts or activities of the same teachers give estimates that move together in a way that nobody
reports. Robust variance estimation (Hedges, Tipton & Johnson 2010) takes a working model for the weights only, and the
spread of clusters for the errors; CR2 with Satterthwaite's degrees of freedom makes it honest with few clusters (Tipton
2015). Working models, with sampling correlation rho within a cluster:

* 'correlated': weights 1 / (k_j (mean v_j + tau2)), tau2 by moments (Hedges et al. 2010, eq. 14-16);
* 'hierarchical': weights 1 / (v + tau2 + omega2), both by moments (ibid., eq. 17-19);
* 'correlated hierarchical': generalized least squares with tau2 between clusters, omega2 within and sampling covariance
  rho sqrt(v_i v_j), by restricted likelihood (Pustejovsky & Tipton 2022, section 3.3): the default.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from staffroom.measure.cells import Floats, Ints, finite, refuse_rows
from staffroom.measure.heterogeneity import refuse_extremes

WORKING = ("correlated", "hierarchical", "correlated hierarchical")
RHO = 0.8


@dataclass(frozen=True, slots=True, eq=False)
class Dependent:
    """A robust fit of p columns to k estimates in J clusters."""

    coefficients: Floats
    covariance: Floats
    """(p, p) CR2."""
    df: Floats
    """(p,) Satterthwaite; below 4 the p-value is not to be relied on (Tipton 2015)."""
    tau2: float
    """Variance between clusters."""
    omega2: float
    """Variance within clusters."""
    working: tuple[Floats, ...]
    """Per cluster the covariance that the weights take the estimates to have."""
    members: tuple[Ints, ...]
    """Per cluster the rows that belong to it."""
    bread: Floats
    """(p, p) covariance if the working model holds."""

    @property
    def standard_errors(self) -> Floats:
        """(p,) square roots of the diagonal."""
        return np.sqrt(np.diag(self.covariance))


def regress_dependent(
    effects: ArrayLike,
    standard_errors: ArrayLike,
    cluster: ArrayLike,
    design: ArrayLike | None = None,
    *,
    working: str = "correlated hierarchical",
    rho: float = RHO,
) -> Dependent:
    """Regress `effects` (k,) on `design` (k, p), one column of ones if None, robust to dependence within `cluster` (k,).

    `rho` in [0, 1] is the sampling correlation that the working model takes. Raises ValueError that names the row for
    missing numbers and errors not above 0, and for fewer than p + 1 clusters.
    """
    y, variance, members, columns = _checked(effects, standard_errors, cluster, design)
    if working not in WORKING or not 0 <= rho <= 1:
        raise ValueError(f"working must be one of {', '.join(WORKING)} and rho between 0 and 1")
    model = {"correlated": _correlated, "hierarchical": _hierarchical}.get(working, _correlated_hierarchical)
    tau2, omega2, blocks = model(y, variance, members, columns, rho)
    solved, bread = generalized_least_squares(y, columns, members, blocks)
    covariance, df = cr2(y - columns @ solved, columns, members, blocks, bread)
    return Dependent(solved, covariance, df, tau2, omega2, tuple(blocks), tuple(members), bread)


def _checked(
    effects: ArrayLike, standard_errors: ArrayLike, cluster: ArrayLike, design: ArrayLike | None
) -> tuple[Floats, Floats, list[Ints], Floats]:
    y, errors, labels = finite("effect", effects, 1), finite("standard error", standard_errors, 1), np.asarray(cluster)
    refuse_rows(errors <= 0, "standard error is not above 0")
    columns = np.ones((len(y), 1)) if design is None else finite("design", design, 2)
    if not len(y) == len(errors) == len(labels) == len(columns):
        raise ValueError(f"lengths differ: {len(y)} effects, {len(errors)} errors, {len(labels)} cluster labels")
    if len(y):
        refuse_extremes(y, errors**2)
    codes = np.unique(labels, return_inverse=True)[1]
    members = [np.flatnonzero(codes == code) for code in range(codes.max(initial=-1) + 1)]
    if len(members) <= columns.shape[1]:
        raise ValueError(f"{columns.shape[1]} coefficients need at least {columns.shape[1] + 1} clusters")
    if np.linalg.matrix_rank(columns) < columns.shape[1]:
        raise ValueError("a column of the design depends on the others")
    return y, errors**2, members, columns


def generalized_least_squares(
    y: Floats, columns: Floats, members: list[Ints], blocks: list[Floats]
) -> tuple[Floats, Floats]:
    """Coefficients (p,) and (X' V^-1 X)^-1 for block-diagonal V."""
    gram, right = np.zeros((columns.shape[1], columns.shape[1])), np.zeros(columns.shape[1])
    for rows, block in zip(members, blocks, strict=True):
        weighted = np.linalg.solve(block, columns[rows])
        gram += columns[rows].T @ weighted
        right += weighted.T @ y[rows]
    bread = np.linalg.inv(gram)
    return bread @ right, bread


def cr2(
    residual: Floats, columns: Floats, members: list[Ints], blocks: list[Floats], bread: Floats
) -> tuple[Floats, Floats]:
    """CR2 covariance (p, p) and Satterthwaite degrees (p,) of a fit weighted by the inverse of its working model.

    Bell & McCaffrey (2002) in the form of Pustejovsky & Tipton (2018, eq. 8-11): A_j = D' (D (V_j - X_j M X_j') D')^-1/2 D
    with V_j = D'D, so that the meat is unbiased when the working model holds.
    """
    size = columns.shape[1]
    meat, spread = np.zeros((size, size)), []
    for rows, block in zip(members, blocks, strict=True):
        adjusted = _adjustment(columns[rows], block, bread)
        influence = adjusted @ np.linalg.solve(block, columns[rows]) @ bread
        meat += np.outer(influence.T @ residual[rows], influence.T @ residual[rows])
        spread.append(influence)
    return meat, np.array(
        [_satterthwaite([part[:, c] for part in spread], columns, members, blocks, bread) for c in range(size)]
    )


def _adjustment(columns: Floats, block: Floats, bread: Floats) -> Floats:
    root = np.linalg.cholesky(block).T
    inner = root @ (block - columns @ bread @ columns.T) @ root.T
    values, vectors = np.linalg.eigh(inner)
    kept = values > 1e-12 * max(float(values.max(initial=0.0)), float(np.trace(root @ block @ root.T)))
    inverse = np.where(kept, 1 / np.sqrt(np.where(kept, values, 1.0)), 0.0)
    return np.asarray(root.T @ (vectors * inverse) @ vectors.T @ root)


def _satterthwaite(
    parts: list[Floats], columns: Floats, members: list[Ints], blocks: list[Floats], bread: Floats
) -> float:
    """Degrees of freedom (sum p_jj)^2 / sum p_ij^2, p_ij = g_i' V g_j with g_j = (I - H)_j' A_j W_j X_j M c.

    With weights V^-1, (I - H) V (I - H)' = V - X M X'.
    """
    own = np.array([part @ block @ part for part, block in zip(parts, blocks, strict=True)])
    pulled = np.array([columns[rows].T @ part for rows, part in zip(members, parts, strict=True)])
    products = np.diag(own) - pulled @ bread @ pulled.T
    return float(np.trace(products) ** 2 / np.sum(products**2))


def _correlated(
    y: Floats, variance: Floats, members: list[Ints], columns: Floats, rho: float
) -> tuple[float, float, list[Floats]]:
    weight, mean = np.empty_like(y), np.empty_like(y)
    for rows in members:
        mean[rows] = variance[rows].mean()
        weight[rows] = 1 / (rows.size * mean[rows])
    bread, q = _weighted(y, columns, weight)
    within, apart, together = (np.zeros_like(bread) for _ in range(3))
    for rows in members:
        pulled = (weight[rows, None] * columns[rows]).T
        total, root = pulled.sum(axis=1), pulled @ np.sqrt(variance[rows])
        own = (pulled * variance[rows]) @ pulled.T
        together += np.outer(total, total)
        within += own
        apart += np.outer(root, root) - own
    scale = weight.sum() - np.trace(bread @ together)
    expected = len(members) - np.trace(bread @ within) - rho * np.trace(bread @ apart)
    tau2 = max(0.0, float((q - expected) / scale))
    blocks = [np.diag(rows.size * (mean[rows] + tau2)) for rows in members]
    return tau2, 0.0, blocks


def _weighted(y: Floats, columns: Floats, weight: Floats) -> tuple[Floats, float]:
    bread = np.linalg.inv(columns.T @ (weight[:, None] * columns))
    residual = y - columns @ (bread @ (columns.T @ (weight * y)))
    return bread, float(weight @ residual**2)


def _hierarchical(
    y: Floats, variance: Floats, members: list[Ints], columns: Floats, rho: float
) -> tuple[float, float, list[Floats]]:
    """Two quadratic forms of the residuals, Q = e'We and the sum of squared cluster totals, set to their expectations."""
    weight = 1 / variance
    bread, q = _weighted(y, columns, weight)
    residual = y - columns @ (bread @ (columns.T @ (weight * y)))
    totals = np.array([residual[rows].sum() for rows in members])
    between = np.zeros((y.size, y.size))
    for rows in members:
        between[np.ix_(rows, rows)] = 1.0
    clean = np.eye(y.size) - columns @ bread @ (weight[:, None] * columns).T
    forms = [clean.T @ (weight[:, None] * clean), clean.T @ between @ clean]
    left = np.array([[np.sum(form * between), np.trace(form)] for form in forms])
    right = np.array([q, totals @ totals]) - [np.diag(form) @ variance for form in forms]
    omega2 = max(0.0, float(np.linalg.solve(left, right)[1]))
    tau2 = max(0.0, float((right[0] - left[0, 1] * omega2) / left[0, 0]))
    return tau2, omega2, [np.diag(variance[rows] + tau2 + omega2) for rows in members]


def _correlated_hierarchical(
    y: Floats, variance: Floats, members: list[Ints], columns: Floats, rho: float
) -> tuple[float, float, list[Floats]]:
    """Both variances by restricted likelihood, from a coarse look over their range and Nelder-Mead on square roots."""
    from scipy.optimize import minimize

    error = np.sqrt(variance)
    # A correlation of 1 would make a cluster's covariance singular.
    sampling = [
        min(rho, 0.999) * np.outer(error[rows], error[rows]) + (1 - min(rho, 0.999)) * np.diag(variance[rows])
        for rows in members
    ]

    def blocks(roots: Floats) -> list[Floats]:
        tau2, omega2 = roots**2
        return [part + tau2 + omega2 * np.eye(len(part)) for part in sampling]

    scale = float(np.sqrt(max(variance.mean(), y.var())))
    starts = [np.array([t, o]) * scale for t in (0.0, 0.3, 1.0) for o in (0.0, 0.3, 1.0)]
    start = min(starts, key=lambda roots: _deviance(y, columns, members, blocks(roots)))
    simplex = start + 0.2 * scale * np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    found = minimize(
        lambda roots: _deviance(y, columns, members, blocks(roots)),
        start,
        method="Nelder-Mead",
        options={"xatol": 1e-7 * scale, "fatol": 1e-10, "maxiter": 2000, "initial_simplex": simplex},
    ).x
    best = min(
        (found, found * [1, 0], found * [0, 1], found * 0),
        key=lambda roots: _deviance(y, columns, members, blocks(roots)),
    )
    return float(best[0] ** 2), float(best[1] ** 2), blocks(best)


def _deviance(y: Floats, columns: Floats, members: list[Ints], blocks: list[Floats]) -> float:
    """Minus twice the restricted log-likelihood, up to a constant."""
    solved, bread = generalized_least_squares(y, columns, members, blocks)
    residual = y - columns @ solved
    total = -float(np.linalg.slogdet(bread)[1])
    for rows, block in zip(members, blocks, strict=True):
        total += float(np.linalg.slogdet(block)[1] + residual[rows] @ np.linalg.solve(block, residual[rows]))
    return total
