"""Does it hold elsewhere, and as it spreads: effects by site or cohort, and by wave of adoption."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from staffroom.measure.answer import Effect, Line, Replicability, Scalability, Size
from staffroom.measure.answering.estimate import Places, Scale, emptied
from staffroom.measure.cells import Floats, Ints
from staffroom.measure.deciding import first_terms
from staffroom.measure.gates import FEW_CLUSTERS, enough_to_show
from staffroom.measure.pooling import Pooled, evened, pool
from staffroom.measure.question import NEVER, Question
from staffroom.measure.sites import SiteEffects
from staffroom.measure.staggered import Average
from staffroom.measure.suppression import complement
from staffroom.measure.waves import Waves, scalability

LEAST_SITES = 3


def of_sites(found: SiteEffects) -> Places:
    """Sites as places."""
    sizes = tuple(
        Size(int(students), int(treated + others), 1, 1, int(results), int(treated), int(others))
        for students, results, treated, others in zip(
            found.students, found.results, found.treated_teachers, found.comparison_teachers, strict=True
        )
    )
    labels = tuple(found.labels.tolist())
    return Places("site", labels, found.effect, found.standard_error, found.df, sizes, own=found.own)


def of_averages(by: str, labels: Sequence[Any], averages: Sequence[Average], scores: Floats, df: int) -> Places:
    """Averages of one estimate with their scores (G, Q): they share a counterfactual, so errors go together."""
    errors = np.array([one.standard_error for one in averages])
    kept: list[int] = np.flatnonzero(np.isfinite(errors) & (errors > 0)).tolist()
    sizes = tuple(
        Size(
            one.size.students,
            one.size.teachers,
            one.size.clusters,
            one.size.clusters,
            one.size.results,
            one.size.teachers,
        )
        for one in (averages[place] for place in kept)
    )
    chosen = scores[:, kept]
    effect = np.array([averages[place].effect for place in kept])
    names = tuple(labels[place] for place in kept)
    return Places(by, names, effect, errors[kept], np.full(len(kept), float(df)), sizes, chosen.T @ chosen)


def replicability(candidates: Sequence[Places], scale: Scale | None, *, clusters: int) -> Replicability:
    """By the first of the candidates with at least three places; else why it is not known."""
    if scale is None or not candidates:
        return Replicability(reason="replicability_no_effects")
    places = next((one for one in candidates if len(one.labels) >= LEAST_SITES), None)
    if places is None:
        most = max(candidates, key=lambda one: len(one.labels))
        return Replicability(reason="replicability_too_few", by=most.by, sites=len(most.labels))
    joint = None if places.covariance is None else evened(places.covariance / scale.sd**2)
    found = pool(
        places.effect / scale.sd, places.standard_error / scale.sd, covariance=joint, confidence=scale.confidence
    )
    # Sites show how sure one may be where there are enough; below six clusters no p-value is claimed by any way.
    p = found.p if clusters >= FEW_CLUSTERS else None
    pooled = replace(
        Scale(scale.sd, scale.confidence).with_interval(
            found.effect * scale.sd,
            found.standard_error * scale.sd,
            found.df,
            found.low,
            found.high,
            found.p,
            method="REML, Knapp-Hartung",
        ),
        p=p,
    )
    lines = _lines(places, found, scale)
    return Replicability(
        known=True,
        by=places.by,
        sites=len(places.labels),
        pooled=pooled,
        prediction_low=found.cautious_low,
        prediction_high=found.cautious_high,
        probability_positive=found.cautious_positive,
        tau=found.tau,
        tau_low=found.tau_low,
        tau_high=found.tau_high,
        i2=found.i2,
        q=found.q,
        q_p=found.q_p,
        leave_one_out_low=float(np.min(found.leave_one_out)),
        leave_one_out_high=float(np.max(found.leave_one_out)),
        replications=_replications(places, scale),
        by_site=lines,
    )


def _replications(places: Places, scale: Scale) -> int:
    sure = Scale(scale.sd, scale.confidence)
    effects = (
        sure.effect(float(raw), float(se), float(df))
        for raw, se, df in zip(places.effect, places.standard_error, places.df, strict=True)
    )
    return sum(one.low is not None and one.low > 0 for one in effects)


def _lines(places: Places, found: Pooled, scale: Scale) -> tuple[Line, ...]:
    """One line per place; those that too few stand behind are hidden, never exactly one."""
    small = np.array([
        not enough_to_show(one.results, min(one.treated_teachers, one.comparison_teachers or one.treated_teachers))
        for one in places.sizes
    ])  # fmt: skip
    hidden = complement(small, np.array([one.results for one in places.sizes]))
    sure = Scale(scale.sd, scale.confidence)
    lines = []
    for place, label in enumerate(places.labels):
        raw, error = float(places.effect[place]), float(places.standard_error[place])
        own = places.own is None or bool(places.own[place])
        method = "within site" if own and places.by == "site" else "counterfactual of all"
        line = Line(
            sure.effect(raw, error, float(places.df[place]), method=method),
            places.sizes[place],
            group=label,
            shrunken=_normal(float(found.shrunken[place]), float(found.shrunken_se[place]), sure),
            leave_one_out=_known(found.leave_one_out[place]),
        )
        lines.append(emptied(line) if hidden[place] else line)
    return tuple(lines)


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _normal(sd: float, se: float, scale: Scale) -> Effect:
    return scale.effect(sd * scale.sd, se * scale.sd, None, method="empirical Bayes")


def spread(question: Question, places: Places | None, scale: Scale | None) -> Scalability:
    """Effect and marginal cost by wave; the waves' effects come with their joint covariance."""
    if places is None or scale is None or not scale.sure or len(places.labels) < 2:
        return Scalability(reason="scalability_one_wave")
    teachers = np.cumsum([float(one.treated_teachers) for one in places.sizes])
    costs, hours = _costs(question, places.labels), _hours(question, places.labels)
    planned = question.hours.planned if question.hours is not None else None
    found = scalability(
        places.effect / scale.sd,
        places.standard_error / scale.sd,
        teachers,
        covariance=None if places.covariance is None else places.covariance / scale.sd**2,
        costs=costs,
        hours_delivered=hours,
        hours_planned=planned if hours is not None else None,
        confidence=scale.confidence,
    )
    return Scalability(
        known=True,
        slope=Effect(
            raw=found.slope * scale.sd,
            sd=found.slope,
            se=found.slope_se,
            low=found.slope_low,
            high=found.slope_high,
            p=found.slope_p,
            df=found.slope_df,
            method=found.method,
        ),
        last_over_first=found.last_over_first.ratio,
        ratio_low=found.last_over_first.low,
        ratio_high=found.last_over_first.high,
        ratio_shape=found.last_over_first.shape,
        dose_delivered=found.dose_overall,
        by_wave=_by_wave(places, found, scale),
    )


def _by_wave(places: Places, found: Waves, scale: Scale) -> tuple[dict[str, Any], ...]:
    return tuple(
        {
            "wave": place + 1,
            "term": label,
            "teachers": int(found.teachers[place]),
            "cumulative_teachers": int(found.cumulative_teachers[place]),
            "effect": scale.effect(
                float(places.effect[place]), float(places.standard_error[place]), float(places.df[place]), method="CR1"
            ),
            "marginal_cost_usd_cents": _cents(found.marginal_cost[place]),
            "dose_delivered": float(found.dose_delivered[place]),
            "n": places.sizes[place],
        }
        for place, label in enumerate(places.labels)
        if enough_to_show(places.sizes[place].results, places.sizes[place].teachers)
    )


def _cents(value: float) -> int | None:
    return round(float(value)) if np.isfinite(value) else None


def waves_of(question: Question, first_treated: Ints) -> Ints:
    """(I,) wave of each teacher: as told, or else the first term of taking part; NEVER for none."""
    if question.wave is None:
        return first_treated
    return np.asarray(np.where(first_treated == NEVER, NEVER, question.wave))


def _costs(question: Question, labels: Sequence[Any]) -> Floats | None:
    """Cents beyond business as usual per wave, if every wave has lines of its own."""
    if question.costs is None:
        return None
    spent = dict.fromkeys(labels, 0)
    seen = set()
    for line in question.costs.lines:
        if line.wave in spent:
            sign = -1 if line.instead else 1
            spent[line.wave] += sign * line.ingredient.yearly_usd_cents
            seen.add(line.wave)
    if len(seen) < len(labels):
        return None
    return np.array([max(float(spent[label]), 0.0) for label in labels])


def _hours(question: Question, labels: Sequence[Any]) -> Floats | None:
    """Mean hours of each wave's teachers, if known for some of every wave."""
    if question.hours is None or question.hours.planned is None or question.cells is None:
        return None
    wave: Ints = waves_of(question, first_terms(question))
    known = np.isfinite(question.hours.by_teacher)
    hours: list[Floats] = [question.hours.by_teacher[known & (wave == label)] for label in labels]
    return np.array([float(one.mean()) for one in hours]) if all(one.size > 0 for one in hours) else None
