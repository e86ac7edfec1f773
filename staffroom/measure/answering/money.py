"""What it takes: effect for ten hours of a teacher, cost by the ingredients method, effect for money."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from staffroom.measure import costs as ingredients
from staffroom.measure.acceptability import curve
from staffroom.measure.answer import CostOf, Efficiency, Ratio
from staffroom.measure.answering.estimate import Estimate
from staffroom.measure.cells import Bools, Cells, Floats
from staffroom.measure.deciding import first_terms
from staffroom.measure.effects import NORMAL, fieller
from staffroom.measure.gates import LEAST_TEACHERS, enough_to_show
from staffroom.measure.question import CostLine, Costs, Question
from staffroom.measure.staggered import event_times

HOURS = 10
DOLLARS = 100_000
"""US cents in $1,000."""
WILLINGNESS_USD_CENTS = tuple(
    100 * dollars for dollars in (0, 250, 500, 1000, 2000, 3000, 5000, 10_000, 20_000, 50_000, 100_000)
)
"""What an SD for a student may be worth at most, for the curve of acceptability."""
POINTS = 60
"""Of the ellipse on the cost plane."""
COMPARABLE = ("randomized", "cutoff", "imputation", "callaway_santanna", "etwfe", "twfe", "entropy_balanced")
"""Estimators whose effect is one of taking part, which hours and costs can be held against."""


def efficiency(question: Question, estimate: Estimate) -> Efficiency:
    """SD for ten hours, with Fieller's set; effect and hours may go together within schools."""
    if question.hours is None or question.cells is None:
        return Efficiency(reason="efficiency_no_hours")
    if estimate.estimator not in COMPARABLE or estimate.effect is None or estimate.effect.sd is None:
        return Efficiency(reason="efficiency_no_effect")
    if question.students is not None:
        return Efficiency(reason="efficiency_students")
    known = took_part(question) & np.isfinite(question.hours.by_teacher)
    teachers = int(known.sum())
    if teachers < LEAST_TEACHERS:
        return Efficiency(reason="efficiency_too_few", teachers=teachers)
    hours = question.hours.by_teacher
    mean = float(hours[known].mean())
    if not mean > 0:
        return Efficiency(reason="efficiency_no_hours", teachers=teachers)
    ratio = over(question.cells, estimate, hours / HOURS, known)
    return Efficiency(known=True, sd_per_10_hours=ratio, hours_per_teacher=mean, teachers=teachers)


def took_part(question: Question) -> Bools:
    """(I,) teachers with results while they took part, or who were drawn."""
    assert question.cells is not None
    if question.lottery is not None:
        return np.asarray(question.lottery.assigned == 1)
    taking = event_times(question.cells, first_terms(question)) >= 0
    return np.asarray(np.bincount(question.cells.teacher[taking], minlength=len(question.cells.teachers)) > 0)


def over(cells: Cells, estimate: Estimate, value: Floats, known: Bools) -> Ratio:
    """The effect in SD over the mean of `value` (I,) among teachers `known` (I,), both uncertain by cluster."""
    assert estimate.effect is not None
    mean, error, covariance = moments(cells, estimate, value, known)
    return ratio_of(estimate, mean, error, covariance)


def moments(cells: Cells, estimate: Estimate, value: Floats, known: Bools) -> tuple[float, float, float]:
    """Mean of `value` (I,) among teachers `known` (I,), its error by cluster, and its covariance with the effect in SD."""
    mean = float(value[known].mean())
    off = np.where(known, value - mean, 0.0) / known.sum()
    scores = np.bincount(cells.cluster_of, off, minlength=len(cells.clusters))
    places = len(np.unique(cells.cluster_of[known]))
    factor = places / (places - 1) if places > 1 else 1.0
    error = math.sqrt(factor * float(scores @ scores))
    covariance = 0.0
    if estimate.scores is not None and np.isfinite(estimate.scores).all():
        covariance = float(estimate.scores @ scores)
    return mean, error, covariance


def ratio_of(estimate: Estimate, denominator: float, error: float, covariance: float) -> Ratio:
    """With the quantile that the effect's own interval has; only the ratio where no interval is claimed."""
    effect = estimate.effect
    assert effect is not None
    assert effect.sd is not None
    if effect.se is None or effect.low is None or effect.high is None or not effect.se > 0:
        return Ratio(value=effect.sd / denominator)
    most = effect.se * error
    covariance = max(-most, min(most, covariance))
    quantile = max((effect.high - effect.low) / 2 / effect.se, NORMAL.inv_cdf(0.75))
    found = fieller(effect.sd, denominator, effect.se, error, covariance=covariance, quantile=quantile)
    return Ratio(found.ratio, found.low, found.high, found.shape, "Fieller")


def cost_of(question: Question, estimate: Estimate) -> CostOf:
    """Ingredients or totals, per head, and the effect for money."""
    costs = question.costs
    if costs is None or question.cells is None or not (costs.lines or costs.total_usd_cents is not None):
        return CostOf(reason="cost_unknown")
    teachers, students = heads(question, costs)
    if not enough_to_show(students, teachers):
        return CostOf(reason="cost_too_few")
    summed = _summed(costs)
    net = summed["total"] - summed["usual"]
    per_student = ingredients.share_usd_cents(net, students)
    spread = spread_of_cost(question, estimate, net, students)
    return CostOf(
        known=True,
        total_usd_cents=summed["total"],
        business_as_usual_usd_cents=summed["usual"],
        per_teacher_usd_cents=ingredients.share_usd_cents(net, teachers),
        per_student_usd_cents=per_student,
        marginal_teacher_usd_cents=_marginal(costs, teachers),
        opportunity_usd_cents=summed["opportunity"],
        teachers=teachers,
        students=students,
        price_year=costs.price_year,
        by_payer=summed["by_payer"],
        by_ingredient=summed["by_ingredient"],
        sd_per_1000_usd=_for_money(estimate, net, students, spread),
        acceptability=_acceptability(estimate, net / students, spread),
        **_plane(estimate, net / students, spread, question.settled.confidence),
    )


def heads(question: Question, costs: Costs) -> tuple[int, int]:
    """Teachers and students that the costs are divided by."""
    if question.students is not None:
        drawn = np.flatnonzero(question.students.lottery.assigned == 1)
        return question.students.teachers(drawn), costs.students or len(drawn)
    part = took_part(question)
    return int(part.sum()), costs.students or reached(question, part)


def reached(question: Question, part: Bools) -> int:
    """Students whom the teachers who took part teach at a time: the sum of their mean results per term."""
    cells = question.cells
    assert cells is not None
    taking = event_times(cells, first_terms(question)) >= 0
    chosen = taking & part[cells.teacher] if taking.any() else part[cells.teacher]
    results = np.bincount(cells.teacher[chosen], cells.n[chosen], minlength=len(cells.teachers))
    terms = np.bincount(cells.teacher[chosen], minlength=len(cells.teachers))
    return round(float((results[terms > 0] / terms[terms > 0]).sum()))


def _summed(costs: Costs) -> Mapping[str, Any]:
    if not costs.lines:
        return {
            "total": costs.total_usd_cents or 0,
            "usual": costs.business_as_usual_usd_cents,
            "opportunity": None,
            "by_payer": (),
            "by_ingredient": (),
        }
    spent = [line for line in costs.lines if not line.instead]
    usual = [line.ingredient for line in costs.lines if line.instead]
    found = ingredients.cost([line.ingredient for line in spent], instead_of=usual)
    return {
        "total": found.total_usd_cents,
        "usual": found.business_as_usual_usd_cents + costs.business_as_usual_usd_cents,
        "opportunity": sum(line.ingredient.yearly_usd_cents for line in spent if line.is_opportunity),
        "by_payer": found.by_payer,
        "by_ingredient": found.by_ingredient,
    }


def _marginal(costs: Costs, teachers: int) -> int | None:
    """Of what grows with teachers or their groups, beyond business as usual; None where that is not known."""
    if not costs.lines:
        grows = costs.growing_usd_cents
        return None if grows is None else ingredients.share_usd_cents(grows, teachers)
    grows = sum(
        (-1 if line.instead else 1) * line.ingredient.yearly_usd_cents
        for line in costs.lines
        if line.scales_with != "fixed"
    )
    return ingredients.share_usd_cents(grows, teachers)


def _for_money(estimate: Estimate, net: int, students: int, spread: tuple[float, float] | None) -> Ratio | None:
    """SD per $1,000 per student; None without an effect or where taking part costs nothing more."""
    effect = estimate.effect
    if estimate.estimator not in COMPARABLE or effect is None or effect.sd is None or net <= 0:
        return None
    error, covariance = spread or (0.0, 0.0)
    return ratio_of(estimate, net / students / DOLLARS, error / DOLLARS, covariance / DOLLARS)


def spread_of_cost(question: Question, estimate: Estimate, net: int, students: int) -> tuple[float, float] | None:
    """Error of the cost per student in cents, and its covariance with the effect in SD; None where the cost has no error."""
    assert question.costs is not None
    prices = math.sqrt(sum(_price_error(line) ** 2 for line in question.costs.lines)) / students
    each = question.costs.by_teacher_usd_cents
    if each is None or question.students is not None or question.cells is None:
        return (prices, 0.0) if prices > 0 else None
    known = took_part(question) & np.isfinite(each)
    if known.sum() < LEAST_TEACHERS or not each[known].mean() > 0:
        return (prices, 0.0) if prices > 0 else None
    # What varies from teacher to teacher is taken in proportion to the whole, so that both agree on the mean.
    part = each * (net / students / each[known].mean())
    _, error, covariance = moments(question.cells, estimate, part, known)
    return math.hypot(error, prices), covariance


def _price_error(line: CostLine) -> float:
    """Of one ingredient's yearly cost, in cents: its range of prices holds 95 in 100."""
    price = line.ingredient.unit_price_usd_cents
    if line.price_range is None or not price:
        return 0.0
    low, high = line.price_range
    return line.ingredient.yearly_usd_cents / price * (high - low) / (2 * NORMAL.inv_cdf(0.975))


def _plane(
    estimate: Estimate, per_student: float, spread: tuple[float, float] | None, confidence: float
) -> dict[str, Any]:
    """The cost plane: error of the cost, and the ellipse that holds effect and cost together (joint normal)."""
    effect = estimate.effect
    if spread is None:
        return {}
    if effect is None or effect.sd is None or effect.se is None or estimate.estimator not in COMPARABLE:
        return {"per_student_se_usd_cents": spread[0]}
    error, covariance = spread
    correlation = max(-1.0, min(1.0, covariance / (effect.se * error))) if effect.se > 0 else 0.0
    reach, angle = math.sqrt(-2 * math.log(1 - confidence)), np.linspace(0, 2 * math.pi, POINTS, endpoint=False)
    cost = per_student + reach * error * np.cos(angle)
    up = correlation * np.cos(angle) + math.sqrt(1 - correlation**2) * np.sin(angle)
    points = tuple(zip(cost.tolist(), (effect.sd + reach * effect.se * up).tolist(), strict=True))
    return {"per_student_se_usd_cents": error, "correlation": correlation, "region": points}


def _acceptability(
    estimate: Estimate, per_student: float, spread: tuple[float, float] | None
) -> tuple[tuple[int, float], ...]:
    effect = estimate.effect
    if estimate.estimator not in COMPARABLE or effect is None or effect.sd is None or effect.se is None:
        return ()
    error, covariance = spread or (0.0, 0.0)
    covariance = max(-effect.se * error, min(effect.se * error, covariance))
    found = curve(effect.sd, effect.se, per_student, error, WILLINGNESS_USD_CENTS, covariance=covariance)
    return tuple(zip(WILLINGNESS_USD_CENTS, found.probability.tolist(), strict=True))
