"""The deeds of the ledgers that are done later. Each is safe to run twice."""

from __future__ import annotations

from django.tasks import task

from staffroom.records import actions, lake, lake_kept, months
from staffroom.records.actions import appending, retiring
from staffroom.records.models import OutcomeImport


@task
def import_outcomes(import_id: int) -> dict[str, int]:
    """Take a mapped results file in."""
    found = OutcomeImport.objects.filter(pk=import_id).select_related("organization", "instrument").first()
    if found is None:
        return {}
    actions.run_import(found)
    return {key: value for key, value in found.counts.items() if isinstance(value, int)}


@task
def price_time() -> int:
    """Price time that was recorded before there was a wage for it."""
    return actions.price_time()


@task
def forget_old_previews() -> int:
    """Remove results files that were sent but never taken in."""
    return actions.forget_old_previews()


@task
def refresh_lake() -> int:
    """Write the months of the lake in which something has changed."""
    return lake.refresh()


@task
def make_months() -> int:
    """Make the tables of the coming months, on PostgreSQL."""
    return months.make_ahead()


@task
def retire_months() -> int:
    """Take out of the ledger what is older than it is kept."""
    return retiring.retire_months()


@task
def forget_in_lake(person_key: str) -> int:
    """Take an erased person out of what the lake alone keeps."""
    return lake_kept.take_person_out(person_key)


@task
def settle_awaited() -> int:
    """Join entries with what they speak of, where both came in the same moment."""
    return appending.settle()
