"""Instruments with what they measured, and price lists."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from staffroom.records import actions, queries
from staffroom.records.forms import InstrumentForm, PriceForm
from staffroom.records.models import Instrument
from staffroom.records.views.doors import for_keepers, for_leaders, person_of, put_into
from staffroom.ui.csv import csv_response, wants_csv
from staffroom.ui.pages import render_page, respond_invalid


@for_leaders
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """The three ledgers and what can be done with them."""
    viewer = person_of(request)
    keeps = queries.places_kept_by(viewer).exists()
    return render_page(request, "records/home.html", {"keeps": keeps})


@for_keepers
@require_safe
def instruments(request: HttpRequest) -> HttpResponseBase:
    """Instruments of growth; those of evaluation stand on a page of their own."""
    is_evaluation = request.GET.get("evaluation") == "1"
    found = queries.instruments_for(person_of(request), evaluation=is_evaluation)
    if wants_csv(request):
        header = [_("Instrument"), _("Kind"), _("Lowest"), _("Highest"), _("Used by")]
        rows = (
            (each.name, each.get_kind_display(), each.scale_low, each.scale_high, each.organization) for each in found
        )
        return csv_response("instruments", header, rows)
    return render_page(
        request,
        "records/instruments.html",
        {"instruments": found, "is_evaluation": is_evaluation, "is_growth": not is_evaluation},
    )


@for_keepers
def new_instrument(request: HttpRequest) -> HttpResponse:
    """Describe an instrument."""
    viewer = person_of(request)
    form = InstrumentForm(request.POST or None, viewer=viewer)
    if request.method != "POST":
        return render_page(request, "records/instrument_form.html", {"form": form})
    if form.is_valid():
        try:
            return redirect("records:instrument", actions.make_instrument(by=viewer, **form.cleaned_data).key)
        except ValidationError as problem:
            put_into(form, problem)
    return respond_invalid(request, "records/instrument_form.html", "", form)


def _instrument(request: HttpRequest, key: UUID) -> Instrument:
    viewer = person_of(request)
    found = queries.instruments_for(viewer).filter(key=key).first()
    return found or get_object_or_404(queries.instruments_for(viewer, evaluation=True), key=key)


@for_keepers
@require_safe
def instrument(request: HttpRequest, key: UUID) -> HttpResponse:
    """One instrument and what it measured, term by term."""
    found = _instrument(request, key)
    context = {"instrument": found, "results": queries.results_by_term(person_of(request), found)}
    return render_page(request, "records/instrument.html", context)


@for_keepers
@require_safe
def instrument_csv(request: HttpRequest, key: UUID) -> HttpResponseBase:
    """The same as a file."""
    found = _instrument(request, key)
    results = queries.results_by_term(person_of(request), found)
    rows = ([each.term, each.count, each.mean, each.deviation] for each in results)
    return csv_response(f"results-{found.slug}", [_("Term"), _("Results"), _("Mean"), _("Standard deviation")], rows)


@for_keepers
@require_safe
def prices(request: HttpRequest) -> HttpResponse:
    """The price lists that the viewer keeps."""
    found = queries.prices_for(person_of(request))
    return render_page(request, "records/prices.html", {"prices": found[:500], "today": timezone.localdate()})


@for_keepers
def new_price(request: HttpRequest) -> HttpResponse:
    """Put a line on a price list."""
    viewer = person_of(request)
    form = PriceForm(request.POST or None, viewer=viewer)
    if request.method != "POST":
        return render_page(request, "records/price_form.html", {"form": form})
    if form.is_valid():
        try:
            actions.add_price(by=viewer, **form.cleaned_data)
            messages.success(request, _("The line is on the price list."))
            return redirect("records:prices")
        except ValidationError as problem:
            put_into(form, problem)
    return respond_invalid(request, "records/price_form.html", "", form)


@for_keepers
@require_POST
def end_price(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a line off the price list from today on."""
    viewer = person_of(request)
    actions.end_price(by=viewer, price=get_object_or_404(queries.prices_for(viewer), pk=pk, ends_on=None))
    messages.success(request, _("The line has ended. What was computed with it stays."))
    return redirect("records:prices")


@for_keepers
@require_safe
def prices_csv(request: HttpRequest) -> HttpResponseBase:
    """The price lists as a file."""

    def rows() -> Iterator[list[object]]:
        for each in queries.prices_for(person_of(request)):
            yield [
                each.organization, each.get_kind_display(), each.name, each.role, each.unit,
                f"{each.unit_price_usd_cents / 100:.2f}", each.benefits_percent, each.lifetime_years, each.interest_percent,
                each.price_year, each.region, each.get_scales_with_display(), _("yes") if each.is_opportunity else _("no"),
                each.ends_on,
            ]  # fmt: skip

    header = [
        _("Price list of"), _("Kind"), _("Name"), _("Role"), _("Unit"), _("Unit price ($)"), _("Benefits (%)"), _("Years"),
        _("Interest (%)"), _("Prices of"), _("Region"), _("Once more for"), _("Opportunity"),
        _("Ended on"),
    ]  # fmt: skip
    return csv_response("prices", header, rows())
