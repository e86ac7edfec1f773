"""What some designs of the tree need beyond results and first days: the score before, and hours term by term. No database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from staffroom.knowing.impact.hiding import hidden_lines, is_small
from staffroom.knowing.impact.summing import Stretch

if TYPE_CHECKING:
    from staffroom.measure.cells import Cells
    from staffroom.measure.moments import Covariates


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


# --- What is kept of them ------------------------------------------------------------------------------------------------------


def without_small(said: dict[str, Any]) -> None:
    """Take out of an answer's details what speaks of one to four teachers, and what these would follow from."""
    details, n = said["details"], said["n"]
    if any(n[name] is None for name in ("treated_teachers", "comparison_teachers")):
        details.pop("balance", None)
        details.pop("weights", None)
    dose = details.get("dose")
    if dose:
        dose["groups"] = _groups(dose["groups"])


def _groups(groups: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    hidden = hidden_lines([int(group["teachers"] or 0) for group in groups])
    return [
        {**dict.fromkeys(group), "least": group["least"], "most": group["most"], "hidden": True} if hide else group
        for group, hide in zip(groups, hidden, strict=True)
    ]
