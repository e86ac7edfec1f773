"""The answer to a question: one frozen result whose names are the keys of the JSON that programs read.

Whatever the estimator, an answer has the same parts; what is not known is None or empty and says why in `warnings`
or in its own `reason`. Effects are in SD of the comparison group (`sd`, `se`, `low`, `high`) and, beside them, in
outcome units (`raw…`). Above zero is always the better.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from staffroom.measure.gates import Gate
from staffroom.measure.sentence import Sentence

ESTIMATORS = (
    "randomized",
    "cutoff",
    "imputation",
    "callaway_santanna",
    "etwfe",
    "entropy_balanced",
    "dose",
    "single_case",
    "describe",
)


@dataclass(frozen=True, slots=True)
class Size:
    """How much data stands behind a number; never print the number without it."""

    students: int | None
    """Different students if known, else the results of the fullest term; at one event time the results, for each teacher
    has one term then. None where only ratings of teachers are known."""
    teachers: int
    schools: int
    clusters: int
    results: int = 0
    treated_teachers: int = 0
    comparison_teachers: int = 0
    terms: int = 0


@dataclass(frozen=True, slots=True)
class Effect:
    """An effect with its inference; None where it must not be claimed or shown."""

    raw: float | None = None
    """In outcome units, as are `raw_se`, `raw_low`, `raw_high`."""
    sd: float | None = None
    se: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    df: float | None = None
    """Degrees of freedom of the reference distribution; None for a normal one or a randomization test."""
    raw_se: float | None = None
    raw_low: float | None = None
    raw_high: float | None = None
    method: str = ""
    """How interval and p were had: 'CR1', 'CR2', 'wild bootstrap', 'randomization', 'multiplier bootstrap', …"""


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a picture: an effect by event time, by group and time, by site, by wave or of a subgroup."""

    effect: Effect
    n: Size
    event_time: int | None = None
    """Terms since the first of taking part; below zero are placebos."""
    group: int | str | None = None
    """First treated term of a group; the name of a site, a cohort or a subgroup."""
    term: int | str | None = None
    hidden: bool = False
    """Too few people behind it, or needed so that such a one does not follow; then the effect is empty."""
    shrunken: Effect | None = None
    """Of a site: its effect drawn towards the mean (empirical Bayes)."""
    leave_one_out: float | None = None
    """Of a site: the pooled effect in SD without it."""
    band_low: float | None = None
    """In SD: the simultaneous band of all lines on the same side of taking part; wider than the interval."""
    band_high: float | None = None


@dataclass(frozen=True, slots=True)
class Replicability:
    """What the next site should expect; `known` only with three sites or cohorts or more."""

    known: bool = False
    reason: str = ""
    """Key of a sentence: why it is not known."""
    by: str = ""
    """'site' or 'cohort'."""
    sites: int = 0
    pooled: Effect | None = None
    prediction_low: float | None = None
    prediction_high: float | None = None
    probability_positive: float | None = None
    """That the effect in a new site is above zero."""
    tau: float | None = None
    """SD of true effects between sites, in outcome SD, with its 95 % interval (Q-profile)."""
    tau_low: float | None = None
    tau_high: float | None = None
    i2: float | None = None
    """Per cent."""
    q: float | None = None
    q_p: float | None = None
    leave_one_out_low: float | None = None
    leave_one_out_high: float | None = None
    replications: int = 0
    """Sites whose own interval excludes zero on the favorable side."""
    by_site: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True)
class Scalability:
    """Whether it holds as it spreads: effect and marginal cost by wave of adoption."""

    known: bool = False
    reason: str = ""
    slope: Effect | None = None
    """Change of the effect (SD) when the number of teachers reached doubles."""
    last_over_first: float | None = None
    ratio_low: float | None = None
    ratio_high: float | None = None
    ratio_shape: str = ""
    """'bounded', 'outside' or 'everything' (Fieller)."""
    dose_delivered: float | None = None
    """Share of the planned hours that was delivered."""
    by_wave: tuple[Mapping[str, Any], ...] = ()
    """Per wave: wave, term, teachers, cumulative_teachers, effect (Effect), marginal_cost_usd_cents, dose_delivered."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """A ratio with Fieller's or a bootstrap's set; `shape` 'everything' or 'outside' where it is not bounded."""

    value: float | None = None
    low: float | None = None
    high: float | None = None
    shape: str = ""
    method: str = ""


@dataclass(frozen=True, slots=True)
class Efficiency:
    """SD per ten hours of a teacher."""

    known: bool = False
    reason: str = ""
    sd_per_10_hours: Ratio | None = None
    hours_per_teacher: float | None = None
    teachers: int = 0


@dataclass(frozen=True, slots=True)
class CostOf:
    """Ingredients, in US cents of `price_year`, beyond business as usual."""

    known: bool = False
    reason: str = ""
    total_usd_cents: int | None = None
    business_as_usual_usd_cents: int | None = None
    per_teacher_usd_cents: int | None = None
    per_student_usd_cents: int | None = None
    marginal_teacher_usd_cents: int | None = None
    """Of one more teacher: what grows with teachers and with their groups."""
    opportunity_usd_cents: int | None = None
    """Of the total: time that could have been used otherwise, for which no money changes hands."""
    teachers: int = 0
    students: int = 0
    """Heads that the costs are divided by."""
    price_year: int | None = None
    by_payer: tuple[tuple[str, int], ...] = ()
    by_ingredient: tuple[tuple[str, int], ...] = ()
    sd_per_1000_usd: Ratio | None = None
    """SD per $1,000 per student."""
    per_student_se_usd_cents: float | None = None
    """Standard error of the cost per student: from prices that are ranges, and from what teachers' parts came to, by school.
    None where neither is known: then the cost counts as known."""
    correlation: float | None = None
    """Of the errors of effect and cost."""
    region: tuple[tuple[float, float], ...] = ()
    """The cost plane: an ellipse of (US cents per student, SD) that holds both with the confidence of the intervals."""
    acceptability: tuple[tuple[int, float], ...] = ()
    """(US cents per student that an SD is worth at most, probability that it is cost-effective)."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Everything that may be said about one question."""

    estimator: str
    effect: Effect | None
    n: Size
    by_event_time: tuple[Line, ...] = ()
    by_group_time: tuple[Line, ...] = ()
    gates: tuple[Gate, ...] = ()
    tier: int = 4
    replicability: Replicability = field(default_factory=Replicability)
    scalability: Scalability = field(default_factory=Scalability)
    efficiency: Efficiency = field(default_factory=Efficiency)
    cost: CostOf = field(default_factory=CostOf)
    sentence: tuple[Sentence, ...] = ()
    warnings: tuple[Sentence, ...] = ()
    reasons: tuple[Sentence, ...] = ()
    """Why there is only a description; empty if there is an estimate."""
    decision: tuple[Sentence, ...] = ()
    """Which branch of the tree was taken and why."""
    comparison_sd: float | None = None
    improvement_index: float | None = None
    mde: float | None = None
    more_teachers: int | None = None
    beside: Mapping[str, Effect] = field(default_factory=dict)
    """Other estimators, never the headline: 'callaway_santanna', 'etwfe', 'twfe', 'complier', …"""
    by_subgroup: tuple[Line, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)
    """What only one estimator has: balance tables, HonestDiD bounds, single-case measures, randomization test."""
    mechanism: tuple[Any, ...] = ()
    """Whether practice changed where the outcome did: `mechanism.Practice`, one for each measure of practice."""
