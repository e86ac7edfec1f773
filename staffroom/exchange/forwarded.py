"""Reads about destinations, always for a named viewer: how far each is, what waits and what was put aside."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from staffroom.exchange import leaving, rules
from staffroom.exchange.models import Destination, PutAside
from staffroom.records import ordering
from staffroom.records.models import Statement
from staffroom.records.vocabulary import verb_label

MOST = 100_000
SHOWN = 50


@dataclass(frozen=True)
class Backlog:
    """What a destination has not got yet; `is_more` when nobody counted to the end."""

    count: int
    is_more: bool
    oldest_at: datetime | None


@dataclass(frozen=True)
class Aside:
    """An entry that was put aside: when it was stored, what was done to which thing, and what the store said. Not who did it."""

    row: PutAside
    stored_at: datetime
    verb: str
    thing: str


def destinations_for(viewer: object) -> QuerySet[Destination]:
    """The destinations of the viewer's districts."""
    return Destination.objects.filter(rules.matchable_by(viewer), removed_at=None).select_related("tenant", "made_by")


def backlog_of(destination: Destination) -> Backlog:
    waiting = leaving.waiting_for(destination)
    first = waiting.values_list("pk", flat=True).first()
    count = waiting.order_by()[: MOST + 1].count() if first else 0
    return Backlog(min(count, MOST), count > MOST, ordering.stored_at(first) if first else None)


def aside_of(destination: Destination) -> list[Aside]:
    """The newest entries that were put aside."""
    rows = list(destination.put_aside.all()[:SHOWN])
    entries = {
        pk: (verb, iri)
        for pk, verb, iri in Statement.objects.filter(pk__in=[row.entry for row in rows]).values_list(
            "pk", "verb", "object_iri"
        )
    }
    found = []
    for row in rows:
        verb, iri = entries.get(row.entry, ("", ""))
        found.append(Aside(row, ordering.stored_at(row.entry), verb_label(verb) if verb else "", iri))
    return found
