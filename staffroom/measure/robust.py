"""Cluster-robust least squares from moments per cluster: CR1, CR2 with Satterthwaite degrees, CR3, wild bootstrap.

Which CR2 this is. The model is y = X b + teacher effects + term effects + e with the working model that errors are
independent and alike (with analytic weights: of variance 1/w). Teachers lie within clusters, so absorbing them first
leaves CR2 as it is (Pustejovsky & Tipton 2018, Journal of Business & Economic Statistics 36(4), Theorem 2); terms cross
clusters, so their dummies stay as columns of R = (X, terms), net of teacher effects. With R'R = Q, Q^-1 = F F' and
C_g = F' R_g'R_g F, the cluster's hat matrix is P_g + (R_g F)(R_g F)', and the adjusted scores of a cluster are
(I - C_g)^{-1/2} F' R_g' e_g: of the size of R, so that moments are enough. That equals clubSandwich's CR2 of the
regression with all dummies written out. On moments without term columns (`projection.projected_moments`) it is CR2 of
the regression on projected columns, which takes no notice that term effects were estimated. One difference: see SEEN.

Degrees of freedom are those of Bell & McCaffrey (2002), per coefficient. CR3 is the cluster jackknife about the full
estimate, (G-1)/G sum (b_(g) - b)(b_(g) - b)', each b_(g) with term effects of its own.
"""

from dataclasses import dataclass, replace

import numpy as np

from staffroom.measure.cells import Bools, Cells, Floats, Ints, sum_by
from staffroom.measure.inversion import Statistic, interval, joined, p_value
from staffroom.measure.projection import Moments, centered, cluster_moments, independent, spread

KINDS = ("CR1", "CR2", "CR3")
FULL = 1e-9
"""A direction of which a cluster holds all but this share cannot be told without that cluster."""
SEEN = 0.5
"""CR2 has no bias under the working model unless clusters are fitted perfectly in some direction, such as the only
treated one; where it would see less than this share of the variance, there is no error rather than one too small."""
WEBB = np.sqrt(np.array([0.5, 1.0, 1.5]))
DRAWS = 1999
FEW = 6
"""Below so many clusters two-point weights give too few different draws; six-point ones (Webb 2023) are taken."""
BLOCK = 2_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Robust:
    """Coefficients of P columns with cluster-robust errors; NaN for columns that the effects or earlier ones explain."""

    coefficients: Floats
    """(P,) in outcome units per unit of the column."""
    covariance: Floats
    """(P, P)"""
    df: Floats
    """(P,) degrees of freedom of the t: Satterthwaite's for CR2, else clusters - 1."""
    kept: Bools
    """(P,)"""
    clusters: int
    kind: str

    @property
    def standard_errors(self) -> Floats:
        """(P,) square roots of the diagonal."""
        return np.sqrt(np.diag(self.covariance))


@dataclass(frozen=True, slots=True)
class Wild:
    """Wild cluster bootstrap-t of one coefficient; NaN with fewer than two clusters or a column that is explained."""

    p: float
    """Two-sided, of the null."""
    low: float
    """Interval by inversion of the test; infinite where no value is rejected."""
    high: float
    draws: int
    enumerated: bool = False
    """Whether all draws that the weights allow were made."""
    weights: str = ""
    """'rademacher' or 'webb'."""


def teacher_moments(cells: Cells) -> Moments:
    """Moments per cluster of all columns net of teacher effects, with T columns of terms (net of them too) behind.

    Any regression among the columns follows, also on part of the covariates, with every kind of error here.
    """
    return Panel(cells).moments


class Panel:
    """Cells prepared once, for any number of activities: what they share is not computed again."""

    def __init__(self, cells: Cells) -> None:
        teachers, terms, mass = len(cells.teachers), len(cells.terms), cells.mass
        middle = replace(cells, mean=centered(cells))
        self.cells, self.total = cells, np.bincount(cells.teacher, mass, minlength=teachers)
        self.safe = np.where(self.total > 0, self.total, 1.0)[:, None]
        self.place = cells.cluster * terms + cells.term
        self.residual = self._within(middle.mean)
        counts = [int(np.count_nonzero(np.bincount(codes))) for codes in (cells.term, cells.cluster)]
        moments = _bordered(
            cluster_moments(middle, self.residual),
            self._by_term(self.residual),
            _term_moments(cells, self.total, self.place),
        )
        scale = np.r_[spread(cells), np.bincount(cells.term, mass, minlength=terms)]
        self.moments = Moments(moments, scale, float(cells.n.sum()), counts[0], counts[1], nuisance=terms)

    def with_columns(self, values: Floats) -> Moments:
        """Those of `teacher_moments(cells.with_columns(values))`: values (C, M) constant in cells, behind the outcome."""
        cells, known = self.cells, self.residual.shape[1]
        values = values - (cells.mass @ values) / cells.mass.sum()
        added = self._within(values)
        count, clusters = added.shape[1], len(cells.clusters)
        beside = np.column_stack([self.residual, added])
        cross = np.empty((clusters, count, known + count))
        for k in range(count):
            weighted = cells.mass * added[:, k]
            cross[:, k] = sum_by(cells.cluster, weighted[:, None] * beside, clusters)
        whole = _bordered(self.moments.by_cluster, cross[:, :, :known], cross[:, :, known:])
        terms = np.arange(known, known + len(cells.terms))
        new = np.arange(whole.shape[1] - count, whole.shape[1])
        by_term = self._by_term(added)
        whole[np.ix_(np.arange(clusters), terms, new)] = by_term
        whole[np.ix_(np.arange(clusters), new, terms)] = by_term.transpose(0, 2, 1)
        scale = np.r_[self.moments.scale, cells.mass @ values**2]
        order = np.r_[0, new, 1:known, terms]
        return replace(self.moments, by_cluster=whole[:, order][:, :, order], scale=scale[order])

    def _within(self, values: Floats) -> Floats:
        """(C, M) less the teacher's mean."""
        sums = sum_by(self.cells.teacher, self.cells.mass[:, None] * values, len(self.safe))
        return np.asarray(values - (sums / self.safe)[self.cells.teacher])

    def _by_term(self, residual: Floats) -> Floats:
        """(G, T, M) sums of residuals: a term's dummy net of teachers times a column net of teachers."""
        size = (len(self.cells.clusters), len(self.cells.terms), residual.shape[1])
        return sum_by(self.place, self.cells.mass[:, None] * residual, size[0] * size[1]).reshape(size)


def _bordered(inner: Floats, cross: Floats, corner: Floats) -> Floats:
    """(G, K+M, K+M) from moments (G, K, K), (G, M, K) and (G, M, M)."""
    known, size = inner.shape[1], inner.shape[1] + corner.shape[1]
    whole = np.zeros((len(inner), size, size))
    whole[:, :known, :known], whole[:, known:, known:] = inner, corner
    whole[:, known:, : cross.shape[2]] = cross
    whole[:, : cross.shape[2], known:] = cross.transpose(0, 2, 1)
    return whole


def _term_moments(cells: Cells, total: Floats, place: Ints) -> Floats:
    """(G, T, T): diag(N_gt) - sum over teachers of n n'/N."""
    teachers, terms, clusters = len(cells.teachers), len(cells.terms), len(cells.clusters)
    by_term = np.bincount(place, cells.mass, minlength=clusters * terms).reshape(clusters, terms)
    n = np.bincount(cells.teacher * terms + cells.term, cells.mass, minlength=teachers * terms).reshape(-1, terms)
    outer = (n[:, :, None] * (n / np.where(total > 0, total, 1.0)[:, None])[:, None, :]).reshape(teachers, -1)
    inner = sum_by(cells.cluster_of, outer, clusters).reshape(clusters, terms, terms)
    return np.asarray(np.eye(terms) * by_term[:, None, :] - inner)


def regress(moments: Moments, outcome: int, columns: Ints, *, kind: str = "CR1") -> Robust:
    """Regress column `outcome` on `columns` (P,) with teacher and term effects, clustered.

    CR1 is that of `Moments.regress`, whichever moments are given; for CR2 and CR3 give `teacher_moments`. Errors are
    NaN with fewer than two clusters, and for CR3 where a coefficient hangs on one cluster alone. Raises ValueError for
    a kind that is not in KINDS.
    """
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}, not {kind!r}")
    if kind == "CR1":
        plain = moments.regress(outcome, columns)
        df = np.where(plain.kept, float(moments.clusters - 1), np.nan)
        return Robust(plain.coefficients, plain.covariance, df, plain.kept, moments.clusters, kind)
    system = _System.of(moments, np.array([outcome]), columns)
    influence, df = system.reduced() if kind == "CR2" else system.left_out()
    if moments.clusters < 2:
        influence, df = np.full_like(influence, np.nan), np.full_like(df, np.nan)
    return system.spread_out(influence[:, :, 0], df, kind, moments.clusters)


@dataclass(frozen=True, slots=True, eq=False)
class Coordinates:
    """Clusters in coordinates in which the regressors are orthonormal; L of them, of which one may be the block's own.

    `own` is for dummies of blocks that hold whole clusters (randomized blocks): a cluster sees only that of its block,
    so it is the last coordinate, and `block` says whose.
    """

    shares: Floats
    """(G, L, L) C_g: what part of each direction the cluster holds."""
    scores: Floats
    """(G, L, Q) scores of Q outcomes' residuals."""
    directions: Floats
    """(L, P) of the coefficients."""
    block: Ints | None = None
    """(G,) block of each cluster; None without own coordinate."""

    def reduced(self) -> tuple[Floats, Floats]:
        """CR2: each cluster's part (G, P, Q) of coefficients less truth, and degrees of freedom (P,).

        NaN for a coefficient whose clusters are fitted so closely that little is left to judge by, see SEEN.
        """
        value, vector = np.linalg.eigh(np.eye(self.shares.shape[1]) - self.shares)
        root = np.where(value > FULL, 1 / np.sqrt(np.where(value > FULL, value, 1.0)), 0.0)
        turned = vector * root[:, None, :]
        adjusted = turned @ (vector.transpose(0, 2, 1) @ self.directions)
        influence, df = adjusted.transpose(0, 2, 1) @ self.scores, self._degrees(adjusted)
        influence[:, np.isnan(df)] = np.nan
        return influence, df

    def _degrees(self, adjusted: Floats) -> Floats:
        """(sum p_i'p_i)^2 / sum (p_i'p_j)^2 with p_i'p_j = [i=j] v'C v - (C v)_i'(C v)_j (Pustejovsky & Tipton, (11))."""
        # Degrees of freedom do not depend on a coefficient's unit: a dose of 1e-150 hours must not overflow here.
        size = np.abs(adjusted).max(axis=(0, 1), initial=0.0)
        unit = np.where(size > 0, size, 1.0)
        adjusted, directions = adjusted / unit, self.directions / unit
        held = self.shares @ adjusted
        itself = (adjusted * held).sum(axis=1)
        shared = held if self.block is None else held[:, :-1]
        square = (held**2).sum(axis=1)
        trace = (itself - square).sum(axis=0)
        whole = (np.einsum("glp,gmp->plm", shared, shared) ** 2).sum(axis=(1, 2))
        if self.block is not None:
            own, blocks = held[:, -1], int(self.block.max()) + 1
            pulled = (own[:, None, :] * shared).reshape(len(own), -1)
            within = sum_by(self.block, pulled, blocks).reshape(blocks, *shared.shape[1:])
            whole = whole + 2 * (within**2).sum(axis=(0, 1)) + (sum_by(self.block, own**2, blocks) ** 2).sum(axis=0)
        spread_of = (itself**2 - 2 * itself * square).sum(axis=0) + whole
        told = trace > SEEN * (directions**2).sum(axis=0)
        return np.asarray(np.divide(trace**2, spread_of, out=np.full_like(trace, np.nan), where=told & (spread_of > 0)))

    def left_out(self) -> tuple[Floats, Floats]:
        """CR3: what leaving each cluster out changes (G, P, Q), times sqrt((G-1)/G), and degrees of freedom (P,)."""
        value, vector = np.linalg.eigh(np.eye(self.shares.shape[1]) - self.shares)
        told = value > FULL
        turned = vector.transpose(0, 2, 1) @ self.directions
        hangs = (~told[:, :, None] & (np.abs(turned) > 1e-6 * np.linalg.norm(self.directions, axis=0))).any(axis=1)
        inverse = np.where(told, 1 / np.where(told, value, 1.0), 0.0)
        moved = (turned * inverse[:, :, None]).transpose(0, 2, 1) @ (vector.transpose(0, 2, 1) @ self.scores)
        moved[hangs] = np.nan
        present = int(np.count_nonzero(np.abs(self.shares).sum(axis=(1, 2))))
        return moved * np.sqrt(max(present - 1, 0) / max(present, 1)), np.full(moved.shape[1], float(present - 1))


@dataclass(frozen=True, slots=True, eq=False)
class _System:
    """The normal equations of one regression: nuisance columns that are kept, then the columns asked for."""

    grams: Floats  # (G, k, k)
    cross: Floats  # (G, k, Q)
    basis: Floats  # (k, k) F with F F' = inverse of the sum of grams
    kept: Bools  # (P,) of the columns asked for
    first: int  # the first of these among the k

    @classmethod
    def of(cls, moments: Moments, outcomes: Ints, columns: Ints) -> "_System":
        size = len(moments.scale)
        nuisance = np.arange(size - moments.nuisance, size)
        asked = np.r_[nuisance, np.asarray(columns, dtype=np.int64)]
        total = moments.by_cluster.sum(axis=0)
        kept = independent(total[np.ix_(asked, asked)], moments.scale[asked])
        chosen = asked[kept]
        grams = moments.by_cluster[:, chosen][:, :, chosen]
        cross = moments.by_cluster[:, chosen][:, :, outcomes]
        first = int(kept[: len(nuisance)].sum())
        return cls(grams, cross, basis_of(total[np.ix_(chosen, chosen)]), kept[len(nuisance) :], first)

    @property
    def solved(self) -> Floats:
        """(k, Q) coefficients."""
        return np.asarray(self.basis @ (self.basis.T @ self.cross.sum(axis=0)))

    @property
    def scores(self) -> Floats:
        """(G, k, Q) sums of regressors times residuals."""
        return np.asarray(self.cross - self.grams @ self.solved)

    def _coordinates(self) -> Coordinates:
        shares = self.basis.T @ self.grams @ self.basis
        return Coordinates(shares, self.basis.T @ self.scores, self.basis[self.first :].T)

    def reduced(self) -> tuple[Floats, Floats]:
        return self._coordinates().reduced()

    def left_out(self) -> tuple[Floats, Floats]:
        return self._coordinates().left_out()

    def spread_out(self, influence: Floats, df: Floats, kind: str, clusters: int) -> Robust:
        """The result with NaN in the places of columns that were dropped; influence (G, kept), df (kept,)."""
        size = len(self.kept)
        coefficients, degrees = np.full(size, np.nan), np.full(size, np.nan)
        covariance = np.full((size, size), np.nan)
        coefficients[self.kept], degrees[self.kept] = self.solved[self.first :, 0], df
        covariance[np.ix_(self.kept, self.kept)] = influence.T @ influence
        return Robust(coefficients, covariance, degrees, self.kept, clusters, kind)


def basis_of(gram: Floats) -> Floats:
    """F (k, k) with F F' the inverse of a positive definite matrix; columns are brought to one scale before."""
    scale = np.sqrt(np.diag(gram))
    lower = np.linalg.cholesky(gram / np.outer(scale, scale))
    return np.asarray(np.linalg.inv(lower).T / scale[:, None])


def wild(
    moments: Moments,
    outcome: int,
    columns: Ints,
    which: int,
    generator: np.random.Generator,
    *,
    draws: int = DRAWS,
    null: float = 0.0,
    confidence: float = 0.95,
    weights: str = "auto",
) -> Wild:
    """Bootstrap-t of coefficient `which` (a place in `columns`) with the null imposed; exact on `teacher_moments`.

    Cameron, Gelbach & Miller (2008, Review of Economics and Statistics 90(3)), WCR with CR1 errors. Weights are
    Rademacher's, or Webb's below FEW clusters; all draws are enumerated where they are no more than `draws` + 1. The
    interval holds the values that are not rejected. Raises ValueError for unknown weights.
    """
    if weights not in ("auto", "rademacher", "webb"):
        raise ValueError(f"weights must be 'auto', 'rademacher' or 'webb', not {weights!r}")
    system = _System.of(moments, np.array([outcome]), columns)
    if moments.clusters < 2 or not system.kept[which]:
        return Wild(np.nan, np.nan, np.nan, 0)
    world = _Restricted(system, system.first + int(system.kept[:which].sum()))
    name = weights if weights != "auto" else ("webb" if world.clusters < FEW else "rademacher")
    drawn, enumerated = _weights(name, world.clusters, draws, generator)
    block = max(1, BLOCK // world.clusters)
    sample = joined([world.statistic(drawn[start : start + block]) for start in range(0, len(drawn), block)])
    observed = world.observed()

    def p_at(value: float) -> float:
        return p_value(observed, sample, value, enumerated=enumerated)

    estimate, error = float(observed.gain[0]), float(np.sqrt(observed.squares[0, 0]))
    low, high = interval(p_at, estimate, error or 1.0, confidence=confidence)
    return Wild(p_at(null), low, high, len(drawn), enumerated, name)


def _weights(name: str, clusters: int, draws: int, generator: np.random.Generator) -> tuple[Floats, bool]:
    """(B, G) weights and whether they are all that there are."""
    points = np.array([-1.0, 1.0]) if name == "rademacher" else np.concatenate([-WEBB, WEBB])
    if clusters * np.log(len(points)) <= np.log(draws + 1):
        grid = np.indices((len(points),) * clusters).reshape(clusters, -1).T
        return points[grid], True
    return points[generator.integers(0, len(points), (draws, clusters))], False


class _Restricted:
    """The bootstrap's world for one coefficient: restricted scores are those of y less the null times those of x."""

    def __init__(self, system: _System, place: int) -> None:
        present = system.grams.any(axis=(1, 2))
        grams, cross = system.grams[present], system.cross[present][:, :, 0]
        self.clusters = len(grams)
        bread = system.basis @ system.basis.T
        self.row = bread[place]
        others = np.delete(np.arange(len(bread)), place)
        total = grams.sum(axis=0)
        inverse = np.linalg.inv(total[np.ix_(others, others)])
        self.of_y = cross - grams[:, :, others] @ (inverse @ cross.sum(axis=0)[others])
        self.of_x = grams[:, :, place] - grams[:, :, others] @ (inverse @ total[others, place])
        self.pull = (self.row @ grams) @ bread
        self.estimate = float(self.row @ cross.sum(axis=0))
        self.own = (cross - grams @ system.solved[:, 0]) @ self.row

    def observed(self) -> Statistic:
        """The estimate with its error (no small-sample factor: it cancels)."""
        squares = np.array([[self.own @ self.own], [0.0], [0.0]])
        return Statistic(np.array([self.estimate]), np.ones(1), squares)

    def statistic(self, weights: Floats) -> Statistic:
        """Draws for cluster weights (B, G)."""
        gain, of_y = self._drawn(weights, self.of_y)
        slope, of_x = self._drawn(weights, self.of_x)
        squares = np.stack([(of_y**2).sum(axis=1), (of_y * of_x).sum(axis=1), (of_x**2).sum(axis=1)])
        return Statistic(gain, slope, squares)

    def _drawn(self, weights: Floats, scores: Floats) -> tuple[Floats, Floats]:
        """Coefficient less the null (B,) and each cluster's part of its error (B, G), after estimating anew."""
        moved = weights @ scores
        return moved @ self.row, weights * (scores @ self.row) - moved @ self.pull.T
