"""The forms of single values: addresses, times, durations, languages, numbers. Numbers in brackets are sections of xAPI-Data 1.0.3."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from staffroom.records.validation.checks import Found, refuse, string_like

# 4.3: an IRI has a scheme, and none of the characters that RFC 3987 leaves out.
_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\x00-\x20<>\"{}|\\^`\x7f]+")
_MAILTO = re.compile(r"mailto:[^\s@<>\"]+@[^\s@<>\"]+")
_SHA1 = re.compile(r"[0-9a-fA-F]{40}")
_SHA2 = re.compile(r"[0-9a-fA-F]{56}|[0-9a-fA-F]{64}|[0-9a-fA-F]{96}|[0-9a-fA-F]{128}")
# 2.4.1: variant 2 of RFC 4122, in its usual written form.
_UUID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}")
_VERSION_1 = re.compile(r"1\.0(\.[0-9]+([-+][0-9A-Za-z.-]+)?)?")
_VERSION_2 = re.compile(r"(?:1|2)\.0(\.[0-9]+([-+][0-9A-Za-z.-]+)?)?")
_MEDIA_TYPE = re.compile(r"[\w!#$&^.+-]+/[\w!#$&^.+-]+(\s*;\s*[\w!#$&^.+-]+=(\"[^\"]*\"|[\w!#$&^.+:-]+))*")
# 4.6: ISO 8601:2004, 4.4.3.2; weeks stand alone; the last part alone may have a fraction.
_DURATION = re.compile(
    r"P(?=\d|T\d)(?:\d+(?:[.,]\d+)?W|"
    r"(?:\d+(?:[.,]\d+(?=Y$))?Y)?(?:\d+(?:[.,]\d+(?=M$))?M)?(?:\d+(?:[.,]\d+(?=D$))?D)?"
    r"(?:T(?=\d)(?:\d+(?:[.,]\d+(?=H$))?H)?(?:\d+(?:[.,]\d+(?=M$))?M)?(?:\d+(?:[.,]\d+)?S)?)?)"
)
# 4.5: ISO 8601; RFC 3339 is recommended, an offset is not required, and "-00:00" (no known offset) is refused.
_TIMESTAMP = re.compile(
    r"(?P<date>\d{4}-\d{2}-\d{2})[Tt ](?P<time>\d{2}:\d{2}(:\d{2})?)(?P<fraction>[.,]\d+)?"
    r"(?P<zone>[Zz]|[+-]\d{2}(:?\d{2})?)?"
)
# RFC 5646, 2.1: the lengths of the parts; private use ("x-…") and the grandfathered "i-…" too.
_LANGUAGE = re.compile(
    r"(?:[A-Za-z]{2,3}(?:-[A-Za-z]{3}){0,3}|[A-Za-z]{4}|[A-Za-z]{5,8})(?:-[A-Za-z]{4})?(?:-(?:[A-Za-z]{2}|[0-9]{3}))?"
    r"(?:-(?:[A-Za-z0-9]{5,8}|[0-9][A-Za-z0-9]{3}))*(?:-[0-9A-WY-Za-wy-z](?:-[A-Za-z0-9]{2,8})+)*"
    r"(?:-[xX](?:-[A-Za-z0-9]{1,8})+)?|[xX](?:-[A-Za-z0-9]{1,8})+|[iI](?:-[A-Za-z0-9]{2,8})+"
)

iri = string_like(_IRI, "must be an IRI with a scheme (4.3)")
uuid = string_like(_UUID, "must be a UUID in its standard written form (4.4)")
mailto = string_like(_MAILTO, "must be “mailto:” and an e-mail address (2.4.2.3)")
sha1 = string_like(_SHA1, "must be a SHA-1 hash in 40 hexadecimal digits (2.4.2.3)")
sha2 = string_like(_SHA2, "must be a SHA-2 hash in hexadecimal digits (2.4.11)")
duration = string_like(_DURATION, "must be an ISO 8601 duration such as PT1H30M (4.6)")
version_1 = string_like(_VERSION_1, "must begin with “1.0.” (2.4.10)")
version_2 = string_like(_VERSION_2, "must begin with “2.0.” or “1.0.” (2.4.10)")
language = string_like(_LANGUAGE, "must be a language tag of RFC 5646 (4.2)")
media_type = string_like(_MEDIA_TYPE, "must be an internet media type (2.4.11)")

_NO_STRING = refuse("must be a string (2.2)")
_NO_FULL_STRING = refuse("must be a string that is not empty (2.2)")
_NO_BOOLEAN = refuse("must be true or false (2.2)")
_NO_NUMBER = refuse("must be a number (2.2)")
_NO_LENGTH = refuse("must be a whole number of bytes (2.4.11)")
_NO_TIMESTAMP = refuse("must be an ISO 8601 date and time such as 2026-09-01T08:30:00Z (4.5)")
_NO_OFFSET = refuse("must not have the offset -00:00 (4.5)")
_NO_SUCH_TIME = refuse("must be a date and time that exist (4.5)")


def string(value: Any) -> Found:
    return None if isinstance(value, str) else _NO_STRING


def full_string(value: Any) -> Found:
    return None if isinstance(value, str) and value else _NO_FULL_STRING


def boolean(value: Any) -> Found:
    return None if isinstance(value, bool) else _NO_BOOLEAN


def is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def number(value: Any) -> Found:
    return None if is_number(value) else _NO_NUMBER


def length(value: Any) -> Found:
    return None if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else _NO_LENGTH


def timestamp(value: Any) -> Found:
    return _read(value)[1] if isinstance(value, str) else _NO_TIMESTAMP


def moment(value: str) -> datetime | None:
    """The moment that a text names, if it is a timestamp of xAPI."""
    return _read(value)[0]


@lru_cache(4096)
def _read(value: str) -> tuple[datetime | None, Found]:
    """The moment of a timestamp, or what is wrong with it. Remembered: what is checked is wanted again as a column."""
    found = _TIMESTAMP.fullmatch(value)
    if not found:
        return None, _NO_TIMESTAMP
    zone = found["zone"] or ""
    if zone[:1] == "-" and not zone.strip("-0:"):
        return None, _NO_OFFSET
    moment = moment_of(found)
    return moment, None if moment is not None else _NO_SUCH_TIME


def moment_of(found: re.Match[str]) -> datetime | None:
    """The moment that a timestamp names, to the microsecond and naive if it has no offset; None if there is no such moment.

    A leap second counts as the second before it.
    """
    time, zone, fraction = found["time"], found["zone"] or "", found["fraction"] or ""
    full = time if time.count(":") == 2 else f"{time}:00"
    offset = "+00:00" if zone in ("Z", "z") else f"{zone}:00" if len(zone) == 3 else zone
    if full.endswith(":60"):
        full = f"{full[:-2]}59"
    part = f".{fraction[1:7]:0<6}" if fraction else ""
    try:
        moment = datetime.fromisoformat(f"{found['date']}T{full}{part}{offset}")
        if moment.tzinfo and moment.year in (1, 9999):
            moment.astimezone(UTC)  # the first and the last hours of the calendar have no moment in UTC
    except (ValueError, OverflowError):
        return None
    return moment
