"""Averages of estimates with the influence of each cluster on them.

An estimate's *scores* (G,) are the sums, by cluster, of what each teacher adds to its error: the standard error is the
root of their sum of squares, the covariance of two estimates the product of their scores, and a draw of the multiplier
bootstrap flips and scales whole clusters of scores (Callaway & Sant'Anna 2021, section 4.1 and remark 10).
"""

import numpy as np

from staffroom.measure.cells import Floats

MAMMEN = (1 - np.sqrt(5)) / 2, (1 + np.sqrt(5)) / 2
"""The two points of Mammen (1993, Annals of Statistics 21); the first with probability (1 + sqrt 5) / (2 sqrt 5)."""
SINGULAR = 1e-9
NOTHING = 1e-10
"""An error below this share of the largest is rounding: the estimate is fixed, such as a base term's."""


def weighted_mean(effects: Floats, scores: Floats, sizes: Floats) -> tuple[float, Floats]:
    """Mean of P effects weighted by size, and its scores (G,), with the part that comes from estimating the weights.

    `scores` and `sizes` (G, P) are by cluster; an effect's weight is the sum of its sizes.
    """
    total = sizes.sum()
    share = sizes.sum(axis=0) / total
    mean = float(share @ effects)
    return mean, np.asarray(scores @ share + sizes @ (effects - mean) / total)


def is_singular(covariance: Floats) -> bool:
    """Whether some combination of estimates with this covariance (P, P) has next to no variance."""
    errors = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    if not (errors > 0).all():
        return True
    values = np.linalg.eigvalsh(covariance / errors / errors[:, None])
    return bool(values[0] < SINGULAR * values[-1])


def standard_error(scores: Floats) -> float:
    """Of an estimate with these scores (G,), in its units; no small-sample factor."""
    return float(np.sqrt(scores @ scores))


def multiplier_quantile(
    scores: Floats,
    generator: np.random.Generator,
    *,
    draws: int = 999,
    confidence: float = 0.95,
    multipliers: str = "rademacher",
) -> float:
    """How many standard errors about each of Q estimates, scores (G, Q), cover all of them with this confidence.

    Callaway & Sant'Anna (2021), algorithm 1, each draw held against its own error, which tells of how few clusters
    an estimate rests on; `multipliers` 'rademacher' or 'mammen'. Never less than Student's t with G - 1 degrees of
    freedom for one estimate. NaN below two clusters or where no estimate has an error.
    """
    from scipy.special import stdtrit

    clusters = int(np.count_nonzero(scores.any(axis=1)))
    errors = np.sqrt((scores**2).sum(axis=0))
    moving = errors > NOTHING * errors.max(initial=0.0)
    if clusters < 2 or not moving.any():
        return float("nan")
    drawn = _multipliers(multipliers, generator, (draws, len(scores)))
    largest = _studentized(drawn, scores[:, moving]).max(axis=1)
    pointwise = float(stdtrit(clusters - 1, (1 + confidence) / 2))
    return max(pointwise, float(np.quantile(largest, confidence, method="higher")))


def _studentized(drawn: Floats, scores: Floats) -> Floats:
    """(draws, Q) sums of drawn scores over their own errors, about the mean over the clusters behind an estimate."""
    sums, behind = drawn @ scores, np.maximum((scores != 0).sum(axis=0), 2)
    squares = np.maximum(drawn**2 @ scores**2 - sums**2 / behind, 0.0) * behind / (behind - 1)
    return np.asarray(np.divide(np.abs(sums), np.sqrt(squares), out=np.full_like(sums, np.inf), where=squares > 0))


def _multipliers(kind: str, generator: np.random.Generator, shape: tuple[int, int]) -> Floats:
    if kind == "rademacher":
        return np.where(generator.random(shape) < 0.5, -1.0, 1.0)
    if kind == "mammen":
        return np.asarray(np.where(generator.random(shape) < MAMMEN[1] / np.sqrt(5), *MAMMEN))
    raise ValueError(f"multipliers must be 'rademacher' or 'mammen', not {kind!r}")
