"""E5: whether a teacher's students do better in terms in which the teacher did more; an association, never more.

Least squares of results on dose with teacher and term effects and the cells' covariates, clustered by school: a teacher
is compared with herself at other doses. Whoever does more in a good term for other reasons biases it; nothing here can
tell.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from staffroom.measure import effects, robust
from staffroom.measure.cells import Bools, Cells, Floats, Ints, finite, refuse_rows
from staffroom.measure.projection import NEGLIGIBLE, Moments

THIRDS = 3


@dataclass(frozen=True, slots=True)
class DoseGroup:
    """Terms of one range of doses against the reference, in outcome units; None where it cannot be had."""

    least: float
    most: float
    mean: float
    """Dose, over results."""
    results: int
    teachers: int
    effect: float | None = None
    """0 for the reference."""
    standard_error: float | None = None
    low: float | None = None
    high: float | None = None
    is_reference: bool = False


@dataclass(frozen=True, slots=True)
class DoseAssociation:
    """Outcome units per unit of dose; None where it cannot be had, and `reason` says why."""

    slope: float | None = None
    standard_error: float | None = None
    df: float | None = None
    p: float | None = None
    low: float | None = None
    high: float | None = None
    method: str = ""
    """'CR1', 'CR2' or 'CR3'."""
    reason: str = ""
    """'dose_does_not_vary' (within teachers, apart from terms), 'no_spread' or 'too_few_clusters'."""
    typical: float | None = None
    """SD of dose within teachers, net of terms: a change that the data do show."""
    results: int = 0
    teachers: int = 0
    """With results at two different doses or more; the others say nothing of the slope."""
    clusters: int = 0
    bootstrap: robust.Wild | None = None
    """With a generator: wild cluster bootstrap of no association."""
    groups: tuple[DoseGroup, ...] = ()
    """Terms without any dose (if there are) and thirds of the others, the lowest of all being the reference."""


def dose_association(
    cells: Cells,
    dose: ArrayLike,
    *,
    kind: str = "CR2",
    confidence: float = 0.95,
    generator: np.random.Generator | None = None,
    draws: int = robust.DRAWS,
) -> DoseAssociation:
    """Associate the outcome (column 0 of the cells) with `dose` (C,) >= 0 per cell, such as hours, given the covariates.

    Raises ValueError that names the row for a dose that is missing, not finite or below 0, for a length that does not
    fit, and for an unknown kind. Few data never raise.
    """
    if kind not in robust.KINDS:
        raise ValueError(f"kind must be one of {', '.join(robust.KINDS)}, not {kind!r}")
    doses = finite("dose", dose, 1)
    refuse_rows(doses < 0, "dose is below 0")
    if len(doses) != len(cells.n):
        raise ValueError(f"dose has {len(doses)} rows, expected one for each of {len(cells.n)} cells")
    found = DoseAssociation(method=kind, results=int(cells.n.sum()), teachers=_varied(cells, doses))
    if not found.teachers:
        return replace(found, reason="dose_does_not_vary")
    moments = robust.teacher_moments(cells.with_columns(doses[:, None]))
    columns = np.arange(1, cells.mean.shape[1] + 1)
    fit = robust.regress(moments, 0, columns, kind=kind)
    found = replace(found, clusters=moments.clusters)
    if not fit.kept[0]:
        return replace(found, reason="dose_does_not_vary")
    if not _has_spread(moments):
        return replace(found, reason="no_spread")
    found = replace(
        found,
        slope=float(fit.coefficients[0]),
        typical=_typical(moments, cells),
        groups=_groups(cells, doses, kind, confidence),
    )
    if not fit.standard_errors[0] > 0:
        return replace(found, reason="too_few_clusters")
    found = _judged(found, float(fit.standard_errors[0]), float(fit.df[0]), confidence)
    if generator is None:
        return found
    return replace(found, bootstrap=robust.wild(moments, 0, columns, 0, generator, draws=draws, confidence=confidence))


def _judged(found: DoseAssociation, error: float, df: float, confidence: float) -> DoseAssociation:
    assert found.slope is not None
    interval = effects.t_interval(found.slope, error, df, confidence=confidence)
    p = effects.two_sided_p(found.slope, error, df)
    return replace(found, standard_error=error, df=df, p=p, low=interval.low, high=interval.high)


def _varied(cells: Cells, doses: Floats) -> int:
    """Teachers with two different doses or more."""
    size = len(cells.teachers)
    least, most = np.full(size, np.inf), np.full(size, -np.inf)
    np.minimum.at(least, cells.teacher, doses)
    np.maximum.at(most, cells.teacher, doses)
    return int(np.count_nonzero(most > least))


def _typical(moments: Moments, cells: Cells) -> float:
    """SD over results of dose net of teachers and terms."""
    return float(np.sqrt(moments.swept().by_cluster[:, 1, 1].sum() / cells.mass.sum()))


def _has_spread(moments: Moments) -> bool:
    """Whether outcomes differ beyond rounding once teachers and terms are taken out."""
    return bool(moments.swept().by_cluster[:, 0, 0].sum() > NEGLIGIBLE * moments.scale[0] > 0)


def _groups(cells: Cells, doses: Floats, kind: str, confidence: float) -> tuple[DoseGroup, ...]:
    """No dose and thirds of the others against the lowest, each with its interval."""
    code = _thirds(doses, cells.n)
    size = int(code.max()) + 1
    if size < 2:
        return ()
    indicators = (code[:, None] == np.arange(1, size)).astype(np.float64)
    moments = robust.teacher_moments(cells.with_columns(indicators))
    fit = robust.regress(moments, 0, np.arange(1, cells.mean.shape[1] + size - 1), kind=kind)
    return tuple(_group(cells, doses, code == one, one, fit, confidence) for one in range(size))


def _group(cells: Cells, doses: Floats, here: Bools, code: int, fit: robust.Robust, confidence: float) -> DoseGroup:
    group = DoseGroup(
        least=float(doses[here].min()),
        most=float(doses[here].max()),
        mean=float(np.average(doses[here], weights=cells.mass[here])),
        results=int(cells.n[here].sum()),
        teachers=len(np.unique(cells.teacher[here])),
        is_reference=code == 0,
    )
    if group.is_reference:
        return replace(group, effect=0.0)
    if not fit.kept[code - 1]:
        return group
    effect, error = float(fit.coefficients[code - 1]), float(fit.standard_errors[code - 1])
    if not error > 0:
        return replace(group, effect=effect)
    interval = effects.t_interval(effect, error, float(fit.df[code - 1]), confidence=confidence)
    return replace(group, effect=effect, standard_error=error, low=interval.low, high=interval.high)


def _thirds(doses: Floats, n: Floats) -> Ints:
    """(C,) codes from 0: no dose (if there are such cells), then thirds by results; equal doses stay together."""
    some = doses > 0
    code = np.zeros(len(doses), dtype=np.int64)
    if some.any():
        place = np.unique(doses[some], return_inverse=True)[1]
        total = np.bincount(place, n[some])
        middle = (np.cumsum(total) - total / 2) / total.sum()
        code[some] = 1 + np.minimum((middle * THIRDS).astype(np.int64), THIRDS - 1)[place]
    return np.unique(code, return_inverse=True)[1]
