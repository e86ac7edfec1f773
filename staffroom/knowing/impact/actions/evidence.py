"""Telling other organizations what was found, and taking in what they found: signed bundles, no row and no name."""

from __future__ import annotations

import hashlib
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from staffroom.exchange.sealing import CannotOpen, seal, unseal
from staffroom.knowing.impact import federating, rules
from staffroom.knowing.impact.actions.calibrating import question_about
from staffroom.knowing.impact.models import Estimate, Evidence, EvidenceKey, SumSharing
from staffroom.knowing.impact.queries.evidence import bundle_of
from staffroom.knowing.studies import Refused, bundles
from staffroom.people.models import Organization, Person
from staffroom.records.actions import record
from staffroom.records.models import Activity, Instrument
from staffroom.records.vocabulary import verbs

MOST = 200


@transaction.atomic
def export_bundle(*, by: Person, estimate: Estimate, practice_version: str = "") -> dict[str, Any]:
    """The signed bundle of an estimate, to be handed to others. Administrators and district leaders of its organization only.

    Raises ValidationError where there is no effect with an error, or too few people stand behind it.
    """
    if not rules.may_hand_on_evidence(by, estimate.organization):
        raise PermissionDenied
    try:
        bundle = bundle_of(estimate, practice_version=practice_version)
    except Refused as refused:
        raise ValidationError(_("Nothing can be told to others: %(reason)s.") % {"reason": refused}) from refused
    record(by=by, verb=verbs.SHARED, object=estimate.activity)
    return bundles.signed(bundle, _key_of(estimate.organization))


def _key_of(organization: Organization) -> Ed25519PrivateKey:
    """The organization's key; made when it is first needed, and anew when the site's own key was changed."""
    known = EvidenceKey.objects.select_for_update().filter(organization=organization).first()
    if known is not None:
        try:
            return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(unseal(known.sealed)))
        except CannotOpen:
            known.delete()
    made = Ed25519PrivateKey.generate()
    public = hashlib.sha256(made.public_key().public_bytes_raw()).hexdigest()[:16]
    EvidenceKey.objects.create(
        organization=organization, sealed=seal(made.private_bytes_raw().hex()), fingerprint=public
    )
    return made


@transaction.atomic
def take_in_bundle(*, by: Person, activity: Activity, content: bytes, name: str) -> Evidence:
    """Take in a bundle of another organization as evidence about an activity of one's own. The same one twice is one.

    Raises ValidationError, and keeps nothing, for what is no bundle, was changed after it was signed, or is one's own.
    """
    if not rules.may_take_in_evidence(by, activity):
        raise PermissionDenied
    if len(content) > bundles.LARGEST:
        raise ValidationError(_("The file is too large for an evidence bundle."))
    try:
        bundle, signer = bundles.parsed(content, name)
    except Refused as refused:
        raise ValidationError(f"{refused}.") from refused
    own = EvidenceKey.objects.filter(organization__in=activity.organization.ancestor_pks)
    if signer and own.filter(fingerprint=signer).exists():
        raise ValidationError(_("This bundle is your own: it counts already."))
    sha256 = hashlib.sha256(bundles.canonical(bundle)).hexdigest()
    known = Evidence.objects.filter(activity=activity, sha256=sha256).first()
    if known is not None:
        return known
    if Evidence.objects.filter(activity=activity).count() >= MOST:
        raise ValidationError(_("There are 200 bundles already."))
    record(by=by, verb=verbs.IMPORTED, object=activity)
    return Evidence.objects.create(
        organization=activity.organization, activity=activity, source=str(bundle.get("organization") or name)[:200],
        bundle=bundle, sha256=sha256, signer=signer, taken_in_by=by,
    )  # fmt: skip


@transaction.atomic
def drop_evidence(*, by: Person, evidence: Evidence) -> None:
    """Take a bundle out again; it can be taken in anew."""
    if not rules.may_take_in_evidence(by, evidence.activity):
        raise PermissionDenied
    record(by=by, verb=verbs.REMOVED, object=evidence.activity)
    evidence.delete()


# --- Sums --------------------------------------------------------------------------------------------------------------------------


@transaction.atomic
def switch_sums(*, by: Person, activity: Activity, is_on: bool) -> SumSharing:
    """Say whether sums over at least five schools may leave the organization for an activity. District leaders and administrators."""
    if not rules.may_hand_on_evidence(by, activity.organization):
        raise PermissionDenied
    switch, _made = SumSharing.objects.update_or_create(
        activity=activity, defaults={"is_on": is_on, "switched_by": by, "switched_at": timezone.now()}
    )
    record(by=by, verb=verbs.SHARED if is_on else verbs.RETRACTED, object=activity)
    return switch


@transaction.atomic
def give_sums(
    *, by: Person, activity: Activity, instrument: Instrument, fit: dict[str, Any] | None = None
) -> dict[str, Any]:
    """The sums of the first round, or with a common fit those of the second. Refused while the switch is off.

    Raises ValidationError, in words, for what may not leave: a sum on fewer than five schools, another number of terms or groups.
    """
    if not rules.may_hand_on_evidence(by, activity.organization):
        raise PermissionDenied
    if not SumSharing.objects.filter(activity=activity, is_on=True).exists():
        raise ValidationError(_("Sums of this activity do not leave your organization: switch that on first."))
    found = question_about(activity, instrument)
    if found is None:
        raise ValidationError(_("There are no results of students with their teachers."))
    question, begins = found
    try:
        given = federating.sums(question, begins) if fit is None else federating.scores(question, begins, fit)
    except ValueError as error:
        raise ValidationError(_("Nothing is given: %(reason)s.") % {"reason": error}) from error
    record(by=by, verb=verbs.DOWNLOADED, object=activity)
    return given
