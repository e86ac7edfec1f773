"""Taking in rosters: upload, what it would bring, progress, problems, history."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST, require_safe

from staffroom.people import actions, queries, tasks
from staffroom.people.forms import RosterForm
from staffroom.people.models import Organization, Role, RosterImport
from staffroom.people.rosters import plain
from staffroom.people.rosters.roster import RosterRefused
from staffroom.people.signed_in import viewer_of
from staffroom.ui.csv import csv_response, wants_csv
from staffroom.ui.pages import render_page, respond_invalid


def _districts(request: HttpRequest) -> list[Organization]:
    found = queries.organizations_of(request.user, Role.ADMINISTRATOR).filter(kind=Organization.Kind.DISTRICT)
    if not found:
        raise Http404
    return list(found)


def _import(request: HttpRequest, pk: int) -> RosterImport:
    return get_object_or_404(RosterImport.objects.select_related("district"), pk=pk, district__in=_districts(request))


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def rosters(request: HttpRequest) -> HttpResponseBase:
    """The upload and all earlier imports of the districts that one administers."""
    districts = _districts(request)
    district = next((each for each in districts if each.slug == request.GET.get("district")), districts[0])
    form = RosterForm(request.POST or None, request.FILES or None)
    earlier = RosterImport.objects.filter(district=district).annotate(problem_count=Count("problems"))
    earlier = earlier.order_by("-created_at", "-pk")
    if wants_csv(request):
        header = [_("Roster"), _("Layout"), _("Changes only"), _("When"), _("State"), _("Rows left out")]
        rows = (
            (each, each.layout, _("yes") if each.is_delta else _("no"), each.created_at, each.get_state_display(),
             vars(each)["problem_count"])
            for each in earlier.iterator()
        )  # fmt: skip
        return csv_response(f"rosters-{district.slug}", header, rows)
    context = {"districts": districts, "district": district, "form": form, "imports": earlier[:30]}
    if request.method != "POST":
        return render_page(request, "people/rosters.html", context)
    if form.is_valid():
        upload = form.cleaned_data["file"]
        try:
            kept = actions.receive_roster(by=viewer_of(request), district=district, name=upload.name, file=upload)
            return redirect("people:roster", kept.pk)
        except RosterRefused as refused:
            form.add_error("file", str(refused))
    return respond_invalid(request, "people/rosters.html", "", form, context)


@require_safe
@login_required
def roster(request: HttpRequest, pk: int) -> HttpResponse:
    """One import: what it would bring, how far it is, or what it brought; and its problems."""
    found = _import(request, pk)
    problems = found.problems.all()
    is_started = found.state == RosterImport.State.WAITING and found.message != ""
    context = {"roster": found, "is_started": is_started, "problems": problems[:50], "problem_count": problems.count()}
    return render_page(request, "people/roster.html", context, fragment="state")


@require_POST
@login_required
def take(request: HttpRequest, pk: int) -> HttpResponse:
    """Start an import, or start again one that stopped: the same file set taken twice gives the same tables."""
    found = _import(request, pk)
    if found.state == RosterImport.State.DONE or not found.path:
        messages.error(request, _("This roster is already in. Upload it again to take it in again."))
        return redirect("people:roster", pk)
    if found.state == RosterImport.State.RUNNING:
        messages.info(request, _("It is being taken in already. If its worker stops, another takes it over."))
        return redirect("people:roster", pk)
    found.state, found.message = RosterImport.State.WAITING, _("Waiting for the worker")
    found.may_end_most = bool(request.POST.get("may_end_most"))
    found.imported_by = viewer_of(request)
    with transaction.atomic():
        found.save(update_fields=["state", "message", "may_end_most", "imported_by"])
        transaction.on_commit(lambda: tasks.take_roster.enqueue(pk))
    return redirect("people:roster", pk)


@require_GET
@login_required
def problems_csv(request: HttpRequest, pk: int) -> HttpResponseBase:
    """All problems of an import as a table, to send to whoever makes the export."""
    found = _import(request, pk)
    header = [_("File"), _("Line"), _("Column"), _("Reason")]
    rows = found.problems.values_list("file", "line", "column", "reason").iterator(chunk_size=2000)
    return csv_response(f"problems-{found.pk}.csv", header, rows)


@require_GET
@login_required
def template_csv(request: HttpRequest) -> HttpResponseBase:
    """The plain table to fill in, with examples."""
    _districts(request)
    return csv_response("staffroom-roster.csv", plain.COLUMNS, plain.EXAMPLES)
