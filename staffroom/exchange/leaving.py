"""What may leave for another record store, and how it looks there.

What tools wrote, and of Staffroom's own deeds those that belong to an activity: what people did on their own leaves nobody's
district. Nothing of students, nothing of whom was erased. People appear as an account of this site, by their key, without name or
address, unless the destination is told to know them as the tools that wrote about them do.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Iterator
from typing import Any

from django.conf import settings
from django.db.models import Exists, Max, OuterRef, Q, QuerySet

from staffroom.exchange.models import Agent, Destination
from staffroom.people.models import Role
from staffroom.records import finding, ordering
from staffroom.records.models import Statement

# What only 2.0 knows; a store of 1.0.3 would refuse the statement for it.
_OF_TWO = ("contextAgents", "contextGroups")


def chosen_by(destination: Destination) -> Q:
    """Which entries of the ledger a destination gets, but for those that void others."""
    brought = Q(tool__isnull=False)
    if tools := list(destination.tools.values_list("pk", flat=True)):
        brought = Q(tool__in=tools)
    elif not destination.has_tools:
        brought = Q(pk=None)
    own = Q(tool=None, activity__isnull=False) if destination.has_own else Q(pk=None)
    chosen = Q(tenant=destination.tenant_id, erased_at=None, voids=None) & (brought | own) & ~Q(role=Role.STUDENT)
    if destination.verbs:
        chosen &= Q(verb__in=destination.verbs)
    for_things = Q()
    for iri in destination.activities:
        for_things |= Q(object_iri=iri) | Q(object_iri__startswith=f"{iri.rstrip('/')}/") | Q(activity__iri=iri)
    return chosen & for_things


def settled_end(using: str = "default") -> int:
    """The number up to which nothing can be added any more to what is there now."""
    limit = ordering.first_unsettled(ordering.settled_through(using), using)
    return Statement.objects.filter(pk__lt=limit).aggregate(last=Max("pk"))["last"] or 0


def waiting_for(destination: Destination, until: int | None = None) -> QuerySet[Statement]:
    """What a destination has not got yet, in the order of the ledger; with an entry goes the one that voids it."""
    voided = Exists(Statement.objects.filter(chosen_by(destination), pk=OuterRef("voids_id")))
    found = Statement.objects.filter(pk__gt=destination.cursor, tenant=destination.tenant_id, erased_at=None)
    found = found.filter(chosen_by(destination) | (Q(voids__isnull=False) & voided))
    return (found if until is None else found.filter(pk__lte=until)).order_by("pk")


def dressed(destination: Destination, entries: Iterable[Statement]) -> Iterator[dict[str, Any]]:
    """The statements as they leave."""
    entries = list(entries)
    persons = {} if destination.knows_people else _persons(destination.tenant_id, entries)
    for entry in entries:
        body = {name: value for name, value in entry.body.items() if name not in ("authority", "stored", "version")}
        body["version"] = "2.0.0" if destination.major == 2 else "1.0.0"
        if kept := [each for each in body.pop("attachments", ()) if each.get("fileUrl")]:
            body["attachments"] = kept
        if destination.major != 2 and "context" in body:
            body["context"] = {name: value for name, value in body["context"].items() if name not in _OF_TWO}
        yield body if destination.knows_people else _without_people(body, destination.tenant_id, persons)


def _persons(tenant: int, entries: list[Statement]) -> dict[int, str]:
    """The keys of the people that agents in these entries are known to be, by the hash of the agent."""
    told = {
        finding.target(tenant, finding.AGENT, finding.ifi(each)) for entry in entries for each in _agents(entry.body)
    }
    known = Agent.objects.filter(tenant=tenant, target__in=told, person__isnull=False)
    return {target: str(key) for target, key in known.values_list("target", "person__key")}


def _agents(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if finding.is_agent(value):
            yield value
        for name, each in value.items():
            if name not in ("extensions", "definition"):
                yield from _agents(each)
    elif isinstance(value, list):
        for each in value:
            yield from _agents(each)


def _without_people(value: Any, tenant: int, persons: dict[int, str]) -> Any:
    """The same with every agent as an account of this site. What a program wrote into extensions and answers stays its affair."""
    if isinstance(value, list):
        return [_without_people(each, tenant, persons) for each in value]
    if not isinstance(value, dict):
        return value
    if finding.is_agent(value):
        kept = {name: each for name, each in value.items() if name == "objectType"}
        if "member" in value:
            kept["member"] = _without_people(value["member"], tenant, persons)
        return {**kept, "account": _account(value, tenant, persons)}
    is_group = value.get("objectType") == "Group" or "member" in value
    return {
        name: each if name in ("extensions", "definition", "result") else _without_people(each, tenant, persons)
        for name, each in value.items()
        if not (is_group and name == "name")
    }


def _account(agent: dict[str, Any], tenant: int, persons: dict[int, str]) -> dict[str, str]:
    account = agent.get("account") or {}
    if account.get("homePage") == settings.SITE_URL:
        return {"homePage": settings.SITE_URL, "name": account["name"]}
    told = finding.ifi(agent)
    name = persons.get(finding.target(tenant, finding.AGENT, told)) or f"unknown-{_hidden(tenant, told)}"
    return {"homePage": settings.SITE_URL, "name": name}


def _hidden(tenant: int, told: str) -> str:
    """The same for the same agent, and of no use to whoever would guess addresses."""
    key = f"staffroom.exchange.leaving|{settings.SECRET_KEY}".encode()
    return hmac.new(key, f"{tenant}|{told}".encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:32]
