"""Questions about statements: read from the parameters of a request, answered page by page.

A page is found by the mentions of what was asked for (`records.finding`), newest first unless `ascending`. The link to the next page
carries the question and the last number seen, signed: it stays good however many writers come in between, and needs no memory here.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.core import signing
from django.db import connection
from django.db.models import Q, QuerySet

from staffroom.exchange import scopes, strict
from staffroom.exchange.actions.keys import Caller
from staffroom.exchange.door import Call
from staffroom.exchange.presenting import truth
from staffroom.exchange.refusals import Refusal
from staffroom.exchange.strict import NotJson
from staffroom.people.models import Organization
from staffroom.people.rows import read_rows
from staffroom.records import finding, ordering, validation
from staffroom.records.models import Statement

PAGE = 100
LARGEST_PAGE = 500
PATH = "/xapi/statements"
_SALT = "staffroom.exchange.more"


@dataclass(frozen=True)
class Question:
    """What is asked: each term is a list of hashes, of which a statement must mention one; and from which number to which."""

    terms: tuple[tuple[int, ...], ...] = ()
    after: int = 0
    before: int = 1 << 62
    limit: int = PAGE
    is_ascending: bool = False
    attachments: bool = False
    format: str = "exact"


@dataclass(frozen=True)
class Page:
    bodies: list[dict[str, Any]]
    more: str
    settled_through: datetime
    newest: int | None


def statement(caller: Caller, told: str, *, is_voided: bool) -> tuple[int, dict[str, Any]] | None:
    """Number and body of the statement of an id in the caller's district; voided ones only for whoever asks for a voided one."""
    hashed = finding.key_in(caller.tenant_id, UUID(told))
    where = [*_may_read(caller), "s.is_voided" if is_voided else "NOT s.is_voided"]
    found = read_rows(
        "SELECT s.id, s.body FROM records_statementkey k CROSS JOIN records_statement s "
        f"WHERE k.key = %s AND s.id = k.entry AND {' AND '.join(where)}",
        [hashed if connection.features.has_native_uuid_field else hashed.hex],
    )
    return (found[0][0], _loaded(found[0][1])) if found else None


def visible_to(caller: Caller) -> QuerySet[Statement]:
    """What the caller may read, as a queryset; `_rows` says the same in SQL."""
    found = Statement.objects.filter(tenant_id=caller.tenant_id)
    if scopes.READ not in caller.scopes:
        return found.filter(tool_id=caller.tool_id)
    found = found.filter(Q(tool__isnull=False) | Q(activity__isnull=False))
    places = _places(caller)
    return found if places is None else found.filter(Q(tool_id=caller.tool_id) | Q(organization__in=places))


def _may_read(caller: Caller) -> list[str]:
    """What the caller may read, as conditions on the statement `s`.

    Its own entries; with the scope for it, those of all tools of its place and below, and of Staffroom's own deeds those that
    belong to an activity: what people did on their own is not even their administrator's to read (`records.rules.entries_seen_by`).
    """
    own = f"s.tool_id = {int(caller.tool_id)}"
    told = [f"s.tenant_id = {int(caller.tenant_id)}"]
    if scopes.READ not in caller.scopes:
        return [*told, own]
    told.append("(s.tool_id IS NOT NULL OR s.activity_id IS NOT NULL)")
    places = _places(caller)
    if places is not None:
        told.append(f"({own} OR s.organization_id IN ({', '.join(str(int(each)) for each in places)}))")
    return told


def _places(caller: Caller) -> list[int] | None:
    """The organizations of whose people the caller may read; None for a whole district, which needs no asking."""
    if caller.organization_id == caller.tenant_id:
        return None
    path = Organization.objects.values_list("path", flat=True).get(pk=caller.organization_id)
    return list(Organization.objects.filter(path__startswith=path).order_by().values_list("pk", flat=True))


# --- Reading the question ------------------------------------------------------------------------------------------------------------


def read_question(call: Call) -> Question:
    """The question of a request. Refuses what cannot be meant."""
    params = call.params
    if "more" in params:
        return _read_more(call)
    tenant = call.caller.tenant_id
    around_agents = truth(params.get("related_agents", "false"), "related_agents")
    around_activities = truth(params.get("related_activities", "false"), "related_activities")
    return Question(
        terms=_terms(params, tenant, around_agents, around_activities),
        after=_number(params, "since"),
        before=_number(params, "until") or 1 << 62,
        limit=_limit(params.get("limit", "0")),
        is_ascending=truth(params.get("ascending", "false"), "ascending"),
        attachments=truth(params.get("attachments", "false"), "attachments"),
        format=params.get("format", "exact"),
    )


def _terms(
    params: dict[str, str], tenant: int, around_agents: bool, around_activities: bool
) -> tuple[tuple[int, ...], ...]:
    agent = agent_in(params["agent"]) if "agent" in params else ""
    activity = _iri(params, "activity")
    terms: list[tuple[int, ...]] = []
    if "registration" in params:
        terms.append((finding.target(tenant, finding.REGISTRATION, _uuid(params["registration"])),))
    if agent and activity and not around_agents and not around_activities:
        terms.append((finding.target(tenant, finding.PAIR, f"{agent}|{activity}"),))
    else:
        if agent:
            kinds = (finding.AGENT, finding.AROUND_AGENT) if around_agents else (finding.AGENT,)
            terms.append(tuple(finding.target(tenant, kind, agent) for kind in kinds))
        if activity:
            kinds = (finding.ACTIVITY, finding.AROUND_ACTIVITY) if around_activities else (finding.ACTIVITY,)
            terms.append(tuple(finding.target(tenant, kind, activity) for kind in kinds))
    if verb := _iri(params, "verb"):
        terms.append((finding.target(tenant, finding.VERB, verb),))
    return tuple(terms)


def loaded_agent(told: str) -> Any:
    try:
        return strict.read(told.encode())
    except (NotJson, UnicodeEncodeError):
        raise Refusal(400, "agent must be an agent as JSON.") from None


def agent_in(told: str) -> str:
    """The identifier of the agent that a parameter holds as JSON."""
    agent = loaded_agent(told)
    problems = validation.problems_in_agent(agent)
    name = finding.ifi(agent) if not problems else ""
    if not name:
        raise Refusal(400, "agent must be an agent or an identified group.", [str(each) for each in problems])
    return name


def _iri(params: dict[str, str], name: str) -> str:
    told = params.get(name)
    if told is None:
        return ""
    if validation.problems_in_activity({"id": told}):
        raise Refusal(400, f"{name} must be an IRI (4.3).")
    return told


def _uuid(told: str) -> str:
    try:
        return str(UUID(told))
    except ValueError:
        raise Refusal(400, "registration must be a UUID (4.4).") from None


def _number(params: dict[str, str], name: str) -> int:
    """The bound that a moment sets. Stored moments are whole milliseconds."""
    told = params.get(name)
    if told is None:
        return 0
    moment = moment_of(told, name)
    # since: later than the moment; until: up to and with its millisecond. Nothing is stored before 2020 or after 2150.
    after = ordering.first_number(moment) + (1 << ordering.COUNT_BITS)
    return min(max(after, 1), 1 << 62)


def moment_of(told: str, name: str) -> datetime:
    moment = validation.moment(told.replace(" ", "+") if "T" in told else told)
    if moment is None:
        raise Refusal(400, f"{name} must be a timestamp such as 2026-09-01T08:30:00Z (4.5).")
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _limit(told: str) -> int:
    if not told.isascii() or not told.isdigit() or len(told) > 12:
        raise Refusal(400, "limit must be a whole number.")
    return min(int(told), LARGEST_PAGE) or PAGE


# --- Answering -----------------------------------------------------------------------------------------------------------------------


def answer(caller: Caller, question: Question) -> Page:
    """One page. The next begins after the last entry of this one, or is none."""
    settled = ordering.settled_through("default") if question.is_ascending else ordering.settled_lately("default")
    if question.is_ascending:
        # What is still being written could come before what was read already; it waits for the next time.
        question = replace(question, before=min(question.before, ordering.first_unsettled(settled, "default")))
    found = _rows(caller, question)
    # A statement about another may mention a thing both directly and around itself.
    rows = list(dict(found).items())
    more = ""
    if len(found) > question.limit:
        rows = rows[: question.limit]
        last = rows[-1][0]
        further = replace(question, after=last + 1) if question.is_ascending else replace(question, before=last)
        more = _more(caller, further)
    newest = max((number for number, _body in rows), default=None)
    return Page([_loaded(body) for _number, body in rows], more, settled, newest)


def _loaded(body: Any) -> dict[str, Any]:
    loaded: dict[str, Any] = strict.read_trusted(body) if isinstance(body, (str, bytes)) else body
    return loaded


def _rows(caller: Caller, question: Question) -> list[tuple[Any, ...]]:
    """The numbers and bodies of a page and one more. After and before are `>=` and `<`."""
    order = "ASC" if question.is_ascending else "DESC"
    table = connection.ops.quote_name(Statement._meta.db_table)
    mention = connection.ops.quote_name(finding.Mention._meta.db_table)
    bounds: list[Any] = [question.after, question.before]
    where = [*_may_read(caller), "NOT s.is_voided"]
    if not question.terms:
        sql = (
            f"SELECT s.id, s.body FROM {table} s WHERE {' AND '.join(where)} AND s.id >= %s AND s.id < %s "
            f"ORDER BY s.id {order} LIMIT {question.limit + 1}"
        )
        values = bounds
    else:
        first, *others = question.terms
        values = []
        sources = []
        for each in first:
            sources.append(f"SELECT entry FROM {mention} WHERE target = %s AND entry >= %s AND entry < %s")
            values += [each, *bounds]
        source = " UNION ALL ".join(sources)
        for term in others:
            marks = ", ".join("%s" for _each in term)
            # A question of its own for each found by the first: PostgreSQL would else begin with the verb that all mention.
            where.append(f"(SELECT 1 FROM {mention} m WHERE m.target IN ({marks}) AND m.entry = f.entry LIMIT 1) = 1")
            values += term
        sql = (
            f"SELECT s.id, s.body FROM ({source}) f CROSS JOIN {table} s WHERE s.id = f.entry AND {' AND '.join(where)} "
            f"ORDER BY f.entry {order} LIMIT {question.limit + 1}"
        )
    return read_rows(sql, values)


def _more(caller: Caller, question: Question) -> str:
    told = {**asdict(question), "terms": [list(term) for term in question.terms], "tenant": caller.tenant_id}
    return f"{PATH}?more={signing.dumps(told, salt=_SALT, compress=True)}"


def _read_more(call: Call) -> Question:
    call.only("more")
    try:
        told = signing.loads(call.params["more"], salt=_SALT)
    except signing.BadSignature:
        raise Refusal(400, "This link to more was not made here.") from None
    if told.pop("tenant") != call.caller.tenant_id:
        raise Refusal(400, "This link to more was made for somebody else.")
    try:
        return Question(**{**told, "terms": tuple(tuple(term) for term in told["terms"])})
    except TypeError:  # made by another version of Staffroom
        raise Refusal(400, "This link to more is too old: ask again.") from None
