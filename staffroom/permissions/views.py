"""Pages about circles, consent, policy, and the exception that two administrators make together."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Max
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from staffroom.people import queries as people
from staffroom.people.models import Person, Role, Section
from staffroom.permissions import actions, queries, rules
from staffroom.permissions.forms import BreakGlassForm, CircleForm, ConsentForm, MemberForm, PolicyForm
from staffroom.permissions.models import BreakGlass, Circle, Consent
from staffroom.ui.csv import csv_response, wants_csv
from staffroom.ui.pages import render_page, respond_invalid


def _person(request: HttpRequest) -> Person:
    assert isinstance(request.user, Person)
    return request.user


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def circles(request: HttpRequest) -> HttpResponseBase:
    """My circles, and a form that founds one."""
    viewer = _person(request)
    found = queries.circles_for(viewer).annotate(size=models.Count("members", distinct=True)).order_by("name", "pk")
    if wants_csv(request):
        return csv_response("circles", [_("Circle"), _("People")], found.values_list("name", "size"))
    context = {"circles": found}
    form = CircleForm(request.POST or None)
    if request.method == "POST":
        if not form.is_valid():
            return respond_invalid(request, "permissions/circles.html", "", form, context)
        made = actions.make_circle(by=viewer, name=form.cleaned_data["name"], members=[])
        return redirect("permissions:circle", made.key)
    return render_page(request, "permissions/circles.html", {**context, "form": form})


def _circle(viewer: Person, key: UUID) -> Circle:
    return get_object_or_404(queries.circles_for(viewer), key=key)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def circle(request: HttpRequest, key: UUID) -> HttpResponse:
    """One circle: who is in it; its maker adds colleagues here."""
    viewer = _person(request)
    found = _circle(viewer, key)
    may_manage = rules.may_manage_circle(viewer, found)
    members = found.members.select_related("person").order_by("person__family_name", "pk")
    context = {"circle": found, "members": members, "may_manage": may_manage}
    form = MemberForm(request.POST or None, viewer=viewer)
    if request.method == "POST":
        if not may_manage:
            raise Http404
        if not form.is_valid() or form.person is None:
            return respond_invalid(request, "permissions/circle.html", "", form, context)
        actions.add_to_circle(by=viewer, circle=found, person=form.person)
        return redirect("permissions:circle", found.key)
    return render_page(request, "permissions/circle.html", {**context, "form": form})


@login_required
@require_POST
def leave_circle(request: HttpRequest, key: UUID, person_key: UUID) -> HttpResponse:
    """Leave a circle, or be taken out by its maker."""
    viewer = _person(request)
    found = _circle(viewer, key)
    member = get_object_or_404(found.members, person__key=person_key)
    if member.person_id != viewer.pk and not rules.may_manage_circle(viewer, found):
        raise Http404
    actions.leave_circle(by=viewer, circle=found, person=member.person)
    return redirect("permissions:circles") if member.person_id == viewer.pk else redirect("permissions:circle", key)


@login_required
@require_safe
def sections(request: HttpRequest) -> HttpResponseBase:
    """Sections whose families' answers the viewer keeps."""
    found = queries.consent_sections_for(_person(request)).annotate(newest=Max("terms__begins_on"))
    found = found.order_by(F("newest").desc(nulls_last=True), "school__name", "title", "pk")
    if not found.exists() and not queries.keeps_consent(request.user):
        raise Http404
    if wants_csv(request):
        rows = ((each.title, each.school) for each in found.select_related("school").iterator())
        return csv_response("consent-sections", [_("Section"), _("School")], rows)
    return render_page(request, "permissions/sections.html", {"sections": found[:200]})


@login_required
@require_safe
def section(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The answers of one section's families, as a page or as CSV."""
    viewer = _person(request)
    found = get_object_or_404(queries.consent_sections_for(viewer), pk=pk)
    answers = queries.consents_in(found)
    if wants_csv(request):
        rows = ((student.full_name, answer) for student, answer in answers.students)
        return csv_response("consent.csv", [_("Student"), _("Answer")], rows)
    return render_page(request, "permissions/section.html", _section_context(found))


def _section_context(section: Section) -> dict[str, object]:
    return {
        "section": section,
        "answers": queries.consents_in(section),
        "choices": Consent.Answer.choices,
        "shown_as": {**dict(Consent.Answer.choices), "unknown": _("unknown, counts as no")},
    }


@login_required
@require_POST
def answer(request: HttpRequest, pk: int, student_key: UUID) -> HttpResponse:
    """Write one family's answer down."""
    viewer = _person(request)
    found = get_object_or_404(queries.consent_sections_for(viewer), pk=pk)
    student = get_object_or_404(people.students_of(found), key=student_key)
    form = ConsentForm(request.POST)
    if not form.is_valid():
        return respond_invalid(request, "permissions/section.html", "", form, _section_context(found))
    actions.record_consent(by=viewer, student=student, **form.cleaned_data)
    messages.success(request, _("Noted for %(name)s.") % {"name": student.first_name})
    return redirect("permissions:section", found.pk)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def policy(request: HttpRequest) -> HttpResponse:
    """The district's policy: everybody reads it; administrators make its next version."""
    viewer = _person(request)
    district = people.district_of(viewer)
    if district is None:
        raise Http404
    may_set = people.is_in(viewer, district, Role.ADMINISTRATOR)
    in_force = queries.policy_of(district)
    choices = {**queries.POLICY_DEFAULTS, **in_force.settings}
    context = {"district": district, "in_force": in_force, "may_set": may_set, "chosen": choices}
    form = PolicyForm(request.POST or None, initial=choices)
    if request.method == "POST":
        if not may_set:
            raise Http404
        if not form.is_valid():
            return respond_invalid(request, "permissions/policy.html", "", form, context)
        actions.set_policy(by=viewer, organization=district, settings=form.cleaned_data)
        messages.success(request, _("The policy has a new version. What was recorded before stays under the old one."))
        return redirect("permissions:policy")
    return render_page(request, "permissions/policy.html", {**context, "form": form})


def _administers(viewer: Person) -> bool:
    return any(held.role == Role.ADMINISTRATOR for held in people.memberships_of(viewer))


@login_required
@require_safe
def glass_requests(request: HttpRequest) -> HttpResponse:
    """Requests to open somebody's thing: those that wait for the viewer's second word, and her own."""
    viewer = _person(request)
    if not _administers(viewer):
        raise Http404
    own = BreakGlass.objects.filter(models.Q(asked_by=viewer) | models.Q(approved_by=viewer)).select_related("owner")
    rows = [(each, queries.opened_page(each)) for each in own[:50]]
    if address := request.GET.get("address", ""):
        named = queries.named_by(address)
        _thing, owner = queries.thing_by_key(*named) if named else (None, None)
        if named and owner and rules.may_break_glass(viewer, owner):
            return redirect("permissions:ask_glass", *named)
    context = {"waiting": queries.break_glass_requests_for(viewer), "own": rows, "address": address}
    return render_page(request, "permissions/glass_requests.html", context)


@login_required
@require_POST
def answer_glass(request: HttpRequest, pk: int) -> HttpResponse:
    """The second administrator's word: approve or refuse."""
    viewer = _person(request)
    found = get_object_or_404(BreakGlass.objects.select_related("owner"), pk=pk)
    if not rules.may_answer_break_glass(viewer, found):
        raise Http404
    if request.POST.get("word") == "approve":
        actions.approve_break_glass(by=viewer, request=found)
        messages.success(request, _("Open for four hours to the two of you. The owner has been told."))
    else:
        actions.refuse_break_glass(by=viewer, request=found)
    return redirect("permissions:glass_requests")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def ask_glass(request: HttpRequest, kind: str, key: UUID) -> HttpResponse:
    """Ask to open somebody's thing, by its kind and key as a safeguarding report names them."""
    viewer = _person(request)
    thing, owner = queries.thing_by_key(kind, key)
    if thing is None or owner is None or not rules.may_break_glass(viewer, owner):
        raise Http404
    form = BreakGlassForm(request.POST or None)
    context = {"owner": owner, "kind": kind}
    if request.method == "POST":
        if not form.is_valid():
            return respond_invalid(request, "permissions/ask_glass.html", "", form, context)
        try:
            actions.ask_break_glass(by=viewer, about=thing, owner=owner, reason=form.cleaned_data["reason"])
        except ValidationError as error:
            form.add_error("reason", error)
            return respond_invalid(request, "permissions/ask_glass.html", "", form, context)
        messages.success(request, _("Asked. A second administrator must agree; the owner has been told."))
        return redirect("permissions:glass_requests")
    return render_page(request, "permissions/ask_glass.html", {**context, "form": form})
