"""How large things may be before they are refused, and the two ways in which work on a file ends badly."""

from __future__ import annotations

from typing import Any

STREAMS = 16
VIDEO_PIXELS = 7680 * 4320
SIDE = 16384
IMAGE_PIXELS = 64_000_000
DURATION_S = 12 * 3600
ARCHIVE_ENTRIES = 20_000
ARCHIVE_BYTES = 4 * 1024**3
ARCHIVE_RATIO = 200
TABLE_LINE = 1_000_000


class Refused(Exception):
    """The file cannot be used, and will not be usable when tried again. ``code`` names the sentence that says why."""

    def __init__(self, code: str, **details: Any) -> None:
        super().__init__(code)
        self.code = code
        self.details = details


class OutOfRoom(Exception):
    """The disk, or the room given to this work, is full. Nothing is lost; trying later may do."""


class Failed(Exception):
    """The work broke off: killed, out of time or memory. Trying again may do."""
