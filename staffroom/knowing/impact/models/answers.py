"""Computed answers, kept with the hash of their input so that the same question is not computed twice."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from staffroom.people.models import Organization
from staffroom.records.models import Activity, Instrument


class Tally(models.Model):
    """What the ledgers add up to for one activity: who took part, for how long, at what cost. Small numbers are left out."""

    activity = models.OneToOneField(Activity, on_delete=models.CASCADE, related_name="tally")
    input_sha256 = models.CharField(max_length=64)
    result = models.JSONField()
    computed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name_plural = "tallies"
        ordering = ["-computed_at", "-pk"]

    def __str__(self) -> str:
        return str(self.activity)


class Estimate(models.Model):
    """What one activity changed on one instrument in one organization, as computed from a hashed input."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="estimates")
    activity = models.ForeignKey(Activity, on_delete=models.CASCADE, related_name="estimates")
    instrument = models.ForeignKey(Instrument, on_delete=models.CASCADE, related_name="estimates")
    input_sha256 = models.CharField(max_length=64)
    summary = models.JSONField(default=dict)
    result = models.JSONField()
    computed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-computed_at", "-pk"]
        constraints = [models.UniqueConstraint(fields=["organization", "activity", "instrument"], name="estimate_once")]

    def __str__(self) -> str:
        return f"{self.activity} on {self.instrument}"
