"""What came out of a study: as a page, as pictures, on paper, and word for word for programs."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils.csp import CSP
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.views.decorators.csp import csp_override
from django.views.decorators.http import require_safe

from staffroom.knowing.impact import actions, queries
from staffroom.knowing.impact.models import Study, StudyVersion
from staffroom.knowing.impact.showing import Result, pictures_of
from staffroom.knowing.impact.views.doors import address_of, picture_file
from staffroom.knowing.impact.views.remembering import remembered
from staffroom.knowing.impact.views.studies import study_of
from staffroom.records.rules import may_keep_records
from staffroom.ui.pages import render_page


def _version(request: HttpRequest, found: Study) -> StudyVersion:
    """The version that is asked for, or the latest; 404 where it has no answer yet."""
    wanted = request.GET.get("version", "")
    answered = [each for each in found.versions.all() if hasattr(each, "answer")]
    chosen = [each for each in answered if not wanted or str(each.number) == wanted]
    if not chosen:
        raise Http404
    return chosen[-1]


def result_of(viewer: object, version: StudyVersion) -> Result:
    """The answer to a version with its words and pictures."""
    kept = version.answer.result
    return Result(
        kept["answer"], title=version.protocol["question"], is_higher_better=kept["is_higher_better"],
        names=queries.school_names(viewer, version.study.organization), terms=[term["name"] for term in kept["terms"]],
    )  # fmt: skip


@login_required
@require_safe
def result(request: HttpRequest, slug: str) -> HttpResponse:
    """What came out of a version, the sentence first."""
    found = study_of(request, slug)
    version = _version(request, found)
    shown = result_of(request.user, version)
    context = {
        "study": found, "version": version, "answer": version.answer, "result": shown, "measures": shown.measures,
        "instrument": found.instrument, "body": _body(found, version, shown), "query": f"?version={version.number}",
        "may_keep": may_keep_records(request.user, found.organization),
    }  # fmt: skip
    return render_page(request, "impact/studies/result.html", context)


def _body(found: Study, version: StudyVersion, shown: Result) -> SafeString:
    """All that follows from the answer alone."""

    def address(name: str, kind: str) -> str:
        return f"{reverse('studies:picture', args=[found.slug, name, kind])}?version={version.number}"

    records = _records(found, version)
    told = [found.slug, version.pk, shown.title, version.answer.result, sorted(shown.names.items()), records]
    return remembered(
        "impact/parts/result.html", told, lambda: {"result": shown, "pictures": pictures_of(shown, address, records)}
    )


def _records(found: Study, version: StudyVersion) -> dict[str, str]:
    """Where the entries behind a picture are, of a study of one activity: on the pages of that activity."""
    keys = [UUID(each["key"]) for each in version.protocol["activities"]]
    asked = list(found.activities.filter(key__in=keys).select_related("organization")[:2])
    if len(asked) != 1:
        return {}
    at = {"at": asked[0].organization.slug}
    page = address_of("impact:activity", asked[0], **at)
    return {
        "attendance": address_of("impact:entries", asked[0], **at), "results": f"{page}#outcomes", "costs": f"{page}#costs",
    }  # fmt: skip


@login_required
@require_safe
def picture(request: HttpRequest, slug: str, name: str, kind: str) -> HttpResponse:
    """One picture as a file."""
    found = study_of(request, slug)
    return picture_file(result_of(request.user, _version(request, found)), found.slug, name, kind)


@login_required
@require_safe
@csp_override({"default-src": [CSP.NONE], "style-src": [CSP.UNSAFE_INLINE], "frame-ancestors": [CSP.NONE]})
def report(request: HttpRequest, slug: str) -> HttpResponse:
    """All of it on paper: a page of its own that fetches nothing and runs nothing."""
    found = study_of(request, slug)
    shown = result_of(request.user, _version(request, found))
    return HttpResponse(
        shown.report(subtitle=f"{found.organization} · {found.instrument}", language=get_language() or "en")
    )


@login_required
@require_safe
def files(request: HttpRequest, slug: str) -> HttpResponse:
    """What an answer was computed from, for the command; for those who keep the records of all whose results are in it."""
    found = study_of(request, slug)
    if not may_keep_records(request.user, found.organization):
        raise Http404
    version = _version(request, found)
    answer = json.dumps(result_of(request.user, version).answer, indent=2)
    content = actions.version_as_files(version=version, answer=answer)
    if content is None:
        raise Http404
    response = HttpResponse(content, content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="{found.slug}-{version.number}.zip"'
    return response


@login_required
@require_safe
def protocol(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """A registered version word for word: the text whose SHA-256 was published."""
    version = next((each for each in study_of(request, slug).versions.all() if each.number == number), None)
    if version is None:
        raise Http404
    response = HttpResponse(version.text, content_type="application/json; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{slug}-{number}.json"'
    return response


@login_required
@require_safe
def study_json(request: HttpRequest, slug: str) -> HttpResponse:
    """Everything that is known of a study, for programs."""
    return JsonResponse(as_json(request.user, study_of(request, slug)))


def as_json(viewer: object, found: Study) -> dict[str, Any]:
    """A study with its versions and their answers; schools by name for those who may see them, else by number."""
    return {
        "slug": found.slug, "question": found.name, "organization": found.organization.slug, "end": found.end,
        "decision_taken": found.decision_taken,
        "versions": [
            {"number": each.number, "sha256": each.sha256, "registered_at": each.registered_at.isoformat(), "reason": each.reason,
             "protocol": each.protocol, "is_registered_before_results": queries.is_registered(each),
             "result": {**each.answer.result, "answer": result_of(viewer, each).answer} if hasattr(each, "answer") else None}
            for each in found.versions.all()
        ],
    }  # fmt: skip
