"""Mixed-effects meta-regression: what the effects of sites, cohorts or waves have to do with their traits.

y = X b + u + e with u ~ N(0, tau2), e ~ N(0, V); tau2 by restricted maximum likelihood, tests and intervals by Knapp &
Hartung (2003) or with the normal distribution. Raudenbush (2009); Viechtbauer (2010), whose package metafor prints the
normal ones unless asked (`test="knha"`).
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from staffroom.measure.cells import Floats
from staffroom.measure.effects import Interval
from staffroom.measure.heterogeneity import (
    Estimates,
    estimates_of,
    i2_of,
    joint_estimates,
    q_p,
    q_profile,
    restricted_tau2,
    tau2_error,
)


@dataclass(frozen=True, slots=True, eq=False)
class Inference:
    """How intervals are made of a fit: the factor on its covariance and the reference distribution."""

    scale: float
    """Mean square of the weighted residuals if Knapp-Hartung, else 1."""
    df: float
    """Degrees of freedom of Student's t; infinite for the normal distribution."""
    method: str

    def interval(self, estimate: float, error: float, confidence: float) -> Interval:
        """Estimate plus and minus the quantile times its error."""
        half = self.quantile(confidence) * error
        return Interval(estimate - half, estimate + half)

    def quantile(self, confidence: float) -> float:
        """Two-sided quantile of the reference distribution."""
        from scipy.special import ndtri, stdtrit

        upper = (1 + confidence) / 2
        return float(ndtri(upper) if math.isinf(self.df) else stdtrit(self.df, upper))

    def below(self, value: float) -> float:
        """Probability that the reference distribution lies below `value`."""
        from scipy.special import ndtr, stdtr

        return float(ndtr(value) if math.isinf(self.df) else stdtr(self.df, value))

    def p(self, estimate: float, error: float) -> float:
        """Two-sided probability under no effect."""
        if error > 0:
            return 2 * self.below(-abs(estimate / error))
        return 1.0 if estimate == 0 else 0.0


@dataclass(frozen=True, slots=True, eq=False)
class MetaRegression:
    """Coefficients of p columns of the design and what they leave."""

    coefficients: Floats
    """(p,)"""
    covariance: Floats
    """(p, p) with the factor of `inference`."""
    low: Floats
    high: Floats
    p: Floats
    """(p,) two-sided."""
    inference: Inference
    confidence: float
    tau2: float
    """Variance of true effects that the columns do not explain."""
    tau2_se: float
    tau2_low: float
    tau2_high: float
    """Q-profile interval."""
    i2: float
    """Per cent: residual heterogeneity in what is not explained."""
    r2: float
    """Per cent of the heterogeneity without columns that they account for; NaN if there is none or no intercept."""
    q: float
    """Of residual heterogeneity, with its probability `q_p` under none."""
    q_p: float
    qm: float
    """Omnibus test of all columns but the intercept: chi-square with `qm_df`, or F with Knapp-Hartung."""
    qm_df: int
    qm_p: float
    k: int

    @property
    def standard_errors(self) -> Floats:
        """(p,) square roots of the diagonal."""
        return np.sqrt(np.diag(self.covariance))

    def predict(self, row: ArrayLike) -> "Prediction":
        """The mean effect at one row of the design (p,), and where a new true effect there would lie."""
        values = np.asarray(row, dtype=np.float64)
        mean = float(values @ self.coefficients)
        variance = max(float(values @ self.covariance @ values), 0.0)
        around = self.inference.interval(mean, math.sqrt(variance), self.confidence)
        new = self.inference.interval(mean, math.sqrt(variance + self.tau2), self.confidence)
        return Prediction(mean, math.sqrt(variance), around.low, around.high, new.low, new.high)


@dataclass(frozen=True, slots=True)
class Prediction:
    """A fitted mean with its interval and the prediction interval of a single true effect."""

    effect: float
    standard_error: float
    low: float
    high: float
    prediction_low: float
    prediction_high: float


def regress(
    effects: ArrayLike,
    standard_errors: ArrayLike | None,
    design: ArrayLike,
    *,
    covariance: ArrayLike | None = None,
    confidence: float = 0.95,
    knapp_hartung: bool = True,
    floored: bool = False,
) -> MetaRegression:
    """Regress k `effects` (k,) on `design` (k, p), which has its column of ones if an intercept is wanted.

    Either `standard_errors` (k,) of independent estimates, or their joint `covariance` (k, k). `floored` keeps the
    factor of Knapp & Hartung at 1 or above, so that it never shortens an interval (Jackson et al. 2017). Raises
    ValueError as `estimates_of` and `joint_estimates` do.
    """
    _share(confidence)
    estimates = _estimates(effects, standard_errors, design, covariance)
    tau2 = restricted_tau2(estimates)
    inference = inference_of(estimates, tau2, knapp_hartung=knapp_hartung, floored=floored)
    fit = estimates.fit(tau2)
    joint = inference.scale * fit.covariance
    ends = [inference.interval(b, e, confidence) for b, e in zip(fit.coefficients, _errors(joint), strict=True)]
    plain = estimates.fit(0.0).q
    tau2_low, tau2_high = q_profile(estimates, confidence)
    intercept = _intercept(np.asarray(design, dtype=np.float64))
    qm, qm_df, qm_p = _omnibus(fit.coefficients, joint, intercept, inference)
    return MetaRegression(
        coefficients=fit.coefficients,
        covariance=joint,
        low=np.array([end.low for end in ends]),
        high=np.array([end.high for end in ends]),
        p=np.array([inference.p(b, e) for b, e in zip(fit.coefficients, _errors(joint), strict=True)]),
        inference=inference,
        confidence=confidence,
        tau2=tau2,
        tau2_se=tau2_error(estimates, tau2),
        tau2_low=tau2_low,
        tau2_high=tau2_high,
        i2=i2_of(estimates, tau2),
        r2=_explained(effects, standard_errors, covariance, tau2) if intercept is not None else math.nan,
        q=plain,
        q_p=q_p(plain, estimates.free),
        qm=qm,
        qm_df=qm_df,
        qm_p=qm_p,
        k=estimates.y.size,
    )


def inference_of(estimates: Estimates, tau2: float, *, knapp_hartung: bool = True, floored: bool = False) -> Inference:
    """Knapp & Hartung (2003): t with k - p degrees and errors scaled by the mean square of weighted residuals.

    Effects that agree to the last digit have a mean square of nothing, which is no knowledge: then the factor is 1.
    """
    if not knapp_hartung:
        return Inference(1.0, math.inf, "REML, normal")
    square = estimates.fit(tau2).q / estimates.free
    if floored or square < 1e-12:
        return Inference(max(1.0, square), float(estimates.free), "REML, Knapp-Hartung (floored)")
    return Inference(square, float(estimates.free), "REML, Knapp-Hartung")


def _estimates(
    effects: ArrayLike, standard_errors: ArrayLike | None, design: ArrayLike | None, covariance: ArrayLike | None
) -> Estimates:
    if (standard_errors is None) == (covariance is None):
        raise ValueError("give either standard errors or their joint covariance")
    if covariance is not None:
        return joint_estimates(effects, covariance, design)
    return estimates_of(effects, standard_errors if standard_errors is not None else (), design)


def _errors(covariance: Floats) -> Floats:
    return np.sqrt(np.diag(covariance))


def _intercept(design: Floats) -> int | None:
    """The first column that is constant and not zero."""
    constant = np.flatnonzero((np.ptp(design, axis=0) == 0) & (design[0] != 0))
    return int(constant[0]) if constant.size else None


def _omnibus(
    coefficients: Floats, covariance: Floats, intercept: int | None, inference: Inference
) -> tuple[float, int, float]:
    from scipy.special import chdtrc, fdtrc

    tested = np.delete(np.arange(coefficients.size), [] if intercept is None else intercept)
    if not tested.size:
        return math.nan, 0, math.nan
    chosen = coefficients[tested]
    square = float(chosen @ np.linalg.solve(covariance[np.ix_(tested, tested)], chosen))
    if math.isinf(inference.df):
        return square, tested.size, float(chdtrc(tested.size, square))
    return square / tested.size, tested.size, float(fdtrc(tested.size, inference.df, square / tested.size))


def _explained(
    effects: ArrayLike, standard_errors: ArrayLike | None, covariance: ArrayLike | None, tau2: float
) -> float:
    """R2 = 100 (tau2 without columns - tau2 with them) / tau2 without, not below 0 (Raudenbush 2009)."""
    whole = restricted_tau2(_estimates(effects, standard_errors, None, covariance))
    return max(0.0, 100 * (whole - tau2) / whole) if whole > 0 else math.nan


def _share(probability: float) -> float:
    if not 0 < probability < 1:
        raise ValueError("a probability must lie strictly between 0 and 1")
    return probability
