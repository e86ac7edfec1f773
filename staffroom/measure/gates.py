"""Gates: each is computed, shown, and can only lower the tier of evidence.

Tiers follow the Every Student Succeeds Act (ESSA, section 8101(21)) and the Department of Education's guidance of 2016:
1 strong, 2 moderate, 3 promising, 4 demonstrates a rationale. A gate names the best tier that it leaves possible.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from staffroom.measure.pretrends import PreTrends
from staffroom.measure.sentence import Sentence, say

LEAST_STUDENTS, LEAST_TEACHERS = 10, 3
MANY_CLUSTERS, FEW_CLUSTERS = 20, 6
ESSA_STUDENTS, ESSA_SITES = 350, 2
ENOUGH_POWER = 0.80
ALIKE, ADJUSTABLE = 0.05, 0.25
"""Differences before the activity, in SD: up to the first they do not matter, up to the second they can be adjusted."""
FEWEST_REJECTED, MOST_REJECTED = 0.03, 0.07
MOST_UNEVEN = 0.10
"""Difference of the shares that both sides may lose."""
HOLDS, FRAGILE = 1.0, 0.5
"""Breakdown values: drift after taking part as large as any before it, and half of that."""

STRONG, MODERATE, PROMISING, RATIONALE = 1, 2, 3, 4


@dataclass(frozen=True, slots=True)
class Gate:
    """One check with its figures; `ceiling` is the best tier that it leaves possible."""

    name: str
    passed: bool
    value: float | None
    limit: float | None
    sentence: Sentence
    ceiling: int = STRONG


def tier(start: int, gates: Iterable[Gate]) -> int:
    """The tier that the design allows at best (1..4), lowered by the gates; never raised."""
    return max([start, *(gate.ceiling for gate in gates)])


def registration_gate(registered: bool) -> Gate:
    """Whether question, activity, outcome, estimator and subgroups were registered before outcomes were loaded."""
    sentence = say("registered") if registered else say("not_registered")
    return Gate("registered", registered, float(registered), 1.0, sentence, STRONG if registered else PROMISING)


def enough_to_show(students: int, teachers: int) -> bool:
    """The minimum cell: at least 10 students and 3 teachers behind any number."""
    return students >= LEAST_STUDENTS and teachers >= LEAST_TEACHERS


def minimum_cell_gate(students: int, teachers: int) -> Gate:
    """The smaller side's students and teachers against the minimum cell."""
    passed = enough_to_show(students, teachers)
    sentence = say("cells_enough" if passed else "cells_few", students=students, teachers=teachers)
    return Gate("minimum_cell", passed, float(students), float(LEAST_STUDENTS), sentence, _lower(passed, RATIONALE))


def allows_interval(clusters: int, treated_clusters: int) -> bool:
    """Below 6 clusters, or with a single treated one, neither p-value nor interval is claimed."""
    return clusters >= FEW_CLUSTERS and treated_clusters >= 2


def cluster_gate(clusters: int, treated_clusters: int, *, bootstrapped: bool = False) -> Gate:
    """At least 20 clusters, 6 of them treated; `bootstrapped` if p and interval are from a wild cluster bootstrap.

    Cameron & Miller (2015, Journal of Human Resources 50(2)) on few, and MacKinnon & Webb (2017) on few treated clusters.
    """
    if not allows_interval(clusters, treated_clusters):
        sentence, ceiling = say("clusters_few", clusters=clusters, treated=treated_clusters), RATIONALE
    elif bootstrapped and treated_clusters >= FEW_CLUSTERS:
        message = "clusters_bootstrap" if clusters < MANY_CLUSTERS else "clusters_uneven"
        sentence, ceiling = say(message, clusters=clusters), MODERATE
    elif treated_clusters < FEW_CLUSTERS:
        sentence, ceiling = say("clusters_treated", clusters=clusters, treated=treated_clusters), PROMISING
    elif clusters < MANY_CLUSTERS:
        sentence, ceiling = say("clusters_approximate", clusters=clusters), PROMISING
    else:
        sentence, ceiling = say("clusters_many", clusters=clusters, df=clusters - 1), STRONG
    return Gate("clusters", ceiling == STRONG, float(clusters), float(MANY_CLUSTERS), sentence, ceiling)


def units_gate(units: int, treated_units: int, *, redrawn: bool) -> Gate:
    """As `cluster_gate`, for what lots were drawn from; `redrawn` if p and interval are from redrawing the lots.

    That test is exact for any number of units (Fisher 1935), so that few of them lower no tier.
    """
    if not allows_interval(units, min(treated_units, units - treated_units)):
        sentence, ceiling = say("drawn_too_few", units=units, treated=treated_units), RATIONALE
    elif units >= MANY_CLUSTERS or redrawn:
        sentence, ceiling = say("drawn_many" if units >= MANY_CLUSTERS else "drawn_few", units=units), STRONG
    else:
        sentence, ceiling = say("drawn_approximate", units=units), PROMISING
    return Gate("clusters", ceiling == STRONG, float(units), float(MANY_CLUSTERS), sentence, ceiling)


def pre_trend_gate(test: PreTrends | None) -> Gate:
    """Passed only by a test that saw no drift and had the power to see one; an absent or weak test does not pass."""
    if test is None or math.isnan(test.power):
        return Gate("pre_trends", False, None, ENOUGH_POWER, say("drift_untested"), PROMISING)
    if test.p < 0.05:
        return Gate("pre_trends", False, test.p, 0.05, say("drift_seen", p=test.p), PROMISING)
    passed = test.power >= ENOUGH_POWER
    sentence = say("drift_unseen" if passed else "drift_weak_test", p=test.p, power=test.power)
    return Gate("pre_trends", passed, test.power, ENOUGH_POWER, sentence, _lower(passed, PROMISING))


def sample_gate(students: int | None, schools: int) -> Gate:
    """Tiers 1 and 2 ask for 350 students and two sites (Department of Education, non-regulatory guidance, 2016)."""
    if students is None:
        unknown = say("sample_unknown", limit=ESSA_STUDENTS)
        return Gate("sample", False, None, float(ESSA_STUDENTS), unknown, PROMISING)
    passed = students >= ESSA_STUDENTS and schools >= ESSA_SITES
    sentence = (
        say("sample_enough", students=students, schools=schools)
        if passed
        else say("sample_small", students=students, schools=schools, limit=ESSA_STUDENTS)
    )
    return Gate("sample", passed, float(students), float(ESSA_STUDENTS), sentence, _lower(passed, PROMISING))


def significance_gate(low: float | None, *, strictly: bool = True) -> Gate:
    """Tiers 1 to 3 ask for a statistically significant favorable effect: the interval's low end (SD) is above zero.

    `strictly`: whether it would be at 95 % too, where the interval claims less than that.
    """
    above = low is not None and low > 0
    passed = above and strictly
    sentence = say("separates" if passed else "separates_at_less" if above else "does_not_separate")
    return Gate("separates_from_zero", passed, low, 0.0, sentence, _lower(passed, RATIONALE))


def power_gate(detectable: float | None, smallest: float) -> Gate:
    """The minimum detectable effect beside the smallest that would matter, both in SD; lowers nothing by itself."""
    if detectable is None:
        return Gate("minimum_detectable_effect", False, None, smallest, say("detectable_unknown"))
    passed = detectable <= smallest
    sentence = say("detectable" if passed else "not_detectable", detectable=detectable, smallest=smallest)
    return Gate("minimum_detectable_effect", passed, detectable, smallest, sentence)


def equivalence(g: float) -> str:
    """'ok', 'adjusted' (only with the covariate in the analysis) or 'fails' (WWC Handbook 5.0)."""
    return "ok" if abs(g) <= ALIKE else "adjusted" if abs(g) <= ADJUSTABLE else "fails"


def baseline_gate(g: float | None, *, drawn: bool = False) -> Gate:
    """The largest difference in SD of what was known before; where chance decided it lowers a tier only if it is large.

    Up to 0.05 SD groups count as alike, up to 0.25 the analysis must adjust, which all of ours do (WWC Handbook 5.0).
    """
    if g is None:
        sentence = say("baseline_unknown")
        return Gate("baseline_equivalence", False, None, ADJUSTABLE, sentence, STRONG if drawn else PROMISING)
    passed = equivalence(g) != "fails"
    sentence = say("baseline_" + equivalence(g), g=abs(g))
    return Gate(
        "baseline_equivalence", passed, g, ADJUSTABLE, sentence, _lower(passed, MODERATE if drawn else PROMISING)
    )


def attrition_gate(overall: float | None, differential: float | None) -> Gate:
    """How many of those there at the start have no outcomes, and how many more of them on one side.

    The boundary of the What Works Clearinghouse is not encoded. In its stead: if those who are lost differ from those
    who stay by half an SD, an uneven loss must not move the effect by more than 0.05 SD, which is 10 in 100.
    """
    if overall is None or differential is None:
        return Gate("attrition", False, None, MOST_UNEVEN, say("attrition_unknown"))
    passed = abs(differential) <= MOST_UNEVEN
    message = "attrition_even" if passed else "attrition_uneven"
    sentence = say(message, overall=100 * overall, uneven=100 * abs(differential))
    return Gate("attrition", passed, differential, MOST_UNEVEN, sentence, _lower(passed, PROMISING))


def composition_gate(sd: float | None, low: float | None, high: float | None) -> Gate:
    """The score from before, taken as an outcome, must not differ: then the groups did not change in who is in them.

    Effect and interval on the prior score in SD; None where there is no such score or no interval.
    """
    if sd is None or low is None or high is None:
        return Gate("composition", False, sd, ALIKE, say("composition_untested"))
    seen = (low > 0 or high < 0) and abs(sd) > ALIKE
    passed = not seen and max(abs(low), abs(high)) <= ADJUSTABLE
    message = "composition_shifted" if seen else ("composition_alike" if passed else "composition_weak_test")
    return Gate("composition", passed, sd, ALIKE, say(message, size=sd, low=low, high=high), _lower(passed, PROMISING))


def calibration_gate(rejected: float | None, draws: int) -> Gate:
    """Share of random fake activities on the same data that were taken for real ones; more than 7 in 100 are too many."""
    if rejected is None or draws < 1:
        return Gate("calibration", False, None, MOST_REJECTED, say("calibration_unknown"))
    passed = FEWEST_REJECTED <= rejected <= MOST_REJECTED
    often = rejected > MOST_REJECTED
    message = "calibrated" if passed else ("rejects_too_often" if often else "rejects_too_seldom")
    sentence = say(message, share=100 * rejected, draws=draws)
    return Gate("calibration", passed, rejected, MOST_REJECTED, sentence, PROMISING if often else STRONG)


def multiplicity_gate(adjusted: float | None, questions: int, level: float) -> Gate:
    """p-value adjusted for all questions asked of the same data (Benjamini & Hochberg 1995)."""
    if questions < 2:
        return Gate("multiplicity", True, adjusted, level, say("one_question"))
    if adjusted is None:
        return Gate("multiplicity", False, None, level, say("many_questions_untested", questions=questions))
    passed = adjusted <= level
    sentence = say("many_questions_hold" if passed else "many_questions_fail", questions=questions, p=adjusted)
    return Gate("multiplicity", passed, adjusted, level, sentence, _lower(passed, RATIONALE))


def sensitivity_gate(breakdown: float | None) -> Gate:
    """How much drift after taking part, beside the largest seen before it, the finding stands (Rambachan & Roth 2023).

    It stands in the sentence; it lowers the tier where nothing is left even if trends do not fail at all.
    """
    if breakdown is None:
        return Gate("sensitivity", False, None, HOLDS, say("sensitivity_unknown"))
    passed = breakdown >= HOLDS
    sentence = say("sensitivity", breakdown=min(breakdown, 99.0))
    return Gate("sensitivity", passed, breakdown, HOLDS, sentence, STRONG if breakdown > 0 else PROMISING)


def _lower(passed: bool, ceiling: int) -> int:
    return STRONG if passed else ceiling
