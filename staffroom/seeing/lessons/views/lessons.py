"""Pages of one's own lessons: list, new, recording, page with player, progress, change, reflect, export, delete."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from staffroom.conversations import actions as conversation_actions
from staffroom.conversations import queries as conversations
from staffroom.files import actions as files
from staffroom.files.models import Derivative
from staffroom.files.queries import media_url, original_url
from staffroom.people import queries as people
from staffroom.permissions import queries as permissions
from staffroom.seeing.lessons import actions, exports, queries, recordings
from staffroom.seeing.lessons.captions import LARGEST_BYTES
from staffroom.seeing.lessons.clock import clock
from staffroom.seeing.lessons.forms import CaptionsForm, LessonForm, NewLessonForm, ReflectionForm
from staffroom.seeing.lessons.listing import clips_in, clips_listed, lessons_listed
from staffroom.seeing.lessons.models import Lesson
from staffroom.seeing.lessons.views.doors import add_refusal, notes_context, own_lesson, person, player_of_lesson
from staffroom.ui.csv import csv_response, wants_csv
from staffroom.ui.navigation import waiting_for
from staffroom.ui.pages import render_page, respond_invalid

NEW_PLACE = "lesson:new"
FEW_CLIPS = 10


@login_required
@require_GET
def list_lessons(request: HttpRequest) -> HttpResponseBase:
    """My lessons, newest first."""
    viewer = person(request)
    if wants_csv(request):
        header = [_("Title"), _("Date"), _("Section"), _("Focus"), _("Notes"), _("Clips"), _("Ends")]
        lines = (
            (each.title, each.taught_on, each.section or "", each.focus_element or each.focus, vars(each)["moment_count"],
             vars(each)["clip_count"], each.ends_on)
            for each in queries.with_counts(queries.lessons_for(viewer)).iterator()
        )  # fmt: skip
        return csv_response("lessons.csv", header, lines)
    rows = lessons_listed(viewer, request.GET.get("before", ""), most=queries.PAGE + 1)
    older_url = f"?before={rows[queries.PAGE - 1][0].cursor}" if len(rows) > queries.PAGE else ""
    context = {"rows": rows[: queries.PAGE], "older_url": older_url, "lent": waiting_for(request).get("lessons", 0)}
    return render_page(request, "lessons/list.html", context)


@login_required
@require_GET
def list_shared(request: HttpRequest) -> HttpResponseBase:
    """Clips that colleagues have lent to me."""
    viewer = person(request)
    if wants_csv(request):
        lent = queries.clips_lent_to(viewer).iterator()
        lines = (
            (each.title, each.lesson.owner, each.lesson.taught_on, clock(each.start_ms), clock(each.end_ms))
            for each in lent
        )
        return csv_response("shared", [_("Clip"), _("Colleague"), _("Date"), _("From"), _("To")], lines)
    clips = clips_listed(viewer, request.GET.get("before", ""), most=queries.PAGE + 1)
    older_url = f"?before={clips[queries.PAGE - 1].pk}" if len(clips) > queries.PAGE else ""
    clips = clips[: queries.PAGE]
    unseen = queries.unseen_among(viewer, clips)
    rows = [(clip, clip.pk in unseen) for clip in clips]
    context = {"rows": rows, "older_url": older_url, "lent": waiting_for(request).get("lessons", 0)}
    return render_page(request, "lessons/shared.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def new_lesson(request: HttpRequest) -> HttpResponse:
    """Begin a lesson: by recording it here, or from a file."""
    viewer = person(request)
    is_upload = request.GET.get("how") != "record"
    context = {
        "is_upload": is_upload,
        "is_record": not is_upload,
        **_consent_context(request),
        "draft_place": NEW_PLACE,
    }
    if request.method == "POST":
        form = NewLessonForm(request.POST, request.FILES, by=viewer, is_upload=is_upload)
        if form.is_valid():
            try:
                lesson = _begin(request, form)
            except ValidationError as refused:
                add_refusal(form, refused)
            else:
                conversation_actions.drop_draft(by=viewer, place=NEW_PLACE)
                return redirect(lesson if is_upload else reverse("lessons:record", args=[lesson.slug]))
        return respond_invalid(request, "lessons/new.html", "", form, context)
    taught = [section for section, _consents in context["sections"]]
    first = {"taught_on": timezone.localdate(), "section": taught[0].pk if len(taught) == 1 else None}
    draft = conversations.draft_for(viewer, NEW_PLACE)
    form = NewLessonForm(by=viewer, is_upload=is_upload, initial={**first, **draft})
    return render_page(request, "lessons/new.html", {**context, "form": form, "has_draft": bool(draft)})


@transaction.atomic
def _begin(request: HttpRequest, form: NewLessonForm) -> Lesson:
    viewer = person(request)
    lesson = actions.begin_lesson(by=viewer, **form.values())
    upload, file = form.cleaned_data.get("upload"), form.cleaned_data.get("file")
    if form.is_upload and upload is not None:
        actions.attach_upload(by=viewer, lesson=lesson, upload=upload)
    elif form.is_upload and file is not None:
        taken = files.take_in(by=viewer, name=file.name or "recording", stream_or_path=file.file, purpose="lesson")
        actions.attach_file(by=viewer, lesson=lesson, file=taken)
    return lesson


def _consent_context(request: HttpRequest) -> dict[str, Any]:
    """The policy in force and the families' answers of the sections that one teaches, shown before anything is recorded."""
    viewer = person(request)
    policy = permissions.policy_of(people.district_of(viewer))
    taught = list(people.sections_of(viewer)[:12])
    consents = permissions.consents_in_each(taught)
    sections = [(section, consents[section.pk]) for section in taught]
    return {"sections": sections, "keeps_days": permissions.retention_days(viewer), "policy": policy}


@login_required
@require_GET
def record_lesson(request: HttpRequest, slug: str) -> HttpResponse:
    """Record with the camera of this device."""
    lesson = own_lesson(request, slug)
    progress = recordings.progress_of(lesson)
    if lesson.file is not None and progress.state != "refused":
        return redirect(lesson)
    consents = queries.consents_for(person(request), lesson.section)
    return render_page(request, "lessons/record.html", {"lesson": lesson, "consents": consents, "progress": progress})


@login_required
@require_POST
def finish_recording(request: HttpRequest, slug: str) -> HttpResponse:
    """The recording has ended here, or broke off: what has arrived becomes the lesson's recording."""
    viewer, lesson = person(request), own_lesson(request, slug)
    try:
        actions.keep_what_arrived(
            by=viewer, lesson=lesson, upload=recordings.upload_for(viewer, request.POST.get("upload"))
        )
    except ValidationError as refused:
        messages.error(request, " ".join(refused.messages))
    except PermissionDenied:
        raise Http404 from None
    return redirect(lesson)


@login_required
@require_GET
def show_lesson(request: HttpRequest, slug: str) -> HttpResponse:
    """The lesson with its player, moments and clips: its owner's page."""
    return render_page(request, "lessons/lesson.html", lesson_context(request, own_lesson(request, slug)))


def lesson_context(request: HttpRequest, lesson: Lesson) -> dict[str, Any]:
    viewer = person(request)
    progress = recordings.progress_of(lesson)
    notes = notes_context(request, lesson, None)
    clips = clips_in(viewer, lesson)
    few = clips if request.GET.get("clips") == "all" else clips[:FEW_CLIPS]
    return {
        **notes,
        "progress": progress,
        "player": player_of_lesson(request, lesson) if progress.state == "ready" else None,
        "clips": few,
        "clip_count": len(clips),
        "has_more_clips": len(few) < len(clips),
        "consents": queries.consents_for(viewer, lesson.section),
        "reflection_form": ReflectionForm(initial={"reflection": lesson.reflection, **notes["reflection_draft"]}),
    }


@login_required
@require_GET
def show_opened(request: HttpRequest, key: Any) -> HttpResponse:
    """The recording alone, for the two administrators who broke the glass together; the owner's log gets a line."""
    viewer = person(request)
    lesson = queries.lesson_by_key(viewer, key)
    glass = permissions.break_glass_for(viewer, lesson) if lesson else None
    if lesson is None or glass is None:
        raise Http404
    actions.open_by_glass(by=viewer, lesson=lesson, glass=glass)
    made = recordings.media_of(lesson.file) if lesson.file else None
    is_ready = made is not None and made.state == Derivative.State.READY
    context = {
        "lesson": lesson,
        "glass": glass,
        "src": media_url(viewer, made, break_glass=glass) if made and is_ready else "",
    }
    return render_page(request, "lessons/opened.html", context)


@login_required
@require_GET
def show_progress(request: HttpRequest, slug: str) -> HttpResponse:
    """How far upload and making are: asked again and again by the page, until it is ready and the page is loaded anew."""
    lesson = own_lesson(request, slug)
    progress = recordings.progress_of(lesson)
    if not progress.is_moving and request.headers.get("HX-Request") == "true":
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    context = {"lesson": lesson, "progress": progress}
    return render_page(request, "lessons/progress.html", context, fragment="progress")


@login_required
@require_GET
def media(request: HttpRequest, slug: str) -> JsonResponse:
    """Fresh links to the media, for a player that has been open for long."""
    player = player_of_lesson(request, own_lesson(request, slug))
    if player is None:
        raise Http404
    return JsonResponse({name: player[name] for name in ("src", "poster", "storyboard", "waveform")})


@login_required
@require_POST
def sit(request: HttpRequest, slug: str) -> HttpResponse:
    """A heartbeat of the player: so many seconds were really watched."""
    actions.sit(by=person(request), lesson=own_lesson(request, slug), seconds=beat_seconds(request))
    return HttpResponse(status=204)


def beat_seconds(request: HttpRequest) -> float:
    """Seconds of a heartbeat; what cannot be read counts nothing."""
    try:
        seconds = float(request.POST.get("seconds", "0"))
    except ValueError:
        return 0.0
    return seconds if 0 <= seconds < 10**6 else 0.0


@login_required
@require_http_methods(["GET", "POST"])
def change_lesson(request: HttpRequest, slug: str) -> HttpResponse:
    """Rename, change day, section or focus."""
    viewer, lesson = person(request), own_lesson(request, slug)
    initial = {
        "title": lesson.title, "section": lesson.section_id, "taught_on": lesson.taught_on, "focus": lesson.focus,
        "focus_element": lesson.focus_element_id or "",
    }  # fmt: skip
    form = LessonForm(request.POST or None, by=viewer, lesson=lesson, initial=initial)
    context = {"lesson": lesson, "form": form}
    if request.method == "POST":
        if form.is_valid():
            try:
                actions.change_lesson(by=viewer, lesson=lesson, **form.values())
            except ValidationError as refused:
                add_refusal(form, refused)
            else:
                messages.success(request, _("Changed."))
                return redirect(lesson)
        return respond_invalid(request, "lessons/change.html", "", form, context)
    return render_page(request, "lessons/change.html", context)


@login_required
@require_POST
def reflect(request: HttpRequest, slug: str) -> HttpResponse:
    """Keep what one saw oneself."""
    viewer, lesson = person(request), own_lesson(request, slug)
    form = ReflectionForm(request.POST)
    if form.is_valid():
        try:
            actions.reflect(by=viewer, lesson=lesson, text=form.cleaned_data["reflection"])
        except ValidationError as refused:
            add_refusal(form, refused)
        else:
            conversation_actions.drop_draft(by=viewer, place=f"lesson:{lesson.key}:reflection")
            messages.success(request, _("Your reflection is kept. Only you can read it."))
            return redirect(lesson)
    context = {**lesson_context(request, lesson), "reflection_form": form}
    return respond_invalid(request, "lessons/lesson.html", "", form, context)


@login_required
@require_http_methods(["GET", "POST"])
def caption_lesson(request: HttpRequest, slug: str) -> HttpResponse:
    """Bring captions as a file, or take them away."""
    viewer, lesson = person(request), own_lesson(request, slug)
    form = CaptionsForm(request.POST or None, request.FILES or None)
    context = {"lesson": lesson, "form": form}
    if request.method == "POST" and request.POST.get("deed") == "remove":
        actions.caption_lesson(by=viewer, lesson=lesson, raw=None)
        messages.success(request, _("The captions are gone."))
        return redirect(lesson)
    if request.method == "POST":
        if form.is_valid():
            try:
                actions.caption_lesson(by=viewer, lesson=lesson, raw=form.cleaned_data["file"].read(LARGEST_BYTES + 1))
            except ValidationError as refused:
                form.add_error("file", refused)
            else:
                messages.success(request, _("The player shows these captions now, and clips show theirs of them."))
                return redirect(lesson)
        return respond_invalid(request, "lessons/captions.html", "", form, context)
    return render_page(request, "lessons/captions.html", context)


@login_required
@require_GET
def captions_file(request: HttpRequest, slug: str) -> HttpResponse:
    """The captions for the player; without any, none."""
    return as_webvtt(own_lesson(request, slug).captions or "WEBVTT\n")


def as_webvtt(text: str) -> HttpResponse:
    headers = {"Cache-Control": "private, no-store", "X-Content-Type-Options": "nosniff"}
    return HttpResponse(text, content_type="text/vtt; charset=utf-8", headers=headers)


@login_required
@require_http_methods(["GET", "POST"])
def delete_lesson(request: HttpRequest, slug: str) -> HttpResponse:
    """Say what goes, then delete it."""
    lesson = own_lesson(request, slug)
    if request.method == "POST":
        actions.delete_lesson(by=person(request), lesson=lesson)
        messages.success(request, _("“%(title)s” is deleted, with everything in it.") % {"title": lesson.title})
        return redirect("lessons:list")
    context = {"lesson": lesson, "moment_count": lesson.moments.count(), "clip_count": lesson.clips.count()}
    return render_page(request, "lessons/delete.html", context)


@login_required
@require_POST
def download_original(request: HttpRequest, slug: str) -> HttpResponse:
    """The file as it was recorded, to its owner; it is logged."""
    lesson = own_lesson(request, slug)
    if lesson.file is None or recordings.progress_of(lesson).state == "refused":
        raise Http404
    file = actions.download_original(by=person(request), lesson=lesson)
    return redirect(original_url(person(request), file))


@login_required
@require_GET
def export_moments(request: HttpRequest, slug: str, layout: str) -> HttpResponseBase:
    """The moments of a lesson as Web Annotation JSON-LD, WebVTT or CSV."""
    viewer, lesson = person(request), own_lesson(request, slug)
    found = list(queries.moments_in_lesson(viewer, lesson))
    return exported(
        lesson.get_absolute_url(), lesson.slug, lesson.title, layout, found, queries.threads_of(viewer, found)
    )


def exported(
    page: str, name: str, title: str, layout: str, found: list[Any], threads: dict[int, Any]
) -> HttpResponseBase:
    """Moments in one of the open formats, as a download."""
    if layout == "csv":
        return csv_response(f"{name}-moments.csv", exports.CSV_HEADER, exports.csv_rows(found, threads))
    if layout == "vtt":
        response = HttpResponse(exports.webvtt(title, found), content_type="text/vtt; charset=utf-8")
    else:
        data = exports.annotation_collection(page, title, found, threads)
        response = JsonResponse(data, content_type="application/ld+json", json_dumps_params={"ensure_ascii": False})
    response["Content-Disposition"] = f'attachment; filename="{name}-moments.{layout}"'
    response["X-Content-Type-Options"] = "nosniff"
    return response
