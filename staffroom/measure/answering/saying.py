"""What an answer says first, in plain words."""

from staffroom.measure.answer import Effect, Replicability
from staffroom.measure.answering.estimate import Estimate
from staffroom.measure.question import Question
from staffroom.measure.sentence import Sentence, headline, say

OTHER_WORDS = {"dose": "went_with", "single_case": "ratings"}
DIFFERENT = 0.05
"""Probability of a Q as large by chance, below which places are taken to differ."""


def sentences(question: Question, estimate: Estimate, sites: Replicability) -> tuple[Sentence, ...]:
    """The finding, whether it holds everywhere, what would upset it, and how it is to be taken."""
    claims, effect = question.settled, estimate.effect
    if effect is None:
        return estimate.reasons[:1]
    first = _headline(question, estimate, effect) if effect.sd is not None else ()
    closing = () if claims.registered else (say("exploratory"),)
    return (*first, *estimate.said, *elsewhere(sites, separated=effect.low is not None and effect.low > 0), *closing)


def _headline(question: Question, estimate: Estimate, effect: Effect) -> tuple[Sentence, ...]:
    """Of scores and taking part; associations and ratings have words of their own where the interval excludes zero."""
    assert effect.sd is not None
    kind = OTHER_WORDS.get(estimate.estimator)
    low, high = effect.low, effect.high
    if kind is not None and low is not None and high is not None and (low > 0 or high < 0):
        ends = (low, high) if low > 0 else (-high, -low)
        direction = "higher" if low > 0 else "lower"
        return (say(f"{kind}_{direction}", size=abs(effect.sd), low=ends[0], high=ends[1]),)
    if kind is not None and low is not None and high is not None:
        return (say(f"{kind}_unclear", low=low, high=high),)
    students = None if question.students is None else estimate.n.clusters
    return headline(
        students=students if estimate.estimator == "randomized" else None,
        effect=effect.sd,
        low=low,
        high=high,
        schools=estimate.n.schools,
        detectable=estimate.mde,
        smallest=question.settled.smallest_effect,
        treated_teachers=estimate.n.treated_teachers,
    )


def elsewhere(sites: Replicability, *, separated: bool) -> tuple[Sentence, ...]:
    """Whether it holds from place to place.

    Places differ if Cochran's Q is beyond what chance makes in 19 of 20 such sets. If they do and the next one may well
    get nothing of it, it works in some and not in others; that it holds everywhere is said only of a finding whose next
    place is likely above zero.
    """
    low, high, q_p = sites.prediction_low, sites.prediction_high, sites.q_p
    if not sites.known or low is None or high is None or q_p is None or sites.tau is None:
        return ()
    numbers = {"tau": sites.tau, "low": low, "high": high, "sites": sites.sites}
    differ = q_p < DIFFERENT
    if differ and low <= 0 < high and _some_gain(sites):
        return (say(f"works_in_some_{sites.by}", **numbers),)
    if differ:
        return (say(f"differs_by_{sites.by}", **numbers),)
    return (say(f"holds_by_{sites.by}" if separated and low > 0 else f"next_{sites.by}", **numbers),)


def _some_gain(sites: Replicability) -> bool:
    """Whether any place gained for sure: its effect drawn towards the mean keeps its interval above zero."""
    return any(line.shrunken and line.shrunken.low is not None and line.shrunken.low > 0 for line in sites.by_site)
