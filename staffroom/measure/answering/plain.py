"""Where no comparison is possible: both sides as they are, and why there is no estimate."""

import numpy as np

from staffroom.measure import gates
from staffroom.measure.answer import Size
from staffroom.measure.answering.estimate import Estimate
from staffroom.measure.answering.examining import describe
from staffroom.measure.answering.panel import described
from staffroom.measure.deciding import LEAST_TREATED_TEACHERS, first_terms, treated_teachers
from staffroom.measure.question import Question
from staffroom.measure.sentence import say


def description(question: Question, estimator: str, generator: np.random.Generator | None) -> Estimate:
    """Means and spreads of both sides without an effect."""
    if question.cells is None:
        reason = say("branch_no_cases", limit=5)
        return Estimate("describe", Size(0, 0, 0, 0), design_tier=gates.RATIONALE, reasons=(reason,))
    found = describe(question.cells, first_terms(question), claims=question.settled)
    teachers = treated_teachers(question.cells, first_terms(question))
    few = say("too_few_treated", teachers=teachers, limit=LEAST_TREATED_TEACHERS)
    return described(found, few if 0 < teachers < LEAST_TREATED_TEACHERS else say("branch_describe"))
