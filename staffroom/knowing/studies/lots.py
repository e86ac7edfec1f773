"""Lots drawn among students: the outcomes once more, by student instead of by teacher, and who of them was drawn."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from staffroom.knowing.studies import Refused, gathering, joining, marking
from staffroom.knowing.studies.asking import Asked
from staffroom.knowing.studies.gathering import Floats, Gathered, Ints
from staffroom.measure.question import NEVER, Lottery, StudentLottery

MOST = 500_000
"""Students that are compared one by one: each takes some KB."""
OWN = ("assigned", "block", "treated", "first_treated", "dose")
"""Roles that are a student's where students were drawn."""


def among_students(gathered: Gathered, assigned: joining.Assignments | None) -> bool:
    """Whether lots were drawn among students: the file beside names students, or marks differ within a teacher's term."""
    if assigned is not None:
        return assigned.by == "student"
    return "assigned" in gathered.least and bool((gathered.least["assigned"] != gathered.most["assigned"]).any())


def drawn(
    asked: Asked,
    gathered: Gathered,
    assigned: joining.Assignments | None,
    scratch: Path,
    notes: list[str],
    *,
    session: Any = None,
) -> tuple[StudentLottery, Gathered]:
    """The lottery, and the outcomes by student that it is about. Raises Refused."""
    _refuse_unknown(asked, gathered)
    columns = {**asked.columns, "teacher": asked.columns["student"]}
    del columns["student"]
    own = replace(asked, columns=columns, subgroups=(asked.columns["teacher"],))
    students = replace(gathering.gather(own, scratch, session=session), who="student")
    lottery, entered = _from_file(students, assigned, notes) if assigned else _from_outcomes(students)
    lots = StudentLottery(
        students.cells,
        replace(lottery, since=marking.told_term(gathered, "since"), until=marking.told_term(gathered, "until")),
        teacher=_last(students, asked.columns["teacher"]),
        taken=_taken(students),
        site=_last(students, "site") if "site" in students.least else None,
        entered=entered,
    )
    return lots, students


def with_teachers(lots: StudentLottery, students: Gathered, gathered: Gathered, first: Ints) -> StudentLottery:
    """The lottery where a file of activities says which teachers (I,) took part when: students take part with theirs."""
    cells, names = students.cells, gathered.cells.teachers
    column = gathered.asked.columns["teacher"]
    owner = np.minimum(np.searchsorted(names, students.least[column].astype(str)), len(names) - 1)
    begun = first[owner]
    return replace(lots, taken=((begun != NEVER) & (cells.terms[cells.term] >= begun)).astype(np.float64))


def _refuse_unknown(asked: Asked, gathered: Gathered) -> None:
    if "student" not in asked.columns:
        raise Refused(
            f"{gathered.readable.name}, column {asked.columns.get('assigned', 'assigned')}: differs among the students of a "
            "teacher, so lots were drawn among students; name under [columns] student which column tells them apart"
        )
    if gathered.students is not None and gathered.students.different > MOST:
        raise Refused(
            f"{gathered.readable.name}: lots were drawn among {gathered.students.different} students; up to {MOST} can be "
            "compared one by one: take a part of the blocks, or a random sample of the students"
        )


def _from_outcomes(students: Gathered) -> tuple[Lottery, tuple[int, int]]:
    marks = marking.marks(students, students.per_teacher("assigned"), "assigned", missing=-1.0).astype(np.int64)
    return Lottery(marks, block=marking.labels(students, "block")), _entered(students)


def _from_file(
    students: Gathered, found: joining.Assignments, notes: list[str]
) -> tuple[Lottery, tuple[int, int] | None]:
    known = [str(student) for student in students.cells.teachers]
    strangers = len(set(found.block) - set(known))
    if strangers:
        notes.append(f"{found.name}: {strangers} of {len(found.block)} students have no outcomes.")
    if not found.assigned:
        raise Refused(f"{found.name} names students, so it must have a column for assigned (1 drawn, 0 not)")
    marks = np.array([found.assigned.get(student, -1) for student in known], dtype=np.int64)
    blocks = np.array([found.block.get(student, "") for student in known])
    counted = list(found.assigned.values())
    return Lottery(marks, block=blocks if any(found.block.values()) else None), (counted.count(0), counted.count(1))


def _entered(students: Gathered) -> tuple[int, int]:
    """Students of the file by arm, also those without a score."""
    import pyarrow.parquet as parquet

    names = [students.asked.columns[role] for role in ("teacher", "assigned")]
    found = parquet.read_table(list(map(str, students.readable.files)), columns=names, partitioning=None)
    each = found.group_by(names[0]).aggregate([(names[1], "max")])
    marks = marking.marks(students, _texts(each[f"{names[1]}_max"]), "assigned", missing=-1.0)
    named = np.array([name is not None for name in each[names[0]].to_pylist()])
    return int((named & (marks == 0)).sum()), int((named & (marks == 1)).sum())


def _texts(column: Any) -> NDArray[np.str_]:
    return np.array([gathering.label(value) for value in column.to_pylist()], dtype=np.str_)


def _taken(students: Gathered) -> Floats | None:
    """(D,) whether the student takes part in the term; None if nothing tells."""
    cells, there = students.cells, students.least
    if "treated" in there:
        return marking.marks(students, students.per_cell("treated"), "treated", missing=0.0)
    if "first_treated" in there:
        first = marking.first_terms(students, students.per_teacher("first_treated"), [], students.readable.name)
        begun = first[cells.teacher]
        return np.asarray((begun != NEVER) & (cells.terms[cells.term] >= begun), dtype=np.float64)
    if "dose" in there:
        return np.asarray(np.nan_to_num(students.per_cell("dose")) > 0, dtype=np.float64)
    return None


def _last(students: Gathered, role: str) -> NDArray[Any]:
    """(S,) the value in the student's last term: her teacher, her site."""
    values = students.least[role]
    found = np.empty(len(students.cells.teachers), dtype=object)
    found[students.cells.teacher] = [gathering.label(value) for value in values.tolist()]
    return found.astype(np.str_)
