"""Costs of two activities side by side, and the indexes that carry prices to another year or region."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from staffroom.records import actions, comparing, queries
from staffroom.records.forms import ComparisonForm, PriceIndexForm
from staffroom.records.views.doors import for_keepers, for_leaders, person_of, put_into
from staffroom.ui.csv import csv_response, wants_csv
from staffroom.ui.pages import render_page, respond_invalid


@for_leaders
@require_safe
def compare(request: HttpRequest) -> HttpResponseBase:
    """Two activities line by line, in prices of one year and region."""
    asked = {name: request.GET[name] for name in ("one", "other", "year", "region") if name in request.GET}
    form = ComparisonForm(asked if "one" in asked else None, viewer=person_of(request))
    if not form.is_bound:
        return render_page(request, "records/compare.html", {"form": form})
    if not form.is_valid():
        return respond_invalid(request, "records/compare.html", "", form)
    chosen = form.cleaned_data
    sides = [comparing.sums_of(chosen[name], year=chosen["year"], region=chosen["region"]) for name in ("one", "other")]
    rows = comparing.side_by_side(sides)
    if wants_csv(request):
        return csv_response("costs-side-by-side", _header(sides), _csv_rows(rows))
    context = {
        "form": form, "sides": sides, "rows": rows, "totals": list(_totals(sides)), "payers": _payers(sides),
        "as_they_were": sum(side.as_they_were for side in sides), "csv_url": "?" + urlencode({**asked, "format": "csv"}),
    }  # fmt: skip
    return render_page(request, "records/compare.html", context)


def _header(sides: list[comparing.Sums]) -> list[str]:
    named = [_("%(activity)s ($)") % {"activity": side.activity.name} for side in sides]
    each = [_("%(activity)s, a teacher ($)") % {"activity": side.activity.name} for side in sides]
    return [_("Ingredient"), _("Kind"), _("Business as usual"), *named, *each, _("Difference, a teacher ($)")]


def _csv_rows(rows: list[comparing.Row]) -> Iterator[list[object]]:
    for row in rows:
        amounts = [None if cents is None else f"{cents / 100:.2f}" for cents in (*row.cents, *row.per_teacher)]
        difference = "" if row.difference is None else f"{row.difference / 100:.2f}"
        yield [row.name, row.kind_name, _("yes") if row.is_usual else _("no"), *amounts, difference]


def _totals(sides: list[comparing.Sums]) -> Iterator[tuple[str, list[int | None]]]:
    """What it comes to, in words and cents of each side."""
    yield _("Beyond business as usual"), [side.net_cents for side in sides]
    yield _("of it money spent"), [side.money_cents for side in sides]
    yield (
        _("of it opportunity: time and rooms that could have been used otherwise"),
        [side.opportunity_cents for side in sides],
    )
    yield _("A teacher"), [side.per_teacher(side.net_cents) for side in sides]
    yield _("A student"), [side.per_student(side.net_cents) for side in sides]
    marginal = [side.marginal for side in sides]
    yield _("One more teacher, in a group that is there"), [found[0] if found else None for found in marginal]
    yield _("The first teacher of one more group"), [found[1] if found else None for found in marginal]


def _payers(sides: list[comparing.Sums]) -> list[tuple[str, list[int | None]]]:
    names = sorted({name for side in sides for name in side.payers}, key=lambda name: (not name, name))
    return [(name or _("not said"), [side.payers.get(name) for side in sides]) for name in names]


@for_keepers
@require_safe
def indexes(request: HttpRequest) -> HttpResponseBase:
    """How dear years and regions are, for carrying prices over."""
    found = queries.price_indexes_for(person_of(request))
    if wants_csv(request):
        header = [_("Used by"), _("Of a"), _("Year or region"), _("Index"), _("Source")]
        rows = ([each.organization, each.get_kind_display(), each.name, each.value, each.source] for each in found)
        return csv_response("price-indexes", header, rows)
    form = PriceIndexForm(viewer=person_of(request))
    return render_page(request, "records/indexes.html", {"indexes": found[:500], "form": form})


@for_keepers
@require_POST
def set_index(request: HttpRequest) -> HttpResponse:
    """Say how dear a year or a region is, or put right what was said."""
    viewer = person_of(request)
    form = PriceIndexForm(request.POST, viewer=viewer)
    if form.is_valid():
        try:
            actions.set_price_index(by=viewer, **form.cleaned_data)
            messages.success(request, _("Saved."))
            return redirect("records:indexes")
        except ValidationError as problem:
            put_into(form, problem)
    context = {"indexes": queries.price_indexes_for(viewer)[:500]}
    return respond_invalid(request, "records/indexes.html", "", form, context)


@for_keepers
@require_POST
def drop_index(request: HttpRequest, pk: int) -> HttpResponse:
    """Take an index back."""
    viewer = person_of(request)
    actions.drop_price_index(by=viewer, index=get_object_or_404(queries.price_indexes_for(viewer), pk=pk))
    messages.success(request, _("Removed."))
    return redirect("records:indexes")
