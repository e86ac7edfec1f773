"""Any question as files, whatever its design: what a study's answer was computed from, for `staffroom study run` elsewhere.

What `measure` was asked is written out cell by cell: for each teacher and term as many rows as there were results, with the same
means, spreads and products; beside them what is known of the teacher or the cell. Teachers and schools are numbers.
"""

from __future__ import annotations

import csv
import io
import math
import zipfile
from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np

from staffroom.knowing.impact import asking
from staffroom.knowing.impact.actions.answering import material_of
from staffroom.knowing.impact.models import StudyVersion
from staffroom.ui.csv import safe_cell

if TYPE_CHECKING:
    from staffroom.measure.cells import Cells, Floats
    from staffroom.measure.question import Costs, Question

READ_ME = """Made by Staffroom. Run it with

    staffroom study run STUDY.toml

outcomes.csv has a row for each result. The rows of a teacher and a term have the means and spreads of her students' results, which
is all that the estimate needs; they are not the students' own, unless a teacher had only one or two of them in a term. Teachers and
schools are numbers. costs.csv, where it is there, has what was spent.{more} answer.json is what came out. Made-up activities, and scores
from before as a placebo of comparisons over time are not in these files: checks that need them are missing there. Ratings of teachers
never leave: what answer.json says of practice cannot be had again.
"""
REGISTERED = " protocol.json is what was registered, word for word;"
COSTS = (
    "ingredient", "amount", "payer", "kind", "scales_with", "instead", "opportunity",
)  # fmt: skip


def version_as_files(*, version: StudyVersion, answer: str) -> bytes | None:
    """A ZIP with STUDY.toml, outcomes.csv, the protocol and the answer; None without results. Refuses nobody: the view does."""
    material = material_of(version, version.answer.is_registered)
    if material is None or not asking.has_results(material):
        return None
    question = asking.question_of(material)
    told = as_toml(question, version.protocol, material, asking.seed_of(material))
    return archived(question, material, told, {"protocol.json": version.text, "answer.json": answer})


def archived(question: Question, material: asking.Material, toml: str, beside: dict[str, str]) -> bytes:
    """The ZIP: what was asked, the rows, what was spent, and what is laid beside."""
    files = {"STUDY.toml": toml, "outcomes.csv": as_csv(question, is_higher_better=material.is_higher_better)}
    if question.costs is not None:
        files["costs.csv"] = costs_as_csv(question.costs)
    files |= beside | {"README.txt": READ_ME.replace("{more}", REGISTERED if "protocol.json" in beside else "")}
    opened = io.BytesIO()
    with zipfile.ZipFile(opened, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return opened.getvalue()


def costs_as_csv(costs: Costs) -> str:
    """A row for each ingredient, in dollars of a year."""
    opened = io.StringIO()
    written = csv.writer(opened)
    written.writerow(COSTS)
    for line in costs.lines:
        cents = Decimal(line.ingredient.yearly_usd_cents)
        written.writerow([
            safe_cell(line.ingredient.name), f"{cents / 100:.2f}", safe_cell(line.ingredient.payer), line.kind, line.scales_with,
            int(line.instead), int(line.is_opportunity),
        ])  # fmt: skip
    return opened.getvalue()


# --- Rows --------------------------------------------------------------------------------------------------------------------------


def as_csv(question: Question, *, is_higher_better: bool = True) -> str:
    """The rows of all cells. Numbers stand in the order of the keys, so that drawn lots and bootstraps are the same."""
    opened = io.StringIO()
    written = csv.writer(opened)
    beside = _of_teachers(question) | _of_cells(question)
    scores = ("score", "prior")[: _cells(question).mean.shape[1]]
    written.writerow(["teacher", "school", "term", *scores, *beside])
    written.writerows(_rows(_cells(question), list(beside.values()), 1.0 if is_higher_better else -1.0))
    return opened.getvalue()


def _rows(cells: Cells, beside: list[list[object]], sign: float) -> Iterator[list[object]]:
    for cell, (who, term) in enumerate(zip(cells.teacher.tolist(), cells.term.tolist(), strict=True)):
        same = [f"T{who + 1:06d}", f"S{int(cells.cluster_of[who]) + 1:05d}", int(cells.terms[term]) + 1]
        known = [values[cell] for values in beside]
        for scores in with_moments(int(cells.n[cell]), sign * cells.mean[cell], cells.scatter[cell]):
            yield [*same, *map(repr, scores), *known]


def with_moments(n: int, mean: Floats, scatter: Floats) -> list[list[float]]:
    """As many rows of numbers, with the same means and the same sums of products of deviations: most of them on the mean."""
    values, vectors = np.linalg.eigh(scatter)
    few = min(len(mean), n - 1)
    rows = np.tile(mean, (n, 1))
    for place in range(1, few + 1):
        # The largest share first; a contrast of place + 1 rows, orthogonal to the others (Helmert).
        share = math.sqrt(max(0.0, float(values[-place]))) / math.sqrt(place * (place + 1))
        rows[:place] += share * vectors[:, -place]
        rows[place] -= place * share * vectors[:, -place]
    found: list[list[float]] = rows.tolist()
    return found


def _of_teachers(question: Question) -> dict[str, list[object]]:
    """What is known of each cell's teacher, by the name of its column."""
    of = _cells(question).teacher
    found: dict[str, Any] = {}
    if question.first_treated is not None:
        found["first_treated"] = ["" if first < 0 else first + 1 for first in question.first_treated[of].tolist()]
    if question.hours is not None:
        found["hours"] = _known(question.hours.by_teacher[of])
    if question.threshold is not None:
        found["running"] = _known(question.threshold.running[of])
    if question.lottery is not None:
        found["assigned"] = ["" if drawn < 0 else drawn for drawn in question.lottery.assigned[of].tolist()]
        if question.lottery.block is not None:
            found["block"] = np.asarray(question.lottery.block)[of].tolist()
    return found | {group.name: np.asarray(group.label)[of].tolist() for group in question.subgroups}


def _of_cells(question: Question) -> dict[str, list[object]]:
    return {} if question.dose is None else {"dose": _known(question.dose)}


def _known(values: Floats) -> list[object]:
    return ["" if math.isnan(value) else repr(value) for value in values.tolist()]


def _cells(question: Question) -> Cells:
    assert question.cells is not None
    return question.cells


# --- What was asked ------------------------------------------------------------------------------------------------------------------


def as_toml(question: Question, protocol: dict[str, Any], material: asking.Material, seed: int) -> str:
    """What was asked, as the command reads it."""
    tables = {
        "data": {"outcomes": "outcomes.csv", **({"costs": "costs.csv"} if question.costs is not None else {})},
        "columns": _columns(question),
        "study": _study(question, protocol, material),
        "estimate": {**_overrides(question), "seed": seed, "calibrate": 0},
    }
    terms = ", ".join(f"{number} = {term.name}" for number, term in enumerate(material.terms, 1))
    lines = [f"# Terms: {''.join(one if one.isprintable() else ' ' for one in terms)}"]
    for name, table in tables.items():
        lines += ["", f"[{name}]", *(f"{key} = {_value(value)}" for key, value in table.items())]
    return "\n".join(lines) + "\n"


def _columns(question: Question) -> dict[str, Any]:
    scores = ("score", "prior")[: _cells(question).mean.shape[1]]
    groups = [group.name for group in question.subgroups]
    roles = [name for name in (*_of_teachers(question), *_of_cells(question)) if name not in groups]
    found: dict[str, Any] = {name: name for name in ("teacher", "school", "term", *scores, *roles)}
    if question.threshold is not None:
        found["cutoff"] = float(question.threshold.cutoff)
    return found | ({"subgroups": groups} if groups else {})


def _study(question: Question, protocol: dict[str, Any], material: asking.Material) -> dict[str, Any]:
    claims, rule, lottery, costs = question.claims, question.threshold, question.lottery, question.costs
    since = rule.since if rule is not None else lottery.since if lottery is not None else None
    until = lottery.until if lottery is not None else None
    told = {
        "name": protocol["question"], "outcome": protocol["outcome"]["name"], "decision": protocol["decision"],
        "smallest_effect": float(claims.smallest_effect), "registered": claims.registered, "students": claims.students,
        "higher_is_better": material.is_higher_better, "planned_hours": question.hours.planned if question.hours else None,
        "reached": costs.students if costs else None, "price_year": costs.price_year if costs else None,
        "offered": None if rule is None else "above" if rule.above else "below",
        "since": None if since is None else str(since + 1), "until": None if until is None else str(until + 1),
    }  # fmt: skip
    return {name: value for name, value in told.items() if value is not None}


def _overrides(question: Question) -> dict[str, str]:
    asked = {"estimator": question.overrides.estimator, "controls": question.overrides.controls}
    return {name: value for name, value in asked.items() if value}


def _value(value: object) -> str:
    """A value of TOML."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, str):
        kept = "".join(one if one.isprintable() else " " for one in value)
        return '"' + kept.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return repr(value)
