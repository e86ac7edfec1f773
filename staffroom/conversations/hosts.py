"""Which things can be talked about, and who may read and speak there: each room says it of its own models, once.

A model without a host has no conversation: nobody reads, nobody speaks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import models

from staffroom.people.models import Person


@dataclass(frozen=True)
class Host:
    """What a room says about conversations on one of its models."""

    may_read: Callable[[Person, Any], bool]
    may_say: Callable[[Person, Any], bool]
    page: Callable[[Any], str]


_hosts: dict[type[models.Model], Host] = {}


def host(
    model: type[models.Model],
    *,
    may_read: Callable[[Person, Any], bool],
    may_say: Callable[[Person, Any], bool],
    page: Callable[[Any], str],
) -> None:
    """Let things of this model be talked about; called from ``apps.ready()``."""
    _hosts[model] = Host(may_read, may_say, page)


def host_of(thing: models.Model | None) -> Host | None:
    return _hosts.get(type(thing)) if thing is not None else None
