"""How the arms of a trial differed in what the lottery cannot have changed: balance, over all and by block."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from staffroom.measure import effects
from staffroom.measure.cells import sum_by
from staffroom.measure.trial import Fit, Trial, fit


@dataclass(frozen=True, slots=True)
class BlockBalance:
    """One block: means by arm."""

    block: Any
    units_treated: int
    units_control: int
    treated_mean: float
    control_mean: float


@dataclass(frozen=True, slots=True)
class Balance:
    """How the arms differed in one thing."""

    column: int
    """Of the cells; 0 is the outcome itself before the lottery (the teacher's prior mean)."""
    treated_mean: float
    control_mean: float
    difference: float
    """Within blocks."""
    sd: float
    """Pooled within arms, over results."""
    g: float | None
    """The difference in SD; None without spread."""
    p: float | None
    """CR2 by unit; None where it cannot be judged."""
    by_block: tuple[BlockBalance, ...]


def balance(trial: Trial, places: dict[int, int]) -> tuple[Balance, ...]:
    """One line per column of the cells (0: prior mean), which stand at `places` among the trial's columns."""
    columns = sorted(places)
    if not columns:
        return ()
    fitted = fit(trial, [trial.constant(trial.assigned)], [trial.column(places[column]) for column in columns])
    return tuple(_line(trial, column, places[column], fitted, i) for i, column in enumerate(columns))


def arm_means(trial: Trial, place: int) -> tuple[float, float]:
    """Mean of a column over the results of the treated and of the control units."""
    treated, control = (
        float(trial.moments[arm, 0, 1 + place].sum() / trial.mass[arm].sum() + trial.shift[place])
        for arm in (trial.assigned == 1, trial.assigned == 0)
    )
    return treated, control


def _line(trial: Trial, column: int, place: int, fitted: Fit, i: int) -> Balance:
    treated, control = arm_means(trial, place)
    difference, sd = float(fitted.coefficient[i]), _pooled_sd(trial, place)
    error = float(np.sqrt(fitted.covariance[i, i]))
    p = effects.two_sided_p(difference, error, fitted.df) if error > 0 else None
    g = difference / sd if sd > 0 else None
    return Balance(column, treated, control, difference, sd, g, p, _by_block(trial, place))


def _pooled_sd(trial: Trial, place: int) -> float:
    """Within arms, over results."""
    squares = 0.0
    for arm in (trial.assigned == 1, trial.assigned == 0):
        mass, total = trial.mass[arm].sum(), trial.moments[arm, 0, 1 + place].sum()
        squares += trial.moments[arm, 1 + place, 1 + place].sum() - total**2 / mass
    share = trial.results / max(trial.results - 2, 1.0)
    return float(np.sqrt(max(squares, 0.0) / trial.mass.sum() * share))


def _by_block(trial: Trial, place: int) -> tuple[BlockBalance, ...]:
    blocks = len(trial.blocks)
    code = trial.block * 2 + trial.assigned.astype(np.int64)
    values = np.column_stack([trial.mass, trial.moments[:, 0, 1 + place], np.ones(trial.units)])
    sums = sum_by(code, values, 2 * blocks).reshape(blocks, 2, 3)
    means = sums[:, :, 1] / sums[:, :, 0] + trial.shift[place]
    return tuple(
        BlockBalance(label, int(one[1, 2]), int(one[0, 2]), float(mean[1]), float(mean[0]))
        for label, one, mean in zip(trial.blocks.tolist(), sums, means, strict=True)
    )
