"""Pages of studies: the list, asking a question with the power shown, one study with its versions, and what came out."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST, require_safe

from staffroom.knowing.impact import actions, queries, rules, wording
from staffroom.knowing.impact.forms.studies import CloseForm, RegisterForm, StudyForm
from staffroom.knowing.impact.models import Study, StudyVersion
from staffroom.knowing.impact.outlook import Outlook, Plan, outlook, variation_in
from staffroom.knowing.impact.queries.roads import road_ahead
from staffroom.knowing.impact.taking_part import takers
from staffroom.knowing.impact.views.doors import guarded, person_of, progress_of, put_into
from staffroom.ui.csv import csv_response, wants_csv
from staffroom.ui.pages import render_page, respond_invalid

PAGE = "impact/studies/study.html"
FORM = "impact/studies/form.html"


def study_of(request: HttpRequest, slug: str) -> Study:
    found = queries.study_named(guarded(request), slug)
    if found is None:
        raise Http404
    return found


def _mine(request: HttpRequest, slug: str) -> Study:
    """A study that the viewer runs and that is not closed."""
    found = study_of(request, slug)
    if not rules.may_run_study(request.user, found) or found.end:
        raise Http404
    return found


def state_of(found: Study) -> tuple[str, str]:
    """Where a study stands, in words, and the tone of its chip."""
    versions = list(found.versions.all())
    if found.end:
        return str(found.get_end_display()), "good" if found.end == Study.End.DECIDED else ""
    if not versions:
        return _("draft, not registered"), "warn"
    answer = getattr(versions[-1], "answer", None)
    if answer is None:
        return _("registered, waits for results"), "accent"
    return (_("registered"), "good") if answer.is_registered else (_("exploratory"), "warn")


@login_required
@require_safe
def studies(request: HttpRequest) -> HttpResponseBase:
    """Studies around the viewer's organizations, newest first."""
    viewer = guarded(request)
    lines = [_line(each) for each in queries.studies_for(viewer)]
    if wants_csv(request):
        header = [
            _("Question"),
            _("For"),
            _("Activity"),
            _("Measured by"),
            _("From"),
            _("Until"),
            _("State"),
            _("SHA-256"),
            _("Answer"),
        ]
        rows = (
            (line["study"].name, line["study"].organization, line["activities"], line["study"].instrument, line["study"].outcomes_from,
             line["study"].outcomes_until, line["state"], line["sha256"], line["sentence"])
            for line in lines
        )  # fmt: skip
        return csv_response("studies", header, rows)
    may_start = queries.places_for_studies(viewer).exists()
    return render_page(request, "impact/studies/studies.html", {"lines": lines, "may_start": may_start})


def _line(found: Study) -> dict[str, Any]:
    versions = list(found.versions.all())
    answer = getattr(versions[-1], "answer", None) if versions else None
    state, tone = state_of(found)
    return {
        "study": found, "state": state, "tone": tone, "activities": ", ".join(each.name for each in found.activities.all()),
        "sha256": versions[-1].sha256 if versions else "", "sentence": said_by(answer.summary) if answer else "",
    }  # fmt: skip


def said_by(summary: dict[str, Any]) -> str:
    """The first sentence of an answer."""
    sentences = summary.get("sentence") or []
    return wording.sentence(sentences[0], is_higher_better=summary["is_higher_better"]) if sentences else ""


@login_required
def new_study(request: HttpRequest) -> HttpResponse:
    """Ask a question."""
    viewer = guarded(request)
    if not queries.places_for_studies(viewer).exists():
        raise Http404
    form = StudyForm(request.POST or None, viewer=viewer)
    if request.method != "POST":
        return render_page(request, FORM, {"form": form})
    if "look" in request.POST:
        return render_page(request, FORM, {"form": _as_typed(request), "outlook": _outlook(request)})
    if form.is_valid():
        try:
            place = form.cleaned_data["organization"]
            made = actions.start_study(by=viewer, organization=place, **form.fields_of_study)
            messages.success(request, _("Drafted. Read it once more, and register it before the results are there."))
            return redirect(made)
        except ValidationError as problem:
            put_into(form, problem)
    return respond_invalid(request, FORM, "", form, {"outlook": _outlook(request)})


@login_required
def change_study(request: HttpRequest, slug: str) -> HttpResponse:
    """Change the draft."""
    found = _mine(request, slug)
    form = StudyForm(request.POST or None, viewer=person_of(request), study=found)
    if request.method != "POST":
        return render_page(request, FORM, {"form": form, "study": found})
    if "look" in request.POST:
        return render_page(
            request, FORM, {"form": _as_typed(request, found), "study": found, "outlook": _outlook(request, found)}
        )
    if form.is_valid():
        try:
            actions.change_study(by=person_of(request), study=found, **form.fields_of_study)
            messages.success(
                request, _("Saved. What was registered before stays as it was; register the change to make it count.")
            )
            return redirect(found)
        except ValidationError as problem:
            put_into(form, problem)
    return respond_invalid(request, FORM, "", form, {"study": found, "outlook": _outlook(request, found)})


def _as_typed(request: HttpRequest, found: Study | None = None) -> StudyForm:
    """The form with what was typed, nothing of it judged yet."""
    form = StudyForm(viewer=person_of(request), study=found)
    many = ("activities", "schools")
    form.initial = {name: request.POST.getlist(name) if name in many else value for name, value in request.POST.items()}
    return form


@login_required
@require_GET
def power(request: HttpRequest) -> HttpResponse:
    """What could be seen with what has been typed so far, as a fragment."""
    guarded(request)
    return render_page(request, FORM, {"form": None, "outlook": _outlook(request)}, fragment="power")


def _outlook(request: HttpRequest, found: Study | None = None) -> Outlook | None:
    """What a comparison of those who take part with the others could show, by what is typed so far."""
    typed = request.POST or request.GET
    if found is None and typed.get("study"):
        found = queries.study_named(request.user, typed["study"])
    wanted = found.organization_id if found else _number(typed.get("organization", ""))
    place = queries.places_for_studies(request.user).filter(pk=wanted).first()
    if place is None:
        return None
    schools = list(queries.schools_below(place).filter(pk__in=_numbers(typed, "schools")))
    teachers = queries.teachers_at(place, schools)
    activities = list(queries.activities_for_studies(request.user).filter(pk__in=_numbers(typed, "activities")))
    share = _number(typed.get("planned_share", ""))
    taking = takers(place, activities, [each.person.key for each in teachers], share if 0 < share <= 100 else None)
    instruments = queries.instruments_for_studies(request.user)
    instrument = instruments.filter(pk=_number(typed.get("instrument", ""))).first()
    plan = Plan(len(teachers), len({each.school.pk for each in teachers}), taking.count, by_lot=False)
    return outlook(plan, variation_in(place, instrument), taking.said)


def _numbers(typed: Any, name: str) -> set[int]:
    return {_number(each) for each in typed.getlist(name)}


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


# --- One study ---------------------------------------------------------------------------------------------------------------------


@login_required
@require_safe
def study(request: HttpRequest, slug: str) -> HttpResponse:
    """One study: what it asks, its versions with what differs, whether it was registered in time, and the way to its answer."""
    return render_page(request, PAGE, _whole(request, study_of(request, slug)))


def _whole(request: HttpRequest, found: Study, **forms: Any) -> dict[str, Any]:
    versions = list(found.versions.all())
    latest = versions[-1] if versions else None
    may_run = rules.may_run_study(request.user, found) and not found.end
    protocol = queries.protocol_of(found, 0, "")
    changes = queries.differences(latest.protocol, protocol) if latest else []
    state, tone = state_of(found)
    context = {
        "study": found, "state": state, "tone": tone, "may_run": may_run,
        "parts": [
            (_(name), queries.in_words(part, protocol[part]))
            for part, name in queries.PARTS.items() if part in protocol and part != "question"
        ],
        "versions": _versions(versions), "changes": changes, "roads": [] if versions and _answered(latest) else road_ahead(found),
        "register_form": RegisterForm(is_first=latest is None) if may_run and (latest is None or changes) else None,
        "close_form": CloseForm() if may_run else None, "first_result": _first_result(found),
        "job": queries.running_study_job(found), "progress_url": reverse("studies:progress", args=[found.slug]),
        "result_url": reverse("studies:result", args=[found.slug]), "answer": getattr(latest, "answer", None) if latest else None,
    }  # fmt: skip
    context["sentence"] = said_by(context["answer"].summary) if context["answer"] else ""
    return {**context, **forms}


def _answered(version: StudyVersion | None) -> bool:
    return hasattr(version, "answer")


def _first_result(found: Study) -> Any:
    """When the first result that the draft asks about entered the ledger."""
    return queries.first_result(
        found.organization, str(found.instrument.key), found.outcomes_from, found.outcomes_until
    )


def _versions(versions: list[StudyVersion]) -> list[dict[str, Any]]:
    """Each version with what differs from the one before, and whether it came before the results; the newest first."""
    lines = []
    for before, each in zip([None, *versions], versions, strict=False):
        first = queries.first_result_of(each)
        lines.append({
            "version": each, "first_result": first, "is_in_time": each.is_intact and (first is None or first > each.registered_at),
            "differences": queries.differences(before.protocol, each.protocol) if before else [],
        })  # fmt: skip
    return lines[::-1]


@login_required
@require_POST
def register(request: HttpRequest, slug: str) -> HttpResponse:
    """Freeze, hash and date what the draft says."""
    found = _mine(request, slug)
    form = RegisterForm(request.POST, is_first=not found.versions.all())
    if form.is_valid():
        try:
            actions.register_study(by=person_of(request), study=found, reason=form.cleaned_data.get("reason", ""))
            messages.success(request, _("Registered on %(day)s.") % {"day": timezone.localdate().isoformat()})
            return redirect(found)
        except ValidationError as problem:
            put_into(form, problem)
    return respond_invalid(request, PAGE, "", form, _whole(request, found, register_form=form))


@login_required
@require_POST
def close(request: HttpRequest, slug: str) -> HttpResponse:
    """Close a study with the decision that was taken, or withdraw it."""
    found = _mine(request, slug)
    form = CloseForm(request.POST)
    if form.is_valid():
        try:
            said = form.cleaned_data
            actions.close_study(
                by=person_of(request), study=found, end=said["end"], decision_taken=said["decision_taken"]
            )
            messages.success(request, _("Closed. What was registered, and what came out, stays to be seen."))
            return redirect(found)
        except ValidationError as problem:
            put_into(form, problem)
    return respond_invalid(request, PAGE, "", form, _whole(request, found, close_form=form))


@login_required
@require_safe
def progress(request: HttpRequest, slug: str) -> HttpResponse:
    """How far the computation of a study's answers is."""
    found = study_of(request, slug)
    return progress_of(request, queries.running_study_job(found), found.get_absolute_url())
