"""Whoever may type an address reaches with it only what everybody can: nothing inside of a network, nothing an answer points to."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from pytest_django import Settings

from staffroom.exchange import outside

INSIDE = [
    "127.0.0.1", "10.0.0.8", "172.16.3.4", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "255.255.255.255",
    "224.0.0.1", "::1", "::", "fe80::1", "fc00::7", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1",
    "2002:7f00:1::", "ff02::1",
]  # fmt: skip


@pytest.mark.parametrize("address", INSIDE)
def test_addresses_inside_of_networks_are_not_public(address: str) -> None:
    assert not outside.is_public(address)


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "::ffff:93.184.215.14"])
def test_addresses_of_everybody_are(address: str) -> None:
    assert outside.is_public(address)


@pytest.mark.parametrize(
    "url",
    ["http://lrs.example/xapi", "ftp://lrs.example/", "https:///xapi", "https://user:pw@lrs.example/", "https://lrs.example/?a=b",
     "https://lrs.example/#x", "https://lrs.example:99999/", "file:///etc/passwd", "https://[::1", "lrs.example", "", "https://x:0/"],
)  # fmt: skip
def test_words_that_are_no_good_address_are_refused(url: str) -> None:
    with pytest.raises(outside.NotAllowed):
        outside.check(url)


def answers(*addresses: str) -> Any:
    def resolve(host: str, port: int, **_rest: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    return resolve


@pytest.mark.parametrize("url", ["https://127.0.0.1/", "https://[::1]/", "https://2130706433/", "https://0x7f.1/"])
def test_an_address_inside_is_refused_however_it_is_written(url: str) -> None:
    with pytest.raises((outside.NotAllowed, outside.Unreachable)):
        outside.post(url, b"", {})


def test_a_name_that_leads_inside_is_refused_though_it_leads_outside_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", answers("93.184.215.14", "127.0.0.1"))
    with pytest.raises(outside.NotAllowed, match="inside"):
        outside.post("https://lrs.example/", b"", {})


def test_the_address_that_was_looked_at_is_the_one_that_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that leads elsewhere when it is asked a second time gets no second time."""
    asked: list[Any] = []
    monkeypatch.setattr(socket, "getaddrinfo", answers("93.184.215.14"))

    def connect(link: socket.socket, address: Any) -> None:
        asked.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket.socket, "connect", connect)
    with pytest.raises(outside.Unreachable, match="Nobody listens"):
        outside.post("https://lrs.example/xapi/statements", b"", {})
    assert asked == [("93.184.215.14", 443)]


class Pointing(BaseHTTPRequestHandler):
    """Points to itself; tells what it was sent."""

    heard: list[tuple[str, dict[str, str], bytes]] = []

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        self.heard.append((self.path, dict(self.headers), content))
        self.send_response(302)
        self.send_header("Location", "/elsewhere")
        self.end_headers()

    def log_message(self, *words: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    Pointing.heard = []
    with ThreadingHTTPServer(("127.0.0.1", 0), Pointing) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/xapi/statements"
        server.shutdown()
        thread.join()


def test_where_the_host_allows_it_an_inner_address_is_asked_but_never_what_it_points_to(
    server: str, settings: Settings
) -> None:
    with pytest.raises(outside.NotAllowed):
        outside.post(server, b"x", {})
    settings.FORWARD_TO_PRIVATE = True
    answer = outside.post(server, b"[1]", {"Authorization": "Basic x"})
    assert answer.status == 302
    [(path, headers, content)] = Pointing.heard
    assert (path, headers["Authorization"], content) == ("/xapi/statements", "Basic x", b"[1]")
