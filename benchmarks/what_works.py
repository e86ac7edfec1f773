"""What works from a lake of any size: CPU seconds and peak memory of one activity's whole answer.

    python benchmarks/what_works.py --teachers 5000

A lake is written directly as Parquet (no database), in the columns of `staffroom.records.lake`; then the cells are read through
`knowing.frames` and the study is made of them, each timed on its own. The true effect stands beside the estimate.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import tempfile
import time
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "staffroom.settings")
os.environ.setdefault("STAFFROOM_DATA", tempfile.mkdtemp(prefix="staffroom-bench-"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import django
import numpy as np
import pyarrow
from pyarrow import parquet

TERMS = [(date(2022 + number // 2, 8 if number % 2 == 0 else 12, 20), f"Term {number + 1}") for number in range(8)]


def write_lake(folder: Path, teachers: int, students: int, seed: int) -> tuple[float, int]:
    """Results and attendance of a generated district; returns the true average effect in points of SD and how many rows."""
    from staffroom.records.lake import ACTIVITY_COLUMNS, OUTCOME_COLUMNS, schema_of

    rng = np.random.default_rng(seed)
    skill, first = rng.normal(0, 0.25, teachers), np.where(rng.random(teachers) < 0.4, rng.integers(2, 6, teachers), -1)
    keys = np.array([f"teacher-{each}" for each in range(teachers)])
    rows = 0
    for term, (begins, _name) in enumerate(TERMS):
        who = np.repeat(np.arange(teachers), students)
        value = 200 + 40 * (
            skill[who] + 0.02 * term + 0.15 * ((first[who] >= 0) & (term >= first[who])) + rng.normal(size=who.size)
        )
        columns: dict[str, Any] = {
            "organization_path": np.full(who.size, "/1/2/"), "school_key": np.char.add("school-", (who // 35).astype(str)),
            "instrument_key": np.full(who.size, "test"), "subject": np.full(who.size, "student"),
            "student_key": np.char.add("student-", np.arange(who.size).astype(str)), "teacher_key": keys[who],
            "term_begins_on": [begins] * who.size, "value": value,
        }  # fmt: skip
        write(folder / "outcome" / f"month=2026-{term + 1:02d}" / "part-0.parquet", columns, schema_of(OUTCOME_COLUMNS))
        rows += who.size
    took = np.flatnonzero(first >= 0)
    columns = {
        "organization_path": ["/1/2/"] * took.size, "actor_key": keys[took], "role": ["teacher"] * took.size,
        "activity_key": ["activity"] * took.size, "duration_s": [3600] * took.size, "term_id": first[took],
        "happened_at": [datetime.combine(TERMS[each][0], datetime.min.time(), UTC) for each in first[took]],
    }  # fmt: skip
    write(folder / "activity" / "month=2026-01" / "part-0.parquet", columns, schema_of(ACTIVITY_COLUMNS))
    return 0.15, rows


def write(path: Path, columns: dict[str, Any], schema: pyarrow.Schema) -> None:
    """A part of the lake with these columns; the others are empty."""
    path.parent.mkdir(parents=True, exist_ok=True)
    many = len(next(iter(columns.values())))
    arrays = [
        pyarrow.array(columns[field.name]).cast(field.type)
        if field.name in columns
        else pyarrow.nulls(many, field.type)
        for field in schema
    ]
    parquet.write_table(pyarrow.Table.from_arrays(arrays, schema=schema), path, compression="zstd")


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--teachers", type=int, default=2000)
    asked.add_argument("--students", type=int, default=21)
    asked.add_argument("--seed", type=int, default=1)
    options = asked.parse_args()
    django.setup()
    from staffroom.knowing import frames
    from staffroom.knowing.impact import asking, keeping, summing
    from staffroom.measure import answering
    from staffroom.records import lake

    truth, rows = write_lake(lake.folder(), options.teachers, options.students, options.seed)
    terms = [summing.Stretch(name, begins, date.fromordinal(begins.toordinal() + 100)) for begins, name in TERMS]
    spent = time.process_time()
    uptake = summing.read_uptake(frames.participation("/1/2/", "activity"), dict(enumerate(terms)))
    cells = frames.outcome_cells("/1/2/", "test")
    students = frames.students("/1/2/", "test")
    read = time.process_time()
    material = asking.Material(cells=cells, first_on=uptake.first_on, terms=terms, students=students)
    kept = keeping.kept(answering.answer(asking.question_of(material), np.random.default_rng(1)))
    done = time.process_time()
    effect = kept["effect"]
    print(f"{rows:,} results, {cells.num_rows:,} cells: read {read - spent:.2f} CPU s, studied {done - read:.2f} CPU s, "
          f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB; "
          f"effect {effect['sd']:.3f} [{effect['low']:.3f}, {effect['high']:.3f}], true {truth:.3f}")  # fmt: skip


if __name__ == "__main__":
    main()
