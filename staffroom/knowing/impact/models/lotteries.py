"""Lotteries: who asks for a seat, what was published before, what was drawn, and who was invited when."""

from __future__ import annotations

import uuid
from datetime import timedelta

from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from staffroom.knowing.impact.models.frozen import FrozenRow
from staffroom.people.models import Organization, Person
from staffroom.records.models import Activity


class Lottery(models.Model):
    """A draw of who takes part in an activity first, when there are fewer seats than people who want one.

    Before it is announced everything may change; then the list is frozen, and from the draw on nothing does.
    """

    class Unit(models.TextChoices):
        TEACHER = "teacher", _("each teacher by herself")
        SCHOOL = "school", _("whole schools")

    class Blocks(models.TextChoices):
        NONE = "none", _("one draw for all")
        SCHOOL = "school", _("by school, so that each school gets its share of the seats")
        GRADES = "grades", _("by the grades that they teach, as the roster has them")
        OWN = "own", _("by groups that the list names, such as grades")

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="lotteries")
    activity = models.ForeignKey(Activity, on_delete=models.PROTECT, related_name="lotteries")
    name = models.CharField(max_length=200)
    slug = models.SlugField(max_length=80, unique=True)
    description = models.TextField(blank=True)
    unit = models.CharField(max_length=8, choices=Unit, default=Unit.TEACHER)
    blocks = models.CharField(max_length=8, choices=Blocks, default=Blocks.SCHOOL)
    least_in_block = models.PositiveSmallIntegerField(default=4)
    notice_days = models.PositiveSmallIntegerField(default=28)
    number_source = models.TextField(blank=True)
    replaces = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="replaced_by")
    created_by = models.ForeignKey(
        Person, null=True, blank=True, on_delete=models.SET_NULL, related_name="lotteries_created"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    opened_at = models.DateTimeField(null=True, blank=True)
    apply_until = models.DateField(null=True, blank=True)
    announced_at = models.DateTimeField(null=True, blank=True)
    list_sha256 = models.CharField(max_length=64, blank=True)
    secret = models.CharField(max_length=64, blank=True)
    secret_sha256 = models.CharField(max_length=64, blank=True)
    drawn_at = models.DateTimeField(null=True, blank=True)
    drawn_by = models.ForeignKey(
        Person, null=True, blank=True, on_delete=models.SET_NULL, related_name="lotteries_drawn"
    )
    number = models.CharField(max_length=100, blank=True)
    seed = models.CharField(max_length=64, blank=True)

    class Meta:
        verbose_name_plural = "lotteries"
        ordering = ["-created_at", "-pk"]
        constraints = [
            # A draw has everything that it can be checked by.
            models.CheckConstraint(
                condition=Q(drawn_at=None) | (~Q(seed="") & ~Q(secret="") & Q(announced_at__isnull=False)),
                name="lottery_drawn_with_a_seed",
            ),
            # Whoever may ask for a seat knows until when.
            models.CheckConstraint(
                condition=Q(opened_at=None) | Q(apply_until__isnull=False), name="lottery_opened_until_a_day"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("lotteries:lottery", args=[self.slug])

    @property
    def state(self) -> str:
        """`open`, `announced` or `drawn`."""
        return "drawn" if self.drawn_at else "announced" if self.announced_at else "open"

    @property
    def notice(self) -> timedelta:
        """How long before a wave begins those drawn for it are invited."""
        return timedelta(days=self.notice_days)

    @property
    def is_calling(self) -> bool:
        """Whether teachers may ask for a seat today: from the opening through the last day, until the list is frozen."""
        is_in_time = self.apply_until is not None and timezone.localdate() <= self.apply_until
        return self.opened_at is not None and is_in_time and self.announced_at is None


class Wave(models.Model):
    """One round of seats of a lottery: how many, and when it begins. The first is now, later ones are the waitlist."""

    lottery = models.ForeignKey(Lottery, on_delete=models.CASCADE, related_name="waves")
    number = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=100)
    seats = models.PositiveIntegerField()
    begins_on = models.DateField()

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["lottery", "number"], name="wave_once")]

    def __str__(self) -> str:
        return self.name


class Lot(FrozenRow):
    """What is drawn: a teacher or a whole school, with its ticket and its block, as the announcement froze them."""

    lottery = models.ForeignKey(Lottery, on_delete=models.PROTECT, related_name="lots")
    ticket = models.CharField(max_length=16)
    block = models.CharField(max_length=300)
    code = models.CharField(max_length=12, help_text=_("The block as everybody may see it."))

    class Meta:
        ordering = ["ticket"]
        constraints = [models.UniqueConstraint(fields=["lottery", "ticket"], name="lot_ticket_once")]

    def __str__(self) -> str:
        return self.ticket


class Allotment(FrozenRow):
    """What fell to a lot: its wave (0: none, it waits), and its place in the order of all lots. Written once."""

    lot = models.OneToOneField(Lot, on_delete=models.PROTECT, related_name="allotment")
    wave = models.PositiveSmallIntegerField()
    position = models.PositiveIntegerField()

    class Meta:
        ordering = ["position"]

    def __str__(self) -> str:
        return f"{self.lot}: {self.wave}"


class Applicant(models.Model):
    """A teacher who asks for a seat in a lottery: of her own accord, or entered by those who run it.

    Whoever withdraws before the list is frozen leaves it; after that the ticket stays, so that the list can be checked, and the
    seat that falls to it goes to the next.
    """

    lottery = models.ForeignKey(Lottery, on_delete=models.CASCADE, related_name="applicants")
    person = models.ForeignKey(Person, null=True, blank=True, on_delete=models.SET_NULL, related_name="applications")
    school = models.ForeignKey(Organization, null=True, blank=True, on_delete=models.PROTECT, related_name="applicants")
    block = models.CharField(max_length=100, blank=True)
    lot = models.ForeignKey(Lot, null=True, blank=True, on_delete=models.PROTECT, related_name="applicants")
    is_own = models.BooleanField(default=False)
    added_at = models.DateTimeField(default=timezone.now, editable=False)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["lottery", "person"], name="applicant_once")]

    def __str__(self) -> str:
        return str(self.person) if self.person else str(_("somebody who was erased"))


class Offer(models.Model):
    """A seat offered to an applicant: in which wave, drawn or moved up, and what the teacher answered."""

    class Answer(models.TextChoices):
        NONE = "", _("no answer yet")
        ACCEPTED = "accepted", _("accepted")
        DECLINED = "declined", _("declined")

    applicant = models.ForeignKey(Applicant, on_delete=models.CASCADE, related_name="offers")
    wave = models.ForeignKey(Wave, on_delete=models.PROTECT, related_name="offers")
    is_moved_up = models.BooleanField(default=False)
    offered_at = models.DateTimeField(default=timezone.now)
    answer = models.CharField(max_length=8, choices=Answer, default=Answer.NONE, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["offered_at", "pk"]
        constraints = [models.UniqueConstraint(fields=["applicant", "wave"], name="offer_once")]

    def __str__(self) -> str:
        return f"{self.applicant}: {self.wave}"
