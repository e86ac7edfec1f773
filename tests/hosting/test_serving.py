"""The hybrid: slow people do not keep others waiting, cut bodies are never taken for whole ones, goers are noticed."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.test import override_settings
from django.urls import path

from staffroom import asgi
from staffroom import urls as program
from staffroom.asgi import bridge
from staffroom.asgi.bridge import SMALL, Bridge

seen: dict[str, Any] = {}


def echo(request: HttpRequest) -> HttpResponse:
    seen["body"] = request.body
    seen["address"] = request.META["REMOTE_ADDR"]
    seen["headers"] = dict(request.headers)
    return HttpResponse(f"{len(request.body)} {request.META['QUERY_STRING']}")


def pieces(request: HttpRequest) -> HttpResponse:
    """Keeps what arrived, as an upload does."""
    kept = b""
    try:
        while piece := request.read(1000):
            kept += piece
    except OSError:
        seen["was_cut"] = True
    seen["body"] = kept
    return HttpResponse()


def endless(request: HttpRequest) -> StreamingHttpResponse:
    def rows() -> Iterator[bytes]:
        try:
            while True:
                seen["sent"] = seen.get("sent", 0) + 1
                yield b"x" * 1000
        finally:
            seen["closed"] = True

    return StreamingHttpResponse(rows())


def short(request: HttpRequest) -> StreamingHttpResponse:
    """Promises more than comes: a share that is taken back while the film runs."""
    return StreamingHttpResponse(iter([b"x" * 10]), headers={"Content-Length": "1000"})


def table(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(iter([b"a,b\n", b"1,2\n"]), content_type="text/csv")


def broken(request: HttpRequest) -> HttpResponse:
    raise ValueError("what somebody wrote")


# The program's own pages too: those that tell of an error lead to them.
urlpatterns = [
    path(f"{view.__name__}/", view) for view in (echo, pieces, endless, short, table, broken)
] + program.urlpatterns
here = override_settings(ROOT_URLCONF=__name__, MIDDLEWARE=[], ALLOWED_HOSTS=["*"])


class Client:
    """One request, as uvicorn would hand it over; ``chunks`` arrive one by one, None is the client going away."""

    def __init__(self, url: str, chunks: list[bytes | None] | None = None, **headers: str) -> None:
        name, _, query = url.partition("?")
        body = chunks if chunks is not None else [b""]
        self.scope = {
            "type": "http", "method": "POST" if chunks is not None else "GET", "path": name, "query_string": query.encode("latin1"),
            "http_version": "1.1", "scheme": "http", "server": ("localhost", 80), "client": ("10.0.0.9", 5),
            "headers": [(key.replace("__", "-").encode(), value.encode()) for key, value in headers.items()],
        }  # fmt: skip
        self.incoming = list(body)
        self.messages: list[dict[str, Any]] = []
        self.goes_after: int | None = None
        self.gone = asyncio.Event()

    async def receive(self) -> dict[str, Any]:
        if self.incoming:
            chunk = self.incoming.pop(0)
            if chunk is None:
                return {"type": "http.disconnect"}
            return {"type": "http.request", "body": chunk, "more_body": bool(self.incoming)}
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: dict[str, Any]) -> None:
        self.messages.append(message)
        if self.goes_after is not None and len(self.messages) > self.goes_after:
            self.gone.set()
        await asyncio.sleep(0)

    @property
    def status(self) -> int:
        status: int = self.messages[0]["status"]
        return status

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.messages[1:])

    @property
    def is_complete(self) -> bool:
        return not self.messages[-1].get("more_body", False) and self.messages[-1]["type"] == "http.response.body"


def to_its_end(serving: Coroutine[Any, Any, None]) -> None:
    """In a thread of its own: where a browser has been driven in this process, its event loop goes on in the main thread."""
    with ThreadPoolExecutor(max_workers=1) as alone:
        alone.submit(asyncio.run, serving).result()


@pytest.fixture(autouse=True)
def nothing_seen() -> None:
    seen.clear()


@pytest.fixture
def web() -> Iterator[Callable[..., Client]]:
    from django.core.wsgi import get_wsgi_application

    served: list[Bridge] = []

    def ask(*clients: Client, threads: int = 2) -> Client:
        async def serve() -> None:
            served.append(Bridge(get_wsgi_application(), threads=threads))
            await asyncio.wait_for(asyncio.gather(*(served[-1](c.scope, c.receive, c.send) for c in clients)), 20)

        to_its_end(serve())
        return clients[0]

    with here:
        yield ask
    for made in served:
        made.close()


def with_length(url: str, chunks: list[bytes | None], length: int, **headers: str) -> Client:
    return Client(url, chunks, **{"content__length": str(length), **headers})


def test_a_body_in_chunks_arrives_whole(web: Callable[..., Client]) -> None:
    answer = web(with_length("/echo/?a=b", [b"one", b"two", b"three"], 11))
    assert (answer.status, answer.body, seen["body"]) == (200, b"11 a=b", b"onetwothree")


def test_a_large_body_arrives_whole(web: Callable[..., Client]) -> None:
    chunks: list[bytes | None] = [bytes([n]) * 50_000 for n in range(10)]
    web(with_length("/echo/", chunks, 500_000))
    assert seen["body"] == b"".join(bytes([n]) * 50_000 for n in range(10))


@pytest.mark.parametrize("length", [10, SMALL * 2])
def test_a_form_that_was_cut_is_not_taken(web: Callable[..., Client], length: int) -> None:
    web(with_length("/echo/", [b"I do ", None], length))
    assert "body" not in seen


@pytest.mark.parametrize("length", [10, SMALL * 2])
def test_an_upload_in_pieces_keeps_what_arrived(web: Callable[..., Client], length: int) -> None:
    web(with_length("/pieces/", [b"arri", b"ved", None], length, content__type="application/offset+octet-stream"))
    assert seen["body"] == b"arrived"


def test_streamed_answers_come_whole(web: Callable[..., Client]) -> None:
    answer = web(Client("/table/"))
    assert (answer.body, answer.is_complete) == (b"a,b\n1,2\n", True)


def test_a_client_that_goes_away_ends_what_was_made_for_it(web: Callable[..., Client]) -> None:
    client = Client("/endless/")
    client.goes_after = 5
    web(client)
    assert seen["closed"]
    assert seen["sent"] < 50
    assert not client.is_complete


def test_an_answer_that_stays_short_is_not_ended_well(web: Callable[..., Client]) -> None:
    assert not web(Client("/short/")).is_complete


def test_slow_bodies_and_streams_leave_the_threads_of_pages_free(web: Callable[..., Client]) -> None:
    """With one thread for pages: three phones that send nothing, and three players that pause, do not stop a page."""
    gate = threading.Event()

    class Phone(Client):
        async def receive(self) -> dict[str, Any]:
            while not gate.is_set():
                await asyncio.sleep(0.01)
            return {"type": "http.disconnect"}

    class Player(Client):
        async def send(self, message: dict[str, Any]) -> None:
            while not gate.is_set():
                await asyncio.sleep(0.01)
            self.gone.set()
            await super().send(message)

    class Page(Client):
        async def receive(self) -> dict[str, Any]:
            await asyncio.sleep(0.2)
            return await super().receive()

        async def send(self, message: dict[str, Any]) -> None:
            await super().send(message)
            gate.set()

    phones = [Phone("/pieces/", [b""], content__length=str(SMALL * 2)) for _ in range(3)]
    page = Page("/echo/", [b""])
    begun = time.monotonic()
    web(page, *phones, *(Player("/endless/") for _ in range(3)), threads=1)
    assert page.status == 200
    assert time.monotonic() - begun < 5


def test_a_body_that_stands_still_is_given_up(web: Callable[..., Client], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bridge, "IDLE_S", 0.05)

    class Silent(Client):
        async def receive(self) -> dict[str, Any]:
            await asyncio.sleep(60)
            return {}

    for length in (10, SMALL * 2):
        silent = Silent("/echo/", [b""], content__length=str(length))
        web(silent)
        assert "body" not in seen


def test_an_odd_query_is_no_error(web: Callable[..., Client]) -> None:
    assert web(Client("/echo/?q=\xff\xfe", [b""])).status == 200


def test_errors_answer_500_without_telling_what_was_written(
    web: Callable[..., Client], capsys: pytest.CaptureFixture[str]
) -> None:
    answer = web(Client("/broken/"))
    assert answer.status == 500
    assert b"what somebody wrote" not in answer.body
    assert "what somebody wrote" not in capsys.readouterr().out


def through(client: Client, proxies: int) -> dict[str, Any]:
    with override_settings(TRUSTED_PROXIES=proxies):
        return dict(asgi._without_proxies(client.scope))


def test_addresses_are_believed_only_from_proxies_that_are_trusted() -> None:
    forged = Client("/", x__forwarded__for="6.6.6.6, 1.2.3.4")
    assert through(forged, 0)["client"][0] == "10.0.0.9"
    assert through(forged, 1)["client"][0] == "1.2.3.4"
    assert through(Client("/"), 1)["client"][0] == "10.0.0.9"


def test_headers_with_underscores_cannot_pose_as_others() -> None:
    names = [name for name, _ in through(Client("/", x_forwarded_proto="https", accept="*/*"), 1)["headers"]]
    assert names == [b"accept"]


def test_websockets_without_a_route_are_closed() -> None:
    sent: list[dict[str, Any]] = []
    scope = {"type": "websocket", "path": "/nowhere/", "headers": [(b"origin", b"http://localhost:8000")], "client": ("::1", 1),
             "query_string": b"", "subprotocols": []}  # fmt: skip

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    to_its_end(asgi.application(scope, receive, send))
    assert sent[-1] == {"type": "websocket.close", "code": 4404}


def test_websockets_from_other_sites_are_refused() -> None:
    sent: list[dict[str, Any]] = []
    scope = {"type": "websocket", "path": "/nowhere/", "headers": [(b"origin", b"https://evil.example")], "client": ("::1", 1),
             "query_string": b"", "subprotocols": []}  # fmt: skip

    told = iter([{"type": "websocket.connect"}, {"type": "websocket.disconnect", "code": 1000}])

    async def receive() -> dict[str, Any]:
        return next(told)

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    to_its_end(asgi.application(scope, receive, send))
    assert sent[-1]["type"] == "websocket.close"
    assert sent[-1].get("code") != 4404


def test_the_server_speaks_lifespan() -> None:
    told = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])
    sent: list[str] = []

    async def receive() -> dict[str, Any]:
        return next(told)

    async def send(message: dict[str, Any]) -> None:
        sent.append(message["type"])

    to_its_end(asgi.application({"type": "lifespan"}, receive, send))
    asgi._http.cache_clear()
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
