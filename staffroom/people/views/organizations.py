"""The tree of organizations, who is where, invitations, terms and sections."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from staffroom.people import actions, queries, rules
from staffroom.people.forms import InviteForm, MoveForm, OrganizationForm, RenameForm
from staffroom.people.models import Organization, Role
from staffroom.people.signed_in import viewer_of
from staffroom.ui.csv import csv_response, wants_csv
from staffroom.ui.pages import render_page, respond_invalid

TEMPLATE = "people/organization.html"


@require_safe
@login_required
def organizations(request: HttpRequest) -> HttpResponseBase:
    """The trees that an overseer sees, each place under the one that it belongs to."""
    if not rules.oversees_anything(request.user):
        raise Http404
    if wants_csv(request):
        found = queries.organizations_for(request.user).select_related("parent").order_by("path")
        rows = ((each.name, each.get_kind_display(), each.parent or "") for each in found.iterator())
        return csv_response("places", [_("Place"), _("Kind"), _("Belongs to")], rows)
    return render_page(request, "people/organizations.html", {"tree": queries.tree_for(request.user)})


@require_safe
@login_required
def organization(request: HttpRequest, slug: str) -> HttpResponse:
    """One place: what lies below it, who has which role there, and for administrators the ways to change it."""
    return render_page(request, TEMPLATE, _context(request, _seen(request, slug)))


def _seen(request: HttpRequest, slug: str) -> Organization:
    return get_object_or_404(queries.organizations_for(request.user).select_related("parent"), slug=slug)


def _administered(request: HttpRequest, slug: str) -> Organization:
    return get_object_or_404(queries.organizations_of(request.user, Role.ADMINISTRATOR), slug=slug)


def _context(request: HttpRequest, place: Organization) -> dict[str, object]:
    viewer = viewer_of(request)
    context: dict[str, object] = {
        "place": place,
        "trail": queries.trail_for(viewer, place),
        "children": queries.children_with_counts(place),
        "staff": queries.staff_at(place),
        "student_count": queries.student_count(place),
        "section_count": queries.sections_for(viewer).filter(school=place).count(),
        "administers": rules.may_administer(viewer, place),
    }
    if context["administers"]:
        context |= {
            "invitations": queries.open_invitations().filter(organization=place).select_related("invited_by"),
            "invite_form": InviteForm(prefix="invite"),
            "add_form": OrganizationForm(prefix="add", parent=place),
            "rename_form": RenameForm(prefix="rename", initial={"name": place.name}),
            "move_form": MoveForm(prefix="move", by=viewer, organization=place),
        }
    return context


def _refused(
    request: HttpRequest, place: Organization, name: str, form: Form, error: ValidationError | None
) -> HttpResponse:
    if error:
        form.add_error(None, error)
    return respond_invalid(request, TEMPLATE, "", form, {**_context(request, place), name: form, "open": name})


@require_POST
@login_required
def invite(request: HttpRequest, slug: str) -> HttpResponse:
    place = _administered(request, slug)
    form = InviteForm(request.POST, prefix="invite")
    if not form.is_valid():
        return _refused(request, place, "invite_form", form, None)
    link = f"{settings.SITE_URL}{reverse('people:join', args=['SECRET'])}".replace("SECRET", "{secret}")
    try:
        made, secret = actions.invite(by=viewer_of(request), organization=place, link=link, **form.cleaned_data)
    except ValidationError as error:
        return _refused(request, place, "invite_form", form, error)
    messages.success(request, _("An invitation is on its way to %(email)s.") % {"email": made.email})
    if settings.MAILERS["default"]["BACKEND"].endswith("filebased.EmailBackend"):
        # No mail server: the mail lies in a folder, so whoever invites hands the link over.
        messages.info(request, _("No mail leaves this site yet. Hand over this link: %(link)s")
                      % {"link": link.format(secret=secret)})  # fmt: skip
    return redirect("people:organization", slug)


@require_POST
@login_required
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    places = Organization.objects.filter(rules.administered_by(request.user)).values("pk")
    found = get_object_or_404(queries.open_invitations(), pk=pk, organization__in=places)
    actions.withdraw_invitation(by=viewer_of(request), invitation=found)
    messages.success(request, _("The link no longer works."))
    return redirect("people:organization", found.organization.slug)


@require_POST
@login_required
def add(request: HttpRequest, slug: str) -> HttpResponse:
    place = _administered(request, slug)
    form = OrganizationForm(request.POST, prefix="add", parent=place)
    if not form.is_valid():
        return _refused(request, place, "add_form", form, None)
    made = actions.make_organization(by=viewer_of(request), parent=place, **form.cleaned_data)
    messages.success(request, _("%(name)s was added.") % {"name": made})
    return redirect("people:organization", made.slug)


@require_POST
@login_required
def rename(request: HttpRequest, slug: str) -> HttpResponse:
    place = _administered(request, slug)
    form = RenameForm(request.POST, prefix="rename")
    if not form.is_valid():
        return _refused(request, place, "rename_form", form, None)
    actions.rename_organization(by=viewer_of(request), organization=place, **form.cleaned_data)
    return redirect("people:organization", slug)


@require_POST
@login_required
def move(request: HttpRequest, slug: str) -> HttpResponse:
    place = _administered(request, slug)
    form = MoveForm(request.POST, prefix="move", by=viewer_of(request), organization=place)
    if not form.is_valid():
        return _refused(request, place, "move_form", form, None)
    try:
        actions.move_organization(by=viewer_of(request), organization=place, **form.cleaned_data)
    except ValidationError as error:
        return _refused(request, place, "move_form", form, error)
    messages.success(request, _("%(name)s was moved.") % {"name": place})
    return redirect("people:organization", slug)


@require_safe
@login_required
def sections(request: HttpRequest) -> HttpResponseBase:
    """Sections that one may see: a teacher's own, an overseer's all."""
    found = queries.sections_found(request.user, request.GET.get("q", ""), request.GET.get("at", ""))
    if wants_csv(request):
        lines = ((each.title, each.course or "", each.school) for each in found.iterator())
        return csv_response("sections", [_("Section"), _("Course"), _("School")], lines)
    asked = request.GET.get("from", "")
    start = int(asked) if asked.isdecimal() and len(asked) < 7 else 0
    page = list(found[start : start + 51])
    context = {
        "sections": queries.with_student_counts(page[:50]),
        "asked": request.GET,
        "older_url": f"?from={start + 50}&q={request.GET.get('q', '')}&at={request.GET.get('at', '')}"
        if page[50:]
        else "",
        "newer_url": f"?from={max(0, start - 50)}" if start else "",
        "csv_url": f"?{urlencode({'format': 'csv', 'q': request.GET.get('q', ''), 'at': request.GET.get('at', '')})}",
        "terms": queries.terms_for(request.user)[:12],
    }
    return render_page(request, "people/sections.html", context)


@require_safe
@login_required
def section(request: HttpRequest, pk: int) -> HttpResponse:
    """One section: its teachers, and its students by first name."""
    found = get_object_or_404(queries.sections_for(request.user).prefetch_related("terms"), pk=pk)
    context = {
        "section": found,
        "teachers": queries.teachers_of(found),
        "students": queries.first_names(queries.students_of(found)),
    }
    return render_page(request, "people/section.html", context)
