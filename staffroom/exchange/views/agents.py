"""The pages of who is who: agents as tools know them, claimed for people of the district, or kept apart from them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import wraps
from typing import Concatenate

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from staffroom.exchange import rules, whose
from staffroom.exchange.actions import agents as deeds
from staffroom.exchange.forms import ClaimForm
from staffroom.exchange.models import Agent
from staffroom.jobs.queries import jobs_about
from staffroom.people.models import Person
from staffroom.people.signed_in import viewer_of
from staffroom.ui.csv import csv_response
from staffroom.ui.pages import render_page, respond_invalid

PAGE = 50
STATES = ("waiting", "matched", "apart")


def for_administrators[**More](
    view: Callable[Concatenate[HttpRequest, More], HttpResponseBase],
) -> Callable[..., HttpResponseBase]:
    """A page for those who administer a whole district; for everybody else it does not exist."""

    @login_required
    @wraps(view)
    def guarded(request: HttpRequest, *args: More.args, **options: More.kwargs) -> HttpResponseBase:
        if not rules.administers(request.user):
            raise Http404
        return view(request, *args, **options)

    return guarded


def _state(request: HttpRequest) -> str:
    state = request.GET.get("state", "")
    return state if state in STATES else STATES[0]


@for_administrators
@require_safe
def agents(request: HttpRequest) -> HttpResponse:
    """Agents, newest first: those who wait for a person, or are matched, or kept apart."""
    state = _state(request)
    page = Paginator(whose.agents_for(request.user, state), PAGE).get_page(request.GET.get("page"))
    context = {
        "lines": whose.lines_of(list(page)), "page": page, "state": state,
        "waiting": whose.agents_for(request.user, "waiting").count(),
    }  # fmt: skip
    return render_page(request, "exchange/agents.html", context)


@for_administrators
@require_safe
def agents_csv(request: HttpRequest) -> HttpResponseBase:
    """The same as a file."""
    found = whose.agents_for(request.user, _state(request))

    def rows() -> Iterator[list[object]]:
        for page in Paginator(found, 500):
            for line in whose.lines_of(list(page)):
                agent = line.agent
                yield [
                    agent.identifier.get("name", ""), line.known_by, line.entries, agent.person or "", agent.get_match_display(),
                    agent.first_seen_at.date(),
                ]  # fmt: skip

    header = [_("Name"), _("Known as"), _("Entries"), _("Person"), _("Matched"), _("First seen")]
    return csv_response("agents", header, rows())


def _shown(request: HttpRequest, agent: Agent) -> tuple[list[Person], dict[str, object]]:
    asked = request.GET.get("q")
    text = str(agent.identifier.get("name") or "") if asked is None else asked
    people = whose.people_like(agent.tenant_id, text[:200])
    job = jobs_about(agent).first()
    return people, {
        "agent": agent, "line": whose.lines_of([agent])[0], "text": text, "asked": asked is not None, "people": people,
        "job": job if job is not None and not job.is_finished else None,
    }  # fmt: skip


@for_administrators
@require_http_methods(["GET", "HEAD", "POST"])
def agent(request: HttpRequest, pk: int) -> HttpResponse:
    """One agent: how tools know them, and who it may be."""
    found = get_object_or_404(whose.agents_for(request.user), pk=pk)
    people, context = _shown(request, found)
    form = ClaimForm(request.POST if request.method == "POST" else None, people=people)
    if request.method != "POST":
        return render_page(request, "exchange/agent.html", {**context, "form": form})
    if form.is_valid():
        try:
            deeds.claim_agent(by=viewer_of(request), agent=found, person=form.cleaned_data["person"])
        except ValidationError as problem:
            form.add_error(None, problem)
        else:
            messages.success(request, _("Matched. Earlier entries follow in a moment."))
            return redirect("exchange:agent", found.pk)
    return respond_invalid(request, "exchange/agent.html", "", form, context)


@for_administrators
@require_POST
def apart(request: HttpRequest, pk: int) -> HttpResponse:
    """Undo a match that is wrong."""
    found = get_object_or_404(whose.agents_for(request.user), pk=pk)
    deeds.set_apart(by=viewer_of(request), agent=found)
    messages.success(request, _("Kept apart. What was counted for the person is taken back in a moment."))
    return redirect("exchange:agent", found.pk)
