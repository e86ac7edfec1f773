"""Reads about agents, mappings and the hours that these gave, always for a named viewer."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Sum

from staffroom.exchange import counting, matching, rules
from staffroom.exchange.counting import Foreign
from staffroom.exchange.models import Agent, Credit, Mapping
from staffroom.people.models import Membership, Organization, Person, Role
from staffroom.people.rules import lasting
from staffroom.permissions.models import Tool
from staffroom.records.finding import Mention
from staffroom.records.models import Activity, Statement
from staffroom.records.queries import entries_for
from staffroom.records.rules import entries_seen_by

FEW = 20


@dataclass(frozen=True)
class AgentLine:
    """An agent and how many entries tell what they did."""

    agent: Agent
    entries: int
    known_by: str


def tenants_for(viewer: object) -> QuerySet[Organization]:
    """The districts whose agents and mappings the viewer minds."""
    return Organization.objects.filter(pk__in=rules.tenants_of(viewer)).order_by("path")


def agents_for(viewer: object, state: str = "") -> QuerySet[Agent]:
    """The agents of the viewer's districts: "waiting" for a person, "apart", "matched", or all."""
    found = Agent.objects.filter(rules.matchable_by(viewer)).select_related("person", "matched_by", "tenant")
    wanted = {
        "waiting": Q(person=None) & ~Q(match=Agent.Match.APART), "apart": Q(match=Agent.Match.APART),
        "matched": Q(person__isnull=False),
    }  # fmt: skip
    return found.filter(wanted.get(state, Q())).order_by("-pk")


def lines_of(agents: list[Agent]) -> list[AgentLine]:
    """The same with how many entries each has."""
    counts = dict(
        Mention.objects.filter(target__in=[each.target for each in agents])
        .order_by()
        .values_list("target")
        .annotate(count=Count("entry"))
    )
    return [AgentLine(each, counts.get(each.target, 0), known_by(each)) for each in agents]


def known_by(agent: Agent) -> str:
    """The identifier by which a tool knows somebody, to be read."""
    told = agent.identifier
    if account := told.get("account"):
        return f"{account['name']} · {account['homePage']}"
    mbox = str(told.get("mbox", "")).removeprefix("mailto:")
    return mbox or str(told.get("openid") or told.get("mbox_sha1sum") or "")


def people_like(tenant_id: int, text: str) -> list[Person]:
    """Some people of a district by parts of their name or their address: each word has to be in one of them."""
    found = matching.people_within(tenant_id).filter(erased_at=None)
    for word in text.split()[:5]:
        found = found.filter(
            Q(given_name__icontains=word)
            | Q(family_name__icontains=word)
            | Q(preferred_name__icontains=word)
            | Q(email__icontains=word)
        )
    # Students are known to programs, too, but it is staff whose learning counts.
    staff = Membership.objects.filter(~Q(role=Role.STUDENT), lasting(), person=OuterRef("pk"))
    found = found.annotate(is_staff=Exists(staff)).order_by("-is_staff", "family_name", "given_name", "pk")
    return list(found[:FEW]) if text.strip() else []


def mappings_for(viewer: object) -> QuerySet[Mapping]:
    """The mappings in force in the viewer's districts, each with the people and seconds that it gave."""
    found = Mapping.objects.filter(rules.matchable_by(viewer), removed_at=None)
    found = found.select_related("activity__organization", "tool", "tenant", "made_by")
    return found.annotate(
        people=Count("credits__person", distinct=True), seconds=Sum("credits__seconds")
    ).order_by("activity__name", "pk")  # fmt: skip


def tools_within(tenant: Organization) -> QuerySet[Tool]:
    """The tools of a district and of what is below it."""
    return Tool.objects.filter(organization__path__startswith=tenant.path).order_by("name", "pk")


def activities_within(tenant: Organization) -> QuerySet[Activity]:
    """The activities of a district and of what is below it."""
    return Activity.objects.filter(organization__path__startswith=tenant.path).order_by("name", "pk")


def credits_for(viewer: object, activity: Activity) -> QuerySet[Credit]:
    """Hours from other programs in an activity, of oneself and of those whom one leads: those whose entry counts."""
    seen = entries_for(viewer, activity).order_by().values("pk")
    return Credit.objects.filter(activity=activity, entry__in=seen).select_related("person", "mapping__tool")


def seen_credits(viewer: object) -> QuerySet[Credit]:
    """The same of all activities, those whose entry was struck out too."""
    seen = Statement.objects.filter(entries_seen_by(viewer)).order_by().values("pk")
    found = Credit.objects.filter(entry__in=seen)
    return found.select_related("person", "mapping__tenant", "mapping__tool", "activity__organization")


def behind(credit: Credit) -> list[Foreign]:
    """The entries of tools that stand behind the hours of a day."""
    tenant = credit.mapping.tenant_id
    chooser = counting.chooser_of(tenant)
    found = counting.foreign(counting.of_day(tenant, credit.person_id, credit.day))
    return [each for each in found if chooser.choose(each.body, each.tool_id) == credit.mapping]
