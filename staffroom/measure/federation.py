"""Exact federation: several organizations fit one regression, and none shows a school.

Teachers are eliminated at home, so that a site's part of a regression with teacher and term effects is a sum over its
schools of products of columns net of teachers (`robust.teacher_moments`). Two rounds are enough:

1. each site gives that sum (`share`); adding them up gives the coefficients (`combine`);
2. each site gets the coefficients and gives the sum over its schools of products of scores (`answer`); adding those up
   gives the cluster-robust errors (`conclude`).

The result is that of the pooled rows to rounding. What leaves a site are numbers of columns squared, twice, each a sum
over at least five schools: `share` and `answer` refuse otherwise, also where a column is nought in all but a few schools.
Messages are plain values for JSON (`plain`, `from_plain`) and carry a version. Whoever asks often, with other columns or
after schools have come or gone, learns differences between sums: to whom and how often is for people to decide.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from staffroom.measure.cells import Cells, Floats, Ints
from staffroom.measure.projection import LeastSquares, Moments, independent
from staffroom.measure.robust import teacher_moments

VERSION = 1
LEAST = 5
"""Schools that every sum must have, whatever a caller wishes."""
NOUGHT = 1e-12
"""Share of a product's size below which a school does not count as part of its sum."""


@dataclass(frozen=True, slots=True, eq=False)
class SiteMoments:
    """What a site gives in the first round."""

    names: tuple[str, ...]
    """Of the K columns, the outcome among them."""
    terms: tuple[int, ...]
    """Of the T columns behind them."""
    moments: Floats
    """(K + T, K + T) sum over schools of products net of teachers."""
    mean: Floats
    """(K,) over results."""
    squares: Floats
    """(K,) about that mean."""
    mass: float
    """Sum of the weights of results; their number without weights."""
    by_term: Floats
    """(T,) the same by term."""
    results: int
    schools: int

    def plain(self) -> dict[str, Any]:
        """For JSON; floats keep every digit."""
        return {"kind": "moments", "version": VERSION} | _plain(self)

    @classmethod
    def from_plain(cls, message: Mapping[str, Any]) -> Self:
        """Read a message; ValueError that says what is wrong with one that was changed, broken or made up."""
        body = _body(message, "moments", cls)
        names, terms = _words("names", body["names"]), _wholes("terms", body["terms"])
        size = len(names) + len(terms)
        found = cls(
            names,
            terms,
            _array("moments", body["moments"], (size, size)),
            _array("mean", body["mean"], (len(names),)),
            _array("squares", body["squares"], (len(names),)),
            float(_array("mass", body["mass"], ())),
            _array("by_term", body["by_term"], (len(terms),)),
            _wholes("results", [body["results"]])[0],
            _wholes("schools", [body["schools"]])[0],
        )
        if found.schools < LEAST:
            raise ValueError(f"a sum over {found.schools} schools must not have been sent: at least {LEAST} are needed")
        scale = float(np.abs(found.moments).max(initial=0.0))
        if not np.allclose(found.moments, found.moments.T, rtol=0, atol=1e-9 * scale):
            raise ValueError("moments are not symmetric")
        if np.linalg.eigvalsh(found.moments).min(initial=0.0) < -1e-7 * scale or not found.mass > 0:
            raise ValueError("moments are not sums of squares")
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """What everyone is told after the first round: the coefficients, and what scores are made of."""

    outcome: str
    regressors: tuple[str, ...]
    names: tuple[str, ...]
    terms: tuple[int, ...]
    coefficients: Floats
    """(P,) NaN where a regressor is explained by the effects or by earlier ones."""
    bread: Floats
    """(Q, Q) inverse of the moments of those Q that were kept."""
    residual: Floats
    """(K + T,) the combination of columns that is the residual."""
    score: Floats
    """(K + T, Q) the combinations of columns that are the kept regressors net of terms."""
    factor: float
    """(N-1)/(N-k) G/(G-1); NaN with N <= k."""
    schools: int

    def plain(self) -> dict[str, Any]:
        """For JSON; what is not finite becomes None."""
        return {"kind": "fit", "version": VERSION} | _plain(self)

    @classmethod
    def from_plain(cls, message: Mapping[str, Any]) -> Self:
        """Read a message, as `SiteMoments.from_plain` does."""
        body = _body(message, "fit", cls)
        names, terms = _words("names", body["names"]), _wholes("terms", body["terms"])
        regressors = _words("regressors", body["regressors"])
        if not isinstance(body["coefficients"], (list, tuple)):
            raise ValueError("coefficients are not numbers")
        values = body["coefficients"]
        coefficients = _array("coefficients", [0.0 if value is None else value for value in values], (len(regressors),))
        coefficients[[value is None for value in values]] = np.nan
        size, kept = len(names) + len(terms), int(np.isfinite(coefficients).sum())
        return cls(
            outcome=_words("outcome", [body["outcome"]])[0],
            regressors=regressors,
            names=names,
            terms=terms,
            coefficients=coefficients,
            bread=_array("bread", body["bread"], (kept, kept)),
            residual=_array("residual", body["residual"], (size,)),
            score=_array("score", body["score"], (size, kept)),
            factor=math.nan if body["factor"] is None else float(_array("factor", body["factor"], ())),
            schools=_wholes("schools", [body["schools"]])[0],
        )


@dataclass(frozen=True, slots=True, eq=False)
class SiteMeat:
    """What a site gives in the second round."""

    meat: Floats
    """(Q, Q) sum over schools of products of scores."""
    schools: int

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return {"kind": "meat", "version": VERSION} | _plain(self)

    @classmethod
    def from_plain(cls, message: Mapping[str, Any]) -> Self:
        """Read a message, as `SiteMoments.from_plain` does."""
        body = _body(message, "meat", cls)
        size = len(body["meat"]) if isinstance(body["meat"], list) else 0
        return cls(_array("meat", body["meat"], (size, size)), _wholes("schools", [body["schools"]])[0])


def share(cells: Cells, names: Sequence[str], *, least: int = LEAST) -> SiteMoments:
    """First round: this site's sums, for columns `names` (K,) of the cells.

    Raises ValueError that names the sum if fewer than `least` schools (never below 5) stand behind it.
    """
    if len(set(names)) != cells.mean.shape[1] or len(names) != cells.mean.shape[1]:
        raise ValueError(f"{cells.mean.shape[1]} columns need as many different names, not {len(names)}")
    moments = teacher_moments(cells)
    terms = tuple(int(term) for term in cells.terms)
    labels = [*names, *(f"term {term}" for term in terms)]
    _refuse_few(moments.by_cluster, np.sqrt(moments.scale), labels, max(least, LEAST))
    mass = float(cells.mass.sum())
    columns = len(names)
    return SiteMoments(
        tuple(names),
        terms,
        moments.by_cluster.sum(axis=0),
        np.asarray(cells.mass @ cells.mean / mass),
        moments.scale[:columns],
        mass,
        moments.scale[columns:],
        int(cells.n.sum()),
        moments.clusters,
    )


def _refuse_few(products: Floats, size: Floats, labels: Sequence[str], least: int) -> None:
    """Refuse sums of products (G, M, M) of columns of `size` (M,) that some, but fewer than `least`, schools add to."""
    parts = (np.abs(products) > NOUGHT * np.outer(size, size)).sum(axis=0)
    few = np.argwhere((parts > 0) & (parts < least))
    if len(few):
        first, second = (labels[place] for place in few[0])
        what = first if first == second else f"{first} with {second}"
        raise ValueError(f"the sum of {what} stands on {parts[tuple(few[0])]} schools: at least {least} are needed")


def combine(messages: Sequence[SiteMoments], outcome: str, regressors: Sequence[str]) -> Fit:
    """Regress column `outcome` on `regressors` over all sites, with teacher and term effects.

    Raises ValueError if there is no message, or sites give other columns or do not have one that is asked for.
    """
    names, terms = _agreed(messages)
    absent = [name for name in (outcome, *regressors) if name not in names]
    if absent or not regressors:
        raise ValueError(f"there is no column {absent[0]!r}" if absent else "a regression needs a regressor")
    moments = _whole(messages, names, terms)
    columns = np.array([names.index(name) for name in regressors])
    sweep = _sweep(moments)
    reduced = sweep.T @ moments.by_cluster[0] @ sweep
    kept = independent(reduced[np.ix_(columns, columns)], moments.scale[columns])
    chosen, target = columns[kept], names.index(outcome)
    bread = np.linalg.inv(reduced[np.ix_(chosen, chosen)])
    solved = bread @ reduced[chosen, target]
    coefficients = np.full(len(columns), np.nan)
    coefficients[kept] = solved
    return Fit(
        outcome,
        tuple(regressors),
        names,
        terms,
        coefficients,
        bread,
        sweep[:, target] - sweep[:, chosen] @ solved,
        sweep[:, chosen],
        _factor(moments.results, moments.clusters, len(chosen) + len(terms)),
        moments.clusters,
    )


def _agreed(messages: Sequence[SiteMoments]) -> tuple[tuple[str, ...], tuple[int, ...]]:
    if not messages:
        raise ValueError("there are no sites")
    names = messages[0].names
    for place, message in enumerate(messages):
        if message.names != names:
            raise ValueError(f"site {place} has columns {', '.join(message.names)}; expected {', '.join(names)}")
    return names, tuple(sorted({term for message in messages for term in message.terms}))


def _whole(messages: Sequence[SiteMoments], names: tuple[str, ...], terms: tuple[int, ...]) -> Moments:
    """All sites' sums as one; squares about the common mean by Chan, Golub & LeVeque (1983)."""
    columns = len(names)
    total, by_term = np.zeros((columns + len(terms),) * 2), np.zeros(len(terms))
    mass = sum(message.mass for message in messages)
    mean = sum((message.mass * message.mean for message in messages), np.zeros(columns)) / mass
    squares = np.zeros(columns)
    for message in messages:
        place = _places(message.terms, columns, terms)
        total[np.ix_(place, place)] += message.moments
        by_term[place[columns:] - columns] += message.by_term
        squares += message.squares + message.mass * (message.mean - mean) ** 2
    results, schools = (sum(getattr(message, name) for message in messages) for name in ("results", "schools"))
    return Moments(total[None], np.r_[squares, by_term], float(results), len(terms), schools, nuisance=len(terms))


def _places(own: Sequence[int], columns: int, terms: tuple[int, ...]) -> Ints:
    """Where a site's columns and terms stand among all."""
    return np.concatenate([np.arange(columns), columns + np.searchsorted(terms, own)], dtype=np.int64)


def _sweep(moments: Moments) -> Floats:
    """(K + T, K) the columns with the terms partialled out, as combinations of columns and terms."""
    total, split = moments.by_cluster[0], len(moments.scale) - moments.nuisance
    kept = split + np.flatnonzero(independent(total[split:, split:], moments.scale[split:]))
    sweep = np.zeros((len(total), split))
    sweep[:split] = np.eye(split)
    sweep[kept] = -np.linalg.solve(total[np.ix_(kept, kept)], total[kept, :split])
    return sweep


def _factor(results: float, schools: int, parameters: int) -> float:
    if schools < 2 or results <= parameters:
        return math.nan
    return (results - 1) / (results - parameters) * schools / (schools - 1)


def answer(cells: Cells, names: Sequence[str], fit: Fit, *, least: int = LEAST) -> SiteMeat:
    """Second round: the sum over this site's schools of products of their scores under the common `fit`.

    Raises ValueError where columns or terms are not those of `fit`, and for fewer than `least` schools (never below 5).
    """
    if tuple(names) != fit.names or not {int(term) for term in cells.terms} <= set(fit.terms):
        raise ValueError("the fit is of other columns or terms than these cells have")
    place = _places([int(term) for term in cells.terms], len(names), fit.terms)
    products = teacher_moments(cells).by_cluster
    scores = (products @ fit.residual[place]) @ fit.score[place]
    labels = [name for name, b in zip(fit.regressors, fit.coefficients, strict=True) if np.isfinite(b)]
    size = np.sqrt((scores**2).sum(axis=0))
    _refuse_few(
        scores[:, :, None] * scores[:, None, :], size, [f"scores of {name}" for name in labels], max(least, LEAST)
    )
    present = int(np.count_nonzero(np.bincount(cells.cluster)))
    if present < max(least, LEAST):
        raise ValueError(f"a sum over {present} schools is not given: at least {max(least, LEAST)} are needed")
    return SiteMeat(scores.T @ scores, present)


def conclude(fit: Fit, meats: Sequence[SiteMeat]) -> LeastSquares:
    """The regression with its cluster-robust covariance (CR1), as of the pooled rows.

    Raises ValueError if the answers are not those of all schools behind `fit`.
    """
    size = len(fit.bread)
    for place, each in enumerate(meats):
        if each.meat.shape != (size, size):
            raise ValueError(f"the answer of site {place} has shape {each.meat.shape}, expected {(size, size)}")
    schools = sum(each.schools for each in meats)
    if schools != fit.schools:
        raise ValueError(f"answers come from {schools} schools, but {fit.schools} took part in the fit")
    kept = np.isfinite(fit.coefficients)
    covariance = np.full((kept.size, kept.size), np.nan)
    meat = sum((each.meat for each in meats), np.zeros((size, size)))
    covariance[np.ix_(kept, kept)] = fit.factor * fit.bread @ meat @ fit.bread
    return LeastSquares(fit.coefficients, covariance, kept, fit.schools)


def _plain(message: SiteMoments | Fit | SiteMeat) -> dict[str, Any]:
    return {name: _value(getattr(message, name)) for name in type(message).__slots__}


def _value(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return _value(value.tolist())
    if isinstance(value, (list, tuple)):
        return [_value(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _body(message: object, kind: str, shape: type) -> Mapping[str, Any]:
    if not isinstance(message, Mapping) or message.get("kind") != kind:
        raise ValueError(f"this is no message of kind {kind!r}")
    if message.get("version") != VERSION:
        raise ValueError(f"the message has version {message.get('version')!r}; this program reads {VERSION}")
    absent = [name for name in shape.__slots__ if name not in message]  # type: ignore[attr-defined]
    if absent:
        raise ValueError(f"the message has no {absent[0]}")
    return message


def _array(name: str, values: Any, shape: tuple[int, ...]) -> Floats:
    try:
        array = np.array(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"{name} are not numbers") from None
    if array.shape != shape:
        raise ValueError(f"{name} have shape {array.shape}, expected {shape}")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} are not finite")
    return array


def _words(name: str, values: Any) -> tuple[str, ...]:
    words = isinstance(values, (list, tuple)) and all(type(value) is str for value in values)
    if not words:
        raise ValueError(f"{name} are not words")
    if len(set(values)) < len(values):
        raise ValueError(f"{name} repeat themselves")
    return tuple(values)


def _wholes(name: str, values: Any) -> tuple[int, ...]:
    whole = isinstance(values, (list, tuple)) and all(type(value) is int and value >= 0 for value in values)
    if not whole:
        raise ValueError(f"{name} are not whole numbers of at least 0")
    return tuple(values)
