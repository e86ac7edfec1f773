"""Reads about tools for those who keep them: which there are, how much they wrote, what of it was refused.

What a tool wrote is told as verb, thing and moment, never who it was about and never anything that somebody typed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Max, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from staffroom.exchange import rules
from staffroom.exchange.models import Rejection
from staffroom.people.models import Organization
from staffroom.people.rules import administered_by
from staffroom.permissions.models import ApiKey, Tool
from staffroom.records import ordering
from staffroom.records.models import Statement
from staffroom.records.vocabulary import verb_label

RECENT = timedelta(days=30)
MOST = 30
LONGEST_THING = 160


@dataclass(frozen=True)
class ToolLine:
    """A tool and how it has been doing."""

    tool: Tool
    keys: int
    last_used_at: datetime | None
    written: int
    refused: int


@dataclass(frozen=True)
class Written:
    """One entry of a tool, as far as it concerns who keeps the tool. `address`: of the thing, where it has no name here."""

    at: datetime
    verb: str
    thing: str
    address: str
    is_voided: bool


@dataclass(frozen=True)
class Refused:
    """What was refused for one reason: how often, and when last."""

    request: str
    status: int
    reason: str
    count: int
    last_at: datetime


def tools_for(viewer: object) -> QuerySet[Tool]:
    """The tools that the viewer keeps; those in use first."""
    found = Tool.objects.filter(rules.tools_kept_by(viewer)).select_related("organization", "created_by")
    return found.order_by("retired_at", "name", "pk")


def places_for(viewer: object) -> QuerySet[Organization]:
    """Organizations that the viewer may let tools into, those high up first."""
    return Organization.objects.filter(administered_by(viewer)).order_by("path")


def lines_for(viewer: object) -> list[ToolLine]:
    """The viewer's tools, each with its keys in force, last use, entries of the last 30 days and refusals of the last week."""
    tools = list(
        tools_for(viewer).annotate(
            keys_in_force=Count("keys", filter=Q(keys__revoked_at=None)), used_at=Max("keys__last_used_at")
        )
    )
    tools.sort(key=lambda tool: (tool.retired_at is not None, tool.name.casefold(), tool.pk))
    wrote, failed = written_by(tools), refused_of(tools)
    return [
        ToolLine(
            tool, 0 if tool.retired_at else tool.keys_in_force, tool.used_at, wrote.get(tool.pk, 0), failed.get(tool.pk, 0)
        )
        for tool in tools
    ]  # fmt: skip


def written_by(tools: Sequence[Tool]) -> dict[int, int]:
    """How many entries each tool wrote in the last 30 days: counted along the index of tools, a month of numbers alone."""
    first = ordering.first_number(timezone.now() - RECENT)
    found = Statement.objects.filter(tool__in=[each.pk for each in tools], pk__gte=first).order_by()
    return dict(found.values_list("tool_id").annotate(count=Count("pk")))


def refused_of(tools: Sequence[Tool]) -> dict[int, int]:
    """How many requests of each tool were refused, as long as that is kept."""
    found = Rejection.objects.filter(tool__in=[each.pk for each in tools]).order_by()
    return dict(found.values_list("tool_id").annotate(count=Count("pk")))


def keys_of(tool: Tool) -> list[ApiKey]:
    """The keys of a tool: those in force first, the newest first."""
    keys = list(tool.keys.select_related("created_by"))
    return sorted(keys, key=lambda key: key.revoked_at is not None)


def last_written_by(tool: Tool) -> list[Written]:
    """The newest entries of a tool."""
    found = Statement.objects.filter(tool=tool).order_by("-pk")
    rows = found.values_list(
        "pk", "verb", "object_iri", "activity__name", "is_voided", "body__object__objectType"
    )[:MOST]  # fmt: skip
    return [
        Written(ordering.stored_at(pk), verb_label(verb), *_thing(kind or "Activity", iri, name), is_voided)
        for pk, verb, iri, name, is_voided, kind in rows
    ]


def _thing(kind: str, iri: str, name: str | None) -> tuple[str, str]:
    """What a thing is called here, or else its address. People are not named."""
    words = {
        "Agent": _("a person"), "Group": _("a group of people"), "StatementRef": _("another entry"),
        "SubStatement": _("something planned"),
    }  # fmt: skip
    if kind in words:
        return words[kind], ""
    return (name, "") if name else ("", iri[:LONGEST_THING])


def refusals_of(tool: Tool) -> list[Refused]:
    """What was refused lately, equal refusals together, the latest first."""
    found = Rejection.objects.filter(tool=tool).order_by().values("request", "status", "reason")
    grouped = found.annotate(count=Count("pk"), last_at=Max("at")).order_by("-last_at")[:MOST]
    return [Refused(**each) for each in grouped]
