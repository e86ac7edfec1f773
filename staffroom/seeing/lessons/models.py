"""Lessons, clips, moments and sittings. A lesson is its owner's; everything here ends with it."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from staffroom.files.models import File, Upload
from staffroom.frameworks.models import Element
from staffroom.people.models import Person, Section


class Lesson(models.Model):
    """One recorded lesson. Readable by its owner only, until she shares a clip of it."""

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    owner = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="lessons")
    title = models.CharField(max_length=200)
    slug = models.SlugField(max_length=120)
    section = models.ForeignKey(
        Section,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="lessons",
    )
    taught_on = models.DateField(default=timezone.localdate)
    focus = models.CharField(max_length=300, blank=True)
    focus_element = models.ForeignKey(
        Element,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="lessons_focused",
    )
    upload = models.ForeignKey(Upload, null=True, blank=True, on_delete=models.SET_NULL, related_name="lessons")
    file = models.ForeignKey(File, null=True, blank=True, on_delete=models.SET_NULL, related_name="lessons")
    reflection = models.TextField(blank=True)
    captions = models.TextField(blank=True, help_text=_("What is said, as WebVTT."))
    policy_version = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    ends_on = models.DateField()

    class Meta:
        ordering = ["-taught_on", "-pk"]
        constraints = [models.UniqueConstraint(fields=["owner", "slug"], name="lesson_slug_once")]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        """The owner's page; for everybody else there is none."""
        return reverse("lessons:lesson", args=[self.slug])


class Clip(models.Model):
    """A range of a lesson cut out to be lent. Only these seconds exist for those it is shared with."""

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    lesson = models.ForeignKey(Lesson, on_delete=models.CASCADE, related_name="clips")
    title = models.CharField(max_length=200)
    start_ms = models.PositiveBigIntegerField()
    end_ms = models.PositiveBigIntegerField()
    question = models.TextField(blank=True, help_text=_("What the teacher wants her colleagues to look for."))
    has_moments = models.BooleanField(default=False, help_text=_("Whether the owner's moments in the range go along."))
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    ends_on = models.DateField()

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [models.CheckConstraint(condition=Q(end_ms__gt=F("start_ms")), name="clip_ends_after_it_begins")]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        """One page for the owner and those she shares it with."""
        return reverse("clips:clip", args=[self.key])


class Moment(models.Model):
    """A point (no end) or range of a lesson with a note. Written in a clip, it is seen by those the clip is shared with."""

    class Kind(models.TextChoices):
        NOTE = "note", _("note")
        QUESTION = "question", _("question")
        SUGGESTION = "suggestion", _("suggestion")
        STRENGTH = "strength", _("strength")

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    lesson = models.ForeignKey(Lesson, on_delete=models.CASCADE, related_name="moments")
    clip = models.ForeignKey(Clip, null=True, blank=True, on_delete=models.CASCADE, related_name="moments")
    author = models.ForeignKey(Person, null=True, on_delete=models.SET_NULL, related_name="moments")
    kind = models.CharField(max_length=16, choices=Kind, default=Kind.NOTE)
    start_ms = models.PositiveBigIntegerField()
    end_ms = models.PositiveBigIntegerField(null=True, blank=True)
    text = models.TextField()
    element = models.ForeignKey(Element, null=True, blank=True, on_delete=models.PROTECT, related_name="moments")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    edited_at = models.DateTimeField(null=True, blank=True)
    ends_on = models.DateField()

    class Meta:
        ordering = ["start_ms", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(end_ms=None) | Q(end_ms__gt=F("start_ms")),
                name="moment_ends_after_it_begins",
            )
        ]

    def __str__(self) -> str:
        return f"moment {self.pk}"

    def get_absolute_url(self) -> str:
        """Where it stands in the list of the clip or lesson it was noted in."""
        page = self.clip if self.clip is not None else self.lesson
        return f"{page.get_absolute_url()}#moment-{self.key}"


class Sitting(models.Model):
    """The time that one person really spent with a lesson or clip, in one go. Closing it writes the ledger."""

    lesson = models.ForeignKey(Lesson, on_delete=models.CASCADE, related_name="sittings")
    clip = models.ForeignKey(Clip, null=True, blank=True, on_delete=models.CASCADE, related_name="sittings")
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="sittings")
    began_at = models.DateTimeField(default=timezone.now)
    touched_at = models.DateTimeField(default=timezone.now)
    active_s = models.PositiveIntegerField(default=0)
    closed_at = models.DateTimeField(null=True, blank=True)
    ends_on = models.DateField()

    class Meta:
        ordering = ["-began_at", "-pk"]
        indexes = [models.Index(fields=["closed_at", "touched_at"])]

    def __str__(self) -> str:
        return f"sitting {self.pk}"
