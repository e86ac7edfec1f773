"""Pooling sites or cohorts (E7): the mean effect, how much sites differ, and what the next site should expect.

Random effects by restricted maximum likelihood with the interval of Knapp & Hartung (2003) and Sidik & Jonkman (2002);
tau2 with its Q-profile interval (Viechtbauer 2007). The prediction interval is mean +- t sqrt(tau2 + se^2) with the
degrees of freedom of the mean's own interval, k - 1 (as metafor does it today), so that the two intervals agree where
sites do not differ; `riley=True` takes k - 2 (Higgins, Thompson & Spiegelhalter 2009; Riley, Higgins & Deeks 2011).
Both take tau2 as known; `cautious_low` and `cautious_high` do not. Site effects are drawn towards the mean (empirical
Bayes, Raudenbush & Bryk 1985).

Where estimates share teachers, `cluster` says which, and weights and errors are those of `dependent`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from staffroom.measure.cells import Floats, Ints, finite
from staffroom.measure.dependent import Dependent, regress_dependent
from staffroom.measure.heterogeneity import (
    Estimates,
    estimates_of,
    i2_of,
    joint_estimates,
    q_p,
    q_profile,
    restricted_tau2,
)
from staffroom.measure.meta_regression import Inference, inference_of
from staffroom.measure.prediction import Predictive, predictive

FEW = 25
"""Estimates up to which each is left out by a search of its own."""
CHUNK = 128
STEPS = 60


@dataclass(frozen=True, slots=True, eq=False)
class Pooled:
    """k estimates as one, in their unit."""

    effect: float
    standard_error: float
    low: float
    high: float
    p: float
    df: float
    """Degrees of freedom of Student's t; infinite for the normal distribution."""
    tau2: float
    """Variance of true effects; between and within clusters together where estimates share teachers."""
    tau_low: float
    tau_high: float
    """Q-profile interval of tau (not of tau2); NaN where estimates share teachers."""
    i2: float
    """Per cent of the variance of estimates that is true differences."""
    q: float
    q_p: float
    """Cochran's Q and its probability if all sites had one effect."""
    prediction_low: float
    prediction_high: float
    """Where the true effect of a new site would lie."""
    probability_positive: float
    """That the true effect of a new site is above zero."""
    cautious_low: float
    cautious_high: float
    cautious_positive: float
    """The same three with tau2 not taken as known (`prediction`): these hold the next site as often as they say with
    few sites and little heterogeneity too. NaN where estimates share teachers."""
    shrunken: Floats
    """(k,) site effects drawn towards the mean."""
    shrunken_se: Floats
    leave_one_out: Floats
    """(k,) the pooled effect without this estimate; where estimates share teachers, without its whole cluster and with
    the variances of all. NaN with two estimates or clusters, where nothing would be left to pool."""
    method: str
    labels: tuple[str, ...] = ()
    weights: Floats | None = None
    """(k,) shares of the mean, which sum to 1."""

    @property
    def tau(self) -> float:
        """SD of true effects."""
        return math.sqrt(self.tau2)


def pool(
    effects: ArrayLike,
    standard_errors: ArrayLike,
    *,
    labels: Sequence[object] | None = None,
    covariance: ArrayLike | None = None,
    cluster: ArrayLike | None = None,
    confidence: float = 0.95,
    knapp_hartung: bool = True,
    riley: bool = False,
    rho: float = 0.8,
) -> Pooled:
    """Pool `effects` (k,) with `standard_errors` (k,), k >= 2, in any one unit.

    `covariance` (k, k) is the joint one of the estimates if it is known, such as of cohorts that share a comparison; its
    diagonal then stands for the errors. `cluster` (k,) says which estimates share teachers; `rho` is the sampling
    correlation assumed among those.
    Raises ValueError that names the row for missing or infinite numbers and errors that are not above 0, and for fewer
    than two estimates or clusters. Three are needed before anything should be said of the next site.
    """
    if not 0 < confidence < 1:
        raise ValueError("a probability must lie strictly between 0 and 1")
    estimates = estimates_of(effects, standard_errors)
    names = tuple(str(label) for label in labels) if labels is not None else ()
    if labels is not None and len(names) != estimates.y.size:
        raise ValueError(f"{len(names)} labels for {estimates.y.size} effects")
    if cluster is not None and covariance is not None:
        raise ValueError("give either clusters or the joint covariance")
    if covariance is not None:
        return _joint(effects, covariance, names, confidence, knapp_hartung, riley)
    if cluster is None:
        return _independent(estimates, names, confidence, knapp_hartung, riley)
    return _dependent(estimates, np.asarray(cluster), names, confidence, riley, rho)


def _independent(
    estimates: Estimates, names: tuple[str, ...], confidence: float, knapp_hartung: bool, riley: bool
) -> Pooled:
    tau2 = restricted_tau2(estimates)
    inference = inference_of(estimates, tau2, knapp_hartung=knapp_hartung)
    fit = estimates.fit(tau2)
    mean, error = float(fit.coefficients[0]), math.sqrt(inference.scale * float(fit.covariance[0, 0]))
    low, high = q_profile(estimates, confidence)
    share = tau2 / (tau2 + estimates.variances)
    shrunken_se = np.sqrt(share * estimates.variances + ((1 - share) * error) ** 2)
    return _pooled(
        estimates,
        (mean, error, tau2, inference),
        confidence,
        riley,
        tau=(math.sqrt(low), math.sqrt(high)),
        shrunken=(mean + share * (estimates.y - mean), shrunken_se),
        cautious=predictive(estimates),
        leave_one_out=leave_one_out(estimates.y, np.sqrt(estimates.variances)),
        labels=names,
        weights=fit.weights / fit.weights.sum(),
    )


def _joint(
    effects: ArrayLike,
    covariance: ArrayLike,
    names: tuple[str, ...],
    confidence: float,
    knapp_hartung: bool,
    riley: bool,
) -> Pooled:
    """As `_independent`, by generalized least squares."""
    y, estimates = np.asarray(effects, dtype=np.float64), joint_estimates(effects, covariance)
    known = np.asarray(covariance, dtype=np.float64)
    tau2 = restricted_tau2(estimates)
    inference = inference_of(estimates, tau2, knapp_hartung=knapp_hartung)
    fit = estimates.fit(tau2)
    mean, error = float(fit.coefficients[0]), math.sqrt(inference.scale * float(fit.covariance[0, 0]))
    low, high = q_profile(estimates, confidence)
    inverse = np.linalg.inv(known + tau2 * np.eye(y.size))
    kept = np.eye(y.size) - tau2 * inverse
    left = np.maximum(tau2 * np.diag(kept), 0.0) + (kept.sum(axis=1) * error) ** 2
    return _pooled(
        estimates,
        (mean, error, tau2, inference),
        confidence,
        riley,
        tau=(math.sqrt(low), math.sqrt(high)),
        shrunken=(y - kept @ (y - mean), np.sqrt(left)),
        cautious=predictive(estimates),
        leave_one_out=_without_joint(y, known),
        labels=names,
        weights=inverse.sum(axis=0) / inverse.sum(),
    )


def _without_joint(effects: Floats, covariance: Floats) -> Floats:
    size = effects.size
    left = np.full(size, np.nan)
    for place in range(size if size > 2 else 0):
        keep = np.arange(size) != place
        rest = joint_estimates(effects[keep], covariance[np.ix_(keep, keep)])
        left[place] = rest.fit(restricted_tau2(rest)).coefficients[0]
    return left


def evened(covariance: ArrayLike) -> Floats:
    """(k, k) the same errors with the mean correlation of all pairs, not below 0 and not above 0.95.

    A covariance estimated from few clusters gives wild weights; one common correlation can be known from them.
    """
    joint = finite("covariance", covariance, 2)
    error = np.sqrt(np.diag(joint))
    if joint.shape[0] != joint.shape[1] or not (error > 0).all():
        raise ValueError("covariance is not square or has an error that is not above 0")
    pairs = ~np.eye(len(joint), dtype=np.bool_)
    mean = float(np.mean((joint / np.outer(error, error))[pairs])) if len(joint) > 1 else 0.0
    return np.outer(error, error) * np.where(pairs, min(max(mean, 0.0), 0.95), 1.0)


def _pooled(
    estimates: Estimates,
    mean: tuple[float, float, float, Inference],
    confidence: float,
    riley: bool,
    *,
    tau: tuple[float, float],
    shrunken: tuple[Floats, Floats],
    cautious: Predictive | None,
    leave_one_out: Floats,
    labels: tuple[str, ...],
    weights: Floats,
) -> Pooled:
    effect, error, tau2, inference = mean
    around = inference.interval(effect, error, confidence)
    ahead = _riley(estimates, inference) if riley else inference
    spread = math.sqrt(tau2 + error**2)
    new = ahead.interval(effect, spread, confidence)
    q = estimates.fit(0.0).q
    return Pooled(
        effect=effect,
        standard_error=error,
        low=around.low,
        high=around.high,
        p=inference.p(effect, error),
        df=inference.df,
        tau2=tau2,
        tau_low=tau[0],
        tau_high=tau[1],
        i2=i2_of(estimates, tau2),
        q=q,
        q_p=q_p(q, estimates.free),
        prediction_low=new.low,
        prediction_high=new.high,
        probability_positive=ahead.below(effect / spread) if spread > 0 else float(effect > 0),
        cautious_low=min(effect, cautious.quantile((1 - confidence) / 2)) if cautious else math.nan,
        cautious_high=max(effect, cautious.quantile((1 + confidence) / 2)) if cautious else math.nan,
        cautious_positive=1 - cautious.below(0.0) if cautious else math.nan,
        shrunken=shrunken[0],
        shrunken_se=shrunken[1],
        leave_one_out=leave_one_out,
        method=inference.method,
        labels=labels,
        weights=weights,
    )


def _riley(estimates: Estimates, inference: Inference) -> Inference:
    return Inference(inference.scale, float(max(estimates.free - 1, 1)), inference.method)


def leave_one_out(effects: Floats, standard_errors: Floats) -> Floats:
    """(k,) the pooled effect without each estimate in turn; NaN where fewer than two would be left."""
    size = effects.size
    if size < 3:
        return np.full(size, np.nan)
    left = np.full(size, np.nan)
    if size > FEW:
        start = restricted_tau2(estimates_of(effects, standard_errors))
        for places in np.array_split(np.arange(size), math.ceil(size / CHUNK)):
            left[places] = _without(effects, standard_errors**2, places, start)
    for place in np.flatnonzero(np.isnan(left)):
        keep = np.arange(size) != place
        left[place] = _mean(effects[keep], standard_errors[keep])
    return left


def _mean(effects: Floats, standard_errors: Floats) -> float:
    estimates = estimates_of(effects, standard_errors)
    return float(estimates.fit(restricted_tau2(estimates)).coefficients[0])


def _without(effects: Floats, variances: Floats, places: Ints, start: float) -> Floats:
    """(m,) means without each of `places`, all at once by scoring steps from the tau2 of all estimates, which one of
    many hardly moves; NaN where the steps do not settle.
    """
    tau2 = np.full(places.size, start)
    settled = np.zeros(places.size, dtype=np.bool_)
    mean, center = np.full(places.size, np.nan), float(np.median(effects))
    around = effects - center
    for _ in range(STEPS):
        weight = 1 / (variances + tau2[:, None])
        weight[np.arange(places.size), places] = 0.0
        square = weight * weight
        total, squares, cubes = weight.sum(axis=1), square.sum(axis=1), np.einsum("mk,mk->m", square, weight)
        mean = weight @ effects / total
        score = square @ around**2 - 2 * (mean - center) * (square @ around) + (mean - center) ** 2 * squares
        score += squares / total - total
        information = squares - 2 * cubes / total + (squares / total) ** 2
        moved = np.maximum(tau2 + score / information, 0.0)
        settled = np.abs(moved - tau2) <= 1e-9 * (moved + variances.min())
        if settled.all():
            break
        tau2 = moved
    return np.where(settled, mean, np.nan)


def _dependent(
    estimates: Estimates,
    cluster: "np.typing.NDArray[np.generic]",
    names: tuple[str, ...],
    confidence: float,
    riley: bool,
    rho: float,
) -> Pooled:
    errors = np.sqrt(estimates.variances)
    found = regress_dependent(estimates.y, errors, cluster, rho=rho)
    inference = Inference(1.0, float(found.df[0]), "REML, CR2 (correlated hierarchical effects)")
    tau2 = found.tau2 + found.omega2
    return _pooled(
        estimates,
        (float(found.coefficients[0]), float(found.standard_errors[0]), tau2, inference),
        confidence,
        riley,
        tau=(math.nan, math.nan),
        shrunken=_shrunken(estimates, found),
        cautious=None,
        leave_one_out=_leave_cluster_out(estimates.y, found),
        labels=names,
        weights=_weights(found, estimates.y.size),
    )


def _weights(found: Dependent, size: int) -> Floats:
    weights = np.empty(size)
    for rows, block in zip(found.members, found.working, strict=True):
        weights[rows] = np.linalg.solve(block, np.ones(rows.size))
    return weights / weights.sum()


def _shrunken(estimates: Estimates, found: Dependent) -> tuple[Floats, Floats]:
    """Best linear unbiased predictions mean + G V^-1 (y - mean) and their errors, G = tau2 J + omega2 I."""
    mean, error = float(found.coefficients[0]), float(found.standard_errors[0])
    values, errors = np.empty_like(estimates.y), np.empty_like(estimates.y)
    for rows, block in zip(found.members, found.working, strict=True):
        true = found.tau2 + found.omega2 * np.eye(rows.size)
        share = np.linalg.solve(block, true).T
        values[rows] = mean + share @ (estimates.y[rows] - mean)
        left = np.maximum(np.diag(true - share @ true), 0.0)
        errors[rows] = np.sqrt(left + ((1 - share.sum(axis=1)) * error) ** 2)
    return values, errors


def _leave_cluster_out(effects: Floats, found: Dependent) -> Floats:
    """(k,) the pooled effect without the cluster of each estimate, the variances being those of all clusters."""
    left = np.full(effects.size, np.nan)
    if len(found.members) < 3:
        return left
    solved = [np.linalg.solve(block, np.ones(len(block))) for block in found.working]
    parts = np.array([each.sum() for each in solved])
    sums = np.array([each @ effects[rows] for each, rows in zip(solved, found.members, strict=True)])
    for place, rows in enumerate(found.members):
        left[rows] = (sums.sum() - sums[place]) / (parts.sum() - parts[place])
    return left
