"""Tokens for keys: OAuth 2, client credentials (RFC 6749, 4.4)."""

from __future__ import annotations

import math
from urllib.parse import unquote_plus

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from staffroom.exchange.actions import keys
from staffroom.exchange.refusals import Refusal


@csrf_exempt
def token(request: HttpRequest) -> HttpResponse:
    """A bearer token for the key that the tool shows, in the header or in the form; errors in the words of RFC 6749, 5.2."""
    if request.method != "POST":
        refused = _error("invalid_request", 405)
        refused["Allow"] = "POST"
        return refused
    shown = keys.basic(request.headers.get("Authorization", ""))
    # A parameter given twice, and a key shown in two ways, are refused: nobody could tell which counts (RFC 6749, 3.2 and 2.3).
    if any(len(values) > 1 for _name, values in request.POST.lists()) or (shown and "client_secret" in request.POST):
        return _error("invalid_request")
    if request.POST.get("grant_type") != "client_credentials":
        return _error("unsupported_grant_type" if "grant_type" in request.POST else "invalid_request")
    name, secret = (
        (unquote_plus(shown[0]), unquote_plus(shown[1]))
        if shown
        else (request.POST.get("client_id", ""), request.POST.get("client_secret", ""))
    )
    if "\x00" in name:
        return _error("invalid_client", 401)
    try:
        made, granted, ends = keys.give_token(name=name, secret=secret, wanted=request.POST.get("scope", ""))
    except Refusal as refusal:
        return _error(refusal.reason, refusal.status)
    seconds = math.floor((ends - timezone.now()).total_seconds())
    return _plain({"access_token": made, "token_type": "Bearer", "expires_in": seconds, "scope": " ".join(granted)})


def _error(word: str, status: int = 400) -> HttpResponse:
    response = _plain({"error": word}, status)
    if status == 401:
        response["WWW-Authenticate"] = 'Basic realm="xAPI"'
    return response


def _plain(body: dict[str, object], status: int = 200) -> HttpResponse:
    return JsonResponse(body, status=status, headers={"Cache-Control": "no-store"})
