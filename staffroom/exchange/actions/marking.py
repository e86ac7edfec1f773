"""Days that have to be counted anew: marked in the transaction of whatever changed them, counted by a job a moment later."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.utils.module_loading import import_string

from staffroom.exchange import counting, groups
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
    """Mark what new entries change: the days of their actors, and of the actors of those that they void.

    For districts that have mappings (`counting.has_mappings`): elsewhere nothing is counted.
    """
    chooser = counting.chooser_of(tenant_id)
    entries = list(entries)
    fitting = [each for each in entries if chooser.choose(each.body, each.tool_id) is not None]
    voided = [each.voids_id for each in entries if each.voids_id is not None]
    touched = [*fitting, *(Statement.objects.filter(pk__in=voided) if voided else ())]
    mark(tenant_id, days_of(tenant_id, touched))


def days_of(tenant_id: int, entries: Iterable[Entry | Statement]) -> set[Day]:
    """The days of persons that some entries are about: of those who did something alone, and of the members of groups."""
    days: set[Day] = set()
    together: list[tuple[date, list[str]]] = []
    for each in entries:
        day = counting.day_of(each.happened_at)
        if each.actor_id is None:
            together.append((day, groups.members_of(each.body)))
        elif each.role:
            days.add((each.actor_id, day))
    known = groups.known(tenant_id, {name for _day, names in together for name in names})
    return days | {(known[name].person_id, day) for day, names in together for name in names if name in known}


def soon(task: str, tenant_id: int, **arguments: Any) -> None:
    """Start a job for a district, unless one like it is waiting already: that one will see what is there by then."""
    tenant = Organization.objects.get(pk=tenant_id)
    kind = task.removeprefix("staffroom.").replace(".tasks.", ".")
    if not jobs_about(tenant).filter(kind=kind, state=Job.State.WAITING).exists():
        later(import_string(task), about=tenant, label=tenant.name, tenant_id=tenant_id, **arguments)
