"""Groups as actors: a workshop that tells in one statement who was there. Whoever of them the district knows has the hours."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from staffroom.exchange.models import Agent
from staffroom.people.models import Membership, Organization, Role
from staffroom.people.rules import lasting
from staffroom.records import finding
from staffroom.records.finding import Mention


@dataclass(frozen=True, slots=True)
class Known:
    """A member of a group whom the district knows: the person, and what they are first of all and where."""

    person_id: int
    role: str
    organization_id: int | None


def members_of(body: dict[str, Any]) -> list[str]:
    """The names (`finding.ifi`) of those who did something together; nobody where one person did it alone."""
    actor = body["actor"]
    if actor.get("objectType") != "Group":
        return []
    return list(dict.fromkeys(name for member in actor.get("member", ()) if (name := finding.ifi(member))))


def known(tenant_id: int, names: Iterable[str]) -> dict[str, Known]:
    """Those of some names that are matched to people of a district."""
    targets = {finding.target(tenant_id, finding.AGENT, name): name for name in names}
    if not targets:
        return {}
    found = Agent.objects.filter(tenant=tenant_id, target__in=targets, person__isnull=False)
    persons = {targets[target]: person for target, person in found.values_list("target", "person_id")}
    path = Organization.objects.values_list("path", flat=True).get(pk=tenant_id)
    held = Membership.objects.exclude(role=Role.STUDENT).filter(
        lasting(), person__in=persons.values(), organization__path__startswith=path
    )
    first: dict[int, tuple[str, int]] = {}
    for person, role, place in held.order_by("pk").values_list("person_id", "role", "organization_id"):
        first.setdefault(person, (role, place))
    return {name: Known(person, *first.get(person, ("", None))) for name, person in persons.items()}


def numbers_with(tenant_id: int, person_id: int) -> list[int]:
    """The numbers of the entries of groups in which a person was."""
    agents = Agent.objects.filter(tenant=tenant_id, person=person_id).values_list("identifier", flat=True)
    targets = [finding.target(tenant_id, finding.MEMBER, finding.ifi(each)) for each in agents]
    return list(Mention.objects.filter(target__in=targets).values_list("entry", flat=True)) if targets else []
