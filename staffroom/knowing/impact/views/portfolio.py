"""Pages: what works, all activities in one view."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from staffroom.jobs.models import Job
from staffroom.knowing.impact import actions, drawing, queries, wording
from staffroom.knowing.impact.views.doors import address_of, guarded, home_of, place_in_address, progress_of
from staffroom.people.models import Person
from staffroom.records.models import Activity
from staffroom.ui.csv import csv_response, wants_csv
from staffroom.ui.pages import render_page


@login_required
@require_safe
def activities(request: HttpRequest) -> HttpResponseBase:
    """Every activity around the viewer's organizations, by name: nothing is ranked."""
    viewer = guarded(request)
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
    return actions.want(by=viewer, activities=missing, about=home_of(viewer))


def _line(activity: Activity, among: list[Activity], tally: Any, estimates: list[Any]) -> dict[str, Any]:
    """One activity of the list: what was added up, and the first of its estimates."""
    first = estimates[0] if estimates else None
    summary = first.summary if first else None
    effect = summary["effect"] if summary and summary["effect"] and summary["effect"]["low"] is not None else None
    said = tally.result if tally else None
    return {
        "activity": activity,
        "url": address_of("impact:activity", activity, at=place_in_address(activity, among)),
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


@login_required
@require_safe
def progress(request: HttpRequest) -> HttpResponse:
    """How far the first computation for the list is, which the page asks for again and again."""
    return progress_of(request, queries.running_job(home_of(guarded(request))), reverse("impact:activities"))
