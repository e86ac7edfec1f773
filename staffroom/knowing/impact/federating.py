"""One study over several organizations, exactly as if their results lay in one place, without a row or a school leaving any of them.

Two rounds of sums, each over at least five schools (`measure.federation`). What is fitted is the saturated comparison over time
(Wooldridge 2021): an indicator for each group of teachers who began in the same half-year and each half-year since, net of teacher and
term effects; the effect is their average, weighted by results. Results are in SD of each organization's own comparison group.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from staffroom.measure.cells import Cells
    from staffroom.measure.federation import SiteMoments
    from staffroom.measure.question import Question

FORMAT = "staffroom-federation-1"
OUTCOME = "outcome"


def half_year(day: date) -> int:
    """The half-year in which a term begins: organizations' terms begin on other days, but in the same half of a year."""
    return 2 * day.year + (day.month >= 7)


def columns_of(question: Question, begins: Sequence[date]) -> tuple[Cells, tuple[str, ...]]:
    """Cells with the outcome in SD, then an indicator per group and half-year since it began. ValueError says what does not fit."""
    import numpy as np

    from staffroom.measure.sides import comparison_sd

    cells, first = question.cells, question.first_treated
    if cells is None or first is None:
        raise ValueError("there is no comparison over time to share")
    halves = [half_year(day) for day in begins]
    if len(set(halves)) < len(halves):
        raise ValueError("two terms begin in the same half-year; sums by half-year would mix them up")
    start = first[cells.teacher]
    event = np.where(start < 0, -1, cells.terms[cells.term] - start)
    sd = comparison_sd(cells.take(event < 0))
    if not sd:
        raise ValueError("there is nobody to compare with")
    half = np.array(halves)[cells.terms]
    pairs = sorted({(halves[int(one)], int(half[cells.term[at]])) for at, one in enumerate(start) if event[at] >= 0})
    if not pairs:
        raise ValueError("nobody took part in the terms with results")
    begun = np.array([halves[int(one)] if one >= 0 else -1 for one in start])
    values = np.column_stack([(begun == group) & (half[cells.term] == term) & (event >= 0) for group, term in pairs])
    only = replace(cells, mean=cells.mean[:, :1] / sd, scatter=cells.scatter[:, :1, :1] / sd**2, terms=np.array(halves))
    return only.with_columns(values.astype(np.float64)), (OUTCOME, *(f"{group} in {term}" for group, term in pairs))


def sums(question: Question, begins: Sequence[date]) -> dict[str, Any]:
    """First round: what one organization gives."""
    from staffroom.measure.federation import share

    return {"format": FORMAT, **share(*columns_of(question, begins)).plain()}


def scores(question: Question, begins: Sequence[date], fit: Mapping[str, Any]) -> dict[str, Any]:
    """Second round: what one organization gives once it has the common fit."""
    from staffroom.measure.federation import Fit, answer

    known = Fit.from_plain(fit)
    cells, names = _aligned(*columns_of(question, begins), known.names)
    return {"format": FORMAT, **answer(cells, names, known).plain()}


def _aligned(cells: Cells, names: tuple[str, ...], every: Sequence[str]) -> tuple[Cells, tuple[str, ...]]:
    """The columns in the common order; a group and half-year that this organization does not have is nought in it."""
    import numpy as np

    wanted = tuple(every)
    missing = set(names) - set(wanted)
    if missing:
        raise ValueError(f"the common fit lacks {', '.join(sorted(missing))}: put all sums together anew")
    size, columns = len(cells.n), len(wanted)
    mean, scatter = np.zeros((size, columns)), np.zeros((size, columns, columns))
    place = [wanted.index(name) for name in names]
    mean[:, place] = cells.mean
    scatter[np.ix_(np.arange(size), place, place)] = cells.scatter
    return replace(cells, mean=mean, scatter=scatter), wanted


def every_column(messages: Sequence[Mapping[str, Any]]) -> list[str]:
    """The columns of all organizations, the outcome first."""
    names = {str(name) for message in messages for name in message.get("names", ())}
    return [OUTCOME, *sorted(names - {OUTCOME})]


def joined(messages: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """From the sums of several organizations to the fit that all of them are told. ValueError says what is wrong with which."""
    from staffroom.measure.federation import combine

    sites = _sites(messages)
    return {"format": FORMAT, **combine(sites, OUTCOME, [name for name in sites[0].names if name != OUTCOME]).plain()}


def _sites(messages: Sequence[Mapping[str, Any]]) -> list[SiteMoments]:
    """The sums of all, in one order of columns."""
    from staffroom.measure.federation import SiteMoments

    sites = [SiteMoments.from_plain(message) for message in messages]
    if len(sites) < 2:
        raise ValueError("putting sums together needs those of two organizations at least")
    if any(OUTCOME not in site.names for site in sites):
        raise ValueError("these sums have no outcome")
    every = every_column(messages)
    return [_widened(site, every) for site in sites]


def _widened(site: SiteMoments, every: Sequence[str]) -> SiteMoments:
    """A site's sums with noughts for the groups that it does not have."""
    import numpy as np

    columns, terms = len(every), len(site.terms)
    place = np.array([*(every.index(name) for name in site.names), *range(columns, columns + terms)])
    moments, mean, squares = np.zeros((columns + terms,) * 2), np.zeros(columns), np.zeros(columns)
    moments[np.ix_(place, place)] = site.moments
    mean[place[: len(site.names)]], squares[place[: len(site.names)]] = site.mean, site.squares
    return replace(site, names=tuple(every), moments=moments, mean=mean, squares=squares)


def concluded(
    fit: Mapping[str, Any], messages: Sequence[Mapping[str, Any]], answers: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """The effect over all organizations in SD with its 95 % interval, from the fit, the first sums and the second."""
    import numpy as np

    from staffroom.measure.effects import t_interval, two_sided_p
    from staffroom.measure.federation import Fit, SiteMeat, conclude

    common, sites = Fit.from_plain(fit), _sites(messages)
    if sites[0].names != common.names:
        raise ValueError("the fit is not of these sums")
    found = conclude(common, [SiteMeat.from_plain(each) for each in answers])
    places = [common.names.index(name) for name in common.regressors]
    counts = np.sum([site.mass * site.mean for site in sites], axis=0)[places]
    weight = np.where(found.kept, counts, 0.0)
    weight = weight / weight.sum()
    effect = float(np.nan_to_num(found.coefficients) @ weight)
    error = math.sqrt(float(weight @ np.nan_to_num(found.covariance) @ weight))
    df = found.clusters - 1
    interval = t_interval(effect, error, df)
    return {
        "sd": effect, "se": error, "low": interval.low, "high": interval.high, "p": two_sided_p(effect, error, df), "df": df,
        "schools": found.clusters, "organizations": len(sites), "results": sum(site.results for site in sites),
    }  # fmt: skip
