"""Columns as the mathematics takes them: marks as 0 and 1, labels as text, first terms as numbers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from staffroom.knowing.studies import Refused, gathering, joining
from staffroom.knowing.studies import terms as order
from staffroom.knowing.studies.asking import Asked
from staffroom.knowing.studies.gathering import Floats, Gathered, Ints
from staffroom.measure.question import NEVER

NEVER_WORDS = ("", "never", "inf", "+inf", "infinity", "nan", "none", "na")


def labels(gathered: Gathered, role: str) -> NDArray[Any] | None:
    if role not in gathered.least:
        return None
    values = gathered.per_teacher(role)
    return np.array([gathering.label(value) for value in values.tolist()], dtype=np.str_)


def marks(gathered: Gathered, values: NDArray[Any], role: str, *, missing: float) -> Floats:
    where = f"{gathered.readable.name}, column {gathered.asked.columns[role]}"
    names, code = np.unique(values, return_inverse=True)
    told = [
        joining.yes_or_no(None if name in ("", "nan") else name, where) for name in map(gathering.label, names.tolist())
    ]
    return np.array([missing if one is None else float(one) for one in told])[code]


def first_terms(gathered: Gathered, values: Iterable[Any], notes: list[str], file: str) -> Ints:
    """(I,) numbers of first terms; NEVER where the label says so or lies past the last term."""
    asked, terms = gathered.asked, gathered.terms
    told = {gathering.label(one) for one in asked.study.get("never", ())}
    last = int(gathered.cells.terms[-1])
    values = values.tolist() if isinstance(values, np.ndarray) else list(values)
    # Many teachers, few terms: each different value is turned into a name once.
    named = {value: gathering.label(value) for value in set(values)}
    known: dict[str, int] = {}
    for name in set(named.values()):
        known[name] = NEVER if _is_never(name, told, gathered) else placed(terms, name, file, asked)
    first = np.array([known[named[value]] for value in values], dtype=np.int64)
    late = int((first > last).sum())
    if late:
        notes.append(
            f"{file}: {late} teachers first take part after the last term with outcomes; they count as comparison."
        )
    return np.where(first > last, NEVER, first)


def _is_never(name: str, told: set[str], gathered: Gathered) -> bool:
    if name.casefold() in NEVER_WORDS or name in told:
        return True
    return (
        name in ("0", "0.0")
        and "0" not in gathered.terms.number
        and int(gathered.cells.terms[0]) >= 0
        and not _has_zero(gathered)
    )


def _has_zero(gathered: Gathered) -> bool:
    """Whether 0 lies among or after the terms, as with -2, -1, 1, 2: then it is no mark for never."""
    return gathered.terms.kind == "numbers" and min(map(int, map(str, gathered.terms.keys.values()))) <= 0


def placed(terms: order.Terms, name: str, file: str, asked: Asked) -> int:
    place = order.place(terms, name)
    if place is None:
        listed = ", ".join(list(terms.number)[:6])
        hint = "; say under [study] never which values mean never" if "first_treated" in asked.columns else ""
        raise Refused(f"{file}: the first term “{name}” is not one of the terms of the outcomes ({listed}){hint}")
    return place


def told_term(gathered: Gathered, name: str) -> int | None:
    """The term that [study] since or until names; None if it does not."""
    told = gathered.asked.study.get(name)
    where = f"{gathered.asked.file}, [study] {name}"
    return None if told is None else placed(gathered.terms, told, where, gathered.asked)
