"""The deeds of this room, later. Each is safe to run twice."""

from __future__ import annotations

from django.tasks import task

from staffroom.knowing.impact import actions
from staffroom.records.models import Activity


@task
def compute(activity_ids: list[int]) -> int:
    """Compute some activities anew, as far as their ledgers have changed."""
    found = Activity.objects.filter(pk__in=activity_ids).select_related("organization").order_by("name", "pk")
    return actions.compute_all(activities=list(found))


@task
def compute_changed() -> int:
    """Compute every activity whose ledgers have changed: every hour."""
    found = Activity.objects.select_related("organization").order_by("organization", "name", "pk")
    return actions.compute_all(activities=list(found))
