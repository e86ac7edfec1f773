"""A study from its TOML file to its answers."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from staffroom.knowing.studies import Refused, asking
from staffroom.knowing.studies.questions import Inquiry, inquire
from staffroom.measure.answer import Answer
from staffroom.measure.question import Question

MANY = 10
"""Activities beyond which answers are brief."""
PATTERNS = 20
"""Activities from which fake ones are dealt."""


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


def answered(inquiry: Inquiry, *, calibrate: bool = True) -> dict[str, Answer]:
    """An answer to each question; several are told of each other, for multiplicity. Without `calibrate` no fake ones."""
    from staffroom.measure.answering import among

    questions = _calibrated(inquiry) if calibrate else inquiry.questions
    if len(questions) > MANY:
        return _briefly(inquiry, questions)
    found = {name: _answer(inquiry, question) for name, question in questions.items()}
    return found if len(found) < 2 else dict(zip(found, among(tuple(found.values())), strict=True))


def _briefly(inquiry: Inquiry, questions: dict[str, Question]) -> dict[str, Answer]:
    """Headlines with size, interval and main checks, by the same numbers; each activity alone has its whole answer."""
    import numpy as np

    from staffroom.measure.answering import among, brief

    try:
        found = brief(list(questions.values()), np.random.default_rng(inquiry.seed))
    except ValueError as error:
        raise Refused(f"{inquiry.asked.file}: {error}") from None
    inquiry.notes.append(
        f"{len(found)} activities are answered briefly, and as promising at best; [study] activity asks for the whole answer of one."
    )
    return dict(zip(questions, among(found), strict=True))


def _answer(inquiry: Inquiry, question: Question) -> Answer:
    import numpy as np

    from staffroom.measure.answering import answer
    from staffroom.measure.mechanism import with_practice

    generator = np.random.default_rng(inquiry.seed)
    try:
        return with_practice(answer(question, generator), question, inquiry.practice, generator)
    except ValueError as error:
        raise Refused(f"{inquiry.asked.file}: {error}") from None


def _calibrated(inquiry: Inquiry) -> dict[str, Question]:
    """The questions with how often random fake activities are taken for real ones here: of comparisons over time.

    Fake activities are dealt from the questions in turn; all are told the same share, for it says something about the data.
    """
    import numpy as np

    from staffroom.measure.calibration import DRAWS, rejection_rate
    from staffroom.measure.deciding import PANEL, decide, first_terms

    draws = int(inquiry.asked.estimate.get("calibrate", DRAWS))
    asked = [one for one in inquiry.questions.values() if one.cells is not None][:PATTERNS]
    panels = [one for one in asked if decide(one).estimator in PANEL] if draws else []
    if not panels or panels[0].cells is None:
        return inquiry.questions
    patterns = [first_terms(one) for one in panels]
    generator = np.random.default_rng([inquiry.seed, 1])
    found = rejection_rate(panels[0].cells, patterns, generator, draws=draws)
    known: dict[str, Any] = {
        "placebo_rejections": found.rate,
        "placebo_draws": found.draws,
        "placebo_schools": found.schools,
    }
    return {name: replace(one, **known) for name, one in inquiry.questions.items()}
