"""Those with and those without an activity as they are: how many, at what level, how far apart. Nothing is compared here."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from staffroom.measure import gates
from staffroom.measure.cells import Cells
from staffroom.measure.staggered import distinct


@dataclass(frozen=True, slots=True)
class Side:
    """Plain description of results with or without taking part, in outcome units; None where too few to show."""

    results: int
    teachers: int
    mean: float | None
    sd: float | None

    def plain(self) -> dict[str, Any]:
        """As it stands among the details of an answer."""
        return {"results": self.results, "teachers": self.teachers, "mean": self.mean, "sd": self.sd}


def side_of(cells: Cells) -> Side:
    """Mean and spread over all results of some cells."""
    results, teachers = int(cells.n.sum()), distinct(cells.teacher)
    if not gates.enough_to_show(results, teachers):
        return Side(results, teachers, None, None)
    whole = cells.mass.sum()
    mean = float(cells.mass @ cells.mean[:, 0] / whole)
    squares = cells.scatter[:, 0, 0].sum() + cells.mass @ (cells.mean[:, 0] - mean) ** 2
    return Side(results, teachers, mean, float(np.sqrt(squares / whole * results / (results - 1))))


def comparison_sd(untreated: Cells) -> float | None:
    """SD of the outcome within terms, over results; None below two results more than terms."""
    results, terms = untreated.n.sum(), distinct(untreated.term)
    if results - terms < 1:
        return None
    total = np.bincount(untreated.term, untreated.mass)
    mean = np.bincount(untreated.term, untreated.mass * untreated.mean[:, 0]) / np.where(total > 0, total, 1)
    off = untreated.mean[:, 0] - mean[untreated.term]
    squares = untreated.scatter[:, 0, 0].sum() + untreated.mass @ off**2
    return float(np.sqrt(squares / total.sum() * results / (results - terms)))
