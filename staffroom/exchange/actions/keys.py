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

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from staffroom.exchange import rules
from staffroom.exchange import scopes as words
from staffroom.exchange.refusals import Refusal
from staffroom.people.models import Organization, Person
from staffroom.people.queries import district_around
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
    tenant = district_around(place.pk, place.path) or place.pk
    # All above an organization stand in its path.
    path = f"{place.path.partition(f'/{tenant}/')[0]}/{tenant}/"
    return Caller(
        key_id=key_id, tool_id=tool.pk, tool_key=str(tool.key), tool_name=tool.name, organization_id=place.pk, tenant_id=tenant,
        tenant_path=path, scopes=words.reach(scopes),
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
    key = ApiKey.objects.select_related("tool__organization").filter(name=shown[0]).first()
    if key is None or not hmac.compare_digest(key.secret_hash, _hashed(shown[1])):
        raise Refusal(401, "There is no such API key.")
    return _admitted(key, key.scopes)


def _by_token(token: str) -> Caller:
    found = (
        AccessToken.objects.select_related("api_key__tool__organization")
        .filter(token_hash=_hashed(token), expires_at__gt=timezone.now())
        .first()
    )
    if found is None:
        raise Refusal(401, "The token is unknown or has expired.")
    return _admitted(found.api_key, found.scopes)


def _admitted(key: ApiKey, scopes: str) -> Caller:
    if key.revoked_at is not None or key.tool.retired_at is not None:
        raise Refusal(401, "This API key was revoked.")
    now = timezone.now()
    if key.last_used_at is None or now - key.last_used_at > USE_NOTED_EVERY:
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)
    return caller(key_id=key.pk, tool=key.tool, scopes=scopes)


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
