"""What all pages of this room share: who asks, whom to let in, and the way along long lists."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import Any, Concatenate
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.forms import BaseForm
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase

from staffroom.people.models import Person
from staffroom.records import queries, rules
from staffroom.records.models import Statement

PAGE = 30


def person_of(request: HttpRequest) -> Person:
    assert isinstance(request.user, Person)
    return request.user


def for_leaders[**More](
    view: Callable[Concatenate[HttpRequest, More], HttpResponseBase],
) -> Callable[..., HttpResponseBase]:
    """A page for leaders and administrators; for everybody else it does not exist."""

    @login_required
    @wraps(view)
    def guarded(request: HttpRequest, *args: More.args, **options: More.kwargs) -> HttpResponseBase:
        if not rules.has_records(request.user):
            raise Http404
        return view(request, *args, **options)

    return guarded


def for_keepers[**More](
    view: Callable[Concatenate[HttpRequest, More], HttpResponseBase],
) -> Callable[..., HttpResponseBase]:
    """A page for those who keep instruments, prices and results of some organization."""

    @login_required
    @wraps(view)
    def guarded(request: HttpRequest, *args: More.args, **options: More.kwargs) -> HttpResponseBase:
        if not queries.places_kept_by(request.user).exists():
            raise Http404
        return view(request, *args, **options)

    return guarded


@dataclass(frozen=True)
class Page[Entry]:
    """A stretch of a long list and the addresses of those beside it."""

    entries: list[Entry]
    newer_url: str
    older_url: str


def page_of(request: HttpRequest, entries: QuerySet[Statement]) -> Page[Statement]:
    """A page of entries, newest first, along (happened_at, pk): nothing is skipped when entries arrive."""
    before, after = read_cursor(request.GET.get("before")), read_cursor(request.GET.get("after"))
    if after is not None:
        found = list(entries.filter(beyond("gt", after)).order_by("happened_at", "pk")[: PAGE + 1])
        shown = found[:PAGE][::-1]
        return Page(shown, _url(request, after=shown[0]) if len(found) > PAGE and shown else "",
                    _url(request, before=shown[-1]) if shown else "")  # fmt: skip
    if before is not None:
        entries = entries.filter(beyond("lt", before))
    found = list(entries[: PAGE + 1])
    shown = found[:PAGE]
    return Page(shown, _url(request, after=shown[0]) if before is not None and shown else "",
                _url(request, before=shown[-1]) if len(found) > PAGE else "")  # fmt: skip


def read_cursor(text: str | None) -> tuple[datetime, int] | None:
    """A place in a list, as `cursor_of` writes it; anything else is the beginning."""
    try:
        moment, _sign, pk = (text or "").rpartition("_")
        at = datetime.fromisoformat(moment)
        return (at, int(pk)) if at.tzinfo and int(pk) < 2**63 else None
    except ValueError:
        return None


def cursor_of(entry: Statement) -> str:
    return f"{entry.happened_at.isoformat()}_{entry.pk}"


def beyond(way: str, cursor: tuple[datetime, int]) -> Q:
    at, pk = cursor
    return Q(**{f"happened_at__{way}": at}) | Q(**{"happened_at": at, f"pk__{way}": pk})


def _url(request: HttpRequest, **cursor: Statement) -> str:
    kept = {key: value for key, value in request.GET.items() if key not in ("before", "after")}
    return "?" + urlencode(kept | {name: cursor_of(entry) for name, entry in cursor.items()})


def put_into(form: BaseForm, problem: ValidationError) -> None:
    """Show what a deed refused beside the fields that it names, or above the form."""
    if hasattr(problem, "error_dict"):
        for name, errors in problem.error_dict.items():
            form.add_error(name if name in form.fields else None, errors)
    else:
        form.add_error(None, problem)


def query_without(request: HttpRequest, *names: str) -> str:
    kept: dict[str, Any] = {key: value for key, value in request.GET.items() if key not in names}
    return urlencode(kept)
