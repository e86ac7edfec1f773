"""What other organizations found about an activity, pooled with one's own; and handing one's own on."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from staffroom.knowing.impact import rules, wording
from staffroom.knowing.impact.actions import evidence as deeds
from staffroom.knowing.impact.forms.evidence import BundleForm, HandOnForm
from staffroom.knowing.impact.models import Evidence
from staffroom.knowing.impact.queries import evidence as queries
from staffroom.knowing.impact.queries.answers import activities_for
from staffroom.knowing.impact.views.doors import guarded
from staffroom.knowing.pictures import drawn
from staffroom.knowing.studies import Refused
from staffroom.records.models import Activity
from staffroom.ui.csv import csv_response, wants_csv
from staffroom.ui.pages import render_page, respond_invalid


def _activity(request: HttpRequest, key: UUID) -> Activity:
    return get_object_or_404(activities_for(guarded(request)), key=key)


@login_required
@require_safe
def evidence(request: HttpRequest, key: UUID) -> HttpResponseBase:
    """Own and others' findings about an activity, pooled where there are two."""
    found = _activity(request, key)
    shown = _shown(request, found)
    if wants_csv(request):
        return csv_response(f"evidence-{found.slug}", shown["columns"], shown["rows"])
    return render_page(request, "impact/evidence/evidence.html", shown)


def _shown(request: HttpRequest, found: Activity) -> dict[str, Any]:
    viewer = request.user
    others = list(queries.evidence_about(viewer, found))
    estimates = queries.own_estimates(found)
    pooled, refusal = None, ""
    try:
        pooled = queries.pooled(found, estimates[0] if estimates else None, others)
    except Refused as refused:
        refusal = str(refused)
    picture = drawn(queries.as_answer(pooled), title=found.name, say=_).get("forest") if pooled else None
    return {
        "activity": found, "others": others, "pooled": pooled, "refusal": refusal, "picture": picture,
        "sentence": _sentence(pooled), "warnings": pooled["warnings"] if pooled else [],
        "columns": [_("Organization"), _("SD"), _("Error"), _("Teachers"), _("Students"), _("Tier"), _("Signed by")],
        "rows": [_row(each) for each in others], "form": BundleForm(),
        "hand_on": HandOnForm(estimates=estimates) if estimates and _may_hand_on(request, found) else None,
        "may_take_in": rules.may_take_in_evidence(viewer, found), "up_url": reverse("impact:activity", args=[found.slug]),
    }  # fmt: skip


def _may_hand_on(request: HttpRequest, found: Activity) -> bool:
    return rules.may_hand_on_evidence(request.user, found.organization)


def _sentence(pooled: dict[str, Any] | None) -> str:
    if pooled is None:
        return ""
    effect, spread = pooled["effect"], pooled["replicability"]
    told = {
        "count": spread["sites"], "sd": wording.signed(effect["sd"]), "interval": wording.interval(effect["low"], effect["high"]),
    }  # fmt: skip
    said = _("Over %(count)s organizations the effect is %(sd)s SD (%(interval)s).") % told
    if not spread["known"] or spread["prediction_low"] is None:
        return f"{said} {_('Two do not let anything be said of the next one.')}"
    ends = {"low": wording.signed(spread["prediction_low"]), "high": wording.signed(spread["prediction_high"])}
    return f"{said} {_('The next organization should expect between %(low)s and %(high)s SD.') % ends}"


def _row(each: Evidence) -> list[object]:
    effect, n = each.bundle["effect"], each.bundle["n"]
    tier = each.bundle.get("tier")
    return [
        each.source, f"{effect['sd']:+.3f}", f"{effect['se']:.3f}", n.get("teachers"), n.get("students"),
        wording.tier(tier) if tier in (1, 2, 3, 4) else "", each.signer or _("nobody"),
    ]  # fmt: skip


@login_required
@require_POST
def take_in(request: HttpRequest, key: UUID) -> HttpResponse:
    """Take in a bundle of another organization."""
    found = _activity(request, key)
    if not rules.may_take_in_evidence(request.user, found):
        raise Http404
    form = BundleForm(request.POST, request.FILES)
    if form.is_valid():
        file = form.cleaned_data["file"]
        try:
            deeds.take_in_bundle(by=guarded(request), activity=found, content=file.read(), name=file.name)
            messages.success(request, _("Taken in."))
            return redirect("evidence:evidence", found.key)
        except ValidationError as problem:
            form.add_error("file", problem)
    return respond_invalid(request, "impact/evidence/evidence.html", "", form, _shown(request, found) | {"form": form})


@login_required
@require_POST
def hand_on(request: HttpRequest, key: UUID) -> HttpResponse:
    """One's own estimate as a signed bundle."""
    found = _activity(request, key)
    if not _may_hand_on(request, found):
        raise Http404
    form = HandOnForm(request.POST, estimates=queries.own_estimates(found))
    if form.is_valid():
        chosen = form.cleaned_data
        try:
            bundle = deeds.export_bundle(
                by=guarded(request), estimate=chosen["estimate"], practice_version=chosen["practice_version"]
            )
        except PermissionDenied:
            raise Http404 from None
        except ValidationError as problem:
            form.add_error(None, problem)
        else:
            text = json.dumps(bundle, indent=2, ensure_ascii=False, allow_nan=False)
            named = {"Content-Disposition": f'attachment; filename="evidence-{found.slug}.json"'}
            return HttpResponse(text, content_type="application/json", headers=named)
    return respond_invalid(
        request, "impact/evidence/evidence.html", "", form, _shown(request, found) | {"hand_on": form}
    )


@login_required
@require_POST
def drop(request: HttpRequest, key: UUID, evidence: UUID) -> HttpResponse:
    """Take a bundle out again."""
    found = _activity(request, key)
    if not rules.may_take_in_evidence(request.user, found):
        raise Http404
    deeds.drop_evidence(
        by=guarded(request), evidence=get_object_or_404(queries.evidence_about(request.user, found), key=evidence)
    )
    messages.success(request, _("Removed."))
    return redirect("evidence:evidence", found.key)
