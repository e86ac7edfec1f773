"""Evidence of one's own and of others, side by side and pooled. For those who may see what works."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from typing import Any

from django.db.models import QuerySet

from staffroom.knowing.impact.models import Calibration, Estimate, Evidence
from staffroom.knowing.impact.queries.answers import activities_for
from staffroom.knowing.studies import Refused, bundles
from staffroom.people.models import Organization
from staffroom.records.models import Activity, Instrument


def evidence_about(viewer: object, activity: Activity) -> QuerySet[Evidence]:
    """What other organizations found about an activity, by their names; nothing for those who may not see what works."""
    return Evidence.objects.filter(activity__in=activities_for(viewer).filter(pk=activity.pk).values("pk"))


def own_estimates(activity: Activity) -> list[Estimate]:
    """One's own estimates that could be told to others, tests first."""
    found = Estimate.objects.filter(activity=activity).select_related("instrument", "organization", "activity")
    whole = [each for each in found if ((each.result.get("answer") or {}).get("effect") or {}).get("se")]
    return sorted(whole, key=lambda each: (each.instrument.kind != "test", each.instrument.name))


def bundle_of(estimate: Estimate, *, practice_version: str = "") -> dict[str, Any]:
    """The unsigned bundle of an estimate. Raises Refused where nothing may be told."""
    protocol = {"outcome": estimate.instrument.name, "estimator": estimate.result["answer"]["estimator"]}
    return bundles.bundle_of(
        estimate.result["answer"], organization=estimate.organization.name, activity=estimate.activity.name,
        outcome=estimate.instrument.name, practice_version=practice_version, input_hash=estimate.input_sha256,
        protocol_hash=hashlib.sha256(bundles.canonical(protocol)).hexdigest(),
    )  # fmt: skip


def pooled(activity: Activity, estimate: Estimate | None, others: list[Evidence]) -> dict[str, Any] | None:
    """One's own estimate and those of others as one; None with fewer than two. Raises Refused for what cannot be pooled."""
    told = [(each.bundle, each.signer, each.source) for each in others]
    if estimate is not None:
        with suppress(Refused):
            told.insert(0, (bundle_of(estimate), "own", estimate.organization.name))
    return bundles.pool(told) if len(told) > 1 else None


def as_answer(found: dict[str, Any]) -> dict[str, Any]:
    """Pooled bundles in the shape of an answer, so that they are drawn as one: each bundle a site."""
    spread = found["replicability"]
    sites = [
        {"group": each["name"], "effect": _around(each["sd"], each["se"]), "n": {**each["n"], "results": None}, "hidden": False,
         "shrunken": {"sd": each["shrunken"]}, "leave_one_out": each["leave_one_out"]}
        for each in found["bundles"]
    ]  # fmt: skip
    known = {
        name: spread[name]
        for name in ("known", "prediction_low", "prediction_high", "probability_positive", "tau", "i2")
    }
    if not spread["known"]:
        known |= dict.fromkeys(("prediction_low", "prediction_high", "probability_positive"))
    return {
        "estimator": "pooled", "effect": found["effect"], "n": found["n"], "gates": [],
        # Together they are no surer than the weakest of them.
        "tier": max((each["tier"] for each in found["bundles"] if each["tier"] in (1, 2, 3, 4)), default=4),
        "replicability": {**known, "by": "site", "sites": len(sites), "pooled": found["effect"], "by_site": sites},
    }  # fmt: skip


def _around(sd: float, se: float) -> dict[str, float]:
    return {"sd": sd, "se": se, "low": sd - 1.96 * se, "high": sd + 1.96 * se}


def placebos_at(organization: Organization, instrument: Instrument) -> dict[str, Any]:
    """What made-up activities came out as on an organization's results, as a question takes it; empty if none were made yet."""
    found = Calibration.objects.filter(organization=organization, instrument=instrument).first()
    return {"placebo_rejections": found.rate, "placebo_draws": found.draws} if found else {}
