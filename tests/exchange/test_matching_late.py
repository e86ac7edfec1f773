"""Agents who are nobody yet become somebody: by hash, by arriving later, by an administrator; and backwards each time."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from staffroom.exchange.actions import agents
from staffroom.exchange.directory import hash_of
from staffroom.exchange.models import Agent, Document
from staffroom.jobs.actions import run_waiting
from staffroom.jobs.models import Job
from staffroom.people.actions.memberships import give_role
from staffroom.people.models import Membership, Person, Role
from staffroom.records.append_only import LakeMark, LedgerIsAppendOnly
from staffroom.records.models import Statement
from tests.cast import Cast
from tests.exchange.knocking import ToolAtTheDoor, account, statement

pytestmark = pytest.mark.django_db


def hashed(email: str) -> dict[str, Any]:
    return {"objectType": "Agent", "mbox_sha1sum": hash_of(email)}


def entry(key: str) -> Statement:
    return Statement.objects.get(key=uuid.UUID(key))


def only_agent() -> Agent:
    return Agent.objects.get()


def test_a_hash_is_matched_a_moment_later_and_backwards(cast: Cast, tool: ToolAtTheDoor) -> None:
    (first,) = tool.post(statement(actor=hashed("amara@riverbend.example")))
    assert entry(first).actor is None
    LakeMark.objects.all().delete()
    run_waiting()
    found = entry(first)
    assert (found.actor, found.role, found.organization) == (cast.amara, Role.TEACHER, cast.alder)
    assert only_agent().match == Agent.Match.HASH
    assert LakeMark.objects.filter(ledger="activity").exists()
    (second,) = tool.post(statement(actor=hashed("amara@riverbend.example")))
    assert entry(second).actor == cast.amara


def test_one_job_matches_however_many_hashes_come(cast: Cast, tool: ToolAtTheDoor) -> None:
    for name in ("amara", "tom", "nobody", "ben"):
        tool.post(statement(actor=hashed(f"{name}@riverbend.example")))
    assert Job.objects.filter(kind="exchange.match_agents").count() == 1
    run_waiting()
    assert {each.person for each in Agent.objects.all()} == {cast.amara, cast.tom, cast.ben, None}


def test_people_of_another_district_are_not_matched(cast: Cast, tool: ToolAtTheDoor) -> None:
    (key,) = tool.post(statement(actor=hashed("vera@riverbend.example")))
    run_waiting()
    assert entry(key).actor is None


def test_somebody_who_joins_later_gets_what_they_did_before(cast: Cast, tool: ToolAtTheDoor) -> None:
    (key,) = tool.post(statement(actor={"mbox": "mailto:Nora@Riverbend.example"}))
    run_waiting()
    assert entry(key).actor is None
    nora = Person.objects.create_user("nora@riverbend.example", given_name="Nora", district=cast.district)
    Membership.objects.create(person=nora, organization=cast.birch, role=Role.AIDE)
    run_waiting()
    assert entry(key).actor is None  # nobody said so: the daily round would find her
    give_role(by=cast.omar, person=nora, organization=cast.birch, role=Role.TEACHER)
    run_waiting()
    found = entry(key)
    assert (found.actor, found.organization) == (nora, cast.birch)
    assert found.role == Role.AIDE


def test_a_new_address_is_found_by_the_daily_round(cast: Cast, tool: ToolAtTheDoor) -> None:
    from staffroom.exchange import tasks

    (key,) = tool.post(statement(actor={"mbox": "mailto:okafor@riverbend.example"}))
    Person.objects.filter(pk=cast.amara.pk).update(email="okafor@riverbend.example")
    assert tasks.match_everywhere.call() == 1
    assert tasks.match_everywhere.call() == 0
    assert entry(key).actor == cast.amara


def test_a_claim_works_backwards_and_can_be_undone(cast: Cast, tool: ToolAtTheDoor) -> None:
    keys = tool.post(*(statement(actor=account("a.okafor")) for _number in range(3)))
    (other,) = tool.post(statement(actor=account("somebody.else"), context={"instructor": account("a.okafor")}))
    agent = Agent.objects.get(identifier__account__name="a.okafor")
    agents.claim_agent(by=cast.omar, agent=agent, person=cast.amara)
    run_waiting()
    assert {entry(key).actor for key in keys} == {cast.amara}
    assert entry(other).actor is None  # she taught it, somebody else did it
    agent.refresh_from_db()
    assert (agent.match, agent.matched_by) == (Agent.Match.CLAIMED, cast.omar)
    agents.set_apart(by=cast.ines, agent=agent)
    run_waiting()
    found = [entry(key) for key in keys]
    assert {(each.actor, each.role, each.organization) for each in found} == {(None, "", cast.district)}


def test_who_was_set_apart_is_not_matched_again(cast: Cast, tool: ToolAtTheDoor) -> None:
    (key,) = tool.post(statement(actor={"mbox": "mailto:amara@riverbend.example"}))
    assert entry(key).actor == cast.amara
    agents.set_apart(by=cast.omar, agent=only_agent())
    run_waiting()
    assert agents.match_waiting(tenant_id=cast.district.pk) == 0
    (again,) = tool.post(statement(actor={"mbox": "mailto:amara@riverbend.example"}))
    assert (entry(key).actor, entry(again).actor) == (None, None)


def test_documents_follow_their_agent(cast: Cast, tool: ToolAtTheDoor) -> None:
    import json

    query = {"activityId": "https://vendor.example/c", "agent": json.dumps(account("a.okafor")), "stateId": "page"}
    assert tool.ask("POST", "activities/state", {"page": 3}, query=query).status_code == 204
    tool.post(statement(actor=account("a.okafor")))
    agents.claim_agent(by=cast.omar, agent=Agent.objects.get(identifier__account__name="a.okafor"), person=cast.amara)
    run_waiting()
    assert Document.objects.get().person == cast.amara


@pytest.mark.parametrize("name", ["amara", "priya", "grace", "denise", "ruth", "rafael", "vera"])
def test_only_administrators_of_the_district_say_who_is_who(cast: Cast, tool: ToolAtTheDoor, name: str) -> None:
    tool.post(statement(actor=account("a.okafor")))
    with pytest.raises(PermissionDenied):
        agents.claim_agent(by=cast.people[name], agent=only_agent(), person=cast.amara)
    with pytest.raises(PermissionDenied):
        agents.set_apart(by=cast.people[name], agent=only_agent())


def test_nobody_of_another_district_can_be_claimed(cast: Cast, tool: ToolAtTheDoor) -> None:
    tool.post(statement(actor=account("v.kovac")))
    with pytest.raises(ValidationError):
        agents.claim_agent(by=cast.omar, agent=only_agent(), person=cast.vera)


def test_students_are_matched_without_a_role(cast: Cast, tool: ToolAtTheDoor) -> None:
    Person.objects.filter(pk=cast.leo.pk).update(email="leo@riverbend.example")
    (key,) = tool.post(statement(actor=hashed("leo@riverbend.example")))
    run_waiting()
    assert (entry(key).actor, entry(key).role) == (cast.leo, "")


def test_the_ledger_takes_a_person_in_only_where_a_tool_wrote(cast: Cast, tool: ToolAtTheDoor) -> None:
    from staffroom.records.actions import record
    from staffroom.records.vocabulary import verbs

    own = record(by=cast.tom, verb=verbs.OPENED, object=cast.section)
    whose = {"actor": cast.amara, "role": Role.TEACHER, "organization": cast.alder}
    assert Statement.objects.filter(pk=own.pk).take_person_in(**whose) == 0
    with pytest.raises(LedgerIsAppendOnly):
        Statement.objects.filter(pk=own.pk).take_person_in(**whose, verb="https://vendor.example/x")
    with pytest.raises(LedgerIsAppendOnly):
        Statement.objects.filter(pk=own.pk).take_person_in(actor=cast.amara)
    own.refresh_from_db()
    assert own.actor == cast.tom


def test_membership_that_ended_gives_no_role(cast: Cast, tool: ToolAtTheDoor) -> None:
    Membership.objects.filter(person=cast.ben).update(ends_on="2026-01-01")
    (key,) = tool.post(statement(actor=hashed("ben@riverbend.example")))
    run_waiting()
    assert entry(key).role == ""
