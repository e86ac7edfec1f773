"""Middleware: leaders and administrators set up a second factor before anything else, where the host asks for it."""

from __future__ import annotations

from collections.abc import Callable

from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from staffroom.people import rules

SEEN = "has_second_factor"
OPEN = ("/accounts/", "/static/")


def require_second_factor(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Send those who must have a second factor, and have none, to the page where they set one up."""

    def answer(request: HttpRequest) -> HttpResponse:
        if not settings.SECOND_FACTOR_REQUIRED or request.path.startswith(OPEN) or not _is_missing(request):
            return get_response(request)
        if request.method not in ("GET", "HEAD") or request.path.startswith("/api/"):
            return JsonResponse({"detail": _("Set up a second factor first.")}, status=403)
        messages.warning(request, _("Your role needs a second factor. Set one up to go on."))
        return redirect("mfa_index")

    return answer


def _is_missing(request: HttpRequest) -> bool:
    if not request.user.is_authenticated or not rules.must_have_second_factor(request.user):
        return False
    if not request.session.get(SEEN):
        request.session[SEEN] = is_mfa_enabled(request.user)
    return not request.session[SEEN]
