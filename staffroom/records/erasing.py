"""Taking somebody out of the activity ledger: every mention of their identifiers goes, the entry and its sums stay."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Q
from django.utils import timezone

from staffroom.people.models import Person
from staffroom.people.rows import insert_rows
from staffroom.records import building, finding
from staffroom.records.finding import Mention
from staffroom.records.models import Statement


def take_agents_out(entries: Iterable[Statement], identifiers: set[str], *, person: Person) -> int:
    """Rewrite entries without some agents (told by `finding.ifi`): the account of the erased stands in their place. Returns how many.

    What the person wrote freely (a response) and attached goes with them; and the entries are no longer found by them.
    """
    count = 0
    for entry in entries:
        before = entry.body
        after = without(before, identifiers)
        changes: dict[str, Any] = {"body": after, "erased_at": timezone.now()}
        if entry.actor_id == person.pk:
            changes["actor"] = None
        if entry.recorded_by_id == person.pk:
            changes["recorded_by"] = None
        if before.get("object") != after.get("object") and after["object"].get("objectType") in ("Agent", "Group"):
            changes["object_iri"] = building.object_iri(building.account(building.ERASED))
        Statement.objects.filter(pk=entry.pk).take_person_out(**changes)
        _forget_mentions(entry, before, after)
        count += 1
    return count


def _forget_mentions(entry: Statement, before: dict[str, Any], after: dict[str, Any]) -> None:
    old, new = (finding.targets_of(body, entry.tenant_id) for body in (before, after))
    if gone := old - new:
        Mention.objects.filter(Q(target__in=gone), entry=entry.pk).delete()
        insert_rows(Mention, ("target", "entry"), ((each, entry.pk) for each in new - old), ignore_known=True)


def without(body: dict[str, Any], identifiers: set[str]) -> dict[str, Any]:
    """A statement with some agents replaced by the account of the erased; what they themselves wrote freely goes too."""
    cleaned: dict[str, Any] = _replaced(body, identifiers)
    if body.get("actor") != cleaned.get("actor"):
        if "result" in cleaned:
            cleaned["result"] = {
                name: each for name, each in cleaned["result"].items() if name not in ("response", "extensions")
            }
        cleaned.pop("attachments", None)
    return cleaned


def _replaced(value: Any, identifiers: set[str]) -> Any:
    if isinstance(value, dict):
        if finding.is_agent(value) and finding.ifi(value) in identifiers:
            return building.account(building.ERASED)
        return {key: _replaced(each, identifiers) for key, each in value.items()}
    if isinstance(value, list):
        return [_replaced(each, identifiers) for each in value]
    return value
