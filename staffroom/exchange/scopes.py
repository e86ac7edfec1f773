"""What a key may do at the xAPI door, in xAPI's own words (Communication 4.2)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext_lazy as _

WRITE, READ_MINE, READ = "statements/write", "statements/read/mine", "statements/read"
STATE, DEFINE, PROFILE, ALL_READ, ALL = "state", "define", "profile", "all/read", "all"

MEANINGS: dict[str, Any] = {
    WRITE: _("write statements"),
    READ_MINE: _("read the statements that it wrote itself"),
    READ: _("read all statements of the organization"),
    STATE: _("keep states of people in activities"),
    DEFINE: _("say what activities are called"),
    PROFILE: _("keep profiles of activities and of agents"),
    ALL_READ: _("read everything"),
    ALL: _("read and write everything"),
}
DEFAULT = f"{WRITE} {READ_MINE}"

_READS = {ALL_READ: {READ, READ_MINE}, ALL: {*MEANINGS}, READ: {READ_MINE}}


def reach(words: str | Iterable[str]) -> frozenset[str]:
    """All that a key may do which has these scopes: some hold others."""
    held = set(words.split() if isinstance(words, str) else words)
    for word in tuple(held):
        held |= _READS.get(word, set())
    return frozenset(held)


def known(words: Iterable[str]) -> list[str]:
    """Those of some words that are scopes, in the order of the table."""
    wanted = set(words)
    return [word for word in MEANINGS if word in wanted]
