"""A small Riverbend with its three ledgers, made once for the tests of this folder through the doors that everything uses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.db import transaction

from staffroom.home.demo import keeping, placing
from staffroom.home.demo.world import World, draw
from staffroom.knowing.impact import actions
from staffroom.people.models import Membership, Organization, Person, Role
from staffroom.records import lake
from staffroom.records.models import Activity, Instrument

SEED = 5


@dataclass
class Riverbend:
    """The district as drawn and as saved."""

    world: World
    district: placing.District
    activities: list[Activity]
    test: Instrument
    stranger: Person
    researcher: Person

    @property
    def denise(self) -> Person:
        return Person.objects.get(pk=self.district.staff["denise"].pk)

    def someone(self, name: str) -> Person:
        """Somebody by name, read anew, so that nothing is remembered from another test."""
        known = {**self.district.staff, "amara": self.district.amara, "priya": self.district.priya,
                 "student": Person(pk=self.district.students[0]), "stranger": self.stranger, "researcher": self.researcher}  # fmt: skip
        return Person.objects.get(pk=known[name].pk)


@pytest.fixture(scope="package")
def riverbend(
    django_db_setup: None, django_db_blocker: object, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Riverbend]:
    """60 teachers in 12 schools, 1,286 students, eight terms, three activities, computed; everything is taken back at the end."""
    with pytest.MonkeyPatch.context() as patch, django_db_blocker.unblock(), transaction.atomic():  # type: ignore[attr-defined]
        patch.setattr(lake, "folder", _folder(tmp_path_factory.mktemp("riverbend") / "lake"))
        world = draw(teachers=60, schools=12, seed=SEED)
        district = placing.place(world, seed=SEED)
        kept = keeping.keep(world, district, seed=SEED)
        other = Organization.objects.create(kind="district", name="Lakeside", slug="lakeside")
        stranger = _member("Vera", other, Role.DISTRICT_LEADER)
        researcher = _member("Rafael", district.organization, Role.RESEARCHER)
        actions.compute_all(activities=kept.activities)
        yield Riverbend(world, district, kept.activities, kept.test, stranger, researcher)
        transaction.set_rollback(True)


@pytest.fixture
def written_lake(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the lake as it is: entries of the last half hour would be written again for every computation."""
    monkeypatch.setattr(lake, "refresh", lambda: 0)


def _folder(path: Path) -> object:
    return lambda: path


def _member(name: str, place: Organization, role: Role) -> Person:
    person = Person.objects.create_user(email=f"{name.lower()}@elsewhere.example", given_name=name, family_name="Kovac")
    Membership.objects.create(person=person, organization=place, role=role)
    return person
