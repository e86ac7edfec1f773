"""What some designs of the tree need beyond results and first days: scores from before, hours term by term, a rule. No database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from staffroom.knowing.impact.hiding import is_small
from staffroom.knowing.impact.summing import Stretch

if TYPE_CHECKING:
    from staffroom.measure.cells import Cells
    from staffroom.measure.moments import Covariates
    from staffroom.measure.question import Threshold


@dataclass(frozen=True)
class Rule:
    """By which number it was decided to whom the activity is offered; of whom it is not known, is on neither side."""

    cutoff: float
    is_above: bool = True
    """Whether those at or above the cutoff are offered it; else those below."""
    by_teacher: Mapping[str, float] = field(default_factory=dict)
    by_school: Mapping[str, float] = field(default_factory=dict)


def cells_of(
    rows: Sequence[Mapping[str, Any]], ordinal: Mapping[date, int], *, sign: float = 1.0, with_prior: bool = False
) -> Cells:
    """Cells from rows of `frames.outcome_cells` or, with the score before, of `frames.prior_cells`; `sign` turns results round."""
    import numpy as np

    from staffroom.measure.moments import cells_from_sums

    column = {
        name: np.array([row[name] for row in rows]) for name in ("teacher_key", "school_key", "n", "y_sum", "y_sumsq")
    }
    return cells_from_sums(
        teacher=column["teacher_key"], school=column["school_key"],
        term=np.array([ordinal[row["term_begins_on"]] for row in rows]), n=column["n"], y_sum=sign * column["y_sum"],
        y_sumsq=column["y_sumsq"], covariates=_prior(rows, sign) if with_prior else None,
    )  # fmt: skip


def _prior(rows: Sequence[Mapping[str, Any]], sign: float) -> Covariates:
    """The score before as a column beside the outcome, turned round as that is."""
    import numpy as np

    from staffroom.measure.moments import Covariates

    sums, squares, products = (np.array([row[name] for row in rows]) for name in ("p_sum", "p_sumsq", "py_sum"))
    return Covariates(("prior",), sign * sums[:, None], squares[:, None, None], products[:, None])


def hours_by_cell(seconds: Mapping[str, Mapping[date | None, int]], cells: Cells, terms: Sequence[Stretch]) -> Any:
    """(C,) hours that each cell's teacher gave in its term; None where nobody did or too few did.

    Hours between terms belong to no term: they are left out.
    """
    import numpy as np

    known = {who: parts for who, parts in seconds.items() if any(begins and part for begins, part in parts.items())}
    if not known or is_small(len(known)):
        return None
    teachers, days = [str(key) for key in cells.teachers], [terms[int(number)].begins_on for number in cells.terms]
    own = [known.get(teachers[who], {}) for who in cells.teacher]
    return np.array([parts.get(days[term], 0) / 3600 for parts, term in zip(own, cells.term, strict=True)])


def threshold_of(rule: Rule | None, cells: Cells, since: int) -> Threshold | None:
    """The rule as the tree takes it: every teacher's number. `since`: first term whose results count; below 0: not told."""
    import numpy as np

    from staffroom.measure.question import Threshold

    if rule is None:
        return None
    schools = [str(key) for key in cells.clusters[cells.cluster_of]]
    running = [
        rule.by_teacher.get(str(who), rule.by_school.get(school, np.nan))
        for who, school in zip(cells.teachers, schools, strict=True)
    ]
    return Threshold(
        np.array(running, dtype=np.float64), rule.cutoff, above=rule.is_above, since=None if since < 0 else since
    )


def numbers_before(rows: Sequence[Mapping[str, Any]], terms: Sequence[Stretch], day: date) -> dict[str, float]:
    """Each teacher's mean in the last of these terms that ended before a day, from rows of `frames.outcome_cells`."""
    ended = [term.begins_on for term in terms if term.ends_on < day]
    if not ended:
        return {}
    sums: dict[str, list[float]] = {}
    for row in rows:
        if row["term_begins_on"] == ended[-1]:
            own = sums.setdefault(row["teacher_key"], [0.0, 0.0])
            own[0] += row["y_sum"]
            own[1] += row["n"]
    return {who: total / count for who, (total, count) in sums.items()}
