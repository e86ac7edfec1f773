"""Appending to the outcome ledger: results one by one, by the thousand, corrected by voiding. And the instruments."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import batched
from operator import attrgetter
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _

from staffroom.people.models import Organization, Person
from staffroom.records import rules
from staffroom.records.models import Instrument, Outcome, OutcomeImport

COLUMNS = ("subject", "term_id", "value", "person_id", "teacher_id", "section_id", "school_id", "observed_on")
SUBJECT_COLUMN = {"student": "person_id", "teacher": "person_id", "section": "section_id", "school": "school_id"}


@dataclass(kw_only=True, slots=True)
class Result:
    """What was observed of somebody or something in a term, before it is an outcome.

    subject: of whom: student, teacher, section or school; its id is person_id, section_id or school_id. teacher_id: who taught
    the student or section then; school_id: where. All ids are primary keys, so that many results cost few reads.
    """

    subject: str
    term_id: int
    value: float
    person_id: int | None = None
    teacher_id: int | None = None
    section_id: int | None = None
    school_id: int | None = None
    observed_on: date | None = None

    @property
    def place(self) -> tuple[str, int, int | None, date | None]:
        """What two results have in common when they say the same thing twice: subject, term, whose, and the day."""
        return (self.subject, self.term_id, getattr(self, SUBJECT_COLUMN[self.subject]), self.observed_on)


@dataclass(kw_only=True)
class Counts:
    """What became of many results: added, already there, or put in the place of another value."""

    added: int = 0
    unchanged: int = 0
    corrected: int = 0


def refusal(instrument: Instrument, value: float) -> str:
    """Why a value is no result of an instrument, as a sentence; empty when it is one."""
    if not math.isfinite(value):
        return _("This is not a finite number.")
    if instrument.scale_low is not None and value < instrument.scale_low:
        return _("%(value)s is below the scale, which begins at %(low)s.") % {
            "value": f"{value:g}", "low": f"{instrument.scale_low:g}"}  # fmt: skip
    if instrument.scale_high is not None and value > instrument.scale_high:
        return _("%(value)s is above the scale, which ends at %(high)s.") % {
            "value": f"{value:g}", "high": f"{instrument.scale_high:g}"}  # fmt: skip
    return ""


def record_outcome(*, by: Person | None, instrument: Instrument, result: Result, corrects: bool = False) -> Counts:
    """Append one result; see `record_outcomes`."""
    return record_outcomes(by=by, instrument=instrument, results=[result], corrects=corrects)


@transaction.atomic
def record_outcomes(
    *,
    by: Person | None,
    instrument: Instrument,
    results: Iterable[Result],
    corrects: bool = False,
    outcome_import: OutcomeImport | None = None,
    are_new: bool = False,
) -> Counts:
    """Append many results of one instrument, all or none.

    A result that is there already (same subject, term and day, same value) is left alone. One that is there with another value
    is refused, or with `corrects` voided and replaced. Refuses (PermissionDenied) those who do not keep the records of the
    instrument's organization, and (ValidationError) values that are not finite or outside the scale; `by` None is Staffroom itself.
    `are_new`: the caller knows that nothing is there yet and says nothing twice; then millions pass through without being held.
    """
    if by is not None and not rules.may_keep_records(by, instrument.organization):
        raise PermissionDenied
    checked = _checked(instrument, results)
    if are_new:
        return Counts(added=_append(instrument, checked, outcome_import))
    wanted = list(checked)
    fresh, changed, unchanged = _sort(instrument, wanted)
    if changed and not corrects:
        raise ValidationError(_("There is another value already for %(count)s of these results."), params={
            "count": len(changed)})  # fmt: skip
    _void([old for old, _new in changed])
    _append(instrument, [*fresh, *(new for _old, new in changed)], outcome_import)
    return Counts(added=len(fresh), unchanged=unchanged, corrected=len(changed))


def _checked(instrument: Instrument, results: Iterable[Result]) -> Iterator[Result]:
    for each in results:
        reason = refusal(instrument, each.value) or _missing(each)
        if reason:
            raise ValidationError(reason)
        yield each


def _missing(result: Result) -> str:
    if result.subject not in SUBJECT_COLUMN:
        return _("A result is of a student, a teacher, a section or a school.")
    if getattr(result, SUBJECT_COLUMN[result.subject]) is None:
        return _("A result does not say whose it is.")
    return ""


def _sort(instrument: Instrument, wanted: Sequence[Result]) -> tuple[list[Result], list[tuple[int, Result]], int]:
    """New results, results that change an older one (its primary key and the new), and how many say nothing new."""
    known = known_values(instrument, {each.term_id for each in wanted})
    fresh: list[Result] = []
    changed: list[tuple[int, Result]] = []
    unchanged = 0
    for each in wanted:
        old = known.get(each.place)
        if old is None:
            fresh.append(each)
        elif old[1] == each.value:
            unchanged += 1
        else:
            changed.append((old[0], each))
        known[each.place] = (old[0] if old else 0, each.value)
    if any(not old for old, _new in changed):
        raise ValidationError(_("The same result is given twice, with two values."))
    return fresh, changed, unchanged


type Known = dict[tuple[str, int, int | None, date | None], tuple[int, float]]


def known_values(instrument: Instrument, terms: Iterable[int]) -> Known:
    """The live results of an instrument in some terms: primary key and value by what they are results of."""
    live = Outcome.objects.live().filter(instrument=instrument, term__in=list(terms)).order_by()
    rows = live.values_list("pk", "value", "subject", "term_id", "person_id", "section_id", "school_id", "observed_on")
    known: Known = {}
    for pk, value, subject, term, person, section, school, day in rows.iterator(chunk_size=5000):
        whose = {"section": section, "school": school}.get(subject, person)
        known[(subject, term, whose, day)] = (pk, value)
    return known


def _append(instrument: Instrument, results: Iterable[Result], outcome_import: OutcomeImport | None) -> int:
    return Outcome.objects.append_rows(
        COLUMNS, map(attrgetter(*COLUMNS), results), stored_at=timezone.now(), instrument_id=instrument.pk,
        organization_id=instrument.organization_id, outcome_import_id=outcome_import.pk if outcome_import else None,
    )  # fmt: skip


def _void(old: Sequence[int]) -> None:
    """Append an entry that voids each of these, and note it on them."""
    for chosen in batched(old, 500):
        voided = list(Outcome.objects.filter(pk__in=chosen))
        Outcome.objects.bulk_create([_voiding(each) for each in voided])
        Outcome.objects.filter(pk__in=chosen).mark_voided()


def _voiding(old: Outcome) -> Outcome:
    fields: dict[str, Any] = {
        field.attname: getattr(old, field.attname)
        for field in Outcome._meta.concrete_fields
        if field.name not in ("id", "key", "stored_at", "voids", "is_voided", "outcome_import")
    }
    return Outcome(**fields, voids=old)


@transaction.atomic
def void_outcome(*, by: Person, outcome: Outcome) -> None:
    """Say that a result is wrong. A voided result, or a voiding entry, is refused (ValidationError)."""
    if not rules.may_keep_records(by, outcome.organization):
        raise PermissionDenied
    locked = Outcome.objects.select_for_update().get(pk=outcome.pk)
    if locked.is_voided or locked.voids_id is not None:
        raise ValidationError(_("This result is voided already."))
    _void([locked.pk])


@transaction.atomic
def make_instrument(*, by: Person | None, organization: Organization, name: str, **fields: Any) -> Instrument:
    """Describe that with which something is observed: kind, subject, scale_low, scale_high, is_higher_better, is_evaluation."""
    if by is not None and not rules.may_keep_records(by, organization):
        raise PermissionDenied
    slug = free_slug(Instrument, organization, name)
    instrument = Instrument(organization=organization, name=name.strip(), slug=slug, **fields)
    instrument.full_clean()
    instrument.save()
    return instrument


def free_slug(model: Any, organization: Organization, name: str) -> str:
    """A part of an address made of the name that nothing else of the organization has."""
    wish = slugify(name)[:70] or model._meta.model_name
    taken = set(model.objects.filter(organization=organization, slug__startswith=wish).values_list("slug", flat=True))
    numbered: Iterator[str] = (f"{wish}-{number}" for number in range(2, len(taken) + 3))
    return wish if wish not in taken else next(slug for slug in numbered if slug not in taken)
