"""The statement resource (Communication 2.1): write one or many, read one, ask for many page by page."""

from __future__ import annotations

import re
from typing import Any

from django.http import HttpResponse
from django.utils.http import http_date

from staffroom import options
from staffroom.exchange import asking, attaching, multipart, presenting, scopes, signatures
from staffroom.exchange.actions import receiving
from staffroom.exchange.door import Call, door, json_answer
from staffroom.exchange.multipart import Part
from staffroom.exchange.refusals import Refusal
from staffroom.records import ordering
from staffroom.records.actions import appending
from staffroom.records.retired import kept_since

ONE = ("statementId", "voidedStatementId")
_ALONE = {*ONE, "format", "attachments"}
_MANY = (
    "agent", "verb", "activity", "registration", "related_activities", "related_agents", "since", "until", "limit", "format",
    "attachments", "ascending", "more",
)  # fmt: skip
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


@door("GET", "PUT", "POST", is_ledger=True)
def statements(call: Call) -> HttpResponse:
    match call.method:
        case "PUT":
            return _put(call)
        case "POST":
            return _post(call)
        case _:
            return _get(call)


def _put(call: Call) -> HttpResponse:
    call.may(scopes.WRITE)
    call.only("statementId")
    told = call.need("statementId")
    body, parts = _read(call)
    if not isinstance(body, dict):
        raise Refusal(400, "PUT takes one statement.")
    if not _UUID.fullmatch(told):
        raise Refusal(400, "statementId must be a UUID (4.4).")
    if str(body.get("id", told)).lower() != told.lower():
        raise Refusal(400, "The statement has another id than statementId tells.")
    _take(call, [{**body, "id": told}], parts)
    return HttpResponse(status=204)


def _post(call: Call) -> HttpResponse:
    call.may(scopes.WRITE)
    call.only()
    body, parts = _read(call)
    return json_answer(_take(call, body if isinstance(body, list) else [body], parts))


def _take(call: Call, bodies: list[Any], parts: dict[str, Part] | None) -> list[str]:
    checked = receiving.check(bodies, call.major)
    kept = attaching.check(checked, parts)
    for statement, content in kept.signed:
        signatures.check(statement, content)
    return receiving.receive(caller=call.caller, bodies=checked, major=call.major, attachments=kept.parts)


def _read(call: Call) -> tuple[Any, dict[str, Part] | None]:
    """The statements of a body and the attachments beside them; None where none can be."""
    if call.media_type == "application/json":
        return call.json(), None
    if call.media_type != "multipart/mixed":
        raise Refusal(400, "Statements come as application/json, or as multipart/mixed with attachments.")
    parts = multipart.parts_of(call.body, call.content_type)
    if parts[0].media_type != "application/json":
        raise Refusal(400, "The first part of the body must be application/json: the statements.")
    return attaching.read_json(parts[0].content), multipart.attachments_of(parts[1:])


# --- Reading -----------------------------------------------------------------------------------------------------------------------


def _get(call: Call) -> HttpResponse:
    call.may(scopes.READ, scopes.READ_MINE)
    given = [name for name in ONE if name in call.params]
    if not given:
        return _many(call)
    if len(given) == 2:
        raise Refusal(400, "Ask for statementId or for voidedStatementId, not for both.")
    if beside := sorted(set(call.params) - _ALONE):
        raise Refusal(
            400, f"Beside {given[0]} only format and attachments may be given, not {', '.join(beside)[:120]}."
        )
    return _one(call, call.params[given[0]], is_voided=given[0] == "voidedStatementId")


def _one(call: Call, told: str, *, is_voided: bool) -> HttpResponse:
    if not _UUID.fullmatch(told):
        raise Refusal(400, "The id must be a UUID (4.4).")
    form = presenting.form_of(call)
    found = asking.statement(call.caller, told, is_voided=is_voided)
    if found is None:
        raise Refusal(404, f"There is no such statement.{_how_far_back()}")
    number, exact = found
    body = presenting.present(exact, form)
    headers = {"Last-Modified": http_date(ordering.stored_at(number).timestamp())}
    return _with_attachments(call, body, [body], headers)


def _how_far_back() -> str:
    since = kept_since() if options.get("ledger_months") > 0 else None
    return "" if since is None else f" Those stored before {since:%Y-%m} are no longer kept."


def _many(call: Call) -> HttpResponse:
    call.only(*_MANY)
    question = asking.read_question(call)
    form = presenting.form_of(call, question.format)
    page = asking.answer(call.caller, question)
    bodies = [presenting.present(each, form) for each in page.bodies]
    answer = {"statements": bodies, "more": page.more}
    headers = {"X-Experience-API-Consistent-Through": appending.timestamp(page.settled_through)}
    if page.newest is not None:
        headers["Last-Modified"] = http_date(ordering.stored_at(page.newest).timestamp())
    return _with_attachments(call, answer, bodies, headers, wants=question.attachments)


def _with_attachments(
    call: Call, answer: Any, bodies: list[dict[str, Any]], headers: dict[str, str], *, wants: bool | None = None
) -> HttpResponse:
    """JSON, or multipart with the bytes of every attachment that the store has."""
    wants = presenting.truth(call.params.get("attachments", "false"), "attachments") if wants is None else wants
    if not wants:
        return json_answer(answer, headers=headers)
    content, content_type = multipart.write(
        presenting.write(answer), attaching.bytes_for(call.caller.tenant_id, bodies)
    )
    return HttpResponse(content, content_type=content_type, headers=headers)
