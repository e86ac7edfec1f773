"""A teacher's own growth: what she sets out for, and where she stands. Hers alone; and what activities are there for."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from staffroom.frameworks.models import Element
from staffroom.people.models import Person
from staffroom.records.models import Activity


class Aim(models.Model):
    """That an activity is there for a practice of a framework: teachers who set out for it are shown the activity."""

    activity = models.ForeignKey(Activity, on_delete=models.CASCADE, related_name="aims")
    element = models.ForeignKey(Element, on_delete=models.CASCADE, related_name="aims")

    class Meta:
        ordering = ["activity", "element"]
        constraints = [models.UniqueConstraint(fields=["activity", "element"], name="aim_once")]

    def __str__(self) -> str:
        return f"{self.activity}: {self.element}"


class Goal(models.Model):
    """A practice that a teacher has set out to grow in, seen by her alone, and by a coach whom she lets see it."""

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="goals")
    element = models.ForeignKey(Element, on_delete=models.PROTECT, related_name="goals")
    why = models.CharField(max_length=500, blank=True)
    coach = models.ForeignKey(Person, null=True, blank=True, on_delete=models.SET_NULL, related_name="goals_seen")
    begun_at = models.DateTimeField(default=timezone.now, editable=False)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["begun_at", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["person", "element"], condition=Q(ended_at=None), name="goal_once_at_a_time"
            )
        ]

    def __str__(self) -> str:
        return str(self.element)


class Standing(models.Model):
    """Where a teacher stood in a practice on a day, by her own word or by that of a coach whom she asked. Never a rating of staff."""

    class Level(models.IntegerChoices):
        NOT_YET = 1, _("not yet")
        SOMETIMES = 2, _("sometimes")
        MOSTLY = 3, _("mostly")
        ALWAYS = 4, _("as a matter of course")

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="standings")
    element = models.ForeignKey(Element, on_delete=models.PROTECT, related_name="standings")
    level = models.PositiveSmallIntegerField(choices=Level)
    by = models.ForeignKey(Person, null=True, on_delete=models.SET_NULL, related_name="standings_noted")
    is_own = models.BooleanField(default=True)
    noted_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["noted_at", "pk"]
        indexes = [models.Index(fields=["person", "element", "noted_at"])]
        constraints = [models.CheckConstraint(condition=Q(level__gte=1, level__lte=4), name="standing_level_of_four")]

    def __str__(self) -> str:
        return f"{self.element}: {self.get_level_display()}"
