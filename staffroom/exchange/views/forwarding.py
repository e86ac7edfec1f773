"""The pages of other record stores that get what is written here: what each gets, how far it is, and what it refused."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from staffroom.exchange import forwarded
from staffroom.exchange.actions import forwarding
from staffroom.exchange.forms import DestinationForm
from staffroom.exchange.models import Destination
from staffroom.exchange.views.agents import for_administrators
from staffroom.exchange.views.mappings import tenant_of
from staffroom.people.signed_in import viewer_of
from staffroom.records.vocabulary import verb_label
from staffroom.ui.pages import render_page, respond_invalid


def _destination(request: HttpRequest, pk: int) -> Destination:
    return get_object_or_404(forwarded.destinations_for(request.user), pk=pk)


@for_administrators
@require_safe
def destinations(request: HttpRequest) -> HttpResponse:
    """The record stores that get entries from here, and how far each is."""
    lines = [(each, forwarded.backlog_of(each)) for each in forwarded.destinations_for(request.user)]
    return render_page(request, "exchange/destinations.html", {"lines": lines})


@for_administrators
@require_http_methods(["GET", "HEAD", "POST"])
def new_destination(request: HttpRequest) -> HttpResponse:
    """Let another record store have what is written here."""
    tenant = tenant_of(request)
    form = DestinationForm(request.POST if request.method == "POST" else None, tenant=tenant)
    if request.method != "POST":
        return render_page(request, "exchange/destination_form.html", {"form": form})
    if not form.is_valid():
        return respond_invalid(request, "exchange/destination_form.html", "", form)
    made = forwarding.make_destination(by=viewer_of(request), tenant=tenant, **form.cleaned_data)
    messages.success(request, _("%(name)s gets its first entries within a minute.") % {"name": made})
    return redirect("exchange:destination", made.pk)


@for_administrators
@require_safe
def destination(request: HttpRequest, pk: int) -> HttpResponse:
    """One record store: what waits for it, when it last took something, what it said, and what was put aside."""
    found = _destination(request, pk)
    context: dict[str, Any] = {
        "destination": found, "backlog": forwarded.backlog_of(found), "aside": forwarded.aside_of(found),
        "aside_count": found.put_aside.count(), "tools": found.tools.order_by("name"),
        "verbs": [verb_label(verb) for verb in found.verbs],
    }  # fmt: skip
    return render_page(request, "exchange/destination.html", context)


@for_administrators
@require_http_methods(["GET", "HEAD", "POST"])
def change_destination(request: HttpRequest, pk: int) -> HttpResponse:
    """Another address, another key, other entries."""
    found = _destination(request, pk)
    told: dict[str, Any] = {name: getattr(found, name) for name in forwarding.FIELDS}
    told |= {"tools": found.tools.all(), "verbs": "\n".join(found.verbs), "activities": "\n".join(found.activities)}
    typed = request.POST if request.method == "POST" else None
    form = DestinationForm(typed, tenant=found.tenant, destination=found, initial=told)
    if typed is None:
        return render_page(request, "exchange/destination_form.html", {"form": form, "destination": found})
    if not form.is_valid():
        return respond_invalid(request, "exchange/destination_form.html", "", form, {"destination": found})
    forwarding.change_destination(by=viewer_of(request), destination=found, **form.cleaned_data)
    return redirect("exchange:destination", found.pk)


@for_administrators
@require_POST
def switch_destination(request: HttpRequest, pk: int) -> HttpResponse:
    """Send no more, or go on."""
    found = _destination(request, pk)
    forwarding.switch_destination(by=viewer_of(request), destination=found, is_on=not found.is_on)
    told = _("Nothing more is sent. What waits goes on waiting.") if found.is_on else _("It goes on where it was left.")
    messages.success(request, told)
    return redirect("exchange:destination", found.pk)


@for_administrators
@require_POST
def remove_destination(request: HttpRequest, pk: int) -> HttpResponse:
    """Send no more, and forget its secret."""
    found = _destination(request, pk)
    forwarding.remove_destination(by=viewer_of(request), destination=found)
    messages.success(request, _("%(name)s gets nothing any more. What it has stays there.") % {"name": found})
    return redirect("exchange:destinations")


@for_administrators
@require_POST
def try_again(request: HttpRequest, pk: int) -> HttpResponse:
    """Send what was put aside once more."""
    found = _destination(request, pk)
    count = forwarding.try_again(by=viewer_of(request), destination=found)
    told = ngettext("One entry is sent again.", "%(count)d entries are sent again.", count) % {"count": count}
    messages.success(request, told)
    return redirect("exchange:destination", found.pk)
