"""The wizard for results files: send, say what the columns mean, look, take in, read the report."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from staffroom.jobs.actions import later
from staffroom.jobs.queries import jobs_about
from staffroom.records import actions, forms, queries, reading, resolving, tasks
from staffroom.records.forms import MappingForm, ResultsFileForm
from staffroom.records.models import OutcomeImport
from staffroom.records.views.doors import for_keepers, person_of, put_into
from staffroom.ui.csv import csv_response, wants_csv
from staffroom.ui.pages import render_page, respond_invalid

SHOWN = 100


def _import(request: HttpRequest, key: UUID) -> OutcomeImport:
    return get_object_or_404(queries.imports_for(person_of(request)), key=key)


@for_keepers
def imports(request: HttpRequest) -> HttpResponseBase:
    """Results files that were sent, and the form to send one."""
    viewer = person_of(request)
    if wants_csv(request):
        header = [_("File"), _("Instrument"), _("State"), _("Rows used"), _("Rows"), _("Sent")]
        rows = (
            (
                each.name,
                each.instrument or "",
                each.get_state_display(),
                each.rows_done,
                each.rows_total,
                each.created_at,
            )
            for each in queries.imports_for(viewer)
        )
        return csv_response("results-files", header, rows)
    form = ResultsFileForm(request.POST or None, request.FILES or None, viewer=viewer)
    context = {"imports": queries.imports_for(viewer)[:SHOWN], "form": form}
    if request.method != "POST":
        return render_page(request, "records/imports.html", context)
    if form.is_valid():
        file = form.cleaned_data["file"]
        try:
            kept = actions.keep_file(
                by=viewer, organization=form.cleaned_data["organization"], name=file.name, content=file.read()
            )
            return redirect("records:import-mapping", kept.key)
        except ValidationError as problem:
            form.add_error("file", problem)
    return respond_invalid(request, "records/imports.html", "", form, context)


@for_keepers
def mapping(request: HttpRequest, key: UUID) -> HttpResponse:
    """Say what the columns mean; a kept mapping, or the names of the columns, make a suggestion."""
    viewer, found = person_of(request), _import(request, key)
    if found.state not in (OutcomeImport.State.PREVIEW, OutcomeImport.State.FAILED):
        return redirect("records:import", found.key)
    try:
        table = reading.read_table(actions.content_of(found))
    except (ValidationError, reading.Unreadable) as problem:
        messages.error(request, " ".join(getattr(problem, "messages", [str(problem)])))
        return redirect("records:imports")
    saved = forms.saved_mappings(found.organization)
    chosen = next((each for each in saved if str(each.pk) == request.GET.get("use")), None)
    stored = chosen.columns if chosen else found.columns
    suggested = resolving.mapping_from(stored) if stored else resolving.guess(table)
    instrument = chosen.instrument if chosen else found.instrument
    form = MappingForm(
        request.POST or None, viewer=viewer, organization=found.organization, columns=table.columns,
        initial=forms.initial_of(suggested, instrument),
    )  # fmt: skip
    rows = [row.cells[: len(table.columns)] for row, _n in zip(table.rows(), range(3), strict=False)]
    context = {"found": found, "form": form, "table": table, "saved": saved, "rows": rows}
    if request.method != "POST":
        return render_page(request, "records/import_mapping.html", context)
    if form.is_valid():
        try:
            actions.map_columns(
                by=viewer, outcome_import=found, instrument=form.cleaned_data["instrument"], mapping=form.mapping(),
                keep_as=form.cleaned_data["keep_as"],
            )  # fmt: skip
            return redirect("records:import", found.key)
        except ValidationError as problem:
            put_into(form, problem)
    return respond_invalid(request, "records/import_mapping.html", "", form, context)


@for_keepers
@require_safe
def one_import(request: HttpRequest, key: UUID) -> HttpResponse:
    """Where a results file stands: what would be taken in, how far it is, or the report."""
    found = _import(request, key)
    context: dict[str, object] = {"found": found, "job": jobs_about(found).first()}
    if found.state == OutcomeImport.State.PREVIEW:
        if found.instrument is None:
            return redirect("records:import-mapping", found.key)
        try:
            context["preview"] = actions.preview(found)
        except ValidationError as problem:
            messages.error(request, " ".join(problem.messages))
            return redirect("records:imports")
    return render_page(request, "records/import.html", context, fragment="progress")


@for_keepers
@require_POST
def start(request: HttpRequest, key: UUID) -> HttpResponse:
    """Have a file taken in by a worker."""
    viewer, found = person_of(request), _import(request, key)
    try:
        with transaction.atomic():
            actions.start_import(by=viewer, outcome_import=found)
            later(tasks.import_outcomes, by=viewer, about=found, label=found.name, import_id=found.pk)
    except ValidationError as problem:
        messages.error(request, " ".join(problem.messages))
    return redirect("records:import", found.key)


@for_keepers
@require_POST
def drop(request: HttpRequest, key: UUID) -> HttpResponse:
    """Remove a file that was not taken in."""
    try:
        actions.drop_import(by=person_of(request), outcome_import=_import(request, key))
        messages.success(request, _("The file has been removed."))
    except ValidationError as problem:
        messages.error(request, " ".join(problem.messages))
    return redirect("records:imports")


@for_keepers
@require_safe
def problems_csv(request: HttpRequest, key: UUID) -> HttpResponseBase:
    """The rows that could not be used, as a file."""
    found = _import(request, key)
    rows = ([each["line"], each["column"], each["reason"]] for each in found.problems)
    return csv_response("problems", [_("Line"), _("Column"), _("Reason")], rows)
