"""How statements are found: by their key, and by whom and what they mention.

Every statement leaves one row for each thing by which xAPI lets it be asked for. A row holds a hash of the thing, so that a row is
16 bytes long, whatever the thing is called, and the rows of one thing stand together in the order in which statements were stored:
to find the newest hundred costs the same among a hundred thousand statements as among ten million. The district is part of what is
hashed: the mentions of one district cannot be found from another.

Things mentioned directly (the actor, the verb, the object, the registration) are told from things around them (context, instructor,
members of a sub-statement), which only `related_agents` and `related_activities` ask for. An actor together with an activity has a
row of its own: the question that an LMS asks most.

A statement whose object is another statement is also found by everything that the other is found by (xAPI, Communication 2.1.3).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from hashlib import blake2b
from typing import Any
from uuid import UUID

from django.db import models

IFIS = ("account", "mbox", "mbox_sha1sum", "openid")


class StatementKey(models.Model):
    """Which entry has which key: what makes a statement's id unique in a district, however many parts the ledger is divided into.

    The key stands here together with its district, hashed (`key_in`): a program that serves two districts may tell both the same
    statement, and neither can learn from an answer which ids the other has.
    """

    key = models.UUIDField(primary_key=True)
    entry = models.BigIntegerField()

    def __str__(self) -> str:
        return str(self.key)


class Mention(models.Model):
    """One statement has to do with one thing: the hash of the thing, and the statement's place in the ledger."""

    pk = models.CompositePrimaryKey("target", "entry")
    target = models.BigIntegerField()
    entry = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.target} in {self.entry}"


class Awaiting(models.Model):
    """An entry speaks of another that is not there yet: when that comes, it is found by it too, and voided if that is what was said.

    `key`: what would stand in `StatementKey`. `may_void_others`: whoever sent the entry may void what others of its place wrote.
    """

    pk = models.CompositePrimaryKey("key", "entry")
    key = models.UUIDField()
    entry = models.BigIntegerField()
    may_void_others = models.BooleanField(default=False)

    class Meta:
        verbose_name_plural = "awaiting"

    def __str__(self) -> str:
        return f"{self.key} by {self.entry}"


@lru_cache(4096)  # asked when it is looked for, and when it is appended
def key_in(tenant: int | None, key: UUID) -> UUID:
    """What stands in `StatementKey` for a statement's id in a district."""
    return UUID(bytes=blake2b(b"%d|%b" % (tenant or 0, key.bytes), digest_size=16).digest())


def ifi(agent: Any) -> str:
    """The one text that tells agents apart, from whichever identifier the agent has; empty for an anonymous group."""
    if not isinstance(agent, dict):
        return ""
    if account := agent.get("account"):
        return f"account|{account['homePage']}|{account['name']}"
    for name in ("mbox", "mbox_sha1sum", "openid"):
        if value := agent.get(name):
            # Mailboxes are compared without regard to case by everybody who has one.
            return f"{name}|{value.lower() if name != 'openid' else value}"
    return ""


def is_agent(value: dict[str, Any]) -> bool:
    """Whether a part of a statement is an agent with an identifier, as far as its names tell."""
    account = value.get("account")
    if isinstance(account, dict):
        return isinstance(account.get("homePage"), str) and isinstance(account.get("name"), str)
    return any(isinstance(value.get(name), str) for name in ("mbox", "mbox_sha1sum", "openid"))


def _hashed(tenant: int | None, kind: str, value: str) -> int:
    told = blake2b(f"{tenant}|{kind}|{value}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(told, "big", signed=True)


@lru_cache(32768)
def target(tenant: int | None, kind: str, value: str) -> int:
    """The hash under which a thing of a kind is found in a district, as a signed number of 64 bits."""
    return _hashed(tenant, kind, value)


# The kinds of things. The capital ones are around a statement, not in it.
AGENT, VERB, ACTIVITY, REGISTRATION, STATEMENT, PAIR = "a", "v", "o", "r", "s", "ao"
MEMBER = "m"  # of the group that is the actor: no question of xAPI, but hours are theirs
AROUND_AGENT, AROUND_ACTIVITY = "A", "O"
_SELDOM_AGAIN = (PAIR, REGISTRATION, STATEMENT)  # to remember their hashes would only drive out those of agents


def targets_of(body: dict[str, Any], tenant: int | None) -> set[int]:
    """Everything that a statement is found by."""
    return {
        _hashed(tenant, kind, value) if kind in _SELDOM_AGAIN else target(tenant, kind, value)
        for kind, value in _mentioned(body)
    }


def _mentioned(body: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield VERB, body["verb"]["id"]
    direct = list(_people(body["actor"]))
    thing = body["object"]
    kind = thing.get("objectType", "Activity")
    activity = ""
    if kind == "Activity":
        activity = thing["id"]
        yield ACTIVITY, activity
    elif kind == "StatementRef":
        yield STATEMENT, thing["id"].lower()
    elif kind != "SubStatement":
        direct += _people(thing)
    for who in dict.fromkeys(direct):
        yield AGENT, who
        if activity:
            yield PAIR, f"{who}|{activity}"
    if body["actor"].get("objectType") == "Group":
        yield from ((MEMBER, who) for member in body["actor"].get("member", ()) if (who := ifi(member)))
    known = set(direct)
    for around, value in dict.fromkeys(_around(body, is_sub=False)):
        if around == AROUND_AGENT and value in known:
            continue
        if around == AROUND_ACTIVITY and value == activity:
            continue
        yield around, value


def _around(body: dict[str, Any], *, is_sub: bool) -> Iterator[tuple[str, str]]:
    context = body.get("context")
    if context:
        if (registration := context.get("registration")) and not is_sub:
            yield REGISTRATION, registration.lower()
        yield from _around_context(context)
    if authority := body.get("authority"):
        yield from ((AROUND_AGENT, who) for who in _people(authority))
    thing = body["object"]
    if is_sub:
        yield from ((AROUND_AGENT, who) for who in _people(body["actor"]))
        kind = thing.get("objectType", "Activity")
        if kind == "Activity":
            yield AROUND_ACTIVITY, thing["id"]
        elif kind in ("Agent", "Group"):
            yield from ((AROUND_AGENT, who) for who in _people(thing))
    elif thing.get("objectType") == "SubStatement":
        yield from _around(thing, is_sub=True)


def _around_context(context: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name in ("instructor", "team"):
        if who := context.get(name):
            yield from ((AROUND_AGENT, each) for each in _people(who))
    for name, inner in (("contextAgents", "agent"), ("contextGroups", "group")):
        for around in context.get(name, ()):
            yield from ((AROUND_AGENT, each) for each in _people(around[inner]))
    for activities in (context.get("contextActivities") or {}).values():
        for activity in activities if isinstance(activities, list) else [activities]:
            yield AROUND_ACTIVITY, activity["id"]


def _people(agent: dict[str, Any]) -> Iterator[str]:
    """The agent or group, and the members of a group."""
    if own := ifi(agent):
        yield own
    for member in agent.get("member", ()):
        if each := ifi(member):
            yield each


def agents_in(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The agents that a statement is about: its actor, or the members of its actor, and the agent that is its object."""
    for agent in (body["actor"], body["object"] if body["object"].get("objectType") in ("Agent", "Group") else {}):
        if ifi(agent):
            yield agent
        yield from (member for member in agent.get("member", ()) if ifi(member))


def activities_in(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The activities of a statement with what it says about them."""
    thing = body["object"]
    kind = thing.get("objectType", "Activity")
    if kind == "Activity":
        yield thing
    elif kind == "SubStatement":
        yield from activities_in(thing)
    around = (body.get("context") or {}).get("contextActivities") or {}
    for activities in around.values():
        yield from activities if isinstance(activities, list) else [activities]


def rows_of(entries: Iterable[tuple[int, set[int]]]) -> Iterator[tuple[int, int]]:
    """The rows of Mention for entries with their targets."""
    for entry, targets in entries:
        for each in targets:
            yield each, entry
