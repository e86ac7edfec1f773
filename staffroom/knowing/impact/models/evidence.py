"""Evidence between organizations: bundles that were taken in, the key by which one's own are signed, and whether sums may be shared."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from staffroom.people.models import Organization, Person
from staffroom.records.models import Activity, Instrument


class Evidence(models.Model):
    """A bundle of another organization: its effect with its error, sizes, checks and costs. No row and no name of a person."""

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="evidence")
    activity = models.ForeignKey(Activity, on_delete=models.CASCADE, related_name="evidence")
    source = models.CharField(max_length=200, blank=True)
    bundle = models.JSONField()
    sha256 = models.CharField(max_length=64)
    signer = models.CharField(
        max_length=64, blank=True, help_text=_("Fingerprint of the key that signed it; empty: nobody.")
    )
    taken_in_by = models.ForeignKey(
        Person, null=True, blank=True, on_delete=models.SET_NULL, related_name="evidence_taken_in"
    )
    taken_in_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name_plural = "evidence"
        ordering = ["source", "pk"]
        constraints = [models.UniqueConstraint(fields=["activity", "sha256"], name="evidence_once")]

    def __str__(self) -> str:
        return self.source


class EvidenceKey(models.Model):
    """The key by which an organization signs what it tells others; the private half is kept sealed."""

    organization = models.OneToOneField(Organization, on_delete=models.CASCADE, related_name="evidence_key")
    sealed = models.TextField()
    fingerprint = models.CharField(max_length=64)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return self.fingerprint


class Calibration(models.Model):
    """How often made-up activities, on an organization's own results, came out as if they worked: about one in twenty if all is well."""

    LOW, HIGH = 0.03, 0.07

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="calibrations")
    instrument = models.ForeignKey(Instrument, on_delete=models.CASCADE, related_name="calibrations")
    input_sha256 = models.CharField(max_length=64)
    draws = models.PositiveIntegerField()
    rejected = models.PositiveIntegerField()
    computed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["organization", "instrument"]
        constraints = [models.UniqueConstraint(fields=["organization", "instrument"], name="calibration_once")]

    def __str__(self) -> str:
        return f"{self.instrument}: {self.rejected} of {self.draws}"

    @property
    def rate(self) -> float:
        return self.rejected / self.draws

    @property
    def is_off(self) -> bool:
        """Whether errors are told too small or too large here."""
        return not self.LOW <= self.rate <= self.HIGH


class SumSharing(models.Model):
    """That sums over at least five schools may leave an organization, for one activity; off until somebody switches it on."""

    activity = models.OneToOneField(Activity, on_delete=models.CASCADE, related_name="sum_sharing")
    is_on = models.BooleanField(default=False)
    switched_by = models.ForeignKey(
        Person, null=True, blank=True, on_delete=models.SET_NULL, related_name="sums_switched"
    )
    switched_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-switched_at"]

    def __str__(self) -> str:
        return f"{self.activity}: {_('on') if self.is_on else _('off')}"
