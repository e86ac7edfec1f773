"""Slow, plain implementations on student rows with all dummies written out, to hold fast ones against."""

import numpy as np


def power(matrix, exponent):
    value, vector = np.linalg.eigh((matrix + matrix.T) / 2)
    kept = value > 1e-9
    return (vector[:, kept] * value[kept] ** exponent) @ vector[:, kept].T


def slow_cr2(design, y, cluster, weight, which):
    """Pustejovsky & Tipton (2018) on rows, all dummies written out, working variance 1/weight; error and degrees."""
    x, outcome = design * np.sqrt(weight)[:, None], y * np.sqrt(weight)
    bread = np.linalg.pinv(x.T @ x, rcond=1e-10, hermitian=True)
    hat = x @ bread @ x.T
    rest = np.eye(len(y)) - hat
    residual, row = rest @ outcome, bread[which]
    vectors, variance = [], 0.0
    for group in np.unique(cluster):
        here = cluster == group
        adjusted = power(rest[np.ix_(here, here)], -0.5) @ x[here] @ row
        variance += float(adjusted @ residual[here]) ** 2
        vectors.append(rest[:, here] @ adjusted)
    products = np.stack(vectors) @ np.stack(vectors).T
    return np.sqrt(variance), np.trace(products) ** 2 / (products**2).sum()
