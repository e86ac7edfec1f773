"""Media goes out by signed links: bound to one viewer, short-lived, with Range; the next piece is refused once it may not be.

Whether it may is asked again before each piece of at most 256 KiB: the share still stands, the viewer is still signed in, the
file is still there. Nothing is stored by browsers or proxies on the way, and no type that could run as a page is ever served.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from staffroom.files import keeping, queries
from staffroom.files.models import Derivative, File
from staffroom.files.queries import MediaLink

RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")
SAFE_TYPES = {media_type for media_type, _suffix in queries.MEDIA_TYPES.values()} | {"audio/mp4"}


@dataclass(frozen=True)
class Thing:
    """What is served: a name in the storage, its size, its type, and a tag that changes when its bytes do."""

    name: str
    size: int
    media_type: str
    tag: str


@require_safe
def media(request: HttpRequest, signed: str, filename: str) -> HttpResponseBase:
    """Serve what a link names, or the range of it that is asked for. 404 for whoever the link is not for."""
    link = queries.read_link(signed)
    if link is None or not _is_bound_to(request, link) or not queries.still_reached(link):
        raise Http404
    found = queries.served_by(link).first()
    if found is None:
        raise Http404
    thing = _thing(found)
    start, end = asked = _asked_range(request, thing) or (0, thing.size)
    if start >= end and thing.size:
        response: HttpResponseBase = HttpResponse(status=416)
        response["Content-Range"] = f"bytes */{thing.size}"
        return _guarded(response)
    response = _response(request, link, thing, start, end)
    response["Content-Length"] = str(end - start)
    if _asked_range(request, thing) == asked:
        response.status_code = 206
        response["Content-Range"] = f"bytes {start}-{end - 1}/{thing.size}"
    response["Accept-Ranges"] = "bytes"
    response["ETag"] = thing.tag
    response["Content-Type"] = thing.media_type
    response["Content-Disposition"] = content_disposition_header(link.is_download, filename) or "inline"
    return _guarded(response)


def _is_bound_to(request: HttpRequest, link: MediaLink) -> bool:
    return link.viewer is None or request.user.pk == link.viewer


def _thing(found: Derivative | File) -> Thing:
    if isinstance(found, File):
        return Thing(found.path, found.size, "application/octet-stream", f'"{found.key.hex}"')
    made = found.made_at.timestamp() if found.made_at else 0
    media_type = found.media_type if found.media_type in SAFE_TYPES else "application/octet-stream"
    return Thing(found.path, found.size, media_type, f'"{found.key.hex}-{made:.0f}-{found.size}"')


def _asked_range(request: HttpRequest, thing: Thing) -> tuple[int, int] | None:
    """From where up to where (not included) is asked for; beyond the end, start ≥ end.

    None for everything that is answered with the whole: no range, several, other units, nonsense, or one of an older version.
    """
    matched = RANGE.fullmatch(request.headers.get("Range", "").replace(" ", ""))
    if not matched or request.headers.get("If-Range", thing.tag) != thing.tag:
        return None
    first, last = matched[1], matched[2]
    if not first:
        return (max(0, thing.size - int(last)), thing.size) if last else None
    if last and int(last) < int(first):
        return None
    return int(first), min(thing.size, int(last) + 1) if last else thing.size


def _response(request: HttpRequest, link: MediaLink, thing: Thing, start: int, end: int) -> HttpResponseBase:
    if request.method == "HEAD":
        return HttpResponse()
    return StreamingHttpResponse(_pieces(request, link, thing, start, end))


def _pieces(request: HttpRequest, link: MediaLink, thing: Thing, start: int, end: int) -> Iterator[bytes]:
    """Piece after piece, as long as each may still be sent.

    Then it ends before its promised length: the server drops the connection, the player asks again and gets 404.
    """
    permit, reading = queries.Permit(link, request.session), keeping.read(thing.name, start, end)
    try:
        while permit.holds() and (piece := next(reading, None)):
            yield piece
    finally:
        reading.close()


def _guarded(response: HttpResponseBase) -> HttpResponseBase:
    """Whatever the bytes are, they are never a page, never somebody else's, and never kept."""
    response["Cache-Control"] = "private, no-store"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response
