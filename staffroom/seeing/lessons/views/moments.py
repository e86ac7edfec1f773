"""Noting, changing and removing moments, and answering them: in a lesson and in a clip."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from staffroom.conversations import actions as conversations
from staffroom.conversations.forms import CommentForm
from staffroom.permissions.models import Share
from staffroom.seeing.lessons import actions, rules
from staffroom.seeing.lessons.forms import MomentForm
from staffroom.seeing.lessons.models import Clip, Lesson, Moment
from staffroom.seeing.lessons.views.clips import clip_context
from staffroom.seeing.lessons.views.doors import (
    add_refusal,
    notes_context,
    opened_clip,
    own_lesson,
    person,
    readable_moment,
)
from staffroom.seeing.lessons.views.lessons import lesson_context
from staffroom.ui.pages import redirect_or_fragment, render_page, wants_fragment


@login_required
@require_POST
def note_in_lesson(request: HttpRequest, slug: str) -> HttpResponse:
    return _note(request, own_lesson(request, slug), None)


@login_required
@require_POST
def note_in_clip(request: HttpRequest, key: Any) -> HttpResponse:
    clip, share = opened_clip(request, key)
    return _note(request, clip.lesson, clip, share)


def _note(request: HttpRequest, lesson: Lesson, clip: Clip | None, share: Share | None = None) -> HttpResponse:
    viewer = person(request)
    place = f"clip:{clip.key}" if clip else f"lesson:{lesson.key}"
    form = MomentForm(request.POST, by=viewer)
    if form.is_valid():
        try:
            actions.note_moment(by=viewer, lesson=lesson, clip=clip, **form.values())
        except ValidationError as refused:
            add_refusal(form, refused)
        else:
            conversations.drop_draft(by=viewer, place=place)
            return _answer(request, lesson, clip)
    with suppress(ValidationError):  # too long even for a draft: it still stands in the form
        conversations.keep_draft(
            by=viewer, place=place, body={name: str(form.data.get(name, "")) for name in form.fields}
        )
    return _answer(request, lesson, clip, share, form)


def _answer(
    request: HttpRequest,
    lesson: Lesson,
    clip: Clip | None,
    share: Share | None = None,
    form: MomentForm | None = None,
) -> HttpResponse:
    """The notes as they are now, or with what was typed and is wrong; without htmx the whole page."""
    notes = notes_context(request, lesson, clip, form)
    if form is None:
        return redirect_or_fragment(request, clip or lesson, "lessons/notes.html", "notes", notes)
    if wants_fragment(request):
        return render_page(request, "lessons/notes.html", notes, fragment="notes", status=422)
    page = lesson_context(request, lesson) if clip is None else clip_context(request, clip, share)
    template = "lessons/lesson.html" if clip is None else "lessons/clip.html"
    return render_page(request, template, {**page, **notes}, status=422)


@login_required
@require_http_methods(["GET", "POST"])
def change_moment(request: HttpRequest, key: Any) -> HttpResponse:
    """Change one's own moment."""
    viewer, moment = person(request), readable_moment(request, key)
    if not rules.may_change_moment(viewer, moment):
        raise Http404
    initial = {
        "start": moment.start_ms, "end": moment.end_ms, "kind": moment.kind, "text": moment.text,
        "element": moment.element_id or "",
    }  # fmt: skip
    form = MomentForm(request.POST or None, by=viewer, kept=moment.element, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            actions.edit_moment(by=viewer, moment=moment, **form.values())
        except ValidationError as refused:
            add_refusal(form, refused)
        else:
            return redirect(moment)
    context = {"moment": moment, "form": form, "back": moment.get_absolute_url()}
    return render_page(request, "lessons/moment.html", context, status=422 if form.errors else 200)


@login_required
@require_POST
def remove_moment(request: HttpRequest, key: Any) -> HttpResponse:
    """Remove a moment, its author or the lesson's owner."""
    moment = readable_moment(request, key)
    if not rules.may_remove_moment(person(request), moment):
        raise Http404
    page = moment.clip or moment.lesson
    actions.remove_moment(by=person(request), moment=moment)
    messages.success(request, _("Removed."))
    return redirect(page)


@login_required
@require_http_methods(["GET", "POST"])
def reply_to_moment(request: HttpRequest, key: Any) -> HttpResponse:
    """Answer a moment."""
    moment = readable_moment(request, key)
    form = CommentForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            actions.reply(by=person(request), about=moment, text=form.cleaned_data["text"])
        except ValidationError as refused:
            form.add_error("text", refused)
        else:
            clip = moment.clip or _clip_it_was_read_in(request, moment)
            if wants_fragment(request):
                return _answer(request, moment.lesson, clip)
            return redirect(f"{(clip or moment.lesson).get_absolute_url()}#moment-{moment.key}")
    context = {"moment": moment, "form": form, "back": _back(request, moment)}
    # Under a note the form is a part of its page; what is refused stands on a page of its own.
    part = "reply" if request.method == "GET" else ""
    return render_page(request, "lessons/reply.html", context, fragment=part, status=422 if form.errors else 200)


def _clip_it_was_read_in(request: HttpRequest, moment: Moment) -> Clip | None:
    """For a colleague, the clip with which the owner's own moment came along."""
    viewer = person(request)
    if viewer.pk == moment.lesson.owner_id:
        return None
    return next((clip for clip in rules.clips_carrying(moment) if rules.may_open(viewer, clip)), None)


def _back(request: HttpRequest, moment: Moment) -> str:
    clip = moment.clip or _clip_it_was_read_in(request, moment)
    return f"{(clip or moment.lesson).get_absolute_url()}#moment-{moment.key}"
