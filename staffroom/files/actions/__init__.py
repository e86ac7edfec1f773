"""Deeds with files: take bytes in while they arrive, look at what arrived, make others from it, remove all of it."""

from staffroom.files.actions.arrivals import (
    UploadRefused,
    Why,
    begin_upload,
    cancel_upload,
    clear_uploads,
    finish_upload,
    receive,
)
from staffroom.files.actions.making import derive, fail, make
from staffroom.files.actions.taking import look_again, look_at, look_failed, look_later, remove, take_in

__all__ = [
    "UploadRefused",
    "Why",
    "begin_upload",
    "cancel_upload",
    "clear_uploads",
    "derive",
    "fail",
    "finish_upload",
    "look_again",
    "look_at",
    "look_failed",
    "look_later",
    "make",
    "receive",
    "remove",
    "take_in",
]
