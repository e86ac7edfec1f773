"""How much CPU it takes to take a results file into the outcome ledger, to take it in again, and to write the lake of it.

    python benchmarks/outcome_import.py --rows 100000

Makes a throw-away district on SQLite, a CSV file with one result in each row, and prints CPU seconds: first import (goal: well under
a minute; aim: 10 s), the same results again under another file name (nothing changes), a correction of one row in a hundred, and the
lake built from nothing and refreshed. Ends with a failure when the first import takes more than --most seconds.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
STUDENTS_IN_SECTION = 25
TERMS = 8


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--most", type=float, default=60.0, help="CPU seconds that the first import may take")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["STAFFROOM_DATA"] = folder
        os.environ["DJANGO_SETTINGS_MODULE"] = "staffroom.settings"
        return _measure(chosen.rows, chosen.most, Path(folder))


def _measure(rows: int, most: float, folder: Path) -> int:
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    from staffroom.records import actions, lake
    from staffroom.records.models import Outcome

    leader, district, students = _district(rows)
    instrument = actions.make_instrument(
        by=leader, organization=district, name="Benchmark", kind="test", scale_low=0, scale_high=1000
    )
    files = {
        "first import": _file(folder / "a.csv", students, rows),
        "the same results again": _file(folder / "b.csv", students, rows, note="again"),
        "one in a hundred corrected": _file(folder / "c.csv", students, rows, corrected=100),
    }
    spent: dict[str, float] = {}
    for name, path in files.items():
        began = time.process_time()
        done = actions.import_file(by=leader, organization=district, path=path, instrument=instrument)
        spent[name] = time.process_time() - began
        print(f"{name:30} {spent[name]:7.2f} CPU s   {done.rows_done} rows   {done.counts}")
    for name, deed in (("lake built", lake.rebuild), ("lake refreshed, nothing new", lake.refresh)):
        began = time.process_time()
        files_written = deed()
        print(f"{name:30} {time.process_time() - began:7.2f} CPU s   {files_written} files")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{'peak memory':30} {peak:7.0f} MiB   {Outcome.objects.count()} entries")
    return int(spent["first import"] > most)


def _district(rows: int):  # type: ignore[no-untyped-def]
    """One district whose students have numbers, sections and teachers: enough students for the rows over eight terms."""
    from staffroom.people.models import Enrollment, Membership, Organization, Person, Role, Section, Term

    district = Organization.objects.create(name="District", kind="district", slug="district")
    school = Organization.objects.create(name="School", kind="school", slug="school", parent=district)
    leader = Person.objects.create_user(email="leader@x.example", given_name="Leader")
    Membership.objects.create(person=leader, organization=district, role=Role.DISTRICT_LEADER)
    terms = [
        Term.objects.create(
            organization=district, name=f"Term {number}", begins_on=f"{2018 + number}-09-01", ends_on=f"{2019 + number}-06-01",
            school_year=2019 + number,
        )
        for number in range(TERMS)
    ]  # fmt: skip
    students = Person.objects.bulk_create(
        [Person(given_name="S", district=district, source_id=str(number)) for number in range(-(-rows // TERMS))]
    )
    for start in range(0, len(students), STUDENTS_IN_SECTION):
        teacher = Person.objects.create(given_name="T")
        section = Section.objects.create(school=school, title=f"Section {start}")
        section.terms.set(terms)
        own = [
            Enrollment(section=section, person=each, role="student")
            for each in students[start : start + STUDENTS_IN_SECTION]
        ]
        Enrollment.objects.bulk_create(
            [*own, Enrollment(section=section, person=teacher, role="teacher", is_primary=True)]
        )
    return leader, district, len(students)


def _file(path: Path, students: int, rows: int, *, note: str = "", corrected: int = 0) -> Path:
    with path.open("w", encoding="utf-8") as file:
        file.write("Student ID,Semester,Scale Score,Note\n")
        for number in range(rows):
            value = 300 + number * 7919 % 400 + (1 if corrected and number % corrected == 0 else 0)
            file.write(f"{number % students},Term {number // students},{value},{note}\n")
    return path


if __name__ == "__main__":
    sys.exit(main())
