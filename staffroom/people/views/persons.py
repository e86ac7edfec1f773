"""The list of people, one person's roles, and what one may change about them."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from staffroom.people import actions, queries, rules
from staffroom.people.forms import RoleForm
from staffroom.people.models import Membership, Organization, Person, Role
from staffroom.people.signed_in import viewer_of
from staffroom.ui.csv import csv_response
from staffroom.ui.pages import render_page, respond_invalid

ROWS = 30


@require_safe
@login_required
def people(request: HttpRequest) -> HttpResponse:
    """Everybody whom an overseer sees: searched, narrowed to a role or place, thirty at a time."""
    _refuse_others(request)
    words = [request.GET.get(name, "") for name in ("q", "role", "at", "after")]
    page = queries.listed(viewer_of(request), *words, most=ROWS + 1)
    asked = {key: value for key, value in request.GET.items() if key in ("q", "role", "at") and value}
    context = {
        "people": page[:ROWS],
        "asked": asked,
        "roles": [(role.value, role.label) for role in Role],
        "places": queries.organizations_for(request.user).order_by("path")[:200],
        "newer_url": f"?{urlencode(asked)}" if request.GET.get("after") else "",
        "older_url": f"?{urlencode({**asked, 'after': page[ROWS - 1].key})}" if len(page) > ROWS else "",
        "csv_query": urlencode(asked),
        "administers": rules.administers_anything(request.user),
    }
    return render_page(request, "people/people.html", context, fragment="found")


@require_safe
@login_required
def people_csv(request: HttpRequest) -> HttpResponseBase:
    """The same list whole, as a table."""
    header = [_("First name"), _("Last name"), _("Email"), _("Roles")]
    return csv_response("people.csv", header, _lines(queries.with_roles(_asked_for(request))))


def _lines(found: QuerySet[Person]) -> Iterator[list[object]]:
    for person in found.iterator(chunk_size=2000):
        roles = "; ".join(f"{held.get_role_display()}, {held.organization}" for held in person.roles_now)  # type: ignore[attr-defined]
        yield [person.first_name, person.family_name, person.email or "", roles]


def _refuse_others(request: HttpRequest) -> None:
    """Lists of people are for those who oversee somebody."""
    if not rules.oversees_anything(request.user):
        raise Http404


def _asked_for(request: HttpRequest) -> QuerySet[Person]:
    _refuse_others(request)
    asked = request.GET
    return queries.narrowed(
        queries.people_for(request.user), asked.get("q", ""), asked.get("role", ""), asked.get("at", "")
    )


@require_safe
@login_required
def person(request: HttpRequest, key: str) -> HttpResponse:
    """One person: their roles now and before, and for administrators the ways to change them."""
    return render_page(request, "people/person.html", _person_context(request, _person(request, key)))


def _person(request: HttpRequest, key: str) -> Person:
    if not rules.oversees_anything(request.user):
        raise Http404
    return get_object_or_404(queries.people_for(request.user), key=key)


def _person_context(request: HttpRequest, found: Person) -> dict[str, object]:
    viewer = viewer_of(request)
    held = queries.roles_seen(viewer, found)
    administered = set(queries.organizations_of(viewer, Role.ADMINISTRATOR).values_list("pk", flat=True))
    return {
        "person": found,
        "held": [(each, each.organization_id in administered) for each in held if each.counts_today],
        "former": [each for each in held if not each.counts_today],
        "sections": queries.sections_for(viewer).filter(pk__in=queries.sections_of(found).values("pk")),
        "form": RoleForm(by=viewer) if administered else None,
    }


@require_POST
@login_required
def give_role(request: HttpRequest, key: str) -> HttpResponse:
    found = _person(request, key)
    viewer = viewer_of(request)
    if not rules.administers_anything(viewer):
        raise Http404
    form = RoleForm(request.POST, by=viewer)
    if form.is_valid():
        try:
            actions.give_role(by=viewer, person=found, **form.cleaned_data)
            messages.success(request, _("The role was given."))
            return redirect("people:person", key)
        except ValidationError as error:
            form.add_error(None, error)
    return respond_invalid(request, "people/person.html", "", form, _person_context(request, found))


@require_POST
@login_required
def end_role(request: HttpRequest, pk: int) -> HttpResponse:
    places = Organization.objects.filter(rules.administered_by(request.user)).values("pk")
    held = get_object_or_404(
        Membership.objects.select_related("person", "organization"), pk=pk, organization__in=places
    )
    try:
        actions.end_membership(by=viewer_of(request), membership=held)
        messages.success(request, _("%(person)s is no longer %(role)s of %(place)s.")
                         % {"person": held.person, "role": held.get_role_display(), "place": held.organization})  # fmt: skip
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return redirect("people:person", held.person.key)
