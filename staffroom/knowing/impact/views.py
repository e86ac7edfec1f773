"""Pages: what works, activity by activity; one activity with all its figures; the entries and ingredients behind them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from staffroom.jobs.models import Job
from staffroom.knowing.impact import actions, drawing, exporting, figures, queries, rules, wording
from staffroom.knowing.impact.figures import Portrait
from staffroom.people.models import Organization, Person
from staffroom.people.queries import memberships_of
from staffroom.records import rules as records_rules
from staffroom.records.models import Activity, Instrument
from staffroom.ui.csv import csv_response, wants_csv
from staffroom.ui.pages import render_page

PAGE = 30


def _person(request: HttpRequest) -> Person:
    assert isinstance(request.user, Person)
    return request.user


def _guarded(request: HttpRequest) -> Person:
    viewer = _person(request)
    if not rules.has_what_works(viewer):
        raise Http404
    return viewer


# --- The list ------------------------------------------------------------------------------------------------------------------


@login_required
@require_safe
def activities(request: HttpRequest) -> HttpResponseBase:
    """Every activity around the viewer's organizations, by name: nothing is ranked."""
    viewer = _guarded(request)
    found = list(queries.activities_for(viewer))
    tallies, estimates = queries.tallies_of(found), queries.estimates_of(found)
    job = _first_computation(viewer, [each for each in found if each.pk not in tallies])
    lines = [_line(each, found, tallies.get(each.pk), estimates.get(each.pk, [])) for each in found]
    if wants_csv(request):
        return _as_csv(lines)
    intervals = [(line["effect"]["low"], line["effect"]["high"]) for line in lines if line["effect"]]
    scale = drawing.effect_scale(intervals, 8, 352)
    for line in lines:
        line["strip"] = drawing.strip(line["effect"], scale) if line["effect"] else None
    lede = (
        _(
            "All drawings have one scale: the dashed line is no effect, the dot the estimate, the bar what is likely (95 %% interval). "
            "Where bars overlap, neither can be said to be better."
        )
        % {}
    )
    context = {"lines": lines, "job": job, "lede": lede if intervals else ""}
    return render_page(request, "impact/activities.html", context)


def _as_csv(lines: list[dict[str, Any]]) -> HttpResponseBase:
    header = [
        _("Activity"),
        _("Kind"),
        _("For"),
        _("Took part"),
        _("Measured by"),
        _("Effect in SD"),
        _("Likely"),
        _("How sure"),
        _("In words"),
    ]
    rows = (
        (line["activity"].name, line["activity"].get_kind_display(), line["activity"].organization, "; ".join(line["facts"]),
         line["instrument"] or "", line["sd"], line["likely"], line["tier"], line["sentence"])
        for line in lines
    )  # fmt: skip
    return csv_response("what-works", header, rows)


def _first_computation(viewer: Person, missing: list[Activity]) -> Job | None:
    """Have activities computed of which nothing is known yet."""
    if not missing:
        return None
    return actions.want(by=viewer, activities=missing, about=_home(viewer))


def _home(viewer: Person) -> Organization:
    return next(held.organization for held in memberships_of(viewer) if held.role in rules.ROLES)


def _line(activity: Activity, among: list[Activity], tally: Any, estimates: list[Any]) -> dict[str, Any]:
    """One activity of the list: what was added up, and the first of its estimates."""
    first = estimates[0] if estimates else None
    summary = first.summary if first else None
    effect = summary["effect"] if summary and summary["effect"] and summary["effect"]["low"] is not None else None
    said = tally.result if tally else None
    return {
        "activity": activity,
        "url": _address("impact:activity", activity, at=_at(activity, among)),
        "said": said,
        "facts": _facts(said) if said else [],
        "instrument": first.instrument if first else None,
        "effect": effect,
        "likely": wording.interval(effect["low"], effect["high"]) if effect else "",
        "sd": wording.signed(effect["sd"]) if effect else "",
        "behind": wording.behind(effect["size"]) if effect else "",
        "sentence": wording.sentence(summary["sentence"][0], is_higher_better=summary["is_higher_better"])
        if summary and summary["sentence"] else "",
        "tier": wording.tier(summary["tier"]) if summary and summary["effect"] else _("Not yet known"),
        "tone": wording.tier_tone(summary["tier"]) if summary and summary["effect"] else "",
    }  # fmt: skip


def _facts(said: dict[str, Any]) -> list[str]:
    """Who took part, hours and cost, each with its unit."""
    if said["teachers"] == 0:
        return [_("Nobody has taken part yet.")]
    if said["teachers"] is None:
        return [_("Fewer than five teachers took part: too few to show.")]
    share = (
        _(" (%(share)s of those who teach now)") % {"share": wording.percent(said["share"])} if said["share"] else ""
    )
    cost = said["costs"]["per_teacher"]
    each = _("%(hours)s hours") % {"hours": wording.hours(said["hours_per_teacher"])}
    if cost is not None:
        each = _("%(hours)s and %(amount)s") % {"hours": each, "amount": wording.dollars(cost)}
    return [
        _("%(count)s teachers took part%(share)s") % {"count": wording.count(said["teachers"]), "share": share},
        _("%(what)s each") % {"what": each},
    ]


def _at(activity: Activity, among: list[Activity]) -> str:
    """The organization in an address, where two organizations chose the same name for an activity."""
    is_shared = sum(each.slug == activity.slug for each in among) > 1
    return activity.organization.slug if is_shared else ""


def _address(name: str, activity: Activity, **query: str) -> str:
    asked = urlencode({key: value for key, value in query.items() if value})
    return reverse(name, args=[activity.slug]) + (f"?{asked}" if asked else "")


@login_required
@require_safe
def progress(request: HttpRequest) -> HttpResponse:
    """How far the first computation for the list is, which the page asks for again and again."""
    return _progress(request, queries.running_job(_home(_guarded(request))), reverse("impact:activities"))


# --- One activity ----------------------------------------------------------------------------------------------------------------


def _activity(request: HttpRequest, slug: str) -> tuple[Activity, str]:
    """The activity of an address, as far as the viewer may know of it; and the organization that the address names."""
    found = queries.activities_named(_guarded(request), slug, request.GET.get("at", ""))
    if not found:
        raise Http404
    return found[0], _at(found[0], found) or request.GET.get("at", "")


def portrait_of(activity: Activity, wanted: str) -> tuple[Portrait, list[Instrument]]:
    """What is known of an activity, on one instrument of those that there are. 404 for an instrument that there is not."""
    instruments = list(queries.instruments_for(queries.scope_of(activity)))
    instrument = queries.instrument_with(instruments, wanted)
    if wanted and instrument is None:
        raise Http404
    tally = queries.tallies_of([activity]).get(activity.pk)
    estimate = queries.estimate_on(activity, instrument) if instrument else None
    return Portrait(activity, instrument, tally, estimate), instruments


@login_required
@require_safe
def activity(request: HttpRequest, slug: str) -> HttpResponse:
    """Everything that is known of one activity, the sentence first; computed anew when the ledgers have changed."""
    found, at = _activity(request, slug)
    portrait, instruments = portrait_of(found, request.GET.get("instrument", ""))
    job = _freshen(_person(request), portrait)
    links = {"at": at, "instrument": portrait.instrument.slug if portrait.instrument and len(instruments) > 1 else ""}
    context = {
        "activity": found,
        "portrait": portrait,
        "job": job,
        "instruments": [
            {"name": each.name, "url": _address("impact:activity", found, at=at, instrument=each.slug),
             "is_current": each == portrait.instrument}
            for each in instruments
        ] if len(instruments) > 1 else [],
        "csv_url": _address("impact:csv", found, **links),
        "json_url": _address("impact:json", found, **links),
        "entries_url": _address("impact:entries", found, at=at),
        "ingredients_url": _address("impact:ingredients", found, at=at)
        if records_rules.may_see_costs(request.user, found) else "",
        "progress_url": _address("impact:activity_progress", found, at=at),
        "may_keep": records_rules.may_keep_records(request.user, found.organization),
    }  # fmt: skip
    return render_page(request, "impact/activity.html", context)


def _freshen(viewer: Person, portrait: Portrait) -> Job | None:
    """The computation under way for a page; started when something is missing or has changed. Failures wait for a while."""
    job = queries.running_job(portrait.activity)
    if job is not None and (not job.is_finished or _is_recent(job.finished_at)):
        return job
    if _is_missing(portrait) or _is_outdated(portrait):
        return actions.want(by=viewer, activities=[portrait.activity], about=portrait.activity)
    return None


def _is_missing(portrait: Portrait) -> bool:
    return portrait.tally is None or (portrait.instrument is not None and portrait.estimate is None)


def _is_outdated(portrait: Portrait) -> bool:
    assert portrait.tally is not None
    computed_at = min(each.computed_at for each in (portrait.tally, portrait.estimate) if each)
    return not _is_recent(computed_at) and queries.is_outdated(portrait.activity, portrait.instrument, computed_at)


def _is_recent(moment: datetime | None) -> bool:
    return moment is not None and timezone.now() - moment < actions.BREATHER


@login_required
@require_safe
def activity_progress(request: HttpRequest, slug: str) -> HttpResponse:
    """How far the computation of an activity is."""
    found, at = _activity(request, slug)
    return _progress(request, queries.running_job(found), _address("impact:activity", found, at=at))


def _progress(request: HttpRequest, job: Job | None, page: str) -> HttpResponse:
    """The state of a job as a fragment; when it is over, the page is read anew."""
    context = {"job": job, "progress_url": request.get_full_path(), "page": page}
    response = render_page(request, "impact/computing.html", context, fragment="computing")
    if job is None or job.is_finished:
        response["HX-Refresh"] = "true"
    return response


@login_required
@require_safe
def activity_csv(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Every number of the page as a table."""
    found, _place = _activity(request, slug)
    portrait, _instruments = portrait_of(found, request.GET.get("instrument", ""))
    return csv_response(f"what-works-{found.slug}", exporting.CSV_HEADER, exporting.lines_of(portrait))


@login_required
@require_safe
def activity_json(request: HttpRequest, slug: str) -> HttpResponse:
    """The same for programs."""
    found, _place = _activity(request, slug)
    portrait, _instruments = portrait_of(found, request.GET.get("instrument", ""))
    return JsonResponse(portrait.as_json())


# --- What the figures came from ------------------------------------------------------------------------------------------------


@login_required
@require_safe
def entries(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Dates, minutes and kinds of the entries behind an activity, as far as the viewer may see them. No names."""
    found, at = _activity(request, slug)
    rows = queries.entries_behind(_person(request), found)
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
    found, at = _activity(request, slug)
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
    older = _address(name, found, at=at, before=str(page[PAGE - 1].pk)) if len(page) > PAGE else ""
    context = {
        **words, "activity": found, "rows": [cells(each) for each in page[:PAGE]], "older_url": older,
        "up_url": _address("impact:activity", found, at=at), "csv_url": _address(name, found, at=at, format="csv"),
    }  # fmt: skip
    return render_page(request, "impact/rows.html", context)
