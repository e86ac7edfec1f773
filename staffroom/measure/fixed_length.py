"""The shortest fixed-length interval when the slope of a difference in trends changes by at most m from term to term.

Rambachan & Roth (2023, section 4.1), after Donoho (1994) and Armstrong & Kolesar (2018): an estimate that corrects the
wanted average by a combination of the effects before; its worst bias and its variance are traded for the shortest
interval. In cumulative weights u the worst bias is m times (a constant + sum |u|) and the variance a quadratic, so that
the trade-off runs along the path of a lasso, which is piecewise linear and followed exactly (Osborne, Presnell &
Turlach 2000).
"""

import numpy as np

from staffroom.measure.cells import Bools, Floats

SEARCH = 65
ROUNDS = 12


class FixedLength:
    """Intervals for weights (T,) times the effects after, from the covariance (P, P), `before` effects first."""

    def __init__(self, covariance: Floats, before: int, weights: Floats, confidence: float) -> None:
        after = len(weights)
        self.covariance, self.weights, self.confidence = covariance, weights, confidence
        total = float(np.arange(1, after + 1) @ weights)
        self.least_bias = float(np.abs(np.cumsum(np.cumsum(weights[::-1]))).sum())
        differences = np.eye(before) - np.eye(before, k=-1)
        self.to_weights = differences @ differences
        self.fixed = self.to_weights[:, -1] * total
        self.free = self.to_weights[:, :-1]
        pre, across = covariance[:before, :before], covariance[:before, before:] @ weights
        quadratic, linear = self.free.T @ pre @ self.free, self.free.T @ (pre @ self.fixed + across)
        self.penalties, self.path = lasso_path(quadratic, linear)

    def bounds(self, effects: Floats, m: float) -> tuple[float, float]:
        """Ends of the shortest interval around the corrected estimate."""
        low, high = 0.0, float(self.penalties[0])
        for _ in range(ROUNDS if m > 0 and high > 0 else 0):
            tried = np.linspace(low, high, SEARCH)
            best = int(np.argmin(self._half_lengths(self._cumulative(tried), m)))
            low, high = tried[max(best - 1, 0)], tried[min(best + 1, SEARCH - 1)]
        cumulative = self._cumulative(np.array([low if m == 0 else (low + high) / 2]))
        half = float(self._half_lengths(cumulative, m)[0])
        middle = float(self._combination(cumulative)[0] @ effects)
        return middle - half, middle + half

    def _cumulative(self, penalties: Floats) -> Floats:
        """(N, before - 1) points of the path."""
        order = self.penalties[::-1]
        columns = [np.interp(penalties, order, column[::-1]) for column in self.path.T]
        return np.stack(columns, axis=1) if columns else np.zeros((len(penalties), 0))

    def _combination(self, cumulative: Floats) -> Floats:
        """(N, P) weights of the effects."""
        pre = cumulative @ self.free.T + self.fixed
        return np.hstack([pre, np.tile(self.weights, (len(pre), 1))])

    def _half_lengths(self, cumulative: Floats, m: float) -> Floats:
        combination = self._combination(cumulative)
        error = np.sqrt(np.einsum("np,pq,nq->n", combination, self.covariance, combination))
        bias = m * (self.least_bias + np.abs(cumulative).sum(axis=1))
        return np.asarray(error * folded_quantile(bias / error, self.confidence))


def folded_quantile(bias: Floats, level: float) -> Floats:
    """Quantile of |Z + bias| for a standard normal Z and biases (N,) >= 0, by Newton's method from above."""
    from scipy.special import ndtr, ndtri

    quantile = bias + ndtri((1 + level) / 2)
    for _ in range(50):
        missing = ndtr(quantile - bias) - ndtr(-quantile - bias) - level
        density = (np.exp(-((quantile - bias) ** 2) / 2) + np.exp(-((quantile + bias) ** 2) / 2)) / np.sqrt(2 * np.pi)
        step = missing / density
        quantile = quantile - step
        if np.abs(step).max(initial=0.0) < 1e-12:
            break
    return np.asarray(quantile)


def lasso_path(quadratic: Floats, linear: Floats) -> tuple[Floats, Floats]:
    """Minimizers of u'Qu/2 + q'u + penalty * sum |u| for all penalties: breakpoints (B,) falling to 0, points (B, K).

    Q (K, K) is positive definite; between breakpoints the path is straight.
    """
    size = len(linear)
    penalty = float(np.abs(linear).max(initial=0.0))
    penalties, points = [penalty], [np.zeros(size)]
    if penalty == 0:
        return np.array(penalties), np.stack(points)
    active, signs = np.zeros(size, dtype=np.bool_), np.zeros(size)
    first = int(np.argmax(np.abs(linear)))
    active[first], signs[first] = True, -np.sign(linear[first])
    for _ in range(50 * size):
        start, slope = _line(quadratic, linear, active, signs)
        penalty, event = _next(quadratic, linear, active, start, slope, penalty)
        penalties.append(penalty)
        points.append(start + penalty * slope)
        if penalty <= 0:
            break
        if active[event]:
            active[event], signs[event], points[-1][event] = False, 0.0, 0.0
        else:
            gradient = quadratic[event] @ points[-1] + linear[event]
            active[event], signs[event] = True, -np.sign(gradient)
    return np.array(penalties), np.stack(points)


def _line(quadratic: Floats, linear: Floats, active: Bools, signs: Floats) -> tuple[Floats, Floats]:
    """The path as start + penalty * slope while the active set stays."""
    start, slope = np.zeros(len(linear)), np.zeros(len(linear))
    inside = quadratic[np.ix_(active, active)]
    start[active] = -np.linalg.solve(inside, linear[active])
    slope[active] = -np.linalg.solve(inside, signs[active])
    return start, slope


def _next(
    quadratic: Floats, linear: Floats, active: Bools, start: Floats, slope: Floats, penalty: float
) -> tuple[float, int]:
    """The largest smaller penalty at which a weight reaches zero or a zero one must move; (0, -1) if there is none."""
    below = penalty * (1 - 1e-10)
    level, change = quadratic @ start + linear, quadratic @ slope
    candidates = np.zeros((3, len(linear)))
    with np.errstate(divide="ignore", invalid="ignore"):
        candidates[0] = np.where(active, -start / slope, 0.0)
        candidates[1] = np.where(active, 0.0, level / (1 - change))
        candidates[2] = np.where(active, 0.0, -level / (1 + change))
    candidates = np.where(np.isfinite(candidates) & (candidates < below) & (candidates > 0), candidates, 0.0)
    place = int(candidates.argmax())
    return float(candidates.flat[place]), place % len(linear) if candidates.flat[place] > 0 else -1
