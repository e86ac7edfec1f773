"""What a design could see: minimum detectable effects, power and needed numbers (PowerUp!).

Dong & Maynard (2013, Journal of Research on Educational Effectiveness 6(1)), with the names of their models beside ours.
A design is the variance of its estimate, in SD squared of the outcome, and its degrees of freedom; all else follows.
`n` are students per teacher, class or cluster (harmonic mean), `icc` the share of the outcome's variance between
clusters of a level, `r2` the share of a level's variance that covariates explain, `share` the part assigned to treatment.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from staffroom.measure.effects import t_quantile


@dataclass(frozen=True, slots=True)
class Design:
    """A planned comparison."""

    variance: float
    """Of the effect's estimate, in SD squared."""
    df: float

    @property
    def standard_error(self) -> float:
        """In SD."""
        return math.sqrt(self.variance)


def individual(n: float, *, share: float = 0.5, r2: float = 0.0, covariates: int = 0) -> Design:
    """`n` students in all, drawn one by one (IRA1-1)."""
    _positive(n=n)
    return _design((1 - _part("r2", r2)) / (_split(share) * n), n - covariates - 2)


def blocked_individual(
    n: float,
    blocks: float,
    *,
    share: float = 0.5,
    r2: float = 0.0,
    covariates: int = 0,
    effects: str = "fixed",
    icc: float = 0.0,
    heterogeneity: float = 0.0,
    r2_heterogeneity: float = 0.0,
) -> Design:
    """`n` units in each of `blocks`, drawn within blocks: BIRA2-1, also teachers as units drawn within schools.

    `effects` of blocks: 'constant' (2c), 'fixed' (2f) or 'random' (2r, generalizing to more blocks), for which
    `heterogeneity` is the variance of the effect between blocks over the outcome's variance between them.
    """
    _positive(n=n, blocks=blocks)
    within = (
        (1 - (_part("icc", icc) if effects == "random" else 0.0)) * (1 - _part("r2", r2)) / (_split(share) * blocks * n)
    )
    if effects == "random":
        between = icc * _above("heterogeneity", heterogeneity) * (1 - _part("r2", r2_heterogeneity)) / blocks
        return _design(between + within, blocks - covariates - 1)
    if effects not in ("constant", "fixed"):
        raise ValueError("effects must be 'constant', 'fixed' or 'random'")
    df = blocks * (n - 1) - covariates - 1 if effects == "constant" else blocks * (n - 2) - covariates
    return _design(within, df)


def clusters(
    n: float,
    clusters: float,
    *,
    icc: float,
    share: float = 0.5,
    r2: float = 0.0,
    r2_cluster: float = 0.0,
    covariates: int = 0,
) -> Design:
    """Whole clusters of `n` students drawn: teachers, or schools in two levels (CRA2-2)."""
    _positive(n=n, clusters=clusters)
    between = _part("icc", icc) * (1 - _part("r2", r2_cluster))
    variance = (between + (1 - icc) * (1 - _part("r2", r2)) / n) / (_split(share) * clusters)
    return _design(variance, clusters - covariates - 2)


def schools(
    n: float,
    teachers: float,
    schools: float,
    *,
    icc_teacher: float,
    icc_school: float,
    share: float = 0.5,
    r2: float = 0.0,
    r2_teacher: float = 0.0,
    r2_school: float = 0.0,
    covariates: int = 0,
) -> Design:
    """Whole schools drawn, with `teachers` each and `n` students per teacher (CRA3-3)."""
    _positive(n=n, teachers=teachers, schools=schools)
    top = _part("icc_school", icc_school) * (1 - _part("r2", r2_school))
    middle = _part("icc_teacher", icc_teacher) * (1 - _part("r2", r2_teacher)) / teachers
    low = _rest(icc_teacher + icc_school) * (1 - _part("r2", r2)) / (teachers * n)
    return _design((top + middle + low) / (_split(share) * schools), schools - covariates - 2)


def blocked_clusters(
    n: float,
    teachers: float,
    schools: float,
    *,
    icc_teacher: float,
    icc_school: float = 0.0,
    share: float = 0.5,
    r2: float = 0.0,
    r2_teacher: float = 0.0,
    covariates: int = 0,
    effects: str = "fixed",
    heterogeneity: float = 0.0,
    r2_heterogeneity: float = 0.0,
) -> Design:
    """`teachers` of each school drawn, students nested: BCRA3-2, schools being 'fixed' (3f2) or 'random' (3r2) blocks.

    With fixed blocks `icc_teacher` is the share of the variance within schools and `icc_school` is not used.
    """
    _positive(n=n, teachers=teachers, schools=schools)
    top = _part("icc_school", icc_school) if effects == "random" else 0.0
    middle = _part("icc_teacher", icc_teacher) * (1 - _part("r2", r2_teacher))
    low = _rest(icc_teacher + top) * (1 - _part("r2", r2)) / n
    within = (middle + low) / (_split(share) * teachers * schools)
    if effects == "random":
        between = top * _above("heterogeneity", heterogeneity) * (1 - _part("r2", r2_heterogeneity)) / schools
        return _design(between + within, schools - covariates - 1)
    if effects != "fixed":
        raise ValueError("effects must be 'fixed' or 'random'")
    return _design(within, schools * (teachers - 2) - covariates)


def from_pilot(standard_error: float, df: float, *, teachers_then: float, teachers_planned: float) -> Design:
    """The design of a pilot with more or fewer teachers, such as a difference in differences whose error is known.

    The variance falls with the number of teachers if schools grow in proportion; degrees of freedom (those of the
    clusters) grow with it.
    """
    _positive(standard_error=standard_error, teachers_then=teachers_then, teachers_planned=teachers_planned)
    more = teachers_planned / teachers_then
    return _design(standard_error**2 / more, (df + 1) * more - 1)


def detectable(
    design: Design, *, confidence: float = 0.95, power: float = 0.80, two_sided: bool = True, take_up: float = 1.0
) -> float:
    """Minimum detectable effect in SD: (t_crit + t_power) SE (Bloom 1995); of taking part where `take_up`, the difference
    in the share that takes part between the drawn and the others, is below 1.
    """
    if not 0 < take_up <= 1:
        raise ValueError("take-up must lie above 0 and not above 1")
    critical = _critical(design.df, confidence, two_sided)
    return (critical + t_quantile(power, design.df)) * design.standard_error / take_up


def power(
    design: Design, effect: float, *, confidence: float = 0.95, two_sided: bool = True, take_up: float = 1.0
) -> float:
    """Chance that the test finds a true `effect` (SD, of taking part), from the noncentral t."""
    from scipy.special import nctdtr

    shift = abs(effect) * take_up / design.standard_error
    critical = _critical(design.df, confidence, two_sided)
    found = 1 - float(nctdtr(design.df, shift, critical))
    return found + (float(nctdtr(design.df, shift, -critical)) if two_sided else 0.0)


def needed(
    make: Callable[[int], Design],
    effect: float,
    *,
    confidence: float = 0.95,
    power: float = 0.80,
    take_up: float = 1.0,
    most: int = 1_000_000,
) -> int | None:
    """The least number of units with which `make(number)` could see `effect` (SD); None if `most` are not enough."""
    if not effect > 0:
        raise ValueError("the effect must be above 0")

    def enough(number: int) -> bool:
        try:
            return detectable(make(number), confidence=confidence, power=power, take_up=take_up) <= effect
        except ValueError:
            return False

    high = 1
    while not enough(high):
        if high >= most:
            return None
        high = min(2 * high, most)
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def _critical(df: float, confidence: float, two_sided: bool) -> float:
    if not 0 < confidence < 1:
        raise ValueError("a probability must lie strictly between 0 and 1")
    return t_quantile((1 + confidence) / 2 if two_sided else confidence, df)


def _design(variance: float, df: float) -> Design:
    if not df >= 1:
        raise ValueError("the design has no degrees of freedom left: more units or fewer covariates are needed")
    return Design(variance, df)


def _split(share: float) -> float:
    if not 0 < share < 1:
        raise ValueError("the share assigned to treatment must lie strictly between 0 and 1")
    return share * (1 - share)


def _part(name: str, value: float) -> float:
    if not 0 <= value <= 1:
        raise ValueError(f"{name} must lie between 0 and 1")
    return value


def _rest(taken: float) -> float:
    if not 0 <= taken <= 1:
        raise ValueError("the shares of variance of the levels must not exceed 1 together")
    return 1 - taken


def _above(name: str, value: float) -> float:
    if not (value >= 0 and math.isfinite(value)):
        raise ValueError(f"{name} must be a number of at least 0")
    return value


def _positive(**numbers: float) -> None:
    for name, value in numbers.items():
        if not (value > 0 and math.isfinite(value)):
            raise ValueError(f"{name} must be above 0 and finite")
