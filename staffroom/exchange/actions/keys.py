"""Tools and their keys: made and revoked by administrators, verified at every request."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from staffroom.exchange import rules
from staffroom.exchange import scopes as words
from staffroom.exchange.refusals import Refusal
from staffroom.people.models import Organization, Person
from staffroom.people.queries import district_around
from staffroom.people.rows import read_rows
from staffroom.permissions.models import AccessToken, ApiKey, Tool
from staffroom.records.actions import record
from staffroom.records.vocabulary import verbs

SECRET_BYTES = 32  # 256 bits: far beyond guessing, so that a fast hash keeps it
TOKEN_LIFE = timedelta(hours=1)
USE_NOTED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True)
class Caller:
    """Who knocks: a tool by one of its keys, with what it may do, and for which district."""

    key_id: int
    tool_id: int
    tool_key: str
    tool_name: str
    organization_id: int
    tenant_id: int
    tenant_path: str
    scopes: frozenset[str]


def caller(*, key_id: int, tool: Tool, scopes: str) -> Caller:
    """A tool with its organization, as whoever knocks with one of its keys."""
    place = tool.organization
    return _caller(key_id, scopes, tool.pk, tool.key, tool.name, place.pk, place.path)


def _caller(
    key_id: int, scopes: str, tool_id: int, tool_key: UUID, tool_name: str, organization_id: int, path: str
) -> Caller:
    tenant = district_around(organization_id, path) or organization_id
    return Caller(
        key_id=key_id, tool_id=tool_id, tool_key=str(tool_key), tool_name=tool_name, organization_id=organization_id,
        tenant_id=tenant,
        # All above an organization stand in its path.
        tenant_path=f"{path.partition(f'/{tenant}/')[0]}/{tenant}/", scopes=words.reach(scopes),
    )  # fmt: skip


def _hashed(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


# --- At the door -------------------------------------------------------------------------------------------------------------------


def basic(header: str) -> tuple[str, str] | None:
    """Name and secret of HTTP Basic authentication; None if it is none."""
    scheme, _space, rest = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, colon, secret = base64.b64decode(rest.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None
    return (name, secret) if colon and "\x00" not in name else None


def caller_of(header: str) -> Caller:
    """Who an Authorization header is. Refuses (401) whoever shows no key, an unknown or a revoked one: looked up each time."""
    scheme, _space, rest = header.partition(" ")
    if scheme.lower() == "bearer":
        return _by_token(rest.strip())
    shown = basic(header)
    if shown is None:
        raise Refusal(401, "Show an API key: HTTP Basic with its name and secret, or a bearer token.")
    found = read_rows(_KEY.format("k.secret_hash, k.scopes", "", "k.name"), [_lately(), shown[0]])
    if not found or not hmac.compare_digest(found[0][0], _hashed(shown[1])):
        raise Refusal(401, "There is no such API key.")
    return _admitted(*found[0][1:])


# Asked at every request, so in SQL: whether the key was revoked a moment ago is never remembered, only the words of the question.
_KEY = """
SELECT {}, k.revoked_at IS NULL AND t.retired_at IS NULL, k.last_used_at IS NULL OR k.last_used_at < %s,
    k.id, t.id, t.key, t.name, o.id, o.path
FROM permissions_apikey k JOIN permissions_tool t ON t.id = k.tool_id JOIN people_organization o ON o.id = t.organization_id {}
WHERE {} = %s
"""
_OF_TOKEN = "JOIN permissions_accesstoken a ON a.api_key_id = k.id AND a.expires_at > %s"


def _lately() -> Any:
    return connection.ops.adapt_datetimefield_value(timezone.now() - USE_NOTED_EVERY)


def _by_token(token: str) -> Caller:
    now = connection.ops.adapt_datetimefield_value(timezone.now())
    found = read_rows(_KEY.format("a.scopes", _OF_TOKEN, "a.token_hash"), [_lately(), now, _hashed(token)])
    if not found:
        raise Refusal(401, "The token is unknown or has expired.")
    return _admitted(*found[0])


def _admitted(
    scopes: str, is_good: bool, is_to_note: bool, key_id: int, tool_id: int, tool_key: Any, name: str, *place: Any
) -> Caller:
    if not is_good:
        raise Refusal(401, "This API key was revoked.")
    if is_to_note:
        ApiKey.objects.filter(pk=key_id).update(last_used_at=timezone.now())
    return _caller(key_id, scopes, tool_id, UUID(str(tool_key)), name, *place)


@transaction.atomic
def give_token(*, name: str, secret: str, wanted: str = "") -> tuple[str, list[str], datetime]:
    """OAuth 2 client credentials (RFC 6749, 4.4): a token for an hour, for the scopes of the key or fewer. Refuses as the door does."""
    key = ApiKey.objects.select_related("tool").filter(name=name.replace("\0", "")).first()
    if (
        key is None
        or not hmac.compare_digest(key.secret_hash, _hashed(secret))
        or key.revoked_at
        or key.tool.retired_at
    ):
        raise Refusal(401, "invalid_client")
    asked = wanted.split() or key.scopes.split()
    if not set(asked) <= words.reach(key.scopes):
        raise Refusal(400, "invalid_scope")
    token, now = secrets.token_urlsafe(SECRET_BYTES), timezone.now()
    AccessToken.objects.filter(expires_at__lt=now).delete()
    granted = words.known(asked)
    AccessToken.objects.create(
        token_hash=_hashed(token), api_key=key, scopes=" ".join(granted), expires_at=now + TOKEN_LIFE
    )
    ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)
    return token, granted, now + TOKEN_LIFE


# --- By administrators --------------------------------------------------------------------------------------------------------------


@transaction.atomic
def add_tool(*, by: Person | None, organization: Organization, name: str, note: str = "") -> Tool:
    """Add a program that may be given keys. For administrators of the organization; a name stands once in an organization."""
    _refuse_others(by, organization)
    tool = Tool(organization=organization, name=name.strip(), note=note.strip(), created_by=by)
    tool.full_clean()
    tool.save()
    record(by=by, verb=verbs.CREATED, object=tool, organization=organization)
    return tool


@transaction.atomic
def change_tool(*, by: Person, tool: Tool, name: str, note: str) -> Tool:
    """Call a tool something else, or say something else about it. Refuses (ValidationError) a name that stands in its place already."""
    _refuse_others(by, tool.organization)
    tool.name, tool.note = name.strip(), note.strip()
    tool.full_clean()
    tool.save(update_fields=["name", "note"])
    record(by=by, verb=verbs.UPDATED, object=tool, organization=tool.organization)
    return tool


@transaction.atomic
def make_key(*, by: Person | None, tool: Tool, scopes: Iterable[str]) -> tuple[ApiKey, str]:
    """Make a key for a tool and return it with its secret, which is shown once: only its hash is kept."""
    _refuse_others(by, tool.organization)
    if tool.retired_at is not None:
        raise ValidationError(_("This tool is retired."))
    granted = words.known(scopes)
    if not granted:
        raise ValidationError(_("Choose at least one thing that the key may do."))
    secret = secrets.token_urlsafe(SECRET_BYTES)
    key = ApiKey.objects.create(
        name=f"sr_{secrets.token_hex(10)}",
        tool=tool,
        secret_hash=_hashed(secret),
        scopes=" ".join(granted),
        created_by=by,
    )
    record(by=by, verb=verbs.CREATED, object=key, parent=tool, organization=tool.organization)
    return key, secret


@transaction.atomic
def revoke_key(*, by: Person, key: ApiKey) -> None:
    """End a key at once: the next request that shows it, or a token got with it, is refused."""
    _refuse_others(by, key.tool.organization)
    if ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=timezone.now()):
        record(by=by, verb=verbs.REMOVED, object=key, parent=key.tool, organization=key.tool.organization)


@transaction.atomic
def retire_tool(*, by: Person, tool: Tool) -> None:
    """End a tool and all of its keys. What it wrote stays in the ledger."""
    _refuse_others(by, tool.organization)
    if Tool.objects.filter(pk=tool.pk, retired_at=None).update(retired_at=timezone.now()):
        record(by=by, verb=verbs.REMOVED, object=tool, organization=tool.organization)


def _refuse_others(by: Person | None, organization: Organization) -> None:
    if by is not None and not rules.may_keep_tools(by, organization):
        raise PermissionDenied
