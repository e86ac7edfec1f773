"""What is known of an agent and of an activity, and about the store itself (Communication 2.4, 2.5, 2.8)."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.utils.http import http_date

from staffroom import __version__
from staffroom.exchange import asking, matching, scopes
from staffroom.exchange.door import VERSIONS, Call, door, json_answer
from staffroom.exchange.models import KnownActivity
from staffroom.exchange.openapi import document
from staffroom.exchange.refusals import Refusal
from staffroom.records import finding, validation


@door("GET", needs_version=False, needs_key=False)
def about(call: Call) -> HttpResponse:
    call.only()
    return json_answer({
        "version": list(VERSIONS.values()),
        "extensions": {"https://staffroom.example/xapi/about/version": __version__},
    })  # fmt: skip


@door("GET", needs_version=False, needs_key=False)
def openapi(call: Call) -> HttpResponse:
    """The door as an OpenAPI document."""
    call.only()
    return json_answer(document())


@door("GET")
def agents(call: Call) -> HttpResponse:
    """All identifiers that the district's tools use for the same person, as one Person object; to whom it may know them."""
    call.may(scopes.READ, scopes.READ_MINE, scopes.PROFILE, scopes.STATE)
    call.only("agent")
    told = call.need("agent")
    asking.agent_in(told)
    agent = asking.loaded_agent(told)
    made: dict[str, Any] = {"objectType": "Person"}
    for each in matching.same_person(call.caller, agent):
        for name in ("name", "mbox", "mbox_sha1sum", "openid", "account"):
            if name in each and each[name] not in made.setdefault(name, []):
                made[name].append(each[name])
    return json_answer(made)


@door("GET")
def activities(call: Call) -> HttpResponse:
    """What the district's tools have said about an activity."""
    call.may(scopes.READ, scopes.READ_MINE, scopes.PROFILE, scopes.STATE)
    call.only("activityId")
    iri = call.need("activityId")
    if validation.problems_in_activity({"id": iri}):
        raise Refusal(400, "activityId must be an IRI (4.3).")
    target = finding.target(call.caller.tenant_id, finding.ACTIVITY, iri)
    known = KnownActivity.objects.filter(tenant_id=call.caller.tenant_id, target=target).first()
    made: dict[str, Any] = {"objectType": "Activity", "id": iri}
    if known is None:
        return json_answer(made)
    if known.definition:
        made["definition"] = known.definition
    return json_answer(made, headers={"Last-Modified": http_date(known.updated_at.timestamp())})
