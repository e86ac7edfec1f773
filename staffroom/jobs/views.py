"""Pages: the queue for administrators, with Retry; and how far one job is, for whoever asked for it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from staffroom.jobs import actions, queries, rules
from staffroom.jobs.models import Job
from staffroom.people.models import Person
from staffroom.ui.csv import csv_response, wants_csv
from staffroom.ui.pages import render_page

if TYPE_CHECKING:
    from django.db.models import QuerySet

SHOWN = 100
FAILED = ("key", "kind", "failure", "attempts", "finished_at")
WAITING = ("kind", "failure", "next_try_at")


def _person(request: HttpRequest) -> Person:
    assert isinstance(request.user, Person)
    return request.user


def _minded(request: HttpRequest) -> QuerySet[Job]:
    if not rules.may_mind_jobs(_person(request)):
        raise Http404
    return queries.jobs_for(_person(request))


@login_required
@require_safe
def jobs(request: HttpRequest) -> HttpResponseBase:
    """What failed, what runs and what waits. Neither labels nor persons are shown: they may tell what people work on."""
    minded = _minded(request)
    if wants_csv(request):
        header = [_("Work"), _("State"), _("Asked for"), _("Began"), _("Ended"), _("Attempts"), _("What went wrong")]
        rows = (
            (each.kind, each.get_state_display(), each.created_at, each.started_at or "", each.finished_at or "",
             each.attempts, each.failure)
            for each in minded.order_by("-pk").iterator()
        )  # fmt: skip
        return csv_response("jobs", header, rows)
    counts = minded.aggregate(**{state: Count("pk", filter=Q(state=state)) for state in Job.State.values})
    context = {
        "counts": counts,
        "failed": minded.filter(state=Job.State.FAILED).order_by("-finished_at").values(*FAILED)[:SHOWN],
        "running": minded.filter(state=Job.State.RUNNING).order_by("started_at")[:SHOWN],
        "waiting": minded.filter(state=Job.State.WAITING).order_by("next_try_at").values(*WAITING)[:SHOWN],
        "workers": queries.live_workers(),
    }
    return render_page(request, "jobs/jobs.html", context)


@login_required
@require_POST
def retry(request: HttpRequest, key: UUID) -> HttpResponse:
    """Try a failed job again: an administrator any that they mind, everybody their own."""
    viewer = _person(request)
    mine = Job.objects.filter(Q(by=viewer) | rules.minded_by(viewer))
    actions.retry_job(by=viewer, job=get_object_or_404(mine, key=key))
    messages.success(request, _("It is tried again."))
    return redirect("jobs:list" if rules.may_mind_jobs(viewer) else "/")


@login_required
@require_safe
def job(request: HttpRequest, key: UUID) -> HttpResponse:
    """How far a job is, which a page asks for again and again while it runs."""
    job = get_object_or_404(Job, key=key, by=_person(request))
    return render_page(request, "jobs/job.html", {"job": job}, fragment="progress")
