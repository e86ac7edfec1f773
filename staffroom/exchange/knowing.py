"""What activities are called: learnt from the statements of tools that may define them, merged name by name, never fetched."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from staffroom.exchange import strict
from staffroom.exchange.models import KnownActivity
from staffroom.records import finding

_MAPS = ("name", "description", "extensions")


@lru_cache(maxsize=1)
def _told() -> dict[tuple[int, int], bytes]:
    """What this process was told last of which activity: the same said again needs no look into the database."""
    return {}


def learn(tenant_id: int, bodies: Iterable[dict[str, Any]]) -> None:
    """Keep what statements say about their activities."""
    news: dict[int, tuple[str, dict[str, Any]]] = {}
    told = _told()
    for body in bodies:
        for activity in finding.activities_in(body):
            definition = activity.get("definition")
            if not definition:
                continue
            target = finding.target(tenant_id, finding.ACTIVITY, activity["id"])
            said = strict.write(definition)
            if told.get((tenant_id, target)) != said:
                if len(told) > 10_000:
                    told.clear()
                transaction.on_commit(lambda at=(tenant_id, target), said=said: told.__setitem__(at, said))  # type: ignore[misc]
                known = news.get(target)
                news[target] = (activity["id"], merged(known[1], definition) if known else definition)
    if news:
        _keep(tenant_id, news)


def _keep(tenant_id: int, news: dict[int, tuple[str, dict[str, Any]]]) -> None:
    known = {each.target: each for each in _to_change(tenant_id, news)}
    changed, new = [], []
    now = timezone.now()
    # In one order for everybody: two batches that bring the same activities wait for each other, and not in a circle.
    for target, (iri, definition) in sorted(news.items()):
        kept = known.get(target)
        if kept is None:
            new.append(KnownActivity(tenant_id=tenant_id, target=target, iri=iri, definition=definition))
        elif (whole := merged(kept.definition, definition)) != kept.definition:
            kept.definition, kept.updated_at = whole, now
            changed.append(kept)
    KnownActivity.objects.bulk_create(new, ignore_conflicts=True)
    KnownActivity.objects.bulk_update(changed, ["definition", "updated_at"])


def _to_change(tenant_id: int, targets: Iterable[int]) -> QuerySet[KnownActivity]:
    found = KnownActivity.objects.filter(tenant_id=tenant_id, target__in=targets)
    return found.order_by("target").select_for_update()


def merged(kept: dict[str, Any], told: dict[str, Any]) -> dict[str, Any]:
    """A definition with what was told last; names in other languages and other extensions stay."""
    made = {**kept, **told}
    for name in _MAPS:
        if name in kept and name in told:
            made[name] = {**kept[name], **told[name]}
    return made
