"""Who is meant: agents as tools know them, matched to the people of the district.

An agent is matched by an account of this site, by the identifier under which the district's roster knows the person, or by an e-mail
address, all at once when its first statement comes; by the hash of an e-mail address a moment later (a job looks through the
district's people); and by hand, when an administrator or the person says so. Every match works backwards: statements that came
earlier become the person's as well.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone

from staffroom.exchange.actions.keys import Caller
from staffroom.exchange.models import Agent
from staffroom.people.models import Membership, Organization, Person, Role
from staffroom.records import durations, finding, validation

DAY_S = 86_400
LONGEST_S = 366 * DAY_S


def people_within(tenant_id: int) -> QuerySet[Person]:
    """The people of a district: members anywhere in it, and those whom its roster brought."""
    inside = Membership.objects.filter(organization__path__startswith=_path_of(tenant_id)).values("person")
    return Person.objects.filter(Q(district_id=tenant_id) | Q(pk__in=inside), is_active=True)


def _path_of(tenant_id: int) -> str:
    return Organization.objects.filter(pk=tenant_id).values_list("path", flat=True).first() or "-"


def find_person(tenant_id: int, agent: dict[str, Any]) -> tuple[Person | None, str]:
    """The person that an agent is, if its identifier tells, and by what."""
    if account := agent.get("account"):
        if account["homePage"].rstrip("/") == settings.SITE_URL:
            key = _uuid_or_none(account["name"])
            return (people_within(tenant_id).filter(key=key).first() if key else None), Agent.Match.ACCOUNT
        found = list(
            people_within(tenant_id).filter(district_id=tenant_id, source_id=account["name"]).exclude(source_id="")[:2]
        )
        return (found[0], Agent.Match.ACCOUNT) if len(found) == 1 else (None, "")
    if mbox := agent.get("mbox"):
        return people_within(tenant_id).filter(email__iexact=mbox.removeprefix("mailto:")).first(), Agent.Match.EMAIL
    return None, ""


def _uuid_or_none(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


class People:
    """The agents of a request and the persons that they are."""

    def __init__(self, persons: dict[str, int], roles: dict[int, tuple[str, int | None]]) -> None:
        self.persons = persons
        self.roles = roles

    def columns(self, agent: dict[str, Any]) -> dict[str, Any]:
        person = self.persons.get(finding.ifi(agent))
        role, place = self.roles.get(person, ("", None)) if person is not None else ("", None)
        return {"actor_id": person, "role": role, **({"organization_id": place} if place else {})}


def people_of(bodies: Iterable[dict[str, Any]], caller: Caller) -> People:
    """Look up the agents of some statements; those never seen before are kept, and matched if they can be."""
    agents = {finding.ifi(agent): agent for body in bodies for agent in finding.agents_in(body)}
    targets = {finding.target(caller.tenant_id, finding.AGENT, name): name for name in agents}
    known: dict[int, int | None] = {}
    known.update(
        Agent.objects.filter(tenant_id=caller.tenant_id, target__in=targets).values_list("target", "person_id")
    )
    for target in targets.keys() - known.keys():
        known[target] = _meet(caller.tenant_id, target, agents[targets[target]])
    persons = {targets[target]: person for target, person in known.items() if person is not None}
    return People(persons, _roles(set(persons.values()), caller))


def _meet(tenant_id: int, target: int, agent: dict[str, Any]) -> int | None:
    """Keep an agent that was not heard of before."""
    person, match = find_person(tenant_id, agent)
    kept = {
        name: agent[name]
        for name in ("objectType", "name", "mbox", "mbox_sha1sum", "openid", "account")
        if name in agent
    }
    Agent.objects.get_or_create(
        tenant_id=tenant_id, target=target,
        defaults={"identifier": kept, "person": person, "match": match if person else ""},
    )  # fmt: skip
    return person.pk if person else None


def _roles(persons: set[int], caller: Caller) -> dict[int, tuple[str, int | None]]:
    """What each person is first of all in the caller's district, and where."""
    if not persons:
        return {}
    today = timezone.localdate()
    held = (
        Membership.objects.filter(person__in=persons, organization__path__startswith=_path_of(caller.tenant_id))
        .filter(Q(begins_on=None) | Q(begins_on__lte=today), Q(ends_on=None) | Q(ends_on__gte=today))
        .order_by("pk")
        .values_list("person_id", "role", "organization_id")
    )
    roles: dict[int, tuple[str, int | None]] = {}
    for person, role, place in held:
        if role != Role.STUDENT:
            roles.setdefault(person, (role, place))
    return roles


def columns_of(body: dict[str, Any], people: People, stored_at: datetime) -> dict[str, Any]:
    """The columns of the ledger that follow from what a statement says and from who its actor is."""
    happened_at = validation.moment(body["timestamp"]) or stored_at
    told = body.get("result", {}).get("duration")
    seconds = durations.seconds_of(told) if told else None
    return {
        "verb": body["verb"]["id"][:500],
        "object_iri": object_iri(body["object"])[:1000],
        "happened_at": happened_at if happened_at.tzinfo else happened_at.replace(tzinfo=UTC),
        "duration_s": round(seconds) if seconds is not None and seconds <= LONGEST_S else None,
        **people.columns(body["actor"]),
    }


def object_iri(thing: dict[str, Any]) -> str:
    if "id" in thing:
        return str(thing["id"])
    if account := thing.get("account"):
        return f"{account['homePage']}#{account['name']}"
    return str(thing.get("mbox") or thing.get("openid") or thing.get("mbox_sha1sum") or "")


# --- Looking people up at the door -----------------------------------------------------------------------------------------------------


def person_of(tenant_id: int, ifi: str) -> int | None:
    """The person that an identifier was matched to."""
    target = finding.target(tenant_id, finding.AGENT, ifi)
    return Agent.objects.filter(tenant_id=tenant_id, target=target).values_list("person_id", flat=True).first()


def same_person(tenant_id: int, agent: dict[str, Any]) -> list[dict[str, Any]]:
    """The agent itself, and all agents of the district that were matched to the same person."""
    target = finding.target(tenant_id, finding.AGENT, finding.ifi(agent))
    known = Agent.objects.filter(tenant_id=tenant_id, target=target).first()
    if known is None:
        return [agent]
    kin = [known] if known.person_id is None else Agent.objects.filter(tenant_id=tenant_id, person_id=known.person_id)
    return [agent, *(each.identifier for each in kin)]
