"""Effects of being drawn, against student rows: least squares with dummies, and every draw of the lottery."""

import itertools
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import t as student

from staffroom.measure.cells import cells_from_rows
from staffroom.measure.randomized import randomized
from tests.measure.panels import dense
from tests.measure.slow import slow_cr2

SEEDS = st.integers(0, 10_000)
FEW = settings(max_examples=10, deadline=None)


@dataclass(frozen=True)
class Lottery:
    """Student rows of terms 0 (before), 1 and 2, with one covariate of the student; per teacher the rest."""

    teacher: np.ndarray
    term: np.ndarray
    y: np.ndarray
    x: np.ndarray
    school_of: np.ndarray
    drawn_of: np.ndarray
    block_of: np.ndarray
    taken_of: np.ndarray

    def cells(self, **changes):
        columns = [changes.get("y", self.y), changes.get("x", self.x)]
        return cells_from_rows(
            teacher=self.teacher, school=self.school_of[self.teacher], term=self.term, columns=columns
        )

    def read(self, *, covariates=False, permutations=199, **options):
        options.setdefault("since", 1)
        options.setdefault("block", self.block_of)
        options.setdefault("unit", np.arange(len(self.drawn_of)))
        return randomized(
            self.cells(),
            assigned=self.drawn_of,
            covariates=covariates,
            generator=np.random.default_rng(7),
            permutations=permutations,
            **options,
        )

    @property
    def after(self):
        return self.term >= 1

    def rows(self):
        """Drawn, block dummies, outcome, unit (teacher), of the results that count."""
        who = self.teacher[self.after]
        return self.drawn_of[who].astype(float), dense(self.block_of[who]), self.y[self.after], who


def lottery(seed, *, teachers=24, blocks=3, whole_schools=False, effect=0.5, size=4):
    rng = np.random.default_rng(seed)
    school_of = np.arange(teachers) // 2
    block_of = np.arange(teachers) * blocks // teachers
    block_of = block_of[school_of * 2] if whole_schools else block_of
    drawn_of = np.zeros(teachers, dtype=int)
    unit_of = school_of if whole_schools else np.arange(teachers)
    for block in np.unique(block_of):
        units = np.unique(unit_of[block_of == block])
        drawn_of[np.isin(unit_of, rng.permutation(units)[: len(units) // 2])] = 1
    who, when = np.divmod(np.arange(teachers * 3), 3)
    n = rng.integers(1, size + 1, who.size)
    teacher, term = np.repeat(who, n), np.repeat(when, n)
    taken_of = np.where(drawn_of == 1, rng.random(teachers) < 0.8, rng.random(teachers) < 0.1).astype(float)
    x = rng.normal(size=teacher.size) + 0.2 * term
    level = rng.normal(size=teachers) + 0.3 * block_of
    gain = effect * (term >= 1) * taken_of[teacher]
    y = 20 + level[teacher] + 0.6 * x + gain + 0.2 * term + rng.normal(size=teacher.size)
    return Lottery(teacher, term, y, x, school_of, drawn_of, block_of, taken_of)


@FEW
@given(SEEDS)
def test_the_unadjusted_effect_is_least_squares_with_block_dummies_and_cr2(seed):
    told = lottery(seed)
    drawn, blocks, y, who = told.rows()
    design = np.column_stack([drawn, blocks])
    error, df = slow_cr2(design, y, who, np.ones(len(y)), 0)
    effect = np.linalg.lstsq(design, y, rcond=None)[0][0]
    found = told.read()
    assert found.effect == pytest.approx(effect, rel=1e-9)
    assert found.standard_error == pytest.approx(error, rel=1e-7)
    assert found.df == pytest.approx(df, rel=1e-7)
    assert found.method == "CR2"
    assert found.p == pytest.approx(2 * student.sf(abs(effect / error), df), rel=1e-6)
    assert found.low == pytest.approx(effect - student.ppf(0.975, df) * error, rel=1e-6)


@FEW
@given(SEEDS)
def test_the_adjusted_effect_is_lins_regression_written_out(seed):
    told = lottery(seed, teachers=30)
    drawn, blocks, y, who = told.rows()
    before = ~told.after
    prior = (np.bincount(told.teacher[before], told.y[before]) / np.bincount(told.teacher[before]))[who]
    z = np.column_stack([prior, told.x[told.after]])
    z = z - z.mean(axis=0)
    later = (told.term[told.after] == 2).astype(float)
    design = np.column_stack([drawn, z, drawn[:, None] * z, later, blocks])
    error, df = slow_cr2(design, y, who, np.ones(len(y)), 0)
    found = told.read(covariates=True)
    assert found.effect == pytest.approx(np.linalg.lstsq(design, y, rcond=None)[0][0], rel=1e-8)
    assert found.standard_error == pytest.approx(error, rel=1e-6)
    assert found.df == pytest.approx(df, rel=1e-6)
    assert found.adjusted.effect == found.effect
    assert found.unadjusted.effect == pytest.approx(told.read().effect)


@FEW
@given(SEEDS)
def test_what_was_drawn_are_schools_if_their_teachers_fared_alike(seed):
    told = lottery(seed, teachers=36, whole_schools=True)
    drawn, blocks, y, who = told.rows()
    error, df = slow_cr2(np.column_stack([drawn, blocks]), y, told.school_of[who], np.ones(len(y)), 0)
    found = told.read(unit=None)
    assert found.unit_is_cluster
    assert found.units_treated + found.units_control == 18
    assert found.method == "randomization"
    assert found.standard_error == pytest.approx(error, rel=1e-7)
    assert found.df == pytest.approx(df, rel=1e-7)


def slow_draws(told):
    """Every assignment of teachers within blocks."""
    choices = []
    for block in np.unique(told.block_of):
        members = np.flatnonzero(told.block_of == block)
        choices.append([set(one) for one in itertools.combinations(members, int(told.drawn_of[members].sum()))])
    for parts in itertools.product(*choices):
        drawn = np.zeros(len(told.drawn_of))
        drawn[list(set().union(*parts))] = 1.0
        yield drawn


@pytest.mark.parametrize("covariates", [False, True])
@pytest.mark.parametrize("seed", [1, 2])
def test_below_twenty_units_p_is_the_share_of_all_draws(seed, covariates):
    told = lottery(seed, teachers=8, blocks=2, effect=2.0)
    found = told.read(covariates=covariates, since=1)
    _, blocks, y, who = told.rows()
    rest = blocks
    if covariates:
        before = ~told.after
        prior = np.bincount(told.teacher[before], told.y[before]) / np.bincount(told.teacher[before])
        rest = np.column_stack([blocks, prior[who], told.x[told.after], told.term[told.after] == 2]).astype(float)
    residual = y - rest @ np.linalg.lstsq(rest, y, rcond=None)[0]

    def t(drawn):
        design = np.column_stack([drawn[who], blocks])
        effect = np.linalg.lstsq(design, residual, rcond=None)[0][0]
        return abs(effect) / slow_cr2(design, residual, who, np.ones(len(y)), 0)[0]

    observed = t(told.drawn_of.astype(float))
    expected = np.mean([t(drawn) >= observed * (1 - 1e-9) for drawn in slow_draws(told)])
    estimate = found.adjusted if covariates else found
    assert estimate.enumerated
    assert estimate.draws == 36
    assert estimate.randomization_p == pytest.approx(expected, abs=1e-9)
    if not covariates:
        assert (found.method, found.p) == ("randomization", found.randomization_p)


def test_the_interval_of_the_randomization_test_holds_what_it_does_not_reject():
    told = lottery(3, teachers=12, blocks=2, effect=1.0)
    found = told.read(permutations=4999)
    assert found.enumerated

    def p(value):
        moved = told.y - value * told.drawn_of[told.teacher] * told.after
        cells = told.cells(y=moved)
        again = randomized(
            cells,
            assigned=told.drawn_of,
            block=told.block_of,
            covariates=False,
            generator=np.random.default_rng(0),
            since=1,
        )
        return again.randomization_p

    width = found.high - found.low
    assert p(found.low + 0.01 * width) > 0.05 >= p(found.low - 0.01 * width)
    assert p(found.high - 0.01 * width) > 0.05 >= p(found.high + 0.01 * width)


@FEW
@given(SEEDS)
def test_the_complier_effect_is_two_stage_least_squares(seed):
    told = lottery(seed)
    drawn, blocks, y, who = told.rows()
    found = told.read(taken=told.taken_of).complier
    taken = told.taken_of[who]
    if found is None:
        assert (told.taken_of == told.drawn_of).all()
        return
    design = np.column_stack([drawn, blocks])
    first, effect = (np.linalg.lstsq(design, one, rcond=None)[0][0] for one in (taken, y))
    assert found.take_up == pytest.approx(first)
    if abs(first) > 0.05:
        ratio = effect / first
        error = slow_cr2(design, y - ratio * taken, who, np.ones(len(y)), 0)[0] / abs(first)
        assert found.effect == pytest.approx(ratio, rel=1e-7)
        assert found.standard_error == pytest.approx(error, rel=1e-6)
        assert found.first_stage_f == pytest.approx(
            (first / slow_cr2(design, taken, who, np.ones(len(y)), 0)[0]) ** 2, rel=1e-6
        )


def test_the_complier_set_holds_the_values_whose_reduced_form_is_not_rejected():
    told = lottery(5, teachers=40)
    found = told.read(taken=told.taken_of)
    assert found.complier.shape == "bounded"
    for end in (found.complier.low, found.complier.high):
        moved = told.y - end * told.taken_of[told.teacher]
        drawn, blocks, _, who = told.rows()
        design = np.column_stack([drawn, blocks])
        effect = np.linalg.lstsq(design, moved[told.after], rcond=None)[0][0]
        error, df = slow_cr2(design, moved[told.after], who, np.ones(len(who)), 0)
        assert abs(effect / error) == pytest.approx(student.ppf(0.975, df), rel=1e-6)


def test_a_lottery_that_moved_nobody_says_nothing_about_compliers():
    told = lottery(6)
    found = told.read(taken=np.full(24, 0.5)).complier
    assert found.effect is None
    assert found.shape == "everything"
    weak = told.read(taken=np.random.default_rng(3).random(24)).complier
    assert weak.shape in ("outside", "everything")


def test_where_all_drawn_took_part_there_is_no_complier_effect_of_its_own():
    told = lottery(7)
    assert told.read(taken=told.drawn_of.astype(float)).complier is None


def test_balance_is_shown_over_all_and_by_block():
    told = lottery(8)
    found = told.read(covariates=True)
    assert [one.column for one in found.balance] == [0, 1]
    student_x = found.balance[1]
    drawn, blocks, _, who = told.rows()
    x = told.x[told.after]
    assert student_x.treated_mean == pytest.approx(x[drawn == 1].mean())
    assert student_x.difference == pytest.approx(np.linalg.lstsq(np.column_stack([drawn, blocks]), x, rcond=None)[0][0])
    pooled = np.sqrt(sum(((x[drawn == arm] - x[drawn == arm].mean()) ** 2).sum() for arm in (0, 1)) / (len(x) - 2))
    assert student_x.sd == pytest.approx(pooled)
    assert [one.block for one in student_x.by_block] == [0, 1, 2]
    here = told.block_of[who] == 1
    assert student_x.by_block[1].control_mean == pytest.approx(x[here & (drawn == 0)].mean())
    assert student_x.by_block[1].units_treated == 4


def test_what_is_lost_is_counted():
    told = lottery(9)
    gone = np.flatnonzero(told.drawn_of == 1)[:2]
    stay = ~(np.isin(told.teacher, gone) & told.after)
    cells = cells_from_rows(
        teacher=told.teacher[stay],
        school=told.school_of[told.teacher[stay]],
        term=told.term[stay],
        columns=[told.y[stay]],
    )
    drawn = told.drawn_of.copy()
    drawn[told.block_of == 2] = 0
    found = randomized(
        cells, assigned=drawn, block=told.block_of, covariates=False, generator=np.random.default_rng(0), since=1
    )
    assert found.units_lost_treated == 2
    assert found.units_lost_control == 0
    assert found.blocks_lost == 1
    assert found.blocks == 2
    assert found.units_treated + found.units_control == 14


def test_teachers_outside_the_lottery_do_not_count():
    told = lottery(10)
    inside = told.teacher < 16
    part = cells_from_rows(
        teacher=told.teacher[inside],
        school=told.school_of[told.teacher[inside]],
        term=told.term[inside],
        columns=[told.y[inside]],
    )
    options = {"covariates": False, "generator": np.random.default_rng(0), "since": 1}
    expected = randomized(part, assigned=told.drawn_of[:16], block=told.block_of[:16], **options)
    drawn = np.where(np.arange(24) < 16, told.drawn_of, -1)
    found = randomized(told.cells(), assigned=drawn, block=told.block_of, **options)
    assert found.effect == pytest.approx(expected.effect)
    assert found.standard_error == pytest.approx(expected.standard_error)


def test_outcomes_from_when_the_others_were_invited_do_not_count():
    told = lottery(11)
    first_term = told.term < 2
    part = cells_from_rows(
        teacher=told.teacher[first_term],
        school=told.school_of[told.teacher[first_term]],
        term=told.term[first_term],
        columns=[told.y[first_term]],
    )
    expected = randomized(part, assigned=told.drawn_of, covariates=False, generator=np.random.default_rng(0), since=1)
    assert told.read(until=2, block=None).effect == pytest.approx(expected.effect)


def test_pairs_have_a_standard_error():
    told = lottery(12, teachers=40, blocks=20)
    found = told.read()
    drawn, blocks, y, who = told.rows()
    error, df = slow_cr2(np.column_stack([drawn, blocks]), y, who, np.ones(len(y)), 0)
    assert found.standard_error == pytest.approx(error, rel=1e-7)
    assert found.df == pytest.approx(df, rel=1e-7)


def test_the_same_generator_gives_the_same_answer():
    told = lottery(13)
    one, two = told.read(covariates=True), told.read(covariates=True)
    assert one == two
    assert one.randomization_p >= 1 / 200


def test_one_arm_gives_no_effect_and_says_why():
    told = lottery(14)
    for drawn in (np.ones(24), np.zeros(24)):
        found = randomized(told.cells(), assigned=drawn, covariates=True, generator=np.random.default_rng(0))
        assert (found.effect, found.reason) == (None, "one_arm")
    nobody = randomized(told.cells(), assigned=np.full(24, -1), covariates=True, generator=np.random.default_rng(0))
    assert (nobody.effect, nobody.reason) == (None, "no_results")
    late = told.read(since=9)
    assert (late.effect, late.reason, late.units_lost_treated) == (None, "no_results", 12)


def test_two_units_have_an_effect_but_no_error():
    told = lottery(15, teachers=2, blocks=1)
    found = told.read()
    assert found.effect is not None
    assert (found.standard_error, found.reason) == (None, "too_few_units")
    assert found.p == 1.0
    assert (found.low, found.high) == (-np.inf, np.inf)


def test_scores_without_spread_give_no_effect():
    told = lottery(16)
    found = randomized(
        told.cells(y=np.full(len(told.y), 0.1)),
        assigned=told.drawn_of,
        covariates=False,
        generator=np.random.default_rng(0),
    )
    assert (found.effect, found.reason) == (None, "no_spread")


def test_a_covariate_that_is_the_draw_is_dropped():
    told = lottery(17)
    cells = told.cells(x=told.drawn_of[told.teacher].astype(float))
    found = randomized(
        cells, assigned=told.drawn_of, block=told.block_of, covariates=True, generator=np.random.default_rng(0), since=1
    )
    assert found.covariates_dropped == (1,)
    assert np.isfinite([found.effect, found.standard_error]).all()


def test_the_level_of_a_covariate_changes_nothing_and_a_constant_one_is_dropped():
    told = lottery(19)
    options = {"assigned": told.drawn_of, "block": told.block_of, "generator": np.random.default_rng(0), "since": 1}
    one = randomized(told.cells(), **options)
    high = randomized(told.cells(x=told.x + 1e6), **options)
    assert high.effect == pytest.approx(one.effect, rel=1e-6)
    assert high.standard_error == pytest.approx(one.standard_error, rel=1e-6)
    assert high.balance[1].treated_mean == pytest.approx(one.balance[1].treated_mean + 1e6)
    constant = randomized(told.cells(x=np.full(len(told.x), 0.1)), **options)
    assert constant.covariates_dropped == (1,)


def test_few_and_odd_data_give_none_or_numbers_but_never_nan():
    for seed in range(60):
        rng = np.random.default_rng(seed)
        teacher = rng.integers(0, rng.integers(1, 9), rng.integers(1, 40))
        x = rng.choice([0.0, 1.0], len(teacher)) if seed % 2 else rng.normal(size=len(teacher))
        y = rng.choice([0.0, 1.0], len(teacher)) * 10.0 ** rng.integers(-8, 8)
        cells = cells_from_rows(teacher=teacher, school=teacher, term=rng.integers(0, 3, len(teacher)), columns=[y, x])
        found = randomized(
            cells,
            assigned=rng.integers(-1, 2, len(cells.teachers)),
            taken=rng.integers(0, 2, len(cells.teachers)),
            generator=rng,
            permutations=49,
            since=1 if seed % 3 else None,
        )
        told = [found.effect, found.standard_error, found.df, found.p, found.low, found.randomization_p]
        assert not any(np.isnan(one) for one in told if one is not None)
        assert (found.effect is None) == (found.reason in ("one_arm", "no_results", "no_spread"))


def test_more_covariates_than_units_leave_the_unadjusted_headline():
    told = lottery(18, teachers=8, blocks=1)
    noise = np.random.default_rng(0).normal(size=(8, 6))
    columns = [told.y, *noise[told.teacher].T]
    cells = cells_from_rows(teacher=told.teacher, school=told.school_of[told.teacher], term=told.term, columns=columns)
    found = randomized(cells, assigned=told.drawn_of, covariates=True, generator=np.random.default_rng(0), since=1)
    assert found.reason == "adjustment_unsteady"
    assert found.adjusted.standard_error is None
    assert found.effect == found.unadjusted.effect


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"assigned": [0.0, 1.0, 2.0, 0.0]}, "assigned is not -1, 0 or 1 in row 2"),
        ({"assigned": [0.0, np.nan, 1.0, 0.0]}, "assigned is missing or not finite in row 1"),
        ({"assigned": [0, 1]}, "assigned has 2 rows, expected one for each of 4 teachers"),
        ({"block": [1, 2]}, "block has 2 rows"),
        ({"unit": ["a", "a", "b", "b"]}, "assigned differs within a unit: see row 1"),
        (
            {"unit": ["a", "b", "a", "b"], "assigned": [0, 1, 0, 1], "block": [0, 0, 1, 1]},
            "more than one block: see row 2",
        ),
        ({"block": [1.0, np.nan, 1.0, 2.0]}, "block is missing or not finite in row 1"),
        ({"taken": [1.0, np.inf, 0.0, 0.0]}, "taken is missing or not finite in row 1"),
        ({"taken": [1.0, 0.0]}, "taken has 2 rows"),
        ({"confidence": 1.0}, "confidence must lie strictly between 0 and 1"),
    ],
)
def test_wrong_lotteries_are_refused(options, message):
    cells = cells_from_rows(
        teacher=[0, 0, 1, 1, 2, 2, 3, 3], school=[0] * 8, term=[0, 1] * 4, columns=[np.arange(8.0) ** 2]
    )
    arguments = {"assigned": [0, 1, 1, 0], "covariates": False, "generator": np.random.default_rng(0)} | options
    with pytest.raises(ValueError, match=message):
        randomized(cells, **arguments)


def test_the_test_of_no_effect_rejects_in_about_one_of_twenty():
    """Ten schools in two blocks, no effect, strong differences between schools: all 100 draws, again and again."""
    rng = np.random.default_rng(41)
    worlds, rejected = 300, 0
    school_of, block_of = np.arange(20) // 2, np.arange(20) // 10
    cells = cells_from_rows(teacher=np.arange(20), school=school_of, term=np.zeros(20, int), columns=[np.zeros(20)])
    for _ in range(worlds):
        drawn = np.concatenate([rng.permutation([1, 1, 0, 0, 0]), rng.permutation([1, 1, 1, 0, 0])])[school_of]
        y = rng.normal(size=10)[school_of] * (1 + block_of) + rng.normal(size=20)
        read = randomized(
            replace(cells, mean=y[:, None], n=np.full(20, 12.0)),
            assigned=drawn,
            block=block_of,
            covariates=False,
            generator=rng,
            permutations=199,
        )
        assert read.draws == 100
        rejected += read.p <= 0.05
    assert 0.03 <= rejected / worlds <= 0.07


def test_intervals_with_cr2_cover_the_truth():
    """Forty teachers in four blocks, effect 0.3, classes of unequal size, adjusted by a covariate and the prior mean."""
    rng = np.random.default_rng(41)
    worlds, covered = 300, 0
    teacher, when = np.divmod(np.arange(80), 2)
    n = rng.integers(8, 40, 80).astype(float)
    cells = cells_from_rows(teacher=teacher, school=teacher // 4, term=when, columns=[np.zeros(80), np.zeros(80)])
    for _ in range(worlds):
        drawn = np.concatenate([rng.permutation(np.arange(10) < 4) for _ in range(4)]).astype(int)
        x = rng.normal(size=80)
        level = rng.normal(size=40)[teacher]
        y = level + 0.5 * x + 0.3 * drawn[teacher] * when + rng.normal(size=80) * np.sqrt(0.1 + 4 / n)
        read = randomized(
            replace(cells, mean=np.column_stack([y, x]), n=n),
            assigned=drawn,
            block=np.arange(40) // 10,
            generator=rng,
            permutations=3,
            since=1,
        )
        assert read.method == "CR2"
        covered += read.low <= 0.3 <= read.high
    assert 0.93 <= covered / worlds <= 0.97
