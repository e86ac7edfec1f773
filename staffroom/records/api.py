"""The ledgers over HTTP: entries that one may see, one's own statements whole, activities and what they cost."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Query, Router, Schema
from pydantic import Field

from staffroom.records import queries
from staffroom.records.models import Activity, Statement
from staffroom.records.views.doors import beyond, cursor_of, person_of, read_cursor
from staffroom.records.vocabulary import extensions

router = Router(tags=["records"])
MONTH = r"^(19|20)\d{2}-(0[1-9]|1[0-2])$"


class EntryOut(Schema):
    """One entry: date, minutes and kind. `statement` is the address of the whole of it, for one's own entries alone."""

    key: UUID
    happened_at: datetime
    actor_key: UUID | None
    actor_name: str
    verb: str
    activity_key: UUID | None
    duration_s: int | None
    focus: str
    is_own: bool


class EntriesOut(Schema):
    """A stretch of entries, newest first; `before` asks for the next one, empty at the end."""

    items: list[EntryOut]
    before: str


class EntryFilters(Schema):
    activity: UUID | None = None
    verb: str = Field("", max_length=500)
    month: str = Field("", pattern=MONTH + "|^$")
    mine: bool = False
    before: str = Field("", max_length=80)
    limit: int = Field(30, ge=1, le=200)


@router.get("/entries", response=EntriesOut, summary="Entries of the activity ledger that you may see")
def entries(request: HttpRequest, filters: Query[EntryFilters]) -> dict[str, Any]:
    """Your own entries and, as dates, minutes and kinds, those of activities of the people whom you lead."""
    found = list(_found(request, filters)[: filters.limit + 1])
    shown = found[: filters.limit]
    return {
        "items": [_entry(request, each) for each in shown],
        "before": cursor_of(shown[-1]) if len(found) > filters.limit else "",
    }


def _found(request: HttpRequest, filters: EntryFilters) -> QuerySet[Statement]:
    viewer = person_of(request)
    activity = get_object_or_404(queries.activities_for(viewer), key=filters.activity) if filters.activity else None
    found = queries.entries_for(
        viewer, activity, verb=filters.verb, person=viewer if filters.mine else None,
        month=date.fromisoformat(f"{filters.month}-01") if filters.month else None,
    )  # fmt: skip
    cursor = read_cursor(filters.before)
    return found if cursor is None else found.filter(beyond("lt", cursor))


def _entry(request: HttpRequest, entry: Statement) -> dict[str, Any]:
    return {
        "key": entry.key, "happened_at": entry.happened_at, "actor_key": entry.actor.key if entry.actor else None,
        "actor_name": str(entry.actor or ""), "verb": entry.verb, "duration_s": entry.duration_s,
        "activity_key": entry.activity.key if entry.activity else None, "is_own": entry.actor_id == person_of(request).pk,
        "focus": entry.body.get("context", {}).get("extensions", {}).get(extensions.FOCUS, ""),
    }  # fmt: skip


@router.get("/statements/{uuid:key}", response=dict[str, Any], summary="One of your own statements, whole")
def statement(request: HttpRequest, key: UUID) -> Any:
    """The xAPI statement of something that you did. Those of others are nobody's to read whole."""
    # In two districts of one site the same key may stand, even for the same person: the newest then.
    found = Statement.objects.filter(key=key, actor=person_of(request)).order_by("-pk").first()
    if found is None:
        raise Http404
    return found.body


class ActivityOut(Schema):
    """A professional-learning activity."""

    key: UUID
    iri: str
    name: str
    kind: str
    description: str
    organization: str
    planned_hours: float | None
    begins_on: date | None
    ends_on: date | None

    @staticmethod
    def resolve_organization(activity: Activity) -> str:
        return activity.organization.name


@router.get("/activities", response=list[ActivityOut], summary="Activities of your organizations")
def activities(request: HttpRequest) -> Any:
    """What teachers of your organizations can take part in to grow."""
    return queries.activities_for(person_of(request)).order_by("name", "pk")[:1000]


class CostsOut(Schema):
    """What an activity cost, in whole cents: `net` is `gross` minus what would have been spent anyway."""

    gross_usd_cents: int
    usual_usd_cents: int
    net_usd_cents: int
    teachers: int
    students: int
    per_teacher_usd_cents: int | None
    per_student_usd_cents: int | None


class Days(Schema):
    first: date | None = None
    last: date | None = None


@router.get("/activities/{uuid:key}/costs", response=CostsOut, summary="What an activity cost")
def costs(request: HttpRequest, key: UUID, days: Query[Days]) -> Any:
    """For leaders and administrators of the activity's organization; both days are included."""
    viewer = person_of(request)
    summary = queries.costs_for(
        viewer, get_object_or_404(queries.activities_for(viewer), key=key), _sane(days.first), _sane(days.last)
    )
    if summary is None:
        raise Http404
    return {
        "gross_usd_cents": summary.gross_cents, "usual_usd_cents": summary.usual_cents, "net_usd_cents": summary.net_cents,
        "teachers": summary.teachers, "students": summary.students, "per_teacher_usd_cents": summary.per_teacher_cents,
        "per_student_usd_cents": summary.per_student_cents,
    }  # fmt: skip


def _sane(day: date | None) -> date | None:
    """A day that can be counted from: the calendar's ends are moved inside."""
    return None if day is None else min(max(day, date(1900, 1, 1)), date(9000, 1, 1))
