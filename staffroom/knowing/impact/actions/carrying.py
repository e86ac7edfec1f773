"""A study as files: what an answer was computed from, so that `staffroom study run` gives the same figures elsewhere.

No result of a student leaves: for each teacher and term there are as many rows as there were results, with the same mean and the
same spread, and that is all that the answer knows of them. Teachers and schools are numbers.
"""

from __future__ import annotations

import csv
import io
import math
import zipfile
from collections.abc import Iterator, Mapping, Sequence

from django.utils import timezone

from staffroom.knowing import frames
from staffroom.knowing.impact import studying
from staffroom.knowing.impact.actions.computing import _Computation
from staffroom.knowing.impact.summing import Stretch, terms_with_outcomes
from staffroom.records.models import Activity, Instrument

COLUMNS = ("teacher", "school", "term", "score", "first_treated", "hours")
READ_ME = """Made by Staffroom. Run it with

    staffroom study run STUDY.toml

outcomes.csv has a row for each result, but no result of a student: the rows of a teacher and a term have the mean and the spread
of her students' results, which is all that the estimate needs. Teachers and schools are numbers. answer.json is what the page says.
Ratings of teachers never leave: what answer.json says of practice cannot be had again from these files.
"""


def study_as_files(*, activity: Activity, instrument: Instrument, answer: str) -> bytes | None:
    """A ZIP with STUDY.toml, outcomes.csv and the answer as JSON; None if there are no results. Refuses nobody: the view does."""
    made = _Computation(activity, [], timezone.now())
    cells = frames.outcome_cells(made.scope.path, str(instrument.key))
    if not cells.num_rows:
        return None
    terms = terms_with_outcomes(made.terms, cells.column("term_begins_on"))
    question = studying.Question(
        cells=cells, first_on=made.uptake.first_on, terms=terms, students=0, is_higher_better=instrument.is_higher_better
    )  # fmt: skip
    seconds = made.uptake.teacher_seconds(until=terms[-1].begins_on)
    opened = io.BytesIO()
    with zipfile.ZipFile(opened, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("STUDY.toml", as_toml(activity, instrument, terms, studying.seed_of(question)))
        archive.writestr("outcomes.csv", as_csv(outcome_rows(question, seconds)))
        archive.writestr("answer.json", answer)
        archive.writestr("README.txt", READ_ME)
    return opened.getvalue()


def outcome_rows(question: studying.Question, seconds: Mapping[str, int]) -> Iterator[list[object]]:
    """Rows of COLUMNS. Numbers stand in the order of the keys, so that drawn lots and bootstraps are the same."""
    rows = question.cells.to_pylist()
    teachers, schools = (_numbers(row[name] for row in rows) for name in ("teacher_key", "school_key"))
    ordinal = {term.begins_on: number for number, term in enumerate(question.terms, 1)}
    for row in rows:
        key = row["teacher_key"]
        first = studying.first_term(question.first_on.get(key), question.terms)
        hours = seconds[key] / 3600 if key in seconds else ""
        same = [f"T{teachers[key]:06d}", f"S{schools[row['school_key']]:05d}", ordinal[row["term_begins_on"]]]
        for score in with_moments(row["n"], row["y_sum"], row["y_sumsq"]):
            yield [*same, repr(score), "" if first < 0 else first + 1, hours]


def with_moments(n: int, total: float, squares: float) -> Iterator[float]:
    """As many numbers, with the same sum and the same sum of squares: two off the mean, the others on it."""
    mean = total / n
    off = math.sqrt(max(0.0, squares - n * mean * mean) / 2) if n > 1 else 0.0
    yield from ([mean] if n == 1 else [mean - off, mean + off, *[mean] * (n - 2)])


def _numbers(keys: Iterator[str]) -> dict[str, int]:
    return {key: number for number, key in enumerate(sorted(set(keys)), 1)}


def as_csv(rows: Iterator[list[object]]) -> str:
    opened = io.StringIO()
    written = csv.writer(opened)
    written.writerow(COLUMNS)
    written.writerows(rows)
    return opened.getvalue()


def as_toml(activity: Activity, instrument: Instrument, terms: Sequence[Stretch], seed: int) -> str:
    """What was asked, as the command reads it."""
    named = ", ".join(f"{number} = {term.name}" for number, term in enumerate(terms, 1))
    columns = "\n".join(f'{name} = "{name}"' for name in COLUMNS)
    planned = f"planned_hours = {float(activity.planned_hours)}\n" if activity.planned_hours else ""
    return (
        f"# Terms: {_line(named)}\n\n[data]\noutcomes = \"outcomes.csv\"\n\n[columns]\n{columns}\n\n[study]\n"
        f"name = {_quoted(activity.name)}\noutcome = {_quoted(instrument.name)}\nsmallest_effect = 0.10\nregistered = false\n"
        f"higher_is_better = {str(instrument.is_higher_better).lower()}\n{planned}\n[estimate]\nseed = {seed}\ncalibrate = 0\n"
    )  # fmt: skip


def _quoted(text: str) -> str:
    """A string of TOML."""
    kept = "".join(one if one.isprintable() else " " for one in text)
    return '"' + kept.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _line(text: str) -> str:
    return "".join(one if one.isprintable() else " " for one in text)
