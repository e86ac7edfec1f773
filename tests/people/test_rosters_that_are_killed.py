"""A process that is killed while it takes a roster in: nothing of it is seen, a worker takes it over, the tables end the same."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.hosting.conftest import Place, wait_until
from tests.nursery import WORKER, Nursery
from tests.people.oneroster_maker import make

pytestmark = pytest.mark.slow

PREPARE = """
import os, time
from pathlib import Path
from staffroom.cli import preparing
preparing.make_at_once()
from staffroom.people.models import Organization
from staffroom.people.actions import receive_roster
district = Organization.objects.create(name="Riverbend", slug="riverbend", kind="district")
with open(PATH, "rb") as file:
    receive_roster(by=None, district=district, name="ours.zip", file=file)
"""
TAKE = """
from staffroom.people.actions import take_roster
from staffroom.people.models import RosterImport
take_roster(RosterImport.objects.get())
"""
PUT = """
from staffroom.jobs.actions import later
from staffroom.people import tasks
from staffroom.people.models import RosterImport
later(tasks.take_roster, pk=RosterImport.objects.get().pk)
"""
# Where the process is killed: it kills itself as the kernel would, without a chance to tidy up.
DEADLY = """
import os, signal
from staffroom.people.actions import rosters
from staffroom.people.actions.roster_writing import Writer
from staffroom.people.rosters import tables
def die(*args, **kwargs):
    os.kill(os.getpid(), signal.SIGKILL)
def die_after(deed):
    def done(*args, **kwargs):
        deed(*args, **kwargs)
        die()
    return done
tables.EVERY = 50
"""
WHERE = {
    "while reading": """
report = rosters._progress
def deadly(waiting):
    tell = report(waiting)
    return lambda rows: (tell(rows), waiting.rows_done * 2 > waiting.rows_total and die())
rosters._progress = deadly
""",
    "when people were written": "Writer._write_roles = die\n",
    "when half of the enrollments were written": """
insert = Writer._insert_values
def half(self, model, values, count):
    insert(self, model, values[: len(values) // 2], count)
    if count == "enrollments_made":
        die()
Writer._insert_values = half
""",
    "right before the commit": "rosters.deed_done.send = die\n",
    "right after the commit": "rosters.default_storage.delete = die\n",
}
# Everything that a roster writes, told by what the district calls it, since keys are made by chance.
TABLES = {
    "places": "SELECT o.name, o.slug, o.kind, o.source_id, p.source_id FROM people_organization o "
    "LEFT JOIN people_organization p ON p.id = o.parent_id",
    "terms": "SELECT source_id, name, begins_on, ends_on, school_year FROM people_term",
    "courses": "SELECT source_id, title, code, subject, grade FROM people_course",
    "people": "SELECT source_id, given_name, family_name, email, is_active FROM people_person",
    "roles": "SELECT p.source_id, o.source_id, m.role, m.begins_on, m.ends_on, m.source_id FROM people_membership m "
    "JOIN people_person p ON p.id = m.person_id JOIN people_organization o ON o.id = m.organization_id",
    "sections": "SELECT s.source_id, s.title, s.code, o.source_id, c.source_id FROM people_section s "
    "JOIN people_organization o ON o.id = s.school_id LEFT JOIN people_course c ON c.id = s.course_id",
    "terms of sections": "SELECT s.source_id, t.source_id FROM people_section_terms x "
    "JOIN people_section s ON s.id = x.section_id JOIN people_term t ON t.id = x.term_id",
    "enrollments": "SELECT e.source_id, s.source_id, p.source_id, e.role, e.is_primary, e.begins_on, e.ends_on "
    "FROM people_enrollment e JOIN people_person p ON p.id = e.person_id JOIN people_section s ON s.id = e.section_id",
    "problems": "SELECT file, line, reason FROM people_rosterproblem",
    "imports": "SELECT name, state, rows_done, rows_total, message FROM people_rosterimport",
}


def asked(folder: Path, query: str) -> list[tuple[Any, ...]]:
    with contextlib.closing(sqlite3.connect(folder / "staffroom.sqlite3", timeout=30)) as database:
        return database.execute(query).fetchall()


def tables(folder: Path) -> dict[str, list[tuple[Any, ...]]]:
    return {name: sorted(asked(folder, query), key=str) for name, query in TABLES.items()}


def job(folder: Path) -> tuple[str, int]:
    state, losses = asked(folder, "SELECT state, losses FROM jobs_job WHERE kind = 'people.take_roster'")[0]
    return state, losses


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    """Two folders in which the same roster waits, one in which it was taken in undisturbed; and the roster."""
    folder = tmp_path_factory.mktemp("places")
    roster = folder / "ours.zip"
    roster.write_bytes(make(schools=3, teachers=12, students=300, sections_each=2).zipped().getvalue())
    waiting, calm = folder / "waiting", folder / "calm"
    nursery = Nursery(environment(calm))
    try:
        assert nursery.run(f"PATH = {str(roster)!r}\n{PREPARE}") == 0
        shutil.copytree(calm, waiting)
        assert nursery.run(TAKE) == 0
    finally:
        nursery.close()
    return waiting, calm, roster


def environment(folder: Path) -> dict[str, str]:
    return {**Place(folder).environment, "STAFFROOM_LEASE_S": "1"}


@pytest.fixture
def site(places: tuple[Path, Path, Path], tmp_path: Path) -> Iterator[tuple[Path, Nursery]]:
    """A folder of one's own in which the roster waits, and what starts processes there."""
    folder = tmp_path / "data"
    shutil.copytree(places[0], folder)
    nursery = Nursery(environment(folder))
    yield folder, nursery
    nursery.close()


def taken_over(folder: Path, nursery: Nursery) -> None:
    """A worker comes, and nobody presses anything."""
    nursery.begin(WORKER)
    wait_until(lambda: job(folder)[0] == "done", 60, lambda: str(job(folder)))
    nursery.kill()


def test_an_import_killed_anywhere_is_taken_over_and_gives_the_same_tables(
    places: tuple[Path, Path, Path], site: tuple[Path, Nursery]
) -> None:
    folder, nursery = site
    nothing = tables(folder)
    assert nursery.run(PUT) == 0
    for losses, (where, deadly) in enumerate(WHERE.items()):
        assert nursery.run(DEADLY + deadly + WORKER) == signal.SIGKILL, where
        assert job(folder) == ("running", losses), where
        [(_name, state, rows_done, rows_total, message)] = tables(folder)["imports"]
        if where == "right after the commit":
            assert state == "done"
            continue
        assert tables(folder) | {"imports": []} == nothing | {"imports": []}, f"killed {where}: nothing of it is seen"
        assert state == "running"
        assert message in ("Reading", "Writing")
        assert rows_total / 2 < rows_done <= rows_total, "the page tells how far it was"
    taken_over(folder, nursery)
    assert tables(folder) == tables(places[1])
    assert len(tables(folder)["people"]) == 312
    assert not os.listdir(folder / "files" / "rosters"), "the file, full of names, is not kept beside the tables"


def test_an_import_at_the_command_line_is_taken_over_too(
    places: tuple[Path, Path, Path], site: tuple[Path, Nursery]
) -> None:
    folder, nursery = site
    nursery.run("from staffroom.people.models import RosterImport\nRosterImport.objects.all().delete()")
    command = f"from staffroom.cli import main\nmain(['import', 'roster', {str(places[2])!r}])\n"
    assert nursery.run(DEADLY + WHERE["when people were written"] + command) == signal.SIGKILL
    assert tables(folder)["imports"][0][1] == "running"
    assert tables(folder)["people"] == []
    taken_over(folder, nursery)
    assert tables(folder) == tables(places[1])
