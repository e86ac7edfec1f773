"""Days that have to be counted anew: marked in the transaction of whatever changed them, counted by a job a moment later."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.utils.module_loading import import_string

from staffroom.exchange import counting
from staffroom.exchange.models import DayToCount
from staffroom.jobs.actions import later
from staffroom.jobs.models import Job
from staffroom.jobs.queries import jobs_about
from staffroom.people.models import Organization
from staffroom.records.actions.appending import Entry
from staffroom.records.models import Statement

type Day = tuple[int, date]
AT_ONCE = 500


def mark(tenant_id: int, days: Iterable[Day]) -> int:
    """Mark days of persons, and start the counting if it is not about to start. Returns how many days."""
    rows = [DayToCount(tenant_id=tenant_id, person_id=person, day=day) for person, day in sorted(set(days))]
    if not rows:
        return 0
    DayToCount.objects.bulk_create(rows, ignore_conflicts=True, batch_size=AT_ONCE)
    soon("staffroom.exchange.tasks.count_days", tenant_id)
    return len(rows)


def note_arrivals(tenant_id: int, entries: Iterable[Entry]) -> None:
    """Mark what new entries change: the days of their actors, and of the actors of those that they void."""
    chooser = counting.chooser_of(tenant_id)
    if not chooser:
        return
    days = {
        (each.actor_id, counting.day_of(each.happened_at))
        for each in entries
        if each.actor_id is not None and each.role and chooser.choose(each.body, each.tool_id) is not None
    }
    mark(tenant_id, days | _of_voided(each.voids_id for each in entries if each.voids_id is not None))


def _of_voided(numbers: Iterable[int]) -> set[Day]:
    pks = list(numbers)
    found = Statement.objects.filter(pk__in=pks, actor__isnull=False).exclude(role="") if pks else ()
    return {(each.actor_id, counting.day_of(each.happened_at)) for each in found if each.actor_id is not None}


def soon(task: str, tenant_id: int, **arguments: Any) -> None:
    """Start a job for a district, unless one like it is waiting already: that one will see what is there by then."""
    tenant = Organization.objects.get(pk=tenant_id)
    kind = task.removeprefix("staffroom.").replace(".tasks.", ".")
    if not jobs_about(tenant).filter(kind=kind, state=Job.State.WAITING).exists():
        later(import_string(task), about=tenant, label=tenant.name, tenant_id=tenant_id, **arguments)
