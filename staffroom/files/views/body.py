"""The body of a request, piece by piece as the network brings it.

Django's own ``read`` waits until a whole piece has come. Here each piece is handed on at once, so that what a phone sent
before it lost its Wi-Fi is kept; a connection that has fallen silent is let go, at once when another waits for its place.
"""

from __future__ import annotations

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
    if hasattr(source, "piece"):
        yield from _from_bridge(source, is_wanted)
        return
    try:
        while piece := request.read(PIECE):
            yield piece
    except (UnreadablePostError, OSError):
        return


def _from_bridge(source: Any, is_wanted: Callable[[], bool]) -> Iterator[bytes]:
    """From our own bridge (``staffroom.asgi.bridge``), which hands over what has come, or None after a while without any.

    So bytes of unannounced length (``Transfer-Encoding: chunked``) come through too; Django's ``read`` would see none.
    """
    silent_s = 0.0
    while silent_s < SILENCE_S:
        piece = source.piece(LOOK_AROUND_S)
        if piece is None:
            silent_s += LOOK_AROUND_S
            if is_wanted():
                return
        elif piece:
            silent_s = 0.0
            yield piece
        else:
            return
