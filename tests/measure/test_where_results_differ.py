"""Shares of variance between schools and teachers, found again in what was drawn with known ones."""

from __future__ import annotations

import numpy as np
import pytest

from staffroom.measure.cells import Cells
from staffroom.measure.moments import cells_from_sums
from staffroom.measure.variation import variation


def drawn(*, school_sd: float, teacher_sd: float, schools: int = 60, teachers: int = 6, terms: int = 3) -> Cells:
    """Lasting differences between schools and teachers, students of SD 1, 8 to 30 a teacher."""
    generator = np.random.default_rng(41)
    rows: dict[str, list[float]] = {name: [] for name in ("teacher", "school", "term", "n", "y_sum", "y_sumsq")}
    of_school = generator.normal(0, school_sd, schools)
    of_teacher = generator.normal(0, teacher_sd, (schools, teachers))
    for school in range(schools):
        for teacher in range(teachers):
            for term in range(terms):
                count = int(generator.integers(8, 31))
                scores = (
                    200 + 5 * term + of_school[school] + of_teacher[school, teacher] + generator.normal(0, 1, count)
                )
                values = (school * teachers + teacher, school, term, count, scores.sum(), (scores**2).sum())
                for name, value in zip(rows, values, strict=True):
                    rows[name].append(value)
    return cells_from_sums(**{name: np.array(values) for name, values in rows.items()})


def test_shares_are_those_that_were_drawn() -> None:
    found = variation(drawn(school_sd=0.4, teacher_sd=0.5))
    assert found is not None
    whole = 1 + 0.4**2 + 0.5**2
    assert found.icc_school == pytest.approx(0.4**2 / whole, abs=0.04)
    assert found.icc_teacher == pytest.approx(0.5**2 / whole, abs=0.03)
    assert found.r2_teacher > 0.5
    assert 8 < found.students < 30


def test_where_teachers_do_not_differ_nothing_is_between_them() -> None:
    found = variation(drawn(school_sd=0.0, teacher_sd=0.0))
    assert found is not None
    assert found.icc_teacher < 0.01
    assert found.icc_school < 0.01
    assert found.r2_teacher < 0.05


def test_it_is_one_way_analysis_of_variance_where_all_groups_are_alike() -> None:
    """Balanced: the mean squares of the textbook, computed on rows."""
    generator = np.random.default_rng(7)
    scores = (
        generator.normal(0, 1, (4, 5, 10)) + generator.normal(0, 0.6, (4, 5, 1)) + generator.normal(0, 0.5, (4, 1, 1))
    )
    school, teacher = np.indices((4, 5)).reshape(2, -1)
    flat = scores.reshape(20, 10)
    found = variation(
        cells_from_sums(
            teacher=school * 5 + teacher, school=school, term=np.zeros(20, dtype=int), n=np.full(20, 10),
            y_sum=flat.sum(1), y_sumsq=(flat**2).sum(1),
        )
    )  # fmt: skip
    error = flat.var(axis=1, ddof=1).mean()
    teachers = (10 * scores.mean(2).var(axis=1, ddof=1).mean() - error) / 10
    schools = (50 * scores.mean((1, 2)).var(ddof=1) - error - 10 * teachers) / 50
    teachers, schools = max(teachers, 0), max(schools, 0)
    assert found is not None
    assert found.icc_teacher == pytest.approx(teachers / (error + teachers + schools))
    assert found.icc_school == pytest.approx(schools / (error + teachers + schools))


def test_few_teachers_and_results_without_spread_say_nothing() -> None:
    assert variation(drawn(school_sd=0.1, teacher_sd=0.1, schools=2, teachers=2)) is None
    assert variation(drawn(school_sd=0.1, teacher_sd=0.1, schools=1, teachers=20)) is None
    same = np.arange(20)
    flat = cells_from_sums(
        teacher=same,
        school=same % 4,
        term=np.zeros(20, dtype=int),
        n=np.full(20, 5),
        y_sum=np.full(20, 10.0),
        y_sumsq=np.full(20, 20.0),
    )
    assert variation(flat) is None
