"""HTTP from an event loop to a WSGI application in threads, so that slow people do not keep others waiting.

- A small body is collected before a thread is taken; a large one is read by the thread, piece by piece, as it arrives.
- Pages have their own threads. Large bodies and streamed answers (media, tables) have others, of which there are many: eight
  phones on bad Wi-Fi would otherwise hold all eight threads of the pages.
- A client that goes away ends what was made for it. Of its body nothing is lost that is an upload in pieces (tus); any other
  body that was cut is never taken for a whole one.
"""

from __future__ import annotations

import asyncio
import contextvars
import sys
import threading
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as Late
from typing import Any

type Scope = MutableMapping[str, Any]
type Message = MutableMapping[str, Any]
type Receive = Callable[[], Awaitable[Message]]
type Send = Callable[[Message], Awaitable[None]]

SMALL = 128 * 1024
PATIENT_THREADS_EACH = 8
IDLE_S = 120.0  # without a byte of a body
STALL_S = 300.0  # without a byte taken of an answer: players pause
PIECES = b"application/offset+octet-stream"  # tus: what arrived is kept


class Cut(OSError):
    """The client went away before its body was whole."""


class Body:
    """``wsgi.input``: reads from the event loop, from a thread."""

    def __init__(self, receive: Receive, *, keeps_pieces: bool) -> None:
        self._receive = receive
        self._loop = asyncio.get_running_loop()
        self._buffer = bytearray()
        self._keeps_pieces = keeps_pieces
        self._coming: Future[Message] | None = None
        self.is_whole = False
        self.is_cut = False

    async def fill(self) -> None:
        """Collect all of it, in the event loop."""
        while not (self.is_whole or self.is_cut):
            try:
                self._take(await asyncio.wait_for(self._receive(), IDLE_S))
            except TimeoutError:
                self.is_cut = True

    def _take(self, message: Message) -> None:
        if message["type"] == "http.disconnect":
            self.is_cut = True
        else:
            self._buffer += message.get("body", b"")
            self.is_whole = not message.get("more_body", False)

    def piece(self, patience_s: float) -> bytes | None:
        """What has come, as soon as something has; None when nothing came in time; ``b""`` at the end, whole or cut.

        For who keeps every byte at once (tus). What is awaited stays awaited: no message is lost between two calls.
        """
        if not (self._buffer or self.is_whole or self.is_cut):
            self._coming = self._coming or asyncio.run_coroutine_threadsafe(self._one(), self._loop)
            try:
                message = self._coming.result(patience_s)
            except Late:
                return None
            self._coming = None
            self._take(message)
        piece = bytes(self._buffer)
        self._buffer.clear()
        return piece if piece or self.is_whole or self.is_cut else None

    def _wait(self) -> None:
        future = asyncio.run_coroutine_threadsafe(self._one(), self._loop)
        try:
            self._take(future.result(IDLE_S))
        except Late:
            future.cancel()
            self.is_cut = True

    async def _one(self) -> Message:
        return await self._receive()

    def read(self, size: int | None = -1) -> bytes:
        wanted = sys.maxsize if size is None or size < 0 else size
        while len(self._buffer) < wanted and not (self.is_whole or self.is_cut):
            self._wait()
        self._refuse_if_cut(wanted)
        piece = bytes(self._buffer[:wanted])
        del self._buffer[: len(piece)]
        return piece

    def readline(self, size: int | None = -1) -> bytes:
        wanted = sys.maxsize if size is None or size < 0 else size
        seen = 0
        while (end := self._buffer.find(b"\n", seen)) < 0 and len(self._buffer) < wanted:
            if self.is_whole or self.is_cut:
                break
            seen = len(self._buffer)
            self._wait()
        self._refuse_if_cut(1)
        return self.read(min(wanted, end + 1 if end >= 0 else len(self._buffer)))

    def __iter__(self) -> Any:
        return iter(self.readline, b"")

    def readlines(self, hint: int | None = -1) -> list[bytes]:
        return list(self)

    def _refuse_if_cut(self, wanted: int) -> None:
        """A cut body is an error; one that comes in pieces only after its last piece has been handed over."""
        if self.is_cut and wanted and not (self._keeps_pieces and self._buffer):
            raise Cut("the client went away")


class Bridge:
    """A WSGI application as an ASGI one."""

    def __init__(self, app: Callable[..., Iterable[bytes]], *, threads: int) -> None:
        self._app = app
        self._pages = ThreadPoolExecutor(threads, thread_name_prefix="page")
        self._patient = ThreadPoolExecutor(threads * PATIENT_THREADS_EACH, thread_name_prefix="patient")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        keeps_pieces = headers.get(b"content-type", b"").startswith(PIECES)
        body = Body(receive, keeps_pieces=keeps_pieces)
        # A recording that still runs comes in pieces of unannounced length, and may go on for an hour.
        is_running = keeps_pieces and b"transfer-encoding" in headers
        is_large = is_running or _length(headers.get(b"content-length", b"")) > SMALL
        if not is_large:
            await body.fill()
            if body.is_cut and not keeps_pieces:
                return
        exchange = _Exchange(self._app, scope, body, send)
        try:
            await self._in(self._patient if is_large else self._pages, exchange.answer)
            if exchange.stream is None:
                await exchange.send_whole()
                return
            watch = asyncio.ensure_future(exchange.watch(receive))
            try:
                await send(exchange.head)
                await self._in(self._patient, exchange.pump)
                if exchange.is_complete:
                    await send({"type": "http.response.body", "body": b""})
            finally:
                watch.cancel()
        finally:
            exchange.gone.set()

    async def _in(self, pool: ThreadPoolExecutor, work: Callable[[], None]) -> None:
        context = contextvars.copy_context()
        await asyncio.get_running_loop().run_in_executor(pool, context.run, work)

    def close(self) -> None:
        for pool in (self._pages, self._patient):
            pool.shutdown(wait=False, cancel_futures=True)


class _Exchange:
    """One request and its answer."""

    def __init__(self, app: Callable[..., Iterable[bytes]], scope: Scope, body: Body, send: Send) -> None:
        self._app = app
        self._environ = environ(scope, body)
        self._send = send
        self._loop = asyncio.get_running_loop()
        self.gone = threading.Event()
        self.head: Message = {}
        self.whole = b""
        self.stream: Any = None
        self.is_complete = False

    def answer(self) -> None:
        """In a thread: make the answer; one that is not streamed is made whole, and its connections let go."""
        made: Any = self._app(self._environ, self._start)
        if getattr(made, "streaming", True):
            self.stream = made
            return
        try:
            self.whole = b"".join(made)
        finally:
            made.close()

    def _start(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], None]:
        self.head = {
            "type": "http.response.start",
            "status": int(status.split(" ", 1)[0]),
            "headers": [(name.lower().encode("latin1"), value.encode("latin1")) for name, value in headers],
        }
        return self._write

    def _write(self, data: bytes) -> None:
        raise NotImplementedError("Answers are returned, not written.")

    async def send_whole(self) -> None:
        await self._send(self.head)
        await self._send({"type": "http.response.body", "body": self.whole})

    async def watch(self, receive: Receive) -> None:
        """Notice that the client has gone: the server itself swallows what is sent to nobody."""
        while (await receive())["type"] != "http.disconnect":
            pass
        self.gone.set()

    def pump(self) -> None:
        """In a thread of its own: send piece by piece, as fast as they are taken. The generator runs here from its start."""
        from django.db import connections

        sent = 0
        try:
            for piece in self.stream:
                if self.gone.is_set():
                    break
                sent += len(piece)
                self._give(piece)
            self.is_complete = not self.gone.is_set() and sent >= self._promised()
        finally:
            if hasattr(self.stream, "close"):  # plain iterables need none
                self.stream.close()
            connections.close_all()

    def _give(self, piece: bytes) -> None:
        message: Message = {"type": "http.response.body", "body": piece, "more_body": True}
        future = asyncio.run_coroutine_threadsafe(self._send_one(message), self._loop)
        try:
            future.result(STALL_S)
        except Late:
            future.cancel()
            self.gone.set()

    async def _send_one(self, message: Message) -> None:
        await self._send(message)

    def _promised(self) -> int:
        """How many bytes the answer said it would have; with fewer, the connection is dropped rather than ended well."""
        if self._environ["REQUEST_METHOD"] == "HEAD":
            return 0
        return _length(dict(self.head["headers"]).get(b"content-length", b""))


def _length(text: bytes) -> int:
    return int(text) if text.isdigit() else 0


def environ(scope: Scope, body: Body) -> dict[str, Any]:
    """The request in WSGI's words (PEP 3333)."""
    host, port = scope.get("server") or ("localhost", None)
    client = scope.get("client") or ("", 0)
    words: dict[str, Any] = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": scope.get("root_path", "").encode().decode("latin1"),
        "PATH_INFO": scope["path"].encode("utf-8", "surrogateescape").decode("latin1"),
        "QUERY_STRING": scope["query_string"].decode("latin1"),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "SERVER_NAME": host,
        "SERVER_PORT": str(port or 0),
        "REMOTE_ADDR": client[0],
        "REMOTE_PORT": str(client[1]),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.input": body,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for raw, value in scope["headers"]:
        name = raw.decode("latin1").upper().replace("-", "_")
        key = name if name in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{name}"
        text = value.decode("latin1")
        words[key] = f"{words[key]}{'; ' if key == 'HTTP_COOKIE' else ','}{text}" if key in words else text
    return words
