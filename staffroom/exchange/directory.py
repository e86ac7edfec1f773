"""All people of a district at once, under everything that a tool may know them by: for agents that were not matched as they came."""

from __future__ import annotations

import hashlib
from typing import Any

from django.conf import settings

from staffroom.exchange import matching
from staffroom.exchange.models import Agent


class Directory:
    """Who is who in a district, read once. The hashes of e-mail addresses are made here and kept nowhere."""

    def __init__(self, tenant_id: int) -> None:
        self.keys: dict[str, int] = {}
        self.sources: dict[str, int] = {}
        self.addresses: dict[str, int] = {}
        self.hashes: dict[str, int] = {}
        rows = matching.people_within(tenant_id).values_list("pk", "key", "email", "source_id", "district_id")
        for pk, key, email, source, district in rows.iterator(chunk_size=5000):
            self.keys[str(key)] = pk
            if source and district == tenant_id:
                self.sources[source] = pk
            if email:
                self.addresses[email.lower()] = pk
                # Tools hash the address as they have it; most have it in lower case, some as it was typed.
                for each in {email, email.lower()}:
                    self.hashes[hash_of(each)] = pk

    def find(self, agent: dict[str, Any]) -> tuple[int | None, str]:
        """The person that an agent is, and by what; as `matching.find_persons`, with hashes."""
        if account := agent.get("account"):
            if account["homePage"].rstrip("/") == settings.SITE_URL:
                return self.keys.get(account["name"].lower()), Agent.Match.ACCOUNT
            return self.sources.get(account["name"]), Agent.Match.ACCOUNT
        if mbox := agent.get("mbox"):
            return self.addresses.get(mbox.removeprefix("mailto:").lower()), Agent.Match.EMAIL
        if sha1 := agent.get("mbox_sha1sum"):
            return self.hashes.get(sha1.lower()), Agent.Match.HASH
        return None, ""


def hash_of(email: str) -> str:
    """The mbox_sha1sum of an e-mail address (xAPI Data 2.4.2.3): of the whole mailto IRI."""
    return hashlib.sha1(f"mailto:{email}".encode(), usedforsecurity=False).hexdigest()
