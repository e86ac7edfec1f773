"""Statements come in: checked as a whole, completed with what the store adds, appended to the ledger all together or not at all.

A statement whose id is there already is left as it is: when it says the same the tool only asked twice; when it says something else the
whole request is refused (409).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import batched
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction

from staffroom.exchange import asking, attaching, comparing, counting, knowing, matching, scopes
from staffroom.exchange.actions import marking
from staffroom.exchange.actions.keys import Caller
from staffroom.exchange.multipart import Part
from staffroom.exchange.refusals import Refusal
from staffroom.people.rows import answers
from staffroom.records import validation
from staffroom.records.actions import appending
from staffroom.records.models import Statement

type Told = tuple[dict[str, Any], uuid.UUID]

VERSION = {1: "1.0.0", 2: "2.0.0"}
MOST = 10_000


def check(bodies: Any, major: int) -> list[dict[str, Any]]:
    """The statements of a request, every one valid. Refuses (400) naming the rules that are broken; one bad one refuses all."""
    if not isinstance(bodies, list):
        raise Refusal(400, "The body must be a statement or a list of statements.")
    if len(bodies) > MOST:
        raise Refusal(413, f"At most {MOST} statements come in one request.")
    problems: list[str] = []
    for number, body in enumerate(bodies):
        if found := validation.problems_in(body, major):
            place = f"statements[{number}]: " if len(bodies) > 1 else ""
            problems += [f"{place}{each}" for each in found[:20]]
        if len(problems) > 50:
            break
    if problems:
        raise Refusal(
            400,
            "The statements break rules of xAPI." if len(bodies) > 1 else "The statement breaks rules of xAPI.",
            problems,
        )
    return bodies


def receive(
    *, caller: Caller, bodies: list[dict[str, Any]], major: int, attachments: dict[str, Part] | None = None
) -> list[str]:
    """Append valid statements to the ledger, in one transaction; returns their ids in order. See `take`."""
    return take(caller=caller, bodies=bodies, major=major, attachments=attachments)[0]


def take(
    *, caller: Caller, bodies: list[dict[str, Any]], major: int, attachments: dict[str, Part] | None = None
) -> tuple[list[str], int]:
    """Append valid statements to the ledger, in one transaction; returns their ids in order, and how many are new.

    Adds id, stored, timestamp, authority and version; matches agents to persons; marks what is voided. Refuses (400) the same id
    twice in one request and the voiding of a voiding, (409) an id that is taken by a statement that says something else.
    """
    keys = [uuid.UUID(body["id"]) if "id" in body else uuid.uuid4() for body in bodies]
    if len(set(keys)) != len(keys):
        raise Refusal(400, "One id stands in two statements of the request.")
    whole = list(zip(bodies, keys, strict=True))
    try:
        with transaction.atomic():
            fresh = _store(caller, whole, major, attachments or {})
    except IntegrityError:
        # Another request stored one of these ids in between: now it is there to be compared with.
        with transaction.atomic():
            fresh = _store(caller, whole, major, attachments or {})
    except appending.CannotBeVoided as error:
        raise Refusal(400, f"{error.message} (2.3.2)") from None
    return [str(key) for key in keys], fresh


def _store(caller: Caller, whole: Sequence[Told], major: int, attachments: dict[str, Part]) -> int:
    agents = matching.Agents((body for body, _key in whole), caller)
    found, who, has_mappings = answers(
        appending.look_for([key for body, key in whole if "id" in body], caller.tenant_id),
        agents.who(),
        counting.has_mappings(caller.tenant_id),
    )
    known, waiting = found
    fresh = _without_known(caller, whole, known)
    if not fresh:
        return 0
    _refuse_voiding_of_others(caller, (body for body, _key in fresh if body["verb"]["id"] == validation.VOIDED))
    if attachments:
        attaching.keep(caller.tenant_id, attachments)
    people = agents.met(who) if fresh is whole else matching.people_of((body for body, _key in fresh), caller)
    if scopes.DEFINE in caller.scopes:
        knowing.learn(caller.tenant_id, (body for body, _key in fresh))
    for some in batched(fresh, appending.AT_ONCE):
        numbers, stored_at = appending.take_numbers(len(some))
        entries = _entries(caller, some, numbers, stored_at, people, major)
        appending.append(entries, waiting=waiting, may_void_others=scopes.ALL in caller.scopes)
        appending.price(entries)
        if has_mappings:
            marking.note_arrivals(caller.tenant_id, entries)
    return len(fresh)


def _entries(
    caller: Caller, some: Sequence[Told], numbers: range, stored_at: datetime, people: matching.People, major: int
) -> list[appending.Entry]:
    stored, authority = appending.timestamp(stored_at), authority_of(caller)
    return [
        _entry(caller, number, told, _completed(told, stored, authority, major), stored_at, people)
        for number, told in zip(numbers, some, strict=True)
    ]


def _refuse_voiding_of_others(caller: Caller, bodies: Iterable[dict[str, Any]]) -> None:
    """A tool voids what it wrote itself; with the scope `all`, what it may read. Refuses (403) the rest of its district."""
    wanted = [uuid.UUID(body["object"]["id"]) for body in bodies]
    if not wanted or not (numbers := appending.entries_of(wanted, caller.tenant_id).values()):
        return
    there = Statement.objects.filter(pk__in=numbers, tenant_id=caller.tenant_id).exclude(tool_id=caller.tool_id)
    if not (others := set(there.values_list("pk", flat=True))):
        return
    if scopes.ALL in caller.scopes:
        others -= set(asking.visible_to(caller).filter(pk__in=others).values_list("pk", flat=True))
    if others:
        raise Refusal(403, "The key may not void what another wrote.")


def _completed(told: Told, stored: str, authority: dict[str, Any], major: int) -> dict[str, Any]:
    body, key = told
    return {
        **_with_lists(body), "id": body["id"].lower() if "id" in body else str(key), "stored": stored, "authority": authority,
        "timestamp": _timestamp(body.get("timestamp"), major) or stored, "version": body.get("version") or VERSION[major],
    }  # fmt: skip


def _with_lists(body: dict[str, Any]) -> dict[str, Any]:
    """With its context activities in lists, as they are given out; older tools send a single one bare (Data 2.4.6.2)."""
    made = body
    around = body.get("context", {}).get("contextActivities")
    if around and not all(isinstance(each, list) for each in around.values()):
        lists = {name: each if isinstance(each, list) else [each] for name, each in around.items()}
        made = {**made, "context": {**made["context"], "contextActivities": lists}}
    if made["object"].get("objectType") == "SubStatement":
        made = {**made, "object": _with_lists(made["object"])}
    return made


def _entry(
    caller: Caller, number: int, told: Told, body: dict[str, Any], stored_at: datetime, people: matching.People
) -> appending.Entry:
    columns = {"organization_id": caller.organization_id, **matching.columns_of(body, people, stored_at)}
    return appending.Entry(
        id=number,
        key=told[1],
        body=body,
        stored_at=stored_at,
        tenant_id=caller.tenant_id,
        tool_id=caller.tool_id,
        **columns,
    )


def authority_of(caller: Caller) -> dict[str, Any]:
    """The tool as the agent that vouches for what it writes."""
    return {
        "objectType": "Agent", "name": caller.tool_name,
        "account": {"homePage": settings.SITE_URL, "name": f"tool:{caller.tool_key}"},
    }  # fmt: skip


def _timestamp(told: str | None, major: int) -> str | None:
    """As it was told; 2.0 wants UTC where there is an offset."""
    if told is None or major == 1:
        return told
    moment = validation.moment(told)
    if moment is None or moment.tzinfo is None or told[-1] in "Zz":
        return told
    return appending.timestamp(moment)


def _without_known(caller: Caller, whole: Sequence[Told], known: dict[uuid.UUID, int]) -> Sequence[Told]:
    """What is not in the ledger yet. Refuses (409) another statement under a known id."""
    if not known:
        return whole
    there = {
        key: (body, tenant)
        for key, body, tenant in Statement.objects.filter(pk__in=known.values()).values_list("key", "body", "tenant_id")
    }
    fresh = []
    for body, key in whole:
        if key not in there:
            fresh.append((body, key))
            continue
        kept, tenant = there[key]
        if tenant != caller.tenant_id or not comparing.says_the_same(kept, body):
            raise Refusal(409, f"The id {key} is taken by another statement.")
    return fresh
