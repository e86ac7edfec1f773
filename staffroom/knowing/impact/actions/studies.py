"""Asking a question as a study: draft it, register it, close it with the decision that was taken."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.module_loading import import_string
from django.utils.text import slugify
from django.utils.translation import gettext as _

from staffroom.jobs.actions import later
from staffroom.jobs.models import Job
from staffroom.knowing.impact import queries, rules
from staffroom.knowing.impact.models import Lottery, Study, StudyVersion
from staffroom.knowing.impact.models.studies import canonical, fingerprint
from staffroom.people.models import Organization, Person
from staffroom.records.actions import record
from staffroom.records.models import Activity, Instrument
from staffroom.records.vocabulary import verbs


@transaction.atomic
def start_study(
    *,
    by: Person,
    organization: Organization,
    activities: Iterable[Activity],
    schools: Iterable[Organization] = (),
    **fields: Any,
) -> Study:
    """Draft a study. Nothing is frozen yet. Refuses (PermissionDenied) who may not ask for the organization."""
    if not rules.may_run_studies(by, organization):
        raise PermissionDenied
    made = Study(organization=organization, created_by=by, **fields)
    made.slug = f"{slugify(made.name)[:70] or 'study'}-{made.key.hex[:5]}"
    _keep(made, activities, schools)
    record(by=by, verb=verbs.CREATED, object=made, organization=organization)
    return made


@transaction.atomic
def change_study(
    *, by: Person, study: Study, activities: Iterable[Activity], schools: Iterable[Organization] = (), **fields: Any
) -> Study:
    """Change the draft; versions that were registered stay as they are."""
    locked = _mine(by, study)
    for name, value in fields.items():
        setattr(locked, name, value)
    _keep(locked, activities, schools)
    record(by=by, verb=verbs.EDITED, object=locked, organization=locked.organization)
    return locked


def _keep(study: Study, activities: Iterable[Activity], schools: Iterable[Organization]) -> None:
    chosen = list(activities)
    if not chosen:
        raise ValidationError({"activities": [_("Choose the activity that you ask about.")]})
    if study.instrument.is_evaluation:
        raise ValidationError({"instrument": [_("Results of evaluation are not used to study growth.")]})
    study.full_clean(exclude=["lottery"])
    study.save()
    study.activities.set(chosen)
    study.schools.set(schools)


def _mine(by: Person, study: Study) -> Study:
    """The study, locked, if somebody may run it and it is not closed."""
    locked = Study.objects.select_for_update().select_related(None).get(pk=study.pk)
    if not rules.may_run_study(by, locked):
        raise PermissionDenied
    if locked.end:
        raise ValidationError(_("This study is closed. Ask anew as another study."))
    return locked


@transaction.atomic
def register_study(*, by: Person, study: Study, reason: str = "") -> StudyVersion:
    """Freeze, hash and date what the draft says: the first version, or a further one whose `reason` says what changed and why.

    The hash stands in the activity ledger too. Whether it came before the results is never typed: `queries.is_registered` computes it.
    Refuses (ValidationError) a version that says nothing new, and a further one without a reason.
    """
    locked = _mine(by, study)
    latest = locked.versions.order_by("-number").first()
    if latest is not None and not queries.has_changed(locked, latest):
        raise ValidationError(_("Nothing has changed since it was registered."))
    if latest is not None and not reason.strip():
        raise ValidationError({"reason": [_("Say what changed, and why.")]})
    number = latest.number + 1 if latest else 1
    text = canonical(queries.protocol_of(locked, number, latest.sha256 if latest else ""))
    made = StudyVersion.objects.create(
        study=locked, number=number, text=text, sha256=fingerprint(text), reason=reason.strip(), registered_by=by
    )
    said = {"response": f"version {number} sha256 {made.sha256}"}
    record(by=by, verb=verbs.REGISTERED, object=locked, organization=locked.organization, result=said)
    want_answer(by=by, study=locked)
    return made


@transaction.atomic
def close_study(*, by: Person, study: Study, end: str, decision_taken: str) -> Study:
    """Close a study with the decision that was taken, or withdraw it with the reason. What was registered stays to be seen."""
    locked = _mine(by, study)
    if end not in Study.End.values:
        raise ValidationError({"end": [_("Say whether it is decided or withdrawn.")]})
    if not decision_taken.strip():
        raise ValidationError({"decision_taken": [_("Say what was decided, or why it is withdrawn.")]})
    locked.end, locked.decision_taken = end, decision_taken.strip()
    locked.ended_at, locked.ended_by = timezone.now(), by
    locked.save(update_fields=["end", "decision_taken", "ended_at", "ended_by"])
    verb = verbs.COMPLETED if end == Study.End.DECIDED else verbs.CANCELED
    record(by=by, verb=verb, object=locked, organization=locked.organization)
    return locked


@transaction.atomic
def start_study_of_lottery(*, by: Person, lottery: Lottery, instrument: Instrument) -> Study:
    """Draft the study that a lottery makes possible: those drawn first against those who wait, until the second wave begins.

    Who was drawn counts, whether they came or not (intention to treat); the draft needs nothing but to be registered.
    """
    if not lottery.announced_at:
        raise ValidationError(_("Announce the lottery first."))
    known = lottery.studies.filter(end="").first()
    if known is not None:
        return known
    days = [wave.begins_on for wave in lottery.waves.order_by("number")]
    until = days[1] - timedelta(days=1) if len(days) > 1 else days[0] + timedelta(days=365)
    name = _("Does %(activity)s work? Those drawn first against those who wait") % {"activity": lottery.activity.name}
    return start_study(
        by=by, organization=lottery.organization, activities=[lottery.activity], name=name[:200], instrument=instrument,
        decision=_("Whether to offer %(activity)s to everybody, and to pay for it.") % {"activity": lottery.activity.name},
        outcomes_from=days[0], outcomes_until=until, lottery=lottery, estimator=Study.Estimator.BY_DATA,
    )  # fmt: skip


def want_answer(*, by: Person | None, study: Study) -> Job:
    """Have the answers to a study's versions computed by a worker, unless that is under way already. Returns the job."""
    running = queries.running_study_job(study)
    if running is not None and not running.is_finished:
        return running
    # Tasks call actions, so actions know them by name only.
    task = import_string("staffroom.knowing.impact.tasks.answer_study")
    return later(task, by=by, about=study, label=study.name, retries=3, study_id=study.pk)
