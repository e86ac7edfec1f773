"""Resumable uploads by tus 1.0 (https://tus.io/protocols/resumable-upload): whatever breaks, the client goes on where it stopped.

Creation, creation-with-upload, creation-defer-length, termination, checksum and expiration. Only a person's own uploads exist for
her. Every refusal is a plain sentence with a 4xx; a full disk is a 507, after which clients try again.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from typing import Any, cast

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import http_date
from django.utils.translation import gettext as _

from staffroom.files import actions, keeping, queries
from staffroom.files.actions import UploadRefused, Why
from staffroom.files.arriving import CHECKSUMS
from staffroom.files.models import Upload
from staffroom.files.views.body import pieces
from staffroom.people.models import Person

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,creation-defer-length,termination,checksum,expiration"
BYTES_TYPE = "application/offset+octet-stream"
METADATA_MOST = 8192
NUMBER = re.compile(r"[0-9]{1,18}")
STATUS = {
    Why.TOO_LARGE: 413,
    Why.NO_QUOTA: 413,
    Why.NO_DISK: 507,
    Why.TOO_MANY: 429,
    Why.WRONG_OFFSET: 409,
    Why.WRONG_LENGTH: 400,
    Why.WRONG_CHECKSUM: 460,
    Why.BUSY: 423,
    Why.FINISHED: 403,
    Why.GONE: 410,
}

type View = Callable[..., HttpResponse]


class BadRequest(Exception):
    """A header that cannot be understood; the message says which."""

    def __init__(self, sentence: str, status: int = 400) -> None:
        super().__init__(sentence)
        self.status = status


def tus(**methods: View) -> View:
    """A door that speaks tus: versions, sign-in, methods (also by X-HTTP-Method-Override) and refusals in one place."""

    def view(request: HttpRequest, **place: Any) -> HttpResponse:
        method = str(request.method)
        if method == "POST":
            method = request.headers.get("X-HTTP-Method-Override", method).upper()
        if method == "OPTIONS":
            response = _options()
        elif request.headers.get("Tus-Resumable") != VERSION:
            response = _answer(412, _("This server speaks tus %(version)s.") % {"version": VERSION})
            response["Tus-Version"] = VERSION
        elif not request.user.is_authenticated:
            response = _answer(401, _("Sign in, then the upload goes on."))
        elif method not in methods:
            response = _answer(405)
            response["Allow"] = ", ".join(["OPTIONS", *methods])
        else:
            response = _done(methods[method], request, place)
        response["Tus-Resumable"] = VERSION
        response["Cache-Control"] = "no-store"
        return response

    return view


def _options() -> HttpResponse:
    from django.conf import settings

    response = HttpResponse(status=204)
    response["Tus-Version"] = VERSION
    response["Tus-Extension"] = EXTENSIONS
    response["Tus-Checksum-Algorithm"] = ",".join(CHECKSUMS)
    response["Tus-Max-Size"] = str(settings.UPLOAD_MAX_BYTES)
    return response


def _answer(status: int, sentence: str = "") -> HttpResponse:
    response = HttpResponse(sentence, status=status, content_type="text/plain; charset=utf-8")
    if status == 460:
        response.reason_phrase = "Checksum Mismatch"
    return response


def _done(deed: View, request: HttpRequest, place: dict[str, Any]) -> HttpResponse:
    try:
        if "key" in place:
            upload = queries.uploads_for(_person(request)).filter(key=place["key"]).first()
            return deed(request, upload) if upload else _answer(404)
        return deed(request)
    except BadRequest as error:
        return _answer(error.status, str(error))
    except UploadRefused as refused:
        return _answer(STATUS[refused.why], str(refused))


def begin(request: HttpRequest) -> HttpResponse:
    """POST: make an upload, and take the bytes that came along."""
    said = _metadata(request.headers.get("Upload-Metadata", ""))
    upload = actions.begin_upload(
        by=_person(request),
        name=said.get("filename") or said.get("name", ""),
        size=_announced_size(request),
        media_type=said.get("filetype") or said.get("type", ""),
        purpose=said.get("purpose", ""),
        metadata=said,
    )
    offset = 0
    if request.content_type == BYTES_TYPE:
        offset = _receive(request, upload, 0)
    elif upload.size == 0:
        actions.finish_upload(upload)
    response = _standing(upload, offset, 201)
    response["Location"] = reverse("files:upload", kwargs={"key": upload.key})
    return response


def tell(request: HttpRequest, upload: Upload) -> HttpResponse:
    """HEAD: where the upload stands. One that is whole but was not finished (the server was killed) is finished now."""
    offset = queries.received(upload)
    if offset == upload.size and not upload.finished_at:
        actions.finish_upload(upload)
    response = _standing(upload, offset, 200)
    if upload.size is None:
        response["Upload-Defer-Length"] = "1"
    else:
        response["Upload-Length"] = str(upload.size)
    if upload.metadata:
        encoded = (f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in upload.metadata.items())
        response["Upload-Metadata"] = ",".join(encoded)
    return response


def go_on(request: HttpRequest, upload: Upload) -> HttpResponse:
    """PATCH: append bytes where the upload stands."""
    if request.content_type != BYTES_TYPE:
        raise BadRequest(_("Send bytes as %(type)s.") % {"type": BYTES_TYPE}, 415)
    offset = _number(request, "Upload-Offset")
    if offset is None:
        raise BadRequest(_("Say with Upload-Offset where the bytes belong."))
    if upload.finished_at and offset == upload.size:
        return _standing(upload, offset, 204)
    return _standing(upload, _receive(request, upload, offset), 204)


def cancel(request: HttpRequest, upload: Upload) -> HttpResponse:
    """DELETE: give the upload up."""
    actions.cancel_upload(by=_person(request), upload=upload)
    return _answer(204)


def _person(request: HttpRequest) -> Person:
    """Whoever is signed in (``tus`` lets nobody else through)."""
    return cast(Person, request.user)


uploads = tus(POST=begin)
upload = tus(HEAD=tell, PATCH=go_on, DELETE=cancel)


def _receive(request: HttpRequest, upload: Upload, offset: int) -> int:
    part = keeping.part_file(upload.key)
    length = request.headers.get("Content-Length", "")
    return actions.receive(
        by=_person(request),
        upload=upload,
        chunks=pieces(request, part.is_wanted),
        offset=offset,
        size=_number(request, "Upload-Length") if request.method != "POST" or offset else None,
        length=int(length) if NUMBER.fullmatch(length) else None,
        checksum=_checksum(request.headers.get("Upload-Checksum", "")),
    )


def _standing(upload: Upload, offset: int, status: int) -> HttpResponse:
    response = _answer(status)
    response["Upload-Offset"] = str(offset)
    if not upload.finished_at:
        response["Upload-Expires"] = http_date(upload.expires_at.timestamp())
    return response


def _number(request: HttpRequest, header: str) -> int | None:
    text = request.headers.get(header)
    if text is None:
        return None
    if not NUMBER.fullmatch(text):
        raise BadRequest(_("%(header)s is not a number of bytes.") % {"header": header})
    return int(text)


def _announced_size(request: HttpRequest) -> int | None:
    if "Upload-Concat" in request.headers:
        raise BadRequest(_("Uploads cannot be concatenated here."))
    size, later = _number(request, "Upload-Length"), request.headers.get("Upload-Defer-Length")
    if later not in (None, "1") or (size is None) == (later is None):
        raise BadRequest(_("Say either Upload-Length, or Upload-Defer-Length: 1."))
    return size


def _metadata(header: str) -> dict[str, str]:
    """``key base64,key base64``; values must be text."""
    if len(header) > METADATA_MOST:
        raise BadRequest(_("Upload-Metadata is too long."))
    said: dict[str, str] = {}
    for pair in filter(None, (part.strip() for part in header.split(","))):
        key, _space, encoded = pair.partition(" ")
        try:
            value = base64.b64decode(encoded, validate=True).decode()
        except (binascii.Error, ValueError) as error:
            raise BadRequest(_("Upload-Metadata cannot be read.")) from error
        if not key.isascii() or key in said or "\0" in value:
            raise BadRequest(_("Upload-Metadata cannot be read."))
        said[key] = value
    return said


def _checksum(header: str) -> tuple[str, bytes] | None:
    if not header:
        return None
    algorithm, _space, encoded = header.partition(" ")
    if algorithm not in CHECKSUMS:
        raise BadRequest(_("Checksums can be: %(names)s.") % {"names": ", ".join(CHECKSUMS)})
    try:
        return algorithm, base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadRequest(_("Upload-Checksum cannot be read.")) from error
