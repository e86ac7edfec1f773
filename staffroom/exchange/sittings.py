"""How long somebody was at it on a day, told by what a tool wrote: plain arithmetic, which knows no ledger.

Every minute counts once: time that two entries both tell is the same time.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta


def told_s(spans: Iterable[tuple[datetime, int]]) -> int:
    """Seconds that lie in any of some spans, each given by its end and its length.

    A course that tells 40 minutes as it is completed and 41 as it is left, a minute later, lasted 41 minutes.
    """
    seconds = 0.0
    reached: datetime | None = None
    for begin, end in sorted((at - timedelta(seconds=length), at) for at, length in spans):
        start = begin if reached is None else max(begin, reached)
        if end > start:
            seconds += (end - start).total_seconds()
            reached = end
    return round(seconds)


def sitting_s(moments: Iterable[datetime], *, pause_s: int, least_s: int) -> int:
    """Seconds of the sittings that some moments make: from the first to the last of each, and no sitting shorter than `least_s`.

    A new sitting begins after more than `pause_s` without anything.
    """
    ordered = sorted(moments)
    if not ordered:
        return 0
    seconds = 0.0
    first = last = ordered[0]
    for each in ordered[1:]:
        if (each - last).total_seconds() > pause_s:
            seconds += max((last - first).total_seconds(), least_s)
            first = each
        last = each
    return round(seconds + max((last - first).total_seconds(), least_s))


def capped(seconds: int, most_s: int | None) -> int:
    return seconds if most_s is None else min(seconds, most_s)
