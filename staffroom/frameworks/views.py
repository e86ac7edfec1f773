"""Pages of frameworks: the list, one version as a tree, the import."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from staffroom.frameworks import actions, queries, rules
from staffroom.frameworks.forms import ImportForm
from staffroom.frameworks.models import Framework, FrameworkVersion
from staffroom.frameworks.outlines import BadFramework
from staffroom.people.models import Person
from staffroom.ui.csv import csv_response, wants_csv
from staffroom.ui.pages import render_page, respond_invalid

SHOWN_PROBLEMS = 100


def _person(request: HttpRequest) -> Person:
    assert isinstance(request.user, Person)
    return request.user


@login_required
@require_GET
def list_frameworks(request: HttpRequest) -> HttpResponseBase:
    """The frameworks that one can tag with."""
    viewer = _person(request)
    frameworks = [
        each
        for each in queries.frameworks_for(viewer)
        if vars(each)["newest_number"] or rules.may_publish(viewer, each)
    ]
    if wants_csv(request):
        rows = ((each.title, each.organization or _("everyone"), vars(each)["newest_number"]) for each in frameworks)
        return csv_response("frameworks", [_("Framework"), _("For"), _("Version")], rows)
    context = {"frameworks": frameworks, "may_import": queries.homes_for_import(viewer).exists()}
    return render_page(request, "frameworks/list.html", context)


def _framework(request: HttpRequest, slug: str) -> Framework:
    found = queries.framework_for(_person(request), slug)
    if found is None:
        raise Http404
    return found


def _version(request: HttpRequest, framework: Framework, number: int | None) -> FrameworkVersion:
    versions = queries.versions_for(_person(request), framework)
    found = versions.filter(number=number).first() if number is not None else None
    if number is None:
        found = versions.filter(published_at__isnull=False).first() or versions.first()
    if found is None:
        raise Http404
    return found


@login_required
@require_GET
def show_framework(request: HttpRequest, slug: str, number: int | None = None) -> HttpResponseBase:
    """One version as a tree; the newest published one, unless another is asked for."""
    framework = _framework(request, slug)
    version = _version(request, framework, number)
    tree = queries.tree_of(version)
    if wants_csv(request):
        header = ["identifier", "code", "parent", "kind", "title", "statement"]
        names = {element.pk: element.identifier for _depth, element in tree}
        rows = (
            (each.identifier, each.code, names.get(each.parent_id or 0, ""), each.kind, each.title, each.statement)
            for _depth, each in tree
        )
        return csv_response(f"{framework.slug}-{version.number}.csv", header, rows)
    context = {
        "framework": framework,
        "version": version,
        "tree": tree,
        "versions": queries.versions_for(_person(request), framework),
        "may_publish": rules.may_publish(_person(request), framework) and version.published_at is None,
    }
    return render_page(request, "frameworks/framework.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def import_framework(request: HttpRequest) -> HttpResponse:
    """Bring a framework in; every bad row is named and nothing is kept of a file that has one."""
    viewer = _person(request)
    if not queries.homes_for_import(viewer).exists():
        raise Http404
    form = ImportForm(request.POST or None, request.FILES or None, by=viewer)
    context: dict[str, Any] = {"form": form}
    if request.method == "POST":
        if form.is_valid():
            try:
                version = _take_in(viewer, form.cleaned_data)
            except BadFramework as refused:
                form.add_error(
                    "file",
                    ngettext(
                        "%(count)s place needs to be put right. Nothing was taken in.",
                        "%(count)s places need to be put right. Nothing was taken in.",
                        len(refused.problems),
                    )
                    % {"count": len(refused.problems)},
                )
                context["problems"] = refused.problems[:SHOWN_PROBLEMS]
            else:
                messages.success(request, _("Taken in. Look it through, then publish it."))
                return redirect("frameworks:version", slug=version.framework.slug, number=version.number)
        return respond_invalid(request, "frameworks/import.html", "", form, context)
    return render_page(request, "frameworks/import.html", context)


def _take_in(viewer: Person, cleaned: dict[str, Any]) -> FrameworkVersion:
    organization = cleaned["organization"]
    if "document" in cleaned:
        return actions.import_case(by=viewer, organization=organization, document=cleaned["document"])
    return actions.import_csv(
        by=viewer, organization=organization, text=cleaned["text"], title=cleaned["title"], label=cleaned["label"]
    )


@login_required
@require_POST
def publish(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Freeze a version, so that people can tag with it."""
    framework = _framework(request, slug)
    if not rules.may_publish(_person(request), framework):
        raise Http404
    actions.publish(by=_person(request), version=_version(request, framework, number))
    messages.success(request, _("Published. This version will never change; a changed file makes the next one."))
    return redirect("frameworks:version", slug=slug, number=number)
