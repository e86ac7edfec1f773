"""JSON as the doors take it: one value of RFC 8259 in UTF-8, no name twice in an object, no number beyond what a double holds.

Python's reader allows more (NaN, the last of two equal names, halves of surrogate pairs); orjson is several times as fast and
stricter, but lets the last of two equal names win. So orjson reads, and where a text could hide a doubled name the slow reader looks.
"""

from __future__ import annotations

import json
from typing import Any

import orjson

# A colon after a space, or an escape: what could make the counting below come out even in spite of a doubled name.
_TELLTALE = (b"\\u", b" :", b"\n:", b"\t:", b"\r:")


class NotJson(ValueError):
    """Why bytes are not JSON that can be taken, in words for whoever sent them."""


def read(body: bytes) -> Any:
    """The value that the bytes are. Raises NotJson."""
    try:
        value = orjson.loads(body)
        again = orjson.dumps(value)
    except (orjson.JSONDecodeError, orjson.JSONEncodeError) as error:
        raise NotJson(f"The body is not JSON that can be read: {error}.") from None
    # Written anew, the value has as many `":` as the text, unless a doubled name was dropped.
    if body.count(b'":') != again.count(b'":') or any(sign in body for sign in _TELLTALE):
        _read_slowly(body)
    return value


def write(value: Any) -> bytes:
    """The shortest JSON of a value."""
    return orjson.dumps(value)


def _read_slowly(body: bytes) -> None:
    try:
        value = json.loads(body, object_pairs_hook=_no_name_twice)
    except NotJson:
        raise
    except (ValueError, RecursionError) as error:
        raise NotJson(f"The body is not JSON that can be read: {error}.") from None
    if b"\\u0000" in body and _has_nul(value):
        raise NotJson("A text holds the character NUL.")


def _no_name_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        names = [name for name, _value in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise NotJson(f"The name “{twice[:80]}” stands twice in one object.")
    return made


def _has_nul(value: Any) -> bool:
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, str) and "\x00" in each:
            return True
        if isinstance(each, dict):
            waiting += each.keys()
            waiting += each.values()
        elif isinstance(each, list):
            waiting += each
    return False


def read_trusted(body: str | bytes) -> Any:
    """What was written here."""
    return orjson.loads(body)
