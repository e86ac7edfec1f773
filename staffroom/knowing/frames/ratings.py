"""Ratings of teaching in the lake, one by one: for sums over many teachers, never to be shown.

The lake holds no result of an instrument that evaluates staff (trust, rule 2), nor what coaches note of their teachers (rule 3).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow

RATINGS = ("teacher_key", "school_key", "term_begins_on", "value")


def ratings(path: str, instrument_key: str) -> pyarrow.Table:
    """Results of teachers themselves, one row each: RATINGS. `path`: of the organization to which all belong, `/1/4/`."""
    from staffroom.knowing.frames import ledgers

    results = ledgers._ledger("outcome")
    if results is None:
        return ledgers._nothing(RATINGS)
    found = results.filter(
        results.organization_path.startswith(path), results.instrument_key == instrument_key,
        results.subject == "teacher", results.teacher_key.notnull(),
    )  # fmt: skip
    named = found.mutate(school_key=found.school_key.fill_null(""))
    return ledgers._answer(named.order_by("key"), RATINGS)
