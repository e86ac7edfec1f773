"""From the lake's cells to one study: who counts as treated from when, the estimate, and what is kept of it. No database.

Taking part begins in the first term that ends on or after a teacher's first day; it lasts. Where a lower result is the better
one, outcomes are turned round before anything is computed, so that every effect in a study is one for the better when it is
above zero. What is kept is JSON, with small numbers already left out.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from staffroom.knowing.impact.comparing import brief
from staffroom.knowing.impact.hiding import hidden_lines, is_small, shown
from staffroom.knowing.impact.summing import Stretch

if TYPE_CHECKING:
    import numpy as np
    import pyarrow

    from staffroom.measure.result import Study

LEAST_RESULTS = 10
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


def answer(question: Question, generator: np.random.Generator) -> tuple[Study, dict[str, Any]]:
    """The study, and all that is kept of it as JSON. Needs at least one cell."""
    from staffroom.measure.study import Claims, estimate

    columns = _columns(question)
    claims = Claims(students=question.students or None)
    study = estimate(**columns, claims=claims, generator=generator)
    return study, {
        "terms": [
            {"name": term.name, "begins_on": term.begins_on.isoformat(), "ends_on": term.ends_on.isoformat()}
            for term in question.terms
        ],
        "is_higher_better": question.is_higher_better,
        "students": shown(question.students),
        "study": _kept(study, question.is_higher_better),
        "leads": _leads(study, columns),
        "cells": _counts_by_term(columns, len(question.terms)),
    }


def _columns(question: Question) -> dict[str, Any]:
    """The arguments of `measure.study.estimate`."""
    import numpy as np

    ordinal = {term.begins_on: number for number, term in enumerate(question.terms)}
    starts = {teacher: first_term(day, question.terms) for teacher, day in question.first_on.items()}
    rows = question.cells.to_pydict()
    sign = 1.0 if question.is_higher_better else -1.0
    return {
        "teacher": np.array(rows["teacher_key"]),
        "school": np.array(rows["school_key"]),
        "term": np.array([ordinal[day] for day in rows["term_begins_on"]]),
        "n": np.array(rows["n"]),
        "y_sum": sign * np.array(rows["y_sum"]),
        "y_sumsq": np.array(rows["y_sumsq"]),
        "first_treated": np.array([starts.get(teacher, NEVER) for teacher in rows["teacher_key"]]),
    }


def _kept(study: Study, is_higher_better: bool) -> dict[str, Any]:
    """The study as JSON. Means go back to the instrument's own direction; small groups of teachers are taken out."""
    kept: dict[str, Any] = plain(study)
    for side in (kept["treated"], kept["untreated"]):
        if is_small(side["teachers"]):
            side["mean"] = side["sd"] = None
        if side["mean"] is not None and not is_higher_better:
            side["mean"] = -side["mean"]
        side["teachers"] = shown(side["teachers"])
    counts = kept["n"]
    for name in ("students", "treated_teachers", "untreated_teachers"):
        counts[name] = shown(counts[name])
    # Beside the two sides their sum would give a hidden one away.
    counts["teachers"] = (
        None if None in (counts["treated_teachers"], counts["untreated_teachers"]) else counts["teachers"]
    )
    for name in ("by_event_time", "by_group"):
        kept[name] = _without_small(kept[name])
    return kept


def _without_small(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    people = [line["size"]["teachers"] for line in lines]
    hidden = hidden_lines(people, also=[line["hidden"] for line in lines])
    return [{"key": line["key"], "hidden": True} if hide else line for line, hide in zip(lines, hidden, strict=True)]


def plain(value: Any) -> Any:
    """A frozen dataclass, and whatever is in it, as JSON; numbers that are not finite become nothing."""
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, Mapping):
        return {name: plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return value if value is None or isinstance(value, bool | int | str) else value.item()


def _leads(study: Study, columns: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Differences before taking part in SD with 95 % intervals, for the picture, and how many stand behind each."""
    if study.pre_trends is None or not study.comparison_sd:
        return []
    from staffroom.measure.effects import t_interval

    sd, test = study.comparison_sd, study.pre_trends
    lines = []
    for lead in test.leads:
        chosen = (columns["first_treated"] >= 0) & (columns["term"] == columns["first_treated"] + lead.event_time)
        interval = t_interval(lead.effect / sd, lead.standard_error / sd, test.df)
        results, teachers = int(columns["n"][chosen].sum()), len(set(columns["teacher"][chosen].tolist()))
        lines.append({
            "key": lead.event_time, "sd": lead.effect / sd, "low": interval.low, "high": interval.high,
            "size": {"results": results, "teachers": teachers}, "hidden": results < LEAST_RESULTS,
        })  # fmt: skip
    return sorted(_without_small(lines), key=lambda line: line["key"])


def _counts_by_term(columns: Mapping[str, Any], terms: int) -> list[dict[str, Any]]:
    """Teachers and results of each term, with and without taking part; hidden ones do not follow from any sum."""
    import numpy as np

    from staffroom.measure.suppression import suppress_table

    is_treated = (columns["first_treated"] >= 0) & (columns["term"] >= columns["first_treated"])
    people, results = np.zeros((terms, 2), dtype=np.int64), np.zeros((terms, 2), dtype=np.int64)
    for side, chosen in enumerate((is_treated, ~is_treated)):
        for term in range(terms):
            rows = chosen & (columns["term"] == term)
            people[term, side] = len(set(columns["teacher"][rows].tolist()))
            results[term, side] = columns["n"][rows].sum()
    hidden = suppress_table(people)
    return [
        {
            side: {"teachers": None, "results": None} if hidden[term, place]
            else {"teachers": int(people[term, place]), "results": int(results[term, place])}
            for place, side in enumerate(("with", "without"))
        }
        for term in range(terms)
    ]  # fmt: skip


def efficiency(study: Study, seconds: Sequence[int]) -> dict[str, Any] | None:
    """SD for ten hours of a teacher, with Fieller's set: effect over mean hours, both with their errors, taken as independent.

    `seconds`: of each teacher behind the estimate.
    """
    effect = study.effect
    hours = [one / 3600 for one in seconds]
    if (
        effect is None
        or not effect.se
        or effect.low is None
        or effect.high is None
        or len(hours) < 5
        or sum(hours) <= 0
    ):
        return None
    from statistics import mean, stdev

    from staffroom.measure.effects import fieller

    center, error = mean(hours) / 10, stdev(hours) / math.sqrt(len(hours)) / 10
    # With few schools the interval is wider than Student's: its own quantile goes on.
    quantile = (effect.high - effect.low) / 2 / effect.se
    found = fieller(effect.sd or 0.0, center, effect.se, error, quantile=quantile)
    kept = plain(found)
    return {**kept, "hours_per_teacher": center * 10, "teachers": len(hours)}


def summary_of(kept: Mapping[str, Any]) -> dict[str, Any]:
    """What a line of the list of activities needs."""
    study = kept["study"]
    return {
        "estimator": study["estimator"], "effect": study["effect"], "tier": study["tier"], "sentence": study["sentence"],
        "is_higher_better": kept["is_higher_better"], "treated_teachers": study["n"]["treated_teachers"],
        "results": study["n"]["results"], "clusters": study["n"]["clusters"],
        "brief": brief(kept["answer"]) if kept.get("answer") else None,
    }  # fmt: skip
