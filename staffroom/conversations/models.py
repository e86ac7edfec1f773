"""Threads, comments, notices and drafts, on anything."""

from __future__ import annotations

import uuid

from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from staffroom.people.models import Person


class Thread(models.Model):
    """The conversation that hangs on one thing: a moment, a clip."""

    content_type = models.ForeignKey(ContentType, on_delete=models.CASCADE, related_name="+")
    object_id = models.PositiveBigIntegerField()
    about = GenericForeignKey("content_type", "object_id")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["content_type", "object_id"], name="thread_once")]

    def __str__(self) -> str:
        return f"thread {self.pk}"


class Comment(models.Model):
    """One turn in a thread. A comment taken back leaves its place, without its text."""

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, related_name="comments")
    author = models.ForeignKey(Person, null=True, on_delete=models.SET_NULL, related_name="comments")
    text = models.TextField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    edited_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    ends_on = models.DateField()

    class Meta:
        ordering = ["created_at", "pk"]

    def __str__(self) -> str:
        return f"comment {self.pk}"


class Notice(models.Model):
    """Something waits for a person. Says who and where, never what was written there."""

    recipient = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="notices")
    actor = models.ForeignKey(
        Person,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="notices_caused",
    )
    kind = models.CharField(
        max_length=60,
        help_text=_("What happened, as a key: clip_shared, reply, import_done."),
    )
    details = models.JSONField(default=dict, blank=True)
    url = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    read_at = models.DateTimeField(null=True, blank=True)
    mailed_at = models.DateTimeField(null=True, blank=True)
    ends_on = models.DateField()

    class Meta:
        ordering = ["-created_at", "-pk"]
        indexes = [models.Index(fields=["recipient", "read_at"])]

    def __str__(self) -> str:
        return f"{self.recipient}: {self.kind}"


class MailWish(models.Model):
    """How a person wants to hear of notices by mail: at once, gathered once a day, or not at all."""

    class Rhythm(models.TextChoices):
        AT_ONCE = "at_once", _("at once")
        DAILY = "daily", _("once a day, together")
        NONE = "none", _("not by mail")

    person = models.OneToOneField(Person, on_delete=models.CASCADE, related_name="mail_wish")
    rhythm = models.CharField(max_length=16, choices=Rhythm, default=Rhythm.AT_ONCE)

    def __str__(self) -> str:
        return f"{self.person}: {self.get_rhythm_display()}"


class Draft(models.Model):
    """What a person has typed in one place and not yet sent, kept on the server so that it follows them."""

    owner = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="drafts")
    place = models.CharField(max_length=200)
    body = models.JSONField(default=dict)
    touched_at = models.DateTimeField(default=timezone.now)
    ends_on = models.DateField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner", "place"], name="draft_once")]

    def __str__(self) -> str:
        return f"{self.owner}: {self.place}"
