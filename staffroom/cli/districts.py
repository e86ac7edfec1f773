"""A district's export: the tree, the people, the ledgers and what each person made, in one zip of open formats."""

from __future__ import annotations

import csv
import io
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from typing import IO, TYPE_CHECKING, Any

from allauth.account.models import EmailAddress
from django.db.models import Model, Q, QuerySet

from staffroom.home.exporting import write_export
from staffroom.people import personal
from staffroom.people.models import Course, Enrollment, Membership, Organization, Person, Section, Term
from staffroom.permissions.models import Consent
from staffroom.records.models import Activity, Cost, Outcome, Statement

if TYPE_CHECKING:
    from django.db.models import Field

TABLED = {Person, EmailAddress, Membership, Enrollment, Consent, Statement, Cost, Outcome}
README = """This is everything that Staffroom stores for {district}, as of the day on which it was made.

tables/*.csv   the tree of organizations, people, addresses, courses, sections, consents, and the three ledgers; one line a
               row, columns by name
people/*.zip   for each person of whom more is stored than these tables: what they would get by exporting their own record

Whoever holds this file holds what teachers were promised is theirs. Keep it as you would keep personnel files.
"""


def write_district(district: Organization, target: IO[bytes]) -> dict[str, int]:
    """Write the zip; returns how many rows each table has."""
    inside = Organization.objects.filter(path__startswith=district.path)
    people = _people(district, inside)
    counts: dict[str, int] = {}
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("README.txt", README.format(district=district))
        for name, rows in _tables(inside, people):
            counts[name] = _write_table(archive, name, rows)
        counts["people's archives"] = _write_people(archive, people)
    return counts


def _people(district: Organization, inside: QuerySet[Organization]) -> QuerySet[Person]:
    members = Membership.objects.filter(organization__in=inside).values("person_id")
    enrolled = Enrollment.objects.filter(section__school__in=inside).values("person_id")
    return Person.objects.filter(Q(pk__in=members) | Q(pk__in=enrolled) | Q(district=district)).order_by("pk")


def _tables(inside: QuerySet[Organization], people: QuerySet[Person]) -> Iterator[tuple[str, QuerySet[Any]]]:
    yield "organizations", inside
    yield "people", people
    yield "addresses", EmailAddress.objects.filter(user__in=people)
    yield "memberships", Membership.objects.filter(organization__in=inside)
    yield "terms", Term.objects.filter(organization__in=inside)
    yield "courses", Course.objects.filter(organization__in=inside)
    yield "sections", Section.objects.filter(school__in=inside)
    yield "enrollments", Enrollment.objects.filter(section__school__in=inside)
    yield "consents", Consent.objects.filter(student__in=people)
    for name, model in (("activities", Activity), ("statements", Statement), ("costs", Cost)):
        yield name, model._default_manager.filter(organization__in=inside)
    yield "outcomes", Outcome.objects.filter(instrument__organization__in=inside)


def _write_table(archive: zipfile.ZipFile, name: str, rows: QuerySet[Any]) -> int:
    columns = [field for field in rows.model._meta.concrete_fields if field.name != "password"]
    count = 0
    with archive.open(f"tables/{name}.csv", "w", force_zip64=True) as entry:
        text = io.TextIOWrapper(entry, encoding="utf-8", newline="", write_through=True)
        writer = csv.writer(text)
        writer.writerow([field.attname for field in columns])
        for row in rows.order_by("pk").iterator(2000):
            writer.writerow(_cells(row, columns))
            count += 1
        text.detach()
    return count


def _cells(row: Model, columns: Iterable[Field[Any, Any]]) -> list[str]:
    return [field.value_to_string(row) if getattr(row, field.attname) is not None else "" for field in columns]


def _makers() -> set[int]:
    """Of whom there is more than the tables tell: whoever stands in a row of any other kind of personal data."""
    found: set[int] = set()
    for declaration in personal.declarations():
        rows = declaration.model._default_manager.order_by()
        for field in declaration.model._meta.concrete_fields if declaration.model not in TABLED else ():
            if field.related_model is Person:
                found |= set(rows.exclude(**{field.name: None}).values_list(field.attname, flat=True).distinct())
    return found


def _write_people(archive: zipfile.ZipFile, people: QuerySet[Person]) -> int:
    """A zip in the zip for each person; nothing is written for those of whom only tables tell, as of most students."""
    written, makers = 0, _makers()
    for person in people.iterator(500):
        if person.pk not in makers:
            continue
        with tempfile.TemporaryFile() as file:
            counts = write_export(person, file)
            if not counts["rows"] and not counts["files"]:
                continue
            file.seek(0)
            with archive.open(zipfile.ZipInfo(f"people/{person.key}.zip"), "w", force_zip64=True) as entry:
                while piece := file.read(1 << 20):
                    entry.write(piece)
        written += 1
    return written
