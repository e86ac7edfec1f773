"""A panel looked at: both sides as they are, what is in the way of an estimate, and if nothing is, the estimate with its interval.

Sources: Borusyak, Jaravel & Spiess 2024 for the estimate; see the modules called.
"""

from dataclasses import dataclass, replace

import numpy as np

from staffroom.measure import gates
from staffroom.measure.answer import Effect, Size
from staffroom.measure.answering.estimate import Scale
from staffroom.measure.cells import Cells, Ints
from staffroom.measure.claims import Claims
from staffroom.measure.sentence import Sentence, say
from staffroom.measure.sides import Side, comparison_sd, side_of
from staffroom.measure.staggered import Average, Imputation, distinct, effective_clusters, event_times, impute
from staffroom.measure.wild import Bootstrap, wild_bootstrap

LEAST_TERMS = 3
LEAST_TREATED_TEACHERS = 10
WIDEST_GAP = 4


@dataclass(frozen=True, slots=True)
class Described:
    """A panel without an estimate."""

    n: Size
    treated_schools: int
    comparison_sd: float | None
    """SD of results without taking part, within terms, in outcome units."""
    treated: Side
    untreated: Side
    reasons: tuple[Sentence, ...]
    """What is in the way of an estimate; empty if nothing is."""
    warnings: tuple[Sentence, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Examined:
    """A panel with its estimate, and all that it was made of."""

    described: Described
    cells: Cells
    imputation: Imputation
    overall: Average
    scale: Scale
    df: int
    bootstrap: Bootstrap | None

    @property
    def effect(self) -> Effect:
        """The headline; with few clusters the more cautious of Student's t and the bootstrap. No interval where none is claimed."""
        raw, error = self.overall.effect, self.overall.standard_error
        found = self.scale.effect(raw, error, self.df, method="CR1")
        if found.se is None or found.sd is None or found.low is None or found.p is None:
            return self.scale.effect(raw, None, None)
        if self.bootstrap is None:
            return found
        half = max(self.bootstrap.quantile * found.se, found.sd - found.low)
        p = max(self.bootstrap.p, found.p)
        return self.scale.with_interval(
            raw, error, self.df, found.sd - half, found.sd + half, p, method="wild bootstrap"
        )


def examine(
    cells: Cells,
    first_treated: Ints,
    *,
    names: tuple[str, ...] = (),
    claims: Claims,
    generator: np.random.Generator | None = None,
) -> Described | Examined:
    """What a panel says; first treated term per teacher (I,) in the order of `cells.teachers`.

    With a generator, 6 to 19 schools, and more that tell no more than 19 of one size, get p-value and interval by wild cluster
    bootstrap; otherwise these are approximate.
    Never raises because data are few; ValueError where terms are not numbered consecutively.
    """
    _check_terms(cells.terms)
    imputation = impute(cells, first_treated, leave_out=True)
    described = _described(cells, first_treated, imputation, claims)
    described = replace(described, warnings=_warnings(cells, imputation, names))
    sd = claims.reference_sd or described.comparison_sd
    if described.reasons or imputation.overall is None or sd is None:
        return described
    clusters = described.n.clusters
    sure = gates.allows_interval(clusters, described.treated_schools)
    bootstrap = None
    are_few = min(clusters, effective_clusters(cells)) < gates.MANY_CLUSTERS
    if sure and are_few and generator is not None:
        bootstrap = wild_bootstrap(cells, first_treated, generator, confidence=claims.confidence)
    scale = Scale(sd, claims.confidence, sure)
    return Examined(described, cells, imputation, imputation.overall, scale, clusters - 1, bootstrap)


def describe(cells: Cells, first_treated: Ints, *, claims: Claims) -> Described:
    """Both sides as they are; `reasons` holds what would be in the way of an estimate, if anything."""
    return _described(cells, first_treated, impute(cells, first_treated), claims)


def _check_terms(terms: Ints) -> None:
    if terms[-1] - terms[0] + 1 > WIDEST_GAP * len(terms):
        raise ValueError(
            f"terms run from {terms[0]} to {terms[-1]} but only {len(terms)} occur: number them consecutively in time"
        )


def _described(cells: Cells, first_treated: Ints, imputation: Imputation, claims: Claims) -> Described:
    event = event_times(cells, first_treated)
    found = Described(
        n=_counts(cells, event < 0, imputation, claims),
        treated_schools=distinct(cells.cluster[imputation.used]),
        comparison_sd=comparison_sd(cells.take(event < 0)),
        treated=side_of(cells.take(event >= 0)),
        untreated=side_of(cells.take(event < 0)),
        reasons=(),
    )
    return replace(found, reasons=_reasons(found, bool((event >= 0).any()), bool((event < 0).any()), imputation))


def _counts(cells: Cells, is_untreated: np.ndarray, imputation: Imputation, claims: Claims) -> Size:
    """After what had to be left out; `schools` are all that there are, `clusters` those that take part in the estimate."""
    inside = imputation.used | is_untreated
    results, treated = cells.n[inside], distinct(cells.teacher[imputation.used])
    teachers = distinct(cells.teacher[inside])
    return Size(
        students=claims.students or int(np.bincount(cells.term[inside], results, minlength=1).max()),
        teachers=teachers,
        schools=distinct(cells.cluster),
        clusters=distinct(cells.cluster[inside]),
        results=int(results.sum()),
        treated_teachers=treated,
        comparison_teachers=teachers - treated,
        terms=distinct(cells.term),
    )


def _reasons(found: Described, has_treated: bool, has_untreated: bool, made: Imputation) -> tuple[Sentence, ...]:
    """Why these data allow no estimate, the plainest reason first."""
    if not has_treated:
        return (say("nobody_took_part"),)
    if not has_untreated:
        return (say("no_comparison"),)
    said, n = [], found.n
    if n.terms < LEAST_TERMS:
        said.append(say("too_few_terms", terms=n.terms, limit=LEAST_TERMS))
    if made.overall is None:
        said.append(say("no_counterfactual"))
    elif n.treated_teachers < LEAST_TREATED_TEACHERS:
        said.append(say("too_few_treated", teachers=n.treated_teachers, limit=LEAST_TREATED_TEACHERS))
    if made.overall is not None and made.overall.size.results < gates.LEAST_STUDENTS:
        said.append(say("too_few_results", results=made.overall.size.results, limit=gates.LEAST_STUDENTS))
    if found.untreated.mean is None:
        said.append(say("too_few_compared", teachers=found.untreated.teachers, limit=gates.LEAST_TEACHERS))
    if not _has_spread(found):
        said.append(say("no_spread"))
    return tuple(said)


def _has_spread(found: Described) -> bool:
    scale = max(abs(found.untreated.mean or 0.0), abs(found.treated.mean or 0.0), 1e-300)
    return found.comparison_sd is not None and found.comparison_sd > 1e-9 * scale


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
