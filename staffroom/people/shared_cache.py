"""What web processes tell each other through Redis, above all how often somebody tried to sign in; and what they do while it is away.

Then each process counts by itself: nobody is kept out because a server is away, and guessing passwords stays slow. Redis is asked again
every few seconds. What was counted meanwhile is forgotten with its time.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import structlog
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

ASK_AGAIN_S = 5.0
PATIENCE_S = 1.0  # to connect, and for an answer

log = structlog.get_logger(__name__)


class SharedCache(RedisCache):
    """Django's cache in Redis (`CACHES`), and in this process while Redis does not answer."""

    _away_until = 0.0  # of all threads

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        options = {
            "socket_connect_timeout": PATIENCE_S, "socket_timeout": PATIENCE_S,
            "retry": Retry(NoBackoff(), 1),  # a kept connection may be one to a server that has started anew
        }  # fmt: skip
        super().__init__(server, {**params, "OPTIONS": {**params.get("OPTIONS", {}), **options}})
        self._own = LocMemCache("while-redis-is-away", {})

    def _ask(self, name: str, *arguments: Any, **more: Any) -> Any:
        if time.monotonic() >= SharedCache._away_until:
            try:
                return getattr(RedisCache, name)(self, *arguments, **more)
            except (RedisError, OSError) as error:
                SharedCache._away_until = time.monotonic() + ASK_AGAIN_S
                log.warning("redis_is_away", error=type(error).__name__)
        return getattr(self._own, name)(*arguments, **more)


def _asking(name: str) -> Callable[..., Any]:
    def asked(self: SharedCache, *arguments: Any, **more: Any) -> Any:
        return self._ask(name, *arguments, **more)

    return asked


for _name in (
    "add", "get", "set", "touch", "delete", "get_many", "has_key", "incr", "set_many", "delete_many", "clear",
):  # fmt: skip
    setattr(SharedCache, _name, _asking(_name))
