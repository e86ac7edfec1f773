"""Did practice change where outcomes did? An activity's effect on ratings of teaching beside its effect on results of students.

Both come from the same tree (`answering.answer`); ratings and scores are never mixed. Over sites their effects go together or do
not (`bivariate`). Whatever comes out is an association: schools in which practice changed may differ in other ways. It is only
called clear if it stays so when the errors of both, which concern the same teachers, have half of their chance in common.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from staffroom.measure.answer import Answer, Effect, Line, Size
from staffroom.measure.answering.composing import among, answer
from staffroom.measure.bivariate import LEAST_SITES, Association, associate
from staffroom.measure.cells import Floats
from staffroom.measure.gates import PROMISING, RATIONALE
from staffroom.measure.question import Question
from staffroom.measure.raters import Rated, Ratings, rated
from staffroom.measure.sentence import Sentence, say
from staffroom.measure.suppression import complement

SMALLEST = 0.20
"""SD of ratings: a change of practice within this would hardly be seen in a classroom."""
SHARED = 0.5
UP, DOWN, NONE, UNCLEAR = "up", "down", "none", "unclear"


@dataclass(frozen=True, slots=True)
class Site:
    """A site with both effects."""

    label: str
    practice: Effect
    """In SD of ratings."""
    outcome: Effect
    """In SD of results."""
    n: Size
    """Behind the effect on practice."""
    hidden: bool = False
    """Too few teachers behind either effect, or needed so that such a one does not follow; then both are empty."""


@dataclass(frozen=True, slots=True)
class Link:
    """How both effects go together over sites: an association, never a cause."""

    sites: int
    correlation: float | None = None
    """Between true effects; None with too few sites."""
    low: float | None = None
    high: float | None = None
    slope: float | None = None
    """SD of results for one SD of ratings."""
    slope_low: float | None = None
    slope_high: float | None = None
    """None where the set has no end."""
    clear: bool = False
    """Whether the interval leaves out zero."""
    tier: int = RATIONALE
    both: int = 0
    """Sites in which both estimates lie above zero; `practice` and `outcome`: only that one does."""
    practice: int = 0
    outcome: int = 0


@dataclass(frozen=True, slots=True)
class Practice:
    """What an activity changed in one measure of practice, and whether scores went along."""

    name: str
    estimator: str
    effect: Effect | None
    n: Size
    tier: int
    link: Link
    raters: int = 0
    sites: tuple[Site, ...] = ()
    sentence: tuple[Sentence, ...] = ()
    warnings: tuple[Sentence, ...] = ()


def with_practice(
    found: Answer,
    question: Question,
    measures: Sequence[tuple[str, Ratings]],
    generator: np.random.Generator | None = None,
    *,
    least: int = 0,
) -> Answer:
    """The answer with `mechanism`: for each named measure of ratings what the activity changed in it.

    `question` is what `found` answers; without cells nothing is added. Several measures are told of each other. Sites with
    fewer than `least` rated teachers on a side are hidden.
    """
    if question.cells is None or not measures:
        return found
    asked = [(name, rated(question, ratings)) for name, ratings in measures]
    usable = [(name, each) for name, each in asked if each.question is not None]
    answers = [answer(each.question, generator) for _name, each in usable if each.question is not None]
    answers = list(among(answers)) if len(answers) > 1 else answers
    smallest = question.settled.smallest_effect
    return replace(
        found,
        mechanism=tuple(
            practice_of(name, one, found, rating=each, smallest=smallest, least=least)
            for (name, each), one in zip(usable, answers, strict=True)
        ),
    )


def practice_of(
    name: str, practice: Answer, outcome: Answer, *, rating: Rated, smallest: float = 0.10, least: int = 0
) -> Practice:
    """One measure of practice beside the outcome; `smallest` is the effect on results, in SD, that would matter."""
    sites = both_effects(practice, outcome, least=least)
    link = link_of([one for one in sites if not one.hidden])
    return Practice(
        name=name, estimator=practice.estimator, effect=practice.effect, n=practice.n, tier=practice.tier, link=link,
        raters=rating.raters, sites=sites, sentence=_said(name, practice, outcome, link, smallest),
        warnings=_warnings(rating),
    )  # fmt: skip


def both_effects(practice: Answer, outcome: Answer, *, least: int = 0) -> tuple[Site, ...]:
    """The sites that have both effects with their error."""
    scores = {str(line.group): line for line in _lines(outcome)}
    pairs = [(line, scores[str(line.group)]) for line in _lines(practice) if str(line.group) in scores]
    few = np.array([_is_few(one, other, least) for one, other in pairs], dtype=bool)
    hidden = complement(few, np.array([one.n.treated_teachers for one, _ in pairs], dtype=np.int64))
    return tuple(
        Site(str(one.group), Effect(), Effect(), Size(0, 0, 0, 0), hidden=True)
        if hide
        else Site(str(one.group), one.effect, other.effect, one.n)
        for (one, other), hide in zip(pairs, hidden, strict=True)
    )


def _is_few(practice: Line, outcome: Line, least: int) -> bool:
    sides = [side for line in (practice, outcome) for side in (line.n.treated_teachers, line.n.comparison_teachers)]
    return practice.hidden or outcome.hidden or min(sides) < least


def _lines(found: Answer) -> list[Line]:
    lines = found.replicability.by_site if found.replicability.by == "site" else ()
    return [line for line in lines if line.hidden or _has_error(line.effect)]


def _has_error(effect: Effect) -> bool:
    return effect.sd is not None and effect.se is not None and effect.se > 0 and effect.low is not None


def link_of(sites: Sequence[Site]) -> Link:
    """The association over sites; with too few of them only how often which effect lies above zero."""
    signs = [(_sd(one.practice) > 0, _sd(one.outcome) > 0) for one in sites]
    counted = Link(
        len(sites),
        both=signs.count((True, True)),
        practice=signs.count((True, False)),
        outcome=signs.count((False, True)),
    )
    if len(sites) < LEAST_SITES:
        return counted
    found, cautious = (_associated(sites, shared) for shared in (0.0, SHARED))
    low, high = min(found.low, cautious.low), max(found.high, cautious.high)
    clear = low > 0 or high < 0
    return replace(
        counted, correlation=found.correlation, low=low, high=high, slope=_finite(found.slope),
        slope_low=_finite(min(found.slope_low, cautious.slope_low)),
        slope_high=_finite(max(found.slope_high, cautious.slope_high)), clear=clear, tier=PROMISING if clear else RATIONALE,
    )  # fmt: skip


def _associated(sites: Sequence[Site], shared: float) -> Association:
    def column(side: str, what: str) -> Floats:
        return np.array([getattr(getattr(one, side), what) for one in sites], dtype=np.float64)

    return associate(
        column("practice", "sd"),
        column("practice", "se"),
        column("outcome", "sd"),
        column("outcome", "se"),
        shared=shared,
    )


def _sd(effect: Effect) -> float:
    return effect.sd or 0.0


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


# --- What may be said ----------------------------------------------------------------------------------------------------------


def _said(name: str, practice: Answer, outcome: Answer, link: Link, smallest: float) -> tuple[Sentence, ...]:
    ratings, scores = _moved(practice.effect, SMALLEST), _moved(outcome.effect, smallest)
    if practice.effect is None:
        return (say("practice_unknown", name=name), *practice.reasons[:1])
    return (_headline(ratings, scores, link), _of_practice(name, practice.effect, ratings), *_of_sites(link))


def _moved(effect: Effect | None, smallest: float) -> str:
    if effect is None or effect.low is None or effect.high is None:
        return UNCLEAR
    if effect.low > 0 or effect.high < 0:
        return UP if effect.low > 0 else DOWN
    return NONE if max(-effect.low, effect.high) < smallest else UNCLEAR


HEADLINES = {
    (UP, UP): "practice_both", (UP, NONE): "practice_alone", (UP, UNCLEAR): "practice_scores_unclear",
    (UP, DOWN): "practice_scores_fell", (NONE, UP): "practice_scores_alone", (NONE, NONE): "practice_neither",
    (DOWN, DOWN): "practice_both_fell",
}  # fmt: skip


def _headline(ratings: str, scores: str, link: Link) -> Sentence:
    if link.clear and link.low is not None:
        return say("practice_together" if link.low > 0 else "practice_apart", sites=link.sites)
    return say(HEADLINES.get((ratings, scores), "practice_cannot_tell"))


def _of_practice(name: str, effect: Effect, moved: str) -> Sentence:
    if effect.low is None or effect.high is None:
        return say("practice_no_interval", name=name)
    key = {UP: "practice_rose", DOWN: "practice_fell", NONE: "practice_small", UNCLEAR: "practice_unclear"}[moved]
    return say(key, name=name, size=abs(_sd(effect)), low=effect.low, high=effect.high)


def _of_sites(link: Link) -> tuple[Sentence, ...]:
    if link.correlation is None or link.low is None or link.high is None:
        few = say("practice_few_sites", sites=link.sites, limit=LEAST_SITES)
        counted = say("practice_signs", both=link.both, practice=link.practice, outcome=link.outcome)
        return (few, counted) if link.sites else (few,)
    key = "practice_link" if link.clear else "practice_link_unclear"
    return (say(key, sites=link.sites, correlation=link.correlation, low=link.low, high=link.high),)


def _warnings(rating: Rated) -> tuple[Sentence, ...]:
    """What the tree says of scores, its warnings among it, would mislead about ratings."""
    told = [say(f"practice_left_{name}", ratings=count) for name, count in sorted(rating.left_out.items()) if count]
    return (*told, *(() if rating.raters else (say("practice_no_raters"),)))
