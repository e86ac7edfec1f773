"""What an answer says first, in plain words."""

from staffroom.measure.answer import Replicability
from staffroom.measure.answering.estimate import Estimate
from staffroom.measure.question import Question
from staffroom.measure.sentence import Sentence, headline, say


def sentences(question: Question, estimate: Estimate, sites: Replicability) -> tuple[Sentence, ...]:
    """The finding, whether it holds everywhere, what would upset it, and how it is to be taken."""
    claims, effect = question.settled, estimate.effect
    if effect is None or effect.sd is None:
        return estimate.reasons[:1]
    first = headline(
        effect=effect.sd,
        low=effect.low,
        high=effect.high,
        schools=estimate.n.clusters,
        detectable=estimate.mde,
        smallest=claims.smallest_effect,
        treated_teachers=estimate.n.treated_teachers,
    )
    closing = () if claims.registered else (say("exploratory"),)
    return (*first, *estimate.said, *closing)
