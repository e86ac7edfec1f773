"""What works, for programs: the numbers of the pages, under the same guards."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.http import Http404, HttpRequest
from ninja import Router, Schema

from staffroom.knowing.impact import comparing, queries, rules, wording
from staffroom.knowing.impact.models import Lottery, Study
from staffroom.knowing.impact.views.results import portrait_of
from staffroom.knowing.impact.views.studies import said_by, state_of
from staffroom.knowing.impact.views.study_results import as_json
from staffroom.people.models import Person

router = Router(tags=["What works"])
studies = Router(tags=["Studies"])
lotteries = Router(tags=["Lotteries"])


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
    answer = summary["brief"] if summary else None
    effect = answer["effect"] if answer and comparing.has_interval(answer) else None
    return {
        "slug": activity.slug, "name": activity.name, "kind": activity.kind, "organization": activity.organization.slug,
        "teachers": said["teachers"] if said else None,
        "hours_per_teacher": said["hours_per_teacher"] if said else None,
        "cost_per_teacher_usd_cents": said["costs"]["per_teacher"] if said else None,
        "instrument": estimate.instrument.slug if estimate else None,
        "effect_sd": effect["sd"] if effect else None,
        "low": effect["low"] if effect else None,
        "high": effect["high"] if effect else None,
        "tier": answer["tier"] if answer and effect else None,
        "sentence": wording.sentences(summary["sentence"], is_higher_better=summary["is_higher_better"]) if summary else "",
    }  # fmt: skip


@router.get("/{slug:slug}", response=dict[str, Any], url_name="what_works_of")
def activity(request: HttpRequest, slug: str, instrument: str = "", at: str = "") -> dict[str, Any]:
    """Everything that is known of one activity, on one instrument."""
    found = queries.activities_named(request.user, slug, at) if rules.has_what_works(request.user) else []
    if not found:
        raise Http404
    return portrait_of(request.user, found[0], instrument)[0].as_json()


# --- Studies and lotteries -------------------------------------------------------------------------------------------------------


class StudyOut(Schema):
    """One study in the list; its hash and its sentence are those of the latest version that was registered."""

    slug: str
    question: str
    organization: str
    activities: list[str]
    instrument: str
    outcomes_from: date
    outcomes_until: date
    state: str
    versions: int
    sha256: str
    sentence: str


class LotteryOut(Schema):
    """One lottery: how it is drawn and what it can be checked by. No names."""

    slug: str
    name: str
    activity: str
    organization: str
    state: str
    list_sha256: str
    secret_sha256: str
    secret: str | None
    number: str | None
    seed: str | None
    seats: list[int]


@studies.get("/", response=list[StudyOut], url_name="studies")
def all_studies(request: HttpRequest) -> list[dict[str, Any]]:
    """Studies around the viewer's organizations, newest first."""
    if not rules.has_what_works(request.user):
        raise Http404
    return [_study(each) for each in queries.studies_for(request.user)]


def _study(found: Study) -> dict[str, Any]:
    versions = list(found.versions.all())
    answer = getattr(versions[-1], "answer", None) if versions else None
    return {
        "slug": found.slug, "question": found.name, "organization": found.organization.slug,
        "activities": [each.slug for each in found.activities.all()], "instrument": found.instrument.slug,
        "outcomes_from": found.outcomes_from, "outcomes_until": found.outcomes_until, "state": state_of(found)[0],
        "versions": len(versions), "sha256": versions[-1].sha256 if versions else "",
        "sentence": said_by(answer.summary) if answer else "",
    }  # fmt: skip


@studies.get("/{slug:slug}", response=dict[str, Any], url_name="study")
def study(request: HttpRequest, slug: str) -> dict[str, Any]:
    """One study with every version that was registered, word for word, and the answer to each."""
    found = queries.study_named(request.user, slug) if rules.has_what_works(request.user) else None
    if found is None:
        raise Http404
    return as_json(request.user, found)


@lotteries.get("/", response=list[LotteryOut], url_name="lotteries")
def all_lotteries(request: HttpRequest) -> list[dict[str, Any]]:
    """Lotteries that the viewer runs or asked for a seat in, newest first."""
    found = queries.lotteries_for(request.user).prefetch_related("waves")
    return [_lottery(each) for each in found]


@lotteries.get("/{slug:slug}", response=LotteryOut, url_name="lottery")
def lottery(request: HttpRequest, slug: str) -> dict[str, Any]:
    """One lottery; its tickets are had as CSV from its page."""
    found = queries.lottery_named(request.user, slug) if isinstance(request.user, Person) else None
    if found is None:
        raise Http404
    return _lottery(found)


def _lottery(found: Lottery) -> dict[str, Any]:
    is_drawn = found.drawn_at is not None
    return {
        "slug": found.slug, "name": found.name, "activity": found.activity.slug, "organization": found.organization.slug,
        "state": found.state, "list_sha256": found.list_sha256, "secret_sha256": found.secret_sha256,
        "secret": found.secret if is_drawn else None, "number": found.number if is_drawn else None,
        "seed": found.seed if is_drawn else None, "seats": [wave.seats for wave in found.waves.all()],
    }  # fmt: skip
