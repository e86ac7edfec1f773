"""A study from its TOML file to its answers."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from staffroom.knowing.studies import Refused, asking
from staffroom.knowing.studies.questions import Inquiry, inquire
from staffroom.measure.answer import Answer
from staffroom.measure.question import Question


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

    found = {name: _answer(inquiry, question) for name, question in inquiry.questions.items()}
    return found if len(found) < 2 else dict(zip(found, among(tuple(found.values())), strict=True))


def _answer(inquiry: Inquiry, question: Question) -> Answer:
    import numpy as np

    from staffroom.measure.answering import answer

    try:
        return answer(question, np.random.default_rng(inquiry.seed))
    except ValueError as error:
        raise Refused(f"{inquiry.asked.file}: {error}") from None
