"""E1: what a lottery shows, by least squares within blocks, clustered by what was drawn.

Headline: Lin's (2013, Annals of Applied Statistics 7(1)) regression with covariates centered at their mean and fully
interacted with assignment, block effects (which weigh blocks by precision), CR2 errors by unit of assignment and
Satterthwaite degrees of freedom; the unadjusted difference and a randomization test stand beside it, and below
MANY_UNITS units the randomization test gives p and interval. Where drawn units did not all take part, or others did,
the complier average effect follows (Imbens & Angrist 1994), with the set of Anderson & Rubin (1949), which in the case
of one instrument is Fieller's and may be unbounded.
"""

from dataclasses import asdict, dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from staffroom.measure import effects
from staffroom.measure.arms import Balance, arm_means, balance
from staffroom.measure.cells import Cells, Floats
from staffroom.measure.permutation import draws, randomization_test
from staffroom.measure.trial import Fit, fit
from staffroom.measure.trial_data import TrialData

MANY_UNITS = 20
"""From so many units on Student's t with CR2 is trusted."""
LEAST_DF = 4
"""Below, Satterthwaite's approximation is poor (Tipton 2015); an adjusted fit with fewer is not the headline."""
PERMUTATIONS = 4999


@dataclass(frozen=True, slots=True)
class Estimate:
    """An effect of being drawn, in outcome units; None where it cannot be had."""

    effect: float | None = None
    standard_error: float | None = None
    """CR2 by unit of assignment."""
    df: float | None = None
    p: float | None = None
    low: float | None = None
    high: float | None = None
    """Infinite where a randomization test of so few units rejects nothing on that side."""
    method: str = ""
    """Of p and interval: 'CR2' or 'randomization'."""
    randomization_p: float | None = None
    randomization_low: float | None = None
    randomization_high: float | None = None
    draws: int = 0
    enumerated: bool = False
    """Whether all assignments that the lottery could have drawn were gone through."""


@dataclass(frozen=True, slots=True)
class Complier:
    """The effect on those who take part if and only if they are drawn, in outcome units."""

    effect: float | None
    """None where being drawn moved nobody."""
    standard_error: float | None
    """CR2 of two-stage least squares."""
    df: float | None
    low: float | None
    high: float | None
    shape: str
    """Of the set that the test does not reject: 'bounded', 'outside' (all but what lies between) or 'everything'."""
    take_up: float
    """How much being drawn raised the share that took part (the first stage, within blocks)."""
    take_up_treated: float
    take_up_control: float
    first_stage_f: float | None


@dataclass(frozen=True, slots=True)
class Randomized(Estimate):
    """The headline, and what must stand beside it."""

    reason: str = ""
    """Why something is missing: 'one_arm', 'no_results', 'no_spread', 'too_few_units', 'adjustment_unsteady'."""
    unadjusted: Estimate | None = None
    adjusted: Estimate | None = None
    """None without covariates."""
    complier: Complier | None = None
    """None where all drawn took part and nobody else did, or where taking part is not known."""
    units_treated: int = 0
    units_control: int = 0
    blocks: int = 0
    unit_is_cluster: bool = False
    """Whether whole schools were drawn."""
    units_lost_treated: int = 0
    """Drawn, but without any result that counts."""
    units_lost_control: int = 0
    blocks_lost: int = 0
    """With results in one arm only: they say nothing and are left out."""
    balance: tuple[Balance, ...] = ()
    results: int = 0
    teachers: int = 0
    covariates_dropped: tuple[int, ...] = ()
    """Columns of the cells that blocks, assignment or earlier covariates explain."""
    prior_missing: int = 0
    """Teachers without a term before the lottery; they get the mean, and a column of their own."""


def randomized(
    cells: Cells,
    *,
    assigned: ArrayLike,
    block: ArrayLike | None = None,
    unit: ArrayLike | None = None,
    taken: ArrayLike | None = None,
    covariates: bool = True,
    generator: np.random.Generator,
    confidence: float = 0.95,
    permutations: int = PERMUTATIONS,
    since: int | None = None,
    until: int | None = None,
) -> Randomized:
    """The effect of being drawn, from cells with the outcome first and then covariates that the lottery cannot change.

    Per teacher (I,): `assigned` 1 drawn, 0 not drawn, -1 not in the lottery; `block` labels within which was drawn;
    `unit` labels of what was drawn, by default the school if all its teachers fared alike, else the teacher. `taken`:
    whether, or what share, took part, per cell (C,) or teacher (I,). Results count from term `since` on and before
    `until` (terms as in `cells.terms`); the teacher's mean in earlier terms is a covariate more. Few data never raise:
    what cannot be had is None and `reason` says why. Raises ValueError for lengths that do not fit, assignments that
    are not -1, 0 or 1 or differ within a unit, blocks that cut through a unit, or numbers that are not finite.
    """
    if not 0 < confidence < 1:
        raise ValueError("confidence must lie strictly between 0 and 1")
    data = TrialData(cells, assigned, block, unit, taken, since, until)
    if data.reason:
        return _counted(Randomized(reason=data.reason), data)
    return _Analysis(data, covariates, generator, confidence, permutations).result()


def _counted(result: Randomized, data: TrialData) -> Randomized:
    """The result with what was lost."""
    return replace(
        result,
        unit_is_cluster=data.unit_is_cluster,
        units_lost_control=data.units_lost[0],
        units_lost_treated=data.units_lost[1],
        blocks_lost=data.blocks_lost,
    )


class _Analysis:
    """One trial, unadjusted and adjusted."""

    def __init__(
        self,
        data: TrialData,
        adjust: bool,
        generator: np.random.Generator,
        confidence: float,
        permutations: int,
    ) -> None:
        self.data, self.columns = data, data.columns()
        self.trial = self.columns.trial
        self.adjust = adjust and bool(self.columns.covariates)
        self.confidence, self.draws = confidence, draws(self.trial, permutations, generator)
        self.draw = self.trial.constant(self.trial.assigned)
        self.outcomes = [self.trial.column(0)]
        if self.columns.taken is not None:
            self.outcomes.append(self.trial.column(self.columns.taken))

    def result(self) -> Randomized:
        """The headline with everything beside it."""
        plain = self._plain()
        if not self.data.has_spread():
            return replace(plain, reason="no_spread")
        raw = fit(self.trial, [self.draw], self.outcomes)
        unadjusted = self._estimate(raw, [])
        if not self.adjust:
            return self._headline(replace(plain, unadjusted=unadjusted), unadjusted, raw)
        maps = self._covariates()
        count = len(self.columns.covariates)
        whole = fit(self.trial, [self.draw, *maps, *self._products(maps[:count])], self.outcomes)
        adjusted = self._estimate(whole, maps)
        names = sorted(self.columns.covariates)
        dropped = tuple(name for name, kept in zip(names, whole.kept[1 : count + 1], strict=True) if not kept)
        plain = replace(plain, unadjusted=unadjusted, adjusted=adjusted, covariates_dropped=dropped)
        if adjusted.df is not None and adjusted.df >= LEAST_DF:
            return self._headline(plain, adjusted, whole)
        return self._headline(replace(plain, reason="adjustment_unsteady"), unadjusted, raw)

    def _plain(self) -> Randomized:
        """What stands there without an estimate."""
        found = Randomized(
            units_treated=int(self.trial.assigned.sum()),
            units_control=int((1 - self.trial.assigned).sum()),
            blocks=len(self.trial.blocks),
            results=int(self.trial.results),
            teachers=int(self.data.kept.sum()),
            balance=balance(self.trial, self.columns.covariates),
            prior_missing=self.data.prior_missing(),
        )
        return _counted(found, self.data)

    def _headline(self, plain: Randomized, chosen: Estimate, fitted: Fit) -> Randomized:
        reason = "too_few_units" if chosen.standard_error is None else plain.reason
        return replace(plain, **asdict(chosen), reason=reason, complier=self._complier(fitted))

    def _covariates(self) -> list[Floats]:
        """Maps of the covariates less their means, then of what is not interacted."""
        covariates = self.columns.covariates
        return [
            self.trial.column(place) for place in (*(covariates[i] for i in sorted(covariates)), *self.columns.plain)
        ]

    def _products(self, maps: list[Floats]) -> list[Floats]:
        return [self.trial.assigned[:, None] * one for one in maps]

    def _estimate(self, fitted: Fit, maps: list[Floats]) -> Estimate:
        """The first outcome's effect with t or randomization, by the number of units."""
        effect, error = float(fitted.coefficient[0]), float(np.sqrt(fitted.covariance[0, 0]))
        test = randomization_test(self.trial, maps, self.draws, confidence=self.confidence)
        found = Estimate(
            effect=effect,
            p=test.p,
            low=min(test.low, effect),
            high=max(test.high, effect),
            method="randomization",
            randomization_p=test.p,
            randomization_low=test.low,
            randomization_high=test.high,
            draws=test.draws,
            enumerated=test.enumerated,
        )
        if not error > 0:
            return found
        found = replace(found, standard_error=error, df=fitted.df)
        return found if self.trial.units < MANY_UNITS else _student(found, effect, error, fitted.df, self.confidence)

    def _complier(self, fitted: Fit) -> Complier | None:
        if self.columns.taken is None or self.data.perfect():
            return None
        (effect, first), covariance = fitted.coefficient, fitted.covariance
        treated, control = arm_means(self.trial, self.columns.taken)
        empty = Complier(None, None, None, None, None, "everything", float(first), treated, control, None)
        if not (np.isfinite(fitted.df) and abs(first) > 1e-12):
            return empty
        ratio, strength = effect / first, covariance[1, 1]
        variance = covariance[0, 0] - 2 * ratio * covariance[0, 1] + ratio**2 * strength
        found = effects.fieller(
            float(effect),
            float(first),
            float(np.sqrt(covariance[0, 0])),
            float(np.sqrt(strength)),
            covariance=float(covariance[0, 1]),
            quantile=effects.t_quantile((1 + self.confidence) / 2, fitted.df),
        )
        return replace(
            empty,
            effect=float(ratio),
            standard_error=float(np.sqrt(max(variance, 0.0)) / abs(first)),
            df=fitted.df,
            low=found.low,
            high=found.high,
            shape=found.shape,
            first_stage_f=float(first**2 / strength) if strength > 0 else None,
        )


def _student(base: Estimate, effect: float, error: float, df: float, confidence: float) -> Estimate:
    found = effects.t_interval(effect, error, df, confidence=confidence)
    p = effects.two_sided_p(effect, error, df)
    return replace(base, method="CR2", p=p, low=found.low, high=found.high)
