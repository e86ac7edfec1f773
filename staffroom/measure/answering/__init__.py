"""From a question to an answer: `answer(question, generator)`."""

from staffroom.measure.answering.composing import answer

__all__ = ["answer"]
