"""Writing a roster that was read: what is new is made, what differs is changed, what has left is ended. Nothing is deleted.

Called inside one transaction by `take_roster`. Each kind is compared with what is there in memory, so that a roster without
changes writes nothing, and the same roster taken twice, or taken again after a crash, gives the same tables.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from django.db import connection
from django.db.models import Model, Q, QuerySet
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _

from staffroom.people.models import Course, Enrollment, Membership, Organization, Person, Section, Term
from staffroom.people.rosters import plain
from staffroom.people.rosters import roster as of
from staffroom.people.rosters.roster import Problem, Roster, RosterRefused

BATCH = 2000
ROLE_FIELDS: dict[type[Model], str] = {Membership: "organization_id", Enrollment: "section_id"}
MORE_FIELDS: dict[type[Model], tuple[str, ...]] = {Membership: (), Enrollment: ("is_primary",)}
ENOUGH_TO_WORRY = 20  # below so many rostered roles, ending most of them is nothing to ask about


@dataclass
class Writer:
    """One roster being written into one district. `counts` says afterwards what it did."""

    district: Organization
    roster: Roster
    may_end_most: bool = False
    counts: Counter[str] = field(default_factory=Counter)
    problems: list[Problem] = field(default_factory=list)

    def write(self) -> None:
        """Write all kinds in the order in which they point at each other."""
        self.today = timezone.localdate()
        self.tree = Q(path__startswith=self.district.path)
        self.inside = Organization.objects.filter(self.tree).order_by()
        self.places = self._write_places()
        self.terms = self._write_terms()
        self.courses = self._write_courses()
        self.persons = self._write_persons()
        self._write_roles()
        self.sections = self._write_sections()
        self._write_enrollments()

    # Places

    def _write_places(self) -> dict[str, Organization]:
        """Schools and teams by identifier; the district's own row, and any above it, mean the district."""
        there = list(self.inside)
        found = {place.source_id: place for place in there if place.source_id}
        by_name = {place.name.casefold(): place for place in there if not place.source_id or self._is_plain}
        self.slugs = set(Organization.objects.values_list("slug", flat=True))
        waiting = dict(self.roster.places)
        for row in waiting.values():
            if not row.kind:
                found[row.source_id] = self.district
        while waiting:
            ready = [row for row in waiting.values() if row.parent_id not in waiting or row.parent_id == row.source_id]
            if not ready:
                raise RosterRefused(_("orgs.csv: schools are each other's parents, in a circle."))
            for row in ready:
                del waiting[row.source_id]
                if row.kind:
                    found[row.source_id] = self._place(row, found, by_name)
        return found

    @property
    def _is_plain(self) -> bool:
        return self.roster.layout == plain.LAYOUT

    def _place(self, row: of.Place, found: dict[str, Organization], by_name: dict[str, Organization]) -> Organization:
        parent = found.get(row.parent_id, self.district)
        place = found.get(row.source_id) or by_name.pop(row.name.casefold(), None)
        if place is None:
            self.counts["schools_made"] += 1
            return Organization.objects.create(
                parent=parent, kind=row.kind, name=row.name, slug=self._slug(row.name), source_id=row.source_id
            )
        if self._is_plain:
            return place
        if place.parent_id != parent.pk and place.pk not in parent.ancestor_pks:
            from staffroom.people.actions.organizations import place_below

            place_below(place, parent)
        if (place.name, place.source_id) != (row.name, row.source_id):
            place.name, place.source_id = row.name, row.source_id
            place.save(update_fields=["name", "source_id"])
            self.counts["schools_changed"] += 1
        return place

    def _slug(self, name: str) -> str:
        stem = slugify(name)[:70] or "school"
        slug, number = stem, 1
        while slug in self.slugs:
            number += 1
            slug = f"{stem}-{number}"
        self.slugs.add(slug)
        return slug

    # Terms and courses

    def _write_terms(self) -> dict[str, int]:
        there = Term.objects.filter(organization__in=self.inside).exclude(source_id="")
        wanted = [
            Term(
                organization=self.district, source_id=row.source_id, name=row.name,
                begins_on=row.begins_on, ends_on=row.ends_on, school_year=row.school_year,
            )
            for row in self.roster.terms.values()
        ]  # fmt: skip
        return self._merge(there, wanted, ("name", "begins_on", "ends_on", "school_year"), "terms")

    def _write_courses(self) -> dict[str, int]:
        there = Course.objects.filter(organization__in=self.inside).exclude(source_id="")
        wanted = [
            Course(
                organization=self.places.get(row.place_id, self.district),
                source_id=row.source_id, title=row.title, code=row.code, subject=row.subject, grade=row.grade,
            )
            for row in self.roster.courses.values()
        ]  # fmt: skip
        return self._merge(there, wanted, ("organization_id", "title", "code", "subject", "grade"), "courses")

    def _merge(self, there: QuerySet[Any], wanted: Sequence[Any], fields: tuple[str, ...], kind: str) -> dict[str, int]:
        """Make what is new, change what differs; return the primary keys by identifier."""
        known = {row[1]: row for row in there.order_by().values_list("pk", "source_id", *fields)}
        new, changed = [], []
        for thing in wanted:
            before = known.get(thing.source_id)
            if before is None:
                new.append(thing)
            elif before[2:] != tuple(getattr(thing, field) for field in fields):
                thing.pk = before[0]
                changed.append(thing)
        self._insert(there.model, new, f"{kind}_made")
        self._change(there.model, changed, fields, f"{kind}_changed")
        return {key: row[0] for key, row in known.items()} | {thing.source_id: thing.pk for thing in new}

    def _insert(self, model: type[Model], things: Sequence[Any], count: str) -> None:
        if things:
            model._default_manager.bulk_create(things, batch_size=BATCH)
            self.counts[count] += len(things)

    def _insert_values(self, model: type[Model], values: list[tuple[Any, ...]], count: str) -> None:
        """The same for the long tables, whose rows nobody asks for afterwards: without an object for each of them."""
        if not values:
            return
        columns = ("person_id", ROLE_FIELDS[model], "role", "begins_on", "ends_on", "source_id", *MORE_FIELDS[model])
        quoted = ", ".join(connection.ops.quote_name(column) for column in columns)
        table, marks = connection.ops.quote_name(model._meta.db_table), ", ".join(["%s"] * len(columns))
        day = cache(connection.ops.adapt_datefield_value)
        adapted = [(*row[:3], day(row[3]), day(row[4]), *row[5:]) for row in values]
        with connection.cursor() as cursor:
            cursor.executemany(f"INSERT INTO {table} ({quoted}) VALUES ({marks})", adapted)
        self.counts[count] += len(values)

    def _change(self, model: type[Model], things: Sequence[Any], fields: Iterable[str], count: str) -> None:
        """One upsert by primary key for all: `bulk_update` would build a CASE with a branch for every row."""
        if things:
            model._default_manager.bulk_create(
                things, batch_size=BATCH, update_conflicts=True, unique_fields=["id"], update_fields=list(fields)
            )
            self.counts[count] += len(things)

    # Persons

    def _write_persons(self) -> dict[str, int]:
        own = Person.objects.filter(district=self.district).exclude(source_id="").order_by()
        columns = ("pk", "source_id", "given_name", "family_name", "preferred_name", "email", "is_active", "password")
        known = {row[1]: row for row in own.values_list(*columns)}
        addresses = self._addresses()
        new: list[Person] = []
        changed: list[Person] = []
        pks = {key: row[0] for key, row in known.items()}
        for row in self.roster.persons.values():
            before = known.get(row.source_id)
            owner = addresses.get(row.email) if row.email else None
            if before is None and owner:
                self._adopt(row, owner, pks)
            elif before is None:
                new.append(self._person(row))
            else:
                self._compare(row, before, owner, changed)
        self._give_each_address_once(addresses, changed, new)
        Person.objects.filter(pk__in=[person.pk for person in changed if person.email]).update(email=None)
        self._change(
            Person, changed, ("given_name", "family_name", "preferred_name", "email", "is_active"), "persons_changed"
        )
        self._insert(Person, new, "persons_made")
        return pks | {person.source_id: person.pk for person in new}

    def _addresses(self) -> dict[str, tuple[int, int | None, str]]:
        """Who has which address already: primary key, district, identifier. Anywhere: an address is used once."""
        wanted = [row.email for row in self.roster.persons.values() if row.email]
        found: dict[str, tuple[int, int | None, str]] = {}
        for start in range(0, len(wanted), BATCH):
            some = Person.objects.filter(email__in=wanted[start : start + BATCH]).order_by()
            for pk, email, district, source_id in some.values_list("pk", "email", "district_id", "source_id"):
                found[str(email)] = (pk, district, source_id)
        return found

    def _person(self, row: of.PersonRow) -> Person:
        key = uuid.uuid4()
        return Person(
            key=key, password=f"!{key.hex}", district=self.district, source_id=row.source_id, email=row.email or None,
            given_name=row.given_name, family_name=row.family_name, preferred_name=row.preferred_name,
            is_active=row.is_active,
        )  # fmt: skip

    def _compare(
        self,
        row: of.PersonRow,
        before: tuple[Any, ...],
        owner: tuple[int, int | None, str] | None,
        changed: list[Person],
    ) -> None:
        pk, _id, given_name, family_name, preferred_name, email, is_active, password = before
        wanted = row.email or None
        if row.is_student is None and not wanted:
            wanted = email
        if wanted != email and not password.startswith("!"):
            self._report(row, _("has an account under another address; only its owner can change that"))
            wanted = email
        if wanted != email and owner and owner[0] != pk and not self._gives_up(owner, row.email):
            self._report(row, _("has the address of somebody else"))
            wanted = email
        names = (row.given_name, row.family_name, row.preferred_name or preferred_name)
        if (given_name, family_name, preferred_name, email, is_active) != (*names, wanted, row.is_active):
            person = self._person(row)
            person.pk, person.email, person.preferred_name = pk, wanted, names[2]
            changed.append(person)

    def _gives_up(self, owner: tuple[int, int | None, str], email: str) -> bool:
        """Whether the same file set gives the owner of an address another one."""
        _pk, district, source_id = owner
        row = self.roster.persons.get(source_id) if district == self.district.pk else None
        return row is not None and row.email != email

    def _give_each_address_once(
        self, addresses: dict[str, tuple[int, int | None, str]], changed: list[Person], new: list[Person]
    ) -> None:
        """Whoever comes second to an address, in the file set or after somebody who keeps it, comes without it."""
        moving = {person.pk for person in changed}
        taken = {email for email, owner in addresses.items() if owner[0] not in moving}
        for person in (*changed, *new):
            if person.email and person.email in taken:
                self._report(self.roster.persons[person.source_id], _("has the address of somebody else"))
                person.email = None
            taken.add(person.email or "")

    def _adopt(self, row: of.PersonRow, owner: tuple[int, int | None, str], pks: dict[str, int]) -> None:
        """Somebody who was here before the roster: taken over by address, if they belong to nobody but this district."""
        pk, district, source_id = owner
        elsewhere = Membership.objects.filter(person=pk).exclude(organization__in=self.inside).exists()
        if source_id or district not in (None, self.district.pk) or elsewhere:
            self._report(row, _("has the address of somebody else"))
            return
        Person.objects.filter(pk=pk).update(district=self.district, source_id=row.source_id)
        pks[row.source_id] = pk
        self.counts["persons_recognized"] += 1

    def _report(self, row: of.PersonRow, reason: str) -> None:
        where = "" if self._is_plain else "users.csv"
        self.problems.append(Problem(where, 0, "email", f"{row.source_id}: {reason}"))

    # Roles

    def _write_roles(self) -> None:
        held = Membership.objects.filter(organization__in=self.inside).order_by()
        columns = ("pk", "person_id", "organization_id", "role", "begins_on", "ends_on", "source_id")
        known = {row[1:4]: row for row in held.values_list(*columns)}
        new: dict[tuple[int, int, str], tuple[Any, ...]] = {}
        changed: dict[tuple[int, int, str], Membership] = {}
        wanted = set()
        for row in self.roster.roles.values():
            person, place = self.persons.get(row.person_id), self.places.get(row.place_id)
            if person is None or place is None:
                continue
            key = (person, place.pk, row.role)
            wanted.add(key)
            before = known.get(key)
            if before is not None and before[4:] == (row.begins_on, row.ends_on, row.source_id):
                continue
            if before is None:
                new[key] = (*key, row.begins_on, row.ends_on, row.source_id)
                continue
            changed[key] = Membership(
                pk=before[0], person_id=person, organization=place, role=row.role,
                begins_on=row.begins_on, ends_on=row.ends_on, source_id=row.source_id,
            )  # fmt: skip
        rostered = [row for row in known.values() if row[6] and (row[5] is None or row[5] > self.today)]
        left = [row[0] for row in rostered if row[1:4] not in wanted and self._has_left(row)]
        self._ask_before_ending(len(left), len(rostered))
        self._insert_values(Membership, list(new.values()), "roles_made")
        self._change(Membership, list(changed.values()), ("begins_on", "ends_on", "source_id"), "roles_changed")
        self._end(Membership, left, "roles_ended")

    def _has_left(self, row: tuple[Any, ...]) -> bool:
        """Whether a rostered role that the file set does not name has ended: so told, or absent from a complete table."""
        _pk, person, place, _role, _begins, _ends, source_id = row
        told = source_id in self.roster.gone[of.ROLES] or self._identifier(person) in self.roster.gone[of.PERSONS]
        if told:
            return True
        is_refused = (
            source_id in self.roster.refused[of.ROLES] or self._identifier(person) in self.roster.refused[of.PERSONS]
        )
        if is_refused or not self._is_in_scope(place):
            return False
        if of.ROLES in self.roster.complete:
            return True
        if of.PERSONS in self.roster.complete:
            return self._identifier(person) not in self.roster.persons
        # A delta of OneRoster 1.1 names all places of each user that it names.
        return self.roster.layout == "OneRoster 1.1" and self._identifier(person) in self.roster.persons

    def _identifier(self, person: int) -> str:
        if not hasattr(self, "_identifiers"):
            self._identifiers = {pk: key for key, pk in self.persons.items()}
        return self._identifiers.get(person, "")

    def _is_in_scope(self, place: int) -> bool:
        if self.roster.scope is None:
            return True
        if not hasattr(self, "_scope"):
            self._scope = {self.places[key].pk for key in self.roster.scope if key in self.places}
        return place in self._scope

    def _ask_before_ending(self, ending: int, of_all: int) -> None:
        if not self.may_end_most and of_all > ENOUGH_TO_WORRY and ending * 2 > of_all:
            words = {"ending": ending, "all": of_all}
            raise RosterRefused(
                _("This roster would end %(ending)d of %(all)d roles. If that is meant, take it again and allow it.")
                % words
            )

    def _end(self, model: type[Model], pks: list[int], count: str) -> None:
        for start in range(0, len(pks), BATCH):
            some = model._default_manager.filter(pk__in=pks[start : start + BATCH])
            some.filter(begins_on__gt=self.today).update(begins_on=self.today, ends_on=self.today)
            some.exclude(ends_on=self.today).update(ends_on=self.today)
        if pks:
            self.counts[count] += len(pks)

    # Sections and enrollments

    def _write_sections(self) -> dict[str, int]:
        there = Section.objects.filter(school__in=self.inside).exclude(source_id="")
        rows = [row for row in self.roster.sections.values() if row.place_id in self.places]
        wanted = [
            Section(
                school=self.places[row.place_id], course_id=self.courses.get(row.course_id), title=row.title,
                code=row.code, source_id=row.source_id,
            )
            for row in rows
        ]  # fmt: skip
        pks = self._merge(there, wanted, ("school_id", "course_id", "title", "code"), "sections")
        if not self._is_plain:
            self._write_terms_of_sections(rows, pks)
        return pks

    def _write_terms_of_sections(self, rows: list[of.SectionRow], pks: dict[str, int]) -> None:
        through = Section.terms.through
        wanted = {(pks[row.source_id], self.terms[term]) for row in rows for term in row.term_ids if term in self.terms}
        sections = {pks[row.source_id] for row in rows}
        rostered = through.objects.filter(section__school__in=self.inside).exclude(section__source_id="").order_by()
        known = {row[1:]: row[0] for row in rostered.values_list("pk", "section_id", "term_id")}
        new = [through(section_id=section, term_id=term) for section, term in sorted(wanted - known.keys())]
        through.objects.bulk_create(new, batch_size=BATCH)
        gone = [pk for key, pk in known.items() if key not in wanted and key[0] in sections]
        for start in range(0, len(gone), BATCH):
            through.objects.filter(pk__in=gone[start : start + BATCH]).delete()

    def _write_enrollments(self) -> None:
        held = Enrollment.objects.filter(section__school__in=self.inside).order_by()
        columns = (
            "pk", "source_id", "section_id", "person_id", "role", "is_primary", "begins_on", "ends_on", "section__school_id",
        )  # fmt: skip
        known: dict[str, tuple[Any, ...]] = {}
        by_hand: dict[tuple[int, int, str], tuple[Any, ...]] = {}
        for row in held.values_list(*columns):
            if row[1]:
                known[row[1]] = row
            else:
                by_hand[row[2:5]] = row
        new: list[tuple[Any, ...]] = []
        changed: list[Enrollment] = []
        for wanted in self.roster.enrollments.values():
            section, person = self.sections.get(wanted.section_id), self.persons.get(wanted.person_id)
            if section is None or person is None:
                continue
            values = (section, person, wanted.role, wanted.is_primary, wanted.begins_on, wanted.ends_on)
            before = known.get(wanted.source_id) or by_hand.pop((section, person, wanted.role), None)
            if before is not None and before[1:8] == (wanted.source_id, *values):
                continue
            if before is None:
                dates = (wanted.begins_on, wanted.ends_on)
                new.append((person, section, wanted.role, *dates, wanted.source_id, wanted.is_primary))
                continue
            enrollment = Enrollment(
                pk=before[0], section_id=section, person_id=person, role=wanted.role, is_primary=wanted.is_primary,
                begins_on=wanted.begins_on, ends_on=wanted.ends_on, source_id=wanted.source_id,
            )  # fmt: skip
            changed.append(enrollment)
        left = [row[0] for row in known.values() if self._enrollment_has_left(row)]
        fields = ("section_id", "person_id", "role", "is_primary", "begins_on", "ends_on", "source_id")
        self._insert_values(Enrollment, new, "enrollments_made")
        self._change(Enrollment, changed, fields, "enrollments_changed")
        self._end(Enrollment, left, "enrollments_ended")

    def _enrollment_has_left(self, row: tuple[Any, ...]) -> bool:
        source_id, section, person, ends_on, school = row[1], row[2], row[3], row[7], row[8]
        if ends_on is not None and ends_on <= self.today:
            return False
        roster, identifier = self.roster, self._identifier(person)
        if source_id in roster.gone[of.ENROLLMENTS] or identifier in roster.gone[of.PERSONS]:
            return True
        if self._section_identifier(section) in roster.gone[of.SECTIONS]:
            return True
        if source_id in roster.enrollments or not self._is_in_scope(school):
            return False
        if source_id in roster.refused[of.ENROLLMENTS] or identifier in roster.refused[of.PERSONS]:
            return False
        if self._section_identifier(section) in roster.refused[of.SECTIONS]:
            return False
        return of.ENROLLMENTS in roster.complete

    def _section_identifier(self, section: int) -> str:
        if not hasattr(self, "_section_identifiers"):
            self._section_identifiers = {pk: key for key, pk in self.sections.items()}
        return self._section_identifiers.get(section, "")
