"""The port to engines that read tables: the only place that knows which engine reads them.

Two readers stand behind it. `frames.ledgers` asks the lake of this installation; its questions are asked as `frames.costs(…)`.
`frames.files` scans a file or folder of student results that lies anywhere, and needs neither settings nor a database: so
nothing of the lake is imported here before it is asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from staffroom.knowing.frames.ledgers import (  # noqa: I001
        CELLS as CELLS,
        COSTS as COSTS,
        INGREDIENTS as INGREDIENTS,
        PARTICIPATION as PARTICIPATION,
        PRIOR_CELLS as PRIOR_CELLS,
        _ledger as _ledger,
        costs as costs,
        ingredients as ingredients,
        outcome_cells as outcome_cells,
        participation as participation,
        prior_cells as prior_cells,
        students as students,
        students_taught as students_taught,
    )


def __getattr__(name: str) -> Any:
    """What is asked of the lake, brought in when it is asked."""
    if name.startswith("__"):
        raise AttributeError(name)
    return getattr(import_module("staffroom.knowing.frames.ledgers"), name)
