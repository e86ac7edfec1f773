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
from django.db.models.functions import Lower
from django.utils import timezone

from staffroom.exchange import scopes
from staffroom.exchange.actions import marking
from staffroom.exchange.actions.keys import Caller
from staffroom.exchange.models import Agent
from staffroom.people.models import Membership, Organization, Person, Role
from staffroom.people.rows import Question, among_sql, answers, insert_rows
from staffroom.records import durations, finding, validation

DAY_S = 86_400
LONGEST_S = 366 * DAY_S
_KEPT = ("objectType", "name", "mbox", "mbox_sha1sum", "openid", "account")


def people_within(tenant_id: int) -> QuerySet[Person]:
    """The people of a district: members anywhere in it, and those whom its roster brought."""
    inside = Membership.objects.filter(organization__path__startswith=_path_of(tenant_id)).values("person")
    return Person.objects.filter(Q(district_id=tenant_id) | Q(pk__in=inside), is_active=True)


def _path_of(tenant_id: int) -> str:
    return Organization.objects.filter(pk=tenant_id).values_list("path", flat=True).first() or "-"


def find_person(tenant_id: int, agent: dict[str, Any]) -> tuple[int | None, str]:
    """The person that an agent is, if its identifier tells, and by what."""
    return find_persons(tenant_id, {0: agent}).get(0, (None, ""))


def find_persons(tenant_id: int, agents: dict[int, dict[str, Any]]) -> dict[int, tuple[int, str]]:
    """The persons that agents are, as far as their identifiers tell, and by what."""
    keys: dict[UUID, list[int]] = {}
    sources: dict[str, list[int]] = {}
    addresses: dict[str, int] = {}
    for at, agent in agents.items():
        if account := agent.get("account"):
            if account["homePage"].rstrip("/") != settings.SITE_URL:
                sources.setdefault(account["name"], []).append(at)
            elif key := _uuid_or_none(account["name"]):
                keys.setdefault(key, []).append(at)
        elif mbox := agent.get("mbox"):
            addresses[mbox.removeprefix("mailto:").lower()] = at
    found: dict[int, tuple[int, str]] = {}
    if keys:
        for pk, key in people_within(tenant_id).filter(key__in=keys).values_list("pk", "key"):
            found.update((at, (pk, Agent.Match.ACCOUNT)) for at in keys[key])
    if sources:
        named = Person.objects.filter(district_id=tenant_id, is_active=True, source_id__in=sources).exclude(
            source_id=""
        )
        for pk, source in named.values_list("pk", "source_id"):
            found.update((at, (pk, Agent.Match.ACCOUNT)) for at in sources[source])
    if addresses:
        written = people_within(tenant_id).annotate(address=Lower("email")).filter(address__in=addresses)
        found.update(
            (addresses[address], (pk, Agent.Match.EMAIL)) for pk, address in written.values_list("pk", "address")
        )
    return found


def _uuid_or_none(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


type Known = tuple[dict[int, int | None], dict[int, tuple[str, int | None]]]


class People:
    """The agents of a request and the persons that they are."""

    def __init__(self, persons: dict[str, int], roles: dict[int, tuple[str, int | None]]) -> None:
        self.persons = persons
        self.roles = roles

    def columns(self, agent: dict[str, Any]) -> dict[str, Any]:
        person = self.persons.get(finding.ifi(agent))
        role, place = self.roles.get(person, ("", None)) if person is not None else ("", None)
        return {"actor_id": person, "role": role, **({"organization_id": place} if place else {})}


class Agents:
    """The agents of some statements, by the hashes under which they are known."""

    def __init__(self, bodies: Iterable[dict[str, Any]], caller: Caller) -> None:
        self._caller = caller
        self._told = {finding.ifi(agent): agent for body in bodies for agent in finding.agents_in(body)}
        self._targets = {finding.target(caller.tenant_id, finding.AGENT, name): name for name in self._told}

    def who(self) -> Question[Known]:
        """Asks which of them were heard of before, and who they are."""
        return _known(self._caller, self._targets)

    def met(self, found: Known) -> People:
        """Those never heard of before are kept, and matched if they can be. `found`: the answer to `who`."""
        known, roles = found
        if unknown := {target: self._told[name] for target, name in self._targets.items() if target not in known}:
            _meet(self._caller.tenant_id, unknown)
            ((known, roles),) = answers(self.who())
        return People({self._targets[target]: person for target, person in known.items() if person is not None}, roles)


def people_of(bodies: Iterable[dict[str, Any]], caller: Caller) -> People:
    """Look up the agents of some statements; those never seen before are kept, and matched if they can be."""
    agents = Agents(bodies, caller)
    (found,) = answers(agents.who())
    return agents.met(found)


# The path by a question of its own: as a join, PostgreSQL may begin with everybody in a district that it knows little of.
_KNOWN = """
SELECT a.target, a.person_id, m.role, m.organization_id FROM exchange_agent a
LEFT JOIN people_membership m ON m.person_id = a.person_id AND m.role <> %s
    AND (m.begins_on IS NULL OR m.begins_on <= %s) AND (m.ends_on IS NULL OR m.ends_on > %s)
    AND (SELECT o.path FROM people_organization o WHERE o.id = m.organization_id) LIKE %s
WHERE a.tenant_id = %s AND {}
ORDER BY m.id
"""


def _known(caller: Caller, targets: Iterable[int]) -> Question[Known]:
    """Asks for the agents that were heard of before with their persons; and what each person is first of all in the district, and where."""
    today = timezone.localdate().isoformat()
    among, values = among_sql("a.target", [*targets])
    told = (Role.STUDENT.value, today, today, f"{caller.tenant_path}%", caller.tenant_id, *values)

    def read(rows: list[tuple[Any, ...]]) -> Known:
        persons: dict[int, int | None] = {}
        roles: dict[int, tuple[str, int | None]] = {}
        for target, person, role, place in rows:
            persons[target] = person
            if role is not None:
                roles.setdefault(person, (role, place))
        return persons, roles

    return Question(_KNOWN.format(among), told, read)


def _meet(tenant_id: int, unknown: dict[int, dict[str, Any]]) -> None:
    """Keep agents that were not heard of before, matched to the persons that their identifiers tell."""
    found = find_persons(tenant_id, unknown)
    rows = (
        (target, *found.get(target, (None, "")), {name: agent[name] for name in _KEPT if name in agent})
        for target, agent in sorted(unknown.items())  # in one order for everybody: nobody waits in a circle
    )
    insert_rows(Agent, ("target", "person_id", "match", "identifier"), rows, ignore_known=True, tenant_id=tenant_id)
    if any("mbox_sha1sum" in agent for agent in unknown.values()):
        marking.soon("staffroom.exchange.tasks.match_agents", tenant_id)


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


def same_person(caller: Caller, agent: dict[str, Any]) -> list[dict[str, Any]]:
    """The agent itself, and all agents of the district that were matched to the same person.

    A key that may not read what other tools wrote learns nothing of them here either, and a school's key nothing of people elsewhere:
    both are told what they told.
    """
    target = finding.target(caller.tenant_id, finding.AGENT, finding.ifi(agent))
    known = Agent.objects.filter(tenant_id=caller.tenant_id, target=target).first()
    if known is None or not _may_learn(caller, known.person_id):
        return [agent]
    kin = [known] if known.person_id is None else known.tenant.agents.filter(person_id=known.person_id)
    return [agent, *(each.identifier for each in kin)]


def _may_learn(caller: Caller, person_id: int | None) -> bool:
    """Whether a key may be told by which names other tools know somebody."""
    if scopes.READ not in caller.scopes:
        return False
    if caller.organization_id == caller.tenant_id:
        return True
    inside = Organization.objects.filter(path__startswith=_path_of(caller.organization_id))
    return Membership.objects.filter(person=person_id, organization__in=inside).exists()
