"""What every page here begins with: who looks, at which activity, and the address of a page about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.forms import BaseForm
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import urlencode

from staffroom.jobs.models import Job
from staffroom.knowing import pictures
from staffroom.knowing.impact import queries, rules
from staffroom.knowing.impact.showing import KINDS, Result
from staffroom.people.models import Organization, Person
from staffroom.people.queries import memberships_of
from staffroom.records.models import Activity
from staffroom.ui.pages import render_page


def person_of(request: HttpRequest) -> Person:
    assert isinstance(request.user, Person)
    return request.user


def put_into(form: BaseForm, problem: ValidationError) -> None:
    """Show what a deed refused beside the fields that it names, or above the form."""
    if hasattr(problem, "error_dict"):
        for name, errors in problem.error_dict.items():
            form.add_error(name if name in form.fields else None, errors)
    else:
        form.add_error(None, problem)


def is_done(form: BaseForm, deed: Callable[[Mapping[str, Any]], object]) -> bool:
    """Do what a form says, if it says it rightly; what the deed refuses, the form shows. `deed` gets what was typed."""
    if not form.is_valid():
        return False
    try:
        deed(form.cleaned_data)
    except ValidationError as problem:
        put_into(form, problem)
        return False
    return True


def guarded(request: HttpRequest) -> Person:
    viewer = person_of(request)
    if not rules.has_what_works(viewer):
        raise Http404
    return viewer


def home_of(viewer: Person) -> Organization:
    return next(held.organization for held in memberships_of(viewer) if held.role in rules.ROLES)


def activity_of(request: HttpRequest, slug: str) -> tuple[Activity, str]:
    """The activity of an address, as far as the viewer may know of it; and the organization that the address names."""
    found = queries.activities_named(guarded(request), slug, request.GET.get("at", ""))
    if not found:
        raise Http404
    return found[0], place_in_address(found[0], found) or request.GET.get("at", "")


def place_in_address(activity: Activity, among: list[Activity]) -> str:
    """The organization in an address, where two organizations chose the same name for an activity."""
    is_shared = sum(each.slug == activity.slug for each in among) > 1
    return activity.organization.slug if is_shared else ""


def address_of(name: str, activity: Activity, **query: str) -> str:
    """The address of a page about an activity."""
    return address(name, activity.slug, **query)


def address(name: str, *parts: str, **query: str) -> str:
    """An address with what it asks for; what is empty is not asked."""
    asked = urlencode({key: value for key, value in query.items() if value})
    return reverse(name, args=parts) + (f"?{asked}" if asked else "")


def progress_of(request: HttpRequest, job: Job | None, page: str) -> HttpResponse:
    """The state of a job as a fragment; when it is over, the page is read anew."""
    context = {"job": job, "progress_url": request.get_full_path(), "page": page}
    response = render_page(request, "impact/computing.html", context, fragment="computing")
    if job is None or job.is_finished:
        response["HX-Refresh"] = "true"
    return response


def picture_file(result: Result | None, slug: str, name: str, kind: str) -> HttpResponse:
    """One picture of a result to take along, as SVG or PNG; 404 where there is none of that name or kind."""
    drawn = result.drawn.get(name) if result else None
    if drawn is None or kind not in KINDS:
        raise Http404
    content = pictures.png(drawn.svg) if kind == "png" else drawn.svg
    response = HttpResponse(content, content_type=KINDS[kind])
    response["Content-Disposition"] = f'attachment; filename="{slug}-{name}.{kind}"'
    return response
