"""What the doors keep beside the ledger: agents, what activities are called, documents, attachments, and what was refused."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from staffroom.people.models import Organization, Person
from staffroom.permissions.models import Tool


class Agent(models.Model):
    """Somebody as a tool knows them: by an account, an e-mail address or its hash. Matched to a person, or not yet."""

    class Match(models.TextChoices):
        NONE = "", _("not matched")
        ACCOUNT = "account", _("by account")
        EMAIL = "email", _("by e-mail address")
        HASH = "hash", _("by hash of the e-mail address")
        CLAIMED = "claimed", _("claimed")

    tenant = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="agents")
    target = models.BigIntegerField(help_text=_("The hash by which the ledger finds what it mentions."))
    identifier = models.JSONField(help_text=_("The agent as xAPI writes it, with its name as last heard."))
    person = models.ForeignKey(Person, null=True, blank=True, on_delete=models.SET_NULL, related_name="agents")
    match = models.CharField(max_length=10, choices=Match, blank=True, default=Match.NONE)
    matched_by = models.ForeignKey(
        Person, null=True, blank=True, on_delete=models.SET_NULL, related_name="agents_matched"
    )
    first_seen_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["tenant", "target"], name="agent_once")]

    def __str__(self) -> str:
        return str(self.identifier.get("name") or self.identifier)


class KnownActivity(models.Model):
    """What a district's tools have said about an activity of theirs: its name, description and type. Never fetched from its address."""

    tenant = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="known_activities")
    target = models.BigIntegerField()
    iri = models.TextField()
    definition = models.JSONField(default=dict, blank=True)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "target"], name="known_activity_once")]
        verbose_name_plural = _("known activities")

    def __str__(self) -> str:
        return self.iri


class Document(models.Model):
    """Bytes that a tool keeps here: the state of somebody in an activity, or a profile of an activity or of an agent."""

    class Kind(models.TextChoices):
        STATE = "state", _("state")
        ACTIVITY_PROFILE = "activity", _("activity profile")
        AGENT_PROFILE = "agent", _("agent profile")

    tenant = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="documents")
    kind = models.CharField(max_length=10, choices=Kind)
    # Of what: the agent and the activity by their hashes (0: none), and the registration ("": none).
    agent = models.BigIntegerField(default=0)
    activity = models.BigIntegerField(default=0)
    registration = models.CharField(max_length=36, blank=True)
    name = models.TextField(help_text=_("The stateId or profileId."))
    content_type = models.CharField(max_length=255)
    content = models.BinaryField()
    etag = models.CharField(max_length=40)
    person = models.ForeignKey(Person, null=True, blank=True, on_delete=models.SET_NULL, related_name="documents")
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "kind", "agent", "activity", "registration", "name"], name="document_once"
            )
        ]

    def __str__(self) -> str:
        return self.name


class Attachment(models.Model):
    """The bytes of an attachment of statements, kept once for a district under their hash."""

    tenant = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="attachments")
    sha2 = models.CharField(max_length=128)
    content_type = models.CharField(max_length=255)
    length = models.PositiveBigIntegerField()
    path = models.CharField(max_length=500)
    stored_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "sha2"], name="attachment_once")]

    def __str__(self) -> str:
        return self.sha2


class Rejection(models.Model):
    """A request of a tool that was refused, and why; kept for some days so that an administrator can help."""

    tool = models.ForeignKey(Tool, on_delete=models.CASCADE, related_name="rejections")
    at = models.DateTimeField(default=timezone.now, db_index=True)
    request = models.CharField(max_length=60)
    status = models.PositiveSmallIntegerField()
    reason = models.TextField()

    class Meta:
        ordering = ["-at"]

    def __str__(self) -> str:
        return f"{self.status}: {self.reason}"
