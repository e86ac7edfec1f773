"""Answers that people would not understand as they are: redirects to htmx, an ended session, an address that only takes forms."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseRedirectBase
from django.shortcuts import resolve_url
from django.utils.http import url_has_allowed_host_and_scheme

from staffroom.ui.pages import refuse, wants_fragment


def htmx_redirects(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Answer htmx with 204 and `HX-Redirect` instead of 302.

    The browser would follow a 302 by itself and put a whole page, such as the sign-in page of an ended session, into
    a part of this one; and messages would be used up on the way. So a view that only redirects is right for both.
    """

    def answer(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if not (isinstance(response, HttpResponseRedirectBase) and wants_fragment(request)):
            return response
        told = HttpResponse(status=204, headers={"HX-Redirect": response.url})
        told.cookies = response.cookies
        return told

    return answer


def ended_sessions(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """A form that comes after its session has ended: htmx hears 401, so that the page with what was typed stays.

    Everybody else is led back to the page of the form after signing in: the form's own address often takes nothing but forms.
    """

    def answer(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if request.method != "POST" or not _asks_to_sign_in(response):
            return response
        if wants_fragment(request):
            return HttpResponse(status=401)
        page = request.headers.get("Referer", "")
        is_ours = url_has_allowed_host_and_scheme(page, {request.get_host()}, request.is_secure())
        back = urlencode({"next": urlsplit(page).path if is_ours else "/"})
        response["Location"] = f"{resolve_url(settings.LOGIN_URL)}?{back}"
        return response

    return answer


def _asks_to_sign_in(response: HttpResponse) -> bool:
    leads_to = urlsplit(response.url).path if isinstance(response, HttpResponseRedirectBase) else None
    return leads_to == resolve_url(settings.LOGIN_URL)


def addresses_of_forms(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Whoever opens an address that only takes what a form sends (out of the history, say) reads so, instead of nothing at all."""

    def answer(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        is_for_people = request.method == "GET" and request.accepts("text/html")
        if not is_for_people or response.status_code != 405 or response.content:
            return response
        page = refuse(request, 405)
        page["Allow"] = response.headers.get("Allow", "")
        return page

    return answer
