import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from staffroom.home.demo.world import PROGRAMS, TERMS, draw
from staffroom.measure.answering import answer
from staffroom.measure.cells import cells_from_rows
from staffroom.measure.pooling import pool
from staffroom.measure.question import Question
from staffroom.measure.sites import moderate, site_effects
from staffroom.measure.staggered import NEVER, impute
from tests.measure.panels import dense, unbalanced_rows


def a_world(seed):
    world = draw(seed=seed)
    teacher = np.concatenate([world.class_of[term // 2] for term in range(TERMS)])
    term = np.repeat(np.arange(TERMS), world.students)
    school = world.school_of_teacher[teacher]
    return world, cells_from_rows(teacher=teacher, school=school, term=term, columns=[world.scores.ravel()])


def messages(sentences):
    return [sentence.message for sentence in sentences]


@pytest.mark.parametrize("seed", [2, 5, 11])
def test_what_works_only_in_some_schools_is_told_from_what_works_and_what_does_not(seed):
    world, cells = a_world(seed)
    found = {
        program.slug: answer(Question(cells=cells, first_treated=world.first_term[k]), np.random.default_rng(1))
        for k, program in enumerate(PROGRAMS)
    }
    coaching, workshop, course = found.values()
    assert "works_in_some_site" in messages(course.sentence)
    assert course.replicability.tau > 0.05
    assert course.replicability.prediction_low < 0 < course.replicability.prediction_high
    assert "higher" in messages(coaching.sentence)
    assert messages(workshop.sentence)[0] in ("small", "cannot_tell")
    assert "works_in_some_site" not in messages([*coaching.sentence, *workshop.sentence])


def test_errors_of_sites_are_right_and_sites_that_are_alike_are_found_different_one_time_in_twenty():
    off, told = [], []
    for seed in range(30):
        world, cells = a_world(1000 + seed)
        for program in (0, 1):
            first = world.first_term[program]
            found = site_effects(cells, first, world.school_of_teacher, impute(cells, first))
            truth = 40 * PROGRAMS[program].effect_sd
            off.append((found.effect - truth) / found.standard_error)
            told.append(pool(found.effect, found.standard_error).q_p < 0.05)
    assert 0.9 < np.concatenate(off).std() < 1.1
    assert np.mean(told) <= 0.12


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_a_site_by_itself_says_what_least_squares_on_its_rows_alone_say(seed):
    rows = unbalanced_rows(seed, teachers=30, terms=5, schools=3)
    cells = rows.cells()
    first = rows.first_of(cells)
    found = site_effects(cells, first, cells.clusters[cells.cluster_of], impute(cells, first))
    for label, effect, own in zip(found.labels, found.effect, found.own, strict=True):
        if own:
            assert effect == pytest.approx(slow_effect(rows, rows.school == label), abs=1e-8)


def slow_effect(rows, here):
    """Teacher and term dummies on the site's untreated rows; treated rows that these do not tell are left out."""
    teacher, term = dense(rows.teacher[here]), dense(rows.term[here])
    design, treated, y = np.hstack([teacher, term]), rows.treated[here], rows.y[here]
    known = design[~treated]
    told = np.linalg.pinv(known) @ known
    joined = np.abs(design - design @ told).max(axis=1) < 1e-8
    gap = y - design @ (np.linalg.pinv(known) @ y[~treated])
    return gap[treated & joined].mean()


def test_schools_that_all_took_part_are_held_against_all_others():
    rng = np.random.default_rng(4)
    teachers, terms, schools = 120, 6, 12
    who, when = np.divmod(np.repeat(np.arange(teachers * terms), 10), terms)
    school = who % schools
    first = np.where(np.arange(teachers) % schools < 6, 3, NEVER)
    shock = rng.normal(0, 0.1, (schools, terms))[school, when]
    y = (
        rng.normal(size=teachers)[who] * 0.3
        + shock
        + 0.5 * ((first[who] >= 0) & (when >= 3))
        + rng.normal(size=who.size)
    )
    cells = cells_from_rows(teacher=who, school=school, term=when, columns=[y])
    found = site_effects(cells, first, np.arange(teachers) % schools, impute(cells, first))
    assert len(found.labels) == 6
    assert not found.own.any()
    assert np.abs((found.effect - 0.5) / found.standard_error).max() < 3


def test_variances_that_differ_by_chance_alone_become_one():
    rng = np.random.default_rng(0)
    df = np.full(400, 6.0)
    alike = rng.chisquare(df) / df
    drawn, added = moderate(alike, df)
    assert drawn.std() < 0.25 * alike.std()
    assert added > 50
    apart, few = moderate(alike * np.exp(rng.normal(size=400)), df)
    assert few < 6
    assert np.isfinite(apart).all()


def test_two_schools_do_not_tell_what_the_next_should_expect():
    world, cells = a_world(2)
    few = dataclasses.replace(
        cells, cluster_of=world.school_of_teacher % 2, clusters=np.arange(2), teachers=cells.teachers
    )
    found = answer(
        Question(cells=few, first_treated=world.first_term[0], cohort=np.where(world.first_term[0] < 4, "a", "b"))
    )
    assert not found.replicability.known
    assert found.replicability.reason == "replicability_too_few"


def test_without_labels_cohorts_are_who_began_in_the_same_term():
    world, cells = a_world(2)
    one = dataclasses.replace(cells, cluster_of=world.school_of_teacher % 2, clusters=np.arange(2))
    found = answer(Question(cells=one, first_treated=world.first_term[0])).replicability
    assert (found.known, found.by, found.sites) == (True, "cohort", 4)
    assert [line.group for line in found.by_site] == [2, 3, 4, 5]
    assert found.pooled.p is None


def test_how_it_spreads_is_told_by_wave():
    world, cells = a_world(2)
    found = answer(Question(cells=cells, first_treated=world.first_term[0])).scalability
    assert found.known
    assert [wave["term"] for wave in found.by_wave] == [2, 3, 4, 5]
    assert found.by_wave[-1]["cumulative_teachers"] == (world.first_term[0] >= 0).sum()
    assert found.slope.low < 0 < found.slope.high
    assert found.ratio_shape == "bounded"
