"""The pages of courses elsewhere: what came lately, which activity it counts as, and what stands behind each hour."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from staffroom.exchange import lately, rules, whose
from staffroom.exchange.actions import mappings as deeds
from staffroom.exchange.forms import MappingForm
from staffroom.exchange.models import Credit, Mapping
from staffroom.exchange.views.agents import for_administrators
from staffroom.jobs.queries import jobs_about
from staffroom.people.models import Organization
from staffroom.people.signed_in import viewer_of
from staffroom.permissions.models import Tool
from staffroom.records.actions import make_activity
from staffroom.records.models import Activity
from staffroom.records.queries import activities_for
from staffroom.records.vocabulary import verb_label
from staffroom.ui.csv import csv_response, wants_csv
from staffroom.ui.pages import render_page, respond_invalid

LINES = 100


def tenant_of(request: HttpRequest) -> Organization:
    """The district that the page is about: the one that was asked for, else the first that the viewer administers."""
    return _chosen(request, list(whose.tenants_for(request.user)))


def _chosen(request: HttpRequest, tenants: list[Organization]) -> Organization:
    return next((each for each in tenants if each.slug == request.GET.get("district")), tenants[0])


@for_administrators
@require_safe
def mappings(request: HttpRequest) -> HttpResponseBase:
    """What counts already, and what came lately that does not."""
    tenants = list(whose.tenants_for(request.user))
    tenant = _chosen(request, tenants)
    counted = whose.mappings_for(request.user).filter(tenant=tenant)
    if wants_csv(request):
        header = [_("Counts as"), _("Address"), _("Tool"), _("Hours from"), _("People"), _("Hours")]
        rows = (
            (each.activity, each.iri, each.tool or "", each.get_hours_display(), vars(each)["people"],
             round((vars(each)["seconds"] or 0) / 3600, 2))
            for each in counted
        )  # fmt: skip
        return csv_response("courses-elsewhere", header, rows)
    context = {
        "mappings": counted, "tenant": tenant,
        "tenants": tenants, "courses": lately.courses_in(tenant.pk), "newest": lately.NEWEST,
    }  # fmt: skip
    return render_page(request, "exchange/mappings.html", context)


def _seen_verbs(tenant: Organization, iri: str) -> set[str]:
    return {verb for course in lately.courses_in(tenant.pk) if course.iri == iri for verb in course.verbs}


@for_administrators
@require_http_methods(["GET", "HEAD", "POST"])
def new_mapping(request: HttpRequest) -> HttpResponse:
    """Let a course elsewhere count; look first what that gives."""
    tenant = tenant_of(request)
    iri = (request.POST if request.method == "POST" else request.GET).get("iri", "")
    initial = {"iri": iri, "new_name": lately.name_of(tenant.pk, iri) if iri else ""}
    form = MappingForm(
        request.POST if request.method == "POST" else None,
        initial=initial,
        tenant=tenant,
        seen_verbs=_seen_verbs(tenant, iri),
    )
    return _typed(request, form, {"tenant": tenant, "form": form})


@for_administrators
@require_http_methods(["GET", "HEAD", "POST"])
def change_mapping(request: HttpRequest, pk: int) -> HttpResponse:
    """Say it better; look first what that gives."""
    found = get_object_or_404(whose.mappings_for(request.user), pk=pk)
    initial = {name: getattr(found, name) for name in deeds.FIELDS}
    form = MappingForm(
        request.POST if request.method == "POST" else None, initial=initial, tenant=found.tenant, mapping=found,
        seen_verbs=_seen_verbs(found.tenant, found.iri),
    )  # fmt: skip
    return _typed(request, form, {"tenant": found.tenant, "mapping": found, "form": form})


def _typed(request: HttpRequest, form: MappingForm, context: dict[str, Any]) -> HttpResponse:
    template = "exchange/mapping_form.html"
    if request.method != "POST":
        return render_page(request, template, context)
    if form.is_valid():
        draft = form.draft()
        if "preview" in request.POST:
            return render_page(
                request, template, {**context, "preview": lately.preview(draft, deeds.entries_of(draft))}
            )
        try:
            return redirect("exchange:mapping", _save(request, form).pk)
        except ValidationError as problem:
            for name, errors in getattr(problem, "error_dict", {None: problem.messages}).items():
                form.add_error(name if name in form.fields else None, errors)
    return respond_invalid(request, template, "", form, context)


@transaction.atomic
def _save(request: HttpRequest, form: MappingForm) -> Mapping:
    viewer, said = viewer_of(request), form.said()
    if "activity" not in said:
        said["activity"] = make_activity(
            by=viewer, organization=form.tenant, name=form.cleaned_data["new_name"], kind=Activity.Kind.COURSE
        )
    if form.mapping is not None:
        made = deeds.change_mapping(by=viewer, mapping=form.mapping, **said)
    else:
        made = deeds.make_mapping(by=viewer, tenant=form.tenant, **said)
    messages.success(request, _("Saved. The hours are counted in a moment, those of what came before too."))
    return made


@for_administrators
@require_safe
def mapping(request: HttpRequest, pk: int) -> HttpResponse:
    """One mapping, and the hours that it gave."""
    found = get_object_or_404(whose.mappings_for(request.user), pk=pk)
    job = jobs_about(found).first()
    context = {
        "mapping": found, "verbs": [verb_label(verb) for verb in found.verbs], "credits": _credits(request, found),
        "job": job if job is not None and not job.is_finished else None, "lines": LINES,
    }  # fmt: skip
    return render_page(request, "exchange/mapping.html", context)


def _credits(request: HttpRequest, found: Mapping) -> list[Credit]:
    return list(whose.credits_for(request.user, found.activity).filter(mapping=found)[:LINES])


@for_administrators
@require_POST
def remove_mapping(request: HttpRequest, pk: int) -> HttpResponse:
    """No longer count it."""
    found = get_object_or_404(whose.mappings_for(request.user), pk=pk)
    deeds.remove_mapping(by=viewer_of(request), mapping=found)
    messages.success(request, _("It no longer counts. Its hours are voided in a moment; what the program wrote stays."))
    return redirect("exchange:mappings")


@login_required
@require_safe
def hours(request: HttpRequest, key: UUID) -> HttpResponse:
    """Hours of an activity that came from other programs: one's own, and for leaders those of whom they lead."""
    activity = get_object_or_404(activities_for(request.user), key=key)
    found = whose.credits_for(request.user, activity)
    context = {
        "activity": activity, "credits": found[:LINES], "lines": LINES, "count": found.count(),
        "people": found.order_by().values("person").distinct().count(),
        "seconds": sum(found.order_by().values_list("seconds", flat=True)),
    }  # fmt: skip
    return render_page(request, "exchange/hours.html", context, fragment="summary")


@login_required
@require_safe
def credit(request: HttpRequest, pk: int) -> HttpResponse:
    """What stands behind the hours of a day: the entries of tools. What they are about is told to the person alone."""
    found = get_object_or_404(whose.seen_credits(request.user), pk=pk)
    is_own = found.person_id == viewer_of(request).pk
    behind = whose.behind(found)
    tools = dict(Tool.objects.filter(pk__in={each.tool_id for each in behind}).values_list("pk", "name"))
    entries = [
        {
            "at": each.happened_at, "verb": verb_label(each.verb), "tool": tools.get(each.tool_id or 0, ""),
            "iri": each.object_iri if is_own else "",
            "minutes": None if each.duration_s is None else round(each.duration_s / 60),
        }
        for each in behind
    ]  # fmt: skip
    may_map = rules.may_match(request.user, found.mapping.tenant)
    return render_page(
        request, "exchange/credit.html", {"credit": found, "entries": entries, "is_own": is_own, "may_map": may_map}
    )
