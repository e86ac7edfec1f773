"""Reads about lotteries: those of a viewer, who may ask for a seat, who holds one, and who is next."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, OuterRef, Prefetch, Q, QuerySet, Subquery

from staffroom.knowing.impact import rules
from staffroom.knowing.impact.models import Allotment, Applicant, Lot, Lottery, Offer, Wave
from staffroom.people.models import Membership, Organization, Person, Role
from staffroom.people.rules import lasting
from staffroom.records.models import Activity


def lotteries_for(viewer: object) -> QuerySet[Lottery]:
    """Lotteries that the viewer runs, asked for a seat in, or may or might have asked in, newest first."""
    return Lottery.objects.filter(rules.lotteries_seeable_by(viewer)).select_related("organization", "activity")


def lotteries_run_by(viewer: object) -> QuerySet[Lottery]:
    return Lottery.objects.filter(rules.lotteries_runnable_by(viewer)).select_related("organization", "activity")


def lottery_named(viewer: object, slug: str) -> Lottery | None:
    """The lottery of an address, if the viewer may know of it."""
    return lotteries_for(viewer).select_related("replaces").filter(slug=slug).first()


def places_for_lotteries(viewer: object) -> QuerySet[Organization]:
    """Organizations for which the viewer may set up a lottery, from the top."""
    return Organization.objects.filter(rules.lotteries_runnable_at(viewer)).order_by("path")


def activities_for_lotteries(viewer: object) -> QuerySet[Activity]:
    """Activities of organizations around those in which the viewer runs lotteries."""
    found = Activity.objects.filter(rules.what_works_seeable_by(viewer)).select_related("organization")
    return found.order_by("name", "pk")


@dataclass(frozen=True)
class Teacher:
    """Somebody who may ask for a seat, and the school at which she teaches."""

    person: Person
    school: Organization


def teachers_at(organization: Organization, schools: Iterable[Organization] = ()) -> list[Teacher]:
    """Who teaches at an organization or below it today, by name; with `schools` only those there. Each once, at the first school."""
    held = Membership.objects.filter(
        lasting(), role=Role.TEACHER, organization__path__startswith=organization.path,
        person__erased_at=None, person__is_active=True,
    )  # fmt: skip
    chosen = [school.pk for school in schools]
    held = held.filter(organization__in=chosen) if chosen else held
    order = ("person__family_name", "person__given_name", "person_id", "pk")
    found: dict[int, Teacher] = {}
    for each in held.select_related("person", "organization").order_by(*order):
        found.setdefault(each.person_id, Teacher(each.person, each.organization))
    return list(found.values())


def schools_below(organization: Organization) -> QuerySet[Organization]:
    """Schools at or below an organization, by name."""
    inside = Organization.objects.filter(path__startswith=organization.path, kind=Organization.Kind.SCHOOL)
    return inside.order_by("name", "pk")


def applicants_of(lottery: Lottery) -> QuerySet[Applicant]:
    """Who asks for a seat, by name; after the draw with what fell to them and what they were offered."""
    found = lottery.applicants.select_related("person", "school", "lot__allotment")
    found = found.prefetch_related("offers") if lottery.drawn_at else found
    return found.order_by("person__family_name", "person__given_name", "pk")


@dataclass(frozen=True)
class Counts:
    """How many ask for a seat, at how many schools, in how many blocks (once the list is frozen)."""

    teachers: int
    schools: int
    blocks: int


def counts_of(lottery: Lottery) -> Counts:
    known = lottery.applicants.filter(person__isnull=False).order_by()
    sums = known.aggregate(
        teachers=Count("pk"), schools=Count("school", distinct=True), blocks=Count("lot__code", distinct=True)
    )
    return Counts(**sums)


def application_of(person: Person, lottery: Lottery) -> Applicant | None:
    """One's own application, with what fell to it."""
    found = lottery.applicants.filter(person=person).select_related("lot__allotment", "school")
    return found.prefetch_related(Prefetch("offers", Offer.objects.select_related("wave"))).first()


def offer_with(viewer: object, lottery: Lottery, pk: int) -> Offer | None:
    """An offer of a lottery that the viewer may answer."""
    offers = Offer.objects.filter(applicant__lottery=lottery, pk=pk)
    found = offers.select_related("applicant__lottery__organization", "applicant__person", "wave").first()
    return found if found is not None and rules.may_answer_offer(viewer, found) else None


def lots_of(lottery: Lottery) -> list[Lot]:
    """The tickets with what fell to them, in the order of the tickets."""
    return list(lottery.lots.select_related("allotment").order_by("ticket"))


@dataclass(frozen=True)
class Seats:
    """How one wave stands, in units that were drawn."""

    wave: Wave
    drawn: int
    accepted: int
    declined: int
    waiting: int
    moved_up: int


def seats_of(lottery: Lottery) -> list[Seats]:
    """Each wave: how many were drawn for it, said yes, said no, have not answered, moved up into it (people)."""
    here = Allotment.objects.filter(lot__lottery=lottery, wave=OuterRef("number")).order_by().values("wave")

    def people(**which: Any) -> Count:
        return Count("offers", filter=Q(offers__applicant__person__isnull=False, **which))

    counted = lottery.waves.annotate(
        drawn=Subquery(here.annotate(many=Count("pk")).values("many")),
        accepted=people(offers__answer=Offer.Answer.ACCEPTED), declined=people(offers__answer=Offer.Answer.DECLINED),
        waiting=people(offers__answer=Offer.Answer.NONE), moved_up=people(offers__is_moved_up=True),
    )  # fmt: skip
    return [Seats(each, each.drawn or 0, each.accepted, each.declined, each.waiting, each.moved_up) for each in counted]


def drawn_lotteries() -> QuerySet[Lottery]:
    return Lottery.objects.filter(drawn_at__isnull=False).select_related("organization", "activity").order_by("pk")


@dataclass
class Standing:
    """A lot after the draw: who stands behind it, and in which waves its seat is held or was declined."""

    lot: Lot
    people: list[Applicant]
    held: set[int]
    declined: set[int]

    @property
    def wave(self) -> int:
        return self.lot.allotment.wave


def standings_of(lottery: Lottery) -> list[Standing]:
    """All lots in the order in which they were drawn. A seat is held while one of those behind the lot has not declined it."""
    people: dict[int, list[Applicant]] = {}
    for each in (
        lottery.applicants.filter(person__isnull=False, withdrawn_at=None)
        .select_related("person")
        .prefetch_related("offers__wave")
    ):
        people.setdefault(each.lot_id or 0, []).append(each)
    lots = lottery.lots.select_related("allotment").order_by("allotment__position")
    return [_standing(lot, people.get(lot.pk, [])) for lot in lots]


def _standing(lot: Lot, people: list[Applicant]) -> Standing:
    held: set[int] = set()
    declined: set[int] = set()
    for person in people:
        for offer in person.offers.all():
            (declined if offer.answer == Offer.Answer.DECLINED else held).add(offer.wave.number)
    return Standing(lot, people, held, declined - held)
