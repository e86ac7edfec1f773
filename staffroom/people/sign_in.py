"""Sign-in services of districts, as told by the options `oidc` and `saml`. Read by the settings: imports nothing of ours."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.utils.text import slugify

type Service = dict[str, Any]


def providers(oidc: list[str], saml: list[str]) -> dict[str, Service]:
    """allauth's `SOCIALACCOUNT_PROVIDERS`. Services that no option names do not appear, and their code is not loaded."""
    found: dict[str, Service] = {}
    if oidc:
        found["openid_connect"] = {"APPS": _once([_oidc(text) for text in oidc]), "OAUTH_PKCE_ENABLED": True}
    if saml:
        found["saml"] = {"APPS": _once([_saml(text) for text in saml]), "VERIFIED_EMAIL": True}
    return found


def _oidc(text: str) -> Service:
    """`name|issuer address|client id|client secret`."""
    name, issuer, client, secret = _parts("oidc", text, 4)
    return {
        "provider_id": slugify(name),
        "name": name,
        "client_id": client,
        "secret": secret,
        "settings": {"server_url": issuer},
    }


def _saml(text: str) -> Service:
    """`name|entity id|metadata address`. Its answers are signed by the school's own service, so addresses are believed."""
    name, entity, metadata = _parts("saml", text, 3)
    return {
        "provider_id": entity,
        "name": name,
        "client_id": slugify(name),
        "settings": {
            "idp": {"entity_id": entity, "metadata_url": metadata},
            "advanced": {"want_assertion_signed": True, "reject_idp_initiated_sso": True, "strict": True},
        },
    }


def _parts(option: str, text: str, count: int) -> list[str]:
    parts = [part.strip() for part in text.split("|")]
    if len(parts) != count or not all(parts) or not slugify(parts[0]):
        # The value itself holds a secret: say which option, not what stands in it.
        raise ImproperlyConfigured(f"{option}: an entry needs {count} parts separated by | (the first is a name)")
    return parts


def _once(apps: list[Service]) -> list[Service]:
    if len({app["name"].casefold() for app in apps}) != len(apps):
        raise ImproperlyConfigured("oidc and saml: two services have the same name")
    return apps
