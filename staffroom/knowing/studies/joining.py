"""What stands beside the outcomes, by teacher: who took part when and for how long, who was drawn, what it cost, ratings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import numpy as np

from staffroom.knowing.frames.files import in_memory
from staffroom.knowing.studies import Refused, reading
from staffroom.knowing.studies.asking import Asked
from staffroom.knowing.studies.gathering import label

YES = ("1", "true", "yes", "y", "t", "treated", "treatment", "b", "x")
NO = ("0", "false", "no", "n", "f", "control", "comparison", "untreated", "a")
LONGEST_LIFE = 100
"""Years over which a price may be spread."""


@dataclass(frozen=True, slots=True)
class Table:
    """A small file as rows of text and numbers, with the number that a spreadsheet gives each row."""

    name: str
    columns: Mapping[str, list[Any]]
    """Role to values; None where missing."""
    first_row: int
    digest: str
    size: int

    def rows(self, *roles: str) -> Iterable[tuple[int, tuple[Any, ...]]]:
        """Each row's number and its values; a role that the file lacks gives None."""
        empty = [None] * self.size
        for place, values in enumerate(zip(*(self.columns.get(role, empty) for role in roles), strict=True)):
            yield place + self.first_row, values


@dataclass(slots=True)
class Participation:
    """Who took part in one activity, as the activities file has it; terms by their names."""

    first: dict[str, str] = field(default_factory=dict)
    """Teacher to the term (or day) of taking part first, where one row says so."""
    terms: dict[str, dict[str, float]] = field(default_factory=dict)
    """Teacher to the terms in which she took part, with the dose of each."""
    hours: dict[str, float] = field(default_factory=dict)
    site: dict[str, str] = field(default_factory=dict)
    cohort: dict[str, str] = field(default_factory=dict)
    undated: set[str] = field(default_factory=set)
    """Teachers who took part at a time that is not told."""
    has_dose: bool = False


def yes_or_no(value: Any, where: str) -> bool | None:
    """A mark of taking part; None where missing. Refused for anything but yes and no."""
    if value is None:
        return None
    text = label(value).casefold()
    # Tables with gaps are often written with 1.0 and 0.0.
    text = text[0] if text in ("1.0", "0.0") else text
    if text in YES:
        return True
    if text in NO:
        return False
    raise Refused(f"{where}: “{text[:40]}” is neither 1 (yes) nor 0 (no)")


def table(asked: Asked, kind: str, scratch: Path, *, labels: tuple[str, ...], numbers: tuple[str, ...]) -> Table:
    """A file beside the outcomes: roles are found by [columns], or else by their own names."""
    path = asked.data[kind]
    names = set(reading.columns_of(path)[0])
    named = {role: asked.columns.get(role, role) for role in (*labels, *numbers)}
    named |= {role: role for role, column in named.items() if column not in names and role in names}
    there = {role: column for role, column in named.items() if column in names}
    wanted = reading.Wanted(
        labels=tuple(there[role] for role in labels if role in there),
        numbers=tuple(there[role] for role in numbers if role in there),
    )
    if not wanted.all:
        raise Refused(f"{path.name} has none of the columns {', '.join(named.values())}")
    found, readable = reading.table(path, wanted, scratch)
    columns = {
        role: _texts(found[column]) if role in labels else found[column].to_pylist() for role, column in there.items()
    }
    return Table(path.name, columns, readable.first_row, readable.digest, found.num_rows)


def _texts(column: Any) -> list[str | None]:
    """Keys as text: each different one is turned once, and stands in memory once, since files may be long."""
    import pyarrow

    whole = pyarrow.chunked_array([column]) if isinstance(column, pyarrow.Array) else column
    encoded = whole.combine_chunks().dictionary_encode(null_encoding="encode")
    told = [
        None if value is None or value != value else label(value) or None for value in encoded.dictionary.to_pylist()
    ]
    found: list[str | None] = np.array([*told, None], dtype=object)[in_memory(encoded.indices)].tolist()
    return found


def activities(asked: Asked, scratch: Path) -> tuple[dict[str, Participation], Table]:
    """Participation by activity; one without a name is called by the study's."""
    found = table(
        asked, "activities", scratch,
        labels=("teacher", "activity", "term", "first_treated", "treated", "site", "cohort"), numbers=("dose", "hours"),
    )  # fmt: skip
    if "teacher" not in found.columns:
        raise Refused(f"{found.name} has no column for the teacher")
    if set(found.columns) == {"teacher", "activity", "first_treated"}:
        return _first_terms(asked, found), found
    by_activity: dict[str, Participation] = {}
    roles = ("teacher", "activity", "term", "first_treated", "treated", "dose", "hours", "site", "cohort")
    for row, (teacher, activity, term, first, treated, dose, hours, site, cohort) in found.rows(*roles):
        if teacher is None:
            raise Refused(f"{found.name}, row {row}: the teacher is missing")
        one = by_activity.setdefault(activity or str(asked.study.get("activity", asked.name)), Participation())
        if site:
            one.site[teacher] = site
        if cohort:
            one.cohort[teacher] = cohort
        if hours is not None:
            _at_least_zero(found.name, row, "hours", hours)
            one.hours[teacher] = one.hours.get(teacher, 0.0) + hours
        if dose is not None:
            _at_least_zero(found.name, row, "dose", dose)
            one.has_dose = True
        if yes_or_no(treated, f"{found.name}, row {row}, treated") is False or (dose == 0 and treated is None):
            continue
        _take_part(one, found, row, teacher, term, first, dose)
    return by_activity, found


def _first_terms(asked: Asked, found: Table) -> dict[str, Participation]:
    """Teacher, activity and first term alone: the form in which files are long, so activity by activity at once."""
    unnamed = str(asked.study.get("activity", asked.name))
    teachers, firsts = (np.array(found.columns[role], dtype=object) for role in ("teacher", "first_treated"))
    names = [name or unnamed for name in found.columns["activity"]]
    codes = {name: code for code, name in enumerate(dict.fromkeys(names))}
    code = np.fromiter(map(codes.__getitem__, names), dtype=np.int64, count=len(names))
    rows = np.split(np.argsort(code, kind="stable"), np.cumsum(np.bincount(code))[:-1])
    by_activity = {}
    for name, own in zip(codes, rows, strict=True):
        told = dict(zip(teachers[own].tolist(), firsts[own].tolist(), strict=True))
        if len(told) < own.size or None in told:
            told = _one_by_one(found, teachers, firsts, own)
        by_activity[name] = Participation(first={who: first for who, first in told.items() if first is not None})
    return by_activity


def _one_by_one(found: Table, teachers: Any, firsts: Any, rows: Any) -> dict[str, str]:
    """Where a teacher is missing or stands twice in one activity: twice with the same term is once."""
    told: dict[str, str] = {}
    for place in rows.tolist():
        teacher, first, row = teachers[place], firsts[place], place + found.first_row
        if teacher is None:
            raise Refused(f"{found.name}, row {row}: the teacher is missing")
        if first is not None and told.setdefault(teacher, first) != first:
            terms = f"{told[teacher]} and {first}"
            raise Refused(f"{found.name}, row {row}: teacher “{teacher}” first took part in two terms, {terms}")
    return told


def _take_part(
    one: Participation, found: Table, row: int, teacher: str, term: str | None, first: str | None, dose: float | None
) -> None:
    if first is not None:
        if one.first.setdefault(teacher, first) != first:
            told = f"{one.first[teacher]} and {first}"
            raise Refused(f"{found.name}, row {row}: teacher “{teacher}” first took part in two terms, {told}")
    elif term is not None:
        doses = one.terms.setdefault(teacher, {})
        doses[term] = doses.get(term, 0.0) + (1.0 if dose is None else dose)
    elif "first_treated" not in found.columns:
        one.undated.add(teacher)


def _at_least_zero(file: str, row: int, name: str, value: float) -> None:
    if value < 0:
        raise Refused(f"{file}, row {row}: {name} is below zero")


@dataclass(frozen=True, slots=True)
class Assignments:
    """What a draw or a rule said: by student if the file names students, else by teacher, else by school."""

    by: str
    assigned: dict[str, int]
    block: dict[str, str]
    running: dict[str, float]
    digest: str
    name: str


def assignments(asked: Asked, scratch: Path) -> Assignments:
    """The assignments file: one row for each student, teacher or school."""
    found = table(
        asked,
        "assignments",
        scratch,
        labels=("student", "teacher", "school", "assigned", "block"),
        numbers=("running",),
    )
    by = next((one for one in ("student", "teacher", "school") if one in found.columns), None)
    if by is None:
        raise Refused(f"{found.name} has no column for the student, the teacher or the school")
    made = Assignments(by, {}, {}, {}, found.digest, found.name)
    for row, (key, assigned, block, running) in found.rows(by, "assigned", "block", "running"):
        if key is None:
            raise Refused(f"{found.name}, row {row}: the {by} is missing")
        drawn = yes_or_no(assigned, f"{found.name}, row {row}, assigned")
        said = (None if drawn is None else int(drawn), block or "", running)
        before = (made.assigned.get(key), made.block.get(key, ""), made.running.get(key))
        if key in made.block and said != before:
            raise Refused(f"{found.name}, row {row}: {by} “{key}” stands twice and differs")
        made.block[key] = block or ""
        if drawn is not None:
            made.assigned[key] = int(drawn)
        if running is not None:
            made.running[key] = running
    return made


def cost_rows(asked: Asked, scratch: Path) -> tuple[list[dict[str, Any]], Table]:
    """The costs file, a row for each ingredient, checked: name, quantity and price as Decimal and cents, who pays, …"""
    labels = (
        "ingredient", "quantity", "unit_price", "amount", "payer", "kind", "scales_with", "instead", "activity",
        "lifetime_years", "discount_rate", "price_year", "wave", "low", "high", "opportunity",
    )  # fmt: skip
    found = table(asked, "costs", scratch, labels=labels, numbers=())
    if not {"amount", "unit_price"} & set(found.columns):
        raise Refused(f"{found.name} needs a column “amount”, or “quantity” and “unit_price”, in dollars")
    made = []
    for row, values in found.rows(*labels):
        told = dict(zip(labels, values, strict=True))
        where = f"{found.name}, row {row}"
        price = _money(told["unit_price"] if told["amount"] is None else told["amount"], where)
        quantity = _decimal(told["quantity"], f"{where}, quantity") if told["amount"] is None else Decimal(1)
        made.append(
            {
                "name": told["ingredient"] or told["kind"] or f"row {row}", "quantity": quantity, "cents": price,
                "payer": told["payer"] or "", "kind": told["kind"] or "", "scales_with": _scale(told["scales_with"], where),
                "instead": bool(yes_or_no(told["instead"], f"{where}, instead")), "activity": told["activity"],
                "opportunity": bool(yes_or_no(told["opportunity"], f"{where}, opportunity")),
                "lifetime_years": _whole(told["lifetime_years"] or "1", f"{where}, lifetime_years", most=LONGEST_LIFE),
                "discount_rate": _rate(told["discount_rate"], f"{where}, discount_rate"),
                "price_year": told["price_year"] and str(_whole(told["price_year"], f"{where}, price_year", most=9999)),
                "range": _range(told["low"], told["high"], price, where),
                "wave": told["wave"] and str(_whole(told["wave"], f"{where}, wave", most=9999)),
            }
        )  # fmt: skip
    return made, found


def _range(low: str | None, high: str | None, price: int, where: str) -> tuple[int, int] | None:
    """Prices between which the true one lies; None where the row tells none."""
    if low is None and high is None:
        return None
    ends = (price if low is None else _money(low, where), price if high is None else _money(high, where))
    if not ends[0] <= price <= ends[1]:
        raise Refused(f"{where}: the price must lie between low and high")
    return ends


def _scale(value: str | None, where: str) -> str:
    if value not in (None, "teacher", "group", "fixed"):
        raise Refused(f"{where}: scales_with must be teacher, group or fixed, not “{value}”")
    return value or "teacher"


def _decimal(value: str | None, where: str, default: str | None = None) -> Decimal:
    if value is None and default is None:
        raise Refused(f"{where} is missing")
    try:
        number = Decimal((value or default or "").replace("$", "").replace(",", "").strip())
    except InvalidOperation:
        raise Refused(f"{where}: “{value}” is not a number") from None
    if not number.is_finite() or not 0 <= number <= Decimal(10) ** 12:
        raise Refused(f"{where}: “{value}” must be at least 0 and of reasonable size")
    return number


def _whole(value: str, where: str, *, most: int) -> int:
    number = _decimal(value, where)
    if number != int(number) or not 1 <= number <= most:
        raise Refused(f"{where}: “{value[:40]}” must be a whole number from 1 to {most}")
    return int(number)


def _rate(value: str | None, where: str) -> Decimal:
    rate = _decimal(value, where, "0")
    if rate >= 1:
        raise Refused(f"{where}: “{value}” must be a share below 1, such as 0.03")
    return rate


def _money(value: str | None, where: str) -> int:
    return int((_decimal(value, f"{where}, price") * 100).to_integral_value())


def ratings(asked: Asked, scratch: Path) -> tuple[dict[str, list[Any]], Table]:
    """The ratings file: teacher, session (or term or day), score, and phase (A or B, 0 or 1) if it tells it."""
    found = table(
        asked, "ratings", scratch, labels=("teacher", "session", "term", "phase", "treated"), numbers=("score",)
    )
    for role in ("teacher", "score"):
        if role not in found.columns:
            raise Refused(f"{found.name} has no column for the {role}")
    when = next((role for role in ("session", "term") if role in found.columns), None)
    if when is None:
        raise Refused(f"{found.name} has no column for the session or the term of a rating")
    phase = next((role for role in ("phase", "treated") if role in found.columns), None)
    made: dict[str, list[Any]] = {"case": [], "session": [], "score": [], "phase": []}
    for row, (teacher, session, score, told) in found.rows("teacher", when, "score", phase or "phase"):
        if teacher is None or session is None:
            raise Refused(f"{found.name}, row {row}: the {'teacher' if teacher is None else when} is missing")
        if score is None or not np.isfinite(score):
            continue
        is_on = yes_or_no(told, f"{found.name}, row {row}, {phase}") if phase else None
        for name, value in (("case", teacher), ("session", session), ("score", score), ("phase", is_on)):
            made[name].append(value)
    if not made["case"]:
        raise Refused(f"{found.name} has no rating with a score")
    return made, found
