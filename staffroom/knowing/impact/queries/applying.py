"""Reads about asking for a seat: who is called, what waits for a teacher, and where she stands in a lottery."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from staffroom.knowing.impact import rules
from staffroom.knowing.impact.hiding import is_small
from staffroom.knowing.impact.models import Applicant, Lottery, Offer, Wave
from staffroom.people.models import Organization, Person
from staffroom.people.prepared import prepared
from staffroom.people.queries import memberships_of
from staffroom.records.models import Activity


def callings_for(person: Person) -> QuerySet[Lottery]:
    """Lotteries in which the person may ask for a seat today and has not done so, those that close first before the others."""
    return _callings(person.pk, timezone.localdate()).filter(rules.lotteries_open_to(person))


def _callings(person: int, today: date) -> QuerySet[Lottery]:
    own = Applicant.objects.filter(lottery=OuterRef("pk"), person=person)
    found = Lottery.objects.filter(announced_at=None, apply_until__gte=today).exclude(Exists(own))
    return found.select_related("organization", "activity").order_by("apply_until", "pk")


@prepared
def _callings_around(
    person: int, today: date, around: tuple[int, ...], activities: tuple[int, ...]
) -> QuerySet[Lottery]:
    here = _callings(person, today).filter(opened_at__isnull=False, organization__in=around)
    return here.filter(activity__in=activities).select_related(None)


def offers_for(person: Person) -> QuerySet[Offer]:
    """Seats that wait for the person's answer."""
    found = Offer.objects.filter(
        applicant__person=person, answer=Offer.Answer.NONE, wave__begins_on__gt=timezone.localdate()
    )
    return found.select_related("applicant__lottery__activity", "wave")


def _waiting_before(lottery: Lottery, position: int) -> int:
    """How many lots without a seat, of whoever has not withdrawn, come before a place in the order of the draw."""
    people = Applicant.objects.filter(lot=OuterRef("pk"), person__isnull=False, withdrawn_at=None)
    held = Offer.objects.filter(applicant__lot=OuterRef("pk")).exclude(answer=Offer.Answer.DECLINED)
    waiting = lottery.lots.filter(Exists(people), ~Exists(held), allotment__position__lt=position)
    return waiting.exclude(allotment__wave=1).count()


def has_seats_waiting(person: object) -> bool:
    """Whether a seat waits for somebody: one to ask for, or one to take or leave."""
    if not isinstance(person, Person) or not rules.has_seats(person):
        return False
    return callings_for(person).order_by().values("pk").union(offers_for(person).values("pk")).exists()


def callings_of(person: Person, activities: Sequence[Activity]) -> dict[int, Lottery]:
    """By activity, a lottery in which the person may ask for a seat today."""
    around = tuple(sorted(rules.places_taught_at(person)))
    if not activities or not around:
        return {}
    asked = tuple(each.pk for each in activities)
    return {each.activity_id: each for each in _callings_around(person.pk, timezone.localdate(), around, asked)}


def school_of(person: Person, organization: Organization) -> Organization | None:
    """Where the person teaches at an organization or below it."""
    held = (each for each in memberships_of(person) if rules.is_called(each, organization))
    return next((each.organization for each in held), None)


def due_to_close() -> QuerySet[Lottery]:
    """Lotteries whose time for asking is over and that nobody has announced."""
    over = Q(opened_at__isnull=False, apply_until__lt=timezone.localdate(), announced_at=None)
    return Lottery.objects.filter(over).select_related("organization", "created_by").order_by("pk")


@dataclass(frozen=True)
class Place:
    """Where a teacher stands after the draw: her wave (0: none), and how many wait before her."""

    wave: int
    before: int
    begins_on: date | None
    invited_on: date | None
    """From when on those of her wave are invited."""


def asking_in(lottery: Lottery) -> int | None:
    """How many ask for a seat, for those who do not run it: nothing where they are few."""
    many = lottery.applicants.filter(person__isnull=False, withdrawn_at=None).count()
    return None if is_small(many) else many


def place_of(lottery: Lottery, applicant: Applicant, waves: Iterable[Wave]) -> Place | None:
    """Nothing before the draw."""
    if lottery.drawn_at is None or applicant.lot is None:
        return None
    wave = applicant.lot.allotment.wave
    begins = next((each.begins_on for each in waves if each.number == wave), None)
    before = 0 if wave == 1 else _waiting_before(lottery, applicant.lot.allotment.position)
    return Place(wave, before, begins, begins - lottery.notice if begins else None)
