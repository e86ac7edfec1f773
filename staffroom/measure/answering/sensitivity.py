"""How far parallel trends may fail before a panel's finding is gone (HonestDiD)."""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from staffroom.measure import gates
from staffroom.measure.answering.estimate import Scale
from staffroom.measure.cells import Cells, Floats, Ints
from staffroom.measure.event_study import LAGS, EventStudy, honest_inputs
from staffroom.measure.gates import Gate
from staffroom.measure.honest import Bound, breakdown, relative_magnitudes, smoothness
from staffroom.measure.sentence import Sentence, say
from staffroom.measure.staggered import NEVER

MBAR = (0.5, 1.0, 1.5, 2.0)
STEPS_SD = (0.0, 0.01, 0.02, 0.03)
"""Changes of slope from term to term, in SD."""
MOST = 99.0
"""A breakdown value beyond this is shown as this."""


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """What bounds on failing trends leave of the average effect after taking part."""

    gate: Gate
    details: dict[str, Any]
    said: tuple[Sentence, ...]


def sensitivity(
    cells: Cells, first_treated: Ints, scale: Scale, *, separated: bool, anticipation: int = 0
) -> Sensitivity:
    """Bounds on the mean effect over the terms after, and how much drift a finding stands; none where it cannot be had.

    With `anticipation` the groups' first terms are taken to be so many terms earlier, but the terms in which taking part
    was only expected do not count in the mean.
    """
    begin = np.where(first_treated == NEVER, NEVER, np.maximum(first_treated - anticipation, 0))
    study = honest_inputs(cells, begin, lags=LAGS + anticipation, covariates=()) if scale.sure else None
    counts = None if study is None else np.array(study.keys[study.before :]) >= anticipation
    if study is None or counts is None or not counts.any():
        return Sensitivity(gates.sensitivity_gate(None), {}, ())
    study = replace(study, keys=tuple(key - anticipation for key in study.keys))
    try:
        return _found(study, counts / counts.sum(), scale, separated)
    except ValueError:
        return Sensitivity(gates.sensitivity_gate(None), {}, ())


def _found(study: EventStudy, weights: Floats, scale: Scale, separated: bool) -> Sensitivity:
    shape: dict[str, Any] = {
        "before": study.before,
        "after": study.after,
        "weights": weights,
        "confidence": scale.confidence,
    }
    effects, covariance = study.effects / scale.sd, study.covariance / scale.sd**2
    relative = relative_magnitudes(effects, covariance, mbar=MBAR, **shape)
    smooth = smoothness(effects, covariance, m=STEPS_SD, **shape) if study.before > 1 else ()
    holds = {"relative_magnitudes": breakdown(effects, covariance, kind="relative_magnitudes", **shape)}
    if study.before > 1:
        holds["smoothness"] = breakdown(effects, covariance, kind="smoothness", **shape)
    main = min(holds["relative_magnitudes"], MOST)
    details = {
        "relative_magnitudes": _bounds(relative),
        "smoothness": _bounds(smooth),
        "breakdown": {kind: min(value, MOST) if math.isfinite(value) else MOST for kind, value in holds.items()},
        "average": float(weights @ effects[study.before :]),
        "event_times": list(study.keys),
    }
    said: tuple[Sentence, ...] = ()
    if separated:
        said = (say("sensitivity", breakdown=main) if main >= gates.FRAGILE else say("fragile", share=main),)
    return Sensitivity(gates.sensitivity_gate(main), details, said)


def _bounds(found: tuple[Bound, ...]) -> list[dict[str, float]]:
    return [{"m": one.m, "low": one.low, "high": one.high} for one in found]
