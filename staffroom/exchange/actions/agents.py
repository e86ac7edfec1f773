"""Whose deeds tools tell: agents matched late, claimed for a person, and kept apart from a person whom they are not.

Every match works backwards. The agent is the person's at once; the entries follow in a job, some hundred at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from itertools import batched
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from staffroom.exchange import counting, groups, matching, rules
from staffroom.exchange.actions import marking
from staffroom.exchange.directory import Directory
from staffroom.exchange.models import Agent, Credit, Document
from staffroom.jobs.actions import later, report
from staffroom.people.models import Membership, Organization, Person, Role
from staffroom.people.rules import lasting
from staffroom.records import finding
from staffroom.records.actions import record
from staffroom.records.finding import Mention
from staffroom.records.models import Statement
from staffroom.records.retired import first_open_number
from staffroom.records.vocabulary import verbs

AT_ONCE = 500


def waiting_in(tenant_id: int) -> Any:
    """The agents of a district that wait for a person: not those that somebody keeps apart."""
    return Agent.objects.filter(tenant=tenant_id, person=None).exclude(match=Agent.Match.APART)


def match_waiting(*, tenant_id: int) -> int:
    """Match every waiting agent of a district that can be matched by now. Safe to run twice. Returns how many were."""
    waiting = waiting_in(tenant_id)
    if not waiting.exists():
        return 0
    directory = Directory(tenant_id)
    total = waiting.count()
    matched = 0
    for done, agent in enumerate(waiting.order_by("pk").iterator(chunk_size=1000)):
        person, match = directory.find(agent.identifier)
        if person is not None:
            now = timezone.now()
            fresh = waiting.filter(pk=agent.pk)
            if fresh.update(person_id=person, match=match, matched_at=now, matched_by=None):
                carry_back(agent_id=agent.pk)
                matched += 1
        if done % 100 == 0:
            report(done=done, total=total)
    return matched


@transaction.atomic
def claim_agent(*, by: Person, agent: Agent, person: Person) -> None:
    """Say that an agent is a person. What it did becomes the person's, backwards too; the person sees it in "My record".

    Refuses (PermissionDenied) those who do not administer the district, (ValidationError) somebody who is not of the district.
    """
    if not rules.may_match(by, agent.tenant):
        raise PermissionDenied
    if not matching.people_within(agent.tenant_id).filter(pk=person.pk, erased_at=None).exists():
        raise ValidationError(_("This person does not belong to the district."))
    _settle(by, agent, person, Agent.Match.CLAIMED)


@transaction.atomic
def set_apart(*, by: Person, agent: Agent) -> None:
    """Say that an agent is not the person whom it was matched to. What it did is nobody's again, and no rule matches it any more.

    Refuses (PermissionDenied) those who do not administer the district.
    """
    if not rules.may_match(by, agent.tenant):
        raise PermissionDenied
    _settle(by, agent, None, Agent.Match.APART)


def _settle(by: Person, agent: Agent, person: Person | None, match: str) -> None:
    locked = Agent.objects.select_for_update(of=("self",)).get(pk=agent.pk)
    locked.person, locked.match, locked.matched_by, locked.matched_at = person, match, by, timezone.now()
    locked.save(update_fields=["person", "match", "matched_by", "matched_at"])
    record(by=by, verb=verbs.UPDATED, object=locked, organization=agent.tenant)
    task = import_string("staffroom.exchange.tasks.carry_back")
    later(task, by=by, about=locked, label=str(person or _("nobody")), agent_id=agent.pk)


def carry_back(*, agent_id: int) -> int:
    """Make the entries of an agent those of the person whom it is matched to, or nobody's. Safe to run twice. Returns how many changed."""
    agent = Agent.objects.select_related("tenant").get(pk=agent_id)
    inside = Organization.objects.filter(path__startswith=agent.tenant.path)
    Document.objects.filter(organization__in=inside, agent=agent.target).update(person=agent.person_id)
    # What is about to leave the ledger stays whose it is.
    known = Mention.objects.filter(target=agent.target, entry__gte=first_open_number())
    numbers = known.order_by("entry").values_list("entry", flat=True)
    changed = done = 0
    for some in batched(list(numbers), AT_ONCE):
        with transaction.atomic():
            # Locked, so that of two who say whose the agent is the later one has the last word.
            agent = Agent.objects.select_for_update(of=("self",)).select_related("tenant").get(pk=agent_id)
            changed += _carry(agent, some)
        done += len(some)
        report(done=done, total=len(numbers))
    return changed


def _carry(agent: Agent, numbers: Sequence[int]) -> int:
    name = finding.ifi(agent.identifier)
    other = Q(actor__isnull=False) if agent.person_id is None else Q(actor=None) | ~Q(actor=agent.person_id)
    found = Statement.objects.filter(other, pk__in=numbers, tenant=agent.tenant_id, tool__isnull=False, erased_at=None)
    entries = [
        each for each in found.select_related("tool").defer("tool__note") if finding.ifi(each.body["actor"]) == name
    ]
    role, place = role_in(agent.tenant, agent.person_id)
    places: dict[int, list[int]] = {}
    for each in entries:
        assert each.tool is not None
        places.setdefault(place or each.tool.organization_id, []).append(each.pk)
    for organization, chosen in places.items():
        Statement.objects.filter(pk__in=chosen).take_person_in(
            actor=agent.person_id, role=role, organization=organization
        )
    _mark(agent, entries, has_role=bool(role))
    _mark_groups(agent, numbers)
    return len(entries)


def _mark(agent: Agent, entries: Sequence[Statement], *, has_role: bool) -> None:
    """The days of whoever had the entries before, and of whoever has them now, are counted anew where a mapping speaks of them."""
    chooser = counting.chooser_of(agent.tenant_id)
    counted = [each for each in entries if chooser and chooser.choose(each.body, each.tool_id) is not None]
    whose = {(each.actor_id, counting.day_of(each.happened_at)) for each in counted if each.actor_id is not None}
    if agent.person_id is not None and has_role:
        whose |= {(agent.person_id, counting.day_of(each.happened_at)) for each in counted}
    marking.mark(agent.tenant_id, whose)


def _mark_groups(agent: Agent, numbers: Sequence[int]) -> None:
    """What the agent did in groups is nobody's column: the days of its person are counted anew, and of those who had hours by the same."""
    chooser = counting.chooser_of(agent.tenant_id)
    name = finding.ifi(agent.identifier)
    if not chooser or not Mention.objects.filter(target=finding.target(agent.tenant_id, finding.MEMBER, name)).exists():
        return
    days: set[marking.Day] = set()
    for each in Statement.objects.filter(pk__in=numbers, tenant=agent.tenant_id, tool__isnull=False, actor=None):
        if name not in groups.members_of(each.body) or chooser.choose(each.body, each.tool_id) is None:
            continue
        day = counting.day_of(each.happened_at)
        had = Credit.objects.filter(day=day, mapping__tenant=agent.tenant_id).values_list("person_id", flat=True)
        days |= {(person, day) for person in (*had, agent.person_id) if person is not None}
    marking.mark(agent.tenant_id, days)


def role_in(tenant: Organization, person_id: int | None) -> tuple[str, int | None]:
    """What somebody is first of all in a district, and where; the same as for entries that come in (`matching`)."""
    if person_id is None:
        return "", None
    held = Membership.objects.filter(
        lasting(), ~Q(role=Role.STUDENT), person=person_id, organization__path__startswith=tenant.path
    )
    return held.order_by("pk").values_list("role", "organization_id").first() or ("", None)


def tenants_waiting() -> list[int]:
    """The districts in which an agent waits for a person."""
    found = Agent.objects.filter(person=None).exclude(match=Agent.Match.APART)
    return sorted(set(found.order_by().values_list("tenant", flat=True)))


def carried_lately(days: int = 2) -> list[int]:
    """Agents matched in the last days: an entry that came in the same moment may have missed it."""
    since = timezone.now() - timedelta(days=days)
    return list(Agent.objects.filter(matched_at__gte=since).values_list("pk", flat=True))
