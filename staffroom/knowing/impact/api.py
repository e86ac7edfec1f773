"""What works, for programs: the numbers of the pages, under the same guards."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest
from ninja import Router, Schema

from staffroom.knowing.impact import queries, rules, wording
from staffroom.knowing.impact.views.results import portrait_of

router = Router(tags=["What works"])


class ActivityOut(Schema):
    """One activity in the list: sums of at least five people; null is what is not known or not shown."""

    slug: str
    name: str
    kind: str
    organization: str
    teachers: int | None
    hours_per_teacher: float | None
    cost_per_teacher_usd_cents: int | None
    instrument: str | None
    effect_sd: float | None
    low: float | None
    high: float | None
    tier: int | None
    sentence: str


@router.get("/", response=list[ActivityOut], url_name="what_works")
def activities(request: HttpRequest) -> list[dict[str, Any]]:
    """The activities around the viewer's organizations, by name, each with its first estimate."""
    if not rules.has_what_works(request.user):
        raise Http404
    found = list(queries.activities_for(request.user))
    tallies, estimates = queries.tallies_of(found), queries.estimates_of(found)
    return [_line(each, tallies.get(each.pk), next(iter(estimates.get(each.pk, [])), None)) for each in found]


def _line(activity: Any, tally: Any, estimate: Any) -> dict[str, Any]:
    said = tally.result if tally else None
    summary = estimate.summary if estimate else None
    effect = summary["effect"] if summary and summary["effect"] and summary["effect"]["low"] is not None else None
    return {
        "slug": activity.slug, "name": activity.name, "kind": activity.kind, "organization": activity.organization.slug,
        "teachers": said["teachers"] if said else None,
        "hours_per_teacher": said["hours_per_teacher"] if said else None,
        "cost_per_teacher_usd_cents": said["costs"]["per_teacher"] if said else None,
        "instrument": estimate.instrument.slug if estimate else None,
        "effect_sd": effect["sd"] if effect else None,
        "low": effect["low"] if effect else None,
        "high": effect["high"] if effect else None,
        "tier": summary["tier"] if effect and summary else None,
        "sentence": wording.sentences(summary["sentence"], is_higher_better=summary["is_higher_better"]) if summary else "",
    }  # fmt: skip


@router.get("/{slug:slug}", response=dict[str, Any], url_name="what_works_of")
def activity(request: HttpRequest, slug: str, instrument: str = "", at: str = "") -> dict[str, Any]:
    """Everything that is known of one activity, on one instrument."""
    found = queries.activities_named(request.user, slug, at) if rules.has_what_works(request.user) else []
    if not found:
        raise Http404
    return portrait_of(request.user, found[0], instrument)[0].as_json()
