"""Pages of clips: cut, look, lend, take back; the audience's page and the owner's are one."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from staffroom.conversations import actions as conversation_actions
from staffroom.conversations import queries as conversations
from staffroom.conversations.forms import CommentForm
from staffroom.files import excerpts
from staffroom.files.models import Derivative
from staffroom.files.queries import media_url
from staffroom.permissions import actions as permissions
from staffroom.permissions.models import Share
from staffroom.permissions.queries import live_shares_of
from staffroom.seeing.lessons import actions, captions, queries, recordings, rules
from staffroom.seeing.lessons.clock import clock
from staffroom.seeing.lessons.forms import ClipForm, ShareForm
from staffroom.seeing.lessons.models import Clip
from staffroom.seeing.lessons.views.doors import (
    add_refusal,
    notes_context,
    open_clip,
    opened_clip,
    own_clip,
    own_lesson,
    person,
    player_of_clip,
    player_of_lesson,
)
from staffroom.seeing.lessons.views.lessons import as_webvtt, beat_seconds, exported
from staffroom.ui.pages import render_page, respond_invalid, wants_fragment


@login_required
@require_http_methods(["GET", "POST"])
def make_clip(request: HttpRequest, slug: str) -> HttpResponse:
    """Choose the range of one's own lesson that is to be lent."""
    viewer, lesson = person(request), own_lesson(request, slug)
    place = f"lesson:{lesson.key}:clip"
    context = {"lesson": lesson, "player": player_of_lesson(request, lesson), "draft_place": place}
    context |= {key: value for key, value in notes_context(request, lesson, None).items() if key == "moments"}
    if request.method == "POST":
        form = ClipForm(request.POST)
        if form.is_valid():
            try:
                clip = actions.make_clip(by=viewer, lesson=lesson, **form.values())
            except ValidationError as refused:
                add_refusal(form, refused)
            else:
                conversation_actions.drop_draft(by=viewer, place=place)
                return redirect("clips:share", key=clip.key)
        return respond_invalid(request, "lessons/make_clip.html", "", form, context)
    asked = {name: request.GET[name] for name in ("start", "end") if name in request.GET}
    initial = {"title": lesson.title, **asked, **conversations.draft_for(viewer, place)}
    return render_page(request, "lessons/make_clip.html", {**context, "form": ClipForm(initial=initial)})


@login_required
@require_GET
def show_clip(request: HttpRequest, key: Any) -> HttpResponse:
    """The clip with its notes: for its owner and for whom it is lent to. Opening it is logged."""
    clip, share = opened_clip(request, key)
    actions.open_clip(by=person(request), clip=clip, share=share)
    return render_page(request, "lessons/clip.html", clip_context(request, clip, share))


def clip_context(request: HttpRequest, clip: Clip, share: Share | None) -> dict[str, Any]:
    """What the page shows; ``share`` is the loan by which the viewer sees it, none for the owner."""
    is_owner = person(request).pk == clip.lesson.owner_id
    reach, is_closed = queries.reach_and_closing_of(clip) if is_owner else ([], False)
    notes = notes_context(request, clip.lesson, clip)
    media = recordings.clip_media_of(clip)
    return {
        **notes,
        "share": share,
        "player": player_of_clip(request, clip, media, share),
        "media": media,
        "reach": reach,
        "is_closed": is_closed,
        "comments": [] if is_closed else notes["comments"],
        "comment_form": CommentForm(),
        "span": f"{clock(clip.start_ms)}–{clock(clip.end_ms)}",
    }


@login_required
@require_http_methods(["GET", "POST"])
def share_clip(request: HttpRequest, key: Any) -> HttpResponse:
    """Choose with whom and until when."""
    viewer, clip = person(request), own_clip(request, key)
    search = request.GET.get("q", "")[:80]
    context: dict[str, Any] = {
        "clip": clip,
        "lesson": clip.lesson,
        "search": search,
        "consents": queries.consents_for(viewer, clip.lesson.section),
        "may_leave": rules.may_leave_school(clip.lesson),
        "reach": queries.reach_of(clip),
    }
    if request.method == "POST":
        form = ShareForm(request.POST, by=viewer, clip=clip, search=search)
        if form.is_valid():
            try:
                actions.share_clip(by=viewer, clip=clip, **form.values())
            except ValidationError as refused:
                add_refusal(form, refused)
            else:
                messages.success(request, _("Shared. You can take it back at any time, at once."))
                return redirect(clip)
        return respond_invalid(request, "lessons/share.html", "", form, context)
    form = ShareForm(by=viewer, clip=clip, search=search)
    return render_page(request, "lessons/share.html", {**context, "form": form}, fragment="targets")


@login_required
@require_POST
def retract_clip(request: HttpRequest, key: Any) -> HttpResponse:
    """Take back one loan, or all."""
    clip = own_clip(request, key)
    share = None
    if request.POST.get("share"):
        share = next((each for each in live_shares_of(clip) if str(each.key) == request.POST["share"]), None)
        if share is None:
            raise Http404
    ended = actions.retract_clip(by=person(request), clip=clip, share=share)
    if ended:
        messages.success(request, _("Taken back. From now on neither page nor video opens for them."))
    return redirect(clip)


@login_required
@require_http_methods(["GET", "POST"])
def remove_clip(request: HttpRequest, key: Any) -> HttpResponse:
    """Delete a clip; the lesson stays."""
    clip = own_clip(request, key)
    lesson = clip.lesson
    if request.method == "POST":
        actions.remove_clip(by=person(request), clip=clip)
        messages.success(request, _("The clip is deleted. Your lesson is as it was."))
        return redirect(lesson)
    return render_page(request, "lessons/delete_clip.html", {"clip": clip, "lesson": lesson})


@login_required
@require_POST
def comment_on_clip(request: HttpRequest, key: Any) -> HttpResponse:
    """Say something about the clip as a whole."""
    clip, share = opened_clip(request, key)
    form = CommentForm(request.POST)
    if form.is_valid():
        try:
            actions.reply(by=person(request), about=clip, text=form.cleaned_data["text"])
        except ValidationError as refused:
            form.add_error("text", refused)
        else:
            return redirect(f"{clip.get_absolute_url()}#comments")
    context = {**clip_context(request, clip, share), "comment_form": form}
    return respond_invalid(request, "lessons/clip.html", "", form, context)


@login_required
@require_GET
def media(request: HttpRequest, key: Any) -> JsonResponse:
    """A fresh link to the clip's media, for a player that has been open for long."""
    clip, share = opened_clip(request, key)
    player = player_of_clip(request, clip, recordings.clip_media_of(clip), share)
    if player is None:
        raise Http404
    return JsonResponse({"src": player["src"]})


@login_required
@require_GET
def captions_file(request: HttpRequest, key: Any) -> HttpResponse:
    """What is said in the clip, for the player."""
    clip = open_clip(request, key)
    return as_webvtt(captions.between(clip.lesson.captions, clip.start_ms, clip.end_ms))


@login_required
@require_GET
def waveform(request: HttpRequest, key: Any) -> JsonResponse:
    """How loud the clip's own seconds are."""
    clip = open_clip(request, key)
    made = recordings.made_for_clip(clip, Derivative.Kind.WAVEFORM)
    found = excerpts.waveform_between(made, clip.start_ms, clip.end_ms) if made else {"peaks": []}
    return JsonResponse(found, headers={"Cache-Control": "private, no-store"})


@login_required
@require_GET
def storyboard(request: HttpRequest, key: Any) -> HttpResponse:
    """Small pictures of the clip's own seconds."""
    clip = open_clip(request, key)
    made = recordings.made_for_clip(clip, Derivative.Kind.STORYBOARD)
    sheet = excerpts.storyboard_between(made, clip.start_ms, clip.end_ms) if made else None
    if sheet is None:
        raise Http404
    return HttpResponse(sheet, content_type="image/jpeg", headers={"Cache-Control": "private, no-store"})


@login_required
@require_POST
def download_clip(request: HttpRequest, key: Any) -> HttpResponse:
    """The clip's file, where owner and policy allow it; the owner sees it in her log."""
    viewer, (clip, share) = person(request), opened_clip(request, key)
    made = recordings.clip_media_of(clip)
    is_owner = viewer.pk == clip.lesson.owner_id
    if made is None or not (is_owner or (share is not None and share.may_download)):
        raise Http404
    permissions.note_access(
        by=viewer, owner=clip.lesson.owner, about=clip, title=clip.title, deed="downloaded", share=share
    )
    link = media_url(viewer, made, share, is_download=True)
    return redirect(link)


@login_required
@require_POST
def sit(request: HttpRequest, key: Any) -> HttpResponse:
    """A heartbeat of the player."""
    clip = open_clip(request, key)
    actions.sit(by=person(request), lesson=clip.lesson, clip=clip, seconds=beat_seconds(request))
    return HttpResponse(status=204)


@login_required
@require_GET
def show_progress(request: HttpRequest, key: Any) -> HttpResponse:
    """How far the cutting of the clip is; the page is loaded anew when it is over."""
    clip = open_clip(request, key)
    made = recordings.clip_media_of(clip)
    if wants_fragment(request) and (made is None or made.state != made.State.WAITING):
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    return render_page(request, "lessons/clip_progress.html", {"clip": clip, "media": made}, fragment="progress")


@login_required
@require_GET
def export_moments(request: HttpRequest, key: Any, layout: str) -> HttpResponseBase:
    """What was noted in a clip, in open formats, as far as the viewer may read it."""
    viewer, clip = person(request), open_clip(request, key)
    found = list(queries.notes_in_opened(viewer, clip))
    address = reverse("clips:clip", args=[clip.key])
    return exported(address, f"clip-{clip.key}", clip.title, layout, found, queries.threads_of(viewer, found))
