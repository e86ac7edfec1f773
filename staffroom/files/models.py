"""Uploads, files, derivatives, and the room that people have for them."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from staffroom.people.models import Person


class File(models.Model):
    """Bytes that arrived whole and belong to one person until an end. Looked at before anything uses them."""

    class State(models.TextChoices):
        CHECKING = "checking", _("being looked at")
        READY = "ready", _("ready")
        REFUSED = "refused", _("refused")

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    owner = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="files")
    name = models.CharField(max_length=255)
    kind = models.CharField(
        max_length=32,
        blank=True,
        help_text=_("video, audio, image, archive, table, other"),
    )
    media_type = models.CharField(max_length=100, blank=True)
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64, blank=True)
    path = models.CharField(
        max_length=500,
        blank=True,
        help_text=_("Its name in the storage; empty while it still lies where it arrived."),
    )
    state = models.CharField(max_length=16, choices=State, default=State.CHECKING)
    refusal = models.CharField(max_length=500, blank=True)
    duration_ms = models.PositiveBigIntegerField(null=True, blank=True)
    width = models.PositiveIntegerField(null=True, blank=True)
    height = models.PositiveIntegerField(null=True, blank=True)
    streams = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    ends_on = models.DateField()

    class Meta:
        ordering = ["-created_at", "-pk"]
        indexes = [models.Index(fields=["state", "created_at"])]

    def __str__(self) -> str:
        return self.name

    @property
    def has_picture(self) -> bool:
        return bool(self.streams.get("video"))

    @property
    def has_sound(self) -> bool:
        return bool(self.streams.get("audio"))


class Upload(models.Model):
    """A file on its way (tus): how much has arrived, from whom, until when it is kept. Becomes a file when whole."""

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    owner = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="uploads")
    name = models.CharField(max_length=255)
    media_type = models.CharField(max_length=100, blank=True)
    purpose = models.CharField(max_length=32, blank=True)
    size = models.PositiveBigIntegerField(null=True, blank=True, help_text=_("Unknown while a recording still runs."))
    offset = models.PositiveBigIntegerField(default=0)
    metadata = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    touched_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    file = models.OneToOneField(File, null=True, blank=True, on_delete=models.SET_NULL, related_name="upload")

    class Meta:
        ordering = ["-created_at", "-pk"]
        indexes = [models.Index(fields=["finished_at", "expires_at"])]
        constraints = [
            models.CheckConstraint(
                condition=Q(size=None) | Q(offset__lte=F("size")),
                name="upload_offset_within_size",
            )
        ]

    def __str__(self) -> str:
        return self.name


class UploadPiece(models.Model):
    """A piece of an upload in the bucket of a site of several hosts: from which byte to which, until the whole is put away."""

    upload = models.ForeignKey(Upload, on_delete=models.CASCADE, related_name="pieces")
    start = models.PositiveBigIntegerField()
    end = models.PositiveBigIntegerField()
    path = models.CharField(max_length=500)

    class Meta:
        ordering = ["start"]
        constraints = [models.UniqueConstraint(fields=["upload", "start"], name="upload_piece_once")]

    def __str__(self) -> str:
        return f"{self.start}-{self.end}"


class Derivative(models.Model):
    """Something made from a file by a job: a web video, a poster, a storyboard, a waveform, its sound, a clip."""

    class Kind(models.TextChoices):
        WEB_VIDEO = "web_video", _("web video")
        WEB_AUDIO = "web_audio", _("sound")
        POSTER = "poster", _("poster")
        STORYBOARD = "storyboard", _("storyboard")
        WAVEFORM = "waveform", _("waveform")
        CLIP = "clip", _("clip")

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        READY = "ready", _("ready")
        FAILED = "failed", _("failed")

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    file = models.ForeignKey(File, on_delete=models.CASCADE, related_name="derivatives")
    kind = models.CharField(max_length=16, choices=Kind)
    start_ms = models.PositiveBigIntegerField(default=0)
    end_ms = models.PositiveBigIntegerField(default=0, help_text=_("0: the whole file."))
    state = models.CharField(max_length=16, choices=State, default=State.WAITING)
    failure = models.CharField(max_length=500, blank=True)
    path = models.CharField(max_length=500, blank=True)
    media_type = models.CharField(max_length=100, blank=True)
    size = models.PositiveBigIntegerField(default=0)
    details = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    made_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["file", "kind", "start_ms", "end_ms"], name="derivative_once"),
            models.CheckConstraint(
                condition=Q(end_ms=0) | Q(end_ms__gt=F("start_ms")),
                name="derivative_ends_after_it_begins",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.file}"
