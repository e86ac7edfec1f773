"""Professional-learning activities, and who took part in them when nobody's deed says so: attendance, entered or imported."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from staffroom.people.models import Organization, Person
from staffroom.people.queries import district_of
from staffroom.records import queries, reading, resolving, rules
from staffroom.records.actions.outcomes import free_slug
from staffroom.records.actions.statements import Deed, organization_of, record_statements
from staffroom.records.models import Activity, Statement
from staffroom.records.reading import BadCell, Unreadable
from staffroom.records.resolving import RowProblem
from staffroom.records.vocabulary import verbs

MOST_HOURS = Decimal(24)


@transaction.atomic
def make_activity(*, by: Person | None, organization: Organization, name: str, **fields: Any) -> Activity:
    """Describe something that teachers take part in: kind, description, planned_hours, begins_on, ends_on.

    Refuses (PermissionDenied) those who neither lead nor administer the organization; `by` None is Staffroom itself.
    """
    if by is not None and not rules.may_enter_activity(by, organization):
        raise PermissionDenied
    made = Activity(
        organization=organization, name=name.strip(), slug=free_slug(Activity, organization, name), **fields
    )
    made.iri = f"{settings.SITE_URL}/activities/{made.key}"
    _refuse_backwards(made)
    made.full_clean()
    made.save()
    return made


@transaction.atomic
def change_activity(*, by: Person, activity: Activity, **fields: Any) -> Activity:
    """Describe an activity better. Its address and its entries stay as they are."""
    if not rules.may_enter_activity(by, activity.organization):
        raise PermissionDenied
    for name, value in fields.items():
        setattr(activity, name, value)
    _refuse_backwards(activity)
    activity.full_clean()
    activity.save(update_fields=list(fields))
    return activity


def _refuse_backwards(activity: Activity) -> None:
    if activity.begins_on and activity.ends_on and activity.ends_on < activity.begins_on:
        raise ValidationError({"ends_on": _("An activity ends after it begins.")})


@dataclass(frozen=True, kw_only=True)
class Presence:
    """Somebody took part for some hours on a day."""

    person: Person
    day: date
    hours: Decimal


@dataclass(frozen=True)
class Entered:
    """What became of attendance: how many entries were appended, how many were there already."""

    added: int
    known: int


@transaction.atomic
def enter_attendance(*, by: Person, activity: Activity, presences: Sequence[Presence]) -> Entered:
    """Append who took part, all or none. Who is entered for the day already is left alone.

    Refuses (PermissionDenied) who may not enter attendance at the organizations of all these people, and (ValidationError) days to
    come and impossible hours.
    """
    if not rules.may_see_activity(by, activity):
        raise PermissionDenied
    for each in presences:
        _refuse_presence(by, each)
    known = _known_days(activity, presences)
    fresh = {(each.person.pk, each.day): each for each in presences if (each.person.pk, each.day) not in known}
    record_statements(_deed(by, activity, each) for each in fresh.values())
    return Entered(len(fresh), len(presences) - len(fresh))


def _refuse_presence(by: Person, presence: Presence) -> None:
    if not may_be_entered(by, presence.person):
        raise PermissionDenied
    if not 0 < presence.hours <= MOST_HOURS:
        raise ValidationError(_("Hours on one day are more than none and at most 24."))
    if presence.day > timezone.localdate():
        raise ValidationError(_("Attendance is entered when it has been, not before."))


def may_be_entered(by: Person, person: Person) -> bool:
    """Whether somebody may enter attendance for a person: who leads or administers where that person works."""
    place = organization_of(person)
    return place is not None and rules.may_enter_activity(by, place)


def _known_days(activity: Activity, presences: Sequence[Presence]) -> set[tuple[int | None, date]]:
    there = Statement.objects.live().filter(
        activity=activity, verb=verbs.ATTENDED.iri, actor__in={each.person.pk for each in presences}
    )
    return {(actor, timezone.localdate(at)) for actor, at in there.values_list("actor", "happened_at")}


def _deed(by: Person, activity: Activity, presence: Presence) -> Deed:
    """At noon of that day, or now when noon is still to come."""
    noon = timezone.make_aware(datetime.combine(presence.day, time(12)))
    return Deed(
        by=presence.person, verb=verbs.ATTENDED, object=activity, activity=activity, recorded_by=by,
        duration_s=int(presence.hours * 3600), happened_at=min(noon, timezone.now()),
    )  # fmt: skip


@dataclass(frozen=True)
class ReadAttendance:
    """An attendance file: who took part, and the rows that say nothing usable."""

    presences: list[Presence]
    problems: list[RowProblem]


ATTENDANCE_COLUMNS = {
    "person": ("person", "teacher", "teacher_id", "staff_id", "email", "e-mail", "teacher_email", "teacher email"),
    "day": ("date", "day", "attended on", "session"),
    "hours": ("hours", "hours attended", "duration", "time"),
}


def read_attendance(*, by: Person, content: bytes) -> ReadAttendance:
    """Read a file with a person, a date and hours in each row. Raises ValidationError for what is no such table."""
    try:
        table = reading.read_table(content)
    except Unreadable as problem:
        raise ValidationError(str(problem)) from problem
    by_name = {name.lower(): number for number, name in enumerate(table.columns)}
    places: dict[str, int] = {}
    for meaning, names in ATTENDANCE_COLUMNS.items():
        known = [by_name[name] for name in names if name in by_name]
        if not known:
            raise ValidationError(_("There is no column for the %(what)s; call it “%(name)s”."), params={
                "what": meaning, "name": names[0]})  # fmt: skip
        places[meaning] = known[0]
    return _presences(by, table, places)


def _presences(by: Person, table: reading.Table, places: dict[str, int]) -> ReadAttendance:
    district = district_of(by)
    known = resolving.directory_of(district).persons if district else {}
    people = Person.objects.in_bulk(
        {known[name] for row in table.rows() if (name := _cell(row, places["person"]).lower()) in known}
    )
    found: list[Presence] = []
    problems: list[RowProblem] = []
    for row in table.rows():
        try:
            name = reading.text_in(_cell(row, places["person"])).lower()
            person = people.get(known.get(name, 0))
            if person is None or not may_be_entered(by, person):
                raise BadCell(_("Nobody whom you may enter is called “%(name)s”.") % {"name": name[:60]})
            hours = Decimal(str(reading.number_in(_cell(row, places["hours"]))))
            if not 0 < hours <= MOST_HOURS:
                raise BadCell(_("Hours on one day are more than none and at most 24."))
            day = reading.day_in(_cell(row, places["day"]))
            if day > timezone.localdate():
                raise BadCell(_("Attendance is entered when it has been, not before."))
            found.append(Presence(person=person, day=day, hours=hours))
        except BadCell as problem:
            problems.append(RowProblem(row.line, "", str(problem)))
    return ReadAttendance(found, problems)


def _cell(row: reading.Row, at: int) -> str:
    return row.cells[at].strip() if at < len(row.cells) else ""


def people_to_enter(by: Person, activity: Activity) -> list[Person]:
    """Whom somebody may enter for an activity: staff of its organization whom they lead or administer."""
    return list(queries.staff_below(by, activity.organization))
