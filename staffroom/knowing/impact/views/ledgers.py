"""Pages: the entries and the ingredients that the figures came from."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from staffroom.knowing.impact import figures, queries
from staffroom.knowing.impact.views.doors import activity_of, address_of, person_of
from staffroom.records import rules as records_rules
from staffroom.records.models import Activity
from staffroom.ui.csv import csv_response, wants_csv
from staffroom.ui.pages import render_page

PAGE = 30


@login_required
@require_safe
def entries(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Dates, minutes and kinds of the entries behind an activity, as far as the viewer may see them. No names."""
    found, at = activity_of(request, slug)
    rows = queries.entries_behind(person_of(request), found)
    header = [_("Date"), _("Minutes"), _("What"), _("Role")]
    if wants_csv(request):
        return csv_response(f"entries-{found.slug}", header, (figures.entry_cells(each) for each in rows.iterator()))
    return _listed(request, found, at, "impact:entries", rows, figures.entry_cells, {
        "title": _("Entries behind %(activity)s") % {"activity": found.name}, "header": header, "kind": "entries",
        "lede": _("When, how long and what kind of thing: never what was said, and no names."),
    })  # fmt: skip


@login_required
@require_safe
def ingredients(request: HttpRequest, slug: str) -> HttpResponseBase:
    """The lines of the cost ledger behind an activity, for those who may see them."""
    found, at = activity_of(request, slug)
    if not records_rules.may_see_costs(request.user, found):
        raise Http404
    rows = queries.costs_behind(found)
    header = [_("Date"), _("Ingredient"), _("Quantity"), _("Unit"), _("Unit price"), _("Amount"), _("Spent anyway")]
    if wants_csv(request):
        return csv_response(f"costs-{found.slug}", header, (figures.cost_cells(each) for each in rows.iterator()))
    return _listed(request, found, at, "impact:ingredients", rows, figures.cost_cells, {
        "title": _("Ingredients of %(activity)s") % {"activity": found.name}, "header": header, "kind": "ingredients",
        "lede": _("What it used, at which price. People's time is priced at the wage of their role."),
    })  # fmt: skip


def _listed(
    request: HttpRequest, found: Activity, at: str, name: str, rows: Any, cells: Any, words: dict[str, Any]
) -> HttpResponse:
    """A page of rows by their keys, newest first, and the way to older ones."""
    day = "happened_at" if name == "impact:entries" else "happened_on"
    after = queries.before(rows, day, request.GET.get("before", ""))
    page = list(after[: PAGE + 1])
    older = address_of(name, found, at=at, before=str(page[PAGE - 1].pk)) if len(page) > PAGE else ""
    context = {
        **words, "activity": found, "rows": [cells(each) for each in page[:PAGE]], "older_url": older,
        "up_url": address_of("impact:activity", found, at=at), "csv_url": address_of(name, found, at=at, format="csv"),
    }  # fmt: skip
    return render_page(request, "impact/rows.html", context)
