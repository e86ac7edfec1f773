"""Times as people write them: ``4:10``, ``1:02:03.250``, or plain seconds; kept as whole milliseconds."""

from __future__ import annotations

import re

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

_CLOCK = re.compile(r"(?:(?:(\d{1,2}):)?(\d{1,3}):)?(\d{1,6})(?:[.,](\d{1,3}))?")
LONGEST_MS = 24 * 3600 * 1000


def milliseconds(text: str) -> int:
    """Read a time; raises ValidationError in words."""
    found = _CLOCK.fullmatch(text.strip())
    if not found:
        raise ValidationError(_("Write a time as minutes and seconds, such as 4:10."))
    hours, minutes, seconds, fraction = found.groups(default="")
    if minutes and int(seconds) > 59:
        raise ValidationError(_("A minute has 60 seconds: write 4:10, not 3:70."))
    total = (int(hours or 0) * 3600 + int(minutes or 0) * 60 + int(seconds)) * 1000 + int(
        (fraction or "0").ljust(3, "0")
    )
    if total > LONGEST_MS:
        raise ValidationError(_("No lesson is that long."))
    return total


def clock(ms: int | None, *, exact: bool = False) -> str:
    """``4:10``; with ``exact`` also what is left of a second, where there is something left: ``4:10.250``."""
    if ms is None:
        return ""
    seconds, rest = divmod(ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    text = f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes:02}:{seconds:02}"
    return f"{text}.{rest:03}" if exact and rest else text


def vtt_time(ms: int) -> str:
    """As WebVTT wants it: ``00:04:10.000``."""
    seconds, rest = divmod(ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}.{rest:03}"


def seconds(ms: int) -> str:
    """Seconds as media fragments want them: ``250``, ``250.5``."""
    return f"{ms / 1000:.3f}".rstrip("0").rstrip(".")
