"""From a question to an answer: `answer(question, generator)`; several of them: `brief(questions)` and `among(answers)`."""

from staffroom.measure.answering.brief import brief
from staffroom.measure.answering.composing import among, answer

__all__ = ["among", "answer", "brief"]
