"""Studies: a question with a decision, its frozen versions, and the answer to each of them."""

from __future__ import annotations

import hashlib
import json
import uuid
from typing import Any

from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from staffroom.knowing.impact.models.frozen import FrozenRow
from staffroom.people.models import Organization, Person
from staffroom.records.models import Activity, Instrument


class Study(models.Model):
    """A question with a decision: which activity, measured by what, for whom, when, and what hangs on the answer.

    What stands here is the draft, which may change; what was registered is in the versions.
    """

    class End(models.TextChoices):
        DECIDED = "decided", _("decided")
        WITHDRAWN = "withdrawn", _("withdrawn")

    class Estimator(models.TextChoices):
        BY_DATA = "", _("As the data allow (advised)")
        IMPUTATION = "imputation", _("Before and after, against teachers who have not begun (imputation)")
        CALLAWAY_SANTANNA = "callaway_santanna", _("Group by group (Callaway and Sant'Anna)")
        RANDOMIZED = "randomized", _("A lottery decided who went first")
        CUTOFF = "cutoff", _("On both sides of a cutoff")
        ENTROPY_BALANCED = "entropy_balanced", _("Against teachers made alike by earlier scores")
        DOSE = "dose", _("More hours against fewer")

    class Controls(models.TextChoices):
        NOT_YET = "notyet", _("teachers who have not begun yet, or never will")
        NEVER = "never", _("teachers who never take part")

    class Rule(models.TextChoices):
        """By which number it was decided to whom the activity is offered."""

        NONE = "", _("something else: choice, need, or a lottery")
        STUDENTS = "students", _("the mean result of a teacher's students in the term before")
        TEACHER = "teacher", _("a teacher's own result in the term before")
        SCHOOLS = "schools", _("a number of each school")

    class Side(models.TextChoices):
        ABOVE = "above", _("at or above it")
        BELOW = "below", _("below it")

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="studies")
    name = models.CharField(max_length=200)
    slug = models.SlugField(max_length=80, unique=True)
    decision = models.TextField()
    activities = models.ManyToManyField(Activity, related_name="studies")
    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT, related_name="studies")
    schools = models.ManyToManyField(Organization, related_name="studies_here", blank=True)
    outcomes_from = models.DateField()
    outcomes_until = models.DateField()
    smallest_effect = models.FloatField(default=0.10)
    estimator = models.CharField(max_length=20, choices=Estimator, default=Estimator.BY_DATA, blank=True)
    controls = models.CharField(max_length=8, choices=Controls, default=Controls.NOT_YET)
    subgroups = models.JSONField(default=dict, blank=True)
    lottery = models.ForeignKey("Lottery", null=True, blank=True, on_delete=models.PROTECT, related_name="studies")
    rule = models.CharField(max_length=10, choices=Rule, default=Rule.NONE, blank=True)
    rule_instrument = models.ForeignKey(
        Instrument, null=True, blank=True, on_delete=models.PROTECT, related_name="studies_by_cutoff"
    )
    cutoff = models.FloatField(null=True, blank=True)
    offered = models.CharField(max_length=6, choices=Side, default=Side.ABOVE)
    school_numbers = models.JSONField(default=list, blank=True)
    """Of a rule by schools: {key, name, number} of each."""
    planned_share = models.PositiveSmallIntegerField(null=True, blank=True)
    """How many of a hundred teachers are meant to take part; None: not stated."""
    created_by = models.ForeignKey(
        Person, null=True, blank=True, on_delete=models.SET_NULL, related_name="studies_created"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    end = models.CharField(max_length=12, choices=End, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(Person, null=True, blank=True, on_delete=models.SET_NULL, related_name="studies_ended")
    decision_taken = models.TextField(blank=True)

    class Meta:
        verbose_name_plural = "studies"
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(outcomes_until__gte=models.F("outcomes_from")), name="study_period_ascends"
            ),
            models.CheckConstraint(condition=Q(smallest_effect__gt=0), name="study_smallest_effect_above_zero"),
            models.CheckConstraint(condition=Q(rule="") | Q(cutoff__isnull=False), name="study_rule_has_cutoff"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("studies:study", args=[self.slug])


def fingerprint(text: str) -> str:
    """SHA-256 of a text in UTF-8, as 64 hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()


def canonical(protocol: dict[str, Any]) -> str:
    """A protocol as text that everybody writes alike: JSON with its keys in order, without spaces."""
    return json.dumps(protocol, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


class StudyVersion(FrozenRow):
    """A study as it was registered: frozen, hashed and dated. It names the hash of the version before, so none can be slipped in."""

    erasable = frozenset({"registered_by"})

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveSmallIntegerField()
    text = models.TextField(help_text=_("The protocol as canonical JSON."))
    sha256 = models.CharField(max_length=64)
    reason = models.TextField(blank=True)
    registered_at = models.DateTimeField(default=timezone.now)
    registered_by = models.ForeignKey(
        Person, null=True, blank=True, on_delete=models.SET_NULL, related_name="study_versions"
    )

    class Meta:
        ordering = ["study", "number"]
        constraints = [models.UniqueConstraint(fields=["study", "number"], name="study_version_once")]

    def __str__(self) -> str:
        return f"{self.study} ({self.number})"

    @property
    def protocol(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.text)
        return found

    @property
    def is_intact(self) -> bool:
        """Whether the text still has the hash that was published."""
        return fingerprint(self.text) == self.sha256


class StudyAnswer(models.Model):
    """What came out of one version of a study, as computed from a hashed input; made anew when outcomes arrive."""

    version = models.OneToOneField(StudyVersion, on_delete=models.CASCADE, related_name="answer")
    input_sha256 = models.CharField(max_length=64)
    is_registered = models.BooleanField(default=False)
    summary = models.JSONField(default=dict)
    result = models.JSONField()
    computed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-computed_at", "-pk"]

    def __str__(self) -> str:
        return str(self.version)
