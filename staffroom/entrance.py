"""What every request passes on its way in: it gets a number, is held to a rate, and leaves one line in the log. And health.

The line tells method, route, status and time, never the address as typed (it may hold a secret link), nor who or what.
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable
from functools import lru_cache

import structlog
from django.conf import settings
from django.core.cache import cache
from django.db import Error, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import ResolverMatch, resolve
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from staffroom import __version__
from staffroom.home import engines

type Next = Callable[[HttpRequest], HttpResponse]

log = structlog.get_logger("staffroom.requests")

_GIVEN = re.compile(r"[A-Za-z0-9-]{8,64}")


def request_log(get_response: Next) -> Next:
    """Number each request (or keep the number that a proxy gave it), tell it in ``X-Request-ID``, and log one line."""

    def answer(request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        number = given if settings.IS_BEHIND_PROXY and _GIVEN.fullmatch(given) else uuid.uuid4().hex[:16]
        begun = time.perf_counter()
        with structlog.contextvars.bound_contextvars(request=number):
            response = get_response(request)
            response["X-Request-ID"] = number
            route = request.resolver_match.route if request.resolver_match else "-"
            milliseconds = round(1000 * (time.perf_counter() - begun), 1)
            if not route.startswith("health/"):
                log.info("request", method=request.method, route=route, status=response.status_code, ms=milliseconds)
        return response

    return answer


def tools_door(get_response: Next) -> Next:
    """Let tools in before everything that is for people: a tool has no session, no cookie, no language and no page to return to."""

    def answer(request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith("/xapi/"):
            return get_response(request)
        match = request.resolver_match = _at_the_door(request.path_info)
        response: HttpResponse = match.func(request, *match.args, **match.kwargs)
        return response

    return answer


@lru_cache(64)
def _at_the_door(path: str) -> ResolverMatch:
    """Which resource an address of the door is: there are a dozen, and none takes anything from its address."""
    return resolve(path)


def rate_limit(get_response: Next) -> Next:
    """Answer 429 to a person (or an address, when nobody is signed in) who asks the API or uploads too often.

    Counted per minute in the cache: per process without Redis, or while it is away; else together. Sign-in has allauth's own limits.
    """

    def answer(request: HttpRequest) -> HttpResponse:
        kind = next((kind for kind in settings.RATE_LIMITS if request.path_info.startswith(f"/{kind}/")), None)
        if kind and _count(request, kind) > settings.RATE_LIMITS[kind]:
            return _too_many(request)
        return get_response(request)

    return answer


def _count(request: HttpRequest, kind: str) -> int:
    who = f"p{request.user.pk}" if request.user.is_authenticated else f"a{request.META.get('REMOTE_ADDR', '')}"
    key = f"rate:{kind}:{who}:{int(time.time() // 60)}"
    try:
        cache.add(key, 0, timeout=120)
        return cache.incr(key)
    except ValueError:  # the entry went in between
        return 1


def _too_many(request: HttpRequest) -> HttpResponse:
    seconds = 60 - int(time.time()) % 60
    answer = JsonResponse({"detail": _("Too many requests. Wait a little.")}, status=429)
    answer["Retry-After"] = str(seconds)
    return answer


@require_safe
def alive(request: HttpRequest) -> HttpResponse:
    """Whether this process answers at all: for whoever starts it anew when it does not. Asks nothing else."""
    return _no_store(JsonResponse({"state": "alive", "version": __version__}))


@require_safe
def ready(request: HttpRequest) -> HttpResponse:
    """Whether this process can serve people: for load balancers, which send nobody here while the answer is 503.

    Only the database counts, and that it was prepared for this version: without Redis pages go on, and were a bucket away, so
    would be all hosts' at once.
    """
    is_ready = engines.is_prepared()
    told = {"state": "ready" if is_ready else "not ready", "database": "well" if is_ready else "unwell"}
    return _no_store(JsonResponse({**told, "version": __version__}, status=200 if is_ready else 503))


def _no_store(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "no-store"
    return response


def health(request: HttpRequest) -> HttpResponse:
    """Whether this process answers and reaches its database; for machines, without any detail."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        return HttpResponse("unwell\n", content_type="text/plain", status=503)
    return HttpResponse("well\n", content_type="text/plain")
