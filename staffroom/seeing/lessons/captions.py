"""Captions: what is said in a recording, as WebVTT that the owner brings. Read strictly, written anew, cut for clips.

Only times and text are kept: styles, regions and comments of the file are left out, so that what is served is ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from staffroom.seeing.lessons.clock import vtt_time

LARGEST_BYTES = 1_000_000
MOST_CUES = 20_000
_TIME = r"(?:(\d{2,}):)?([0-5]\d):([0-5]\d)\.(\d{3})"
_TIMING = re.compile(rf"{_TIME}[ \t]+-->[ \t]+{_TIME}(?:[ \t].*)?")
_LEFT_OUT = ("NOTE", "STYLE", "REGION")
_TAG = re.compile(r"<(?!/?[biu]>)[^>]*>")


@dataclass(frozen=True)
class Cue:
    """One caption: from when to when, and the words."""

    start_ms: int
    end_ms: int
    text: str


def read_captions(raw: bytes) -> list[Cue]:
    """Read a WebVTT file. Refuses (ValidationError), naming the line, whatever is none."""
    if len(raw) > LARGEST_BYTES:
        raise ValidationError(_("A file of captions has at most 1 MB."))
    try:
        text = raw.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError:
        raise ValidationError(_("The file is no text in UTF-8. Save it as WebVTT (.vtt) in UTF-8.")) from None
    head, _newline, body = text.partition("\n")
    if not re.fullmatch(r"WEBVTT([ \t].*)?", head) or "\0" in text:
        raise ValidationError(_("A WebVTT file begins with the word WEBVTT on its first line."))
    found: list[Cue] = []
    line = 2
    for block in re.split(r"\n(?=\n)", body):
        found += _cue_of(block, line)
        line += block.count("\n") + 1
    if not found:
        raise ValidationError(_("There is no caption in this file."))
    if len(found) > MOST_CUES:
        raise ValidationError(_("A file of captions has at most %(most)s captions.") % {"most": MOST_CUES})
    return sorted(found, key=lambda cue: (cue.start_ms, cue.end_ms))


def _cue_of(block: str, line: int) -> list[Cue]:
    """The caption in a block of lines; none in a comment, a style, or a block of the head."""
    lines = block.split("\n")
    at = next((n for n, each in enumerate(lines) if "-->" in each), None)
    if at is None or any(each.startswith(_LEFT_OUT) for each in lines[: at + 1]):
        return []
    timing = _TIMING.fullmatch(lines[at].strip())
    if timing is None:
        raise ValidationError(
            _("Line %(line)s is no time of a caption: write 00:04:10.000 --> 00:04:13.500."), params={"line": line + at}
        )
    start_ms, end_ms = _milliseconds(timing.groups()[:4]), _milliseconds(timing.groups()[4:])
    if end_ms <= start_ms:
        raise ValidationError(_("In line %(line)s a caption ends before it begins."), params={"line": line + at})
    text = _TAG.sub("", "\n".join(each for each in lines[at + 1 :] if each.strip()))
    return [Cue(start_ms, end_ms, text)] if text.strip() else []


def _milliseconds(parts: Iterable[str | None]) -> int:
    hours, minutes, seconds, rest = (int(part or 0) for part in parts)
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + rest


def written(cues: Iterable[Cue]) -> str:
    """As WebVTT."""
    blocks = (f"{vtt_time(cue.start_ms)} --> {vtt_time(cue.end_ms)}\n{cue.text}\n" for cue in cues)
    return "\n".join(["WEBVTT\n", *blocks])


def between(text: str, start_ms: int, end_ms: int) -> str:
    """The captions spoken within a range, in the time of its clip, which begins at 0; not one word from outside."""
    if not text:
        return written([])
    inside = (cue for cue in read_captions(text.encode()) if start_ms <= cue.start_ms < end_ms)
    return written(Cue(cue.start_ms - start_ms, min(cue.end_ms, end_ms) - start_ms, cue.text) for cue in inside)
