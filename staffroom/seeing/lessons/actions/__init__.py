"""The deeds of lessons. Everything that pages, API, tasks and demo may do is named here."""

from staffroom.seeing.lessons.actions.clips import (
    make_clip,
    open_clip,
    remove_clip,
    reply,
    retract_clip,
    retract_leaving,
    set_aside_ended,
    share_clip,
)
from staffroom.seeing.lessons.actions.lessons import (
    attach_file,
    attach_upload,
    begin_lesson,
    caption_lesson,
    change_lesson,
    delete_lesson,
    download_original,
    follow_file,
    keep_what_arrived,
    open_by_glass,
    reflect,
)
from staffroom.seeing.lessons.actions.moments import edit_moment, note_moment, remove_moment
from staffroom.seeing.lessons.actions.sittings import close_sittings, close_sittings_of, sit

__all__ = [
    "attach_file",
    "attach_upload",
    "begin_lesson",
    "caption_lesson",
    "change_lesson",
    "close_sittings",
    "close_sittings_of",
    "delete_lesson",
    "download_original",
    "edit_moment",
    "follow_file",
    "keep_what_arrived",
    "make_clip",
    "note_moment",
    "open_by_glass",
    "open_clip",
    "reflect",
    "remove_clip",
    "remove_moment",
    "reply",
    "retract_clip",
    "retract_leaving",
    "set_aside_ended",
    "share_clip",
    "sit",
]
