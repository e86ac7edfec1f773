"""Asking for a seat oneself: a lottery is opened to the teachers whom it concerns; each asks, and withdraws until the draw."""

from __future__ import annotations

from datetime import date

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from staffroom.conversations.actions import notify
from staffroom.conversations.models import Notice
from staffroom.jobs.actions import later, report
from staffroom.knowing.impact import queries, rules
from staffroom.knowing.impact.models import Applicant, Lottery
from staffroom.people.models import Person
from staffroom.records.actions import record
from staffroom.records.vocabulary import verbs


def locked(lottery: Lottery) -> Lottery:
    """The lottery as it is now; whoever else changes it waits."""
    return Lottery.objects.select_for_update().select_related(None).get(pk=lottery.pk)


@transaction.atomic
def open_applications(*, by: Person, lottery: Lottery, until: date) -> Lottery:
    """Let the teachers of its organization ask for a seat themselves until a day, that day included, and tell them.

    A second call gives them longer, never less. Refuses (PermissionDenied) who does not run it, (ValidationError) after the
    announcement and a day that is over.
    """
    found = locked(lottery)
    if not rules.may_run_lottery(by, found):
        raise PermissionDenied
    if found.announced_at:
        raise ValidationError(_("It has been announced; since then its list and its seats stay as they are."))
    if until < timezone.localdate():
        raise ValidationError({"until": [_("This day is over.")]})
    if found.apply_until and until < found.apply_until:
        raise ValidationError({"until": [_("Teachers have read a later day; it cannot come sooner any more.")]})
    first_wave = found.waves.first()
    if first_wave is not None and until >= first_wave.begins_on:
        raise ValidationError({"until": [_("The first seats begin on that day or before it; choose an earlier one.")]})
    is_new = found.opened_at is None
    found.opened_at, found.apply_until = found.opened_at or timezone.now(), until
    found.save(update_fields=["opened_at", "apply_until"])
    record(by=by, verb=verbs.SCHEDULED, object=found, organization=found.organization)
    if is_new:
        # Tasks call actions, so actions know them by name only.
        task = import_string("staffroom.knowing.impact.tasks.tell_of_applications")
        later(
            task, by=by, about=found.organization, label=_("Telling teachers of seats"), retries=3, lottery_id=found.pk
        )
    return found


def tell_of_applications(*, lottery: Lottery) -> int:
    """Tell each teacher whom a lottery concerns that she may ask for a seat. Returns how many. Safe to run twice."""
    kind, url = "seats_open", lottery.get_absolute_url()
    told = set(Notice.objects.filter(kind=kind, url=url).values_list("recipient", flat=True))
    told |= set(lottery.applicants.exclude(person=None).values_list("person", flat=True))
    called = [each.person for each in queries.teachers_at(lottery.organization) if each.person.pk not in told]
    for number, person in enumerate(called):
        report(done=number, total=len(called))
        notify(recipient=person, kind=kind, url=url, details={"lottery": lottery.name})
    return len(called)


@transaction.atomic
def ask_for_seat(*, by: Person, lottery: Lottery) -> Applicant:
    """Ask for a seat, for oneself; a second call changes nothing, and whoever withdrew since the announcement comes back.

    Refuses (PermissionDenied) whom it does not concern, (ValidationError) before and after the days for asking, and after the draw.
    """
    found = locked(lottery)
    known = found.applicants.filter(person=by).first()
    if known is None and not rules.may_ask_for_seat(by, found):
        raise PermissionDenied
    if found.drawn_at:
        raise ValidationError(_("It has been drawn."))
    if known is not None:
        if known.withdrawn_at is not None:
            known.withdrawn_at = None
            known.save(update_fields=["withdrawn_at"])
            record(by=by, verb=verbs.REGISTERED, object=found, organization=found.organization)
        return known
    if not found.is_calling:
        raise ValidationError(_("The time for asking is over."))
    made = Applicant.objects.create(
        lottery=found, person=by, school=queries.school_of(by, found.organization), is_own=True
    )
    record(by=by, verb=verbs.REGISTERED, object=found, organization=found.organization)
    # What she was told of waits for her no longer.
    told = Notice.objects.filter(recipient=by, kind="seats_open", url=found.get_absolute_url(), read_at=None)
    told.update(read_at=timezone.now())
    return made


@transaction.atomic
def withdraw(*, by: Person, lottery: Lottery) -> None:
    """Give up one's place before the draw. Before the list is frozen one leaves it; after that the ticket stays, and what falls to it
    goes to the next. Refuses (PermissionDenied) who is not on the list, (ValidationError) after the draw: an offer is declined then.
    """
    found = locked(lottery)
    own = found.applicants.filter(person=by).first()
    if own is None:
        raise PermissionDenied
    if found.drawn_at:
        raise ValidationError(_("It has been drawn; a seat that is offered to you may be left."))
    if found.announced_at is None:
        own.delete()
    elif own.withdrawn_at is None:
        own.withdrawn_at = timezone.now()
        own.save(update_fields=["withdrawn_at"])
    record(by=by, verb=verbs.CANCELED, object=found, organization=found.organization)


def tell_of_closing() -> int:
    """Tell those who set lotteries up that nobody can ask for a seat any more, and that it is to be announced. Safe to run twice."""
    told = 0
    for found in queries.due_to_close():
        url, person = found.get_absolute_url(), found.created_by
        is_told = Notice.objects.filter(kind="seats_closed", url=url, recipient=person).exists()
        if person is not None and not is_told and rules.may_run_lottery(person, found):
            notify(recipient=person, kind="seats_closed", url=url, details={"lottery": found.name})
            told += 1
    return told
