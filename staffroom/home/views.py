"""The front page, and everything that is stored about me."""

from __future__ import annotations

import tempfile

from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from staffroom.home import exporting, parts, queries
from staffroom.home.forms import ErasureForm, ErasurePersonForm
from staffroom.home.record import rows_of
from staffroom.jobs import rules as jobs_rules
from staffroom.people import personal
from staffroom.people import queries as people
from staffroom.people.models import Person
from staffroom.permissions import actions as permissions_actions
from staffroom.permissions import queries as permissions
from staffroom.permissions import rules as permissions_rules
from staffroom.seeing.lessons.listing import clips_listed, lessons_listed
from staffroom.ui.csv import csv_response, wants_csv
from staffroom.ui.pages import render_page, respond_invalid


def _person(request: HttpRequest) -> Person:
    assert isinstance(request.user, Person)
    return request.user


@require_safe
def front(request: HttpRequest) -> HttpResponse:
    """What now: one next step, what waits, what colleagues lent. Who is not signed in is asked to."""
    if not isinstance(request.user, Person):
        return redirect("account_login")
    viewer = request.user
    waiting = queries.newest_notices(viewer)
    context = {
        "step": queries.next_step(viewer, waiting[0] if waiting else None),
        "waiting": waiting[1:],
        "lent": clips_listed(viewer, most=5),
        "own": lessons_listed(viewer, most=4),
        "roles": queries.roles_of(viewer),
    }
    return render_page(request, "home/front.html", context)


@login_required
@require_safe
def health_of_parts(request: HttpRequest) -> HttpResponse:
    """How each part that the site runs on is, for administrators; for everybody else the page does not exist."""
    if not jobs_rules.may_mind_jobs(_person(request)):
        raise Http404
    found = parts.examine_all()
    faults = [part for part in found if part.state != parts.OK]
    return render_page(request, "home/parts.html", {"parts": found, "faults": faults})


@login_required
@require_safe
def my_record(request: HttpRequest) -> HttpResponseBase:
    """Everything stored about me: what, author, purpose, who can read it, when it ends."""
    viewer = _person(request)
    if wants_csv(request):
        header = [_("Kind"), _("What"), _("Why"), _("Author"), _("Readers"), _("Ends")]
        return csv_response("my-record.csv", header, queries.record_lines(viewer))
    return render_page(request, "home/my_record.html", {"kinds": queries.record_of(viewer)})


@login_required
@require_safe
def my_record_kind(request: HttpRequest, kind: str) -> HttpResponse:
    """All stored things of one kind, page by page."""
    found = next((each for each in personal.declarations() if each.model._meta.label_lower == kind), None)
    if found is None:
        raise Http404
    rows = rows_of(_person(request), found)
    page = Paginator(rows, 50).get_page(request.GET.get("page"))
    shown = [queries.stored(found, row, _person(request)) for row in page]
    return render_page(request, "home/my_record_kind.html", {"declaration": found, "rows": shown, "page": page})


@login_required
@require_safe
def who_opened(request: HttpRequest) -> HttpResponseBase:
    """The access log of my things: who opened what, when, through which share."""
    log = permissions.accesses_to(_person(request))
    if wants_csv(request):
        rows = ((each.at.isoformat(), each.viewer or "", each.deed, each.title) for each in log.iterator(500))
        return csv_response("who-opened.csv", [_("When"), _("Who"), _("Deed"), _("What")], rows)
    page = Paginator(log, 50).get_page(request.GET.get("page"))
    return render_page(request, "home/who_opened.html", {"page": page})


@login_required
@require_POST
def export(request: HttpRequest) -> HttpResponseBase:
    """Everything stored about me, as a zip of open formats."""
    target = tempfile.TemporaryFile()  # noqa: SIM115 (FileResponse closes it)
    exporting.write_export(_person(request), target)
    target.seek(0)
    name = f"staffroom-{timezone.localdate():%Y-%m-%d}.zip"
    return FileResponse(target, as_attachment=True, filename=name, content_type="application/zip")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def erase(request: HttpRequest) -> HttpResponse:
    """Erase myself, with a receipt."""
    viewer = _person(request)
    form = ErasureForm(request.POST or None, person=viewer)
    context = {"kinds": queries.record_of(viewer, per_kind=0), "form": form}
    if request.method != "POST":
        return render_page(request, "home/erase.html", context)
    if not form.is_valid():
        return respond_invalid(request, "home/erase.html", "", form, context)
    receipt = permissions_actions.erase(by=viewer, person=viewer)
    logout(request)
    return render_page(request, "home/receipt.html", {"receipt": receipt, "kinds": queries.kinds_on(receipt)})


@login_required
@require_http_methods(["GET", "POST"])
def erase_person(request: HttpRequest, key: str) -> HttpResponse:
    """Erase a student, or somebody who has left, for whoever administers where they were; with a receipt to hand on."""
    viewer = _person(request)
    found = get_object_or_404(people.people_for(viewer), key=key)
    if found.pk == viewer.pk or not permissions_rules.has_administered(viewer, found):
        raise Http404
    may_erase = permissions_rules.may_erase(viewer, found)
    form = ErasurePersonForm(request.POST or None, person=found)
    context = {"person": found, "may_erase": may_erase, "form": form}
    if request.method != "POST":
        return render_page(request, "home/erase_person.html", context, fragment="offer")
    if not may_erase or not form.is_valid():
        return respond_invalid(request, "home/erase_person.html", "", form, context)
    receipt = permissions_actions.erase(by=viewer, person=found)
    context = {"receipt": receipt, "kinds": queries.kinds_on(receipt), "erased": form.cleaned_data["name"]}
    return render_page(request, "home/receipt.html", context)
