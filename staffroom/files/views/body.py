"""The body of a request, piece by piece as the network brings it.

Django's own ``read`` waits until a whole piece has come. Here each piece is handed on at once, so that what a phone sent
before it lost its Wi-Fi is kept; a connection that has fallen silent is let go, at once when another waits for its place.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

from django.http import HttpRequest
from django.http.request import UnreadablePostError

PIECE = 64 * 1024
SILENCE_S = 60.0
LOOK_AROUND_S = 0.5


def pieces(request: HttpRequest, is_wanted: Callable[[], bool]) -> Iterator[bytes]:
    """Yield what comes until the body ends, the connection breaks or falls silent; never raises for a lost client."""
    source: Any = getattr(request, "environ", {}).get("wsgi.input")
    if hasattr(source, "receive") and hasattr(source, "loop"):
        yield from _from_server(source, is_wanted)
        return
    try:
        while piece := request.read(PIECE):
            yield piece
    except (UnreadablePostError, OSError):
        return


def _from_server(source: Any, is_wanted: Callable[[], bool]) -> Iterator[bytes]:
    """From the ASGI server beneath the WSGI bridge (a2wsgi), without its buffer: it would hold back what has come."""
    if source.buffer:
        yield bytes(source.buffer)
        source.buffer.clear()
    while source.has_more:
        message = _next(source, is_wanted)
        if message is None or message["type"] == "http.disconnect":
            return
        if message.get("body"):
            yield message["body"]
        if not message.get("more_body", False):
            return


def _next(source: Any, is_wanted: Callable[[], bool]) -> Any:
    """The server's next message; None when the client is silent for too long, or silent while somebody waits."""
    future = asyncio.run_coroutine_threadsafe(source.receive(), source.loop)
    silent_s = 0.0
    while True:
        try:
            return future.result(timeout=LOOK_AROUND_S)
        except TimeoutError:
            silent_s += LOOK_AROUND_S
            if silent_s >= SILENCE_S or is_wanted():
                future.cancel()
                return None
