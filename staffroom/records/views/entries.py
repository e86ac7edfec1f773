"""The entries of the activity ledger: one's own, and for leaders date, minutes and kind of those whom they lead."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from staffroom.people.models import Person
from staffroom.records import actions, queries, rules
from staffroom.records.forms import EntriesForm
from staffroom.records.models import Statement
from staffroom.records.views.doors import page_of, person_of, query_without
from staffroom.records.vocabulary import extensions, verb_label
from staffroom.ui.csv import csv_response
from staffroom.ui.pages import render_page


def line(viewer: Person, entry: Statement) -> dict[str, Any]:
    """All that a page tells of an entry: never what it was done to, unless it is the viewer's own."""
    is_own = entry.actor_id == viewer.pk
    return {
        "key": entry.key, "at": entry.happened_at, "who": entry.actor, "kind": verb_label(entry.verb),
        "activity": entry.activity, "minutes": None if entry.duration_s is None else round(entry.duration_s / 60),
        "focus": entry.body.get("context", {}).get("extensions", {}).get(extensions.FOCUS, ""),
        "place": entry.organization, "is_own": is_own, "may_void": rules.may_void(viewer, entry),
    }  # fmt: skip


def _filtered(request: HttpRequest, form: EntriesForm) -> QuerySet[Statement]:
    wanted = form.cleaned_data if form.is_valid() else {}
    found = queries.entries_for(
        person_of(request), wanted.get("activity"), month=wanted.get("month"), verb=wanted.get("verb") or ""
    )
    return found.filter(actor=person_of(request)) if request.GET.get("mine") else found


@login_required
@require_safe
def entries(request: HttpRequest) -> HttpResponse:
    """Entries, newest first, with filters."""
    viewer = person_of(request)
    form = EntriesForm(request.GET or None, viewer=viewer)
    shown = page_of(request, _filtered(request, form))
    context = {
        "form": form, "page": shown, "lines": [line(viewer, entry) for entry in shown.entries], "verb_label": verb_label,
        "leads": rules.has_records(viewer), "query": query_without(request, "before", "after"),
    }  # fmt: skip
    return render_page(request, "records/entries.html", context)


@login_required
@require_safe
def entries_csv(request: HttpRequest) -> HttpResponseBase:
    """The same as a file."""
    viewer = person_of(request)
    found = _filtered(request, EntriesForm(request.GET or None, viewer=viewer))

    def rows() -> Iterator[list[object]]:
        for entry in found.iterator(chunk_size=2000):
            said = line(viewer, entry)
            yield [
                timezone.localtime(said["at"]).isoformat(timespec="minutes"), said["who"] or "", said["place"] or "",
                said["kind"], said["activity"] or "", said["minutes"], said["focus"],
            ]  # fmt: skip

    header = [_("When"), _("Who"), _("Where"), _("What"), _("Activity"), _("Minutes"), _("Focus")]
    return csv_response("entries", header, rows())


@login_required
@require_POST
def void_entry(request: HttpRequest, key: UUID) -> HttpResponse:
    """Say that an entry is wrong."""
    viewer = person_of(request)
    # Two districts may hold the same key; which one is meant is told by who may void it.
    found = queries.entries_for(viewer).filter(key=key)
    entry = next((each for each in found if rules.may_void(viewer, each)), None)
    if entry is None:
        raise Http404
    try:
        actions.void_statement(by=viewer, statement=entry)
    except ValidationError as problem:
        messages.error(request, " ".join(problem.messages))
    else:
        messages.success(request, _("The entry no longer counts."))
    return redirect("records:entries")
