"""Effects by site: what each school by itself says of an activity, for hundreds of schools at once.

Where a site has enough teachers with and without the activity, its effect is the imputation estimator within the site:
teacher effects and the site's own term effects fitted on its untreated results. What all of a school shares in a term
cancels out, so that teachers are what varies, and errors are clustered by teacher (leave-one-out residuals, as
`staggered`). Elsewhere the counterfactual comes from all sites together; then what a school shares in a term stays in
the effect, and the error has a part for it that is taken from untreated schools.

Few teachers tell an error badly, and bad errors make sites look more different than they are. Variances per teacher
are therefore drawn towards each other (empirical Bayes; Smyth 2004, Statistical Applications in Genetics and Molecular
Biology 3(1)): the fewer teachers, the more.
"""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from staffroom.measure.cells import Bools, Cells, Floats, Ints, sum_by
from staffroom.measure.projection import centered, fitted, two_way
from staffroom.measure.staggered import Imputation, event_times

LEAST_OF_A_SIDE = 3
"""Teachers that a site needs on either side to be compared by itself."""


@dataclass(frozen=True, slots=True, eq=False)
class SiteEffects:
    """Effects of S sites in outcome units, sorted by label; only sites with an effect."""

    labels: NDArray[Any]
    effect: Floats
    standard_error: Floats
    df: Floats
    """(S,) degrees of freedom behind the error."""
    own: Bools
    """(S,) whether compared within the site; else with the counterfactual of all."""
    results: Ints
    """(S,) results of teachers taking part."""
    treated_teachers: Ints
    comparison_teachers: Ints
    """(S,) teachers of the site with untreated results in the terms compared."""
    students: Ints
    """(S,) results of teachers taking part in the fullest term: at least so many students."""


def site_effects(cells: Cells, first_treated: Ints, site: NDArray[Any], imputation: Imputation) -> SiteEffects:
    """By site, `site` (I,) labels of teachers, from cells and first treated terms (I,); `imputation` is that of all.

    Covariates are taken off with the coefficients of `imputation`. Sites without any effect are left out.
    """
    labels, code = np.unique(site, return_inverse=True)
    own = Within(cells, first_treated, code, labels.size, imputation)
    pooled = _pooled(cells, first_treated, code, labels.size, imputation)
    use = own.enough
    effect = np.where(use, own.effect, pooled.effect)
    error = np.where(use, own.standard_error, pooled.standard_error)
    chosen = np.isfinite(effect) & np.isfinite(error) & (error > 0)
    counts = [np.where(use, one, other) for one, other in zip(own.counts, pooled.counts, strict=True)]
    return SiteEffects(
        labels[chosen],
        effect[chosen],
        error[chosen],
        np.where(use, own.df, pooled.df)[chosen],
        use[chosen],
        *(one[chosen].astype(np.int64) for one in counts),
    )


class Within:
    """The imputation estimator in each site by itself, all sites at once."""

    def __init__(self, cells: Cells, first_treated: Ints, site: Ints, sites: int, imputation: Imputation) -> None:
        self.cells, self.site, self.sites, self.terms = cells, site, sites, len(cells.terms)
        self.event = event_times(cells, first_treated)
        self.untreated = self.event < 0
        self.place = site[cells.teacher] * self.terms + cells.term
        self.outcome = _net_of_covariates(cells, imputation)
        self.weights = self._grid(np.where(self.untreated, cells.mass, 0.0))
        self.totals = self.weights.sum(axis=1)
        self.share = self.weights / np.where(self.totals > 0, self.totals, 1.0)[:, None]
        self.inverse, self.part = self._equations()
        self.difference = self._differences()
        self._effects()

    def _grid(self, values: Floats) -> Floats:
        """(I, T) of values per cell (C,)."""
        teachers = len(self.cells.teachers)
        key = self.cells.teacher * self.terms + self.cells.term
        return np.bincount(key, values, minlength=teachers * self.terms).reshape(teachers, self.terms)

    def _by_site_term(self, values: Floats) -> Floats:
        """(S, T) sums of values per cell (C,)."""
        return np.bincount(self.place, values, minlength=self.sites * self.terms).reshape(self.sites, self.terms)

    def _equations(self) -> tuple[Floats, Ints]:
        """Generalized inverse (S, T, T) of each site's equations for terms, and component (S, T) of each term, -1 for none."""
        outer = np.empty((self.sites, self.terms, self.terms))
        for a in range(self.terms):
            for b in range(a, self.terms):
                together = np.bincount(self.site, self.weights[:, a] * self.share[:, b], minlength=self.sites)
                outer[:, a, b] = outer[:, b, a] = together
        schur = np.einsum("st,tu->stu", sum_by(self.site, self.weights, self.sites), np.eye(self.terms)) - outer
        reach = outer > 0
        for _ in range(self.terms.bit_length()):
            reach = (reach.astype(np.float64) @ reach) > 0
        part = np.where(np.einsum("stt->st", outer) > 0, np.argmax(reach, axis=2), -1)
        kept = (part >= 0) & (part != np.arange(self.terms))
        both = kept[:, :, None] & kept[:, None, :]
        solvable = np.where(both, schur, np.eye(self.terms))
        return np.where(both, np.linalg.inv(solvable), 0.0), part

    def _differences(self) -> Floats:
        """(C,) outcome less the site's own counterfactual; NaN where the site does not tell one."""
        cells = self.cells
        known = np.where(self.untreated, cells.mass * self.outcome, 0.0)
        sums = np.bincount(cells.teacher, known, minlength=len(cells.teachers))
        level = sums / np.where(self.totals > 0, self.totals, 1.0)
        self.level = level
        right = self._by_site_term(known) - sum_by(self.site, self.weights * level[:, None], self.sites)
        term = np.einsum("stu,su->st", self.inverse, right)
        level = level - np.einsum("it,it->i", self.share, term[self.site])
        first = np.argmax(self.weights > 0, axis=1)
        component = np.where(self.totals > 0, self.part[self.site, first], -1)
        joined = (component[cells.teacher] >= 0) & (component[cells.teacher] == self.part.ravel()[self.place])
        return np.where(joined, self.outcome - level[cells.teacher] - term.ravel()[self.place], np.nan)

    def _effects(self) -> None:
        cells, teachers = self.cells, len(self.cells.teachers)
        used = ~self.untreated & np.isfinite(self.difference)
        of_site = self.site[cells.teacher]
        mass = np.bincount(of_site[used], cells.mass[used], minlength=self.sites)
        weight = np.where(used, cells.mass / np.where(mass > 0, mass, 1.0)[of_site], 0.0)
        gain = np.bincount(cells.teacher, np.where(used, weight * self.difference, 0.0), minlength=teachers)
        share = np.bincount(cells.teacher, weight, minlength=teachers)
        self.effect = np.where(mass > 0, np.bincount(self.site, gain, minlength=self.sites), np.nan)
        treated = _each(self.site[share > 0], self.sites)
        at = self._by_site_term(weight)
        compared = (self.weights > 0) & (at[self.site] > 0)
        others = _each(self.site[compared.any(axis=1) & (share == 0)], self.sites)
        results = np.bincount(of_site[used], cells.n[used], minlength=self.sites)
        fullest = self._by_site_term(np.where(used, cells.n, 0.0)).max(axis=1)
        self.counts = results, treated, others, fullest
        self.enough = np.minimum(treated, others) >= LEAST_OF_A_SIDE
        self._errors(weight, gain, share, at, treated, others)

    def _errors(self, weight: Floats, gain: Floats, share: Floats, at: Floats, treated: Ints, others: Ints) -> None:
        """Scores by teacher; variances per teacher are drawn towards each other."""
        cells = self.cells
        pull = at - sum_by(self.site, self.share * share[:, None], self.sites)
        influence = np.einsum("stu,su->st", self.inverse, pull).ravel()[self.place]
        known = self.untreated & np.isfinite(self.difference)
        untreated = np.where(known, cells.mass * self.difference * influence, 0.0)
        scores = self._about_center(gain, share) - np.bincount(cells.teacher, untreated, minlength=len(share))
        teachers = treated + others
        few = np.where(teachers > 1, teachers / np.maximum(teachers - 1, 1), np.nan)
        variance = few * np.bincount(self.site, scores**2, minlength=self.sites)
        shape = 1.0 / np.maximum(treated, 1) + 1.0 / np.maximum(others, 1)
        df = np.maximum(np.minimum(treated, others) - 1.0, 1.0) * 2
        df = np.minimum(df, np.maximum(teachers - 2.0, 1.0))
        ok = self.enough & np.isfinite(variance) & (variance > 0)
        self.enough, self.df = ok, df
        self.standard_error = np.full(self.sites, np.nan)
        if ok.any():
            moderated, prior_df = moderate(variance[ok] / shape[ok], df[ok])
            self.standard_error[ok] = np.sqrt(moderated * shape[ok])
            self.df = np.where(ok, df + prior_df, df)

    def _about_center(self, gain: Floats, share: Floats) -> Floats:
        """(I,) treated residuals about the site's mean over the other teachers, times their weight."""
        square = np.bincount(self.site, share**2, minlength=self.sites)
        center = np.bincount(self.site, share * gain, minlength=self.sites) / np.where(square > 0, square, 1.0)
        leverage = np.divide(share**2, square[self.site], out=np.zeros_like(share), where=share > 0)
        alone = leverage > 1 - 1e-12
        return np.where(alone, 0.0, (gain - share * center[self.site]) / np.where(alone, 1.0, 1.0 - leverage))


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One number per teacher (I,) of a trial."""

    value: Floats
    """Mean outcome, less the teacher's mean before where all have one; NaN for who is not in it."""
    mass: Floats
    arm: Ints
    results: Floats
    students: Floats
    """(I,) results of the fullest term."""


def sample_by_teacher(cells: Cells, arm: Ints, since: int | None, until: int | None) -> Sample:
    """Means of the outcome from term `since` on and before `until`, of teachers with `arm` (I,) 0 or 1."""
    term, teachers = cells.terms[cells.term], len(cells.teachers)
    after = (term >= (term.min() if since is None else since)) & (arm[cells.teacher] >= 0)
    if until is not None:
        after &= term < until
    before = (term < since) if since is not None else np.zeros(len(term), dtype=np.bool_)
    outcome = cells.mean[:, 0] - np.average(cells.mean[:, 0], weights=cells.mass)
    means, masses = [], []
    for chosen in (after, before):
        mass = np.bincount(cells.teacher[chosen], cells.mass[chosen], minlength=teachers)
        total = np.bincount(cells.teacher[chosen], (cells.mass * outcome)[chosen], minlength=teachers)
        means.append(np.where(mass > 0, total / np.where(mass > 0, mass, 1.0), np.nan))
        masses.append(mass)
    seen = masses[0] > 0
    value = means[0] - means[1] if (masses[1][seen] > 0).all() else means[0]
    results = np.bincount(cells.teacher[after], cells.n[after], minlength=teachers)
    students = np.zeros(teachers)
    np.maximum.at(students, cells.teacher[after], cells.n[after])
    return Sample(np.where(seen, value, np.nan), masses[0], np.where(seen, arm, -1), results, students)


def site_differences(sample: Sample, site: NDArray[Any]) -> SiteEffects:
    """Difference of both arms' means in each site by itself, for sites with enough teachers on either side."""
    labels, code = np.unique(site, return_inverse=True)
    sites, arms = labels.size, []
    for arm in (0, 1):
        here = sample.arm == arm
        mass = np.bincount(code[here], sample.mass[here], minlength=sites)
        safe = np.where(mass > 0, mass, 1.0)
        mean = np.bincount(code[here], (sample.mass * sample.value)[here], minlength=sites) / safe
        count = _each(code[here], sites)
        share = sample.mass[here] / safe[code[here]]
        off = share * (sample.value[here] - mean[code[here]])
        factor = np.where(count > 1, count / np.maximum(count - 1, 1), np.nan)
        arms.append((mean, factor * np.bincount(code[here], off**2, minlength=sites), count))
    (base, base_variance, others), (mean, variance, treated) = arms
    enough = (np.minimum(treated, others) >= LEAST_OF_A_SIDE) & (base_variance + variance > 0)
    shape = (1.0 / np.maximum(treated, 1) + 1.0 / np.maximum(others, 1))[enough]
    df = (treated + others - 2.0)[enough]
    moderated, added = moderate((base_variance + variance)[enough] / shape, df)
    taking_part = sample.arm == 1
    results, students = (
        np.bincount(code[taking_part], counts[taking_part], minlength=sites)
        for counts in (sample.results, sample.students)
    )
    return SiteEffects(
        labels[enough],
        (mean - base)[enough],
        np.sqrt(moderated * shape),
        df + added,
        np.ones(int(enough.sum()), dtype=np.bool_),
        results[enough].astype(np.int64),
        treated[enough],
        others[enough],
        students[enough].astype(np.int64),
    )


@dataclass(frozen=True, slots=True)
class _Pooled:
    effect: Floats
    standard_error: Floats
    df: Floats
    counts: tuple[Floats | Ints, Ints, Ints, Floats]


def _pooled(cells: Cells, first_treated: Ints, site: Ints, sites: int, imputation: Imputation) -> _Pooled:
    """Means by site of the effects that all sites' counterfactual gives, with the school's shocks in the error."""
    used, of_site = imputation.used, site[cells.teacher]
    mass = np.bincount(of_site[used], cells.mass[used], minlength=sites)
    safe = np.where(mass > 0, mass, 1.0)
    gain = np.where(used, cells.mass * np.nan_to_num(imputation.effects) / safe[of_site], 0.0)
    effect = np.where(mass > 0, np.bincount(of_site, gain, minlength=sites), np.nan)
    share = np.bincount(cells.teacher, np.where(used, cells.mass / safe[of_site], 0.0), minlength=site.size)
    off = np.bincount(cells.teacher, gain, minlength=site.size) - share * np.nan_to_num(effect)[site]
    treated = _each(site[share > 0], sites)
    few = np.where(treated > 1, treated / np.maximum(treated - 1, 1), np.nan)
    of_teachers = few * np.bincount(site, off**2, minlength=sites)
    event = event_times(cells, first_treated)
    after = _terms_of(cells, of_site, used, sites)
    before = _terms_of(cells, of_site, (event < 0) & (share > 0)[cells.teacher], sites)
    shock, df = _shocks(cells, first_treated, site, sites)
    of_school = shock * (1.0 / np.maximum(after, 1) + 1.0 / np.maximum(before, 1))
    results = np.bincount(of_site[used], cells.n[used], minlength=sites)
    error = np.where(treated >= LEAST_OF_A_SIDE, np.sqrt(of_teachers + of_school), np.nan)
    key = of_site[used] * len(cells.terms) + cells.term[used]
    by_term = np.bincount(key, cells.n[used], minlength=sites * len(cells.terms)).reshape(sites, -1)
    counts = results, treated, np.zeros(sites, dtype=np.int64), by_term.max(axis=1)
    return _Pooled(effect, error, np.full(sites, max(df, 1.0)), counts)


def _shocks(cells: Cells, first_treated: Ints, site: Ints, sites: int) -> tuple[float, float]:
    """Variance of what a site's untreated results share in a term beyond teachers and terms, and its degrees of freedom."""
    untreated = cells.take(event_times(cells, first_treated) < 0)
    if not len(untreated.n):
        return math.nan, 1.0
    middle = centered(untreated)[:, :1]
    plain = replace(untreated, mean=middle, scatter=untreated.scatter[:, :1, :1])
    residual = plain.mass * (middle - fitted(plain, two_way(plain)))[:, 0]
    key = site[plain.teacher] * len(cells.terms) + plain.term
    total = np.bincount(key, plain.mass, minlength=sites * len(cells.terms))
    seen = total > 0
    mean = np.bincount(key, residual, minlength=total.size)[seen] / total[seen]
    terms, places = len(np.unique(plain.term)), int(seen.sum())
    df = places - sites - terms + 1
    if df < 1:
        return math.nan, 1.0
    return float((total[seen] * mean**2).sum() / total[seen].sum() * places / df), float(df)


def _terms_of(cells: Cells, of_site: Ints, chosen: Bools, sites: int) -> Ints:
    """(S,) different terms among the chosen cells of each site."""
    terms = len(cells.terms)
    seen = np.bincount(of_site[chosen] * terms + cells.term[chosen], minlength=sites * terms) > 0
    return np.asarray(seen.reshape(sites, terms).sum(axis=1))


def _net_of_covariates(cells: Cells, imputation: Imputation) -> Floats:
    """(C,) outcome about its grand mean, less what the covariates explain."""
    away = cells.mean - (cells.mass @ cells.mean) / cells.mass.sum()
    return np.asarray(away[:, 0] - away[:, 1:] @ np.nan_to_num(imputation.covariates))


def _each(site: Ints, sites: int) -> Ints:
    return np.bincount(site, minlength=sites)


def moderate(variances: Floats, df: Floats) -> tuple[Floats, float]:
    """Variances (S,) with degrees of freedom (S,) drawn towards each other, and the degrees of freedom that this adds.

    Smyth (2004), section 6.2: prior degrees of freedom and location from the moments of log variances; where these vary
    no more than chance the common variance is used for all (at most 1000 degrees of freedom are added).
    """
    from scipy.special import digamma, polygamma

    if variances.size < 3:
        return variances, 0.0
    log = np.log(variances) - digamma(df / 2) + np.log(df / 2)
    excess = float(log.var(ddof=1) - polygamma(1, df / 2).mean())
    prior = 2 * _inverse_trigamma(excess) if excess > 0 else 1000.0
    prior = min(prior, 1000.0)
    center = math.exp(float(log.mean()) + float(digamma(prior / 2)) - math.log(prior / 2))
    return (prior * center + df * variances) / (prior + df), prior


def _inverse_trigamma(value: float) -> float:
    """x > 0 with trigamma(x) = value > 0, by Newton on 1/trigamma, which is nearly straight (Smyth 2004, appendix)."""
    from scipy.special import polygamma

    x = 0.5 + 1 / value
    for _ in range(50):
        here = float(polygamma(1, x))
        step = here * (1 - here / value) / float(polygamma(2, x))
        x += step
        if -step / x < 1e-8:
            break
    return x
