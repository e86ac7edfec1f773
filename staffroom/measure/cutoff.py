"""Regression discontinuity: the jump of outcomes where a cutoff of a running variable decides who takes part.

Local-linear on both sides with a triangular kernel and the bandwidth of `bandwidth.mse_bandwidths`; interval and p are
bias-corrected and robust (Calonico, Cattaneo & Titiunik 2014, Econometrica 82(6)). Fuzzy where take-up does not follow
the cutoff: the jump of outcomes over the jump of take-up. Unless rows are clustered, variances are from nearest
neighbors.

With clusters (schools) the variance is from leaving out each in turn, and Student's t with one degree fewer than
clusters: a school that stands on both sides counts once, since its shock moves both, and few schools do not make the
interval too narrow. `clusters="sides"` takes CR1, the clusters of each side for themselves and the normal distribution,
as the package rdrobust does; "joint" takes CR1 of clusters over both sides.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from staffroom.measure.bandwidth import Bandwidths, has_mass_points, mse_bandwidths
from staffroom.measure.cells import Bools, Floats, Ints, finite, refuse_rows
from staffroom.measure.effects import NORMAL, t_quantile, two_sided_p
from staffroom.measure.leaving_out import levels_without
from staffroom.measure.local_polynomial import (
    VARIANCES,
    Side,
    cluster_factor,
    fit,
    make_side,
    residuals,
    spread,
)

CLUSTERED = ("jackknife", "joint", "sides")
LEAST_ROWS = 20
"""Below so many rows no bandwidth is chosen."""


@dataclass(frozen=True, slots=True)
class Jump:
    """An estimate with its inference, in outcome units (of take-up: shares)."""

    effect: float
    standard_error: float
    low: float
    high: float
    p: float


@dataclass(frozen=True, slots=True)
class Cutoff:
    """The jump at the cutoff; all numbers NaN where `reason` says that there is none to be had."""

    effect: float
    """Local-linear, at the bandwidth that makes it most precise; this is what one reports."""
    standard_error: float
    """Robust to the bias; so are `low`, `high` and `p`, whose center is `bias_corrected` and not `effect`."""
    low: float
    high: float
    p: float
    df: float | None
    """Clusters within the bandwidth less one; None: normal distribution."""
    bias_corrected: float
    conventional: Jump
    """Without regard to the bias: too narrow."""
    first_stage: Jump | None
    """Jump of take-up, robust; None if sharp."""
    fuzzy: bool
    bandwidth: float
    bias_bandwidth: float
    n_left: int
    """Rows below the cutoff; `n_right`: at or above it."""
    n_right: int
    effective_left: int
    """Rows within the bandwidth."""
    effective_right: int
    values_left: int
    """Different values of the running variable."""
    values_right: int
    clusters: int | None
    """Within the wider of both bandwidths."""
    mass_points: bool
    """A fifth of the rows on a side repeat a value."""
    level_left: float
    """What outcomes tend to at the cutoff from below; `level_right`: from above."""
    level_right: float
    variance: str
    reason: str
    """'' or 'cutoff_outside', 'too_few_rows', 'too_few_values' (different ones, on a side or within the bandwidth),
    'no_bandwidth' (outcomes do not vary), 'no_take_up' (take-up does not jump)."""


def cutoff(
    y: ArrayLike,
    running: ArrayLike,
    *,
    cutoff: float = 0.0,
    taken: ArrayLike | None = None,
    weight: ArrayLike | None = None,
    cluster: ArrayLike | None = None,
    confidence: float = 0.95,
    variance: str = "nn",
    clusters: str = "jackknife",
    bandwidth: float | None = None,
    bias_bandwidth: float | None = None,
) -> Cutoff:
    """Jump of `y` (R,) where `running` (R,) reaches `cutoff`, right minus left.

    `taken` (R,) take-up if it does not follow the cutoff; `weight` (R,) >= 0, such as a cell's results; rows of weight 0
    do not count. `cluster` (R,) labels; without them `variance` is 'nn' (nearest neighbors) or 'hc0' to 'hc3'. A given
    `bandwidth` is taken for the bias too unless `bias_bandwidth` is given. Raises ValueError that names the row for what
    is missing or not finite; where data are few, `reason` says so instead.
    """
    if variance not in VARIANCES or clusters not in CLUSTERED:
        raise ValueError(f"variance must be one of {VARIANCES}, clusters one of {CLUSTERED}")
    left, right = _sides(y, running, cutoff, taken, weight, cluster)
    reason = _refusal(left, right)
    if reason:
        return _nothing(left, right, reason, variance)
    chosen = _bandwidths(left, right, bandwidth, bias_bandwidth, variance)
    if not (np.isfinite(chosen.main) and np.isfinite(chosen.bias) and min(chosen.main, chosen.bias) > 0):
        flat = all((side.y[:, 0] == left.y[0, 0]).all() for side in (left, right))
        return _nothing(left, right, "no_bandwidth" if flat else "too_few_values", variance)
    ends = [_end(side, chosen, variance) for side in (left, right)]
    if ends[0] is None or ends[1] is None:
        return _nothing(left, right, "too_few_values", variance)
    return _jump(ends[0], ends[1], chosen, confidence, variance, clusters)


def _sides(
    y: ArrayLike,
    running: ArrayLike,
    cutoff: float,
    taken: ArrayLike | None,
    weight: ArrayLike | None,
    cluster: ArrayLike | None,
) -> tuple[Side, Side]:
    if not np.isfinite(cutoff):
        raise ValueError("the cutoff is not finite")
    x = finite("running", running, 1) - cutoff
    columns = [finite("y", y, 1), *([] if taken is None else [finite("taken", taken, 1)])]
    mass = np.ones(len(x)) if weight is None else finite("weight", weight, 1)
    codes = None if cluster is None else np.unique(np.asarray(cluster), return_inverse=True)[1]
    lengths = {len(x), len(mass), *map(len, columns), *([] if codes is None else [len(codes)])}
    if len(lengths) > 1:
        raise ValueError(f"columns differ in length: {sorted(lengths)}")
    refuse_rows(mass < 0, "weight is below 0")
    values = np.column_stack(columns)
    below, above = (mass > 0) & (x < 0), (mass > 0) & (x >= 0)
    return _side(below, x, values, mass, codes), _side(above, x, values, mass, codes)


def _side(here: Bools, x: Floats, y: Floats, weight: Floats, codes: Ints | None) -> Side:
    return make_side(x[here], y[here], weight[here], None if codes is None else codes[here])


def _refusal(left: Side, right: Side) -> str:
    if not (len(left.x) and len(right.x)) or right.reach == 0:
        return "cutoff_outside"
    if len(left.x) + len(right.x) < LEAST_ROWS:
        return "too_few_rows"
    if min(left.values, right.values) < 3:
        return "too_few_values"
    if left.y.shape[1] == 1:
        return ""
    take_up = [side.y[:, 1] for side in (left, right)]
    return "no_take_up" if np.ptp(np.concatenate(take_up)) == 0 else ""


def _bandwidths(left: Side, right: Side, main: float | None, bias: float | None, variance: str) -> Bandwidths:
    """As given, or the most precise; where clusters are too few or take-up too flat to tell, as if without them."""
    if main is not None:
        return Bandwidths(main, main if bias is None else bias)
    sides = [_for_bandwidth(side, left, right) for side in (left, right)]
    alone = [replace(side, cluster=None) for side in sides]
    found = Bandwidths(np.nan, np.nan)
    for low, high in (sides, alone, [replace(side, y=side.y[:, :1]) for side in alone]):
        if not np.isfinite(found.main):
            found = mse_bandwidths(low, high, variance)
    return found if bias is None else Bandwidths(found.main, bias)


def _for_bandwidth(side: Side, left: Side, right: Side) -> Side:
    """With take-up only if it varies on both sides; else the design is as good as sharp."""
    if side.y.shape[1] == 1 or all(np.ptp(each.y[:, 1]) > 0 for each in (left, right)):
        return side
    return replace(side, y=side.y[:, :1])


@dataclass(frozen=True, slots=True, eq=False)
class _End:
    """What one side says at the cutoff: levels (D,), their bias-corrected ones, and how each row enters."""

    side: Side
    rows: int
    effective: int
    level: Floats
    corrected: Floats
    pull: Floats
    """(rows,) of the local-linear level; `robust` of the corrected one."""
    robust: Floats
    residual: Floats
    """(rows, D) for the local-linear level; `doubt` for the corrected one."""
    doubt: Floats


def _end(side: Side, chosen: Bandwidths, variance: str) -> _End | None:
    main, bias = fit(side, chosen.main, 1), fit(side, chosen.bias, 2)
    if main is None or bias is None:
        return None
    rows = max(main.rows, bias.rows)
    moved = main.bias(0) * (chosen.main / chosen.bias) ** 2
    pull, curve = _padded(main.pulls(0), rows), _padded(bias.pulls(2), rows)
    residual = residuals(side, rows, main, variance)
    matched = variance == "nn" and side.cluster is None
    return _End(
        side=side,
        rows=rows,
        effective=main.rows,
        level=main.coefficients[0],
        corrected=main.coefficients[0] - moved * bias.coefficients[2],
        pull=pull,
        robust=pull - moved * curve,
        residual=residual,
        doubt=residual if matched else residuals(side, rows, bias, variance),
    )


def _padded(pulls: Floats, rows: int) -> Floats:
    return np.concatenate([pulls, np.zeros(rows - len(pulls))])


def _jump(left: _End, right: _End, chosen: Bandwidths, confidence: float, variance: str, clusters: str) -> Cutoff:
    jumps, corrected = right.level - left.level, right.corrected - left.corrected
    fuzzy = len(jumps) > 1
    if fuzzy and abs(jumps[1]) < 1e-12:
        return _nothing(left.side, right.side, "no_take_up", variance)
    mix = np.array([1 / jumps[1], -jumps[0] / jumps[1] ** 2]) if fuzzy else np.ones(1)
    effect = jumps[0] / jumps[1] if fuzzy else jumps[0]
    better = float(effect - mix @ (jumps - corrected))
    found = _clusters(left, right)
    df = None if found is None or clusters == "sides" else float(found - 1)
    if found is not None and clusters == "jackknife":
        errors = _left_out(left, right, chosen, effect, better)
    else:
        joint = clusters == "joint"
        errors = [
            _error(left, right, mix, joint, robust=False),
            _error(left, right, mix, joint, robust=True),
            _error(left, right, np.eye(2)[1], joint, robust=True) if fuzzy else np.nan,
        ]
    plain, robust = (_inferred(*pair, df, confidence) for pair in zip((effect, better), errors[:2], strict=True))
    return Cutoff(
        effect=float(effect),
        standard_error=robust.standard_error,
        low=robust.low,
        high=robust.high,
        p=robust.p,
        df=df,
        bias_corrected=better,
        conventional=plain,
        first_stage=_inferred(float(corrected[1]), errors[2], df, confidence) if fuzzy else None,
        fuzzy=fuzzy,
        bandwidth=chosen.main,
        bias_bandwidth=chosen.bias,
        **_counts(left.side, right.side),
        effective_left=left.effective,
        effective_right=right.effective,
        clusters=found,
        level_left=float(left.level[0]),
        level_right=float(right.level[0]),
        variance=variance if found is None else "jackknife" if clusters == "jackknife" else "cr1",
        reason="",
    )


def _clusters(left: _End, right: _End) -> int | None:
    if left.side.cluster is None or right.side.cluster is None:
        return None
    both = np.concatenate([left.side.cluster[: left.rows], right.side.cluster[: right.rows]])
    return len(np.unique(both))


def _error(left: _End, right: _End, mix: Floats, joint: bool, *, robust: bool) -> float:
    scores = [
        (end.robust * (end.doubt @ mix)) if robust else (end.pull * (end.residual @ mix)) for end in (left, right)
    ]
    parameters = 3 if robust else 2
    if left.side.cluster is None or right.side.cluster is None or not joint:
        parts = [spread(end.side, score, parameters) for end, score in zip((left, right), scores, strict=True)]
        return float(np.sqrt(sum(parts)))
    codes = np.concatenate([left.side.cluster[: left.rows], right.side.cluster[: right.rows]])
    sums = np.bincount(codes, np.concatenate([-scores[0], scores[1]]))
    factor = cluster_factor(len(codes), len(np.unique(codes)), 2 * parameters)
    return float(np.sqrt(factor * (sums @ sums)))


def _left_out(left: _End, right: _End, chosen: Bandwidths, effect: float, better: float) -> list[float]:
    """Jackknife errors of the effect, of the bias-corrected one and, if fuzzy, of the corrected jump of take-up."""
    codes = [end.side.cluster[: end.rows] for end in (left, right) if end.side.cluster is not None]
    seen = np.unique(np.concatenate(codes))
    size = int(seen[-1]) + 1
    (low, low_better), (high, high_better) = (levels_without(end.side, chosen, size) for end in (left, right))
    jumps, corrected = (high - low)[seen], (high_better - low_better)[seen]
    whole = right.corrected - left.corrected
    if jumps.shape[1] == 1:
        targets = [jumps[:, 0] - effect, corrected[:, 0] - better]
    else:
        with np.errstate(all="ignore"):
            ratio = jumps[:, 0] / np.where(jumps[:, 1] == 0, np.nan, jumps[:, 1])
            off = (jumps[:, 0] - corrected[:, 0] - ratio * (jumps[:, 1] - corrected[:, 1])) / jumps[:, 1]
        targets = [ratio - effect, ratio - off - better, corrected[:, 1] - whole[1]]
    factor = (len(seen) - 1) / len(seen)
    errors = [float(np.sqrt(factor * (away @ away))) for away in targets]
    return errors if len(errors) == 3 else [*errors, np.nan]


def _inferred(effect: float, error: float, df: float | None, confidence: float) -> Jump:
    if not error > 0 or (df is not None and df < 1):
        return Jump(float(effect), error, np.nan, np.nan, np.nan)
    share = (1 + confidence) / 2
    half = error * (NORMAL.inv_cdf(share) if df is None else t_quantile(share, df))
    p = 2 * NORMAL.cdf(-abs(effect / error)) if df is None else two_sided_p(effect, error, df)
    return Jump(float(effect), error, float(effect - half), float(effect + half), float(p))


def _counts(left: Side, right: Side) -> dict[str, Any]:
    return {
        "n_left": len(left.x),
        "n_right": len(right.x),
        "values_left": left.values,
        "values_right": right.values,
        "mass_points": bool(len(left.x) and len(right.x) and has_mass_points(left, right)),
    }


def _nothing(left: Side, right: Side, reason: str, variance: str) -> Cutoff:
    none = np.nan
    return Cutoff(
        effect=none,
        standard_error=none,
        low=none,
        high=none,
        p=none,
        df=None,
        bias_corrected=none,
        conventional=Jump(none, none, none, none, none),
        first_stage=None,
        fuzzy=left.y.shape[1] > 1,
        bandwidth=none,
        bias_bandwidth=none,
        **_counts(left, right),
        effective_left=0,
        effective_right=0,
        clusters=None,
        level_left=none,
        level_right=none,
        variance=variance if left.cluster is None else "",
        reason=reason,
    )
