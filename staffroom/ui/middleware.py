"""A redirect, as htmx has to be told of it."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseRedirectBase

from staffroom.ui.pages import wants_fragment


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
