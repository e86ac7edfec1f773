"""A lottery of students: classes hold both those drawn and those not, so that students are compared and not teachers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from staffroom.measure.cells import Cells, Floats, Ints, finite, refuse_rows

if TYPE_CHECKING:
    from staffroom.measure.question import Lottery


@dataclass(frozen=True, slots=True, eq=False)
class StudentLottery:
    """S students who were drawn or not, with D cells of their own."""

    cells: Cells
    """A cell per student and term, with the columns of the question's cells: `cells.teachers` are the students."""
    lottery: Lottery
    """(S,) 1 drawn, 0 not drawn, -1 not in the lottery; blocks likewise. A student is what was drawn."""
    teacher: NDArray[Any]
    """(S,) labels of the students' teachers, to count them by."""
    taken: Floats | None = None
    """(D,) 1 where the student takes part, else 0; None: whoever was drawn took part."""
    site: NDArray[Any] | None = None
    """(S,) None: the cells' clusters."""
    entered: tuple[int, int] | None = None
    """How many students were in the lottery, with results or without: those not drawn, and those drawn."""

    def __post_init__(self) -> None:
        for name in ("teacher", "site"):
            labels = getattr(self, name)
            if labels is not None and np.shape(labels) != (len(self.cells.teachers),):
                raise ValueError(f"{name} must be one label for each of {len(self.cells.teachers)} students")
        if self.taken is not None:
            taken = finite("taken", self.taken, 1)
            if len(taken) != len(self.cells.n):
                raise ValueError(f"taken has {len(taken)} rows; there are {len(self.cells.n)} students' terms")
            refuse_rows((taken != 0) & (taken != 1), "taken is neither 0 nor 1")
            object.__setattr__(self, "taken", taken)

    def arm(self, side: int) -> int:
        """Students with results who were drawn (1) or not (0)."""
        return int((np.asarray(self.lottery.assigned) == side).sum())

    def teachers(self, students: Ints) -> int:
        """Different teachers of the students with these codes (R,)."""
        return len(np.unique(self.teacher[np.unique(students)]))
