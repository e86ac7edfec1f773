"""One process for both: HTTP through Django's WSGI handler in threads, WebSockets through Channels.

Under ASGI Django changes threads at every middleware and spools whole bodies; this way a page costs about a third of the CPU,
and the bytes of a cut upload are kept. What WebSockets need is imported when the first one comes.
"""

from __future__ import annotations

import gc
import os
from functools import cache
from typing import Any

from staffroom.asgi.bridge import Bridge, Receive, Scope, Send

# Names that hold a hash of what is in the file: Django's (12 hex digits) and Vite's (8 letters).
HASHED = r"^.+[.-][0-9A-Za-z_-]{8,12}\.[a-z0-9]+$"
GARBAGE_AFTER = 20_000  # objects; a page makes some thousands, and most of them go by themselves

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "staffroom.settings")


@cache
def _http() -> Bridge:
    from django.conf import settings
    from django.core.wsgi import get_wsgi_application

    return Bridge(with_static_files(get_wsgi_application()), threads=settings.WEB_THREADS)


def with_static_files(application: Any) -> Any:
    """Static files before Django, not as a middleware: ServeStatic's is async only, and one such makes Django change threads twice a page.

    Collected files are served with their compressed variants; where nothing was collected (developers), from where they lie.
    """
    from django.conf import settings

    if settings.DEBUG or not (settings.STATIC_ROOT / "staticfiles.json").exists():
        from django.contrib.staticfiles.handlers import StaticFilesHandler

        return StaticFilesHandler(application)
    from servestatic import ServeStatic

    return ServeStatic(
        application, root=settings.STATIC_ROOT, prefix=settings.STATIC_URL, max_age=3600, allow_all_origins=False,
        add_headers_function=_say_no_sniffing, immutable_file_test=HASHED,
    )  # fmt: skip


def _say_no_sniffing(headers: Any, path: str, url: str) -> None:
    headers["X-Content-Type-Options"] = "nosniff"


@cache
def _sockets() -> Any:
    """The rooms' WebSocket routes (`path(…, Consumer.as_asgi())` in a room's `sockets.py`), for signed-in people of this site."""
    from channels.auth import AuthMiddlewareStack
    from channels.routing import URLRouter
    from channels.security.websocket import AllowedHostsOriginValidator

    routes: list[Any] = []
    return AllowedHostsOriginValidator(AuthMiddlewareStack(URLRouter(routes)))


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """The door for uvicorn."""
    match scope["type"]:
        case "http":
            await _http()(_without_proxies(scope), receive, send)
        case "websocket":
            await _websocket(_without_proxies(scope), receive, send)
        case "lifespan":
            await _lifespan(receive, send)


async def _websocket(scope: Scope, receive: Receive, send: Send) -> None:
    try:
        await _sockets()(scope, receive, send)
    except ValueError as error:
        if "No route found" not in str(error):
            raise
        await send({"type": "websocket.close", "code": 4404})


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            _http()
            settle()
        else:
            _http().close()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


def settle() -> None:
    """Serving begins: what is loaded by now stays, and need not be looked through for garbage again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_AFTER, *gc.get_threshold()[1:])


def _without_proxies(scope: Scope) -> Scope:
    """The client's own address, as the outermost proxy that we trust saw it; headers with underscores cannot pose as others."""
    from django.conf import settings

    headers = [(name, value) for name, value in scope["headers"] if b"_" not in name]
    scope = {**scope, "headers": headers}
    if settings.TRUSTED_PROXIES:
        told = b",".join(value for name, value in headers if name == b"x-forwarded-for").decode("latin1")
        hops = [hop.strip() for hop in told.split(",") if hop.strip()]
        if len(hops) >= settings.TRUSTED_PROXIES:
            scope["client"] = (hops[-settings.TRUSTED_PROXIES], 0)
    return scope
