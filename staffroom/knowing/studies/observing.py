"""Ratings of teaching beside outcomes: the file that `[data] ratings` names, where it has a column of ratings.

Rows: teacher, term, rating, and as far as they are known rater (who observed) and measure (of what; several may stand in one
file). A file with scores, sessions and phases instead holds single cases (`joining.ratings`).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from staffroom.knowing.studies import Refused, joining, reading

if TYPE_CHECKING:
    from staffroom.knowing.studies.asking import Asked
    from staffroom.knowing.studies.gathering import Gathered
    from staffroom.measure.raters import Ratings

MOST_MEASURES = 20
UNNAMED = "Ratings"


def are_observations(asked: Asked) -> bool:
    """Whether the ratings are observations of practice, to stand beside outcomes, and not single cases."""
    if "ratings" not in asked.data:
        return False
    names = set(reading.columns_of(asked.data["ratings"])[0])
    return bool({asked.columns.get("rating", "rating"), "rating"} & names)


def observed(asked: Asked, scratch: Path, gathered: Gathered | None) -> tuple[list[tuple[str, Ratings]], str]:
    """Each measure's name and ratings, and the file's digest. Raises Refused that names the row."""
    if gathered is None:
        raise Refused(f"{asked.file}: [data] ratings with a column of ratings stand beside outcomes; name those too")
    found = joining.table(
        asked, "ratings", scratch, labels=("teacher", "term", "rater", "measure"), numbers=("rating",)
    )
    for role in ("teacher", "term", "rating"):
        if role not in found.columns:
            raise Refused(f"{found.name} has no column for the {role}")
    rows: dict[str, list[tuple[str, str, float, str]]] = {}
    for row, (teacher, term, rating, rater, measure) in found.rows("teacher", "term", "rating", "rater", "measure"):
        if rating is None or not np.isfinite(rating):
            continue
        for role, value in (("teacher", teacher), ("term", term), ("rater", rater)):
            if value is None and (role != "rater" or "rater" in found.columns):
                raise Refused(f"{found.name}, row {row}: the {role} is missing")
        rows.setdefault(measure or UNNAMED, []).append((teacher, term, float(rating), rater or ""))
    if not rows:
        raise Refused(f"{found.name} has no row with a rating")
    if len(rows) > MOST_MEASURES:
        raise Refused(f"{found.name} has {len(rows)} measures; at most {MOST_MEASURES} can stand beside an outcome")
    return [(name, _ratings(each, gathered, found)) for name, each in rows.items()], found.digest


def _ratings(rows: list[tuple[str, str, float, str]], gathered: Gathered, found: joining.Table) -> Ratings:
    """Terms that the outcomes do not have get a number of their own, and are left out and told later."""
    from staffroom.measure.raters import Ratings

    teacher, term, value, rater = zip(*rows, strict=True)
    known = gathered.terms.number
    elsewhere = max(known.values()) + 1
    return Ratings(
        teacher=np.array(teacher, dtype=np.str_),
        term=np.array([known.get(each, elsewhere) for each in term], dtype=np.int64),
        value=np.array(value, dtype=np.float64),
        rater=np.array(rater, dtype=np.str_) if "rater" in found.columns else None,
    )


def printed(one: Mapping[str, Any]) -> list[str]:
    """What is said of practice at a terminal: a sentence or more for each measure."""
    told = []
    for each in one.get("mechanism") or ():
        n = each["n"]
        told.append(
            f"{' '.join(each['sentence'])} ({each['name']}: {n['teachers']} teachers, {n['results']} ratings, "
            f"tier {each['tier']} of 4; as an association over schools tier {each['link']['tier']}.)"
        )
        told += each["warnings"]
    return told
