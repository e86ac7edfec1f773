"""Terms in order of time, however a file writes them: years, numbers, dates, or names such as “Fall 2024” and “2023-24 Spring”.

Numbers that run without odd gaps keep their values; everything else is numbered from 0 in order of time, and told by its own name.
What has no order of its own is refused, with the way to give one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise

from staffroom.knowing.studies import Refused

WIDEST_GAP = 4
"""As `measure` has it: more numbers than this per term that occurs are a mistake, or codes such as 202401."""
SEASONS = {"winter": 0, "spring": 1, "summer": 2, "fall": 3, "autumn": 3}
WITHIN_SCHOOL_YEAR = {"fall": 0, "autumn": 0, "winter": 1, "spring": 2, "summer": 3}
SCHOOL_YEAR = re.compile(r"\b(\d{4})\s*[-/–]\s*(\d{4}|\d{2})\b")
YEAR = re.compile(r"(?<!\d)(\d{4})(?!\d)")
NUMBER = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Terms:
    """Terms that occur, each with its number in time."""

    number: Mapping[str, int]
    """By name, as it stands in the file."""
    kind: str
    """'numbers', 'dates', 'names' or 'given'."""
    keys: Mapping[str, object]
    """By name: what the order was told by (an int, a date, a tuple)."""

    def name(self, number: int) -> str:
        """The name of a term by its number; numbers between terms that occur are told as they are."""
        for name, found in self.number.items():
            if found == number:
                return name
        return str(number)


def in_order(names: Sequence[str], *, told: Sequence[object] = (), file: str = "", column: str = "term") -> Terms:
    """The terms that occur in a file, in order. `told`: their order, as the study gives it. Raises Refused."""
    if told:
        return _as_told(names, [str(term) for term in told], file, column)
    if not names:
        return Terms({}, "numbers", {})
    numbers: dict[str, int] = _all(names, _whole)
    if numbers:
        return _numbered(numbers)
    dates: dict[str, date] = _all(names, _date)
    if dates:
        return _ranked(dates, "dates")
    named: dict[str, tuple[int, int]] = _all(names, _named)
    if len({bool(SCHOOL_YEAR.search(name)) for name in names}) > 1:
        named = {}
    named = named or _one_number_apart(names)
    if named and len(set(named.values())) == len(names):
        return _ranked(named, "names")
    listed = ", ".join(f"“{name}”" for name in list(names)[:4])
    raise Refused(
        f"{file}, column {column}: the order of the terms {listed} is not known; list them in order under [study] terms"
    )


def place(terms: Terms, name: str) -> int | None:
    """The number of a term that may not occur among the outcomes (someone's first term); None if it has no place."""
    if name in terms.number:
        return terms.number[name]
    if terms.kind == "numbers":
        found = _whole(name)
        if found is None:
            return None
        if found < min(0, *(int(str(key)) for key in terms.keys.values())):
            return None
        exact = {key: terms.number[label] for label, key in terms.keys.items()}
        return exact[found] if found in exact else _between(terms, found)
    if terms.kind == "dates":
        day = _date(name)
        return None if day is None else _holding(terms, day)
    if terms.kind == "names":
        key = _named(name)
        matched = type(next(iter(terms.keys.values()), None)) is type(key)
        return _between(terms, key) if key is not None and matched else None
    return None


def _as_told(names: Sequence[str], told: list[str], file: str, column: str) -> Terms:
    if len(set(told)) < len(told):
        raise Refused("[study] terms lists a term twice")
    for name in names:
        if name not in told:
            raise Refused(f"{file}, column {column}: the term “{name}” is not among those that [study] terms lists")
    return Terms({name: place for place, name in enumerate(told)}, "given", {name: i for i, name in enumerate(told)})


def _all[Key](names: Sequence[str], read: object) -> dict[str, Key]:
    found: dict[str, Key] = {}
    for name in names:
        key = read(name)  # type: ignore[operator]
        if key is None:
            return {}
        found[name] = key
    return found


def _whole(name: str) -> int | None:
    text = name.strip()
    if re.fullmatch(r"[+-]?\d{1,15}(\.0+)?", text):
        return int(text.split(".")[0])
    return None


def _date(name: str) -> date | None:
    text = name.strip()
    if not re.match(r"\d{4}-\d{2}-\d{2}", text):
        return None
    try:
        return datetime.fromisoformat(text).date()
    except ValueError:
        return None


def _named(name: str) -> tuple[int, int] | None:
    """A year and a season of it: of a school year (Fall first), else of the calendar's (Winter first)."""
    season = next((word for word in SEASONS if word in name.lower()), None)
    if found := SCHOOL_YEAR.search(name):
        return int(found[1]) * 10, 0 if season is None else WITHIN_SCHOOL_YEAR[season]
    if found := YEAR.search(name):
        if season is None and len(NUMBER.findall(name)) > 1:
            rest = [int(number) for number in NUMBER.findall(name.replace(found[1], "", 1))]
            return int(found[1]) * 10, rest[0] if len(rest) == 1 else -1
        return int(found[1]) * 10, 0 if season is None else SEASONS[season]
    return None


def _one_number_apart(names: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Names that are alike but for one number: “Term 1”, “Term 2”, “Term 10”."""
    found = {name: NUMBER.findall(name) for name in names}
    if len({NUMBER.sub("#", name) for name in names}) == 1 and all(len(numbers) == 1 for numbers in found.values()):
        return {name: (int(numbers[0]), 0) for name, numbers in found.items()}
    return {}


def _numbered(numbers: dict[str, int]) -> Terms:
    values = sorted(set(numbers.values()))
    steps = {after - before for before, after in pairwise(values)}
    keeps = (
        values[0] >= 0 and values[-1] - values[0] + 1 <= WIDEST_GAP * len(values) and (len(steps) != 1 or 1 in steps)
    )
    rank = {value: value if keeps else place for place, value in enumerate(values)}
    return Terms({name: rank[value] for name, value in numbers.items()}, "numbers", dict(numbers))


def _ranked(keys: Mapping[str, object], kind: str) -> Terms:
    order = sorted(set(keys.values()))  # type: ignore[type-var]
    return Terms({name: order.index(key) for name, key in keys.items()}, kind, dict(keys))


def _between(terms: Terms, key: object) -> int | None:
    """A term that does not occur: with numbers kept, itself; else the next that occurs, or one past the last."""
    if terms.kind == "numbers" and all(terms.number[name] == value for name, value in terms.keys.items()):
        return max(int(key), 0)  # type: ignore[call-overload, no-any-return]
    later = [terms.number[name] for name, known in terms.keys.items() if known >= key]  # type: ignore[operator]
    return min(later, default=max(terms.number.values()) + 1)


def _holding(terms: Terms, day: date) -> int:
    """The term in which a day lies: the last that began by then."""
    earlier = [terms.number[name] for name, began in terms.keys.items() if began <= day]  # type: ignore[operator]
    return max(earlier, default=0)
