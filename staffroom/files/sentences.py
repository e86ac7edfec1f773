"""Why a file was refused, in words for the person who brought it: what happened, what to do."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

SENTENCES = {
    "empty": gettext_lazy("The file is empty."),
    "unknown_kind": gettext_lazy(
        "This is no kind of file that Staffroom knows. Videos can be MP4, MOV or WebM, sound M4A, MP3, WAV or OGG."
    ),
    "wrong_kind": gettext_lazy("This kind of file cannot be used here."),
    "unreadable": gettext_lazy("The file is damaged and cannot be read. Play it on your device, and upload it again."),
    "cut_before_index": gettext_lazy(
        "The recording breaks off before its table of contents was written, so it cannot be played. "
        "If it plays on your phone, upload it again from there."
    ),
    "cannot_decode": gettext_lazy("Neither picture nor sound of this file can be decoded."),
    "no_picture_no_sound": gettext_lazy("The file holds neither picture nor sound."),
    "no_picture": gettext_lazy("The recording has no picture."),
    "no_sound": gettext_lazy("The recording has no sound."),
    "too_many_streams": gettext_lazy("The file holds %(count)s streams; at most %(most)s can be used."),
    "too_many_pixels": gettext_lazy("The picture is too large to be used."),
    "too_long": gettext_lazy("The recording is longer than %(hours)s hours. Cut it into parts."),
    "image_broken": gettext_lazy("The picture is damaged and cannot be read."),
    "image_unsupported": gettext_lazy("HEIC and AVIF pictures cannot be used. Save the picture as JPEG."),
    "archive_broken": gettext_lazy("The archive is damaged and cannot be read."),
    "archive_too_many": gettext_lazy("The archive holds %(count)s files; at most %(most)s can be used."),
    "archive_too_large": gettext_lazy("Unpacked, the archive would be too large."),
    "archive_bomb": gettext_lazy("The archive is made to become very large when unpacked, and was not opened."),
    "archive_paths": gettext_lazy("The archive holds files that point outside of it, and was not opened."),
    "archive_password": gettext_lazy("The archive has a password. Pack it without one."),
    "clip_empty": gettext_lazy("There is neither picture nor sound in this range."),
    "crashed": gettext_lazy("The file could not be looked at: it makes the program that reads it stop."),
    "bytes_missing": gettext_lazy("The bytes of this file are missing."),
}


def refusal(code: str, details: dict[str, Any] | None = None) -> str:
    """The sentence of a code, filled in; an unknown code gives the plainest sentence."""
    sentence = SENTENCES.get(code, SENTENCES["unreadable"])
    return str(sentence) % (details or {})


def out_of_room() -> str:
    return _("The disk is full. Nothing is lost; it will be tried again.")
