"""Professional-learning activities: describe them, enter who took part, add what they used."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from staffroom.people.models import Organization
from staffroom.records import actions, queries, rules
from staffroom.records.forms import ActivityForm, AttendanceForm, FileForm, IngredientForm
from staffroom.records.models import Activity
from staffroom.records.views.doors import for_leaders, person_of, put_into
from staffroom.ui.csv import csv_response, wants_csv
from staffroom.ui.pages import render_page, respond_invalid

LINES = 50


def _activity(request: HttpRequest, key: UUID) -> Activity:
    return get_object_or_404(queries.activities_entered_by(person_of(request)), key=key)


@for_leaders
@require_safe
def activities(request: HttpRequest) -> HttpResponseBase:
    """Activities of the organizations that the viewer leads, and of those above."""
    found = queries.activities_entered_by(person_of(request)).order_by("name")
    if wants_csv(request):
        header = [_("Activity"), _("Kind"), _("For"), _("Begins"), _("Ends"), _("Planned hours")]
        rows = (
            (
                each.name,
                each.get_kind_display(),
                each.organization,
                each.begins_on or "",
                each.ends_on or "",
                each.planned_hours,
            )
            for each in found.iterator()
        )
        return csv_response("activities", header, rows)
    return render_page(request, "records/activities.html", {"activities": found[:500]})


@for_leaders
def new_activity(request: HttpRequest) -> HttpResponse:
    """Describe an activity."""
    viewer = person_of(request)
    form = ActivityForm(request.POST or None, viewer=viewer)
    if request.method != "POST":
        return render_page(request, "records/activity_form.html", {"form": form})
    if form.is_valid():
        try:
            return redirect("records:activity", actions.make_activity(by=viewer, **form.cleaned_data).key)
        except ValidationError as problem:
            put_into(form, problem)
    return respond_invalid(request, "records/activity_form.html", "", form)


@for_leaders
def change_activity(request: HttpRequest, key: UUID) -> HttpResponse:
    """Describe an activity better."""
    viewer, activity = person_of(request), _activity(request, key)
    if not rules.may_enter_activity(viewer, activity.organization):
        raise Http404
    form = ActivityForm(request.POST or None, instance=activity, viewer=viewer)
    if request.method != "POST":
        return render_page(request, "records/activity_form.html", {"form": form, "activity": activity})
    if form.is_valid():
        actions.change_activity(by=viewer, activity=activity, **form.cleaned_data)
        messages.success(request, _("Saved."))
        return redirect("records:activity", activity.key)
    return respond_invalid(request, "records/activity_form.html", "", form, {"activity": activity})


def _shown(request: HttpRequest, activity: Activity) -> dict[str, object]:
    viewer = person_of(request)
    lines = queries.cost_lines_for(viewer, activity)
    return {
        "activity": activity, "costs": queries.costs_for(viewer, activity), "lines": lines.filter(statement=None)[:LINES],
        "time_lines": lines.filter(statement__isnull=False).count(), "latest": lines[:1],
        "participants": queries.participants_for(viewer, activity),
        "may_change": rules.may_enter_activity(viewer, activity.organization),
        "may_price": rules.may_keep_records(viewer, activity.organization),
    }  # fmt: skip


@for_leaders
@require_safe
def activity(request: HttpRequest, key: UUID) -> HttpResponse:
    """One activity: who took part in numbers, and what it cost."""
    found = _activity(request, key)
    form = IngredientForm(prices=queries.usable_prices(person_of(request), found))
    return render_page(request, "records/activity.html", {**_shown(request, found), "form": form})


@for_leaders
@require_POST
def add_ingredient(request: HttpRequest, key: UUID) -> HttpResponse:
    """Add something that an activity used."""
    viewer, found = person_of(request), _activity(request, key)
    if not rules.may_keep_records(viewer, found.organization):
        raise Http404
    form = IngredientForm(request.POST, prices=queries.usable_prices(viewer, found))
    if form.is_valid():
        try:
            actions.record_cost(by=viewer, activity=found, **form.line())
            messages.success(request, _("Added."))
            return redirect("records:activity", found.key)
        except ValidationError as problem:
            put_into(form, problem)
    return respond_invalid(request, "records/activity.html", "", form, _shown(request, found))


@for_leaders
@require_POST
def void_cost(request: HttpRequest, key: UUID, line: UUID) -> HttpResponse:
    """Take a line of the costs away again."""
    viewer, found = person_of(request), _activity(request, key)
    cost = get_object_or_404(queries.cost_lines_for(viewer, found), key=line)
    try:
        actions.void_cost(by=viewer, cost=cost)
    except PermissionDenied:
        raise Http404 from None
    except ValidationError as problem:
        messages.error(request, " ".join(problem.messages))
    else:
        messages.success(request, _("The line no longer counts."))
    return redirect("records:activity", found.key)


@for_leaders
@require_safe
def costs_csv(request: HttpRequest, key: UUID) -> HttpResponseBase:
    """The lines of an activity's costs as a file; time is told by role, not by person."""
    found = _activity(request, key)
    if not rules.may_see_costs(request.user, found):
        raise Http404
    lines = queries.cost_lines_for(person_of(request), found)

    def rows() -> Iterator[list[object]]:
        for each in lines.iterator(chunk_size=2000):
            yield [
                each.happened_on, each.ingredient, each.get_kind_display(), each.quantity.normalize(), each.unit,
                f"{each.unit_price_usd_cents / 100:.2f}", f"{each.amount_usd_cents / 100:.2f}", each.price_year, each.payer,
                _("yes") if each.is_business_as_usual else _("no"), each.get_scales_with_display(),
                _("yes") if each.is_opportunity else _("no"),
            ]  # fmt: skip

    header = [
        _("Day"), _("Ingredient"), _("Kind"), _("Quantity"), _("Unit"), _("Unit price ($)"), _("Amount ($)"), _("Prices of"),
        _("Paid by"), _("Business as usual"), _("Once more for"), _("Opportunity"),
    ]  # fmt: skip
    return csv_response(f"costs-{found.slug}", header, rows())


@for_leaders
def attendance(request: HttpRequest, key: UUID) -> HttpResponse:
    """Enter who took part: by ticking the people of one school, or by a file."""
    viewer, found = person_of(request), _activity(request, key)
    schools = list(
        queries.places_entered_by(viewer).filter(
            kind=Organization.Kind.SCHOOL, path__startswith=found.organization.path
        )
    )
    schools = schools or list(queries.places_entered_by(viewer).filter(pk__in=found.organization.ancestor_pks))
    chosen = next((each for each in schools if each.slug == request.GET.get("school")), schools[0] if schools else None)
    people = queries.staff_below(viewer, chosen) if chosen else queries.staff_below(viewer, found.organization)
    form = AttendanceForm(request.POST or None, people=people)
    context = {"activity": found, "schools": schools, "chosen": chosen, "file_form": FileForm(), "form": form}
    if request.method != "POST":
        return render_page(request, "records/attendance.html", context)
    if not form.is_valid():
        return respond_invalid(request, "records/attendance.html", "", form, context)
    said = form.cleaned_data
    presences = [actions.Presence(person=each, day=said["day"], hours=said["hours"]) for each in said["people"]]
    _enter(request, found, presences)
    return redirect("records:activity", found.key)


def _enter(request: HttpRequest, found: Activity, presences: list[actions.Presence]) -> None:
    entered = actions.enter_attendance(by=person_of(request), activity=found, presences=presences)
    messages.success(
        request,
        ngettext("%(count)s entry added.", "%(count)s entries added.", entered.added) % {"count": entered.added},
    )
    if entered.known:
        messages.info(request, _("Already entered before: %(count)s.") % {"count": entered.known})


@for_leaders
@require_POST
def attendance_file(request: HttpRequest, key: UUID) -> HttpResponse:
    """Enter who took part from a file: all rows, or none and what is wrong with them."""
    viewer, found = person_of(request), _activity(request, key)
    form = FileForm(request.POST, request.FILES)
    context: dict[str, object] = {"activity": found}
    if form.is_valid():
        try:
            read = actions.read_attendance(by=viewer, content=form.cleaned_data["file"].read())
        except ValidationError as problem:
            put_into(form, problem)
        else:
            if read.presences and not read.problems:
                _enter(request, found, read.presences)
                return redirect("records:activity", found.key)
            context |= {"problems": read.problems[:200], "good": len(read.presences), "bad": len(read.problems)}
            form.add_error("file", _("Nothing has been entered yet. Mend the file and send it again."))
    return respond_invalid(request, "records/attendance_file.html", "", form, context)
