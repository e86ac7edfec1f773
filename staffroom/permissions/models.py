"""Consent, circles, shares, the access log, break-glass and erasure receipts."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from staffroom.people.models import Organization, Person


class Consent(models.Model):
    """A family's answer about media showing their student. The newest answer counts; none at all counts as no."""

    class Answer(models.TextChoices):
        YES = "yes", _("yes")
        IN_SCHOOL = "in_school", _("in school only")
        NO = "no", _("no")

    student = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="consents")
    answer = models.CharField(max_length=16, choices=Answer)
    given_by = models.CharField(
        max_length=200,
        blank=True,
        help_text=_("Who answered: a parent, a guardian, the student."),
    )
    recorded_by = models.ForeignKey(Person, null=True, on_delete=models.SET_NULL, related_name="consents_recorded")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    ends_on = models.DateField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-pk"]
        indexes = [models.Index(fields=["student", "-created_at"])]

    def __str__(self) -> str:
        return f"{self.student}: {self.get_answer_display()}"


class Policy(models.Model):
    """A district's choice where the rules of trust leave one; each change is a new version, old ones stay."""

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="policies")
    version = models.PositiveIntegerField()
    settings = models.JSONField(default=dict)
    made_by = models.ForeignKey(Person, null=True, on_delete=models.SET_NULL, related_name="policies_made")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["organization", "-version"]
        constraints = [models.UniqueConstraint(fields=["organization", "version"], name="policy_version_once")]

    def __str__(self) -> str:
        return f"{self.organization}, policy {self.version}"


class Circle(models.Model):
    """A group of colleagues whom its maker trusts, to share with at once."""

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=120)
    owner = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="circles_owned")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    ends_on = models.DateField(null=True, blank=True)

    class Meta:
        ordering = ["name", "pk"]

    def __str__(self) -> str:
        return self.name


class CircleMember(models.Model):
    """A person is in a circle until they leave or are taken out."""

    circle = models.ForeignKey(Circle, on_delete=models.CASCADE, related_name="members")
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="circle_memberships")
    joined_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["circle", "person"], name="circle_member_once")]

    def __str__(self) -> str:
        return f"{self.person} in {self.circle}"


class Share(models.Model):
    """A loan: its owner lets an audience see one thing until an end, and can take it back at once."""

    class Audience(models.TextChoices):
        PERSON = "person", _("a person")
        CIRCLE = "circle", _("a circle")
        SCHOOL = "school", _("a school")
        DISTRICT = "district", _("a district")
        PUBLIC = "public", _("everyone")

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    content_type = models.ForeignKey(ContentType, on_delete=models.CASCADE, related_name="+")
    object_id = models.PositiveBigIntegerField()
    about = GenericForeignKey("content_type", "object_id")
    owner = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="shares_given")
    audience = models.CharField(max_length=16, choices=Audience)
    person = models.ForeignKey(
        Person,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="shares_received",
    )
    circle = models.ForeignKey(Circle, null=True, blank=True, on_delete=models.CASCADE, related_name="shares")
    organization = models.ForeignKey(
        Organization,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="shares",
    )
    may_download = models.BooleanField(default=False)
    is_reflect_first = models.BooleanField(
        default=False,
        help_text=_("Colleagues' notes stay closed until the owner has written a reflection."),
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()
    retracted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-pk"]
        indexes = [
            models.Index(fields=["content_type", "object_id"]),
            models.Index(fields=["person", "expires_at"]),
        ]
        constraints = [
            models.CheckConstraint(
                condition=(
                    Q(
                        audience="person",
                        person__isnull=False,
                        circle=None,
                        organization=None,
                    )
                    | Q(
                        audience="circle",
                        person=None,
                        circle__isnull=False,
                        organization=None,
                    )
                    | Q(
                        audience__in=["school", "district"],
                        person=None,
                        circle=None,
                        organization__isnull=False,
                    )
                    | Q(audience="public", person=None, circle=None, organization=None)
                ),
                name="share_names_its_audience",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.owner} → {self.person or self.circle or self.organization or self.get_audience_display()}"


class Access(models.Model):
    """Somebody opened somebody else's thing: who, what, when, through which share. Seen by its owner."""

    owner = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="accesses_to_mine")
    viewer = models.ForeignKey(Person, null=True, on_delete=models.SET_NULL, related_name="accesses_by_me")
    content_type = models.ForeignKey(ContentType, on_delete=models.CASCADE, related_name="+")
    object_id = models.PositiveBigIntegerField()
    about = GenericForeignKey("content_type", "object_id")
    title = models.CharField(max_length=255, help_text=_("What the thing was called then."))
    deed = models.CharField(max_length=32, default="opened")
    share = models.ForeignKey(Share, null=True, blank=True, on_delete=models.SET_NULL, related_name="accesses")
    break_glass = models.ForeignKey(
        "BreakGlass",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="accesses",
    )
    at = models.DateTimeField(default=timezone.now)
    ends_on = models.DateField(null=True, blank=True)

    class Meta:
        ordering = ["-at", "-pk"]
        indexes = [models.Index(fields=["owner", "-at"])]

    def __str__(self) -> str:
        return f"{self.viewer} {self.deed} {self.title}"


class BreakGlass(models.Model):
    """Two administrators open, for a written reason and a short time, what only its owner could see. Its owner is told."""

    content_type = models.ForeignKey(ContentType, on_delete=models.CASCADE, related_name="+")
    object_id = models.PositiveBigIntegerField()
    about = GenericForeignKey("content_type", "object_id")
    owner = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="glass_broken")
    reason = models.TextField()
    asked_by = models.ForeignKey(Person, null=True, on_delete=models.SET_NULL, related_name="glass_asked")
    asked_at = models.DateTimeField(default=timezone.now, editable=False)
    approved_by = models.ForeignKey(
        Person,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="glass_approved",
    )
    approved_at = models.DateTimeField(null=True, blank=True)
    refused_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-asked_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(approved_by=None) | Q(asked_by=None) | ~Q(approved_by=models.F("asked_by")),
                name="break_glass_takes_two",
            )
        ]

    def __str__(self) -> str:
        return f"{self.asked_by}: {self.reason[:60]}"


class Erasure(models.Model):
    """The receipt of an erasure: what was removed, when, at whose word. Names nobody."""

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    person_key = models.UUIDField()
    asked_at = models.DateTimeField(default=timezone.now)
    done_at = models.DateTimeField(null=True, blank=True)
    counts = models.JSONField(default=dict)
    receipt_sha256 = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ["-asked_at", "-pk"]

    def __str__(self) -> str:
        return str(self.key)


class RetentionWarning(models.Model):
    """A person was told that one of their things ends soon, so that nobody is told twice."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="retention_warnings")
    content_type = models.ForeignKey(ContentType, on_delete=models.CASCADE, related_name="+")
    object_id = models.PositiveBigIntegerField()
    ends_on = models.DateField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["content_type", "object_id", "ends_on"],
                name="retention_warning_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.person}: {self.ends_on}"


def about(thing: models.Model) -> dict[str, Any]:
    """The two columns by which generic rows point at a thing: ``Share.objects.filter(**about(lesson))``."""
    return {
        "content_type": ContentType.objects.get_for_model(thing),
        "object_id": thing.pk,
    }


class Tool(models.Model):
    """A program outside of Staffroom that sends to the activity ledger or reads from it: a workshop system, a vendor's course."""

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="tools")
    name = models.CharField(max_length=120)
    note = models.TextField(blank=True, help_text=_("Whose it is, and whom to ask about it."))
    created_by = models.ForeignKey(Person, null=True, blank=True, on_delete=models.SET_NULL, related_name="tools_added")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["organization", "name"], name="tool_name_once")]

    def __str__(self) -> str:
        return self.name


class ApiKey(models.Model):
    """What a tool shows at the door: a name and a secret, of which only the hash is kept, and what it may do with them."""

    name = models.CharField(max_length=40, unique=True, editable=False)
    tool = models.ForeignKey(Tool, on_delete=models.PROTECT, related_name="keys")
    secret_hash = models.CharField(max_length=64, editable=False)
    scopes = models.CharField(
        max_length=200, help_text=_("Words of xAPI such as statements/write, with spaces between.")
    )
    created_by = models.ForeignKey(Person, null=True, on_delete=models.SET_NULL, related_name="api_keys_made")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["-created_at", "-pk"]
        verbose_name = _("API key")

    def __str__(self) -> str:
        return self.name


class AccessToken(models.Model):
    """What a tool got for its key for a while (OAuth 2, client credentials): the hash of the token, and how far it reaches."""

    token_hash = models.CharField(max_length=64, unique=True)
    api_key = models.ForeignKey(ApiKey, on_delete=models.CASCADE, related_name="tokens")
    scopes = models.CharField(max_length=200)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.api_key}, until {self.expires_at:%Y-%m-%d %H:%M}"
