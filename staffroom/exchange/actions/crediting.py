"""Hours from other programs, written into the ledger: one entry of Staffroom's own for a person, a day and a mapping.

What tools wrote stays as it was written and carries no activity; the entry that is made of it does, and so its hours are found,
priced and judged like any others, once. When what stands behind it changes, the entry is voided and another appended.
"""

from __future__ import annotations

from datetime import date, timedelta

from django.db import transaction

from staffroom.exchange import counting
from staffroom.exchange.actions import marking
from staffroom.exchange.counting import Foreign, Hours
from staffroom.exchange.models import Credit, DayToCount, Mapping
from staffroom.jobs.actions import report
from staffroom.people.models import Organization, Person
from staffroom.records.actions import record
from staffroom.records.models import Statement
from staffroom.records.retired import kept_since
from staffroom.records.vocabulary import verbs

AT_ONCE = 200


def count_marked(*, tenant_id: int) -> int:
    """Count all days that are marked, those that are marked meanwhile too. Safe to run twice. Returns how many."""
    done = 0
    while marks := list(DayToCount.objects.filter(tenant=tenant_id).order_by("day", "pk")[:AT_ONCE]):
        for mark in marks:
            with transaction.atomic():
                # First the mark, then the reading: whoever adds to the day from here on leaves another one.
                DayToCount.objects.filter(pk=mark.pk).delete()
                count_day(tenant_id=tenant_id, person_id=mark.person_id, day=mark.day)
            done += 1
        report(done=done, total=done + DayToCount.objects.filter(tenant=tenant_id).count())
    return done


@transaction.atomic
def count_day(*, tenant_id: int, person_id: int, day: date) -> int:
    """Make the ledger agree with what tools wrote of a day of a person. Returns how many credits changed.

    A day of which the ledger may no longer have every entry stays as it was counted.
    """
    if (since := kept_since()) and day < since:
        return 0
    # Whoever counts for the same person waits here.
    person = Person.objects.select_for_update(of=("self",)).filter(pk=person_id, erased_at=None).first()
    if person is None:
        return 0
    chooser = counting.chooser_of(tenant_id)
    wanted = counting.hours_of_day(chooser, tenant_id, person_id, day)
    kept = {
        each.mapping_id: each
        for each in Credit.objects.filter(person=person, day=day, mapping__tenant=tenant_id).select_related("mapping")
    }
    for pk in [pk for pk, hours in wanted.items() if _is_entered(hours, person, day)]:
        del wanted[pk]
    changed = 0
    for pk in sorted(kept.keys() | wanted.keys()):
        mapping = wanted[pk].mapping if pk in wanted else kept[pk].mapping
        if _agree(person, day, kept.get(pk), wanted.get(pk)):
            changed += 1
            _mark_later(mapping, tenant_id, person_id, day)
    return changed


def _is_entered(hours: Hours, person: Person, day: date) -> bool:
    """Whether somebody entered attendance by hand for the same day: then that counts, and the day is not counted twice."""
    credited = Credit.objects.filter(person=person, day=day).values("entry")
    entered = counting.of_day(hours.mapping.tenant_id, person.pk, day).filter(
        activity=hours.mapping.activity_id, verb=verbs.ATTENDED.iri, tool=None, is_voided=False
    )
    return entered.exclude(pk__in=credited).exists()


def _agree(person: Person, day: date, kept: Credit | None, wanted: Hours | None) -> bool:
    """Bring one credit to what it should be; whether anything had to change.

    An entry that somebody has struck out stays struck out as long as there is anything behind it.
    """
    if wanted is None:
        if kept is None:
            return False
        _void(kept)
        kept.delete()
        return True
    if kept is None:
        kept = Credit(mapping=wanted.mapping, person=person, day=day)
    elif (kept.seconds, kept.activity_id) == (wanted.seconds, wanted.mapping.activity_id):
        Credit.objects.filter(pk=kept.pk).exclude(sources=len(wanted.entries)).update(sources=len(wanted.entries))
        return False
    elif not _void(kept):
        return False
    kept.activity, kept.seconds, kept.sources = wanted.mapping.activity, wanted.seconds, len(wanted.entries)
    kept.entry = _append(person, wanted).pk
    kept.save()
    return True


def _void(credit: Credit) -> bool:
    """Void the entry of a credit; False when somebody has voided it before."""
    entry = Statement.objects.get(pk=credit.entry)
    if entry.is_voided:
        return False
    record(by=None, verb=verbs.VOIDED, object=entry, organization=entry.organization)
    return True


def _append(person: Person, hours: Hours) -> Statement:
    last: Foreign = hours.last
    activity = hours.mapping.activity
    return record(
        by=person, verb=verbs.ATTENDED, object=activity, activity=activity, duration_s=hours.seconds, role=last.role,
        happened_at=last.happened_at, organization=Organization.objects.filter(pk=last.organization_id or 0).first(),
        context={"statement": {"objectType": "StatementRef", "id": str(last.key)}},
    )  # fmt: skip


def _mark_later(mapping: Mapping, tenant_id: int, person_id: int, day: date) -> None:
    """With fixed minutes a thing counts on the day it was first completed: when that day changes, later ones may."""
    if mapping.hours != Mapping.Hours.FIXED:
        return
    after = counting.completions(mapping, tenant_id, person_id).filter(
        happened_at__gte=counting.begin_of(day + timedelta(days=1))
    )
    marking.mark(tenant_id, {(person_id, counting.day_of(at)) for at in after.values_list("happened_at", flat=True)})
