"""Adding up who took part in an activity, for how long, and what it cost. Plain arithmetic on what `frames` answers.

What comes out is kept and shown: small numbers are already left out of it (None).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from staffroom.knowing.impact.hiding import hidden_lines, is_small, shown
from staffroom.people.models import Role
from staffroom.records import money

if TYPE_CHECKING:
    import pyarrow

TEACHER = Role.TEACHER.value


@dataclass(frozen=True)
class Stretch:
    """A term as a page names it; two districts' terms that begin on one day are one."""

    name: str
    begins_on: date
    ends_on: date


@dataclass
class Uptake:
    """Who took part: per teacher the first day, and the seconds by term (None: between terms). Others as seconds only."""

    first_on: dict[str, date] = field(default_factory=dict)
    seconds: dict[str, dict[date | None, int]] = field(default_factory=dict)
    others: dict[str, int] = field(default_factory=dict)

    def teacher_seconds(self, until: date | None = None) -> dict[str, int]:
        """Seconds per teacher; with `until` only in terms that had begun by then."""
        return {
            teacher: sum(part for begins, part in parts.items() if until is None or (begins and begins <= until))
            for teacher, parts in self.seconds.items()
        }


def terms_with_outcomes(terms: Mapping[int, Stretch], days: Any) -> list[Stretch]:
    """The terms in which there are results, in order; of several that begin on a day the one that ends last."""
    ends: dict[date, Stretch] = {}
    for term in terms.values():
        known = ends.get(term.begins_on)
        if known is None or term.ends_on > known.ends_on:
            ends[term.begins_on] = term
    return [ends.get(day, Stretch(day.isoformat(), day, day)) for day in sorted(set(days.to_pylist()))]


def read_uptake(rows: pyarrow.Table, terms: Mapping[int, Stretch]) -> Uptake:
    """The rows of `frames.participation`, put together by person."""
    found = Uptake()
    for row in rows.to_pylist():
        who = row["actor_key"]
        if row["role"] != TEACHER:
            found.others[who] = found.others.get(who, 0) + row["seconds"]
            continue
        day = _day(row["first_at"])
        found.first_on[who] = min(day, found.first_on.get(who, day))
        term = terms.get(row["term_id"])
        parts = found.seconds.setdefault(who, {})
        begins = term.begins_on if term else None
        parts[begins] = parts.get(begins, 0) + row["seconds"]
    return found


def _day(moment: datetime) -> date:
    return timezone.localdate(moment)


def add_up(uptake: Uptake, costs: pyarrow.Table, terms: Iterable[Stretch], teachers_now: set[str]) -> dict[str, Any]:
    """Everything that a tally says, ready for JSON. `teachers_now`: keys of those who teach there today."""
    teachers = len(uptake.first_on)
    seconds = sum(uptake.teacher_seconds().values())
    is_hidden = is_small(teachers)
    priced = _costs(costs, teachers)
    hours = None if is_hidden else round(seconds / 3600, 2)
    return {
        "teachers": shown(teachers),
        "hours": hours,
        "hours_per_teacher": round(seconds / 3600 / teachers, 2) if teachers and not is_hidden else None,
        **_share(set(uptake.first_on), teachers_now),
        **_others(uptake),
        "by_term": _by_term(uptake, terms),
        "costs": priced,
        "hours_without_price": _without_price(uptake, seconds, costs),
    }


def _share(teachers: set[str], teachers_now: set[str]) -> dict[str, Any]:
    """Which share of today's teachers took part; nothing where that would tell of a few who did or did not."""
    those, all_now = len(teachers & teachers_now), len(teachers_now)
    tells = not all_now or is_small(those) or is_small(all_now - those) or is_small(all_now)
    return {"teachers_now": None if tells else all_now, "share": None if tells else round(those / all_now, 4)}


def _others(uptake: Uptake) -> dict[str, Any]:
    people = len(uptake.others)
    hours = round(sum(uptake.others.values()) / 3600, 2)
    return {"others": shown(people), "others_hours": None if is_small(people) else hours}


def _by_term(uptake: Uptake, terms: Iterable[Stretch]) -> list[dict[str, Any]]:
    """Teachers and hours of each term from the first one in which anybody took part; last what lies between terms."""
    people: defaultdict[date | None, int] = defaultdict(int)
    seconds: defaultdict[date | None, int] = defaultdict(int)
    for parts in uptake.seconds.values():
        for begins, part in parts.items():
            people[begins] += 1
            seconds[begins] += part
    by_day: dict[date | None, Stretch] = {
        term.begins_on: term for term in sorted(terms, key=lambda each: each.begins_on)
    }
    taken = [begins for begins in people if begins is not None]
    days: list[date | None] = [day for day in by_day if day and taken and min(taken) <= day <= max(taken)]
    days += [None] if None in people else []
    hidden = hidden_lines([people[day] for day in days])
    return [
        {
            "name": by_day[day].name if day in by_day else "",
            "begins_on": day.isoformat() if day else None,
            "teachers": None if hide else people[day],
            "hours": None if hide else round(seconds[day] / 3600, 2),
        }
        for day, hide in zip(days, hidden, strict=True)
    ]


# --- Costs ---------------------------------------------------------------------------------------------------------------------


def _costs(rows: pyarrow.Table, teachers: int) -> dict[str, Any]:
    """Ingredients by kind and role in cents. People's time is put together where few of a role stand behind it."""
    lines = [_line(row) for row in rows.to_pylist()]
    if any(is_small(line["persons"]) for line in lines):
        lines = _together(lines)
    lines.sort(key=lambda line: (line["is_business_as_usual"], line["kind"], line["role"]))
    is_hidden = any(is_small(line["persons"]) for line in lines)
    usual = sum(line["amount"] for line in lines if line["is_business_as_usual"])
    total = sum(line["amount"] for line in lines if not line["is_business_as_usual"])
    years = [year for row in rows.to_pylist() for year in (row["first_year"], row["last_year"])]
    return {
        "lines": [{**line, "amount": None} if is_small(line["persons"]) else line for line in lines],
        "total": None if is_hidden else total,
        "business_as_usual": None if is_hidden else usual,
        "net": None if is_hidden else total - usual,
        "per_teacher": None
        if is_hidden or is_small(teachers) or not lines
        else money.share_cents(total - usual, teachers),
        "first_year": min(years, default=None),
        "last_year": max(years, default=None),
    }


def _line(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "kind": row["kind"], "role": row["role"], "is_business_as_usual": bool(row["is_business_as_usual"]),
        "amount": int(row["amount_usd_cents"]), "lines": row["lines"], "persons": row["persons"],
    }  # fmt: skip


def _together(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same with one line for the time of all roles; of how many people is at least the most in any one role."""
    kept = [line for line in lines if not line["persons"]]
    for is_usual in (False, True):
        of_people = [line for line in lines if line["persons"] and line["is_business_as_usual"] == is_usual]
        if of_people:
            kept.append({
                "kind": of_people[0]["kind"], "role": "", "is_business_as_usual": is_usual,
                "amount": sum(line["amount"] for line in of_people), "lines": sum(line["lines"] for line in of_people),
                "persons": max(line["persons"] for line in of_people),
            })  # fmt: skip
    return kept


def _without_price(uptake: Uptake, teacher_seconds: int, costs: pyarrow.Table) -> float | None:
    """Hours that nobody has priced yet, since the price list lacks a wage; None where that would tell of a few people."""
    if is_small(len(uptake.first_on)) or is_small(len(uptake.others)):
        return None
    priced = sum(float(row["hours_priced"] or 0) for row in costs.to_pylist())
    left = (teacher_seconds + sum(uptake.others.values())) / 3600 - priced
    return round(left, 1) if left > 0.5 else 0.0
