"""How statements are given out (Communication 2.1.3): as they were stored, with bare ids, or with each name in one language."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from staffroom.exchange import strict
from staffroom.exchange.door import Call
from staffroom.exchange.refusals import Refusal

FORMATS = ("exact", "ids", "canonical")


class Form:
    """A format, and the languages that the reader wants, best first."""

    def __init__(self, name: str, languages: list[str]) -> None:
        self.name = name
        self.languages = languages


def truth(value: str, name: str) -> bool:
    if value not in ("true", "false"):
        raise Refusal(400, f"{name} must be true or false.")
    return value == "true"


def form_of(call: Call, name: str = "") -> Form:
    name = name or call.params.get("format", "exact")
    if name not in FORMATS:
        raise Refusal(400, f"format must be one of {', '.join(FORMATS)}.")
    return Form(name, languages_of(call.headers.get("accept-language", "")))


def languages_of(header: str) -> list[str]:
    """The languages of Accept-Language, best first."""
    weighed: list[tuple[float, int, str]] = []
    for place, each in enumerate(header.split(",")[:30]):
        tag, *rest = each.strip().split(";")
        try:
            weight = float(rest[0].strip().removeprefix("q=")) if rest else 1.0
        except ValueError:
            weight = 0.0
        if tag.strip():
            weighed.append((-weight, place, tag.strip().lower()))
    return [tag for weight, _place, tag in sorted(weighed) if weight < 0]


def write(value: Any) -> bytes:
    return strict.write(value)


def present(body: dict[str, Any], form: Form) -> dict[str, Any]:
    """A statement in the form asked for."""
    if form.name == "exact":
        return body
    return _with(body, form)


def _with(statement: dict[str, Any], form: Form) -> dict[str, Any]:
    made = dict(statement)
    for name in ("actor", "authority"):
        if name in made:
            made[name] = _agent(made[name], form)
    made["verb"] = _verb(made["verb"], form)
    made["object"] = _thing(made["object"], form)
    if "context" in made:
        made["context"] = _context(made["context"], form)
    if "attachments" in made and form.name == "canonical":
        made["attachments"] = [_one_language(each, ("display", "description"), form) for each in made["attachments"]]
    return made


def _verb(verb: dict[str, Any], form: Form) -> dict[str, Any]:
    if form.name == "ids":
        return {"id": verb["id"]}
    return _one_language(verb, ("display",), form)


def _agent(agent: dict[str, Any], form: Form) -> dict[str, Any]:
    """With bare ids: just the identifier; an anonymous group keeps its members, each just with its identifier."""
    if form.name != "ids":
        return agent
    kept: dict[str, Any] = {
        name: agent[name] for name in ("objectType", "account", "mbox", "mbox_sha1sum", "openid") if name in agent
    }
    if len(kept) == ("objectType" in kept) and "member" in agent:
        kept["member"] = [_agent(each, form) for each in agent["member"]]
    return kept


def _thing(thing: dict[str, Any], form: Form) -> dict[str, Any]:
    match thing.get("objectType", "Activity"):
        case "Activity":
            return _activity(thing, form)
        case "Agent" | "Group":
            return _agent(thing, form)
        case "SubStatement":
            return _with(thing, form)
        case _:
            return thing


def _activity(activity: dict[str, Any], form: Form) -> dict[str, Any]:
    if form.name == "ids":
        return {"id": activity["id"]}
    if "definition" not in activity:
        return activity
    definition = _one_language(activity["definition"], ("name", "description"), form)
    for name in ("choices", "scale", "source", "target", "steps"):
        if name in definition:
            definition[name] = [_one_language(each, ("description",), form) for each in definition[name]]
    return {**activity, "definition": definition}


def _context(context: dict[str, Any], form: Form) -> dict[str, Any]:
    made = dict(context)
    for name in ("instructor", "team"):
        if name in made:
            made[name] = _agent(made[name], form)
    if around := made.get("contextActivities"):
        made["contextActivities"] = {
            name: [_activity(each, form) for each in found] if isinstance(found, list) else _activity(found, form)
            for name, found in around.items()
        }
    for name, inner in (("contextAgents", "agent"), ("contextGroups", "group")):
        if name in made:
            made[name] = [{**each, inner: _agent(each[inner], form)} for each in made[name]]
    return made


def _one_language(thing: dict[str, Any], names: tuple[str, ...], form: Form) -> dict[str, Any]:
    """The thing with each of its language maps cut to the language that fits the reader best."""
    made = dict(thing)
    for name in names:
        if made.get(name):
            made[name] = best(made[name], form.languages)
    return made


def best(told: dict[str, str], languages: list[str]) -> dict[str, str]:
    """One entry of a language map: the first language wanted that there is, or a kin of it; else the site's, else English.

    Never simply the first there is: PostgreSQL does not keep in which order they were told.
    """
    lower = {tag.lower(): tag for tag in sorted(told)}
    for wanted in (*languages, settings.LANGUAGE_CODE.lower(), "en"):
        kin = [
            tag
            for low, tag in lower.items()
            if low == wanted or low.startswith(f"{wanted}-") or wanted.startswith(f"{low}-")
        ]
        if exact := lower.get(wanted):
            return {exact: told[exact]}
        if kin:
            return {kin[0]: told[kin[0]]}
    first = min(told)
    return {first: told[first]}
