"""The lines that show a program's makers how it gets in. They run as they stand, once a key is in them."""

from __future__ import annotations

import json
import shlex

from django import template

register = template.Library()

EXAMPLE = {
    "actor": {"mbox": "mailto:somebody@district.example"},
    "verb": {"id": "http://adlnet.gov/expapi/verbs/completed"},
    "object": {"id": "https://vendor.example/courses/fractions"},
    "result": {"duration": "PT45M"},
}
VERSION = "X-Experience-API-Version: 1.0.3"


def _command(*parts: str) -> str:
    """A command, each of its parts on a line of its own."""
    return " \\\n  ".join(parts)


@register.simple_tag
def basic_lines(endpoint: str, name: str, secret: str) -> str:
    """Write a statement, with the key itself."""
    return _command(
        f"curl -u {shlex.quote(f'{name}:{secret}')}", f"-H {shlex.quote(VERSION)}", "-H 'Content-Type: application/json'",
        f"-d {shlex.quote(json.dumps(EXAMPLE))}", f"{endpoint}/statements",
    )  # fmt: skip


@register.simple_tag
def token_lines(token_url: str, name: str, secret: str) -> str:
    """Get a token for an hour."""
    return _command(f"curl -u {shlex.quote(f'{name}:{secret}')}", "-d grant_type=client_credentials", token_url)


@register.simple_tag
def bearer_lines(endpoint: str) -> str:
    """Read with a token."""
    return _command(
        "curl -H 'Authorization: Bearer TOKEN'", f"-H {shlex.quote(VERSION)}", f"{endpoint}/statements?limit=10"
    )
