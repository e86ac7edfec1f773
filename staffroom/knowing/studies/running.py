"""A study from its TOML file to its answers."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from staffroom.knowing.studies import Refused, asking
from staffroom.knowing.studies.questions import Inquiry, inquire
from staffroom.measure.answer import Answer
from staffroom.measure.question import Question

if TYPE_CHECKING:
    from numpy.random import Generator

MANY = 10
"""Activities beyond which answers are brief."""
SMALL, DRAWS = 5_000, 200
"""Cells up to which fake activities are tried without being asked for, and how many."""


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
    from staffroom.measure.answering import among

    if len(inquiry.questions) > MANY:
        return _briefly(inquiry)
    found = {name: _answer(inquiry, question) for name, question in inquiry.questions.items()}
    return found if len(found) < 2 else dict(zip(found, among(tuple(found.values())), strict=True))


def _briefly(inquiry: Inquiry) -> dict[str, Answer]:
    """Headlines with size, interval and main checks, by the same numbers; each activity alone has its whole answer."""
    import numpy as np

    from staffroom.measure.answering import among, brief

    try:
        found = brief(list(inquiry.questions.values()), np.random.default_rng(inquiry.seed))
    except ValueError as error:
        raise Refused(f"{inquiry.asked.file}: {error}") from None
    inquiry.notes.append(
        f"{len(found)} activities are answered briefly, and as promising at best; [study] activity asks for the whole answer of one."
    )
    return dict(zip(inquiry.questions, among(found), strict=True))


def _answer(inquiry: Inquiry, question: Question) -> Answer:
    import numpy as np

    from staffroom.measure.answering import answer

    generator = np.random.default_rng(inquiry.seed)
    try:
        return answer(_calibrated(inquiry, question, generator), generator)
    except ValueError as error:
        raise Refused(f"{inquiry.asked.file}: {error}") from None


def _calibrated(inquiry: Inquiry, question: Question, generator: Generator) -> Question:
    """The question with how often random fake activities are taken for real ones here: only for comparisons over time.

    Without being told (`[estimate] calibrate`) only where it takes about a second: in small files, of a single activity.
    """
    from staffroom.measure.calibration import rejection_rate
    from staffroom.measure.deciding import PANEL, decide, first_terms

    if question.cells is None or decide(question).estimator not in PANEL:
        return question
    is_small = len(question.cells.n) <= SMALL and len(inquiry.questions) == 1
    draws = int(inquiry.asked.estimate.get("calibrate", DRAWS if is_small else 0))
    if not draws:
        return question
    found = rejection_rate(
        question.cells, first_terms(question), generator, draws=draws, confidence=question.settled.confidence
    )
    return replace(question, placebo_rejections=found.rate, placebo_draws=found.draws)
