"""The three ledgers and the words that their entries are written in."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from staffroom.people.models import Organization, Person, Role, Section, Term
from staffroom.permissions.models import Tool
from staffroom.records.append_only import LedgerEntry
from staffroom.records.finding import Awaiting, Mention, StatementKey
from staffroom.records.retired import RetiredMonth

__all__ = ["Awaiting", "Mention", "RetiredMonth", "StatementKey"]


class Activity(models.Model):
    """Something that teachers take part in to grow: a coaching program, a workshop series, a course, anyone's."""

    class Kind(models.TextChoices):
        COACHING = "coaching", _("coaching")
        WORKSHOP = "workshop", _("workshop")
        COURSE = "course", _("course")
        TEAM = "team", _("team work")
        VIDEO = "video", _("lesson video")
        OTHER = "other", _("other")

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="activities")
    iri = models.CharField(max_length=500, unique=True)
    slug = models.SlugField(max_length=80)
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=16, choices=Kind)
    description = models.TextField(blank=True)
    planned_hours = models.DecimalField(max_digits=7, decimal_places=2, null=True, blank=True)
    begins_on = models.DateField(null=True, blank=True)
    ends_on = models.DateField(null=True, blank=True)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["organization", "slug"], name="activity_slug_once")]

    def __str__(self) -> str:
        return self.name


class Statement(LedgerEntry):
    """An entry of the activity ledger: an xAPI statement with the columns by which it is found."""

    erasable = frozenset({"actor", "recorded_by", "body", "object_iri", "erased_at"})
    matchable = frozenset({"actor", "role", "organization"})
    ledger = "activity"
    day_columns = ("happened_at",)

    # That a key stands once is kept by StatementKey: this table may be divided into parts.
    key = models.UUIDField(default=uuid.uuid4)
    tenant = models.ForeignKey(
        Organization,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        help_text=_("The district whose ledger the entry is in."),
    )
    organization = models.ForeignKey(
        Organization,
        null=True,
        on_delete=models.PROTECT,
        related_name="statements",
        db_index=False,
    )
    tool = models.ForeignKey(
        Tool,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="statements",
        db_index=False,
        help_text=_("The program that wrote the entry; none: Staffroom itself."),
    )
    actor = models.ForeignKey(
        Person,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="statements",
        db_index=False,
    )
    recorded_by = models.ForeignKey(
        Person,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="statements_recorded",
        db_index=False,
        help_text=_("Who wrote the entry down, when it was not the actor."),
    )
    role = models.CharField(
        max_length=20,
        choices=Role,
        blank=True,
        help_text=_("What the actor was then; their time is priced by it."),
    )
    verb = models.CharField(max_length=500)
    object_iri = models.CharField(max_length=1000)
    activity = models.ForeignKey(
        Activity,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="statements",
        db_index=False,
    )
    happened_at = models.DateTimeField()
    stored_at = models.DateTimeField(default=timezone.now, editable=False)
    duration_s = models.PositiveIntegerField(null=True, blank=True)
    body = models.JSONField()
    # What an entry voids may be gone before it, with its whole month (`months`).
    voids = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="voided_by",
        db_index=False,
        db_constraint=False,
    )
    is_voided = models.BooleanField(default=False)
    erased_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["pk"]
        # Only what is asked for by these columns: everything else is found by its mentions (`finding`).
        indexes = [
            models.Index(fields=["tenant", "id"], name="statement_by_tenant"),
            models.Index(fields=["tool", "id"], name="statement_by_tool", condition=Q(tool__isnull=False)),
            models.Index(
                fields=["activity", "happened_at"], name="statement_by_activity", condition=Q(activity__isnull=False)
            ),
            models.Index(fields=["actor", "happened_at"], name="statement_by_actor", condition=Q(actor__isnull=False)),
            models.Index(fields=["organization", "happened_at"], name="statement_by_organization"),
            models.Index(fields=["recorded_by"], name="statement_by_recorder", condition=Q(recorded_by__isnull=False)),
            models.Index(fields=["voids"], name="statement_by_voided", condition=Q(voids__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.verb} {self.object_iri}"


class Instrument(models.Model):
    """That with which something is observed: a test, a rubric, a survey; with its scale and which end is good."""

    class Kind(models.TextChoices):
        TEST = "test", _("test")
        RUBRIC = "rubric", _("rubric")
        SURVEY = "survey", _("survey")

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="instruments")
    name = models.CharField(max_length=200)
    slug = models.SlugField(max_length=80)
    kind = models.CharField(max_length=16, choices=Kind)
    subject = models.CharField(max_length=100, blank=True)
    scale_low = models.FloatField(null=True, blank=True)
    scale_high = models.FloatField(null=True, blank=True)
    is_higher_better = models.BooleanField(default=True)
    is_evaluation = models.BooleanField(
        default=False,
        help_text=_("Evaluation results never meet growth records in one query, page or export."),
    )

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["organization", "slug"], name="instrument_slug_once"),
            models.CheckConstraint(
                condition=Q(scale_low=None) | Q(scale_high=None) | Q(scale_high__gt=models.F("scale_low")),
                name="instrument_scale_ascends",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Outcome(LedgerEntry):
    """An entry of the outcome ledger: what was observed of a student, section, teacher or school in a term."""

    erasable = frozenset({"person", "teacher", "erased_at"})
    ledger = "outcome"
    day_columns = ("observed_on", "term_id")

    class Subject(models.TextChoices):
        STUDENT = "student", _("student")
        SECTION = "section", _("section")
        TEACHER = "teacher", _("teacher")
        SCHOOL = "school", _("school")

    key = models.UUIDField(default=uuid.uuid4, unique=True)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="outcomes")
    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT, related_name="outcomes")
    subject = models.CharField(max_length=16, choices=Subject)
    person = models.ForeignKey(
        Person,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="outcomes",
    )
    teacher = models.ForeignKey(
        Person,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="outcomes_of_students",
    )
    section = models.ForeignKey(
        Section,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="outcomes",
    )
    school = models.ForeignKey(
        Organization,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="outcomes_here",
    )
    term = models.ForeignKey(Term, on_delete=models.PROTECT, related_name="outcomes")
    value = models.FloatField()
    observed_on = models.DateField(null=True, blank=True)
    stored_at = models.DateTimeField(default=timezone.now, editable=False)
    outcome_import = models.ForeignKey(
        "OutcomeImport",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="outcomes",
    )
    voids = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="voided_by",
    )
    is_voided = models.BooleanField(default=False)
    erased_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["stored_at", "pk"]
        indexes = [
            models.Index(fields=["instrument", "term", "teacher"]),
            models.Index(fields=["person"]),
            models.Index(fields=["stored_at"]),
        ]

    def __str__(self) -> str:
        return f"{self.instrument}, {self.term}: {self.value}"

    @classmethod
    def days_of(cls, found: set[tuple[Any, ...]]) -> set[date]:
        """The day observed; of results that say none, the first day of their term."""
        of_terms = {term for day, term in found if day is None}
        begins = set(Term.objects.filter(pk__in=of_terms).values_list("begins_on", flat=True)) if of_terms else set()
        field: Any = cls._meta.get_field("observed_on")
        return begins | {field.to_python(day) for day, _term in found if day is not None}


class ScalesWith(models.TextChoices):
    """What makes more of an ingredient necessary: it decides what one more teacher costs."""

    TEACHER = "teacher", _("each teacher")
    GROUP = "group", _("each group of teachers")
    FIXED = "fixed", _("nothing: it is there once")


class Price(models.Model):
    """One line of a price list: what one unit of an ingredient costs, in whose money of which year."""

    class Kind(models.TextChoices):
        WAGE = "wage", _("wage")
        SUBSTITUTE = "substitute", _("substitute")
        MATERIAL = "material", _("material")
        DEVICE = "device", _("device")
        ROOM = "room", _("room")
        LICENSE = "license", _("license")
        FEE = "fee", _("fee")

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="prices")
    kind = models.CharField(max_length=16, choices=Kind)
    name = models.CharField(max_length=200)
    role = models.CharField(
        max_length=20,
        blank=True,
        help_text=_("Whose wage: the time of this role is priced by it."),
    )
    unit = models.CharField(max_length=30, help_text=_("hour, day, seat, each"))
    unit_price_usd_cents = models.PositiveBigIntegerField(help_text=_("For wages: per hour, without benefits."))
    benefits_percent = models.DecimalField(max_digits=6, decimal_places=2, default=0)
    lifetime_years = models.PositiveSmallIntegerField(default=1, help_text=_("Over how many years it is spread."))
    interest_percent = models.DecimalField(
        max_digits=5,
        decimal_places=2,
        default=0,
        help_text=_("Yearly interest at which it is spread, when it lasts longer than a year."),
    )
    price_year = models.PositiveSmallIntegerField()
    region = models.CharField(max_length=100, blank=True)
    scales_with = models.CharField(max_length=8, choices=ScalesWith, default=ScalesWith.TEACHER)
    is_opportunity = models.BooleanField(
        default=False, help_text=_("No money changes hands: time or a room that could have been used otherwise.")
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    ends_on = models.DateField(null=True, blank=True)

    class Meta:
        ordering = ["kind", "name", "-price_year"]

    def __str__(self) -> str:
        return f"{self.name} ({self.price_year})"


class PriceIndex(models.Model):
    """How dear a year or a region is beside others of its kind, as a published index says: prices are carried over by it."""

    class Kind(models.TextChoices):
        YEAR = "year", _("year")
        REGION = "region", _("region")

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="price_indexes")
    kind = models.CharField(max_length=8, choices=Kind)
    name = models.CharField(max_length=100, help_text=_("The year, such as 2026, or the name of the region."))
    value = models.DecimalField(max_digits=12, decimal_places=4, help_text=_("As published, such as 313.7."))
    source = models.CharField(max_length=200, blank=True, help_text=_("Which index, published by whom."))

    class Meta:
        verbose_name_plural = "price indexes"
        ordering = ["kind", "name"]
        constraints = [
            models.UniqueConstraint(fields=["organization", "kind", "name"], name="price_index_once"),
            models.CheckConstraint(condition=Q(value__gt=0), name="price_index_above_zero"),
        ]

    def __str__(self) -> str:
        return f"{self.name}: {self.value}"


class Cost(LedgerEntry):
    """An entry of the cost ledger: how much of which ingredient an activity used, at what price, paid by whom."""

    erasable = frozenset({"person"})
    ledger = "cost"
    day_columns = ("happened_on",)

    key = models.UUIDField(default=uuid.uuid4, unique=True)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="costs")
    activity = models.ForeignKey(Activity, on_delete=models.PROTECT, related_name="costs")
    price = models.ForeignKey(Price, null=True, blank=True, on_delete=models.PROTECT, related_name="costs")
    ingredient = models.CharField(max_length=200)
    kind = models.CharField(max_length=16, choices=Price.Kind)
    quantity = models.DecimalField(max_digits=14, decimal_places=4)
    unit = models.CharField(max_length=30)
    unit_price_usd_cents = models.PositiveBigIntegerField()
    amount_usd_cents = models.BigIntegerField()
    price_year = models.PositiveSmallIntegerField()
    payer = models.CharField(max_length=100, blank=True)
    region = models.CharField(max_length=100, blank=True)
    scales_with = models.CharField(max_length=8, choices=ScalesWith, default=ScalesWith.TEACHER)
    is_opportunity = models.BooleanField(default=False)
    person = models.ForeignKey(Person, null=True, blank=True, on_delete=models.SET_NULL, related_name="costs")
    # A cost stays when the month of the entry whose time it prices is taken out of the activity ledger (`months`).
    statement = models.ForeignKey(
        Statement, null=True, blank=True, on_delete=models.PROTECT, related_name="costs", db_constraint=False
    )
    is_business_as_usual = models.BooleanField(default=False)
    happened_on = models.DateField()
    stored_at = models.DateTimeField(default=timezone.now, editable=False)
    voids = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="voided_by",
    )
    is_voided = models.BooleanField(default=False)

    class Meta:
        ordering = ["stored_at", "pk"]
        indexes = [
            models.Index(fields=["activity", "happened_on"]),
            models.Index(fields=["stored_at"]),
        ]
        constraints = [
            # The time in a statement is priced once, however often and from wherever the pricing runs.
            models.UniqueConstraint(
                fields=["statement"],
                condition=Q(is_voided=False, voids=None),
                name="cost_of_statement_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.ingredient}: {self.quantity} {self.unit}"


class ColumnMapping(models.Model):
    """Which column of somebody's results file means what, kept so that next term's file needs no second thought."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="column_mappings")
    name = models.CharField(max_length=120)
    instrument = models.ForeignKey(
        Instrument,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="column_mappings",
    )
    columns = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["organization", "name"], name="column_mapping_once")]

    def __str__(self) -> str:
        return self.name


class OutcomeImport(models.Model):
    """One results file being taken into the outcome ledger: its mapping, preview, progress and bad rows."""

    class State(models.TextChoices):
        PREVIEW = "preview", _("preview")
        WAITING = "waiting", _("waiting")
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="outcome_imports")
    instrument = models.ForeignKey(Instrument, null=True, on_delete=models.PROTECT, related_name="outcome_imports")
    imported_by = models.ForeignKey(Person, null=True, on_delete=models.SET_NULL, related_name="outcome_imports")
    name = models.CharField(max_length=255)
    path = models.CharField(max_length=500)
    sha256 = models.CharField(max_length=64, blank=True)
    columns = models.JSONField(default=dict, blank=True)
    state = models.CharField(max_length=16, choices=State, default=State.PREVIEW)
    rows_total = models.PositiveIntegerField(default=0)
    rows_done = models.PositiveIntegerField(default=0)
    counts = models.JSONField(default=dict, blank=True)
    problems = models.JSONField(default=list, blank=True)
    message = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return self.name


class LakePart(models.Model):
    """One Parquet file of the lake: which ledger, which month, how many rows, and its hash."""

    ledger = models.CharField(max_length=16)
    month = models.DateField()
    path = models.CharField(max_length=500)
    rows = models.PositiveBigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True)
    written_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["ledger", "month"]
        constraints = [models.UniqueConstraint(fields=["ledger", "month"], name="lake_part_once")]

    def __str__(self) -> str:
        return self.path
