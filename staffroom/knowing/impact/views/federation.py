"""One study over several organizations by sums alone: the switch, the two rounds, and putting them together."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from staffroom.knowing.impact import federating, rules, wording
from staffroom.knowing.impact.actions import evidence as deeds
from staffroom.knowing.impact.forms.evidence import SumsForm, SwitchForm, TogetherForm
from staffroom.knowing.impact.models import SumSharing
from staffroom.knowing.impact.queries.answers import activities_for, instruments_for, scope_of
from staffroom.knowing.impact.views.doors import guarded
from staffroom.records.models import Activity
from staffroom.ui.pages import render_page, respond_invalid

LARGEST = 20_000_000
PAGE = "impact/evidence/together.html"


def _activity(request: HttpRequest, key: UUID) -> Activity:
    return get_object_or_404(activities_for(guarded(request)), key=key)


@login_required
@require_safe
def together(request: HttpRequest, key: UUID) -> HttpResponse:
    """What this is, whether it is switched on, and the two rounds."""
    return render_page(request, PAGE, _shown(request, _activity(request, key)))


def _shown(request: HttpRequest, found: Activity) -> dict[str, Any]:
    switch = SumSharing.objects.filter(activity=found).first()
    is_on = bool(switch and switch.is_on)
    return {
        "activity": found, "is_on": is_on, "may_hand_on": rules.may_hand_on_evidence(request.user, found.organization),
        "switch_form": SwitchForm(initial={"is_on": "yes" if is_on else "no"}),
        "sums_form": SumsForm(instruments=instruments_for(scope_of(found))), "together_form": TogetherForm(),
    }  # fmt: skip


def _handing_on(request: HttpRequest, key: UUID) -> Activity:
    found = _activity(request, key)
    if not rules.may_hand_on_evidence(request.user, found.organization):
        raise Http404
    return found


@login_required
@require_POST
def switch(request: HttpRequest, key: UUID) -> HttpResponse:
    """Say whether sums may leave."""
    found = _handing_on(request, key)
    form = SwitchForm(request.POST)
    if not form.is_valid():
        return respond_invalid(request, PAGE, "", form, _shown(request, found) | {"switch_form": form})
    deeds.switch_sums(by=guarded(request), activity=found, is_on=form.cleaned_data["is_on"])
    messages.success(request, _("Saved."))
    return redirect("evidence:together", found.key)


@login_required
@require_POST
def sums(request: HttpRequest, key: UUID) -> HttpResponse:
    """The sums of the first round, or with a fit those of the second, as a file."""
    found = _handing_on(request, key)
    form = SumsForm(request.POST, request.FILES, instruments=instruments_for(scope_of(found)))
    if form.is_valid():
        chosen = form.cleaned_data
        try:
            fit = _read(chosen["fit"]) if chosen["fit"] else None
            given = deeds.give_sums(by=guarded(request), activity=found, instrument=chosen["instrument"], fit=fit)
        except PermissionDenied:
            raise Http404 from None
        except ValidationError as problem:
            form.add_error("fit" if chosen["fit"] else None, problem)
        else:
            return _file(given, f"sums-{2 if chosen['fit'] else 1}-{found.slug}.json")
    return respond_invalid(request, PAGE, "", form, _shown(request, found) | {"sums_form": form})


@login_required
@require_POST
def join(request: HttpRequest, key: UUID) -> HttpResponse:
    """Put the files of all organizations together: to the common fit, or with all files to the result. Nothing is kept."""
    found = _activity(request, key)
    form = TogetherForm(request.POST, request.FILES)
    if form.is_valid():
        try:
            kind, value = _joined([_read(each) for each in form.cleaned_data["parts"]])
        except ValidationError as problem:
            form.add_error("parts", problem)
        else:
            if kind == "fit":
                return _file(value, f"fit-{found.slug}.json")
            shown = _shown(request, found) | {"result": value, "sentence": _sentence(value)}
            return render_page(request, PAGE, shown)
    return respond_invalid(request, PAGE, "", form, _shown(request, found) | {"together_form": form})


def _joined(read: Sequence[dict[str, Any]]) -> tuple[str, dict[str, Any]]:
    kinds: dict[str, list[dict[str, Any]]] = {"moments": [], "fit": [], "meat": []}
    for each in read:
        if each.get("kind") not in kinds:
            raise ValidationError(_("One of the files holds no sums."))
        kinds[each["kind"]].append(each)
    try:
        if not kinds["meat"]:
            return "fit", federating.joined(kinds["moments"])
        if len(kinds["fit"]) != 1:
            raise ValidationError(_("For the result, choose the one common fit as well."))
        return "result", federating.concluded(kinds["fit"][0], kinds["moments"], kinds["meat"])
    except (ValueError, TypeError, OverflowError) as error:
        raise ValidationError(_("They do not fit together: %(reason)s.") % {"reason": error}) from error


def _read(file: UploadedFile[Any]) -> dict[str, Any]:
    if (file.size or 0) > LARGEST:
        raise ValidationError(_("%(name)s is too large.") % {"name": file.name})
    try:
        read = json.loads(file.read().decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise ValidationError(_("%(name)s is not JSON.") % {"name": file.name}) from error
    if not isinstance(read, dict) or read.get("format") != federating.FORMAT:
        raise ValidationError(_("%(name)s holds no sums of this version.") % {"name": file.name})
    return read


def _file(value: dict[str, Any], name: str) -> HttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(json.dumps(value, allow_nan=False), content_type="application/json", headers=headers)


def _sentence(found: dict[str, Any]) -> str:
    return _("Over %(organizations)s organizations and %(schools)s schools the effect is %(sd)s SD (%(interval)s).") % {
        "organizations": found["organizations"], "schools": found["schools"], "sd": wording.signed(found["sd"]),
        "interval": wording.interval(found["low"], found["high"]),
    }  # fmt: skip
