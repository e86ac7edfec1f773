"""The door: from arrays of cells to one result, with its size, interval, gates, tier and sentence.

`estimate` follows the part of the decision tree that is built: staggered or never treated teachers with at least three
terms of outcomes get the imputation estimator, all else is described only. It never raises because data are few; it
raises ValueError, naming the row, where data are wrong.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from staffroom.measure import effects, gates
from staffroom.measure.cells import Cells, Ints, refuse_rows, whole_numbers
from staffroom.measure.gates import Gate
from staffroom.measure.group_time import group_time_effects
from staffroom.measure.moments import Covariates, cells_from_sums
from staffroom.measure.pretrends import PreTrends, pre_trends
from staffroom.measure.projection import least_squares
from staffroom.measure.result import Claims, Counts, Effect, Side, Study
from staffroom.measure.sentence import Sentence, headline, say
from staffroom.measure.staggered import NEVER, Average, Imputation, Size, distinct, event_times, impute
from staffroom.measure.suppression import complement
from staffroom.measure.wild import Bootstrap, wild_bootstrap

__all__ = ["NEVER", "Claims", "Counts", "Covariates", "Effect", "Side", "Study", "estimate", "estimate_cells"]

LEAST_TERMS = 3
LEAST_TREATED_TEACHERS = 10
WIDEST_GAP = 4
DESIGN_TIER = gates.MODERATE
"""A comparison over time without a lottery is a quasi-experiment: tier 2 at best."""


def estimate(
    *,
    teacher: ArrayLike,
    school: ArrayLike,
    term: ArrayLike,
    n: ArrayLike,
    y_sum: ArrayLike,
    y_sumsq: ArrayLike,
    first_treated: ArrayLike,
    covariates: Covariates | None = None,
    claims: Claims | None = None,
    generator: np.random.Generator | None = None,
) -> Study:
    """The study of one activity and one outcome, from one row per (school, teacher, term) in any order.

    All arrays (R,). `teacher`, `school`: numbers or text. `term`: whole numbers >= 0, consecutive in time. `n`: results
    in the cell; `y_sum`, `y_sumsq`: sum and sum of squares of the outcome over them. `first_treated`: on every row of
    a teacher the term in which that teacher first took part, NEVER (-1) for none; taking part lasts. `generator`: with
    it, 6 to 19 schools get p-value and interval by wild cluster bootstrap, otherwise these are marked approximate.
    Raises ValueError that names the row for wrong data; few data give the estimator 'describe' and its reasons.
    Sources: Borusyak, Jaravel & Spiess 2024; Callaway & Sant'Anna 2021; see the modules called.
    """
    cells = cells_from_sums(
        teacher=teacher, school=school, term=term, n=n, y_sum=y_sum, y_sumsq=y_sumsq, covariates=covariates
    )
    first = _first_treated(cells, teacher, first_treated)
    names = covariates.names if covariates is not None else ()
    return estimate_cells(cells, first, names=names, claims=claims, generator=generator)


def estimate_cells(
    cells: Cells,
    first_treated: Ints,
    *,
    names: tuple[str, ...] = (),
    claims: Claims | None = None,
    generator: np.random.Generator | None = None,
) -> Study:
    """As `estimate`, from Cells and first treated term per teacher (I,) in the order of `cells.teachers`."""
    found = examine(cells, first_treated, names=names, claims=claims, generator=generator)
    return found if isinstance(found, Study) else found.study()


def examine(
    cells: Cells,
    first_treated: Ints,
    *,
    names: tuple[str, ...] = (),
    claims: Claims | None = None,
    generator: np.random.Generator | None = None,
    by: Ints | None = None,
) -> "Study | Estimated":
    """As `estimate_cells`, but where there is an estimate with all that it was made of; `by` as in `impute`."""
    _check_terms(cells.terms)
    claims = claims or Claims()
    event = event_times(cells, first_treated)
    imputation = impute(cells, first_treated, leave_out=True, by=by)
    described = _described(cells, event, imputation, claims)
    described = replace(described, warnings=_warnings(cells, imputation, names))
    reasons = _reasons(described, event, imputation)
    if reasons or imputation.overall is None:
        return replace(described, reasons=reasons, sentence=reasons[:1])
    return Estimated(cells, first_treated, imputation, described, claims, generator)


def describe(cells: Cells, first_treated: Ints, *, claims: Claims | None = None) -> Study:
    """Both sides as they are, without an estimate; `reasons` holds what would be in the way of one, if anything."""
    claims = claims or Claims()
    event = event_times(cells, first_treated)
    imputation = impute(cells, first_treated)
    described = _described(cells, event, imputation, claims)
    return replace(described, reasons=_reasons(described, event, imputation))


def _first_treated(cells: Cells, teacher: ArrayLike, first_treated: ArrayLike) -> Ints:
    rows = whole_numbers("first_treated", first_treated, least=NEVER)
    owner = np.searchsorted(cells.teachers, np.asarray(teacher))
    if len(rows) != len(owner):
        raise ValueError(f"first_treated has {len(rows)} rows, teacher has {len(owner)}")
    first = np.zeros(len(cells.teachers), dtype=np.int64)
    first[owner[::-1]] = rows[::-1]
    refuse_rows(rows != first[owner], "first_treated differs from an earlier row of the same teacher")
    return first


def _check_terms(terms: Ints) -> None:
    if terms[-1] - terms[0] + 1 > WIDEST_GAP * len(terms):
        raise ValueError(
            f"terms run from {terms[0]} to {terms[-1]} but only {len(terms)} occur: number them consecutively in time"
        )


def _described(cells: Cells, event: Ints, imputation: Imputation, claims: Claims) -> Study:
    """The study without an estimate."""
    return Study(
        estimator="describe",
        effect=None,
        n=_counts(cells, event, imputation, claims),
        comparison_sd=comparison_sd(cells.take(event < 0)),
        treated=_side(cells.take(event >= 0)),
        untreated=_side(cells.take(event < 0)),
        by_event_time=(),
        by_group=(),
        callaway_santanna=None,
        twfe=None,
        pre_trends=None,
        gates=(gates.registration_gate(claims.registered),),
        tier=gates.RATIONALE,
        mde=None,
        more_teachers=None,
        improvement_index=None,
        sentence=(),
        reasons=(),
        warnings=(),
    )


def _counts(cells: Cells, event: Ints, imputation: Imputation, claims: Claims) -> Counts:
    inside = imputation.used | (event < 0)
    results = cells.n[inside]
    per_term = np.bincount(cells.term[inside], results, minlength=1)
    ever = distinct(cells.teacher[event >= 0])
    return Counts(
        results=int(results.sum()),
        students=claims.students or int(per_term.max()),
        teachers=distinct(cells.teacher[inside]),
        schools=distinct(cells.cluster),
        clusters=distinct(cells.cluster[inside]),
        treated_teachers=distinct(cells.teacher[imputation.used]),
        untreated_teachers=distinct(cells.teacher) - ever,
        treated_schools=distinct(cells.cluster[imputation.used]),
        terms=distinct(cells.term),
    )


def comparison_sd(untreated: Cells) -> float | None:
    """SD of the outcome within terms, over results; None below two results more than terms."""
    results, terms = untreated.n.sum(), distinct(untreated.term)
    if results - terms < 1:
        return None
    total = np.bincount(untreated.term, untreated.mass)
    mean = np.bincount(untreated.term, untreated.mass * untreated.mean[:, 0]) / np.where(total > 0, total, 1)
    off = untreated.mean[:, 0] - mean[untreated.term]
    squares = untreated.scatter[:, 0, 0].sum() + untreated.mass @ off**2
    return float(np.sqrt(squares / total.sum() * results / (results - terms)))


def _side(cells: Cells) -> Side:
    results, teachers = int(cells.n.sum()), distinct(cells.teacher)
    if not gates.enough_to_show(results, teachers):
        return Side(results, teachers, None, None)
    whole = cells.mass.sum()
    mean = float(cells.mass @ cells.mean[:, 0] / whole)
    squares = cells.scatter[:, 0, 0].sum() + cells.mass @ (cells.mean[:, 0] - mean) ** 2
    return Side(results, teachers, mean, float(np.sqrt(squares / whole * results / (results - 1))))


def _reasons(study: Study, event: Ints, imputation: Imputation) -> tuple[Sentence, ...]:
    """Why these data allow no estimate, the plainest reason first."""
    n = study.n
    if not (event >= 0).any():
        return (say("nobody_took_part"),)
    if not (event < 0).any():
        return (say("no_comparison"),)
    found = []
    if n.terms < LEAST_TERMS:
        found.append(say("too_few_terms", terms=n.terms, limit=LEAST_TERMS))
    if imputation.overall is None:
        found.append(say("no_counterfactual"))
    elif n.treated_teachers < LEAST_TREATED_TEACHERS:
        found.append(say("too_few_treated", teachers=n.treated_teachers, limit=LEAST_TREATED_TEACHERS))
    if imputation.overall is not None and imputation.overall.size.results < gates.LEAST_STUDENTS:
        found.append(say("too_few_results", results=imputation.overall.size.results, limit=gates.LEAST_STUDENTS))
    if study.untreated.mean is None:
        found.append(say("too_few_compared", teachers=study.untreated.teachers, limit=gates.LEAST_TEACHERS))
    if not _has_spread(study):
        found.append(say("no_spread"))
    return tuple(found)


def _has_spread(study: Study) -> bool:
    scale = max(abs(study.untreated.mean or 0.0), abs(study.treated.mean or 0.0), 1e-300)
    return study.comparison_sd is not None and study.comparison_sd > 1e-9 * scale


def _warnings(cells: Cells, imputation: Imputation, names: tuple[str, ...]) -> tuple[Sentence, ...]:
    found = []
    if imputation.always_treated:
        found.append(say("always_treated", teachers=imputation.always_treated))
    if imputation.unmatched_cells:
        found.append(say("unmatched", cells=imputation.unmatched_cells))
    if cells.moved:
        found.append(say("moved", teachers=cells.moved))
    if imputation.overall is not None:
        dropped = np.flatnonzero(np.isnan(imputation.covariates))
        found += [say("covariate_dropped", name=names[i] if i < len(names) else f"covariate {i}") for i in dropped]
    return tuple(found)


class Estimated:
    """One study with an estimate: gathers the parts that share the scale, the clusters and the claims."""

    def __init__(
        self,
        cells: Cells,
        first_treated: Ints,
        imputation: Imputation,
        described: Study,
        claims: Claims,
        generator: np.random.Generator | None,
    ) -> None:
        assert imputation.overall is not None
        assert described.comparison_sd is not None
        self.cells, self.first_treated, self.imputation = cells, first_treated, imputation
        self.overall, self.described, self.claims = imputation.overall, described, claims
        self.sd = claims.reference_sd or described.comparison_sd
        self.df = described.n.clusters - 1
        self.bootstrap: Bootstrap | None = None
        self.sure = gates.allows_interval(described.n.clusters, described.n.treated_schools)
        if self.sure and described.n.clusters < gates.MANY_CLUSTERS and generator is not None:
            self.bootstrap = wild_bootstrap(cells, first_treated, generator, confidence=claims.confidence)

    def study(self) -> Study:
        """With all that must stand beside the estimate."""
        effect = self.headline()
        mde = None
        if effect.se is not None:
            mde = effects.minimum_detectable_effect(
                effect.se, self.df, confidence=self.claims.confidence, power=self.claims.power
            )
        smallest = self.claims.smallest_effect * self.sd
        test = pre_trends(self.cells, self.first_treated, effect=self.overall.effect, smallest=smallest)
        found = self._gates(effect, mde, test)
        return replace(
            self.described,
            estimator="imputation",
            effect=effect,
            by_event_time=self._lines(self.imputation.by_event_time),
            by_group=self._lines(self.imputation.by_group),
            callaway_santanna=self._callaway_santanna(),
            twfe=self._twfe(),
            pre_trends=test,
            gates=found,
            tier=gates.tier(DESIGN_TIER, found),
            mde=mde,
            more_teachers=self._more_teachers(mde),
            improvement_index=effects.improvement_index(self.overall.effect / self.sd),
            sentence=self._sentences(effect, mde),
            warnings=self.described.warnings + self.own_warnings(effect),
        )

    def _effect(self, key: int | None, raw: float, raw_se: float, size: Size) -> Effect:
        sd = raw / self.sd
        se = raw_se / self.sd
        if not (self.sure and se > 1e-12):
            return Effect(key, raw, None, sd, None, None, None, None, None, size)
        interval = effects.t_interval(sd, se, self.df, confidence=self.claims.confidence)
        p = effects.two_sided_p(sd, se, self.df)
        return Effect(key, raw, raw_se, sd, se, interval.low, interval.high, p, self.df, size)

    def headline(self) -> Effect:
        """The overall effect; with few clusters the more cautious of Student's t and the bootstrap."""
        effect = self._effect(None, self.overall.effect, self.overall.standard_error, self.overall.size)
        if self.bootstrap is None or effect.se is None or effect.sd is None or effect.low is None or effect.p is None:
            return effect
        half = max(self.bootstrap.quantile * effect.se, effect.sd - effect.low)
        p = max(self.bootstrap.p, effect.p)
        return replace(effect, low=effect.sd - half, high=effect.sd + half, p=p)

    def _lines(self, averages: tuple[Average, ...]) -> tuple[Effect, ...]:
        """Effects by key; those with too few behind them are hidden, and one more if a single one would follow."""
        small = np.array([not gates.enough_to_show(one.size.results, one.size.teachers) for one in averages])
        hidden = complement(small, np.array([one.size.results for one in averages]))
        return tuple(
            Effect(one.key, None, None, None, None, None, None, None, None, Size(0, 0, 0), hidden=True)
            if hide
            else self._effect(one.key, one.effect, one.standard_error, one.size)
            for one, hide in zip(averages, hidden, strict=True)
        )

    def _callaway_santanna(self) -> Effect | None:
        found = group_time_effects(self.cells, self.first_treated)
        if found is None:
            return None
        return self._effect(None, found.simple.effect, found.simple.standard_error, self.overall.size)

    def _twfe(self) -> Effect | None:
        treated = (event_times(self.cells, self.first_treated) >= 0).astype(np.float64)
        fit = least_squares(self.cells.with_columns(treated[:, None]))
        if not fit.kept[0]:
            return None
        size = Size(int(self.cells.n.sum()), distinct(self.cells.teacher), fit.clusters)
        return self._effect(None, float(fit.coefficients[0]), float(fit.standard_errors[0]), size)

    def _gates(self, effect: Effect, mde: float | None, test: PreTrends | None) -> tuple[Gate, ...]:
        n, size, other = self.described.n, self.overall.size, self.described.untreated
        return (
            gates.registration_gate(self.claims.registered),
            gates.minimum_cell_gate(min(size.results, other.results), min(size.teachers, other.teachers)),
            gates.cluster_gate(n.clusters, n.treated_schools, bootstrapped=self.bootstrap is not None),
            gates.pre_trend_gate(test),
            gates.sample_gate(n.students, n.clusters),
            gates.significance_gate(effect.low),
            gates.power_gate(mde, self.claims.smallest_effect),
        )

    def _more_teachers(self, mde: float | None) -> int | None:
        if mde is None:
            return None
        teachers = self.described.n.treated_teachers
        return max(0, effects.teachers_needed(teachers, mde, self.claims.smallest_effect) - teachers)

    def _sentences(self, effect: Effect, mde: float | None) -> tuple[Sentence, ...]:
        first = headline(
            effect=self.overall.effect / self.sd,
            low=effect.low,
            high=effect.high,
            schools=self.described.n.clusters,
            detectable=mde,
            smallest=self.claims.smallest_effect,
            treated_teachers=self.described.n.treated_teachers,
        )
        return first if self.claims.registered else (*first, say("exploratory"))

    def own_warnings(self, effect: Effect) -> tuple[Sentence, ...]:
        """What the estimate itself gives cause for."""
        n, found = self.described.n, []
        if self.sure and effect.se is None:
            found.append(say("no_error"))
        if self.sure and n.treated_schools < gates.FEW_CLUSTERS:
            found.append(say("few_treated_schools", schools=n.treated_schools))
        return tuple(found)
