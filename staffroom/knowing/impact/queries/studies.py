"""Reads about studies: those of a viewer, what a draft says as a protocol, whether results were there first, and what differs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Prefetch, Q, QuerySet
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from staffroom.jobs.models import Job
from staffroom.jobs.queries import jobs_about
from staffroom.knowing.impact import rules
from staffroom.knowing.impact.models import Study, StudyAnswer, StudyVersion
from staffroom.people.models import Organization
from staffroom.records.models import Activity, Instrument, Outcome

STUDY_JOB = "knowing.impact.answer_study"
FORMAT = "staffroom-study-1"
WITH_RULE = "staffroom-study-2"
"""Of protocols that say more than the first format could: by which rule the activity is offered, how many are meant to take part."""


def studies_for(viewer: object) -> QuerySet[Study]:
    """Studies around the viewer's organizations, newest first, with their versions and answers."""
    found = Study.objects.filter(rules.studies_seeable_by(viewer)).select_related("organization", "instrument")
    versions = StudyVersion.objects.select_related("answer").order_by("number")
    return found.prefetch_related("activities", Prefetch("versions", queryset=versions)).order_by("-created_at", "-pk")


def study_named(viewer: object, slug: str) -> Study | None:
    """The study of an address, if the viewer may know of it."""
    return studies_for(viewer).filter(slug=slug).select_related("lottery", "rule_instrument").first()


def places_for_studies(viewer: object) -> QuerySet[Organization]:
    """Organizations for which the viewer may ask, from the top."""
    return Organization.objects.filter(rules.studies_runnable_at(viewer)).order_by("path")


def instruments_for_studies(viewer: object) -> QuerySet[Instrument]:
    """Instruments of organizations around the viewer's; none of evaluation, for growth never meets it."""
    around = Instrument.objects.filter(rules.what_works_seeable_by(viewer), is_evaluation=False)
    return around.order_by("name", "pk")


def activities_for_studies(viewer: object) -> QuerySet[Activity]:
    return (
        Activity.objects.filter(rules.what_works_seeable_by(viewer))
        .select_related("organization")
        .order_by("name", "pk")
    )


def protocol_of(study: Study, number: int, previous: str) -> dict[str, Any]:
    """All that is fixed by registering, by keys that stay and names that people read. `previous`: hash of the version before.

    What a study does not say is not in it: so a protocol of before is word for word what it was.
    """
    lottery, more = study.lottery, _further(study)
    return {
        "format": WITH_RULE if more else FORMAT,
        "study": str(study.key),
        "version": number,
        "previous_sha256": previous,
        "question": study.name,
        "decision": study.decision,
        "activities": _named(study.activities.all()),
        "outcome": {
            "key": str(study.instrument.key), "name": study.instrument.name, "subject": study.instrument.subject,
            "is_higher_better": study.instrument.is_higher_better,
        },
        "who": {
            "organization": {"key": str(study.organization.key), "name": study.organization.name},
            "role": "teacher",
            "schools": _named(study.schools.all()),
        },
        "when": {"from": study.outcomes_from.isoformat(), "until": study.outcomes_until.isoformat()},
        "smallest_effect_sd": study.smallest_effect,
        "estimate": {"estimator": study.estimator, "controls": study.controls, "confidence": 0.95},
        "subgroups": study.subgroups,
        "lottery": {"key": str(lottery.key), "list_sha256": lottery.list_sha256} if lottery else None,
        **more,
    }  # fmt: skip


def _further(study: Study) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if study.rule:
        instrument = study.rule_instrument
        found["rule"] = {
            "by": study.rule, "instrument": _named([instrument])[0] if instrument else None, "cutoff": study.cutoff,
            "offered": study.offered, "schools": study.school_numbers,
        }  # fmt: skip
    if study.planned_share is not None:
        found["planned_share_percent"] = study.planned_share
    return found


def _named(things: Iterable[Any]) -> list[dict[str, str]]:
    return sorted(({"key": str(each.key), "name": each.name} for each in things), key=lambda each: each["key"])


# --- Registered before results were there? -------------------------------------------------------------------------------------


def first_result(place: Organization, instrument_key: str, begins: date, ends: date) -> datetime | None:
    """When the first result of an instrument in a stretch of time entered the ledger, voided ones too: they were seen."""
    inside = Q(school__path__startswith=place.path) | Q(organization__path__startswith=place.path)
    found = Outcome.objects.filter(
        inside, instrument__key=instrument_key, term__ends_on__gte=begins, term__begins_on__lte=ends
    )
    return found.order_by("stored_at").values_list("stored_at", flat=True).first()


def first_result_of(version: StudyVersion) -> datetime | None:
    """When the first result that a version is about entered the ledger."""
    said = version.protocol
    begins, ends = (date.fromisoformat(said["when"][name]) for name in ("from", "until"))
    return first_result(version.study.organization, said["outcome"]["key"], begins, ends)


def is_registered(version: StudyVersion) -> bool:
    """Whether no result that the version is about was in the ledger when it was registered, and its text is as it was."""
    first = first_result_of(version)
    return version.is_intact and (first is None or first > version.registered_at)


# --- Versions ------------------------------------------------------------------------------------------------------------------

PARTS = {
    "question": gettext_noop("Question"),
    "decision": gettext_noop("Decision that hangs on it"),
    "activities": gettext_noop("Activity"),
    "outcome": gettext_noop("Measured by"),
    "who": gettext_noop("Who"),
    "when": gettext_noop("When"),
    "smallest_effect_sd": gettext_noop("Smallest effect that would matter"),
    "estimate": gettext_noop("How it is estimated"),
    "subgroups": gettext_noop("For whom it may differ"),
    "lottery": gettext_noop("Lottery"),
    "rule": gettext_noop("Who is offered it"),
    "planned_share_percent": gettext_noop("Meant to take part"),
}


@dataclass(frozen=True)
class Difference:
    """A part of a protocol that two versions say differently."""

    part: str
    before: str
    after: str


def differences(before: dict[str, Any], after: dict[str, Any]) -> list[Difference]:
    """What differs between two protocols, part by part, in words."""
    return [
        Difference(_(name), in_words(part, before.get(part)), in_words(part, after.get(part)))
        for part, name in PARTS.items()
        if before.get(part) != after.get(part)
    ]


def in_words(part: str, value: Any) -> str:
    """A part of a protocol as people read it; nothing of what it does not say."""
    if part in ("rule", "planned_share_percent"):
        return _further_in_words(part, value)
    if part == "activities":
        return ", ".join(each["name"] for each in value)
    if part == "outcome":
        return str(value["name"])
    if part == "who":
        schools = ", ".join(each["name"] for each in value["schools"]) or _("all schools")
        return _("teachers of %(place)s: %(schools)s") % {"place": value["organization"]["name"], "schools": schools}
    if part == "when":
        days = {name: date_format(date.fromisoformat(day)) for name, day in value.items()}
        return _("results from %(from)s until %(until)s") % days
    if part == "estimate":
        estimator = Study.Estimator(value["estimator"]).label
        return f"{estimator}; {_('compared with')} {Study.Controls(value['controls']).label}"
    if part == "subgroups":
        return "; ".join(_subgroup(name, each) for name, each in sorted(value.items()) if each) or _("nobody was named")
    if part == "smallest_effect_sd":
        return _("%(effect).2f SD") % {"effect": value}
    if part == "lottery":
        return _("drawn by lot") if value else _("none")
    return str(value)


def _further_in_words(part: str, value: Any) -> str:
    if value is None:
        return _("not stated")
    if part == "planned_share_percent":
        return _("%(share)d of a hundred teachers") % {"share": value}
    by = {
        Study.Rule.STUDENTS: _("teachers whose students scored %(side)s %(cutoff)s on average in the term before (%(instrument)s)"),
        Study.Rule.TEACHER: _("teachers with a result %(side)s %(cutoff)s in the term before (%(instrument)s)"),
        Study.Rule.SCHOOLS: _("teachers of schools with a number %(side)s %(cutoff)s (%(schools)s)"),
    }  # fmt: skip
    side = _("of at least") if value["offered"] == Study.Side.ABOVE else _("below")
    return by[value["by"]] % {
        "side": side, "cutoff": f"{value['cutoff']:g}", "instrument": (value["instrument"] or {}).get("name", ""),
        "schools": ", ".join(f"{each['name']} {each['number']:g}" for each in value["schools"]),
    }  # fmt: skip


def _subgroup(name: str, value: Any) -> str:
    if name == "by_earlier_results":
        return _("by how their students scored before")
    return "; ".join(
        f"{label} ({', '.join(each['name'] for each in schools)})" for label, schools in sorted(value.items())
    )


def has_changed(study: Study, latest: StudyVersion | None) -> bool:
    """Whether the draft says anything that the latest version does not."""
    if latest is None:
        return True
    said = latest.protocol
    return protocol_of(study, latest.number, said["previous_sha256"]) != said


def answer_of(version: StudyVersion) -> StudyAnswer | None:
    return StudyAnswer.objects.filter(version=version).first()


def running_study_job(study: Study) -> Job | None:
    """The computation that waits or runs, or has failed last."""
    latest = jobs_about(study).filter(kind=STUDY_JOB).first()
    return None if latest is None or latest.state == Job.State.DONE else latest
