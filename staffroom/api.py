"""The API, composed from the rooms' routers: the same deeds as the pages, for programs. Nothing is decided here.

Doors are opened by the session of a signed-in person (with its CSRF token). Every refusal is an object with one sentence,
``detail``; a refused body adds ``problems``, one for each field. What one may not see does not exist: 404.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core import exceptions
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, Throttled, ValidationError
from ninja.openapi.docs import Swagger
from ninja.security import django_auth

from staffroom import __version__


class _Api(NinjaAPI):
    """Describes itself once: the description takes long to make and does not change while a process lives."""

    def get_openapi_schema(self, **words: Any) -> Any:
        key = str(sorted(words.items()))
        if key not in _described:
            _described[key] = super().get_openapi_schema(**words)
        return _described[key]


_described: dict[str, Any] = {}
api = _Api(
    title="Staffroom",
    version=__version__,
    description=__doc__.split("\n\n", 1)[1],
    urls_namespace="api",
    auth=django_auth,
    docs=Swagger(),
    docs_url="/docs" if settings.DEBUG else "",
    openapi_url="/openapi.json",
)


def _answer(request: HttpRequest, status: int, detail: str, **more: Any) -> HttpResponse:
    return api.create_response(request, {"detail": detail, **more}, status=status)


@api.exception_handler(AuthenticationError)
def not_signed_in(request: HttpRequest, error: Exception) -> HttpResponse:
    return _answer(request, 401, _("Sign in first."))


@api.exception_handler(exceptions.PermissionDenied)
def not_yours_to_do(request: HttpRequest, error: Exception) -> HttpResponse:
    return _answer(request, 403, str(error) or _("You may not do this."))


@api.exception_handler(Http404)
@api.exception_handler(exceptions.ObjectDoesNotExist)
def not_found(request: HttpRequest, error: Exception) -> HttpResponse:
    return _answer(request, 404, _("There is nothing here."))


@api.exception_handler(ValidationError)
def misread(request: HttpRequest, error: ValidationError) -> HttpResponse:
    """What the schema of a door refuses."""
    problems = [{"field": _field(problem["loc"]), "message": str(problem["msg"])} for problem in error.errors]
    return _answer(request, 422, _("Something in the request cannot be used."), problems=problems)


@api.exception_handler(exceptions.ValidationError)
def refused(request: HttpRequest, error: exceptions.ValidationError) -> HttpResponse:
    """What a deed refuses."""
    fields = error.message_dict if hasattr(error, "error_dict") else {"": error.messages}
    problems = [{"field": name, "message": text} for name, texts in fields.items() for text in texts]
    return _answer(request, 422, " ".join(problem["message"] for problem in problems), problems=problems)


@api.exception_handler(Throttled)
def too_many(request: HttpRequest, error: Throttled) -> HttpResponse:
    answer = _answer(request, 429, _("Too many requests. Wait a little."))
    answer["Retry-After"] = str(error.wait or 60)
    return answer


def _field(place: tuple[Any, ...]) -> str:
    """``("body", "payload", "title")`` is the field ``title``."""
    inner = [str(part) for part in place if part not in ("body", "payload", "query", "path", "form", "file")]
    return ".".join(inner)


def nothing_here(request: HttpRequest, rest: str = "") -> HttpResponse:
    """The answer for addresses under /api/ that no router has."""
    return not_found(request, Http404())


api.add_router("/records", "staffroom.records.api.router")


api.add_router("", "staffroom.seeing.lessons.api.router")
api.add_router("", "staffroom.people.api.router")
api.add_router("/what-works", "staffroom.knowing.impact.api.router")
api.add_router("/studies", "staffroom.knowing.impact.api.studies")
api.add_router("/lotteries", "staffroom.knowing.impact.api.lotteries")
