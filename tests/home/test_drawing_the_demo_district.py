"""The generator of the demo district knows the truth; the engine has to find it from scores and dates alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from django.db import transaction

from staffroom.home.demo import keeping, placing
from staffroom.home.demo import world as worlds
from staffroom.measure.answering.examining import Examined, examine
from staffroom.measure.claims import Claims
from staffroom.measure.moments import cells_from_sums
from staffroom.people.models import Enrollment, Person
from staffroom.records.models import Outcome, Statement


def cells_of(world: worlds.World) -> dict[str, Any]:
    """Teacher × term cells as a district's ledgers would give them: no effect, no skill, nothing that was hidden."""
    columns: dict[str, list[Any]] = {name: [] for name in ("teacher", "school", "term", "n", "y_sum", "y_sumsq")}
    for term in range(worlds.TERMS):
        of = world.class_of[term // 2]
        columns["teacher"].append(np.arange(world.teachers))
        columns["school"].append(world.school_of_teacher)
        columns["term"].append(np.full(world.teachers, term))
        columns["n"].append(np.bincount(of, minlength=world.teachers))
        columns["y_sum"].append(np.bincount(of, world.scores[term], minlength=world.teachers))
        columns["y_sumsq"].append(np.bincount(of, world.scores[term] ** 2, minlength=world.teachers))
    return {name: np.concatenate(parts) for name, parts in columns.items()}


@pytest.fixture(scope="module")
def estimates() -> list[tuple[str, float, Examined]]:
    """(program, true average effect in SD of students, estimate) for several districts."""
    found = []
    for seed in (2, 3, 4, 5, 6, 7):
        world = worlds.draw(seed=seed)
        cells = cells_from_sums(**cells_of(world))
        for number, program in enumerate(worlds.PROGRAMS):
            first, generator = world.first_term[number], np.random.default_rng(seed)
            result = examine(cells, first, claims=Claims(), generator=generator)
            assert isinstance(result, Examined)
            found.append((program.slug, world.average_true_effect(number), result))
    return found


def test_the_same_seed_draws_the_same_district_and_another_seed_another() -> None:
    first, again, other = worlds.draw(seed=2), worlds.draw(seed=2), worlds.draw(seed=3)
    assert np.array_equal(first.scores, again.scores)
    assert not np.array_equal(first.scores, other.scores)


def test_a_district_has_the_size_that_was_asked_for() -> None:
    world = worlds.draw()
    assert (world.schools, world.teachers, world.students) == (12, 420, 9000)
    sizes = np.bincount(world.class_of[0], minlength=world.teachers)
    assert sizes.min() >= 15
    assert (world.school_of_teacher[world.class_of] == world.school_of_student).all()


def test_twice_the_teachers_make_twice_the_district() -> None:
    once, twice = worlds.draw(teachers=420), worlds.draw(teachers=840)
    assert (twice.schools, twice.teachers, twice.students) == (2 * once.schools, 2 * once.teachers, 2 * once.students)
    taking_part = [(each.first_term != worlds.NEVER).sum(axis=1) for each in (once, twice)]
    assert (np.abs(taking_part[1] - 2 * taking_part[0]) <= 1).all()  # each is rounded to whole teachers


@pytest.mark.django_db
def test_the_same_seed_saves_the_same_people_results_and_hours() -> None:
    def saved() -> list[Any]:
        with transaction.atomic():
            world = worlds.draw(teachers=24, seed=9)
            district = placing.place(world, seed=9)
            keeping.keep(world, district, seed=9)
            found = [
                list(Person.objects.order_by("key").values_list("key", "family_name", "source_id")),
                list(Outcome.objects.order_by("term__begins_on", "person__key").values_list("person__key", "teacher__key", "value")),
                list(Statement.objects.order_by("happened_at", "actor__key", "verb").values_list("actor__key", "happened_at")),
                list(Enrollment.objects.order_by("section__source_id", "person__key").values_list("person__key", "role")),
            ]  # fmt: skip
            transaction.set_rollback(True)
        return found

    first = saved()
    assert all(first)
    assert saved() == first


def test_too_small_a_district_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 24"):
        worlds.draw(teachers=10)


def test_intervals_hold_the_truth(estimates: list[tuple[str, float, Examined]]) -> None:
    """18 intervals at 95 %: with true coverage fewer than 14 hold once in 5,000 draws."""
    hold = [result.effect.low <= true <= result.effect.high for _slug, true, result in estimates]  # type: ignore[operator]
    assert len(hold) == len(estimates)
    assert sum(hold) >= 14


def test_the_coaching_that_works_is_found_and_the_days_that_do_not_are_not_praised(
    estimates: list[tuple[str, float, Examined]],
) -> None:
    works = [result for slug, _true, result in estimates if slug == "number-talks-coaching"]
    not_works = [result for slug, _true, result in estimates if slug == "mindset-workshop-days"]
    assert all(result.effect.low and result.effect.low > 0 for result in works)
    assert all(abs(result.effect.sd or 0) < 0.07 for result in not_works)
