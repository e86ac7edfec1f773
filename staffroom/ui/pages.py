"""How a view answers: the whole page, or to htmx only the part that changes. One template serves both.

The part is a Django template partial inside the page's own template: `{% partialdef moment inline %}…{% endpartialdef %}`.

    def note_moment(request, lesson_key):
        form = MomentForm(request.POST)
        if not form.is_valid():
            return respond_invalid(request, "lessons/lesson.html", "moment-form", form, {"lesson": lesson})
        moment = actions.note_moment(by=request.user, lesson=lesson, **form.cleaned_data)
        return redirect_or_fragment(request, lesson, "lessons/lesson.html", "moment", {"moment": moment})
"""

from __future__ import annotations

from typing import Any

from django.contrib.messages import get_messages
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils.cache import patch_vary_headers

type Words = dict[str, Any]

INVALID = 422
ERROR_PAGES = {400, 403, 404, 405, 413, 429, 500}


def wants_fragment(request: HttpRequest) -> bool:
    """Whether htmx asks for a part. Going back in the history, and swaps of the whole body, want the page."""
    asked = request.headers
    is_whole = asked.get("HX-Request-Type") == "full" or asked.get("HX-History-Restore-Request") == "true"
    return asked.get("HX-Request") == "true" and not is_whole


def render_page(
    request: HttpRequest, template: str, context: Words | None = None, *, fragment: str = "", status: int = 200
) -> HttpResponse:
    """`template`, or its partial `fragment` if htmx asks; messages that wait go along with a fragment."""
    is_fragment = bool(fragment) and wants_fragment(request)
    response = render(request, f"{template}#{fragment}" if is_fragment else template, context, status=status)
    if is_fragment:
        response.write(_waiting_messages(request))
    if fragment:
        patch_vary_headers(response, ["HX-Request"])
    return response


def respond_invalid(
    request: HttpRequest, template: str, fragment: str, form: BaseForm, context: Words | None = None
) -> HttpResponse:
    """422: the form again, with what was typed and what is wrong; `form` is in the context."""
    return render_page(request, template, {**(context or {}), "form": form}, fragment=fragment, status=INVALID)


def redirect_or_fragment(
    request: HttpRequest, to: Any, template: str, fragment: str, context: Words | None = None
) -> HttpResponse:
    """After a deed: to htmx the part that changed; to everybody else the page at `to` (address, name or object)."""
    if wants_fragment(request):
        return render_page(request, template, context, fragment=fragment)
    return redirect(to)


def refuse(request: HttpRequest, status: int, *, retry_after_s: int | None = None) -> HttpResponse:
    """One of our error pages, for views and middleware that refuse: 413 (too large), 429 (too often), …"""
    if status not in ERROR_PAGES:
        raise ValueError(f"There is no page for {status}.")
    response = render(request, f"{status}.html", {"retry_after_s": retry_after_s}, status=status)
    if retry_after_s is not None:
        response["Retry-After"] = str(retry_after_s)
    return response


def _waiting_messages(request: HttpRequest) -> str:
    """Messages beside a fragment: htmx puts them where messages stand."""
    if not hasattr(request, "_messages") or not len(get_messages(request)):
        return ""
    return render_to_string("ui/messages.html", {"messages": get_messages(request), "is_beside": True})
