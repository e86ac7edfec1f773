"""From a question to an answer: `answer(question, generator)`; several of them: `among(answers)`."""

from staffroom.measure.answering.composing import among, answer

__all__ = ["among", "answer"]
