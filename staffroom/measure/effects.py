"""Effect sizes and the plain statistics around them: small numbers in, small numbers out."""

import math
from dataclasses import dataclass
from statistics import NormalDist

NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class Interval:
    """Both ends in the unit of the estimate; infinite where nothing bounds it."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class RatioInterval:
    """Fieller's set for a ratio: inside [low, high], outside (low, high), or everything."""

    ratio: float
    shape: str
    """'bounded', 'outside' (the set is everything but the open interval) or 'everything'."""
    low: float
    high: float

    @property
    def unbounded(self) -> bool:
        """Whether the ratio cannot be said to lie between two numbers."""
        return self.shape != "bounded"


def hedges_factor(results: int) -> float:
    """Small-sample factor 1 - 3/(4N - 9) for N results in both groups together (Hedges 1981; WWC Handbook 5.0, App. E).

    Raises ValueError below 3 results, where the approximation has no meaning.
    """
    if results < 3:
        raise ValueError("Hedges' factor needs at least 3 results")
    return 1 - 3 / (4 * results - 9)


def pooled_sd(sd_treated: float, n_treated: int, sd_comparison: float, n_comparison: int) -> float:
    """Standard deviation pooled over both groups, in outcome units; ValueError below 2 results in a group."""
    if min(n_treated, n_comparison) < 2:
        raise ValueError("each group needs at least 2 results")
    squares = (n_treated - 1) * sd_treated**2 + (n_comparison - 1) * sd_comparison**2
    return math.sqrt(squares / (n_treated + n_comparison - 2))


def hedges_g(
    mean_treated: float,
    sd_treated: float,
    n_treated: int,
    mean_comparison: float,
    sd_comparison: float,
    n_comparison: int,
) -> float:
    """Standardized mean difference with small-sample factor (Hedges 1981), in SD; ValueError if the SD is zero."""
    sd = pooled_sd(sd_treated, n_treated, sd_comparison, n_comparison)
    if sd == 0:
        raise ValueError("the standard deviation is zero")
    return hedges_factor(n_treated + n_comparison) * (mean_treated - mean_comparison) / sd


def hedges_g_error(g: float, n_treated: int, n_comparison: int) -> float:
    """Large-sample standard error of Hedges' g: sqrt(1/n + 1/m + g^2 / (2 (n + m))) (Hedges & Olkin 1985, eq. 5.8)."""
    if min(n_treated, n_comparison) < 2:
        raise ValueError("each group needs at least 2 results")
    return math.sqrt(1 / n_treated + 1 / n_comparison + g**2 / (2 * (n_treated + n_comparison)))


@dataclass(frozen=True, slots=True)
class ClusteredG:
    """A standardized mean difference of groups that were assigned by cluster."""

    g: float
    """In SD between and within clusters together."""
    standard_error: float
    df: float
    """Effective degrees of freedom of that SD."""
    factor: float
    """Small-sample factor 1 - 3 / (4 df - 1)."""
    gamma: float
    """By how much the pooled variance falls short of the total one, since clusters are few."""
    design_effect: float
    """1 + (n - 1) ICC."""


def hedges_g_clustered(
    difference: float, sd: float, n_treated: int, n_comparison: int, *, cluster_size: float, icc: float
) -> ClusteredG:
    """Hedges' g of a `difference` of means (outcome units) between groups assigned by clusters of about `cluster_size`.

    `sd` is the pooled SD of results within groups, ignoring clusters. Hedges (2007, eq. 15, 16 and the degrees of freedom
    there; WWC Handbook 5.0, App. E): d = difference / sd sqrt(1 - 2 (n - 1) ICC / (N - 2)); its error has the design
    effect and d^2 / (2 df). Raises ValueError for what cannot be, such as fewer than one cluster in a group.
    """
    results = n_treated + n_comparison
    if not (sd > 0 and math.isfinite(sd) and math.isfinite(difference)):
        raise ValueError("the standard deviation must be above 0 and all numbers finite")
    if not (0 <= icc <= 1 and 1 <= cluster_size <= min(n_treated, n_comparison)) or results < 4:
        raise ValueError("the ICC must lie between 0 and 1, and each group hold at least one cluster and two results")
    inner = results - 2 - 2 * (cluster_size - 1) * icc
    spread = (results - 2) * (1 - icc) ** 2 + cluster_size * (results - 2 * cluster_size) * icc**2
    spread += 2 * (results - 2 * cluster_size) * icc * (1 - icc)
    df = inner**2 / spread if spread > 0 else 0.0
    if not df > 1:
        raise ValueError("the clusters are too few to know the standard deviation")
    gamma, factor = inner / (results - 2), 1 - 3 / (4 * df - 1)
    d = difference / sd * math.sqrt(gamma)
    design_effect = 1 + (cluster_size - 1) * icc
    variance = (1 / n_treated + 1 / n_comparison) * design_effect + d**2 / (2 * df)
    return ClusteredG(factor * d, factor * math.sqrt(variance), df, factor, gamma, design_effect)


def cox_index(share_treated: float, share_comparison: float) -> float:
    """Difference of log odds over 1.65, in SD, for shares in (0, 1) (Cox 1970; Sanchez-Meca et al. 2003).

    Raises ValueError for a share of 0 or 1, where the odds are not finite.
    """
    if not (0 < share_treated < 1 and 0 < share_comparison < 1):
        raise ValueError("shares must lie strictly between 0 and 1")
    odds = math.log(share_treated / (1 - share_treated)) - math.log(share_comparison / (1 - share_comparison))
    return odds / 1.65


def improvement_index(effect_sd: float) -> float:
    """Percentile points that a student in the middle would move: 100 (Phi(g) - 0.5) (WWC Handbook 5.0, App. E)."""
    return 100 * (NORMAL.cdf(effect_sd) - 0.5)


def normal_interval(estimate: float, standard_error: float, *, confidence: float = 0.95) -> Interval:
    """Estimate plus and minus the normal quantile times the standard error (>= 0)."""
    half = NORMAL.inv_cdf((1 + _share(confidence)) / 2) * _error(standard_error)
    return Interval(estimate - half, estimate + half)


def t_interval(estimate: float, standard_error: float, df: float, *, confidence: float = 0.95) -> Interval:
    """Estimate plus and minus Student's quantile with `df` > 0 times the standard error (>= 0)."""
    half = t_quantile((1 + _share(confidence)) / 2, df) * _error(standard_error)
    return Interval(estimate - half, estimate + half)


def t_quantile(probability: float, df: float) -> float:
    """Quantile of Student's t with `df` > 0 degrees of freedom."""
    from scipy.special import stdtrit

    if not df > 0:
        raise ValueError("degrees of freedom must be above 0")
    return float(stdtrit(df, _share(probability)))


def two_sided_p(estimate: float, standard_error: float, df: float) -> float:
    """Probability under no effect of a t at least as far from zero; 0 or 1 where the standard error is zero."""
    from scipy.special import stdtr

    if not df > 0:
        raise ValueError("degrees of freedom must be above 0")
    if _error(standard_error) == 0:
        return 1.0 if estimate == 0 else 0.0
    return float(2 * stdtr(df, -abs(estimate / standard_error)))


def minimum_detectable_effect(
    standard_error: float, df: float, *, confidence: float = 0.95, power: float = 0.80
) -> float:
    """(t_{1-a/2} + t_{power}) * SE in the unit of the error (Bloom 1995; Dong & Maynard 2013, PowerUp!)."""
    return (t_quantile((1 + _share(confidence)) / 2, df) + t_quantile(power, df)) * _error(standard_error)


def teachers_needed(teachers: int, detectable: float, smallest: float) -> int:
    """About how many teachers in all would make `smallest` detectable, if `teachers` make `detectable` so.

    The standard error falls with the square root of the number of teachers when schools grow in the same proportion;
    degrees of freedom are left as they are, which errs on the side of too many.
    """
    if not (smallest > 0 and detectable >= 0 and math.isfinite(detectable)):
        raise ValueError("the smallest effect must be above 0 and the detectable one finite")
    return math.ceil(teachers * (detectable / smallest) ** 2 - 1e-9)


def fieller(
    numerator: float,
    denominator: float,
    numerator_se: float,
    denominator_se: float,
    *,
    covariance: float = 0.0,
    quantile: float,
) -> RatioInterval:
    """Confidence set for numerator/denominator (Fieller 1954); `quantile` is the t or normal one to be used.

    Where the denominator cannot be told from zero the set is unbounded, and the result says so by its shape.
    """
    q = quantile**2
    a = denominator**2 - q * _error(denominator_se) ** 2
    b = numerator * denominator - q * covariance
    c = numerator**2 - q * _error(numerator_se) ** 2
    root = b * b - a * c
    ratio = numerator / denominator if denominator else math.nan
    if a > 0:
        half = math.sqrt(max(root, 0.0))
        return RatioInterval(ratio, "bounded", (b - half) / a, (b + half) / a)
    if a < 0 and root > 0:
        half = math.sqrt(root)
        return RatioInterval(ratio, "outside", *sorted(((b - half) / a, (b + half) / a)))
    if a == 0 and b != 0:
        return _half_line(ratio, b, c)
    return RatioInterval(ratio, "everything", -math.inf, math.inf)


def _half_line(ratio: float, b: float, c: float) -> RatioInterval:
    """a = 0: the set is c <= 2 b r, a half-line, which is everything outside the other half-line."""
    end = c / (2 * b)
    return RatioInterval(ratio, "outside", -math.inf, end) if b > 0 else RatioInterval(ratio, "outside", end, math.inf)


def _share(probability: float) -> float:
    if not 0 < probability < 1:
        raise ValueError("a probability must lie strictly between 0 and 1")
    return probability


def _error(standard_error: float) -> float:
    if not standard_error >= 0:
        raise ValueError("a standard error must be a number of at least 0")
    return standard_error
