"""The pages of those who let programs in: tools, their keys, what they wrote, and what was refused."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from staffroom.exchange import queries, rules, scopes
from staffroom.exchange.actions import keys
from staffroom.exchange.forms import KeyForm, ToolForm, ToolWordsForm
from staffroom.people.signed_in import viewer_of
from staffroom.permissions.models import Tool
from staffroom.ui.csv import csv_response
from staffroom.ui.pages import render_page, respond_invalid


def for_keepers[**More](
    view: Callable[Concatenate[HttpRequest, More], HttpResponseBase],
) -> Callable[..., HttpResponseBase]:
    """A page for administrators; for everybody else it does not exist."""

    @login_required
    @wraps(view)
    def guarded(request: HttpRequest, *args: More.args, **options: More.kwargs) -> HttpResponseBase:
        if not rules.keeps_tools(request.user):
            raise Http404
        return view(request, *args, **options)

    return guarded


def _tool(request: HttpRequest, key: UUID) -> Tool:
    return get_object_or_404(queries.tools_for(request.user), key=key)


def _doors() -> dict[str, str]:
    """The addresses that a tool is told."""
    return {"endpoint": f"{settings.SITE_URL}/xapi", "token_url": f"{settings.SITE_URL}/xapi/oauth/token"}


@for_keepers
@require_safe
def tools(request: HttpRequest) -> HttpResponse:
    """The programs that may write to the ledger or read from it."""
    return render_page(request, "exchange/tools.html", {"lines": queries.lines_for(request.user)})


@for_keepers
@require_safe
def tools_csv(request: HttpRequest) -> HttpResponseBase:
    """The same as a file."""
    rows = (
        [
            each.tool.name, each.tool.organization, each.keys, each.last_used_at, each.written, each.refused,
            each.tool.retired_at,
        ]
        for each in queries.lines_for(request.user)
    )  # fmt: skip
    header = [
        _("Tool"), _("For whom"), _("Keys in force"), _("Last used"), _("Entries in 30 days"), _("Refused in 7 days"),
        _("Retired on"),
    ]  # fmt: skip
    return csv_response("tools", header, rows)


@for_keepers
@require_http_methods(["GET", "HEAD", "POST"])
def new_tool(request: HttpRequest) -> HttpResponse:
    """Add a tool to one of the organizations that one administers."""
    viewer = viewer_of(request)
    form = ToolForm(request.POST if request.method == "POST" else None, viewer=viewer)
    if request.method != "POST":
        return render_page(request, "exchange/tool_form.html", {"form": form})
    if form.is_valid():
        try:
            made = keys.add_tool(by=viewer, **form.cleaned_data)
        except ValidationError as problem:
            form.add_error(None, problem)
        else:
            messages.success(request, _("%(tool)s was added. It gets in with a key.") % {"tool": made})
            return redirect("exchange:tool", made.key)
    return respond_invalid(request, "exchange/tool_form.html", "", form)


@for_keepers
@require_http_methods(["GET", "HEAD", "POST"])
def change_tool(request: HttpRequest, key: UUID) -> HttpResponse:
    """Call a tool something else."""
    found = _tool(request, key)
    typed = request.POST if request.method == "POST" else None
    form = ToolWordsForm(typed, tool=found, initial={"name": found.name, "note": found.note})
    if typed is None:
        return render_page(request, "exchange/tool_words_form.html", {"form": form, "tool": found})
    if not form.is_valid():
        return respond_invalid(request, "exchange/tool_words_form.html", "", form, {"tool": found})
    keys.change_tool(by=viewer_of(request), tool=found, **form.cleaned_data)
    return redirect("exchange:tool", found.key)


@for_keepers
@require_safe
def tool(request: HttpRequest, key: UUID) -> HttpResponse:
    """One tool: its keys, how it gets in, what it wrote lately and what was refused."""
    found = _tool(request, key)
    context: dict[str, Any] = {
        "tool": found,
        "keys": [(each, _meanings(each.scopes)) for each in queries.keys_of(found)],
        "written": queries.last_written_by(found),
        "written_count": queries.written_by([found]).get(found.pk, 0),
        "refusals": queries.refusals_of(found),
        "refused_count": queries.refused_of([found]).get(found.pk, 0),
        **_doors(),
    }
    context["last_used_at"] = max(
        (each.last_used_at for each, _words in context["keys"] if each.last_used_at), default=None
    )
    return render_page(request, "exchange/tool.html", context)


def _meanings(words: str) -> list[str]:
    """The scopes of a key in plain words."""
    return [str(scopes.MEANINGS[word]) for word in scopes.known(words.split())]


@for_keepers
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def new_key(request: HttpRequest, key: UUID) -> HttpResponse:
    """Make a key. The answer alone shows its secret: no redirect, no address, no message and no cache ever holds it."""
    found = _tool(request, key)
    form = KeyForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            made, secret = keys.make_key(by=viewer_of(request), tool=found, scopes=form.cleaned_data["scopes"])
        except ValidationError as problem:
            form.add_error(None, problem)
        else:
            context = {"tool": found, "key": made, "secret": secret, "meanings": _meanings(made.scopes), **_doors()}
            return render_page(request, "exchange/key_made.html", context)
    if request.method == "POST":
        return respond_invalid(request, "exchange/key_form.html", "", form, {"tool": found})
    return render_page(request, "exchange/key_form.html", {"tool": found, "form": form})


@for_keepers
@require_POST
def revoke(request: HttpRequest, key: UUID, name: str) -> HttpResponse:
    """End a key: the next request that shows it is refused."""
    found = _tool(request, key)
    keys.revoke_key(by=viewer_of(request), key=get_object_or_404(found.keys.select_related("tool"), name=name))
    messages.success(request, _("The key no longer opens anything."))
    return redirect("exchange:tool", found.key)


@for_keepers
@require_POST
def retire(request: HttpRequest, key: UUID) -> HttpResponse:
    """End a tool with all of its keys."""
    found = _tool(request, key)
    keys.retire_tool(by=viewer_of(request), tool=found)
    messages.success(request, _("%(tool)s no longer gets in. What it wrote stays in the ledger.") % {"tool": found})
    return redirect("exchange:tools")
