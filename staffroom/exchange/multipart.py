"""multipart/mixed as xAPI uses it (Communication 1.5.2): statements first, then the bytes of attachments, each named by its hash."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from staffroom.exchange.refusals import Refusal

_BOUNDARY = re.compile(r';\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))', re.IGNORECASE)
_HASHES = {56: "sha224", 64: "sha256", 96: "sha384", 128: "sha512"}


@dataclass(frozen=True)
class Part:
    """One part: its headers by lower-case names, and its bytes."""

    headers: dict[str, str]
    content: bytes

    @property
    def media_type(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


def boundary_of(content_type: str) -> str:
    found = _BOUNDARY.search(content_type)
    if not found:
        raise Refusal(400, "The Content-Type names no boundary.")
    return found[1] or found[2]


def parts_of(body: bytes, content_type: str) -> list[Part]:
    """The parts of a body. Refuses one that does not begin and end with its boundary."""
    mark = b"--" + boundary_of(content_type).encode()
    pieces = (b"\r\n" + body).split(b"\r\n" + mark)
    if len(pieces) < 3 or not pieces[-1].startswith(b"--"):
        raise Refusal(400, "The body is not divided by the boundary that the Content-Type names.")
    return [_part(piece) for piece in pieces[1:-1]]


def _part(piece: bytes) -> Part:
    head, found, content = piece.lstrip(b" \t").removeprefix(b"\r\n").partition(b"\r\n\r\n")
    if piece.lstrip(b" \t").startswith(b"\r\n\r\n"):
        head, content, found = b"", piece.lstrip(b" \t")[4:], b"yes"
    if not found:
        raise Refusal(400, "A part of the body has no empty line after its headers.")
    headers: dict[str, str] = {}
    for line in head.split(b"\r\n"):
        if not line:
            continue
        name, colon, value = line.decode("latin-1").partition(":")
        if not colon:
            raise Refusal(400, "A part of the body has a header without a colon.")
        headers[name.strip().lower()] = value.strip()
    return Part(headers, content)


def attachments_of(parts: Iterable[Part]) -> dict[str, Part]:
    """Attachments by their hash. Refuses a part without what xAPI asks of it, or whose bytes have another hash."""
    found: dict[str, Part] = {}
    for part in parts:
        sha2 = part.headers.get("x-experience-api-hash", "").lower()
        if not sha2:
            raise Refusal(400, "An attachment lacks the header X-Experience-API-Hash.")
        if part.headers.get("content-transfer-encoding", "").lower() != "binary":
            raise Refusal(400, "An attachment lacks the header Content-Transfer-Encoding: binary.")
        name = _HASHES.get(len(sha2))
        if name is None or hashlib.new(name, part.content).hexdigest() != sha2:
            raise Refusal(400, "The bytes of an attachment do not have the hash that X-Experience-API-Hash tells.")
        found[sha2] = part
    return found


def write(first: bytes, attachments: Iterable[tuple[str, str, bytes]]) -> tuple[bytes, str]:
    """A body of statements and attachments (hash, content type, bytes), and its Content-Type."""
    boundary = f"=_{secrets.token_hex(16)}"
    mark = b"--" + boundary.encode()
    pieces = [mark, b"\r\nContent-Type: application/json\r\n\r\n", first, b"\r\n"]
    for sha2, content_type, content in attachments:
        plain = "".join(each for each in content_type if each.isprintable())
        told = f"Content-Type: {plain}\r\nContent-Transfer-Encoding: binary\r\nX-Experience-API-Hash: {sha2}\r\n\r\n"
        pieces += [mark, b"\r\n", told.encode("latin-1", "replace"), content, b"\r\n"]
    pieces += [mark, b"--\r\n"]
    return b"".join(pieces), f'multipart/mixed; boundary="{boundary}"'
