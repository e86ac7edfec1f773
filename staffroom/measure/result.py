"""What a study says: one frozen result, with everything that must stand beside a number."""

import math
from dataclasses import dataclass

from staffroom.measure.gates import Gate
from staffroom.measure.pretrends import PreTrends
from staffroom.measure.sentence import Sentence
from staffroom.measure.staggered import Size


@dataclass(frozen=True, slots=True)
class Effect:
    """An effect in outcome units (raw) and in SD of the comparison group; None where it must not be claimed or shown."""

    key: int | None
    """Event time or first treated term; None for an overall effect."""
    raw: float | None
    raw_se: float | None
    sd: float | None
    se: float | None
    """In SD, as are low and high; the SD itself is taken as known."""
    low: float | None
    high: float | None
    p: float | None
    df: float | None
    size: Size
    """Results, teachers and schools behind it."""
    hidden: bool = False
    """Too few students or teachers behind it, or needed so that such a one does not follow."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How much data the study stands on, after what had to be left out."""

    results: int
    students: int
    """As told by the caller; otherwise the most results in any one term, which is the least they can be."""
    teachers: int
    schools: int
    clusters: int
    """Schools that take part in the estimate."""
    treated_teachers: int
    """Teachers with an imputed counterfactual."""
    untreated_teachers: int
    """Teachers without any treated term in the data."""
    treated_schools: int
    terms: int


@dataclass(frozen=True, slots=True)
class Side:
    """Plain description of treated or untreated results, in outcome units; None where too few to show."""

    results: int
    teachers: int
    mean: float | None
    sd: float | None


@dataclass(frozen=True, slots=True)
class Study:
    """Everything that may be said of one activity and one outcome."""

    estimator: str
    """'imputation' or 'describe'."""
    effect: Effect | None
    n: Counts
    comparison_sd: float | None
    """Standard deviation of untreated results within terms, in outcome units."""
    treated: Side
    untreated: Side
    by_event_time: tuple[Effect, ...]
    by_group: tuple[Effect, ...]
    callaway_santanna: Effect | None
    """Beside the headline; never-treated comparisons only."""
    twfe: Effect | None
    """Two-way fixed effects, only to show how far off they are; never the headline."""
    pre_trends: PreTrends | None
    gates: tuple[Gate, ...]
    tier: int
    """1 strong .. 4 rationale (ESSA)."""
    mde: float | None
    """Minimum detectable effect in SD."""
    more_teachers: int | None
    """About how many more teachers taking part would make the smallest effect that matters detectable; 0 if none."""
    improvement_index: float | None
    """Percentile points."""
    sentence: tuple[Sentence, ...]
    reasons: tuple[Sentence, ...]
    """Why there is only a description; empty if there is an estimate."""
    warnings: tuple[Sentence, ...]

    @property
    def text(self) -> str:
        """The sentences in English, joined."""
        return " ".join(sentence.text for sentence in self.sentence)


@dataclass(frozen=True, slots=True)
class Claims:
    """What the asker fixes beforehand; `smallest_effect` is the one that would matter, in SD."""

    registered: bool = False
    smallest_effect: float = 0.10
    confidence: float = 0.95
    power: float = 0.80
    reference_sd: float | None = None
    """In outcome units, such as a test's norm; default is the SD of the comparison group."""
    students: int | None = None
    """Different students, if known."""

    def __post_init__(self) -> None:
        for name in ("confidence", "power"):
            if not 0 < getattr(self, name) < 1:
                raise ValueError(f"{name} must lie strictly between 0 and 1")
        for name in ("smallest_effect", "reference_sd", "students"):
            value = getattr(self, name)
            if value is not None and not (value > 0 and math.isfinite(value)):
                raise ValueError(f"{name} must be above 0 and finite")
