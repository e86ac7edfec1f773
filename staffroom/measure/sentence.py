"""Plain sentences about results: a message id, its numbers, and English text.

A page translates with `gettext(MESSAGES[sentence.message]) % sentence.values`; `str(sentence)` is the English one.
No sentence claims an effect that its interval does not, and none says "does not work" where the answer is "cannot tell".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from staffroom.measure.effects import improvement_index, teachers_needed
from staffroom.measure.mechanism_messages import PRACTICE
from staffroom.measure.messages import ANSWERS
from staffroom.measure.singular import ONE

MESSAGES: Mapping[str, str] = MappingProxyType(
    {
        # headline
        "higher": "Students whose teachers took part scored %(size).2f SD higher (likely between %(low).2f and "
        "%(high).2f): a student in the middle would move from the 50th to the %(ordinal)s percentile.",
        "lower": "Students whose teachers took part scored %(size).2f SD lower (likely between %(low).2f and "
        "%(high).2f lower): a student in the middle would move from the 50th to the %(ordinal)s percentile.",
        "small": "Any effect is likely small: between %(low).2f and %(high).2f SD, less than the %(smallest).2f SD "
        "that would matter.",
        "cannot_tell": "We cannot tell yet: the effect is likely between %(low).2f and %(high).2f SD. That is not "
        "“does not work”: with this many schools an effect would have to be about %(detectable).2f SD to be "
        "seen reliably.",
        "not_enough_yet": "Not enough yet: about %(more)d more teachers taking part, with as many more to compare in "
        "proportion, would show an effect of %(smallest).2f SD.",
        "no_interval": "In %(schools)d schools students whose teachers took part scored %(size).2f SD %(direction)s; "
        "so few schools do not let us say how sure that is.",
        "exploratory": "This question was not registered before the outcomes were loaded: take it as exploratory.",
        # reasons for describing only
        "nobody_took_part": "Nobody took part in the terms with outcomes, so there is nothing to compare.",
        "no_comparison": "Everybody took part in every term with outcomes, so there is nothing to compare with.",
        "too_few_terms": "There are outcomes of %(terms)d terms; a comparison over time needs at least %(limit)d.",
        "too_few_treated": "%(teachers)d teachers who took part can be compared with their own earlier terms; fewer "
        "than %(limit)d are too few to say.",
        "too_few_compared": "%(teachers)d teachers can serve as comparison; fewer than %(limit)d are too few to say.",
        "too_few_results": "%(results)d results stand behind this; fewer than %(limit)d are too few to show.",
        "no_counterfactual": "No term lets us say what students of those who took part would have scored otherwise.",
        "no_spread": "All results without taking part are the same, so an effect has no scale.",
        # warnings
        "always_treated": "%(teachers)d teachers took part from their first term on and are left out: nothing shows "
        "what their students scored before.",
        "unmatched": "%(cells)d teacher terms are left out: nobody comparable was without the activity then.",
        "moved": "%(teachers)d teachers taught in more than one school; they count to the one with most of their "
        "results.",
        "covariate_dropped": "%(name)s is left out: it does not vary apart from teachers, terms and the other "
        "covariates.",
        "no_error": "The results leave no residual variation, so no interval can be given.",
        "few_treated_schools": "Only %(schools)d schools have teachers who took part; intervals may be too narrow.",
        "hidden": "%(rows)d lines are hidden because too few students or teachers stand behind them.",
        # gates
        "registered": "The question was registered before the outcomes were loaded.",
        "not_registered": "The question was not registered before the outcomes were loaded: exploratory.",
        "cells_enough": "At least %(students)d results and %(teachers)d teachers stand on either side.",
        "cells_few": "Only %(students)d results and %(teachers)d teachers stand on one side.",
        "clusters_many": "%(clusters)d schools: errors clustered by school, t with %(df)d degrees of freedom.",
        "clusters_bootstrap": "%(clusters)d schools are few: p-value and interval are the more cautious of "
        "Student's t and a wild cluster bootstrap.",
        "clusters_uneven": "%(clusters)d schools of very different size tell no more than a few: p-value and interval are "
        "the more cautious of Student's t and a wild cluster bootstrap.",
        "clusters_approximate": "%(clusters)d schools are few: the interval is approximate.",
        "clusters_treated": "Only %(treated)d of %(clusters)d schools have teachers who took part: the interval is "
        "approximate.",
        "clusters_few": "%(clusters)d schools, %(treated)d with teachers who took part: too few for a p-value or an "
        "interval.",
        "drift_unseen": "Before taking part no drift was seen (p = %(p).2f), and the test would have caught, with "
        "probability %(power).2f, a drift that alone makes an effect as large as this one, or as the smallest that would "
        "matter if that is larger.",
        "drift_weak_test": "Before taking part no drift was seen (p = %(p).2f), but only with probability "
        "%(power).2f would the test have caught a drift that alone makes an effect as large as this one, or as the "
        "smallest that would matter if that is larger.",
        "drift_seen": "Before taking part the groups already drifted apart (p = %(p).3f).",
        "drift_untested": "Too few terms or schools before taking part to test whether the groups already drifted.",
        "sample_enough": "%(students)d students in %(schools)d schools.",
        "sample_unknown": "How many students the teachers taught is not known; the evidence standards ask for at least "
        "%(limit)d students and 2 sites.",
        "sample_small": "%(students)d students in %(schools)d schools; the evidence standards ask for at least "
        "%(limit)d students and 2 sites.",
        "separates": "The interval excludes zero on the favorable side.",
        "separates_at_less": "The interval excludes zero only because it claims less than 95 %%.",
        "does_not_separate": "The interval does not exclude zero on the favorable side.",
        "detectable": "An effect of %(detectable).2f SD could be seen reliably; %(smallest).2f SD would matter.",
        "not_detectable": "Only an effect of %(detectable).2f SD could be seen reliably; %(smallest).2f SD would "
        "matter already.",
        "detectable_unknown": "Which effect could be seen reliably is not known.",
        **ANSWERS,
        **PRACTICE,
    }
)


@dataclass(frozen=True, slots=True)
class Sentence:
    """A key of MESSAGES and the numbers that it speaks of."""

    message: str
    values: Mapping[str, int | float | str]

    @property
    def text(self) -> str:
        """In English."""
        counting, one = ONE.get(self.message, ("", ""))
        return (one if self.values.get(counting) == 1 else MESSAGES[self.message]) % self.values

    def __str__(self) -> str:
        return self.text


def say(message: str, **values: int | float | str) -> Sentence:
    """The sentence with these numbers; KeyError for an unknown message or a number that it lacks."""
    sentence = Sentence(message, MappingProxyType(values))
    if not sentence.text:
        raise KeyError(message)
    return sentence


def ordinal(number: int) -> str:
    """English: 1st, 2nd, 3rd, 11th, 55th."""
    suffix = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{suffix}"


def headline(
    *,
    effect: float,
    low: float | None,
    high: float | None,
    schools: int,
    detectable: float | None,
    smallest: float,
    treated_teachers: int,
    students: int | None = None,
) -> tuple[Sentence, ...]:
    """What to say of an effect in SD with its interval; low and high are None where no interval is claimed.

    `smallest` is the effect in SD that would matter; `detectable` the minimum detectable effect. `students`: how many were
    drawn, where students and not teachers were.
    """
    of, number = ("", treated_teachers) if students is None else ("students_", students)
    if low is None or high is None or detectable is None:
        direction = "higher" if effect >= 0 else "lower"
        return (say(of + "no_interval", schools=schools, size=abs(effect), direction=direction),)
    if low > 0 or high < 0:
        return (_separated(of, effect, low, high),)
    if max(-low, high) < smallest:
        return (say("small", low=low, high=high, smallest=smallest),)
    unsure = say(of + "cannot_tell", low=low, high=high, detectable=detectable)
    more = teachers_needed(number, detectable, smallest) - number
    return (unsure,) if more <= 0 else (unsure, say(of + "not_enough_yet", more=more, smallest=smallest))


def _separated(of: str, effect: float, low: float, high: float) -> Sentence:
    percentile = min(99, max(1, round(50 + improvement_index(effect))))
    ends = (low, high) if low > 0 else (-high, -low)
    return say(
        of + ("higher" if low > 0 else "lower"),
        size=abs(effect),
        low=ends[0],
        high=ends[1],
        percentile=percentile,
        ordinal=ordinal(percentile),
    )
