"""From the lake's cells to one study: who counts as treated from when, the estimate, and what is kept of it. No database.

Taking part begins in the first term that ends on or after a teacher's first day; it lasts. Where a lower result is the better
one, outcomes are turned round before anything is computed, so that every effect in a study is one for the better when it is
above zero. What is kept is JSON, with small numbers already left out.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from staffroom.knowing.impact.comparing import brief
from staffroom.knowing.impact.hiding import shown
from staffroom.knowing.impact.summing import Stretch

if TYPE_CHECKING:
    import pyarrow

NEVER = -1


@dataclass(frozen=True)
class Question:
    """What a study is computed from: the cells, who took part from when and how long, the terms, and the direction."""

    cells: pyarrow.Table
    first_on: Mapping[str, date]
    terms: Sequence[Stretch]
    """The terms that have outcomes, in order."""
    students: int
    is_higher_better: bool = True


def first_term(day: date | None, terms: Sequence[Stretch]) -> int:
    """The ordinal of the first term that ends on or after a day; NEVER for none."""
    if day is None:
        return NEVER
    return next((ordinal for ordinal, term in enumerate(terms) if term.ends_on >= day), NEVER)


def seed_of(question: Question) -> int:
    """A number that follows from the cells and first days alone: the same results always draw the same bootstrap."""
    cells = sorted(zip(*question.cells.to_pydict().values(), strict=True))
    return int(hashlib.sha256(repr((cells, sorted(question.first_on.items()))).encode()).hexdigest()[:16], 16)


def ground_of(question: Question) -> dict[str, Any]:
    """What an answer stands on, for the page: terms, direction, and how many results there are in each term. Small numbers left out."""
    return {
        "terms": [
            {"name": term.name, "begins_on": term.begins_on.isoformat(), "ends_on": term.ends_on.isoformat()}
            for term in question.terms
        ],
        "is_higher_better": question.is_higher_better,
        "students": shown(question.students),
        "cells": _counts_by_term(question),
    }


def _counts_by_term(question: Question) -> list[dict[str, Any]]:
    """Teachers and results of each term, with and without taking part; hidden ones do not follow from any sum."""
    import numpy as np

    from staffroom.measure.suppression import suppress_table

    ordinal = {term.begins_on: number for number, term in enumerate(question.terms)}
    starts = {teacher: first_term(day, question.terms) for teacher, day in question.first_on.items()}
    people: dict[tuple[int, int], set[str]] = defaultdict(set)
    results = np.zeros((len(question.terms), 2), dtype=np.int64)
    for row in question.cells.select(["teacher_key", "term_begins_on", "n"]).to_pylist():
        term, first = ordinal[row["term_begins_on"]], starts.get(row["teacher_key"], NEVER)
        side = 0 if 0 <= first <= term else 1
        people[term, side].add(row["teacher_key"])
        results[term, side] += row["n"]
    counts = np.array([[len(people[term, side]) for side in (0, 1)] for term in range(len(question.terms))])
    hidden = suppress_table(counts)
    return [
        {
            side: {"teachers": None, "results": None} if hidden[term, place]
            else {"teachers": int(counts[term, place]), "results": int(results[term, place])}
            for place, side in enumerate(("with", "without"))
        }
        for term in range(len(question.terms))
    ]  # fmt: skip


def summary_of(kept: Mapping[str, Any]) -> dict[str, Any]:
    """What a line of the list of activities needs."""
    answer = kept["answer"]
    return {"sentence": answer["sentence"], "is_higher_better": kept["is_higher_better"], "brief": brief(answer)}
