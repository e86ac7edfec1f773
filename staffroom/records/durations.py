"""ISO 8601 durations as xAPI writes them, in seconds."""

from __future__ import annotations

import re
from functools import lru_cache

_PARTS = re.compile(
    r"P(?:([\d.,]+)Y)?(?:([\d.,]+)M)?(?:([\d.,]+)W)?(?:([\d.,]+)D)?(?:T(?:([\d.,]+)H)?(?:([\d.,]+)M)?(?:([\d.,]+)S)?)?"
)
# A year and a month are those of the mean calendar (365.2425 days): nobody who means minutes writes them.
_SECONDS = (31_556_952.0, 2_629_746.0, 604_800.0, 86_400.0, 3_600.0, 60.0, 1.0)


@lru_cache(4096)
def seconds_of(duration: str) -> float | None:
    """How many seconds a duration lasts; None if it is none.

    >>> seconds_of("PT1H15M30.5S")
    4530.5
    """
    found = _PARTS.fullmatch(duration)
    if not found or not any(found.groups()):
        return None
    try:
        return sum(
            float(part.replace(",", ".")) * each for part, each in zip(found.groups(), _SECONDS, strict=True) if part
        )
    except ValueError:
        return None
