"""Where results differ: how much of their variance lies between schools, between teachers, and among students of a teacher.

For planning: these shares (intraclass correlations), and how much of the differences between teachers and schools their own
results of the term before explain, say how large an effect a number of teachers could show (`power`). Analysis of variance of
nested groups of unequal size: Searle, Casella & McCulloch (1992, "Variance Components", chapter 5, Henderson's method 1).
"""

from dataclasses import dataclass

import numpy as np

from staffroom.measure.cells import Cells, Floats, Ints

LEAST_TEACHERS = 10


@dataclass(frozen=True, slots=True)
class Variation:
    """Shares of the variance of one term's results, and shares of them that the term before explains."""

    icc_school: float
    icc_teacher: float
    r2_school: float
    r2_teacher: float
    students: float
    """Results of a teacher in a term, harmonic mean."""
    teachers: int
    schools: int


def variation(cells: Cells) -> Variation | None:
    """Of the outcome, pooled over terms; None with fewer than ten teachers, two schools, or no spread among students."""
    schools = len(np.unique(cells.cluster))
    if len(cells.teachers) < LEAST_TEACHERS or schools < 2:
        return None
    group = cells.term * len(cells.clusters) + cells.cluster
    shares = _shares(cells.n, cells.mean[:, 0], cells.scatter[:, 0, 0].sum(), group, cells.term)
    if shares is None:
        return None
    of_teacher = cells.mean[:, 0] - _group_means(cells.mean[:, 0], group)
    r2_teacher = _explained(cells.teacher, cells.term, of_teacher)
    _groups, first = np.unique(group, return_index=True)
    of_school = _group_means(cells.mean[:, 0], group)[first]
    terms = cells.term[first]
    r2_school = _explained(cells.cluster[first], terms, of_school - _group_means(of_school, terms))
    return Variation(
        *shares, r2_school, r2_teacher, float(len(cells.n) / (1 / cells.n).sum()), len(cells.teachers), schools
    )


def _shares(n: Floats, mean: Floats, within: float, group: Ints, term: Ints) -> tuple[float, float] | None:
    """(between schools, between teachers of a school) over the whole."""
    total, cells, groups, terms = n.sum(), len(n), len(np.unique(group)), len(np.unique(term))
    if total <= cells or cells <= groups or groups <= terms or within <= 0:
        return None
    error = within / (total - cells)
    in_group, in_term = _sum(n, group), _sum(n, term)
    group_mean, term_mean = _sum(n * mean, group) / in_group, _sum(n * mean, term) / in_term
    teachers = (n * (mean - group_mean) ** 2).sum() / (cells - groups)
    schools = (n * (group_mean - term_mean) ** 2).sum() / (groups - terms)
    each = (total - (n * n / in_group).sum()) / (cells - groups)
    other = ((n * n / in_group).sum() - (n * n / in_term).sum()) / (groups - terms)
    whole = (total - (n * in_group / in_term).sum()) / (groups - terms)
    of_teachers = max((teachers - error) / each, 0.0)
    of_schools = max((schools - error - other * of_teachers) / whole, 0.0)
    everything = error + of_teachers + of_schools
    return float(of_schools / everything), float(of_teachers / everything)


def _sum(values: Floats, group: Ints) -> Floats:
    """Sums over each one's group, in the order of the values."""
    _names, place = np.unique(group, return_inverse=True)
    sums: Floats = np.bincount(place, values)[place]
    return sums


def _group_means(values: Floats, group: Ints) -> Floats:
    return _sum(values, group) / _sum(np.ones(len(values)), group)


def _explained(unit: Ints, term: Ints, value: Floats) -> float:
    """Squared correlation of a unit's value with its own of the term before; 0 with fewer than ten pairs."""
    order = np.lexsort((term, unit))
    unit, term, value = unit[order], term[order], value[order]
    follows = (unit[1:] == unit[:-1]) & (term[1:] == term[:-1] + 1)
    before, after = value[:-1][follows], value[1:][follows]
    if follows.sum() < LEAST_TEACHERS or before.std() == 0 or after.std() == 0:
        return 0.0
    r = float(np.corrcoef(before, after)[0, 1])
    return r * r if r > 0 else 0.0
