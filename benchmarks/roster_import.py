"""How many people per CPU second a roster import takes in, beside a floor: the same rows by plain `executemany`.

    python benchmarks/roster_import.py [--students 9000] [--teachers 420] [--schools 12] [--sections-each 4]

Runs in a throw-away data folder. Prints CPU seconds of a first import, of the same file set again, and of the floor.
"""

from __future__ import annotations

import argparse
import os
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))


def timed(deed: Callable[[], object]) -> float:
    begun = time.process_time()
    deed()
    return time.process_time() - begun


def floor(folder: str) -> float:
    """Write the rows that the import wrote into empty tables of the same shape, with their indexes, and nothing else."""
    source = sqlite3.connect(Path(folder) / "staffroom.sqlite3")
    names = ("people_organization", "people_person", "people_membership", "people_term", "people_course",
             "people_section", "people_section_terms", "people_enrollment")  # fmt: skip
    rows = {name: source.execute(f"SELECT * FROM {name}").fetchall() for name in names}
    target = sqlite3.connect(Path(folder) / "floor.sqlite3")
    target.execute("PRAGMA journal_mode=WAL")
    for (statement,) in source.execute(
        f"SELECT sql FROM sqlite_master WHERE tbl_name IN {names} AND sql IS NOT NULL ORDER BY type DESC"
    ):
        target.execute(statement)

    def write() -> None:
        for name, found in rows.items():
            if found:
                marks = ",".join("?" * len(found[0]))
                target.executemany(f"INSERT INTO {name} VALUES ({marks})", found)
        target.commit()

    return timed(write)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("students", 9000), ("teachers", 420), ("schools", 12), ("sections-each", 4)):
        parser.add_argument(f"--{name}", type=int, default=default)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"STAFFROOM_DATA": folder, "DJANGO_SETTINGS_MODULE": "staffroom.settings"}
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        from staffroom.people.actions import import_roster
        from staffroom.people.models import Organization
        from tests.people.oneroster_maker import make

        district = Organization.objects.create(kind="district", name="Benchmark", slug="benchmark")
        files = make(
            schools=chosen.schools,
            teachers=chosen.teachers,
            students=chosen.students,
            sections_each=chosen.sections_each,
        ).zipped()
        people = chosen.students + chosen.teachers
        first = timed(lambda: import_roster(by=None, district=district, path_or_file=files, name="roster.zip"))
        again = timed(lambda: import_roster(by=None, district=district, path_or_file=files, name="roster.zip"))
        least = floor(folder)
    enrollments = chosen.students * chosen.sections_each + chosen.teachers
    print(f"{people} people, {enrollments} enrollments, {chosen.schools} schools")
    for label, seconds in (("first import", first), ("same again", again), ("floor", least)):
        print(f"{label:<14}{seconds:6.2f} CPU s {people / seconds:10.0f} people per CPU second")
    print(f"first import = {first / least:.1f} × floor")


if __name__ == "__main__":
    main()
