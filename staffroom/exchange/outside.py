"""Requests to other people's servers: to public addresses alone, to the very address that was looked at, never where an answer points.

Whoever may type an address must not be able to reach with it what only this machine can reach: itself, the network it stands in,
or the service of a cloud that tells passwords. A name is resolved once, all of its addresses are looked at, and the connection goes
to the one that was found good, so that a name which changes in between changes nothing.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from staffroom import __version__

TIMEOUT_S = 30
LONGEST_ANSWER = 1 << 20


class NotAllowed(ValueError):
    """An address that is not asked; the sentence says why."""


class Unreachable(OSError):
    """The server did not answer, or not in a way that can be understood; the sentence says how."""


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes


def check(url: str) -> SplitResult:
    """An address that may be asked, as far as its words tell. Raises NotAllowed."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise NotAllowed(_("This is no address.")) from error
    if parts.scheme not in ("https", "http") or not parts.hostname or parts.username or parts.password:
        raise NotAllowed(_("An address begins with https:// and has no user and no password in it."))
    if parts.query or parts.fragment:
        raise NotAllowed(_("Leave out what follows ? or #."))
    if parts.scheme == "http" and not settings.FORWARD_TO_PRIVATE:
        raise NotAllowed(_("What is sent must not travel in the open: use https."))
    if port == 0:
        raise NotAllowed(_("This is no address."))
    return parts


def addresses_of(parts: SplitResult) -> list[tuple[Any, ...]]:
    """Where a name leads, when all of its addresses are public (or the host's options allow others)."""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        found = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unreachable(_("The name %(name)s leads nowhere.") % {"name": parts.hostname}) from error
    for _family, _kind, _protocol, _name, address in found:
        if not settings.FORWARD_TO_PRIVATE and not is_public(str(address[0])):
            raise NotAllowed(_("%(name)s leads to an address inside of a network.") % {"name": parts.hostname})
    return [(family, kind, protocol, address) for family, kind, protocol, _name, address in found]


def is_public(address: str) -> bool:
    """Whether everybody on the internet can reach an address; addresses wrapped into others are unwrapped first."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour or (found.teredo[1] if found.teredo else None)
        if inner is None and found in ipaddress.ip_network("64:ff9b::/96"):
            inner = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
    return found.is_global and not found.is_multicast


def post(url: str, body: bytes, headers: dict[str, str]) -> Answer:
    """Send something and hear what is said to it. Raises NotAllowed and Unreachable; an answer of any status is an answer."""
    parts = check(url)
    last: Exception | None = None
    for family, kind, protocol, address in addresses_of(parts):
        link = socket.socket(family, kind, protocol)
        link.settimeout(TIMEOUT_S)
        try:
            link.connect(address)
            if parts.scheme == "https":
                link = ssl.create_default_context().wrap_socket(link, server_hostname=parts.hostname)
            return _exchange(link, parts, body, headers)
        except (OSError, http.client.HTTPException) as error:
            last = error
        finally:
            link.close()
    raise Unreachable(_told(last)) from last


def _exchange(link: socket.socket, parts: SplitResult, body: bytes, headers: dict[str, str]) -> Answer:
    connection = http.client.HTTPConnection(str(parts.hostname), timeout=TIMEOUT_S)
    connection.sock = link
    told = {"Host": parts.netloc, "User-Agent": f"Staffroom/{__version__}", "Connection": "close", **headers}
    connection.request("POST", parts.path or "/", body, told)
    answer = connection.getresponse()
    return Answer(answer.status, answer.read(LONGEST_ANSWER))


def _told(error: Exception | None) -> str:
    """What went wrong, without anything that a server could have written into it."""
    match error:
        case ssl.SSLCertVerificationError():
            return _("Its certificate is not good: %(why)s.") % {"why": error.verify_message}
        case TimeoutError():
            return _("It did not answer in time.")
        case ConnectionRefusedError():
            return _("Nobody listens there.")
        case OSError() if error.strerror:
            return error.strerror
    return _("The connection broke.")
