"""How notes, and clips, stand in their lists: written in Python, since a lesson has dozens and a template takes a millisecond for each.

To answer is a part that comes when it is asked for; without JavaScript it is a link to a page of its own. Notes are removed by the one
form `note-deeds` of the list.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any

from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from staffroom.conversations.models import Comment
from staffroom.conversations.templatetags.conversations import said
from staffroom.people.models import Person
from staffroom.seeing.lessons.clock import clock
from staffroom.seeing.lessons.listing import OwnClipRow
from staffroom.seeing.lessons.models import Clip, Moment
from staffroom.ui.addresses import address
from staffroom.ui.components.marks import avatar, chip
from staffroom.ui.elements import element, join, shown
from staffroom.ui.icons import icon, shapes

KIND_ICONS = {
    Moment.Kind.NOTE: "message-square-text",
    Moment.Kind.QUESTION: "circle-question-mark",
    Moment.Kind.SUGGESTION: "lightbulb",
    Moment.Kind.STRENGTH: "sparkles",
}
KIND_TONES = {
    Moment.Kind.NOTE: "",
    Moment.Kind.QUESTION: "replicability",
    Moment.Kind.SUGGESTION: "efficiency",
    Moment.Kind.STRENGTH: "good",
}


class Noted:
    """The notes of one page, for one who reads them there."""

    def __init__(self, viewer: Person, clip: Clip | None, is_owner: bool, csrf_token: str) -> None:
        self.viewer, self.clip, self.is_owner, self.csrf_token = viewer, clip, is_owner, csrf_token
        self._authors: dict[int | None, SafeString] = {}
        self._kinds: dict[str, SafeString] = {}

    def rows(self, rows: Iterable[tuple[Moment, list[Comment]]]) -> SafeString:
        each = "".join(self._row(moment, comments) for moment, comments in rows)
        return SafeString(f'{shapes(*KIND_ICONS.values())}<ul class="notes-list">{each}</ul>')

    def _row(self, moment: Moment, comments: list[Comment]) -> str:
        avatar_shown, name = self._author_of(moment)
        until = f"–{clock(moment.end_ms)}" if moment.end_ms else ""
        return (
            f'<li class="moment" id="moment-{moment.key}">{avatar_shown}<div class="moment-text">'
            f'<p class="row row-base"><strong>{name}</strong> '
            f'<button class="time" data-seek-ms="{moment.start_ms}">{clock(moment.start_ms)}{until}</button> '
            f'{self._kind_of(moment)}</p><div class="said">{said(moment.text)}</div>'
            f"{self._where(moment)}{self._thread(comments)}{self._deeds(moment)}</div></li>"
        )

    def _author_of(self, moment: Moment) -> tuple[SafeString, str]:
        if moment.author_id not in self._authors:
            name = moment.author.full_name if moment.author else ""
            self._authors[moment.author_id] = avatar(name or "?", size="s")
        if moment.author_id == self.viewer.pk:
            return self._authors[moment.author_id], self._words["you"]
        name = moment.author.full_name if moment.author else ""
        return self._authors[moment.author_id], shown(name or _("somebody erased"))

    def _kind_of(self, moment: Moment) -> SafeString:
        if moment.kind not in self._kinds:
            kind = Moment.Kind(moment.kind)
            self._kinds[moment.kind] = chip(
                capfirst(kind.label), tone=KIND_TONES[kind], icon=KIND_ICONS[kind], again=True
            )
        return self._kinds[moment.kind]

    def _where(self, moment: Moment) -> str:
        """The tag; for the owner the clip it was noted in; whether it was changed."""
        tag = ""
        if moment.element:
            tag = element("p", join(icon("tag"), element("span", moment.element)), class_="row small quiet")
        parts = []
        if self.clip is None and moment.clip is not None:
            link = element("a", moment.clip.title, href=moment.clip.get_absolute_url())
            parts.append(SafeString(_("in the clip %(clip)s") % {"clip": link}))
        if moment.edited_at:
            parts.append(SafeString(shown(_("changed"))))
        return tag + (element("p", SafeString(" ".join(parts)), class_="small quiet") if parts else "")

    def _thread(self, comments: list[Comment]) -> str:
        if not comments:
            return ""
        words = {"user": self.viewer, "csrf_token": self.csrf_token}
        each = (render_to_string("conversations/comment.html", {**words, "comment": comment}) for comment in comments)
        return f'<ul class="thread">{"".join(each)}</ul>'

    def _deeds(self, moment: Moment) -> str:
        words, reply = self._words, address("clips:reply", moment.key)
        deeds = (
            f'<details data-asks><summary>{words["reply"]}</summary><a href="{reply}">{words["write"]}</a></details>'
        )
        if moment.author_id == self.viewer.pk:
            deeds += f' <a href="{address("clips:change_moment", moment.key)}">{words["change"]}</a>'
        if self.is_owner or moment.author_id == self.viewer.pk:
            deeds += (
                f' <button class="link-button" form="note-deeds"'
                f' formaction="{address("clips:remove_moment", moment.key)}">{words["remove"]}</button>'
            )
        return f'<div class="moment-deeds">{deeds}</div>'

    @cached_property
    def _words(self) -> dict[str, Any]:
        words = {
            "you": _("You"), "reply": _("Reply"), "write": _("Write a reply"), "change": _("Change"),
            "remove": _("Remove"),
        }  # fmt: skip
        return {name: shown(word) for name, word in words.items()}


def own_clips(clips: Iterable[OwnClipRow]) -> SafeString:
    """The clips of one's own lesson as a list, each with how many loans of it stand."""
    states: dict[int, SafeString] = {}
    rows = []
    for clip in clips:
        if clip.live_share_count not in states:
            states[clip.live_share_count] = _lending(clip.live_share_count)
        rows.append(
            f'<li>{icon("scissors", again=True)}<div class="list-text"><a href="{clip.url}">{shown(clip.title)}</a>'
            f'<span class="small quiet num">{clock(clip.start_ms)}–{clock(clip.end_ms)}</span></div>'
            f"{states[clip.live_share_count]}</li>"
        )
    return SafeString(f'{shapes("scissors", "users", "lock")}<ul class="list">{"".join(rows)}</ul>')


def _lending(loans: int) -> SafeString:
    if not loans:
        return chip(_("Only you"), icon="lock", again=True)
    said = ngettext("Shared, %(n)s loan", "Shared, %(n)s loans", loans) % {"n": loans}
    return chip(said, tone="accent", icon="users", again=True)
