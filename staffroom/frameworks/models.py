"""Frameworks, their frozen versions, and the elements within."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from staffroom.people.models import Organization


class Framework(models.Model):
    """A description of good teaching that an organization uses; without organization it is everyone's."""

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    organization = models.ForeignKey(
        Organization,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="frameworks",
    )
    title = models.CharField(max_length=200)
    slug = models.SlugField(max_length=80, unique=True)
    source_id = models.CharField(max_length=255, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["title"]

    def __str__(self) -> str:
        return self.title


class FrameworkVersion(models.Model):
    """One edition of a framework. Published means frozen: a change makes the next version."""

    framework = models.ForeignKey(Framework, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    label = models.CharField(max_length=100, blank=True)
    digest = models.CharField(
        max_length=64,
        blank=True,
        help_text=_("Hash of the content, to know a re-import."),
    )
    published_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["framework", "-number"]
        constraints = [models.UniqueConstraint(fields=["framework", "number"], name="framework_version_once")]

    def __str__(self) -> str:
        return f"{self.framework}, version {self.number}"


class Element(models.Model):
    """One statement of a framework version: a domain, a practice, an indicator, a level."""

    version = models.ForeignKey(FrameworkVersion, on_delete=models.CASCADE, related_name="elements")
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.CASCADE, related_name="children")
    identifier = models.CharField(max_length=255)
    code = models.CharField(max_length=60, blank=True)
    title = models.CharField(max_length=300)
    statement = models.TextField(blank=True)
    kind = models.CharField(max_length=60, blank=True)
    ordinal = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["version", "ordinal", "pk"]
        constraints = [models.UniqueConstraint(fields=["version", "identifier"], name="element_once")]

    def __str__(self) -> str:
        return f"{self.code} {self.title}".strip()
