"""Asking for a seat: what waits for a teacher, asking and withdrawing with one tap, opening it to teachers, and redrawing it."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from staffroom.knowing.impact import actions, queries, redraw
from staffroom.knowing.impact.forms.lotteries import ApplicationsForm
from staffroom.knowing.impact.models import Lottery
from staffroom.knowing.impact.views.doors import is_done, person_of
from staffroom.knowing.impact.views.lotteries import PAGE, lottery_of, mine, whole
from staffroom.records.queries import activities_for
from staffroom.ui.pages import render_page, respond_invalid

WAITING = "impact/lotteries/waiting.html"


@login_required
@require_safe
def waiting(request: HttpRequest) -> HttpResponse:
    """Seats that wait for the viewer: to ask for, or to take or leave. On the front page, a part of it."""
    viewer = person_of(request)
    context = {
        "callings": [_called(each) for each in queries.callings_for(viewer)],
        "offers": queries.offers_for(viewer),
    }
    return render_page(request, WAITING, context, fragment="waiting")


@login_required
@require_safe
def on_activity(request: HttpRequest, key: UUID) -> HttpResponse:
    """Lotteries for seats in an activity, as a part of its page."""
    activity = get_object_or_404(activities_for(request.user), key=key)
    found = queries.lotteries_for(person_of(request)).filter(activity=activity)
    return render_page(
        request, "impact/lotteries/on_activity.html", {"activity": activity, "lotteries": found}, fragment="seats"
    )


def _called(found: Lottery) -> dict[str, Any]:
    first = found.waves.first()
    return {"lottery": found, "seats": first.seats if first else 0}


@login_required
@require_POST
def open_applications(request: HttpRequest, slug: str) -> HttpResponse:
    """Let teachers ask for a seat themselves, until a day."""
    found = mine(request, slug)
    form = ApplicationsForm(request.POST)
    viewer = person_of(request)
    if is_done(form, lambda said: actions.open_applications(by=viewer, lottery=found, until=said["until"])):
        day = date_format(form.cleaned_data["until"])
        messages.success(request, _("Teachers are told and may ask until %(day)s.") % {"day": day})
        return redirect(found)
    return respond_invalid(request, PAGE, "", form, whole(request, found, open_form=form))


@login_required
@require_POST
def ask(request: HttpRequest, slug: str) -> HttpResponse:
    """Ask for a seat."""
    return _own_deed(request, slug, actions.ask_for_seat, _("You are on the list."))


@login_required
@require_POST
def withdraw(request: HttpRequest, slug: str) -> HttpResponse:
    """Give up one's place before the draw."""
    return _own_deed(request, slug, actions.withdraw, _("You have withdrawn."))


def _own_deed(request: HttpRequest, slug: str, deed: Any, said: str) -> HttpResponse:
    found = lottery_of(request, slug)
    try:
        deed(by=person_of(request), lottery=found)
        messages.success(request, said)
    except PermissionDenied:
        raise Http404 from None
    except ValidationError as problem:
        messages.error(request, " ".join(problem.messages))
    is_seen = queries.lottery_named(person_of(request), slug) is not None
    return redirect(found) if is_seen else redirect("lotteries:lotteries")


@login_required
@require_safe
def redraw_program(request: HttpRequest) -> HttpResponse:
    """The program with which everybody draws a lottery again. It needs nothing but Python, and is the same for every lottery."""
    text = Path(redraw.__file__).read_text(encoding="utf-8")
    response = HttpResponse(text, content_type="text/x-python; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="redraw.py"'
    return response
