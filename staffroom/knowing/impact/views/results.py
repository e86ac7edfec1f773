"""Pages: one activity with all its figures, for people and for programs."""

from __future__ import annotations

import json
from datetime import datetime

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.csp import CSP
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.csp import csp_override
from django.views.decorators.http import require_safe

from staffroom.jobs.models import Job
from staffroom.knowing.impact import actions, exporting, portfolio, queries
from staffroom.knowing.impact.figures import Portrait
from staffroom.knowing.impact.showing import pictures_of
from staffroom.knowing.impact.views.doors import activity_of, address, address_of, person_of, picture_file, progress_of
from staffroom.knowing.impact.views.remembering import remembered
from staffroom.people.models import Person
from staffroom.records import rules as records_rules
from staffroom.records.models import Activity, Instrument
from staffroom.ui.csv import csv_response
from staffroom.ui.pages import render_page


def portrait_of(viewer: object, activity: Activity, wanted: str) -> tuple[Portrait, list[Instrument]]:
    """What is known of an activity, on one instrument of those that there are. 404 for an instrument that there is not."""
    scope = queries.scope_of(activity)
    instruments = list(queries.instruments_for(scope))
    instrument = queries.instrument_with(instruments, wanted)
    if wanted and instrument is None:
        raise Http404
    tally = queries.tallies_of([activity]).get(activity.pk)
    estimate = queries.estimate_on(activity, instrument) if instrument else None
    names = queries.school_names(viewer, scope) if estimate else {}
    return Portrait(activity, instrument, tally, estimate, names), instruments


@login_required
@require_safe
def activity(request: HttpRequest, slug: str) -> HttpResponse:
    """Everything that is known of one activity, the sentence first; computed anew when the ledgers have changed."""
    found, at = activity_of(request, slug)
    portrait, instruments = portrait_of(request.user, found, request.GET.get("instrument", ""))
    job = _freshen(person_of(request), portrait)
    links = {"at": at, "instrument": portrait.instrument.slug if portrait.instrument and len(instruments) > 1 else ""}
    context = {
        "activity": found, "portrait": portrait, "job": job, "has_result": portrait.estimate is not None,
        "body": _body(request, portrait, links),
        "instruments": [
            {"name": each.name, "url": address_of("impact:activity", found, at=at, instrument=each.slug),
             "is_current": each == portrait.instrument}
            for each in instruments
        ] if len(instruments) > 1 else [],
        **{f"{name}_url": address_of(f"impact:{name}", found, **links) for name in ("csv", "json", "report")},
        "progress_url": address_of("impact:activity_progress", found, at=at),
    }  # fmt: skip
    return render_page(request, "impact/activity.html", context)


def _body(request: HttpRequest, portrait: Portrait, links: dict[str, str]) -> SafeString:
    """All that follows from what was kept; what the viewer may do stands in it as addresses that are there or not."""
    found, viewer = portrait.activity, person_of(request)
    at = {"at": links["at"]}
    told = {
        "more_url": address_of("impact:more", found, **links), "entries_url": address_of("impact:entries", found, **at),
        "ingredients_url": address_of("impact:ingredients", found, **at) if records_rules.may_see_costs(viewer, found) else "",
        "may_keep": records_rules.may_keep_records(viewer, found.organization),
        "study_url": address_of("impact:study_files", found, **links)
        if records_rules.may_keep_records(viewer, queries.scope_of(found)) else "",
        "evidence_url": address("evidence:evidence", str(found.key)),
    }  # fmt: skip

    def made() -> dict[str, object]:
        shown = pictures_of(
            portrait.result, lambda name, kind: address("impact:picture", found.slug, name, kind, **links),
            _records(viewer, found, links) | {"results": "#outcomes"},
        )  # fmt: skip
        return {**told, "activity": found, "portrait": portrait, "result": portrait.result, "pictures": shown}

    return remembered("impact/parts/body.html", [*portrait.follows_from, told, links], made)


def _records(viewer: Person, activity: Activity, links: dict[str, str]) -> dict[str, str]:
    """Where the entries behind a picture of an activity are; ingredients only for those who may see them."""
    at = {"at": links["at"]}
    may_see = records_rules.may_see_costs(viewer, activity)
    return {
        "attendance": address_of("impact:entries", activity, **at),
        "costs": address_of("impact:ingredients", activity, **at) if may_see else "",
        "results": address_of("impact:activity", activity, **links) + "#outcomes",
    }


@login_required
@require_safe
def more_pictures(request: HttpRequest, slug: str) -> HttpResponse:
    """The pictures that do not come first, those of gain against time and cost beside other activities."""
    found, at = activity_of(request, slug)
    portrait, _instruments = portrait_of(request.user, found, request.GET.get("instrument", ""))
    portrait.others = portfolio.others_of(request.user, found)
    links = {"at": at, "instrument": request.GET.get("instrument", "")}
    shown = pictures_of(
        portrait.result, lambda name, kind: address("impact:picture", found.slug, name, kind, **links),
        _records(person_of(request), found, links),
    )  # fmt: skip
    context = {
        "activity": found, "pictures": shown["more"], "up_url": address_of("impact:activity", found, **links),
        "lede": _("Gain against time and cost beside other activities; and what the answer leans on."),
    }  # fmt: skip
    return render_page(request, "impact/pictures.html", context, fragment="pictures")


@login_required
@require_safe
def picture(request: HttpRequest, slug: str, name: str, kind: str) -> HttpResponse:
    """One picture as a file."""
    found, _place = activity_of(request, slug)
    portrait, _instruments = portrait_of(request.user, found, request.GET.get("instrument", ""))
    return picture_file(portrait.result, found.slug, name, kind)


@login_required
@require_safe
def study_files(request: HttpRequest, slug: str) -> HttpResponse:
    """What the answer was computed from, for the command; for those who keep the records of all whose results are in it."""
    found, _place = activity_of(request, slug)
    portrait, _instruments = portrait_of(request.user, found, request.GET.get("instrument", ""))
    if not records_rules.may_keep_records(request.user, queries.scope_of(found)) or portrait.instrument is None:
        raise Http404
    answer = json.dumps(portrait.result.answer if portrait.result else None, indent=2)
    content = actions.study_as_files(activity=found, instrument=portrait.instrument, answer=answer)
    if content is None:
        raise Http404
    response = HttpResponse(content, content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="study-{found.slug}.zip"'
    return response


@login_required
@require_safe
@csp_override({"default-src": [CSP.NONE], "style-src": [CSP.UNSAFE_INLINE], "frame-ancestors": [CSP.NONE]})
def report(request: HttpRequest, slug: str) -> HttpResponse:
    """All of it on paper: a page of its own that fetches nothing and runs nothing."""
    found, _place = activity_of(request, slug)
    portrait, _instruments = portrait_of(request.user, found, request.GET.get("instrument", ""))
    if portrait.result is None or portrait.instrument is None:
        raise Http404
    subtitle = f"{found.organization} · {portrait.instrument.name}"
    return HttpResponse(portrait.result.report(subtitle=subtitle, language=get_language() or "en"))


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
    found, at = activity_of(request, slug)
    return progress_of(request, queries.running_job(found), address_of("impact:activity", found, at=at))


@login_required
@require_safe
def activity_csv(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Every number of the page as a table."""
    found, _place = activity_of(request, slug)
    portrait, _instruments = portrait_of(request.user, found, request.GET.get("instrument", ""))
    return csv_response(f"what-works-{found.slug}", exporting.CSV_HEADER, exporting.lines_of(portrait))


@login_required
@require_safe
def activity_json(request: HttpRequest, slug: str) -> HttpResponse:
    """The same for programs."""
    found, _place = activity_of(request, slug)
    portrait, _instruments = portrait_of(request.user, found, request.GET.get("instrument", ""))
    return JsonResponse(portrait.as_json())
