"""Pages: what works, all activities in one view."""

from __future__ import annotations

from collections import Counter
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from staffroom.jobs.models import Job
from staffroom.knowing.impact import actions, comparing, portfolio, queries
from staffroom.knowing.impact.portfolio import Entry
from staffroom.knowing.impact.views.doors import guarded, home_of, place_in_address, progress_of
from staffroom.people.models import Person
from staffroom.records.models import Activity
from staffroom.ui.csv import csv_response, wants_csv
from staffroom.ui.pages import render_page


@login_required
@require_safe
def activities(request: HttpRequest) -> HttpResponseBase:
    """Every activity around the viewer's organizations, by what its interval allows to say and by name: nothing is ranked."""
    viewer = guarded(request)
    found = list(queries.activities_for(viewer))
    tallies, estimates = queries.tallies_of(found), queries.estimates_of(found)
    job = _first_computation(viewer, [each for each in found if each.pk not in tallies])
    every = [
        Entry(each, tallies.get(each.pk), estimates.get(each.pk, []), place_in_address(each, found)) for each in found
    ]
    wanted = _filtered(request, every)
    if wants_csv(request):
        return csv_response("what-works", portfolio.CSV_HEADER, (each.cells for each in wanted))
    context = {
        "groups": portfolio.grouped(wanted), "has_activities": bool(every), "job": job, "apart": portfolio.told_apart(wanted),
        "pictures": portfolio.planes(wanted), "suggested": _suggested(request, every), "kinds": _kinds(request, every),
        "csv_url": f"?{urlencode({**request.GET.dict(), 'format': 'csv'})}",
    }  # fmt: skip
    return render_page(request, "impact/activities.html", context)


def _filtered(request: HttpRequest, every: list[Entry]) -> list[Entry]:
    """Those of a kind and of a suggestion, as the address says; an unknown word finds none."""
    kind, suggested = request.GET.get("kind", ""), request.GET.get("suggested", "")
    return [
        each
        for each in every
        if kind in ("", each.activity.kind) and suggested in ("", each.suggestion.key if each.suggestion else "none")
    ]


def _suggested(request: HttpRequest, every: list[Entry]) -> list[dict[str, Any]]:
    """A tab for each suggestion that there is."""
    kind = request.GET.get("kind", "")
    counted = Counter(
        each.suggestion.key if each.suggestion else "none" for each in every if kind in ("", each.activity.kind)
    )
    known = {"": _("All"), **comparing.names(), "none": _("No suggestion")}
    return [
        {"name": name, "url": f"?{urlencode({'suggested': key, 'kind': kind})}" if key or kind else "?",
         "is_current": key == request.GET.get("suggested", ""), "count": counted[key] if key else sum(counted.values())}
        for key, name in known.items()
        if not key or counted[key]
    ]  # fmt: skip


def _kinds(request: HttpRequest, every: list[Entry]) -> list[dict[str, Any]]:
    """A link for each kind of activity, where there are several."""
    names = {each.activity.kind: each.activity.get_kind_display() for each in every}
    if len(names) < 2:
        return []
    kept = request.GET.get("suggested", "")
    links = [("", _("All kinds")), *sorted(names.items(), key=lambda each: each[1])]
    return [
        {"name": name, "url": f"?{urlencode({'kind': kind, 'suggested': kept})}", "is_current": kind == request.GET.get("kind", "")}
        for kind, name in links
    ]  # fmt: skip


def _first_computation(viewer: Person, missing: list[Activity]) -> Job | None:
    """Have activities computed of which nothing is known yet."""
    if not missing:
        return None
    return actions.want(by=viewer, activities=missing, about=home_of(viewer))


@login_required
@require_safe
def progress(request: HttpRequest) -> HttpResponse:
    """How far the first computation for the list is, which the page asks for again and again."""
    return progress_of(request, queries.running_job(home_of(guarded(request))), reverse("impact:activities"))
