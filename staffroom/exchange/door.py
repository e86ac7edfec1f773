"""One request at the xAPI door: which version it speaks, who knocks, what was asked for; and how the door answers.

The door stands before Django's middleware (see `entrance`): a tool has no session, no cookie and no language, and a request of a tool
costs about a third of a page's. Every answer names the version it speaks. A refusal says in words which rule was broken.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import wraps
from typing import Any
from urllib.parse import parse_qsl

import structlog
from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import DataError, InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, UnreadablePostError

from staffroom.exchange import strict
from staffroom.exchange.actions import keys, rejections
from staffroom.exchange.actions.keys import Caller
from staffroom.exchange.refusals import Refusal
from staffroom.records import building, ordering

VERSIONS = {1: "1.0.3", 2: "2.0.0"}
# A request that names no version is by definition one of 0.9 (Communication 3.3), which is refused here.
_UNNAMED = "0.9"
_VERSION = re.compile(r"([12])\.0(?:\.\d+)?")
_EXPOSED = "ETag, Last-Modified, X-Experience-API-Version, X-Experience-API-Consistent-Through, Content-Type, Location"
_HEADERS_OF_FORMS = (
    "Authorization",
    "X-Experience-API-Version",
    "Content-Type",
    "Content-Length",
    "If-Match",
    "If-None-Match",
)
_METHODS = ("GET", "HEAD", "PUT", "POST", "DELETE")


OUT_OF_REACH = (OperationalError, InterfaceError)
log = structlog.get_logger("staffroom.exchange")


@dataclass
class Call:
    """A request as the resources see it: already told who knocks, in which version, with which parameters."""

    request: HttpRequest
    method: str
    major: int
    params: dict[str, str]
    headers: dict[str, str]
    _body: bytes | None
    caller: Caller = field(init=False)

    @property
    def body(self) -> bytes:
        if self._body is None:
            self._body = _body_of(self.request)
        return self._body

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "")

    @property
    def media_type(self) -> str:
        return self.content_type.partition(";")[0].strip().lower()

    def json(self) -> Any:
        """The body as JSON. Refuses what is none."""
        try:
            return strict.read(self.body)
        except strict.NotJson as error:
            raise Refusal(400, str(error)) from None

    def only(self, *names: str) -> None:
        """Refuse parameters that the resource does not know: they are case-sensitive (Communication 3.2)."""
        for name in self.params:
            if name not in names:
                raise Refusal(400, f"The parameter “{name[:60]}” is not known here.")

    def need(self, name: str) -> str:
        if name not in self.params:
            raise Refusal(400, f"The parameter “{name}” is missing.")
        return self.params[name]

    def may(self, *scopes: str) -> None:
        """Refuse a key that has none of these scopes."""
        if not self.caller.scopes.intersection(scopes):
            raise Refusal(403, f"The key may not do this: it lacks the scope {' or '.join(scopes)}.")


type Resource = Callable[[Call], HttpResponse]


def door(
    *methods: str, needs_version: bool = True, needs_key: bool = True, is_ledger: bool = False
) -> Callable[[Resource], Callable[..., HttpResponse]]:
    """Make a view of a resource: the methods it has, and whether it wants a version and a key (all do but `about`).

    `is_ledger`: every answer tells up to which moment the ledger is complete.
    """

    def opened(resource: Resource) -> Callable[..., HttpResponse]:
        @wraps(resource)
        def view(request: HttpRequest, **_more: Any) -> HttpResponse:
            return _answer(
                resource, request, methods, needs_version=needs_version, needs_key=needs_key, is_ledger=is_ledger
            )

        view.csrf_exempt = True  # type: ignore[attr-defined]
        return view

    return opened


def _answer(
    resource: Resource,
    request: HttpRequest,
    methods: tuple[str, ...],
    *,
    needs_version: bool,
    needs_key: bool,
    is_ledger: bool,
) -> HttpResponse:
    call: Call | None = None
    major = 2
    try:
        if request.method == "OPTIONS":
            response = HttpResponse(status=204)
        else:
            call = _read(request, methods)
            if needs_key:
                call.caller = keys.caller_of(call.headers.get("authorization", ""))
            major = call.major = _version(call.headers, is_needed=needs_version)
            response = resource(call)
    except Refusal as refusal:
        response = _refuse(refusal, request, call)
        major = 0 if "X-Experience-API-Version" not in request.headers and needs_version else _guess(request)
    except (UnreadablePostError, RequestDataTooBig) as error:
        response = _refuse(
            Refusal(413 if isinstance(error, RequestDataTooBig) else 400, "The body did not arrive whole."),
            request,
            call,
        )
    except DataError:
        response = _refuse(Refusal(400, "The request holds something that the database cannot keep."), request, call)
    except OUT_OF_REACH as error:
        # The database is down, starts anew, or would not wait any longer: nothing was kept, and to ask again is safe.
        log.warning("database out of reach", error=str(error).partition("\n")[0])
        busy = Refusal(
            503,
            "The store is out of reach. Ask again in a moment.",
            headers={"Retry-After": "5"},
            is_worth_telling=False,
        )
        response = _refuse(busy, request, None)
    response["Content-Length"] = str(len(response.content))
    if request.method == "HEAD":
        response.content = b""
    response["X-Experience-API-Version"] = VERSIONS.get(major, _UNNAMED)
    if is_ledger and "X-Experience-API-Consistent-Through" not in response:
        _tell_how_far(request, response)
    response["Access-Control-Allow-Origin"] = "*"
    response["Access-Control-Expose-Headers"] = _EXPOSED
    response["X-Content-Type-Options"] = "nosniff"
    if request.method == "OPTIONS":
        response["Access-Control-Allow-Methods"] = ", ".join((*methods, "HEAD", "OPTIONS"))
        response["Access-Control-Allow-Headers"] = ", ".join(
            (*_HEADERS_OF_FORMS, "Accept-Language", "Content-Encoding")
        )
        response["Access-Control-Max-Age"] = "86400"
    return response


def _tell_how_far(request: HttpRequest, response: HttpResponse) -> None:
    """Name the moment up to which the ledger is complete; not while the database is out of reach: what was done stays done."""
    with suppress(*OUT_OF_REACH):
        response["X-Experience-API-Consistent-Through"] = building.timestamp(ordering.settled_lately("default"))


def _refuse(refusal: Refusal, request: HttpRequest, call: Call | None) -> HttpResponse:
    body: dict[str, Any] = {"detail": refusal.reason}
    if refusal.problems:
        body["problems"] = refusal.problems
    response = HttpResponse(strict.write(body), status=refusal.status, content_type="application/json")
    if refusal.status == 401:
        response["WWW-Authenticate"] = 'Basic realm="xAPI", charset="UTF-8"'
    for name, value in refusal.headers.items():
        response[name] = value
    caller = getattr(call, "caller", None)
    if caller is not None and refusal.is_worth_telling:
        with suppress(*OUT_OF_REACH):
            rejections.note(tool_id=caller.tool_id, request=f"{request.method} {request.path_info}", refusal=refusal)
    return response


def _version(headers: dict[str, str], *, is_needed: bool) -> int:
    """The major version of a request; for those that need none, the newest."""
    told = headers.get("x-experience-api-version")
    if told is None:
        if is_needed:
            raise Refusal(400, "The header X-Experience-API-Version is missing: say 1.0.3 or 2.0.0.")
        return 2
    found = _VERSION.fullmatch(told.strip())
    if not found:
        raise Refusal(400, f"The version {told[:20]} of xAPI is not spoken here: 1.0.3 and 2.0.0 are.")
    return int(found[1])


def _guess(request: HttpRequest) -> int:
    return 1 if request.headers.get("X-Experience-API-Version", "").startswith("1") else 2


def _read(request: HttpRequest, methods: Iterable[str]) -> Call:
    headers = {name.lower(): value for name, value in request.headers.items()}
    params = _params(request.META.get("QUERY_STRING", ""))
    method = request.method or "GET"
    if method == "POST" and "method" in params:
        call = _read_form(request, params, headers)
    else:
        call = Call(request, method, 0, params, headers, None)
    if (call.method if call.method != "HEAD" else "GET") not in methods:
        raise Refusal(405, f"{call.method} is not possible here.", headers={"Allow": ", ".join(methods)})
    return call


def _params(text: str) -> dict[str, str]:
    """Query parameters; one that is given twice is refused: nobody could tell which counts."""
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=100)
    except ValueError:
        raise Refusal(400, "The parameters cannot be read: they must be percent-encoded UTF-8.") from None
    made = dict(pairs)
    if len(made) != len(pairs):
        raise Refusal(400, "A parameter is given twice.")
    if any("\x00" in value for value in made.values()):
        raise Refusal(400, "A parameter holds the character NUL.")
    return made


def _read_form(request: HttpRequest, params: dict[str, str], headers: dict[str, str]) -> Call:
    """Alternate request syntax of 1.0.3 (Communication 1.3): headers, parameters and content as fields of a form."""
    method = params["method"].upper()
    if len(params) > 1:
        raise Refusal(400, "Beside “method” no parameter may stand in the address.")
    if method not in _METHODS:
        raise Refusal(400, f"The method {method[:20]} is not known.")
    if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        raise Refusal(400, "A request in alternate syntax must be a form (application/x-www-form-urlencoded).")
    try:
        fields = _params(_body_of(request).decode())
    except UnicodeDecodeError:
        raise Refusal(400, "The form is not UTF-8.") from None
    told = {
        name.lower(): fields.pop(name)
        for name in list(fields)
        if name.lower() in {h.lower() for h in _HEADERS_OF_FORMS}
    }
    merged = {
        **{name: value for name, value in headers.items() if name not in ("content-type", "content-length")},
        **told,
    }
    if merged.get("x-experience-api-version", "").startswith("2"):
        raise Refusal(400, "xAPI 2.0 has no alternate request syntax.")
    content = fields.pop("content", None)
    if method in ("PUT", "POST") and content is None:
        raise Refusal(400, "The form has no “content”.")
    if not all(value.isprintable() for value in told.values()):
        raise Refusal(400, "A header in the form holds a character that headers cannot have.")
    merged.setdefault("content-type", "application/json")
    return Call(request, method, 0, fields, merged, (content or "").encode())


def _body_of(request: HttpRequest) -> bytes:
    """The body, unpacked if it was packed; within the limit in either form."""
    limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not (length.isascii() and length.isdigit()):
        raise Refusal(400, "The Content-Length is no number.")
    if len(length) > 18 or int(length) > limit:
        raise Refusal(413, f"The body is larger than {limit // 1024**2} MB.")
    body = request.read(limit + 1)
    if len(body) > limit:
        raise Refusal(413, f"The body is larger than {limit // 1024**2} MB.")
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding in ("identity", ""):
        return body
    if encoding != "gzip":
        raise Refusal(415, f"The encoding {encoding[:20]} is not known: send gzip or none.")
    return _unpacked(body, limit)


def _unpacked(body: bytes, limit: int) -> bytes:
    reader = zlib.decompressobj(wbits=31)
    try:
        opened = reader.decompress(body, limit + 1)
    except zlib.error:
        raise Refusal(400, "The body is not gzip.") from None
    if len(opened) > limit:
        raise Refusal(413, f"Unpacked, the body is larger than {limit // 1024**2} MB.")
    if not reader.eof:
        raise Refusal(400, "The gzip of the body ends too early.")
    if reader.unused_data:
        raise Refusal(400, "Something follows the gzip of the body.")
    return opened


def json_answer(value: Any, *, status: int = 200, headers: dict[str, str] | None = None) -> HttpResponse:
    return HttpResponse(strict.write(value), status=status, content_type="application/json", headers=headers)
