"""Giving out scarce seats by lot: set up, announce, draw once, invite, answer. What was announced and drawn never changes."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import count
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import slugify
from django.utils.translation import gettext as _

from staffroom.conversations.actions import notify
from staffroom.knowing.impact import queries, rules
from staffroom.knowing.impact.models import Allotment, Applicant, Lot, Lottery, Offer, Wave
from staffroom.knowing.impact.models.studies import fingerprint
from staffroom.knowing.impact.queries.likeness import grade_bands_of, said_grades
from staffroom.measure.drawing_lots import allot, join_small, lots_of, seed_of, start_of
from staffroom.people.models import Organization, Person
from staffroom.records.actions import record
from staffroom.records.models import Activity
from staffroom.records.vocabulary import verbs

LEAST_UNITS = 2
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
TICKET_DIGITS = 8


@dataclass(frozen=True, kw_only=True)
class Round:
    """A wave as somebody plans it."""

    name: str
    seats: int
    begins_on: date


@transaction.atomic
def start_lottery(
    *, by: Person, organization: Organization, activity: Activity, name: str, waves: Sequence[Round], **fields: Any
) -> Lottery:
    """Set up a lottery; nobody asks for a seat yet. Refuses (PermissionDenied) who does not lead or administer the organization."""
    made = Lottery(organization=organization, activity=activity, name=name.strip(), created_by=by, **fields)
    if not rules.may_run_lottery(by, made):
        raise PermissionDenied
    made.slug = f"{slugify(made.name)[:70] or 'lottery'}-{made.key.hex[:5]}"
    made.full_clean(exclude=["replaces"])
    made.save()
    _plan(made, waves)
    record(by=by, verb=verbs.CREATED, object=made, organization=organization)
    return made


@transaction.atomic
def change_lottery(*, by: Person, lottery: Lottery, waves: Sequence[Round], **fields: Any) -> Lottery:
    """Change what was set up, as long as it has not been announced."""
    locked = _open(by, lottery)
    if locked.applicants.filter(is_own=True).exists():
        raise ValidationError(_("Teachers have asked for these seats; they stay as they were read."))
    for name, value in fields.items():
        setattr(locked, name, value)
    locked.full_clean(exclude=["replaces"])
    locked.save()
    locked.waves.all().delete()
    _plan(locked, waves)
    record(by=by, verb=verbs.EDITED, object=locked, organization=locked.organization)
    return locked


def _plan(lottery: Lottery, waves: Sequence[Round]) -> None:
    days = [each.begins_on for each in waves]
    if not waves:
        raise ValidationError(_("A lottery needs at least one wave of seats."))
    if any(each.seats < 1 for each in waves):
        raise ValidationError(_("Each wave has at least one seat."))
    if days != sorted(set(days)):
        raise ValidationError(_("Each wave begins after the one before."))
    Wave.objects.bulk_create(
        Wave(lottery=lottery, number=number, name=each.name, seats=each.seats, begins_on=each.begins_on)
        for number, each in enumerate(waves, 1)
    )


def _open(by: Person, lottery: Lottery) -> Lottery:
    """The lottery, locked, if it may still be changed by somebody."""
    locked = Lottery.objects.select_for_update().select_related(None).get(pk=lottery.pk)
    if not rules.may_run_lottery(by, locked):
        raise PermissionDenied
    if locked.announced_at:
        raise ValidationError(_("It has been announced; since then its list and its seats stay as they are."))
    return locked


@transaction.atomic
def add_applicants(*, by: Person, lottery: Lottery, teachers: Iterable[queries.Teacher], blocks: dict[int, str]) -> int:
    """Enter teachers for a seat; who is entered already stays. `blocks`: by person, where the list names them. Returns how many are new.

    Refuses (ValidationError) who does not teach at the lottery's organization or below it, and all after the announcement.
    """
    locked = _open(by, lottery)
    allowed = {each.person.pk for each in queries.teachers_at(locked.organization)}
    known = set(locked.applicants.values_list("person_id", flat=True))
    fresh = []
    for each in teachers:
        if each.person.pk not in allowed:
            raise ValidationError(_("%(name)s does not teach there.") % {"name": each.person.full_name})
        if each.person.pk not in known:
            known.add(each.person.pk)
            fresh.append(
                Applicant(lottery=locked, person=each.person, school=each.school, block=blocks.get(each.person.pk, ""))
            )
    Applicant.objects.bulk_create(fresh)
    if fresh:
        record(by=by, verb=verbs.EDITED, object=locked, organization=locked.organization)
    return len(fresh)


@transaction.atomic
def remove_applicant(*, by: Person, lottery: Lottery, applicant: Applicant) -> None:
    """Take somebody off the list, before the announcement. Whoever had asked herself is told."""
    locked = _open(by, lottery)
    if applicant.is_own and applicant.person is not None:
        _tell(applicant, "lottery_taken_off")
    Applicant.objects.filter(pk=applicant.pk, lottery=locked).delete()
    record(by=by, verb=verbs.EDITED, object=locked, organization=locked.organization)


# --- Announcing and drawing ------------------------------------------------------------------------------------------------------


@transaction.atomic
def announce(*, by: Person, lottery: Lottery, number_source: str) -> Lottery:
    """Freeze the list, give out tickets, and publish the hash of the list and of a secret that the draw will use.

    `number_source`: where the number comes from that nobody can know today. Tells every applicant.
    """
    locked = _open(by, lottery)
    if locked.is_calling:
        day = date_format(locked.apply_until or timezone.localdate())
        raise ValidationError(_("Teachers may ask until %(day)s; announce it after that day.") % {"day": day})
    units = _units(locked)
    if len(units) < LEAST_UNITS:
        raise ValidationError(_("There must be at least two who ask, or there is nothing to draw."))
    _freeze(locked, units)
    locked.number_source = number_source.strip()
    locked.secret = secrets.token_hex(32)
    locked.secret_sha256 = fingerprint(locked.secret)
    locked.list_sha256 = fingerprint(published_list(queries.lots_of(locked)))
    locked.announced_at = timezone.now()
    locked.full_clean(exclude=["replaces"])
    locked.save()
    hashes = f"list {locked.list_sha256} secret {locked.secret_sha256}"
    record(by=by, verb=verbs.SCHEDULED, object=locked, organization=locked.organization, result={"response": hashes})
    for applicant in locked.applicants.filter(person__isnull=False).select_related("person"):
        _tell(applicant, "lottery_announced")
    return locked


def _units(lottery: Lottery) -> dict[str, list[Applicant]]:
    """Who is drawn together: each teacher by herself, or all of one school."""
    found: dict[str, list[Applicant]] = {}
    for each in lottery.applicants.filter(person__isnull=False).select_related("school").order_by("pk"):
        unit = f"school {each.school_id}" if lottery.unit == Lottery.Unit.SCHOOL else f"person {each.person_id}"
        found.setdefault(unit, []).append(each)
    return found


def _block(lottery: Lottery, people: Sequence[Applicant], bands: Mapping[int, str]) -> str:
    if lottery.blocks == Lottery.Blocks.OWN:
        return people[0].block or _("without a group")
    if lottery.blocks == Lottery.Blocks.GRADES:
        return said_grades(bands.get(people[0].person_id or 0, "")) or _("grades not known")
    if lottery.blocks == Lottery.Blocks.SCHOOL and lottery.unit == Lottery.Unit.TEACHER and people[0].school:
        return people[0].school.name
    return _("all")


def _freeze(lottery: Lottery, units: dict[str, list[Applicant]]) -> None:
    """Write a lot for each unit: a ticket by chance, and its block, small ones joined."""
    is_by_grades = lottery.blocks == Lottery.Blocks.GRADES
    bands = grade_bands_of(lottery.applicants.values_list("person", flat=True)) if is_by_grades else {}
    joined = join_small([_block(lottery, people, bands) for people in units.values()], lottery.least_in_block)
    codes = dict(zip(sorted(set(joined)), _codes(), strict=False))
    tickets: set[str] = set()
    while len(tickets) < len(units):
        tickets.add("".join(secrets.choice(LETTERS) for _digit in range(TICKET_DIGITS)))
    shuffled = secrets.SystemRandom().sample(sorted(tickets), len(tickets))
    for people, block, ticket in zip(units.values(), joined, shuffled, strict=True):
        lot = Lot.objects.create(lottery=lottery, ticket=ticket, block=block[:300], code=codes[block])
        Applicant.objects.filter(pk__in=[each.pk for each in people]).update(lot=lot)


def _codes() -> Iterable[str]:
    """A, B, … Z, A1, B1, …"""
    return (f"{letter}{number or ''}" for number in count() for letter in LETTERS)


def published_list(lots: Iterable[Lot]) -> str:
    """The list whose hash is published: one line for each ticket, `ticket,block`, in the order of the tickets."""
    return "".join(f"{lot.ticket},{lot.code}\n" for lot in sorted(lots, key=lambda lot: lot.ticket))


@transaction.atomic
def draw(*, by: Person, lottery: Lottery, number: str) -> Lottery:
    """Draw, once and for all: a second call changes nothing. Tells every applicant and invites those whose time has come.

    `number`: what the announced source said. The seed is SHA-256 of the list's hash, the secret and the number, a line each.
    """
    locked = Lottery.objects.select_for_update().select_related(None).get(pk=lottery.pk)
    if not rules.may_run_lottery(by, locked):
        raise PermissionDenied
    if locked.drawn_at:
        return locked
    if not locked.announced_at:
        raise ValidationError(_("Announce it first, so that everybody can check the draw."))
    locked.number = " ".join(number.split())
    if not locked.number:
        raise ValidationError({"number": [_("Type the number of the source that was announced.")]})
    locked.seed = seed_of(locked.list_sha256, locked.secret, locked.number)
    locked.drawn_at, locked.drawn_by = timezone.now(), by
    locked.full_clean(exclude=["replaces"])
    locked.save()
    _allot(locked)
    record(
        by=by,
        verb=verbs.COMPLETED,
        object=locked,
        organization=locked.organization,
        result={"response": f"seed {locked.seed}"},
    )
    _invite(locked, timezone.localdate())
    _tell_the_others(locked)
    return locked


def _allot(lottery: Lottery) -> None:
    lots = list(lottery.lots.order_by("ticket"))
    waves = list(lottery.waves.order_by("number"))
    found = allot(
        [lot.code for lot in lots], [wave.seats for wave in waves], lots_of(lottery.seed, [lot.ticket for lot in lots]),
        [start_of(lottery.seed, wave.number) for wave in waves],
    )  # fmt: skip
    Allotment.objects.bulk_create(
        Allotment(lot=lot, wave=wave, position=position)
        for lot, wave, position in zip(lots, found.wave, found.position, strict=True)
    )


@transaction.atomic
def draw_anew(*, by: Person, lottery: Lottery) -> Lottery:
    """Begin a new lottery with the same people and seats, which says which one it replaces. The old one stays as it is, for all to see."""
    if not rules.may_run_lottery(by, lottery):
        raise PermissionDenied
    waves = [Round(name=each.name, seats=each.seats, begins_on=each.begins_on) for each in lottery.waves.all()]
    same = ("description", "unit", "blocks", "least_in_block", "notice_days")
    made = start_lottery(
        by=by, organization=lottery.organization, activity=lottery.activity, name=lottery.name, waves=waves,
        replaces=lottery, **{name: getattr(lottery, name) for name in same},
    )  # fmt: skip
    Applicant.objects.bulk_create(
        Applicant(lottery=made, person=each.person, school=each.school, block=each.block, is_own=each.is_own)
        for each in lottery.applicants.filter(person__isnull=False, withdrawn_at=None).select_related(
            "person", "school"
        )
    )
    return made


# --- Inviting --------------------------------------------------------------------------------------------------------------------


@transaction.atomic
def invite(*, lottery: Lottery) -> int:
    """Invite those whose wave is near, and the next on the list for every seat that fell free. Returns how many. Safe to run twice."""
    locked = Lottery.objects.select_for_update().select_related(None).get(pk=lottery.pk)
    return _invite(locked, timezone.localdate()) if locked.drawn_at else 0


def _invite(lottery: Lottery, today: date) -> int:
    standings, offered = queries.standings_of(lottery), 0
    for wave in lottery.waves.order_by("number"):
        if today < wave.begins_on - lottery.notice:
            break
        drawn = [each for each in standings if each.wave == wave.number]
        own = [each for each in drawn if each.people and not _has_seat(each, wave) and wave.number not in each.declined]
        for standing in own:
            offered += _offer(standing, wave, is_moved_up=False)
        if today < wave.begins_on:
            offered += _move_up(standings, wave, len(drawn))
    if offered:
        record(by=None, verb=verbs.INVITED, object=lottery, organization=lottery.organization)
    return offered


def _has_seat(standing: queries.Standing, wave: Wave) -> bool:
    """Whether a lot holds a seat in this wave or in an earlier one."""
    return any(number <= wave.number for number in standing.held)


def _move_up(standings: Sequence[queries.Standing], wave: Wave, seats: int) -> int:
    """Offer the seats of a wave that nobody holds to the next in the order of the draw."""
    free, offered = seats - sum(wave.number in each.held for each in standings), 0
    for standing in standings:
        if free <= 0:
            break
        is_later = standing.wave == 0 or standing.wave > wave.number
        if is_later and standing.people and not _has_seat(standing, wave) and wave.number not in standing.declined:
            offered += _offer(standing, wave, is_moved_up=True)
            free -= 1
    return offered


def _offer(standing: queries.Standing, wave: Wave, *, is_moved_up: bool) -> int:
    for applicant in standing.people:
        Offer.objects.get_or_create(applicant=applicant, wave=wave, defaults={"is_moved_up": is_moved_up})
        _tell(applicant, "seat_offered")
    standing.held.add(wave.number)
    return len(standing.people)


def _tell_the_others(lottery: Lottery) -> None:
    waiting = lottery.applicants.filter(person__isnull=False, withdrawn_at=None, offers=None)
    for applicant in waiting.select_related("person"):
        _tell(applicant, "lottery_drawn")


def _tell(applicant: Applicant, kind: str) -> None:
    lottery = applicant.lottery
    assert applicant.person is not None
    notify(recipient=applicant.person, kind=kind, url=lottery.get_absolute_url(), details={"lottery": lottery.name})


@transaction.atomic
def answer_offer(*, by: Person, offer: Offer, answer: str) -> Offer:
    """Take or decline a seat; until its wave begins one may think again. A declined seat goes to the next at once.

    Refuses (PermissionDenied) everybody but the teacher and those who run the lottery, (ValidationError) once the wave has begun and
    once the seat was given on.
    """
    # Whoever answers and whoever invites wait for each other at the lottery.
    Lottery.objects.select_for_update().get(pk=offer.applicant.lottery_id)
    found = Offer.objects.select_related("applicant__lottery__organization", "wave").get(pk=offer.pk)
    if not rules.may_answer_offer(by, found):
        raise PermissionDenied
    if answer not in (Offer.Answer.ACCEPTED, Offer.Answer.DECLINED):
        raise ValidationError(_("Say whether you take the seat or leave it."))
    if found.answer == answer:
        return found
    if timezone.localdate() >= found.wave.begins_on:
        raise ValidationError(_("This wave has begun; ask those who run the lottery."))
    if found.answer == Offer.Answer.DECLINED:
        raise ValidationError(_("The seat was declined and offered to the next on the list."))
    found.answer, found.answered_at = answer, timezone.now()
    found.save(update_fields=["answer", "answered_at"])
    lottery = found.applicant.lottery
    verb = verbs.ACCEPTED if answer == Offer.Answer.ACCEPTED else verbs.CANCELED
    record(by=by, verb=verb, object=lottery, organization=lottery.organization)
    if answer == Offer.Answer.DECLINED:
        _invite(lottery, timezone.localdate())
    return found
