"""Pages of notices, of one's own comments, and the door where drafts are kept."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from staffroom.conversations import actions, queries
from staffroom.conversations.forms import CommentForm, MailWishForm
from staffroom.conversations.hosts import host_of
from staffroom.conversations.models import Comment
from staffroom.conversations.notices import sentence_of
from staffroom.people.models import Person
from staffroom.ui.csv import csv_response, wants_csv
from staffroom.ui.navigation import waiting_for
from staffroom.ui.pages import render_page, respond_invalid

PAGE = 30
NOT_TYPED = {"csrfmiddlewaretoken", "password", "password1", "password2", "file", "upload", "opened_at"}


def _person(request: HttpRequest) -> Person:
    assert isinstance(request.user, Person)
    return request.user


@login_required
@require_GET
def notices(request: HttpRequest) -> HttpResponseBase:
    """What waits for me, newest first."""
    if wants_csv(request):
        found = queries.notices_for(_person(request), unread_only=request.GET.get("show") != "all").order_by("-pk")
        rows = ((each.created_at, sentence_of(each), each.read_at or "") for each in found.iterator())
        return csv_response("notices", [_("When"), _("Notice"), _("Read")], rows)
    return render_page(request, "conversations/notices.html", _notices_page(request))


def _notices_page(request: HttpRequest) -> dict[str, Any]:
    is_all = request.GET.get("show") == "all"
    before = request.GET.get("before", "")
    shown = queries.notices_listed(_person(request), before, unread_only=not is_all, most=PAGE + 1)
    older = urlencode({"show": "all" if is_all else "new", "before": shown[PAGE - 1].pk}) if len(shown) > PAGE else ""
    return {
        "notices": shown[:PAGE],
        "is_all": is_all,
        "is_new": not is_all,
        "all_url": f"{reverse('conversations:notices')}?show=all",
        "older_url": f"?{older}" if older else "",
        "csv_url": "?format=csv&show=all" if is_all else "?format=csv",
        "unread": waiting_for(request).get("notices", 0),
        "form": MailWishForm(initial={"rhythm": queries.mail_rhythm(_person(request))}),
    }


@login_required
@require_GET
def open_notice(request: HttpRequest, notice_id: int) -> HttpResponse:
    """Go where the notice leads; it is read by that."""
    notice = queries.notices_for(_person(request)).filter(pk=notice_id).first()
    if notice is None:
        raise Http404
    actions.read_notice(by=_person(request), notice=notice)
    return redirect(notice.url if notice.url.startswith("/") and not notice.url.startswith("//") else "/")


@login_required
@require_POST
def read_notices(request: HttpRequest) -> HttpResponse:
    actions.read_notices(by=_person(request))
    return redirect("conversations:notices")


@login_required
@require_POST
def wish_mail(request: HttpRequest) -> HttpResponse:
    """Choose how one hears of notices by mail."""
    form = MailWishForm(request.POST)
    if not form.is_valid():
        return respond_invalid(request, "conversations/notices.html", "", form, _notices_page(request))
    actions.wish_mail(by=_person(request), rhythm=form.cleaned_data["rhythm"])
    messages.success(request, _("Kept."))
    return redirect("conversations:notices")


@login_required
@require_http_methods(["GET", "POST"])
def edit_comment(request: HttpRequest, key: Any) -> HttpResponse:
    """Change what one said."""
    comment = _own_comment(request, key)
    form = CommentForm(request.POST or None, initial={"text": comment.text})
    context = {"form": form, "comment": comment, "back": _page_of(comment)}
    if request.method == "POST":
        if not form.is_valid():
            return respond_invalid(request, "conversations/edit_comment.html", "", form, context)
        actions.edit_comment(by=_person(request), comment=comment, text=form.cleaned_data["text"])
        return redirect(_page_of(comment))
    return render_page(request, "conversations/edit_comment.html", context)


@login_required
@require_POST
def withdraw_comment(request: HttpRequest, key: Any) -> HttpResponse:
    """Take back what one said."""
    comment = _own_comment(request, key)
    actions.withdraw_comment(by=_person(request), comment=comment)
    messages.success(request, _("Taken back. Its place in the conversation stays, without your words."))
    return redirect(_page_of(comment))


def _own_comment(request: HttpRequest, key: Any) -> Comment:
    comment = queries.comment_to_change(_person(request), key)
    if comment is None:
        raise Http404
    return comment


def _page_of(comment: Comment) -> str:
    found = host_of(comment.thread.about)
    return found.page(comment.thread.about) if found else reverse("conversations:notices")


def _opened_at(request: HttpRequest) -> datetime | None:
    """When the form was shown, as it says itself; nonsense counts as nothing."""
    try:
        return datetime.fromtimestamp(float(request.POST.get("opened_at", "")), UTC)
    except (ValueError, OverflowError, OSError):
        return None


@login_required
@require_POST
def draft(request: HttpRequest, place: str) -> HttpResponse:
    """Keep what is being typed. Answers in a word, for the line below the form."""
    typed = {name: value for name, value in request.POST.items() if name not in NOT_TYPED}
    try:
        kept = actions.keep_draft(by=_person(request), place=place, body=typed, opened_at=_opened_at(request))
    except ValidationError as refused:
        return HttpResponse(" ".join(refused.messages), status=422, content_type="text/plain; charset=utf-8")
    return HttpResponse(_("Draft kept") if kept else "", content_type="text/plain; charset=utf-8")
