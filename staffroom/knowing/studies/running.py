"""A study from its TOML file to its answers."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from staffroom.knowing.studies import Refused, asking
from staffroom.knowing.studies.questions import Inquiry, inquire
from staffroom.measure.answer import Answer
from staffroom.measure.question import Portfolio, Question


@dataclass(frozen=True, slots=True)
class Found:
    """A study with its answers, by activity."""

    inquiry: Inquiry
    answers: dict[str, Answer]


def run(path: Path, *, session: Any = None) -> Found:
    """Read, decide, estimate. Raises Refused for what cannot be read or asked."""
    inquiry = read(path, session=session)
    return Found(inquiry, answered(inquiry))


def read(path: Path, *, session: Any = None) -> Inquiry:
    """The questions of a study, without answering them."""
    asked = asking.read(path)
    with tempfile.TemporaryDirectory(prefix="staffroom-study-") as scratch:
        return inquire(asked, Path(scratch), session=session)


def answered(inquiry: Inquiry) -> dict[str, Answer]:
    """An answer to each question; several are told of each other, for multiplicity."""
    found = {name: _answer(inquiry, question) for name, question in inquiry.questions.items()}
    if len(found) < 2:
        return found
    p = {name: one.effect.p for name, one in found.items() if one.effect is not None and one.effect.p is not None}
    return {
        name: _beside(inquiry, question, found[name], {other: value for other, value in p.items() if other != name})
        for name, question in inquiry.questions.items()
    }


def _beside(inquiry: Inquiry, question: Question, alone: Answer, others: dict[str, float]) -> Answer:
    """The answer again, knowing of the others: only the gate of multiplicity, the tier and the sentence may change."""
    if not others:
        return alone
    return _answer(inquiry, replace(question, portfolio=Portfolio(tuple(others.values()))))


def _answer(inquiry: Inquiry, question: Question) -> Answer:
    import numpy as np

    from staffroom.measure.answering import answer

    try:
        return answer(question, np.random.default_rng(inquiry.seed))
    except ValueError as error:
        raise Refused(f"{inquiry.asked.file}: {error}") from None
