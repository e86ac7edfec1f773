"""The event study that sensitivity analysis asks for: effects before and after with their whole covariance.

It is that of Callaway & Sant'Anna (2021) with a universal base: all differences are to the last term before taking
part, so that a steady drift looks like a straight line, as `honest` takes it to. The headline's imputation has no such
thing: its leads come from a separate regression and against another base.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from staffroom.measure.cells import Cells, Floats, Ints
from staffroom.measure.group_time import CallawaySantAnna, group_time_effects
from staffroom.measure.influence import NOTHING, is_singular

LEADS = LAGS = 5
"""Terms to either side at most; beyond, few groups are seen and their noise would pass for a failure of trends."""
CLUSTERS_PER_EFFECT = 3
"""With fewer clusters per effect the covariance says little, and less than nothing of the smallest variance."""


@dataclass(frozen=True, slots=True, eq=False)
class EventStudy:
    """Effects by event time in order, without the reference -1, in outcome units: what `honest` takes."""

    keys: tuple[int, ...]
    effects: Floats
    """(P,)"""
    covariance: Floats
    """(P, P) clustered."""
    clusters: int
    before: int
    """How many of the effects are before taking part."""
    after: int


def honest_inputs(
    cells: Cells,
    first_treated: Ints,
    *,
    leads: int = LEADS,
    lags: int = LAGS,
    covariates: Sequence[int] | None = None,
) -> EventStudy | None:
    """The event study of cells (outcome first) and first treated term per teacher (I,), NEVER for none.

    Against never-treated teachers, or not-yet-treated ones where there are none. At most `leads` terms before and `lags`
    after (the first one not counted), without gaps, and fewer where clusters are few: the farthest go first. None where
    nothing is left on one side.
    """
    for controls in ("never", "notyet"):
        found = group_time_effects(cells, first_treated, controls=controls, base="universal", covariates=covariates)
        if found is not None:
            return _study(found, leads, lags)
    return None


def _study(found: CallawaySantAnna, leads: int, lags: int) -> EventStudy | None:
    errors = np.array([one.standard_error for one in found.by_event_time])
    sound = errors > NOTHING * errors.max(initial=0.0)
    place = {one.key: k for k, one in enumerate(found.by_event_time) if sound[k] and one.key is not None}
    before, after = _run(place, -2, -1, leads), _run(place, 0, 1, lags + 1)
    most, covariance = max(2, found.clusters // CLUSTERS_PER_EFFECT), found.event_time_covariance
    while before and after:
        keys = [*reversed(before), *after]
        chosen = np.array([place[key] for key in keys])
        spread = covariance[np.ix_(chosen, chosen)]
        if len(keys) <= most and not is_singular(spread):
            effects = np.array([found.by_event_time[k].effect for k in chosen])
            return EventStudy(tuple(keys), effects, spread, found.clusters, len(before), len(after))
        (before if len(before) > len(after) else after).pop()
    return None


def _run(place: dict[int, int], start: int, step: int, most: int) -> list[int]:
    """Event times from `start` on as long as each is there."""
    keys: list[int] = []
    while len(keys) < most and start + step * len(keys) in place:
        keys.append(start + step * len(keys))
    return keys
