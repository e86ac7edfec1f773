"""The three document resources (Communication 2.2, 2.3, 2.6, 2.7): states, profiles of agents, profiles of activities."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from django.utils.http import http_date

from staffroom.exchange import asking, scopes
from staffroom.exchange.actions import documents
from staffroom.exchange.actions.documents import JSON, Guard, Place
from staffroom.exchange.door import Call, door, json_answer
from staffroom.exchange.matching import person_of
from staffroom.exchange.models import Document
from staffroom.exchange.refusals import Refusal
from staffroom.records import finding, validation

# As part of an index, in which PostgreSQL takes no more than 2.6 kB.
LONGEST_NAME = 2000


@door("GET", "PUT", "POST", "DELETE")
def state(call: Call) -> HttpResponse:
    _admit(call, scopes.STATE)
    call.only("activityId", "agent", "registration", "stateId", *(["since"] if call.method in ("GET", "HEAD") else []))
    agent = asking.agent_in(call.need("agent"))
    place = Place(
        call.caller.organization_id, Document.Kind.STATE, _target(call, finding.AGENT, agent), _activity(call),
        _registration(call), call.params.get("stateId"), person_of(call.caller.tenant_id, agent),
    )  # fmt: skip
    # A state is one tool's own; in 1.0.3 it is written without asking what was there (Communication 3.1), in 2.0 not.
    return _serve(call, place, "stateId", Guard(is_needed=call.major == 2))


@door("GET", "PUT", "POST", "DELETE")
def agent_profile(call: Call) -> HttpResponse:
    _admit(call, scopes.PROFILE)
    call.only("agent", "profileId", *(["since"] if call.method in ("GET", "HEAD") else []))
    agent = asking.agent_in(call.need("agent"))
    place = Place(
        call.caller.organization_id, Document.Kind.AGENT_PROFILE, _target(call, finding.AGENT, agent),
        name=call.params.get("profileId"), person_id=person_of(call.caller.tenant_id, agent),
    )  # fmt: skip
    return _serve(call, place, "profileId", Guard(is_needed=True, is_needed_if_new=True))


@door("GET", "PUT", "POST", "DELETE")
def activity_profile(call: Call) -> HttpResponse:
    _admit(call, scopes.PROFILE)
    call.only("activityId", "profileId", *(["since"] if call.method in ("GET", "HEAD") else []))
    place = Place(
        call.caller.organization_id,
        Document.Kind.ACTIVITY_PROFILE,
        activity=_activity(call),
        name=call.params.get("profileId"),
    )
    return _serve(call, place, "profileId", Guard(is_needed=True, is_needed_if_new=True))


def _admit(call: Call, scope: str) -> None:
    call.may(scope, *([scopes.ALL_READ] if call.method in ("GET", "HEAD") else []))


def _target(call: Call, kind: str, value: str) -> int:
    return finding.target(call.caller.tenant_id, kind, value)


def _activity(call: Call) -> int:
    told = call.need("activityId")
    if validation.problems_in_activity({"id": told}):
        raise Refusal(400, "activityId must be an IRI (4.3).")
    return _target(call, finding.ACTIVITY, told)


def _registration(call: Call) -> str:
    if "registration" not in call.params:
        return ""
    try:
        return str(UUID(call.params["registration"]))
    except ValueError:
        raise Refusal(400, "registration must be a UUID (4.4).") from None


def _serve(call: Call, place: Place, name: str, guard: Guard) -> HttpResponse:
    is_put = call.method == "PUT"
    guard = Guard(
        call.headers.get("if-match", ""), call.headers.get("if-none-match", ""), guard.is_needed and is_put,
        guard.is_needed_if_new and is_put,
    )  # fmt: skip
    match call.method:
        case "GET" | "HEAD":
            return _read(call, place)
        case "DELETE":
            if name == "profileId":
                call.need(name)
            documents.remove_document(place=place, guard=guard)
        case _:
            if len(call.need(name).encode()) > LONGEST_NAME:
                raise Refusal(400, f"{name} is longer than {LONGEST_NAME} bytes.")
            content_type = call.content_type or "application/octet-stream"
            if call.method == "PUT":
                _refuse_bad_json(call)
            keep = documents.put_document if call.method == "PUT" else documents.merge_document
            keep(place=place, content=call.body, content_type=content_type, guard=guard)
    return HttpResponse(status=204)


def _refuse_bad_json(call: Call) -> None:
    if call.media_type == JSON:
        call.json()


def _read(call: Call, place: Place) -> HttpResponse:
    if place.name is None:
        since = asking.moment_of(call.params["since"], "since") if "since" in call.params else None
        names, newest = documents.names_in(place, since, in_any_registration=not place.registration)
        return json_answer(names, headers={"Last-Modified": http_date(newest.timestamp())} if newest else None)
    found = place.documents().first()
    if found is None:
        raise Refusal(404, "There is no such document.")
    response = HttpResponse(bytes(found.content), content_type=found.content_type)
    response["ETag"] = f'"{found.etag}"'
    response["Last-Modified"] = http_date(found.updated_at.timestamp())
    return response
